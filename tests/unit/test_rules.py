"""The rule engine: conditions, targets and expansion, on rules made for the purpose."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pruner.model import Distro, EdgeKind, File, FileType, Findings, Inventory, Package, PackageId, Strength
from pruner.rules import BoundRules, Rule, RuleSet, load_rules
from pruner.rules.parse import RuleReader
from pruner.rules.patterns import concrete, name_pattern, path_pattern, quoted, unmerged
from tests.rulecases import package, tree_of


def _rules(*entries: dict[str, Any]) -> RuleSet:
    reader = RuleReader("test.yaml")
    filled = [{"id": f"r{number}", "why": "w", "reference": "x(1)"} | entry for number, entry in enumerate(entries)]
    rules = reader.rules({"format": 1, "rules": filled})
    assert reader.issues == []
    return RuleSet(rules)


def _bind(rules: RuleSet, root: list[str], **inventory: Any) -> BoundRules:
    values = {"name": "n", "format": "syft-json", "has_content": True} | inventory
    return rules.bind(Inventory(**values), tree_of(root))


def _file(path: str) -> File:
    return File(path=path, type=FileType.REGULAR, mode=0o755)


def _ask(
    at_work: BoundRules, path: str, *, active: bool = True, owner: Package | None = None, symbols: set[str] | None = None,
    literals: set[str] | None = None,
) -> list[str]:  # fmt: skip
    seen = Findings(symbols=frozenset(symbols or ()), literals=frozenset(literals or ()))
    return [f"{edge.kind} {edge.target}" for edge in at_work.edges_of_file(_file(path), active, seen, owner).edges]


def test_every_condition_given_must_hold() -> None:
    """Symbol and path together fire only where both are true; one value of a list is enough."""
    rules = _rules({"when": {"symbol": ["a", "b"], "path": "/usr/bin/*"}, "ask": "x"})
    at_work = _bind(rules, [])
    assert _ask(at_work, "/usr/bin/app", symbols={"b"}) == ["capability capability:x"]
    assert _ask(at_work, "/opt/app", symbols={"b"}) == []
    assert _ask(at_work, "/usr/bin/app", symbols={"c"}) == []


def test_unless_takes_back() -> None:
    """Any condition of `unless` that holds silences the rule."""
    rules = _rules({"when": {"symbol": "a"}, "unless": {"path": "/lib/*", "package": "libc6"}, "ask": "x"})
    at_work = _bind(rules, [])
    assert _ask(at_work, "/usr/lib/libx.so", symbols={"a"}) == []
    assert _ask(at_work, "/opt/x", symbols={"a"}, owner=package("libc6")) == []
    assert _ask(at_work, "/opt/x", symbols={"a"}, owner=package("app")) == ["capability capability:x"]


def test_inert_files_fire_only_rules_that_say_so() -> None:
    """A file that is only data to its user asks for little; a library's symbols count, as it is there to be loaded."""
    rules = _rules(
        {"when": {"path": "/opt/a"}, "ask": "x"}, {"when": {"path": "/opt/a", "active": False}, "ask": "y"},
        {"when": {"symbol": "s"}, "ask": "z"},
    )  # fmt: skip
    at_work = _bind(rules, [])
    assert _ask(at_work, "/opt/a", active=False) == ["capability capability:y"]
    assert _ask(at_work, "/opt/a", active=False, symbols={"s"}) == [
        "capability capability:y",
        "capability capability:z",
    ]
    assert len(_ask(at_work, "/opt/a", symbols={"s"})) == 3


def test_a_rule_can_be_for_one_mode_only() -> None:
    """`content: false` speaks only where nothing but the SBOM is known."""
    rules = _rules({"when": {"path": "/opt/a", "content": False}, "ask": "x"})
    assert _ask(_bind(rules, []), "/opt/a") == []
    assert _ask(_bind(rules, [], has_content=False), "/opt/a") == ["capability capability:x"]


def test_a_rule_can_be_for_one_distribution() -> None:
    """ID and ID_LIKE both count, for drop classes too."""
    rules = _rules(
        {"when": {"path": "/opt/a", "distro": "debian"}, "ask": "x"},
        {"when": {"distro": "alpine"}, "drop-class": {"name": "c", "files": ["/c/"]}},
    )
    ubuntu = _bind(rules, [], distro=Distro(id="ubuntu", id_like=("debian",)))
    alpine = _bind(rules, [], distro=Distro(id="alpine"))
    assert _ask(ubuntu, "/opt/a") == ["capability capability:x"]
    assert _ask(alpine, "/opt/a") == []
    assert alpine.is_documentation("/c/x")
    assert not ubuntu.is_documentation("/c/x")


def test_paths_match_with_and_without_usr() -> None:
    """One spelling serves merged and split systems, in conditions and in targets."""
    rules = _rules({"when": {"path": "/usr/bin/app"}, "keep": ["/lib/app/data"]})
    assert _ask(_bind(rules, ["/usr/lib/app/data"]), "/bin/app") == ["data /usr/lib/app/data"]
    merged = _bind(rules, ["/lib -> usr/lib", "/usr/lib/app/data"])
    assert _ask(merged, "/usr/bin/app") == ["data /usr/lib/app/data", "link /lib"]


def test_library_placeholder_knows_multiarch_and_lib64() -> None:
    """`{lib}` matches and expands to every convention, and counts as no capture."""
    rules = _rules({"when": {"path": "{lib}/libx.so.*"}, "keep": ["{lib}/x/plug-{1}.so"], "as": "load"})
    for directory in ("/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/lib", "/usr/lib/x86_64-linux-musl"):
        at_work = _bind(rules, [f"{directory}/x/plug-7.so"])
        assert _ask(at_work, f"{directory}/libx.so.7") == [f"load {directory}/x/plug-7.so"]
    assert _ask(_bind(rules, ["/usr/lib/x/plug-7.so"]), "/usr/lib/deep/er/libx.so.7") == []


def test_what_a_capture_holds_is_literal() -> None:
    """A file called `*` can't make a rule keep everything."""
    rules = _rules({"when": {"path": "/opt/*/app"}, "keep": ["/data/{1}/x"]})
    at_work = _bind(rules, ["/data/one/x", "/data/*/x", "/data/[o]ne/x"])
    assert _ask(at_work, "/opt/*/app") == ["data /data/*/x"]
    assert _ask(at_work, "/opt/[o]ne/app") == ["data /data/[o]ne/x"]


def test_values_of_capabilities_stay_inside_the_root() -> None:
    """A value with `..` or wildcards names nothing else than it says."""
    rules = _rules({"when": {"capability": "zone=*"}, "keep": ["/zones/{value}"]})
    at_work = _bind(rules, ["/zones/UTC", "/etc/shadow"])
    for value in ("*", "../../../../etc/*", "?TC"):
        found = at_work.edges_of_capability("zone", value)
        assert found.edges == ()
        assert [unknown.kind for unknown in found.unknowns] == ["capability"]
    climbing = at_work.edges_of_capability("zone", "../../../../zones/UTC")
    assert {edge.target for edge in climbing.edges} <= {"/zones/UTC"}


def test_a_capability_with_and_without_a_value_are_two_questions() -> None:
    """`zone` does not fire the rule for `zone=*`, and the other way round."""
    rules = _rules(
        {"when": {"capability": "zone"}, "keep": ["/zones/local"]},
        {"when": {"capability": "zone=*"}, "keep": ["/zones/{value}"]},
    )
    at_work = _bind(rules, ["/zones/local", "/zones/UTC"])
    assert [edge.rule for edge in at_work.edges_of_capability("zone", None).edges] == ["r0"]
    assert [edge.target for edge in at_work.edges_of_capability("zone", "UTC").edges] == ["/zones/UTC"]
    assert at_work.edges_of_capability("other", None).unknowns == ()


def test_a_tree_comes_without_drop_classes_and_exceptions() -> None:
    """A trailing slash keeps the directory and all below, less what nothing reads."""
    rules = _rules(
        {"when": {"path": "/opt/a"}, "keep": ["/usr/share/app/"], "except": ["/usr/share/app/big/"]},
        {"drop-class": {"name": "documentation", "files": ["/usr/share/app/doc/", "/usr/share/man/"]}},
        {"when": {"path": "/opt/man"}, "keep": ["/usr/share/man/de/"]},
    )
    root = [
        "/usr/share/app/doc/x",
        "/usr/share/app/big/y",
        "/usr/share/app/z",
        "/usr/share/man/de/a",
        "/usr/share/man/b",
    ]
    at_work = _bind(rules, root)
    assert _ask(at_work, "/opt/a") == ["data /usr/share/app", "data /usr/share/app/z"]
    # A rule that names a directory inside a class means it.
    assert _ask(at_work, "/opt/man") == ["data /usr/share/man/de", "data /usr/share/man/de/a"]


def test_a_tree_behind_a_link_is_kept_with_the_link() -> None:
    """The link is kept by its own name, and the tree where it really is."""
    rules = _rules({"when": {"path": "/opt/a"}, "keep": ["/etc/app/"], "as": "config"})
    at_work = _bind(rules, ["/etc/app -> /opt/etc", "/opt/etc/x"])
    assert _ask(at_work, "/opt/a") == ["config /etc/app", "config /opt/etc", "config /opt/etc/x"]


def test_directories_come_alone_and_only_where_they_are() -> None:
    """`directory` names no file, not even one of that name."""
    rules = _rules({"when": {"path": "/opt/a"}, "directory": ["/var/lib/app", "/run/app", "/var/none", "/var/run/x"]})
    at_work = _bind(rules, ["/var/lib/app/content", "/run/app", "/var/run -> /run", "/run/x/"])
    assert _ask(at_work, "/opt/a") == ["state /var/lib/app", "state /run/x", "link /var/run"]


def test_packages_by_name_are_those_of_the_distribution() -> None:
    """`package:GLOB` leaves language packages alone unless their ecosystem is named."""
    rules = _rules({"when": {"path": "/opt/a"}, "keep": ["package:lib*", "package:npm/lib*", "owner"]})
    npm = Package(id=PackageId("n"), type="npm", name="lib-n", version="1")
    at_work = _bind(rules, [], packages=(package("libz"), package("zlib"), npm))
    assert _ask(at_work, "/opt/a", owner=package("app")) == ["rule package:libz", "rule package:n", "rule package:app"]


def test_commands_are_found_through_the_images_path() -> None:
    """`command:` looks where the image's PATH says, and keeps the name that it finds."""
    rules = _rules({"when": {"path": "/opt/a"}, "keep": ["command:sh"]})
    tree = tree_of(["/opt/bin/sh -> /opt/bin/dash", "/opt/bin/dash"])
    inventory = Inventory(name="n", format="syft-json", has_content=True)
    assert _ask(rules.bind(inventory, tree, ("/opt/bin",)), "/opt/a") == ["exec /opt/bin/sh"]
    assert _ask(rules.bind(inventory, tree), "/opt/a") == []


def test_names_of_a_program_are_the_links_that_lead_to_it() -> None:
    """Alternatives are those that pass /etc/alternatives."""
    rules = _rules(
        {"when": {"path": "/opt/a"}, "keep": ["alternatives"]}, {"when": {"path": "/opt/b"}, "keep": ["names"]}
    )
    root = [
        "/usr/bin/x -> /etc/alternatives/x",
        "/etc/alternatives/x -> /opt/a",
        "/usr/bin/y -> /opt/a",
        "/usr/bin/z -> /opt/b",
        "/opt/a",
        "/opt/b",
    ]
    at_work = _bind(rules, root)
    assert _ask(at_work, "/opt/a") == ["state /usr/bin/x", "state /etc/alternatives/x"]
    assert _ask(at_work, "/opt/b") == ["state /usr/bin/z"]


def test_optional_edges_carry_group_default_and_rule() -> None:
    """What may be refused says under which name."""
    rules = _rules({"when": {"path": "/opt/a"}, "keep": ["/x"], "optional": {"group": "g", "default": "refuse"}})
    (edge,) = _bind(rules, ["/x"]).edges_of_file(_file("/opt/a"), True, Findings(), None).edges
    assert (edge.strength, edge.group, edge.default, edge.rule) == (Strength.OPTIONAL, "g", False, "r0")
    assert (edge.kind, edge.evidence) == (EdgeKind.DATA, "is /opt/a")


def test_a_package_that_only_a_dependency_asks_for_can_be_optional() -> None:
    """Without files and edges a rule speaks of the package itself, whose path is empty."""
    rules = _rules(
        {"when": {"package": "icons-*"}, "optional": {"group": "icons", "default": "accept"}},
        {"when": {"package": "app"}, "optional": {"group": "jit", "default": "refuse", "files": ["/lib/jit*"]}},
    )
    option = rules.optional_for("", package("icons-x"))
    assert option is not None
    assert (option.group, option.default, option.rule) == ("icons", True, "r0")
    assert rules.optional_for("", package("app")) is None
    assert rules.optional_for("/usr/lib/jit.so", package("app")) is not None
    assert rules.optional_for("/usr/share/icons/x", package("icons-x")) is None


def test_package_rules_wait_until_the_package_is_whole() -> None:
    """A sliced package has no state of its own."""
    rules = _rules({"when": {"package": "app*"}, "directory": ["/var/lib/{package}", "/var/lib/{source}"]})
    at_work = _bind(rules, ["/var/lib/app-x/", "/var/lib/src/"])
    assert at_work.edges_of_package(package("app-x", "src"), whole=False).edges == ()
    assert [edge.target for edge in at_work.edges_of_package(package("app-x", "src"), whole=True).edges] == [
        "/var/lib/app-x", "/var/lib/src",
    ]  # fmt: skip
    npm = Package(id=PackageId("n"), type="npm", name="app-x", version="1")
    assert at_work.edges_of_package(npm, whole=True).edges == ()


def test_several_literals_give_several_answers() -> None:
    """A literal's captures fill the targets, once for each literal."""
    rules = _rules({"when": {"literal": "/usr/share/*/main.db"}, "keep": ["/usr/share/{1}/extra.db"]})
    at_work = _bind(rules, ["/usr/share/a/extra.db", "/usr/share/b/extra.db"])
    literals = {"/usr/share/b/main.db", "/usr/share/a/main.db", "/usr/share/none/main.db"}
    assert _ask(at_work, "/opt/a", literals=literals) == ["data /usr/share/a/extra.db", "data /usr/share/b/extra.db"]


def _fires(rules: RuleSet, path: str) -> set[str]:
    return {edge.rule or "" for edge in _bind(rules, []).edges_of_file(_file(path), True, Findings(), None).edges}


_COMPONENTS = st.sampled_from(["usr", "lib", "bin", "a", "ab", "abc.so.1", "abcd", "x86_64-linux-gnu", "opt", "*x"])
_PATTERN_PARTS = st.sampled_from(["usr", "lib", "bin", "a*", "*", "**", "ab?", "abc*.so.*", "abc.so.1", "a", "[ab]bcd"])


@given(st.lists(st.lists(_PATTERN_PARTS, min_size=1, max_size=4), min_size=1, max_size=6), st.booleans(),
       st.lists(_COMPONENTS, min_size=1, max_size=4))  # fmt: skip
def test_the_index_finds_what_trying_every_rule_finds(patterns: list[list[str]], tree: bool, parts: list[str]) -> None:
    """Looking rules up by name and directory loses none that matches."""
    texts = ["/" + "/".join(pattern) + ("/" if tree else "") for pattern in patterns]
    texts += ["{lib}/" + "/".join(patterns[0]), "{bin}/" + patterns[0][0]]
    rules = _rules(*({"when": {"path": text}, "ask": "x"} for text in texts))
    path = "/" + "/".join(parts)
    expected = {rule.id for rule in rules.rules if _matches(rule, path)}
    assert _fires(rules, path) == expected


def _matches(rule: Rule, path: str) -> bool:
    return any(pattern.captures(unmerged(path)) is not None for pattern in rule.when.paths)


@given(st.text(st.characters(blacklist_categories=("Cs",)), max_size=12))
def test_quoted_text_matches_itself_alone(text: str) -> None:
    """Whatever a capture holds, inside a pattern it means just that."""
    pattern = name_pattern(quoted(text))
    assert pattern.captures(text) is not None
    assert pattern.captures(text + "x") is None


@pytest.mark.parametrize(
    ("pattern", "path", "captures"),
    [
        ("/a/*/c", "/a/b/c", ("b",)),
        ("/a/*/c", "/a/b/b/c", None),
        ("/a/**/c", "/a/b/b/c", ("b/b",)),
        ("/a/b?[0-9]", "/a/bx7", ("x", "7")),
        ("/a/b[!0-9]", "/a/b7", None),
        ("/a/", "/a", ()),
        ("/a/", "/a/b\nc", ()),
        ("/a/", "/ab", None),
        ("{bin}/x*", "/usr/local/sbin/xy", ("y",)),
        ("/usr/lib/x", "/usr/lib/x", ()),
        ("/a.c", "/abc", None),
    ],
)
def test_path_patterns(pattern: str, path: str, captures: tuple[str, ...] | None) -> None:
    """Wildcards stay within a component, `**` crosses, a trailing slash means the tree."""
    assert path_pattern(pattern).captures(unmerged(path)) == captures


def test_concrete_spellings() -> None:
    """Targets are tried as written first, then in the other spelling."""
    assert concrete("/etc/x") == ("/etc/x",)
    assert concrete("/usr/lib/x") == ("/usr/lib/x", "/lib/x")
    assert concrete("/lib/x") == ("/lib/x", "/usr/lib/x")
    assert "/usr/lib/*-linux-*/x" in concrete("{lib}/x")


def test_answers_do_not_depend_on_order() -> None:
    """Asking twice, or in another order, gives equal answers; edges never point back at their own source."""
    rules = load_rules()
    at_work = _bind(rules, ["/etc/passwd", "/etc/group", "/etc/ssl/openssl.cnf", "/usr/bin/perl", "/etc/perl/x"])
    paths = ["/usr/lib/x86_64-linux-gnu/libcrypto.so.3", "/usr/bin/perl"]
    first = [at_work.edges_of_file(_file(path), True, Findings(), None) for path in paths]
    second = [at_work.edges_of_file(_file(path), True, Findings(), None) for path in reversed(paths)]
    assert first == second[::-1]
    assert all(edge.source != edge.target for found in first for edge in found.edges)
    assert first[0].edges


def test_yaml_of_the_readme_is_a_rule(tmp_path: Path) -> None:
    """The example in rules/README.md is one that can be copied."""
    text = (Path(__file__).parents[2] / "rules" / "README.md").read_text()
    example = text.partition("```yaml\n")[2].partition("```")[0]
    reader = RuleReader("README.md")
    (rule,) = reader.rules(yaml.safe_load(example))
    assert reader.issues == []
    assert rule.kind is EdgeKind.LOAD
