"""The applications that the seed drew, by name and in the order of the draw: one module here for each.

`drawn` is the first draw, `redrawn` the second, of the ten that follow in the same sequence. Nothing of the pruner was tuned on a
draw before its first run was recorded; see `tests.corpus.pool`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from tests.corpus.pool import COUNT, draw

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.corpus.model import App


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """Ten applications of the sequence, and where the record of their first run is."""

    apps: Mapping[str, App]
    """By name, in the order of the draw."""
    record: Path
    """What happened when they were planned, pruned and tried for the first time; never changed since."""

    @property
    def firsts(self) -> dict[str, str]:
        """`P` or `F` by application: whether it ran at first; empty before the first run."""
        return (
            {run["app"]: run["run"] for run in json.loads(self.record.read_text())["runs"]}
            if self.record.exists()
            else {}
        )


def _draw(skip: int, record: str) -> Draw:
    names = draw(skip=skip)
    apps = {name: import_module(f"{__name__}.{name.replace('-', '_')}").APP for name in names}
    return Draw(apps=apps, record=Path(__file__).with_name(record))


DRAWS: Mapping[str, Draw] = MappingProxyType(
    {"drawn": _draw(0, "first-run.json"), "redrawn": _draw(COUNT, "second-run.json")}
)
DRAWN: dict[str, App] = {name: app for one in DRAWS.values() for name, app in one.apps.items()}
"""The applications of all draws."""
