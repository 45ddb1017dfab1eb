"""What satisfies and excludes what, against dose-debcheck, over small random archives of two architectures."""

from __future__ import annotations

import random
import re
import subprocess
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import pytest

from pruner.candidate import Candidate
from pruner.read.packageindex import read_index
from pruner.relations.universe import Universe
from tests.integration.debianarchive import Apt, apt_with
from tests.support import need

pytestmark = pytest.mark.integration


@dataclass(frozen=True)
class Kind:
    """What the packages of an archive may say."""

    architectures: tuple[str, ...]
    qualifiers: tuple[str, ...] = ()
    multi_arch: tuple[str, ...] = ()
    provided: tuple[str, ...] = (" (= 1.1-1)", " (= 1.2-1)")
    versioned_conflicts: bool = False


NAMES = "abcdefg"
VIRTUALS = ("v", "w")
VERSIONS = ("1.1-1", "1.2-1", "1:0.9")


def relation(chance: random.Random, names: str | tuple[str, ...]) -> str:
    operator = chance.choice(["<<", "<=", "=", ">=", ">>"])
    version = chance.choice(["", "", f" ({operator} {chance.choice(VERSIONS)})"])
    return chance.choice(names) + version


def qualified(text: str, chance: random.Random, kind: Kind) -> str:
    name, space, version = text.partition(" ")
    return name + chance.choice(["", "", "", *kind.qualifiers]) + space + version


def stanza(name: str, version: str, architecture: str, chance: random.Random, kind: Kind) -> str:
    every = (*NAMES, *VIRTUALS)
    clauses = [
        " | ".join(qualified(relation(chance, every), chance, kind) for _ in range(chance.choice([1, 1, 2])))
        for _ in range(chance.randrange(4))
    ]
    provides = [
        name + chance.choice(["", *kind.provided]) for name in chance.sample(every, chance.choice([0, 0, 1, 2]))
    ]
    conflict = chance.choice(["", "", relation(chance, every)])
    fields = {
        "Package": name,
        "Version": version,
        "Architecture": architecture,
        "Multi-Arch": chance.choice(["", "", *kind.multi_arch]) if architecture != "all" else "",
        chance.choice(["Depends", "Pre-Depends"]): ", ".join(clauses),
        "Provides": ", ".join(provided for provided in provides if provided.split()[0] != name),
        chance.choice(["Conflicts", "Breaks"]): conflict if kind.versioned_conflicts else conflict.partition(" ")[0],
    }
    return "".join(f"{field}: {value}\n" for field, value in fields.items() if value) + "\n"


def archive(chance: random.Random, kind: Kind) -> str:
    found = []
    for name in NAMES:
        for version in chance.sample(VERSIONS, chance.choice([1, 1, 2])):
            found += [stanza(name, version, one, chance, kind) for one in chance.sample(kind.architectures, 1)]
    return "".join(found)


def installable(known: Universe) -> set[str]:
    """The packages that are in some set without faults; by trying all sets."""
    packages = [one for name in NAMES for one in known.named(name)]
    numbers = {id(one): 1 << place for place, one in enumerate(packages)}
    needs = [
        [
            sum({numbers[id(option)] for relation in clause for option in known.satisfying(relation, one)})
            for clause in (*one.pre_depends, *one.depends)
        ]
        for one in packages
    ]
    excluded = [sum(numbers[id(other)] for other in known.conflicting(one)) for one in packages]
    for one, other in combinations(range(len(packages)), 2):
        if packages[one].name == packages[other].name and not together(packages[one], packages[other]):
            excluded[one] |= 1 << other
    found = 0
    for chosen in range(1, 1 << len(packages)):
        members = [place for place in range(len(packages)) if chosen >> place & 1]
        if all(not chosen & excluded[place] and all(chosen & need for need in needs[place]) for place in members):
            found |= chosen
    return {text(packages[place]) for place in range(len(packages)) if found >> place & 1}


def together(one: Candidate, other: Candidate) -> bool:
    return (
        one.architecture != other.architecture
        and one.version == other.version
        and one.multi_arch == other.multi_arch == "same"
    )


def text(one: Candidate) -> str:
    return f"{one.name} {one.version} {one.architecture}"


def by_dose(path: Path) -> set[str]:
    command = ["dose-debcheck", "--successes", "--deb-native-arch=amd64", "--deb-foreign-archs=i386", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    pattern = r"package: (\S+)\n\s+version: (\S+)\n\s+architecture: (\S+)\n"
    return {
        f"{name.partition(':')[0]} {version} {architecture}"
        for name, version, architecture in re.findall(pattern, done.stdout)
    }


ANY = ("same", "foreign", "allowed")
TWO = ("amd64", "amd64", "i386", "all")
KINDS = {
    "versioned provides": Kind(architectures=("amd64", "all"), qualifiers=(":amd64",), multi_arch=ANY),
    "versioned conflicts": Kind(architectures=("amd64", "all"), provided=(), versioned_conflicts=True),
    "two architectures": Kind(architectures=TWO, multi_arch=ANY),
    "two architectures by name": Kind(
        architectures=TWO, qualifiers=(":amd64", ":i386"), multi_arch=("same", "allowed")
    ),
}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_dose_agrees(kind, tmp_path):
    """The same packages of each archive are installable.

    Not asked, since dpkg and apt say otherwise than dose: `:any`, whose version dose does not look at; a versioned
    conflict with a versioned provide; `:i386` of a `foreign` package (dpkg, lib/dpkg/arch.c: deparchsatisfied).
    """
    need("dose-debcheck")
    counted = [0, 0]
    for seed in range(60):
        path = tmp_path / f"Packages-{seed}"
        path.write_text(archive(random.Random(seed), kind))
        known = Universe([read_index(path)], ecosystem="deb", architecture="amd64")
        ours, theirs = installable(known), by_dose(path)
        assert ours == theirs, (seed, path)
        counted[0] += len(theirs)
        counted[1] += sum(len(known.named(name)) for name in NAMES)
    assert 0.1 < counted[0] / counted[1] < 0.9


def by_apt(apt: Apt, name: str) -> set[tuple[str, str]] | None:
    """What apt would install for `name`; None where it finds nothing that can be."""
    done = subprocess.run(
        ["apt-get", "-s", "install", name], env=apt.environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        return None
    return set(re.findall(r"(?m)^Inst (\S+) \((\S+) ", done.stdout))


def test_apt_agrees(tmp_path):
    """What apt would install lacks nothing and excludes nothing here: `:any` and versioned conflicts included."""
    need("apt-get")
    kind = Kind(architectures=("amd64", "all"), qualifiers=(":any", ":amd64"), multi_arch=ANY, versioned_conflicts=True)
    (tmp_path / "archive").mkdir()
    answers = []
    for seed in range(20):
        text = archive(random.Random(seed), kind)
        rest = "Filename: ./x.deb\nSize: 1\nSHA256: 00\nMaintainer: x\nDescription: x\n\n"
        (tmp_path / "archive/Packages").write_text(text.replace("\n\n", f"\n{rest}"))
        apt = apt_with(f"deb [trusted=yes] file:{tmp_path}/archive ./\n", tmp_path / "apt")
        known = Universe([read_index(tmp_path / "archive/Packages")], ecosystem="deb", architecture="amd64")
        for name in NAMES:
            found = by_apt(apt, name)
            answers.append(found)
            assert found is None or faults(known, found) == [], (seed, name, found)
    assert 20 < sum(1 for found in answers if found) < len(answers)


def faults(known: Universe, found: set[tuple[str, str]]) -> list[str]:
    """What keeps a set of packages from being installed together."""
    members = [one for name, version in sorted(found) for one in known.named(name) if one.version == version]
    assert len(members) == len(found)
    missing = [
        f"{one.label} needs {clause}"
        for one in members
        for clause in (*one.pre_depends, *one.depends)
        if not any(option in members for wanted in clause for option in known.satisfying(wanted, one))
    ]
    return missing + [
        f"{one.label} excludes {other.label}" for one in members for other in known.conflicting(one, members)
    ]
