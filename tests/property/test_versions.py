"""The laws of an order of versions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pruner.relations.versions import compare, satisfies

numbers = st.sampled_from(["0", "1", "2", "9", "10", "01", "20230717"])
deb_parts = st.from_regex(r"[0-9][0-9a-cA.+~]{0,6}", fullmatch=True)


@st.composite
def debian(draw: st.DrawFn) -> str:
    epoch = draw(st.sampled_from(["", "0:", "1:"]))
    revision = draw(st.one_of(st.just(""), deb_parts.map("-{}".format)))
    return epoch + draw(deb_parts) + revision


@st.composite
def alpine(draw: st.DrawFn) -> str:
    suffix = st.builds(
        "_{}{}".format, st.sampled_from(["alpha", "rc", "cvs", "git", "p"]), st.one_of(st.just(""), numbers)
    )
    return "".join(
        (
            ".".join(draw(st.lists(numbers, min_size=1, max_size=4))),
            draw(st.sampled_from(["", "a", "b"])),
            *draw(st.lists(suffix, max_size=2)),
            draw(st.sampled_from(["", "-r0", "-r1", "-r10"])),
        )
    )


rpm_parts = st.from_regex(r"[0-9a-c][0-9a-cA.~^]{0,6}", fullmatch=True)


@st.composite
def rpm(draw: st.DrawFn) -> str:
    return (
        draw(st.sampled_from(["", "0:", "1:"]))
        + draw(rpm_parts)
        + draw(st.one_of(st.just(""), rpm_parts.map("-{}".format)))
    )


VERSIONS = {"deb": debian(), "apk": alpine(), "rpm": rpm()}


@pytest.mark.parametrize("ecosystem", VERSIONS)
@given(data=st.data())
def test_total_order(ecosystem, data):
    """Reflexive, antisymmetric and transitive: sorting has one answer."""
    one, two, three = sorted_pairs = [data.draw(VERSIONS[ecosystem]) for _ in range(3)]
    for version in sorted_pairs:
        assert compare(ecosystem, version, version) == 0
    assert compare(ecosystem, one, two) == -compare(ecosystem, two, one)
    if compare(ecosystem, one, two) <= 0 and compare(ecosystem, two, three) <= 0:
        assert compare(ecosystem, one, three) <= 0
    if compare(ecosystem, one, two) == 0:
        assert compare(ecosystem, one, three) == compare(ecosystem, two, three)


@pytest.mark.parametrize(
    ("ecosystem", "less", "greater"), [("deb", "<<", ">>"), ("apk", "<", ">")], ids=lambda value: value
)
@given(data=st.data())
def test_operators_agree_with_the_order(ecosystem, less, greater, data):
    """Exactly one of less, equal and greater holds, and the others follow from them."""
    one, other = data.draw(VERSIONS[ecosystem]), data.draw(VERSIONS[ecosystem])
    answers = {operator: satisfies(ecosystem, one, operator, other) for operator in (less, "=", greater, "<=", ">=")}
    assert [answers[less], answers["="], answers[greater]].count(True) == 1
    assert answers["<="] == (answers[less] or answers["="])
    assert answers[">="] == (answers[greater] or answers["="])


@given(version=alpine(), wanted=alpine())
def test_alpine_prefixes(version, wanted):
    """A version begins with itself, and what begins with the wanted one satisfies it whatever comes after."""
    assert satisfies("apk", version, "~", version)
    if satisfies("apk", version, "=", wanted):
        assert satisfies("apk", version, "~", wanted)
    if "-r" not in version:
        assert satisfies("apk", f"{version}-r7", "~", version)
