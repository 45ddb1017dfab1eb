"""Small slice sources, written down file by file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pruner.model import FileType
from pruner.slices.types import Need, SliceSource, SourceFile


def file(path: str, package: str, **values: object) -> SourceFile:
    """A kept file that its package ships under its real path."""
    given = {"type": FileType.REGULAR, "mode": 0o644, "shipped": path, **values}
    return SourceFile(path=path, package=package, **given)  # type: ignore[arg-type]


def program(path: str, package: str, **values: object) -> SourceFile:
    return file(path, package, **{"mode": 0o755, "elf": True, "executable": True, **values})


def script(path: str, package: str, **values: object) -> SourceFile:
    return file(path, package, **{"mode": 0o755, "executable": True, **values})


def library(path: str, package: str, **values: object) -> SourceFile:
    return file(path, package, **{"elf": True, **values})


def link(path: str, package: str, target: str, **values: object) -> SourceFile:
    return file(path, package, **{"type": FileType.SYMLINK, "mode": 0o777, "target": target, **values})


def directory(path: str, package: str, **values: object) -> SourceFile:
    return file(path, package, **{"type": FileType.DIRECTORY, "mode": 0o755, **values})


def source(
    files: Iterable[SourceFile],
    needs: Mapping[str, Iterable[str | tuple[str, str] | tuple[str, str, str]]] | None = None,
    *,
    listed: Mapping[str, Iterable[str]] | None = None,
    **values: object,
) -> SliceSource:
    """`needs` by path: targets, with kind (`load` if not given) and evidence (`DT_NEEDED` if no kind is given)."""
    found = {one.path: one for one in files}
    names: dict[str, set[str]] = {one.package: set() for one in found.values()}
    for one in found.values():
        if one.shipped:
            names[one.package].add(one.shipped)
    for package, more in (listed or {}).items():
        names.setdefault(package, set()).update(more)
    made = {}
    for path, targets in (needs or {}).items():
        several = []
        for target in targets:
            if isinstance(target, str):
                several.append(Need(target, "load", "DT_NEEDED x"))
            else:
                several.append(Need(target[0], target[1], target[2] if len(target) > 2 else ""))
        made[path] = tuple(several)
    return SliceSource(
        distribution="debian",
        version="12",
        architecture="amd64",
        files=found,
        needs=made,
        listed={name: tuple(sorted(names[name])) for name in sorted(names)},
        **values,  # type: ignore[arg-type]
    )
