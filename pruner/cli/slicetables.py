"""What the commands of `pruner slices` print: problems, coverage, differences."""

from __future__ import annotations

import json
from dataclasses import asdict
from itertools import zip_longest
from typing import TYPE_CHECKING

from pruner import __version__
from pruner.cli.output import table
from pruner.errors import printable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pruner.slices.compare import Difference
    from pruner.slices.missing import Coverage
    from pruner.slices.types import Problem

_MOST_PATHS = 5
"""Missing paths of a package that the table shows; --json has all."""
_LONGEST = 48
"""Characters of a value that the table of differences shows."""


def problems_text(problems: Sequence[Problem], format: str, release: Path) -> str:  # noqa: A002
    """Problems as a table, with errors first, or as JSON or SARIF, with files below the `release`."""
    if format == "sarif":
        return _sarif(problems)
    if format == "json":
        return json.dumps([asdict(problem) for problem in problems], indent=2)
    if not problems:
        return "no problems"
    lines = []
    for one in sorted(problems, key=lambda one: (one.severity != "error", one)):
        hint = f" ({one.hint})" if one.hint else ""
        lines.append(f"{release / one.file}:{one.line}: {one.severity}: {one.message}{hint} [{one.rule}]")
    return "\n".join(printable(line) for line in lines)


def _sarif(problems: Sequence[Problem]) -> str:
    from pruner.emit.sarif import SarifResult, sarif_text
    from pruner.slices.checkrules import RULES

    results = [
        SarifResult(
            rule=one.rule,
            level="error" if one.severity == "error" else "warning",
            message=one.message,
            file=one.file,
            line=one.line,
        )
        for one in problems
    ]
    return sarif_text(tool="pruner", version=__version__, rules=RULES, results=results).rstrip("\n")


def coverage_table(rows: Sequence[Coverage]) -> str:
    """For every package what serves and what is missing, ready to be pasted."""
    cells: list[tuple[str, str, str]] = [("package", "slices that serve", "missing")]
    for row in rows:
        if not row.missing:
            lacks = ["nothing"]
        elif not row.sliced and not row.slices:
            lacks = [f"the whole package, {len(row.missing)} paths"]
        else:
            lacks = [printable(path) for path in row.missing[:_MOST_PATHS]]
            if len(row.missing) > _MOST_PATHS:
                lacks.append(f"and {len(row.missing) - _MOST_PATHS} more")
        serving = [str(key) for key in row.slices] or ["-"]
        cells += zip_longest((printable(row.package),), serving, lacks, fillvalue="")
    return table(cells)


def differences_table(differences: Sequence[Difference]) -> str:
    """One row a difference: `+` is only in the second release, `-` only in the first."""
    signs = {"added": "+", "removed": "-", "changed": "~"}
    rows = [("", "slice", "what", "name", "before", "after")]
    rows += [
        (
            signs[one.change],
            printable("_".join(filter(None, (one.package, one.slice)))),
            one.what,
            printable(one.name),
            _short(one.before),
            _short(one.after),
        )
        for one in differences
    ]
    return table(rows)


def _short(text: str) -> str:
    shown = printable(text)
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"
