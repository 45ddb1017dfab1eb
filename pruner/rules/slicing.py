"""Knowledge that slices are written by: the bundled `slices/directories.yaml` and `slices/series.yaml`."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from pruner.errors import InputError
from pruner.rules.load import bundled_rules_directory
from pruner.yamlfile import YamlList, YamlMapping, load_yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

_SUITE = "suite"


def shared_names() -> frozenset[str]:
    """Names of directories that many packages fill, wherever they lie. Raises `InputError` for a damaged file."""
    return _listed("names")


def shared_paths() -> frozenset[str]:
    """Directories that say nothing of who makes what is in them. Raises `InputError` for a damaged file."""
    return _listed("paths")


def suite_of(distribution: str, version: str) -> str:
    """The series' name that archives have it under; empty where it is not known."""
    return _series().get((distribution, version), {}).get(_SUITE, "")


def dates_of(distribution: str, version: str) -> Mapping[str, str]:
    """Ends of maintenance by chisel's names, as YYYY-MM-DD; empty where they are not known."""
    return {name: text for name, text in _series().get((distribution, version), {}).items() if name != _SUITE}


@functools.cache
def _listed(section: str) -> frozenset[str]:
    path = bundled_rules_directory() / "slices" / "directories.yaml"
    document = load_yaml(path)
    entries = document.get(section) if isinstance(document, YamlMapping) else None
    if not isinstance(entries, YamlList):
        raise InputError(f"{path}: no list of {section}", hint="install the program again")
    for entry, line in zip(entries, entries.lines, strict=True):
        if not isinstance(entry, YamlMapping) or entry.keys() != {section, "why", "reference"}:
            raise InputError(f"{path}:{line}: an entry has {section}, a reason and a reference")
    return frozenset(str(name) for entry in entries for name in entry[section])


@functools.cache
def _series() -> Mapping[tuple[str, str], Mapping[str, str]]:
    path = bundled_rules_directory() / "slices" / "series.yaml"
    document = load_yaml(path)
    if not isinstance(document, YamlMapping):
        raise InputError(f"{path}: no mapping", hint="install the program again")
    return {
        (distribution, version): {name: str(text) for name, text in facts.items()}
        for distribution, stated in document.items()
        if isinstance(stated, YamlMapping)
        for version, facts in stated["series"].items()
    }
