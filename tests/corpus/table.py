"""Prunes every application of the corpus, runs what is left, and judges the result.

    python -m tests.corpus.table [--set corpus|drawn|redrawn] [--apps a,b] [--mode root|sbom] [--json FILE] [--keep DIR]

`drawn` and `redrawn` are the applications of `tests.corpus.pool`; the column `first` tells how their recorded first run ended.
`root` plans with the bytes of the fat root, `sbom` from syft's report alone. Prints a table with one
row an application, then the failures, then the checks; the exit code is 1 when a check fails. Sizes
are apparent sizes of regular files in MB (1e6 bytes), copyright files and package database apart.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packageurl import PackageURL

from tests.corpus.apps import APPS
from tests.corpus.checks import Check, checks, drawn_checks
from tests.corpus.drawn import DRAWS
from tests.corpus.limits import root_size, runtime_bytes
from tests.corpus.roots import FatRoot, cache_dir, fat_root, scan
from tests.corpus.row import Row
from tests.corpus.trial import left_over, smoke_trial

if TYPE_CHECKING:
    from tests.corpus.model import App

HERE = Path(__file__).resolve().parents[2]
WORKERS = 2
COLUMNS = ("app", "fat MB", "pruned MB", "meta MB", "files", "packages", "S3 MB", "ratio", "plan s", "run", "syft")
SETS = {"corpus": APPS, **{name: draw.apps for name, draw in DRAWS.items()}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """What planning and applying left: `plan` is plan.json, `root` the pruned root."""

    plan: dict[str, Any]
    root: Path
    seconds: float


class PrunerError(Exception):
    """`pruner plan` or `pruner apply` did not exit with 0; the message is what it said."""


def pruned_root(fat: FatRoot, mode: str, place: Path) -> Pruned:
    """Plan with the entry points that the application declares, and apply, into the empty directory `place`.

    Raises `PrunerError`.
    """
    output, root = place / "plan", place / "root"
    entries = [word for entry in fat.app.entries for word in ("--entry", entry)]
    evidence = ["--root", str(fat.root)] if mode == "root" else []
    started = time.monotonic()
    _pruner("plan", str(fat.sbom), *evidence, *entries, "--output", str(output))
    seconds = time.monotonic() - started
    _pruner("apply", str(output), "--root", str(fat.root), "--dest", str(root))
    return Pruned(plan=json.loads((output / "plan.json").read_bytes()), root=root, seconds=seconds)


def row(app: App, mode: str, place: Path) -> Row:
    """Everything that is measured of one application, in the empty directory `place`."""
    fat = fat_root(app)
    fat_size = root_size(fat.root)
    known: dict[str, Any] = {
        "app": app.name, "outside": app.outside, "s3_mb": app.s3_mb, "fat_bytes": fat_size.bytes + fat_size.metadata,
        "runtime_bytes": runtime_bytes(fat.root, fat.sbom, app.runtime) if app.runtime else None,
        "beyond_limit": app.beyond[1] if app.beyond else None,
    }  # fmt: skip
    try:
        pruned = pruned_root(fat, mode, place)
    except PrunerError as error:
        return Row(**known, failure=str(error))
    size = root_size(pruned.root)
    kept = [package for package in pruned.plan["packages"] if package["decision"] != "drop"]
    beyond = size.bytes - (pruned.root / app.beyond[0].lstrip("/")).stat().st_size if app.beyond else None
    return Row(
        **known,
        bytes=size.bytes, metadata_bytes=size.metadata, files=size.files, packages=len(kept),
        unevidenced=sum(package["reason"].startswith("no evidence") for package in kept),
        plan_seconds=pruned.seconds, beyond_bytes=beyond,
        failure=smoke_trial(fat, pruned.root).failure,
        differing=differing_packages(kept, pruned.root, place / "pruned.json"),
        left_over=left_over(app, pruned.root),
    )  # fmt: skip


def differing_packages(kept: list[dict[str, Any]], root: Path, report: Path) -> tuple[str, ...]:
    """What only the plan (`-`) or only syft's report of the pruned root (`+`) names, sorted."""
    scan(root, report)
    planned = {_identity(package["purl"]) for package in kept}
    seen = {
        _identity(artifact["purl"]) for artifact in json.loads(report.read_bytes())["artifacts"] if artifact["purl"]
    }
    return tuple(sorted([f"-{name}" for name in planned - seen] + [f"+{name}" for name in seen - planned]))


def _identity(purl: str) -> str:
    """Type, namespace, name, version and architecture of a package URL, in one canonical text."""
    parsed = PackageURL.from_string(purl)
    qualifiers = {name: value for name, value in dict(parsed.qualifiers).items() if name == "arch"}
    return PackageURL(parsed.type, parsed.namespace, parsed.name, parsed.version, qualifiers).to_string()


def _pruner(*words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pruner", *words],
        cwd=HERE,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise PrunerError(f"pruner {words[0]}: exit {done.returncode}: {(done.stderr or done.stdout)[-1500:].strip()}")


def rows(apps: list[App], mode: str, keep: Path | None) -> list[Row]:
    """The rows of several applications, two at a time; with `keep` their plans and roots stay below it."""

    def one(app: App) -> Row:
        if keep is not None:
            place = keep / app.name
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir(parents=True)
            return row(app, mode, place)
        with tempfile.TemporaryDirectory(dir=cache_dir(), prefix="run-") as temporary:
            return row(app, mode, Path(temporary))

    with ThreadPoolExecutor(max_workers=WORKERS) as pool:
        return list(pool.map(one, apps))


def rendered(found: list[Row], judged: list[Check]) -> str:
    """The table, the failures and the checks as plain text."""
    cells = [COLUMNS, *(_cells(item) for item in found)]
    if any(item.first for item in found):
        cells = [(*line, first) for line, first in zip(cells, ("first", *(item.first for item in found)), strict=True)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    lines = [
        "  ".join(
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in cells
    ]
    lines += [""]
    lines += [f"{item.app}: {_abridged(item.failure)}" for item in found if item.failure]
    lines += [f"{item.app}: not gone: {', '.join(item.left_over[:6])}" for item in found if item.left_over]
    lines += [
        f"{item.app}: plan and syft differ in {len(item.differing)}: {', '.join(item.differing[:6])}"
        for item in found
        if item.differing
    ]
    lines += ["", *(f"{check.verdict:4}  {check.text}" for check in judged)]
    return "\n".join(lines)


def _abridged(text: str) -> str:
    """`text` on one line with its middle left out: commands come first, and what failed comes last."""
    line = " ".join(text.split())
    return line if len(line) <= 700 else f"{line[:200]} [...] {line[-480:]}"


def _cells(item: Row) -> tuple[str, ...]:
    run = "F" if item.failure else "P"
    if not item.files:
        return (item.app, f"{item.fat_bytes / 1e6:.1f}", *["-"] * 7, run, "-")
    return (
        item.app, f"{item.fat_bytes / 1e6:.1f}", f"{item.bytes / 1e6:.1f}", f"{item.metadata_bytes / 1e6:.1f}",
        str(item.files), str(item.packages), f"{item.s3_mb:.1f}" if item.s3_mb else "-",
        f"{item.ratio:.2f}" if item.ratio else "-", f"{item.plan_seconds:.1f}", run, "F" if item.differing else "P",
    )  # fmt: skip


def main(words: list[str]) -> int:
    """Measure, print, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.corpus.table", description=__doc__.splitlines()[0])
    parser.add_argument("--set", choices=tuple(SETS), default="corpus", help="which applications")
    parser.add_argument("--apps", help="names, separated by commas; all when absent")
    parser.add_argument("--mode", choices=("root", "sbom"), default="root")
    parser.add_argument("--json", type=Path, help="also write rows and checks to this file")
    parser.add_argument("--keep", type=Path, help="leave plans and pruned roots below this directory")
    options = parser.parse_args(words)
    known = SETS[options.set]
    unknown = [name for name in (options.apps or "").split(",") if name and name not in known]
    if unknown:
        parser.error(f"no such application: {', '.join(unknown)}; there are {', '.join(known)}")
    apps = [known[name] for name in options.apps.split(",")] if options.apps else list(known.values())
    found = rows(apps, options.mode, options.keep)
    complete = len(apps) == len(known)
    if options.set in DRAWS:
        firsts = DRAWS[options.set].firsts
        found = [replace(item, first=firsts.get(item.app, "-")) for item in found]
        judged = drawn_checks(found, complete=complete)
    else:
        judged = checks(found, options.mode, complete=complete)
    print(rendered(found, judged))
    if options.json:
        document = {
            "mode": options.mode,
            "rows": [asdict(item) for item in found],
            "checks": [asdict(check) for check in judged],
        }
        options.json.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    return 1 if any(check.passed is False for check in judged) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
