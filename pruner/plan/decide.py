"""From a closure to a plan: a decision and a reason for every package and every file."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pruner.bytewise import bytewise
from pruner.model import (
    Edge,
    File,
    FileType,
    Inventory,
    Node,
    Package,
    PackageId,
    Strength,
    Unknown,
    node_kind,
    node_name,
    package_node,
)
from pruner.plan.costs import optional_plans
from pruner.plan.totals import totals_of
from pruner.plan.types import NO_EVIDENCE, Decision, FilePlan, InputRecord, PackagePlan, Plan, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pruner.closure import Closure


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a plan needs to know beyond the inventory and its closure."""

    inputs: tuple[InputRecord, ...]
    entries: tuple[str, ...]
    profile: str
    unknowns: tuple[Unknown, ...]
    """Unknowns from outside the closure: entry points, an input that holds too little."""
    is_documentation: Callable[[str], bool]
    is_dropped: Callable[[str], bool]
    option_name: Callable[[Edge], str]
    option_why: Callable[[Edge], str] = lambda edge: edge.evidence
    directories: tuple[FilePlan, ...]
    """Directories that a container needs whatever runs in it, kept or made."""
    verify: tuple[str, ...] = ()
    settings: Settings = field(default_factory=Settings)
    prices_options: bool = True
    """Whether the plan says what each option costs; a plan of whole packages has no use for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sources:
    """What the decisions on files and on packages are both taken from."""

    inventory: Inventory
    closure: Closure
    context: Context
    reasons: Mapping[Node, Edge]
    labels: Mapping[PackageId, str]


def decide(inventory: Inventory, closure: Closure, context: Context) -> Plan:
    """Return the plan that keeps what `closure` reached of `inventory`."""
    sources = _Sources(
        inventory=inventory,
        closure=closure,
        context=context,
        reasons=closure.reasons(),
        labels={package.id: package_label(package) for package in inventory.packages},
    )
    files = _decide_files(sources)
    packages = _decide_packages(sources, files)
    dropped_needs = [
        Unknown(kind="dropped-need", subject=edge.source, detail=f"needs {edge.target}, which --drop removes")
        for edge in closure.refused
        if edge.strength is Strength.HARD and not _is_kept(closure, edge.target)
    ]
    return Plan(
        profile=context.profile,
        entries=context.entries,
        inputs=context.inputs,
        image=inventory.image,
        distro=inventory.distro,
        mode="root" if inventory.has_content else "sbom",
        files=files,
        packages=packages,
        edges=closure.edges,
        optional=optional_plans(closure, inventory.files, context.option_name, context.option_why)
        if context.prices_options
        else (),
        capabilities=tuple(sorted(node_name(node) for node in closure.reached if node_kind(node) == "capability")),
        unknowns=tuple(sorted({*closure.unknowns, *context.unknowns, *dropped_needs})),
        lacks=inventory.lacks,
        before=totals_of(inventory.files.values(), sum(1 for _ in inventory.packages)),
        after=totals_of(
            (file for file in files if file.decision is not Decision.DROP),
            sum(package.decision is not Decision.DROP for package in packages),
        ),
        verify=context.verify,
        settings=context.settings,
    )


def package_label(package: Package) -> str:
    """The canonical purl of a package, or `TYPE:NAME@VERSION` where the SBOM gives none."""
    return str(package.purl) if package.purl is not None else f"{package.type}:{package.name}@{package.version}"


def _is_kept(closure: Closure, node: Node) -> bool:
    return node in closure.reached


# -- files ------------------------------------------------------------------------------------------------------------


def _decide_files(sources: _Sources) -> tuple[FilePlan, ...]:
    inventory, closure, labels = sources.inventory, sources.closure, sources.labels
    kept = {node for node in closure.reached if node in inventory.files}
    wanted = {file.path: file for file in sources.context.directories}
    parents = _parents_of([*kept, *wanted])
    options = {
        edge.target: sources.context.option_name(edge) for edge in closure.refused if edge.strength is not Strength.HARD
    }
    plans: dict[str, FilePlan] = {}
    for path, file in inventory.files.items():
        owner = next(iter(inventory.owners.get(path, ())), None)
        decision, origin = Decision.KEEP, None
        if path in kept:
            edge = sources.reasons[Node(path)]
            reason, origin = _reason(edge), edge.source
        elif path in wanted and file.type is FileType.DIRECTORY:
            reason = wanted[path].reason
        elif path in parents:
            reason, origin = f"parent of {parents[path]}", Node(parents[path])
        else:
            decision, reason = Decision.DROP, _why_dropped(path, owner, options, sources)
        plans[path] = _file_plan(file, decision, reason, origin, owner, labels)
    for path, directory in wanted.items():
        plans.setdefault(path, directory)
    for path, child in parents.items():
        plans.setdefault(path, made_directory(path, reason=f"parent of {child}", origin=Node(child)))
    return tuple(plans[path] for path in bytewise(plans))


def _why_dropped(path: str, owner: PackageId | None, options: Mapping[Node, str], sources: _Sources) -> str:
    if sources.context.is_dropped(path):
        return "dropped by the user"
    if Node(path) in options:
        return f"refused option {options[Node(path)]}"
    if sources.context.is_documentation(path):
        return "documentation class"
    if owner is not None and package_node(owner) not in sources.closure.reached:
        return f"not reached from any entry point; {sources.labels[owner]} is not kept whole"
    return "not reached from any entry point" + ("" if owner is not None else "; no package owns it")


def _file_plan(  # noqa: PLR0917 -- one call, in the order of the record
    file: File,
    decision: Decision,
    reason: str,
    origin: str | None,
    owner: PackageId | None,
    labels: Mapping[PackageId, str],
) -> FilePlan:
    return FilePlan(
        path=file.path,
        type=file.type,
        mode=file.mode,
        uid=file.uid,
        gid=file.gid,
        bytes=file.bytes,
        target=file.target,
        hardlink=file.hardlink,
        device=file.device,
        owner=labels[owner] if owner is not None else None,
        package=owner,
        decision=decision,
        reason=reason,
        origin=origin,
        digest=file.digest,
    )


def made_directory(path: str, *, reason: str, mode: int = 0o755, origin: Node | None = None) -> FilePlan:
    """A directory that the fat root does not list and the pruned root needs."""
    return FilePlan(
        path=path,
        type=FileType.DIRECTORY,
        mode=mode,
        uid=0,
        gid=0,
        bytes=0,
        target=None,
        hardlink=None,
        device=None,
        owner=None,
        package=None,
        decision=Decision.MAKE,
        reason=reason,
        origin=origin,
    )


def _parents_of(paths: Iterable[str]) -> dict[str, str]:
    """Every directory above one of `paths`, with the bytewise first path below it."""
    parents: dict[str, str] = {}
    for path in bytewise(paths):
        parent = path.rpartition("/")[0]
        while parent and parent not in parents:
            parents[parent] = path
            parent = parent.rpartition("/")[0]
    return parents


def _reason(edge: Edge) -> str:
    return edge.evidence if edge.evidence.startswith(NO_EVIDENCE) else f"{edge.kind}: {edge.evidence}"


# -- packages ---------------------------------------------------------------------------------------------------------


def _decide_packages(sources: _Sources, files: tuple[FilePlan, ...]) -> tuple[PackagePlan, ...]:
    inventory = sources.inventory
    by_path = {file.path: file for file in files}
    owned: defaultdict[PackageId, list[FilePlan]] = defaultdict(list)
    for path, owners in inventory.owners.items():
        file = by_path.get(path)
        if file is not None and file.type is not FileType.DIRECTORY:
            for owner in owners:
                owned[owner].append(file)
    by_location = _kept_locations(inventory, by_path)
    return tuple(
        _package_plan(package, owned[package.id], sources, is_found=package.id in by_location)
        for package in inventory.packages
    )


def _package_plan(package: Package, mine: list[FilePlan], sources: _Sources, *, is_found: bool) -> PackagePlan:
    kept = [file for file in mine if file.decision is not Decision.DROP]
    edge = sources.reasons.get(package_node(package.id))
    is_documentation = sources.context.is_documentation
    missing = sum(file.decision is Decision.DROP and not is_documentation(file.path) for file in mine)
    if not kept and not is_found:
        decision, reason = Decision.DROP, "none of its files is reached from an entry point"
    elif edge is None:
        decision, reason = Decision.SLICE, f"{len(kept)} of {len(mine)} files are reached"
    elif missing:
        decision, reason = Decision.SLICE, f"{_reason(edge)}; {missing} of its files left out"
    else:
        decision, reason = Decision.KEEP, _reason(edge)
    return PackagePlan(
        id=package.id,
        purl=sources.labels[package.id],
        type=package.type,
        name=package.name,
        version=package.version,
        architecture=package.architecture,
        decision=decision,
        bytes=bytes_of(mine),
        kept_bytes=bytes_of(kept),
        reason=reason,
        files=len(mine),
        kept_files=len(kept),
    )


def _kept_locations(inventory: Inventory, by_path: Mapping[str, FilePlan]) -> frozenset[PackageId]:
    """Packages without files of their own (a module built into a binary, a jar in a jar) whose evidence is kept."""
    found = set()
    for package in inventory.packages:
        if package.files or package.type in {"deb", "apk", "rpm", "alpm"}:
            continue
        for location in package.locations:
            file = by_path.get(location.partition(":")[0])
            if file is not None and file.decision is not Decision.DROP:
                found.add(package.id)
    return frozenset(found)


def bytes_of(files: Iterable[FilePlan]) -> int:
    """Bytes of the regular files among `files`, each hard-linked inode once."""
    inodes = {file.hardlink or file.path: file.bytes for file in files if file.type is FileType.REGULAR}
    return sum(inodes.values())
