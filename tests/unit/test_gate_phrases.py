"""Phrases that findings, notes and reports share."""

from __future__ import annotations

from pruner.gate.phrases import few_of, number_of


def test_few_of_many() -> None:
    """The first ones, escaped, and the number of the rest; nothing of a rest where all are named."""
    assert few_of(["a", "b\x1b", "c", "d", "e"]) == "a, b\\x1b, c and 2 more"
    assert few_of(["a", "b", "c"]) == "a, b, c"
    assert few_of(["a", "b"], most=1) == "a and 1 more"


def test_numbers_agree_with_their_noun() -> None:
    """One thing, several things, and none."""
    assert [number_of(count, "file") for count in (0, 1, 2)] == ["0 files", "1 file", "2 files"]
