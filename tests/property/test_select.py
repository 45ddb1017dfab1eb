"""Selection against brute force, over small random archives."""

from __future__ import annotations

from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from pruner.candidate import Candidate, Clause, Relation
from pruner.select import SelectRequest, Status, select
from tests.universes import apk_package, apk_universe, package, universe

NAMES = ("a", "b", "c", "d", "e")
VIRTUAL = ("v", "w")
names = st.sampled_from((*NAMES, *VIRTUAL))
relations = st.builds(
    lambda name, constraint: f"{name}{constraint}", names, st.sampled_from(("", "", "", " (>= 2)", " (<< 2)", " (= 1)"))
)
clauses = st.lists(st.lists(relations, min_size=1, max_size=3).map(" | ".join), max_size=2).map(", ".join)


@st.composite
def archives(draw: st.DrawFn) -> list[Candidate]:
    """One or two versions of up to five packages, few sizes so that there are ties."""
    return [
        package(
            name,
            draw(st.sampled_from((0, 1, 1, 1, 3))),
            version=version,
            depends=draw(clauses),
            conflicts=draw(st.lists(relations, max_size=1).map(", ".join)),
            provides=draw(st.sampled_from(("", "", "v", "w", "v (= 2)", "v, w (= 1)"))),
        )
        for name in draw(st.lists(st.sampled_from(NAMES), min_size=1, unique=True))
        for version in draw(st.sampled_from((("1",), ("1",), ("2",), ("1", "2"))))
    ]


def holds(version: str, relation: Relation) -> bool:
    """Versions here are single digits."""
    operators = {"": True, ">=": version >= relation.version, "<<": version < relation.version}
    operators["<"] = operators["<<"]
    return operators.get(relation.operator, version == relation.version)


def meets(one: Candidate, relation: Relation) -> bool:
    if one.name == relation.name:
        return holds(one.version, relation)
    return any(
        provided.name == relation.name
        and (not relation.operator or (provided.version != "" and holds(provided.version, relation)))
        for provided in one.provides
    )


def is_valid(chosen: list[Candidate], roots: list[str]) -> bool:
    """Debian policy 7.2 to 7.5, word by word."""
    present = {one.name for one in chosen}
    return (
        len(present) == len(chosen)
        and set(roots) <= present
        and all(
            any(meets(other, relation) for relation in clause for other in chosen)
            for one in chosen
            for clause in one.depends
        )
        and not any(
            meets(other, relation)
            for one in chosen
            for relation in one.conflicts
            for other in chosen
            if other.name != one.name
        )
    )


def replaced(chosen: list[Candidate], archive: list[Candidate]) -> int:
    """How many packages (the versions that a clause accepts count as one) stand replaced by a provider of their name."""
    found = set()
    for one in chosen:
        for clause in one.depends:
            if one not in (options := options_of(clause, archive)):
                called = in_own_name(clause, archive)
                if called and len(called) < len(options) and not any(other in chosen for other in called):
                    found.add(frozenset((other.name, other.version) for other in called))
    return len(found)


def options_of(clause: Clause, archive: list[Candidate]) -> list[Candidate]:
    return [other for other in archive if any(meets(other, relation) for relation in clause)]


def in_own_name(clause: Clause, archive: list[Candidate]) -> list[Candidate]:
    """What the clause calls by its own name, and what answers to a name that nothing fitting bears."""
    found = []
    for relation in clause:
        answers = [other for other in archive if meets(other, relation)]
        bearing = [other for other in answers if other.name == relation.name]
        found += bearing or answers
    return found


def cost(chosen: list[Candidate], archive: list[Candidate]) -> tuple[object, ...]:
    """The documented objectives, the first one first; at last the names, the one that comes first being wanted."""
    outdated = sum(any(other.name == one.name and other.version > one.version for other in archive) for one in chosen)
    size = sum(one.installed_kib for one in chosen)
    ordered = sorted(archive, key=lambda one: (one.name, one.version))
    return (outdated, size, len(chosen), replaced(chosen, archive), [one not in chosen for one in ordered])


@settings(max_examples=400, deadline=None)
@given(archives(), st.data())
def test_the_selection_is_what_brute_force_finds(archive, data):
    """The same set, valid by the policy's words; unsatisfiable where and only where no subset is valid."""
    there = sorted({one.name for one in archive})
    roots = data.draw(st.lists(st.sampled_from(there), min_size=1, max_size=2, unique=True))
    found = select(SelectRequest(entries=tuple(f"deb:{name}" for name in roots)), universe(*archive))
    subsets = (
        [one for one, taken in zip(archive, bits, strict=True) if taken]
        for bits in product((False, True), repeat=len(archive))
    )
    best = min((cost(chosen, archive) for chosen in subsets if is_valid(chosen, roots)), default=None)
    if best is None:
        assert found.status is Status.UNSATISFIABLE
        assert found.conflict
        return
    assert found.status is Status.OPTIMAL
    assert is_valid(list(found.packages), roots)
    assert cost(list(found.packages), archive) == best


@settings(max_examples=100, deadline=None)
@given(archives(), st.data())
def test_an_alternative_costs_what_the_best_selection_with_it_does(archive, data):
    """Every price is the difference to the smallest valid set that holds the alternative; none where there is none."""
    root = data.draw(st.sampled_from(sorted({one.name for one in archive})))
    found = select(SelectRequest(entries=(f"deb:{root}",)), universe(*archive))
    for choice in found.choices:
        for other in choice.others:
            with_it = [
                cost(chosen, archive)
                for bits in product((False, True), repeat=len(archive))
                if other.package in (chosen := [one for one, taken in zip(archive, bits, strict=True) if taken])
                and is_valid(chosen, [root])
            ]
            if other.delta_kib is None:
                assert not with_it
            else:
                assert other.delta_kib == min(with_it)[1] - found.installed_kib


@settings(max_examples=100, deadline=None)
@given(archives(), st.data())
def test_a_conflict_is_none_any_more_without_one_of_its_facts(archive, data):
    """A smallest conflict is minimal: every fact about a package's need is one that the request fails without."""
    from pruner.select.cone import explore
    from pruner.select.conflict import smallest_conflict
    from pruner.select.encode import encode
    from pruner.select.entries import find_roots
    from pruner.select.kernel import Problem, solve

    root = data.draw(st.sampled_from(sorted({one.name for one in archive})))
    request, packages = SelectRequest(entries=(f"deb:{root}",)), universe(*archive)
    encoded = encode(explore(find_roots(request.entries, packages), packages), request, packages)
    hard = encoded.problem.clauses[: len(encoded.hard)]
    if solve(Problem(clauses=hard, costs=())).status is not Status.UNSATISFIABLE:
        return
    facts = smallest_conflict(hard, deadline=float("inf"))
    kept = [hard[number] for number in facts]
    assert solve(Problem(clauses=tuple(kept), costs=())).status is Status.UNSATISFIABLE
    for left_out in range(len(kept)):
        rest = (*kept[:left_out], *kept[left_out + 1 :])
        assert solve(Problem(clauses=rest, costs=())).status is Status.OPTIMAL


apk_words = st.builds(
    lambda sign, name, constraint: f"{sign}{name}{constraint}",
    st.sampled_from(("", "", "", "!")),
    names,
    st.sampled_from(("", "", "", ">=2", "<2", "=1")),
)
conditions = st.lists(
    st.builds(lambda name, constraint: name + constraint, names, st.sampled_from(("", "", "=1", "=2"))), max_size=2
)


@st.composite
def repositories(draw: st.DrawFn) -> list[Candidate]:
    """As `archives`, in Alpine's words, half of the packages with an `install_if`."""
    return [
        apk_package(
            name,
            draw(st.sampled_from((0, 1, 1, 1, 3))),
            version=version,
            depends=" ".join(draw(st.lists(apk_words, max_size=2))),
            provides=draw(st.sampled_from(("", "", "v", "w", "v=2", "v w=1"))),
            install_if=" ".join(draw(conditions)),
        )
        for name in draw(st.lists(st.sampled_from(NAMES), min_size=1, unique=True))
        for version in draw(st.sampled_from((("1",), ("1",), ("2",), ("1", "2"))))
    ]


def excludes(one: Candidate, other: Candidate) -> bool:
    """By `!name`, or by a name that both have and one of them in a version; apk takes `!name` of its own name too."""
    if one == other:
        return any(meets(one, relation) for relation in one.conflicts)
    theirs, others = (
        {each.name: each.version, **{provided.name: provided.version for provided in each.provides}}
        for each in (one, other)
    )
    return (
        any(theirs[name] or others[name] for name in theirs.keys() & others.keys())
        or any(meets(other, relation) for relation in one.conflicts if other.name != one.name)
        or any(meets(one, relation) for relation in other.conflicts if other.name != one.name)
    )


def is_triggered(one: Candidate, chosen: list[Candidate]) -> bool:
    return bool(one.install_if) and all(any(meets(other, relation) for other in chosen) for relation in one.install_if)


def needs(one: Candidate, archive: list[Candidate]) -> list[list[Candidate]]:
    """What would do for each clause that the package does not meet itself."""
    found = [options_of(clause, archive) for clause in one.depends]
    return [options for options in found if one not in options]


def kept_out(chosen: list[Candidate], roots: list[str], archive: list[Candidate]) -> list[Candidate]:
    """What apk passes over beside `chosen`, looking one step far.

    It is excluded by one that is not there only for that, or all that meets one of its needs is; where nothing could
    meet a need, once that can be noticed, by a name in its words that something has or is excluded with.
    """
    there = [one for one in chosen if one.name in roots]
    while more := [
        one
        for one in chosen
        if one not in there
        and (is_triggered(one, there) or any(one in options for other in there for options in needs(other, archive)))
    ]:
        there += more
    excluded = [one for one in archive if any(excludes(one, other) for other in there)]
    found = list(excluded)
    for one in archive:
        words = {relation.name for clause in (*one.depends, one.conflicts) for relation in clause}
        is_noticed = any(
            words & {other.name, *(provided.name for provided in other.provides)}
            for other in (*there, *excluded)
            if other != one
        )
        if any(
            all(other in excluded for other in options) if options else is_noticed for options in needs(one, archive)
        ):
            found.append(one)
    return found


def apk_accepts(chosen: list[Candidate], roots: list[str], archive: list[Candidate]) -> bool:
    return (
        set(roots) <= {one.name for one in chosen}
        and all(any(other in chosen for other in options) for one in chosen for options in needs(one, archive))
        and not any(excludes(one, other) for one in chosen for other in chosen)
        and all(
            one in chosen or one in kept_out(chosen, roots, archive) for one in archive if is_triggered(one, chosen)
        )
    )


@settings(max_examples=400, deadline=None, derandomize=True)  # blockers that justify each other alone are kept here
@given(repositories(), st.data())
def test_what_alpine_installs_by_itself_is_selected(repository, data):
    """The best set that lacks nothing that `apk add` of it would add, as far as that can be installed."""
    there = sorted({one.name for one in repository})
    roots = data.draw(st.lists(st.sampled_from(there), min_size=1, max_size=2, unique=True))
    found = select(SelectRequest(entries=tuple(f"apk:{name}" for name in roots)), apk_universe(*repository))
    subsets = (
        [one for one, taken in zip(repository, bits, strict=True) if taken]
        for bits in product((False, True), repeat=len(repository))
    )
    valid = (chosen for chosen in subsets if apk_accepts(chosen, roots, repository))
    best = min((cost(chosen, repository) for chosen in valid), default=None)
    if best is None:
        assert found.status is Status.UNSATISFIABLE
        assert found.conflict
        return
    assert found.status is Status.OPTIMAL
    assert apk_accepts(list(found.packages), roots, repository)
    assert cost(list(found.packages), repository) == best
