"""The corpus' verdicts: what makes a check pass, fail, or stay open."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.corpus.checks import checks
from tests.corpus.limits import root_size
from tests.corpus.row import Row

if TYPE_CHECKING:
    from pathlib import Path


def line(app: str = "one", **fields: object) -> Row:
    """A row of an application that runs and keeps every promise, with some fields changed."""
    good = {
        "app": app, "outside": False, "fat_bytes": 200_000_000, "s3_mb": 30.0, "runtime_bytes": None, "beyond_limit": None,
        "failure": "", "bytes": 29_000_000, "files": 100, "packages": 10,
    }  # fmt: skip
    return Row(**{**good, **fields})  # type: ignore[arg-type]


def verdicts(rows: list[Row], mode: str = "root", *, complete: bool = True) -> list[bool | None]:
    return [check.passed for check in checks(rows, mode, complete=complete)]


def test_a_good_corpus_passes() -> None:
    """Rows within all limits fail no check."""
    assert verdicts([line("one"), line("two")]) == [True] * 7


@pytest.mark.parametrize(
    ("place", "fields"),
    [
        (0, {"failure": "no answer"}),
        (1, {"bytes": 1_600_000_000, "s3_mb": None}),
        (2, {"bytes": 31_600_000}),
        (3, {"runtime_bytes": 20_000_000, "bytes": 26_100_000}),
        (4, {"beyond_limit": 3_000_000, "beyond_bytes": 3_000_001}),
        (5, {"left_over": ("/opt/unused",)}),
        (6, {"differing": ("+pkg:deb/debian/bash@5",)}),
    ],
)
def test_each_broken_promise_fails_its_own_check(place: int, fields: dict[str, object]) -> None:
    """One row out of bounds fails exactly the check that speaks of it."""
    assert verdicts([line("one"), line("two", **fields)]) == [index != place for index in range(7)]


def test_an_application_without_a_pruned_root_fails_the_total() -> None:
    """A total over applications that could not be pruned proves nothing, so it fails."""
    assert verdicts([line("one"), line("two", failure="pruner plan: exit 70", bytes=0, files=0)])[:2] == [False, False]


def test_totals_of_a_part_are_not_judged() -> None:
    """With some applications chosen, the check of the total stays open."""
    assert verdicts([line("one")], complete=False)[1] is None


def test_too_many_packages_without_evidence_fail() -> None:
    """From the SBOM alone, more than a fifth of the kept packages may not be kept for want of evidence."""
    rows = [line(str(number), bytes=1_000_000) for number in range(14)]
    assert verdicts(rows, "sbom") == [True, True, True]
    assert verdicts([*rows[1:], line("13", unevidenced=29, bytes=1_000_000)], "sbom") == [True, True, False]


def test_sizes_count_a_file_once_and_metadata_apart(tmp_path: Path) -> None:
    """Hardlinks count once, links to files not at all, and the package database in its own column."""
    (tmp_path / "usr/share/doc/bash").mkdir(parents=True)
    (tmp_path / "var/lib/dpkg/status.d").mkdir(parents=True)
    (tmp_path / "usr/share/doc/bash/copyright").write_bytes(b"c" * 7)
    (tmp_path / "usr/share/doc/bash/README").write_bytes(b"r" * 11)
    (tmp_path / "var/lib/dpkg/status.d/bash").write_bytes(b"d" * 13)
    (tmp_path / "usr/a").write_bytes(b"a" * 100)
    (tmp_path / "usr/b").hardlink_to(tmp_path / "usr/a")
    (tmp_path / "usr/c").symlink_to("a")
    size = root_size(tmp_path)
    assert (size.files, size.bytes, size.metadata) == (2, 111, 20)
