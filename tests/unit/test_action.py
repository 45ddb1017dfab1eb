"""The action and a workflow that uses it, the GitLab template and the pre-commit hooks: their own steps, run by the shells that would run them.

Only the installation is stood in for: `python3 -m venv DIR` makes a directory whose programs are those of this process.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

import pruner
from tests.support import ROOT
from tests.unit.gates import SUID, grype, match, package, program, sbom

ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
WORKFLOW = (ROOT / "samples" / "ci" / "github.yml").read_text()
GITLAB = yaml.safe_load((ROOT / "samples" / "ci" / "gitlab.yml").read_text())
HOOKS = {hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}
APP = package("app", "1.0-1", ["/usr/bin/app"])
SHELL = package("dash", "0.5-1", ["/usr/bin/dash"])
RULES = "version: 1\nlimits: {setuid: 0}\nforbid: [shell]\n"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory with both SBOMs, a policy, and `bin` with the stand-in for venv."""
    sbom(
        tmp_path,
        "before.syft.json",
        [APP, SHELL],
        [program("/usr/bin/app"), program("/usr/bin/dash"), program("/usr/bin/su", mode=SUID)],
    )
    sbom(tmp_path, "after.syft.json", [APP], [program("/usr/bin/app")])
    (tmp_path / "policy.yaml").write_text(RULES)
    python = shlex.quote(sys.executable)
    programs = tmp_path / "bin"
    programs.mkdir()
    script(
        programs / "python3",
        f"""[ "$1 $2" = "-m venv" ] || exit 9
mkdir -p "$3/bin"
for name in pip pruner python; do cp "{programs}/made-$name" "$3/bin/$name"; done""",
    )
    script(programs / "made-pip", f'echo "$@" >> "{tmp_path}/installed"')
    script(programs / "made-pruner", f'exec {python} -m pruner "$@"')
    script(programs / "made-python", f'exec {python} "$@"')
    return tmp_path


def script(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def environment(place: Path, **more: str) -> dict[str, str]:
    return {**os.environ, "PATH": f"{place / 'bin'}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT), **more}


class Action:
    """Runs the steps of `action.yml` as a runner does: conditions, expressions, outputs, the summary."""

    def __init__(self, place: Path, **inputs: str) -> None:
        self.place = place
        known = {name: str(spec.get("default", "")) for name, spec in ACTION["inputs"].items()}
        assert inputs.keys() <= known.keys()
        self.values = {f"inputs.{name}": value for name, value in {**known, **inputs}.items()}
        self.values["github.action_path"] = str(ROOT)
        self.used: list[dict[str, Any]] = []
        self.log = self.printed = ""
        self.code = 0
        for step in ACTION["runs"]["steps"]:
            if self.code == 0 and self.holds(step.get("if", "")):
                self.run(step)

    def holds(self, condition: str) -> bool:
        for part in condition.split("&&") if condition else ():
            found = re.fullmatch(r"\s*([a-z.-]+) (!=|==) '([a-z]*)'\s*", part)
            assert found, condition
            if (self.values[found[1]] == found[3]) != (found[2] == "=="):
                return False
        return True

    def filled(self, text: str) -> str:
        return re.sub(r"\$\{\{ ([\w.-]+) \}\}", lambda found: self.values[found[1]], text)

    def run(self, step: Mapping[str, Any]) -> None:
        if "uses" in step:
            self.used.append({"uses": step["uses"], **{key: self.filled(value) for key, value in step["with"].items()}})
            return
        assert "${{" not in step["run"], "an expression in a script would let an input run"
        output = self.place / "output"
        output.write_text("")
        given = {name: self.filled(value) for name, value in step["env"].items()}
        env = environment(
            self.place,
            RUNNER_TEMP=str(self.place / "temp dir"),
            GITHUB_OUTPUT=str(output),
            GITHUB_STEP_SUMMARY=str(self.place / "step-summary.md"),
            **given,
        )
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
        done = subprocess.run(command, cwd=self.place, env=env, capture_output=True, text=True, check=False)
        self.log += done.stdout + done.stderr
        self.printed += done.stdout
        self.code = done.returncode
        for line in output.read_text().splitlines():
            name, _, value = line.partition("=")
            self.values[f"steps.{step['id']}.outputs.{name}"] = value

    def output(self, name: str) -> str:
        return self.filled(ACTION["outputs"][name]["value"])


def gated(place: Path, after: str, **inputs: str) -> Action:
    return Action(place, before="before.syft.json", after=after, policy="policy.yaml", **inputs)


def test_the_action_passes(place: Path) -> None:
    """Outputs, the step summary, every report and the upload of a gate that passes."""
    action = gated(place, "after.syft.json")
    assert action.code == 0, action.log
    assert action.output("passed") == "true"
    assert action.output("findings") == "0"
    assert (place / "step-summary.md").read_text().startswith("## Gate passed: 0 failing")
    names = {path.name for path in (place / action.output("reports")).iterdir()}
    assert names == {"gate.json", "gate.md", "gate.sarif", "gate.junit.xml", "gate.html"}
    (used,) = action.used
    assert used["sarif_file"] == "gate/gate.sarif"
    assert used["category"] == "pruner-gate"
    assert json.loads((place / used["sarif_file"]).read_text())["version"] == "2.1.0"
    assert (place / "installed").read_text() == f"install --quiet {ROOT}\n"


def test_the_action_fails_after_it_reported(place: Path) -> None:
    """A gate that fails annotates, writes the summary and uploads before the last step fails."""
    action = gated(place, "before.syft.json")
    assert action.code == 1
    assert action.output("passed") == "false"
    assert action.output("findings") == "2"
    assert "::error title=forbid%3A /usr/bin/dash,file=policy.yaml,line=3::" in action.log
    assert action.log.endswith("::error::the gate failed: findings that fail: 2\n")
    assert (place / "step-summary.md").read_text().startswith("## Gate failed: 2 failing")
    assert len(action.used) == 1


def test_the_action_says_what_is_wrong(place: Path) -> None:
    """Bad input fails the step with the gate's own code, and half the inputs with a message."""
    broken = gated(place, "nothing.json")
    assert broken.code == 3
    assert "nothing.json" in broken.log
    assert not (place / "step-summary.md").exists()
    assert Action(place).code == 2


@pytest.mark.parametrize("empty", ["before", "after", "policy"])
def test_no_input_that_is_empty_leaves_the_gate_out(place: Path, empty: str) -> None:
    """An input that an expression left empty stops the action, also where it plans besides."""
    inputs = {"before": "before.syft.json", "after": "after.syft.json", "policy": "policy.yaml", empty: ""}
    for more in ({}, {"sbom": "before.syft.json"}):
        half = Action(place, **inputs, **more)
        assert half.code == 2
        assert "::error::the gate needs before, after and policy" in half.log
        assert not (place / "installed").exists()


def test_names_of_files_are_words(place: Path) -> None:
    """Inputs with spaces, options and shell syntax are names of files and nothing else."""
    before, rules = "-before $(touch run) .json", "-`touch run`.yaml"
    (place / before).write_bytes((place / "before.syft.json").read_bytes())
    (place / rules).write_bytes((place / "policy.yaml").read_bytes())
    action = Action(
        place,
        **{
            "sbom": before,
            "entry": "/usr/bin/app",
            "output": "-plan; touch run",
            "before": before,
            "after": "-plan; touch run",
            "policy": rules,
            "plan": "-plan; touch run",
            "reports": '-"$(touch run)" gate',
            "category": "$(touch run)",
            "upload-sarif": "false",
        },
    )
    assert action.code == 0, action.log
    assert action.used == []
    assert (place / action.output("reports") / "gate.html").is_file()
    assert (place / action.output("plan") / "plan.json").is_file()
    assert not (place / "run").exists()


def test_names_of_an_image_are_no_commands(place: Path) -> None:
    """While the plan is printed the runner takes no commands; it takes them again even where planning failed."""
    for entry, code in (("/usr/bin/app", 0), ("/no/such", 3)):
        action = Action(place, sbom="before.syft.json", entry=entry)
        assert action.code == code
        lines = action.printed.splitlines()
        token = lines[0].removeprefix("::stop-commands::")
        assert re.fullmatch(r"[0-9a-f]{32}", token)
        assert lines[-1] == f"::{token}::"


def test_reports_of_a_former_run_are_gone(place: Path) -> None:
    """A gate that ends before it reports leaves nothing that says how it went."""
    assert gated(place, "after.syft.json").code == 0
    script(place / "bin" / "made-pruner", "exit 1")
    action = gated(place, "after.syft.json")
    assert action.code == 1
    assert "steps.gate.outputs.passed" not in action.values
    assert list((place / "gate").iterdir()) == []


def test_the_action_plans_and_gates_by_the_plan(place: Path) -> None:
    """With an SBOM it plans; the plan is a side of the gate in the same step of a workflow."""
    action = Action(
        place,
        sbom="before.syft.json",
        entry="/usr/bin/app",
        before="before.syft.json",
        after="plan",
        policy="policy.yaml",
        plan="plan",
    )
    assert action.code == 0, action.log
    assert (place / action.output("plan") / "plan.json").is_file()
    assert action.output("passed") == "true"


def test_what_the_action_uses_is_pinned() -> None:
    """Foreign actions are named by commit, with the release beside it."""
    text = (ROOT / "action.yml").read_text() + WORKFLOW
    used = [line for line in re.findall(r"uses: (.*)", text) if not line.startswith("OWNER/")]
    assert len(used) == 3
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v[0-9.]+", line) for line in used), used


def gitlab(place: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """The template's script with what differs from its `variables`."""
    job = GITLAB[".pruner-gate"]
    env = environment(place, **{**job["variables"], **variables})
    lines = "\n".join(job["script"])
    return subprocess.run(["sh", "-e", "-c", lines], cwd=place, env=env, capture_output=True, text=True, check=False)


def test_the_workflow_runs_the_action(place: Path) -> None:
    """The sample's inputs are the action's own; its comment takes the report, and is made when the gate fails."""
    steps = yaml.safe_load(WORKFLOW)["jobs"]["gate"]["steps"]
    (given,) = (step["with"] for step in steps if step.get("uses", "").startswith("OWNER/pruner@"))
    (place / "after.syft.json").write_bytes((place / "before.syft.json").read_bytes())
    assert Action(place, **given).code == 1
    (comment,) = (step for step in steps if step.get("name") == "comment")
    assert "!cancelled()" in comment["if"]
    script(place / "bin" / "gh", 'printf "%s\\n" "$@"; cat "$7"')
    command = ["bash", "-eo", "pipefail", "-c", comment["run"]]
    env = environment(place, NUMBER="7")
    done = subprocess.run(command, cwd=place, env=env, capture_output=True, text=True, check=True)
    words = done.stdout.splitlines()
    assert words[:3] == ["pr", "comment", "7"]
    assert words[7] == "## Gate failed: 2 failing, 0 warnings, 0 waived"


@pytest.mark.parametrize(("after", "code"), [("after.syft.json", 0), ("before.syft.json", 1)])
def test_the_gitlab_template(place: Path, after: str, code: int) -> None:
    """The script's lines, in one shell that stops at the first fault, leave what the artifacts name."""
    job = GITLAB[".pruner-gate"]
    done = gitlab(place, AFTER=after)
    assert done.returncode == code, done.stderr
    named = [*job["artifacts"]["paths"], job["artifacts"]["reports"]["junit"]]
    assert all((place / name).is_file() for name in named)
    root = ElementTree.fromstring((place / "gate" / "gate.junit.xml").read_text())
    assert root.get("failures") == ("2" if code else "0")
    assert (place / "installed").read_text() == f"install --quiet sbom-pruner=={pruner.__version__}\n"


def test_the_gitlab_template_takes_scanner_reports_and_a_plan(place: Path) -> None:
    """What its variables name is given to the gate; one report without the other is its usage error."""
    grype(place, "vb.json", [match("dash", "0.5-1", "CVE-2024-1")])
    grype(place, "va.json", [match("app", "1.0-1", "CVE-2024-2", "Critical")])
    (place / "policy.yaml").write_text("version: 1\nvulnerabilities: {new: high}\n")
    done = gitlab(place, VULNS_BEFORE="vb.json", VULNS_AFTER="va.json")
    assert (done.returncode, done.stdout.count("CVE-2024-2 (critical) is new in app 1.0-1")) == (1, 1)
    assert gitlab(place, VULNS_BEFORE="vb.json").returncode == 2
    missing = gitlab(place, PLAN="no plan")
    assert missing.returncode == 3
    assert "no plan" in missing.stderr


def hook(place: Path, name: str, *files: str, args: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """A hook as pre-commit runs it: its entry, the user's args, and the files unless it takes none."""
    spec = HOOKS[name]
    assert spec["language"] == "python"
    words = shlex.split(spec["entry"])
    assert words[0] == "pruner"
    given = files if spec.get("pass_filenames", True) else ()
    command = [sys.executable, "-m", *words, *args, *given]
    return subprocess.run(command, cwd=place, env=environment(place), capture_output=True, text=True, check=False)


def test_the_policy_hook(place: Path) -> None:
    """Each policy that changed is checked, and a typo fails the commit with its line."""
    (place / "other").mkdir()
    (place / "other" / "policy.yaml").write_text("version: 1\nforbidden: [shell]\n")
    pattern = HOOKS["pruner-policy"]["files"]
    names = ["policy.yaml", "other/policy.yaml"]
    assert all(re.search(pattern, name) for name in names)
    assert not re.search(pattern, "src/notpolicy.yaml")
    assert hook(place, "pruner-policy", "policy.yaml").returncode == 0
    failed = hook(place, "pruner-policy", *names)
    assert failed.returncode == 3
    assert "other/policy.yaml:2" in failed.stderr


def test_the_gate_hook(place: Path) -> None:
    """The hook takes both sides and the policy as args, as the sample shows."""
    sample = yaml.safe_load((ROOT / "samples" / "ci" / "pre-commit-config.yaml").read_text())
    hooks = {item["id"]: item for item in sample["repos"][0]["hooks"]}
    assert hooks.keys() <= HOOKS.keys()
    args = tuple(hooks["pruner-gate"]["args"])
    assert all(re.search(hooks["pruner-gate"]["files"], name) for name in (args[0], args[1], args[3]))
    assert hook(place, "pruner-gate", "after.syft.json", args=args).returncode == 0
    (place / "after.syft.json").write_bytes((place / "before.syft.json").read_bytes())
    failed = hook(place, "pruner-gate", "after.syft.json", args=args)
    assert failed.returncode == 1
    assert failed.stdout.startswith("gate FAILED: 2 failing")
