"""The applications that the seed drew, by name and in the order of the draw: one module here for each.

Nothing of the pruner was tuned on them before `first-run.json` was recorded; see `tests.corpus.pool`.
"""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from tests.corpus.pool import draw

if TYPE_CHECKING:
    from tests.corpus.model import App

DRAWN: dict[str, App] = {name: import_module(f"{__name__}.{name.replace('-', '_')}").APP for name in draw()}

FIRST_RUN = Path(__file__).with_name("first-run.json")
"""What happened when the applications were planned, pruned and tried for the first time; never changed since."""


def firsts() -> dict[str, str]:
    """`P` or `F` by application: whether it ran at first; empty before the first run."""
    return {run["app"]: run["run"] for run in json.loads(FIRST_RUN.read_text())["runs"]} if FIRST_RUN.exists() else {}
