"""What files are for, and which of them belong together."""

from __future__ import annotations

import pytest

from pruner.model import FileType
from pruner.slices.graph import atoms_of
from pruner.slices.grouping import Group, groups_of
from pruner.slices.meaning import kinds_of
from pruner.slices.naming import tool_name
from pruner.slices.partition import whole
from pruner.slices.types import SliceSource
from tests.unit.slices import directory, file, library, link, program, script, source


def kind(one, *others) -> str:
    return kinds_of({made.path: made for made in (one, *others)})[one.path]


@pytest.mark.parametrize(
    ("one", "wanted"),
    [
        (program("/usr/bin/tool", "pkg"), "bins"),
        (program("/usr/lib/postgresql/15/bin/initdb", "pkg"), "bins"),
        (program("/usr/libexec/helper", "pkg"), "bins"),
        (script("/usr/bin/tool", "pkg"), "scripts"),
        (library("/usr/lib/x86_64-linux-gnu/libz.so.1.2", "pkg"), "libs"),
        (library("/usr/lib/x86_64-linux-gnu/pkg/plugin.so", "pkg"), "modules"),
        (file("/usr/lib/python3.11/json/__init__.py", "pkg"), "modules"),
        (script("/usr/lib/python3.11/base64.py", "pkg"), "modules"),
        (file("/etc/pkg.conf", "pkg", conffile=True), "config"),
        (file("/usr/lib/systemd/system/pkg.service", "pkg"), "services"),
        (script("/etc/init.d/pkg", "pkg"), "services"),
        (file("/usr/share/pkg/table", "pkg"), "data"),
        (directory("/var/lib/pkg", "pkg"), "data"),
        (directory("/usr/include", "pkg"), "data"),
        (file("/usr/include/pkg.h", "pkg"), "headers"),
        (file("/usr/share/doc/pkg/copyright", "pkg"), "copyright"),
        (link("/usr/share/doc/pkg", "pkg", "other"), "copyright"),
        (file("/usr/share/doc/pkg/README", "pkg"), "docs"),
        (link("/lib64", "base-files", "usr/lib64", shipped=None), "lib64"),
        (file("/app/main.py", "base-files", shipped=None), "local"),
    ],
)
def test_the_shape_of_a_path_tells_what_it_is_for(one, wanted: str) -> None:
    """Directories, suffixes and ELF facts decide; no package is known by name."""
    assert kind(one) == wanted


def test_a_link_is_what_it_leads_to() -> None:
    """Within a package, through other links and through the merged /usr; in another package only a script tells."""
    tool = script("/usr/share/pkg/run", "pkg")
    over = link("/etc/alternatives/run", "pkg", "/usr/share/pkg/run")
    assert kind(link("/usr/bin/run", "pkg", "/etc/alternatives/run"), over, tool) == "scripts"
    lib = library("/usr/lib/libx.so.1.0", "pkg")
    merged = link("/lib", "base-files", "usr/lib")
    assert kind(link("/usr/share/x", "pkg", "/lib/libx.so.1.0"), merged, lib) == "libs"
    assert kind(link("/usr/bin/run", "other", "../share/pkg/run"), tool) == "scripts"
    assert kind(link("/etc/loop", "pkg", "loop")) == "config"
    assert kind(link("/usr/bin/gone", "pkg", "nowhere")) == "bins"


def grouped(given: SliceSource) -> dict[str, Group]:
    files = {path: one for path, one in given.files.items() if one.type is not FileType.DIRECTORY}
    atoms = whole(atoms_of(files, given.needs))
    groups = groups_of(atoms, kinds_of(files), given)
    return {path: groups[atom] for path, atom in atoms.of.items()}


MANY = {"pkg": ["/usr/bin/a", "/usr/bin/b", "/usr/bin/c", "/usr/bin/d"]}


def test_a_package_of_many_tools_has_a_group_for_each() -> None:
    """What the archive ships decides, not what one plan keeps: names stay the same from plan to plan. What only one
    tool needs goes with it; what two need does not, nor does configuration.
    """
    files = [
        program("/usr/bin/a", "pkg"),
        program("/usr/bin/b", "pkg"),
        link("/usr/bin/alias", "pkg", "a"),
        file("/usr/share/pkg/for-a", "pkg"),
        file("/usr/share/pkg/for-both", "pkg"),
        file("/etc/a.conf", "pkg"),
    ]
    needs = {
        "/usr/bin/a": ["/usr/share/pkg/for-a", "/usr/share/pkg/for-both", "/etc/a.conf"],
        "/usr/bin/b": ["/usr/share/pkg/for-both"],
        "/usr/bin/alias": ["/usr/bin/a"],
    }
    found = grouped(source(files, needs, listed=MANY))
    assert found["/usr/bin/a"] == Group("pkg", "bins", "a") == found["/usr/bin/alias"] == found["/usr/share/pkg/for-a"]
    assert found["/usr/bin/b"] == Group("pkg", "bins", "b")
    assert found["/usr/share/pkg/for-both"] == Group("pkg", "data")
    assert found["/etc/a.conf"] == Group("pkg", "config")
    assert grouped(source(files, needs))["/usr/bin/a"] == Group("pkg", "bins")


def test_the_program_that_a_package_is_named_after_is_its_bins() -> None:
    """`gzip_bins`, not `gzip_gzip`."""
    assert grouped(source([program("/usr/bin/pkg", "pkg")], listed=MANY))["/usr/bin/pkg"] == Group("pkg", "bins")


def _plugins(user: str) -> SliceSource:
    files = [
        library("/usr/lib/pkg/small.so", "pkg"),
        library("/usr/lib/pkg/large.so", "pkg"),
        library("/usr/lib/libheavy.so.1", "heavy"),
        program("/usr/bin/one", "one"),
        program("/usr/bin/two", "two"),
    ]
    return source(
        files,
        {
            "/usr/lib/pkg/large.so": ["/usr/lib/libheavy.so.1"],
            "/usr/bin/one": ["/usr/lib/pkg/small.so"],
            user: ["/usr/lib/pkg/large.so", "/usr/lib/pkg/small.so"],
        },
        entries=("/usr/bin/one", "/usr/bin/two"),
    )


def test_a_kind_is_split_where_that_spares_a_dependant_a_package() -> None:
    """One needs only the small plugin: in one slice with the large one it would get another package as well."""
    found = grouped(_plugins("/usr/bin/two"))
    assert found["/usr/lib/pkg/small.so"] != found["/usr/lib/pkg/large.so"]


def test_a_kind_stays_whole_where_all_dependants_need_all_of_it() -> None:
    """Splitting would save nobody anything."""
    found = grouped(_plugins("/usr/bin/one"))
    assert found["/usr/lib/pkg/small.so"] == found["/usr/lib/pkg/large.so"] == Group("pkg", "modules")


def test_a_kind_is_split_into_few_parts() -> None:
    """A reviewer reads them: of forty plugins with a cost of their own each, eight parts are made."""
    files = [program("/usr/bin/one", "one")]
    needs: dict[str, list[str]] = {}
    for number in range(40):
        plugin, lib, user = f"/usr/lib/pkg/{number}.so", f"/usr/lib/lib{number}.so.1", f"/usr/bin/user{number}"
        files += [library(plugin, "pkg"), library(lib, f"lib{number}"), program(user, f"user{number}")]
        needs |= {plugin: [lib], user: [plugin]}
    found = grouped(source(files, needs))
    assert len({group for group in found.values() if group.package == "pkg"}) == 8


@pytest.mark.parametrize(
    ("tool", "name"),
    [
        ("sort", "sort"),
        ("ls", "ls-bin"),
        ("[", "bins"),
        ("2to3", "bin-2to3"),
        ("pg_dump", "pg-dump"),
        ("data", "data-bin"),
        ("x86_64-linux-gnu-gcc-12", "x86-64-linux-gnu-gcc-12"),
        ("a--b..c", "a-b-c"),
    ],
)
def test_names_of_tools_are_names_of_slices(tool: str, name: str) -> None:
    """Three characters at least, from a letter on, of letters, digits and single dashes."""
    assert tool_name(tool) == name
