"""A release of slice definitions out of a slice source: the heart of `pruner slices`.

files -> kinds -> atoms (loops dissolved) -> groups -> parts -> named slices with essentials -> contents

Pure and deterministic: the same source gives the same release whatever the order of its files.
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pruner.errors import InputError, printable
from pruner.model import FileType
from pruner.slices.arches import architectures_of_need
from pruner.slices.contents import contents_of
from pruner.slices.definitionfile import PACKAGE_NAME, PACKAGE_NAME_HINT
from pruner.slices.graph import atoms_of
from pruner.slices.grouping import groups_of
from pruner.slices.meaning import COPYRIGHT, MODULES, is_of_language, kinds_of
from pruner.slices.naming import LARGE, Described, names_of
from pruner.slices.partition import partition, whole
from pruner.slices.types import Content, Essential, Need, PathKind, Release, Slice, SlicedPackage, SliceKey, SourceFile

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping, Sequence

    from pruner.slices.contents import Body, Leftover
    from pruner.slices.graph import Cut
    from pruner.slices.types import Archive, PublicKey, SliceSource

MANIFEST = SliceKey("base-files", "chisel")
"""The slice that has chisel write down what it cut."""
_MANIFEST_PATH = "/var/lib/chisel/**"
_DOC = "/usr/share/doc"


@dataclass(frozen=True, slots=True, kw_only=True)
class Generated:
    """A release, and how to cut it."""

    release: Release
    cut: tuple[SliceKey, ...]
    """The fewest slices that bring all others, and the manifest's; sorted."""
    leftovers: tuple[Leftover, ...] = ()
    """What chisel can't express, bytewise by path."""
    notes: tuple[str, ...] = ()
    """What a reader should know, one sentence each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Files by slice, and the needs between slices."""

    files: Mapping[SliceKey, tuple[SourceFile, ...]]
    """Bytewise by path; every file, directories included, is in one slice of its package."""
    needs: Mapping[SliceKey, frozenset[SliceKey]]
    """Direct ones; without loops."""
    comments: Mapping[SliceKey, str] = field(default_factory=dict)


def generate(
    source: SliceSource,
    *,
    format: str = "v3",  # noqa: A002 -- the format's own word
    archives: Iterable[Archive] = (),
    public_keys: Iterable[PublicKey] = (),
    maintenance: Mapping[str, str] | None = None,
) -> Generated:
    """Slices of all that `source` keeps, each of which brings what its files need.

    Raises `InputError` for a package whose name chisel does not take: files are named for it.
    """
    _check_names(source)
    parts = parts_of(source)
    contents = contents_of(parts.files, source)
    with_copyright = {key.package for key in parts.files if key.slice == COPYRIGHT}
    slices = [_slice(key, parts, contents.bodies[key], source) for key in sorted(parts.files)]
    slices.append(
        Slice(key=MANIFEST, contents=(Content(path=_MANIFEST_PATH, kind=PathKind.GENERATE, source="manifest"),))
    )
    packages = _packages(slices, with_copyright)
    return Generated(
        release=Release(
            format=format,
            packages=packages,
            archives=tuple(archives),
            public_keys=tuple(public_keys),
            maintenance=dict(maintenance or {}),
        ),
        cut=_cut(packages),
        leftovers=contents.leftovers,
        notes=source.unknowns,
    )


def _check_names(source: SliceSource) -> None:
    for name in sorted({file.package for file in source.files.values()}):
        if not PACKAGE_NAME.fullmatch(name):
            hint = f"chisel takes {PACKAGE_NAME_HINT}"
            raise InputError(f"package '{printable(name)}' can't be sliced because of its name", hint=hint)


def parts_of(source: SliceSource) -> Parts:
    """Every file of `source` in one slice, and what the slices need of each other."""
    everything = {**source.files, **_copyrights(source)}
    files = {path: file for path, file in everything.items() if file.type is not FileType.DIRECTORY}
    return _Partition(source, everything, _with_mattering_directories(files, everything, source)).parts()


def _with_mattering_directories(
    files: Mapping[str, SourceFile], everything: Mapping[str, SourceFile], source: SliceSource
) -> dict[str, SourceFile]:
    """`files` with the directories that nothing below brings along as they are, or that their own package needs."""
    below: defaultdict[str, set[str]] = defaultdict(set)
    for path, file in files.items():
        parent = posixpath.dirname(path)
        while file.package not in below[parent]:
            below[parent].add(file.package)
            parent = posixpath.dirname(parent)
    needed = {
        need.target
        for path, needs in source.needs.items()
        for need in needs
        if path in files and need.target in everything and files[path].package == everything[need.target].package
    }
    found = dict(files)
    for path, file in everything.items():
        if file.type is not FileType.DIRECTORY or path == "/":
            continue
        is_plain = file.mode == 0o755 and not (file.uid or file.gid)
        # A directory that several packages fill is part of the hierarchy: its owner is any of them.
        is_own = below.get(path, {file.package}) == {file.package}
        if path not in below or (path in needed and is_own) or not is_plain:
            found[path] = file
    return found


def _copyrights(source: SliceSource) -> dict[str, SourceFile]:
    """Copyright files that packages ship and that the plan leaves out: a slice without one is refused by reviewers.

    A package of whose archive nothing is kept has none.
    """
    found = {}
    for package in {file.package for file in source.files.values() if file.shipped is not None}:
        path = f"{_DOC}/{package}/{COPYRIGHT}"
        if path in source.listed.get(package, ()) and path not in source.files:
            found[path] = SourceFile(path=path, type=FileType.REGULAR, mode=0o644, package=package, shipped=path)
    return found


class _Partition:
    """The work in hand."""

    def __init__(
        self, source: SliceSource, everything: Mapping[str, SourceFile], files: Mapping[str, SourceFile]
    ) -> None:
        self.source = source
        self.everything = everything
        self.files = {path: files[path] for path in sorted(files)}
        self.kinds = kinds_of(self.files)
        atoms = atoms_of(self.files, self._needs())
        complete = whole(atoms)
        groups = groups_of(complete, self.kinds, source)
        self.group_of = {path: groups[atom] for path, atom in complete.of.items()}
        made = partition(atoms, self.group_of)
        self.atoms, self.found, self.needs = made.atoms, made.parts, made.needs
        self.groups = [self.group_of[members[0]] for members in self.atoms.members]
        self.part_of = {atom: part for part, members in enumerate(self.found) for atom in members}

    def parts(self) -> Parts:
        """The parts under their names."""
        keys = self._keys()
        members: dict[SliceKey, list[SourceFile]] = {
            keys[part]: [self.files[path] for atom in atoms for path in self.atoms.members[atom]]
            for part, atoms in enumerate(self.found)
        }
        self._place_directories(members)
        return Parts(
            files={key: tuple(sorted(members[key], key=lambda file: file.path)) for key in sorted(members)},
            needs={keys[part]: frozenset(keys[other] for other in needs) for part, needs in enumerate(self.needs)},
            comments=self._comments(keys),
        )

    def _needs(self) -> dict[str, tuple[Need, ...]]:
        """The source's needs, less those that would make all of a package depend on what its copyright file names.

        A copyright comes with its own package, so that only another one, where a link leads there, needs it.
        Nor does who looks into a directory need the slice of another package that has put something there.
        """
        filled = {posixpath.dirname(path) for path in self.files}
        needs = {
            path: tuple(
                need
                for need in found
                if self.kinds.get(need.target) != COPYRIGHT and not self._is_of_another(path, need.target, filled)
            )
            for path, found in self.source.needs.items()
        }
        for path, kind in self.kinds.items():
            if kind == COPYRIGHT:
                found = [n for n in self.source.needs.get(path, ()) if self.kinds.get(n.target) == COPYRIGHT]
                file = self.files[path]
                if file.type is FileType.SYMLINK:
                    end = posixpath.normpath(posixpath.join(posixpath.dirname(path), file.target or "."))
                    there = f"{end}/{COPYRIGHT}"
                    if there in self.files:
                        found.append(Need(there, "link", "symbolic link to it"))
                needs[path] = tuple(found)
        return needs

    def _is_of_another(self, path: str, target: str, filled: Container[str]) -> bool:
        """Whether `target` is a plain directory that another package than that of `path` fills."""
        file, needed = self.files.get(path), self.files.get(target)
        return (
            file is not None
            and needed is not None
            and needed.type is FileType.DIRECTORY
            and needed.package != file.package
            and target in filled
            and needed.mode == 0o755
            and not (needed.uid or needed.gid)
        )

    def _keys(self) -> dict[int, SliceKey]:
        users: defaultdict[int, int] = defaultdict(int)
        for needs in self.needs:
            for other in needs:
                users[other] += 1
        by_package: defaultdict[str, dict[int, Described]] = defaultdict(dict)
        functions = self._functions()
        for part, atoms in enumerate(self.found):
            groups = frozenset(self.groups[atom] for atom in atoms)
            files = tuple(self.files[path] for atom in atoms for path in self.atoms.members[atom])
            by_package[self.atoms.package[atoms[0]]][part] = Described(groups, files, functions.get(part))
        return {
            part: SliceKey(package, name)
            for package, parts in by_package.items()
            for part, name in names_of(parts, users).items()
        }

    def _functions(self) -> dict[int, str]:
        """Names by function of the parts that are a language's runtime: many modules that an interpreter needs."""
        modules = [0] * len(self.found)
        for path, kind in self.kinds.items():
            if kind == MODULES and is_of_language(path):
                modules[self.part_of[self.atoms.of[path]]] += 1
        large = {part for part, count in enumerate(modules) if count >= LARGE}
        programs = {
            part
            for part, atoms in enumerate(self.found)
            if any(
                self.files[path].executable and self.files[path].elf for a in atoms for path in self.atoms.members[a]
            )
        }
        needed = {other for part in large for other in self.needs[part]}
        found = {}
        for part in sorted(large):
            if part in programs or any(part in self.needs[program] for program in programs):
                homes = {
                    self.atoms.package[self.found[program][0]] for program in programs if part in self.needs[program]
                }
                is_least = part in needed or self.atoms.package[self.found[part][0]] in homes
                found[part] = "minimal" if is_least and large.isdisjoint(self.needs[part]) else "core"
            elif part in needed and large.isdisjoint(self.needs[part]):
                found[part] = "standard"
        return found

    def _place_directories(self, members: dict[SliceKey, list[SourceFile]]) -> None:
        """Directories that come with what is below them go where most of that is."""
        below: defaultdict[tuple[str, str], defaultdict[SliceKey, int]] = defaultdict(lambda: defaultdict(int))
        for key, files in members.items():
            for file in files:
                parent = posixpath.dirname(file.path)
                while parent != "/":
                    below[parent, key.package][key] += 1
                    parent = posixpath.dirname(parent)
        main: dict[str, SliceKey] = {}
        for key in sorted(members, key=lambda key: (-len(members[key]), key)):
            main.setdefault(key.package, key)
        for path, file in sorted(self.everything.items()):
            if path in self.files or path == "/":
                continue
            counts = below.get((path, file.package))
            if counts:
                members[min(counts, key=lambda key: (-counts[key], key))].append(file)
            elif file.package in main:
                members[main[file.package]].append(file)
            else:
                members.setdefault(SliceKey(file.package, "data"), []).append(file)
                main[file.package] = SliceKey(file.package, "data")

    def _comments(self, keys: Mapping[int, SliceKey]) -> dict[SliceKey, str]:
        lines: defaultdict[SliceKey, list[str]] = defaultdict(list)
        for part, atoms in enumerate(self.found):
            kinds = sorted({self.groups[atom].tool or self.groups[atom].kind for atom in atoms})
            if len(kinds) > 1 and keys[part].slice != COPYRIGHT:
                lines[keys[part]].append(f"Of one piece, as they need each other: {', '.join(kinds)}.")
        cuts: defaultdict[tuple[SliceKey, SliceKey], list[Cut]] = defaultdict(list)
        for cut in self.atoms.cuts:
            ends = [keys[self.part_of[self.atoms.of[path]]] for path in (cut.source, cut.target)]
            cuts[ends[0], ends[1]].append(cut)
        for (key, other), found in sorted(cuts.items()):
            first = found[0]
            evidence = f" ({first.evidence})" if first.evidence else ""
            lines[key].append(
                f"Without {other}, which {first.source} needs for {first.target}{evidence}: they need each other, and"
                f" chisel takes no loop. Whatever needs one of them has both."
            )
        return {key: "\n".join(found) for key, found in lines.items()}


def _slice(key: SliceKey, parts: Parts, body: Body, source: SliceSource) -> Slice:
    needs = parts.needs.get(key, frozenset())
    implied = {SliceKey(other.package, COPYRIGHT) for other in needs if other.slice != COPYRIGHT}
    implied.add(SliceKey(key.package, COPYRIGHT))
    comment = "\n".join(filter(None, (parts.comments.get(key, ""), body.comment)))
    return Slice(
        key=key,
        essential=tuple(
            Essential(key=other, arch=architectures_of_need(key.package, other.package, source))
            for other in sorted(needs - implied, key=str)
        ),
        contents=body.contents,
        mutate=body.mutate,
        comment=comment,
    )


def _packages(slices: Sequence[Slice], with_copyright: Iterable[str]) -> dict[str, SlicedPackage]:
    by_name: defaultdict[str, list[Slice]] = defaultdict(list)
    for one in slices:
        by_name[one.key.package].append(one)
    return {
        name: SlicedPackage(
            name=name,
            essential=(Essential(key=SliceKey(name, COPYRIGHT)),) if name in with_copyright else (),
            slices=tuple(sorted(by_name[name], key=lambda one: (one.key.slice == COPYRIGHT, one.key))),
        )
        for name in sorted(by_name)
    }


def _cut(packages: Mapping[str, SlicedPackage]) -> tuple[SliceKey, ...]:
    """The slices that no other brings; as there are no loops, they bring all."""
    brought: set[SliceKey] = set()
    for package in packages.values():
        for one in package.slices:
            brought.update(other.key for other in (*one.essential, *package.essential) if other.key != one.key)
    keys = {one.key for package in packages.values() for one in package.slices}
    return tuple(sorted({*(keys - brought), MANIFEST}))
