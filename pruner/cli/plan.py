"""`pruner plan`: from an SBOM to a plan directory."""

from __future__ import annotations

import difflib
import gc
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pruner.cli.output import megabytes, progress_bar, source_date_epoch, table, write_directory
from pruner.errors import NegativeAnswer, UsageError, printable

if TYPE_CHECKING:
    from pruner.pipeline.request import Request
    from pruner.plan import Plan

Texts = list[str]
_MOST_NEEDED = 3
"""Lines about missing libraries that the terminal shows; the summary has all."""


Sbom = Annotated[str | None, typer.Argument(help="Syft SBOM (JSON, .gz, .zst; CycloneDX and SPDX too), - for stdin.")]
Output = Annotated[Path, typer.Option("--output", "-o", help="Directory to write the plan to.")]
RootLocation = Annotated[
    str | None, typer.Option(metavar="ROOT", help="The bytes: a directory, root tar, docker-archive or OCI layout.")
]
FromPackages = Annotated[
    str | None,
    typer.Option(metavar="DIR", help="Instead of an SBOM and a root: a directory of .deb or .apk files."),
]
Entries = Annotated[
    Texts | None,
    typer.Option(
        metavar="ENTRY",
        help="/path, /tree/, deb:NAME, apk:NAME, rpm:NAME, a purl, 'cmd:COMMAND LINE' or image. Repeatable.",
    ),
]
Keeps = Annotated[Texts | None, typer.Option(metavar="GLOB", help="Glob of paths that must stay.")]
Drops = Annotated[Texts | None, typer.Option(metavar="GLOB", help="Glob of paths that must go.")]
Features = Annotated[
    Texts | None,
    typer.Option(metavar="NAME[=VALUE]", help="A capability: locale=en_US.UTF-8, timezone=Europe/Bratislava, iconv, …"),
]
Accepted = Annotated[Texts | None, typer.Option(metavar="OPTION", help="Take an option that `pruner costs` lists.")]
Refused = Annotated[Texts | None, typer.Option(metavar="OPTION", help="Leave out an option that `pruner costs` lists.")]
ProfileName = Annotated[str | None, typer.Option(metavar="PROFILE", help="minimal, balanced (the default) or package.")]
RulePacks = Annotated[
    list[Path] | None, typer.Option(metavar="DIRECTORY", help="Directory with a rule pack of your own.")
]
RelationsFiles = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="FILE", help="Package graph: dpkg status, Packages, apk installed, APKINDEX, node-link, GraphML, DOT."
    ),
]
Direction = Annotated[
    str | None, typer.Option(metavar="WAY", help="How edges of a graph file run: dependant (the default) or provider.")
]
ConfigFile = Annotated[Path | None, typer.Option(metavar="FILE", help="A pruner.yaml with the same settings.")]
ImageName = Annotated[
    str | None, typer.Option(metavar="IMAGE", help="Name of the fat image, for the Dockerfile's first stage.")
]
Strict = Annotated[bool, typer.Option("--strict", help="Exit 1 when anything is unknown.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the totals as JSON.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]


def plan_command(
    sbom: Sbom = None,
    output: Output = Path("plan"),
    root: RootLocation = None,
    entry: Entries = None,
    keep: Keeps = None,
    drop: Drops = None,
    feature: Features = None,
    accept: Accepted = None,
    refuse: Refused = None,
    profile: ProfileName = None,
    rules: RulePacks = None,
    relations: RelationsFiles = None,
    relations_direction: Direction = None,
    config: ConfigFile = None,
    image: ImageName = None,
    strict: Strict = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
    from_packages: FromPackages = None,
) -> None:
    """Decide on every file of an image and write the plan, a file list, a Dockerfile and install plans.

    Examples:

      pruner plan app.syft.json --root rootfs --entry 'cmd:python3 /app/main.py'

      pruner plan image.syft.json.gz --entry image -o plan --image registry/app:1

      pruner plan --from-packages debs --entry deb:nginx --entry /usr/sbin/nginx
    """
    request = request_from(
        sbom,
        config,
        {
            "root": root,
            "packages": from_packages,
            "entry": entry,
            "keep": keep,
            "drop": drop,
            "features": feature,
            "accept": accept,
            "refuse": refuse,
            "profile": profile,
            "rules": rules,
            "relations": relations,
            "relations_direction": relations_direction,
        },
    )
    plan = write_plan(request, output, image=image, quiet=quiet)
    if not quiet:
        _note_idle_options(request, plan)
    if as_json:
        typer.echo(json.dumps(totals_document(plan, output), indent=2))
    elif not quiet:
        typer.echo(_summary(plan, output))
    if strict:
        _require_no_unknowns(plan, output)


def _require_no_unknowns(plan: Plan, output: Path) -> None:
    if plan.unknowns:
        raise NegativeAnswer(
            f"{_counted(len(plan.unknowns))} unknown and --strict was given",
            hint=f"they are listed in {output}/summary.md",
        )


def write_plan(request: Request, output: Path, *, image: str | None, quiet: bool) -> Plan:
    """Make the plan of `request` and write its artifacts to `output`."""
    from pruner import make_planned
    from pruner.emit import emit_all

    # One plan and the process ends: the cyclic collector would walk a growing heap of frozen values for nothing
    # (a fifth of the time), and what is live at the end stays under 300 MB without it.
    gc.disable()
    with progress_bar(quiet=quiet) as progress:
        planned = make_planned(replace(request, image=image), progress=progress)
        progress("writing")
        artifacts = emit_all(planned.plan, image=image, epoch=source_date_epoch(), materials=planned.materials)
        write_directory(output, artifacts)
    return planned.plan


def request_from(sbom: str | None, config: Path | None, options: dict[str, object]) -> Request:
    """Join the command line with the configuration file: lists add up, for single values the command line wins."""
    from pruner.pipeline.request import Profile, Request
    from pruner.read.checks import check_as_text
    from pruner.read.config import DIRECTIONS, Config, RelationsFile, read_config

    direction = options.pop("relations_direction", None)
    if direction is not None and direction not in DIRECTIONS:
        raise UsageError(f"direction '{printable(str(direction))}' is unknown", hint=" or ".join(DIRECTIONS))
    root = _bytes_of(sbom, options.pop("root", None), options.pop("packages", None))
    files = options.pop("relations", None) or ()
    options["relations"] = tuple(RelationsFile(path=path, direction=direction) for path in files)  # type: ignore[attr-defined]
    base = read_config(config) if config is not None else Config()
    joined = base.joined(**options)
    profile = joined.profile or Profile.BALANCED
    if profile not in set(Profile):
        raise UsageError(f"profile '{printable(profile)}' is unknown", hint=f"one of {', '.join(Profile)}")
    if not joined.entry:
        raise UsageError(
            "no entry point was given", hint="name what must run: --entry image, or --entry 'cmd:nginx -g …'"
        )
    features = dict(text.partition("=")[::2] for text in joined.features)
    return Request(
        sbom=sbom,
        root=root,
        entries=joined.entry,
        keep=joined.keep,
        drop=joined.drop,
        features={name: value or None for name, value in features.items()},
        accept=joined.accept,
        refuse=joined.refuse,
        profile=Profile(profile),
        rules=joined.rules,
        relations=joined.relations,
        verify=tuple(check_as_text(check) for check in joined.verify),
        config=config,
    )


def _bytes_of(sbom: str | None, root: object, packages: object) -> str | None:
    """Where the bytes are: the root, or the packages that stand for it and its SBOM."""
    if packages is not None and (sbom is not None or root is not None):
        raise UsageError("--from-packages stands for the SBOM and its root", hint="give either it, or these")
    if packages is None and sbom is None:
        raise UsageError("no SBOM was given", hint="pruner plan SBOM --entry …, or --from-packages DIR")
    given = root if packages is None else packages
    return None if given is None else str(given)


def _note_idle_options(request: Request, plan: Plan) -> None:
    """Say which names of --accept and --refuse no option of this plan has: misspelt, or of another image."""
    known = {option.name for option in plan.optional}
    edges = [edge for option in plan.optional for edge in option.edges]
    named_otherwise = {edge.kind for edge in edges} | {edge.rule for edge in edges}
    for flag, names in (("--accept", request.accept), ("--refuse", request.refuse)):
        for name in names:
            if name not in known | named_otherwise and "/" not in name:  # KIND:PATH and a path name single edges
                near = difflib.get_close_matches(name, known, n=1)
                advice = f"did you mean {near[0]}?" if near else "`pruner costs` lists them"
                typer.echo(f"note: {flag} {printable(name)}: no option of this plan, {advice}", err=True)


def _counted(number: int) -> str:
    return "one thing is" if number == 1 else f"{number} things are"


def totals_document(plan: Plan, output: Path) -> dict[str, object]:
    """What `--json` prints."""
    from dataclasses import asdict

    return {
        "output": str(output),
        "before": asdict(plan.before),
        "after": asdict(plan.after),
        "unknowns": len(plan.unknowns),
        "options": [
            {"name": option.name, "accepted": option.accepted, "bytes": option.bytes, "files": option.files}
            for option in plan.optional
        ],
    }


def _summary(plan: Plan, output: Path) -> str:
    from pruner.emit.report import summary_rows

    rows: list[Sequence[str]] = [("", "before", "after"), *summary_rows(plan)]
    lines = [table(rows, right=(1, 2)), ""]
    lines += [f"  lacks     {printable(text)}" for text in plan.lacks]
    saved = [option for option in plan.optional if option.accepted and option.bytes][:3]
    lines += [
        f"  option    {option.name} costs {megabytes(option.bytes)} MB (--refuse {option.name} saves it)"
        for option in saved
    ]
    if plan.unknowns:
        lines.append(f"  unknown   {len(plan.unknowns)} (see {output}/summary.md)")
    lines += [f"  unknown   {text}" for text in _grave_unknowns(plan)]
    installs = _install_plans(plan)
    more = "".join(f", {name}/" for name in installs)
    made_of_packages = any(record.role == "packages" for record in plan.inputs)
    if plan.image is None:
        # Of packages alone there is no fat image that the plan's own Dockerfile could start from.
        place = f"{installs[0]}/Dockerfile" if made_of_packages and installs else "Dockerfile"
        lines.append(f"  add       ENTRYPOINT, USER and the like to {output}/{place}: no image configuration was found")
    lines.append(f"  written   {output}/  (plan.json, files.txt, Dockerfile, sbom.cdx.json, summary.md{more})")
    return "\n".join(lines)


def _grave_unknowns(plan: Plan) -> list[str]:
    """What stops programs from running rather than from doing all: the first lines of each kind, printable."""
    entries = [unknown for unknown in plan.unknowns if unknown.subject.startswith("entry:")]
    needed = [unknown for unknown in plan.unknowns if unknown.kind == "needed"]
    scripts = [unknown for unknown in plan.unknowns if unknown.kind == "maintainer-script"]
    lines = [
        f"{printable(unknown.subject.removeprefix('entry:'))}: {printable(unknown.detail)}"
        for unknown in (*entries, *needed[:_MOST_NEEDED])
    ]
    if len(needed) > _MOST_NEEDED:
        lines.append(f"libraries and loaders besides that are nowhere: {len(needed) - _MOST_NEEDED}")
    if scripts:
        lines.append(f"maintainer scripts that do more than could be followed: {len(scripts)}")
    return lines


def _install_plans(plan: Plan) -> list[str]:
    from pruner.plan import Decision

    kept = {package.type for package in plan.packages if package.decision is not Decision.DROP}
    return [name for kind, name in (("deb", "debian"), ("apk", "alpine"), ("rpm", "rpm")) if kind in kept]
