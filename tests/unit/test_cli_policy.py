"""`pruner policy init` and `pruner policy check`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commandline import Run, assert_one_message
from tests.unit.gates import SUID, package, program, sbom

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


def test_a_waiver_without_expiry(run: Run, tmp_path: Path) -> None:
    """A waiver for good is bad input."""
    policy = tmp_path / "policy.yaml"
    policy.write_text("version: 1\nwaivers:\n  - {rule: forbid, reason: a, owner: b}\n")
    assert_one_message(run("policy", "check", policy), 3, f"{policy}:3: waivers[0].expires: expected text, got nothing")


def test_init_of_an_sbom_without_packages(run: Run, tmp_path: Path) -> None:
    """An SBOM without packages is no baseline."""
    assert_one_message(run("policy", "init", sbom(tmp_path, "e.json", [])), 3, "lists no installed packages")
