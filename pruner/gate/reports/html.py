"""The report as one HTML file that opens offline and asks for nothing.

A policy in the file itself (Content Security Policy Level 3) allows the script and the style by their digests and
nothing else, so that a name that gets through as markup could neither run nor load anything.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup, escape

import pruner
from pruner.errors import printable
from pruner.gate.categories import category_reason
from pruner.gate.phrases import number_of
from pruner.gate.policy.limits import number
from pruner.gate.policy.types import Level
from pruner.gate.reports.htmldata import report_data, script_json
from pruner.gate.reports.wording import TITLES, Count, counts, fates
from pruner.gate.types import SideKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pruner.gate.policy.types import Finding, Verdict
    from pruner.gate.types import Comparison, Side, Surface
    from pruner.plan.types import Plan

_MOST = 100
"""Findings of one line of the policy that are written out; the JSON report has all."""
_MOST_VULNERABILITIES = 500
_KINDS = {SideKind.SBOM: "SBOM", SideKind.PLAN: "plan", SideKind.ROOT: "root filesystem"}
_PARTS = (
    ("style", "templates", "report.css"),
    ("library", "vendor", "d3-hierarchy.min.js"),
    ("script", "templates", "report.js"),
    ("drawings", "templates", "drawings.js"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One pair of bars."""

    name: str
    before: str
    after: str
    before_width: float
    """In percent of the longer of both."""
    after_width: float
    limit: str
    fault: str
    """What is wrong with the limit; empty where it is kept, or there is none."""


class Heap(NamedTuple):
    """The findings of one level by one line of the policy."""

    first: Finding
    others: Sequence[Finding]
    left: int
    """How many are not among `others`."""


class Part(NamedTuple):
    """The findings of one level."""

    level: Level
    title: str
    heaps: Sequence[Heap]


def html_report(comparison: Comparison, verdict: Verdict, plan: Plan | None) -> str:
    """One HTML document, the same for the same values."""
    parts = {name: _text(*path) for name, *path in _PARTS}
    sources = {name: _source(text) for name, text in parts.items()}
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["printable"] = printable
    environment.filters["spans"] = _spans
    vulnerabilities = comparison.vulnerabilities or ()
    rendered = environment.from_string(_text("templates", "report.html.jinja")).render(
        version=pruner.__version__,
        comparison=comparison,
        verdict=verdict,
        summary=_summary(verdict.findings),
        kinds=_KINDS,
        parts=[part for level in Level if (part := _part(level, verdict.findings)).heaps],
        bars=[_bar(count) for count in (*counts(comparison, verdict), *_reported(comparison))],
        fates=fates(comparison),
        vulnerabilities=vulnerabilities[:_MOST_VULNERABILITIES],
        vulnerabilities_left=max(0, len(vulnerabilities) - _MOST_VULNERABILITIES),
        surface=_surface_rows(comparison.surface_before, comparison.surface_after),
        origin=_origin_of_reasons(comparison.after, planned=plan is not None),
        data=Markup(script_json(report_data(comparison, plan))),  # noqa: S704 -- escaped for a script element
        script_sources=" ".join(source for name, source in sources.items() if name != "style"),
        style_sources=sources["style"],
        licence=_text("vendor", "d3-hierarchy.LICENSE"),
        **{name: Markup(text) for name, text in parts.items()},  # noqa: S704 -- our own files, and a vendored one
    )
    return rendered.rstrip("\n") + "\n"


def _text(directory: str, name: str) -> str:
    return files("pruner.gate.reports").joinpath(directory, name).read_text("utf-8").strip("\n")


def _spans(text: str) -> Markup:
    """`text` for HTML, with what stands between two backticks as code."""
    parts = printable(text).split("`")
    if len(parts) % 2 == 0:  # one of them has no other: it is a name's own
        return escape("`".join(parts))
    return Markup().join(Markup("<code>{}</code>").format(part) if at % 2 else part for at, part in enumerate(parts))


def _source(text: str) -> str:
    """The digest of an element's text as a policy states it (section 2.3.1)."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _summary(findings: Sequence[Finding]) -> str:
    """`3 findings fail (2 forbid, 1 limits), 1 warning, 2 waived`."""
    families = Counter(finding.rule.partition(".")[0] for finding in findings if finding.level is Level.FAIL)
    failing = sum(families.values())
    named = ", ".join(f"{count} {name}" for name, count in families.most_common())
    count = Counter(finding.level for finding in findings)
    failed = "1 finding fails" if failing == 1 else f"{failing} findings fail"
    told = [f"{failed} ({named})" if failing else "nothing fails"]
    if warnings := count[Level.WARN]:
        told.append(number_of(warnings, "warning"))
    if waived := count[Level.WAIVED]:
        told.append(f"{waived} waived")
    return ", ".join(told)


def _part(level: Level, findings: Sequence[Finding]) -> Part:
    """The findings of `level`, one heap for each line of the policy, so that none hides another."""
    heaps: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.level is level:
            heaps.setdefault(finding.key or finding.rule, []).append(finding)
    return Part(
        level,
        f"{TITLES[level]} ({sum(map(len, heaps.values()))})",
        [Heap(first, others[: _MOST - 1], max(0, len(others) + 1 - _MOST)) for first, *others in heaps.values()],
    )


def _origin_of_reasons(after: Side, *, planned: bool) -> str:
    """What the graph's reasons come from."""
    if planned:
        return "From the plan: each package beside what first needs it."
    if not after.files or not after.binaries:
        return (
            "No plan is given, and libraries and interpreters are not recorded after: what needs what is not known. "
            "With --plan the reasons are here."
        )
    return (
        "No plan is given: by the libraries and interpreters that loaders take, from the entry points, or from every "
        "program where none is known. What a program opens by itself is not seen; with --plan it is."
    )


def _bar(count: Count) -> Bar:
    before, after = count.shown()
    unmeasured = count.after is None or (count.before is None and count.limit[:1] in {"+", "-"})
    longest = max(count.before or 0, count.after or 0) or 1
    return Bar(
        name=count.name,
        before=before,
        after=after,
        before_width=round((count.before or 0) / longest * 100, 2),
        after_width=round((count.after or 0) / longest * 100, 2),
        limit=count.limit,
        fault="" if count.kept else "not known" if unmeasured else "broken",
    )


def _reported(comparison: Comparison) -> Sequence[Count]:
    """How many vulnerabilities the scanner reports on each side; what became of them is told apart."""
    if comparison.vulnerabilities is None:
        return ()
    before = sum(change.before is not None for change in comparison.vulnerabilities)
    after = sum(change.after is not None for change in comparison.vulnerabilities)
    return (Count("reported vulnerabilities", before, after, "", kept=True),)


def _surface_rows(before: Surface, after: Surface) -> Sequence[tuple[str, str, str, str]]:
    """Category, both counts as shown, and why the category matters."""
    one, other = before.counts(), after.counts()
    names = sorted({*one, *other})
    return [(name, number(one.get(name, 0)), number(other.get(name, 0)), category_reason(name)) for name in names]
