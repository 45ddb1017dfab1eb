"""Globs of rule packs: path patterns with captures, and name patterns for symbols, literals and packages.

In a path pattern `*`, `?` and `[…]` stay within one component and `**` crosses them; a trailing `/` means the
directory itself and everything below it. In a name pattern `*` and `?` match any character. Every wildcard is a
capture, numbered from 1. Two placeholders stand for directories that differ between systems, and capture nothing:
`{bin}` any directory of programs, `{lib}` any directory of libraries (FHS 3.0, Debian's multiarch specification).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

MAX_LENGTH = 400
MAX_WILDCARDS = 8
"""Limits of one pattern, so that a hostile pack can't make matching slow."""

BIN_DIRECTORIES = (
    "/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin", "/bin", "/sbin", "/usr/games",
)  # fmt: skip
LIB_DIRECTORIES = ("/usr/lib", "/usr/lib/*-linux-*", "/usr/lib64", "/usr/local/lib", "/lib", "/lib/*-linux-*", "/lib64")

_BIN = r"(?:/usr(?:/local)?)?/(?:s?bin|games)"
_LIB = r"(?:/usr(?:/local)?)?/lib(?:64|/[^/]*-linux-[^/]*)?"
_MERGED = re.compile(r"/usr(?=/(?:s?bin|lib(?:32|64|x32)?)(?:/|$))")
_TOKEN = re.compile(r"\{bin\}|\{lib\}|\*\*|\*|\?|\[!?\]?[^\]]*\]|.", re.DOTALL)
_WILDCARD = re.compile(r"[*?\[]|\{bin\}|\{lib\}")


@dataclass(frozen=True, slots=True)
class Pattern:
    """One compiled glob."""

    text: str
    """As written in the pack."""
    expression: str = field(compare=False, repr=False)
    """The regular expression that a whole text must match."""
    head: str = field(compare=False, repr=False)
    """What precedes the first wildcard, in the spelling that matching uses; the whole text where there is none."""
    exact: bool = field(compare=False, repr=False)
    """The pattern has no wildcard."""

    def captures(self, text: str) -> tuple[str, ...] | None:
        """What the wildcards matched in `text` (for a path: in its `unmerged` spelling); None without a match."""
        if self.exact:
            return () if text == self.head else None
        found = _compiled(self.expression).fullmatch(text)
        return None if found is None else found.groups("")


@lru_cache(maxsize=4096)
def _compiled(expression: str) -> re.Pattern[str]:
    """Compiled when first needed: most rules never meet a candidate, and compiling takes most of the loading time."""
    return re.compile(expression, re.DOTALL)


def unmerged(path: str) -> str:
    """`path` without the `/usr` of `/usr/bin`, `/usr/sbin` and `/usr/lib*`: one spelling on merged and split systems.

    https://wiki.debian.org/UsrMerge; both sides of every comparison of paths are brought to it.
    """
    return path[4:] if path.startswith("/usr/") and _MERGED.match(path) else path


@lru_cache(maxsize=4096)
def path_pattern(text: str) -> Pattern:
    """The pattern of an absolute path; a trailing slash matches the directory and all below."""
    spelled = unmerged(text)
    tree = len(spelled) > 1 and spelled.endswith("/")
    body = spelled.rstrip("/") if tree else spelled
    expression = "".join(_path_token(token) for token in _TOKEN.findall(body)) + ("(?:/.*)?" if tree else "")
    found = _WILDCARD.search(body)
    head = body if found is None else body[: found.start()]
    return Pattern(text, expression, head, exact=found is None and not tree)


@lru_cache(maxsize=4096)
def name_pattern(text: str) -> Pattern:
    """The pattern of a symbol, literal, package or distribution name."""
    expression = "".join(_name_token(token) for token in _TOKEN.findall(text))
    found = re.search(r"[*?\[]", text)
    head = text if found is None else text[: found.start()]
    return Pattern(text, expression, head, exact=found is None)


def problem_of_pattern(text: str) -> str:
    """Why `text` is no acceptable glob, empty where it is one."""
    if len(text) > MAX_LENGTH:
        return f"is longer than {MAX_LENGTH} characters"
    if len(re.findall(r"\*+|\?|\[", text)) > MAX_WILDCARDS:
        return f"has more than {MAX_WILDCARDS} wildcards"
    if "\0" in text or "\n" in text:
        return "holds a control character"
    if text.startswith("/") and any(part in {".", ".."} for part in text.split("/")):
        return "has a '.' or '..' component"
    if "[" in text:
        try:
            _compiled((path_pattern if text.startswith("/") else name_pattern)(text).expression)
        except re.error:
            return "has a [ ] that stands for no characters"
    return ""


def quoted(text: str) -> str:
    """`text` such that it means itself inside a pattern."""
    return re.sub(r"([*?\[])", r"[\1]", text)


def concrete(pattern: str) -> tuple[str, ...]:
    """`pattern` in the spellings that a tree's glob understands: directories filled in, with and without `/usr`."""
    texts: tuple[str, ...] = (pattern,)
    for placeholder, directories in (("{lib}", LIB_DIRECTORIES), ("{bin}", BIN_DIRECTORIES)):
        texts = tuple(
            text.replace(placeholder, directory)
            for text in texts
            for directory in (directories if placeholder in text else ("",))
        )
    spellings = [text for given in texts for text in (given, _respelled(given))]
    return tuple(dict.fromkeys(spellings))


def _respelled(path: str) -> str:
    bare = unmerged(path)
    return bare if bare != path else f"/usr{path}" if unmerged(f"/usr{path}") == path else path


def _path_token(token: str) -> str:
    fixed = {"{bin}": _BIN, "{lib}": _LIB, "**": "(.*)", "*": "([^/]*)", "?": "([^/])"}.get(token)
    return fixed if fixed is not None else _class_or_character(token)


def _name_token(token: str) -> str:
    fixed = {"**": "(.*)", "*": "(.*)", "?": "(.)"}.get(token)
    return fixed if fixed is not None else _class_or_character(token)


def _class_or_character(token: str) -> str:
    if len(token) > 1 and token.startswith("["):
        body = token[1:-1].replace("\\", "\\\\").replace("[", "\\[")
        return f"([{'^' + body[1:] if body.startswith('!') else body}])"
    return re.escape(token)
