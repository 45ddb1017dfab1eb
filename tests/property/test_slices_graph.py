"""The laws of generated slices, over drawn packages whose files need each other in every which way."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import replace

import networkx
from hypothesis import given, settings
from hypothesis import strategies as st

from pruner.model import FileType
from pruner.slices.generate import MANIFEST, generate, parts_of
from pruner.slices.graph import atoms_of
from pruner.slices.types import Need, SliceKey, SliceSource
from tests.unit.slices import file, library, link, program, source

KINDS = ("link", "load", "exec", "import", "config", "data", "companion", "depends", "rule")
SHAPES = (
    lambda package, number: program(f"/usr/bin/{package}{number}", package),
    lambda package, number: library(f"/usr/lib/lib{package}{number}.so.1", package),
    lambda package, number: library(f"/usr/lib/{package}/plugin{number}.so", package),
    lambda package, number: file(f"/usr/share/{package}/{number}", package),
    lambda package, number: file(f"/etc/{package}{number}.conf", package, conffile=True),
    lambda package, number: link(f"/usr/share/{package}/link{number}", package, f"/usr/bin/{package}0"),
    lambda package, number: file(f"/usr/share/doc/{package}/copyright", package),
)


@st.composite
def sources(draw: st.DrawFn) -> SliceSource:
    packages = [f"pkg{number}" for number in range(draw(st.integers(1, 4)))]
    shapes = st.tuples(st.sampled_from(packages), st.integers(0, len(SHAPES) - 1), st.integers(0, 3))
    files = [
        SHAPES[shape](package, number) for package, shape, number in draw(st.lists(shapes, min_size=1, max_size=14))
    ]
    paths = sorted({one.path for one in files})
    path = st.sampled_from(paths)
    evidence = st.sampled_from(("", "DT_NEEDED x", "dlopen literal x"))
    edges = draw(st.lists(st.tuples(path, path, st.sampled_from(KINDS), evidence), max_size=24))
    needs: defaultdict[str, list[tuple[str, str, str]]] = defaultdict(list)
    for start, end, kind, why in edges:
        needs[start].append((end, kind, why))
    many = {name: [f"/usr/bin/{name}{n}" for n in range(4)] for name in packages if draw(st.booleans())}
    entries = tuple(draw(st.lists(path, max_size=3, unique=True)))
    complete = frozenset(packages[:1] if draw(st.booleans()) else ())
    return source(files, needs, listed=many, entries=entries, complete=complete)


def graph_of(found: SliceSource) -> networkx.DiGraph:
    """Essentials of the whole release, those of packages included."""
    graph = networkx.DiGraph()
    for package in generate(found).release.packages.values():
        for one in package.slices:
            graph.add_node(one.key)
            graph.add_edges_from((one.key, other.key) for other in one.essential)
            graph.add_edges_from((one.key, other.key) for other in package.essential if other.key != one.key)
    return graph


def without_copyright(found: SliceSource) -> dict[str, tuple[Need, ...]]:
    """The needs that slices have to honour: a copyright file needs copyright files alone, and nothing else needs one."""
    return {
        path: tuple(need for need in needs if path.endswith("/copyright") == need.target.endswith("/copyright"))
        for path, needs in found.needs.items()
    }


@given(sources())
@settings(max_examples=150)
def test_slices_need_each_other_without_loops(found: SliceSource) -> None:
    """chisel refuses a release with one, and one slice never needs itself."""
    graph = graph_of(found)
    assert networkx.is_directed_acyclic_graph(graph)


@given(sources())
@settings(max_examples=80)
def test_every_file_is_in_exactly_one_slice_of_its_package(found: SliceSource) -> None:
    """And in no other package's."""
    placed = [(one.path, key.package) for key, files in parts_of(found).files.items() for one in files]
    assert sorted(placed) == sorted((path, one.package) for path, one in found.files.items())
    assert all(files for files in parts_of(found).files.values())


@given(sources())
@settings(max_examples=150)
def test_a_slice_brings_all_that_its_files_need(found: SliceSource) -> None:
    """Directly and indirectly, for each slice without a file of a circle that was cut."""
    parts = parts_of(found)
    slice_of = {one.path: key for key, files in parts.files.items() for one in files}
    needs = without_copyright(found)
    atoms = atoms_of({path: one for path, one in found.files.items() if one.type is not FileType.DIRECTORY}, needs)
    knotted = {slice_of[path] for knot in atoms.knots for atom in knot for path in atoms.members[atom]}
    graph = graph_of(found)
    ways = networkx.DiGraph((path, need.target) for path, several in needs.items() for need in several)
    ways.add_nodes_from(found.files)
    for key, files in parts.files.items():
        if key in knotted:
            continue
        brought = {key, *networkx.descendants(graph, key)}
        for one in files:
            assert {slice_of[path] for path in networkx.descendants(ways, one.path)} <= brought


@given(sources())
@settings(max_examples=80)
def test_an_essential_has_a_reason(found: SliceSource) -> None:
    """A file that needs a file of it, or a circle that it is a part of."""
    parts = parts_of(found)
    slice_of = {one.path: key for key, files in parts.files.items() for one in files}
    needs = without_copyright(found)
    atoms = atoms_of(dict(found.files), needs)
    direct = {(slice_of[path], slice_of[need.target]) for path, several in needs.items() for need in several}
    knotted = {slice_of[path] for knot in atoms.knots for atom in knot for path in atoms.members[atom]}
    for key, others in parts.needs.items():
        for other in others:
            assert (key, other) in direct or other in knotted


@given(sources())
@settings(max_examples=80)
def test_the_cut_brings_every_slice_and_nothing_twice(found: SliceSource) -> None:
    """Besides the manifest none of its slices is brought by another."""
    graph, cut = graph_of(found), generate(found).cut
    assert set().union(*({key, *networkx.descendants(graph, key)} for key in cut)) == set(graph)
    assert all(not graph.in_degree(key) for key in cut if key != MANIFEST)
    assert list(cut) == sorted(cut)


@given(sources(), st.integers())
@settings(max_examples=80)
def test_the_order_of_the_input_does_not_matter(found: SliceSource, seed: int) -> None:
    """Of files, needs and lists."""
    chance = random.Random(seed)
    shuffled = replace(
        found,
        files=dict(chance.sample(list(found.files.items()), len(found.files))),
        needs={path: tuple(chance.sample(several, len(several))) for path, several in found.needs.items()},
        listed=dict(chance.sample(list(found.listed.items()), len(found.listed))),
        entries=tuple(chance.sample(found.entries, len(found.entries))),
    )
    assert generate(shuffled) == generate(found)


@given(sources())
@settings(max_examples=80)
def test_names_are_names_that_chisel_takes(found: SliceSource) -> None:
    """Three characters, from a letter on, of lower-case letters, digits and single dashes."""
    import re

    name = re.compile(r"[a-z](?:-?[a-z0-9]){2,}")
    keys = [one.key for package in generate(found).release.packages.values() for one in package.slices]
    assert len(set(keys)) == len(keys)
    assert all(isinstance(key, SliceKey) and name.fullmatch(key.slice) for key in keys)
