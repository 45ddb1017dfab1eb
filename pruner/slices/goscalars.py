"""What gopkg.in/yaml.v3, chisel's YAML library, takes a scalar for when a field of a known type wants it.

It stands between YAML 1.1 and 1.2: `0755` and `0o755` are octal, `yes` is a truth where a truth is wanted and text
elsewhere, every scalar will do as text as it is written, and a null leaves a field as if it were not there.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pruner.slices.yamlnodes import Node

_NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})
_TRUTHS: Final = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_WORDS: Final = {
    word: truth
    for truth, words in ((True, ("y", "yes", "on")), (False, ("n", "no", "off")))
    for plain in words
    for word in (plain, plain.capitalize(), plain.upper())
}
_INTEGER = re.compile(r"([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[oO]?([0-7]+)|0[bB]([01]+)|(0|[1-9][0-9]*))")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_TYPES: Final = frozenset({"!!str", "!!bool", "!!int", "!!float", "!!null", "!!timestamp"})
_LONGEST = 400
"""Characters of a number; a longer one is text, so that converting takes no quadratic time."""


class Unfit(Exception):
    """The scalar can't be read as its tag, or the wanted type, says."""


def is_null(node: Node) -> bool:
    """Whether it stands for nothing: a field so given is as if it were absent."""
    if not node.scalar:
        return node.tag == "!!null"
    return (node.tag == "!!null" or (node.plain and not node.tag)) and node.value in _NULLS


def text_of(node: Node) -> str:
    """The scalar as text. Raises `Unfit` for what is no scalar, or no instance of the tag that it has."""
    if not node.scalar:
        raise Unfit
    value: str = node.value
    if node.tag == "!!binary":
        try:
            return base64.b64decode(value.replace("\n", ""), validate=True).decode(errors="replace")
        except binascii.Error:
            raise Unfit from None
    if node.tag in _TYPES - {"!!str", "!!timestamp"}:
        _value(node)
    return value


def truth_of(node: Node) -> bool:
    """The scalar as a truth. Raises `Unfit`."""
    found = _value(node)
    if isinstance(found, bool):
        return found
    if isinstance(found, str) and found in _WORDS:
        return _WORDS[found]
    raise Unfit


def number_of(node: Node) -> int:
    """The scalar as a whole number of 64 bits; a fraction is cut off. Raises `Unfit`."""
    found = _value(node)
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise Unfit
    if isinstance(found, float) and not -(2.0**63) <= found < 2.0**64:
        raise Unfit
    return int(found)


def _value(node: Node) -> object:
    """The scalar by its looks; None for null. Raises `Unfit` where it has a tag that says otherwise."""
    if not node.scalar:
        raise Unfit
    text: str = node.value
    if node.tag == "!!str" or (not node.tag and not node.plain):
        return text
    if node.tag and node.tag not in _TYPES:
        return text
    found = _plain(text)
    if node.tag == "!!float" and isinstance(found, int) and not isinstance(found, bool):
        return float(found)
    kind = {bool: "!!bool", int: "!!int", float: "!!float", type(None): "!!null"}.get(type(found), "!!str")
    if node.tag not in {"", kind, "!!timestamp"}:
        raise Unfit
    return found


def _plain(text: str) -> object:
    if text in _NULLS:
        return None
    if text in _TRUTHS:
        return _TRUTHS[text]
    if text[0] not in "+-.0123456789" or len(text) > _LONGEST:
        return text
    return _number(text)


def _number(text: str) -> object:
    if _NOT_FINITE.fullmatch(text):
        return float(text.replace(".", "", 1))
    digits = text if text[0] == "." else text.replace("_", "")
    whole = _INTEGER.fullmatch(digits)
    if whole is not None:
        sign, *parts = whole.groups()
        base, magnitude = next((base, part) for base, part in zip((16, 8, 2, 10), parts, strict=True) if part)
        number = int(f"{sign}{magnitude}", base)
        if -(2**63) <= number < (2**63 if sign else 2**64):
            return number
    return float(digits) if _FLOAT.fullmatch(digits) else text
