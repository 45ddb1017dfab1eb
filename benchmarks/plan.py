"""Wall time and peak memory of `pruner plan`, next to a bare load of the same SBOM: `python -m benchmarks.plan [APP…]`.

Every figure is of a whole process, the median of several runs taken in turn (A B A B …), so that a machine that
changes its speed changes both. Bars that the project sets itself are printed beside; nothing fails here.
Python may keep its byte code, as it does for every program that pip installed.
"""

from __future__ import annotations

import atexit
import os
import resource
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from tests.corpus import apps, roots

if TYPE_CHECKING:
    from tests.corpus.model import App

RUNS = 5
LIMIT_SECONDS = {"ffmpeg": 5.0}
LIMIT_MEGABYTES = 300
LIMIT_BEYOND_DECOMPRESSION = 2.0


@lru_cache(maxsize=1)
def _environment() -> dict[str, str]:
    """This process's, but with byte code kept outside of the tree even where the machine forbids it."""
    kept = tempfile.mkdtemp(prefix="pruner-bytecode-")
    atexit.register(shutil.rmtree, kept, ignore_errors=True)
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"} | {
        "PYTHONPYCACHEPREFIX": kept
    }


def measure(command: list[str]) -> tuple[float, float]:
    """Wall seconds and peak memory in MB (10^6 bytes) of one run of `command`; exits when it fails."""
    begin = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=_environment())
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"{shlex.join(command)}: exit status {os.waitstatus_to_exitcode(status)}")
    return time.perf_counter() - begin, usage.ru_maxrss * 1024 / 1e6


def compare(commands: dict[str, list[str]]) -> dict[str, tuple[float, float]]:
    """Median wall seconds and largest peak memory of each command, run in turn after one warm-up."""
    seen: dict[str, list[tuple[float, float]]] = {label: [] for label in commands}
    for run in range(RUNS + 1):
        for label, command in commands.items():
            result = measure(command)
            if run:
                seen[label].append(result)
    return {
        label: (statistics.median(wall for wall, _ in results), max(memory for _, memory in results))
        for label, results in seen.items()
    }


def plan_command(sbom: Path, root: Path | None, entries: tuple[str, ...], output: str) -> list[str]:
    """The command line that plans one application of the corpus."""
    command = [sys.executable, "-m", "pruner", "plan", str(sbom), "--quiet", "--output", output]
    command += ["--root", str(root)] if root is not None else []
    return command + [f"--entry={entry}" for entry in entries]


def compressed(app: App, scratch: Path) -> None:
    """Plan from a compressed root tar, next to one bare decompression pass over the same file."""
    built = roots.fat_root(app)
    archive = scratch / "root.tar.gz"
    subprocess.run(["tar", "-C", str(built.root), "-czf", str(archive), "."], check=True)
    commands = {
        "plan": plan_command(built.sbom, archive, app.entries, f"{scratch}/compressed"),
        "gzip": ["gzip", "-dc", str(archive)],
    }
    found = compare(commands)
    over = found["plan"][0] - found["gzip"][0]
    within = "yes" if over <= LIMIT_BEYOND_DECOMPRESSION else "NO"
    print(
        f"{app.name} from tar.gz: {found['plan'][0]:.2f} s, one decompression pass {found['gzip'][0]:.2f} s, "
        f"{over:.2f} s beyond it (limit {LIMIT_BEYOND_DECOMPRESSION}), within: {within}"
    )


def main() -> None:
    """Print the table for the applications named, or for all of the corpus."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    chosen = [app for app in apps.APPS.values() if not sys.argv[1:] or app.name in sys.argv[1:]]
    head = ("app", "plan s", "limit s", "json s", "ratio", "sbom s", "peak MB", "within")
    print("  ".join(f"{cell:>8}" for cell in head))
    help_seconds, _ = compare({"help": [sys.executable, "-m", "pruner", "--help"]})["help"]
    with tempfile.TemporaryDirectory() as scratch:
        for app in chosen:
            built = roots.fat_root(app)
            load = [sys.executable, "-c", f"import json; json.load(open({str(built.sbom)!r}))"]
            found = compare(
                {
                    "plan": plan_command(built.sbom, built.root, app.entries, f"{scratch}/root"),
                    "json": load,
                    "sbom": plan_command(built.sbom, None, app.entries, f"{scratch}/sbom"),
                }
            )
            limit = LIMIT_SECONDS.get(app.name, 2.0)
            seconds, memory = found["plan"]
            within = "yes" if seconds <= limit and memory <= LIMIT_MEGABYTES else "NO"
            cells = (seconds, limit, found["json"][0], seconds / found["json"][0], found["sbom"][0], memory)
            print("  ".join([f"{app.name:>8}", *(f"{cell:8.2f}" for cell in cells), f"{within:>8}"]), flush=True)
        compressed(chosen[0], Path(scratch))
    print(f"pruner --help: {help_seconds * 1000:.0f} ms (limit 300)")


if __name__ == "__main__":
    main()
