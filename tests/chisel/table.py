"""Generates slices of applications, cuts them with the real chisel, runs what is cut, and judges the result.

    python -m tests.chisel.table [APP…] [--alone N|all] [--keep DIR] [--json FILE]

Prints one row an application, how its cut root and chisel's manifest differ from the plan and why, what failed, and the
checks; the exit code is 1 when a check fails. `--alone` says how many slices of each application are cut on their own,
drawn by a fixed seed; with `all`, times are judged, too. Times are wall time in seconds; chisel's are with packages
compressed by zstd, as Ubuntu's are.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.chisel.alone import slices_of
from tests.chisel.apps import APPS
from tests.chisel.compare import explained, unexplained
from tests.chisel.debs import debs_of, installed
from tests.chisel.trial import Refused, Result, Took, pruner, trial
from tests.corpus.checks import Check
from tests.corpus.roots import cache_dir
from tests.support import chisel

if TYPE_CHECKING:
    from collections.abc import Sequence

LIMIT = 5.0
"""Seconds that generating may take."""
COLUMNS = ("app", "packages", "slices", "paths", "plan s", "generate s", "cut s", "run", "differ", "unexplained",
           "alone", "accepted", "complete", "in loops", "alone s")  # fmt: skip


def whole_root(place: Path) -> tuple[int, int, Took]:
    """Packages, slices and time of a release of all packages of the largest fat root."""
    fat = max((debs_of(app)[0] for app in APPS.values()), key=lambda fat: len(installed(fat.root)))
    names = [package.name for package in installed(fat.root)]
    words = [word for name in names for word in ("--package", name)]
    took = pruner("slices", *words, "--root", fat.root, "-o", place / "whole")
    return len(names), len(slices_of(place / "whole")), took


def checks(
    results: Sequence[Result], whole: tuple[int, int, Took] | str, *, complete: bool, timed: bool
) -> list[Check]:
    """What is promised of generated slices, as predicates over the results; times are judged where they are `timed`."""
    cut = sum(result.alone.cut for result in results)
    refused = sum(len(result.alone.refused) for result in results)
    lacking = sum(len(result.alone.lacking) for result in results)
    generated = sum(result.slices for result in results)
    running = [result.name for result in results if not result.failure]
    rest = sum(len(unexplained((*result.differences, *result.manifest))) for result in results)
    slowest = max(results, key=lambda result: result.generate_seconds)
    said = whole if isinstance(whole, str) else _whole(whole)
    return [
        Check(
            text=f"slices cut alone and accepted, {cut} of {generated} tried: {_share(cut - refused, cut)}",
            passed=not refused and cut > 0,
        ),
        Check(
            text=f"programs and libraries of slices cut alone that lack libraries or interpreters: {lacking}",
            passed=not lacking and cut > 0,
        ),
        Check(
            text=f"applications cut and running: {len(running)} of {len(results)}", passed=len(running) == len(results)
        ),
        Check(text=f"differences from the plan that nothing explains: {rest}", passed=not rest and bool(running)),
        Check(
            text=f"generating takes at most {LIMIT:.0f} s; longest: {slowest.name}, {slowest.generate_seconds:.1f} s "
            f"({slowest.generate_cpu_seconds:.1f} s of a processor), "
            f"and chisel takes {slowest.cut_seconds:.1f} s to cut it",
            passed=slowest.generate_seconds <= LIMIT if timed else None,
        ),
        Check(
            text=f"a whole fat root within {LIMIT:.0f} s: {said}",
            passed=_is_quick(whole, timed=timed) if complete else None,
        ),
    ]


def _is_quick(whole: tuple[int, int, Took] | str, *, timed: bool) -> bool | None:
    if isinstance(whole, str):
        return False
    return whole[2].wall <= LIMIT if timed else None


def _whole(whole: tuple[int, int, Took]) -> str:
    packages, slices, took = whole
    return f"{packages} packages, {slices} slices in {took.wall:.1f} s ({took.processor:.1f} s of a processor)"


def _share(part: int, whole: int) -> str:
    return f"{part} of {whole}, {part / whole:.1%}" if whole else "none"


def rendered(results: Sequence[Result], judged: Sequence[Check]) -> str:
    """The table, the differences, the failures and the checks as plain text."""
    cells = [COLUMNS, *(_cells(result) for result in results)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(COLUMNS))]
    lines = [
        "  ".join(cell.ljust(width) if not column else cell.rjust(width)
                  for column, (cell, width) in enumerate(zip(line, widths, strict=True)))
        for line in cells
    ]  # fmt: skip
    for title, pick in (("cut root", "differences"), ("manifest", "manifest")):
        lines += ["", f"{title} and plan differ:"]
        for result in results:
            lines += [f"  {result.name}: {count} {reason}" for reason, count in explained(getattr(result, pick))]
            rest = unexplained(getattr(result, pick))
            lines += [f"  {result.name}: UNEXPLAINED {one.what} {one.path} {one.detail}" for one in rest[:12]]
            lines += [f"  {result.name}: … and {len(rest) - 12} more"] if len(rest) > 12 else []
    lines.append("")
    for result in results:
        lines += [f"{result.name}: {' '.join(result.failure.split())[:700]}"] if result.failure else []
        lines += [f"{result.name}: alone: {said[:300]}" for said in (*result.alone.refused, *result.alone.lacking)[:12]]
    lines += ["", *(f"{check.verdict:4}  {check.text}" for check in judged)]
    return "\n".join(lines)


def _cells(result: Result) -> tuple[str, ...]:
    both = (*result.differences, *result.manifest)
    alone = result.alone
    return (
        result.name, str(result.packages), str(result.slices), str(result.paths), f"{result.plan_seconds:.1f}",
        f"{result.generate_seconds:.1f}", f"{result.cut_seconds:.1f}", "F" if result.failure else "P", str(len(both)),
        str(len(unexplained(both))), str(alone.cut), str(alone.cut - len(alone.refused)),
        str(alone.cut - len(alone.refused) - len({said.partition(":")[0] for said in alone.lacking})),
        str(alone.looped), f"{alone.seconds:.0f}",
    )  # fmt: skip


def main(words: list[str]) -> int:
    """Measure, print, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.chisel.table", description=__doc__.splitlines()[0])
    parser.add_argument("apps", nargs="*", metavar="APP", help=f"of {', '.join(APPS)}; all when absent")
    parser.add_argument("--alone", default="20", help="slices of each application to cut on their own, or `all`")
    parser.add_argument("--json", type=Path, help="also write results and checks to this file")
    parser.add_argument("--keep", type=Path, help="leave plans, releases and cut roots below this directory")
    options = parser.parse_args(words)
    if unknown := [name for name in options.apps if name not in APPS]:
        parser.error(f"no such application: {', '.join(unknown)}; there are {', '.join(APPS)}")
    try:
        chisel()
    except (pytest.skip.Exception, pytest.fail.Exception) as absent:
        parser.exit(4, f"{absent}: .ci/get-chisel builds it\n")
    alone = None if options.alone == "all" else int(options.alone)
    with tempfile.TemporaryDirectory(dir=cache_dir(), prefix="chisel-") as temporary:
        home = options.keep or Path(temporary)
        results = []
        for name in options.apps or APPS:
            place = home / name
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir(parents=True)
            results.append(trial(name, place, alone=alone))
            print(f"{name}: {'F' if results[-1].failure else 'P'}", file=sys.stderr, flush=True)
        whole: tuple[int, int, Took] | str = "not tried"
        if not options.apps:
            shutil.rmtree(home / "whole", ignore_errors=True)
            try:
                whole = whole_root(home)
            except Refused as error:
                whole = str(error)
    judged = checks(results, whole, complete=not options.apps, timed=alone is None)
    print(rendered(results, judged))
    if options.json:
        document = {"results": [asdict(one) for one in results], "checks": [asdict(one) for one in judged]}
        options.json.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    return 1 if any(check.passed is False for check in judged) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
