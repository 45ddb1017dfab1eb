"""What the HTML report's script draws, as plain values. Names are printable text, and never HTML."""

from __future__ import annotations

import json
from itertools import chain
from typing import TYPE_CHECKING, Any

from pruner.errors import printable
from pruner.gate.evaluate.chains import package_names, shown_node
from pruner.gate.keys import key_of_plan
from pruner.gate.reports.graph import graph_of
from pruner.gate.types import Change
from pruner.model import FileType, Node
from pruner.plan.types import Decision

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping

    from pruner.gate.reports.graph import Graph
    from pruner.gate.types import Comparison, PackageChange, PackageKey, Side, SideFile, SurfaceItem
    from pruner.plan.types import Plan

MOST_FILES = 40_000
"""Files that the report names; of more, those that are there come first, and the report says how many it leaves out."""
STATES = ("kept", "dropped", "added", "changed", "not known after", "newly so", "no longer so", "not known before")
"""Of a file, and of an item of the attack surface: `newly so` where its file was there before, `no longer so` where the
file still is."""
HIDDEN = "no longer visible"
"""What became of a package whose entry is gone while its files remain."""
_KEPT, _DROPPED, _ADDED, _CHANGED, _BEFORE, _NEWLY, _NO_LONGER, _AFTER = range(len(STATES))
_STATES_OF_CHANGE = {Change.ADDED: _ADDED, Change.REMOVED: _DROPPED}
_ESCAPES = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})


def script_json(value: object) -> str:
    """JSON that stands safely in a `script` element: ASCII, without `<`, `>` and `&`."""
    return json.dumps(value, separators=(",", ":")).translate(_ESCAPES)


class _Strings:
    """Gives every text a number, the same text the same one."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def number(self, text: str) -> int:
        return self.numbers.setdefault(printable(text), len(self.numbers))


def report_data(comparison: Comparison, plan: Plan | None) -> dict[str, Any]:
    """Packages, files, the graph and the attack surface; lists of equal length are columns.

    `files.shared` is how many characters a path has in common with the one before, `files.rest` what follows them.
    Nodes are numbered: files first, then `others`; `source`, `kind` and `evidence` are of the step that leads to each,
    `group` is where it stands in the drawing, -1 for nowhere. Bytes of -1 are unknown. What remains of a package that
    is no longer visible stands at that package, and not among the files of no package.
    """
    strings = _Strings()
    keys = sorted(comparison.before.packages.keys() | comparison.after.packages.keys())
    numbers = {key: number for number, key in enumerate(keys)}
    changes = {change.key: change for change in sorted(comparison.packages, key=_is_invisible)}
    remains = _remains(comparison)
    owners = {path: numbers[key] for key, paths in sorted(remains.items()) for path in paths}
    graph = graph_of(comparison, plan)
    reasons = {} if plan is None else {key_of_plan(item, plan.distro): item.reason for item in plan.packages}
    files, left_out = _files(comparison)
    return {
        "states": STATES,
        "packages": [
            [
                printable(key.name),
                printable(_kind(key)),
                _versions(comparison.before, key),
                _versions(comparison.after, key),
                _bytes(comparison.before, key),
                _bytes(comparison.after, key),
                _state(changes.get(key)),
                strings.number(reasons.get(key, "")),
                _bytes_of(remains.get(key, ()), comparison.after),
            ]
            for key in keys
        ],
        "unowned": [_unowned(comparison.before, ()), _unowned(comparison.after, owners)],
        "files": _file_columns(files, comparison, numbers, owners),
        "listed": comparison.before.files is not None or comparison.after.files is not None,
        "leftOut": left_out,
        **_steps(files, graph, plan, strings),
        "groups": [
            [printable(group.label), group.kind, -1 if group.package is None else numbers[group.package], group.parent]
            for group in graph.groups
        ],
        "edges": list(chain.from_iterable(graph.edges)),
        "surface": list(_surface(comparison, numbers)),
        "strings": list(strings.numbers),
    }


def _is_invisible(change: PackageChange) -> bool:
    return change.visibility == "invisible"


def _remains(comparison: Comparison) -> dict[PackageKey, set[str]]:
    """The files of no package that are there of each package that is no longer visible, documentation among them."""
    before, after = comparison.before.files or {}, comparison.after.files or {}
    found: dict[PackageKey, set[str]] = {}
    for change in filter(_is_invisible, comparison.packages):
        own = change.before.files if change.before is not None else ()
        paths = {*change.remaining, *(path for path in own if path in before and before[path].owner == change.key)}
        found.setdefault(change.key, set()).update(
            path for path in paths if path in after and after[path].owner is None
        )
    return found


def _bytes_of(paths: Iterable[str], side: Side) -> int:
    """Of the files at `paths`; -1 where one of them is not known."""
    sizes = [side.files[path].bytes for path in paths if side.files is not None]
    return -1 if None in sizes else sum(size or 0 for size in sizes)


def _state(change: PackageChange | None) -> str:
    if change is None:
        return ""
    return HIDDEN if _is_invisible(change) else str(change.change)


def _versions(side: Side, key: PackageKey) -> str:
    return printable(", ".join(package.version for package in side.packages.get(key, ())))


def _kind(key: PackageKey) -> str:
    return ", ".join(part for part in ("/".join(filter(None, (key.type, key.namespace))), key.architecture) if part)


def _bytes(side: Side, key: PackageKey) -> int:
    """Of the files of a package; -1 where the side names none of them."""
    packages = side.packages.get(key, ())
    if packages and not any(package.files for package in packages):
        return -1
    return sum(package.bytes for package in packages)


def _unowned(side: Side, but: Container[str]) -> int:
    """Of the files of no package, without those at the paths `but`; -1 where the side lists no files."""
    if side.files is None:
        return -1
    return sum(
        file.bytes or 0
        for file in side.files.values()
        if file.owner is None and file.type is FileType.REGULAR and file.hardlink is None and file.path not in but
    )


def _files(comparison: Comparison) -> tuple[dict[str, SideFile], int]:
    """The files that the report names, by path and sorted, and how many more there are."""
    after, before = comparison.after.files or {}, comparison.before.files or {}
    gone = {path: file for path, file in before.items() if path not in after}
    every = [*sorted(after.items()), *sorted(gone.items())]
    chosen = [item for item in every if item[1].type is not FileType.DIRECTORY]
    return dict(sorted(chosen[:MOST_FILES])), max(0, len(chosen) - MOST_FILES)


def _file_columns(
    files: Mapping[str, SideFile],
    comparison: Comparison,
    numbers: Mapping[PackageKey, int],
    owners: Mapping[str, int],
) -> dict[str, list[Any]]:
    changed = {change.path: _STATES_OF_CHANGE.get(change.change, _CHANGED) for change in comparison.files or ()}
    after = comparison.after.files or {}
    columns: dict[str, list[Any]] = {"shared": [], "rest": [], "package": [], "bytes": [], "state": []}
    last = ""
    for path, file in files.items():
        shown = printable(path)
        shared = _shared(last, shown)
        columns["shared"].append(shared)
        columns["rest"].append(shown[shared:])
        columns["package"].append(owners.get(path, -1) if file.owner is None else numbers.get(file.owner, -1))
        columns["bytes"].append(-1 if file.bytes is None else file.bytes)
        columns["state"].append(changed.get(path, _KEPT if path in after else _BEFORE))
        last = shown
    return columns


def _shared(one: str, other: str) -> int:
    """How many characters two texts begin with in common; all are of the basic plane, as a script counts them."""
    number = 0
    for left, right in zip(one, other, strict=False):
        if left != right or ord(left) > 0xFFFF:
            break
        number += 1
    return number


def _steps(files: Mapping[str, SideFile], graph: Graph, plan: Plan | None, strings: _Strings) -> dict[str, list[Any]]:
    """The step that leads to each node, and why a plan dropped a file."""
    steps = graph.steps
    numbers = {Node(path): number for number, path in enumerate(files)}
    source, kind, evidence = [], [], []
    others: list[str] = []
    names = package_names(plan)
    leading = {step.source for step in steps.values() if step is not None}
    wanted = [*numbers, *sorted(leading - numbers.keys())]
    for node in wanted[len(numbers) :]:
        numbers[node] = len(numbers)
        others.append(shown_node(node, names))
    for node in wanted:
        step = steps.get(node)
        source.append(-1 if step is None else numbers.get(step.source, -1))
        kind.append(strings.number("" if step is None else step.kind))
        evidence.append(strings.number("" if step is None else step.evidence))
    dropped = {} if plan is None else {file.path: file.reason for file in plan.files if file.decision is Decision.DROP}
    why = [strings.number(dropped.get(path, "")) for path in files]
    group = [graph.group_of.get(node, -1) for node in wanted]
    return {"others": others, "source": source, "kind": kind, "evidence": evidence, "why": why, "group": group}


def _surface(comparison: Comparison, numbers: Mapping[PackageKey, int]) -> Iterator[list[Any]]:
    """Category, path, package, detail and state of each item of either side."""
    before = {(item.category, item.path): item for item in comparison.surface_before.items}
    after = {(item.category, item.path): item for item in comparison.surface_after.items}
    for name in sorted(before.keys() | after.keys()):
        item = after.get(name) or before[name]
        owner = -1 if item.owner is None else numbers.get(item.owner, -1)
        state = _item_state(item, comparison, before=name in before, after=name in after)
        yield [item.category, printable(item.path), owner, printable(item.detail), state]


def _item_state(item: SurfaceItem, comparison: Comparison, *, before: bool, after: bool) -> int:
    if before and after:
        return _KEPT
    if after:
        if item.category in comparison.surface_before.unknown:
            return _AFTER
        return _NEWLY if item.path in (comparison.before.files or {}) else _ADDED
    if item.category in comparison.surface_after.unknown:
        return _BEFORE
    return _NO_LONGER if item.path in (comparison.after.files or {}) else _DROPPED
