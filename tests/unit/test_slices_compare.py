"""What one release has and another has not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pruner.slices.compare import compare
from pruner.slices.types import Content, Essential, PathKind, Release, Slice, SlicedPackage, SliceKey


def release(*packages: SlicedPackage, **rest: Any) -> Release:
    return Release(**{"format": "v3", "packages": {package.name: package for package in packages}, **rest})


def package(*contents: Content, name: str = "app", needs: tuple[str, ...] = (), **rest: Any) -> SlicedPackage:
    essential = tuple(Essential(key=SliceKey(need, "libs")) for need in needs)
    part = Slice(key=SliceKey(name, "bins"), contents=contents, essential=essential, **rest)
    return SlicedPackage(name=name, slices=(part,))


def told(a: Release, b: Release) -> list[tuple[str, str, str, str]]:
    return [(one.change, "_".join(filter(None, (one.package, one.slice))), one.what, one.name) for one in compare(a, b)]


def test_equal_releases_do_not_differ() -> None:
    """Comments, lines and the order of things are none of their content."""
    a = release(package(Content(path="/a", comment="x", line=3), Content(path="/b"), needs=("libx", "liby")))
    b = release(package(Content(path="/b"), Content(path="/a", line=9), needs=("liby", "libx"), comment="y"))
    assert compare(a, b) == ()


def test_packages_slices_paths_and_essentials_are_compared() -> None:
    """Each with what it was and what it is."""
    a = release(package(Content(path="/a"), Content(path="/c"), needs=("libx",)), package(name="old"))
    b = release(
        package(Content(path="/a", arch=("amd64",)), Content(path="/b"), needs=("liby",)),
        package(name="new"),
    )
    assert told(a, b) == [
        ("removed", "app_bins", "essential", "libx_libs"),
        ("added", "app_bins", "essential", "liby_libs"),
        ("changed", "app_bins", "path", "/a"),
        ("added", "app_bins", "path", "/b"),
        ("removed", "app_bins", "path", "/c"),
        ("added", "new", "package", "new"),
        ("removed", "old", "package", "old"),
    ]
    (change,) = [one for one in compare(a, b) if one.change == "changed"]
    assert (change.before, change.after) == ("", "{arch: [amd64]}")


def test_kinds_modes_and_contents_are_compared() -> None:
    """A text that changes is a change, and so is a mode."""
    before = package(Content(path="/a", kind=PathKind.TEXT, text="x\n"), Content(path="/d/", kind=PathKind.MAKE))
    after = package(
        Content(path="/a", kind=PathKind.TEXT, text="y\n"), Content(path="/d/", kind=PathKind.MAKE, mode=0o700)
    )
    assert told(release(before), release(after)) == [
        ("changed", "app_bins", "path", "/a"),
        ("changed", "app_bins", "path", "/d/"),
    ]


def test_settings_are_compared() -> None:
    """The format, and dates of maintenance."""
    a = release(maintenance={"standard": "2020-01-01"})
    b = replace(a, format="v1", maintenance={"standard": "2020-01-01", "legacy": "2030-01-01"})
    assert told(a, b) == [("changed", "", "format", "format"), ("added", "", "maintenance", "legacy")]


PATHS = st.lists(st.sampled_from("abcdef").map(lambda name: Content(path=f"/{name}")), unique_by=lambda one: one.path)


@given(PATHS, PATHS)
def test_the_way_back_has_the_signs_turned(first: list[Content], second: list[Content]) -> None:
    """What is added one way is removed the other way."""
    a, b = release(package(*first)), release(package(*second))
    turned = {"added": "removed", "removed": "added", "changed": "changed"}
    assert sorted(told(b, a)) == sorted((turned[change], *rest) for change, *rest in told(a, b))
    assert {one.name for one in compare(a, b)} == {one.path for one in first} ^ {one.path for one in second}
