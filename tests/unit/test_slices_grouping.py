"""What files are for, and which of them belong together."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pruner.model import FileType
from pruner.slices import grouping
from pruner.slices.graph import atoms_of
from pruner.slices.grouping import Group, groups_of
from pruner.slices.meaning import kinds_of
from pruner.slices.naming import part_name, subject, tool_name
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


PARTS = st.lists(st.tuples(st.integers(0, 255), st.integers(0, 63), st.booleans()), max_size=16)


@given(drawn=PARTS, costs_of=st.lists(st.integers(0, 255), min_size=6, max_size=6))
def test_parts_are_joined_as_if_all_pairs_were_compared_anew(
    drawn: list[tuple[int, int, bool]], costs_of: list[int]
) -> None:
    """The cheapest pair first, of equal ones the first in order: what keeps the pairs gives what looks each time."""
    parts = [grouping._Part(cost, users, (atom,)) for atom, (cost, users, _) in enumerate(drawn)]
    starts = {atom for atom, (_, _, asked) in enumerate(drawn) if asked}
    assert grouping._joined(parts, starts, costs_of) == joined_by_looking(parts, starts, costs_of)


def joined_by_looking(parts: list[grouping._Part], starts: set[int], costs_of: list[int]) -> list[grouping._Part]:
    """The rule itself, with every pair looked at for every step."""
    while len(parts) > 1:
        pairs = list(combinations(sorted(parts, key=lambda part: part.order), 2))
        prices = [grouping._price(one, other, starts, costs_of) for one, other in pairs]
        least = min(prices)
        if least and len(parts) <= 8:
            break
        one, other = pairs[prices.index(least)]
        joined = grouping._Part(one.cost | other.cost, one.users | other.users, tuple(sorted(one.atoms + other.atoms)))
        parts = [*(part for part in parts if part not in {one, other}), joined]
    return sorted(parts, key=lambda part: (-part.users.bit_count(), -len(part.atoms), part.atoms))


def test_each_pair_of_parts_is_priced_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred plugins with a library each: quadratic, where pricing all anew for each step is cubic."""
    count, asked, price = 100, [], grouping._price
    monkeypatch.setattr(grouping, "_price", lambda *words: asked.append(words[:2]) or price(*words))
    parts = [grouping._Part(1 << atom, 1 << atom, (atom,)) for atom in range(count)]
    assert len(grouping._joined(parts, set(), [1 << atom for atom in range(count)])) == 8
    assert len(asked) == len(set(asked)) < count * count


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


@pytest.mark.parametrize(
    ("base", "about"),
    [
        ("_ctypes.cpython-311-x86_64-linux-gnu.so", "ctypes"),
        ("_ctypes.cpython-311-arm-linux-gnueabihf.so", "ctypes"),
        ("_bcrypt.abi3.so", "bcrypt"),
        ("_x.pypy39-pp73-aarch64-linux-gnu.so", "x"),
        ("ld-linux-x86-64.so.2", "ld-linux"),
        ("ld-linux-aarch64.so.1", "ld-linux"),
        ("libicudata.so.72.1", "icudata"),
        ("library.js", "library"),
        ("lib.so", "lib"),
        ("_sysconfigdata__x86_64-linux-gnu.py", "sysconfigdata_"),
        ("060_obsolete_confparams.t", "obsolete_confparams"),
        ("10-uname", "uname"),
        ("__", "__"),
    ],
)
def test_names_tell_nothing_of_the_machine(base: str, about: str) -> None:
    """What a file is built for and what marks it are left out, so that slices are called alike on all architectures."""
    assert subject(base) == about


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/usr/lib/python3/_ctypes.cpython-311-x86_64-linux-gnu.so", "ctypes"),
        ("/usr/share/gcc/python/libstdcxx/v6/__init__.py", "libstdcxx"),
        ("/usr/share/tool/a.txt", "data-a"),
        ("/usr/share/tool/data.txt", "tool"),
        ("/usr/lib/__.so", "data-more"),
    ],
)
def test_a_further_part_is_named_after_its_largest_file(path: str, name: str) -> None:
    """Or after the kind and that, or the nearest directory that tells something; places of the hierarchy do not."""
    assert part_name("data", [file(path, "pkg")], ()) == name
