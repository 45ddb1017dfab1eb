"""Golden files: what an emitter returned when somebody last looked at it and found it right."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from pruner.emit.artifact import Artifact

GOLDEN = Path(__file__).resolve().parent / "golden"


def assert_golden(name: str, artifacts: Iterable[Artifact], *, update: bool = False) -> None:
    """Compare `artifacts` with `tests/golden/NAME/`, byte by byte and in both directions.

    With `update`, or PRUNER_UPDATE_GOLDEN=1, the directory is rewritten and the test skipped, to be read and run again.
    """
    directory = GOLDEN / name
    found = {artifact.path: artifact.data for artifact in artifacts}
    if update or os.environ.get("PRUNER_UPDATE_GOLDEN") == "1":
        _rewrite(directory, found)
        pytest.skip(f"rewrote {directory}")
    expected = {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }
    assert sorted(found) == sorted(expected)
    for path, data in sorted(found.items()):
        assert data == expected[path], f"{path} differs from {directory / path}"


def _rewrite(directory: Path, found: dict[str, bytes]) -> None:
    for path in sorted(directory.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    for name, data in found.items():
        target = directory / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
