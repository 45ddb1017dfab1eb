"""Loops between files: kept within a package, cut between packages where the need is weakest."""

from __future__ import annotations

import itertools

import networkx
from hypothesis import given
from hypothesis import strategies as st

from pruner.slices.graph import atoms_of, components, strength
from pruner.slices.partition import partition, whole
from pruner.slices.types import Need
from tests.unit.slices import file, source

A, B, C = "/usr/share/a", "/usr/share/b", "/usr/share/c"


def test_components_come_after_what_they_need() -> None:
    """A loop is one component."""
    assert components([{1}, {2}, {1}, {0}]) == [[1, 2], [0], [3]]
    assert components([]) == []


@given(st.integers(0, 9).flatmap(lambda n: st.lists(st.sets(st.integers(0, max(n - 1, 0))), min_size=n, max_size=n)))
def test_components_are_those_of_networkx(after: list[set[int]]) -> None:
    """Each after all that it needs."""
    graph = networkx.DiGraph({node: sorted(targets) for node, targets in enumerate(after)})
    found = components(after)
    assert sorted(found) == sorted(map(sorted, networkx.strongly_connected_components(graph)))
    place = {node: number for number, part in enumerate(found) for node in part}
    assert all(place[target] <= place[node] for node, targets in enumerate(after) for target in targets)


def test_what_the_loader_needs_is_stronger_than_what_a_program_may_open() -> None:
    """DT_NEEDED before dlopen before data before a declared dependency before a rule."""
    needs = [
        Need("/x", "load", "DT_NEEDED libx.so"),
        Need("/x", "load", "dlopen literal libx.so"),
        Need("/x", "data", "names /x"),
        Need("/x", "depends", "declares a dependency"),
        Need("/x", "rule", ""),
        Need("/x", "of another time", ""),
    ]
    found = [strength(need) for need in needs]
    assert found == sorted(found, reverse=True)
    assert len(set(found[:5])) == 5


def test_files_of_a_package_that_need_each_other_are_one_atom() -> None:
    """They stay together, and nothing is cut."""
    drawn = source([file(A, "one"), file(B, "one"), file(C, "one")], {A: [B], B: [A, C]})
    atoms = atoms_of(drawn.files, drawn.needs)
    assert atoms.members == ((C,), (A, B))
    assert atoms.needs == (frozenset(), frozenset({0}))
    assert (atoms.cuts, atoms.knots) == ((), ())


def test_the_weakest_need_of_a_circle_through_packages_is_cut() -> None:
    """And the circle is a knot: whoever needs one of its files needs both."""
    drawn = source(
        [file(A, "one"), file(B, "two"), file(C, "three")],
        {A: [(B, "load", "dlopen literal b")], B: [A], C: [A]},
    )
    atoms = atoms_of(drawn.files, drawn.needs)
    assert [(cut.source, cut.target, cut.evidence) for cut in atoms.cuts] == [(A, B, "dlopen literal b")]
    assert [{atoms.members[atom] for atom in knot} for knot in atoms.knots] == [{(A,), (B,)}]
    complete = whole(atoms)
    assert {complete.members[other] for other in complete.needs[complete.of[C]]} == {(A,), (B,)}


def test_no_more_is_cut_than_the_circle_asks_for() -> None:
    """Of three needs in a ring the data is cut; the strong one beside it stays."""
    drawn = source(
        [file(A, "one"), file(B, "two"), file(C, "three")],
        {A: [B], B: [C], C: [(A, "data", "names a"), B]},
    )
    atoms = atoms_of(drawn.files, drawn.needs)
    assert (C, A) in {(cut.source, cut.target) for cut in atoms.cuts}
    assert (A, B) not in {(cut.source, cut.target) for cut in atoms.cuts}
    assert len(atoms.cuts) == 2  # B and C need each other as firmly


def test_needs_of_what_is_not_there_are_passed_over() -> None:
    """A directory that matters to nobody, say."""
    drawn = source([file(A, "one")], {A: ["/gone", A], "/gone": [A]})
    assert atoms_of(drawn.files, drawn.needs).needs == (frozenset(),)


def _parts(drawn, groups: dict[str, str]) -> set[tuple[str, ...]]:
    made = partition(atoms_of(drawn.files, drawn.needs), groups)
    return {tuple(sorted(path for atom in part for path in made.atoms.members[atom])) for part in made.parts}


def test_groups_of_a_package_in_a_loop_are_merged() -> None:
    """Bins need data, of which another file needs bins."""
    drawn = source([file(A, "one"), file(B, "one"), file(C, "one")], {A: [B], C: [A]})
    assert _parts(drawn, {A: "bins", B: "data", C: "data"}) == {(A, B, C)}


def test_a_group_in_a_loop_through_another_package_is_split() -> None:
    """Between files there is no loop: nothing is cut."""
    drawn = source([file(A, "one"), file(B, "two"), file(C, "one")], {A: [B], B: [C]})
    assert _parts(drawn, {A: "one", B: "two", C: "one"}) == {(A,), (B,), (C,)}


def test_only_what_has_to_is_split_off() -> None:
    """Parts that no loop keeps asunder are put together again."""
    paths = [f"/usr/share/{number}" for number in range(6)]
    files = [file(A, "one"), file(B, "two"), file(C, "one"), *(file(path, "one") for path in paths)]
    drawn = source(files, {A: [B], B: [C], paths[0]: [B], paths[1]: [C]})
    found = _parts(drawn, {one.path: one.package for one in files})
    assert len(found) == 3
    assert (B,) in found


def test_a_ladder_of_needs_between_two_packages_is_taken_apart() -> None:
    """Rung by rung: up and down never makes a loop between files, so nothing is cut and no part needs itself."""
    paths = [f"/usr/share/{number:02}" for number in range(12)]
    files = [file(path, "even" if number % 2 else "odd") for number, path in enumerate(paths)]
    drawn = source(files, {path: [following] for path, following in itertools.pairwise(paths)})
    atoms = atoms_of(drawn.files, drawn.needs)
    assert atoms.cuts == ()
    made = partition(atoms, {one.path: one.package for one in files})
    assert all(len(circle) == 1 for circle in components(made.needs))


def test_the_rest_of_a_knots_group_stays_with_it() -> None:
    """libm needs libc, and libc and libgcc need each other: libm stays with libc all the same, and what needs either
    from outside gets libgcc.
    """
    libc, libm, libgcc, tool = "/usr/lib/libc.so.6", "/usr/lib/libm.so.6", "/usr/lib/libgcc_s.so.1", "/usr/bin/tool"
    files = [file(libc, "libc6"), file(libm, "libc6"), file(libgcc, "libgcc-s1"), file(tool, "tool")]
    drawn = source(files, {libc: [(libgcc, "load", "dlopen literal")], libgcc: [libc], libm: [libc], tool: [libm]})
    made = partition(atoms_of(drawn.files, drawn.needs), {one.path: one.package for one in files})
    named = [{path for atom in part for path in made.atoms.members[atom]} for part in made.parts]
    assert {libc, libm} in named
    assert made.needs[named.index({tool})] == {named.index({libc, libm}), named.index({libgcc})}
