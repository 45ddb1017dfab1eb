"""Absolute paths in the constants of programs, and what they bring."""

from __future__ import annotations

import struct

import pytest

from pruner.analyze.elf import edges_of_elf
from pruner.analyze.elfimage import read_elf
from pruner.analyze.literals import literals_of, words_among
from pruner.model import EdgeKind, Strength
from tests.elfs import deb, made_view, make_elf


def found_for(constants: bytes, entries, *, owners=None, packages=(), imports=()):
    data = make_elf(constants=constants, imports=imports)
    owners = {"/usr/bin/p": "p", **owners} if owners is not None else None
    view = made_view({"/usr/bin/p": data, **entries}, owners=owners, packages=packages)
    return edges_of_elf(view.tree.get("/usr/bin/p"), view.read("/usr/bin/p"), True, view)


def kinds(found) -> dict[str, EdgeKind]:
    return {edge.target: edge.kind for edge in found.edges}


@pytest.mark.parametrize(
    "constants",
    [
        b"\0/etc/x.conf\0",
        b"\0unix:/etc/x.conf\0",
        b"\0FOO=/etc/x.conf:/b\0",
        b"\0file:///etc/x.conf\0",
        b'\0see "/etc/x.conf"\0',
    ],
)
def test_a_path_may_be_the_tail_of_a_longer_string(constants):
    """Link editors fold a string into the tail of another one."""
    assert kinds(found_for(constants, {"/etc/x.conf": b"x"})) == {"/etc/x.conf": EdgeKind.DATA}


@pytest.mark.parametrize(
    "constants", [b"\0usr/etc/x.conf\0", b"\0%s/etc/x.conf\0", b"\0../etc/x.conf\0", b"\0/etc/x.confs\0"]
)
def test_a_part_of_a_longer_path_is_no_path(constants):
    assert found_for(constants, {"/etc/x.conf": b"x"}).edges == ()


def test_what_the_kernel_provides_is_no_need():
    assert found_for(b"\0/dev/null\0/proc/mounts\0", {"/dev/null": b"", "/proc/mounts": b""}).edges == ()


def test_strings_without_an_end_are_read_as_far_as_the_tree_goes():
    """Rust and Go put strings one behind the other; the tree says where a name ends."""
    constants = b"/rustc/0/library\0xyz/etc/ssl/cert.pem/etc/ssl/certsfoo/usr/share/none"
    entries = {"/etc/ssl/cert.pem": b"x", "/etc/ssl/certs/a": b"y", "/usr/share/doc": None}
    data = make_elf(constants=constants)
    view = made_view({"/p": data, **entries})
    paths = literals_of(read_elf(memoryview(data)), view.tree).paths
    assert {"/etc/ssl/cert.pem", "/etc/ssl/certs", "/usr/share"} <= paths


def test_a_small_private_directory_is_kept_whole():
    entries = {"/usr/share/p/a": b"1", "/usr/share/p/b/c": b"2"}
    owners = {"/usr/share/p": "p", "/usr/share/p/a": "p-data", "/usr/share/p/b/c": "p"}
    found = found_for(b"\0/usr/share/p\0", entries, owners=owners, packages=[deb("p-data", source="p")])
    assert kinds(found) == {
        "/usr/share/p": EdgeKind.STATE,
        "/usr/share/p/a": EdgeKind.DATA,
        "/usr/share/p/b": EdgeKind.DATA,
        "/usr/share/p/b/c": EdgeKind.DATA,
    }


@pytest.mark.parametrize(
    ("content", "owner"),
    [
        ({"/usr/share/p/a": b"1" * 1_000_000}, "p"),
        ({"/usr/share/p/a.so": b"1"}, "p"),
        ({"/usr/share/p/a": b"1"}, "other"),
    ],
)
def test_a_large_shared_or_library_directory_is_kept_empty(content, owner):
    found = found_for(b"\0/usr/share/p\0", content, owners=dict.fromkeys(content, owner))
    assert kinds(found) == {"/usr/share/p": EdgeKind.STATE}


def test_a_pattern_brings_what_matches_in_a_private_directory():
    entries = {"/usr/lib/p/de.msg": b"1", "/usr/lib/p/x.txt": b"2"}
    found = found_for(b"\0/usr/lib/p/%s.msg\0", entries, owners=dict.fromkeys(entries, "p"))
    assert kinds(found) == {"/usr/lib/p/de.msg": EdgeKind.DATA}


def test_a_missing_state_path_needs_its_parent():
    found = found_for(b"\0/var/run/p/p.sock\0/usr/none/x\0", {"/run": None, "/var/run": "../run"})
    assert kinds(found) == {"/var/run": EdgeKind.STATE}


def test_a_named_program_of_others_is_an_option_and_a_shell_has_to_be_asked_for():
    entries = {"/usr/bin/q": make_elf(), "/usr/bin/own": make_elf(), "/bin/sh": make_elf()}
    constants = b"\0/usr/bin/q\0/usr/bin/own\0/bin/sh\0"
    owned = found_for(constants, entries, owners={"/usr/bin/q": "q", "/usr/bin/own": "p", "/bin/sh": "dash"})
    by_target = {edge.target: edge for edge in owned.edges}
    assert by_target["/usr/bin/own"].strength is Strength.HARD
    assert (by_target["/usr/bin/q"].group, by_target["/usr/bin/q"].default) == ("named-executables", False)
    alone = {edge.target: edge.default for edge in found_for(constants, entries).edges}
    assert alone == {"/usr/bin/own": True, "/usr/bin/q": True, "/bin/sh": False}


@pytest.mark.parametrize("further", [0, 100])
def test_words_end_a_string_and_stand_alone(further):
    """The same answer for a few names, which are looked for, and for many, which are compared with all words."""
    image = read_elf(memoryview(make_elf(constants=b"\0sort\0resort\0/bin/uniq\0cut \0id\0")))
    names = {"sort", "uniq", "cut", "id", "none", "[", *(f"name-{number}" for number in range(further))}
    assert words_among(image, names) == {"sort", "uniq"}


def test_functions_of_a_go_program_are_read_from_its_own_table():
    """The pclntab of Go 1.20 and later; present in stripped binaries too."""
    from pruner.analyze.elfimage import ElfImage, Section
    from pruner.analyze.literals import go_functions

    names = b"main.main\0time.LoadLocation\0"
    header = struct.pack("<IHBB", 0xFFFFFFF1, 0, 1, 8) + struct.pack("<8Q", 2, 1, 0, 72, 72 + len(names), 0, 0, 0)
    table = header + names
    image = read_elf(memoryview(make_elf()))
    fields = {name: getattr(image, name) for name in ElfImage.__dataclass_fields__}
    made = ElfImage(**{**fields, "data": memoryview(table)})
    made.__dict__["sections"] = (Section(".gopclntab", 1, 2, 0, len(table), 0),)
    assert go_functions(made) == {"main.main", "time.LoadLocation"}
