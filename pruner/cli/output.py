"""Writing a plan directory whole or not at all, and the small helpers of the terminal."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pruner.errors import EnvironmentFault, InputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pruner.emit.artifact import Artifact


def write_directory(directory: Path, artifacts: Sequence[Artifact]) -> None:
    """Write `artifacts` below `directory`, replacing a former plan there in one rename.

    Raises `InputError` when a file is there, or a directory that is neither empty nor a plan.
    """
    # Resolved before anything is made: once a missing parent exists, a `..` behind it leads elsewhere than it was
    # checked to lead.
    final = Path(os.path.realpath(directory))
    _check_replaceable(final, shown=directory)
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=f".{final.name}.", dir=final.parent))
    except OSError as error:
        raise EnvironmentFault(f"{directory} can't be written: {(error.strerror or str(error)).lower()}") from error
    try:
        fresh.chmod(0o755)
        for place in {(fresh / artifact.path).parent for artifact in artifacts}:
            place.mkdir(parents=True, exist_ok=True)
        for artifact in artifacts:
            path = fresh / artifact.path
            path.write_bytes(artifact.data)
            path.chmod(artifact.mode)
        _check_replaceable(final, shown=directory)
        _swap(fresh, final)
    except OSError as error:
        raise EnvironmentFault(f"{directory} can't be written: {(error.strerror or str(error)).lower()}") from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def write_file(path: Path, data: bytes) -> None:
    """Write `data` to the file `path` whole or not at all, replacing a file that was there.

    Links are followed; into a device or a pipe it is written as it is. Raises `EnvironmentFault`.
    """
    fresh = None
    final = Path(os.path.realpath(path))
    try:
        if final.exists() and not final.is_file():
            final.write_bytes(data)
            return
        handle, fresh = tempfile.mkstemp(prefix=f".{final.name}.", dir=final.parent)
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        Path(fresh).chmod(0o644)
        Path(fresh).replace(final)
    except OSError as error:
        if fresh is not None:
            Path(fresh).unlink(missing_ok=True)
        raise EnvironmentFault(f"{path} can't be written: {(error.strerror or str(error)).lower()}") from error


def _check_replaceable(directory: Path, *, shown: Path) -> None:
    if not os.path.lexists(directory):
        return
    if not directory.is_dir():
        raise InputError(f"{shown} is not a directory", hint="choose another --output")
    if any(directory.iterdir()) and not _is_plan(directory / "plan.json"):
        raise InputError(f"{shown} is not empty and holds no plan", hint="choose another --output")


def _is_plan(path: Path) -> bool:
    """Whether `path` begins as the plans of pruner do: other tools name a file plan.json too."""
    from pruner.emit.planschema import SCHEMA_NAME

    try:
        with path.open("rb") as stream:
            return f'"{SCHEMA_NAME}"'.encode() in stream.read(256)
    except OSError:
        return False


def _swap(fresh: Path, directory: Path) -> None:
    if not directory.exists():
        fresh.rename(directory)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{directory.name}.old.", dir=directory.parent))
    directory.rename(old / "plan")
    try:
        fresh.rename(directory)
    except OSError:
        (old / "plan").rename(directory)
        raise
    finally:
        shutil.rmtree(old, ignore_errors=True)


def source_date_epoch() -> int | None:
    """Seconds since 1970 that SOURCE_DATE_EPOCH states (reproducible-builds.org), None where it is not set.

    Raises `UsageError` when it is no whole number.
    """
    text = os.environ.get("SOURCE_DATE_EPOCH", "")
    if text and not (text.isascii() and text.isdigit()):
        raise UsageError("SOURCE_DATE_EPOCH is not a whole number of seconds", hint="unset it, or set it to one")
    return int(text) if text else None


STAGES = ("reading", "closing", "deciding", "writing")


@contextmanager
def progress_bar(stages: Sequence[str] = STAGES, *, quiet: bool = False) -> Iterator[Callable[[str], None]]:
    """A bar on standard error once the work has taken over a second; nothing when that is not a terminal."""
    if quiet or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield lambda _stage: None
        return
    state = {"stage": stages[0]}
    done = threading.Event()
    drawer = threading.Thread(target=_draw, args=(stages, state, done), daemon=True)
    drawer.start()

    def tell(stage: str) -> None:
        state["stage"] = stage

    try:
        yield tell
    finally:
        done.set()
        drawer.join()


def _draw(stages: Sequence[str], state: dict[str, str], done: threading.Event) -> None:
    if done.wait(1.0):
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(state["stage"], total=len(stages))
        while not done.wait(0.1):
            stage = state["stage"]
            bar.update(task, description=stage, completed=stages.index(stage) if stage in stages else 0)


def megabytes(count: int) -> str:
    """Bytes as MB (10^6) with one digit, as the tables print them."""
    return f"{count / 1e6:.1f}"


def table(rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> str:
    """Plain columns, the first row being the head; the columns in `right` are set flush right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)
