"""A generated release put into an existing one: what is there is used, and only what is missing is added.

Nothing of the existing release is renamed, removed or laid out anew. A generated slice whose paths existing slices
bring is replaced by those; what no slice brings goes into the slice of the same name, or into a new one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pruner.emit.artifact import Artifact
from pruner.slices.cover import Paths
from pruner.slices.edit import extended_file
from pruner.slices.links import Links
from pruner.slices.meaning import COPYRIGHT
from pruner.slices.patterns import matches
from pruner.slices.types import Content, Essential, PathKind, Release, Slice, SlicedPackage, SliceKey
from pruner.slices.write import cut_text, finish_artifacts, sdf_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pruner.slices.cover import Entry
    from pruner.slices.generate import Generated

_LONGEST_NAME_TRIES = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """Where a generated slice went."""

    key: SliceKey
    """As generated."""
    stands: tuple[SliceKey, ...]
    """The slices of the merged release that bring what it brings and needs, sorted; not what all of them come with."""
    reused: tuple[SliceKey, ...]
    """Existing slices that bring paths of it, sorted."""
    added: tuple[Content, ...]
    """Its paths that no existing slice brings."""
    refused: tuple[Content, ...]
    """Its paths that chisel would refuse beside what is there."""
    into: SliceKey | None
    """The slice that `added` goes into."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """An existing release with what was missing."""

    release: Release
    cut: tuple[SliceKey, ...]
    additions: Mapping[str, tuple[Slice, ...]]
    """By package: whole slices, or what slices that are there get."""
    placed: tuple[Placed, ...]
    """By generated slice."""
    refused: tuple[str, ...]
    """Paths that can't be added because chisel would refuse them beside what is there; one sentence each."""
    noted: tuple[str, ...] = ()
    """Paths that a script of the package's own slices fills, in place of what was generated; one sentence each."""


def merge(
    generated: Generated,
    existing: Release,
    *,
    listed: Mapping[str, Sequence[str]] | None = None,
    architecture: str = "",
    listed_by_arch: Mapping[str, Mapping[str, Sequence[str]]] | None = None,
) -> Merged:
    """Put `generated` into `existing`.

    `listed` has the names that packages ship, to take a pattern apart where it can't be added as it is;
    `architecture` is the one that was generated for, by Debian's name, and `listed_by_arch` tells what packages ship on
    the further ones.
    """
    work = _Merge(existing, listed or {}, architecture, listed_by_arch or {})
    for package, one in _ordered(generated.release):
        work.place(package, one)
    work.drop_lone_copyrights()
    wanted = {key for name in generated.cut for key in work.stands.get(name, ())}
    cut = work.links.reduced(wanted | work.copyrights)
    return Merged(
        release=_joined(existing, work.additions, generated.release, work.stands),
        cut=tuple(sorted(cut)),
        additions={name: tuple(slices.values()) for name, slices in sorted(work.additions.items())},
        placed=tuple(sorted(work.placed, key=lambda one: one.key)),
        refused=tuple(work.refused),
        noted=tuple(work.noted),
    )


def merged_artifacts(merged: Merged, generated: Generated, files: Mapping[str, bytes]) -> tuple[Artifact, ...]:
    """The files that change, and new ones: slice definition files, `cut.txt`, `finish.sh`.

    `files` has the bytes of slice definition files, and of a `finish.sh`, by path below the release. Raises
    `InputError` for one that can't be added to.
    """
    made = []
    for name, slices in merged.additions.items():
        package = merged.release.packages[name]
        if package.file:
            data = extended_file(files[package.file], slices, format=merged.release.format, name=package.file)
            made.append(Artifact(path=package.file, data=data))
        else:
            text = sdf_text(package, merged.release.format)
            made.append(Artifact(path=f"slices/{name}.yaml", data=text.encode()))
    former = files.get("finish.sh", b"").decode("utf-8", "replace")
    made += [Artifact(path="cut.txt", data=cut_text(merged.cut).encode()), *finish_artifacts(generated, former)]
    return tuple(sorted(made, key=lambda file: file.path))


class _Merge:
    """The work in hand: what stands for the generated slices so far, and what is added."""

    def __init__(
        self,
        existing: Release,
        listed: Mapping[str, Sequence[str]],
        architecture: str,
        listed_by_arch: Mapping[str, Mapping[str, Sequence[str]]],
    ) -> None:
        self.existing = existing
        self.listed = listed
        self.architecture = architecture
        self.listed_by_arch = listed_by_arch
        self.paths = Paths(existing)
        self.links = Links(existing)
        self.names = {one.key for package in existing.packages.values() for one in package.slices}
        self.stands: dict[SliceKey, tuple[SliceKey, ...]] = {}
        self.copyrights: set[SliceKey] = set()
        """Copyright slices of packages that are in the cut, where the slices that are there don't bring them."""
        self.additions: dict[str, dict[str, Slice]] = {}
        self.placed: list[Placed] = []
        self.refused: list[str] = []
        self.noted: list[str] = []

    def place(self, package: SlicedPackage, one: Slice) -> None:
        """Find slices that stand for `one`, or add what is missing; all that it needs has been placed."""
        reused, missing, refused = self._covered(one)
        shared = self._needs(package.essential) if one.key.slice != COPYRIGHT else {}
        needed = self._needs(one.essential)
        into = None
        if missing:
            wanted = {**{key: Essential(key=key) for key in reused}, **shared, **needed}
            into = self._add(package, replace(one, contents=tuple(missing)), wanted)
        first = tuple(reused) if into is None else (into,)
        # A copyright is for its own package to bring, and no need of who needs the package.
        if any(key.package == package.name for key in first):
            self.copyrights.update(self.links.unreached(first, shared))
        stands = (*first, *self.links.unreached(first, [*reused, *needed]))
        self.stands[one.key] = tuple(sorted(set(stands)))
        self.placed.append(
            Placed(
                key=one.key,
                stands=self.stands[one.key],
                reused=tuple(sorted(reused)),
                added=tuple(missing),
                refused=tuple(refused),
                into=into,
            )
        )

    def drop_lone_copyrights(self) -> None:
        """Take back copyright slices of new packages of which nothing else could be added, and that nobody needs."""
        while True:
            needed = {e.key for slices in self.additions.values() for one in slices.values() for e in one.essential}
            lone = [
                name
                for name, slices in self.additions.items()
                if set(slices) == {COPYRIGHT}
                and name not in self.existing.packages
                and slices[COPYRIGHT].key not in needed | self.copyrights
                and any(one.key.package == name and one.refused for one in self.placed)
            ]
            if not lone:
                return
            for name in lone:
                del self.additions[name]

    def _needs(self, essentials: Iterable[Essential]) -> dict[SliceKey, Essential]:
        """The slices that stand for `essentials`."""
        found: dict[SliceKey, Essential] = {}
        for one in essentials:
            for key in self.stands.get(one.key, (one.key,)):
                arch = one.arch
                if key in found:
                    arch = tuple(sorted({*arch, *found[key].arch})) if arch and found[key].arch else ()
                found[key] = replace(one, key=key, arch=arch)
        return found

    def on(self, package: str) -> tuple[str, ...]:
        """The architectures that a path of `package` is for unless it says otherwise."""
        further = [name for name, listed in self.listed_by_arch.items() if package in listed]
        return self.architecture, *further

    def _covered(self, one: Slice) -> tuple[list[SliceKey], list[Content], list[Content]]:
        """Existing slices that bring paths of `one`, few by greedy choice; what can be added, and what can not."""
        offers: dict[str, set[SliceKey]] = {}
        missing, refused = [], []
        for content in self._parts(one):
            found = {e.key for e in self.paths.covering(content, one.key.package, self.on(one.key.package))}
            own = {key for key in found if key.package == one.key.package}
            if found:
                offers[content.path] = own or found
            elif (other := self._clash(content, one.key)) is not None:
                same = other.content.path == content.path and content.kind is not PathKind.GLOB
                told = "makes it otherwise" if same else f"has {other.content.path}"
                sentence = f"{content.path} of {one.key}: {other.key} {told}"
                refused.append(content)
                if same and own_script(other, one.key.package):
                    offers[content.path] = {other.key}
                    self.noted.append(sentence)
                else:
                    self.refused.append(sentence)
            else:
                missing.append(content)
        return self._chosen(offers, one.key), missing, refused

    def _clash(self, content: Content, key: SliceKey) -> Entry | None:
        """What `content` can't stand beside: a conflict, or the same path in the very slice that it would go to."""
        same = (e for e in self.paths.meeting(content.path) if e.key == key and e.content.path == content.path)
        return next(same, None) or next(iter(self.paths.conflicts(content, key.package)), None)

    def _parts(self, one: Slice) -> Iterator[Content]:
        """The paths of `one`; a pattern that can't be added, and that nothing covers, as the names that it matches."""
        for content in one.contents:
            if (
                content.kind is PathKind.GLOB
                and not self.paths.covering(content, one.key.package, self.on(one.key.package))
                and any(self.paths.meeting(content.path))
                and (names := [n for n in self.listed.get(one.key.package, ()) if matches(content.path, n)])
            ):
                yield from (replace_path(content, name) for name in sorted(names))
            else:
                yield content

    @staticmethod
    def _chosen(offers: Mapping[str, set[SliceKey]], key: SliceKey) -> list[SliceKey]:
        """Few slices that together have an offer for every path; one of the same name before others."""
        left = dict(offers)
        chosen: list[SliceKey] = []
        while left:
            counts: dict[SliceKey, int] = {}
            for keys in left.values():
                for offered in keys:
                    counts[offered] = counts.get(offered, 0) + 1
            best = min(counts, key=lambda one: (-counts[one], one != key, one))
            chosen.append(best)
            left = {path: keys for path, keys in left.items() if best not in keys}
        return chosen

    def _add(self, package: SlicedPackage, one: Slice, wanted: Mapping[SliceKey, Essential]) -> SliceKey:
        """Add `one`, which holds what is missing and needs `wanted`, to the slice of its name or as a new one."""
        key = one.key
        if key in self.names:
            more = self.links.unreached((key,), wanted)
            # A script of the slice that is there may not be joined with another one.
            if one.mutate or self.links.closes_circle(key, more):
                key = self._fresh(key)
            else:
                wanted = {name: wanted[name] for name in more}
                one = replace(one, hint="", comment="")
        shared = self._shared(package)
        needed = tuple(wanted[name] for name in sorted(wanted) if name not in {key, *(s.key for s in shared)})
        self.additions.setdefault(package.name, {})[key.slice] = replace(one, key=key, essential=needed)
        self.links.add(key, [*needed, *shared])
        return key

    def _shared(self, package: SlicedPackage) -> tuple[Essential, ...]:
        """What all slices of the package come with in the merged release."""
        there = self.existing.packages.get(package.name)
        if there is not None:
            return there.essential
        return tuple(self._needs(package.essential).values())

    def _fresh(self, key: SliceKey) -> SliceKey:
        """A name like that of `key` which no slice has."""
        names = (SliceKey(key.package, f"{key.slice}-more{number or ''}") for number in range(_LONGEST_NAME_TRIES))
        return next(name for name in names if name not in self.names)


def own_script(entry: Entry, package: str) -> bool:
    """Whether a script of the same package fills the path: it may become what is wanted, so that its slice comes."""
    return entry.key.package == package and entry.content.mutable and entry.content.kind is PathKind.TEXT


def replace_path(content: Content, path: str) -> Content:
    """`content` for one path that its pattern matches."""
    return Content(path=path, arch=content.arch, until=content.until, comment=content.comment)


def _ordered(release: Release) -> Iterator[tuple[SlicedPackage, Slice]]:
    """Every slice after all that it needs."""
    slices = {one.key: (package, one) for package in release.packages.values() for one in package.slices}
    done: set[SliceKey] = set()
    for start in slices:
        todo = [start]
        while todo:
            key = todo[-1]
            package, one = slices[key]
            needed = (essential.key for essential in (*package.essential, *one.essential))
            waiting = [name for name in needed if name in slices and name not in done and name not in todo]
            if waiting and key not in done:
                todo.append(waiting[0])
                continue
            todo.pop()
            if key not in done:
                done.add(key)
                yield package, one


def _joined(
    existing: Release,
    additions: Mapping[str, Mapping[str, Slice]],
    generated: Release,
    stands: Mapping[SliceKey, tuple[SliceKey, ...]],
) -> Release:
    """`existing` with `additions`."""
    packages = dict(existing.packages)
    for name, slices in additions.items():
        there = packages.get(name)
        if there is None:
            made = generated.packages[name]
            essential = tuple(replace(one, key=key) for one in made.essential for key in stands.get(one.key, ()))
            packages[name] = replace(made, essential=essential, slices=tuple(slices.values()), file="")
        else:
            old = {one.key.slice for one in there.slices}
            grown = [_grown(one, slices[one.key.slice]) if one.key.slice in slices else one for one in there.slices]
            new = [one for name, one in slices.items() if name not in old]
            packages[name] = replace(there, slices=(*grown, *new))
    return replace(existing, packages={name: packages[name] for name in sorted(packages)})


def _grown(one: Slice, addition: Slice) -> Slice:
    return replace(one, essential=(*one.essential, *addition.essential), contents=(*one.contents, *addition.contents))
