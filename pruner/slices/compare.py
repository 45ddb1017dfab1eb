"""What one release has and another has not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pruner.slices.types import Content, Essential, Release, Slice, SlicedPackage


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Difference:
    """One thing that is in one release alone, or otherwise in both."""

    package: str
    """Empty for what is of the release."""
    slice: str
    """Empty for what is of the package."""
    what: str
    """`format`, `archive`, `key`, `maintenance`, `package`, `slice`, `path`, `essential`, `mutate`, `hint`."""
    name: str
    """The path, the essential, the archive; the slice or package itself."""
    change: str
    """`added`, `removed` or `changed`."""
    before: str = ""
    after: str = ""


def compare(a: Release, b: Release) -> tuple[Difference, ...]:
    """All differences from `a` to `b`, sorted; comments and lines are none."""
    found = [*_settings(a, b)]
    for name in sorted({*a.packages, *b.packages}):
        found += _package(name, a.packages.get(name), b.packages.get(name))
    return tuple(sorted(found))


def _settings(a: Release, b: Release) -> Iterator[Difference]:
    yield from _named("format", [{"format": a.format}, {"format": b.format}])
    yield from _named("maintenance", [a.maintenance, b.maintenance])
    yield from _named("archive", [{one.name: _shown_archive(one) for one in release.archives} for release in (a, b)])
    yield from _named("key", [{one.name: one.id for one in release.public_keys} for release in (a, b)])


def _shown_archive(archive: object) -> str:
    return msgspec.json.encode(archive).decode()


def _package(name: str, a: SlicedPackage | None, b: SlicedPackage | None) -> Iterator[Difference]:
    if a is None or b is None:
        yield Difference(package=name, slice="", what="package", name=name, change="added" if a is None else "removed")
        return
    yield from _named("essential", [_essentials(one.essential) for one in (a, b)], name)
    yield from _named("archive", [{"archive": one.archive} if one.archive else {} for one in (a, b)], name)
    old = {one.key.slice: one for one in a.slices}
    new = {one.key.slice: one for one in b.slices}
    for part in sorted({*old, *new}):
        if part in old and part in new:
            yield from _slice(old[part], new[part])
        else:
            change = "removed" if part in old else "added"
            yield Difference(package=name, slice=part, what="slice", name=part, change=change)


def _slice(a: Slice, b: Slice) -> Iterator[Difference]:
    package, name = a.key
    yield from _named("essential", [_essentials(one.essential) for one in (a, b)], package, name)
    yield from _named("path", [_contents(one) for one in (a, b)], package, name)
    yield from _named("mutate", [{"mutate": one.mutate} if one.mutate else {} for one in (a, b)], package, name)
    yield from _named("hint", [{"hint": one.hint} if one.hint else {} for one in (a, b)], package, name)


def _named(what: str, sides: Sequence[Mapping[str, str]], package: str = "", part: str = "") -> Iterator[Difference]:
    """Differences between two mappings from names to what is said of them."""
    a, b = sides
    for name in sorted({*a, *b}):
        before, after = a.get(name), b.get(name)
        if before != after:
            change = "added" if before is None else "removed" if after is None else "changed"
            yield Difference(
                package=package,
                slice=part,
                what=what,
                name=name,
                change=change,
                before=before or "",
                after=after or "",
            )


def _essentials(essentials: tuple[Essential, ...]) -> dict[str, str]:
    return {str(one.key): ",".join(sorted(one.arch)) for one in essentials}


def _contents(one: Slice) -> dict[str, str]:
    return {content.path: _shown(content) for content in one.contents}


def _shown(content: Content) -> str:
    """The options of a path, as one line."""
    from pruner.slices.write import content_lines

    plain = msgspec.structs.replace(content, path="/", comment="", arch=tuple(sorted(content.arch)))
    return "\n".join(content_lines(plain, 0))[1:].strip(": ")
