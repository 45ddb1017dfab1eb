"""Planned names as a tar."""

from __future__ import annotations

import io
import tarfile

from pruner.emit.statetar import Member, tar_of
from tests.unit.emit_plans import file_plan

FILE, LINK = (file_plan(path, mode=0o640, uid=5, gid=70000, bytes=2) for path in ("/d/a\udcff", "/d/b"))


def read(data: bytes) -> list[tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(data), encoding="utf-8") as archive:
        return archive.getmembers()


def test_names_come_in_order_with_owners_times_and_links():
    top, first, second = read(
        tar_of([Member(file=FILE, content=b"hi", modified=7), Member(file=LINK, link=FILE.path)], top=9)
    )
    assert (top.name, top.isdir(), top.mtime) == (".", True, 9)
    assert (first.name, first.mode, first.uid, first.gid, first.mtime) == ("./d/a\udcff", 0o640, 5, 70000, 7)
    assert first.size == 2
    assert (second.name, second.islnk(), second.linkname, second.size) == ("./d/b", True, "./d/a\udcff", 0)


def test_pax_headers_are_only_there_for_attributes():
    """Busybox passes over them; GNU's own format has no room for attributes."""
    plain, wanted = (tar_of([Member(file=FILE, content=b"hi")], always_pax=is_pax) for is_pax in (False, True))
    carrying = tar_of([Member(file=FILE, content=b"hi", attributes={"user.a": b"\xff"})])
    assert b"PaxHeader" not in plain
    assert b"PaxHeader" in wanted
    assert read(carrying)[0].pax_headers["SCHILY.xattr.user.a"] == "\udcff"
