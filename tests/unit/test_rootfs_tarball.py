"""Plain tars of a root: what they hold, and every way in which they can be wrong."""

from __future__ import annotations

import io
import lzma
import os
import random
import struct
import subprocess
import tarfile
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from pruner.errors import InputError
from pruner.model import FileType
from pruner.rootfs import Root, Tree, decompress, open_root
from tests.support import ROOT, need, skip
from tests.unit.archives import hardlink, link, member, tar, zipped

SAMPLE = tar(
    member("./"),
    member("./usr/"),
    member("./usr/bin/"),
    member("./usr/bin/su", b"su!", mode=0o4755, uid=3, gid=70000, mtime=99),
    link("./bin", "usr/bin"),
    hardlink("./usr/bin/as", "./usr/bin/su"),
    member("./dev/null", type=tarfile.CHRTYPE, devmajor=1, devminor=3, mode=0o666),
    member("./dev/sda", type=tarfile.BLKTYPE, devmajor=8, devminor=0),
    member("./pipe", type=tarfile.FIFOTYPE),
    member(
        "./ping",
        b"p",
        pax_headers={"SCHILY.xattr.security.capability": "\x01\0\udcff", "SCHILY.xattr.security.selinux": "x"},
    ),
    member("./" + "d" * 120 + "/" + "f" * 120, b"long"),
    member("./\udcff\n$(x)", b"odd"),
    member("./twice", b"first"),
    member("./twice", b"second", mode=0o600),
)


def opened(place: Path, data: bytes) -> Root:
    (place / "root.tar").write_bytes(data)
    return open_root(place / "root.tar")


def refusal(place: Path, data: bytes) -> str:
    with pytest.raises(InputError) as caught:
        opened(place, data)
    assert str(place) in caught.value.fact
    return caught.value.fact


def test_members_become_files(tmp_path: Path) -> None:
    """Types, modes, owners, devices, links, long and odd names; the later of two members wins."""
    root = opened(tmp_path, SAMPLE)
    files = root.files
    assert list(files) == sorted(files, key=os.fsencode)
    su = files["/usr/bin/su"]
    assert (su.mode, su.uid, su.gid, su.bytes, su.hardlink) == (0o4755, 3, 70000, 3, "/usr/bin/as")
    assert files["/usr/bin/as"].hardlink is None
    assert root.modified("/usr/bin/su") == 99
    assert files["/bin"].target == "usr/bin"
    assert (files["/dev/null"].type, files["/dev/null"].device) == (FileType.CHARACTER_DEVICE, (1, 3))
    assert (files["/dev/sda"].type, files["/dev/sda"].device) == (FileType.BLOCK_DEVICE, (8, 0))
    assert files["/pipe"].type is FileType.FIFO
    assert files["/dev"].type is FileType.DIRECTORY  # implied
    assert bytes(root.read("/" + "d" * 120 + "/" + "f" * 120)) == b"long"
    assert bytes(root.read("/\udcff\n$(x)")) == b"odd"
    assert (bytes(root.read("/twice")), files["/twice"].mode) == (b"second", 0o600)
    assert root.extended_attributes("/ping") == {"security.capability": b"\x01\0\xff"}
    assert root.extended_attributes("/pipe") == {}
    assert root.read("/usr/bin/as").readonly
    with pytest.raises(InputError, match="not a regular file"):
        root.read("/bin")
    assert Tree(files).resolve("/bin/as").path == "/usr/bin/as"
    root.close()
    with pytest.raises(InputError):
        root.read("/twice")


@pytest.mark.parametrize("pack", [zipped, lzma.compress, zstandard.compress], ids=["gzip", "xz", "zstd"])
def test_compression_is_recognised_by_content(tmp_path: Path, pack: object) -> None:
    """The same root comes out of gzip, xz and zstd, in several frames too; cut or damaged streams are refused."""
    assert callable(pack)
    plain = opened(tmp_path, SAMPLE)
    half = len(SAMPLE) // 2
    for data in (pack(SAMPLE), pack(SAMPLE[:half]) + pack(SAMPLE[half:])):
        packed = opened(tmp_path, data)
        assert packed.files == plain.files
        assert bytes(packed.read("/twice")) == b"second"
        packed.close()
    whole = pack(random.Random(1).randbytes(50_000))
    for cut in (len(whole) // 2, len(whole) - 3):
        assert "damaged or truncated" in refusal(tmp_path, whole[:cut])
    assert refusal(tmp_path, whole[:100] + b"????????" + whole[108:])


def test_zstd_skippable_frames_are_skipped(tmp_path: Path) -> None:
    """RFC 8878 allows them anywhere; zstd:chunked layers end with one."""
    skippable = struct.pack("<II", 0x184D2A50, 5) + b"hello"
    root = opened(tmp_path, skippable + zstandard.compress(SAMPLE) + skippable)
    assert "/bin" in root.files


def test_nothing_stays_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Decompressed bytes lie in a file without a name."""
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
    root = opened(tmp_path, zipped(SAMPLE))
    assert bytes(root.read("/twice")) == b"second"
    assert list((tmp_path / "scratch").iterdir()) == []


def test_a_decompression_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream that grows without measure ends with a message, not with a full disk."""
    monkeypatch.setattr(decompress, "_FREE_BYTES", 1 << 20)
    assert "expands to more than" in refusal(tmp_path, zipped(bytes(16 << 20)))


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ([member("/etc/passwd", b"x")], "absolute path"),
        ([member("a/../../etc/passwd", b"x")], "no name inside the root"),
        ([member("..", b"x")], "no name inside the root"),
        ([member("f", b"x"), member("f/below", b"y")], "which is not a directory"),
        ([link("l", "l"), member("l/x", b"y")], "loop of symbolic links"),
        ([hardlink("a", "b")], "which is not there"),
        ([member("d/"), hardlink("a", "d")], "a directory"),
        ([hardlink("a", "../../etc/passwd")], "no name inside the root"),
        ([hardlink("a", ".")], "which is not there"),
        ([link("l", "")], "no valid target"),
        ([member("v", type=b"V")], "unknown type"),
        ([member("x", b"y", pax_headers={"uid": "-1"})], "impossible size or owner"),
        ([member("x", b"y", pax_headers={"size": "-1024"})], "impossible size"),
        ([member("x", b"y", pax_headers={"size": str(10**30)})], "is cut off"),
        ([member("null", type=tarfile.CHRTYPE, devmajor=5000)], "impossible number"),
        ([member("n/" * 3000, b"y")], "no name inside the root"),
        (
            [member("a/" * 2000), link("l", "/" + "a/" * 2000), member("l/" + "b/" * 2000)],
            "longer than a path can be",
        ),
    ],
)
def test_hostile_members_are_refused(
    tmp_path: Path, members: list[tuple[tarfile.TarInfo, bytes | None]], message: str
) -> None:
    """Nothing outside of the root, nothing below a file, nothing impossible: one clear message each."""
    assert message in refusal(tmp_path, tar(*members))


def test_members_below_links_land_where_the_link_leads(tmp_path: Path) -> None:
    """Links of earlier members are followed inside the root, `..` and absolute targets included."""
    root = opened(
        tmp_path,
        tar(
            member("usr/lib/"),
            link("lib", "/../usr/lib"),
            link("usr/lib/up", "../../.."),
            member("lib/x", b"1"),
            member("lib/up/top", b"2"),
        ),
    )
    assert [path for path, file in root.files.items() if file.type is FileType.REGULAR] == ["/top", "/usr/lib/x"]


@pytest.mark.parametrize("cut", [1, 100, 511, 700, 1024, 1500, len(SAMPLE) - 10240])
def test_a_truncated_tar_is_refused(tmp_path: Path, cut: int) -> None:
    """Wherever the file ends early, also between two members, that is said."""
    assert refusal(tmp_path, SAMPLE[:cut])


def test_a_damaged_header_is_refused(tmp_path: Path) -> None:
    """A header whose checksum is wrong is not taken for the end of the archive."""
    damaged = bytearray(SAMPLE)
    damaged[1024 + 100] ^= 0xFF
    assert "damaged or truncated at byte 1024" in refusal(tmp_path, bytes(damaged))


def test_other_files_are_no_tars(tmp_path: Path) -> None:
    """Empty files, text, and compressed text."""
    assert "empty" in refusal(tmp_path, b"")
    assert "not a tar archive" in refusal(tmp_path, b"hello" * 200)
    assert "not a tar archive" in refusal(tmp_path, zipped(b"hello" * 200))


def test_a_header_that_claims_gigabytes_is_refused(tmp_path: Path) -> None:
    """A long-name record of 8 GiB would be read into memory by the library."""
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, (8 << 30) - 1
    assert "a header claims" in refusal(tmp_path, info.tobuf(tarfile.GNU_FORMAT) + bytes(2048))


def test_a_chain_of_headers_is_refused(tmp_path: Path) -> None:
    """Thousands of extended headers before one member exhaust no stack."""
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, 512
    one = info.tobuf(tarfile.USTAR_FORMAT) + b"12 path=abc\n".ljust(512, b"\0")
    assert refusal(tmp_path, one * 5000)


def test_sparse_files_have_their_holes(tmp_path: Path) -> None:
    """GNU tar's sparse formats give the same bytes as the file on disk."""
    program = need("tar")
    with (tmp_path / "sparse").open("wb") as file:
        file.seek(1 << 20)
        file.write(b"middle")
        file.seek(4 << 20)
        file.write(b"end")
    expected = (tmp_path / "sparse").read_bytes()
    for format_options in (
        ["--format=gnu"],
        *(["--format=pax", f"--sparse-version={v}"] for v in ("0.0", "0.1", "1.0")),
    ):
        command = [program, "-C", tmp_path, "--sparse", *format_options, "-cf", tmp_path / "root.tar", "./sparse"]
        subprocess.run(command, check=True)
        assert (tmp_path / "root.tar").stat().st_size < 1 << 20
        root = open_root(tmp_path / "root.tar")
        assert root.files["/sparse"].bytes == len(expected)
        assert bytes(root.read("/sparse")) == expected


def test_a_sparse_file_larger_than_memory_fails_when_read(tmp_path: Path) -> None:
    """The size of a sparse file is a claim; planning survives it, reading it says so."""
    size = 1 << 60
    headers = {"GNU.sparse.major": "0", "GNU.sparse.minor": "1", "GNU.sparse.map": "0,1", "GNU.sparse.size": str(size)}
    root = opened(tmp_path, tar(member("x", b"y", pax_headers=headers)))
    assert root.files["/x"].bytes == size
    with pytest.raises(InputError, match="does not fit into memory"):
        root.read("/x")


def test_a_tar_equals_the_directory_it_was_made_of(tmp_path: Path) -> None:
    """GNU tar's archive of a directory gives the very same listing, bytes, times and attributes."""
    program = need("tar")
    source = tmp_path / "root"
    (source / "usr/bin").mkdir(parents=True)
    (source / "usr/bin/tool").write_bytes(b"\x7fELF" * 30_000)
    (source / "usr/bin/tool").chmod(0o2755)
    os.link(source / "usr/bin/tool", source / "usr/bin/alias")
    (source / "bin").symlink_to("/usr/bin")
    os.mkfifo(source / "pipe")
    (source / os.fsdecode(b"\xfe odd\n")).write_text("x")
    try:
        os.setxattr(source / "usr/bin/tool", "user.x", b"\0\x80")
    except OSError:
        skip("the temporary directory takes no extended attributes")
    for options in (["--format=pax", "--xattrs"], ["--format=gnu"]):
        subprocess.run([program, "-C", source, *options, "-cf", tmp_path / "root.tar", "."], check=True)
        directory, archive = open_root(source), open_root(tmp_path / "root.tar")
        assert archive.files == directory.files
        assert list(archive.files) == list(directory.files)
        for path, file in directory.files.items():
            assert archive.modified(path) == directory.modified(path)
            if "--xattrs" in options:
                assert archive.extended_attributes(path) == directory.extended_attributes(path)
            if file.type is FileType.REGULAR:
                assert archive.read(path) == directory.read(path)
        directory.close()


def test_the_alpine_root_is_read() -> None:
    """A distribution's own root tar: links lead to busybox, the package database is there."""
    place = Path(os.environ.get("PRUNER_SHARED_DATA", ROOT.parent / "shared" / "data"))
    found = sorted(place.glob("alpine-minirootfs-*.tar.gz"))
    if not found:
        skip("no Alpine root: set PRUNER_SHARED_DATA")
    root = open_root(found[0])
    tree = Tree(root.files)
    assert tree.resolve("/bin/sh").path == "/bin/busybox"
    assert bytes(root.read("/bin/busybox")[:4]) == b"\x7fELF"
    assert b"\nP:musl\n" in bytes(root.read("/lib/apk/db/installed"))
    assert root.files["/tmp"].mode == 0o1777
    root.close()


@settings(max_examples=400, deadline=None)
@given(
    edits=st.lists(st.tuples(st.integers(0, len(SAMPLE) - 1), st.integers(0, 255)), max_size=6),
    cut=st.one_of(st.none(), st.integers(0, len(SAMPLE))),
    fix=st.booleans(),
)
def test_a_mutated_tar_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, edits: list[tuple[int, int]], cut: int | None, fix: bool
) -> None:
    """Any bytes give a root whose names are inside it, or one InputError."""
    data = bytearray(SAMPLE)
    for position, value in edits:
        data[position] = value
        start = position // 512 * 512
        if fix:  # so that the mutation gets past the checksum
            header = bytes(data[start : start + 148]) + b" " * 8 + bytes(data[start + 156 : start + 512])
            data[start + 148 : start + 156] = b"%06o\0 " % (sum(header) & 0o777777)
    place = tmp_path_factory.getbasetemp() / "mutated.tar"
    place.write_bytes(bytes(data[:cut]))
    try:
        root = open_root(place)
    except InputError as error:
        assert error.fact
        return
    for path, file in root.files.items():
        assert path.startswith("/")
        assert not {"..", ".", ""} & set(path[1:].split("/"))
        if file.type is FileType.REGULAR and file.bytes < 1 << 20:
            assert len(root.read(path)) == file.bytes
    root.close()


@settings(max_examples=200, deadline=None)
@given(
    text=st.binary(max_size=200),
    kind=st.sampled_from([tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK]),
)
def test_any_extended_header_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, text: bytes, kind: bytes
) -> None:
    """The records before a member may hold anything at all."""
    info = tarfile.TarInfo("header")
    info.type, info.size = kind, len(text)
    data = io.BytesIO()
    data.write(info.tobuf(tarfile.USTAR_FORMAT) + text.ljust(-(-len(text) // 512) * 512, b"\0"))
    data.write(tar(member("x", b"y")))
    place = tmp_path_factory.getbasetemp() / "header.tar"
    place.write_bytes(data.getvalue())
    try:
        root = open_root(place)
    except InputError as error:
        assert error.fact
        return
    assert all(path.startswith("/") for path in root.files)
    root.close()
