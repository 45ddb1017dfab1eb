"""What slices are made from: the same from a plan in memory and from its directory; owners and makers of state."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pytest

from pruner import make_planned
from pruner.cli.output import write_directory
from pruner.emit import emit_all
from pruner.errors import EntryError, InputError
from pruner.model import FileType
from pruner.pipeline import Planned, Request
from pruner.plan.slicefacts import ArchiveFacts, SliceFacts
from pruner.slices.generate import generate
from pruner.slices.makers import Makers
from pruner.slices.packages import plan_packages
from pruner.slices.source import source_of_directory, source_of_planned
from pruner.slices.statepaths import state_content
from pruner.slices.types import PathKind, SliceKey, SliceSource
from tests.elfs import make_elf
from tests.smallroots import SmallRoot, make_root
from tests.unit.emit_plans import file_plan
from tests.unit.packages import deb

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TOOL = b"#!/bin/sh\ncat /etc/tool/tool.conf /etc/tool/shipped.conf /etc/hosts /var/lib/other/state\n"
RELEASE = b'ID=debian\nVERSION_ID="12"\n'
POSTINST = """#!/bin/sh
# /etc/hosts is netbase's
mkdir -p /var/lib/tool
echo made > /etc/tool/tool.conf
update-alternatives --install /usr/bin/generic generic /usr/bin/tool 10
"""
NETBASE = "#!/bin/sh\n[ -e /etc/hosts ] || printf '127.0.0.1 localhost\\n' > /etc/hosts\n"


@pytest.fixture
def archives(tmp_path: Path) -> Path:
    """A tool with state that two packages' scripts make, one of their names shipped below `/bin`."""
    home = tmp_path / "archives"
    home.mkdir()
    deb(home, "base-files", {"/usr/": b"", "/usr/lib/": b"", "/usr/lib/os-release": RELEASE, "/tmp/": b""})
    shell = make_elf(interpreter="/lib64/ld.so")
    deb(home, "dash", {"/bin/": b"", "/bin/dash": shell, "/bin/sh": "-> dash"}, architecture="amd64")
    deb(home, "netbase", {"/etc/": b"", "/etc/protocols": b"tcp 6\n"}, control={"postinst": NETBASE})
    deb(
        home,
        "tool",
        {
            "/usr/": b"", "/usr/bin/": b"", "/usr/bin/tool": TOOL, "/etc/": b"", "/etc/tool/": b"",
            "/etc/tool/shipped.conf": b"a = 1\n", "/usr/share/doc/tool/copyright": b"free\n", "/usr/share/tool/x": b"x",
            "/usr/share/man/man1/tool.1": b"manual\n",
        },
        fields="Depends: dash, netbase\n",
        control={"postinst": POSTINST, "conffiles": "/etc/tool/shipped.conf\n"},
    )  # fmt: skip
    return home


def planned(archives: Path, *entries: str) -> Planned:
    return make_planned(Request(sbom=None, root=str(archives), entries=entries or ("/usr/bin/tool",), features={}))


def written(plan: Planned, place: Path) -> Path:
    write_directory(place, emit_all(plan.plan, image=None, materials=plan.materials))
    return place


@pytest.fixture
def source(archives: Path) -> SliceSource:
    return source_of_planned(planned(archives))


class TestSource:
    def test_is_the_same_from_memory_and_from_a_directory(self, archives: Path, tmp_path: Path) -> None:
        """Nothing that slices need is lost in a plan directory."""
        plan = planned(archives)
        assert source_of_directory(written(plan, tmp_path / "plan")) == source_of_planned(plan)

    def test_names_are_those_of_the_archive(self, source: SliceSource) -> None:
        """A name of a merged `/usr` is known as its package ships it; the merged links are base-files' state."""
        dash = source.files["/usr/bin/dash"]
        assert (dash.package, dash.shipped, dash.elf) == ("dash", "/bin/dash", True)
        link = source.files["/bin"]
        assert (link.package, link.shipped, link.target, link.maker) == ("base-files", None, "usr/bin", "")

    def test_lists_what_packages_ship_in_full(self, source: SliceSource) -> None:
        """Dropped names and directories are listed too, as shipped; packages that are dropped are not."""
        assert "/usr/share/man/man1/tool.1" in source.listed["tool"]
        assert "/usr/share/man/man1/tool.1" not in source.files
        assert list(source.listed["dash"]) == ["/bin", "/bin/dash", "/bin/sh"]
        assert {"base-files", "dash", "tool"} <= set(source.listed) <= {"base-files", "dash", "tool", "netbase"}

    def test_tells_conffiles_and_programs(self, source: SliceSource) -> None:
        """A conffile is one; a script that may be executed is a program, its configuration is not."""
        assert source.files["/etc/tool/shipped.conf"].conffile
        assert source.files["/usr/bin/tool"].executable
        assert not source.files["/etc/tool/shipped.conf"].executable

    def test_state_has_its_bytes_and_its_maker(self, source: SliceSource) -> None:
        """What a script makes belongs to the script's package, and its content is known."""
        made = source.files["/etc/tool/tool.conf"]
        assert (made.package, made.shipped, made.maker, made.content) == ("tool", None, "postinst", b"made\n")

    def test_entries_and_needs_reach_all_files(self, source: SliceSource) -> None:
        """Whatever the plan keeps that is no directory is needed by what an entry point names."""
        seen: set[str] = set()
        waiting = list(source.entries)
        while waiting:
            path = waiting.pop()
            if path not in seen:
                seen.add(path)
                waiting += [need.target for need in source.needs.get(path, ())]
        assert seen >= {path for path, file in source.files.items() if file.type != "directory"}

    def test_the_package_database_is_left_out(self, source: SliceSource) -> None:
        """chisel writes its manifest in the place of pruner's database."""
        assert not [path for path in source.files if path.startswith("/var/lib/dpkg")]

    def test_directories_belong_to_a_package_that_ships_them(self, source: SliceSource) -> None:
        """A directory of several packages is one of theirs."""
        assert source.files["/etc/tool"].package == "tool"
        assert source.files["/etc/tool"].shipped == "/etc/tool"
        assert source.files["/usr/bin"].shipped == "/usr/bin"


class TestBadInput:
    def test_a_plan_of_another_distribution(self, archives: Path) -> None:
        """Without Debian packages there is nothing that chisel could cut."""
        plan = planned(archives)
        packages = tuple(replace(package, type="apk") for package in plan.plan.packages)
        with pytest.raises(InputError, match="keeps no Debian package, only apk"):
            source_of_planned(replace(plan, plan=replace(plan.plan, packages=packages)))

    def test_a_plan_without_bytes(self, archives: Path) -> None:
        """An SBOM alone tells neither file lists nor state."""
        plan = planned(archives)
        with pytest.raises(InputError, match="from an SBOM alone") as raised:
            source_of_planned(replace(plan, plan=replace(plan.plan, mode="sbom")))
        assert "--root" in raised.value.hint

    def test_a_plan_directory_of_an_older_version(self, archives: Path, tmp_path: Path) -> None:
        """A directory without the facts says what to do."""
        place = written(planned(archives), tmp_path / "plan")
        (place / "debian/slices.json").unlink()
        with pytest.raises(InputError, match=r"no debian/slices.json can be read") as raised:
            source_of_directory(place)
        assert "plan again" in raised.value.hint

    @pytest.mark.parametrize("text", ["{", "[]", '{"schema": {"name": "pruner-slices", "version": "2"}}'])
    def test_damaged_facts(self, text: str, archives: Path, tmp_path: Path) -> None:
        """What is no JSON, or of another shape, is refused with the file's name."""
        place = written(planned(archives), tmp_path / "plan")
        (place / "debian/slices.json").write_text(text)
        with pytest.raises(InputError, match=r"slices\.json"):
            source_of_directory(place)

    def test_facts_of_a_wrong_type(self, archives: Path, tmp_path: Path) -> None:
        """The place of a value of a wrong type is named."""
        place = written(planned(archives), tmp_path / "plan")
        path = place / "debian/slices.json"
        document = json.loads(path.read_text())
        document["archives"][0]["listed"] = 7
        path.write_text(json.dumps(document))
        with pytest.raises(InputError, match=r"archives\[0\]\.listed|archives\[\.\.\.\]\.listed"):
            source_of_directory(place)


def perl_root(place: Path, modules: dict[str, str]) -> SmallRoot:
    """Modules of a package that depends on `perl`, which depends on the package of the interpreter."""
    program = {"elf": {"interpreter": "/lib64/ld.so"}, "mode": "755"}
    return make_root(
        place,
        {
            "files": {
                **modules,
                "/usr/bin/perl": program,
                "/usr/bin/ruby": program,
                "/usr/bin/perlbug": {"text": "#!/usr/bin/perl\nuse M001;\n", "mode": "755"},
                "/usr/share/words": "a\n",
                "/lib64/ld.so": {"elf": {}},
            },
            "packages": {
                "libm-perl": {"files": list(modules), "depends": ["perl", "words", "ruby"]},
                "perl": {"files": ["/usr/bin/perlbug"], "depends": ["perl-base"]},
                "perl-base": {"files": ["/usr/bin/perl"], "depends": ["libc6"]},
                "ruby": {"files": ["/usr/bin/ruby"]},
                "words": {"files": ["/usr/share/words"]},
                "libc6": {"files": ["/lib64/ld.so"]},
            },
        },
    )


def test_kept_modules_need_the_interpreter_that_their_package_depends_on(tmp_path: Path) -> None:
    """In the plan of an application, too; an interpreter that is not kept is not brought by that."""
    modules = {"/usr/share/perl5/M001.pm": "package M001;\n1;\n"}
    root = perl_root(tmp_path, modules)

    def needs(**fields: object) -> list[str]:
        request = Request(sbom=str(root.sbom), root=str(root.directory), features={}, **fields)  # type: ignore[arg-type]
        found = source_of_planned(make_planned(request))
        return [need.target for need in found.needs.get("/usr/share/perl5/M001.pm", ())]

    assert needs(entries=("/usr/bin/perlbug",)) == ["/usr/bin/perl"]
    assert needs(entries=("/usr/bin/ruby",), keep=("/usr/share/perl5/*",)) == []


class TestPackages:
    def test_keeps_every_file_but_documentation(self, archives: Path) -> None:
        """A package on its own is kept in full with its licence, and its dependencies as far as they are needed."""
        source = source_of_planned(plan_packages(["tool"], archives), complete=["tool"])
        assert {
            "/usr/share/tool/x",
            "/usr/bin/tool",
            "/usr/share/doc/tool/copyright",
            "/usr/bin/dash",
        } <= source.files.keys()
        assert "/usr/share/man/man1/tool.1" not in source.files
        assert source.complete == {"tool"}
        assert "/usr/share/tool/x" in source.entries

    def test_keeps_what_its_scripts_make(self, archives: Path) -> None:
        """State that a package's own script writes is kept with it, that of others is not, nor links to manuals."""
        source = source_of_planned(plan_packages(["tool"], archives), complete=["tool"])
        assert source.files["/etc/tool/tool.conf"].maker == "postinst"
        assert source.files["/usr/bin/generic"].package == "tool"
        alone = source_of_planned(plan_packages(["netbase"], archives), complete=["netbase"])
        assert {"/etc/hosts", "/etc/protocols"} <= alone.files.keys()
        assert "/etc/tool/tool.conf" not in alone.files

    @pytest.mark.parametrize("count", [3, 120])
    def test_modules_bring_their_interpreter(self, count: int, tmp_path: Path) -> None:
        """A package of modules comes with the interpreter that it depends on by way of others, also one of many."""
        modules = {f"/usr/share/perl5/M{number:03}.pm": f"package M{number};\n" for number in range(count)}
        root = perl_root(tmp_path, modules)
        source = source_of_planned(plan_packages(["libm-perl"], root.directory), complete=["libm-perl"])
        assert "/usr/bin/perl" in source.files
        assert "/lib64/ld.so" in source.files
        assert "/usr/bin/ruby" not in source.files
        assert all("/usr/bin/perl" in [need.target for need in source.needs[path]] for path in modules)

    def test_modules_of_a_silent_package_need_what_it_declares(self, tmp_path: Path) -> None:
        """Data that a package of many modules depends on is needed by each of them."""
        modules = {f"/usr/share/perl5/M{number:03}.pm": f"package M{number};\n" for number in range(120)}
        root = perl_root(tmp_path, modules)
        source = source_of_planned(plan_packages(["libm-perl"], root.directory), complete=["libm-perl"])
        assert {"/usr/share/words"} <= {need.target for need in source.needs["/usr/share/perl5/M007.pm"]}

    def test_a_package_that_is_not_there(self, archives: Path) -> None:
        """A misspelt name is answered with near ones."""
        with pytest.raises(EntryError, match="holds no package 'tol'") as raised:
            plan_packages(["tol"], archives)
        assert "tool" in raised.value.hint

    def test_a_root_without_an_sbom(self, tmp_path: Path) -> None:
        """The root's own database says what is installed; every program counts as running."""
        root = make_root(
            tmp_path,
            {
                "files": {
                    "/usr/bin/tool": {
                        "elf": {"needed": ["libtool.so.1"], "interpreter": "/lib64/ld.so"},
                        "mode": "755",
                    },
                    "/usr/bin/more": {
                        "elf": {"needed": ["libmore.so.1"], "interpreter": "/lib64/ld.so"},
                        "mode": "755",
                    },
                    "/lib64/ld.so": {"elf": {}},
                    "/usr/lib/libtool.so.1": {"elf": {}},
                    "/usr/lib/libmore.so.1": {"elf": {}},
                    "/usr/lib/libunused.so.1": {"elf": {}},
                },
                "packages": {
                    "tool": {"files": ["/usr/bin/tool", "/usr/bin/more"], "depends": ["libs"]},
                    "libs": {"files": ["/usr/lib/**"]},
                    "libc6": {"files": ["/lib64/ld.so"]},
                },
            },
        )
        source = source_of_planned(plan_packages(["tool"], root.directory), complete=["tool"])
        assert {
            "/usr/bin/tool",
            "/usr/bin/more",
            "/usr/lib/libtool.so.1",
            "/usr/lib/libmore.so.1",
        } <= source.files.keys()
        assert "/usr/lib/libunused.so.1" not in source.files
        assert [need.target for need in source.needs["/usr/bin/more"] if "libmore" in need.target] == [
            "/usr/lib/libmore.so.1"
        ]
        assert source.files["/usr/bin/tool"].executable
        assert not source.files["/usr/lib/libtool.so.1"].executable

    def test_a_root_without_a_database(self, tmp_path: Path) -> None:
        """Without an SBOM and without a database nothing is known of packages."""
        (tmp_path / "usr").mkdir()
        with pytest.raises(InputError, match="no package database"):
            plan_packages(["tool"], tmp_path)


class TestMakers:
    """Who makes state, as far as the texts of scripts tell."""

    @staticmethod
    def makers(
        path: str,
        scripts: dict[str, dict[str, str]],
        *,
        dropped: Sequence[str] = (),
        listed: Mapping[str, tuple[str, ...]] = MappingProxyType({}),
        **fields: object,
    ) -> Makers:
        file = file_plan(path, **fields)
        archives = tuple(
            ArchiveFacts(
                name=name,
                version="1",
                architecture="all",
                listed=listed.get(name, (f"/etc/{name}",)),
                scripts=texts,
                kept=name not in dropped,
            )
            for name, texts in sorted(scripts.items())
        )
        nothing = SliceFacts(
            state=(), renamed={}, attributes={}, elf=(), programs=(), makers={}, concatenations={}, answered=(),
            archives=archives,
        )  # fmt: skip
        owners = {"/usr/bin/vim.tiny": "vim-tiny"}
        return Makers(nothing, {path: file}, owners.get)

    def maker(self, path: str, scripts: dict[str, dict[str, str]], **fields: Any) -> tuple[str, str] | None:
        return self.makers(path, scripts, **fields).of(path)

    def test_who_writes_comes_before_who_names(self) -> None:
        """A script that writes a file makes it; one that reads it, or names it in a comment, does not."""
        scripts = {
            "a": {"postinst": "# makes /etc/x\n"},
            "b": {"postinst": "grep root /etc/x 2>/dev/null\n"},
            "c": {"postinst": 'cp /usr/share/c/x "$DPKG_ROOT/etc/x"\n'},
        }
        assert self.maker("/etc/x", scripts) == ("c", "postinst")
        assert self.maker("/etc/x", {"a": scripts["a"]}) is None
        assert self.maker("/etc/x", {"b": scripts["b"]}) == ("b", "postinst")

    def test_who_purges_has_made(self) -> None:
        """What a package removes when it is purged, its postinst made."""
        scripts = {"a": {"postinst": "helper\n", "postrm": "rm -f /var/lib/a/cache\n"}}
        assert self.maker("/var/lib/a/cache", scripts) == ("a", "postinst")

    def test_tools_that_name_nothing(self) -> None:
        """A tool that is known to write somewhere makes that for the script that calls it."""
        scripts = {"libc6": {"preinst": "rm -f /etc/ld.so.cache\n"}, "libc-bin": {"postinst": "ldconfig || exit 1\n"}}
        assert self.maker("/etc/ld.so.cache", scripts) == ("libc-bin", "postinst")
        scripts = {"ca-certificates": {"postinst": "update-ca-certificates --fresh\n"}}
        assert self.maker("/etc/ssl/certs/0a1b.0", scripts) == ("ca-certificates", "postinst")

    def test_alternatives(self) -> None:
        """Generic names belong to who installs them, or by their target where a loop hides the names."""
        install = "update-alternatives --install /usr/bin/editor editor /usr/bin/x 5 \\\n --slave /usr/share/e e.1 /y\n"
        scripts = {"ed": {"postinst": install}, "vim-tiny": {"postinst": "for n in $names; do :; done\n"}}
        assert self.maker("/usr/bin/editor", scripts) == ("ed", "postinst")
        assert self.maker("/etc/alternatives/e.1", scripts) == ("ed", "postinst")
        link = {"kind": FileType.SYMLINK, "target": "/usr/bin/vim.tiny"}
        assert self.maker("/etc/alternatives/vi", scripts, **link) == ("vim-tiny", "postinst")

    def test_names_in_a_directory_of_a_package(self) -> None:
        """What lies in a directory that one package alone ships, or names, is near to it and may be the user's own."""
        for path, script in (("/etc/a/own", "helper\n"), ("/etc/b/own", "mkdir -p /etc/b\n")):
            assert self.maker(path, {"a": {"postinst": script}}) is None
            assert self.makers(path, {"a": {"postinst": script}}).near(path) == "a"
        assert self.maker("/etc/other", {"a": {"postinst": "mkdir -p /etc\n"}}) is None
        assert self.makers("/etc/other", {"a": {"postinst": "mkdir -p /etc\n"}}).near("/etc/other") is None

    def test_directories_below_the_root(self) -> None:
        """The hierarchy is spelled without the first slash; nothing but a directory is meant."""
        scripts = {"base-files": {"postinst": "  install_directory mnt       755 root\n  mkdir -p var/mail\n"}}
        assert self.maker("/mnt", scripts, kind=FileType.DIRECTORY) == ("base-files", "postinst")
        assert self.maker("/var/mail", scripts, kind=FileType.DIRECTORY) == ("base-files", "postinst")
        assert self.maker("/root", scripts, kind=FileType.DIRECTORY) is None
        assert self.maker("/mnt", scripts) is None

    def test_dropped_packages_make_what_they_write(self) -> None:
        """Of a package that the plan drops a script that reads a file is no maker; one that writes it is."""
        scripts = {"gone": {"postinst": "grep root /etc/x\n"}}
        assert self.maker("/etc/x", scripts, dropped=("gone",)) is None
        scripts = {"gone": {"postinst": "echo > /etc/x\n"}, "there": {"postinst": "cat /etc/x\n"}}
        assert self.maker("/etc/x", scripts, dropped=("gone",)) == ("gone", "postinst")
        assert self.makers("/etc/gone/own", scripts, dropped=("gone",)).near("/etc/gone/own") is None

    def test_a_tool_is_its_packages(self) -> None:
        """Many packages have the loader's cache made again; the one that ships the tool makes it."""
        scripts = {"a": {"postinst": "ldconfig\n"}, "libc-bin": {"postinst": "ldconfig\n"}}
        makers = self.makers("/etc/ld.so.cache", scripts, listed={"libc-bin": ("/sbin/ldconfig",)})
        assert makers.of("/etc/ld.so.cache") == ("libc-bin", "postinst")


class TestState:
    """What no archive brings of a root that is in use."""

    @pytest.fixture
    def plan(self, tmp_path: Path) -> Planned:
        info = "/var/lib/dpkg/info"
        files = {
            "/usr/bin/tool": {"text": "x", "mode": "755"},
            "/etc/os-release": RELEASE.decode(),
            "/etc/tool/conf.d/shipped.conf": "x\n",
            "/etc/tool/conf.d/site.conf": "mine\n",
            "/etc/accounts": "root\n",
            "/usr/share/doc/accounts/copyright": "free\n",
            "/usr/share/unrelated": "x",
            "/media": {"directory": True},
            "/srv/www/index.html": "hello\n",
            f"{info}/tool.postinst": "helper\n",
            f"{info}/accounts.postinst": "echo root > /etc/accounts\n",
            f"{info}/unrelated.postinst": "echo x > /etc/unrelated\n",
            f"{info}/base-files.postinst": "install_directory srv 755 root\ninstall_directory media 755 root\n",
        }
        packages = {
            "tool": {"files": ["/usr/bin/tool", "/etc/tool/conf.d/shipped.conf"]},
            "accounts": {"files": ["/usr/share/doc/accounts/copyright"]},
            "unrelated": {"files": ["/usr/share/unrelated"]},
            "base-files": {"files": ["/etc/os-release"]},
        }
        root = make_root(tmp_path, {"files": files, "packages": packages})
        keep = ("/etc/accounts", "/etc/tool/**", "/media", "/srv", "/srv/**")
        request = Request(
            sbom=str(root.sbom), root=str(root.directory), entries=("/usr/bin/tool",), keep=keep, features={}
        )
        return make_planned(request)

    def test_of_dropped_packages(self, plan: Planned, tmp_path: Path) -> None:
        """State belongs to the package whose script makes it, though nothing that the package ships is kept."""
        source = source_of_planned(plan)
        accounts = source.files["/etc/accounts"]
        assert (accounts.package, accounts.maker, accounts.local) == ("accounts", "postinst", False)
        assert "accounts" in source.listed
        assert "unrelated" not in source.listed
        assert source_of_directory(written(plan, tmp_path / "plan")) == source
        made = generate(source).release.packages["accounts"]
        assert [content.path for one in made.slices for content in one.contents] == ["/etc/accounts"]

    def test_of_nobody(self, plan: Planned) -> None:
        """A file in a package's directory goes with the package, and is not said to be made by its scripts."""
        source = source_of_planned(plan)
        site = source.files["/etc/tool/conf.d/site.conf"]
        assert (site.package, site.maker, site.local) == ("tool", "", True)
        said = "no package brings /etc/tool/conf.d/site.conf, and no script is seen to make that: your own?"
        assert said in source.unknowns
        assert not source.files["/usr/bin/tool"].local

    def test_the_hierarchy(self, plan: Planned) -> None:
        """Directories that base-files makes are its own; what others put into them is theirs, with a note."""
        source = source_of_planned(plan)
        for path in ("/media", "/srv"):
            assert (source.files[path].package, source.files[path].maker) == ("base-files", "postinst")
        assert "/srv/www" not in source.files
        places = [line.split()[2] for line in source.unknowns if line.startswith("names below")]
        assert places == ["/srv"]
        release = generate(source).release
        kinds = {c.path: c.kind for one in release.packages["base-files"].slices for c in one.contents}
        assert (kinds["/media/"], kinds["/srv/"]) == (PathKind.MAKE, PathKind.MAKE)

    def test_changed_conffiles(self, archives: Path) -> None:
        """A conffile that is no longer the archive's is text, and known as a conffile."""
        plan = planned(archives)
        path = "/etc/tool/shipped.conf"
        shipped = {name: found for name, found in plan.materials.shipped.items() if name != path}
        contents = {**plan.materials.contents, path: b"a = 2\n"}
        changed = replace(plan, materials=replace(plan.materials, shipped=shipped, contents=contents))
        file = source_of_planned(changed).files[path]
        assert (file.conffile, file.shipped, file.content, file.local) == (True, None, b"a = 2\n", False)
        comment = state_content(file, SliceKey("tool", "config")).comment
        assert comment == "Configuration file that differs from the one that the package ships."


def test_many_files_of_nobody_are_counted(tmp_path: Path) -> None:
    """A note names a few."""
    files = {f"/etc/own{number}": "x" for number in range(9)}
    root = make_root(
        tmp_path,
        {
            "files": {**files, "/usr/bin/tool": {"text": "x", "mode": "755"}},
            "packages": {"tool": {"files": ["/usr/bin/tool"]}},
        },
    )
    request = Request(
        sbom=str(root.sbom), root=str(root.directory), entries=("/usr/bin/tool",), keep=("/etc/own?",), features={}
    )
    [note] = [line for line in source_of_planned(make_planned(request)).unknowns if "no script is seen" in line]
    assert "/etc/os-release, /etc/own0, /etc/own1, /etc/own2, /etc/own3 and 5 more," in note


def test_a_bundle_is_told_by_its_parts(tmp_path: Path) -> None:
    """State that is a directory's files one after the other, newlines added, is known as such; with a byte more not."""
    parts = {f"/usr/share/authorities/{name}.crt": f"{name * 700}" for name in "abc"}
    bundle = "".join(f"{text}\n" for text in parts.values())
    files = {
        **parts,
        "/etc/bundle": bundle,
        "/etc/other": f"{bundle}x\n",
        "/usr/bin/tool": {"text": "x", "mode": "755"},
    }
    root = make_root(
        tmp_path, {"files": files, "packages": {"tool": {"files": ["/usr/bin/tool", "/usr/share/authorities/**"]}}}
    )
    request = Request(
        sbom=str(root.sbom), root=str(root.directory), entries=("/usr/bin/tool",), keep=("/etc/*",), features={}
    )
    source = source_of_planned(make_planned(request))
    assert source.concatenations == {"/etc/bundle": tuple(parts)}
    assert source_of_directory(written(make_planned(request), tmp_path / "plan")) == source
