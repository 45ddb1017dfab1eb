"""The report as one HTML file that opens offline and asks for nothing.

A policy in the file itself (Content Security Policy Level 3) allows the script and the style by their digests and
nothing else, so that a name that gets through as markup could neither run nor load anything.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

import pruner
from pruner.errors import printable
from pruner.gate.reports.htmldata import report_data, script_json
from pruner.gate.reports.wording import counts, fates, tally

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pruner.gate.reports.wording import Count
    from pruner.gate.types import Comparison, Surface, Verdict
    from pruner.plan.types import Plan

_MOST = 500
"""Findings, and vulnerabilities, that are written out; the JSON report has all."""
_WIDTH = 400
"""Of the longest bar, in units of the drawing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One pair of bars."""

    name: str
    before: str
    after: str
    before_width: float
    after_width: float
    limit: str
    kept: bool


def html_report(comparison: Comparison, verdict: Verdict, plan: Plan | None) -> str:
    """One HTML document, the same for the same values."""
    style, library, script = (_text(*path) for path in _PARTS)
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["printable"] = printable
    template = environment.from_string(_text("templates", "report.html.jinja"))
    return (
        template.render(
            version=pruner.__version__,
            comparison=comparison,
            verdict=verdict,
            tally=tally(verdict.findings),
            findings=verdict.findings[:_MOST],
            findings_left=max(0, len(verdict.findings) - _MOST),
            bars=[_bar(count) for count in counts(comparison, verdict)],
            fates=fates(comparison),
            vulnerabilities=(comparison.vulnerabilities or ())[:_MOST],
            vulnerabilities_left=max(0, len(comparison.vulnerabilities or ()) - _MOST),
            surface=_surface_rows(comparison.surface_before, comparison.surface_after),
            planned=plan is not None,
            style=Markup(style),  # noqa: S704 -- our own file
            library=Markup(library),  # noqa: S704 -- vendored, its digest is tested
            script=Markup(script),  # noqa: S704 -- our own file
            data=Markup(script_json(report_data(comparison, plan))),  # noqa: S704 -- escaped for a script element
            script_sources=f"{_source(library)} {_source(script)}",
            style_sources=_source(style),
        ).rstrip("\n")
        + "\n"
    )


_PARTS = (("templates", "report.css"), ("vendor", "d3-hierarchy.min.js"), ("templates", "report.js"))


def _text(directory: str, name: str) -> str:
    return files("pruner.gate.reports").joinpath(directory, name).read_text("utf-8").strip("\n")


def _source(text: str) -> str:
    """The digest of an element's text as a policy states it (section 2.3.1)."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _bar(count: Count) -> Bar:
    before, after = count.shown()
    longest = max(count.before or 0, count.after or 0) or 1
    return Bar(
        name=count.name,
        before=before,
        after=after,
        before_width=round((count.before or 0) / longest * _WIDTH, 1),
        after_width=round((count.after or 0) / longest * _WIDTH, 1),
        limit=count.limit,
        kept=count.kept,
    )


def _surface_rows(before: Surface, after: Surface) -> Sequence[tuple[str, str, str]]:
    """Category and both counts, as shown."""
    first, second = before.counts(), after.counts()
    names = sorted({*first, *second, *before.unknown, *after.unknown})

    def shown(name: str, surface: Surface, found: dict[str, int]) -> str:
        return "unknown" if name in surface.unknown else str(found.get(name, 0))

    return [(name, shown(name, before, first), shown(name, after, second)) for name in names]
