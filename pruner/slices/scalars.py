"""YAML scalars, written so that every byte comes back and no line is longer than it has to be.

YAML 1.2.2: plain scalars 7.3.3, double-quoted ones 7.3.1 with escapes 5.7, literal blocks 8.1.2. What is plain here is
plain in YAML 1.1 too, which chisel's parser (yaml.v3) and PyYAML still half follow.
"""

from __future__ import annotations

import base64
import os
import re

WIDTH = 100
"""Columns that reviewers of slices allow (yamllint's line-length)."""

_PLAIN_PATH = re.compile(r"/(?:[A-Za-z0-9/._+*?@%~=^-]|[:#](?=[A-Za-z0-9/._+]))*")
_PLAIN_WORD = re.compile(r"[A-Za-z](?:[A-Za-z0-9/._+-])*")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_RESOLVED = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"})
"""Words that some YAML version reads as something else than text."""
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r", "\0": "\\0", "\x1b": "\\e"}
_FLOW = frozenset(":#?*%@=")
"""Characters that parsers disagree on inside of brackets."""
_LONGEST_KEY = 1000
"""Characters; a key that is not introduced by `?` may have 1024 (YAML 1.2.2, 7.4.2)."""
_SPECIAL = re.compile('["\\\\\ufeff]')
_SURROGATE = re.compile("[\ud800-\udfff]")


def scalar(text: str, *, flow: bool = False) -> str:
    """`text` on one line: plain where that is read as this very text, else in double quotes; `!!binary` if no UTF-8.

    `flow` is for a value inside of brackets.
    """
    if _is_plain(text) and not (flow and _FLOW & set(text)):
        return text
    if _SURROGATE.search(text):
        return f'!!binary "{base64.b64encode(_bytes(text)).decode()}"'
    return f'"{_escaped(text)}"'


def dated(text: str) -> str:
    """A date as it is, anything else as `scalar` writes it."""
    return text if _DATE.fullmatch(text) else scalar(text)


def key_lines(key: str, value: str, indent: int) -> list[str]:
    """`key: value`, `value` being a line's rest or empty; introduced by `?` where no line can hold the key."""
    pad = " " * indent
    written = scalar(key)
    tail = f": {value}" if value else ":"
    fits = len(pad) + len(written) + len(tail) <= WIDTH
    if fits or (not value and " " not in written and len(written) <= _LONGEST_KEY):
        return [f"{pad}{written}{tail}"]
    head, *rest = _value_lines(key, indent)
    return [f"{pad}? {head}", *rest, f"{pad}{tail}"]


def text_lines(key: str, text: str, indent: int) -> list[str]:
    """`key: text` in as many lines as it takes: on one line, as a literal block, or folded in double quotes.

    `key` is one of the format's own words.
    """
    pad = " " * indent
    if len(text) <= WIDTH and "\n" not in text:
        short = f"{pad}{key}: {scalar(text)}"
        if len(short) <= WIDTH:
            return [short]
    if _fits_block(text, indent + 2):
        hint = "2" if text[0] in " \t\n" else ""
        chomp = "" if text.endswith("\n") else "-"
        lines = text.removesuffix("\n").split("\n")
        return [f"{pad}{key}: |{hint}{chomp}", *(f"{pad}  {line}" if line else "" for line in lines)]
    head, *rest = _value_lines(text, indent)
    return [f"{pad}{key}: {head}", *rest]


def _is_plain(text: str) -> bool:
    if _PLAIN_PATH.fullmatch(text):
        return True
    return bool(_PLAIN_WORD.fullmatch(text)) and text.lower() not in _RESOLVED


def _fits_block(text: str, indent: int) -> bool:
    """Whether a literal block carries `text` with no long line, no space at an end and no run of empty lines."""
    if not text.strip("\n") or text.endswith("\n\n") or text.startswith("\n") or "\n\n\n" in text:
        return False
    return all(
        (line.isprintable() or line.replace("\t", "").isprintable())
        and not line.endswith((" ", "\t"))
        and len(line) + indent <= WIDTH
        and "\ufeff" not in line
        for line in text.split("\n")
    )


def _value_lines(text: str, indent: int) -> list[str]:
    """`text` folded; the first line has no indentation, the others are two columns deeper than `indent`."""
    pad = " " * (indent + 2)
    room = WIDTH - len(pad) - 2
    if _SURROGATE.search(text):
        coded = base64.b64encode(_bytes(text)).decode()
        return ["!!binary |", *(f"{pad}{coded[start : start + room]}" for start in range(0, len(coded), room))]
    lines = ['"\\', *(f"{pad}{piece}\\" for piece in _pieces(text, room))]
    lines[-1] = f'{lines[-1][:-1]}"'
    return lines


def _pieces(text: str, room: int) -> list[str]:
    """`text` escaped, in pieces of at most `room` columns: one a line of it, longer lines in several."""
    pieces = []
    for line in text.splitlines(keepends=True) if "\n" in text else [text]:
        bare = line.removesuffix("\n")
        if " " not in bare[:1] and len(whole := _escaped(bare) + "\\n" * (bare != line)) < room:
            pieces.append(whole)
            continue
        piece = ""
        for character in line:
            unit = _escaped(character)
            if len(piece) + len(unit) > room - 1:
                pieces.append(piece)
                piece = ""
            # White space at the start of a folded line is lost unless it is escaped.
            piece += "\\ " if character == " " and not piece else unit
        pieces.append(piece)
    return pieces or [""]


def _escaped(text: str) -> str:
    if text.isprintable() and not _SPECIAL.search(text):
        return text
    return "".join(map(_unit, text))


def _unit(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable() and character != "\ufeff":
        return character
    code = ord(character)
    return f"\\x{code:02X}" if code < 0x100 else f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}"


def _bytes(text: str) -> bytes:
    return os.fsencode(text)
