"""The laws of slice patterns, against all paths up to some length."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from pruner.slices.patterns import components_overlap, is_pattern, literal_prefix, matches, overlap

ALPHABET = "ab/"
PATHS = tuple("/" + "".join(rest) for size in range(6) for rest in itertools.product(ALPHABET, repeat=size))

patterns = st.lists(st.sampled_from(["a", "b", "/", "*", "?", "**"]), max_size=5).map(
    lambda parts: "/" + "".join(parts)
)
short = st.lists(st.sampled_from(["a", "/", "*", "?", "**"]), max_size=3).map(lambda parts: "/" + "".join(parts))
paths = st.sampled_from(PATHS)


def by_definition(pattern: str, path: str, last: str = "") -> bool:
    """Matching by trying everything that the first token may stand for."""
    if not pattern:
        return not path
    if pattern.startswith("**"):
        return any(by_definition(pattern[2:], path[size:], (last + path[:size])[-1:]) for size in range(len(path) + 1))
    if pattern[0] == "*":
        if last != "/" and by_definition(pattern[1:], path, last):
            return True
        sizes = itertools.takewhile(lambda size: path[size - 1] != "/", range(1, len(path) + 1))
        return any(by_definition(pattern[1:], path[size:], path[size - 1]) for size in sizes)
    if not path or (path[0] == "/" if pattern[0] == "?" else path[0] != pattern[0]):
        return False
    return by_definition(pattern[1:], path[1:], path[0])


@given(patterns, paths)
def test_matching_is_by_definition(pattern: str, path: str):
    """A pattern matches what some choice for its wildcards makes of it."""
    assert matches(pattern, path) == by_definition(pattern, path)


@given(st.sampled_from(["/**" * 4 + "a", "/" + "*a" * 7, "/" + "?*" * 5, "/*?*?*?*?**", "/***/****a"]), paths)
def test_many_wildcards_match_by_definition_too(pattern: str, path: str):
    """The way that long patterns are matched gives the same answers."""
    assert matches(pattern, path) == by_definition(pattern, path)


@settings(max_examples=200)
@given(short, short)
def test_overlap_is_a_common_path(a: str, b: str):
    """Two patterns overlap if and only if one of all paths is matched by both; short patterns have a short one."""
    assert overlap(a, b) == any(matches(a, path) and matches(b, path) for path in PATHS)


@given(patterns, patterns)
def test_overlap_is_symmetric(a: str, b: str):
    """Which pattern comes first does not matter."""
    assert overlap(a, b) == overlap(b, a)


@given(patterns, paths)
def test_overlap_with_a_path_is_matching(pattern: str, path: str):
    """A path without wildcards is a pattern that matches itself."""
    assert overlap(pattern, path) == overlap(path, pattern) == matches(pattern, path)


@given(patterns)
def test_overlap_is_reflexive(pattern: str):
    """A pattern overlaps itself: each has a path that it matches."""
    assert overlap(pattern, pattern)


@given(patterns, paths)
def test_prefix_begins_every_match(pattern: str, path: str):
    """What a pattern matches begins with its literal prefix, which is all of it without wildcards."""
    if matches(pattern, path):
        assert path.startswith(literal_prefix(pattern))
    assert (literal_prefix(pattern) == pattern) == (not is_pattern(pattern))


@given(st.text("ab*?", max_size=4), st.text("ab*?", max_size=4))
def test_components_overlap_as_paths_do(a: str, b: str):
    """Components are compared as they stand after a slash."""
    if "**" not in a + b:
        assert components_overlap(a, b) == overlap(f"/{a}", f"/{b}")
