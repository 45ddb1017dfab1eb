"""The HTML report in a real browser: how it looks, on what, and to whom."""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pruner.gate.compare import compare
from tests.integration.browser import all_of, complaints, in_sight, node_of, one, shown, written
from tests.unit.gates import compared, package, program, sbom
from tests.unit.sides import made_side, regular

if TYPE_CHECKING:
    from selenium.webdriver import Chrome


pytestmark = pytest.mark.integration


def test_a_narrow_window(page: Chrome) -> None:
    """At the width of a telephone nothing runs out of the page, and what is picked comes into sight."""
    size = {"width": 400, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        page.refresh()
        assert page.execute_script("return document.documentElement.scrollWidth") == 400
        lines = "const it = new Range(); it.selectNodeContents(arguments[0]); return it.getClientRects().length"
        for word in all_of(page, ".bars th, .bars td.number"):
            assert page.execute_script(lines, word) == 1, f"{word.text} is broken into letters"
        edge = "return arguments[0].getBoundingClientRect().right"
        reasons = all_of(page, "#surface-counts .reason")
        assert reasons
        assert all(float(str(page.execute_script(edge, reason))) <= 400 for reason in reasons)
        assert reasons[0].aria_role == "columnheader"
        frame = (
            "const it = document.getElementById('surface-counts').parentElement; return it.scrollWidth - it.clientWidth"
        )
        assert page.execute_script(frame) == 0, "nothing has to be scrolled aside"
        one(page, "#query").send_keys("libc6")
        one(page, "#results button").click()
        assert in_sight(page, one(page, "#detail h2"))
        one(page, "#back").click()
        assert in_sight(page, one(page, "#results"))
    finally:
        page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_a_window_that_changes(page: Chrome) -> None:
    """The areas fill their frame again when the window becomes narrower."""
    wide = one(page, "#treemap .whole").size["width"]
    page.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": 500, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    )
    try:
        page.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")
        frame = one(page, "#treemap").rect
        cells = [cell.rect for cell in all_of(page, "#treemap .whole")]
        assert cells[0]["width"] < wide
        filled = sum(cell["width"] * cell["height"] for cell in cells)
        assert filled > 0.85 * frame["width"] * frame["height"]
    finally:
        page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_the_graph_fits_its_frame(page: Chrome) -> None:
    """In an ordinary window nothing of the sample's graph is cut at the right edge."""
    assert page.execute_script("return innerWidth") == 1400
    width = "const it = document.getElementById('graph-frame'); return it.scrollWidth - it.clientWidth"
    assert int(str(page.execute_script(width))) <= 0
    edges = """const frame = document.getElementById('graph').getBoundingClientRect();
        return [...document.querySelectorAll('#graph text')].every((one) => one.getBoundingClientRect().right <= frame.right)"""
    assert page.execute_script(edges)


def test_without_scripts(browser: Chrome, report: Path) -> None:
    """Verdict, findings with their reasons, and counts are there; what needs a script is away, and the page says so."""
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.get(report.as_uri())
        assert one(browser, "h1").text == "Gate failed"
        assert one(browser, "#summary").is_displayed()
        opened = one(browser, "details.finding[open]").text
        for said in ("Where", "Why it matters", "What would fix it", "Policy", "Why it is there\nentry "):
            assert said in opened
        assert all_of(browser, ".bars tbody tr")
        assert all_of(browser, "#surface-counts tbody tr")
        assert not [item for item in all_of(browser, "#find, #sizes, #reasons, #detail") if item.is_displayed()]
        assert "scripts are off" in one(browser, "noscript").text
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_on_paper(page: Chrome) -> None:
    """A print is dark on light, has every finding open, and nothing that only a screen can use."""
    dark = {"media": "print", "features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", dark)
    try:
        page.execute_script("dispatchEvent(new Event('beforeprint'))")
        assert page.execute_script("return getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert not [item for item in all_of(page, "nav, #find, #detail, input") if item.is_displayed()]
        findings = all_of(page, "#findings dl")
        assert len(findings) > 1
        assert all(item.is_displayed() for item in findings)
        assert len(page.print_page()) > 10_000, "printing also ends, and closes again what it opened"
        assert [item.get_attribute("open") for item in all_of(page, ".finding")].count("true") == 1
    finally:
        page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})


def test_sizes_tell_kept_from_dropped_without_colour(page: Chrome) -> None:
    """What is dropped is hatched; every area says its package and both sizes."""
    whole = one(page, "#treemap .cell")
    assert " before, " in whole.accessible_name
    assert whole.aria_role == "button"
    fills = {
        name: page.execute_script("return getComputedStyle(arguments[0]).fill", one(page, f"#treemap .{name}"))
        for name in ("gone", "rest")
    }
    assert "#hatched" in str(fills["gone"])
    assert str(fills["rest"]).startswith("rgb(")
    dropped = next(cell for cell in all_of(page, "#treemap .cell") if cell.accessible_name.endswith(" 0 B after"))
    height = "return Number(arguments[0].querySelector('.rest').getAttribute('height'))"
    assert page.execute_script(height, dropped) == 0
    assert page.execute_script("return document.querySelector('.bars svg rect').getBoundingClientRect().width > 10")
    for bar in all_of(page, ".bars svg"):
        assert " before, " in bar.accessible_name


def test_structure(page: Chrome) -> None:
    """One main heading, no level skipped, each section named by its heading, each table with headers and a name."""
    levels = [int(item.tag_name[1]) for item in all_of(page, "h1, h2, h3, h4") if item.is_displayed()]
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert len(all_of(page, "header, main, footer, nav")) == 4
    parts = [
        item
        for item in all_of(page, "section, nav, table, input, button, [role]:not([role=status], #surface-counts *)")
        if item.is_displayed()
    ]
    assert [item.get_attribute("outerHTML") for item in parts if not item.accessible_name] == []
    tables = all_of(page, "table")
    assert tables
    assert [len(table.find_elements("css selector", "thead th[scope=col]")) for table in tables].count(0) == 0
    numbers = page.execute_script("return [...document.querySelectorAll('[id]')].map((it) => it.id)")
    assert len(numbers) == len(set(numbers))


def test_focus_is_seen(page: Chrome) -> None:
    """Whatever has the focus looks different from when it has not."""
    look = (
        "const it = arguments[0], part = it.querySelector('.whole, circle') || it;"
        "const style = () => JSON.stringify([...['outlineStyle', 'outlineWidth', 'stroke', 'strokeWidth']"
        ".map((name) => getComputedStyle(part)[name])]);"
        "it.blur(); const before = style(); it.focus({focusVisible: true}); return [before, style()]"
    )
    for selector in (
        "nav a",
        "summary",
        "#query",
        "#treemap [tabindex='0']",
        "#graph [tabindex='0']",
        ".wide",
        "#detail",
    ):
        before, after = page.execute_script(look, one(page, selector))
        assert before != after, selector


def test_nothing_but_packages(browser: Chrome, tmp_path: Path) -> None:
    """SBOMs that list no files: packages are found, and what is not known is said rather than drawn."""
    from pruner.gate.types import PackageKey, SidePackage

    key = PackageKey("deb", "debian", "app", "amd64")
    bare = made_side([SidePackage(key=key, version="1", purl="pkg:deb/debian/app@1")], None, binaries=None)
    path = written(tmp_path, compare(bare, bare))
    complaints(browser)
    page = shown(browser, path)
    assert one(page, "#no-sizes").is_displayed()
    assert not one(page, "#treemap").is_displayed()
    assert one(page, "#found").text == "1 packages and no files: neither side lists any"
    assert "what needs what is not known" in one(page, "#reasons").text
    one(page, "#query").send_keys("app")
    one(page, "#results button").click()
    assert "1, size unknown" in one(page, "#detail").text
    assert "No chain from an entry point is known." in one(page, "#detail").text
    assert complaints(page) == []


def test_a_package_that_is_no_longer_visible(browser: Chrome, tmp_path: Path) -> None:
    """The map has a state of its own for it, with a pattern, a legend and the bytes that remain; it is not dropped."""
    app, tool = package("app", "1.0-1", ["/usr/bin/app"]), package("tool", "1.0-1", ["/usr/bin/tool"])
    files = [program("/usr/bin/app", size=70_000), program("/usr/bin/tool", size=300_000)]
    before = sbom(tmp_path, "before.json", [app, tool], files)
    page = shown(browser, written(tmp_path, compared(before, sbom(tmp_path, "after.json", [app], files))))
    cells = {cell.accessible_name.partition(":")[0]: cell for cell in all_of(page, "#treemap .cell")}
    hidden = cells["tool"]
    assert hidden.accessible_name == "tool: 300.0 kB before, no longer visible after, files of 300.0 kB remain"
    heights = "return [...arguments[0].querySelectorAll('rect:not(.whole, .label)')].map((one) => +one.getAttribute('height'))"
    whole = page.execute_script("return +arguments[0].querySelector('.whole').getAttribute('height')", hidden)
    assert page.execute_script(heights, hidden) == [0, whole, 0]
    fill = "return getComputedStyle(arguments[0].querySelector('.hidden')).fill"
    assert "crossed" in str(page.execute_script(fill, hidden))
    assert "no longer visible: files remain" in one(page, "#sizes .legend").text
    assert "300.0 kB remain" in str(page.execute_script("return arguments[0].textContent", hidden))
    page.execute_script("arguments[0].dispatchEvent(new MouseEvent('click', {bubbles: true}))", hidden)
    assert "no longer visible: files of 300.0 kB remain" in one(page, "#detail").text
    assert "/usr/bin/tool (kept)" in one(page, "#detail").text
    assert cells["files of no package"].accessible_name == "files of no package: 5 B before, 5 B after"
    assert complaints(page) == []


def test_nothing_at_all(browser: Chrome, tmp_path: Path) -> None:
    """Two sides without anything still make a page that works."""
    complaints(browser)
    page = shown(browser, written(tmp_path, compare(made_side(), made_side())))
    assert one(page, "#no-sizes").is_displayed()
    assert one(page, "#no-graph").is_displayed()
    assert one(page, "h1").text == "Gate passed"
    assert complaints(page) == []


def test_ten_thousand_files(browser: Chrome, tmp_path: Path) -> None:
    """Every one of 10,000 files in 1,000 packages is found, and the page holds no row for those nobody asks for."""
    from pruner.gate.types import PackageKey, SidePackage

    keys = [PackageKey("deb", "debian", f"package-{at:04}", "amd64") for at in range(1000)]
    files = [
        regular(f"/usr/share/package-{at % 1000:04}/directory/{at:05}.txt", owner=keys[at % 1000], bytes=100 + at)
        for at in range(10_000)
    ]
    packages = [
        SidePackage(
            key=key,
            version="1",
            purl=f"pkg:deb/debian/{key.name}@1",
            bytes=1000 + at,
            files=tuple(file.path for file in files[at::1000]),
        )
        for at, key in enumerate(keys)
    ]
    page = shown(browser, written(tmp_path, compare(made_side(packages, files), made_side(packages[::2], files[::2]))))
    assert one(page, "#found").text == "1000 packages and 10000 files"
    one(page, "#query").send_keys("09998")
    assert [item.text for item in all_of(page, "#results button")] == [
        "/usr/share/package-0998/directory/09998.txt (kept)"
    ]
    cells = all_of(page, "#treemap .cell")
    assert len(cells) == 501
    smaller = next(cell for cell in cells if cell.accessible_name.startswith("500 smaller packages: "))
    smaller.click()
    assert one(page, "#detail h3").text == "Packages (500)"
    assert len(all_of(page, "#detail li")) == 100
    assert int(str(page.execute_script("return document.querySelectorAll('*').length"))) < 15_000


def test_screenshots(page: Chrome, tmp_path: Path) -> None:
    """Light and dark are different, and both are kept where `PRUNER_SCREENSHOTS` names a directory; so is a narrow one."""
    place = Path(os.environ.get("PRUNER_SCREENSHOTS") or tmp_path)
    place.mkdir(parents=True, exist_ok=True)
    node_of(page, "libc6").click()
    grounds = []
    for name, scheme, width in (("light", "light", 1400), ("dark", "dark", 1400), ("narrow", "light", 400)):
        media = {"media": "", "features": [{"name": "prefers-color-scheme", "value": scheme}]}
        page.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
        size = {"width": width, "height": 1000, "deviceScaleFactor": 1, "mobile": width < 1000}
        page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        end = "return document.getElementById('surface-counts').getBoundingClientRect().bottom + scrollY"
        high = round(float(str(page.execute_script(end)))) + 20
        page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {**size, "height": min(high, 4000)})
        page.execute_script("scrollTo(0, 0)")
        assert page.save_screenshot(str(place / f"gate-{name}.png"))
        grounds.append(str(page.execute_script("return getComputedStyle(document.body).backgroundColor")))
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})
    page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert grounds[0] == grounds[2] != grounds[1]
