"""The validator of releases against the real chisel, over valid and mutated releases."""

from __future__ import annotations

import pytest

from tests.chisel.agreement import MUTATED, VALID, measure
from tests.chisel.mutations import MUTATIONS, cases, untouched
from tests.support import chisel

pytestmark = pytest.mark.integration


def test_valid_releases_are_accepted_by_both():
    """Releases that keep every rule, of each format and with each kind of path, are accepted."""
    found = measure(chisel(), untouched(VALID))
    assert len(found.both_accept) == VALID, found.details


def test_verdicts_agree_on_mutated_releases():
    """No release that chisel accepts is rejected, and 95 of 100 that it rejects are rejected with a line."""
    found = measure(chisel(), cases(MUTATED))
    assert found.rejected >= 500
    assert {name: found.details[name] for name in found.only_pruner_rejects} == {}
    assert found.reached, found.rows()


def test_every_mutation_is_made():
    """The sample has each kind of mutation."""
    kinds = {name.rpartition("-")[0] for name, _ in cases(MUTATED)}
    assert kinds == set(MUTATIONS)
