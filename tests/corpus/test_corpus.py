"""The corpus as tests: every application runs after pruning, and every smoke test can tell.

Needs root, mmdebstrap and a Debian mirror; the first run builds the roots (about four minutes).
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.corpus.apps import APPS
from tests.corpus.checks import checks
from tests.corpus.model import App, SmokeError
from tests.corpus.roots import cache_dir, fat_root
from tests.corpus.sandbox import Box
from tests.corpus.table import pruned_root, rows
from tests.corpus.trial import insensitive, left_over, matches, smoke_trial
from tests.support import need, skip

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.corpus


@pytest.fixture(autouse=True, scope="module")
def _tools() -> None:
    for tool in ("mmdebstrap", "unshare", "nsenter", "npm", "go"):
        need(tool)
    if os.geteuid() != 0:
        skip("the corpus makes device nodes and mounts overlays: it needs root")


@pytest.fixture(params=APPS.values(), ids=list(APPS))
def app(request: pytest.FixtureRequest) -> App:
    declared: App = request.param
    return declared


@pytest.fixture
def place() -> Iterator[Path]:
    """An empty directory on the file system of the cache."""
    with tempfile.TemporaryDirectory(dir=cache_dir(), prefix="test-") as directory:
        yield Path(directory)


def test_fat_root_runs(app: App) -> None:
    """The smoke test passes where nothing was removed, so that a failure elsewhere means something."""
    fat = fat_root(app)
    assert smoke_trial(fat, fat.root).failure == ""


def test_unused_things_are_in_the_fat_root(app: App) -> None:
    """What an application declares unused is there before pruning, or its absence would prove nothing."""
    fat = fat_root(app)
    assert [pattern for pattern in app.gone if not matches(fat.root, pattern)] == []


def test_pruned_root_runs_and_smoke_is_sensitive(app: App, place: Path) -> None:
    """A pruned root runs, holds nothing declared unused, and stops passing without one needed file of each kind."""
    fat = fat_root(app)
    pruned = pruned_root(fat, "root", place)
    assert smoke_trial(fat, pruned.root).failure == ""
    assert left_over(app, pruned.root) == ()
    assert insensitive(fat, pruned.root) == ()


def test_smoke_is_sensitive(app: App) -> None:
    """The smoke test fails when one needed file of each kind is deleted from the fat root."""
    fat = fat_root(app)
    assert insensitive(fat, fat.root) == ()


@pytest.mark.parametrize("mode", ["root", "sbom"])
def test_promises_hold(mode: str) -> None:
    """All checks of `python -m tests.corpus.table` pass."""
    judged = checks(rows(list(APPS.values()), mode, None), mode, complete=True)
    assert [check.text for check in judged if check.passed is False] == []


def test_box_leaves_the_root_alone() -> None:
    """What a command writes stays in the box: the root under test is the same afterwards."""
    fat = fat_root(APPS["curl"])
    with Box(fat.root, fat.tools) as box:
        box.run("/bin/sh", "-c", "echo changed > /etc/issue; touch /new; rm /usr/bin/curl")
        assert (box.root / "new").exists()
    assert not (fat.root / "new").exists()
    assert (fat.root / "usr/bin/curl").exists()
    assert "Debian" in (fat.root / "etc/issue").read_text()


def test_box_has_no_network_but_its_own() -> None:
    """A box reaches itself by name, and nothing else."""
    fat = fat_root(APPS["curl"])
    with Box(fat.root, fat.tools) as box:
        assert box.run("getent", "hosts", "service.test").out.split()[0] == "127.0.0.1"
        routes = box.run("cat", "/proc/net/route").out.splitlines()
        assert len(routes) == 1


def test_box_reports_commands_that_fail() -> None:
    """A wrong exit code, a missing program and an endless command are smoke failures that name the command."""
    fat = fat_root(APPS["curl"])
    with Box(fat.root, fat.tools) as box:
        with pytest.raises(SmokeError, match="false: exit 1, not 0"):
            box.run("false")
        assert box.run("absent-program", code=None).code == 127
        with pytest.raises(SmokeError, match="no end within"):
            box.run("sleep", "60", timeout=0.5)
