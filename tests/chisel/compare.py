"""A cut root and its manifest against the root that the plan means, name by name, every difference with its reason.

A difference without a reason is a failure. What is compared is all that a name has but its times: type, mode, owner,
content or target, hard links, extended attributes.
"""

from __future__ import annotations

import os
import re
import stat
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.chisel.cut import MANIFEST
from tests.integration.debianarchive import listing

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from tests.chisel.cut import Made

DATABASE = re.compile(r"/var/lib/dpkg(/.*)?")
_WALL = f"/{MANIFEST}"
_ASPECTS = ("mode", "owner", "owner", "device", "content", "hard link", "attributes")
_BY_CHISEL = "chisel writes its manifest"
_BY_PRUNER = "a package database of pruner's, where chisel has its manifest"
APPLICATION = "of the application, in no package"
ANEW = "made anew by finish.sh, for what is there"
FINISHED = "done by finish.sh, after the manifest was written"
PARENT = "a parent directory, made without an entry"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Difference:
    """One name that is not the same on both sides."""

    path: str
    what: str
    """`missing`, `surplus`, or the aspect that differs: `mode`, `owner`, `content`, …"""
    reason: str = ""
    """Why that is right; empty where nothing explains it."""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What explains differences."""

    application: Sequence[str]
    """Paths that no package brings, with all below them."""
    left: Mapping[str, str]
    """What `finish.sh` says it leaves to others: path to reason."""
    finished: Container[str] = ()
    """What `finish.sh` made or changed, which the manifest can't know of."""
    made: Container[str] = ()
    """What of that was not there before."""


def root_differences(planned: Path, cut: Path, known: Known) -> tuple[Difference, ...]:
    """How the root `cut` differs from the root `planned`."""
    return tuple(sorted(_root_differences(listing(planned, times=False), listing(cut, times=False), known)))


def _root_differences(
    planned: Mapping[str, tuple[object, ...]], found: Mapping[str, tuple[object, ...]], known: Known
) -> Iterator[Difference]:
    for path in planned.keys() | found.keys():
        if path not in found:
            yield Difference(path=path, what="missing", reason=_missing(path, known))
        elif path not in planned:
            reason = _BY_CHISEL if path == _WALL or _WALL.startswith(f"{path}/") else ""
            yield Difference(path=path, what="surplus", reason=reason)
        elif planned[path] != found[path]:
            yield _differing(path, planned[path], found[path], known)


def _differing(path: str, planned: tuple[object, ...], found: tuple[object, ...], known: Known) -> Difference:
    wrong = [(what, one, other) for what, one, other in zip(_ASPECTS, planned, found, strict=True) if one != other]
    names = " and ".join(dict.fromkeys(what for what, _, _ in wrong))
    detail = ", ".join(f"{_text(what, one)} planned, {_text(what, other)} found" for what, one, other in wrong)
    anew = ANEW if path in known.made and names == "content" else ""
    return Difference(path=path, what=names, reason=_missing(path, known) or anew, detail=detail)


def _text(what: str, value: object) -> str:
    return f"{value:o}" if what == "mode" else str(value)[:80]


def _missing(path: str, known: Known) -> str:
    if DATABASE.fullmatch(path):
        return _BY_PRUNER
    if path in known.left:
        return f"left by finish.sh: {known.left[path].partition(',')[0]}"
    if any(path == place or path.startswith(f"{place}/") for place in known.application):
        return APPLICATION
    return ""


def manifest_differences(planned: Path, manifest: Mapping[str, Made], known: Known) -> tuple[Difference, ...]:
    """How the paths that chisel says it has made differ from the root `planned`."""
    names = listing(planned, times=False)
    parents = {parent for path in manifest for parent in _parents(path)}
    found = []
    for path in sorted(names.keys() | manifest.keys()):
        if path not in names:
            found.append(Difference(path=path, what="surplus", reason=_BY_CHISEL if path == _WALL else ""))
        elif path not in manifest:
            # A directory is there without an entry where chisel made it for what lies below it.
            made = path in parents and stat.S_ISDIR(int(str(names[path][0])))
            reason = _missing(path, known) or _finished(path, known) or (PARENT if made else "")
            found.append(Difference(path=path, what="missing", reason=reason))
        elif wrong := _unlike(names[path], manifest[path]):
            reason = _missing(path, known) or _finished(path, known)
            found.append(Difference(path=path, what=wrong, reason=reason))
    return tuple(found)


def _finished(path: str, known: Known) -> str:
    return FINISHED if path in known.finished else ""


def _parents(path: str) -> Iterator[str]:
    while path != "/":
        path = os.path.dirname(path)
        yield path


def _unlike(planned: tuple[object, ...], made: Made) -> str:
    mode, content = int(str(planned[0])), planned[4]
    if stat.S_ISLNK(mode):
        return "" if made.link == content else "content"
    if stat.S_IMODE(mode) != made.mode:
        return "mode"
    return "content" if stat.S_ISREG(mode) and made.sha256 != content else ""


def explained(differences: Iterable[Difference]) -> list[tuple[str, int]]:
    """How many differences have which reason, the most frequent first."""
    return Counter(one.reason for one in differences if one.reason).most_common()


def unexplained(differences: Iterable[Difference]) -> list[Difference]:
    """The differences without a reason."""
    return [one for one in differences if not one.reason]
