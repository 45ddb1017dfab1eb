"""A comparison as lines of plain text that answer what changed."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from pruner.errors import printable
from pruner.gate.capabilities import capability_text
from pruner.gate.compare.conformity import UNPLANNED
from pruner.gate.compare.remaining import files_remain
from pruner.gate.compare.surface import items_beyond
from pruner.gate.keys import DISTRIBUTIONS
from pruner.gate.totals import regular_files, totals_of_both
from pruner.gate.types import Change
from pruner.model import FileType
from pruner.plan.materials import HOMES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pruner.gate.types import Comparison, FileChange, PackageChange, Side, SurfaceItem, VulnerabilityChange

_MOST = 20
"""Names that one group shows; JSON has all."""
_FEW = 10
"""Files that came or went and are worth a line each; of more only those that no package brought are named."""
_RECORDS = tuple(home for homes in HOMES.values() for home in homes)
_GROUPS = (
    (Change.ADDED, "added"),
    (Change.UPGRADED, "upgraded"),
    (Change.DOWNGRADED, "downgraded"),
    (Change.CHANGED, "changed version"),
    (Change.RESLICED, "re-sliced"),
)
_DEPARTURES = {Change.ADDED: "is there, the plan dropped it", Change.REMOVED: "is missing, the plan keeps it"}
_UNHEARD = "is there, the plan does not know it"
_STATES = (("invisible", "NO LONGER VISIBLE"), ("unknown", "gone, files unknown"), ("removed", "removed"))


def table_rows(comparison: Comparison) -> list[tuple[str, ...]]:
    """The table: what, before, after, change; `unknown` for what a side can't tell."""
    before, after = totals_of_both(comparison.before, comparison.after)
    rows: list[tuple[str, ...]] = [("", "before", "after", "change")]
    rows.append(_row("packages", before.packages, after.packages))
    rows.append(_row("files", before.files, after.files))
    rows.append(_row("MB", before.bytes, after.bytes, scale=1e6))
    one, other = comparison.surface_before.counts(), comparison.surface_after.counts()
    for category in sorted({*one, *other}):
        left, right = one.get(category, 0), other.get(category, 0)
        if left is not None or right is not None:
            rows.append(_row(category, left, right))
    return rows


def _row(name: str, one: int | None, other: int | None, *, scale: float = 0) -> tuple[str, ...]:
    def shown(number: int | None, sign: str = "") -> str:
        if number is None:
            return "unknown"
        return f"{number / scale:{sign}.{digits}f}" if scale else f"{number:{sign}d}"

    digits = 1 if max(one or 0, other or 0) >= scale else 3

    change = "" if one is None or other is None else shown(other - one, "+") if other != one else "="
    return (name, shown(one), shown(other), change)


def change_lines(comparison: Comparison) -> Iterator[str]:
    """Lines about packages, files, attack surface, vulnerabilities and conformity; at most twenty names a group."""
    yield from _package_lines(comparison)
    yield from _file_lines(comparison.files)
    yield from _surface_lines(comparison)
    yield from _vulnerability_lines(comparison.vulnerabilities or ())
    if comparison.conformity is not None:
        yield ""
        if not comparison.conformity:
            yield _conforming(comparison.after)
        else:
            yield f"departures from the plan: {len(comparison.conformity)}"
        for change in comparison.conformity[:_MOST]:
            said = _DEPARTURES.get(change.change) or f"differs: {_what(change)}"
            said = _UNHEARD if UNPLANNED in change.what else said
            yield f"  {printable(change.path)} {said}"
        yield from _more(comparison.conformity)


def _conforming(after: Side) -> str:
    if after.files is None:
        return "the packages are what the plan says; no files are listed"
    if not after.complete:
        return "what is listed is what the plan says; not every file is listed"
    return "the image is what the plan says"


def _package_lines(comparison: Comparison) -> Iterator[str]:
    groups: defaultdict[str, list[PackageChange]] = defaultdict(list)
    titles = dict(_GROUPS)
    states = dict(_STATES)
    for change in comparison.packages:
        hidden = change.visibility == "invisible"
        title = states[change.visibility] if hidden else titles.get(change.change) or states[change.visibility]
        groups[title].append(change)
    for title in (*states.values(), *titles.values()):
        members = groups.get(title)
        if not members:
            continue
        yield ""
        yield f"packages {title}: {len(members)}"
        yield from (f"  {_package_text(member, comparison)}" for member in members[:_MOST])
        yield from _more(members)


def _package_text(change: PackageChange, comparison: Comparison) -> str:
    key = change.key
    namespace = f"{key.namespace}/" if key.namespace and key.type not in DISTRIBUTIONS else ""
    name = f"{key.type}:{namespace}{key.name}"
    versions = [package.version for package in (change.before, change.after) if package is not None]
    text = f"{name} {' -> '.join(dict.fromkeys(versions))}"
    if change.change is Change.RESLICED and change.before is not None and change.after is not None:
        one = regular_files(change.before, comparison.before)
        text += f": {one} -> {regular_files(change.after, comparison.after)} regular files"
    if change.remaining:
        text += f": {files_remain(len(change.remaining))}, such as {change.remaining[0]}"
    elif change.is_moved:
        text += ": none of its files changed"
    return printable(text)


def _file_lines(changes: Sequence[FileChange] | None) -> Iterator[str]:
    if not changes:
        return
    kinds = (Change.ADDED, Change.REMOVED, Change.CHANGED)
    groups = {kind: [change for change in changes if change.change is kind] for kind in kinds}
    yield ""
    yield "files: " + ", ".join(f"{len(group)} {kind}" for kind, group in groups.items())
    for kind in (Change.ADDED, Change.REMOVED):
        if len(groups[kind]) <= _FEW:
            yield from (f"  {printable(change.path)}: {_whole(change)}" for change in groups[kind])
        elif kind is Change.ADDED:
            yield from _unowned(groups[kind])
    changed = groups[Change.CHANGED]
    yield from (f"  {printable(change.path)}: {_what(change)}" for change in changed[:_MOST])
    yield from _more(changed)


def _unowned(added: Sequence[FileChange]) -> Iterator[str]:
    """Of many files those that no package brought, as far as they are not a database's own records."""
    named = [
        change
        for change in added
        if change.after is not None
        and change.after.owner is None
        and change.after.type is not FileType.DIRECTORY
        and not change.path.startswith(_RECORDS)
    ]
    yield from (f"  {printable(change.path)}: {_whole(change)}, of no listed package" for change in named[:_FEW])
    if len(named) > _FEW:
        yield f"  and {len(named) - _FEW} more of no listed package"


def _whole(change: FileChange) -> str:
    """`added, mode 0755, owner 0:0`: of what is there on one side alone, as far as that side states it."""
    file = change.after or change.before
    said = [str(change.change)]
    if file is not None and file.mode is not None and file.type is not FileType.SYMLINK:
        said.append(f"mode {file.mode:04o}")
    if file is not None and file.uid is not None:
        said.append(f"owner {file.uid}:{file.gid}")
    return ", ".join(said)


def _what(change: FileChange) -> str:
    one, other = change.before, change.after
    if one is None or other is None:
        return ""
    said = []
    for word in change.what:
        if word == "mode" and one.mode is not None and other.mode is not None:
            said.append(f"mode {one.mode:04o} -> {other.mode:04o}")
        elif word == "owner":
            said.append(f"owner {one.uid}:{one.gid} -> {other.uid}:{other.gid}")
        elif word == "type":
            said.append(f"{one.type} -> {other.type}")
        elif word == "target":
            said.append(f"link to {printable(one.target or '')} -> {printable(other.target or '')}")
        elif word == "capabilities" and one.capabilities is not None and other.capabilities is not None:
            said.append(f"capabilities {capability_text(one.capabilities)} -> {capability_text(other.capabilities)}")
        else:
            said.append(word)
    return ", ".join(said)


def _surface_lines(comparison: Comparison) -> Iterator[str]:
    new = items_beyond(comparison.surface_after, comparison.surface_before, comparison.before)
    added = [item for item in new if item.category != "executable"]
    if added:
        yield ""
        yield f"attack surface added: {len(added)}"
        yield from (f"  {printable(_surface_text(item))}" for item in added[:_MOST])
        yield from _more(added)


def _surface_text(item: SurfaceItem) -> str:
    return f"{item.category}: {item.path}{f' ({item.detail})' if item.detail else ''}"


def _vulnerability_lines(changes: Sequence[VulnerabilityChange]) -> Iterator[str]:
    groups: defaultdict[str, list[VulnerabilityChange]] = defaultdict(list)
    for change in changes:
        groups[change.fate].append(change)
    for fate, members in groups.items():
        yield ""
        yield f"vulnerabilities {fate}: {len(members)}"
        for member in members[:_MOST]:
            found = member.vulnerability
            detail = f": {member.detail}" if member.detail else ""
            yield printable(f"  {found.id} ({found.severity}) of {found.package.name} {found.version}{detail}")
        yield from _more(members)


def _more(members: Sequence[object]) -> Iterator[str]:
    if len(members) > _MOST:
        yield f"  and {len(members) - _MOST} more"
