"""Cases of planning: a small root described in `tests/cases/TOPIC/root.yaml`, and what plans of it must say.

- name: link                      # unique within the topic
  summary: the behaviour, in one sentence
  entry: [/usr/bin/alias]         # and keep, drop, features, accept, refuse, profile as in pruner.yaml
  image: {...}                    # instead of the root's own
  without_root: true              # from the SBOM alone
  keeps: [/usr/bin/tool, …]       # globs: together exactly the names, directories left out, that are kept
  keeps_directories: [/srv]       # each must be kept (or made)
  drops: {/etc/x: documentation}  # reasons of dropped names, as regular expressions
  reasons: {/usr/bin/tool: entry} # likewise of kept ones
  packages: {tool: keep}          # keep, slice or drop; one may add a reason: "slice; 2 of 3"
  capabilities: [users]           # exactly
  unknowns: ["dropped-need /usr/bin/tool: needs .*"]   # regular expressions, exactly as many as there are
  options: {shell-commands: refused}                   # among those that `pruner costs` would list
  why: {/usr/lib/libx.so.1: [entry:…, /usr/bin/tool, /usr/lib/libx.so.1]}   # the chain's nodes
  error: {class: EntryError, fact: …, hint: …}         # regular expressions; instead of everything else
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

from pruner import make_plan
from pruner.model import FileType
from pruner.pipeline import Request
from pruner.pipeline.policy import glob_matcher
from pruner.pipeline.request import Profile
from pruner.plan import Decision, Plan, explain
from pruner.yamlfile import load_yaml
from tests.smallroots import make_root

CASES = Path(__file__).resolve().parent / "cases"
FIELDS = frozenset({
    "name", "summary", "entry", "keep", "drop", "features", "accept", "refuse", "profile", "image", "without_root", "keeps",
    "keeps_directories", "drops", "reasons", "packages", "capabilities", "unknowns", "options", "why", "error",
})  # fmt: skip
_BASE = (
    "/etc/os-release",
    "/usr/lib/os-release",
    "/var/lib/dpkg/status.d/**",
    "/lib/apk/db/installed",
    "/etc/apk/world",
)
"""Kept in every pruned root, and named by cases about nothing else."""


def read_cases() -> dict[str, tuple[str, Mapping[str, Any]]]:
    """Topic and case by `TOPIC/NAME`."""
    found: dict[str, tuple[str, Mapping[str, Any]]] = {}
    for file in sorted(CASES.glob("*/cases.yaml")):
        cases: Any = load_yaml(file)
        for case in cases:
            name = f"{file.parent.name}/{case['name']}"
            assert name not in found, f"{name} repeats"
            assert set(case) <= FIELDS, f"{name}: unknown {sorted(set(case) - FIELDS)}"
            assert case.get("summary"), f"{name} has no summary"
            found[name] = (file.parent.name, case)
    return found


def plan_of(topic: str, case: Mapping[str, Any], place: Path) -> Plan:
    """The plan of `case`, made from a root in the directory `place`."""
    description: Any = load_yaml(CASES / topic / "root.yaml")
    if "image" in case:
        description = {**description, "image": case["image"]}
    made = make_root(place, description)
    features = dict(text.partition("=")[::2] for text in case.get("features", ()))
    return make_plan(
        Request(
            sbom=str(made.sbom),
            root=None if case.get("without_root") else str(made.directory),
            entries=tuple(case.get("entry", ())),
            keep=tuple(case.get("keep", ())),
            drop=tuple(case.get("drop", ())),
            features={name: value or None for name, value in features.items()},
            accept=tuple(case.get("accept", ())),
            refuse=tuple(case.get("refuse", ())),
            profile=Profile(case.get("profile", "balanced")),
        )
    )


# -- what a case says -------------------------------------------------------------------------------------------------


def check_case(plan: Plan, case: Mapping[str, Any]) -> None:
    """Compare `plan` with what `case` says of it."""
    files = {file.path: file for file in plan.files}
    _check_kept(plan, case)
    for path in case.get("keeps_directories", ()):
        assert files[path].type is FileType.DIRECTORY
        assert files[path].decision is not Decision.DROP, path
    for path, reason in case.get("drops", {}).items():
        assert files[path].decision is Decision.DROP, f"{path} is kept: {files[path].reason}"
        _check_matches(reason, files[path].reason)
    for path, reason in case.get("reasons", {}).items():
        assert files[path].decision is not Decision.DROP, f"{path} is dropped: {files[path].reason}"
        _check_matches(reason, files[path].reason)
    packages = {package.name: package for package in plan.packages}
    for name, text in case.get("packages", {}).items():
        decision, _, reason = text.partition("; ")
        assert packages[name].decision == decision, f"{name}: {packages[name]}"
        _check_matches(reason, packages[name].reason)
    if "capabilities" in case:
        assert list(plan.capabilities) == case["capabilities"]
    if "unknowns" in case:
        found = [f"{unknown.kind} {unknown.subject}: {unknown.detail}" for unknown in plan.unknowns]
        assert len(found) == len(case["unknowns"]), found
        for pattern, text in zip(case["unknowns"], found, strict=True):
            _check_matches(pattern, text)
    options = {option.name: option for option in plan.optional}
    for name, state in case.get("options", {}).items():
        assert name in options, sorted(options)
        assert options[name].accepted is (state == "accepted"), options[name]
    for subject, chain in case.get("why", {}).items():
        edges = explain(plan, subject).chain
        assert [*(edge.source for edge in edges[:1]), *(edge.target for edge in edges)] == chain, edges


def _check_kept(plan: Plan, case: Mapping[str, Any]) -> None:
    kept = [
        file.path for file in plan.files if file.decision is not Decision.DROP and file.type is not FileType.DIRECTORY
    ]
    if "keeps" not in case:
        return
    patterns = case["keeps"]
    wanted, is_base = glob_matcher(patterns), glob_matcher(_BASE)
    assert [path for path in kept if not wanted(path) and not is_base(path)] == [], "kept beyond the case"
    for pattern in patterns:
        matches = glob_matcher([pattern])
        assert any(matches(path) for path in kept), f"{pattern} is not kept: {_reasons(plan, pattern)}"


def _reasons(plan: Plan, pattern: str) -> list[str]:
    matches = glob_matcher([pattern])
    return [file.reason for file in plan.files if matches(file.path)] or ["no such path"]


def check_error(error: Any, wanted: Mapping[str, str]) -> None:
    """Compare an error with what a case says of it."""
    assert type(error).__name__ == wanted["class"], repr(error)
    _check_matches(wanted["fact"], error.fact)
    _check_matches(wanted.get("hint", ""), error.hint)
    assert not error.fact.endswith("."), "a fact is no sentence with a full stop"


def _check_matches(pattern: str, text: str) -> None:
    assert re.search(pattern, text), f"{text!r} does not match {pattern!r}"


# -- what holds for every plan ----------------------------------------------------------------------------------------


def check_laws(plan: Plan) -> None:
    """Every kept file has a chain to an entry point or a reason of the container's own, every dropped one a reason."""
    files = {file.path: file for file in plan.files}
    kept = {path for path, file in files.items() if file.decision is not Decision.DROP}
    packages = {f"package:{package.id}": package for package in plan.packages}
    for path, file in files.items():
        parent = path.rpartition("/")[0]
        if path in kept:
            assert not parent or parent in kept, f"{path} has no parent"
            assert file.hardlink is None or file.hardlink in files
        assert file.reason, path
        answer = explain(plan, path)
        assert answer.kept is (path in kept)
        assert answer.reason == file.reason
        if path not in kept:
            assert answer.chain == ()
            assert file.origin is None
        elif file.type is not FileType.DIRECTORY and file.decision is not Decision.MAKE:
            _check_chain(path, answer.chain)
            assert file.origin is not None
    for edge in plan.edges:
        if edge.target.startswith("/"):
            assert edge.target in kept, f"{edge.target} is reached and not kept"
        if edge.target in packages and packages[edge.target].files:
            assert edge.source, edge
    assert list(files) == sorted(files, key=lambda path: path.encode("utf-8", "surrogateescape"))
    _check_packages(plan)
    _check_totals(plan)


def _check_chain(path: str, chain: tuple[Any, ...]) -> None:
    assert chain, f"{path} has no chain"
    assert chain[0].source.startswith("entry:"), chain
    assert chain[-1].target == path
    for before, after in pairwise(chain):
        assert before.target == after.source


def _check_packages(plan: Plan) -> None:
    for package in plan.packages:
        assert package.reason
        assert 0 <= package.kept_bytes <= package.bytes
        assert 0 <= package.kept_files <= package.files
        if package.files:
            assert (package.decision is Decision.DROP) is (package.kept_files == 0), package


def _check_totals(plan: Plan) -> None:
    kept = [file for file in plan.files if file.decision is not Decision.DROP and file.type is not FileType.DIRECTORY]
    assert plan.after.files == len(kept)
    inodes = {file.hardlink or file.path: file.bytes for file in kept if file.type is FileType.REGULAR}
    assert plan.after.bytes == sum(inodes.values())
    assert plan.after.packages == sum(package.decision is not Decision.DROP for package in plan.packages)
    assert plan.before.packages == len(plan.packages)
