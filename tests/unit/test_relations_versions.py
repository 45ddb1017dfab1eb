"""Versions: what the specifications give as examples, and what is none."""

from __future__ import annotations

from itertools import pairwise

import pytest

from pruner.errors import InputError
from pruner.relations.versions import compare, satisfies

ASCENDING = {
    "deb": ["0~~", "0~~a", "0~", "0", "0-0a", "0a", "0+", "1.2-1~bpo1", "1.2-1", "1.2-1+b1", "1.2-1.1", "1.10-1", "1:0.1"],
    "apk": [
        "1.0_alpha", "1.0_alpha2", "1.0_beta", "1.0_pre1", "1.0_rc1", "1.0", "1.0-r1", "1.0-r10", "1.0~abc",
        "1.0_cvs", "1.0_git20230717", "1.0_git20230717-r4", "1.0_p1", "1.0a", "1.0b", "1.0.1", "1.05", "1.5", "1.10", "2",
    ],
    "rpm": ["1.0~rc1", "1.0", "1.0-1", "1.0-1.el9", "1.0-2", "1.0^git1", "1.0a", "1.0.1", "1.10", "1:0.1"],
}  # fmt: skip


@pytest.mark.parametrize("ecosystem", ASCENDING)
def test_order(ecosystem):
    """deb-version(7), apk-package(5) and rpm-version(7), ascending."""
    for older, newer in pairwise(ASCENDING[ecosystem]):
        assert (compare(ecosystem, older, newer), compare(ecosystem, newer, older)) == (-1, 1), (older, newer)
        assert compare(ecosystem, older, older) == 0


@pytest.mark.parametrize(
    ("ecosystem", "one", "other"),
    [("deb", "1", "0:1-0"), ("deb", "1.02", "1.2"), ("rpm", "0:1.0", "1_00"), ("apk", "01.2", "1.2")],
)
def test_different_spellings_of_one_version(ecosystem, one, other):
    """Epoch 0, revision 0 and leading zeros change nothing."""
    assert compare(ecosystem, one, other) == 0


@pytest.mark.parametrize(
    ("version", "operator", "wanted", "answer"),
    [
        ("1", "<<", "2", True),
        ("2", "<<", "2", False),
        ("2", "<=", "2", True),
        ("2", "=", "2-0", True),
        ("2~rc1", ">=", "2", False),
        ("2", ">>", "2~rc1", True),
    ],
)
def test_debian_operators(version, operator, wanted, answer):
    """Policy 7.1."""
    assert satisfies("deb", version, operator, wanted) is answer


@pytest.mark.parametrize(
    ("version", "operator", "wanted", "answer"),
    [
        ("1.2.3-r1", "~", "1.2", True),
        ("1.2-r1", "~", "1.2", True),
        ("1.20", "~", "1.2", False),
        ("1.2", "~", "1.2.3", False),
        ("1.2_p1", "~", "1.2-r0", False),
        ("1.2.3", "=", "1.2", False),
        ("1.3", "<~", "1.2", False),
        ("1.2.9", "<~", "1.2", True),
        ("1.1", "<~", "1.2", True),
        ("1.2.9", ">~", "1.2", True),
        ("1.1", ">~", "1.2", False),
        ("1.2-r0", ">", "1.2", True),
        ("1.2", "<=", "1.2-r0", True),
    ],
)
def test_alpine_operators(version, operator, wanted, answer):
    """apk-world(5): `~` takes what begins with the wanted version, component by component."""
    assert satisfies("apk", version, operator, wanted) is answer


@pytest.mark.parametrize(
    ("version", "operator", "wanted", "answer"),
    [
        ("1.2-3", "=", "1.2", True),
        ("1.2", "=", "1.2-3", True),
        ("1.2-3", "=", "1.2-4", False),
        ("1.2-3", ">", "1.2", False),
        ("1:1.0-1", ">=", "2.0", True),
        ("1.0~rc1-1", "<", "1.0", True),
    ],
)
def test_rpm_operators(version, operator, wanted, answer):
    """Releases count only where both have one; rpm-dependencies(7)."""
    assert satisfies("rpm", version, operator, wanted) is answer


@pytest.mark.parametrize("ecosystem", ASCENDING)
def test_no_operator_is_satisfied_by_everything(ecosystem):
    """Even by what is no version."""
    assert satisfies(ecosystem, "", "", "")


@pytest.mark.parametrize(
    ("ecosystem", "operator"), [("deb", "~"), ("deb", "<"), ("apk", ">>"), ("rpm", "=>"), ("apk", "!=")]
)
def test_an_operator_of_another_ecosystem(ecosystem, operator):
    """It is named, and the known ones in the hint."""
    with pytest.raises(InputError, match=f"unknown operator '{operator}'") as caught:
        satisfies(ecosystem, "1", operator, "1")
    assert "<=" in caught.value.hint


@pytest.mark.parametrize(
    ("ecosystem", "text"),
    [
        *(("deb", text) for text in ("", "1:", "1-", "1 2", "a:1", "ü", "1:2:3", "9" * 300)),
        *(("apk", text) for text in ("", "x", "1.", "1_foo", "1-1", "1.0-r", "v1", "1~xyz", "9" * 300)),
        *(("rpm", text) for text in ("", "a:1", "1-2-3", ":1", "1 2", "9" * 300)),
    ],
)
def test_what_is_no_version(ecosystem, text):
    """One message, shortened and safe to print; long numbers are not computed with."""
    with pytest.raises(InputError, match="is no version") as caught:
        compare(ecosystem, "1", text)
    assert len(caught.value.fact) < 120
    assert caught.value.hint
