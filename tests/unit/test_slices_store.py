"""Writing a release: whole files, only where they change, and nothing where it can't be done."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pruner.emit.artifact import Artifact
from pruner.errors import EnvironmentFault, InputError
from pruner.slices.store import store

FILES = (
    Artifact(path="chisel.yaml", data=b"one\n"),
    Artifact(path="finish.sh", data=b"#!/bin/sh\n", mode=0o755),
    Artifact(path="slices/app.yaml", data=b"two\n"),
)


def contents(directory: Path) -> dict[str, bytes]:
    return {
        path.relative_to(directory).as_posix(): path.read_bytes() for path in directory.rglob("*") if path.is_file()
    }


def test_files_are_written_with_their_modes(tmp_path: Path) -> None:
    """Into a directory that is made."""
    assert store(tmp_path / "a/b", FILES) == ("chisel.yaml", "finish.sh", "slices/app.yaml")
    assert contents(tmp_path / "a/b") == {file.path: file.data for file in FILES}
    assert (tmp_path / "a/b/finish.sh").stat().st_mode & 0o777 == 0o755


def test_what_does_not_change_is_not_touched(tmp_path: Path) -> None:
    """Times and inodes stay, modes too; other files are left alone; what is to go goes."""
    store(tmp_path, FILES)
    (tmp_path / "slices/other.yaml").write_bytes(b"x")
    (tmp_path / "slices/old.yaml").write_bytes(b"x")
    (tmp_path / "chisel.yaml").chmod(0o664)
    before = (tmp_path / "slices/app.yaml").stat()
    changed = store(tmp_path, (Artifact(path="chisel.yaml", data=b"new\n"), *FILES[1:]), remove=("slices/old.yaml",))
    assert changed == ("chisel.yaml", "slices/old.yaml")
    after = (tmp_path / "slices/app.yaml").stat()
    assert (after.st_mtime_ns, after.st_ino) == (before.st_mtime_ns, before.st_ino)
    assert (tmp_path / "chisel.yaml").stat().st_mode & 0o777 == 0o664
    assert sorted(contents(tmp_path)) == ["chisel.yaml", "finish.sh", "slices/app.yaml", "slices/other.yaml"]


def test_a_directory_in_the_way_changes_nothing(tmp_path: Path) -> None:
    """Not even the files before it, and no temporary file is left."""
    store(tmp_path, FILES[:1])
    (tmp_path / "slices/app.yaml").mkdir(parents=True)
    with pytest.raises(EnvironmentFault, match="is a directory"):
        store(tmp_path, (Artifact(path="chisel.yaml", data=b"new\n"), *FILES[1:]))
    assert contents(tmp_path) == {"chisel.yaml": b"one\n"}


def test_a_link_below_the_release_is_not_followed(tmp_path: Path) -> None:
    """A hostile checkout can't have files written elsewhere: a directory that is a link is refused, a file replaced."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    place = tmp_path / "release"
    place.mkdir()
    (place / "slices").symlink_to(elsewhere)
    with pytest.raises(InputError, match="slices is a link"):
        store(place, FILES)
    assert contents(elsewhere) == {}
    (place / "slices").unlink()
    (place / "chisel.yaml").symlink_to(elsewhere / "target")
    (elsewhere / "target").write_bytes(b"mine")
    store(place, FILES)
    assert (elsewhere / "target").read_bytes() == b"mine"
    assert (place / "chisel.yaml").read_bytes() == b"one\n"


@pytest.mark.parametrize("name", ["../x", "/x", "slices/../../x", "slices//x", "./x", "slices/", "", "a\0b", ".."])
def test_a_name_that_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    """Whether it is to be written or to be removed: nothing at all is done then."""
    place = tmp_path / "release"
    (tmp_path / "x").write_bytes(b"mine")
    for given in ((*FILES, Artifact(path=name, data=b"theirs")), FILES):
        with pytest.raises(InputError, match="no clean path below the output directory") as caught:
            store(place, given, remove=(name,))
        assert caught.value.hint
    assert contents(tmp_path) == {"x": b"mine"}


def test_a_file_in_the_place_of_the_release(tmp_path: Path) -> None:
    """Is a clear message."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(InputError, match="file is not a directory") as caught:
        store(tmp_path / "file", FILES)
    assert "another --output" in caught.value.hint


def test_a_write_that_fails_leaves_all_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk on the second file: the first is not replaced, directories that were made are gone."""
    real = os.fdopen
    opened = []

    def full(handle: int, mode: str) -> object:
        opened.append(handle)
        if len(opened) > 1:
            os.close(handle)
            raise OSError(28, "No space left on device")
        return real(handle, mode)

    monkeypatch.setattr("pruner.slices.store.os.fdopen", full)
    with pytest.raises(EnvironmentFault, match="no space left on device") as caught:
        store(tmp_path / "new", FILES)
    assert caught.value.hint == "nothing of it was changed"
    assert not (tmp_path / "new").exists()
