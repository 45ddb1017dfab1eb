"""What vulnerability scanners report, whichever format they write."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from pruner.errors import InputError, printable

if TYPE_CHECKING:
    from collections.abc import Iterable

SEVERITIES = ("unknown", "negligible", "low", "medium", "high", "critical")
"""From what is not rated to the worst."""

_WORDS = {word: word for word in SEVERITIES} | {"info": "negligible", "none": "negligible", "": "unknown"}


class Reported(msgspec.Struct, frozen=True, kw_only=True):
    """One finding as a scanner states it."""

    id: str
    aliases: tuple[str, ...] = ()
    severity: str
    """One of `SEVERITIES`."""
    purl: str = ""
    type: str = ""
    """The scanner's own word for the ecosystem, for packages without a purl."""
    name: str
    version: str
    fixed_in: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    ignored: bool = False
    """A rule or a VEX statement that the scanner was given silences it."""


class ReportDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What one scanner's file says."""

    file: str
    """As the user gave it, safe to print."""
    scanner: str
    version: str = ""
    database: str = ""
    """What identifies the vulnerability database; empty where the report does not say."""
    distro: str = ""
    """`debian 12.5`; empty where no distribution was recognised."""
    sees_system: bool
    digests: tuple[str, ...] = ()
    """`sha256:HEX` of the image's configuration, manifest and repository, as far as stated."""
    serials: tuple[str, ...] = ()
    """Serial numbers of the SBOMs that BOM-Links lead to."""
    reported: tuple[Reported, ...]


def severity_word(text: str, name: str, at: str) -> str:
    """`text` as one of `SEVERITIES`. Raises `InputError` for any other word: it can't be held against a limit."""
    word = _WORDS.get(text.lower())
    if word is None:
        raise InputError(
            f"{name}: {at}: unknown severity '{printable(text[:60])}'", hint=f"known are {', '.join(SEVERITIES)}"
        )
    return word


def image_digests(stated: Iterable[object]) -> tuple[str, ...]:
    """The digests among texts such as `name@sha256:HEX`, sorted; anything else is passed over."""
    found = {text.rpartition("@")[2] for text in stated if isinstance(text, str)}
    return tuple(sorted(text for text in found if text.startswith("sha256:")))
