"""Wall time and peak memory of `pruner diff`, next to `syft convert` of the same: `python -m benchmarks.gate`.

Every figure is of a whole process, the median of several runs taken in turn. `syft convert` reads one SBOM and writes
it again, without comparing anything; it is the nearest work of a public tool. Nothing fails here.
"""

from __future__ import annotations

import sys
import tempfile
from multiprocessing import Process
from pathlib import Path

from benchmarks.gatedata import write_large_sbom
from benchmarks.plan import compare
from tests.corpus import apps, roots
from tests.support import syft

LIMITS = {"large": (4.0, 600.0), "ordinary": (1.2, 600.0)}
"""Seconds and MB (10^6 bytes)."""
_ORDINARY = ("nginx", "python")


def diff_command(before: Path, after: Path, *options: str) -> list[str]:
    """The command line that compares two sides."""
    return [sys.executable, "-m", "pruner", "diff", str(before), str(after), *options]


def convert_command(sbom: Path) -> list[str]:
    """The command line by which Syft reads an SBOM and writes it as it was."""
    return [syft(), "convert", "-q", str(sbom), "-o", "syft-json"]


def main() -> None:
    """Print one row for each pair."""
    head = ("pair", "MB", "diff s", "limit s", "peak MB", "limit MB", "convert s", "convert MB", "within")
    print("  ".join(f"{cell:>10}" for cell in head))
    with tempfile.TemporaryDirectory() as scratch:
        before, after = Path(scratch) / "before.json", Path(scratch) / "after.json"
        # In processes of their own: a child's peak memory counts from what its parent held when it was forked.
        for place, seed in ((before, 1), (after, 2)):
            maker = Process(target=write_large_sbom, args=(place,), kwargs={"seed": seed, "pruned": seed == 2})
            maker.start()
            maker.join()
        row("large", before, after)
        built = [roots.fat_root(apps.APPS[name]) for name in _ORDINARY]
        row("ordinary", built[0].sbom, built[1].sbom)
        row("roots", built[0].root, built[1].root)


def row(name: str, before: Path, after: Path) -> None:
    """Measure one pair and print its row."""
    commands = {"diff": diff_command(before, after)}
    if before.is_file():
        commands["convert"] = convert_command(before)
    found = compare(commands)
    seconds, memory = found["diff"]
    limits = LIMITS.get(name)
    within = "" if limits is None else "yes" if seconds <= limits[0] and memory <= limits[1] else "NO"
    size = before.stat().st_size / 1e6 if before.is_file() else None
    numbers = (size, seconds, *(limits or (None, None)), *found.get("convert", (None, None)))
    order = (numbers[0], numbers[1], numbers[2], memory, numbers[3], numbers[4], numbers[5])
    cells = ("-" if number is None else f"{number:.2f}" for number in order)
    print("  ".join([f"{name:>10}", *(f"{cell:>10}" for cell in cells), f"{within:>10}"]), flush=True)


if __name__ == "__main__":
    main()
