"""Every shipped rule, tried on a small root."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pruner.model import EdgeKind
from pruner.rules import load_rules
from pruner.rules.surface import SURFACE_FILE
from pruner.yamlfile import load_yaml
from tests.rulecases import answer, package
from tests.support import ROOT

RULES = load_rules()
DIRECTORY = ROOT / "tests" / "cases" / "rules"


def _cases() -> list[Any]:
    found: list[Any] = []
    for path in sorted(DIRECTORY.glob("*.yaml")):
        cases = load_yaml(path)
        assert isinstance(cases, list)
        found.extend(pytest.param(case, id=f"{path.stem}:{case['rule']}") for case in cases)
    return found


def _named(case: dict[str, Any]) -> str:
    return str(case["rule"])


@pytest.mark.parametrize("case", [param for param in _cases() if "gives" in param.values[0]])
def test_a_rule_gives_exactly_the_edges_of_its_case(case: dict[str, Any]) -> None:
    """A rule fires on its case and adds these edges and no others, in this order."""
    assert answer(RULES, case) == case["gives"]


@pytest.mark.parametrize("case", [param for param in _cases() if "drops" in param.values[0]])
def test_a_drop_class_holds_its_files_and_not_its_exceptions(case: dict[str, Any]) -> None:
    """Files of the class are left out of whole packages; the exceptions stay."""
    rule = RULES.find(case["rule"])
    for path in case["drops"]:
        found = RULES.drop_class_of(path)
        assert found is not None, path
        assert found[1].drop is not None
        assert found[0] == rule.drop.name if rule.drop else False
    for path in case.get("leaves", ()):
        assert not RULES.is_documentation(path), path


@pytest.mark.parametrize("case", [param for param in _cases() if "optional" in param.values[0]])
def test_optional_files_of_a_package_carry_group_and_default(case: dict[str, Any]) -> None:
    """A file that may be left out of a whole package says under which name, and whether it is by default."""
    wanted = case["optional"]
    owner = package(case["package"], case.get("source"))
    for path in wanted["files"]:
        option = RULES.optional_for(path, owner)
        assert option is not None, path
        assert (option.group, option.default, option.rule) == (
            wanted["group"], wanted["default"] == "accept", case["rule"],
        )  # fmt: skip
    assert RULES.optional_for(wanted["files"][0], package("some-other-package")) is None


def test_every_rule_has_a_case_that_makes_it_fire() -> None:
    """No rule ships untested, and no case is left of a rule that is gone."""
    cases = [param.values[0] for param in _cases()]
    assert {_named(case) for case in cases} == {rule.id for rule in RULES.rules}
    assert all(case.get("gives") or case.get("drops") or case.get("optional") for case in cases)


def test_every_capability_that_a_rule_asks_for_is_answered_by_another() -> None:
    """A rule can't ask for a capability that nothing provides."""
    asked = {name.partition("=")[0] for rule in RULES.rules for name in rule.ask}
    assert asked <= set(RULES.capabilities)


def test_references_name_a_manual_page_or_an_address() -> None:
    """A reference can be looked up: `name(section)` or a URL."""
    for rule in RULES.rules:
        for reference in rule.reference:
            assert reference.startswith("https://") or reference.endswith(")"), (rule.id, reference)


def test_whole_runtimes_are_active() -> None:
    """What a runtime imports runs: the edges to its packages are of a kind that makes them active."""
    for rule in RULES.rules:
        if "owner" in rule.keep:
            assert rule.kind in {None, EdgeKind.IMPORT, EdgeKind.LOAD, EdgeKind.EXEC}, rule.id


def test_the_readme_documents_every_key() -> None:
    """A key of the format is in the page that describes it."""
    text = (ROOT / "rules" / "README.md").read_text()
    keys = ("symbol", "literal", "path", "package", "source", "type", "distro", "capability", "active", "content",
            "keep", "as", "directory", "link", "ask", "except", "optional", "drop-class", "why", "reference")  # fmt: skip
    assert all(f"`{key}`" in text for key in keys)


def test_a_library_that_only_converts_for_the_locale_brings_no_modules() -> None:
    """libidn2 and its like ask for iconv only optionally; a program with the same import asks firmly."""
    library = {"rule": "iconv-symbols", "file": "/usr/lib/x86_64-linux-gnu/libidn2.so.0", "imports": ["iconv_open"]}
    assert answer(RULES, library) == []
    assert answer(RULES, {**library, "file": "/usr/bin/php8.2"}) == ["capability capability:iconv"]


@pytest.mark.parametrize(
    ("path", "dropped"),
    [
        ("/usr/share/doc/curl/changelog.gz", True),
        ("/usr/share/doc/curl/copyright", False),
        ("/usr/share/perl/5.36.0/pod/perldiag.pod", False),
        ("/usr/share/perl/5.36.0/CPAN/Meta.pod", True),
        ("/usr/lib/python3.11/unittest/case.py", False),
        ("/usr/lib/python3.11/test/support/__init__.py", False),
        ("/usr/lib/python3/dist-packages/numpy/tests/test_x.py", False),
        ("/usr/local/lib/python3.12/site-packages/app/test/data.py", False),
        ("/usr/lib/x86_64-linux-gnu/ImageMagick-6.9.11/modules-Q16/coders/png.la", False),
        ("/usr/share/documents/x", False),
        ("/usr/share/locale/de/LC_MESSAGES/git.mo", True),
    ],
)
def test_runtime_data_that_looks_like_documentation_stays(path: str, dropped: bool) -> None:
    """The classes end where a program starts to read."""
    assert RULES.is_documentation(path) is dropped


def test_the_jit_may_go_and_the_server_stays() -> None:
    """Only LLVM's part of PostgreSQL is optional."""
    server = package("postgresql-15")
    option = RULES.optional_for("/usr/lib/postgresql/15/lib/llvmjit.so", server)
    assert option is not None
    assert not option.default
    assert RULES.optional_for("/usr/lib/postgresql/15/lib/plpgsql.so", server) is None


def test_rules_are_found_beside_the_package() -> None:
    """The source tree's own packs are the ones that are loaded."""
    packs = {str(path) for path in (ROOT / "rules").glob("*.yaml")} - {str(ROOT / "rules" / SURFACE_FILE)}
    assert {rule.origin for rule in RULES.rules} == packs
    assert Path(RULES.rules[0].origin).is_file()
