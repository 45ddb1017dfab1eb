"""`pruner select` over a Debian archive next to aspcud and apt: `python -m benchmarks.select [NAMES…] [--random N]`.

For every root, in one run and one after the other: the process with `Packages.xz` as its input, the optimum by an
independent encoding and solver (dose-ceve, aspcud), and `apt-get -s install` with its package cache deleted. Roots
drawn by chance are the same in every run over the same index. The bars that the project sets itself are printed at the
end, and the exit status is 1 when one of them does not hold; a time counts as the least of a few runs, since other
work on the machine only ever adds to it.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from pruner.read.packageindex import PackageIndex, read_index
from pruner.relations.universe import Universe
from pruner.select import SelectRequest, select
from tests.peers import debian

ROOTS = (
    "python3",
    "nginx",
    "redis-server",
    "postgresql",
    "openjdk-17-jre-headless",
    "nodejs",
    "php-fpm",
    "gimp",
    "libreoffice",
    "kde-full",
    "gnome",
)
SEED = 20261122
LIMIT_SECONDS = 3.0
LIMIT_MEGABYTES = 150
LIMIT_SOLVER_SECONDS = 0.5
RUNS = 3
"""At most, while a run is over a limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What one root came to; sizes in KiB, None where there is no answer."""

    name: str
    ours: int | None
    oracle: int | None
    apt: int | None
    status: str
    seconds: float
    megabytes: float
    solver_seconds: float
    apt_seconds: float
    oracle_seconds: float

    @property
    def within(self) -> bool:
        """The process and the solver hold their limits."""
        return (
            self.seconds <= LIMIT_SECONDS
            and self.megabytes <= LIMIT_MEGABYTES
            and self.solver_seconds < LIMIT_SOLVER_SECONDS
        )

    @property
    def ratio(self) -> float:
        """Our time as a multiple of apt's."""
        return self.seconds / self.apt_seconds


_LAUNCHER = """
import json, os, subprocess, sys, time
begin = time.perf_counter()
with open(sys.argv[1], "wb") as shown:
    running = subprocess.Popen(sys.argv[2:], stdout=shown, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(running.pid, 0)
print(json.dumps([os.waitstatus_to_exitcode(status), time.perf_counter() - begin, usage.ru_maxrss * 1024 / 1e6]))
"""
"""Starts a command from a small process: a peak counts from the fork on, and this one holds what the oracle needs."""


def process(archive: debian.Archive, name: str) -> tuple[dict[str, object], float, float]:
    """The document that `pruner select` prints, its wall seconds and peak memory in MB (10^6 bytes)."""
    options = ["--json", "--relations", archive.compressed, f"--entry=deb:{name}"]
    command = [sys.executable, "-m", "pruner", "select", *options]
    with tempfile.TemporaryDirectory() as scratch:
        shown = Path(scratch) / "shown"
        launch = [sys.executable, "-I", "-S", "-c", _LAUNCHER, shown, *command]
        code, seconds, megabytes = json.loads(subprocess.run(launch, check=True, capture_output=True).stdout)
        if code not in {0, 1}:
            sys.exit(f"pruner select --entry deb:{name}: exit status {code}")
        return json.loads(shown.read_bytes()), seconds, megabytes


def measured(archive: debian.Archive, index: PackageIndex, name: str) -> Row:
    """One row of the table."""
    found, seconds, megabytes = process(archive, name)
    for _ in range(RUNS - 1):
        if seconds <= LIMIT_SECONDS:
            break
        seconds = min(seconds, process(archive, name)[1])
    universe = Universe([index], ecosystem="deb", architecture="amd64")
    solver_seconds = min(select(SelectRequest(entries=(f"deb:{name}",)), universe).solver_seconds for _ in range(2))
    oracle = debian.optimum(archive, [name])
    apt = debian.apt(archive, [name], debian.sizes(archive.packages), cold=True)
    return Row(
        name=name,
        ours=int(str(found["installed_kib"])) if found["packages"] else None,
        oracle=None if oracle is None else oracle.kib,
        apt=apt.kib if apt.names else None,
        status=str(found["status"]),
        seconds=seconds,
        megabytes=megabytes,
        solver_seconds=solver_seconds,
        apt_seconds=apt.seconds,
        oracle_seconds=0.0 if oracle is None else oracle.seconds,
    )


def main() -> None:
    """Print the table for the packages named, or for the roots and a hundred packages drawn by chance."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--random", type=int, metavar="N", help="packages drawn by chance; 100 where none is named")
    given = parser.parse_args()
    archive = debian.archive()
    index = read_index(archive.compressed)
    count = given.random if given.random is not None else 0 if given.names else 100
    drawn = random.Random(SEED).sample(sorted(index.names()), count)
    head = ("package", "KiB", "aspcud", "apt", "status", "s", "MB", "solver s", "apt s", "aspcud s", "ratio", "within")
    print(f"{head[0]:>32}", *(f"{cell:>13}" if cell == "status" else f"{cell:>8}" for cell in head[1:]))
    rows = []
    for name in [*(given.names or ROOTS), *drawn]:
        row = measured(archive, index, name)
        rows.append(row)
        sizes = (f"{'-' if size is None else size:>8}" for size in (row.ours, row.oracle, row.apt))
        times = (row.seconds, row.megabytes, row.solver_seconds, row.apt_seconds, row.oracle_seconds, row.ratio)
        cells = (
            *sizes,
            f"{row.status:>13}",
            *(f"{cell:8.3f}" for cell in times),
            f"{'yes' if row.within else 'NO':>8}",
        )
        print(f"{row.name:>32}", *cells, flush=True)
    sys.exit(0 if judged(rows) else 1)


def judged(rows: list[Row]) -> bool:
    """Print which bars hold for how many rows; whether all do."""
    bars = {
        "optimum equal to the oracle's": [row.ours == row.oracle for row in rows],
        "proven, or unsatisfiable for both": [row.status != "not-proven" for row in rows],
        "never above apt": [row.apt is None or (row.ours is not None and row.ours <= row.apt) for row in rows],
        f"process within {LIMIT_SECONDS} s": [row.seconds <= LIMIT_SECONDS for row in rows],
        f"process within {LIMIT_MEGABYTES} MB": [row.megabytes <= LIMIT_MEGABYTES for row in rows],
        f"solver under {LIMIT_SOLVER_SECONDS} s": [row.solver_seconds < LIMIT_SOLVER_SECONDS for row in rows],
    }
    for label, held in bars.items():
        print(f"{label}: {sum(held)} of {len(held)}{'' if all(held) else ', NO'}")
    larger = [row for row in rows if row.apt is not None and row.ours is not None and row.apt > row.ours]
    ratios = [row.ratio for row in rows]
    print(f"apt larger: {len(larger)} of {len(rows)}")
    median = statistics.median(ratios)
    print(f"time as a multiple of apt-get -s: median {median:.2f}, largest {max(ratios):.2f} (aim: a median below 1)")
    return all(all(held) for held in bars.values())


if __name__ == "__main__":
    main()
