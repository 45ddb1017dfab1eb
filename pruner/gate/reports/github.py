"""The findings as workflow commands of GitHub Actions, which shows them beside the policy's line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pruner.errors import printable
from pruner.gate.reports.wording import headline, place
from pruner.gate.types import Level

if TYPE_CHECKING:
    from pruner.gate.types import Comparison, Finding, Verdict
    from pruner.plan.types import Plan

_COMMANDS = {Level.FAIL: "error", Level.WARN: "warning", Level.WAIVED: "notice"}
_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})
"""As the runner's own toolkit escapes them (actions/toolkit, packages/core/src/command.ts)."""


def github_report(comparison: Comparison, verdict: Verdict, plan: Plan | None) -> str:
    """One command for each finding, and a last line with the verdict."""
    del comparison, plan  # findings carry their chains
    return "\n".join([*(_command(finding, verdict) for finding in verdict.findings), headline(verdict)]) + "\n"


def _command(finding: Finding, verdict: Verdict) -> str:
    at = place(finding, verdict)
    properties = {"title": f"{finding.rule}: {finding.where}", "file": at.file, "line": str(at.line)}
    if not at.file:
        del properties["file"], properties["line"]
    stated = ",".join(f"{name}={printable(value).translate(_PROPERTY)}" for name, value in properties.items())
    lines = [
        finding.what,
        f"why: {finding.why}",
        f"fix: {finding.fix}",
        *([f"waived: {finding.waiver}"] if finding.waiver else []),
        *([f"chain: {' > '.join(finding.chain)}"] if finding.chain else []),
    ]
    message = "\n".join(map(printable, lines)).translate(_DATA)
    return f"::{_COMMANDS[finding.level]} {stated}::{message}"
