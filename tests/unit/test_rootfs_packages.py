"""Roots that are composed of package archives: what is there, and archives that must not be believed."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from pruner.errors import InputError
from pruner.model import FileType
from pruner.rootfs import Tree, open_root
from pruner.rootfs.packages import open_packages
from tests.unit.archives import hardlink, member
from tests.unit.packages import PACKERS, apk, ar, deb


@pytest.mark.parametrize("suffix", PACKERS)
def test_every_compression(tmp_path: Path, suffix: str) -> None:
    """A .deb gives its files whether its archives are plain or compressed by gzip, xz or zstd."""
    deb(tmp_path, "tool", {"/usr/": b"", "/usr/bin/": b"", "/usr/bin/tool": b"#!/bin/sh\n"}, suffix=suffix)
    root = open_root(tmp_path)
    assert bytes(root.read("/usr/bin/tool")) == b"#!/bin/sh\n"
    assert root.files["/usr/bin/tool"].mode == 0o755


def test_merged_links(tmp_path: Path) -> None:
    """Names below /bin and /lib64 lie in /usr, reached through links that no .deb ships; paths are real."""
    deb(tmp_path, "old", {"/bin/": b"", "/bin/old": b"1", "/lib64/": b"", "/lib64/ld.so": "-> ../lib/ld-2.so"})
    deb(tmp_path, "new", {"/usr/": b"", "/usr/bin/": b"", "/usr/bin/new": b"2"})
    root = open_root(tmp_path)
    assert root.files["/bin"].target == "usr/bin"
    assert root.files["/lib64"].target == "usr/lib64"
    assert "/sbin" not in root.files
    assert Tree(root.files).resolve("/bin/old").path == "/usr/bin/old"
    assert {"/usr/bin/old", "/usr/bin/new", "/usr/lib64/ld.so"} <= root.files.keys()


def test_alpine_is_not_merged(tmp_path: Path) -> None:
    """An .apk's /bin is a directory of its own, and its directories and links are as they are shipped."""
    apk(tmp_path, "busybox", {"/bin/": b"", "/bin/busybox": b"ELF", "/bin/sh": "-> /bin/busybox"})
    root = open_root(tmp_path)
    assert root.files["/bin"].type is FileType.DIRECTORY
    assert root.files["/bin/sh"].target == "/bin/busybox"
    assert bytes(root.read("/bin/busybox")) == b"ELF"


def test_a_directory_keeps_a_shipped_link(tmp_path: Path) -> None:
    """Where one package ships a link to a directory, another's directory of that name is that directory (dpkg(1))."""
    deb(tmp_path, "a-link", {"/opt/": b"", "/opt/real/": b"", "/opt/name": "-> real"})
    deb(tmp_path, "b-dir", {"/opt/": b"", "/opt/name/": b"", "/opt/name/file": b"x"})
    root = open_root(tmp_path)
    assert root.files["/opt/name"].type is FileType.SYMLINK
    assert bytes(root.read("/opt/real/file")) == b"x"


def test_replaced_files(tmp_path: Path) -> None:
    """A package that Replaces another one wins, whatever the order of their names."""
    deb(tmp_path, "aaa", {"/f": b"new"}, fields="Replaces: bbb\n")
    deb(tmp_path, "bbb", {"/f": b"old"})
    assert bytes(open_root(tmp_path).read("/f")) == b"new"


def test_hard_links_and_devices(tmp_path: Path) -> None:
    """Further names of a file and device nodes come as the archive has them."""
    import tarfile

    device = member("./dev/null", None, type=tarfile.CHRTYPE, devmajor=1, devminor=3)
    deb(tmp_path, "p", {"/usr/bin/one": b"same"}, members=[hardlink("./usr/bin/two", "./usr/bin/one"), device])
    root = open_root(tmp_path)
    assert root.files["/usr/bin/two"].hardlink == "/usr/bin/one"
    assert root.files["/dev/null"].device == (1, 3)


def test_archives_are_told(tmp_path: Path) -> None:
    """The root names each archive with its digest, control files and fields."""
    path = deb(tmp_path, "tool", {"/f": b""}, version="1:2-3", control={"postinst": "#!/bin/sh\n"})
    (archive,) = open_packages(tmp_path).archives
    assert (archive.package, archive.field("Version"), archive.architecture) == ("tool", "1:2-3", "all")
    assert archive.digest == f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
    assert archive.text("postinst") == "#!/bin/sh\n"


def test_a_root_is_no_set_of_packages(tmp_path: Path) -> None:
    """A directory that holds a directory beside a .deb is a root filesystem."""
    deb(tmp_path, "tool", {"/f": b""})
    (tmp_path / "etc").mkdir()
    assert "/etc" in open_root(tmp_path).files


def good() -> tuple[bytes, bytes]:
    """Control and data of a small package."""
    from tests.unit.archives import tar

    return (
        tar(member("./control", b"Package: p\nVersion: 1\nArchitecture: all\n")),
        tar(member("./f", b"content")),
    )


CONTROL, DATA = good()
BINARY = ("debian-binary", b"2.0\n")


@pytest.mark.parametrize(
    ("content", "fact"),
    [
        (b"", "not a Debian package"),
        (b"PK\x03\x04", "not a Debian package"),
        (ar(BINARY)[:20], "wrong ar header at byte 8"),
        (ar(BINARY, ("control.tar", CONTROL), ("data.tar", DATA)).replace(b"`\n", b"xx", 1), "wrong ar header"),
        (ar(BINARY, ("control.tar", CONTROL), ("data.tar", DATA))[:-600], "truncated"),
        (ar(("debian-binary", b"0.939\n")), "not a Debian package of format 2"),
        (ar(BINARY, ("data.tar", DATA)), "has no control archive"),
        (ar(BINARY, ("control.tar", CONTROL)), "has no data archive"),
        (ar(BINARY, ("control.tar", CONTROL), ("data.tar", DATA), ("data.tar", DATA)), "holds two data archives"),
        (ar(BINARY, ("control.tar", CONTROL), ("data.tar.lzma", DATA)), "data.tar.lzma is not understood"),
        (ar(BINARY, ("control.tar", CONTROL), ("data.tar.xz", b"\xfd7zXZ\x00cut")), "damaged or truncated xz data"),
        (ar(BINARY, ("control.tar", CONTROL), ("data.tar", b"")), "empty, not a tar"),
        (ar(BINARY, ("control.tar", DATA), ("data.tar", DATA)), "its control files name no package"),
    ],
)
def test_damaged_debs(tmp_path: Path, content: bytes, fact: str) -> None:
    """A file that is no complete .deb is refused by name, with one message."""
    (tmp_path / "p_1_all.deb").write_bytes(content)
    with pytest.raises(InputError, match=fact) as caught:
        open_root(tmp_path)
    assert caught.value.fact.startswith("p_1_all.deb: ")


@pytest.mark.parametrize(
    ("name", "fact"),
    [("../evil", "no name inside the root"), ("/etc/evil", "absolute path"), ("./a/../../evil", "no name inside")],
)
def test_members_that_leave_the_root(tmp_path: Path, name: str, fact: str) -> None:
    """A member whose name leads out of the root makes the package unusable."""
    deb(tmp_path, "evil", members=[member(name, b"x")])
    with pytest.raises(InputError, match=fact):
        open_root(tmp_path)


def test_members_through_links_stay_inside(tmp_path: Path) -> None:
    """A link that points above the root leads to the root, so nothing is ever placed outside of it."""
    deb(tmp_path, "evil", {"/up": "-> ../../../../etc", "/up/passwd": b"mine"})
    root = open_root(tmp_path)
    assert bytes(root.read("/etc/passwd")) == b"mine"


def test_a_package_twice(tmp_path: Path) -> None:
    """Two versions of one package are refused, both files named."""
    deb(tmp_path, "p", {"/f": b"1"}, version="1")
    deb(tmp_path, "p", {"/f": b"2"}, version="2")
    with pytest.raises(InputError, match=r"p is there twice: p_1_all\.deb and p_2_all\.deb"):
        open_root(tmp_path)


def test_damaged_apks(tmp_path: Path) -> None:
    """An .apk that is cut off, is none, or whose data is not what its control files say is refused by name."""
    path = apk(tmp_path, "p", {"/f": b"content"})
    whole = path.read_bytes()
    for content, fact in (
        (b"ADB.", "not an Alpine package"),
        (whole[:40], "truncated"),
        (whole[:-9], "damaged or truncated gzip data"),
        (b"\x1f\x8bgarbage garbage", "damaged gzip data"),
    ):
        path.write_bytes(content)
        with pytest.raises(InputError, match=fact) as caught:
            open_root(tmp_path)
        assert caught.value.fact.startswith("p-1-r0.apk: ")
    apk(tmp_path, "p", {"/f": b"content"}, datahash="0" * 64)
    with pytest.raises(InputError, match="does not match the datahash"):
        open_root(tmp_path)


def test_nothing_there(tmp_path: Path) -> None:
    """A directory without archives is refused where archives are asked for."""
    with pytest.raises(InputError, match="holds no package archives"):
        open_packages(tmp_path)
