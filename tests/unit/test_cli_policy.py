"""`pruner policy init` and `pruner policy check`."""

from __future__ import annotations

from pathlib import Path

import pytest

from pruner.gate.policy.types import DEFAULTS
from pruner.yamlfile import load_yaml
from tests.casefiles import CASES
from tests.commandline import Run, assert_one_message
from tests.smallroots import make_root
from tests.unit.gates import SUID, grype, package, program, sbom

LEFT = ", ".join(f"{key} ({text})" for key, text in DEFAULTS.items())
APP = package("app", "1.0-1", ["/usr/bin/app"])


@pytest.fixture
def baseline(tmp_path: Path) -> Path:
    """An image of one package and a setuid file."""
    return sbom(tmp_path, "base.syft.json", [APP], [program("/usr/bin/app"), program("/usr/bin/su", mode=SUID)])


def test_init_round_trips(run: Run, tmp_path: Path, baseline: Path) -> None:
    """The starter policy is commented, is sound, and its baseline passes it against itself."""
    done = run("policy", "init", baseline)
    assert done.code == 0
    assert "# What must not be there" in done.out
    assert "  setuid: 1\n" in done.out
    policy = tmp_path / "policy.yaml"
    policy.write_text(done.out)
    checked = run("policy", "check", policy)
    assert (checked.code, checked.err) == (0, "")
    assert "sound" in checked.out
    gated = run("gate", baseline, baseline, "--policy", policy)
    assert gated.code == 0, gated
    assert gated.out.startswith("gate passed: 0 failing, 0 warnings, 0 waived\n")


def test_every_comment_of_the_starter_policy_is_sound(run: Run, tmp_path: Path, baseline: Path) -> None:
    """What stands in comments is valid once the marks are taken away."""
    lines = run("policy", "init", baseline).out.splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("# require:"))
    opened = [
        line.removeprefix("# ") if line.startswith(("# require", "#   ", "# vuln", "# lic", "# waivers")) else line
        for line in lines[first:]
    ]
    policy = tmp_path / "policy.yaml"
    policy.write_text("\n".join(["version: 1", *opened]) + "\n")
    assert run("policy", "check", policy).code == 0
    for key in ("require:", "vulnerabilities:", "licenses:", "waivers:"):
        assert key in opened


def test_a_typo(run: Run, tmp_path: Path) -> None:
    """A typo is bad input, and the nearest key is named with file and line."""
    policy = tmp_path / "policy.yaml"
    policy.write_text("version: 1\nlimits:\n  setid: 3\n")
    done = run("policy", "check", policy)
    assert_one_message(done, 3, f"{policy}:3: limits.setid: not a known key, did you mean setuid?")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "limits: {files: 3, shell: 0}\nlicenses: {deny: [MIT]}\nforbid: shell\n",
            f"sound; it states limits 2, forbid 1, licenses; left to the default: {LEFT}",
        ),
        (
            "visibility: allow\nconformity: warn\nvulnerabilities: {new: high}\n",
            "sound; it states vulnerabilities, visibility, conformity",
        ),
        ("", f"sound; it states nothing; left to the default: {LEFT}"),
    ],
)
def test_what_a_sound_policy_states(run: Run, tmp_path: Path, text: str, expected: str) -> None:
    """The answer names the keys and what holds for the others, so that a comment is not taken for "off"."""
    policy = tmp_path / "policy.yaml"
    policy.write_text(f"version: 1\n{text}")
    done = run("policy", "check", policy)
    assert (done.code, done.out) == (0, f"{policy}: {expected}\n")


def test_an_sbom_in_place_of_a_policy(run: Run, baseline: Path) -> None:
    """It is called what it is, however large it is."""
    baseline.write_text(baseline.read_text() + " " * (1 << 20))
    assert_one_message(run("policy", "check", baseline), 3, f"{baseline}: an SBOM, not a policy")


def test_a_waiver_without_expiry(run: Run, tmp_path: Path) -> None:
    """A waiver for good is bad input."""
    policy = tmp_path / "policy.yaml"
    policy.write_text("version: 1\nwaivers:\n  - {rule: forbid, where: /a, reason: a, owner: b}\n")
    assert_one_message(
        run("policy", "check", policy), 3, f"{policy}:3: waivers[0].expires: is missing, write the last day"
    )


def test_init_of_an_sbom_without_packages(run: Run, tmp_path: Path) -> None:
    """An SBOM without packages is no baseline."""
    assert_one_message(run("policy", "init", sbom(tmp_path, "e.json", [])), 3, "lists no installed packages")


def test_every_typo_has_its_line(run: Run, tmp_path: Path) -> None:
    """Each fault is a message of its own that begins with file and line, whatever the keys hold."""
    policy = tmp_path / "policy.yaml"
    policy.write_text('version: 1\nlimits:\n  setid: 3\n  "file\\ns": 3\nforbit: []\n')
    done = run("policy", "check", policy)
    assert (done.code, done.out) == (3, "")
    assert done.err.splitlines() == [
        f"error: {policy}:3: limits.setid: not a known key, did you mean setuid?",
        f"error: {policy}:4: limits.file\\ns: not a known key, did you mean files?",
        f"error: {policy}:5: forbit: not a known key, did you mean forbid?",
    ]


def test_every_policy_is_looked_at(run: Run, tmp_path: Path) -> None:
    """One that is wrong hides neither the faults of the next nor that another is sound."""
    texts = {"a.yaml": "version: 1\nlimit: {}\n", "b.yaml": "version: 1\n", "c.yaml": "version: 1\nforbit: []\n"}
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    done = run("policy", "check", *(tmp_path / name for name in texts))
    assert done.code == 3
    assert f"{tmp_path}/b.yaml: sound" in done.out
    assert [line.partition(": not")[0] for line in done.err.splitlines()] == [
        f"error: {tmp_path}/a.yaml:2: limit",
        f"error: {tmp_path}/c.yaml:2: forbit",
    ]


@pytest.mark.parametrize("kind", ["sbom", "plan", "root"])
def test_a_baseline_of_every_kind_passes_its_own_policy(run: Run, tmp_path: Path, kind: str) -> None:
    """Whatever a policy is started from passes it against itself without a finding, with every count limited."""
    made = make_root(tmp_path, load_yaml(CASES / "options" / "root.yaml"))
    plan = tmp_path / "plan"
    words = ("plan", made.sbom, "--root", made.directory, "--entry", "/usr/bin/tool", "-q", "-o", plan)
    assert run(*words).code == 0
    side = {"sbom": made.sbom, "plan": plan, "root": made.directory}[kind]
    policy = tmp_path / "policy.yaml"
    policy.write_text(run("policy", "init", side).out)
    assert "limits 5" in run("policy", "check", policy).out
    done = run("gate", side, side, "--policy", policy)
    assert (done.code, done.out.splitlines()[0]) == (0, "gate passed: 0 failing, 0 warnings, 0 waived")


def test_init_of_a_report(run: Run, tmp_path: Path) -> None:
    """A scanner's report is called what it is."""
    assert_one_message(run("policy", "init", grype(tmp_path, "g.json", [])), 3, "a scanner's report, not a baseline")
