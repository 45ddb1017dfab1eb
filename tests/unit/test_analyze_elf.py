"""ELF files: what is read out of them, and the edges that follow."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from pruner.analyze.elf import edges_of_elf
from pruner.analyze.elfimage import ElfError, read_elf
from pruner.model import Edge, EdgeKind, Findings, Strength
from tests.elfs import deb, made_view, make_elf
from tests.support import need

LIB = "/usr/lib/x86_64-linux-gnu"
LOADER = "/lib64/ld-linux-x86-64.so.2"


def look(view, path: str, active: bool = True) -> Findings:
    return edges_of_elf(view.tree.get(path), view.read(path), active, view)


def targets(found: Findings, kind: EdgeKind | None = None) -> list[str]:
    return [edge.target for edge in found.edges if kind in (None, edge.kind)]


def edge_to(found: Findings, target: str) -> Edge:
    return next(edge for edge in found.edges if edge.target == target)


@pytest.mark.parametrize(
    ("bits", "little", "machine"),
    [(64, True, 62), (64, True, 183), (32, True, 3), (64, False, 22), (32, False, 20), (64, False, 21), (32, True, 40)],
)
def test_every_class_and_byte_order_is_read(bits, little, machine):
    """amd64, arm64, i386, s390x (8-byte hash words), ppc, ppc64 and arm files say the same to the reader."""
    data = make_elf(
        bits=bits,
        little=little,
        machine=machine,
        needed=["libz.so.1", "libc.so.6"],
        runpath="$ORIGIN/../lib:/opt/x",
        soname="libme.so.3",
        interpreter=LOADER,
        imports=["dlopen", "getpwnam"],
    )
    image = read_elf(memoryview(data))
    assert (image.abi.bits, image.abi.little, image.abi.machine) == (bits, little, machine)
    assert image.needed == ("libz.so.1", "libc.so.6")
    assert image.runpath == ("$ORIGIN/../lib", "/opt/x")
    assert (image.soname, image.interpreter) == ("libme.so.3", LOADER)
    assert image.imported_symbols == {"dlopen", "getpwnam"}
    assert image.damage == ()


def test_what_is_no_elf_file_is_refused():
    with pytest.raises(ElfError, match="no ELF header"):
        read_elf(memoryview(b"#!/bin/sh\n"))


def test_a_cut_file_is_an_unknown_not_an_error():
    """The unknown names the file; what lies before the cut still counts."""
    whole = make_elf(needed=["libz.so.1"], constants=b"\0" * 4096)
    view = made_view({"/app/x": whole[:-4000], "/app/y": whole[:30], f"{LIB}/libz.so.1": make_elf()})
    found = look(view, "/app/x")
    assert [(unknown.kind, unknown.subject) for unknown in found.unknowns] == [("elf", "/app/x")]
    assert f"{LIB}/libz.so.1" in targets(found, EdgeKind.LOAD)
    assert look(view, "/app/y").unknowns[0].detail == "cut within its header at 30 bytes"


def test_origin_and_run_path_come_before_the_system():
    entries = {
        "/opt/a/bin/p": make_elf(needed=["libx.so.1"], runpath="$ORIGIN/../lib"),
        "/opt/a/lib/libx.so.1": make_elf(),
        f"{LIB}/libx.so.1": make_elf(),
    }
    assert targets(look(made_view(entries), "/opt/a/bin/p"), EdgeKind.LOAD) == ["/opt/a/lib/libx.so.1"]


def test_rpath_is_ignored_beside_a_run_path():
    """ld.so(8): DT_RPATH counts only where there is no DT_RUNPATH."""
    libraries = {"/r/libx.so": make_elf(), "/q/libx.so": make_elf()}
    both = made_view({"/p": make_elf(needed=["libx.so"], rpath="/r", runpath="/q"), **libraries})
    alone = made_view({"/p": make_elf(needed=["libx.so"], rpath="/r"), **libraries})
    assert targets(look(both, "/p"), EdgeKind.LOAD) == ["/q/libx.so"]
    assert targets(look(alone, "/p"), EdgeKind.LOAD) == ["/r/libx.so"]


def test_a_library_of_another_machine_is_passed_over():
    entries = {
        "/p": make_elf(needed=["libx.so"], runpath="/wrong:/narrow:/right"),
        "/wrong/libx.so": make_elf(machine=183),
        "/narrow/libx.so": make_elf(bits=32, machine=62),
        "/right/libx.so": make_elf(),
    }
    assert targets(look(made_view(entries), "/p"), EdgeKind.LOAD) == ["/right/libx.so"]


def test_a_directory_of_ld_so_conf_needs_the_cache():
    """Only ldconfig reads /etc/ld.so.conf, so a library found through it is lost without /etc/ld.so.cache."""
    entries = {
        "/p": make_elf(needed=["libx.so.1"]),
        "/usr/local/lib/libx.so.1": make_elf(),
        "/etc/ld.so.conf": b"include /etc/ld.so.conf.d/*.conf\n",
        "/etc/ld.so.conf.d/libc.conf": b"# comment\n/usr/local/lib\n",
    }
    assert look(made_view(entries), "/p").unknowns[0].kind == "needed"
    found = look(made_view({**entries, "/etc/ld.so.cache": b"cache"}), "/p")
    assert targets(found, EdgeKind.LOAD) == ["/usr/local/lib/libx.so.1"]
    assert targets(found, EdgeKind.STATE) == ["/etc/ld.so.cache"]


def test_musl_has_directories_of_its_own():
    entries = {
        "/usr/bin/p": make_elf(needed=["libx.so.1", "libc.musl-x86_64.so.1"], interpreter="/lib/ld-musl-x86_64.so.1"),
        "/lib/ld-musl-x86_64.so.1": make_elf(soname="libc.so"),
        "/lib/libc.musl-x86_64.so.1": "ld-musl-x86_64.so.1",
        "/usr/local/lib/libx.so.1": make_elf(),
    }
    expected = ["/lib/ld-musl-x86_64.so.1", "/usr/local/lib/libx.so.1", "/lib/libc.musl-x86_64.so.1"]
    assert targets(look(made_view(entries), "/usr/bin/p"), EdgeKind.LOAD) == expected
    elsewhere = {**entries, "/etc/ld-musl-x86_64.path": b"/lib\n/opt/l\n", "/opt/l/libx.so.1": make_elf()}
    assert "/opt/l/libx.so.1" in targets(look(made_view(elsewhere), "/usr/bin/p"))


def test_variants_for_better_processors_are_an_option():
    better = f"{LIB}/glibc-hwcaps/x86-64-v3/libx.so.1"
    view = made_view({"/p": make_elf(needed=["libx.so.1"]), f"{LIB}/libx.so.1": make_elf(), better: make_elf()})
    found = look(view, "/p")
    assert edge_to(found, f"{LIB}/libx.so.1").strength is Strength.HARD
    assert (edge_to(found, better).strength, edge_to(found, better).default) == (Strength.OPTIONAL, False)


def test_a_library_beside_a_plugin_is_found_without_a_run_path():
    """Who loads the plugin may search that directory (inherited RPATH); nothing better is known."""
    view = made_view({"/opt/p/plugin.so": make_elf(needed=["libown.so"]), "/opt/p/libown.so": make_elf()})
    found = look(view, "/opt/p/plugin.so")
    assert targets(found, EdgeKind.LOAD) == ["/opt/p/libown.so"]
    assert found.unknowns == ()


def test_an_unresolved_library_is_an_unknown():
    found = look(made_view({"/p": make_elf(needed=["libgone.so.9"])}), "/p")
    assert [(unknown.kind, unknown.detail) for unknown in found.unknowns] == [
        ("needed", "DT_NEEDED libgone.so.9 is not found")
    ]


def test_an_inert_program_only_may_need_its_libraries():
    """A library's needs are hard in either state; those of a program that nothing starts are an option."""
    entries = {
        "/usr/bin/p": make_elf(needed=["libx.so.1"], interpreter=LOADER, constants=b"\0/etc/p.conf\0"),
        "/usr/lib64/ld-linux-x86-64.so.2": make_elf(),
        "/lib64": "usr/lib64",
        f"{LIB}/libx.so.1": make_elf(needed=["libx.so.2"], constants=b"\0/etc/p.conf\0"),
        f"{LIB}/libx.so.2": make_elf(),
        "/etc/p.conf": b"x",
    }
    view = made_view(entries)
    inert = look(view, "/usr/bin/p", active=False)
    assert {edge.group for edge in inert.edges} == {"companion-programs"}
    assert set(targets(inert)) == {"/usr/lib64/ld-linux-x86-64.so.2", "/lib64", f"{LIB}/libx.so.1"}
    library = look(view, f"{LIB}/libx.so.1", active=False)
    assert [(edge.target, edge.strength) for edge in library.edges] == [(f"{LIB}/libx.so.2", Strength.HARD)]
    assert edge_to(look(view, "/usr/bin/p"), "/etc/p.conf").kind is EdgeKind.DATA


def test_dlopen_literals_follow_what_packagers_declared():
    """Declared: a need. Not declared, though it could have been: refused by default. Nobody could: taken by default."""
    data = make_elf(imports=["dlopen"], constants=b"\0libdeclared.so.1\0libother.so.1\0.cpython-311.so\0")
    entries = {"/usr/bin/p": data, f"{LIB}/libdeclared.so.1": make_elf(), f"{LIB}/libother.so.1": make_elf()}
    owners = {"/usr/bin/p": "p", f"{LIB}/libdeclared.so.1": "declared", f"{LIB}/libother.so.1": "other"}
    packages = [deb("p", depends=["declared (>= 1)"])]
    found = look(made_view(entries, owners=owners, packages=packages), "/usr/bin/p")
    assert edge_to(found, f"{LIB}/libdeclared.so.1").strength is Strength.HARD
    other = edge_to(found, f"{LIB}/libother.so.1")
    assert (other.group, other.default) == ("dlopen-literals", False)
    lone = look(made_view(entries, owners={f"{LIB}/libother.so.1": "other"}), "/usr/bin/p")
    assert edge_to(lone, f"{LIB}/libother.so.1").default is True


def test_a_library_name_without_dlopen_is_nothing():
    view = made_view({"/p": make_elf(constants=b"\0libx.so.1\0"), f"{LIB}/libx.so.1": make_elf()})
    assert look(view, "/p").edges == ()


def test_dlopen_without_any_name_is_an_unknown():
    found = look(made_view({"/p": make_elf(imports=["dlopen"])}), "/p")
    assert [unknown.kind for unknown in found.unknowns] == ["dlopen"]


def test_commands_of_one_source_are_needed_and_scripts_of_dependencies_are_an_option():
    data = make_elf(imports=["execvp"], constants=b"\0/agent/gpg-agent\0deluser\0sort\0")
    entries = {
        "/usr/bin/gpg": data,
        "/usr/bin/gpg-agent": make_elf(),
        "/usr/sbin/deluser": b"#!/usr/bin/perl\n",
        "/usr/bin/sort": make_elf(),
    }
    owners = {
        "/usr/bin/gpg": "gpg",
        "/usr/bin/gpg-agent": "gpg-agent",
        "/usr/sbin/deluser": "adduser",
        "/usr/bin/sort": "coreutils",
    }
    packages = [deb("gpg", source="gnupg2", depends=["adduser"]), deb("gpg-agent", source="gnupg2")]
    found = look(made_view(entries, owners=owners, packages=packages), "/usr/bin/gpg")
    assert edge_to(found, "/usr/bin/gpg-agent").strength is Strength.HARD
    assert (edge_to(found, "/usr/sbin/deluser").strength, edge_to(found, "/usr/sbin/deluser").default) == (
        Strength.OPTIONAL,
        False,
    )
    assert "/usr/bin/sort" not in targets(found)


ESSENTIAL = {
    "/usr/bin/gzip": "gzip",
    "/usr/bin/gunzip": "gzip",
    "/usr/bin/sed": "sed",
    "/usr/bin/tar": "other-tar",
    "/usr/bin/sort": "coreutils",
}
TOOLS = b"\0gzip\0gunzip\0sed\0tar\0sort\0"


def essential(entries: dict[str, bytes], path: str) -> dict[str, tuple[Strength, bool]]:
    """How `path` needs the tools of a root where gzip, sed and coreutils are Essential."""
    made = {name: deb(name) for name in sorted({*ESSENTIAL.values()})}
    packages = [
        replace(package, stanza=f"Package: {name}\nEssential: {'no' if name == 'other-tar' else 'Yes'}\nVersion: 1\n")
        for name, package in made.items()
    ]
    programs = {name: make_elf(interpreter="/ld.so") for name in ESSENTIAL} | {"/usr/bin/gunzip": b"#!/bin/sh\n"}
    view = made_view({**programs, **entries}, owners={**ESSENTIAL, path: "app"}, packages=packages)
    edges = look(view, path).edges
    return {edge.target: (edge.strength, edge.default) for edge in edges if edge.group == "essential-commands"}


@pytest.mark.parametrize("symbol", ["execvp", "execlp", "posix_spawnp", "popen", "system", "g_spawn_async"])
def test_tools_of_essential_packages_are_taken_from_who_starts_programs_by_name(symbol):
    """Nobody declares them; `sort` is a word, and tar is not Essential here."""
    program = make_elf(imports=[symbol], constants=TOOLS, interpreter="/ld.so")
    taken = (Strength.OPTIONAL, True)
    assert essential({"/usr/bin/app": program}, "/usr/bin/app") == {
        "/usr/bin/gzip": taken,
        "/usr/bin/gunzip": taken,
        "/usr/bin/sed": taken,
    }


@pytest.mark.parametrize("symbol", ["execve", "execv", "fexecve", "fork", "read", "systemd_notify"])
def test_a_word_is_no_command_of_who_needs_a_path(symbol):
    program = make_elf(imports=[symbol], constants=TOOLS, interpreter="/ld.so")
    assert essential({"/usr/bin/app": program}, "/usr/bin/app") == {}


def test_a_library_is_not_given_the_shell_of_a_script():
    library = make_elf(imports=["popen"], constants=TOOLS, soname="libapp.so")
    found = essential({"/usr/lib/libapp.so": library}, "/usr/lib/libapp.so")
    assert {target: default for target, (_, default) in found.items()} == {
        "/usr/bin/gzip": True,
        "/usr/bin/gunzip": False,
        "/usr/bin/sed": True,
    }


def test_an_essential_tool_does_not_need_itself():
    program = make_elf(imports=["execvp"], constants=TOOLS, interpreter="/ld.so")
    assert essential({"/usr/bin/sed": program}, "/usr/bin/sed").keys() == {"/usr/bin/gzip", "/usr/bin/gunzip"}


# -- files that a real compiler made ------------------------------------------------------------------------------------


def compiled(tmp_path: Path, source: str, *options: str) -> bytes:
    gcc = need("gcc")
    code, out = tmp_path / "source.c", tmp_path / "out"
    code.write_text(source)
    subprocess.run([gcc, str(code), "-o", str(out), *options], check=True, capture_output=True)
    return out.read_bytes()


def test_a_compiled_program_is_read_with_and_without_section_headers(tmp_path):
    """Symbols that only a GNU hash table counts, literals in .rodata; the same once section headers are stripped."""
    source = '#include <pwd.h>\n#include <stdio.h>\nint main(){puts("/etc/own.conf");return getpwnam("x")!=0;}'
    data = compiled(tmp_path, source, "-Wl,--hash-style=gnu", "-O0")
    stripped = bytearray(data)
    stripped[40:48], stripped[60:64] = bytes(8), bytes(4)  # e_shoff, e_shnum, e_shstrndx
    view = made_view({"/app/p": data, "/app/q": bytes(stripped), "/etc/own.conf": b"x"})
    for path in ("/app/p", "/app/q"):
        found = look(view, path)
        assert {"getpwnam", "puts"} <= found.symbols, path
        assert "/etc/own.conf" in targets(found, EdgeKind.DATA), path


def test_the_metadata_of_a_dlopen_note_decides(tmp_path):
    """systemd's note: of alternatives the first that is there; required is hard, suggested is refused by default."""
    note = (
        '[{"feature":"a","priority":"required","soname":["libgone.so.2","libhard.so.1"]},'
        '{"feature":"b","priority":"recommended","soname":["libsoft.so.1"]},'
        '{"feature":"c","priority":"suggested","soname":["librare.so.1"]}]'
    )
    escaped = note.replace('"', '\\"')
    source = f"""
    __asm__(".pushsection .note.dlopen, \\"a\\", @note\\n.p2align 2\\n.long 4f - 3f\\n.long 6f - 5f\\n.long 0x407c0c0a\\n"
            "3: .asciz \\"FDO\\"\\n4: .p2align 2\\n5: .asciz \\"{escaped.replace(chr(92), chr(92) * 3)}\\"\\n6: .p2align 2\\n.popsection\\n");
    int f(void) {{ return 1; }}"""
    data = compiled(tmp_path, source, "-shared", "-fPIC", "-nostdlib")
    machine = read_elf(memoryview(data)).abi.machine
    names = ("libhard.so.1", "libsoft.so.1", "librare.so.1")
    view = made_view({"/opt/l.so": data, **{f"/usr/lib/{name}": make_elf(machine=machine) for name in names}})
    found = look(view, "/opt/l.so")
    answers = {edge.target: (edge.strength, edge.default) for edge in found.edges}
    assert answers == {
        "/usr/lib/libhard.so.1": (Strength.HARD, True),
        "/usr/lib/libsoft.so.1": (Strength.OPTIONAL, True),
        "/usr/lib/librare.so.1": (Strength.OPTIONAL, False),
    }


def test_functions_of_a_static_program_stand_for_its_imports(tmp_path):
    """Nothing is imported there, so rules are given what was linked in."""
    source = "int getpwnam_like(void){return 2;} int main(){return getpwnam_like();}"
    data = compiled(tmp_path, source, "-nostdlib", "-static", "-Wl,-e,main")
    found = look(made_view({"/app/p": data}), "/app/p")
    assert "getpwnam_like" in found.symbols
    assert found.unknowns == ()
