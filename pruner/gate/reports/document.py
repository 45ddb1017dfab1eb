"""The report as JSON: the comparison, what became of vulnerabilities, and the verdict with every finding."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pruner
from pruner.gate.reports.comparison import comparison_document

if TYPE_CHECKING:
    from pruner.gate.policy.types import Finding, Verdict
    from pruner.gate.types import Comparison
    from pruner.plan.types import Plan

GATE_SCHEMA_NAME = "pruner-gate"
GATE_SCHEMA_VERSION = "1"
DIFF_SCHEMA_NAME = "pruner-diff"
DIFF_SCHEMA_VERSION = "1"


def json_report(comparison: Comparison, verdict: Verdict, plan: Plan | None) -> str:
    """JSON, indented, in ASCII; names that are not UTF-8 carry lone surrogates, as `os.fsdecode` makes them."""
    del plan  # findings carry their chains
    return json.dumps(gate_document(comparison, verdict), indent=1) + "\n"


def gate_document(comparison: Comparison, verdict: Verdict) -> dict[str, Any]:
    """The report as plain values; `gate_schema` describes it."""
    return {
        "schema": {"name": GATE_SCHEMA_NAME, "version": GATE_SCHEMA_VERSION},
        "tool": f"pruner {pruner.__version__}",
        "passed": verdict.passed,
        "policy": verdict.policy,
        "limits": [
            {key: getattr(limit, key) for key in ("name", "stated", "before", "after", "allowed", "kept")}
            for limit in verdict.limits
        ],
        "findings": [_finding(finding) for finding in verdict.findings],
        "vulnerabilities": None,
        "conformity": None,
        **comparison_document(comparison),
    }


def diff_document(comparison: Comparison) -> dict[str, Any]:
    """A comparison without a verdict; `diff_schema` describes it."""
    return {
        "schema": {"name": DIFF_SCHEMA_NAME, "version": DIFF_SCHEMA_VERSION},
        "tool": f"pruner {pruner.__version__}",
        "vulnerabilities": None,
        "conformity": None,
        **comparison_document(comparison),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    keys = ("rule", "level", "what", "where", "subject", "why", "fix", "waiver", "key")
    return {**{key: str(getattr(finding, key)) for key in keys}, "chain": list(finding.chain)}
