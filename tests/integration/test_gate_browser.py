"""The HTML report in a real browser without a network."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pruner.gate.compare import compare
from pruner.gate.evaluate import evaluate
from pruner.gate.policy import policy_of
from pruner.gate.reports import report_text
from pruner.gate.sides import read_side
from pruner.gate.sides.plan import read_plan
from tests.commandline import run_process
from tests.integration.browser import complaints, opened_browser, requested
from tests.support import ROOT
from tests.unit.gates import compared, package, program, sbom

if TYPE_CHECKING:
    from selenium.webdriver import Chrome
    from selenium.webdriver.remote.webelement import WebElement

pytestmark = pytest.mark.integration

POLICY = 'version: 1\nlimits: {setuid: 0, megabytes: 20}\nforbid: [shell, package-manager, "/etc/ld.so.conf.d/**"]\n'
HOSTILE = (
    "<img src=x onerror=document.title='run'>",
    "</script><script>document.title='run'</script>",
    "<svg onload=document.title='run'>",
    "\u2028'-alert(1)-'\u202e",
    "{{7*7}}",
)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the sample image and its plan, from the SBOM alone."""
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
    with opened_browser(tmp_path_factory.mktemp("browser")) as made:
        yield made


@pytest.fixture
def page(browser: Chrome, report: Path) -> Chrome:
    return shown(browser, report)


def shown(browser: Chrome, report: Path) -> Chrome:
    """The browser with the report, whose script has run to its end."""
    from selenium.webdriver.support.ui import WebDriverWait

    browser.get(report.as_uri())
    WebDriverWait(browser, 20).until(lambda it: it.execute_script("return document.documentElement.dataset.ready"))
    return browser


def all_of(page: Chrome, selector: str) -> list[WebElement]:
    from selenium.webdriver.common.by import By

    return page.find_elements(By.CSS_SELECTOR, selector)


def one(page: Chrome, selector: str) -> WebElement:
    return all_of(page, selector)[0]


def press(page: Chrome, *keys: str) -> None:
    from selenium.webdriver import ActionChains

    ActionChains(page).send_keys(*keys).perform()


def focused(page: Chrome, expression: str) -> object:
    return page.execute_script(f"return document.activeElement.{expression}")


def test_it_asks_for_nothing(browser: Chrome, report: Path) -> None:
    """The file is all that the browser loads, and the content policy has nothing to refuse."""
    requested(browser), complaints(browser)
    shown(browser, report)
    assert requested(browser) == [report.as_uri()]
    assert complaints(browser) == []


def test_the_policy_refuses_what_asks(page: Chrome, tmp_path: Path) -> None:
    """Markup that would load something, or run, is refused by the file's own policy."""
    page.execute_script(
        """const at = document.createElement('div');
        at.innerHTML = "<img src='http://127.0.0.1:9/x.png' onerror=\\"document.title='run'\\">";
        document.body.append(at);
        return new Promise((done) => setTimeout(done, 300));"""
    )
    assert any("Content Security Policy" in line for line in complaints(page))
    assert page.title != "run"


def test_search(page: Chrome) -> None:
    """Typing lists packages and files; a pick shows the chain from the entry point."""
    query = one(page, "#query")
    query.send_keys("libc.so.6")
    results = all_of(page, "#results button")
    assert results
    assert all("libc.so.6" in item.text for item in results)
    kept = next(item for item in results if "(kept)" in item.text)
    path = kept.text.partition(" ")[0]
    kept.click()
    assert one(page, "#detail h2").text == path
    steps = [step.text for step in all_of(page, "#detail ol[data-chain] li")]
    assert steps[0].startswith("entry ")
    assert path in steps[-1]
    query.clear()
    query.send_keys("no such file anywhere")
    assert one(page, "#found").text == "0 found"
    assert all_of(page, "#results button") == []


def test_many_results_come_by_pages(page: Chrome) -> None:
    """A search that finds thousands shows a hundred, and more on request."""
    one(page, "#query").send_keys("/usr")
    assert len(all_of(page, "#results li")) == 100
    one(page, "#more").click()
    assert len(all_of(page, "#results li")) == 200


def test_a_click_on_a_node_shows_its_chain(page: Chrome) -> None:
    """A package of the graph says which steps lead to it, and what it needs."""
    node = next(item for item in all_of(page, "#graph .node") if item.accessible_name.startswith("libc6, "))
    page.execute_script("arguments[0].scrollIntoView({block: 'center', inline: 'center'})", node)
    node.click()
    assert one(page, "#detail h2").text == "libc6"
    assert all_of(page, "#detail ol[data-chain] li")[0].text.startswith("entry ")
    assert "Needed by" in one(page, "#detail").text
    assert "picked" in str(node.get_attribute("class"))


def test_keyboard_alone(page: Chrome) -> None:
    """Tab reaches search, sizes and graph, a stop each; arrows move within; Enter picks."""
    from selenium.webdriver.common.keys import Keys

    seen = []
    for _ in range(80):
        press(page, Keys.TAB)
        seen.append(focused(page, "id || document.activeElement.getAttribute('class') || ''"))
        if str(seen[-1]).startswith("node"):
            break
    assert "query" in seen
    assert "cell" in seen, seen
    assert [stop for stop in seen if str(stop).startswith("node")] == [seen[-1]]
    first = focused(page, "dataset.group")
    press(page, Keys.ARROW_DOWN)
    assert focused(page, "dataset.group") != first
    label = str(focused(page, "getAttribute('aria-label')"))
    press(page, Keys.ENTER)
    assert label.startswith(one(page, "#detail h2").text + ", ")
    assert focused(page, "id") == "detail"


def test_sizes_are_reached_by_keys(page: Chrome) -> None:
    """Arrows go along the areas, the largest first, and Enter tells the package."""
    from selenium.webdriver.common.keys import Keys

    page.execute_script("document.querySelector('#treemap [tabindex=\"0\"]').focus()")
    press(page, Keys.ARROW_RIGHT)
    label = str(focused(page, "getAttribute('aria-label')"))
    press(page, " ")
    assert label.startswith(one(page, "#detail h2").text + ": ")


def test_attack_surface_table(page: Chrome) -> None:
    """Items are listed with their state, and words narrow them down."""
    one(page, "#surface-query").send_keys("shell dropped")
    rows = [row.text for row in all_of(page, "#surface-items tbody tr")]
    assert rows
    assert all("shell" in row and row.endswith("dropped") for row in rows)
    assert any(row.startswith("shell /") for row in rows)


@pytest.mark.parametrize("gone", [True, False])
def test_hostile_names_do_not_run(browser: Chrome, tmp_path: Path, gone: bool) -> None:
    """Names that are markup, script or template are shown as they are and run nowhere."""
    packages = [package(name, "1.0-1", [f"/usr/bin/{name}"], id=f"id-{number}") for number, name in enumerate(HOSTILE)]
    programs = [program(f"/usr/bin/{name}") for name in HOSTILE]
    before = sbom(tmp_path, "before.json", packages, programs)
    after = sbom(tmp_path, "after.json", packages[:3] if gone else packages, programs[:3] if gone else programs)
    comparison = compared(before, after)
    verdict = evaluate(comparison, policy_of('version: 1\nforbid: ["/usr/bin/**"]\n'), today=date(2026, 1, 2))
    path = tmp_path / "hostile.html"
    path.write_text(report_text("html", comparison, verdict), encoding="utf-8")
    requested(browser), complaints(browser)
    page = shown(browser, path)
    one(page, "#query").send_keys("onerror")
    (found, *_) = all_of(page, "#results button")
    assert HOSTILE[0] in found.text
    found.click()
    assert one(page, "#detail h2").text.endswith(HOSTILE[0])
    assert all_of(page, "img, main script, main iframe, [onerror], [onload]") == []
    assert "run" not in page.title
    assert requested(page) == [path.as_uri()]
    assert complaints(page) == []


def test_screenshots(page: Chrome, tmp_path: Path) -> None:
    """Light and dark are different, and both are kept where `PRUNER_SCREENSHOTS` names a directory."""
    place = Path(os.environ.get("PRUNER_SCREENSHOTS") or tmp_path)
    place.mkdir(parents=True, exist_ok=True)
    node = next(item for item in all_of(page, "#graph .node") if item.accessible_name.startswith("libc6, "))
    page.execute_script("arguments[0].dispatchEvent(new MouseEvent('click', {bubbles: true}))", node)
    height = page.execute_script("return document.documentElement.scrollHeight")
    grounds = []
    for scheme in ("light", "dark"):
        page.execute_cdp_cmd(
            "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        )
        page.set_window_size(1400, min(int(str(height)), 4000))
        assert page.save_screenshot(str(place / f"gate-{scheme}.png"))
        grounds.append(page.execute_script("return getComputedStyle(document.body).backgroundColor"))
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert len(set(grounds)) == 2
    assert json.dumps(grounds).count("rgb") == 2
