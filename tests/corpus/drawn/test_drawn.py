"""The draw is the seed's alone, its record is whole, and its smoke tests can tell."""

from __future__ import annotations

import json
import os

import pytest

from tests.corpus.apps import APPS
from tests.corpus.checks import drawn_checks
from tests.corpus.drawn import DRAWN, DRAWS
from tests.corpus.model import App
from tests.corpus.pool import COUNT, IMPOSSIBLE, SEED, draw, pool, sequence
from tests.corpus.roots import BASE, fat_root
from tests.corpus.row import Row
from tests.corpus.trial import insensitive, smoke_trial
from tests.support import need, skip


def test_pool_is_large_and_strange_to_the_corpus() -> None:
    """At least eighty packages, each once, none of which the corpus or the base system installs."""
    known = {name for app in APPS.values() for name in app.packages} | set(BASE)
    assert len(pool()) >= 80
    assert len(set(pool())) == len(pool())
    assert known & set(pool()) == set()


def test_draws_are_the_beginning_of_the_seeded_sequence() -> None:
    """The draws repeat, follow each other, differ by seed, and pass over nothing but what is declared impossible."""
    assert draw() + draw(skip=COUNT) == tuple(name for name in sequence() if name not in IMPOSSIBLE)[: 2 * COUNT]
    assert draw(SEED + 1) != draw()
    assert sorted(sequence()) == list(pool())


def test_every_drawn_package_is_declared_and_installed() -> None:
    """One application for each drawn package, in the order of the draws, with the package in its root."""
    assert [tuple(one.apps) for one in DRAWS.values()] == [draw(), draw(skip=COUNT)]
    assert [name for name, app in DRAWN.items() if name != app.name or name not in app.packages] == []


@pytest.mark.parametrize("name", DRAWS)
def test_first_run_is_recorded_for_every_application(name: str) -> None:
    """The record names all applications of its draw; one that failed says how, one that ran does not."""
    record = json.loads(DRAWS[name].record.read_text())
    assert record["seed"] == SEED
    assert tuple(DRAWS[name].firsts) == tuple(DRAWS[name].apps)
    assert [run["app"] for run in record["runs"] if (run["run"] == "F") != bool(run["failure"])] == []


def line(app: str, first: str, failure: str = "") -> Row:
    return Row(
        app=app, outside=False, fat_bytes=1, s3_mb=None, runtime_bytes=None, beyond_limit=None, failure=failure, files=1,
        first=first,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("firsts_failed", "fails_now", "verdicts"),
    [(3, 1, [True, True, True]), (4, 1, [False, True, True]), (3, 2, [True, False, True])],
)
def test_checks_count_the_first_run_and_the_present_one(
    firsts_failed: int, fails_now: int, verdicts: list[bool]
) -> None:
    """Seven of ten at first and nine now are enough; one fewer fails exactly its own check."""
    rows = [line(str(n), "F" if n < firsts_failed else "P", "no answer" if n < fails_now else "") for n in range(10)]
    assert [check.passed for check in drawn_checks(rows, complete=True)] == verdicts


def test_a_part_of_the_draw_is_not_judged() -> None:
    """Counts over some of the applications stay open."""
    assert [check.passed for check in drawn_checks([line("one", "F")], complete=False)] == [None, None, True]


@pytest.fixture(params=DRAWN.values(), ids=list(DRAWN))
def app(request: pytest.FixtureRequest) -> App:
    for tool in ("mmdebstrap", "unshare", "nsenter", "setsid"):
        need(tool)
    if os.geteuid() != 0:
        skip("the corpus makes device nodes and mounts overlays: it needs root")
    declared: App = request.param
    return declared


@pytest.mark.corpus
def test_fat_root_runs(app: App) -> None:
    """The smoke test passes where nothing was removed, so that a failure elsewhere means something."""
    fat = fat_root(app)
    assert smoke_trial(fat, fat.root).failure == ""


@pytest.mark.corpus
def test_smoke_is_sensitive(app: App) -> None:
    """The smoke test fails when one needed file of each kind is deleted from the fat root."""
    fat = fat_root(app)
    assert insensitive(fat, fat.root) == ()
