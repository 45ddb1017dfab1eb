"""The applications that the seed drew, by name and in the order of the draw: one module here for each.

Nothing of the pruner was tuned on them before `first-run.json` was recorded; see `tests.corpus.pool`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from tests.corpus.pool import draw

if TYPE_CHECKING:
    from tests.corpus.model import App

DRAWN: dict[str, App] = {name: import_module(f"{__name__}.{name.replace('-', '_')}").APP for name in draw()}
