"""What `pruner slices` and its commands share: where slices come from, how a release is read, written and told of."""

from __future__ import annotations

import gc
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from pruner.errors import InputError, NegativeAnswer, UsageError, printable

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from pruner.emit.artifact import Artifact
    from pruner.slices.generate import Generated
    from pruner.slices.readrelease import ReadRelease
    from pruner.slices.types import Archive, Problem, PublicKey, Release, SliceKey, SliceSource

_MOST_PROBLEMS = 3
_MOST_NAMES = 5
_HEAD_BYTES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What was done."""

    output: Path
    release: Release
    cut: tuple[SliceKey, ...]
    changed: tuple[str, ...]
    """Files that were written or removed."""
    left: int
    """Things that finish.sh does or tells of."""
    notes: tuple[str, ...]
    refused: int = 0
    """Paths that can't be added to a release."""


def source_of(directory: Path | None, packages: Sequence[str], root: str | None, archives: str | None) -> SliceSource:
    """The slice source of a plan directory, or of packages in a root. Raises `UsageError` unless it is one of these."""
    if directory is not None and (packages or root is not None or archives is not None):
        raise UsageError("--package, --root and --from-packages stand for a plan", hint="give either it, or these")
    if directory is not None:
        from pruner.slices.source import source_of_directory

        return source_of_directory(directory)
    if not packages:
        raise UsageError(
            "neither a plan nor a package was given", hint="pruner slices PLAN -o RELEASE, or --package NAME"
        )
    if root is None and archives is None:
        raise UsageError("--package needs a root with it", hint="--root ROOT or --from-packages DIR, one of them")
    if root is not None and archives is not None:
        raise UsageError("both --root and --from-packages were given", hint="give one of them")
    if archives is not None and not any(name.suffix == ".deb" for name in _names(Path(archives))):
        hint = "`pruner fetch --lock FILE --dest DIR` fills one; --root takes a root filesystem"
        raise InputError(f"{printable(archives)}: holds no .deb files", hint=hint)
    from pruner.slices.packages import plan_packages
    from pruner.slices.source import source_of_planned

    place = root if root is not None else archives
    assert place is not None  # noqa: S101 -- one of the two is given
    gc.disable()  # as for a plan: one value grows, and the process ends
    return source_of_planned(plan_packages(packages, place), complete=packages)


def with_lists(source: SliceSource, directories: Sequence[Path]) -> SliceSource:
    """`source` with what packages ship on further architectures, and a note of what the lists of one lack.

    Raises `InputError` for a directory that lists none.
    """
    if not directories:
        return source
    from pruner.slices.lists import read_foreign_lists

    by_arch = read_foreign_lists(directories, source.architecture)
    sliced = sorted({file.package for file in source.files.values()} & source.listed.keys())
    notes = []
    for architecture, listed in by_arch.items():
        lacking = [name for name in sliced if name not in listed]
        if lacking:
            shown = ", ".join(lacking[:_MOST_NAMES]) + (", …" if len(lacking) > _MOST_NAMES else "")
            told = f"lack {len(lacking)} of {len(sliced)} packages, which count as not existing there: {shown}"
            notes.append(f"the lists of {architecture} {told}")
    return replace(source, listed_by_arch=by_arch, unknowns=(*source.unknowns, *notes))


def generated_for(
    source: SliceSource,
    format: str,  # noqa: A002
    archive: Archive | None = None,
    key: PublicKey | None = None,
) -> Generated:
    """The slices of `source`, in a release with `archive`."""
    from pruner.slices.archive import maintenance_of
    from pruner.slices.generate import generate

    return generate(
        source,
        format=format,
        archives=(archive,) if archive is not None else (),
        public_keys=(key,) if key is not None else (),
        maintenance=maintenance_of(source.distribution, source.version),
    )


def readable_release(directory: Path) -> Release:
    """The release in `directory`. Raises `InputError` with file and line of the first error in it."""
    return _sound(directory, _read(directory)).release


def write_new(output: Path, generated: Generated) -> Written:
    """Write a release of its own to `output`, in place of a former one that was made so."""
    from pruner.slices.store import store
    from pruner.slices.write import release_artifacts

    _require_own(output, "choose another --output, or extend a release with --release PATH")
    artifacts = release_artifacts(generated)
    stale = _stale(output, artifacts)
    changed = store(output, artifacts, remove=stale)
    notes = [] if generated.release.public_keys else ["chisel.yaml lacks the archive's key: give it with --archive-key"]
    notes += _notes_of_stale(stale)
    return Written(
        output=output,
        release=generated.release,
        cut=generated.cut,
        changed=changed,
        left=len(generated.leftovers),
        notes=(*notes, *generated.notes),
    )


def merge_into(release: Path, output: Path, source: SliceSource) -> Written:
    """Put the slices of `source` into the release at `release`, and write that to `output`, which may be the same.

    Another `output` is new, or one that pruner made, which is replaced.
    """
    from pruner.slices.archive import require_fit
    from pruner.slices.check import check_release
    from pruner.slices.merge import merge, merged_artifacts
    from pruner.slices.store import store

    elsewhere = output.resolve() != release.resolve()
    if elsewhere:
        _require_own(output, "choose another --output, or leave it out to extend the release in place", copy_of=release)
    read = _sound(release, _read(release))
    existing = read.release
    require_fit(existing.archives, source, shown=str(release))
    generated = generated_for(source, existing.format)
    merged = merge(
        generated,
        existing,
        listed=source.listed,
        architecture=source.architecture,
        listed_by_arch=source.listed_by_arch,
    )
    after = check_release(replace(read, release=merged.release, problems=()))
    _require_none(release, after, "the release would not be accepted with what is added to it")
    wanted = [existing.packages[name].file for name in merged.additions if name in existing.packages]
    wanted += ["finish.sh"] if (release / "finish.sh").is_file() else []
    files = {file: _bytes(release / file) for file in wanted}
    try:
        artifacts = merged_artifacts(merged, generated, files)
    except InputError as error:  # which knows the file below the release alone
        raise InputError(f"{printable(str(release))}/{error.fact}", hint=error.hint) from error
    if elsewhere:
        artifacts = _with_the_rest(release, existing, artifacts)
    notes = [*_notes_of_extending(existing, cut_of(output), merged.cut), *generated.notes]
    notes += [f"can't be added: {text}" for text in merged.refused]
    notes += [f"filled by a script: {text}" for text in merged.noted]
    stale = _stale(output, artifacts) if elsewhere else ()
    notes += _notes_of_stale(stale)
    changed = store(output, artifacts, remove=stale)
    return Written(
        output=output,
        release=merged.release,
        cut=merged.cut,
        changed=changed,
        left=len(generated.leftovers),
        notes=tuple(notes),
        refused=len(merged.refused),
    )


def tell(written: Written, *, quiet: bool) -> None:
    """Say on the terminal what was written, and what is to be known of it."""
    if quiet:
        return
    for note in written.notes:
        typer.echo(f"note: {printable(note)}", err=True)
    packages = written.release.packages.values()
    count = sum(len(package.slices) for package in packages)
    typer.echo(f"  release   {len(packages)} packages, {count} slices, format {written.release.format}")
    typer.echo(f"  cut       {len(written.cut)} slices (see {written.output}/cut.txt)")
    if written.left:
        typer.echo(f"  left      {written.left} things that slices can't say (see {written.output}/finish.sh)")
    typer.echo(f"  written   {written.output}/  ({len(written.changed)} files changed)")


def require_all_added(written: Written) -> None:
    """Raise `NegativeAnswer`, once all is written and told, for paths that could not be added."""
    if written.refused:
        count = f"{written.refused} path{'s' if written.refused > 1 else ''}"
        raise NegativeAnswer(
            f"{count} can't be added beside what the release has",
            hint="a cut lacks them; the notes name them, without --quiet. All else is written",
        )


def document_of(written: Written) -> dict[str, object]:
    """What `--json` prints."""
    return {
        "output": str(written.output),
        "format": written.release.format,
        "packages": len(written.release.packages),
        "slices": sum(len(package.slices) for package in written.release.packages.values()),
        "cut": [str(key) for key in written.cut],
        "changed": list(written.changed),
        "left": written.left,
        "refused": written.refused,
        "notes": list(written.notes),
    }


def cut_of(release: Path) -> dict[SliceKey, int]:
    """The slices that `cut.txt` of a release names, each with its line; none where there is no such file.

    What is no name of a slice stands there with the whole word as package.
    """
    from pruner.slices.readrelease import bytes_of
    from pruner.slices.types import SliceKey

    data = bytes_of(release / "cut.txt")
    lines = data.decode("utf-8", "replace").split("\n") if isinstance(data, bytes) else []
    found: dict[SliceKey, int] = {}
    for number, line in enumerate(lines, 1):
        for word in line.split():
            package, _, name = word.partition("_")
            found.setdefault(SliceKey(package, name), number)
    return found


def was_made_whole(release: Path) -> bool:
    """Whether pruner made the release, so that `cut.txt` cuts all of it."""
    from pruner.slices.readrelease import bytes_of
    from pruner.slices.write import MADE_BY

    data = bytes_of(release / "chisel.yaml")
    return isinstance(data, bytes) and MADE_BY.encode() in data[:_HEAD_BYTES]


def _read(directory: Path) -> ReadRelease:
    from pruner.slices.readrelease import read_release

    return read_release(directory)


def _sound(directory: Path, read: ReadRelease) -> ReadRelease:
    from pruner.slices.check import check_release

    _require_none(directory, check_release(read), "the release is not one that chisel accepts")
    return read


def _require_none(directory: Path, problems: Sequence[Problem], fact: str) -> None:
    """Raise `InputError` with the first errors of `problems`."""
    from pruner.slices.checkrules import TOLERATED
    from pruner.slices.types import Severity

    errors = [one for one in problems if one.severity is Severity.ERROR and one.rule not in TOLERATED]
    if not errors:
        return
    first = errors[0]
    lines = [f"{directory}/{one.file}:{one.line}: {one.message}" for one in errors[1:_MOST_PROBLEMS]]
    more = [f"{len(errors)} errors in all; `pruner slices check {directory}` lists them"] if len(errors) > 1 else []
    raise InputError(
        f"{directory}/{first.file}:{first.line}: {first.message}", hint="\n".join([fact, first.hint, *lines, *more])
    )


def _require_own(output: Path, hint: str, copy_of: Path | None = None) -> None:
    """Raise `InputError` for a directory that holds something else than a release that pruner made.

    One that it extended a copy of before, `copy_of`, has that one's head and a cut.txt.
    """
    from pruner.slices.write import MADE_BY

    if not output.is_dir() or not any(output.iterdir()):
        return
    head = output / "chisel.yaml"
    if copy_of is not None and (output / "cut.txt").is_file() and _bytes(head) == _bytes(copy_of / "chisel.yaml"):
        return
    if not head.is_file() or MADE_BY not in head.read_bytes()[:_HEAD_BYTES].decode("utf-8", "replace"):
        raise InputError(f"{printable(str(output))} is not empty and holds no release that pruner made", hint=hint)


def _notes_of_extending(existing: Release, former: Collection[SliceKey], cut: Collection[SliceKey]) -> list[str]:
    """What is to be known of a release with slices added to it; `former` slices stood in its cut.txt."""
    notes = []
    if not all(archive.public_keys for archive in existing.archives):
        notes.append("chisel.yaml lacks the archive's key: put it there, or generate the release with --archive-key")
    if former and set(former) != set(cut):
        notes.append(f"cut.txt is replaced: it named {len(former)} slices, those of a former application")
    return notes


def _stale(output: Path, artifacts: Sequence[Artifact]) -> tuple[str, ...]:
    """Slice definition files of a former release that the new one has not."""
    wanted = {artifact.path for artifact in artifacts}
    names = [f"slices/{path.name}" for path in sorted((output / "slices").glob("*.yaml"))]
    return tuple(name for name in [*names, "finish.sh"] if name not in wanted and (output / name).is_file())


def _notes_of_stale(stale: Sequence[str]) -> list[str]:
    return [f"removed {name}, which this release has not" for name in stale]


def _with_the_rest(release: Path, existing: Release, artifacts: Sequence[Artifact]) -> tuple[Artifact, ...]:
    """`artifacts` and the files of the release that they leave as they are."""
    from pruner.emit.artifact import Artifact

    made: Mapping[str, Artifact] = {artifact.path: artifact for artifact in artifacts}
    names = ["chisel.yaml", *(package.file for package in existing.packages.values())]
    rest = [Artifact(path=name, data=_bytes(release / name)) for name in names if name not in made]
    script = release / "finish.sh"
    if script.is_file() and script.name not in made:
        rest.append(Artifact(path=script.name, data=_bytes(script), mode=0o755))
    return (*artifacts, *rest)


def _names(directory: Path) -> list[Path]:
    try:
        return list(directory.iterdir())
    except OSError as error:
        fact = f"{printable(str(directory))}: can't be read: {(error.strerror or str(error)).lower()}"
        raise InputError(fact, hint="--from-packages takes a directory of .deb files") from error


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        fact = f"{printable(str(path))}: can't be read: {(error.strerror or str(error)).lower()}"
        raise InputError(fact, hint="it was there a moment ago; run it again") from error
