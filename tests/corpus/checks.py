"""The promises that the corpus is held against, as predicates over the rows of its table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.corpus.row import Row

S3_TOLERANCE = 1.05
RUNTIME_FACTOR = 1.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One promise with what was measured; `passed` is None where the rows do not allow a verdict."""

    text: str
    passed: bool | None

    @property
    def verdict(self) -> str:
        return {True: "pass", False: "FAIL", None: "n/a"}[self.passed]


def checks(rows: Sequence[Row], mode: str, *, complete: bool) -> list[Check]:
    """The checks of a mode (`root` or `sbom`); totals are judged only over the `complete` corpus."""
    return _root_checks(rows, complete=complete) if mode == "root" else _sbom_checks(rows, complete=complete)


def drawn_checks(rows: Sequence[Row], *, complete: bool) -> list[Check]:
    """The checks of the applications that were drawn: of their recorded first run, and of now."""
    first = sum(row.first == "P" for row in rows)
    failed = ", ".join(row.app for row in rows if row.first != "P")
    return [
        Check(
            text=f"at least 7 of {len(rows)} ran at first: {first}{f'; not {failed}' if failed else ''}",
            passed=first >= 7 if complete else None,
        ),
        _runs(rows, 9, judged=complete),
        _each("syft finds exactly the packages of the plan", rows, _unlike),
    ]


def _root_checks(rows: Sequence[Row], *, complete: bool) -> list[Check]:
    return [
        _runs(rows, len(rows), judged=True),
        _total(rows, 1550, complete=complete),
        _each(f"no application above its S3 column by more than {S3_TOLERANCE - 1:.0%}", rows, _above_reference),
        _each(
            f"pip and npm: at most {RUNTIME_FACTOR} times runtime, libraries and declared distributions",
            rows,
            _above_runtime,
        ),
        _each("static binary: the root holds little beside it", rows, _above_beyond),
        _each("nothing is left that the applications declare unused", rows, lambda row: ", ".join(row.left_over[:3])),
        _each("syft finds exactly the packages of the plan", rows, _unlike),
    ]


def _sbom_checks(rows: Sequence[Row], *, complete: bool) -> list[Check]:
    kept = sum(row.packages for row in rows)
    blind = sum(row.unevidenced for row in rows)
    share = blind / kept if kept else 0.0
    return [
        _runs(rows, 14, judged=complete),
        _total(rows, 2000, complete=complete),
        Check(
            text=f"at most 20 % of the packages kept for want of evidence: {blind} of {kept} kept, {share:.1%}",
            passed=share <= 0.2 if kept else None,
        ),
    ]


def _runs(rows: Sequence[Row], wanted: int, *, judged: bool) -> Check:
    running = sum(not row.failure for row in rows)
    failing = ", ".join(row.app for row in rows if row.failure)
    tail = f"; not {failing}" if failing else ""
    return Check(
        text=f"at least {wanted} of {len(rows)} run: {running}{tail}", passed=running >= wanted if judged else None
    )


def _total(rows: Sequence[Row], limit: int, *, complete: bool) -> Check:
    fourteen = [row for row in rows if not row.outside]
    total = sum(row.bytes for row in fourteen) / 1e6
    measured = complete and all(row.files for row in fourteen)
    return Check(
        text=f"the {len(fourteen)} of the distribution together at most {limit} MB: {total:.1f} MB",
        passed=total <= limit if measured else False if complete else None,
    )


def _each(text: str, rows: Sequence[Row], complaint: Callable[[Row], str]) -> Check:
    """A check of every row with a pruned root: `complaint` says what is wrong with it, or nothing."""
    measured = [row for row in rows if row.files]
    found = [f"{row.app} {said}" for row in measured if (said := complaint(row))]
    verdict = "; ".join(found) or f"held by {len(measured)}"
    return Check(text=f"{text}: {verdict}", passed=not found if measured else None)


def _unlike(row: Row) -> str:
    return f"{len(row.differing)} differ" if row.differing else ""


def _above_reference(row: Row) -> str:
    return f"{row.bytes / 1e6:.1f} MB against {row.s3_mb}" if row.ratio and row.ratio > S3_TOLERANCE else ""


def _above_runtime(row: Row) -> str:
    if row.runtime_bytes is None or row.bytes <= RUNTIME_FACTOR * row.runtime_bytes:
        return ""
    return f"{row.bytes / 1e6:.1f} MB against {row.runtime_bytes / 1e6:.1f}"


def _above_beyond(row: Row) -> str:
    if row.beyond_limit is None or row.beyond_bytes is None or row.beyond_bytes <= row.beyond_limit:
        return ""
    return f"{row.beyond_bytes / 1e6:.2f} MB against {row.beyond_limit / 1e6:.2f}"
