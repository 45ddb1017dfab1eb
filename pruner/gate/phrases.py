"""Phrases that findings, notes and reports share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pruner.errors import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

_MOST = 3


def few_of(names: Sequence[str], *, most: int = _MOST) -> str:
    """The first `most` of `names`, printable, and how many more there are: `a, b, c and 4 more`."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{', '.join(map(printable, names[:most]))}{more}"


def number_of(count: int, noun: str) -> str:
    """`1 file`, `2 files`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"
