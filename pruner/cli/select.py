"""`pruner select`: from package indexes to the smallest set of packages that holds what was asked for."""

from __future__ import annotations

import gc
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pruner.cli.output import megabytes, table, write_file
from pruner.errors import InputError, NegativeAnswer, UsageError, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pruner.candidate import Candidate
    from pruner.relations.universe import Universe
    from pruner.select import Selection, SelectRequest

Relations = Annotated[
    list[Path], typer.Option(metavar="FILE", help="Packages, dpkg status, APKINDEX or apk installed. Repeatable.")
]
Entries = Annotated[
    list[str], typer.Option(metavar="ENTRY", help="deb:NAME, apk:NAME, with =VERSION, or a purl. Repeatable.")
]
PreferName = Annotated[
    str | None, typer.Option(metavar="WHAT", help="Before size: installed (see --installed) or real (over virtual).")
]
ObjectiveName = Annotated[str, typer.Option(metavar="WHAT", help="What is to be least: size, count or download.")]
Installed = Annotated[
    Path | None, typer.Option(metavar="STATUS", help="What is installed: a dpkg status or an apk installed database.")
]
WithEssential = Annotated[bool, typer.Option("--with-essential", help="Essential packages too: dpkg will run there.")]
Recommends = Annotated[bool, typer.Option("--recommends", help="Recommended packages too, as far as they can be had.")]
Architecture = Annotated[
    str | None, typer.Option(metavar="ARCH", help="Native architecture; that of the index by default.")
]
TimeLimit = Annotated[float, typer.Option(metavar="SECONDS", help="For the solver.")]
LockFile = Annotated[Path | None, typer.Option("--lock", metavar="FILE", help="Write the packages as a lock file.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the selection as JSON.")]


def select_command(
    relations: Relations,
    entry: Entries,
    prefer: PreferName = None,
    objective: ObjectiveName = "size",
    installed: Installed = None,
    with_essential: WithEssential = False,
    recommends: Recommends = False,
    architecture: Architecture = None,
    time_limit: TimeLimit = 60.0,
    lock: LockFile = None,
    as_json: AsJson = False,
) -> None:
    """Find the smallest set of packages that holds the entries and all that they need; it says whether that is proven.

    Examples:

      pruner select --relations Packages.xz --entry deb:nginx

      pruner select --relations APKINDEX.tar.gz --entry apk:nginx --lock packages.lock.json
    """
    from pruner.read.packageindex import read_index
    from pruner.select import Objective, Prefer, SelectRequest, select

    # One selection and the process ends: the collector would walk a growing heap of frozen values for nothing.
    gc.disable()
    if (prefer == Prefer.INSTALLED) != (installed is not None):
        raise UsageError("--prefer installed and --installed STATUS go together", hint="give both or neither")
    if not time_limit > 0:  # also what is no number
        raise UsageError("--time-limit is not above 0", hint="give seconds")
    request = SelectRequest(
        entries=tuple(entry),
        objective=Objective(_one_of("--objective", objective, tuple(Objective))),
        prefer=None if prefer is None else Prefer(_one_of("--prefer", prefer, tuple(Prefer))),
        with_essential=with_essential,
        recommends=recommends,
        time_limit=time_limit,
    )
    packages = universe([read_index(path) for path in relations], request, architecture)
    if installed is not None:
        request = replace(request, installed=_installed(installed, packages.ecosystem))
    selection = select(request, packages)
    if as_json:
        typer.echo(json.dumps(document(selection), indent=2))
    elif selection.packages:
        typer.echo(_report(selection))
    _check(selection)
    if lock is not None:
        _write_lock(selection, packages, lock)


def _one_of(option: str, value: str, known: Sequence[str]) -> str:
    if value not in known:
        raise UsageError(f"{option} '{printable(value)}' is unknown", hint=f"one of {', '.join(known)}")
    return value


def _installed(status: Path, ecosystem: str) -> frozenset[tuple[str, str]]:
    from pruner.read.packageindex import read_index

    index = read_index(status)
    if index.ecosystem != ecosystem:
        raise InputError(
            f"{index.name}: packages of the kind {index.ecosystem}, and those to select from are {ecosystem}",
            hint="give the --installed database of the same distribution",
        )
    return frozenset((one.name, one.version) for name in index.names() for one in index.named(name))


def universe(indexes: Sequence[Any], request: SelectRequest, architecture: str | None) -> Universe:
    """The packages of `indexes` in the ecosystem of the entries, for `architecture` or that of the indexes."""
    from pruner.relations.universe import Universe

    named = request.entries[0].removeprefix("pkg:").partition("/" if request.entries[0].startswith("pkg:") else ":")[0]
    known = [index.ecosystem for index in indexes]
    ecosystem = named if named in known else known[0]
    stated = [index.architecture for index in indexes if index.ecosystem == ecosystem and index.architecture]
    if architecture is None and not stated:
        raise UsageError("the native architecture is not known", hint="name it with --architecture")
    return Universe(indexes, ecosystem=ecosystem, architecture=architecture or stated[0])


def _check(selection: Selection) -> None:
    from pruner.select import Status

    if selection.status is Status.UNSATISFIABLE:
        facts = "; ".join(map(printable, selection.conflict))
        raise NegativeAnswer(
            f"no selection satisfies the request: {facts}",
            hint="give further indexes with --relations, or ask for less",
        )
    if not selection.packages:
        raise NegativeAnswer("no selection was found in time", hint="give more seconds with --time-limit")
    if selection.status is Status.NOT_PROVEN:
        typer.echo("note: the time limit was hit; a better selection may exist", err=True)
    for text in selection.unmet:
        typer.echo(f"note: not met: {printable(text)}", err=True)


def _write_lock(selection: Selection, packages: Universe, path: Path) -> None:
    from pruner.emit.packagelock import lock_artifact
    from pruner.select.lock import lock_of

    lock = lock_of(selection, ecosystem=packages.ecosystem, architecture=packages.architecture)
    write_file(path, lock_artifact(lock, path.name).data)


def document(selection: Selection) -> dict[str, Any]:
    """What `--json` prints: sizes in KiB, `delta_kib` null where a package can't be selected at all."""
    return {
        "status": selection.status.value,
        "installed_kib": selection.installed_kib,
        "download_bytes": selection.download_bytes,
        "packages": [{**_named(one), "installed_kib": one.installed_kib} for one in selection.packages],
        "choices": [
            {
                "needed_by": [{"package": who, "clause": clause} for who, clause in choice.needed_by],
                "chosen": [_named(one) for one in choice.chosen],
                "others": [
                    {**_named(other.package), "delta_kib": other.delta_kib, "proven": other.proven}
                    for other in choice.others
                ],
            }
            for choice in selection.choices
        ],
        "unmet": list(selection.unmet),
        "by_itself": list(selection.by_itself),
        "conflict": list(selection.conflict),
        "considered": selection.considered,
    }


def _named(one: Candidate) -> dict[str, Any]:
    return {"name": one.name, "version": one.version, "architecture": one.architecture}


def _report(selection: Selection) -> str:
    rows = [("package", "version", "architecture", "KiB")]
    rows += [
        (printable(one.name), printable(one.version), printable(one.architecture), str(one.installed_kib))
        for one in selection.packages
    ]
    lines = [table(rows, right=(3,)), ""]
    if selection.choices:
        lines += [table([("chosen", "instead of", "KiB more", "needed by"), *_choice_rows(selection)], right=(2,)), ""]
    if selection.by_itself:
        lines += [*map(printable, selection.by_itself), ""]
    download = f", {megabytes(selection.download_bytes)} MB to download" if selection.download_bytes else ""
    lines.append(
        f"{len(selection.packages)} packages, {selection.installed_kib} KiB installed{download}: "
        f"{selection.status.value}"
    )
    return "\n".join(lines)


def _choice_rows(selection: Selection) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for choice in selection.choices:
        who, clause = choice.needed_by[0]
        more = len(choice.needed_by) - 1
        needed = printable(who) + (f" ({printable(clause)})" if clause else "") + (f" and {more} more" if more else "")
        everyone = [*choice.chosen, *(other.package for other in choice.others)]
        chosen = ", ".join(_shown(one, everyone) for one in choice.chosen)
        for other in choice.others:
            instead = _shown(other.package, everyone)
            rows.append((chosen, instead, _delta(other.delta_kib, proven=other.proven), needed))
            chosen = needed = ""
    return rows


def _shown(package: Candidate, among: Sequence[Candidate]) -> str:
    """The name, with the version where another version is among the options (which then came before size)."""
    versions = {one.version for one in among if one.name == package.name}
    return printable(f"{package.name} {package.version}" if len(versions) > 1 else package.name)


def _delta(kib: int | None, *, proven: bool) -> str:
    if kib is None:
        return "not possible" if proven else "not known"
    return f"{kib:+}" if proven else f"at most {kib:+}"
