"""The order of names."""

import os

from hypothesis import given
from hypothesis import strategies as st

from pruner.bytewise import bytewise

NAMES = st.lists(st.binary(max_size=6).map(os.fsdecode))


@given(NAMES)
def test_names_come_in_the_order_of_their_bytes(names: list[str]) -> None:
    """Names of any bytes, UTF-8 or not, are sorted as `LC_ALL=C sort` does."""
    assert list(map(os.fsencode, bytewise(names))) == sorted(map(os.fsencode, names))


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=6)))
def test_text_keeps_the_order_of_code_points(names: list[str]) -> None:
    """Valid text needs no look at its bytes."""
    assert bytewise(names) == sorted(names, key=lambda name: name.encode())
