"""Slices cut on their own: whether chisel takes each, and whether what it brings can be started."""

from __future__ import annotations

import random
import re
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from tests.chisel.cut import cut
from tests.chisel.libraries import lacking

if TYPE_CHECKING:
    from collections.abc import Container, Sequence
    from pathlib import Path

    from tests.chisel.archive import Archive

SEED = 20240701
_SLICE = re.compile(r"  ([a-z0-9-]+):.*")
_WITHOUT = re.compile(r"Without (\S+_\S+), which")


@dataclass(frozen=True, slots=True, kw_only=True)
class Alone:
    """Slices cut on their own."""

    slices: int
    cut: int
    refused: tuple[str, ...] = ()
    """`SLICE: REASON` of those that chisel did not cut."""
    lacking: tuple[str, ...] = ()
    """`SLICE: FILE: WHAT` of programs and libraries that come without what they are started with."""
    looped: int = 0
    """Slices that lack it because they stand in a loop, which chisel refuses: a comment names what to cut with them."""
    seconds: float = 0


def slices_of(release: Path) -> tuple[str, ...]:
    """The full names of all slices of a release directory, sorted."""
    files = sorted((release / "slices").glob("*.yaml"))
    documents = [loaded(file.read_bytes()) for file in files]
    return tuple(sorted(f"{one['package']}_{name}" for one in documents for name in one["slices"]))


def drawn(slices: Sequence[str], count: int | None) -> tuple[str, ...]:
    """`count` of `slices`, the same ones every time, or all of them."""
    if count is None or count >= len(slices):
        return tuple(slices)
    return tuple(sorted(random.Random(SEED).sample(list(slices), count)))


def cut_alone(
    archive: Archive, release: Path, slices: Sequence[str], place: Path, known: int, excused: Container[str]
) -> Alone:
    """Cut each of `slices` into a root of its own, where programs and libraries must find what they are started with.

    `excused` are files of which that is not expected.
    """
    started = time.monotonic()
    companions = companions_of(release)

    def tried(names: tuple[str, ...]) -> tuple[str, dict[str, str]]:
        done = cut(archive, release, names, place / "+".join(names[:2]))
        found = {} if done.failure else lacking(done.root)
        shutil.rmtree(done.root, ignore_errors=True)
        return done.failure, {path: what for path, what in found.items() if path not in excused}

    def one(name: str) -> tuple[str, dict[str, str], bool]:
        failure, missing = tried((name,))
        if missing and companions[name] and tried((name, *sorted(companions[name]))) == ("", {}):
            return failure, {}, True
        return failure, missing, False

    with ThreadPoolExecutor(max_workers=2) as pool:
        results = dict(zip(slices, pool.map(one, slices), strict=True))
    return Alone(
        slices=known,
        cut=len(slices),
        refused=tuple(f"{name}: {failure}" for name, (failure, _, _) in results.items() if failure),
        lacking=tuple(
            f"{name}: {path}: {what}" for name, (_, missing, _) in results.items() for path, what in missing.items()
        ),
        looped=sum(looped for _, _, looped in results.values()),
        seconds=time.monotonic() - started,
    )


def companions_of(release: Path) -> dict[str, set[str]]:
    """For every slice, what comments of it and of its essentials say they do without for a loop's sake."""
    needs: dict[str, set[str]] = {}
    without: dict[str, set[str]] = {}
    for file in sorted((release / "slices").glob("*.yaml")):
        text = file.read_text()
        document = loaded(text)
        common = set(document.get("essential") or ())
        comment: list[str] = []
        for line in text.splitlines():
            if line.startswith("  #"):
                comment.append(line.strip(" #"))
            else:
                head = _SLICE.fullmatch(line)
                if head:
                    without[f"{document['package']}_{head[1]}"] = set(_WITHOUT.findall(" ".join(comment)))
                comment = []
        for name, body in document["slices"].items():
            needs[f"{document['package']}_{name}"] = common | set((body or {}).get("essential") or ())
    found = {}
    for name in needs:
        todo, seen = [name], {name}
        while todo:
            fresh = needs[todo.pop()] - seen
            seen |= fresh
            todo += fresh
        found[name] = {other for one in seen for other in without.get(one, ())}
    return found


def loaded(text: str | bytes) -> dict[str, Any]:
    """A slice definition file as plain values."""
    document: dict[str, Any] = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return document
