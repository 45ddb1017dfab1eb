"""Writing into a directory that may hold a release: every file whole or not at all, and only where it changes."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from pruner.errors import EnvironmentFault, InputError, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pruner.emit.artifact import Artifact


def store(directory: Path, artifacts: Sequence[Artifact], *, remove: Sequence[str] = ()) -> tuple[str, ...]:
    """Write `artifacts` below `directory`, which is made where it is missing; returns the paths that changed.

    Then the files `remove` below it are removed.

    A file that holds the same bytes is not touched, other files are left alone. All new contents are written to files
    of their own before the first one is replaced, so that a full or read-only disk changes nothing; that they outlast
    a crash of the machine is not waited for. Links below `directory` are not followed. Raises `InputError` where a
    name leads out of `directory` or a file is in the place of a directory, and `EnvironmentFault` where something
    can't be written, such as a file where a directory is.
    """
    for name in (*(artifact.path for artifact in artifacts), *remove):
        _check_below(name)
    base = Path(os.path.realpath(directory))
    made: list[Path] = []
    fresh: list[tuple[Path, Path]] = []
    changed = []
    replaced = 0
    try:
        _make(base, made)
        for artifact in artifacts:
            path = base / artifact.path
            _make_below(base, path.parent, made, shown=directory)
            if not _same(path, artifact):
                fresh.append((_written(path, artifact), path))
                changed.append(artifact.path)
        for new, path in fresh:
            new.replace(path)
            replaced += 1
        for name in remove:
            (base / name).unlink(missing_ok=True)
            changed.append(name)
    except OSError as error:
        _forget(fresh[replaced:], made)
        raise EnvironmentFault(
            f"{printable(str(directory))} can't be written: {(error.strerror or str(error)).lower()}",
            hint="run it again, only a part was written" if replaced else "nothing of it was changed",
        ) from error
    except BaseException:
        _forget(fresh[replaced:], made)
        raise
    return tuple(changed)


def _check_below(name: str) -> None:
    """Raise `InputError` unless `name` stays below the directory that it is joined to."""
    if not {"", ".", ".."}.isdisjoint(name.split("/")) or "\0" in name:
        hint = "a name in what was given is not one of a package or a slice definition file"
        raise InputError(f"'{printable(name)}' is no clean path below the output directory", hint=hint)


def _make(directory: Path, made: list[Path]) -> None:
    missing = []
    while not directory.exists():
        missing.append(directory)
        directory = directory.parent
    for path in reversed(missing):
        path.mkdir()
        made.append(path)


def _make_below(base: Path, directory: Path, made: list[Path], *, shown: Path) -> None:
    """Make `directory` and check that no component below `base` is a link, which may lead anywhere."""
    place = base
    for part in ("", *directory.relative_to(base).parts):
        place /= part
        if place != base and place.is_symlink():
            raise InputError(
                f"{printable(str(shown / place.relative_to(base)))} is a link", hint="put a directory there"
            )
        if not place.exists():
            place.mkdir()
            made.append(place)
        elif not place.is_dir():
            raise InputError(
                f"{printable(str(shown / place.relative_to(base)))} is not a directory",
                hint="move it away, or choose another --output",
            )


def _same(path: Path, artifact: Artifact) -> bool:
    """Whether a regular file holds just these bytes, and may be executed if it is to be.

    Raises `IsADirectoryError`.
    """
    try:
        status = path.lstat()
    except FileNotFoundError:
        return False
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, f"{path.name} is a directory")
    if not stat.S_ISREG(status.st_mode) or status.st_size != len(artifact.data):
        return False
    return bool(status.st_mode & 0o100) == bool(artifact.mode & 0o100) and path.read_bytes() == artifact.data


def _written(path: Path, artifact: Artifact) -> Path:
    """A new file beside `path`, with the mode of a file that is there."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(artifact.data)
        mode = artifact.mode
        if path.is_file() and not path.is_symlink() and not mode & 0o100:
            mode = stat.S_IMODE(path.stat().st_mode)
        Path(name).chmod(mode)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
    return Path(name)


def _forget(fresh: Sequence[tuple[Path, Path]], made: Sequence[Path]) -> None:
    """Take away what was written and has not replaced anything yet."""
    with contextlib.suppress(OSError):
        for new, _ in fresh:
            new.unlink(missing_ok=True)
    for path in reversed(made):
        with contextlib.suppress(OSError):
            path.rmdir()
