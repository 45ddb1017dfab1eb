"""Wall time and peak memory of `pruner diff` and `pruner gate`, next to `syft convert`: `python -m benchmarks.gate`.

Every figure is of a whole process, the median of several runs taken in turn. `syft convert` reads each of the two SBOMs
and writes it again, without comparing anything; it is the nearest work of a public tool. Nothing fails here.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from multiprocessing import Process
from pathlib import Path

from benchmarks.gatedata import write_large_sbom
from benchmarks.plan import compare
from tests.corpus import apps, roots
from tests.support import syft

LIMITS = {"large diff": (4.0, 600.0), "gate": (1.2, None)}
"""Seconds and MB (10^6 bytes)."""
_ORDINARY = ("nginx", "python")
"""Images of some 11,000 files."""
_HEAD = ("pair", "MB", "pruner s", "limit s", "peak MB", "limit MB", "convert s", "convert MB", "ratio", "within")


def pruner_command(*words: str | Path) -> list[str]:
    """A command line of pruner."""
    return [sys.executable, "-m", "pruner", *map(str, words)]


def convert_command(*sboms: Path) -> list[str]:
    """The command line by which Syft reads SBOMs, one after the other, and writes each as it was."""
    script = 'syft=$1; shift; for sbom; do "$syft" convert -q "$sbom" -o syft-json; done'
    return ["sh", "-c", script, "sh", syft(), *map(str, sboms)]


def main() -> None:
    """Print one row for each pair."""
    print("  ".join(f"{cell:>10}" for cell in _HEAD))
    with tempfile.TemporaryDirectory() as scratch:
        before, after = Path(scratch) / "before.json", Path(scratch) / "after.json"
        # In processes of their own: a child's peak memory counts from what its parent held when it was forked.
        for place, seed in ((before, 1), (after, 2)):
            maker = Process(target=write_large_sbom, args=(place,), kwargs={"seed": seed, "pruned": seed == 2})
            maker.start()
            maker.join()
        row("large diff", pruner_command("diff", before, after), before, after)
        one, other = (roots.fat_root(apps.APPS[name]) for name in _ORDINARY)
        row("diff", pruner_command("diff", one.sbom, other.sbom), one.sbom, other.sbom)
        policy = Path(scratch) / "policy.yaml"
        with policy.open("wb") as stream:
            subprocess.run(pruner_command("policy", "init", other.sbom), check=True, stdout=stream)
        gate = pruner_command("gate", one.sbom, other.sbom, "--policy", policy)
        row("gate", gate, one.sbom, other.sbom)
        row("diff roots", pruner_command("diff", one.root, other.root))


def row(name: str, command: list[str], *sboms: Path) -> None:
    """Measure `command`, next to reading and writing `sboms` by Syft, and print a row."""
    commands = {"pruner": command} | ({"convert": convert_command(*sboms)} if sboms else {})
    found = compare(commands)
    seconds, memory = found["pruner"]
    convert = found.get("convert")
    allowed, most = LIMITS.get(name, (None, None))
    within = "" if allowed is None else "yes" if seconds <= allowed and memory <= (most or memory) else "NO"
    size = sum(sbom.stat().st_size for sbom in sboms) / 1e6 if sboms else None
    ratio = seconds / convert[0] if convert else None
    numbers = (size, seconds, allowed, memory, most, *(convert or (None, None)), ratio)
    cells = ("-" if number is None else f"{number:.2f}" for number in numbers)
    print("  ".join([f"{name:>10}", *(f"{cell:>10}" for cell in cells), f"{within:>10}"]), flush=True)


if __name__ == "__main__":
    main()
