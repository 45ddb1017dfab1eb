"""Tries an application in a root: whether it runs there, and whether its smoke test notices what is missing."""

from __future__ import annotations

import time
from dataclasses import dataclass
from glob import glob
from typing import TYPE_CHECKING

from tests.corpus.model import App, SmokeError
from tests.corpus.sandbox import Box

if TYPE_CHECKING:
    from pathlib import Path

    from tests.corpus.roots import FatRoot


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One run of a smoke test: it passed when `failure` is empty."""

    failure: str
    seconds: float

    @property
    def passed(self) -> bool:
        return not self.failure


def smoke_trial(fat: FatRoot, root: Path, *, without: tuple[str, ...] = ()) -> Trial:
    """Run the smoke test of `fat.app` in `root`, with the absolute paths `without` deleted from it first."""
    started = time.monotonic()
    failure = ""
    with Box(root, fat.tools, without=without) as box:
        try:
            fat.app.smoke(box)
        except SmokeError as error:
            failure = str(error) or "no message"
        except (OSError, ValueError, LookupError) as error:
            # an answer too odd to be read: no JSON, a missing field, a file that was never written
            failure = f"{type(error).__name__}: {error}"
    return Trial(failure=failure, seconds=time.monotonic() - started)


def insensitive(fat: FatRoot, root: Path) -> tuple[str, ...]:
    """The declarations of `fat.app` whose deletion from `root` its smoke test does not notice, with the reason."""
    found = []
    for needed in fat.app.needed:
        paths = matches(root, needed.glob)
        if not paths:
            found.append(f"{needed.kind} {needed.glob}: nothing there to delete")
        elif smoke_trial(fat, root, without=paths).passed:
            found.append(f"{needed.kind} {needed.glob}: passes without {len(paths)} of them")
    return tuple(found)


def left_over(app: App, root: Path) -> tuple[str, ...]:
    """What lies in `root` though `app` declares that it must be gone, sorted."""
    return tuple(path for pattern in app.gone for path in matches(root, pattern))


def matches(root: Path, pattern: str) -> tuple[str, ...]:
    """The absolute paths in `root` that a glob matches, sorted, dangling links among them."""
    # not `Path.glob`: it leaves out links that dangle, as absolute ones do when seen from outside the root
    found = glob(pattern.lstrip("/"), root_dir=root, include_hidden=True)
    return tuple(sorted(f"/{path}" for path in found))
