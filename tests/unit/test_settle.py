"""Choices that a closure leaves open, solved together."""

from __future__ import annotations

import pytest

from pruner.analyze.view import View
from pruner.model import (
    Choice,
    DeclaredFile,
    Edge,
    EdgeKind,
    File,
    FileType,
    Inventory,
    Node,
    Package,
    PackageId,
    package_node,
    requires_node,
)
from pruner.pipeline.settle import Settler
from pruner.rootfs import Tree


def package(name: str, kib: int = 1, depends: str = "") -> Package:
    """An installed Debian package that declares `kib` KiB."""
    clauses = tuple(clause for clause in depends.split(", ") if clause)
    return Package(id=PackageId(name), type="deb", name=name, version="1", depends=clauses, installed_bytes=kib * 1024)


def settle(*choices: str, packages: list[Package], kept: str = "", needed: str = "") -> list[str]:
    """The chosen package of each choice `a|b`, with what is `kept` whole and what is `needed` already."""
    view = View(Inventory(name="t", format="syft-json", packages=tuple(packages)), Tree({}))
    reached = {package_node(PackageId(name)): True for name in kept.split()}
    reached |= {requires_node(PackageId(name)): True for name in needed.split()}
    asked = tuple(
        Choice(
            source=Node(f"/{place}"),
            options=tuple(requires_node(PackageId(name)) for name in choice.split("|")),
            kind=EdgeKind.DEPENDS,
            evidence="test",
        )
        for place, choice in enumerate(choices)
    )
    edges = Settler(view, view.clauses).edges(reached, asked)
    assert edges == [
        Edge(source=choice.source, target=edge.target, kind=EdgeKind.DEPENDS, evidence="test")
        for choice, edge in zip(asked, edges, strict=True)
    ]
    return [edge.target.removeprefix("requires:") for edge in edges]


def test_what_is_kept_satisfies_its_choice():
    assert settle("a|b", packages=[package("a"), package("b", 9)], kept="b") == ["b"]


def test_the_smaller_option_is_chosen():
    assert settle("a|b", packages=[package("a", 2), package("b", 1)]) == ["b"]


def test_an_option_counts_with_what_it_needs_and_does_not_have_yet():
    packages = [package("a", 3), package("b", 1, depends="c"), package("c", 9)]
    assert settle("a|b", packages=packages) == ["a"]
    assert settle("a|b", packages=packages, kept="c") == ["b"]
    assert settle("a|b", packages=packages, needed="c") == ["b"]


def test_choices_are_solved_together():
    """One by one a and c are the smallest; b, which both name, is smaller than the two."""
    packages = [package("a", 2), package("b", 3), package("c", 2)]
    assert settle("a|b", "c|b", packages=packages) == ["b", "b"]
    assert settle("a|b", packages=packages) == ["a"]


def test_of_equal_options_the_one_named_first_is_chosen():
    packages = [package("a"), package("b"), package("c")]
    assert settle("c|a|b", packages=packages) == ["c"]
    assert settle("b|c", packages=packages) == ["b"]


def test_fewer_packages_win_where_sizes_are_equal():
    assert settle("a|b", packages=[package("a", 1, depends="c"), package("b", 2), package("c", 1)]) == ["b"]


def test_a_need_that_nothing_installed_satisfies_excludes_nothing():
    assert settle("a|b", packages=[package("a", 1, depends="missing"), package("b", 2)]) == ["a"]


def test_a_package_without_a_declared_size_weighs_what_its_files_do():
    def file(path: str, size: int) -> File:
        return File(path=path, type=FileType.REGULAR, bytes=size)

    files = {file.path: file for file in (file("/a", 5000), file("/b", 100))}
    owners = {"/a": (PackageId("a"),), "/b": (PackageId("b"),)}
    packages = tuple(
        Package(id=PackageId(name), type="deb", name=name, version="1", files=(DeclaredFile(path=f"/{name}"),))
        for name in "ab"
    )
    inventory = Inventory(name="t", format="syft-json", packages=packages, files=files, owners=owners)
    view = View(inventory, Tree(files))
    choice = Choice(
        source=Node("/x"),
        options=(package_node(PackageId("a")), package_node(PackageId("b"))),
        kind=EdgeKind.DEPENDS,
    )
    (edge,) = Settler(view, view.clauses).edges({}, (choice,))
    assert edge.target == package_node(PackageId("b"))


@pytest.mark.parametrize("choices", [(), ("a|b",)])
def test_no_solver_is_loaded_where_nothing_is_left_to_choose(choices, monkeypatch):
    """A settled choice never reaches the kernel."""
    monkeypatch.setattr("pruner.select.kernel.solve", lambda *_, **__: pytest.fail("the kernel was asked"))
    packages = [package("a"), package("b")]
    assert settle(*choices, packages=packages, kept="a") == ["a"] * len(choices)


def test_where_no_answer_is_found_in_time_the_first_option_is_taken(monkeypatch):
    from pruner.select.kernel import Solution, Status

    nothing = Solution(status=Status.NOT_PROVEN, values={})
    monkeypatch.setattr("pruner.select.kernel.solve", lambda *_, **__: nothing)
    assert settle("b|a", packages=[package("a"), package("b", 9)]) == ["b"]


def test_what_a_package_names_comes_before_what_provides_a_name():
    """default-jre-headless brings a Java whole; the Java that provides the other name would be kept by file alone."""
    packages = [
        package("tool", depends="default-jre (>= 2:1.8) | java-runtime"),
        package("default-jre", 10, depends="jre"),
        package("jre", 900),
    ]
    view = View(Inventory(name="t", format="syft-json", packages=tuple(packages)), Tree({}))
    choice = Choice(
        source=package_node(PackageId("tool")),
        options=tuple(requires_node(PackageId(name)) for name in ("default-jre", "jre")),
        kind=EdgeKind.DEPENDS,
    )
    (edge,) = Settler(view, view.clauses).edges({}, (choice,))
    assert edge.target == requires_node(PackageId("default-jre"))
    (edge,) = Settler(view, view.clauses).edges({package_node(PackageId("jre")): True}, (choice,))
    assert edge.target == requires_node(PackageId("jre"))
