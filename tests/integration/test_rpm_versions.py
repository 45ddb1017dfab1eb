"""rpm's version order, held against the real rpm."""

from __future__ import annotations

import random
import subprocess

import pytest

from pruner.relations.versions import compare, satisfies
from tests.support import need

pytestmark = pytest.mark.integration

PARTS = (
    "",
    "0",
    "1",
    "01",
    "10",
    "2",
    "20260101",
    "a",
    "b",
    "rc1",
    "alpha",
    "git5f2",
    "fc40",
    "el9",
    "Z",
    "999999999999",
)
SEPARATORS = (".", "..", "+", "_", "~", "~~", "^", "^^", "")
REAL = (
    "1.0-1", "1.0-1.fc40", "1.0~rc1-1", "1.0-0.1.rc1", "1.0^20240101git-1", "1.0^git1~pre-1", "2:1.0-1", "0:1.0-1", "1.0",
    "3.11.9-7.el9_4.1", "5.14.0-427.el9", "4.18.0+dfsg-1", "1.0a-1", "1.0.a-1", "1.a-1", "10.0001-1", "10.1-1", "10.10-1",
    "6.5p1-5", "2.0.1-1", "2.0.1a-1", "20101121-1", "1b.fc17-1", "1.fc17-1",
)  # fmt: skip
LUA = """
for line in io.lines('%s') do
  local one, other = line:match('^(.-) (.-)$')
  local a, b = rpm.ver(one), rpm.ver(other)
  print((a < b and '-1 ' or (b < a and '1 ' or '0 ')))
end
"""


def told(pairs, directory) -> list[int]:
    """What the real rpm says of each pair of versions, with their epochs and releases."""
    (directory / "pairs").write_text("".join(f"{one} {other}\n" for one, other in pairs))
    (directory / "compare.lua").write_text(LUA % (directory / "pairs"))
    program = f"%{{lua: dofile('{directory / 'compare.lua'}')}}"
    done = subprocess.run([need("rpm"), "--eval", program], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return [int(word) for word in done.stdout.split()]


def drawn(generator: random.Random) -> str:
    """A version that rpm accepts: it begins with a letter or digit."""
    count = generator.randint(1, 4)
    text = generator.choice(PARTS[1:])
    text += "".join(generator.choice(SEPARATORS) + generator.choice(PARTS) for _ in range(count))
    return text


def test_versions_sort_as_rpm_sorts_them(tmp_path):
    """All pairs of versions seen in distributions, and a seeded sample of odd ones near to each other."""
    generator = random.Random(4)
    pairs = [(one, other) for one in REAL for other in REAL if ("-" in one) == ("-" in other)]
    for _ in range(4000):
        one, release = drawn(generator), drawn(generator)
        other = (
            drawn(generator)
            if generator.random() < 0.5
            else one + generator.choice(SEPARATORS) + generator.choice(PARTS)
        )
        epochs = [generator.choice(("", "", "0:", "1:")) for _ in "ab"]
        pairs.append(
            (f"{epochs[0]}{one}-{release}", f"{epochs[1]}{other}-{generator.choice((release, drawn(generator)))}")
        )
    answers = told(pairs, tmp_path)
    assert len(answers) == len(pairs)
    assert {-1, 0, 1} == set(answers)
    wrong = [
        (pair, answer, compare("rpm", *pair))
        for pair, answer in zip(pairs, answers, strict=True)
        if compare("rpm", *pair) != answer
    ]
    assert wrong == []


def test_a_missing_release_matches_every_release(tmp_path):
    """A requirement without release is met by each; with one, by exactly that order (rpm-dependencies)."""
    for text, operator, wanted, met in (
        ("1.0-1", "=", "1.0", True),
        ("1.0-1", ">=", "1.0", True),
        ("1.0-1", ">", "1.0", False),
        ("1.0-1", "<", "1.0", False),
        ("1.0-1", "=", "1.0-2", False),
        ("2:1.0-1", ">=", "9", True),
        ("1:1.0-1", "=", "1.0", False),
        ("0:1.0-1", "=", "1.0", True),
    ):
        assert satisfies("rpm", text, operator, wanted) is met, (text, operator, wanted)
