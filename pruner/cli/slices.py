"""`pruner slices`: chisel's slice definitions, generated, merged, checked and compared."""

from __future__ import annotations

import difflib
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from pruner.cli.output import progress_bar
from pruner.cli.slicetables import coverage_table, differences_table, problems_text
from pruner.cli.slicework import (
    cut_of,
    document_of,
    generated_for,
    merge_into,
    readable_release,
    require_all_added,
    source_of,
    tell,
    was_made_whole,
    with_lists,
    write_new,
)
from pruner.errors import NegativeAnswer, UsageError, printable

_DEFAULT = "generate"
_NEAR = 0.7
_FORMATS = ("v1", "v2", "v3")
_SHOWN_FORMATS = ("table", "json", "sarif")


def _place(text: str) -> Path:
    """The path that an option gives. Raises `UsageError` where it is empty, which `Path` takes for `.`."""
    if not text:
        raise UsageError("a directory is given by an empty name", hint="'.' is the current one")
    return Path(text)


class _Group(TyperGroup):
    """A group whose default command may go without its name: `pruner slices PLAN` is `pruner slices generate PLAN`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            near = difflib.get_close_matches(args[0], self.commands, n=1, cutoff=_NEAR)
            if near and not os.path.lexists(args[0]):
                raise UsageError(f"there is no command or plan '{printable(args[0])}'", hint=f"did you mean {near[0]}?")
            args = [_DEFAULT, *args]
        return super().parse_args(ctx, args)


slices_app = typer.Typer(
    cls=_Group,
    no_args_is_help=True,
    rich_markup_mode=None,
    help="""Write slice definitions for chisel, put them into a release, check and compare releases.

    `pruner slices PLAN` is short for `pruner slices generate PLAN`; a plan directory named like a command is ./NAME.

    Examples:

      pruner slices plan -o release

      pruner slices --package openssl --root rootfs -o release

      pruner slices plan --release chisel-releases

      pruner slices missing plan --release chisel-releases

      pruner slices check release --lists debs
    """,
)

PlanDirectory = Annotated[Path | None, typer.Argument(metavar="PLAN", help="A plan directory, of a plan with a root.")]
Output = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="PATH", parser=_place, help="Release directory to write to.")
]
Packages = Annotated[
    list[str] | None,
    typer.Option("--package", metavar="NAME", help="Slice a whole package, without a plan. Repeatable."),
]
RootLocation = Annotated[
    str | None, typer.Option("--root", metavar="ROOT", help="With --package: a directory, root tar or image with it.")
]
FromPackages = Annotated[
    str | None,
    typer.Option("--from-packages", metavar="DIR", help="With --package: a directory of .deb files instead."),
]
Format = Annotated[str | None, typer.Option("--format", metavar="FORMAT", help="v1, v2 or v3 (the default).")]
ReleasePath = Annotated[
    Path | None,
    typer.Option(
        "--release", metavar="PATH", parser=_place, help="A release to reuse and extend; without -o in place."
    ),
]
ArchiveKey = Annotated[
    Path | None, typer.Option("--archive-key", metavar="FILE", help="Armored public key that signs the archive.")
]
Suites = Annotated[
    list[str] | None, typer.Option("--suite", metavar="NAME", help="Of the archive, like noble. Repeatable.")
]
Components = Annotated[
    list[str] | None, typer.Option("--component", metavar="NAME", help="Of the archive, like main. Repeatable.")
]
ArchiveVersion = Annotated[
    str | None, typer.Option("--archive-version", metavar="VERSION", help="Of the archive in chisel.yaml, like 24.04.")
]
ForeignLists = Annotated[
    list[Path] | None,
    typer.Option(
        "--lists",
        metavar="DIR",
        help="What packages ship on another architecture: a directory of .deb files, or of dpkg's .list files (named"
        " NAME:ARCH.list, or in a directory named ARCH). Repeatable.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]


@slices_app.command(_DEFAULT, short_help="Write a release of slices, from a plan or for packages.")
def generate_command(
    directory: PlanDirectory = None,
    output: Output = None,
    package: Packages = None,
    root: RootLocation = None,
    from_packages: FromPackages = None,
    format: Format = None,  # noqa: A002 -- the option's name
    release: ReleasePath = None,
    archive_key: ArchiveKey = None,
    suite: Suites = None,
    component: Components = None,
    archive_version: ArchiveVersion = None,
    lists: ForeignLists = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Write chisel.yaml, slices/NAME.yaml and cut.txt: what `chisel cut` needs to cut what the plan keeps.

    With --release, existing slices are reused and only what is missing is added; nothing is renamed or removed.
    Exit 1 where something can't be added; all else is written. finish.sh, where there is one, does to a cut root what
    slices can't say.

    Examples:

      pruner slices generate plan -o release --archive-key archive.asc

      pruner slices generate --package openssl --from-packages debs -o release

      pruner slices generate plan --release chisel-releases

      pruner slices generate plan -o release --lists debs/arm64 --lists debs/s390x

    Then: mkdir out; chisel cut --release ./release --root out $(cat release/cut.txt)
    """
    _check_options(format, release, output, given=(archive_key, suite, component, archive_version))
    with progress_bar(("reading", "generating", "writing"), quiet=quiet) as progress:
        source = with_lists(source_of(directory, package or (), root, from_packages), lists or ())
        progress("generating")
        if release is not None:
            written = merge_into(release, output or release, source)
        else:
            from pruner.slices.archive import archive_of, read_archive_key

            assert output is not None  # noqa: S101 -- one of the two is given
            key = read_archive_key(archive_key) if archive_key is not None else None
            archive = archive_of(
                source, version=archive_version or "", suites=suite or (), components=component or (), key=key
            )
            generated = generated_for(source, format or "v3", archive, key)
            progress("writing")
            written = write_new(output, generated)
    if as_json:
        typer.echo(json.dumps(document_of(written), indent=2))
    else:
        tell(written, quiet=quiet)
    require_all_added(written)


@slices_app.command("missing", short_help="Say which slices a release lacks for a plan.")
def missing_command(
    directory: Annotated[Path, typer.Argument(metavar="PLAN", help="A plan directory, of a plan with a root.")],
    release: Annotated[Path, typer.Option("--release", metavar="PATH", help="The release to look in.")],
    as_json: AsJson = False,
) -> None:
    """List for every package that a plan needs the slices that serve it, and the paths that no slice brings.

    Exit 1 where there are such paths.

    Example:

      pruner slices missing plan --release chisel-releases
    """
    from pruner.slices.missing import missing

    existing = readable_release(release)
    source = source_of(directory, (), None, None)
    generated = generated_for(source, existing.format)
    rows = missing(generated, existing, listed=source.listed, architecture=source.architecture)
    if as_json:
        documents = [{**asdict(row), "slices": [str(key) for key in row.slices]} for row in rows]
        typer.echo(json.dumps(documents, indent=2))
    else:
        typer.echo(coverage_table(rows))
    if any(row.missing for row in rows):
        raise typer.Exit(NegativeAnswer.exit_code)


@slices_app.command("check", short_help="Say what is wrong with a release.")
def check_command(
    release: Annotated[Path, typer.Argument(metavar="RELEASE", help="A release directory.")],
    format: Annotated[str, typer.Option("--format", metavar="FORMAT", help="table, json or sarif.")] = "table",  # noqa: A002
    lists: Annotated[
        Path | None, typer.Option(metavar="DIR", help="A directory of .deb files, or of dpkg's .list files.")
    ] = None,
) -> None:
    """Check a release of slices: what chisel refuses, and what it takes without a word; exit 1 for errors.

    Examples:

      pruner slices check release

      pruner slices check chisel-releases --lists debs --format sarif
    """
    from pruner.slices.check import check_release
    from pruner.slices.lists import Lists, read_lists
    from pruner.slices.readrelease import read_release
    from pruner.slices.types import Severity

    if format not in _SHOWN_FORMATS:
        raise UsageError(f"format '{printable(format)}' is unknown", hint=f"one of {', '.join(_SHOWN_FORMATS)}")
    known = read_lists(lists) if lists is not None else Lists({}, "")
    read = read_release(release)
    cut = cut_of(release)
    roots = tuple(cut) if was_made_whole(release) else ()
    problems = check_release(read, lists=known.names, architecture=known.architecture, roots=roots, cut=cut)
    typer.echo(problems_text(problems, format, release))
    errors = sum(problem.severity is Severity.ERROR for problem in problems)
    if errors:
        raise NegativeAnswer(f"{printable(str(release))}: {errors} error{'s' if errors > 1 else ''}")


@slices_app.command("diff", short_help="Compare two releases.")
def diff_command(
    a: Annotated[Path, typer.Argument(metavar="A", help="A release directory.")],
    b: Annotated[Path, typer.Argument(metavar="B", help="Another one.")],
    as_json: AsJson = False,
) -> None:
    """List packages, slices, paths and essentials that are in one release alone, or otherwise; exit 1 if there are any.

    Example:

      pruner slices diff chisel-releases release
    """
    from pruner.slices.compare import compare

    found = compare(readable_release(a), readable_release(b))
    if as_json:
        typer.echo(json.dumps([asdict(difference) for difference in found], indent=2))
    else:
        typer.echo(differences_table(found) if found else "no differences")
    if found:
        raise typer.Exit(NegativeAnswer.exit_code)


def _check_options(
    format: str | None,  # noqa: A002
    release: Path | None,
    output: Path | None,
    *,
    given: tuple[object, ...],
) -> None:
    """Raise `UsageError` for options that don't fit each other; `given` are those that describe the archive."""
    if format is not None and format not in _FORMATS:
        raise UsageError(f"format '{printable(format)}' is unknown", hint=f"one of {', '.join(_FORMATS)}")
    if format is not None and release is not None:
        raise UsageError("--format is that of the release that is extended", hint="leave it out")
    if release is not None and any(given):
        raise UsageError("the release that is extended states the archive", hint="leave out --archive-key and the like")
    if any("" in one if isinstance(one, list) else one == "" for one in given):
        raise UsageError("--suite, --component or --archive-version is empty", hint="leave it out, or give a name")
    if output is None and release is None:
        raise UsageError("no place to write to was given", hint="pruner slices PLAN -o RELEASE")
