"""From a closure to decisions, reasons, costs and explanations, over graphs made by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from pruner.closure import close
from pruner.errors import InputError
from pruner.model import (
    Edge,
    EdgeKind,
    File,
    FileType,
    Findings,
    Inventory,
    Node,
    Package,
    PackageId,
    Strength,
    capability_node,
    package_node,
)
from pruner.plan import Context, Decision, Plan, decide, explain, made_directory
from pruner.plan.totals import totals_of

OPTIONAL = {"strength": Strength.OPTIONAL, "group": "extras"}


def edge(source: str, target: str, kind: EdgeKind = EdgeKind.LOAD, **fields) -> Edge:
    return Edge(source=Node(source), target=Node(target), kind=kind, evidence=fields.pop("evidence", "seen"), **fields)


def entry(target: str) -> Edge:
    return edge("entry:x", target, EdgeKind.ENTRY)


def plan_of(
    files: Sequence[File | str],
    edges: Sequence[Edge],
    *,
    owners: Mapping[str, str] | None = None,
    refuse: Sequence[str] = (),
    drop: Sequence[str] = (),
    documentation: str = "/usr/share/doc/",
    directories: Sequence[str] = (),
) -> Plan:
    """A plan of files (paths stand for regular ones of 100 bytes) and of the edges between them."""
    made = [File(path=file, type=FileType.REGULAR, bytes=100) if isinstance(file, str) else file for file in files]
    names = sorted({*(owners or {}).values()})
    inventory = Inventory(
        name="x",
        format="syft-json",
        packages=tuple(Package(id=PackageId(name), type="deb", name=name, version="1") for name in names),
        files={file.path: file for file in sorted(made, key=lambda file: file.path)},
        owners={path: (PackageId(name),) for path, name in (owners or {}).items()},
    )

    def edges_of(node: Node, _active: bool) -> Findings:
        return Findings(edges=tuple(edge for edge in edges if edge.source == node))

    closure = close(
        [edge for edge in edges if edge.kind is EdgeKind.ENTRY],
        edges_of=edges_of,
        accepts=lambda edge: edge.target not in drop and (edge.strength is Strength.HARD or edge.group not in refuse),
    )
    context = Context(
        inputs=(), entries=("x",), profile="balanced", unknowns=(),
        is_documentation=lambda path: path.startswith(documentation), is_dropped=lambda path: path in drop,
        option_name=lambda edge: edge.group or f"{edge.kind}:{edge.target}",
        directories=tuple(made_directory(path, reason="wanted") for path in directories),
    )  # fmt: skip
    return decide(inventory, closure, context)


def reasons(plan: Plan) -> dict[str, tuple[str, str]]:
    return {file.path: (file.decision.value, file.reason) for file in plan.files}


def test_reasons_of_files() -> None:
    """Every kind of decision has its own reason, the strongest one first."""
    plan = plan_of(
        ["/a", "/b", "/usr/share/doc/b/x", "/usr/share/doc/b/y", "/c", "/d", "/e"],
        [entry("/a"), edge("/a", "/b"), edge("/a", "/c", **OPTIONAL), edge("/a", "/d")],
        owners={"/e": "owner", "/usr/share/doc/b/x": "owner"},
        refuse=["extras"],
        drop=["/d", "/usr/share/doc/b/y"],
    )
    assert reasons(plan) == {
        "/a": ("keep", "entry: seen"),
        "/b": ("keep", "load: seen"),
        "/c": ("drop", "refused option extras"),
        "/d": ("drop", "dropped by the user"),
        "/e": ("drop", "not reached from any entry point; deb:owner@1 is not kept whole"),
        "/usr/share/doc/b/x": ("drop", "documentation class"),
        "/usr/share/doc/b/y": ("drop", "dropped by the user"),
    }
    assert [unknown.detail for unknown in plan.unknowns] == ["needs /d, which --drop removes"]


def test_parents_and_wanted_directories() -> None:
    """Parents of what is kept are kept, or made where the listing lacks them; wanted directories exist in any case."""
    usr = File(path="/usr", type=FileType.DIRECTORY, mode=0o751, uid=5)
    plan = plan_of([usr, "/usr/bin/a", "/other/b"], [entry("/usr/bin/a")], directories=["/var/empty", "/usr"])
    kept = {file.path: file for file in plan.files if file.decision is not Decision.DROP}
    assert sorted(kept) == ["/usr", "/usr/bin", "/usr/bin/a", "/var", "/var/empty"]
    assert (kept["/usr"].decision, kept["/usr"].mode, kept["/usr"].uid) == (Decision.KEEP, 0o751, 5)
    assert kept["/usr/bin"].decision is Decision.MAKE
    assert kept["/usr/bin"].reason == "parent of /usr/bin/a"
    assert kept["/var/empty"].reason == "wanted"


def test_package_decisions() -> None:
    """Keep, slice and drop follow from what is kept of a package; documentation left out does not make a slice."""
    owners = {"/w/a": "whole", "/usr/share/doc/w": "whole", "/s/a": "slice", "/s/b": "slice", "/d/a": "gone", "/p/a": "part",
              "/p/b": "part"}  # fmt: skip
    edges = [entry(package_node(PackageId("whole"))), edge("package:whole", "/w/a", EdgeKind.COMPANION), entry("/s/a"),
             entry(package_node(PackageId("part"))), edge("package:part", "/p/a"), edge("package:part", "/p/b", **OPTIONAL)]  # fmt: skip
    plan = plan_of([*owners], edges, owners=owners, refuse=["extras"])
    found = {
        package.name: (package.decision.value, package.kept_files, package.kept_bytes) for package in plan.packages
    }
    assert found == {
        "whole": ("keep", 1, 100),
        "slice": ("slice", 1, 100),
        "gone": ("drop", 0, 0),
        "part": ("slice", 1, 100),
    }
    text = {package.name: package.reason for package in plan.packages}
    assert text["whole"] == "entry: seen"
    assert text["slice"] == "1 of 2 files are reached"
    assert text["part"] == "entry: seen; 1 of its files left out"


def test_setgid_is_not_setuid() -> None:
    """What runs with its group's rights alone is no setuid file."""
    files = [File(path="/a", type=FileType.REGULAR, mode=0o2755), File(path="/b", type=FileType.REGULAR, mode=0o6755)]
    plan = plan_of(files, [entry("/a"), entry("/b")], owners={"/a": "p", "/b": "p"})
    assert plan.after.setuid_files == 1


def test_hard_links_are_counted_once() -> None:
    """Bytes of an inode count once however many of its names are kept."""
    first = File(path="/a", type=FileType.REGULAR, bytes=100, mode=0o4755)
    again = File(path="/b", type=FileType.REGULAR, bytes=100, mode=0o4755, hardlink="/a")
    plan = plan_of([first, again], [entry("/a"), entry("/b")], owners={"/a": "p", "/b": "p"})
    assert (plan.after.bytes, plan.after.files, plan.after.setuid_files) == (100, 2, 1)
    assert plan.packages[0].kept_bytes == 100
    alone = plan_of([first, again], [entry("/b")])
    assert alone.after.bytes == 100


@pytest.mark.parametrize(
    ("path", "column"),
    [("/bin/dash", "shells"), ("/usr/bin/python3.11", "interpreters"), ("/usr/bin/apt-get", "package_managers"),
     ("/usr/local/bin/pip3", "package_managers"), ("/opt/venv/bin/python3", "interpreters")],
)  # fmt: skip
def test_columns(path: str, column: str) -> None:
    """Shells, interpreters and package managers are counted wherever they can be started, and not as symbolic links."""
    file = File(path=path, type=FileType.REGULAR, mode=0o755)
    assert getattr(totals_of([file], 0), column) == 1
    link = File(path=path, type=FileType.SYMLINK, mode=0o777, target="x")
    data = File(path=f"/usr/share/doc/{path.rpartition('/')[2]}", type=FileType.REGULAR, mode=0o755)
    plain = File(path=path, type=FileType.REGULAR, mode=0o644)
    assert getattr(totals_of([link, data, plain], 0), column) == 0


# -- costs ------------------------------------------------------------------------------------------------------------


def test_costs_are_marginal() -> None:
    """An option costs what it alone brings: what something else needs anyway is not counted."""
    edges = [
        entry("/a"),
        edge("/a", "/x", **OPTIONAL),
        edge("/x", "/only-x"),
        edge("/x", "/shared"),
        edge("/a", "/shared"),
    ]
    taken = plan_of(["/a", "/x", "/only-x", "/shared"], edges)
    (option,) = taken.optional
    assert (option.name, option.accepted, option.bytes, option.files) == ("extras", True, 200, 2)
    refused = plan_of(["/a", "/x", "/only-x", "/shared"], edges, refuse=["extras"])
    (option,) = refused.optional
    assert (option.accepted, option.bytes, option.files) == (False, 200, 2)
    assert taken.after.bytes - refused.after.bytes == 200


def test_edges_of_a_group_are_one_option() -> None:
    """Edges that a user decides on together are one option, whose bytes are freed only together."""
    edges = [
        entry("/a"),
        edge("/a", "/x", **OPTIONAL),
        edge("/a", "/y", **OPTIONAL),
        edge("/x", "/big"),
        edge("/y", "/big"),
    ]
    (option,) = plan_of(["/a", "/x", "/y", "/big"], edges).optional
    assert (option.bytes, option.files, len(option.edges)) == (300, 3, 2)


def test_options_that_change_nothing_cost_nothing() -> None:
    """An optional edge to what is kept anyway is an option that saves no file."""
    plan = plan_of(["/a", "/x"], [entry("/a"), edge("/a", "/x"), edge("/a", "/x", EdgeKind.DATA, **OPTIONAL)])
    assert [(option.bytes, option.files) for option in plan.optional] == [(0, 0)]


# -- why --------------------------------------------------------------------------------------------------------------

CHAINED = plan_of(
    ["/dir/a", "/b", "/c", "/far"],
    [entry("/dir/a"), edge("/dir/a", "/b"), edge("/b", capability_node("users"), EdgeKind.CAPABILITY),
     edge("capability:users", "/c", EdgeKind.STATE), edge("/dir/a", "/far"), edge("/b", "/far"), edge("/c", "/b")],
    owners={"/b": "owner", "/far": "owner"},
)  # fmt: skip


@pytest.mark.parametrize(
    ("subject", "nodes"),
    [
        ("/dir/a", ["entry:x", "/dir/a"]),
        ("/far", ["entry:x", "/dir/a", "/far"]),
        ("/c", ["entry:x", "/dir/a", "/b", "capability:users", "/c"]),
        ("users", ["entry:x", "/dir/a", "/b", "capability:users"]),
        ("/dir", ["entry:x", "/dir/a"]),
        ("/dir/", ["entry:x", "/dir/a"]),
        ("owner", ["entry:x", "/dir/a", "/b"]),
        ("deb:owner", ["entry:x", "/dir/a", "/b"]),
    ],
)
def test_shortest_chains(subject: str, nodes: list[str]) -> None:
    """A kept thing is explained by a shortest chain from an entry point, cycles notwithstanding."""
    answer = explain(CHAINED, subject)
    assert answer.kept
    assert [answer.chain[0].source, *(edge.target for edge in answer.chain)] == nodes


@pytest.mark.parametrize(
    ("subject", "hint"), [("/dir/b", "/dir/a"), ("onwer", "owner"), ("user", "users"), ("zzz", "start with /")]
)
def test_unknown_subjects(subject: str, hint: str) -> None:
    """What the plan does not know is an error with the nearest names."""
    with pytest.raises(InputError) as raised:
        explain(CHAINED, subject)
    assert hint in raised.value.hint


def test_the_reason_of_an_option_is_its_rules() -> None:
    """An option says why a rule has it rather than what was seen first, where somebody can tell."""
    from pruner.plan.costs import optional_plans

    closure = close([entry("/a")], edges_of=lambda _n, _a: Findings(edges=(edge("/a", "/b", rule="r", **OPTIONAL),)))
    files = {"/b": File(path="/b", type=FileType.REGULAR)}
    (plain,) = optional_plans(closure, files, lambda _edge: "o")
    (told,) = optional_plans(closure, files, lambda _edge: "o", lambda edge: f"because of {edge.rule}")
    assert (plain.why, told.why) == ("seen", "because of r")
