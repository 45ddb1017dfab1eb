"""Writing that is either finished or leaves nothing: a temporary sibling, renamed at the end."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

_STOPPING = (signal.SIGTERM, signal.SIGHUP)


@contextmanager
def partial_sibling(final: Path) -> Iterator[Path]:
    """A fresh path beside `final`; what is left there when the block ends, however it ends, is removed.

    The block renames it into place. SIGTERM and SIGHUP end the block like Ctrl-C does (in the main thread).
    """
    path = final.with_name(f".{final.name[:200]}.{secrets.token_hex(6)}.partial")
    with _stoppable():
        try:
            yield path
        finally:
            with _undisturbed():
                remove_tree(path)


def remove_tree(path: Path) -> None:
    """Remove `path` and all below it, also directories whose mode forbids it; links are removed, not followed."""
    if not path.is_dir() or path.is_symlink():
        path.unlink(missing_ok=True)
        return
    for directory, names, _ in os.walk(path):  # top down, so that a directory is open before it is listed
        for name in names:
            child = Path(directory, name)
            if not child.is_symlink():
                with suppress(OSError):
                    child.chmod(0o700)
    with suppress(OSError):
        path.chmod(0o700)
    shutil.rmtree(path)


@contextmanager
def _stoppable() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, stop) for number in _STOPPING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """A second signal does not stop the cleaning up."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (*_STOPPING, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
