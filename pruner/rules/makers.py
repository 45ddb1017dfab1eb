"""Which tools write what for the maintainer scripts that call them: the bundled `maintainer/makers.yaml`."""

from __future__ import annotations

import functools

from pruner.errors import InputError
from pruner.rules.load import bundled_rules_directory
from pruner.yamlfile import YamlList, YamlMapping, load_yaml


@functools.cache
def tools_by_place() -> tuple[tuple[str, str], ...]:
    """Paths, and the tool that makes each; one that ends in `*` stands for all that begin so. The closest comes first.

    Raises `InputError` where the bundled file is damaged.
    """
    path = bundled_rules_directory() / "maintainer" / "makers.yaml"
    document = load_yaml(path)
    entries = document.get("tools") if isinstance(document, YamlMapping) else None
    if not isinstance(entries, YamlList):
        raise InputError(f"{path}: no list of tools", hint="install the program again")
    for entry, line in zip(entries, entries.lines, strict=True):
        if not isinstance(entry, YamlMapping) or entry.keys() != {"call", "paths", "why", "reference"}:
            raise InputError(f"{path}:{line}: an entry has a call, paths, a reason and a reference")
    pairs = ((str(place), str(entry["call"])) for entry in entries for place in entry["paths"])
    return tuple(sorted(pairs, key=lambda pair: (-len(pair[0]), pair)))
