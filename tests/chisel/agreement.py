"""How far the validator and the real chisel agree: `python -m tests.chisel.agreement` prints it over mutated releases.

Goals: no release that chisel accepts is rejected, and at least 95 of 100 that it rejects are rejected with a line.
Chisel is asked by `find`, which reads and validates a release without network.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pruner.errors import InputError
from pruner.slices.check import check_release
from pruner.slices.checkrules import CUT_RULES
from pruner.slices.readrelease import read_release
from pruner.slices.types import Problem, Severity
from tests.chisel.mutations import cases, untouched
from tests.support import chisel

MUTATED = 1500
VALID = 100
GOAL = 0.95
WHOLE_FILES = frozenset({"file-name", "unreadable"})
"""Rules about a file as such, whose line 1 is none."""


@dataclass
class Agreement:
    """Cases by outcome."""

    both_accept: list[str] = field(default_factory=list)
    with_line: list[str] = field(default_factory=list)
    without_line: list[str] = field(default_factory=list)
    only_chisel_rejects: list[str] = field(default_factory=list)
    only_pruner_rejects: list[str] = field(default_factory=list)
    details: dict[str, str] = field(default_factory=dict)

    @property
    def rejected(self) -> int:
        """Cases that chisel rejects."""
        return len(self.with_line) + len(self.without_line) + len(self.only_chisel_rejects)

    @property
    def share(self) -> float:
        """Of the cases that chisel rejects, those that are rejected with a line."""
        return len(self.with_line) / max(self.rejected, 1)

    @property
    def reached(self) -> bool:
        """Both goals are met."""
        return not self.only_pruner_rejects and self.share >= GOAL

    def rows(self) -> list[tuple[str, int]]:
        """The table."""
        return [
            ("accepted by both", len(self.both_accept)),
            ("rejected by both, with a line", len(self.with_line)),
            ("rejected by both, without a line", len(self.without_line)),
            ("rejected by chisel only", len(self.only_chisel_rejects)),
            ("rejected by pruner only", len(self.only_pruner_rejects)),
        ]


def measure(binary: str, releases: Iterable[tuple[str, dict[str, bytes]]]) -> Agreement:
    """Both verdicts on each release."""
    result = Agreement()
    with tempfile.TemporaryDirectory() as scratch:
        for name, files in releases:
            directory = Path(scratch) / name
            _write(directory, files)
            refusal = refused(binary, directory)
            errors = _errors(directory)
            shutil.rmtree(directory)
            told = "; ".join(f"{e.file}:{e.line}: {e.message}" if isinstance(e, Problem) else str(e) for e in errors)
            result.details[name] = f"chisel: {refusal or 'accepts'} | pruner: {told or 'accepts'}"
            if not refusal:
                (result.only_pruner_rejects if errors else result.both_accept).append(name)
            elif not errors:
                result.only_chisel_rejects.append(name)
            elif any(isinstance(error, Problem) and error.rule not in WHOLE_FILES for error in errors):
                result.with_line.append(name)
            else:
                result.without_line.append(name)
    return result


def refused(binary: str, release: Path) -> str:
    """Why chisel refuses `release`; empty where it accepts it."""
    command = [binary, "find", "--release", f"{release}/", "zzzzzzzz"]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=60, check=False)
    if done.returncode == 0:
        return ""
    return (done.stderr.strip().splitlines() or ["no reason given"])[-1]


def _errors(release: Path) -> list[Problem | InputError]:
    """What makes the release unacceptable, what only a cut finds left out."""
    try:
        problems = check_release(read_release(release))
    except InputError as error:
        return [error]
    return [p for p in problems if p.severity is Severity.ERROR and p.rule not in CUT_RULES]


def _write(directory: Path, files: dict[str, bytes]) -> None:
    directory.mkdir()
    for path, data in files.items():
        target = directory / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


def main() -> int:
    """Print the measure; 1 where a goal is missed, 2 without chisel."""
    try:
        binary = chisel()
    except (pytest.skip.Exception, pytest.fail.Exception):
        print("chisel is not installed: .ci/get-chisel builds it", file=sys.stderr)
        return 2
    valid = measure(binary, untouched(VALID))
    print(f"valid releases: {len(valid.both_accept)} of {VALID} accepted by both")
    mutated = measure(binary, cases(MUTATED))
    print(f"mutated releases: {sum(count for _, count in mutated.rows())}")
    for label, count in mutated.rows():
        print(f"  {label:<34}{count:>6}")
    print(
        f"of {mutated.rejected} that chisel rejects, {100 * mutated.share:.1f} % are rejected with a line (goal 95 %)"
    )
    for name in (*mutated.only_pruner_rejects, *mutated.only_chisel_rejects, *valid.only_pruner_rejects):
        print(f"  {name}: {mutated.details.get(name) or valid.details[name]}")
    kinds = Counter(name.rpartition("-")[0] for name in mutated.without_line)
    print("without a line: " + ", ".join(f"{kind} {count}" for kind, count in kinds.most_common()))
    return 0 if mutated.reached and len(valid.both_accept) == VALID else 1


if __name__ == "__main__":
    sys.exit(main())
