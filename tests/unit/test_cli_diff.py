"""`pruner diff`: a table that answers the question, JSON, and messages."""

from __future__ import annotations

import json
import shutil

import jsonschema
import pytest

from tests.commandline import assert_one_message, run_process
from tests.unit.gates import grype, match
from tests.unit.sboms import document, entry
from tests.unit.sides import debian, file_of, other, program, written


@pytest.fixture
def pair(tmp_path):
    """Documents of before and after: one package removed, one no longer visible, one upgraded, one file setuid."""
    lib = program("/usr/lib/libx.so.1", starts=False)
    before = document(
        [
            debian("bash", "5.2-1", ["/bin/bash"]),
            debian("libx", "1.0-1", ["/usr/lib/libx.so.1"]),
            debian("tool", "1.0-1", ["/usr/bin/tool"]),
        ],
        [program("/bin/bash", content="bash"), lib, program("/usr/bin/tool", "libx.so.1")],
    )
    after = document(
        [debian("tool", "1.0-2", ["/usr/bin/tool"])],
        [lib, program("/usr/bin/tool", "libx.so.1", content="new", mode=40000755)],
    )
    return written(tmp_path, before, "before.json"), written(tmp_path, after, "after.json")


def test_the_table_answers_the_question(run, pair):
    """Counts with their change, what became of each package, what changed about a file."""
    done = run("diff", *pair)
    assert done.code == 0
    table = done.out.partition("\n\n")[0].splitlines()[1:]
    rows = {line.split()[0]: line.split()[1:] for line in table}
    assert rows["packages"] == ["3", "1", "-2"]
    assert rows["shell"] == ["1", "0", "-1"]
    assert rows["setuid"] == ["0", "1", "+1"]
    assert rows["executable"] == ["2", "1", "-1"]
    assert "capability" not in rows
    for line in (
        "packages NO LONGER VISIBLE: 1",
        "  deb:libx 1.0-1: 1 file of its code or data remains, such as /usr/lib/libx.so.1",
        "packages removed: 1",
        "  deb:bash 5.2-1",
        "packages upgraded: 1",
        "  deb:tool 1.0-1 -> 1.0-2",
        "files: 0 added, 1 removed, 1 changed",
        "  /usr/bin/tool: content, mode 0755 -> 4755, setuid",
        "attack surface added: 1",
        "  setuid: /usr/bin/tool (user 0)",
        "  /bin/bash: removed, mode 0755, owner 0:0",
    ):
        assert line in done.out.splitlines(), done.out


def test_json_has_everything(run, pair):
    """The same facts as values, and the same bytes every time, whatever seed the hashes have."""
    done = run("diff", *pair, "--json")
    found = json.loads(done.out)
    assert [(change["name"], change["change"], change["visibility"]) for change in found["packages"]] == [
        ("bash", "removed", "removed"), ("libx", "removed", "invisible"), ("tool", "upgraded", "present"),
    ]  # fmt: skip
    assert found["before"]["packages"] == 3
    assert found["surface"]["after"]["counts"]["setuid"] == 1
    assert found["files"][1]["what"] == ["content", "mode", "setuid"]
    outputs = {run_process("diff", *pair, "--json", PYTHONHASHSEED=seed).out for seed in ("1", "2")}
    assert outputs == {done.out}


def test_json_has_a_schema(run, pair, small, tmp_path):
    """What is printed of any two sides validates, with unknown facts and with a plan; the schema refuses what is not."""
    schema = json.loads(run("schema", "diff").out)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    cyclonedx = written(tmp_path, {"bomFormat": "CycloneDX", "specVersion": "1.5", "components": [
        {"type": "library", "name": "tool", "version": "1.0-1", "purl": "pkg:deb/debian/tool@1.0-1"}
    ]}, "cdx.json")  # fmt: skip
    planned = run("plan", small.sbom, "--root", small.directory, "--entry", "/usr/bin/tool", "-o", tmp_path / "plan")
    assert planned.code == 0
    for arguments in (pair, (pair[0], cyclonedx), (small.directory, tmp_path / "plan", "--plan", tmp_path / "plan")):
        found = json.loads(run("diff", *arguments, "--json").out)
        validator.validate(found)
        assert not validator.is_valid({**found, "packages": None})


def test_nothing_changed(run, pair):
    """A side against itself."""
    done = run("diff", pair[0], pair[0])
    assert done.code == 0
    assert "no difference" in done.out


def test_no_difference_is_said_of_what_was_compared(run, tmp_path, small):
    """Not of files that nobody listed, nor of an image that is not its plan."""
    listed = {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [
        {"type": "library", "name": "tool", "version": "1", "purl": "pkg:deb/debian/tool@1?arch=amd64"}]}  # fmt: skip
    sbom = written(tmp_path, listed, "cdx.json")
    assert "no difference in what both sides list" in run("diff", sbom, sbom).out.splitlines()
    plan = tmp_path / "plan"
    assert run("plan", small.sbom, "--root", small.directory, "--entry", "/usr/bin/tool", "-o", plan).code == 0
    assert "no difference" not in run("diff", small.directory, small.directory, "--plan", plan).out
    said = run("diff", small.directory, sbom, "--plan", plan).out
    assert "the image is what the plan says" not in said


def test_lines_of_hidden_upgrades_and_edited_versions(run, tmp_path):
    """A newer version elsewhere is listed with what is no longer visible; a version that was only edited is named."""
    folders = [entry(path, "Directory", mode=755) for path in ("/a", "/b")]

    def npm(version, place):
        return other("npm", "ms", version, f"{place}/package.json", f"pkg:npm/ms@{version}",
                     metadataType="javascript-npm-package", metadata={"name": "ms", "version": version})  # fmt: skip

    code, tool = file_of("/a/i.js", "old"), file_of("/x")
    before = document([npm("1.0.0", "/a"), debian("tool", "1-1", ["/x"])],
                      [*folders, file_of("/a/package.json", "1"), code, tool])  # fmt: skip
    after = document([npm("1.0.1", "/b"), debian("tool", "1-2", ["/x"])],
                     [*folders, file_of("/b/package.json", "2"), code, tool])  # fmt: skip
    lines = run("diff", written(tmp_path, before, "a.json"), written(tmp_path, after, "b.json")).out.splitlines()
    hidden = lines.index("packages NO LONGER VISIBLE: 1")
    assert lines[hidden + 1] == "  npm:ms 1.0.0 -> 1.0.1: 1 file of its code or data remains, such as /a/i.js"
    assert "  deb:tool 1-1 -> 1-2: none of its files changed" in lines


def test_files_of_no_package_are_named_among_many(run, tmp_path):
    """What a package brought is summed and a database's records are its own; what nobody answers for has a line."""
    tool = debian("tool", "1", ["/x"])
    more = debian("more", "1", [f"/m{number}" for number in range(12)])
    brought = [file_of(f"/m{number}") for number in range(12)]
    records = [file_of(f"/var/lib/dpkg/status.d/p{number}") for number in range(20)]
    evil = program("/usr/local/bin/evil")
    one = written(tmp_path, document([tool], [file_of("/x")]), "a.json")
    two = written(tmp_path, document([tool, more], [file_of("/x"), *brought, *records, evil]), "b.json")
    lines = run("diff", one, two).out.splitlines()
    at = lines.index("files: 33 added, 0 removed, 0 changed")
    assert lines[at + 1] == "  /usr/local/bin/evil: added, mode 0755, owner 0:0, of no listed package"
    assert not any(line.startswith(("  /m", "  /var")) for line in lines)
    crowd = [file_of(f"/opt/f{number:02}") for number in range(14)]
    three = written(tmp_path, document([tool], [file_of("/x"), *crowd]), "c.json")
    assert "  and 4 more of no listed package" in run("diff", one, three).out.splitlines()


def test_what_a_default_scan_lists_is_shown(run, tmp_path):
    """Counts of what it lists in part are unknown; a shell that a package brought is named in text and JSON."""
    owned = {"name": "syft", "version": "1.18.1", "configuration": {"files": {"selection": "owned-by-package"}}}
    before = document([debian("tool", "1", ["/x"])], [file_of("/x")], descriptor=owned)
    shell = debian("bash", "1", ["/bin/bash"])
    after = document([debian("tool", "1", ["/x"]), shell], [file_of("/x"), program("/bin/bash")], descriptor=owned)
    pair = written(tmp_path, before, "a.json"), written(tmp_path, after, "b.json")
    done = run("diff", *pair)
    assert "  shell: /bin/bash" in done.out.splitlines()
    assert not any(line.startswith(("shell", "setuid")) for line in done.out.splitlines())
    surface = json.loads(run("diff", *pair, "--json").out)["surface"]
    assert surface["after"]["counts"].get("shell") is None
    assert "shell" in surface["after"]["unknown"]
    assert ("shell", "/bin/bash") in {(item["category"], item["path"]) for item in surface["added"]}


def test_a_plan_is_checked(run, small, tmp_path):
    """Before against the plan; with --plan, whether after is what it says."""
    plan = tmp_path / "plan"
    assert run("plan", small.sbom, "--root", small.directory, "--entry", "/usr/bin/tool", "-o", plan).code == 0
    done = run("diff", small.sbom, plan, "--plan", plan)
    assert done.code == 0
    assert "the image is what the plan says" in done.out
    backdoor = tmp_path / "other"
    assert run("apply", plan, "--root", small.directory, "--dest", backdoor).code == 0
    shutil.copy("/bin/true", backdoor / "opt-true")
    unheard = run("diff", plan, backdoor, "--plan", plan).out
    assert "  /opt-true is there, the plan does not know it" in unheard.splitlines()
    (tmp_path / "p.yaml").write_text("version: 1\nconformity: fail\n")
    gate = run("gate", plan, backdoor, "--plan", plan, "--policy", tmp_path / "p.yaml")
    assert "fail conformity: /opt-true is there and the plan does not know it" in gate.out.splitlines()
    fat = run("diff", small.sbom, small.directory, "--plan", plan / "plan.json")
    assert "is there, the plan dropped it" in fat.out
    assert json.loads(run("diff", small.sbom, small.directory, "--plan", plan, "--json").out)["conformity"]


def test_hostile_names_do_not_reach_the_terminal(run, tmp_path):
    """Escapes of package names, versions and paths are printed as text."""
    evil = "\x1b[31mred\u202e\n"
    before = document(
        [debian("tool", "1", ["/x"]), debian(f"p{evil}", f"1{evil}", ["/y"])], [file_of("/x"), file_of("/y")]
    )
    after = document([debian("tool", "1", ["/x"])], [file_of("/x"), file_of(f"/{evil}", mode=777)])
    done = run("diff", written(tmp_path, before, "a.json"), written(tmp_path, after, "b.json"))
    assert done.code == 0
    assert "\\x1b[31m" in done.out
    assert done.out.replace("\n", "").isprintable()


@pytest.mark.parametrize("broken", [0, 1])
def test_bad_input(run, pair, tmp_path, broken):
    """Exit 3, one fact with the name of the file, one hint."""
    paths = list(pair)
    paths[broken] = written(tmp_path, '{"matches": []}', "report.json")
    assert_one_message(run("diff", *paths), 3, "report.json: a scanner's report, not " + ("BEFORE", "AFTER")[broken])
    paths[broken] = written(tmp_path, document([]), "none.json")
    assert_one_message(run("diff", *paths), 3, "no installed packages")
    paths[broken] = str(tmp_path / "missing")
    assert_one_message(run("diff", *paths), 3, "no such file")


def test_standard_input_is_one_of_two(run):
    """Not both."""
    assert_one_message(run("diff", "-", "-"), 2, "standard input")


def test_a_plan_option_that_is_none(run, pair, tmp_path):
    """--plan takes a plan."""
    assert_one_message(run("diff", *pair, "--plan", tmp_path), 3, "no plan can be read")


def test_vulnerabilities(run, pair, tmp_path):
    """With reports on both sides: what became of each vulnerability, in text and in JSON."""
    found = [match("bash", "5.2-1", "CVE-2024-1000"), match("libx", "1.0-1", "CVE-2024-2000")]
    reports = ("--vulns-before", grype(tmp_path, "vb.json", found), "--vulns-after", grype(tmp_path, "va.json", []))
    done = run("diff", *pair, *reports)
    assert done.code == 0
    assert "vulnerabilities fixed by removal: 1\n  CVE-2024-1000 (high) of bash 5.2-1: " in done.out
    assert "vulnerabilities unseen: 1\n  CVE-2024-2000 (high) of libx 1.0-1: " in done.out
    listed = json.loads(run("diff", *pair, *reports, "--json").out)["vulnerabilities"]
    assert [(item["id"], item["fate"]) for item in listed] == [
        ("CVE-2024-1000", "fixed by removal"),
        ("CVE-2024-2000", "unseen"),
    ]
    assert json.loads(run("diff", *pair, "--json").out)["vulnerabilities"] is None
    assert_one_message(run("diff", *pair, *reports[:2]), 2, "--vulns-after is missing")


def test_parts_of_a_package_are_counted_alike_on_both_sides(run, tmp_path):
    """Regular files, which every kind of side lists: a plan's links and directories would make parts of the whole."""
    folder, program = entry("/usr/lib/tool", "Directory", mode=755), file_of("/usr/lib/tool/a")
    tool = [debian("tool", "1", ["/usr/lib/tool", "/usr/lib/tool/a", "/usr/lib/tool/b"])]
    before = written(tmp_path, document(tool, [folder, program, file_of("/usr/lib/tool/b")]), "a.json")
    after = written(tmp_path, document(tool, [folder, program]), "b.json")
    assert "  deb:tool 1: 2 -> 1 regular files" in run("diff", before, after).out.splitlines()
