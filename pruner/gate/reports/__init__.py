"""The reports of the gate: text made from a comparison and a verdict, by the name of its format.

Each format is a module with one function; the same values give the same bytes.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from pruner.errors import UsageError, printable

if TYPE_CHECKING:
    from pruner.gate.policy.types import Verdict
    from pruner.gate.types import Comparison
    from pruner.plan.types import Plan

_MODULES = {
    "text": ("pruner.gate.reports.text", "text_report"),
    "json": ("pruner.gate.reports.document", "json_report"),
    "markdown": ("pruner.gate.reports.markdown", "markdown_report"),
    "sarif": ("pruner.gate.reports.sarif", "sarif_report"),
    "junit": ("pruner.gate.reports.junit", "junit_report"),
    "github": ("pruner.gate.reports.github", "github_report"),
    "html": ("pruner.gate.reports.html", "html_report"),
}
"""Module and function by format; a function takes a comparison, a verdict and a plan or None."""

FORMATS = tuple(_MODULES)


def report_text(report_format: str, comparison: Comparison, verdict: Verdict, *, plan: Plan | None = None) -> str:
    """The report in `report_format` (one of `FORMATS`), ending in a newline. Raises `UsageError` for any other."""
    if report_format not in _MODULES:
        raise UsageError(
            f"format '{printable(report_format)}' is unknown", hint=f"the formats are {', '.join(FORMATS)}"
        )
    module, function = _MODULES[report_format]
    return str(getattr(import_module(module), function)(comparison, verdict, plan))
