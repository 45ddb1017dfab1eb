"""The attack surface: what counts, what does not, and what a side can't tell."""

from __future__ import annotations

from datetime import date

import pytest

from pruner.errors import InputError
from pruner.gate.capabilities import capability_text
from pruner.gate.compare import compare
from pruner.gate.compare.surface import items_beyond, surface_of
from pruner.gate.evaluate import evaluate
from pruner.gate.policy import policy_of
from pruner.gate.types import Binary, SideFile, SideKind
from pruner.model import FileType
from pruner.rules import check_pack, load_rules
from pruner.rules.surface import bundled_catalogue, parse_catalogue, read_catalogue
from pruner.yamlfile import parse_yaml
from tests.support import ROOT
from tests.unit.sides import ELF, link, made_side, regular


def paths(surface, category):
    return [item.path for item in surface.items if item.category == category]


def of(files, binaries=None, **fields):
    found = {file.path: ELF for file in files} if binaries is None else binaries
    return surface_of(made_side([], files, binaries=found, **fields))


NET_RAW = bytes.fromhex("0100000200200000000000000000000000000000")
"""As `setcap cap_net_raw+ep` writes it."""


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (NET_RAW, "cap_net_raw=ep"),
        (b"", "none"),
        (
            bytes.fromhex("0000000203040000010000000000000000000000"),
            "cap_dac_override,cap_net_bind_service=p cap_chown=pi",
        ),
        (bytes.fromhex("000000010020000000000000"), "cap_net_raw=p"),
        (bytes.fromhex("01000003000000000000000001000000000000000a000000"), "cap_mac_override=ep"),
        (bytes.fromhex("0100"), "0100"),
        (bytes.fromhex("0100000900000000"), "0100000900000000"),
    ],
)
def test_capabilities_are_shown_as_getcap_does(value, text):
    """By name and set; what is in no known form as it is."""
    assert capability_text(value) == text


def test_a_library_that_only_a_removed_program_loaded_is_not_new():
    """It is idle now, and counted so; it did not come. One that an entry point comes to load does."""
    files = [regular(path, 0o755) for path in ("/usr/bin/app", "/usr/bin/other", "/usr/lib/libx.so.1")]
    needing, bare = Binary(starts=True, libraries=("libx.so.1",)), Binary(starts=True, libraries=())
    library = Binary(starts=False, libraries=())
    with_other = made_side(
        [], files, binaries={"/usr/bin/app": bare, "/usr/bin/other": needing, "/usr/lib/libx.so.1": library}
    )
    without = made_side([], [files[0], files[2]], binaries={"/usr/bin/app": bare, "/usr/lib/libx.so.1": library})
    loading = made_side([], [files[0], files[2]], binaries={"/usr/bin/app": needing, "/usr/lib/libx.so.1": library})
    one, two, three = (surface_of(side, entries=("/usr/bin/app",)) for side in (with_other, without, loading))
    assert paths(two, "idle-library") == ["/usr/lib/libx.so.1"]
    assert items_beyond(two, one, with_other) == []
    # Without an entry point only what is idle is listed: the library was there and loaded, and did not come.
    assert items_beyond(surface_of(without), surface_of(with_other), with_other) == []
    assert [item.category for item in items_beyond(three, two, without)] == ["library"]


@pytest.mark.parametrize(
    ("name", "category"),
    [
        ("bash", "shell"),
        ("python3.11", "interpreter"),
        ("perl5.36.0", "interpreter"),
        ("perl5.36-x86_64-linux-gnu", "interpreter"),
        ("apt-get", "package-manager"),
        ("pip3.11", "package-manager"),
        ("curl", "transfer"),
        ("x86_64-linux-gnu-gcc-12", "compiler"),
        ("x86_64-linux-gnu-cpp-12", "compiler"),
        ("x86_64-alpine-linux-musl-gcc", "compiler"),
        ("aarch64-linux-gnu-gfortran-12", "compiler"),
        ("gdb", "debugger"),
        ("base64", "encoder"),
        ("xargs", "launcher"),
        ("vim.tiny", "launcher"),
        ("su", "privilege"),
    ],
)
def test_a_program_counts_by_its_name(name, category):
    """In whatever directory it lies, provided that it can be started."""
    path = f"/opt/x/{name}"
    assert paths(of([regular(path, 0o755)]), category) == [path]
    assert paths(of([regular(path, 0o644)]), category) == []
    assert paths(of([regular(path, 0o755)], binaries={}), category) == []
    assert paths(of([regular(f"/usr/share/doc/x/{name}", 0o755)]), category) == []


@pytest.mark.parametrize(
    "name",
    [
        "python3-six.postinst",
        "python3.11-config",
        "gcc.conf",
        "bashful",
        "curlftpfs.txt",
        "notes",
        "pythonista",
        "sh.conf",
        "libcurl.so.4",
    ],
)
def test_other_names_are_no_category(name):
    """A name is matched whole."""
    assert bundled_catalogue().of_name(name) == ()


def test_what_can_be_started():
    """ELF with an entry point and scripts; not a shared object, not text with an executable bit."""
    files = [regular(path, 0o755) for path in ("/bin/elf", "/bin/script", "/lib/libx.so.1", "/bin/text")]
    binaries = {
        "/bin/elf": ELF,
        "/bin/script": Binary(starts=True, elf=False, interpreter="/bin/elf"),
        "/lib/libx.so.1": Binary(starts=False, libraries=()),
    }
    assert paths(of(files, binaries), "executable") == ["/bin/elf", "/bin/script"]
    # An SBOM does not tell a script from other text.
    assert paths(of(files, binaries, kind=SideKind.SBOM), "executable") == ["/bin/elf", "/bin/script", "/bin/text"]


def test_shared_objects_are_no_programs_whatever_entry_point_they_state():
    """Older linkers filled one in; of all shared objects a loader alone starts something."""
    paths_ = ("/lib/libold.so", "/lib/libold.so.6", "/lib64/ld-linux-x86-64.so.2", "/opt/x.o")
    found = of([regular(path, 0o755) for path in paths_], dict.fromkeys(paths_, ELF))
    assert paths(found, "executable") == ["/lib64/ld-linux-x86-64.so.2"]


def test_two_sides_count_programs_by_what_both_can_tell():
    """An SBOM does not know scripts and a plan no entry points: the same files give the same numbers of either."""
    files = [regular(path, 0o755) for path in ("/bin/elf", "/bin/text", "/opt/module.node")]
    binaries = {"/bin/elf": ELF, "/opt/module.node": Binary(starts=False, libraries=())}
    root = made_side([], files, binaries=binaries)
    sbom = made_side([], files, binaries=binaries, kind=SideKind.SBOM)
    plan = made_side([], files, binaries=None, kind=SideKind.PLAN)
    assert paths(surface_of(root), "executable") == ["/bin/elf"]
    for one, other, expected in (
        (root, sbom, ["/bin/elf", "/bin/text"]),
        (sbom, plan, ["/bin/elf", "/bin/text", "/opt/module.node"]),
        (plan, root, ["/bin/elf", "/bin/text", "/opt/module.node"]),
    ):
        for side, partner in ((one, other), (other, one)):
            assert paths(surface_of(side, other=partner), "executable") == expected


def test_links_count_where_their_name_says_more():
    """/bin/sh is the shell that it leads to; every applet of busybox is a program; a dangling link is none."""
    found = of(
        [
            regular("/bin/busybox", 0o755),
            regular("/bin/dash", 0o755),
            link("/bin/sh", "dash"),
            link("/bin/wget", "/bin/busybox"),
            link("/bin/base64", "busybox"),
            link("/bin/ls", "busybox"),
            link("/bin/curl", "/nowhere"),
            link("/usr", "/"),
            link("/opt/nc", "/usr/bin/busybox"),
        ]
    )
    assert paths(found, "shell") == ["/bin/busybox", "/bin/dash"]
    assert paths(found, "transfer") == ["/bin/busybox", "/bin/wget", "/opt/nc"]
    assert paths(found, "encoder") == ["/bin/base64", "/bin/busybox"]
    assert paths(found, "executable") == ["/bin/busybox", "/bin/dash"]


def test_other_names_of_a_program_are_said_with_it():
    """Who looks for gcc finds it where it is a link to a longer name, and it counts once."""
    program = "/usr/bin/x86_64-linux-gnu-gcc-12"
    links = [link("/usr/bin/gcc", "gcc-12"), link("/usr/bin/gcc-12", program), link("/opt/gcc", program)]
    links += [link("/usr/bin/cc", "/etc/alternatives/cc"), link("/etc/alternatives/cc", "/usr/bin/gcc")]
    found = of([regular(program, 0o755), *links, regular("/bin/bash", 0o755)])
    said = {item.path: item.detail for item in found.items if item.category in {"compiler", "shell"}}
    assert said == {program: "also cc, gcc, gcc-12", "/bin/bash": ""}
    side = made_side([], [regular(program, 0o755), *links], binaries={program: ELF})
    verdict = evaluate(compare(side, side), policy_of("version: 1\nforbid: [compiler]\n"), today=date(2026, 6, 1))
    (finding,) = (finding for finding in verdict.findings if finding.rule == "forbid")
    assert finding.what == f"compiler {program} (also cc, gcc, gcc-12) is there, and 'compiler' is forbidden"


def test_modes_and_capabilities():
    """setuid, setgid, capabilities and what everybody may write; /tmp with its sticky bit is as it should be."""

    def folder(path, mode):
        return SideFile(path=path, type=FileType.DIRECTORY, mode=mode, capabilities=b"")

    found = of(
        [
            regular("/bin/su", 0o4755),
            regular("/bin/wall", 0o2755),
            regular("/bin/ping", 0o755, capabilities=NET_RAW),
            regular("/etc/open", 0o666),
            folder("/tmp", 0o1777),
            folder("/var/open", 0o777),
            folder("/var/mail", 0o2775),
            link("/link", "x"),
        ]
    )
    assert paths(found, "setuid") == ["/bin/su"]
    assert paths(found, "setgid") == ["/bin/wall"]
    assert [(item.path, item.detail) for item in found.items if item.category == "capability"] == [
        ("/bin/ping", "cap_net_raw=ep")
    ]
    assert paths(found, "world-writable") == ["/etc/open", "/var/open"]


def test_libraries_on_the_way_of_the_entry_points():
    """Followed through DT_NEEDED, links and interpreters; others load some, nothing loads the rest."""
    files = [
        regular("/usr/bin/app", 0o755),
        regular("/usr/bin/run", 0o755),
        regular("/usr/bin/other", 0o755),
        regular("/usr/lib/liba.so.1.2"),
        link("/usr/lib/liba.so.1", "liba.so.1.2"),
        regular("/usr/lib/libb.so.2"),
        regular("/usr/lib/libc.so.3"),
        regular("/usr/lib/plugin.so"),
        regular("/usr/lib/ld-linux.so.2", 0o755),
        regular("/opt/app/libb.so.2"),
    ]
    binaries = {
        "/usr/bin/app": Binary(starts=True, libraries=("liba.so.1",), interpreter="/usr/lib/ld-linux.so.2"),
        "/usr/bin/run": Binary(starts=True, elf=False, interpreter="/usr/bin/app"),
        "/usr/bin/other": Binary(starts=True, libraries=("libc.so.3", "libnowhere.so")),
        "/usr/lib/liba.so.1.2": Binary(starts=False, libraries=("libb.so.2",)),
        "/usr/lib/libb.so.2": Binary(starts=False, libraries=()),
        "/usr/lib/libc.so.3": Binary(starts=False, libraries=("libc.so.3",)),
        "/usr/lib/plugin.so": Binary(starts=False, libraries=("libb.so.2",)),
        "/usr/lib/ld-linux.so.2": Binary(starts=True, libraries=()),
        "/opt/app/libb.so.2": Binary(starts=False, libraries=()),
    }
    side = made_side([], files, binaries=binaries)
    found = surface_of(side, entries=("/usr/bin/run",))
    assert paths(found, "library") == ["/usr/lib/ld-linux.so.2", "/usr/lib/liba.so.1.2", "/usr/lib/libb.so.2"]
    assert paths(found, "other-library") == ["/usr/lib/libc.so.3"]
    assert paths(found, "idle-library") == ["/opt/app/libb.so.2", "/usr/lib/plugin.so"]
    without = surface_of(side)
    assert paths(without, "library") == []
    assert {"library", "other-library"} <= set(without.unknown)
    assert paths(without, "idle-library") == ["/opt/app/libb.so.2", "/usr/lib/plugin.so"]


def test_libraries_are_unknown_where_links_may_be_missing():
    """A listing of owned files lacks the links by which a loader finds libraries: none is called idle."""
    files = [regular("/usr/bin/app", 0o755), regular("/usr/lib/libx.so.1.2", 0o644)]
    binaries = {
        "/usr/bin/app": Binary(starts=True, libraries=("libx.so.1",)),
        "/usr/lib/libx.so.1.2": Binary(starts=False, libraries=()),
    }
    partial = made_side([], files, binaries=binaries, kind=SideKind.SBOM, complete=False)
    found = surface_of(partial, entries=("/usr/bin/app",))
    assert {"library", "other-library", "idle-library"} <= set(found.unknown)
    assert paths(found, "idle-library") == []


def test_what_a_side_can_not_tell():
    """No files, no modes, no capabilities: unknown, and no zero."""
    nothing = surface_of(made_side([], None))
    assert {"shell", "setuid", "executable", "capability", "library", "world-writable"} <= set(nothing.unknown)
    assert nothing.items == ()
    bare = surface_of(made_side([], [SideFile(path="/bin/sh", type=FileType.REGULAR)], binaries=None))
    assert {"shell", "setuid", "executable", "capability"} <= set(bare.unknown)
    sbom = surface_of(made_side([], [regular("/bin/sh", 0o755, capabilities=None)], kind=SideKind.SBOM))
    assert "capability" in sbom.unknown
    assert "shell" not in sbom.unknown


def test_a_default_scan_can_not_tell(tmp_path):
    """Syft lists executables that no package owns without their mode: they count by name, and no zero is claimed."""
    from tests.unit.sides import debian, file_of, program, side

    executable = {"format": "elf", "hasEntrypoint": True, "hasExports": False, "importedLibraries": []}
    bare = {"id": "f", "location": {"path": "/opt/bash"}, "executable": executable}
    library = {**bare, "location": {"path": "/opt/curl"}, "executable": {**executable, "hasEntrypoint": False}}
    artifacts, listed = [debian("tool", "1", ["/x"])], [file_of("/x"), bare, {**library, "id": "g"}]
    owned = {"name": "syft", "version": "1.18.1", "configuration": {"files": {"selection": "owned-by-package"}}}
    for descriptor in (owned, {**owned, "configuration": {"files": {"selection": "all"}}}):
        found = surface_of(side(tmp_path, artifacts, listed, descriptor=descriptor))
        assert {"setuid", "setgid", "executable", "world-writable", "shell", "transfer"} <= set(found.unknown)
        assert paths(found, "shell") == paths(found, "executable") == ["/opt/bash"]
        assert paths(found, "transfer") == []
    whole = surface_of(side(tmp_path, artifacts, [file_of("/x"), program("/opt/bash")]))
    assert paths(whole, "shell") == ["/opt/bash"]
    assert not {"setuid", "shell"} & set(whole.unknown)
    partial = surface_of(side(tmp_path, artifacts, [file_of("/x")], descriptor=owned))
    assert {"setuid", "shell"} <= set(partial.unknown)  # a script of no package would not be listed


def test_items_are_sorted():
    """By category, then path."""
    files = [regular(path, 0o4755) for path in ("/z/sh", "/a/bash", "/b/wget")]
    items = [(item.category, item.path) for item in of(files).items]
    assert items == sorted(items)


# -- the catalogue -----------------------------------------------------------------------------------------------------


def test_the_bundled_catalogue_is_sound():
    """Every category has a reason and references, and names GTFOBins or LOLBAS; the pack that holds it is sound."""
    catalogue = bundled_catalogue()
    assert {"shell", "interpreter", "package-manager", "transfer", "compiler", "debugger", "encoder"} <= {
        category.id for category in catalogue.categories
    }
    for category in catalogue.categories:
        assert category.why
        if category.id != "multi-call":
            assert any("GTFOBins" in text for text in category.reference)
            assert any("LOLBAS" in text for text in category.reference)
    assert check_pack(ROOT / "rules") == ()
    assert load_rules().rules


def test_names_of_the_catalogue_match_themselves():
    """No name is hidden by another spelling of the same; a glob has a beginning or an end of its own."""
    catalogue = bundled_catalogue()
    for category in catalogue.categories:
        assert len(set(category.names)) == len(category.names)
        for name in category.names:
            example = name.replace("{version}", "3.11").replace("*", "x")
            assert set(category.counts_as) <= set(catalogue.of_name(example)), name


GOOD = "format: 1\nsurface:\n  - {id: shell, names: [sh], why: because, reference: [x]}\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("format: 2\nsurface: []\n", "format: expected 1"),
        ("format: 1\nsurface: []\n", "surface: expected a list"),
        (GOOD.replace("names", "nams"), "unknown key, did you mean 'names'?"),
        (GOOD.replace("why: because, ", ""), "surface[0].why: expected text"),
        (GOOD.replace("[sh]", "[/bin/sh]"), "is a path, not a base name"),
        (GOOD.replace("[sh]", "sh"), "surface[0].names: expected a list of texts"),
        (GOOD.replace("why", "as: [shel], why"), "no category 'shel', did you mean 'shell'?"),
        (GOOD + "  - {id: shell, names: [a], why: b, reference: [c]}\n", "'shell' is there twice"),
        (GOOD + "not-executed:\n  - {paths: [usr], why: b, reference: [c]}\n", "is no directory"),
        (GOOD + "more: 1\n", "more: unknown key"),
        ("surface\n", "expected the keys"),
    ],
)
def test_problems_of_a_catalogue(text, expected):
    """File, line and key, with the nearest key where there is one."""
    problems = parse_catalogue(parse_yaml(text, name="x"), "x.yaml")[1]
    assert any(expected in problem and problem.startswith("x.yaml:") for problem in problems), problems


def test_rules_check_reads_a_catalogue(tmp_path, run):
    """A pack's problems are reported together with those of its rules."""
    (tmp_path / "surface.yaml").write_text(GOOD.replace("names", "nams"))
    done = run("rules", "check", tmp_path)
    assert done.code == 1
    assert "did you mean 'names'?" in done.out
    (tmp_path / "surface.yaml").write_text(GOOD)
    assert run("rules", "check", tmp_path).code == 0


def test_a_broken_catalogue_is_an_input_error(tmp_path):
    """The first problem and how many there are."""
    path = tmp_path / "surface.yaml"
    path.write_text("format: 1\nsurface:\n  - {id: shell}\n")
    with pytest.raises(InputError, match=r"surface\.yaml:3: surface\[0\]\.names.*\(and 2 more\)"):
        read_catalogue(path)


def test_libraries_of_a_root_without_programs_are_none():
    """A root is seen whole: where nothing is ELF, no library is idle. A document may lack what links say."""
    text = [regular("/etc/x")]
    assert "idle-library" not in of(text, {}).unknown
    assert "idle-library" in of(text, {}, kind=SideKind.SBOM).unknown


def test_a_library_that_nothing_loads_any_more_did_not_come():
    """Without entry points as well, where what other programs load is no category."""
    files = [regular("/bin/tool", 0o755), regular("/lib/libx.so.1")]
    found = {"/bin/tool": Binary(starts=True, libraries=("libx.so.1",)),
             "/lib/libx.so.1": Binary(starts=False, libraries=())}  # fmt: skip
    before, after = made_side([], files, binaries=found), made_side([], files[1:], binaries=dict([*found.items()][1:]))
    one, two = surface_of(before), surface_of(after)
    assert (one.counts().get("idle-library"), two.counts()["idle-library"]) == (None, 1)
    assert items_beyond(two, one, before) == []
    assert [item.path for item in items_beyond(two, surface_of(made_side()), made_side())] == ["/lib/libx.so.1"]
