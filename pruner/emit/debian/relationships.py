"""Why each declared dependency of a kept package is installed or not: `relationships.json`.

Three classes (Debian Policy 7.2 makes no difference between them): needed at run time, needed by maintainer scripts
alone, needed by neither.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pruner.emit.artifact import Artifact
from pruner.errors import InputError
from pruner.model import EdgeKind, FileType, PackageId, package_node
from pruner.plan.types import Decision

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from pruner.model import Edge, Package
    from pruner.plan.materials import Materials
    from pruner.plan.types import Plan
    from pruner.rootfs import Tree

RELATIONSHIPS_FILE = "debian/relationships.json"
RUN_TIME, SCRIPTS, NEITHER = "run time", "maintainer scripts", "neither"
_GROUP = "maintainer-tools"
"""The option of rules/state.yaml under which packages stand that maintainer scripts alone call."""
_LOADING = frozenset({EdgeKind.LOAD, EdgeKind.CONFIG, EdgeKind.IMPORT})
_BIN = re.compile(r"/(?:usr/)?s?bin/([^/]+)")
_WORD = re.compile(r"[A-Za-z0-9_./+-]+")
_COMMENT = re.compile(r"^[ \t]*#.*$", re.MULTILINE)
_TARGET = re.compile(r"\s*([a-z0-9][a-z0-9+.-]*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    by_name: Mapping[str, tuple[Package, ...]]
    """Installed packages by name and by what they provide."""
    reached: Mapping[PackageId, Mapping[PackageId, Edge]]
    """For each package those that something of it leads to, each with the first edge of the way."""
    declared: Mapping[PackageId, str]
    """Kept because they are declared, with why that is enough: data has no code that names it."""
    tree: Tree
    tools: frozenset[PackageId]
    kept: frozenset[PackageId]


def relationships_artifact(plan: Plan, materials: Materials) -> Artifact:
    """One record for every clause that a kept Debian package declares, sorted by package, in declared order.

    `class` is `run time`, `maintainer scripts` or `neither`; `packages` are those installed in the image that satisfy
    the clause, `kept` those of them that the plan keeps.
    """
    installed = [package for package in materials.inventory.packages if package.type == "deb"]
    facts = _Facts(
        by_name=_by_name(installed),
        reached=_reached(plan),
        declared=_declared(plan),
        tree=materials.tree,
        tools=_tools(plan),
        kept=frozenset(package.id for package in plan.packages if package.decision is not Decision.DROP),
    )
    records = [
        record
        for package in installed
        if package.id in facts.kept
        for record in _records(package, facts, _script(materials.scripts.get(package.id)))
    ]
    lines = ",\n".join(json.dumps(record, separators=(", ", ": ")) for record in records)
    return Artifact(path=RELATIONSHIPS_FILE, data=f'{{"relationships": [\n{lines}\n]}}\n'.encode("ascii"))


def declared_by(directory: Path, name: str) -> tuple[str, ...]:
    """For each kept package that declares a need which package `name` would meet: who, what and why not needed.

    From the plan in `directory`; empty where it holds no such file. Raises `InputError` for one that is damaged.
    """
    path = directory / RELATIONSHIPS_FILE
    if not path.exists():
        return ()
    try:
        records = json.loads(path.read_bytes())["relationships"]
        return tuple(
            f"{record['package']} {record['field']}: {record['clause']}: {record['class']}: {record['reason']}"
            for record in records
            if name in record["packages"]
        )
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise InputError(f"{path}: can't be read: {error}", hint="plan again") from None


def _script(scripts: Mapping[str, str] | None) -> str | None:
    return None if scripts is None else "\n".join(scripts.values())


def _records(package: Package, facts: _Facts, script: str | None) -> Iterator[dict[str, object]]:
    words = None if script is None else frozenset(_WORD.findall(_COMMENT.sub("", script)))
    fields = (("Pre-Depends", package.pre_depends), ("Depends", package.depends))
    for field, clauses in fields:
        for clause in (part.strip() for text in clauses for part in text.split(",")):
            found = {
                option.id: option
                for text in clause.split("|")
                if (target := _TARGET.match(text))
                for option in facts.by_name.get(target[1], ())
            }
            if not clause or package.id in found:
                continue
            options = tuple(found.values())
            kind, reason = _class(package, field, options, facts, words)
            yield {
                "package": package.name,
                "architecture": package.architecture,
                "field": field,
                "clause": clause,
                "packages": [option.name for option in options],
                "kept": [option.name for option in options if option.id in facts.kept],
                "class": kind,
                "reason": reason,
            }


def _class(
    package: Package, field: str, options: tuple[Package, ...], facts: _Facts, words: frozenset[str] | None
) -> tuple[str, str]:
    if not options:
        return NEITHER, "nothing that is installed in the image satisfies it"
    for option in options:
        use = _use(package, option, facts)
        if use is not None:
            return RUN_TIME, use
    for option in options:
        called = sorted(_commands(option, facts.tree) & words) if words else []
        if called:
            return SCRIPTS, f"maintainer scripts of {package.name} call {', '.join(called[:3])} of {option.name}"
        if option.id in facts.tools:
            return SCRIPTS, f"{option.name} is a tool of maintainer scripts (rule {_GROUP})"
    if field == "Pre-Depends":
        return SCRIPTS, "needed before the package is unpacked, and nothing that is kept of it leads there"
    return NEITHER, f"nothing that is kept of {package.name} leads there"


def _use(package: Package, option: Package, facts: _Facts) -> str | None:
    """What of `package` leads to `option` at run time; a plugin needs the program that loads it."""
    edge = facts.reached.get(package.id, {}).get(option.id)
    if edge is not None:
        return f"{edge.source}: {edge.evidence or edge.kind}"
    edge = facts.reached.get(option.id, {}).get(package.id)
    if edge is not None and edge.kind in _LOADING:
        return f"{option.name} loads it; {edge.source}: {edge.evidence or edge.kind}"
    return facts.declared.get(option.id)


def _commands(package: Package, tree: Tree) -> frozenset[str]:
    """Words of a script that mean the package: its programs by name, and its paths less directories."""
    paths = {file.path for file in package.files}
    paths = {path for path in paths if (there := tree.get(path)) is None or there.type is not FileType.DIRECTORY}
    return frozenset({found[1] for path in paths if (found := _BIN.fullmatch(path))} | paths)


def _by_name(packages: Iterable[Package]) -> Mapping[str, tuple[Package, ...]]:
    found: defaultdict[str, list[Package]] = defaultdict(list)
    for package in packages:
        provided = (_TARGET.match(text) for field in package.provides for text in field.split(","))
        for name in dict.fromkeys((package.name, *(target[1] for target in provided if target))):
            found[name].append(package)
    return {name: tuple(sorted(those, key=lambda one: one.name != name)) for name, those in found.items()}


def _tools(plan: Plan) -> frozenset[PackageId]:
    owner = _Owners(plan)
    edges = (edge for option in plan.optional if option.name == _GROUP for edge in option.edges)
    return frozenset(found for edge in edges if (found := owner(edge.target)) is not None)


def _declared(plan: Plan) -> Mapping[PackageId, str]:
    kept = {package.id for package in plan.packages if package.decision is not Decision.DROP}
    return {
        package: edge.evidence
        for edge in plan.edges
        if edge.source.startswith("requires:")
        and (package := PackageId(edge.source.removeprefix("requires:"))) in kept
        and edge.target == package_node(package)
    }


class _Owners:
    """The package that a node belongs to, None for capabilities, entry points and files of no package."""

    def __init__(self, plan: Plan) -> None:
        self._files = {file.path: file.package for file in plan.files}
        self._ids = {package.id for package in plan.packages}

    def __call__(self, node: str) -> PackageId | None:
        if node.startswith("/"):
            return self._files.get(node)
        kind, _, name = node.partition(":")
        return name if kind in {"package", "requires"} and name in self._ids else None  # type: ignore[return-value]


def _reached(plan: Plan) -> Mapping[PackageId, Mapping[PackageId, Edge]]:
    """Packages that lie one step from each package: capabilities and unowned files between them are passed through."""
    owner = _Owners(plan)
    kept = {package.id for package in plan.packages if package.decision is not Decision.DROP}
    between: defaultdict[str, list[str]] = defaultdict(list)
    starts: list[tuple[PackageId, Edge]] = []
    for edge in plan.edges:
        source = owner(edge.source)
        if source is None:
            between[edge.source].append(edge.target)
        elif not (edge.kind is EdgeKind.DEPENDS and edge.target.startswith("requires:")):
            starts.append((source, edge))
    ends: dict[str, frozenset[PackageId]] = {}
    reached: defaultdict[PackageId, dict[PackageId, Edge]] = defaultdict(dict)
    for source, edge in starts:
        direct = owner(edge.target)
        for found in (direct,) if direct is not None else sorted(_ends(edge.target, between, owner, ends)):
            if found != source and found in kept:
                reached[source].setdefault(found, edge)
    return reached


def _ends(
    node: str, between: Mapping[str, list[str]], owner: _Owners, known: dict[str, frozenset[PackageId]]
) -> frozenset[PackageId]:
    """The packages that nodes without an owner lead to from `node`."""
    if node in known:
        return known[node]
    found, seen, waiting = set[PackageId](), {node}, [node]
    while waiting:
        for target in between.get(waiting.pop(), ()):
            package = owner(target)
            if package is not None:
                found.add(package)
            elif target not in seen:
                seen.add(target)
                waiting.append(target)
    known[node] = frozenset(found)
    return known[node]
