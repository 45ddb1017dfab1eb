"""The HTML report in a real browser without a network: what a reader does with it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration.browser import (
    all_of,
    complaints,
    focused,
    in_sight,
    node_of,
    one,
    press,
    requested,
    shown,
    written,
)
from tests.unit.gates import compared, package, program, sbom

if TYPE_CHECKING:
    from selenium.webdriver import Chrome


pytestmark = pytest.mark.integration

HOSTILE = (
    "<img src=x onerror=document.title='run'>",
    "</script><script>document.title='run'</script>",
    "<svg onload=document.title='run'>",
    "\u2028'-alert(1)-'\u202e",
    "{{7*7}}",
)


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


def test_from_a_finding_to_its_place(page: Chrome) -> None:
    """The path of a finding leads to the panel, which comes into sight, and Escape back to the finding."""
    from selenium.webdriver.common.keys import Keys

    place = one(page, ".finding [data-where] button")
    place.click()
    assert one(page, "#detail h2").text == place.text
    assert in_sight(page, one(page, "#detail h2"))
    assert all_of(page, "#detail ol[data-chain] li")[0].text.startswith("entry ")
    press(page, Keys.ESCAPE)
    assert focused(page, "textContent") == place.text
    assert in_sight(page, place)


def test_many_results_come_by_pages(page: Chrome) -> None:
    """A search that finds thousands shows a hundred, and more on request."""
    one(page, "#query").send_keys("/usr")
    assert len(all_of(page, "#results li")) == 100
    one(page, "#more").click()
    assert len(all_of(page, "#results li")) == 200


def test_a_click_on_a_node_shows_its_chain(page: Chrome) -> None:
    """A package of the graph says which steps lead to it, and what needs it; the drawing marks the way."""
    node = node_of(page, "libc6")
    page.execute_script("arguments[0].scrollIntoView({block: 'center', inline: 'center'})", node)
    node.click()
    assert one(page, "#detail h2").text == "libc6"
    steps = [step.text for step in all_of(page, "#detail ol[data-chain] li")]
    assert steps[0].startswith("entry ")
    assert "libc" in steps[-1]
    assert "Needed by" in one(page, "#detail").text
    assert "picked" in str(node.get_attribute("class"))
    marked = [item.accessible_name for item in all_of(page, "#graph .node.chained")]
    assert any(name.startswith("entry ") for name in marked)
    assert len(all_of(page, "#graph .link.chain")) == len(marked) - 1


def test_a_pick_shows_the_node_in_the_drawing(page: Chrome) -> None:
    """What is picked elsewhere comes into the frame of the graph, which begins at an entry point."""
    frame = "const a = document.getElementById('graph-frame').getBoundingClientRect(), "
    within = frame + (
        "b = arguments[0].querySelector('circle').getBoundingClientRect();"
        "return b.left >= a.left && b.right <= a.right && b.top >= a.top && b.bottom <= a.bottom"
    )
    assert page.execute_script(within, one(page, "#graph .node.root"))
    one(page, "#query").send_keys("libcrypt1")
    one(page, "#results button").click()
    assert page.execute_script(within, one(page, "#graph .node.picked"))


def test_keyboard_alone(page: Chrome) -> None:
    """Tab reaches search, sizes and graph, a stop each; arrows move within; Enter picks; Escape leads back."""
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
    press(page, Keys.ARROW_RIGHT)
    second = focused(page, "dataset.group")
    assert second != first
    label = str(focused(page, "getAttribute('aria-label')"))
    press(page, Keys.ENTER)
    assert label.startswith(one(page, "#detail h2").text + ", ")
    assert all_of(page, "#detail ol[data-chain] li")[0].text.startswith("entry ")
    assert focused(page, "id") == "detail"
    press(page, Keys.ESCAPE)
    assert focused(page, "dataset.group") == second


def test_the_way_to_the_search(page: Chrome) -> None:
    """The link of the sections puts the cursor into the field."""
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    page.find_element(By.LINK_TEXT, "Search").send_keys(Keys.ENTER)
    press(page, "libc6")
    assert one(page, "#query").get_property("value") == "libc6"
    assert all_of(page, "#results button")


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
    assert [row for row in rows if not (row.startswith("dropped ") and "shell" in row)] == []
    assert any(row.startswith("dropped shell /") for row in rows)
    one(page, "#surface-query").clear()
    one(page, "#surface-query").send_keys("executable")
    states = [cell.text for cell in all_of(page, "#surface-items tbody td:first-child")]
    assert states.index("dropped") > states.index("kept"), "what is there comes before what is not"
    path = one(page, "#surface-items .path button")
    path.click()
    assert one(page, "#detail h2").text == path.text
    assert all_of(page, "#detail ol[data-chain] li")[0].text.startswith("entry ")


@pytest.mark.parametrize("gone", [True, False])
def test_hostile_names_do_not_run(browser: Chrome, tmp_path: Path, gone: bool) -> None:
    """Names that are markup, script or template are shown as they are and run nowhere."""
    packages = [package(name, "1.0-1", [f"/usr/bin/{name}"], id=f"id-{number}") for number, name in enumerate(HOSTILE)]
    programs = [program(f"/usr/bin/{name}") for name in HOSTILE]
    before = sbom(tmp_path, "before.json", packages, programs)
    after = sbom(tmp_path, "after.json", packages[:3] if gone else packages, programs[:3] if gone else programs)
    comparison = compared(before, after)
    requested(browser), complaints(browser)
    path = written(tmp_path, comparison, 'version: 1\nforbid: ["/usr/bin/**"]\n')
    page = shown(browser, path)
    one(page, "#query").send_keys("onerror")
    (found, *_) = all_of(page, "#results button")
    assert HOSTILE[0] in found.text
    found.click()
    assert one(page, "#detail h2").text.endswith(HOSTILE[0])
    for selector in ("#graph .node", "#treemap .cell", "#surface-items button"):
        for item in all_of(page, selector):
            page.execute_script("arguments[0].dispatchEvent(new MouseEvent('click', {bubbles: true}))", item)
    assert all_of(page, "img, main script, main iframe, [onerror], [onload]") == []
    assert "run" not in page.title
    assert requested(page) == [path.as_uri()]
    assert complaints(page) == []
