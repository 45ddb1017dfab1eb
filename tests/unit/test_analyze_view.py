"""The view: ownership, relatedness, and edges through links; and what symbolic links need."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pruner.analyze.links import edges_of_link
from pruner.model import EdgeKind, Node, Strength
from tests.elfs import deb, made_view

MERGED = {"/usr/lib/x/a": b"a", "/lib": "usr/lib", "/usr/lib/b": "x/a"}


def test_edges_lead_to_the_real_name_and_its_directory_links():
    """The last component is not followed: a link yields its own edges when it is reached."""
    view = made_view(MERGED)
    edges = view.edges_to(Node("/p"), "/lib/b", EdgeKind.DATA, evidence="why", strength=Strength.OPTIONAL, group="g")
    assert [(edge.kind, edge.target) for edge in edges] == [(EdgeKind.DATA, "/usr/lib/b"), (EdgeKind.LINK, "/lib")]
    assert {(edge.strength, edge.group, edge.evidence) for edge in edges} == {(Strength.OPTIONAL, "g", "why")}


@pytest.mark.parametrize("path", ["/lib/none", "/", "/lib/b/c", ""])
def test_no_edge_leads_to_what_is_not_there(path):
    assert made_view(MERGED).edges_to(Node("/p"), path, EdgeKind.DATA) == ()


def test_related_are_siblings_and_declared_needs_through_others():
    packages = [
        deb("a", source="s", depends=["b | z"]),
        deb("a-data", source="s"),
        deb("b", depends=["c"]),
        deb("c"),
        deb("d"),
    ]
    view = made_view({"/usr/share/a/x": b""}, owners={"/usr/share/a/x": "a"}, packages=packages)
    package = view.owner("/usr/share/a/x")
    assert package is not None
    assert package.name == "a"
    assert view.related(package) == {"id-a", "id-a-data", "id-b", "id-c"}
    assert view.requirements(package) == {"id-b"}
    assert view.siblings(package) == {"id-a", "id-a-data"}
    assert view.owner("/usr/share/a") is None


def test_extent_counts_hard_links_once_and_names_owners():
    view = made_view({"/d/a": b"123", "/d/e/b.so.1": b"45"}, owners={"/d/a": "one"})
    extent = view.extent("/d")
    assert (extent.bytes, extent.files, extent.libraries, extent.unowned) == (5, 2, 1, 1)
    assert extent.owners == {"id-one"}


def test_shells_are_read_and_sh_is_always_one():
    assert made_view({"/etc/shells": b"# shells\n/bin/zsh\n"}).shells == {"/bin/sh", "/bin/zsh"}
    assert made_view({}).shells == {"/bin/sh"}


def link(entries, path, active=True):
    view = made_view(entries)
    return edges_of_link(view.tree.get(path), active, view)


def test_a_link_needs_the_next_name_and_the_directory_links_on_the_way():
    found = link({**MERGED, "/etc/x": "../lib/b"}, "/etc/x")
    assert [(edge.kind, edge.target) for edge in found.edges] == [
        (EdgeKind.LINK, "/usr/lib/b"),
        (EdgeKind.LINK, "/lib"),
    ]


@pytest.mark.parametrize(
    ("target", "active", "number"), [("gone", True, 1), ("gone", False, 0), ("/proc/mounts", True, 0), ("/", True, 0)]
)
def test_only_an_active_dangling_link_is_an_unknown(target, active, number):
    """What leads into /proc and the like dangles in every image."""
    found = link({"/etc/x": target}, "/etc/x", active)
    assert (found.edges, len(found.unknowns)) == ((), number)


def test_a_link_loop_ends():
    found = link({"/a": "b", "/b": "a"}, "/a")
    assert [edge.target for edge in found.edges] == ["/b"]


@pytest.mark.parametrize(
    ("stanza", "expected"),
    [
        ("Package: a\nEssential: yes\nVersion: 1\n", True),
        ("Package: a\nessential: Yes \n", True),
        ("Package: a\nEssential: no\n", False),
        ("Package: a\nDescription: x\n Essential: yes\n", False),
        (None, False),
    ],
)
def test_essential_packages_say_so_in_their_control_data(stanza, expected):
    view = made_view({}, packages=[replace(deb("a"), stanza=stanza)])
    assert (deb("a").id in view.essential) is expected
