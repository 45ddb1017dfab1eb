"""`pruner select` against other solvers, over the whole archive of this machine's Debian release."""

from __future__ import annotations

import random

import pytest

from pruner.read.packageindex import PackageIndex, index_in, read_index
from pruner.relations.universe import Universe
from pruner.select import Selection, SelectRequest, Status, select
from tests.peers import debian

pytestmark = pytest.mark.integration

ROOTS = ("python3", "redis-server", "php-fpm", "gimp", "openjdk-17-jre-headless")
CONFLICTING = ("libelogind0", "libsystemd0")


@pytest.fixture(scope="module")
def archive() -> debian.Archive:
    return debian.archive()


@pytest.fixture(scope="module")
def index(archive: debian.Archive) -> PackageIndex:
    return read_index(archive.compressed)


def chosen(index: PackageIndex, *names: str) -> Selection:
    entries = tuple(f"deb:{name}" for name in names)
    return select(SelectRequest(entries=entries), Universe([index], ecosystem="deb", architecture="amd64"))


@pytest.mark.parametrize("root", ROOTS)
def test_the_optimum_is_that_of_aspcud_and_apt_is_never_below_it(archive, index, root):
    """An independent encoding (dose-ceve) and solver (aspcud) come to the same size and count; apt needs as much."""
    ours = chosen(index, root)
    oracle = debian.optimum(archive, [root])
    apt = debian.apt(archive, [root], debian.sizes(archive.packages))
    assert ours.status is Status.OPTIMAL
    assert oracle is not None
    assert (ours.installed_kib, len(ours.packages)) == (oracle.kib, len(oracle.names))
    assert apt.names
    assert ours.installed_kib <= apt.kib


def test_several_packages_at_once_are_as_aspcud_has_them(archive, index):
    """A request of twenty packages drawn by chance, each of which can be installed alone."""
    drawn = [name for name in random.Random(7).sample(sorted(index.names()), 25) if chosen(index, name).packages]
    together = drawn[:20]
    ours, oracle = chosen(index, *together), debian.optimum(archive, together)
    assert len(together) == 20
    if oracle is None:
        assert ours.status is Status.UNSATISFIABLE
    else:
        assert (ours.installed_kib, len(ours.packages)) == (oracle.kib, len(oracle.names))


def test_a_request_that_conflicts_is_refused_by_all(archive, index):
    """Two packages that exclude each other: no solver finds a set, and ours names the conflict."""
    ours = chosen(index, *CONFLICTING)
    assert ours.status is Status.UNSATISFIABLE
    assert any("conflicts with" in fact for fact in ours.conflict), ours.conflict
    assert debian.optimum(archive, CONFLICTING) is None
    assert not debian.apt(archive, CONFLICTING, {}).names


def test_installability_agrees_with_dose_debcheck(archive, index, tmp_path):
    """In an archive that lost some of its packages, the same ones can't be installed any more."""
    cones = (one for root in ROOTS for one in _reachable(index, root))
    draw = random.Random(11)
    kept = [name for name in sorted(set(cones)) if draw.random() < 0.98]
    thinned = tmp_path / "Packages"
    thinned.write_text("".join(f"{stanza}\n\n" for name in kept for stanza in index.stanzas(name)))
    own = index_in(thinned.read_bytes(), "Packages")
    assert own is not None
    expected = debian.broken(thinned)
    found = {name for name in kept if chosen(own, name).status is Status.UNSATISFIABLE}
    assert 20 < len(expected) < len(kept) - 20
    assert found == expected


def _reachable(index: PackageIndex, root: str) -> set[str]:
    """The names of all packages that any alternative leads to."""
    universe = Universe([index], ecosystem="deb", architecture="amd64")
    seen: set[str] = set()
    waiting = [root]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            clauses = (clause for one in universe.named(name) for clause in (*one.pre_depends, *one.depends))
            waiting += [
                found.name for clause in clauses for relation in clause for found in universe.satisfying(relation)
            ]
    return seen
