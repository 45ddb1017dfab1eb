"""What the user asked for: checked, recorded in the plan, and planned again by `verify --refine`."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pruner import make_plan
from pruner.cli.verify import _Given, _request_again
from pruner.emit import emit_all
from pruner.emit.planfile import load_plan
from pruner.errors import InputError, UsageError
from pruner.pipeline import Profile, Request
from pruner.plan import Plan, explain
from pruner.read.config import RelationsFile
from tests.smallroots import SmallRoot, make_root

ROOT: dict[str, Any] = {
    "files": {
        "/usr/lib/ld.so": {"elf": {}},
        "/usr/bin/tool": {"elf": {"interpreter": "/usr/lib/ld.so"}},
        "/usr/share/words/list": "words",
        "/usr/share/zoneinfo/Europe/Bratislava": "TZif",
        "/usr/share/zoneinfo/zone.tab": "SK",
    },
    "packages": {
        "tool": {"files": ["/usr/bin/tool"]},
        "words": {"files": ["/usr/share/words/list"]},
        "tzdata": {"files": ["/usr/share/zoneinfo/**"]},
    },
}


@pytest.fixture
def small(tmp_path: Path) -> SmallRoot:
    return make_root(tmp_path, ROOT)


def request_for(small: SmallRoot, **changes: Any) -> Request:
    base = Request(sbom=str(small.sbom), root=str(small.directory), entries=("/usr/bin/tool",), features={})
    return replace(base, **changes)


def graph(place: Path, **attributes: str) -> RelationsFile:
    """A graph file in which tool depends on words."""
    edge = {"source": "tool", "target": "words", **attributes}
    document = {"directed": True, "multigraph": False, "graph": {}, "nodes": [{"id": "tool"}, {"id": "words"}]}
    path = place / "graph.json"
    path.write_text(json.dumps({**document, "edges": [edge]}))
    return RelationsFile(path=path)


def kept(plan: Plan) -> set[str]:
    return {file.path for file in plan.files if file.decision != "drop"}


@pytest.mark.parametrize(
    ("attributes", "accept", "profile", "is_kept"),
    [
        ({}, (), Profile.MINIMAL, True),
        ({"kind": "recommends"}, (), Profile.BALANCED, False),
        ({"strength": "optional"}, (), Profile.BALANCED, False),
        ({"strength": "optional"}, ("optional-packages",), Profile.MINIMAL, True),
        ({"kind": "recommends", "strength": "hard"}, (), Profile.BALANCED, True),
    ],
)
def test_strength_of_a_relation(
    small: SmallRoot,
    tmp_path: Path,
    attributes: dict[str, str],
    accept: tuple[str, ...],
    profile: Profile,
    is_kept: bool,
) -> None:
    """A relation that a graph file states as optional is an option, which is left out unless it is accepted."""
    wanted = request_for(small, relations=(graph(tmp_path, **attributes),), accept=accept, profile=profile)
    plan = make_plan(wanted)
    assert ("/usr/share/words/list" in kept(plan)) is is_kept
    options = {option.name: option.accepted for option in plan.optional}
    if not is_kept:
        assert options["optional-packages"] is False


def test_feature_that_no_rule_knows(small: SmallRoot) -> None:
    """A misspelt feature would do nothing in silence; it is a mistake of usage, with the nearest names."""
    with pytest.raises(UsageError, match="'timezon'") as caught:
        make_plan(request_for(small, features={"timezon": None}))
    assert "timezone" in caught.value.hint


@pytest.mark.parametrize(
    ("features", "missing"),
    [
        ({"timezone": "Europe/Bratislava"}, []),
        ({"timezone": "Europe/Atlantis"}, ["capability:timezone=Europe/Atlantis"]),
        ({"locale": "xx_YY.UTF-8"}, ["capability:locale=xx_YY.UTF-8"]),
    ],
)
def test_value_that_the_root_lacks(small: SmallRoot, features: dict[str, str], missing: list[str]) -> None:
    """What a capability's rules keep for any value does not hide that nothing is there for the one asked for."""
    plan = make_plan(request_for(small, features=features))
    assert [unknown.subject for unknown in plan.unknowns if unknown.kind == "capability"] == missing


def test_an_sbom_without_files_needs_a_root(small: SmallRoot, tmp_path: Path) -> None:
    """CycloneDX names packages only: alone it would make an empty image, with the root it makes the same one."""
    component = {"type": "library", "name": "tool", "version": "1.0-1", "purl": "pkg:deb/debian/tool@1.0-1?arch=amd64"}
    document = {"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "components": [component]}
    (tmp_path / "sbom.cdx.json").write_text(json.dumps(document))
    wanted = request_for(small, sbom=str(tmp_path / "sbom.cdx.json"))
    with pytest.raises(InputError, match="lists no files") as caught:
        make_plan(replace(wanted, root=None, entries=("deb:tool",)))
    assert "--root" in caught.value.hint
    assert kept(make_plan(wanted)) >= {"/usr/bin/tool", "/usr/lib/ld.so"}


def test_refining_plans_the_same_again(small: SmallRoot, tmp_path: Path) -> None:
    """All that a plan was asked for is asked for again: nothing that the command line said is lost."""
    wanted = request_for(
        small,
        keep=("/usr/share/words/list",), drop=("/usr/share/zoneinfo/**",), features={"timezone": "Europe/Bratislava"},
        accept=("a",), refuse=("timezones",), profile=Profile.MINIMAL, verify=("tool --version",), image="app:1",
    )  # fmt: skip
    made = make_plan(wanted)
    for artifact in emit_all(made, image="app:1"):
        path = tmp_path / "plan" / artifact.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(artifact.data)
    plan = load_plan(tmp_path / "plan")
    config = tmp_path / "pruner.yaml"
    given = _Given(sbom=str(small.sbom), root=str(small.directory), config=config, rules=())
    assert _request_again(plan, given) == replace(wanted, image=None)  # the image is handed to the outputs
    assert plan.settings.image == "app:1"
    config.write_text("version: 1\nkeep: [/usr/lib/ld.so, /usr/share/words/list]\n")
    again = _request_again(plan, given)
    assert again.keep == ("/usr/lib/ld.so", "/usr/share/words/list")
    assert again.drop == wanted.drop


def test_refining_needs_the_files_that_the_plan_was_made_with(small: SmallRoot, tmp_path: Path) -> None:
    """No path is recorded, so a graph file must stand in the configuration."""
    relations = graph(tmp_path)
    plan = make_plan(request_for(small, relations=(relations,)))
    config = tmp_path / "pruner.yaml"
    given = _Given(sbom=str(small.sbom), root=str(small.directory), config=config, rules=())
    with pytest.raises(UsageError, match=r"graph\.json"):
        _request_again(plan, given)
    config.write_text("version: 1\nrelations: graph.json\n")
    assert _request_again(plan, given).relations == (relations,)


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("pkg:deb/debian/tool", True), ("pkg:deb/debian/tool@1.0-1", True), ("pkg:deb/debian/tool?arch=amd64", True),
        ("pkg:deb/debian/tool@2", False), ("pkg:npm/tool", False), ("pkg:broken", False),
    ],
)  # fmt: skip
def test_why_takes_a_purl_as_entry_does(small: SmallRoot, text: str, matches: bool) -> None:
    """A purl names a package by what it states, however much that is and however it is spelled."""
    plan = make_plan(request_for(small))
    if matches:
        assert explain(plan, text).kept
    else:
        with pytest.raises(InputError):
            explain(plan, text)
