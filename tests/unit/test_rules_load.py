"""Reading rule packs: what is accepted, what is refused, and how it is said."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pruner.errors import InputError
from pruner.rules import bundled_rules_directory, check_pack, load_rules

GOOD = """\
format: 1
rules:
  - id: mine
    when: {path: /opt/app}
    keep: [/etc/app.conf]
    why: it reads it
    reference: app(1)
"""


def _pack(tmp_path: Path, text: str, name: str = "pack.yaml") -> Path:
    (tmp_path / name).write_text(text)
    return tmp_path


def _rule(**changes: str) -> str:
    keys = {
        "id": "mine", "when": "{path: /opt/app}", "keep": "[/etc/app.conf]", "why": "it reads it", "reference": "app(1)",
    } | {key.replace("_", "-"): value for key, value in changes.items()}  # fmt: skip
    lines = [f"{key}: {value}" for key, value in keys.items() if value != "-"]
    return "format: 1\nrules:\n  - " + "\n    ".join(lines) + "\n"


def test_a_pack_of_ones_own_joins_the_bundled_rules(tmp_path: Path) -> None:
    """`--rules DIR` adds rules after the bundled ones."""
    rules = load_rules([_pack(tmp_path, GOOD)])
    assert rules.find("mine").keep == ("/etc/app.conf",)
    assert rules.rules[-1].id == "mine"
    assert len(rules.rules) == len(load_rules().rules) + 1


def test_the_bundled_pack_is_sound() -> None:
    """`pruner rules check` finds nothing in the project's own rules."""
    assert check_pack(bundled_rules_directory()) == ()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("- a\n", "expected the keys 'format' and 'rules'"),
        ("format: 2\nrules: []\n", ":1: format: expected 1, found 2"),
        ("format: 1\nrules: []\n", ":2: rules: expected a list of rules"),
        ("format: 1\nrules: [x]\n", "rules[0]: expected a rule (a mapping)"),
        (_rule(id="My Rule"), ":3: rules[0].id: 'My Rule': only lower case"),
        (_rule(why="-"), "rules[0].why: is missing"),
        (_rule(reference="-"), "rules[0].reference: expected a manual page"),
        (_rule(kep="/x"), "rules[0].kep: unknown key; did you mean 'keep'?"),
        (_rule(when="{sybmol: x}"), "rules[0].when.sybmol: unknown key; did you mean 'symbol'?"),
        (_rule(when="{}"), "expected conditions on a file, on a package or on a capability"),
        (_rule(when="{path: /a, capability: b}"), "and on one of them"),
        (_rule(when="{path: usr/bin/app}"), "rules[0].when.path[0]: 'usr/bin/app' is no absolute path"),
        (_rule(when="{path: [/a, 7]}"), "rules[0].when.path[1]: expected a string, found int (quote it)"),
        (_rule(when="{path: /a, active: maybe}"), "rules[0].when.active: expected true or false"),
        (_rule(when="{path: /a/../b}"), "has a '.' or '..' component"),
        (_rule(when="{path: '/*/*/*/*/*/*/*/*/*'}"), "has more than 8 wildcards"),
        (_rule(keep="[etc/app]"), "is no path, owner, names, alternatives, package:GLOB or command:NAME"),
        (_rule(keep="-"), "rules[0]: does nothing"),
        (_rule(keep='["/etc/{value}"]'), "placeholder {value} of '/etc/{value}' has no value in this rule"),
        (_rule(keep='["/etc/{nonsense}"]'), "placeholder {nonsense} of '/etc/{nonsense}' is unknown"),
        (_rule(when="{capability: x}", keep="[owner]"), "only a rule about files has 'owner'"),
        (_rule(**{"as": "magic"}), "rules[0].as: expected one of exec, load, data"),
        (_rule(ask="Not A Name"), "is no capability; expected NAME or NAME=VALUE"),
        (_rule(optional="{group: g, default: maybe}"), "rules[0].optional.default: expected 'accept' or 'refuse'"),
        (_rule(optional="{group: g, default: accept, files: [/x]}"), "only a rule about a package names its files"),
        (_rule(drop_class="{name: docs, files: [/x]}"), "'drop-class' stands alone"),
        (_rule(drop_class="{name: docs}", keep="-", when="-"), "rules[0].drop-class.files: expected at least one path"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, text: str, problem: str) -> None:
    """A problem names the file, the line and the key path."""
    problems = check_pack(_pack(tmp_path, text))
    assert any(problem in found for found in problems), problems
    assert all(found.startswith(str(tmp_path / "pack.yaml")) for found in problems)


def test_all_problems_are_found_at_once(tmp_path: Path) -> None:
    """Neither the first wrong key nor the first wrong file hides the others."""
    _pack(tmp_path, _rule(why="-", kep="/x", **{"as": "magic"}))
    _pack(tmp_path, "format: [", "broken.yaml")
    problems = check_pack(tmp_path)
    assert len(problems) == 4
    with pytest.raises(InputError, match=r"broken\.yaml.*\(and 3 more\)"):
        load_rules([tmp_path])


def test_an_id_is_used_once_over_all_packs(tmp_path: Path) -> None:
    """A pack can't take the id of a bundled rule, nor use one twice."""
    taken = load_rules().rules[0].id
    _pack(tmp_path, _rule(id=taken))
    assert any(f"{taken}: this id is already used" in problem for problem in check_pack(tmp_path))
    _pack(tmp_path, GOOD, "a.yaml")
    _pack(tmp_path, GOOD)
    assert any("mine: this id is already used" in problem for problem in check_pack(tmp_path))


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nformat: 1\nrules: *c\n",
        "format: 1\nformat: 1\nrules: []\n",
        "format: !!python/object/apply:os.system ['true']\nrules: []\n",
        "[" * 5_000,
        "format: 1\nrules: []\n---\nformat: 1\n",
    ],
    ids=["bomb", "key given twice", "tag", "depth", "two documents"],
)
def test_hostile_yaml_is_refused(tmp_path: Path, text: str) -> None:
    """A YAML bomb, a tag or endless nesting costs one message."""
    with pytest.raises(InputError, match=r"pack\.yaml"):
        load_rules([_pack(tmp_path, text)])


def test_large_and_binary_files_are_refused(tmp_path: Path) -> None:
    """Size and encoding are checked before anything is parsed."""
    _pack(tmp_path, "#" * (1 << 20), "large.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    problems = check_pack(tmp_path)
    assert len(problems) == 2


def test_a_pipe_in_a_pack_is_not_waited_for(tmp_path: Path) -> None:
    """A file that is not regular is refused at once."""
    os.mkfifo(tmp_path / "pipe.yaml")
    assert any("not a regular file" in problem for problem in check_pack(tmp_path))


@pytest.mark.parametrize("make", [False, True], ids=["missing", "empty"])
def test_a_directory_without_rules_is_an_error(tmp_path: Path, make: bool) -> None:
    """`--rules` with a wrong directory fails rather than doing nothing."""
    directory = tmp_path / "pack"
    if make:
        directory.mkdir()
    with pytest.raises(InputError, match="pack"):
        load_rules([directory])


def test_an_unknown_id_names_the_nearest() -> None:
    """`pruner rules show` helps with a misspelt id."""
    with pytest.raises(InputError) as caught:
        load_rules().find("user-symbols")
    assert "users-symbols" in caught.value.hint
