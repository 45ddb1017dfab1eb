"""What satisfies and excludes what, against the solver of the real apk, over small random repositories."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import random
import re
import subprocess
import tarfile
from collections import Counter
from itertools import chain, combinations
from pathlib import Path

import pytest

from pruner.candidate import Candidate
from pruner.read.packageindex import index_in
from pruner.relations.universe import Universe
from pruner.select import SelectRequest, Status, select
from tests.integration.test_versions_real import alpine  # noqa: F401 - a fixture

pytestmark = pytest.mark.integration

NAMES = "abcdef"
VIRTUALS = ("so:x.so.1", "cmd:x", "pc:x", "/bin/x", "x")
VERSIONS = ("1.1-r0", "1.2-r1", "1.10-r0")
"""None is the beginning of a wanted one: apk-tools 2 lets that satisfy `~` too, 3 does not."""


def constraint(chance: random.Random) -> str:
    if chance.random() < 0.6:
        return ""
    return chance.choice(["=", "<", "<=", ">", ">=", "~"]) + chance.choice(["1", "1.2", "1.2-r1", "1.10-r0"])


def block(name: str, version: str, chance: random.Random) -> str:
    needs = [
        chance.choice(["", "", "", "", "!"]) + chance.choice([*NAMES, *VIRTUALS]) + constraint(chance)
        for _ in range(chance.randrange(4))
    ]
    provides = [
        name + chance.choice(["", "=1.1", "=1.2-r1"]) for name in chance.sample(VIRTUALS, chance.choice([0, 1, 1, 2]))
    ]
    checksum = base64.b64encode(hashlib.sha1(f"{name}{version}".encode()).digest()).decode()  # apk knows packages by it
    lines = [f"C:Q1{checksum}", f"P:{name}", f"V:{version}", "A:x86_64", "S:1", "I:1", "T:t", "U:u", "L:l"]
    triggers = chance.choice(["", "", chance.choice(NAMES) + constraint(chance), " ".join(chance.sample(NAMES, 2))])
    lines += [f"k:{chance.choice([0, 1, 10])}", f"D:{' '.join(needs)}", f"p:{' '.join(provides)}", f"i:{triggers}"]
    return "\n".join(line for line in lines if not line.endswith(":")) + "\n\n"


def repository(seed: int) -> str:
    chance = random.Random(seed)
    versions = {name: chance.sample(VERSIONS, chance.choice([1, 1, 2])) for name in NAMES}
    return "".join(block(name, version, chance) for name in NAMES for version in versions[name])


def packed(text: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as writer:
        info = tarfile.TarInfo("APKINDEX")
        info.size = len(text.encode())
        writer.addfile(info, io.BytesIO(text.encode()))
    return gzip.compress(buffer.getvalue())


def chosen(root: Path, *wanted: str) -> set[tuple[str, str]] | None:
    """What apk would install for the words `wanted`; None where it says that it can't be."""
    sources = ["--allow-untrusted", "--no-cache", "--repositories-file", "/dev/null", "--repository", "/repository"]
    command = ["chroot", str(root), "/sbin/apk", *sources, "--root", "/empty", "--simulate", "add", *wanted]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        assert "unable to select packages" in done.stdout + done.stderr, done.stdout + done.stderr
        return None
    return set(re.findall(r"Installing (\S+) \((\S+)\)", done.stdout))


def faults(known: Universe, found: set[tuple[str, str]]) -> list[str]:
    """What keeps a set of packages from being installed together."""
    members = [one for name, version in sorted(found) for one in known.named(name) if one.version == version]
    assert len(members) == len(found)
    missing = [
        f"{one.label} needs {clause}"
        for one in members
        for clause in one.depends
        if not any(option in members for relation in clause for option in known.satisfying(relation, one))
    ]
    return missing + [
        f"{one.label} excludes {other.label}" for one in members for other in known.conflicting(one, members)
    ]


def solvable(known: Universe, packages: list[Candidate], name: str) -> bool:
    """Whether any set of packages with `name` can be installed together; by trying them all."""
    sets = chain.from_iterable(combinations(packages, count) for count in range(1, len(packages) + 1))
    return any(
        name in {one.name for one in members} and not faults(known, {(one.name, one.version) for one in members})
        for members in sets
    )


@pytest.fixture(scope="module")
def prepared(alpine) -> Path:  # noqa: F811
    """The root of apk, with an empty root to install into."""
    (alpine / "empty").mkdir()
    subprocess.run(["chroot", str(alpine), "/sbin/apk", "--root", "/empty", "--initdb", "add"], check=True)
    (alpine / "repository/x86_64").mkdir(parents=True)
    return alpine


def published(root: Path, text: str) -> Universe:
    """The repository `text` where apk finds it, and as we read it."""
    (root / "repository/x86_64/APKINDEX.tar.gz").write_bytes(packed(text))
    index = index_in(text.encode(), "index")
    assert index is not None
    return Universe([index], ecosystem="apk", architecture="x86_64")


def test_apk_agrees(prepared):
    """What apk installs lacks nothing and excludes nothing here, and what can't be installed here apk refuses."""
    answers = []
    for seed in range(60):
        known = published(prepared, repository(seed))
        packages = [one for name in NAMES for one in known.named(name)]
        for name in NAMES[:3]:
            found = chosen(prepared, name)
            answers.append(found)
            if found is None:
                continue
            assert faults(known, found) == [], (seed, name, found)
            members = [one for one in packages if (one.name, one.version) in found]
            for one in known.triggered(members):
                if one.name in {member.name for member in members}:
                    continue
                assert faults(known, {*found, (one.name, one.version)}), (seed, name, found, one.label)
        for name in NAMES[:1]:
            if not solvable(known, packages, name):
                assert chosen(prepared, name) is None, (seed, name)
    assert 20 < sum(1 for found in answers if found) < len(answers) - 20
    assert max(len(found or ()) for found in answers) > 3


def test_a_selection_is_what_apk_installs(prepared):
    """Asked for exactly the selected packages apk adds nothing and lacks nothing, its own choice selected is complete,
    and it refuses what has no selection: all with what `install_if` calls for, and what keeps that out.

    apk decides name by name, and in one of some hundred such repositories by the order; none of these is one.
    """
    seen: Counter[str] = Counter()
    for seed in range(60):
        known = published(prepared, repository(seed))
        for name in NAMES[:3]:
            own = chosen(prepared, name)
            found = select(SelectRequest(entries=(f"apk:{name}",)), known)
            if found.status is Status.UNSATISFIABLE:
                assert own is None, (seed, name, found.conflict)
                continue
            ours = {(one.name, one.version) for one in found.packages}
            assert chosen(prepared, *exactly(ours)) == ours, (seed, name)
            triggered = known.triggered(found.packages)
            seen["by itself"] += bool(found.by_itself)
            seen["kept out"] += any((one.name, one.version) not in ours for one in triggered)
            if own:
                again = select(SelectRequest(entries=tuple(f"apk:{word}" for word in exactly(own))), known)
                assert {(one.name, one.version) for one in again.packages} == own, (seed, name)
                seen["own"] += 1
    assert min(seen[what] for what in ("by itself", "kept out", "own")) > 5, seen


def exactly(packages: set[tuple[str, str]]) -> list[str]:
    return [f"{name}={version}" for name, version in sorted(packages)]
