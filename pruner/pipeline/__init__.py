"""The one place that joins readers, analyzers and rules to the kernel.

    read -> inventory -> closure -> plan

`make_plan` is the stage's verb. Nothing on disk is changed, and the same input gives the same plan.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pruner.analyze.view import View
from pruner.closure import close
from pruner.errors import InputError, printable
from pruner.maintainer import ComposedRoot, open_installed
from pruner.model import DEFAULT_SEARCH_PATH, Choice, Edge, Inventory, Node
from pruner.pipeline.basics import base_directories, base_edges
from pruner.pipeline.copyrights import copyright_edges
from pruner.pipeline.demand import Demand
from pruner.pipeline.entries import check_features, find_entries
from pruner.pipeline.evidence import unowned_links
from pruner.pipeline.keeps import keep_edges
from pruner.pipeline.kinds import with_executables
from pruner.pipeline.materials import gather_materials
from pruner.pipeline.packages import packages_in_full
from pruner.pipeline.policy import Policy, drop_matcher, option_name
from pruner.pipeline.request import Profile, Request
from pruner.pipeline.runtimes import interpreters_kept
from pruner.pipeline.settle import Settler
from pruner.plan import Context, InputRecord, Plan, Settings, decide
from pruner.read import read_sbom
from pruner.read.inventory import join
from pruner.read.packages import has_database, inventory_of_packages
from pruner.read.relationfile import read_relations
from pruner.rootfs import Tree
from pruner.rules import RuleSet, load_rules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pruner.closure import Closure
    from pruner.plan.materials import Materials
    from pruner.rootfs import Root

__all__ = ["Planned", "Profile", "Request", "make_plan"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A plan with the inventory that it was made from: outputs such as the package database need both."""

    plan: Plan
    inventory: Inventory
    tree: Tree
    """Look-ups over the inventory's files."""
    materials: Materials
    """What install plans need beside the decisions."""


def make_plan(request: Request, *, progress: Callable[[str], None] = lambda _stage: None) -> Planned:
    """Read the inputs of `request`, close over its entry points and decide on every file and package.

    Raises `InputError` for an input that can't be used and `EntryError` for an entry point that does not exist.
    """
    progress("reading")
    rules = load_rules(request.rules)
    root = open_installed(request.root) if request.root is not None else None
    try:
        sbom = _stated(request, root)
        sources = [read_relations(file.path, file.direction or "dependant") for file in request.relations]
        inventory = join(sbom, root, sources)
        if not inventory.files:
            raise InputError(
                f"{printable(inventory.name)}: lists no files, so nothing can be decided on from it alone",
                hint="give the bytes with --root, or a syft-json SBOM",
            )
        if root is not None and request.packages:
            inventory = with_executables(inventory, root)
        if root is not None and root.lacks:
            inventory = replace(inventory, lacks=(*inventory.lacks, *root.lacks))
        search_path = inventory.image.search_path if inventory.image is not None else DEFAULT_SEARCH_PATH
        view = View(inventory, Tree(inventory.files), root=root, search_path=search_path)
        plan, closure = _plan(request, inventory, view, rules, progress)
        materials = gather_materials(plan, inventory, view.tree, root)
        # Those that the plan follows anyway are among its edges; these only tell which slice needs which.
        known = frozenset((edge.source, edge.target) for edge in closure.edges)
        interpreters = interpreters_kept(closure.edges, closure.reached, view)
        interpreters = tuple(edge for edge in interpreters if (edge.source, edge.target) not in known)
        materials = replace(materials, answered=(*closure.answered(), *interpreters))
        return Planned(plan=plan, inventory=inventory, tree=view.tree, materials=materials)
    finally:
        if root is not None:
            root.close()


def _stated(request: Request, root: Root | None) -> Inventory:
    """What the SBOM says, or where there is none, that the root's own packages say it all."""
    if request.sbom is not None:
        return read_sbom(request.sbom)
    if root is None or not (isinstance(root, ComposedRoot) or has_database(root)):
        raise InputError(
            f"{printable(request.root or 'no root')}: holds no package archives and no package database, so an SBOM is "
            "needed",
            hint="pruner plan SBOM …, or --from-packages with a directory of .deb or .apk files",
        )
    return inventory_of_packages(root)


def _plan(
    request: Request, inventory: Inventory, view: View, rules: RuleSet, progress: Callable[[str], None]
) -> tuple[Plan, Closure]:
    progress("closing")
    check_features(request.features, rules.capabilities)
    bound = rules.bind(inventory, view.tree, view.search_path)
    entries = find_entries(request.entries, view, sorted(request.features.items()))
    full = packages_in_full(request.packages, view, bound)
    kept = (*keep_edges(request.keep, view), *full.edges)
    policy = Policy(
        profile=request.profile,
        accept=request.accept,
        refuse=request.refuse,
        entry_files=entries.files,
        is_dropped=drop_matcher(request.drop, request.keep, entries.files, view.tree),
    )
    demand = Demand(view, bound, request.profile)
    settler = Settler(view, demand.needs_of)

    def settle(reached: Mapping[Node, bool], choices: tuple[Choice, ...]) -> Iterable[Edge]:
        return (
            settler.edges(reached, choices)
            or copyright_edges(reached, view)
            or (unowned_links(reached, view) if view.root is None else [])
        )

    closure = close(
        [*entries.edges, *kept, *base_edges(view)],
        edges_of=lambda node, active: full.edges_of(node, active, demand.edges_of),
        accepts=policy.accepts,
        settle=settle,
        beyond_of=demand.surface_of,
    )
    progress("deciding")
    context = Context(
        inputs=_input_records(request, view.root),
        entries=request.entries,
        profile=request.profile,
        unknowns=(*entries.unknowns, *(view.root.unknowns if isinstance(view.root, ComposedRoot) else ())),
        is_documentation=bound.is_documentation,
        is_dropped=policy.is_dropped,
        option_name=option_name,
        option_why=lambda edge: rules.why_of(edge.rule) or edge.evidence,
        directories=base_directories(view),
        verify=request.verify,
        settings=_settings(request),
        prices_options=not request.packages,
    )
    return decide(inventory, closure, context), closure


def _settings(request: Request) -> Settings:
    return Settings(
        keep=request.keep,
        drop=request.drop,
        features=tuple(name if value is None else f"{name}={value}" for name, value in request.features.items()),
        accept=request.accept,
        refuse=request.refuse,
        image=request.image,
    )


def _input_records(request: Request, root: Root | None) -> tuple[InputRecord, ...]:
    """Names and digests of the inputs; a directory has none, and no path of the planning machine is recorded."""
    named = [("sbom", Path(request.sbom))] if request.sbom is not None else []
    archives = root.archives if isinstance(root, ComposedRoot) else ()
    named += [("root", Path(request.root))] if request.root is not None and not archives else []
    named += [("relations", file.path) for file in request.relations]
    named += [("config", request.config)] if request.config is not None else []
    named += [("rules", path) for path in request.rules]
    packages = (InputRecord(role="packages", name=archive.file, digest=archive.digest) for archive in archives)
    others = (
        InputRecord(role=role, name="-" if str(path) == "-" else path.name, digest=_digest(path))
        for role, path in named
    )
    return (*packages, *others)


def _digest(path: Path) -> str | None:
    if not path.is_file():
        return None
    with path.open("rb") as stream:
        return f"sha256:{hashlib.file_digest(stream, 'sha256').hexdigest()}"
