"""Runs a full-screen program of the root under test on a terminal of 80 by 24, and types into it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import shlex
import struct
import subprocess
import termios
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.corpus.model import SmokeError, expect

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.corpus.sandbox import Box


@dataclass(slots=True)
class Terminal:
    """The outer end of a pseudo-terminal, and the process at its inner end."""

    name: str
    process: subprocess.Popen[bytes]
    outer: int
    screen: str = ""
    """What was written to the terminal so far, control sequences and all."""

    def until(self, text: str, *, seconds: float = 20) -> None:
        """Wait until `text` was written since the last key. Raises `SmokeError`."""
        deadline = time.monotonic() + seconds
        while text not in self.screen:
            left = deadline - time.monotonic()
            if left <= 0 or not self._read(left):
                raise SmokeError(f"{self.name}: no {text!r} on the terminal: {self.screen[-1500:]!r}")

    def press(self, keys: str) -> None:
        """Type `keys`; what is on the screen counts as seen."""
        self.screen = ""
        os.write(self.outer, keys.encode())

    def end(self, *, code: int = 0, seconds: float = 20) -> str:
        """Wait for the end, require the exit `code`, and return what it printed. Raises `SmokeError`."""
        deadline = time.monotonic() + seconds
        while self.process.poll() is None:
            expect(time.monotonic() < deadline, f"{self.name}: no end within {seconds:.0f} s: {self.screen[-1500:]!r}")
            self._read(0.05)
        said = self.process.stdout.read().decode(errors="replace") if self.process.stdout else self.screen
        found = self.process.returncode
        expect(found == code, f"{self.name}: exit {found}, not {code}: out {said!r} screen {self.screen[-1500:]!r}")
        return said

    def _read(self, seconds: float) -> bool:
        """Take in what is written within `seconds`; false when the program has closed the terminal."""
        if not select.select([self.outer], [], [], seconds)[0]:
            return True
        block = b""
        with contextlib.suppress(OSError):  # EIO: nobody holds the inner end any more, pty(7)
            block = os.read(self.outer, 65536)
        self.screen += block.decode(errors="replace")
        return bool(block)


@contextmanager
def terminal(
    box: Box, argv: Sequence[str], *, stdin: bytes | None = None, term: str = "xterm-256color", env: Mapping[str, str]
) -> Iterator[Terminal]:
    """Start `argv` with a controlling terminal that is also its standard error.

    Standard input is the terminal, or a pipe that holds `stdin`; standard output is the terminal if it
    is the input too, otherwise a pipe. The process ends with the block at the latest.
    """
    outer, inner = pty.openpty()
    fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    command = box._command("root", argv, env={"TERM": term, **env})
    # setsid --ctty takes standard input as the terminal, so the pipe is opened after it
    source, output = ("<&3", subprocess.PIPE) if stdin is not None else ("", inner)
    reading, writing = os.pipe()
    os.write(writing, stdin or b"")  # a pipe holds 64 KiB, pipe(7)
    os.close(writing)
    script = f"exec 3<&{reading}; exec {shlex.join(command)} {source}"
    process = subprocess.Popen(
        ["setsid", "--ctty", "--wait", "bash", "-c", script],
        stdin=inner, stdout=output, stderr=inner, pass_fds=(reading,),
    )  # fmt: skip
    os.close(inner)
    os.close(reading)
    try:
        yield Terminal(shlex.join(argv), process, outer)
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
        os.close(outer)
