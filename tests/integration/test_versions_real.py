"""Versions against the tools that decide: dpkg, apk and rpm."""

from __future__ import annotations

import lzma
import os
import random
import re
import subprocess
from pathlib import Path

import pytest

from pruner.read.packageindex import PackageIndex, read_index
from pruner.relations.versions import compare, satisfies
from tests.archiveindex import archive_index
from tests.integration.commands import need_root
from tests.support import ROOT, need

pytestmark = pytest.mark.integration

ALPINE = "alpine-minirootfs-3.19.4-x86_64.tar.gz"
SIGNS = {"<": -1, "=": 0, ">": 1}


def changed(version: str, chance: random.Random, characters: str, valid: re.Pattern[str]) -> str:
    """`version` with one character left out, doubled or replaced, still a version."""
    for _ in range(20):
        place = chance.randrange(len(version))
        middle = chance.choice(["", chance.choice(characters), version[place] * 2])
        found = version[:place] + middle + version[place + 1 :]
        if found != version and valid.fullmatch(found):
            return found
    return version


def differences(ecosystem: str, pairs: list[tuple[str, str]], signs: list[int]) -> list[tuple[str, str, int, int]]:
    assert len(signs) == len(pairs)
    answers = [compare(ecosystem, one, other) for one, other in pairs]
    return [(*pair, sign, ours) for pair, sign, ours in zip(pairs, signs, answers, strict=True) if sign != ours]


@pytest.fixture(scope="module")
def whole() -> PackageIndex:
    return read_index(archive_index())


def test_every_stanza_of_an_archive_is_read(whole):
    """Each name, each relationship and each provide, whatever its spelling; sums of the text say the same."""
    raw = lzma.decompress(archive_index().read_bytes()).decode()
    found = [candidate for name in whole.names() for candidate in whole.named(name)]
    assert len(found) == len(set(re.findall(r"(?m)^Package: (\S+)\n(?:.+\n)*?Version: (\S+)$", raw)))
    assert sum(one.installed_kib for one in found) == sum(map(int, re.findall(r"(?m)^Installed-Size: (\d+)$", raw)))
    provides = re.findall(r"(?m)^Provides: (.+)$", raw)
    assert sum(len(one.provides) for one in found) == sum(text.count(",") + 1 for text in provides)
    assert len(whole.essential()) == raw.count("\nEssential: yes\n")
    for one in found[::500]:
        assert all(one in whole.providing(provided.name) for provided in one.provides if provided.name != one.name)


@pytest.fixture(scope="module")
def debian_versions(whole) -> list[str]:
    stanzas = (stanza for name in whole.names() for stanza in whole.stanzas(name))
    return sorted({found for stanza in stanzas for found in re.findall(r"(?m)^Version: (\S+)", stanza)})


def test_debian_versions(debian_versions):
    """Real versions of the whole archive, in pairs with each other and with versions one character away."""
    need("dpkg")
    chance = random.Random(1)
    valid = re.compile(r"(?:\d:)?\d[A-Za-z0-9.+~]*(?:-[A-Za-z0-9.+~]+)?")
    plain = [version for version in debian_versions if valid.fullmatch(version)]
    assert len(plain) > 10_000
    pairs = [(one, chance.choice(plain)) for one in chance.sample(plain, 1500)]
    pairs += [(one, changed(one, chance, "0129.~+aZ", valid)) for one in chance.sample(plain, 2500)]
    script = """
while read -r one other; do
  if dpkg --compare-versions "$one" lt "$other"; then echo -1
  elif dpkg --compare-versions "$one" gt "$other"; then echo 1
  else echo 0; fi
done
"""
    signs = answered(["sh", "-c", script], pairs)
    assert set(signs) == {-1, 0, 1}
    assert differences("deb", pairs, signs) == []


def answered(command: list[str], pairs: list[tuple[str, str]]) -> list[int]:
    """What a program that reads two versions a line writes about each."""
    text = "".join(f"{one} {other}\n" for one, other in pairs)
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
    assert not done.stderr
    return [SIGNS[word] if word in SIGNS else int(word) for word in done.stdout.split()]


@pytest.fixture(scope="module")
def alpine(tmp_path_factory) -> Path:
    archive = Path(os.environ.get("PRUNER_SHARED_DATA", ROOT.parent / "shared" / "data")) / ALPINE
    if not archive.exists():
        # on a bare machine too, where other skips are forbidden: nothing there can fetch it
        pytest.skip(f"{archive.name} is not there; PRUNER_SHARED_DATA names its directory")
    need_root("chroot")
    root = tmp_path_factory.mktemp("alpine")
    subprocess.run(["tar", "-xzf", str(archive), "-C", str(root)], check=True)
    return root


def alpine_version(chance: random.Random) -> str:
    parts = [chance.choice(["0", "1", "2", "10", "2024"])]
    parts += [f".{chance.choice(['0', '1', '2', '9', '10', '01', '05', '20'])}" for _ in range(chance.randrange(4))]
    parts += chance.choice(["", "", "", "a", "z"])
    for _ in range(chance.choice([0, 0, 0, 1, 1, 2])):
        word = chance.choice(["alpha", "beta", "pre", "rc", "cvs", "svn", "git", "hg", "p"])
        parts.append(f"_{word}{chance.choice(['', '0', '1', '2', '20230717'])}")
    parts.append(chance.choice(["", "-r0", "-r1", "-r10"]))
    return "".join(parts)


def test_alpine_versions(alpine):
    """Versions of every form, in pairs with each other and with versions one character away.

    None with several leading zeros in a component: there apk-tools 3, which is followed, differs from 2.
    """
    chance = random.Random(2)
    suffix = "(?:_(?:alpha|beta|pre|rc|cvs|svn|git|hg|p)\\d*)"
    valid = re.compile(rf"\d+(?:\.(?!00|0[1-9]\d)\d+)*[a-z]?{suffix}*(?:-r\d+)?")
    versions = [alpine_version(chance) for _ in range(1200)]
    pairs = [(one, chance.choice(versions)) for one in versions]
    pairs += [(one, changed(one, chance, "0129.", valid)) for one in versions]
    script = 'while read -r one other; do apk version -t "$one" "$other"; done'
    signs = answered(["chroot", str(alpine), "/bin/sh", "-c", script], pairs)
    assert set(signs) == {-1, 0, 1}
    assert differences("apk", pairs, signs) == []


def test_alpine_validity(alpine):
    """Nothing is taken for a version that apk refuses; apk 2 takes some that apk 3 and we do not, `1.x` for one."""
    chance = random.Random(3)
    anything = re.compile(r"[^-]\S*")
    versions = sorted({changed(alpine_version(chance), chance, "0.-_rxp", anything) for _ in range(1500)})
    command = ["chroot", str(alpine), "/sbin/apk", "version", "-c", *versions]
    refused = set(subprocess.run(command, capture_output=True, text=True, check=False).stdout.split())
    ours = {version for version in versions if not accepted(version)}
    assert refused
    assert len(ours) < len(versions)
    assert refused - ours == set()


def accepted(version: str) -> bool:
    from pruner.errors import InputError

    try:
        return satisfies("apk", version, "=", version)
    except InputError:
        return False


@pytest.mark.parametrize("operator", ["=", "<", "<=", ">", ">="])
def test_alpine_operators(alpine, operator, tmp_path):
    """What the solver of apk says of a package that is installed, for constraints around its version."""
    wanted = ["1.2", "1.2.4", "1.2.4_git20230717", "1.2.4_git20230717-r4", "1.2.4_git20230717-r5", "1.2.5", "1.2.4_rc1"]
    installed = re.search(r"P:musl\nV:(\S+)", (alpine / "lib/apk/db/installed").read_text())
    assert installed is not None
    for version in wanted:
        command = ["chroot", str(alpine), "/sbin/apk", "add", "--no-network", "--simulate", f"musl{operator}{version}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        ours = satisfies("apk", installed[1], operator, version)
        assert ours == (done.returncode == 0), (operator, version, done.stdout + done.stderr)


def test_rpm_versions():
    """Versions of every character that means something, in pairs with versions a few characters away."""
    need("rpm")
    chance = random.Random(4)
    valid = re.compile(r"(?:\d:)?[0-9a-z][0-9A-Za-z.~^_+]*(?:-[0-9a-z][0-9A-Za-z.~^_+]*)?")

    def part() -> str:
        return chance.choice("0129ab") + "".join(chance.choice("0129abzA.~^_+") for _ in range(chance.randrange(7)))

    versions = [chance.choice(["", "", "0:", "1:"]) + part() + chance.choice(["", f"-{part()}"]) for _ in range(3000)]
    pairs = [(one, chance.choice(versions)) for one in versions]
    pairs += [(one, changed(one, chance, "019.~^_a", valid)) for one in versions]
    lua = r"""for line in io.lines() do
  local one, other = line:match("(%S+) (%S+)")
  print(rpm.vercmp(one, other) .. " ")
end"""
    signs = answered(["rpm", "--eval", "%{lua: " + lua + "}"], pairs)
    assert set(signs) == {-1, 0, 1}
    assert differences("rpm", pairs, signs) == []
