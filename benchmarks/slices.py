"""Wall time and memory of reading and checking a large release of slices: `python -m benchmarks.slices [RELEASE]`.

Without a release, one of 650 packages is made, as large as those that are published. Nothing fails here.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from benchmarks.plan import compare

PACKAGES = 650
LIMIT_SECONDS = 2.0
_HEAD = """\
format: v3
maintenance: {standard: 2020-01-01, end-of-life: 2099-12-31}
archives:
  ubuntu:
    version: "1"
    suites: [stable]
    components: [main]
    public-keys: []
"""


def made_release(directory: Path) -> Path:
    """A release of `PACKAGES` packages of four slices each, every one with six paths and an essential."""
    (directory / "slices").mkdir(parents=True)
    (directory / "chisel.yaml").write_text(_HEAD)
    for number in range(PACKAGES):
        name = f"package{number}"
        lines = [f"package: {name}", "", "essential:", f"  {name}_copyright:", "", "slices:"]
        for kind in ("bins", "data", "libs"):
            lines += [f"  {kind}:"]
            lines += ["    essential:", f"      package{number - 1}_{kind}:"] if number else []
            lines += ["    contents:"]
            lines += [f"      /usr/lib/*-linux-*/{name}/{kind}/part{at}.so.*:" for at in range(6)]
        lines += ["  copyright:", "    contents:", f"      /usr/share/doc/{name}/copyright:", ""]
        (directory / "slices" / f"{name}.yaml").write_text("\n".join(lines))
    return directory


def main(words: list[str]) -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as scratch:
        release = Path(words[0]) if words else made_release(Path(scratch) / "release")
        files = len(list((release / "slices").rglob("*.yaml")))
        read = "import sys, pathlib, pruner.slices.readrelease as r; r.read_release(pathlib.Path(sys.argv[1]))"
        found = compare(
            {
                "read": [sys.executable, "-c", read, str(release)],
                "compare": [sys.executable, "-m", "pruner", "slices", "diff", str(release), str(release)],
            }
        )
    print(f"{'release':>10}  files  wall s  limit s  peak MB  within")
    for label, (seconds, megabytes) in found.items():
        within = "yes" if seconds <= LIMIT_SECONDS else "NO"
        print(f"{label:>10}  {files:5}  {seconds:6.2f}  {LIMIT_SECONDS:7.2f}  {megabytes:7.1f}  {within:>6}")


if __name__ == "__main__":
    main(sys.argv[1:])
