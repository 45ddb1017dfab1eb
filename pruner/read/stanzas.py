"""Blocks of package databases and indexes: Debian's control syntax and apk's one-letter lines."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_FIELD = re.compile(r"^([!-9;-~]+):[ \t]*(.*(?:\n[ \t].*)*)", re.MULTILINE)
_SOURCE = re.compile(r"^(?P<name>\S+)(?:\s+\((?P<version>[^)]*)\))?$")
_BLANK = re.compile(r"\n(?:[ \t]*\n)+")


def blocks(text: str) -> Iterator[str]:
    """The paragraphs of `text`, which blank lines separate, without their final newline."""
    for block in _BLANK.split(text.replace("\r\n", "\n")):
        stripped = block.strip("\n")
        if stripped:
            yield stripped


def control_fields(stanza: str) -> dict[str, str]:
    """Fields of a Debian stanza by lower-case name (deb-control(5)); continuation lines keep their newline."""
    return {name.lower(): value for name, value in _FIELD.findall(stanza)}


def clauses(fields: Mapping[str, str], name: str) -> tuple[str, ...]:
    """The comma-separated clauses of a relationship field, each on one line."""
    return tuple(clause for part in fields.get(name, "").split(",") if (clause := " ".join(part.split())))


def source_of(fields: Mapping[str, str]) -> tuple[str, str]:
    """Name and version of the source package of a Debian stanza; the package's own where it names no other."""
    name, version = fields["package"], fields.get("version", "")
    found = _SOURCE.match(fields.get("source", name))
    return (found["name"], found["version"] or version) if found else (name, version)


def apk_fields(stanza: str) -> dict[str, str]:
    """The scalar lines of an apk block by their letter (apk-package(5) and apk's database.c); the first one counts."""
    fields: dict[str, str] = {}
    for line in stanza.split("\n"):
        if line[1:2] == ":":
            fields.setdefault(line[0], line[2:])
    return fields


def number(text: str) -> int:
    """A size in a stanza, 0 where it is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
