"""Materialises a plan: a pruned root in a directory, or in a tar.

apply(plan, root, Path("pruned"), force=False)
apply_tar(plan, root, Path("pruned.tar"))
"""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pruner.apply.archive import write_tar
from pruner.apply.directory import DirectoryWriter
from pruner.apply.partial import partial_sibling
from pruner.apply.source import Source
from pruner.errors import EnvironmentFault, InputError, UsageError
from pruner.model import FileType

if TYPE_CHECKING:
    from pruner.plan.types import Plan
    from pruner.rootfs import Root

__all__ = ["Applied", "apply", "apply_tar"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What was written."""

    files: int
    """Names that are not directories."""
    bytes: int
    """Regular files, hard links counted once."""
    unverified: tuple[str, ...] = ()
    """Files from the root for which the SBOM states no digest, so that only type and size were compared."""
    losses: tuple[str, ...] = ()
    """What the destination can't hold or this user may not write, one lowercase sentence each."""


def apply(plan: Plan, root: Root, destination: Path, *, force: bool) -> Applied:
    """Write the pruned root into `destination`, which is missing or empty, or is replaced as a whole with `force`.

    Written beside it and renamed, so that it is there completely or as before. Owners, modes, times, hard links and
    extended attributes are those of the plan and the root, as far as this user may set them (`Applied.losses`).
    Raises `UsageError` for a destination that can't be replaced, `InputError` where plan and root differ, and
    `EnvironmentFault` where the file system does not let this user write.
    """
    final = Path(os.path.realpath(destination))
    _check_destination(final, root, force=force)
    source = Source(plan, root, epoch=_epoch())
    try:
        with partial_sibling(final) as partial:
            partial.mkdir(mode=0o700)
            writer = DirectoryWriter(partial)
            writer.write(source)
            _finish_top(partial, source)
            _replace(partial, final, force=force)
    except OSError as error:
        raise _fault(error, final) from None
    return _applied(source, writer.losses)


def apply_tar(plan: Plan, root: Root, target: Path) -> Applied:
    """Write the pruned root as a tar to `target`, replacing a file of that name.

    Reproducible: the same plan and root give the same bytes; times are those of the root, made files get
    SOURCE_DATE_EPOCH or 0, and nothing is later than SOURCE_DATE_EPOCH where that is set. Owners and devices come from
    the plan, whoever writes. Raises as `apply` does.
    """
    final = Path(os.path.realpath(target))
    if os.path.lexists(final) and not final.is_file():
        raise UsageError(f"{target}: is not a regular file", hint="name a file for the tar")
    _check_apart(final, root)
    source = Source(plan, root, epoch=_epoch())
    try:
        with partial_sibling(final) as partial:
            losses = write_tar(source, partial)
            partial.replace(final)
    except OSError as error:
        raise _fault(error, final) from None
    return _applied(source, losses)


def _applied(source: Source, losses: tuple[str, ...]) -> Applied:
    regular = [item for item in source.items if item.type is FileType.REGULAR and item.link is None]
    return Applied(
        files=sum(item.type is not FileType.DIRECTORY for item in source.items),
        bytes=sum(item.size for item in regular),
        unverified=tuple(item.path for item in regular if item.made is None and not item.digests),
        losses=losses,
    )


def _check_destination(final: Path, root: Root, *, force: bool) -> None:
    _check_apart(final, root)
    if not os.path.lexists(final):
        return
    if not final.is_dir():
        raise UsageError(f"{final}: is not a directory")
    if not any(final.iterdir()):
        return
    if not force:
        raise UsageError(f"{final}: is not empty", hint="choose another destination, or replace all of it by --force")
    for precious in (os.curdir, os.environ.get("HOME", "/"), root.name):
        if Path(os.path.realpath(precious)).is_relative_to(final):
            raise UsageError(
                f"{final}: holds {os.path.realpath(precious)}, so it is not replaced", hint="choose another destination"
            )


def _check_apart(final: Path, root: Root) -> None:
    """Raise `UsageError` for a destination that is the fat root or lies in it, or in no directory."""
    fat = Path(os.path.realpath(root.name))
    # Everything lies in the root of a running system: who prunes that has named it.
    if final != fat and fat != Path("/") and final.is_relative_to(fat):
        raise UsageError(f"{final}: lies in the root that it is made from", hint="choose another destination")
    if final == fat and not final.is_dir():
        raise UsageError(f"{final}: is the root that it is made from", hint="choose another destination")
    if not final.parent.is_dir():
        raise UsageError(f"{final.parent}: no such directory", hint="make it first")


def _finish_top(partial: Path, source: Source) -> None:
    """The root directory itself; plans hold no line for it."""
    times = [item.modified for item in source.items]
    os.utime(partial, (max(times, default=0),) * 2)
    partial.chmod(0o755)


def _replace(partial: Path, final: Path, *, force: bool) -> None:
    """Rename into place; the old destination goes away only after the new one is there."""
    if not (force and final.exists()):
        partial.replace(final)  # rename(2) takes the place of an empty directory, and of no other
        return
    with partial_sibling(final) as old:
        try:
            final.replace(old)
            partial.replace(final)
        except BaseException:
            if old.exists() and not final.exists():
                old.replace(final)
            raise


def _epoch() -> int | None:
    """SOURCE_DATE_EPOCH in seconds, where it is set; reproducible-builds.org's specification."""
    text = os.environ.get("SOURCE_DATE_EPOCH")
    if not text:
        return None
    if not text.isascii() or not text.isdecimal():
        raise UsageError(f"SOURCE_DATE_EPOCH: {text} is not a number of seconds")
    return int(text)


def _fault(error: OSError, final: Path) -> InputError | EnvironmentFault:
    what = f"{error.filename}: " if error.filename is not None else f"{final}: "
    reason = (error.strerror or str(error)).lower()
    if error.errno in {errno.ENAMETOOLONG, errno.ELOOP, errno.EILSEQ}:
        return InputError(f"{what}{reason}", hint="the plan holds a name that the destination can't")
    return EnvironmentFault(f"{what}{reason}", hint="nothing was changed; check space and permissions")
