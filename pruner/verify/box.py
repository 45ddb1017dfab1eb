"""A sandbox around one root: bubblewrap holds the namespaces, programs are started into them and watched."""

from __future__ import annotations

import json
import os
import resource
import selectors
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from pruner.errors import printable
from pruner.verify.launch import Order, Started, launch
from pruner.verify.types import LONGEST_OUTPUT, Ran
from pruner.verify.view import HOSTNAME

if TYPE_CHECKING:
    from collections.abc import Callable

_SETUP_SECONDS = 30.0
_DRAIN_SECONDS = 0.5
_PAUSE = 0.02
_LARGEST_TRACE = 1 << 29
TRACED = "%file,fchdir,clone,clone3,fork,vfork,bind,connect,getdents,getdents64"


class Fault(Exception):
    """The sandbox can't be made here; the text is a lowercase fact."""


@dataclass(slots=True, kw_only=True, eq=False)
class Program:
    """A program that runs or ran in a box; its output grows while the box is pumped."""

    title: str
    started: Started
    workdir: str
    out: bytearray = field(default_factory=bytearray)
    err: bytearray = field(default_factory=bytearray)
    status: bytearray = field(default_factory=bytearray)
    open: int = 3
    """Pipes that have not reached their end."""
    trace: str | None = None
    tracer: subprocess.Popen[bytes] | None = None

    def told(self, word: str) -> str | None:
        """What the status pipe said under `word` so far."""
        for line in self.status.decode(errors="replace").split("\n")[:-1]:
            if line.startswith(word + " "):
                return line[len(word) + 1 :]
        return None

    @property
    def over(self) -> bool:
        """Whether it ended or could not be started."""
        return self.told("failed") is not None or self.told("ended") is not None or self.open == 0

    def answer(self, problem: str = "") -> Ran:
        """How it went so far."""
        failed, ended = self.told("failed"), self.told("ended")
        code = None
        if failed is not None:
            problem = f"can't be started: {printable(failed).lower()}"
        elif ended is not None:
            code = os.waitstatus_to_exitcode(int(ended))
            code = 128 - code if code < 0 else code
        else:
            problem = problem or "was killed from outside"
        return Ran(
            title=self.title, code=code, out=bytes(self.out), err=bytes(self.err), problem=problem,
            trace=self.trace, workdir=self.workdir,
        )  # fmt: skip


class Box:
    """The namespaces around the directory `merged`; made and used by a process that `own_namespaces` was called in."""

    def __init__(
        self, merged: Path, *, bwrap: str, mapped: bool, traces: Path | None = None, strace: str = "",
        beside: Box | None = None,
    ) -> None:  # fmt: skip
        """With `strace`, every program's trace is written into the directory `traces`.

        A box `beside` another one shares its network, and each goes on reading while one waits for the other.
        """
        self.mapped = mapped
        self.caveats: list[str] = []
        self._merged, self._bwrap, self._traces, self._strace = merged, bwrap, traces, strace
        self._programs: list[Program] = []
        self._selector: selectors.BaseSelector = selectors.DefaultSelector() if beside is None else beside._selector  # noqa: SLF001

    def __enter__(self) -> Self:
        info, info_end = os.pipe()
        block_end, self._block = os.pipe()
        self._log = tempfile.TemporaryFile()
        command = [
            self._bwrap, "--bind", str(self._merged), "/", "--proc", "/proc", "--dev", "/dev",
            *(() if self.mapped else ("--ro-bind-try", "/sys", "/sys")),
            "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--hostname", HOSTNAME, "--die-with-parent",
            "--info-fd", str(info_end), "--block-fd", str(block_end), "--", "/",
        ]  # fmt: skip
        self._bubble = subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log, pass_fds=(info_end, block_end)
        )
        os.close(info_end)
        os.close(block_end)
        with os.fdopen(info, "rb") as stream:
            told = stream.read()  # up to the end: bubblewrap closes it once all is said
        if not told:
            raise self._fault()
        self._holder = int(json.loads(told)["child-pid"])
        self._await_root()
        return self

    def __exit__(self, *_error: object) -> None:
        with suppress(ProcessLookupError, AttributeError):
            os.kill(self._holder, signal.SIGKILL)  # the first process of its namespace takes all others along
        with suppress(subprocess.TimeoutExpired):
            self._bubble.wait(_DRAIN_SECONDS)  # it ends by itself once it has seen the end of its child
        self._bubble.kill()
        self._bubble.wait()
        for program in self._programs:
            if program.tracer is not None:
                _end(program.tracer)
            with suppress(ChildProcessError):
                os.waitpid(program.started.pid, 0)
            os.close(program.started.go)
        for key in list(self._selector.get_map().values()):
            if key.data[0] in self._programs:
                self._selector.unregister(key.fd)
                os.close(key.fd)
        self._log.close()
        os.close(self._block)

    def start(self, order: Order, title: str) -> Program:
        """Start a program; it ends with the box at the latest."""
        started = launch(order, holder=self._holder, mapped=self.mapped)
        program = Program(title=title, started=started, workdir=order.workdir or "/")
        self._programs.append(program)
        for handle, sink in ((started.out, program.out), (started.err, program.err), (started.status, program.status)):
            self._selector.register(handle, selectors.EVENT_READ, (program, sink))
        deadline = time.monotonic() + _SETUP_SECONDS
        while program.told("pid") is None and not program.over and time.monotonic() < deadline:
            self.pump(_PAUSE)
        if self._strace and not program.over:
            self._trace(program)
        with suppress(BrokenPipeError):  # it could not even get that far, and its status tells why
            os.write(started.go, b"g")
        return program

    def finish(self, program: Program, seconds: float) -> Ran:
        """Wait for the program's end and output, for `seconds` at most."""
        if not self.until(lambda: program.over, seconds):
            return program.answer(f"did not end within {seconds:g} s")
        self.until(lambda: program.open == 0, _DRAIN_SECONDS)
        return program.answer()

    def until(self, holds: Callable[[], bool], seconds: float) -> bool:
        """Whether `holds()` came true within `seconds`; outputs are read meanwhile."""
        deadline = time.monotonic() + seconds
        while not holds():
            if time.monotonic() >= deadline:
                return False
            self.pump(_PAUSE)
        return True

    def pump(self, seconds: float) -> None:
        """Read what programs wrote, waiting for `seconds` at most."""
        if not self._selector.get_map():
            time.sleep(seconds)
        for key, _ in self._selector.select(seconds):
            program, sink = key.data
            data = os.read(key.fd, 65536)
            if data:
                sink += data[: max(0, LONGEST_OUTPUT - len(sink))]
                continue
            self._selector.unregister(key.fd)
            os.close(key.fd)
            program.open -= 1

    def inside(self, question: Callable[[], bool]) -> bool:
        """Whether `question()` holds, asked by a process that sees the box's files."""
        from pruner.verify.namespaces import enter

        child = os.fork()
        if child == 0:
            answer = 1
            try:
                enter(self._holder, "mnt")
                answer = 0 if question() else 1
            finally:
                os._exit(answer)
        return os.waitpid(child, 0)[1] == 0

    def _await_root(self) -> None:
        """Wait until bubblewrap's child stands in the finished root.

        Its last steps are pivot_root(".", "."), after which the old root lies over the new one, and the removal of
        the old one; who enters the mount namespace in between lands in the old one.
        """
        own = self._merged.stat()
        holder = Path(f"/proc/{self._holder}")
        deadline = time.monotonic() + _SETUP_SECONDS
        while time.monotonic() < deadline and self._bubble.poll() is None:
            with suppress(OSError):
                seen = (holder / "root").stat()
                mounts = [line.split()[4] for line in (holder / "mountinfo").read_text(errors="replace").splitlines()]
                if (seen.st_dev, seen.st_ino) == (own.st_dev, own.st_ino) and mounts.count("/") == 1:
                    return
            time.sleep(0.001)
        raise self._fault()

    def _fault(self) -> Fault:
        with suppress(subprocess.TimeoutExpired):
            self._bubble.wait(1)
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").strip().splitlines()
        return Fault(f"bubblewrap can't make a sandbox: {printable(lines[-1]) if lines else 'no reason given'}")

    def _trace(self, program: Program) -> None:
        """Attach strace to a program that has not been executed yet; without success it runs untraced."""
        pid = program.told("pid")
        path = f"{self._traces}/{len(self._programs)}"
        command = [self._strace, "-f", "-y", "-qq", "-xx", "--decode-pids=pidns", "-o", path, "-e", f"trace={TRACED}"]
        program.tracer = subprocess.Popen(  # noqa: S603
            [*command, "-e", "signal=none", "-p", str(pid)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=self._log, preexec_fn=_limit_trace,  # noqa: PLW1509 - this process has one thread
        )  # fmt: skip
        tracer = program.tracer
        if self.until(lambda: _is_traced(pid) or tracer.poll() is not None, _SETUP_SECONDS) and tracer.poll() is None:
            program.trace = path
        else:
            self.caveats.append("strace could not attach: names that a program does without are not listed")


def _is_traced(pid: Any) -> bool:
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return True  # it is gone, and nothing needs waiting for
    return any(line.startswith("TracerPid:") and line.split()[1] != "0" for line in lines)


def _limit_trace() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (_LARGEST_TRACE, _LARGEST_TRACE))


def _end(tracer: subprocess.Popen[bytes]) -> None:
    try:
        tracer.wait(5)
    except subprocess.TimeoutExpired:
        tracer.kill()
        tracer.wait()
