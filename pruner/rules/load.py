"""Finds and reads rule packs: directories of `*.yaml`, one file a topic."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import TYPE_CHECKING

from pruner.errors import InputError, printable
from pruner.rules.parse import RuleReader
from pruner.rules.ruleset import RuleSet
from pruner.rules.surface import is_catalogue, parse_catalogue
from pruner.yamlfile import load_yaml

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pruner.rules.types import Rule

MAX_FILES = 500
MAX_BYTES = 1 << 19
"""Of one rule file."""


def bundled_rules_directory() -> Path:
    """The pack that ships with the program: inside the wheel, or `rules/` beside the package in a source tree.

    Raises `InputError` when the installation lacks it.
    """
    package = Path(__file__).resolve().parent.parent
    for directory in (package / "rulepacks", package.parent / "rules"):
        if directory.is_dir():
            return directory
    raise InputError("the bundled rules are missing", hint="install the program again")


def load_rules(extra: Sequence[Path] = ()) -> RuleSet:
    """The bundled rules and those of the directories `extra`, in this order.

    Raises `InputError` with the first problem and their number when any file of any pack is wrong.
    """
    directories = (bundled_rules_directory(), *extra)
    rules: list[Rule] = []
    problems: list[str] = []
    for directory in directories:
        read, found = _read_pack(directory)
        rules.extend(read)
        problems.extend(found)
    problems.extend(_clashes(rules))
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise InputError(f"{problems[0]}{more}", hint="`pruner rules check DIR` lists every problem of a pack")
    return RuleSet(tuple(rules))


def check_pack(directory: Path) -> tuple[str, ...]:
    """Every problem of the pack in `directory`, `FILE: KEY PATH: what is wrong`; empty where there is none.

    Ids must also differ from those of the bundled rules. Raises `InputError` when the directory can't be read.
    """
    rules, problems = _read_pack(directory)
    bundled = bundled_rules_directory()
    others = () if directory.resolve() == bundled.resolve() else _read_pack(bundled)[0]
    return (*problems, *_clashes([*others, *rules]))


def _read_pack(directory: Path) -> tuple[list[Rule], list[str]]:
    rules: list[Rule] = []
    problems: list[str] = []
    for path in _files(directory):
        reader = RuleReader(printable(str(path)))
        try:
            document = _document(path)
            if is_catalogue(document):
                problems.extend(parse_catalogue(document, reader.name)[1])
                continue
            rules.extend(reader.rules(document))
        except InputError as error:
            problems.append(error.fact)
        problems.extend(reader.issues)
    return rules, problems


def _files(directory: Path) -> list[Path]:
    try:
        paths = sorted(directory.iterdir())
    except OSError as error:
        raise InputError(
            f"{directory}: {(error.strerror or 'cannot be read').lower()}", hint="give a directory of *.yaml rule files"
        ) from None
    files = [path for path in paths if path.suffix in {".yaml", ".yml"}]
    if not files:
        raise InputError(f"{directory}: holds no rule file", hint="rule files end in .yaml")
    if len(files) > MAX_FILES:
        raise InputError(f"{directory}: more than {MAX_FILES} rule files", hint="is this a directory of rules?")
    return files


def _document(path: Path) -> object:
    """The file's value; a device or pipe is refused rather than waited for."""
    try:
        regular = stat.S_ISREG(path.stat().st_mode)
    except OSError as error:
        raise InputError(f"{path}: {(error.strerror or 'cannot be read').lower()}") from None
    if not regular:
        raise InputError(f"{path}: not a regular file", hint="remove it from the pack")
    return load_yaml(path, maximum_bytes=MAX_BYTES)


def _clashes(rules: Sequence[Rule]) -> list[str]:
    first: dict[str, Rule] = {}
    problems = []
    for rule in rules:
        if rule.id in first:
            problems.append(f"{rule.origin}: {rule.id}: this id is already used in {first[rule.id].origin}")
        first.setdefault(rule.id, rule)
    return problems
