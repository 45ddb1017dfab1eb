"""Paths out of documents, which may be anything."""

from __future__ import annotations

import re

from pruner.errors import InputError, printable

_UNUSUAL = re.compile(r"\0|//|/\.{0,2}(?:/|\Z)")


def absolute_path(text: str, name: str, at: str, *numbers: int) -> str:
    """`text` as an absolute, normalised path; Syft before 0.78 leaves out the leading slash.

    `name` is the input's and `at` the place in it, with `%d` for each of `numbers`: the message is only put together
    when it is needed. Raises `InputError` for what can't be a path inside a root: `..`
    as a component, a NUL, characters that no file name can hold.
    """
    where = (name, at, numbers)
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


def _impossible(text: str, where: tuple[str, str, tuple[int, ...]]) -> InputError:
    name, at, numbers = where
    return InputError(
        f"{name}: {at % numbers if numbers else at}: '{printable(text)}' is no path inside a root filesystem",
        hint="no scanner writes such a path; the document was damaged or forged",
    )
