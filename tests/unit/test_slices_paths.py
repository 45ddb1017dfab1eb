"""Shipped names as paths of slices: generalised over triplet and library version, and no further than they mean."""

from __future__ import annotations

import pytest

from pruner.slices.arches import architectures_of
from pruner.slices.contents import contents_of
from pruner.slices.nametree import NameTree
from pruner.slices.patterns import overlap
from pruner.slices.types import PathKind, SliceKey
from tests.unit.slice_sources import directory, link, shipped, source, state

LIBS = SliceKey("pkg", "libs")
DATA = SliceKey("pkg", "data")
OTHER = SliceKey("other", "libs")
LIB = "/usr/lib/x86_64-linux-gnu"


def paths_of(parts, key=LIBS, **more):
    return [content.path for content in contents_of(parts, source(parts, **more)).bodies[key].contents]


def test_a_library_and_its_link_are_one_pattern():
    """Link and file of a library stand as `libz.so.1*` in the triplet's directory."""
    parts = {LIBS: [link(f"{LIB}/libz.so.1", "libz.so.1.2", name=f"{LIB}/libz.so.1"), shipped(f"{LIB}/libz.so.1.2.13")]}
    assert paths_of(parts) == ["/usr/lib/*-linux-*/libz.so.1*"]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("libssl.so.3",), ["libssl.so.*"]),
        (("libz.so.1.2.13",), ["libz.so.1.*"]),
        (("libnss3.so",), ["libnss3.so"]),
        (("libpython3.11.so.1", "libpython3.11.so.1.0"), ["libpython3.11.so.1*"]),
        (("liba.so.1", "liba.so.2"), ["liba.so.1", "liba.so.2"]),
        (("libstdc++.so.6.0.30-gdb.py",), ["libstdc++.so.6.0.30-gdb.py"]),
    ],
)
def test_the_version_of_a_library_is_what_follows_so(names, expected):
    """Only the version behind `.so.` is generalised, and never over two interfaces at once."""
    parts = {LIBS: [shipped(f"{LIB}/{name}") for name in names]}
    assert paths_of(parts) == [f"/usr/lib/*-linux-*/{name}" for name in expected]


def test_a_pattern_never_matches_a_name_that_is_not_kept():
    """`libz.so.1*` would match `libz.so.10`, which the package ships and the slice does not have."""
    parts = {LIBS: [shipped(f"{LIB}/libz.so.1"), shipped(f"{LIB}/libz.so.1.2")]}
    found = paths_of(parts, unkept={"pkg": [f"{LIB}/libz.so.10"]})
    assert found == ["/usr/lib/*-linux-*/libz.so.1", "/usr/lib/*-linux-*/libz.so.1.2"]


def test_a_pattern_never_matches_what_another_package_ships():
    """Another architecture's directory of the same name, by another package, keeps the triplet as it is."""
    parts = {LIBS: [shipped(f"{LIB}/libz.so")]}
    assert paths_of(parts, unkept={"other": ["/usr/lib/i386-linux-gnu/libz.so"]}) == [f"{LIB}/libz.so"]


def test_a_pattern_gives_way_to_another_packages_copy():
    """chisel refuses a pattern of one package that a path of another falls under, whether or not that one is shipped."""
    copy = shipped(f"{LIB}/libz.so.1.9", "other", name="/opt/libz")
    parts = {LIBS: [shipped(f"{LIB}/libz.so.1"), shipped(f"{LIB}/libz.so.1.2")], OTHER: [copy]}
    assert paths_of(parts) == [f"{LIB}/libz.so.1", f"{LIB}/libz.so.1.2"]


def test_a_pattern_gives_way_to_state_of_its_own_package():
    """Nor may anything that is made, of whichever package, fall under a pattern."""
    parts = {LIBS: [shipped(f"{LIB}/libz.so.1"), shipped(f"{LIB}/libz.so.1.2"), state(f"{LIB}/libz.so.1.lock", b"x")]}
    assert paths_of(parts) == [f"{LIB}/libz.so.1", f"{LIB}/libz.so.1.2", f"{LIB}/libz.so.1.lock"]


def test_a_name_with_the_triplet_inside_is_generalised():
    """Python's extension modules and Debian's cross tools have the triplet in their names."""
    name = "/usr/lib/python3.11/lib-dynload/_bz2.cpython-311-x86_64-linux-gnu.so"
    parts = {LIBS: [shipped(name), shipped("/usr/bin/x86_64-linux-gnu-gcc-12")]}
    assert paths_of(parts) == [
        "/usr/bin/*-linux-*-gcc-12", "/usr/lib/python3.11/lib-dynload/_bz2.cpython-311-*-linux-*.so",
    ]  # fmt: skip


def test_the_architecture_at_the_end_of_a_component_is_generalised():
    """OpenJDK's directory carries Debian's name of the architecture, not the triplet."""
    parts = {LIBS: [shipped("/usr/lib/jvm/java-17-openjdk-amd64/lib/libjava.so")]}
    assert paths_of(parts) == ["/usr/lib/jvm/java-17-openjdk-*/lib/libjava.so"]


def test_a_foreign_triplet_stays():
    """A cross compiler's directory is not the system's own."""
    parts = {LIBS: [shipped("/usr/aarch64-linux-gnu/lib/libc.so")]}
    assert paths_of(parts) == ["/usr/aarch64-linux-gnu/lib/libc.so"]


def test_a_name_of_the_unmerged_tree_is_copied_to_where_it_is():
    """`/lib/x` of the archive is `/usr/lib/x` in a merged root: an exact copy, for a pattern can't be renamed."""
    parts = {LIBS: [shipped(f"{LIB}/libc.so.6", name="/lib/x86_64-linux-gnu/libc.so.6")]}
    [content] = contents_of(parts, source(parts)).bodies[LIBS].contents
    assert (content.path, content.kind, content.source) == (
        f"{LIB}/libc.so.6", PathKind.COPY, "/lib/x86_64-linux-gnu/libc.so.6",
    )  # fmt: skip


def test_a_name_with_a_wildcard_in_it_is_met_by_question_marks():
    """chisel has no escape: `a*b` is written `a?b` where nothing else is called so."""
    parts = {DATA: [shipped("/usr/share/pkg/a*b"), shipped("/usr/share/pkg/caf\udce9")]}
    assert paths_of(parts, DATA) == ["/usr/share/pkg/a?b", "/usr/share/pkg/caf?"]


def test_a_name_that_nothing_can_spell_is_left_over():
    """`a?b` would match `a-b`, too."""
    parts = {DATA: [shipped("/usr/share/pkg/a*b")]}
    contents = contents_of(parts, source(parts, unkept={"pkg": ["/usr/share/pkg/a-b"]}))
    assert contents.bodies[DATA].contents == ()
    assert [(one.path, one.what) for one in contents.leftovers] == [("/usr/share/pkg/a*b", "name")]


def many(place, count=60, package="pkg"):
    return [shipped(f"{place}/{number:03}", package) for number in range(count)]


def test_a_large_directory_of_one_slice_is_one_pattern():
    """A data directory that one slice has in full is not listed name by name."""
    parts = {DATA: many("/usr/share/zoneinfo/Europe") + many("/usr/share/zoneinfo/Asia", 5)}
    assert paths_of(parts, DATA) == ["/usr/share/zoneinfo/**"]


def test_a_directory_that_is_not_kept_in_full_is_listed():
    """One name that the package ships and the slice does not have is enough."""
    parts = {DATA: many("/usr/share/zoneinfo")}
    assert len(paths_of(parts, DATA, unkept={"pkg": ["/usr/share/zoneinfo/leapseconds"]})) == 60


@pytest.mark.parametrize("extra", [
    shipped("/usr/share/zoneinfo/right", "other"),
    directory("/usr/share/zoneinfo/right", "other"),
    state("/usr/share/zoneinfo/right", b"x", "other"),
    link("/usr/share/zoneinfo/right", "posix", "other"),
])  # fmt: skip
def test_a_directory_with_anything_of_another_package_is_listed(extra):
    """Nothing that another package ships or makes may fall under a pattern."""
    parts = {DATA: many("/usr/share/zoneinfo"), OTHER: [extra]}
    assert len(paths_of(parts, DATA)) == 60


def test_a_directory_of_two_slices_is_listed():
    """Each name belongs to one slice."""
    parts = {DATA: many("/usr/share/zoneinfo"), LIBS: [shipped("/usr/share/zoneinfo/x")]}
    assert len(paths_of(parts, DATA)) == 60


def test_no_pattern_crosses_a_version_directory():
    """The next version has another directory: the pattern starts below it."""
    parts = {
        DATA: [*many("/usr/share/perl/5.36.0"), link("/usr/share/perl/5.36", "5.36.0", name="/usr/share/perl/5.36")]
    }
    assert paths_of(parts, DATA) == ["/usr/share/perl/5.36", "/usr/share/perl/5.36.0/**"]


def test_a_directory_that_packages_share_is_listed():
    """Certificates of another package may lie there in another release, even if none does in this one."""
    parts = {DATA: many("/usr/share/ca-certificates")}
    assert len(paths_of(parts, DATA)) == 60


def test_an_empty_directory_inside_does_not_hinder():
    """A kept empty directory comes along with the pattern, and is not listed besides."""
    parts = {DATA: [*many("/usr/share/pkg"), directory("/usr/share/pkg/empty", name="/usr/share/pkg/empty")]}
    assert paths_of(parts, DATA) == ["/usr/share/pkg/**"]


def archs(parts, listed, key=LIBS, **more):
    by_arch = {"arm64": listed}
    contents = contents_of(parts, source(parts, listed_by_arch=by_arch, **more)).bodies[key].contents
    return [(content.path, content.arch) for content in contents]


def test_a_path_of_one_architecture_says_so():
    """What only some of the given architectures ship has their names; what all ship has none."""
    parts = {LIBS: [shipped(f"{LIB}/libz.so"), shipped(f"{LIB}/libsse.so"), shipped("/usr/bin/tool")]}
    listed = {"pkg": ("/usr/lib/aarch64-linux-gnu/libz.so", "/usr/bin/tool")}
    assert archs(parts, listed) == [
        ("/usr/bin/tool", ()), ("/usr/lib/*-linux-*/libsse.so", ("amd64",)), ("/usr/lib/*-linux-*/libz.so", ()),
    ]  # fmt: skip


def test_a_copy_is_written_for_each_triplet():
    """A copy can't be a pattern: each architecture has its own."""
    parts = {LIBS: [shipped(f"{LIB}/libc.so.6", name="/lib/x86_64-linux-gnu/libc.so.6")]}
    assert archs(parts, {"pkg": ("/lib/aarch64-linux-gnu/libc.so.6",)}) == [
        ("/usr/lib/aarch64-linux-gnu/libc.so.6", ("arm64",)), (f"{LIB}/libc.so.6", ("amd64",)),
    ]  # fmt: skip


def test_a_package_of_one_architecture_needs_no_names_on_its_paths():
    """Where the package is absent nothing of it is cut; who needs it asks for its architectures."""
    parts = {LIBS: [shipped("/usr/bin/tool")]}
    assert archs(parts, {"other": ("/usr/bin/other",)}) == [("/usr/bin/tool", ())]
    given = source(
        parts, unkept={"other": ["/usr/bin/other"]}, listed_by_arch={"arm64": {"other": ("/usr/bin/other",)}}
    )
    assert (architectures_of("pkg", given), architectures_of("other", given)) == (("amd64",), ())


def test_one_architecture_says_nothing():
    """With one architecture's lists there is nothing to compare."""
    parts = {LIBS: [shipped("/usr/bin/tool")]}
    assert architectures_of("pkg", source(parts)) == ()
    assert contents_of(parts, source(parts)).bodies[LIBS].contents[0].arch == ()


def test_what_is_made_beside_a_whole_directory_leaves_it_whole():
    """State keeps the directories above it from being a pattern, not the ones beside it."""
    parts = {DATA: [*many("/usr/share/pkg/a"), state("/usr/share/pkg/b/x", b"")]}
    assert paths_of(parts, DATA) == ["/usr/share/pkg/a/**", "/usr/share/pkg/b/x"]


def test_a_directory_that_another_package_ships_too_is_listed():
    """Even if the other one ships nothing in it: it may, in its next version."""
    parts = {DATA: many("/usr/share/pkg")}
    assert len(paths_of(parts, DATA, unkept={"other": ["/usr/share/pkg"]})) == 60


def test_a_directory_of_a_matching_name_is_no_match():
    """The path of a directory ends in a slash, which `*` does not match."""
    parts = {LIBS: [shipped(f"{LIB}/libz.so.1"), shipped(f"{LIB}/libz.so.1.2")]}
    found = paths_of(parts, unkept={"pkg": [f"{LIB}/libz.so.1.d", f"{LIB}/libz.so.1.d/x"]})
    assert found == ["/usr/lib/*-linux-*/libz.so.1*"]


@pytest.mark.parametrize("name", ["/usr/bin/ax86_64-linux-gnu", "/usr/bin/x86_64-linux-gnux32-cc", "/usr/bin/namd64"])
def test_only_the_whole_triplet_counts(name):
    """x32 is another architecture, and letters around it make another word."""
    assert paths_of({LIBS: [shipped(name)]}) == [name]


def test_a_library_of_two_slices_is_two_paths():
    """A link in one slice and its file in another: each pattern means its own slice."""
    parts = {LIBS: [shipped(f"{LIB}/libz.so.1")], DATA: [shipped(f"{LIB}/libz.so.1.2")]}
    assert paths_of(parts) == ["/usr/lib/*-linux-*/libz.so.1"]
    assert paths_of(parts, DATA) == ["/usr/lib/*-linux-*/libz.so.1.*"]


def test_an_unknown_architecture_has_no_triplet():
    """Paths stay as they are where the triplet is not known."""
    parts = {LIBS: [shipped(f"{LIB}/libz.so.1.2")]}
    assert paths_of(parts, architecture="all") == [f"{LIB}/libz.so.1.*"]


PATHS = ["/a/b", "/a/bc", "/a/b*", "/a/*c", "/a/b/c", "/a/b/", "/a/**", "/*/b", "/a/?", "/a", "/a/b/**", "/d/e"]


@pytest.mark.parametrize("pattern", PATHS)
def test_the_tree_finds_what_overlaps(pattern):
    """What is found by component is what comparing all pairs finds."""
    tree = NameTree()
    for path in PATHS:
        tree.add(path, path)
    assert sorted(tree.overlapping(pattern)) == sorted(path for path in PATHS if overlap(pattern, path))
