"""A comparison and a verdict with hostile names, for the tests of reports."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

from pruner.gate.evaluate import evaluate
from pruner.gate.policy import policy_of
from pruner.gate.policy.types import Finding, Level, Verdict
from pruner.gate.types import Comparison
from tests.unit.gates import SUID, compared, package, program, sbom

HOSTILE = (
    "a|b`c``d",
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    "@everyone",
    "[x](javascript:alert(1))",
    "{{7*7}}{0}",
    "a\u202eb\u2028c\x1b[31m",
    "%0A::error::x",
    "]]>&amp;<!--",
)
RULES = """version: 1
limits: {setuid: 0, packages: 400}
forbid: ["/usr/bin/**"]
waivers:
  - {rule: forbid, where: /usr/bin/app, reason: it is the app, owner: "@team", expires: 2099-01-01}
"""


def compared_names(place: Path, names: tuple[str, ...] = HOSTILE) -> Comparison:
    """app, su and a package of each name before; the same without su after."""
    packages = [package("app", "1.0-1", ["/usr/bin/app"])]
    packages += [package(name, "1.0-1", [f"/usr/bin/{name}"], id=f"id-{at}") for at, name in enumerate(names)]
    programs = [program("/usr/bin/app"), *(program(f"/usr/bin/{name}") for name in names)]
    before = sbom(place, "before.json", packages, [*programs, program("/usr/bin/su", mode=SUID)])
    return compared(before, sbom(place, "after.json", packages, programs))


def judged(comparison: Comparison, text: str = RULES) -> Verdict:
    """What a policy says of it."""
    return evaluate(comparison, policy_of(text), today=date(2026, 1, 2))


def many(verdict: Verdict, number: int) -> Verdict:
    """The verdict with its first finding many times."""
    first = verdict.findings[0]
    return replace(verdict, findings=tuple(replace(first, where=f"/usr/bin/{at}") for at in range(number)))


def finding(**changes: object) -> Finding:
    """A finding with every field."""
    values: dict[str, object] = {
        "rule": "forbid",
        "level": Level.FAIL,
        "what": "shell /bin/sh is there",
        "where": "/bin/sh",
        "why": "it is forbidden",
        "fix": "leave it out: `pruner plan --drop`, or so",
        "chain": ("entry /usr/bin/app", "exec: runs sh -> /bin/sh"),
        "key": "policy.yaml:7 forbid[0]",
    }
    return Finding(**{**values, **changes})  # type: ignore[arg-type]
