"""Options and settings of the whole suite."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

from pruner.yamlfile import load_yaml
from tests.casefiles import CASES
from tests.commandline import Run, runner
from tests.smallroots import SmallRoot, make_root

# A law holds however busy the machine is, so no example has a deadline.
settings.register_profile("pruner", deadline=None)
settings.load_profile("pruner")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="rewrite golden files with what the emitters return now"
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--update-golden"):
        os.environ["PRUNER_UPDATE_GOLDEN"] = "1"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `pruner ARGUMENTS…` in this process."""
    return runner(monkeypatch, capsys)


@pytest.fixture
def small(tmp_path: Path) -> SmallRoot:
    """The root of the cases about entry points, with its SBOM."""
    return make_root(tmp_path, load_yaml(CASES / "entries" / "root.yaml"))
