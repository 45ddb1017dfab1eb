"""`pruner verify`: run the same commands in the fat and in the pruned root, and say what differs."""

from __future__ import annotations

import json
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pruner.cli.plan import request_from, write_plan
from pruner.errors import NegativeAnswer, UsageError, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pruner.pipeline.request import Request
    from pruner.plan import Plan
    from pruner.read.checks import Check
    from pruner.rootfs import Root
    from pruner.verify import Missing, Outcome, Refinement, Verification

MOST_ROUNDS = 8
"""Rounds of `--refine`: each adds at least one path; a program that needs more is better served by a rule."""


def verify_command(
    directory: Annotated[Path, typer.Argument(help="A plan directory.")],
    root: Annotated[str, typer.Option(help="The fat root that the plan was made for, or its directory of packages.")],
    command: Annotated[
        list[str] | None,
        typer.Argument(help="Command to run, after --; beside the checks that the plan has from pruner.yaml."),
    ] = None,
    dest: Annotated[Path | None, typer.Option(help="The pruned root; written anew from the plan without it.")] = None,
    rules: Annotated[list[Path] | None, typer.Option(help="Rule packs, for advice on what is missing.")] = None,
    refine: Annotated[
        bool, typer.Option("--refine", help="Write what is missing into --config and plan again, until it holds.")
    ] = False,
    sbom: Annotated[str | None, typer.Option(help="With --refine: the SBOM that the plan was made from.")] = None,
    config: Annotated[Path, typer.Option(help="With --refine: the configuration file to add to.")] = Path(
        "pruner.yaml"
    ),
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcomes as JSON.")] = False,
) -> None:
    """Run a command, and the plan's `verify:` checks, in both roots and compare exit code and output.

    Examples:

      pruner verify plan --root rootfs -- python3 /app/main.py

      pruner verify plan --root rootfs --refine --sbom app.syft.json --config pruner.yaml
    """
    from pruner.emit.planfile import load_plan
    from pruner.maintainer import open_installed
    from pruner.verify import refinements

    if refine and sbom is None:
        raise UsageError("--refine plans again and needs the SBOM", hint="give it with --sbom")
    source = open_installed(root)
    try:
        for _ in range(MOST_ROUNDS if refine else 1):
            plan = load_plan(directory)
            verification = _verify(plan, source, root, dest, _checks(plan, command), rules or ())
            _print(verification, as_json=as_json)
            wanted = refinements(verification, plan) if refine and not verification.passed else ()
            if not wanted or sbom is None:
                break
            given = _Given(sbom=sbom, root=root, config=config, rules=tuple(rules or ()))
            if not _refined(wanted, plan, directory, given):
                break
            dest = None
    finally:
        source.close()
    if not verification.passed:
        raise NegativeAnswer(_verdict(verification.outcomes))


def _verdict(outcomes: Sequence[Outcome]) -> str:
    """How many checks failed, and in which root."""
    failed = [outcome for outcome in outcomes if not outcome.passed]
    differing = sum(outcome.comparable for outcome in failed)
    parts = [f"{differing} of {len(outcomes)} checks differ in the pruned root"] if differing else []
    if len(failed) > differing:
        parts.append(f"{len(failed) - differing} of {len(outcomes)} fail in the fat root, so nothing can be compared")
    return "; ".join(parts)


def _checks(plan: Plan, command: Sequence[str] | None) -> tuple[Check, ...]:
    from pruner.read.checks import Check, check_from_text

    checks = tuple(check_from_text(text) for text in plan.verify)
    if command:
        checks = (Check(command=tuple(command)), *checks)
    if not checks:
        raise UsageError("nothing to verify", hint="give a command after --, or `verify:` in pruner.yaml")
    return checks


def _verify(
    plan: Plan, source: Root, root: str, dest: Path | None, checks: Sequence[Check], rules: Sequence[Path]
) -> Verification:
    """Materialise what is not a directory yet, and verify."""
    from pruner.apply import apply
    from pruner.rootfs.directory import DirectoryRoot
    from pruner.rules import load_rules
    from pruner.verify import verify

    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pruner-verify-")))
        scratch.chmod(0o755)
        fat = Path(root)
        losses: tuple[str, ...] = ()
        if not isinstance(source, DirectoryRoot):
            fat = scratch / "fat"
            losses += apply(_everything(plan, source), source, fat, force=False).losses
        if dest is None:
            dest = scratch / "pruned"
            losses += apply(plan, source, dest, force=False).losses
        for loss in dict.fromkeys(losses):
            typer.echo(f"note: {printable(loss)}", err=True)
        return verify(fat, dest, checks, plan, rules=load_rules(rules), progress=_tell)


def _tell(text: str) -> None:
    """A line for each thing that is run, where someone watches: sandboxes are forked, so no thread may draw a bar."""
    if sys.stderr.isatty():
        typer.echo(printable(text), err=True)


def _everything(plan: Plan, source: Root) -> Plan:
    """A plan that keeps every file of the fat root, to write out one that is not a directory."""
    from msgspec import structs

    from pruner.plan import Decision

    files = [
        structs.replace(file, decision=Decision.KEEP)
        if file.decision is not Decision.MAKE
        else structs.replace(
            file,
            decision=Decision.KEEP,
            type=source.files[file.path].type,
            bytes=source.files[file.path].bytes,
            content=None,
        )
        for file in plan.files
        if file.path in source.files
    ]
    return replace(plan, files=tuple(files))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Given:
    """What planning again needs and a plan does not hold, since no path of a machine enters it."""

    sbom: str
    root: str
    config: Path
    rules: tuple[Path, ...]


def _refined(wanted: Sequence[Refinement], plan: Plan, directory: Path, given: _Given) -> bool:
    """Whether something new was written to the configuration; the plan is made again with it."""
    from pruner.read.configedit import add_keeps

    _request_again(plan, given)  # what can't be planned again is said before anything is written
    added = add_keeps(given.config, [(item.glob, item.observation) for item in wanted])
    if not added:
        return False
    for glob in added:
        typer.echo(f"refined: keep {printable(glob)}", err=True)
    write_plan(_request_again(plan, given), directory, image=plan.settings.image, quiet=True)
    return True


def _request_again(plan: Plan, given: _Given) -> Request:
    """The request that `plan` was made from, joined with what the configuration file says now.

    Raises `UsageError` when the plan was made with a file that neither the configuration nor the command line names.
    """
    settings = plan.settings
    options: dict[str, object] = {
        "root": given.root,
        "entry": plan.entries,
        "profile": plan.profile,
        "rules": given.rules,
        "keep": settings.keep,
        "drop": settings.drop,
        "features": settings.features,
        "accept": settings.accept,
        "refuse": settings.refuse,
    }
    request = request_from(given.sbom, given.config if given.config.exists() else None, options)
    known = {("rules", path.name) for path in request.rules} | {
        ("relations", file.path.name) for file in request.relations
    }
    for record in plan.inputs:
        if record.role in {"rules", "relations"} and (record.role, record.name) not in known:
            raise UsageError(
                f"the plan was made with {record.role} '{printable(record.name)}', "
                f"which {printable(str(given.config))} does not name",
                hint=f"write it there under {record.role}:",
            )
    return replace(request, verify=tuple(dict.fromkeys((*plan.verify, *request.verify))))


def _print(verification: Verification, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps([_document(outcome) for outcome in verification.outcomes], indent=2))
        return
    for caveat in verification.caveats:
        typer.echo(f"note: {printable(caveat)}", err=True)
    for outcome in verification.outcomes:
        status = "same   " if outcome.passed else "DIFFERS" if outcome.comparable else "FAILS  "
        typer.echo(f"{status}  {outcome.check.title}")
        for fact in outcome.facts:  # the line above names what was run
            typer.echo(f"  {fact.removeprefix(f'{outcome.check.title}: ').replace(f' {outcome.check.title} ', ' it ')}")
        if outcome.diff:
            typer.echo("\n".join(f"  {line}" for line in outcome.diff.splitlines()))
        for missing in outcome.missing if not outcome.passed else ():
            typer.echo(f"  missing {_described(missing)}")
        if outcome.passed and outcome.missing:
            typer.echo(f"  did without {len(outcome.missing)} names that the fat root has (--json lists them)")
        for note in outcome.notes:
            typer.echo(f"  note: {note}")


def _described(missing: Missing) -> str:
    owner = f" of {printable(missing.owner)}" if missing.owner else ""
    remedy = f"; {printable(missing.remedy)} would bring it" if missing.remedy else ""
    return f"{printable(missing.path)}{owner} ({printable(missing.observation)}){remedy}"


def _document(outcome: Outcome) -> dict[str, object]:
    return {
        "check": outcome.check.title,
        "passed": outcome.passed,
        "comparable": outcome.comparable,
        "facts": outcome.facts,
        "diff": outcome.diff,
        "missing": [asdict(missing) for missing in outcome.missing],
        "notes": outcome.notes,
    }
