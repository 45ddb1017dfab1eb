"""The HTML report: self-contained, safe, the same each time; its data and its graph."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import tomllib
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace as replaced

import pruner.gate.reports
from pruner.gate.categories import category_reason
from pruner.gate.compare import compare
from pruner.gate.evaluate.chains import Chains
from pruner.gate.policy.types import Level, Verdict
from pruner.gate.reports import report_text
from pruner.gate.reports.graph import graph_of
from pruner.gate.reports.htmldata import MOST_FILES, report_data, script_json
from pruner.gate.sides.plan import plan_side
from pruner.gate.types import Comparison, Fate, Side, Vulnerability, VulnerabilityChange
from pruner.model import Edge, EdgeKind, Node, PackageId, package_node
from tests.support import ROOT
from tests.unit.emit_plans import small_plan
from tests.unit.gatereports import HOSTILE, compared_names, finding, judged
from tests.unit.gates import SUID, compared, package, sbom
from tests.unit.gates import program as an_executable
from tests.unit.sides import debian, file_of, made_side, program, regular, side

VENDOR = Path(pruner.gate.reports.__file__).parent / "vendor"


class Page(HTMLParser):
    """Tags, attributes and the text of scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.raw: list[tuple[str, str]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        if self.cdata_elem:
            self.raw.append((self.cdata_elem, data))
        else:
            self.text += data


@pytest.fixture
def comparison(tmp_path: Path) -> Comparison:
    return compared_names(tmp_path)


@pytest.fixture
def page(comparison: Comparison) -> Page:
    return Page(report_text("html", comparison, judged(comparison)))


def test_vendored_files_are_what_they_say() -> None:
    """Every vendored script has its version, its licence and the digest that is stated."""
    rows = re.findall(
        r"\| `([\w.-]+)` \|.*\| ([\d.]+) \| \w+ \(`([\w.-]+)`\) \| `([0-9a-f]{64})` \|",
        (VENDOR / "README.md").read_text(),
    )
    assert {name for name, *_ in rows} == {path.name for path in VENDOR.glob("*.js")} != set()
    for name, version, licence, digest in rows:
        content = (VENDOR / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == digest
        assert f"v{version} ".encode() in content[:200]
        assert "Permission to use, copy, modify" in (VENDOR / licence).read_text()


def test_the_licence_goes_with_the_copy(page: Page) -> None:
    """The report holds a copy of what is vendored, so it holds the licence whole, and so does a built package."""
    assert (VENDOR / "d3-hierarchy.LICENSE").read_text().strip() in page.text
    named = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["license-files"]
    assert {path for pattern in named for path in ROOT.glob(pattern)} >= set(VENDOR.glob("*.LICENSE"))


def test_nothing_is_loaded(page: Page) -> None:
    """No element names another resource, and no attribute is a script or a style."""
    assert {tag for tag, _ in page.tags} & {"img", "link", "iframe", "object", "embed", "base", "form"} == set()
    for tag, attributes in page.tags:
        assert not {"src", "style", "srcset"} & attributes.keys(), tag
        assert not [name for name in attributes if name.startswith("on")], tag
        assert attributes.get("href", "#").startswith("#")


def test_the_policy_names_every_script(page: Page) -> None:
    """The content policy allows the digests of the scripts and the style, and nothing else."""
    (policy,) = [
        attributes["content"]
        for _, attributes in page.tags
        if attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    digests = [
        "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'" for _, text in page.raw
    ]
    style, data, library, script, drawings = digests
    assert f"script-src {library} {script} {drawings}; style-src {style};" in policy
    assert data not in policy


def test_names_are_text(page: Page) -> None:
    """A hostile name stands in the page as text, its control characters written out."""
    for name in HOSTILE[:6]:
        assert f"/usr/bin/{name}" in page.text
    assert "a\\u202eb\\u2028c\\x1b[31m" in page.text
    data = next(text for tag, text in page.raw if tag == "script" and text.startswith("{"))
    assert not set("<>&") & set(data)
    assert data.isascii()
    assert {package[0] for package in json.loads(data)["packages"]} >= {name for name in HOSTILE[:6] if "/" not in name}


def test_script_json() -> None:
    """What would end the element or a line is escaped and comes back."""
    value = {"</script>": "<!-- & \u2028 \u2029"}
    text = script_json(value)
    assert not re.search("[<>&\u2028\u2029]", text)
    assert json.loads(text) == value


def paths(data: dict[str, Any]) -> list[str]:
    found: list[str] = []
    for shared, rest in zip(data["files"]["shared"], data["files"]["rest"], strict=True):
        found.append((found[-1] if found else "")[:shared] + rest)
    return found


def test_files_and_their_states(comparison: Comparison) -> None:
    """Every file of either side is there with its state and its package."""
    data = report_data(comparison, None)
    listed = dict(zip(paths(data), data["files"]["state"], strict=True))
    assert data["states"][listed["/usr/bin/su"]] == "dropped"
    assert data["states"][listed["/usr/bin/app"]] == "kept"
    assert listed.keys() == {
        *(f"/usr/bin/{name}" for name in (*HOSTILE[:6], *HOSTILE[7:], "app", "su")),
        "/usr/bin/a\\u202eb\\u2028c\\x1b[31m",
        "/var/lib/dpkg/status",
    }
    owner = data["files"]["package"][paths(data).index("/usr/bin/app")]
    assert data["packages"][owner][0] == "app"


def test_many_files_are_cut_and_counted() -> None:
    """Beyond the most that a browser takes, what is gone is left out first, and the number is told."""
    before = made_side(files=[regular(f"/b/{at:06}") for at in range(MOST_FILES)])
    after = made_side(files=[regular(f"/a/{at:06}") for at in range(MOST_FILES - 1)])
    data = report_data(compare(before, after), None)
    assert len(data["files"]["rest"]) == MOST_FILES
    assert data["leftOut"] == MOST_FILES - 1
    assert [path for path in paths(data) if path.startswith("/b/")] == ["/b/000000"]


def test_ten_thousand_files_stay_small() -> None:
    """The file of an image with 10,000 files is below 2 MB."""
    files = [regular(f"/usr/share/package-{at % 100}/directory/{at}/file-of-a-usual-name.txt") for at in range(10_000)]
    comparison = compare(made_side(files=files), made_side(files=files[::2]))
    text = report_text("html", comparison, Verdict(passed=True, findings=()))
    assert len(text.encode()) < 2_000_000
    assert "10000" in text


def test_no_line_of_the_policy_hides_another(comparison: Comparison) -> None:
    """Of each line of the policy the first finding is in sight, the next are folded, and beyond 100 they are counted."""
    many = tuple(replace(finding(), where=f"/bin/{at}") for at in range(600))
    last = finding(rule="limits.files", what="too many files", key="policy.yaml:2 limits.files")
    text = report_text("html", comparison, Verdict(passed=False, findings=(*many, last)))
    page = Page(text)
    assert text.count('<details class="finding fail"') == 101
    assert "599 more by the same line of the policy: policy.yaml:7 forbid[0]" in page.text
    assert "500 more are in the JSON report." in page.text
    folded = [match.span() for match in re.finditer('<details class="heap">.*JSON report', text, re.DOTALL)]
    assert len(folded) == 1
    assert text.index("too many files") > folded[0][1]


@pytest.mark.parametrize(
    ("levels", "told"),
    [
        ((), "nothing fails"),
        ((Level.FAIL,), "1 finding fails (1 forbid)"),
        ((Level.FAIL, Level.FAIL, Level.WARN, Level.WAIVED), "2 findings fail (2 forbid), 1 warning, 1 waived"),
        ((Level.WARN, Level.WARN, Level.WAIVED, Level.WAIVED), "nothing fails, 2 warnings, 2 waived"),
    ],
)
def test_the_verdict_comes_first(comparison: Comparison, levels: tuple[Level, ...], told: str) -> None:
    """The heading is the verdict, and a sentence says what it rests on."""
    findings = tuple(finding(level=level) for level in levels)
    verdict = Verdict(passed=Level.FAIL not in levels, findings=findings)
    text = report_text("html", comparison, verdict)
    assert f'<p id="summary">{told}</p>' in text
    assert re.findall("<h[1-6][^>]*>([^<]*)", text)[0] == f"Gate {'passed' if verdict.passed else 'failed'}"


def bars(text: str) -> dict[str, list[str]]:
    """Before, after and limit of each bar."""
    rows = re.findall(r'<tr><th scope="row">([^<]+)</th>(.*?)<svg role="img" aria-label="([^"]+)"', text, re.DOTALL)
    cells = {name: re.sub("<[^>]+>", " ", middle).split(maxsplit=2) for name, middle, _ in rows}
    assert [label for *_, label in rows] == [f"{name}: {row[0]} before, {row[1]} after" for name, row in cells.items()]
    return cells


def test_a_limit_that_nobody_measured(tmp_path: Path) -> None:
    """Where a side does not tell a number, the limit is not known to be kept, and not said to be broken."""
    bare = made_side(files=None)
    listed = made_side(files=[regular("/a"), regular("/b")])
    rules = "version: 1\nlimits: {files: -50%, packages: 0, megabytes: 9}\n"
    unknown = compare(bare, listed)
    shown = bars(report_text("html", unknown, judged(unknown, rules)))
    assert shown["files"][:2] == ["unknown", "2"]
    assert shown["files"][2].split() == ["-50%", "not", "known"]
    assert shown["megabytes"][2].split() == ["9"]
    gone = compare(listed, bare)
    assert bars(report_text("html", gone, judged(gone, rules)))["megabytes"][2].split() == ["9", "not", "known"]
    grown = compare(made_side(files=[regular("/a")]), listed)
    assert bars(report_text("html", grown, judged(grown, rules)))["files"][2].split() == ["-50%", "broken"]


def test_vulnerabilities(comparison: Comparison) -> None:
    """How many are reported on each side has a bar, and what became of each is listed."""
    key = next(iter(comparison.before.packages))
    one = Vulnerability(id="CVE-2026-1", aliases=(), severity="high", package=key, version="1")
    changes = (
        VulnerabilityChange(fate=Fate.UNCHANGED, vulnerability=one, before=one, after=one),
        VulnerabilityChange(fate=Fate.REMOVED, vulnerability=one, before=one, after=None, detail="gone <b>"),
    )
    text = report_text("html", replace(comparison, vulnerabilities=changes), Verdict(passed=True, findings=()))
    assert bars(text)["reported vulnerabilities"][:2] == ["2", "1"]
    assert "<td>fixed by removal: gone &lt;b&gt;</td>" in text
    assert "<p>1 unchanged, 1 fixed by removal</p>" in text
    assert "reported vulnerabilities" not in report_text("html", comparison, Verdict(passed=True, findings=()))


def test_each_category_says_why_it_matters(page: Page) -> None:
    """The table of the attack surface has the catalogue's reason beside the counts."""
    for name in ("executable", "setuid"):
        assert re.search(rf"{name}\s*\d+\s*\d+\s*{re.escape(category_reason(name))}", page.text)


def groups(data: dict[str, Any]) -> dict[str, str]:
    """The group before each group, by labels."""
    listed = data["groups"]
    return {label: listed[parent][0] if parent >= 0 else "" for label, _, _, parent in listed}


def chain_of(data: dict[str, Any], path: str) -> list[str]:
    """What the script shows for a file."""
    names = [*paths(data), *data["others"]]
    node, steps = names.index(path), [path]
    while data["source"][node] >= 0:
        node = data["source"][node]
        steps.insert(0, names[node])
    return steps


def test_the_graph_of_a_plan() -> None:
    """Each package hangs on what first needs it; a file's chain begins at the entry point; a dropped one has a reason."""
    plan = small_plan()
    after = plan_side(plan, name="plan")
    before = replace(after, files={**(after.files or {}), "/usr/bin/curl": regular("/usr/bin/curl")})
    data = report_data(compare(before, after, plan=plan), plan)
    assert groups(data)["libc6"] == "capability users"
    assert groups(data)["python3.11"] == "entry image"
    assert chain_of(data, "/usr/lib/libc.so.6") == [
        "entry image",
        "/usr/bin/python3",
        "/usr/bin/python3.11",
        "capability users",
        "/usr/lib/libc.so.6",
    ]
    file = paths(data).index("/usr/bin/curl")
    assert data["strings"][data["why"][file]] == "not reached"
    step = paths(data).index("/usr/bin/python3")
    assert [data["strings"][data[name][step]] for name in ("kind", "evidence")] == ["entry", "first word"]


def test_the_graph_without_a_plan(tmp_path: Path) -> None:
    """Libraries and interpreters from the entry points that are known; the other packages stand apart."""
    artifacts = [
        debian("app", "1", ["/usr/bin/app"]),
        debian("libz", "1", ["/usr/lib/libz.so.1"]),
        debian("docs", "1", ["/usr/share/doc/docs"]),
    ]
    files = [
        program("/usr/bin/app", "libz.so.1"),
        program("/usr/lib/libz.so.1", starts=False),
        file_of("/usr/share/doc/docs"),
    ]
    made = replace(side(tmp_path, artifacts, files), entries=("/usr/bin/app",))
    data = report_data(compare(made, made), None)
    assert groups(data) == {
        "entry /usr/bin/app": "",
        "app": "entry /usr/bin/app",
        "libz": "app",
        "docs": "no chain is known",
        "no chain is known": "",
    }
    assert chain_of(data, "/usr/lib/libz.so.1") == ["entry /usr/bin/app", "/usr/bin/app", "/usr/lib/libz.so.1"]
    assert chain_of(data, "/usr/share/doc/docs") == ["/usr/share/doc/docs"]


def test_the_graph_without_entry_points(tmp_path: Path) -> None:
    """Where no entry point is known, every program that can be started is one."""
    artifacts = [debian("app", "1", ["/usr/bin/app"]), debian("libz", "1", ["/usr/lib/libz.so.1"])]
    made = side(
        tmp_path, artifacts, [program("/usr/bin/app", "libz.so.1"), program("/usr/lib/libz.so.1", starts=False)]
    )
    assert made.entries == ()
    found = groups(report_data(compare(made, made), None))
    assert found == {"entry any program": "", "app": "entry any program", "libz": "app"}


def test_no_group_comes_below_itself(tmp_path: Path) -> None:
    """Packages that need each other still make a tree, and both needs are drawn."""
    artifacts = [debian("a", "1", ["/usr/lib/liba.so.1"]), debian("b", "1", ["/usr/lib/libb.so.1"])]
    files = [program("/usr/lib/liba.so.1", "libb.so.1"), program("/usr/lib/libb.so.1", "liba.so.1")]
    made = replace(side(tmp_path, artifacts, files), entries=("/usr/lib/liba.so.1",))
    graph = graph_of(compare(made, made), None)
    labels = [group.label for group in graph.groups]
    a, b = labels.index("a"), labels.index("b")
    assert {(a, b), (b, a)} <= set(graph.edges)
    for number in range(len(graph.groups)):
        seen = set()
        while number >= 0:
            assert number not in seen
            seen.add(number)
            number = graph.groups[number].parent


def test_sides_without_files() -> None:
    """Where a side lists no files, there are packages and nothing else, and the report is whole."""
    comparison = compare(made_side(files=None), made_side(files=None))
    text = report_text("html", comparison, Verdict(passed=True, findings=()))
    assert text.endswith("</html>\n")
    assert "what needs what is not known" in text
    data = report_data(comparison, None)
    assert data["files"]["rest"] == []
    assert data["unowned"] == [-1, -1]


def test_sizes_that_nobody_knows(tmp_path: Path) -> None:
    """A package none of whose files is listed has no known size, rather than none."""
    listed = side(tmp_path, [debian("app", "1", ["/usr/bin/app"])], [file_of("/usr/bin/app", "four")])
    bare = replace(
        listed,
        files=None,
        packages={
            key: tuple(replaced(one, files=(), bytes=0) for one in found) for key, found in listed.packages.items()
        },
    )
    (row,) = report_data(compare(listed, bare), None)["packages"]
    assert row[4:6] == [4, -1]


def test_packages_have_their_names_in_chains() -> None:
    """An id that a plan made says nothing to a reader; the package's name stands in its place."""
    plan = small_plan()
    entry, package = Node("entry:image"), package_node(PackageId("id-libc6"))
    edges = (
        Edge(source=entry, target=package, kind=EdgeKind.ENTRY, evidence="named"),
        Edge(source=package, target=Node("/usr/lib/libc.so.6"), kind=EdgeKind.COMPANION, evidence="part of it"),
    )
    plan = replace(plan, edges=edges)
    after = plan_side(plan, name="plan")
    data = report_data(compare(after, after, plan=plan), plan)
    assert chain_of(data, "/usr/lib/libc.so.6") == [
        "entry image",
        "package libc6 2.36-9+deb12u14",
        "/usr/lib/libc.so.6",
    ]
    assert Chains(plan).steps("/usr/lib/libc.so.6")[1] == "entry: named -> package libc6 2.36-9+deb12u14"
    at = len(paths(data)) + data["others"].index("package libc6 2.36-9+deb12u14")
    assert data["groups"][data["group"][at]][0] == "libc6"


def test_states_of_the_attack_surface(tmp_path: Path) -> None:
    """A bit that is cleared is no file that was dropped, and one that is set is none that was added."""
    artifacts = [debian("app", "1", ["/usr/bin/app", "/usr/bin/su", "/usr/bin/new", "/usr/bin/old"])]

    def one(**modes: int) -> Side:
        return side(tmp_path, artifacts, [program(f"/usr/bin/{name}", mode=mode) for name, mode in modes.items()])

    comparison = compare(one(app=SUID, su=755, old=SUID), one(app=755, su=SUID, new=SUID))
    data = report_data(comparison, None)
    states = {path: data["states"][state] for category, path, _, _, state in data["surface"] if category == "setuid"}
    assert states == {
        "/usr/bin/app": "no longer so",
        "/usr/bin/su": "newly so",
        "/usr/bin/new": "added",
        "/usr/bin/old": "dropped",
    }


def test_what_remains_of_a_package_that_is_no_longer_visible(tmp_path: Path) -> None:
    """Its files, documentation too, stand at the package with their bytes, and not among the files of no package."""
    manual = "/usr/share/doc/tool/copyright"
    app, tool = package("app", "1.0-1", ["/usr/bin/app"]), package("tool", "1.0-1", ["/usr/bin/tool", manual])
    files = [
        an_executable(path, size=size) for path, size in (("/usr/bin/app", 70), ("/usr/bin/tool", 300), (manual, 9))
    ]
    before = sbom(tmp_path, "before.json", [app, tool], files)
    data = report_data(compared(before, sbom(tmp_path, "after.json", [app], files)), None)
    rows = {row[0]: (row[4], row[5], row[6], row[8]) for row in data["packages"]}
    assert rows["app"] == (70, 70, "", 0)
    assert rows["tool"] == (309, 0, "no longer visible", 309)
    assert data["unowned"][0] == data["unowned"][1]
    owner = data["files"]["package"][paths(data).index("/usr/bin/tool")]
    assert data["packages"][owner][0] == "tool"


def test_commands_in_a_fix_are_code(comparison: Comparison) -> None:
    """What stands between backticks is an element, whatever it holds; a backtick without another stays one."""
    fixes = ("say `pruner plan --drop`, or `<b>`", "a name with ` alone")
    verdict = Verdict(
        passed=False, findings=tuple(finding(fix=fix, key=f"p.yaml:{at} a") for at, fix in enumerate(fixes))
    )
    text = report_text("html", comparison, verdict)
    assert "<dd>say <code>pruner plan --drop</code>, or <code>&lt;b&gt;</code></dd>" in text
    assert "<dd>a name with ` alone</dd>" in text


def test_modules_that_a_program_opens_are_not_called_useless() -> None:
    """A library that no DT_NEEDED leads to may be a module, and its category says so."""
    assert "a module that a program opens itself" in category_reason("idle-library")
