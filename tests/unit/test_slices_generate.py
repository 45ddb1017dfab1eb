"""A release of slices out of a slice source."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from pruner.errors import InputError
from pruner.model import FileType
from pruner.slices.generate import MANIFEST, Generated, generate, parts_of
from pruner.slices.types import PathKind, Slice, SliceKey
from tests.unit.slices import directory, file, library, link, program, script, source

LIBC = "/usr/lib/x86_64-linux-gnu/libc.so.6"


def slice_of(generated: Generated, name: str) -> Slice:
    package, _, own = name.partition("_")
    return next(one for one in generated.release.packages[package].slices if one.key.slice == own)


def essentials(generated: Generated, name: str) -> list[str]:
    return [str(one.key) for one in slice_of(generated, name).essential]


def names(generated: Generated, package: str) -> list[str]:
    return [one.key.slice for one in generated.release.packages[package].slices]


def small():
    files = [
        program("/usr/bin/tool", "tool"),
        file("/etc/tool.conf", "tool", conffile=True),
        file("/usr/share/doc/tool/copyright", "tool"),
        library(LIBC, "libc6"),
        directory("/usr", "base-files"),
        directory("/usr/bin", "base-files"),
    ]
    return source(
        files, {"/usr/bin/tool": [LIBC, "/etc/tool.conf"]}, listed={"libc6": ["/usr/share/doc/libc6/copyright"]}
    )


def test_a_slice_has_as_essentials_what_its_files_need() -> None:
    """Direct needs, sorted; the package's copyright comes with the package."""
    generated = generate(small())
    assert essentials(generated, "tool_bins") == ["libc6_libs", "tool_config"]
    assert essentials(generated, "tool_copyright") == []
    assert [str(one.key) for one in generated.release.packages["tool"].essential] == ["tool_copyright"]


def test_copyright_is_the_last_slice_of_each_package() -> None:
    """Also where the plan leaves the file out: reviewers refuse a package without one."""
    generated = generate(small())
    assert names(generated, "tool") == ["bins", "config", "copyright"]
    assert names(generated, "libc6") == ["libs", "copyright"]
    assert [one.path for one in slice_of(generated, "libc6_copyright").contents] == ["/usr/share/doc/libc6/copyright"]


def test_the_manifest_is_always_cut() -> None:
    """Even without base-files in the plan."""
    generated = generate(source([program("/usr/bin/tool", "tool")]))
    assert generated.cut == (MANIFEST, SliceKey("tool", "bins"))
    (content,) = slice_of(generated, "base-files_chisel").contents
    assert (content.path, content.kind, content.source) == ("/var/lib/chisel/**", PathKind.GENERATE, "manifest")


def test_the_cut_names_only_what_no_other_slice_brings() -> None:
    """The tool brings its library, its configuration and the copyrights; base-files are nobody's."""
    assert [str(key) for key in generate(small()).cut] == ["base-files_chisel", "base-files_data", "tool_bins"]


def test_format_and_archives_are_those_given() -> None:
    """What was unknown to the source is passed on."""
    generated = generate(replace(small(), unknowns=("a thing",)), format="v1", maintenance={"standard": "2020-01-01"})
    assert (generated.release.format, generated.notes) == ("v1", ("a thing",))
    assert generated.release.maintenance == {"standard": "2020-01-01"}


def test_a_documentation_link_brings_the_copyright_that_it_leads_to() -> None:
    """/usr/share/doc/PKG may be a link to another package's directory."""
    files = [
        library("/usr/lib/libgcc_s.so.1", "libgcc-s1"),
        link("/usr/share/doc/libgcc-s1", "libgcc-s1", "gcc-12-base"),
        file("/usr/share/doc/gcc-12-base/copyright", "gcc-12-base"),
    ]
    generated = generate(source(files))
    assert essentials(generated, "libgcc-s1_copyright") == ["gcc-12-base_copyright"]
    assert [one.path for one in slice_of(generated, "libgcc-s1_copyright").contents] == ["/usr/share/doc/libgcc-s1"]


def test_a_copyright_slice_needs_copyrights_only() -> None:
    """All of the package needs it: anything else would be a loop."""
    files = [*small().files.values(), file("/usr/share/common-licenses/GPL-3", "base-files")]
    text = "/usr/share/doc/tool/copyright"
    given = source(files, {text: ["/usr/share/common-licenses/GPL-3", "/usr/bin/tool"], "/usr/bin/tool": [LIBC]})
    assert essentials(generate(given), "tool_copyright") == ["base-files_copyright"]


def test_links_of_a_merged_usr_have_slices_of_their_own() -> None:
    """What needs /bin/sh by that name needs the link."""
    files = [
        link("/bin", "base-files", "usr/bin", shipped=None),
        link("/lib", "base-files", "usr/lib", shipped=None),
        program("/usr/bin/dash", "dash", shipped="/bin/dash"),
        script("/usr/bin/tool", "tool"),
    ]
    generated = generate(source(files, {"/usr/bin/tool": [("/bin", "link"), "/usr/bin/dash"]}))
    assert names(generated, "base-files") == ["bin", "chisel", "lib"]
    assert essentials(generated, "tool_scripts") == ["base-files_bin", "dash_bins"]


def test_a_need_that_is_cut_is_explained() -> None:
    """The comment names both files and the evidence; who needs one of the two has both."""
    libgcc = "/usr/lib/x86_64-linux-gnu/libgcc_s.so.1"
    files = [library(LIBC, "libc6"), library(libgcc, "libgcc-s1"), program("/usr/bin/tool", "tool")]
    needs = {LIBC: [(libgcc, "load", "dlopen literal libgcc_s.so.1")], libgcc: [LIBC], "/usr/bin/tool": [LIBC]}
    generated = generate(source(files, needs))
    assert essentials(generated, "libc6_libs") == []
    assert essentials(generated, "tool_bins") == ["libc6_libs", "libgcc-s1_libs"]
    comment = slice_of(generated, "libc6_libs").comment
    assert all(word in comment for word in (LIBC, libgcc, "dlopen literal libgcc_s.so.1", "libgcc-s1_libs"))


def test_kinds_that_need_each_other_are_one_slice_with_the_reason() -> None:
    """Named after the most meaningful of them."""
    files = [program("/usr/bin/tool", "tool"), file("/usr/share/tool/x", "tool")]
    generated = generate(source(files, {"/usr/bin/tool": [files[1].path], files[1].path: ["/usr/bin/tool"]}))
    assert names(generated, "tool") == ["bins"]


def test_parts_of_one_kind_have_names_of_their_own() -> None:
    """The part that most need has the plain name, another that of its directory or its largest file."""
    files = [
        library("/usr/lib/pkg/a.so", "pkg"),
        library("/usr/lib/pkg/python.so", "pkg", bytes=9),
        library("/usr/lib/libpython.so.1", "libpython"),
        *(program(f"/usr/bin/{name}", name) for name in ("one", "two", "three")),
    ]
    needs = {
        "/usr/lib/pkg/python.so": ["/usr/lib/libpython.so.1"],
        "/usr/bin/one": ["/usr/lib/pkg/a.so"],
        "/usr/bin/two": ["/usr/lib/pkg/a.so"],
        "/usr/bin/three": ["/usr/lib/pkg/python.so"],
    }
    assert names(generate(source(files, needs)), "pkg") == ["modules", "python"]


def _runtime(*, is_started: bool) -> Generated:
    modules = [file(f"/usr/lib/python3.11/m{number:02}.py", "libpython") for number in range(60)]
    first, rest = modules[0].path, [one.path for one in modules[1:]]
    files = [program("/usr/bin/python3.11", "python"), file("/app/m.py", "app", shipped=None, content=b""), *modules]
    user = "/usr/bin/python3.11" if is_started else "/app/m.py"
    return generate(source(files, {user: [(first, "import")], first: [(path, "companion") for path in rest]}))


@pytest.mark.parametrize(("is_started", "name"), [(True, "core"), (False, "modules")])
def test_a_runtime_is_named_by_its_function(is_started: bool, name: str) -> None:
    """Many modules that an interpreter starts with are its core; those that only some program imports are modules."""
    assert names(_runtime(is_started=is_started), "libpython") == [name]


def test_a_directory_is_listed_where_it_matters() -> None:
    """An empty one, or one with another mode; a parent of what is kept comes along."""
    files = [
        program("/usr/bin/tool", "tool"),
        directory("/usr/share/tool", "tool"),
        file("/usr/share/tool/x", "tool"),
        directory("/var/lib/tool", "tool", mode=0o700),
    ]
    generated = generate(source(files))
    assert [one.path for one in slice_of(generated, "tool_data").contents] == ["/usr/share/tool/x", "/var/lib/tool/"]


def test_a_directory_of_the_hierarchy_is_no_reason_for_an_essential() -> None:
    """Several packages fill it; which of them owns it is chance."""
    files = [
        program("/usr/bin/tool", "tool"),
        directory("/usr/share", "data-of-one"),
        file("/usr/share/one", "data-of-one"),
        file("/usr/share/two", "data-of-two"),
    ]
    assert essentials(generate(source(files, {"/usr/bin/tool": [("/usr/share", "state")]})), "tool_bins") == []


def test_the_same_source_gives_the_same_release_in_any_order() -> None:
    """Of files, of needs, and of packages."""
    given = small()
    wanted = generate(given)
    for seed in range(5):
        chance = random.Random(seed)
        files = chance.sample(list(given.files.items()), len(given.files))
        needs = {path: tuple(chance.sample(found, len(found))) for path, found in given.needs.items()}
        listed = chance.sample(list(given.listed.items()), len(given.listed))
        assert generate(replace(given, files=dict(files), needs=needs, listed=dict(listed))) == wanted


def test_every_kept_name_is_in_one_slice_of_its_package() -> None:
    """Directories included."""
    given = small()
    placed = [(one.path, key.package) for key, found in parts_of(given).files.items() for one in found]
    expected = [(path, one.package) for path, one in given.files.items()]
    assert sorted(placed) == sorted([*expected, ("/usr/share/doc/libc6/copyright", "libc6")])
    assert {one.type for one in given.files.values()} >= {FileType.DIRECTORY, FileType.REGULAR}


@pytest.mark.parametrize("name", ["../../../escaped/zlib1g", "Foo_Bar", "a", "", "a/b", "-a", "a--b", "zlib1g\n"])
def test_a_package_name_that_chisel_does_not_take_is_refused(name: str) -> None:
    """A file is named for it, so that it must not lead anywhere; the hint says what chisel takes."""
    with pytest.raises(InputError, match="can't be sliced because of its name") as caught:
        generate(source([file("/usr/lib/x", name), file("/usr/lib/y", "libstdc++6")]))
    assert "a-z" in caught.value.hint


def test_nothing_gives_a_release_of_the_manifest_alone() -> None:
    """A plan that keeps nothing of any package."""
    generated = generate(source([]))
    assert list(generated.release.packages) == ["base-files"]
    assert generated.cut == (MANIFEST,)


def test_no_slice_but_a_copyright_needs_one_of_another_package() -> None:
    """A package of which only the copyright is kept is cut beside what depends on it."""
    made = generate(
        source(
            [
                program("/usr/bin/app", "app"),
                file("/usr/share/doc/app/copyright", "app"),
                file("/usr/share/doc/meta/copyright", "meta"),
            ],
            {"/usr/bin/app": [("/usr/share/doc/meta/copyright", "depends")]},
        )
    )
    essentials = {one.key for part in made.release.packages["app"].slices for one in part.essential}
    assert essentials == set()
    assert SliceKey("meta", "copyright") in made.cut
