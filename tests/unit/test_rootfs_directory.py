"""Directory roots: what lstat says, hard links, hostile names, and never a byte from outside."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from pruner.errors import InputError
from pruner.model import FileType
from pruner.rootfs import open_root
from tests.support import ROOT, need, skip
from tests.unit.users import as_nobody, open_place

HOSTILE_NAMES = [b"new\nline", b"quo'te\"", b"$(touch x)", b"\xff\xfe", b"-rf", b"esc\x1b[31m", "é".encode(), b" "]


def make(root: Path) -> None:
    (root / "usr/bin").mkdir(parents=True)
    (root / "bin").symlink_to("usr/bin")
    (root / "usr/bin/z").write_bytes(b"zz")
    os.link(root / "usr/bin/z", root / "usr/bin/a")
    os.link(root / "usr/bin/z", root / "usr/m")
    (root / "usr/bin/big").write_bytes(b"x" * 100_000)
    (root / "usr/bin/big").chmod(0o4711)
    (root / "empty").touch()
    os.mkfifo(root / "pipe", 0o600)
    (root / "dangling").symlink_to("./nowhere/")
    (root / "tmp").mkdir()
    (root / "tmp").chmod(0o1777)


def test_names_are_what_lstat_says(tmp_path: Path) -> None:
    """Types, modes with setuid and sticky, owners, sizes and raw link texts; bytewise order."""
    make(tmp_path)
    root = open_root(tmp_path)
    files = root.files
    assert list(files) == sorted(files, key=os.fsencode)
    assert "/" not in files
    assert (files["/usr/bin/big"].mode, files["/usr/bin/big"].bytes) == (0o4711, 100_000)
    assert (files["/tmp"].mode, files["/tmp"].type, files["/tmp"].bytes) == (0o1777, FileType.DIRECTORY, 0)
    assert (files["/bin"].type, files["/bin"].target) == (FileType.SYMLINK, "usr/bin")
    assert files["/dangling"].target == "./nowhere/"
    assert files["/pipe"].type is FileType.FIFO
    assert files["/empty"].uid == os.getuid()
    assert root.image is None
    assert root.lacks == ()
    root.close()


def test_further_names_of_an_inode_point_to_the_bytewise_first(tmp_path: Path) -> None:
    """Hard links: the first name is the file, the others say so, all give the same bytes."""
    make(tmp_path)
    root = open_root(tmp_path)
    assert [root.files[path].hardlink for path in ("/usr/bin/a", "/usr/bin/z", "/usr/m")] == [
        None,
        "/usr/bin/a",
        "/usr/bin/a",
    ]
    assert bytes(root.read("/usr/m")) == bytes(root.read("/usr/bin/a")) == b"zz"
    root.close()


def test_reading(tmp_path: Path) -> None:
    """Small, mapped and empty files give their bytes read-only, times are whole seconds."""
    make(tmp_path)
    os.utime(tmp_path / "empty", (5, 7.9))
    root = open_root(tmp_path)
    assert bytes(root.read("/usr/bin/big")) == b"x" * 100_000
    assert bytes(root.read("/empty")) == b""
    assert root.read("/usr/bin/z").readonly
    assert root.read("/usr/bin/big").readonly
    assert root.modified("/empty") == 7
    for path in ("/bin/z", "/bin", "/tmp", "/pipe", "/nothing", "/usr/../empty"):
        with pytest.raises(InputError, match="not a regular file"):
            root.read(path)
    root.close()
    with pytest.raises(InputError, match="closed"):
        root.read("/empty")


def test_a_parent_that_becomes_a_link_is_not_followed(tmp_path: Path) -> None:
    """Even when the tree changes under way, no byte from outside of the root is read."""
    root_directory, outside = tmp_path / "root", tmp_path / "outside"
    (root_directory / "etc").mkdir(parents=True)
    outside.mkdir()
    for place in (root_directory / "etc/key", outside / "key"):
        place.write_text(str(place))
    root = open_root(root_directory)
    (root_directory / "etc").rename(root_directory / "old")
    (root_directory / "etc").symlink_to(outside)
    with pytest.raises(InputError, match="/etc/key"):
        root.read("/etc/key")
    (root_directory / "etc").unlink()
    (root_directory / "etc").mkdir()
    (root_directory / "etc/key").symlink_to(outside / "key")
    with pytest.raises(InputError, match="/etc/key"):
        root.read("/etc/key")
    (root_directory / "etc/key").unlink()
    os.mkfifo(root_directory / "etc/key")
    with pytest.raises(InputError, match="replaced"):
        root.read("/etc/key")
    root.close()


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_hostile_names_are_just_names(tmp_path: Path, name: bytes) -> None:
    """Newlines, quotes, substitutions, escapes and bytes that are not UTF-8 survive unchanged."""
    (tmp_path / os.fsdecode(name)).write_bytes(name)
    root = open_root(tmp_path)
    (path,) = root.files
    assert os.fsencode(path) == b"/" + name
    assert bytes(root.read(path)) == name
    root.close()


def test_extended_attributes_that_belong_to_the_file(tmp_path: Path) -> None:
    """`user.*` attributes are given for files and directories, links have none."""
    make(tmp_path)
    try:
        os.setxattr(tmp_path / "empty", "user.note", b"\0\xff")
        os.setxattr(tmp_path / "usr", "user.note", b"d")
    except OSError:
        skip("the temporary directory takes no extended attributes")
    root = open_root(tmp_path)
    assert root.extended_attributes("/empty") == {"user.note": b"\0\xff"}
    assert root.extended_attributes("/usr") == {"user.note": b"d"}
    assert root.extended_attributes("/bin") == {}
    assert root.extended_attributes("/pipe") == {}
    assert root.extended_attributes("/nothing") == {}
    root.close()


def test_sockets_and_devices_are_listed(tmp_path: Path) -> None:
    """Nothing is skipped, whatever its type."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(os.fspath(tmp_path / "s"))
    listener.close()
    if os.getuid() == 0:
        os.mknod(tmp_path / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    root = open_root(tmp_path)
    assert root.files["/s"].type is FileType.SOCKET
    if os.getuid() == 0:
        assert (root.files["/null"].type, root.files["/null"].device) == (FileType.CHARACTER_DEVICE, (1, 3))
    root.close()


def test_a_live_proc_is_named_and_not_entered(tmp_path: Path) -> None:
    """A mounted kernel file system is no part of a root: its contents are left out, and that is said."""
    if os.getuid() != 0:
        skip("only root can mount a /proc")
    (tmp_path / "proc").mkdir()
    code = "import sys; from pruner.rootfs import open_root; r = open_root(sys.argv[1]); print([*r.files], r.lacks)"
    script = 'mount -t proc proc "$1/proc" && exec "$2" -c "$3" "$1"'
    command = [need("unshare"), "--mount", "sh", "-c", script, "sh", tmp_path, sys.executable, code]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.stdout == "['/proc'] ('the contents of /proc, a mounted proc file system',)\n", done.stderr


def test_a_user_without_permission_is_told() -> None:
    """Directories that can't be listed are named in `lacks`; reading what is forbidden is a missing permission."""
    with open_place() as place:
        (place / "secret").mkdir()
        (place / "secret/file").touch()
        (place / "shadow").write_text("x")
        (place / "secret").chmod(0o700)
        (place / "shadow").chmod(0o600)

        def look() -> tuple[tuple[str, ...], list[str], str]:
            root = open_root(place)
            try:
                root.read("/shadow")
            except Exception as error:  # noqa: BLE001
                return root.lacks, list(root.files), type(error).__name__
            return root.lacks, list(root.files), ""

        lacks, files, fault = as_nobody(look)
        assert lacks == ("the contents of /secret, which this user may not list",)
        assert files == ["/secret", "/shadow"]
        assert fault == "EnvironmentFault"


def test_places_that_are_no_root(tmp_path: Path) -> None:
    """A missing place, a device and a text file are refused by name."""
    (tmp_path / "text").write_text("hello")
    for place, message in (
        (tmp_path / "missing", "no such file"),
        (Path("/dev/null"), "neither a directory nor a regular file"),
        (tmp_path / "text", "not a tar archive"),
    ):
        with pytest.raises(InputError, match=message):
            open_root(place)
