"""Options and settings of the whole suite."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

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
