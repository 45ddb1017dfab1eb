"""Paths out of documents, which may be anything."""

from __future__ import annotations

import re

from pruner.errors import InputError, printable

_UNUSUAL = re.compile(r"\0|//|/\.{0,2}(?:/|\Z)")


def absolute_path(text: str, where: str) -> str:
    """`text` as an absolute, normalised path; Syft before 0.78 leaves out the leading slash.

    `where` names the input and the place in it. Raises `InputError` for what can't be a path inside a root: `..`
    as a component, a NUL, characters that no file name can hold.
    """
    path = text if text.startswith("/") else f"/{text}"
    if not path.isascii():
        try:
            path.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError:
            raise _impossible(text, where) from None
    if not _UNUSUAL.search(path):
        return path
    parts = [part for part in path.split("/") if part not in {"", "."}]
    if ".." in parts or "\0" in path:
        raise _impossible(text, where)
    return "/" + "/".join(parts)


def _impossible(text: str, where: str) -> InputError:
    return InputError(
        f"{where}: {printable(text)!r} is no path inside a root filesystem",
        hint="no scanner writes such a path; the document was damaged or forged",
    )
