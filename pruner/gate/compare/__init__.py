"""What changed between two sides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pruner.gate.compare.conformity import conformity, plan_note
from pruner.gate.compare.files import file_changes
from pruner.gate.compare.names import with_true_names
from pruner.gate.compare.notes import notes_of, swap_note
from pruner.gate.compare.packages import package_changes
from pruner.gate.compare.surface import surface_of
from pruner.gate.types import Comparison

if TYPE_CHECKING:
    from pruner.gate.types import Side
    from pruner.plan.types import Plan


def compare(before: Side, after: Side, *, plan: Plan | None = None) -> Comparison:
    """What became of every package and file, and the attack surface of both sides.

    With `plan`, also whether `after` is what it says, and its entry points for sides that state none. What one side
    alone can know is left out and noted. The same sides give the same comparison, whatever order their tools wrote in.
    """
    entries: tuple[str, ...] = ()
    if plan is not None:
        from pruner.gate.sides.entries import entries_of_plan

        entries = entries_of_plan(plan)
    before, after = with_true_names(before, after, plan)
    packages = package_changes(before, after)
    files = file_changes(before, after)
    departures = None if plan is None else conformity(after, plan)
    foreign = () if plan is None or departures is None else plan_note(after, plan, departures, entries)
    return Comparison(
        before=before,
        after=after,
        packages=packages.changes,
        files=files,
        surface_before=surface_of(before, entries=before.entries or entries or after.entries, other=after),
        surface_after=surface_of(after, entries=after.entries or entries or before.entries, other=before),
        conformity=departures,
        notes=(*foreign, *swap_note(before, after, packages.changes, files), *notes_of(before, after), *packages.notes),
    )
