"""The text of one rule, for people to read."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from pruner.rules.load import bundled_rules_directory, load_rules
from pruner.yamlfile import YamlList, YamlMapping, load_yaml

if TYPE_CHECKING:
    from collections.abc import Sequence


def text_of_rule(identifier: str, extra: Sequence[Path] = ()) -> str:
    """The rule as its file states it, comments included, in the bundled rules or in the packs `extra`.

    Raises `InputError` where there is no such rule, with the nearest ids as the hint.
    """
    load_rules(extra).find(identifier)
    files = (
        path for directory in (bundled_rules_directory(), *extra) for path in sorted(Path(directory).glob("*.y*ml"))
    )
    return next(text for path in files if (text := _text_in(path, identifier)))


def _text_in(path: Path, identifier: str) -> str:
    """The lines from the rule's own to the next rule's, or none where the file does not hold it."""
    document = load_yaml(path)
    rules = document.get("rules") if isinstance(document, YamlMapping) else None
    if not isinstance(rules, YamlList):
        return ""
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    ends = [*rules.lines[1:], len(lines) + 1]
    for rule, start, end in zip(rules, rules.lines, ends, strict=True):
        if isinstance(rule, dict) and rule.get("id") == identifier:
            kept = lines[start - 1 : end - 1]
            while kept and (not kept[-1].strip() or kept[-1].lstrip().startswith("#")):
                kept.pop()
            return textwrap.dedent("\n".join(kept))
    return ""
