"""What `pruner slices` and its commands share: where slices come from, how a release is read, written and told of."""

from __future__ import annotations

import gc
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from pruner.errors import InputError, UsageError, printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pruner.emit.artifact import Artifact
    from pruner.slices.generate import Generated
    from pruner.slices.readrelease import ReadRelease
    from pruner.slices.types import Archive, Problem, PublicKey, Release, SliceKey, SliceSource

_MOST_PROBLEMS = 3


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
    if (root is None) == (archives is None):
        raise UsageError("--package needs a root with it", hint="--root ROOT or --from-packages DIR, one of them")
    from pruner.slices.packages import plan_packages
    from pruner.slices.source import source_of_planned

    place = root if root is not None else archives
    assert place is not None  # noqa: S101 -- one of the two is given
    gc.disable()  # as for a plan: one value grows, and the process ends
    return source_of_planned(plan_packages(packages, place), complete=packages)


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
    from pruner.slices.write import MADE_BY, release_artifacts

    if output.is_dir() and any(output.iterdir()):
        head = output / "chisel.yaml"
        if not head.is_file() or MADE_BY not in head.read_bytes()[:200].decode("utf-8", "replace"):
            hint = "choose another --output, or extend a release with --release PATH"
            raise InputError(f"{printable(str(output))} is not empty and holds no release that pruner made", hint=hint)
    artifacts = release_artifacts(generated)
    stale = _stale(output, artifacts)
    changed = store(output, artifacts, remove=stale)
    notes = [] if generated.release.public_keys else ["chisel.yaml lacks the archive's key: give it with --archive-key"]
    return Written(
        output=output,
        release=generated.release,
        cut=generated.cut,
        changed=changed,
        left=len(generated.leftovers),
        notes=(*notes, *generated.notes),
    )


def merge_into(release: Path, output: Path, source: SliceSource) -> Written:
    """Put the slices of `source` into the release at `release`, and write that to `output`, which may be the same."""
    from pruner.slices.check import check_release
    from pruner.slices.merge import merge, merged_artifacts
    from pruner.slices.store import store

    read = _sound(release, _read(release))
    existing = read.release
    generated = generated_for(source, existing.format)
    merged = merge(generated, existing, listed=source.listed, architecture=source.architecture)
    after = check_release(replace(read, release=merged.release, problems=()))
    _require_none(release, after, "the release would not be accepted with what is added to it")
    wanted = [existing.packages[name].file for name in merged.additions if name in existing.packages]
    wanted += ["finish.sh"] if (release / "finish.sh").is_file() else []
    files = {file: _bytes(release / file) for file in wanted}
    artifacts = merged_artifacts(merged, generated, files)
    if output.resolve() != release.resolve():
        artifacts = _with_the_rest(release, existing, artifacts)
    changed = store(output, artifacts)
    notes = (*generated.notes, *(f"can't be added: {text}" for text in merged.refused))
    return Written(
        output=output,
        release=merged.release,
        cut=merged.cut,
        changed=changed,
        left=len(generated.leftovers),
        notes=notes,
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
        "notes": list(written.notes),
    }


def cut_of(release: Path) -> tuple[SliceKey, ...]:
    """The slices that `cut.txt` of a release names; none where there is no such file."""
    from pruner.slices.types import SliceKey

    try:
        words = (release / "cut.txt").read_text(encoding="utf-8", errors="replace").split()
    except OSError:
        return ()
    return tuple(SliceKey(*word.split("_", 1)) for word in words if "_" in word)


def _read(directory: Path) -> ReadRelease:
    from pruner.slices.readrelease import read_release

    return read_release(directory)


def _sound(directory: Path, read: ReadRelease) -> ReadRelease:
    from pruner.slices.check import check_release

    _require_none(directory, check_release(read), "the release is not one that chisel accepts")
    return read


def _require_none(directory: Path, problems: Sequence[Problem], fact: str) -> None:
    """Raise `InputError` with the first errors of `problems`."""
    from pruner.slices.checkrules import CUT_RULES
    from pruner.slices.types import Severity

    errors = [one for one in problems if one.severity is Severity.ERROR and one.rule not in CUT_RULES]
    if not errors:
        return
    first = errors[0]
    lines = [f"{directory}/{one.file}:{one.line}: {one.message}" for one in errors[1:_MOST_PROBLEMS]]
    more = [f"{len(errors)} errors in all; `pruner slices check {directory}` lists them"] if len(errors) > 1 else []
    raise InputError(
        f"{directory}/{first.file}:{first.line}: {first.message}", hint="\n".join([fact, first.hint, *lines, *more])
    )


def _stale(output: Path, artifacts: Sequence[Artifact]) -> tuple[str, ...]:
    """Slice definition files of a former release that the new one has not."""
    wanted = {artifact.path for artifact in artifacts}
    names = [f"slices/{path.name}" for path in sorted((output / "slices").glob("*.yaml"))]
    return tuple(name for name in [*names, "finish.sh"] if name not in wanted and (output / name).is_file())


def _with_the_rest(release: Path, existing: Release, artifacts: Sequence[Artifact]) -> tuple[Artifact, ...]:
    """`artifacts` and the files of the release that they leave as they are."""
    from pruner.emit.artifact import Artifact

    made: Mapping[str, Artifact] = {artifact.path: artifact for artifact in artifacts}
    names = ["chisel.yaml", *(package.file for package in existing.packages.values())]
    rest = [Artifact(path=name, data=_bytes(release / name)) for name in names if name not in made]
    return (*artifacts, *rest)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{printable(str(path))}: can't be read: {(error.strerror or str(error)).lower()}") from error
