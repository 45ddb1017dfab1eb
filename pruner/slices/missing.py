"""Which slices an application needs, which of them a release has, and which paths no slice brings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pruner.slices.merge import merge

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pruner.slices.generate import Generated
    from pruner.slices.types import Release, SliceKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What a release has for one needed package."""

    package: str
    sliced: bool
    """The release has a file for it."""
    slices: tuple[SliceKey, ...]
    """Existing slices that serve, of this package or others, sorted."""
    missing: tuple[str, ...]
    """Needed paths that no slice brings, patterns included, in bytewise order."""


def missing(
    generated: Generated, release: Release, *, listed: Mapping[str, Sequence[str]] | None = None, architecture: str = ""
) -> tuple[Coverage, ...]:
    """One row for every package that `generated` takes something of, by name."""
    merged = merge(generated, release, listed=listed, architecture=architecture)
    rows = []
    for name in generated.release.packages:
        placed = [one for one in merged.placed if one.key.package == name]
        rows.append(
            Coverage(
                package=name,
                sliced=name in release.packages,
                slices=tuple(sorted({key for one in placed for key in one.reused})),
                missing=tuple(
                    sorted({content.path for one in placed for content in (*one.added, *one.refused)}, key=_bytes)
                ),
            )
        )
    return tuple(rows)


def _bytes(path: str) -> bytes:
    return path.encode("utf-8", "surrogateescape")
