"""A real browser that has no network: Debian's chromium, driven by its own chromedriver."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

from tests.support import need


@contextmanager
def opened_browser(place: Path, *, dark: bool = False) -> Iterator[Chrome]:
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
        *(["--force-dark-mode"] if dark else []),
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    browser = Chrome(
        options=options, service=Service(need("chromedriver"), env={**os.environ, "SE_AVOID_STATS": "true"})
    )
    try:
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
