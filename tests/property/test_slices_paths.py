"""Laws of what slices list, over packages whose names are made to collide."""

from __future__ import annotations

import re
import tempfile
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pruner.model import FileType
from pruner.slices import wholedirs
from pruner.slices.contents import contents_of
from pruner.slices.types import PathKind, SliceKey
from tests.unit.slice_sources import directory, link, refusal, shipped, source, state

HOMES = (
    "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib/i386-linux-gnu", "/usr/lib", "/usr/share/data",
    "/usr/share/data/deep", "/usr/share/data/5.36", "/usr/lib/jvm/java-amd64", "/usr/lib/jvm/java-arm64", "/etc",
)  # fmt: skip
NAMES = (
    "liba.so", "liba.so.1", "liba.so.1.2", "liba.so.10", "liba.so.2", "libb.so.1", "x86_64-linux-gnu-cc", "deep",
    "i386-linux-gnu-cc", "a?d", "a*d", "abd", "x", "y", "\udcff",
)  # fmt: skip
PLACES = st.tuples(st.sampled_from(HOMES), st.sampled_from(NAMES)).map("/".join)
KEYS = [SliceKey(package, name) for package in ("one", "two") for name in ("bins", "libs")]
FATES = st.sampled_from(("kept", "kept", "kept", "unkept", "copy", "state", "changed", "link", "directory", "made"))


@st.composite
def releases(draw):
    """Parts of two packages with two slices each, and names that they ship and do not keep."""
    parts, unkept = defaultdict(list), defaultdict(list)
    taken = set()
    for path, key, fate in draw(st.lists(st.tuples(PLACES, st.sampled_from(KEYS), FATES), max_size=30)):
        package = key.package
        above = {path.rsplit("/", count)[0] for count in range(1, 5)}
        if path in taken or above & taken or any(name.startswith(f"{path}/") for name in taken):
            continue
        taken.add(path)
        if fate in {"unkept", "changed"}:
            unkept[package].append(path)
        if fate == "unkept":
            continue
        parts[key].append({
            "kept": shipped,
            "copy": lambda path, package: shipped(path, package, name=f"/opt{path}"),
            "state": lambda path, package: state(path, b"text", package),
            "changed": lambda path, package: state(path, b"other text", package, conffile=True),
            "link": lambda path, package: link(path, "x", package),
            "directory": lambda path, package: directory(path, package, name=path),
            "made": lambda path, package: directory(path, package, mode=0o700),
        }[fate](path, package))  # fmt: skip
    return {key: tuple(files) for key, files in parts.items()}, source(parts, unkept)


def meets(pattern, name):
    """chisel's matching, told by its documentation: `*` and `?` stay in a component, `**` does not."""
    tokens = {"**": ".*", "*": "[^/]*", "?": "[^/]"}
    expression = "".join(tokens.get(token) or re.escape(token) for token in re.findall(r"\*\*|.", pattern, re.DOTALL))
    return re.fullmatch(expression, name, re.DOTALL) is not None


def archive_names(given, package):
    """Every name of the package's archive as chisel sees it: directories with a slash."""
    names = given.listed.get(package, ())
    kept = {file.shipped for file in given.files.values() if file.type is FileType.DIRECTORY}
    return [f"{name}/" if name in kept else name for name in names]


@given(releases())
@settings(max_examples=300)
def test_a_pattern_matches_what_its_slice_keeps_and_nothing_else(case):
    """Among all names that any package ships, and for directories that are whole, too."""
    parts, given_source = case
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wholedirs, "FEWEST", 2)
        contents = contents_of(parts, given_source)
    for key, body in contents.bodies.items():
        mine = {file.path for file in parts[key] if file.shipped == file.path}
        for one in body.contents:
            if one.kind is PathKind.GLOB:
                met = {
                    name.rstrip("/")
                    for package in given_source.listed
                    for name in archive_names(given_source, package)
                    if meets(one.path, name)
                }
                assert met
                assert met <= mine


@given(releases())
@settings(max_examples=300)
def test_no_two_paths_are_in_conflict(case):
    """Of two packages no path is common; a pattern and what is made meet nowhere."""
    parts, given_source = case
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wholedirs, "FEWEST", 2)
        contents = contents_of(parts, given_source)
    rows = [(key, one) for key, body in contents.bodies.items() for one in body.contents]
    for key, one in rows:
        if one.kind is not PathKind.GLOB:
            continue
        for other_key, other in rows:
            if other is one or (other.kind in {PathKind.GLOB, PathKind.COPY} and other_key.package == key.package):
                continue
            literal = other.path.replace("**", "zz/z").replace("*", "x86_64-linux-gnu").replace("?", "b")
            assert not meets(one.path, literal), (one.path, other.path)
    paths = [one.path for _, one in rows]
    assert len(paths) == len(set(paths))


@given(releases())
@settings(max_examples=300)
def test_every_file_is_listed_or_left_over(case):
    """Nothing is dropped in silence; a directory may come along with what lies below it."""
    parts, given_source = case
    contents = contents_of(parts, given_source)
    left = {one.path for one in contents.leftovers}
    for key, files in parts.items():
        listed = [one.path for one in contents.bodies[key].contents]
        for file in files:
            name = f"{file.path}/" if file.type is FileType.DIRECTORY else file.path
            assert file.path in left or any(path == name or meets(path, name) for path in listed) or (
                file.type is FileType.DIRECTORY and any(path.startswith(name) for path in listed)
            ), name  # fmt: skip


@given(releases())
@settings(max_examples=20, deadline=None)
def test_the_real_chisel_accepts_every_release(case):
    """Whatever the packages ship and keep."""
    parts, given_source = case
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wholedirs, "FEWEST", 2)
        contents = contents_of(parts, given_source)
    if contents.bodies:
        with tempfile.TemporaryDirectory() as place:
            assert refusal(Path(place) / "release", contents) == ""
