"""Typed decoding of JSON, with errors that name the file and the JSON path."""

from __future__ import annotations

import re
from typing import TypeVar

import msgspec

from pruner.errors import InputError, printable

_AT = re.compile(r"^(?P<what>.*?)(?: - at `(?P<path>[^`]*)`)?$", re.DOTALL)

Shape = TypeVar("Shape")


def decoded(decoder: msgspec.json.Decoder[Shape], data: bytes | msgspec.Raw, name: str, at: str = "$") -> Shape:
    """`data` in the decoder's shape; unknown keys are ignored.

    `name` is the input's name and `at` the JSON path of `data` in it. Raises `InputError`.
    """
    try:
        return decoder.decode(data)
    except msgspec.ValidationError as error:
        found = _AT.match(str(error))
        what, path = (found["what"], found["path"]) if found else (str(error), None)
        where = at + (path or "$").removeprefix("$")
        raise InputError(f"{name}: {printable(where)}: {_lowercase(what)}", hint="the document is damaged") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(
            f"{name}: not valid JSON: {_lowercase(str(error))}", hint="the file is cut short, or not JSON at all"
        ) from None
    except RecursionError:
        raise InputError(f"{name}: JSON nested too deeply", hint="no SBOM is nested like that") from None


def present(part: msgspec.Raw) -> bool:
    """Whether a part that was left undecoded is there and not `null`."""
    return bytes(memoryview(part)[:4]) not in {b"", b"null"}


def _lowercase(text: str) -> str:
    text = printable(text.replace("`", ""))
    return text if text[:2].isupper() else text[:1].lower() + text[1:]
