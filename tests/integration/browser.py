"""A real browser that has no network: Debian's chromium, driven by its own chromedriver."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

from pruner.gate.evaluate import evaluate
from pruner.gate.policy import policy_of
from pruner.gate.reports import report_text
from tests.support import need

if TYPE_CHECKING:
    from selenium.webdriver.remote.webelement import WebElement

    from pruner.gate.types import Comparison


@contextmanager
def opened_browser(place: Path) -> Iterator[Chrome]:
    """A browser whose names resolve to nothing and whose profile is below `place`."""
    options = ChromeOptions()
    options.binary_location = need("chromium")
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
        "--window-size=1400,1000",
        f"--user-data-dir={place / 'profile'}",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    browser = Chrome(
        options=options, service=Service(need("chromedriver"), env={**os.environ, "SE_AVOID_STATS": "true"})
    )
    try:
        browser.get("about:blank")  # the browser's own first page loads parts of its own
        yield browser
    finally:
        browser.quit()


def requested(browser: Chrome) -> list[str]:
    """Every address that the page asked for since this was called last."""
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    return [
        message["params"]["request"]["url"] for message in messages if message["method"] == "Network.requestWillBeSent"
    ]


def complaints(browser: Chrome) -> list[str]:
    """What the console says: errors of the script, and what the content policy refused."""
    return [entry["message"] for entry in browser.get_log("browser")]


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


def written(place: Path, comparison: Comparison, policy: str = "version: 1\n") -> Path:
    """The report of a comparison, in a file."""
    verdict = evaluate(comparison, policy_of(policy), today=date(2026, 1, 2))
    path = place / "report.html"
    path.write_text(report_text("html", comparison, verdict), encoding="utf-8")
    return path


def node_of(page: Chrome, name: str) -> WebElement:
    return next(item for item in all_of(page, "#graph .node") if item.accessible_name.startswith(f"{name}, "))


def in_sight(page: Chrome, element: WebElement) -> bool:
    """Whether the upper edge of an element is within the window."""
    top = page.execute_script("return arguments[0].getBoundingClientRect().top", element)
    return bool(0 <= float(str(top)) < float(str(page.execute_script("return innerHeight"))))
