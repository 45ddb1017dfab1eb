"""The words for the attack surface that a policy may use, why each matters, and which inputs tell of it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from pruner.rules.surface import bundled_catalogue

if TYPE_CHECKING:
    from collections.abc import Collection

FULL_LISTING = "give a root filesystem, or a syft-json SBOM with all files (SYFT_FILE_METADATA_SELECTION=all)"
"""What to do where an input does not list every file."""
_MADE = {
    "capability": "a file with capabilities gives whoever starts it a part of root's rights (capabilities(7))",
    "executable": "what can be started can be started by an intruder",
    "idle-library": "no program's DT_NEEDED leads to it: a module that a program opens itself, or code for nothing",
    "library": "it is loaded into what the entry points start",
    "other-library": "only programs beside the entry points load it",
    "setgid": "a setgid file runs with its group's rights for whoever starts it",
    "setuid": "a setuid file runs with its owner's rights for whoever starts it",
    "world-writable": "whatever runs in the container can change it",
}
"""Categories that follow from types, modes and needs; the others are the catalogue's."""


@cache
def category_names() -> tuple[str, ...]:
    """Every category, sorted."""
    named = {word for category in bundled_catalogue().categories for word in category.counts_as}
    return tuple(sorted(named | _MADE.keys()))


def category_reason(name: str) -> str:
    """Why things of the category matter, one sentence without a full stop."""
    if name in _MADE:
        return _MADE[name]
    category = bundled_catalogue().find(name)
    return " ".join(category.why.split()).rstrip(".") if category is not None else "the policy names it"


def telling_input(name: str, unknown: Collection[str]) -> str:
    """What to give instead of an input that can't count `name` (a category, or `packages`).

    `unknown` are the categories that it can't tell.
    """
    if name == "packages":
        return "give an SBOM of it, which lists packages whatever their database"
    if name == "capability":
        return "give a root filesystem: SBOMs and plans record no file capabilities"
    if name in {"library", "other-library"} and "idle-library" not in unknown:
        return "give --plan, or an SBOM or archive of the image, whose configuration says what is started"
    return FULL_LISTING
