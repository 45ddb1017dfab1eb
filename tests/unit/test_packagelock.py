"""Package locks: written, read back, described by a schema, and refused where they are damaged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from pruner.candidate import Lock, LockedPackage
from pruner.emit.packagelock import lock_artifact, lock_schema
from pruner.errors import InputError
from pruner.read.packagelock import read_lock

LOCK = Lock(
    ecosystem="deb",
    architecture="amd64",
    distribution="debian 12",
    packages=(
        LockedPackage(name="a", version="1:2~rc1-3", architecture="all", checksum=f"sha256:{'0' * 64}"),
        LockedPackage(
            name="b",
            version="2",
            architecture="amd64",
            source="src",
            source_version="1",
            filename="pool/b_2_amd64.deb",
            download_bytes=5,
            installed_kib=7,
            paths=("/etc/b", "/usr/bin/\udcff"),
        ),
    ),
)


def test_round_trip(tmp_path: Path) -> None:
    """A lock is read back as it was, names that are not UTF-8 included, and the same lock gives the same bytes."""
    artifact = lock_artifact(LOCK)
    path = tmp_path / artifact.path
    path.write_bytes(artifact.data)
    assert path.name == "packages.lock.json"
    assert read_lock(path) == LOCK
    assert lock_artifact(read_lock(path)).data == artifact.data


def test_schema_describes_it() -> None:
    """The schema accepts what is written, and refuses a slice without paths and a package without a version."""
    document = json.loads(lock_artifact(LOCK).data)
    validator = jsonschema.Draft202012Validator(lock_schema())
    assert list(validator.iter_errors(document)) == []
    del document["packages"][1]["paths"]
    del document["packages"][0]["version"]
    assert len(list(validator.iter_errors(document))) == 2


def test_schema_is_printed(run: Any) -> None:
    """`pruner schema lock` prints it."""
    assert json.loads(run("schema", "lock").out) == lock_schema()


def damaged(**changes: Any) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(lock_artifact(LOCK).data)
    for key, value in changes.items():
        if key in document and key != "architecture":
            document[key] = value
        else:
            document["packages"][1][key] = value
    return document


@pytest.mark.parametrize(
    ("document", "fact"),
    [
        ("{", r"not valid JSON"),
        ("[]", r"JSON, but not a package lock"),
        (damaged(schema="2"), r"\$\.schema: version 2 can't be read, only 1"),
        (damaged(ecosystem="npm"), r"\$\.ecosystem: invalid enum value 'npm'"),
        (damaged(packages=3), r"\$\.packages: expected array, got int"),
        (damaged(name=5), r"\$\.packages\[1\]\.name: expected str, got int"),
        (damaged(name="-o"), r"\$\.packages\[1\]\.name: -o is no name"),
        (damaged(version="1 2"), r"\$\.packages\[1\]\.version: 1 2 is no version"),
        (damaged(version="--x"), r"\$\.packages\[1\]\.version: --x is no version"),
        (damaged(architecture="amd64;"), r"\$\.packages\[1\]\.architecture: amd64; is no architecture"),
        (damaged(checksum="md5:0"), r"\$\.packages\[1\]\.checksum: md5:0 is no checksum"),
        (damaged(filename="../../x"), r"\$\.packages\[1\]\.filename: \.\./\.\./x is not relative"),
        (damaged(paths=["/../etc"]), r"\$\.packages\[1\]\.paths\[0\]: /\.\./etc is no path inside"),
        (damaged(paths=None), r"\$\.packages\[1\]\.paths: only a slice lists paths"),
        (damaged(extra=1), r"\$\.packages\[1\]: object contains unknown field extra"),
        (damaged(installed_kib=-1), r"\$\.packages\[1\]: a size is negative"),
        (damaged(name="a", version="9", architecture="all"), r": a is there as 1:2~rc1-3 and as 9"),
        (damaged(name="a", version="1:2~rc1-3", architecture="all"), r": a package is there twice"),
    ],
)
def test_damaged_locks(tmp_path: Path, document: Any, fact: str) -> None:
    """A damaged lock is refused with the file's name and the place in it."""
    path = tmp_path / "packages.lock.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    with pytest.raises(InputError, match=fact) as caught:
        read_lock(path)
    assert caught.value.fact.startswith(f"{path}: ")
