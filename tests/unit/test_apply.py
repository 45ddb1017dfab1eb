"""Applying a plan: the whole of it or nothing, as root and as an ordinary user."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import stat
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from msgspec import structs

from pruner.apply import apply, apply_tar
from pruner.errors import EnvironmentFault, InputError, UsageError
from pruner.model import Distro, FileType
from pruner.plan.types import Decision, FilePlan, Plan, Totals
from pruner.rootfs import Root, open_root
from tests.support import ROOT, need, skip
from tests.unit.archives import hardlink, link, member, tar
from tests.unit.users import NOBODY, as_nobody, open_place

CAPABILITY = bytes.fromhex("0100000200200000") + bytes(12)
ODD = ("new\nline", "quo'te\"", "$(touch x)", "\udcff", "-rf", "é")
MEMBERS = (
    member("etc/", mode=0o755, mtime=11),
    member("etc/app.conf", b"conf", mode=0o640, uid=3, gid=4, mtime=1_000_000_007),
    member("tmp/", mode=0o1777),
    member("closed/", mode=0o500),
    member("closed/in", b"in", mode=0o400),
    member("usr/bin/", mtime=22),
    member("usr/bin/su", b"su" * 50_000, mode=0o4755, mtime=33),
    hardlink("usr/bin/sudo", "usr/bin/su"),
    member(
        "usr/bin/ping",
        b"ping",
        mode=0o755,
        pax_headers={"SCHILY.xattr.security.capability": CAPABILITY.decode("latin1")},
    ),
    link("bin", "usr/bin"),
    link("outside", "../../../../etc/passwd"),
    member("dev/null", type=tarfile.CHRTYPE, devmajor=1, devminor=3, mode=0o666),
    member("run/pipe", type=tarfile.FIFOTYPE, mode=0o620),
    member("dropped", b"dropped"),
    member("empty", b""),
    *(member(f"odd/{name}", name.encode("utf-8", "surrogateescape")) for name in ODD),
)
NONE = Totals(packages=0, files=0, bytes=0, setuid_files=0, shells=0, interpreters=0, package_managers=0)


def names_in(place: Path) -> list[str]:
    return sorted(child.name for child in place.iterdir())


def plan_of(root: Root, *extra: FilePlan, drop: tuple[str, ...] = ("/dropped",), digests: bool = True) -> Plan:
    """Keep everything of `root` but `drop`, with sha256 digests of all bytes."""
    files = []
    for path, file in root.files.items():
        digest = None
        if digests and file.type is FileType.REGULAR:
            digest = f"sha256:{hashlib.sha256(root.read(path)).hexdigest()}"
        files.append(
            FilePlan(
                path=path,
                type=file.type,
                mode=file.mode,
                uid=file.uid,
                gid=file.gid,
                bytes=file.bytes,
                target=file.target,
                hardlink=file.hardlink,
                device=file.device,
                owner=None,
                package=None,
                decision=Decision.DROP if path in drop else Decision.KEEP,
                reason="",
                origin=None,
                digest=digest,
            )
        )
    return Plan(
        profile="balanced",
        entries=(),
        inputs=(),
        image=None,
        distro=Distro(),
        mode="root",
        files=(*files, *extra),
        packages=(),
        edges=(),
        before=NONE,
        after=NONE,
    )


def made(path: str, content: bytes) -> FilePlan:
    return FilePlan(
        path=path,
        type=FileType.REGULAR,
        mode=0o600,
        uid=0,
        gid=0,
        bytes=len(content),
        target=None,
        hardlink=None,
        device=None,
        owner=None,
        package=None,
        decision=Decision.MAKE,
        reason="",
        origin=None,
        content=content,
    )


def changed(plan: Plan, name: str, /, **fields: object) -> Plan:
    return replace(plan, files=tuple(structs.replace(f, **fields) if f.path == name else f for f in plan.files))


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Root]:
    (tmp_path / "fat.tar").write_bytes(tar(*MEMBERS))
    opened = open_root(tmp_path / "fat.tar")
    yield opened
    opened.close()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


def same_but(root: Root, other: Root, *dropped: str) -> None:
    """`other` holds what `root` holds without `dropped`: names, owners, modes, links, bytes, attributes, times."""
    expected = {path: file for path, file in root.files.items() if path not in dropped}
    assert dict(other.files) == expected
    for path, file in expected.items():
        assert other.modified(path) == root.modified(path), path
        assert other.extended_attributes(path) == root.extended_attributes(path)
        if file.type is FileType.REGULAR:
            assert other.read(path) == root.read(path)


def test_a_directory_gets_everything_as_root(root: Root, place: Path) -> None:
    """Owners, modes, setuid bits, hard links, devices, file capabilities, odd names and times arrive intact."""
    if os.getuid() != 0:
        skip("only root can set owners")
    applied = apply(plan_of(root), root, place / "out", force=False)
    result = open_root(place / "out")
    same_but(root, result, "/dropped")
    assert (place / "out/usr/bin/su").stat().st_ino == (place / "out/usr/bin/sudo").stat().st_ino
    assert stat.S_IMODE((place / "out").stat().st_mode) == 0o755
    assert (applied.losses, applied.unverified) == ((), ())
    assert applied.files == sum(file.type is not FileType.DIRECTORY for file in result.files.values())
    assert applied.bytes == sum(f.bytes for f in result.files.values() if f.hardlink is None)
    assert names_in(place) == ["out"]
    result.close()


def test_a_tar_gets_everything(root: Root, place: Path) -> None:
    """The same in a tar, whoever writes it; once more through GNU tar."""
    applied = apply_tar(plan_of(root), root, place / "out.tar")
    assert (applied.losses, applied.unverified) == ((), ())
    same_but(root, open_root(place / "out.tar"), "/dropped")
    assert names_in(place) == ["out.tar"]
    if os.getuid() == 0:
        (place / "unpacked").mkdir()
        options = ["--xattrs", "--xattrs-include=*", "--numeric-owner", "-p"]
        subprocess.run([need("tar"), *options, "-C", place / "unpacked", "-xf", place / "out.tar"], check=True)
        result = open_root(place / "unpacked")
        same_but(root, result, "/dropped")
        result.close()


def test_tars_are_reproducible(root: Root, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same plan and root give the same bytes, in plan order or not; SOURCE_DATE_EPOCH limits times."""
    plan = plan_of(root, made("/etc/made", b"made"))
    apply_tar(plan, root, place / "one.tar")
    time.sleep(1.1)
    apply_tar(replace(plan, files=plan.files[::-1]), root, place / "two.tar")
    assert (place / "one.tar").read_bytes() == (place / "two.tar").read_bytes()
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "20")
    apply_tar(plan, root, place / "three.tar")
    third = open_root(place / "three.tar")
    assert (third.modified("/etc"), third.modified("/etc/app.conf"), third.modified("/etc/made")) == (11, 20, 20)
    with tarfile.open(place / "three.tar") as archive:
        members = archive.getmembers()
    assert {(info.uname, info.gname) for info in members} == {("", "")}
    names = [os.fsencode(info.name) for info in members]
    assert names == sorted(names)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    with pytest.raises(UsageError, match="SOURCE_DATE_EPOCH"):
        apply_tar(plan, root, place / "four.tar")


def test_made_files_come_from_the_plan(root: Root, place: Path) -> None:
    """A made file has the plan's content, also where it takes the place of a name of a hard link."""
    plan = plan_of(root, made("/var/lib/db", b"status"), drop=("/usr/bin/su", "/dropped"))
    plan = replace(plan, files=tuple(f for f in plan.files if f.path != "/usr/bin/su"))
    plan = replace(plan, files=(*plan.files, made("/usr/bin/su", b"other")))
    for out in (place / "out", place / "out.tar"):
        if out.suffix:
            apply_tar(plan, root, out)
        elif os.getuid() == 0:
            apply(plan, root, out, force=False)
        else:
            continue
        result = open_root(out)
        assert bytes(result.read("/var/lib/db")) == b"status"
        assert (result.files["/var/lib"].mode, result.files["/var/lib"].uid) == (0o755, 0)
        assert bytes(result.read("/usr/bin/su")) == b"other"
        assert bytes(result.read("/usr/bin/sudo")) == b"su" * 50_000
        result.close()


def test_a_further_name_is_kept_without_the_first(root: Root, place: Path) -> None:
    """Dropping the first name of a file leaves the other one with the bytes."""
    apply_tar(plan_of(root, drop=("/usr/bin/su", "/dropped")), root, place / "out.tar")
    result = open_root(place / "out.tar")
    assert "/usr/bin/su" not in result.files
    assert bytes(result.read("/usr/bin/sudo")) == b"su" * 50_000


def test_files_without_a_digest_are_told(root: Root, place: Path) -> None:
    """Without a digest only type and size are compared, and the files are named."""
    applied = apply_tar(plan_of(root, digests=False), root, place / "out.tar")
    assert "/etc/app.conf" in applied.unverified
    assert "/bin" not in applied.unverified


WRONG: list[tuple[Callable[[Plan], Plan], str]] = [
    (lambda p: changed(p, "/etc/app.conf", digest="sha256:" + "0" * 64), "/etc/app.conf does not match its sha256"),
    (lambda p: changed(p, "/etc/app.conf", digest="md5:" + "0" * 32), "does not match its md5 digest"),
    (lambda p: changed(p, "/usr/bin/sudo", digest="sha1:" + "0" * 40), "does not match its sha1 digest"),
    (lambda p: changed(p, "/etc/app.conf", digest="crc:00"), "digest of unknown kind"),
    (lambda p: changed(p, "/etc/app.conf", bytes=5), "/etc/app.conf has size 4, the plan says 5"),
    (lambda p: changed(p, "/etc/app.conf", type=FileType.DIRECTORY), "has type file, the plan says directory"),
    (lambda p: changed(p, "/bin", target="elsewhere"), "has target usr/bin, the plan says elsewhere"),
    (lambda p: changed(p, "/etc/app.conf", path="/etc/other"), "/etc/other is missing"),
    (lambda p: changed(p, "/etc/app.conf", path="/../etc/passwd"), "not a normalised absolute path"),
    (lambda p: changed(p, "/etc/app.conf", path="etc/passwd"), "not a normalised absolute path"),
    (lambda p: changed(p, "/etc/app.conf", path="/etc//app.conf"), "not a normalised absolute path"),
    (lambda p: changed(p, "/etc/app.conf", path="/tmp"), "is there twice"),
    (lambda p: replace(p, files=(*p.files, made("/bin/sh", b"x"))), "below something that is not a directory"),
    (lambda p: replace(p, files=(*p.files, made("/outside/x", b"x"))), "below something that is not a directory"),
    (lambda p: replace(p, files=(*p.files, made("/empty/x", b"x"))), "below something that is not a directory"),
    (lambda p: replace(p, files=(*p.files, structs.replace(made("/x", b""), content=None))), "its content is missing"),
    (lambda p: changed(p, "/etc/app.conf", mode=0o100644), "impossible mode"),
    (lambda p: changed(p, "/etc/app.conf", uid=2**40), "impossible mode, owner"),
]


@pytest.mark.parametrize(("spoil", "message"), WRONG)
def test_a_plan_that_does_not_fit_leaves_nothing(
    root: Root, place: Path, spoil: Callable[[Plan], Plan], message: str
) -> None:
    """What differs from the root, or would be written outside, is named; no file is left and none is changed."""
    plan = spoil(plan_of(root))
    (place / "old.tar").write_text("old")
    for attempt in (
        lambda: apply(plan, root, place / "out", force=False),
        lambda: apply_tar(plan, root, place / "old.tar"),
    ):
        with pytest.raises(InputError, match=message):
            attempt()
        assert names_in(place) == ["old.tar"]
        assert (place / "old.tar").read_text() == "old"


def test_a_full_destination_is_refused_without_force(root: Root, place: Path) -> None:
    """Empty is fine; what is not empty stays as it was, until `force` replaces all of it."""
    plan = plan_of(root)
    if os.getuid() != 0:
        plan = replace(plan, files=tuple(f for f in plan.files if not f.path.startswith("/closed")))
    out = place / "out"
    out.mkdir()
    apply(plan, root, out, force=False)
    (out / "own").write_text("own")
    with pytest.raises(UsageError, match="is not empty"):
        apply(plan, root, out, force=False)
    assert (out / "own").read_text() == "own"
    apply(plan, root, out, force=True)
    assert not (out / "own").exists()
    assert (out / "etc/app.conf").exists()
    assert names_in(place) == ["out"]


def test_destinations_that_are_never_replaced(root: Root, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file, the directory that holds the root or the user's own work, a tar that is a directory."""
    plan = plan_of(root)
    (place / "file").write_text("x")
    with pytest.raises(UsageError, match="is not a directory"):
        apply(plan, root, place / "file", force=True)
    with pytest.raises(UsageError, match="so it is not replaced"):
        apply(plan, root, place.parent, force=True)
    monkeypatch.chdir(place)
    with pytest.raises(UsageError, match="so it is not replaced"):
        apply(plan, root, place, force=True)
    with pytest.raises(UsageError, match="so it is not replaced"):
        apply(plan, root, Path("/"), force=True)
    with pytest.raises(UsageError, match="is not a regular file"):
        apply_tar(plan, root, place)
    os.mkfifo(place / "pipe")
    with pytest.raises(UsageError, match="is not a regular file"):
        apply_tar(plan, root, place / "pipe")
    with pytest.raises(UsageError, match="no such directory"):
        apply_tar(plan, root, place / "missing/out.tar")
    with pytest.raises(UsageError, match="no such directory"):
        apply(plan, root, place / "missing/out", force=False)
    assert names_in(place) == ["file", "pipe"]


def test_the_fat_root_is_never_written_to(place: Path) -> None:
    """Neither the archive that is read nor a place inside the directory that is read."""
    (place / "fat").mkdir()
    (place / "fat/one").write_text("1")
    with closing(open_root(place / "fat")) as opened:
        with pytest.raises(UsageError, match="lies in the root"):
            apply(plan_of(opened), opened, place / "fat/sub", force=True)
        with pytest.raises(UsageError, match="lies in the root"):
            apply_tar(plan_of(opened), opened, place / "fat/out.tar")
    archive = place / "fat.tar"
    archive.write_bytes(tar(member("one", b"1")))
    before = archive.read_bytes()
    with closing(open_root(archive)) as opened, pytest.raises(UsageError, match="is the root that it is made from"):
        apply_tar(plan_of(opened), opened, archive)
    assert archive.read_bytes() == before


def test_a_link_as_destination_leads_to_the_directory(root: Root, place: Path) -> None:
    """The directory behind a symbolic link is filled, the link stays."""
    (place / "real").mkdir()
    (place / "out").symlink_to("real")
    apply(plan_of(root), root, place / "out", force=False)
    assert (place / "out").is_symlink()
    assert (place / "real/etc/app.conf").exists()


def test_a_failure_brings_the_old_destination_back(root: Root, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the last rename fails, the destination is as it was."""
    out = place / "out"
    out.mkdir()
    (out / "own").write_text("own")
    rename = Path.replace

    def failing(self: Path, target: Path) -> Path:
        if target == out and any(self.glob("etc")):
            raise OSError(5, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", failing)
    with pytest.raises(EnvironmentFault, match="input/output error"):
        apply(plan_of(root), root, out, force=True)
    assert (out / "own").read_text() == "own"
    assert names_in(place) == ["out"]


@contextmanager
def started(*arguments: str | Path) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=_with_default_signals,  # noqa: PLW1509 -- this process starts no thread
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def _with_default_signals() -> None:
    """A test runner in the background may have been started with signals ignored, and a child would inherit that."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


SLOW_APPLY = """
import sys, time
from pathlib import Path
from pruner.apply import apply, apply_tar
from pruner.rootfs import open_root
from tests.unit.test_apply import plan_of

class Slow:
    def __init__(self, root): self.root = root
    def __getattr__(self, name): return getattr(self.root, name)
    def read(self, path):
        if path == "/odd/$(touch x)":
            print("waiting", flush=True)
            time.sleep(60)
        return self.root.read(path)

root = open_root(sys.argv[1])
plan = plan_of(root)
out = Path(sys.argv[2])
apply_tar(plan, Slow(root), out) if out.suffix == ".tar" else apply(plan, Slow(root), out, force=True)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize("name", ["out", "out.tar"])
def test_an_interrupted_run_leaves_nothing(tmp_path: Path, place: Path, number: signal.Signals, name: str) -> None:
    """SIGTERM, SIGINT and SIGHUP in the middle of writing: no partial file or directory, and what was there is there."""
    (tmp_path / "fat.tar").write_bytes(tar(*MEMBERS))
    if name == "out":
        (place / "out").mkdir()
        (place / "out/own").write_text("own")
    before = sorted(place.rglob("*"))
    with started("-c", SLOW_APPLY, tmp_path / "fat.tar", place / name) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"waiting\n"
        assert len(names_in(place)) == (2 if name == "out" else 1)
        process.send_signal(number)
        assert process.wait(20) != 0
    assert sorted(place.rglob("*")) == before


def test_an_ordinary_user_s_directory_says_what_it_loses(tmp_path: Path) -> None:
    """Owners, devices, setuid bits and capabilities are left out and named; the tar of the same user lacks nothing."""
    data = tar(*MEMBERS)
    with open_place() as place:
        (place / "fat.tar").write_bytes(data)
        (place / "fat.tar").chmod(0o644)

        def act() -> tuple[tuple[str, ...], int, bool, list[str]]:
            root = open_root(place / "fat.tar")
            plan = plan_of(root)
            applied = apply(plan, root, place / "out", force=False)
            mode = (place / "out/usr/bin/su").stat().st_mode
            assert apply_tar(plan, root, place / "out.tar").losses == ()
            same_but(root, open_root(place / "out.tar"), "/dropped")
            return applied.losses, mode, (place / "out/dev/null").exists(), names_in(place)

        losses, mode, has_device, names = as_nobody(act)
        text = "\n".join(losses)
        assert "device nodes: 1 names, first /dev/null" in text
        assert "extended attribute security.capability: 1 names, first /usr/bin/ping" in text
        assert "owners: " in text
        assert "setuid and setgid bits of files whose owner could not be set: 1 names, first /usr/bin/su" in text
        assert not mode & stat.S_ISUID
        assert not has_device
        assert names == ["fat.tar", "out", "out.tar"]
        assert (place / "out/etc/app.conf").stat().st_uid == NOBODY


def test_an_ordinary_user_fails_and_replaces_cleanly() -> None:
    """Directories whose mode forbids entering them hinder neither the cleaning up nor `force`."""
    data = tar(*MEMBERS, member("zzz", b"last"))
    with open_place() as place:
        (place / "fat.tar").write_bytes(data)
        (place / "fat.tar").chmod(0o644)

        def act() -> tuple[str, list[str]]:
            root = open_root(place / "fat.tar")
            plan = plan_of(root)
            apply(plan, root, place / "out", force=False)
            apply(plan, root, place / "out", force=True)
            try:
                apply(changed(plan, "/zzz", digest="md5:0"), root, place / "other", force=False)
            except InputError as error:
                return error.fact, names_in(place)
            return "", []

        fact, names = as_nobody(act)
        assert "/zzz does not match" in fact
        assert names == ["fat.tar", "out"]


def test_a_directory_root_round_trips(place: Path) -> None:
    """From a directory with attributes, hard links and times to a directory and a tar, and back to the same listing."""
    fat = place / "fat"
    (fat / "usr/lib").mkdir(parents=True)
    (fat / "usr/lib/a").write_bytes(b"a" * 200_000)
    os.link(fat / "usr/lib/a", fat / "usr/lib/b")
    (fat / "lib").symlink_to("usr/lib/")
    (fat / "usr/lib/c").write_bytes(b"c")
    os.utime(fat / "usr/lib/c", (1_234_567, 1_234_567.75))
    os.utime(fat / "usr/lib", (7_654_321, 7_654_321))
    (fat / "usr/lib/c").chmod(0o444)
    try:
        os.setxattr(fat / "usr/lib/a", "user.note", b"\0\xff")
        os.setxattr(fat / "usr", "user.note", b"usr")
    except OSError:
        skip("the temporary directory takes no extended attributes")
    root = open_root(fat)
    apply(plan_of(root), root, place / "out", force=False)
    apply_tar(plan_of(root), root, place / "out.tar")
    for result in (open_root(place / "out"), open_root(place / "out.tar")):
        same_but(root, result)
        result.close()
    root.close()
    shutil.rmtree(fat)
