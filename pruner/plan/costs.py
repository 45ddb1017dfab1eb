"""Marginal cost of optional edges: what refusing one would save, what accepting one would add at the least."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from pruner.model import Edge, File, FileType, Node, Strength
from pruner.plan.types import OptionalPlan

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from pruner.closure import Closure


def optional_plans(
    closure: Closure,
    files: Mapping[str, File],
    option_name: Callable[[Edge], str],
    option_why: Callable[[Edge], str] = lambda edge: edge.evidence,
) -> tuple[OptionalPlan, ...]:
    """Every option that was met, dearest first, also those that change nothing by themselves.

    Choices between alternatives are held as they are.
    """
    accepted: defaultdict[str, list[Edge]] = defaultdict(list)
    refused: defaultdict[str, list[Edge]] = defaultdict(list)
    for edge in closure.edges:
        # A hard edge has a group where its cost is worth knowing: the shell of a shell-form command.
        if edge.strength is Strength.OPTIONAL or edge.group is not None:
            accepted[option_name(edge)].append(edge)
    for edge in closure.refused:
        if edge.strength is Strength.OPTIONAL:
            refused[option_name(edge)].append(edge)
    plans = [_option(name, edges, True, closure.freed_by(edges), files) for name, edges in accepted.items()]
    plans += [_option(name, edges, False, closure.added_by(edges), files) for name, edges in refused.items()]
    plans = [replace(plan, why=option_why(plan.edges[0])) for plan in plans]
    return tuple(sorted(plans, key=lambda plan: (-plan.bytes, plan.name, plan.accepted)))


def _option(
    name: str, edges: list[Edge], accepted: bool, nodes: Collection[Node], files: Mapping[str, File]
) -> OptionalPlan:
    found = [files[node] for node in nodes if node in files]
    inodes = {file.hardlink or file.path: file.bytes for file in found if file.type is FileType.REGULAR}
    return OptionalPlan(
        name=name,
        accepted=accepted,
        edges=tuple(edges),
        bytes=sum(inodes.values()),
        files=sum(file.type is not FileType.DIRECTORY for file in found),
        why=edges[0].evidence,
    )
