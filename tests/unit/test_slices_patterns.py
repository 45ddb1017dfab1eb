"""Slice patterns: what a wildcard stands for."""

from __future__ import annotations

import pytest

from pruner.slices.patterns import is_pattern, literal_prefix, matches, overlap


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("/a/*", "/a/b", True),
        ("/a/*", "/a/b/c", False),
        ("/a/*", "/a/", False),  # a `*` after a slash is at least one character
        ("/a/x*", "/a/x", True),
        ("/a/*b", "/a/b", False),
        ("/a/?", "/a/b", True),
        ("/a/?", "/a/", False),
        ("/a?b", "/a/b", False),
        ("/a/**", "/a/", True),
        ("/a/**", "/a/b/c/", True),
        ("/a/**", "/a", False),
        ("/a/*/", "/a/b/", True),
        ("/usr/lib/*-linux-*/libc.so.*", "/usr/lib/x86_64-linux-gnu/libc.so.6", True),
        ("/a.b", "/axb", False),
        ("/[a]", "/a", False),
        ("/a\n*", "/a\nb", True),
    ],
)
def test_matching(pattern: str, path: str, expected: bool):
    """Each wildcard stands for what chisel takes it for; other characters stand for themselves."""
    assert matches(pattern, path) is expected


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("/usr/lib/*-linux-*/a*", "/usr/lib/*-linux-*/ab", True),
        ("/usr/lib/*-linux-*/a*", "/usr/lib/*-linux-*/b*", False),
        ("/a/**/z", "/a/b/*", True),
        ("/a/**", "/a/b/c*", True),
        ("/a*c", "/ab*", True),
        ("/a/*", "/a/*/", False),
        ("/a/b*/c", "/a/*", False),
        ("/x*y", "/x?", True),
        ("/same", "/same", True),
    ],
)
def test_overlap(a: str, b: str, expected: bool):
    """Two patterns overlap when there is a path that both match."""
    assert overlap(a, b) is expected
    assert overlap(b, a) is expected


def test_a_hostile_pattern_is_matched_in_steps_not_by_backtracking():
    """Dozens of wildcards against a long path that nearly fits give an answer."""
    assert not matches("/" + "*a" * 40 + "b", "/" + "a" * 200)
    assert overlap("/" + "*a" * 20 + "**", "/" + "**b" * 20)


def test_what_is_a_pattern():
    """Only the two characters make a pattern; brackets do not."""
    assert [is_pattern(path) for path in ("/a", "/a*", "/a?", "/[a]", "/**")] == [False, True, True, False, True]
    assert literal_prefix("/a/b*/c") == "/a/b"
