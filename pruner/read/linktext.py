"""Giving the links of a directory scan their text back.

Syft rewrites the destination of a symbolic link in a directory scan to an absolute path of the scanning machine:
the scanned directory, then the target (syft/internal/fileresolver/directory_indexer.go); before 0.78 it rewrote only
relative texts. That directory stands nowhere else in the document, but since 0.78 the entry's `size` is the byte
length of the original text (lstat(2)).
"""

from __future__ import annotations

import posixpath
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

_SAMPLE = 200


@dataclass(frozen=True, slots=True)
class RewrittenLink:
    """A symbolic link as a directory scan states it."""

    path: str
    destination: str
    """Absolute path on the scanning machine."""
    size: int
    """Byte length of the original text; 0 where the scan does not say."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What the links of a directory scan give away."""

    directory: str
    """The scanned directory on the scanning machine; empty for `/`, or where nothing tells it."""
    texts: tuple[str, ...]
    """The text of each link."""


def restored(links: Sequence[RewrittenLink], paths: Collection[str], typed: str) -> Restored:
    """The scanned directory and the texts of `links`.

    `paths` are the real paths of the root, `typed` is the scanned directory as the user typed it. Whether a text was
    absolute or relative follows from its length; where neither form fits (a text with detours such as `./x`), the
    relative form leads to the same place. A destination outside the scanned directory is left as it is.
    """
    if any(link.size for link in links):
        directory = _directory_by_size(links, paths)
        return Restored(directory, tuple(_text_by_size(link, directory) for link in links))
    directory = _directory_by_votes(links, paths, typed)
    return Restored(directory, tuple(_text_without_size(link, directory) for link in links))


def relative_text(target: str, directory: str) -> str:
    """The shortest relative path from `directory` to `target`, both absolute and normalised."""
    there = [part for part in target.split("/") if part]
    here = [part for part in directory.split("/") if part]
    shared = 0
    for one, other in zip(there, here, strict=False):
        if one != other:
            break
        shared += 1
    return "/".join([".."] * (len(here) - shared) + there[shared:]) or "."


def _directory_by_size(links: Sequence[RewrittenLink], paths: Collection[str]) -> str:
    """The scanned directory, empty for `/`: the ancestor of all destinations that explains the links best.

    A link speaks for a candidate when the text that it would have had is as long as the size says, and when its
    target is among `paths`.
    """
    sample = [link for link in links if link.destination.startswith("/")]
    if not sample:
        return ""
    candidate = posixpath.commonpath([link.destination for link in sample]).rstrip("/")
    sample = sample[:: max(1, len(sample) // _SAMPLE)]
    best, best_score = "", -1
    while True:
        score = sum(_agreement(link, candidate, paths) for link in sample)
        if score >= best_score:  # the shorter one when in doubt: it reaches more destinations
            best, best_score = candidate, score
        if not candidate:
            return best
        candidate = candidate.rpartition("/")[0]


def _agreement(link: RewrittenLink, directory: str, paths: Collection[str]) -> int:
    target = _stripped(link.destination, directory)
    if target is None:
        return 0
    fits = _length(target) == link.size or _length(relative_text(target, posixpath.dirname(link.path))) == link.size
    return fits + (target in paths)


def _text_by_size(link: RewrittenLink, directory: str) -> str:
    target = _stripped(link.destination, directory)
    if target is None:
        return link.destination
    return target if _length(target) == link.size else relative_text(target, posixpath.dirname(link.path))


def _directory_by_votes(links: Sequence[RewrittenLink], paths: Collection[str], typed: str) -> str:
    """The scanned directory where only relative texts were rewritten and no size says which.

    Every prefix of a destination that leaves one of `paths` gets a vote. It must end as the user typed it, and be
    none of the root's own names: `/usr` is not where the root lay.
    """
    ending = posixpath.normpath(typed).lstrip("./")
    votes: Counter[str] = Counter()
    for link in links:
        position = link.destination.find("/", 1)
        while position > 0:
            if link.destination[position:] in paths:
                votes[link.destination[:position]] += 1
            position = link.destination.find("/", position + 1)
    for candidate, _ in sorted(votes.items(), key=lambda item: (-item[1], item[0])):
        if candidate not in paths and f"{candidate}/".endswith(f"/{ending}/" if ending else "/"):
            return candidate
    return ""


def _text_without_size(link: RewrittenLink, directory: str) -> str:
    target = _stripped(link.destination, directory) if directory else None
    return link.destination if target is None else relative_text(target, posixpath.dirname(link.path))


def _stripped(destination: str, directory: str) -> str | None:
    if destination == directory:
        return "/"
    return destination[len(directory) :] if destination.startswith(directory + "/") else None


def _length(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogateescape"))
