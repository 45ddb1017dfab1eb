"""`pruner gate`: hold what changed between two images against a policy."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pruner.cli.output import source_date_epoch, write_file
from pruner.errors import EnvironmentFault, InputError, NegativeAnswer, PrunerError, UsageError, printable

if TYPE_CHECKING:
    from pruner.gate.policy.types import Policy
    from pruner.gate.types import Comparison, Side
    from pruner.plan.types import Plan

Texts = list[str]

Before = Annotated[str, typer.Argument(help="SBOM, plan or root filesystem of before; - is an SBOM on stdin.")]
After = Annotated[str, typer.Argument(help="The same of after, of any of the three kinds.")]
PolicyFile = Annotated[Path, typer.Option(metavar="FILE", help="The policy; `pruner policy init` writes one.")]
PlanDirectory = Annotated[
    Path | None, typer.Option(metavar="DIR", help="The plan that after was built from, which it is held against.")
]
VulnsBefore = Annotated[
    str | None, typer.Option(metavar="FILE", help="Scanner report on before: Grype, Trivy, CycloneDX.")
]
VulnsAfter = Annotated[str | None, typer.Option(metavar="FILE", help="The same scanner's report on after.")]
Format = Annotated[
    str, typer.Option("--format", metavar="FORMAT", help="text, json, markdown, sarif, junit, github or html.")
]
Reports = Annotated[
    Texts | None, typer.Option(metavar="FORMAT=FILE", help="Write a report to a file as well. Repeatable.")
]
Today = Annotated[
    str | None, typer.Option(metavar="DATE", help="The day that waivers expire by, instead of the clock's.")
]


def gate_command(
    before: Before,
    after: After,
    policy: PolicyFile,
    plan: PlanDirectory = None,
    vulns_before: VulnsBefore = None,
    vulns_after: VulnsAfter = None,
    report_format: Format = "text",
    report: Reports = None,
    today: Today = None,
) -> None:
    """Say whether a policy allows what changed; exit 0 when it passes, 1 when it fails, 3 for bad input.

    Examples:

      pruner gate before.syft.json after.syft.json --policy policy.yaml

      pruner gate before.syft.json after.syft.json --policy policy.yaml --plan plan --report json=gate.json
    """
    from pruner.gate.evaluate import evaluate
    from pruner.gate.reports import report_text

    outputs = _outputs(report_format, report or ())
    _spare((before, after, vulns_before, vulns_after, policy), outputs)
    day = _day(today)
    stated = policy_at(policy)
    planned = plan_at(plan)
    comparison = compared(before, after, planned, vulns_before, vulns_after)
    reasons = _plan_with_reasons(planned, after, comparison.after)
    verdict = evaluate(comparison, stated, today=day, plan=reasons)
    faults = []
    for name, path in outputs:
        try:
            write_file(path, _encoded(report_text(name, comparison, verdict, plan=reasons)))
        except EnvironmentFault as fault:
            faults.append(fault.fact)
    typer.echo(_encoded(report_text(report_format, comparison, verdict, plan=reasons)), nl=False)
    if faults:  # the verdict and the other reports are worth more than an early end
        raise EnvironmentFault("; ".join(faults))
    if not verdict.passed:
        failing = sum(finding.level == "fail" for finding in verdict.findings)
        raise NegativeAnswer(
            f"{printable(str(policy))}: {'one finding fails' if failing == 1 else f'{failing} findings fail'}",
            hint="the report says what, where and what would fix it",
        )


def _encoded(text: str) -> bytes:
    """UTF-8; what is no character (a name that is not UTF-8) is escaped."""
    return text.encode("utf-8", "backslashreplace")


def _outputs(report_format: str, reports: Texts | tuple[()]) -> list[tuple[str, Path]]:
    """Format and file of each `--report`. Raises `UsageError` before anything is read."""
    from pruner.gate.reports import FORMATS

    pairs: list[tuple[str, Path]] = []
    for text in reports:
        name, separator, path = text.partition("=")
        if not separator or not path:
            raise UsageError(f"--report {printable(text)}: no file is named", hint="as in --report json=gate.json")
        if path == "-":
            raise UsageError(f"--report {printable(text)}: - is no file", hint="--format says what standard output has")
        if any(Path(path).resolve() == other.resolve() for _, other in pairs):
            raise UsageError(
                f"--report {printable(text)}: another report goes to the same file", hint="give each a file of its own"
            )
        pairs.append((name, Path(path)))
    for name in (report_format, *(name for name, _ in pairs)):
        if name not in FORMATS:
            raise UsageError(f"format '{printable(name)}' is unknown", hint=f"the formats are {', '.join(FORMATS)}")
    return pairs


def _spare(inputs: tuple[str | Path | None, ...], outputs: list[tuple[str, Path]]) -> None:
    """Raises `UsageError` where a report would take the place of an input."""
    read = {Path(given).resolve() for given in inputs if given is not None}
    for _, path in outputs:
        if path.resolve() in read:
            raise UsageError(f"--report: {printable(str(path))} is an input", hint="give the report another name")


def _day(today: str | None) -> date:
    """The day that `--today` states, else SOURCE_DATE_EPOCH, else the machine's clock, in UTC."""
    if today is not None:
        try:
            return date.fromisoformat(today)
        except ValueError:
            raise UsageError(f"--today {printable(today)} is no date", hint="write YEAR-MONTH-DAY") from None
    epoch = source_date_epoch()
    return (datetime.now(UTC) if epoch is None else datetime.fromtimestamp(epoch, UTC)).date()


def plan_at(directory: Path | None) -> Plan | None:
    """The plan in `directory`, if one is given. Raises `InputError`."""
    if directory is None:
        return None
    from pruner.gate.sides.plan import read_plan

    return read_plan(directory)


def _plan_with_reasons(planned: Plan | None, location: str, after: Side) -> Plan | None:
    """The plan that says why things are there: `--plan`, else AFTER itself where it is one."""
    from pruner.gate.types import SideKind

    return plan_at(Path(location)) if planned is None and after.kind is SideKind.PLAN else planned


def compared(
    before: str, after: str, plan: Plan | None, vulns_before: str | None, vulns_after: str | None
) -> Comparison:
    """The comparison of the sides at `before` and `after`; where both reports are given, with vulnerabilities.

    Raises `UsageError` for one report without the other, and for standard input as two of the inputs.
    """
    from pruner.gate.compare import compare

    _check_inputs(before, after, vulns_before, vulns_after)
    comparison = compare(side_at(before, "BEFORE"), side_at(after, "AFTER"), plan=plan)
    if vulns_before is None or vulns_after is None:
        return comparison
    from pruner.gate.vulnerabilities import with_vulnerabilities
    from pruner.gate.vulnerabilities.scanners import read_report

    return with_vulnerabilities(comparison, read_report(vulns_before), read_report(vulns_after))


def _check_inputs(before: str, after: str, vulns_before: str | None, vulns_after: str | None) -> None:
    if (vulns_before is None) != (vulns_after is None):
        missing = "--vulns-after" if vulns_after is None else "--vulns-before"
        raise UsageError(f"{missing} is missing", hint="vulnerabilities are compared between two reports: give both")
    if [before, after, vulns_before, vulns_after].count("-") > 1:
        raise UsageError("standard input can be one of the inputs only")


def policy_at(path: Path) -> Policy:
    """The policy at `path`. Raises `InputError`, which says so where something to compare was given in its place."""
    from pruner.gate.policy import read_policy
    from pruner.gate.sides import read_side

    try:
        return read_policy(path)
    except InputError:
        try:
            kind = read_side(str(path)).kind if path.is_file() else None
        except PrunerError:
            kind = None
        if kind is None:
            raise
        what = {"sbom": "an SBOM", "plan": "a plan", "root": "a root filesystem"}[kind]
        raise InputError(
            f"{printable(str(path))}: {what}, not a policy", hint="`pruner policy init` writes one"
        ) from None


def side_at(location: str, which: str) -> Side:
    """The side at `location`; `which` is its name on the command line, for messages.

    Raises `InputError`, which says so where a scanner's report or a policy was given in its place.
    """
    import gc

    from pruner.gate.sides import read_side

    gc.disable()  # a reading or two and the process ends: the collector would walk a growing heap for nothing
    try:
        return read_side(location)
    except InputError as error:
        mistaken = _mistaken(location)
        if mistaken:
            raise InputError(f"{printable(location)}: {mistaken}, not {which}", hint=error.hint) from None
        raise


def _mistaken(location: str) -> str:
    """What was given instead of a side, where it is something else that the gate reads."""
    if location == "-" or not Path(location).is_file():
        return ""
    from pruner.gate.policy import read_policy
    from pruner.read.vulnerabilities import read_vulnerabilities

    for what, read in (
        ("a scanner's report", read_vulnerabilities),
        ("a policy", lambda text: read_policy(Path(text))),
    ):
        try:
            read(location)
        except InputError:
            continue
        return what
    return ""
