"""The findings as workflow commands of GitHub Actions, which shows them beside the policy's line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pruner.errors import printable
from pruner.gate.policy.types import Level
from pruner.gate.reports.groups import grouped
from pruner.gate.reports.wording import headline, place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pruner.gate.policy.types import Verdict
    from pruner.gate.reports.groups import Group
    from pruner.gate.types import Comparison
    from pruner.plan.types import Plan

_COMMANDS = {Level.FAIL: "error", Level.WARN: "warning", Level.WAIVED: "notice"}
_SHOWN = 10
"""Findings of one command; json, sarif and junit have all."""
_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})
"""As the runner's own toolkit escapes them (actions/toolkit, packages/core/src/command.ts)."""


def github_report(comparison: Comparison, verdict: Verdict, plan: Plan | None) -> str:
    """One command for each key of the policy that has findings, and a last line with the verdict.

    A command for each finding would hide all but the first ten: GitHub shows no more errors of a step.
    """
    del comparison, plan  # findings carry their chains
    return "\n".join([*(_command(group, verdict) for group in grouped(verdict)), headline(verdict)]) + "\n"


def _command(group: Group, verdict: Verdict) -> str:
    at = place(group.findings[0], verdict)
    properties = {"title": group.title, "file": at.file, "line": str(at.line)}
    if not at.file:
        del properties["file"], properties["line"]
    stated = ",".join(f"{name}={printable(value).translate(_PROPERTY)}" for name, value in properties.items())
    message = "\n".join(map(printable, _message(group))).translate(_DATA)
    return f"::{_COMMANDS[group.level]} {stated}::{message}"


def _message(group: Group) -> Iterator[str]:
    for finding in group.findings[:_SHOWN]:
        yield finding.what
        if len(group.findings) > 1:
            yield from (f"  {name}: {text}" for name, text in group.own(finding))
        if finding.chain:
            yield f"  chain: {' > '.join(finding.chain)}"
    if len(group.findings) > _SHOWN:
        yield f"and {len(group.findings) - _SHOWN} more"
    yield from (f"{name}: {text}" for name, text in group.common() if name != "policy")
