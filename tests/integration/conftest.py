"""Fixtures of the tests in a browser."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.commandline import run_process
from tests.support import ROOT

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

POLICY = 'version: 1\nlimits: {setuid: 0, megabytes: 20}\nforbid: [shell, package-manager, "/etc/ld.so.conf.d/**"]\n'


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the sample image and its plan, from the SBOM alone."""
    from pruner.gate.compare import compare
    from pruner.gate.evaluate import evaluate
    from pruner.gate.policy import policy_of
    from pruner.gate.reports import report_text
    from pruner.gate.sides import read_side
    from pruner.gate.sides.plan import read_plan

    place = tmp_path_factory.mktemp("report")
    sample, plan = ROOT / "samples" / "web.syft.json.zst", place / "plan"
    done = run_process("plan", sample, "--config", ROOT / "samples" / "pruner.yaml", "--output", plan)
    assert done.code == 0, done.err
    planned = read_plan(plan)
    comparison = compare(read_side(str(sample)), read_side(str(plan)), plan=planned)
    assert len(comparison.before.files or ()) > 5000
    verdict = evaluate(comparison, policy_of(POLICY), today=date(2026, 1, 2), plan=planned)
    path = place / "report.html"
    path.write_text(report_text("html", comparison, verdict, plan=planned), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    from tests.integration.browser import opened_browser

    with opened_browser(tmp_path_factory.mktemp("browser")) as made:
        yield made


@pytest.fixture
def page(browser: Chrome, report: Path) -> Chrome:
    from tests.integration.browser import shown

    return shown(browser, report)
