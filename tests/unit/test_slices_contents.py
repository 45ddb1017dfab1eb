"""What slices list as a whole: every file somewhere, directories only where they matter, and chisel agrees."""

from __future__ import annotations

from pruner.slices.contents import contents_of
from pruner.slices.types import Need, PathKind, SliceKey
from tests.unit.slice_sources import directory, link, refusal, shipped, source, state

BINS = SliceKey("pkg", "bins")
LIBS = SliceKey("pkg", "libs")
BASE = SliceKey("base-files", "lib")
LIB = "/usr/lib/x86_64-linux-gnu"


def listed(parts, key, **more):
    return [content.path for content in contents_of(parts, source(parts, **more)).bodies[key].contents]


def test_a_parent_needs_no_entry():
    """chisel makes parents with the mode that the archive has for them."""
    parts = {BINS: [directory("/opt/pkg", name="/opt/pkg", mode=0o700), shipped("/opt/pkg/tool")]}
    assert listed(parts, BINS) == ["/opt/pkg/tool"]


def test_an_empty_directory_is_listed():
    """Shipped, it is extracted; not shipped, it is made; below the unmerged tree, it is made, too."""
    parts = {
        BINS: [
            directory("/var/lib/a", name="/var/lib/a"),
            directory("/var/lib/b", mode=0o750),
            directory("/usr/lib/c", name="/lib/c"),
        ]
    }
    contents = contents_of(parts, source(parts)).bodies[BINS].contents
    assert [(one.path, one.kind, one.mode) for one in contents] == [
        ("/usr/lib/c/", PathKind.MAKE, None),
        ("/var/lib/a/", PathKind.COPY, None),
        ("/var/lib/b/", PathKind.MAKE, 0o750),
    ]


def test_only_the_deepest_of_empty_directories_is_listed():
    """The ones above come along."""
    parts = {BINS: [directory("/var/lib/a", name="/var/lib/a"), directory("/var/lib/a/b", name="/var/lib/a/b")]}
    assert listed(parts, BINS) == ["/var/lib/a/b/"]


def test_a_made_parent_with_a_mode_of_its_own_is_listed():
    """chisel would make it 0755."""
    parts = {BINS: [directory("/etc/pkg", mode=0o700), state("/etc/pkg/a", b"x")]}
    assert listed(parts, BINS) == ["/etc/pkg/", "/etc/pkg/a"]


def test_a_directory_that_other_slices_fill_is_listed_only_where_it_is_needed():
    """A slice that needs the directory itself gets it when it is cut alone."""
    home = directory("/usr/share/pkg", name="/usr/share/pkg")
    parts = {BINS: [home, shipped("/usr/bin/a")], LIBS: [shipped("/usr/share/pkg/x")]}
    assert listed(parts, BINS) == ["/usr/bin/a"]
    needs = {"/usr/bin/a": (Need("/usr/share/pkg", "data", ""),)}
    assert listed(parts, BINS, needs=needs) == ["/usr/bin/a", "/usr/share/pkg/"]


def test_the_root_itself_is_no_path():
    """`/` is no path of a slice."""
    parts = {BASE: [directory("/", "base-files", name="/")]}
    assert listed(parts, BASE) == []


def test_modes_that_a_script_may_have_set_are_left_over():
    """What is shipped with an unusual mode may have been shipped with another one: finish.sh sets it."""
    parts = {
        BINS: [shipped("/etc/x.conf", mode=0o640), shipped("/usr/bin/a", mode=0o755), directory("/etc/d", mode=0o710)]
    }
    found = contents_of(parts, source(parts)).leftovers
    assert [(one.path, one.what, one.mode) for one in found] == [("/etc/x.conf", "mode", 0o640)]


def test_a_directory_whose_only_content_is_left_over_is_listed():
    """What others put there needs the directory: a key store that is no text."""
    binary = state("/etc/keys/store", content=b"\0\1")
    parts = {BINS: [directory("/etc/keys"), binary]}
    assert listed(parts, BINS) == ["/etc/keys/"]


def test_owners_are_left_over_and_said():
    """chisel gives everything to who runs it; the slice still has the file, and the comment says whose it should be."""
    parts = {BINS: [shipped("/usr/bin/chage", gid=42, mode=0o2755), directory("/var/lib/p", uid=101, gid=101)]}
    contents = contents_of(parts, source(parts))
    assert [(one.path, one.what, one.uid, one.gid, one.mode) for one in contents.leftovers] == [
        ("/usr/bin/chage", "mode", 0, 42, 0o2755),
        ("/usr/bin/chage", "owner", 0, 42, 0o2755),
        ("/var/lib/p", "owner", 101, 101, 0o755),
    ]
    assert [one.comment for one in contents.bodies[BINS].contents] == ["Belongs to 0:42.", "Belongs to 101:101."]
    assert contents.bodies[BINS].comment == ""


def test_attributes_are_left_over():
    """File capabilities are in no archive's data that chisel reads."""
    parts = {BINS: [shipped("/usr/bin/ping", attributes=("security.capability",))]}
    contents = contents_of(parts, source(parts))
    assert [(one.what, one.attributes) for one in contents.leftovers] == [("attributes", ("security.capability",))]
    assert [one.path for one in contents.bodies[BINS].contents] == ["/usr/bin/ping"]


def test_contents_are_sorted_by_their_bytes():
    """As `LC_COLLATE=C sort` has them."""
    parts = {BINS: [shipped("/usr/bin/é"), shipped("/usr/bin/z"), shipped("/usr/bin/Z"), state("/usr/bin/_", b"")]}
    assert listed(parts, BINS) == ["/usr/bin/Z", "/usr/bin/_", "/usr/bin/z", "/usr/bin/é"]


def test_a_slice_without_files_has_a_body():
    """Whoever asks for a slice gets one."""
    assert contents_of({BINS: []}, source({})).bodies[BINS].contents == ()


def everything():
    """One of each kind of path, in three packages."""
    certs = "/usr/share/ca-certificates/mozilla"
    names = (f"{certs}/a.crt", f"{certs}/b.crt")
    parts = {
        BASE: [
            link("/bin", "usr/bin", "base-files"),
            link("/lib", "usr/lib", "base-files"),
            directory("/tmp", "base-files", name="/tmp", mode=0o1777),
            state("/etc/hosts", b"127.0.0.1 localhost\n", "base-files"),
        ],
        BINS: [
            shipped("/usr/bin/tool"),
            shipped("/usr/bin/mv", name="/bin/mv"),
            directory("/var/lib/pkg", mode=0o1777),
            *[shipped(f"/usr/share/zoneinfo/{number}") for number in range(60)],
        ],
        LIBS: [
            shipped(f"{LIB}/libz.so.1"),
            shipped(f"{LIB}/libz.so.1.2"),
            shipped(f"{LIB}/libc.so.6", name="/lib/x86_64-linux-gnu/libc.so.6"),
            shipped("/usr/share/pkg/a*b"),
        ],
        SliceKey("ca", "data"): [state("/etc/ssl/certs/bundle.crt", b"one\ntwo\n", "ca")],
        SliceKey("ca", "copyright"): [
            link("/usr/share/doc/ca", "base", "ca", name="/usr/share/doc/ca"),
            link("/etc/ssl/certs/0a1b2c3d.0", "a.pem", "ca"),
        ],
    }
    return parts, source(parts, unkept={"ca": names}, concatenations={"/etc/ssl/certs/bundle.crt": names})


def test_the_real_chisel_accepts_every_kind_of_path(tmp_path):
    """Patterns, copies, links, texts, made directories and mutations in one release."""
    parts, given = everything()
    contents = contents_of(parts, given)
    assert {one.kind for body in contents.bodies.values() for one in body.contents} >= {
        PathKind.COPY, PathKind.GLOB, PathKind.MAKE, PathKind.SYMLINK, PathKind.TEXT,
    }  # fmt: skip
    assert refusal(tmp_path / "release", contents) == ""


def test_the_real_chisel_refuses_what_gives_way(tmp_path):
    """The conflict that patterns give way to is one for chisel: without the check it would refuse the release."""
    parts = {LIBS: [shipped(f"{LIB}/libz.so.1"), shipped(f"{LIB}/libz.so.1.2"), state(f"{LIB}/libz.so.1.lock", b"")]}
    good = contents_of(parts, source(parts))
    assert refusal(tmp_path / "good", good) == ""
    body = good.bodies[LIBS]
    pattern = f"{LIB}/libz.so.1*"
    import dataclasses

    import msgspec

    bad = msgspec.structs.replace(body.contents[0], path=pattern, kind=PathKind.GLOB)
    worse = dataclasses.replace(body, contents=(bad, *body.contents[1:]))
    assert "conflict" in refusal(tmp_path / "bad", dataclasses.replace(good, bodies={LIBS: worse}))
