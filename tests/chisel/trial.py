"""One application: planned, its slices generated, cut by chisel, compared with the plan, and run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pruner.slices.source import source_of_directory
from tests.chisel.alone import Alone, cut_alone, drawn, slices_of
from tests.chisel.apps import APPLICATION_FILES, APPS, LOCAL_FILES
from tests.chisel.archive import Archive, served
from tests.chisel.compare import Difference, Known, manifest_differences, root_differences
from tests.chisel.cut import Cut, cut, manifest
from tests.chisel.debs import debs_of
from tests.chisel.libraries import lacking
from tests.corpus.table import Pruned, pruned_root
from tests.corpus.trial import smoke_trial
from tests.integration.debianarchive import listing
from tests.support import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.corpus.roots import FatRoot

_LEFT = re.compile(r"^finish\.sh: left to do: (?P<path>.*?): (?P<why>.*)$", re.MULTILINE)
_OCTAL = re.compile(r"\\0([0-7]{3})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of one application."""

    name: str
    packages: int = 0
    slices: int = 0
    paths: int = 0
    plan_seconds: float = 0
    generate_seconds: float = 0
    generate_cpu_seconds: float = 0
    cut_seconds: float = 0
    failure: str = ""
    """Why the application was not generated, not cut, or does not run; empty when it does."""
    differences: tuple[Difference, ...] = ()
    manifest: tuple[Difference, ...] = ()
    laid_over: tuple[str, ...] = ()
    """What was put into the cut root before the application was run: its own files and what finish.sh leaves."""
    alone: Alone = field(default_factory=lambda: Alone(slices=0, cut=0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Took:
    """How long a command took, in seconds: by the clock, and of processors."""

    wall: float
    processor: float


class Refused(Exception):
    """Something that should have worked did not; the message says what."""


def trial(name: str, place: Path, *, alone: int | None) -> Result:
    """Everything that is measured of one application, in the empty directory `place`.

    `alone` is how many slices are cut on their own, drawn by a fixed seed; None for all.
    """
    fat, debs = debs_of(APPS[name])
    planned = pruned_root(fat, "root", place)
    (place / "archive").mkdir()
    with served(debs, place / "archive") as archive:
        try:
            took = generated(place / "plan", place / "release", archive)
        except Refused as error:
            return Result(name=name, failure=str(error), plan_seconds=planned.seconds)
        slices = slices_of(place / "release")
        done = cut(archive, place / "release", (place / "release/cut.txt").read_text().split(), place / "cut")
        result = judged(name, fat, planned, done, place)
        return Result(
            **{
                **result,
                "packages": len({one.partition("_")[0] for one in slices}),
                "slices": len(slices),
                "plan_seconds": planned.seconds,
                "generate_seconds": took.wall,
                "generate_cpu_seconds": took.processor,
                "cut_seconds": done.seconds,
                "alone": cut_alone(
                    archive,
                    place / "release",
                    drawn(slices, alone),
                    place / "alone",
                    len(slices),
                    unstarted(planned, place / "plan"),
                ),
            }
        )


def generated(plan: Path, release: Path, archive: Archive) -> Took:
    """Write the release of a plan. Raises `Refused`."""
    return pruner("slices", plan, "-o", release, "--archive-key", archive.key)


def pruner(*words: object) -> Took:
    """Run the command line. Raises `Refused`."""
    started, before = time.monotonic(), os.times()
    done = subprocess.run(
        [sys.executable, "-m", "pruner", *map(str, words)],
        cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise Refused(f"pruner {words[0]}: exit {done.returncode}: {(done.stderr or done.stdout)[-800:].strip()}")
    after = os.times()
    processor = after.children_user + after.children_system - before.children_user - before.children_system
    return Took(wall=time.monotonic() - started, processor=processor)


def unstarted(planned: Pruned, plan: Path) -> frozenset[str]:
    """What need not start alone: what can't in the planned root either, and scripts that the plan keeps without running
    them, of which it does not say what they would be started with.
    """
    files = source_of_directory(plan).files
    scripts = {path for path, file in files.items() if not file.active and not file.elf}
    return frozenset(lacking(planned.root).keys() | scripts)


def judged(name: str, fat: FatRoot, planned: Pruned, done: Cut, place: Path) -> dict[str, object]:
    """Compare the cut root with the planned one and run the application in it."""
    base: dict[str, object] = {"name": name, "paths": len(list(planned.root.rglob("*")))}
    if done.failure:
        return {**base, "failure": f"chisel: {done.failure}"}
    rows, before = manifest(done.root), listing(done.root, times=False)
    try:
        left = finished(place / "release", done.root)
    except Refused as error:
        return {**base, "failure": str(error)}
    after = listing(done.root, times=False)
    known = Known(
        application=(*APPLICATION_FILES.get(name, ()), *LOCAL_FILES),
        left=left,
        finished={path for path in after if after[path] != before.get(path)},
        made=after.keys() - before.keys(),
    )
    differences = root_differences(planned.root, done.root, known)
    base |= {"differences": differences, "manifest": manifest_differences(planned.root, rows, known)}
    over = tuple(sorted({one.path for one in differences if one.path in left or is_below(one.path, known.application)}))
    for path in over:
        lay_over(planned.root, done.root, path)
    return {**base, "laid_over": over, "failure": smoke_trial(fat, done.root).failure}


def finished(release: Path, root: Path) -> Mapping[str, str]:
    """Run the release's `finish.sh` on a cut root; what it leaves to others, with its reasons. Raises `Refused`."""
    script = release / "finish.sh"
    if not script.exists():
        return {}
    done = subprocess.run([script, root], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode not in {0, 3}:
        raise Refused(f"finish.sh: exit {done.returncode}: {done.stderr[-500:]}")
    return {unescaped(match["path"]): match["why"] for match in _LEFT.finditer(done.stderr)}


def unescaped(word: str) -> str:
    """A path as `finish.sh` prints it, with octal escapes for unusual bytes."""
    return os.fsdecode(_OCTAL.sub(lambda match: chr(int(match[1], 8)), word).encode("latin-1"))


def is_below(path: str, places: Sequence[str]) -> bool:
    """Whether `path` is one of `places` or below one."""
    return any(path == place or path.startswith(f"{place}/") for place in places)


def lay_over(source: Path, target: Path, path: str) -> None:
    """Copy one name with all its attributes, and its parents where they are missing."""
    origin, copy = source / path.lstrip("/"), target / path.lstrip("/")
    if origin.is_dir() and not origin.is_symlink():
        copy.mkdir(parents=True, exist_ok=True)
        shutil.copystat(origin, copy)
        os.chown(copy, origin.stat().st_uid, origin.stat().st_gid)
        return
    copy.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "--archive", "--remove-destination", "--no-target-directory", origin, copy], check=True)
