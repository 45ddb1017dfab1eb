"""What became of packages and files, and what a scanner no longer sees."""

from __future__ import annotations

import copy
import random
from dataclasses import replace

import msgspec
import pytest

from pruner.gate.compare import compare
from pruner.gate.sides import read_side
from pruner.gate.types import Change, PackageKey, SideKind
from pruner.gate.versions import order_of
from pruner.model import FileType
from tests.unit.sboms import document, entry
from tests.unit.sides import (
    TOOL,
    debian,
    file_of,
    link,
    made_side,
    other,
    package,
    program,
    regular,
    side,
    written,
)

LIB = PackageKey("deb", "debian", "lib", "amd64")


def changes(comparison):
    return {change.key.name: (str(change.change), change.visibility) for change in comparison.packages}


def file_changes(comparison):
    return {change.path: (str(change.change), change.what) for change in comparison.files or ()}


def owned(path, key=TOOL, **fields):
    return regular(path, owner=key, **fields)


def test_added_removed_upgraded_downgraded():
    """Versions are compared in the order of the ecosystem: 1.10 is newer than 1.9, and `~` is before the end."""
    names = ("gone", "new", "up", "down", "same")
    key = {name: PackageKey("deb", "debian", name, "amd64") for name in names}
    before = made_side(
        [
            package(key["gone"]),
            package(key["up"], "1.9"),
            package(key["down"], "2.0"),
            package(key["same"], "1", ["/x"]),
        ],
        [regular("/x", owner=key["same"])],
    )
    after = made_side(
        [package(key["new"]), package(key["up"], "1.10"), package(key["down"], "2.0~rc1"), package(key["same"], "1")]
    )
    assert changes(compare(before, after)) == {
        "gone": ("removed", "removed"),
        "new": ("added", "present"),
        "up": ("upgraded", "present"),
        "down": ("downgraded", "present"),
    }


@pytest.mark.parametrize(
    ("kind", "older", "newer"),
    [
        ("deb", "1:1.0-1", "1:1.0-2"),
        ("deb", "1.0~rc1", "1.0"),
        ("apk", "1.2.4_git20230717-r4", "1.2.4_git20230717-r10"),
        ("rpm", "1.0-9", "1:0.1-1"),
        ("pypi", "1.0rc1", "1.0"),
        ("pypi", "1.9", "1.10.post1"),
        ("npm", "1.0.0-alpha.2", "1.0.0-alpha.10"),
        ("gem", "1.0.0.pre", "1.0.0"),
        ("maven", "1.0-SNAPSHOT", "1.0"),
        ("maven", "2.9.9", "2.10"),
        ("golang", "v1.9.0", "v1.10.0"),
        ("cargo", "0.9.1", "0.10.0"),
        ("nuget", "1.0.0-beta", "1.0.0"),
        ("swift", "1.9.0", "1.10.0"),
        ("conan", "1.9", "1.10"),
        ("alpm", "1.0-9", "1.0-10"),
    ],
)
def test_the_order_of_each_ecosystem(kind, older, newer):
    """Older, newer, and equal to itself."""
    assert order_of(kind, older, newer) == -1
    assert order_of(kind, newer, older) == 1
    assert order_of(kind, newer, newer) == 0


@pytest.mark.parametrize(
    ("kind", "one", "two"),
    [("deb", "a_b", "1"), ("pypi", "not a version", "1"), ("hackage", "1", "2"), ("cargo", "1.0.0+1", "1.0.0+2")],
)
def test_an_unknown_order_is_a_change(kind, one, two):
    """Neither an upgrade nor a downgrade is claimed."""
    assert order_of(kind, one, two) is None
    key = PackageKey(kind, "", "x", "")
    (change,) = compare(made_side([package(key, one)]), made_side([package(key, two)])).packages
    assert change.change is Change.CHANGED


def test_two_spellings_of_one_version_are_no_change():
    """`1.0` and `1.0.0` of PyPI are one version (PEP 440)."""
    key = PackageKey("pypi", "", "x", "")
    assert compare(made_side([package(key, "1.0")]), made_side([package(key, "1.0.0")])).packages == ()


def test_several_versions_are_matched_with_themselves():
    """Of npm's several versions the one that both have is the same; the others are paired by their place."""
    key = PackageKey("npm", "", "ms", "")
    at = {place: (f"/{place}/node_modules/ms/package.json",) for place in "abc"}
    before = made_side(
        [
            package(key, "1.0.0", evidence=at["a"]),
            package(key, "2.0.0", evidence=at["b"]),
            package(key, "3.0.0", evidence=at["c"]),
        ]
    )
    after = made_side([package(key, "2.0.0", evidence=at["b"]), package(key, "3.1.0", evidence=at["c"])])
    found = {
        (
            change.before.version if change.before else None,
            change.after.version if change.after else None,
        ): change.change
        for change in compare(before, after).packages
    }
    assert found == {("3.0.0", "3.1.0"): Change.UPGRADED, ("1.0.0", None): Change.REMOVED}


def test_the_same_version_with_other_files_is_resliced():
    """Files of its own that went or came; another owner of a file that stays is none."""
    before = made_side([package(files=("/a", "/b"))], [owned("/a"), owned("/b")])
    cut = made_side([package(files=("/a",))], [owned("/a")])
    moved = made_side([package(files=("/a",)), package(LIB, files=("/b",))], [owned("/a"), owned("/b", LIB)])
    assert changes(compare(before, cut)) == {"tool": ("resliced", "present")}
    assert changes(compare(before, moved)) == {"lib": ("added", "present")}


def test_namespace_or_architecture_that_one_side_does_not_state():
    """A root without os-release has the same packages still; two stated ones that differ are two packages."""
    plain = PackageKey("deb", "", "tool", "")
    assert compare(made_side([package()]), made_side([package(plain)])).packages == ()
    ubuntu = PackageKey("deb", "ubuntu", "tool", "amd64")
    assert len(compare(made_side([package()]), made_side([package(ubuntu)])).packages) == 2


# -- the three states ------------------------------------------------------------------------------------------------


def test_entry_and_files_gone_is_removed():
    """Directories that remain are nothing."""
    before = made_side([package(files=("/opt/tool",))], [owned("/opt/tool")])
    assert changes(compare(before, made_side())) == {"tool": ("removed", "removed")}


def test_entry_gone_and_files_there_is_invisible():
    """With the files that remain, whatever became of their content: a stripped library is vulnerable still."""
    before = made_side(
        [package(files=("/bin/a", "/bin/b", "/bin/c"))], [owned("/bin/a"), owned("/bin/b"), owned("/bin/c")]
    )
    after = made_side([], [regular("/bin/a"), regular("/bin/b", digest="sha256:1", bytes=7)])
    (change,) = compare(before, after).packages
    assert (change.visibility, change.remaining) == ("invisible", ("/bin/a", "/bin/b"))


def test_a_file_that_was_moved_remains():
    """The same content under a new name that nobody owns; not a copy that was there before, nor one that is owned."""
    copy = regular("/opt/copy", digest="sha256:7")
    before = made_side([package(files=("/lib/x.so",))], [owned("/lib/x.so", digest="sha256:7"), copy])
    moved = made_side([], [copy, regular("/opt/y.so", digest="sha256:7"), regular("/opt/z.so", digest="sha1:7")])
    (change,) = compare(before, moved).packages
    assert (change.visibility, change.remaining) == ("invisible", ("/opt/y.so",))
    taken = made_side([package(LIB, files=("/opt/y.so",))], [copy, owned("/opt/y.so", LIB, digest="sha256:7")])
    assert changes(compare(before, taken))["tool"] == ("removed", "removed")
    assert changes(compare(before, made_side([], [copy]))) == {"tool": ("removed", "removed")}


def npm(name, version, place):
    return other("npm", name, version, f"{place}/package.json", f"pkg:npm/{name}@{version}",
                 metadataType="javascript-npm-package", metadata={"name": name, "version": version})  # fmt: skip


def test_a_parent_does_not_stand_for_a_hidden_child(tmp_path):
    """npm packages own their directories: of a nested one whose package.json is gone the outer one knows nothing."""
    outer, inner = "/app/node_modules/x", "/app/node_modules/x/node_modules/lodash"
    folders = [entry(path, "Directory", mode=755) for path in (outer, inner)]
    files = [file_of(f"{path}/{name}", f"{path}{name}") for path in (outer, inner) for name in ("package.json", "i.js")]
    before = side(tmp_path, [npm("x", "1.0.0", outer), npm("lodash", "4.17.20", inner)], [*folders, *files])
    hidden = [file for file in files if file["location"]["path"] != f"{inner}/package.json"]
    (change,) = compare(before, side(tmp_path, [npm("x", "1.0.0", outer)], [*folders, *hidden])).packages
    assert (change.key.name, change.visibility, change.remaining) == ("lodash", "invisible", (f"{inner}/i.js",))
    # Another package in its very place stands for what lies there.
    fork = side(tmp_path, [npm("x", "1.0.0", outer), npm("fork", "1.0.0", inner)], [*folders, *files])
    assert changes(compare(before, fork)) == {"lodash": ("removed", "removed"), "fork": ("added", "present")}


def test_an_upgrade_at_another_place_hides_what_it_leaves(tmp_path):
    """A newer version elsewhere is no upgrade of what lies at the old place without its package.json."""
    folders = [entry(path, "Directory", mode=755) for path in ("/a", "/b")]
    older = [file_of("/a/package.json", "1"), file_of("/a/i.js", "old")]
    newer = [file_of("/b/package.json", "2"), file_of("/b/i.js", "new")]
    before = side(tmp_path, [npm("lodash", "4.17.20", "/a")], [*folders, *older])
    after = side(tmp_path, [npm("lodash", "4.17.21", "/b")], [*folders, older[1], *newer])
    (change,) = compare(before, after).packages
    assert (change.change, change.visibility, change.remaining) == (Change.UPGRADED, "invisible", ("/a/i.js",))
    clean = side(tmp_path, [npm("lodash", "4.17.21", "/b")], [*folders, *newer])
    assert changes(compare(before, clean)) == {"lodash": ("upgraded", "present")}


def test_a_version_edited_in_the_database_is_no_upgrade():
    """Where the entry has another version and no file of the package has changed, what it is can't be told."""
    before = made_side([package(version="1", files=("/a", "/b"))], [owned("/a"), owned("/b")])
    edited = made_side([package(version="2", files=("/a", "/b"))], [owned("/a"), owned("/b")])
    assert changes(compare(before, edited)) == {"tool": ("upgraded", "unknown")}
    real = made_side([package(version="2", files=("/a", "/b"))], [owned("/a"), owned("/b", digest="sha256:1")])
    assert changes(compare(before, real)) == {"tool": ("upgraded", "present")}
    unstated = made_side([package(version="2", files=("/a", "/b"))], [owned("/a"), owned("/b", digest=None)])
    assert changes(compare(before, unstated)) == {"tool": ("upgraded", "present")}
    # What was cut off says nothing of what is left; what came in does.
    cut = made_side([package(version="2", files=("/a",))], [owned("/a")])
    assert changes(compare(before, cut)) == {"tool": ("upgraded", "unknown")}
    more = made_side([package(version="2", files=("/a", "/c"))], [owned("/a"), owned("/c")])
    assert changes(compare(before, more)) == {"tool": ("upgraded", "present")}
    empty = made_side([package(version="2")], [])
    assert changes(compare(before, empty)) == {"tool": ("upgraded", "present")}


def test_swapped_sides_are_asked_about():
    """Pruning backwards: packages added, others whole again, files that pruning made gone; counted are the added."""
    keys = [PackageKey("deb", "debian", name, "amd64") for name in ("one", "two", "part")]
    part = keys[2]
    thin = made_side([package(part, files=("/p",))], [owned("/p", part), regular("/made")])
    fat = made_side(
        [package(keys[0]), package(keys[1]), package(part, files=("/p", "/q"))], [owned("/p", part), owned("/q", part)]
    )
    question = "nothing was removed and 2 packages were added: are BEFORE and AFTER swapped?"
    assert question in compare(thin, fat).notes
    assert not any("swapped" in note for note in compare(fat, thin).notes)
    many = [package(PackageKey("deb", "debian", f"p{number}", "amd64")) for number in range(20)]
    assert not any("swapped" in note for note in compare(made_side(many), made_side([*many, package()])).notes)


def test_more_packages_are_no_swap():
    """A compiler that is installed adds many packages and makes none whole; of sides without files numbers must do."""
    names = [package(PackageKey("deb", "debian", f"p{number}", "amd64")) for number in range(6)]
    asked = "nothing was removed and {} packages were added: are BEFORE and AFTER swapped?".format

    def notes(count, files=(), **fields):
        return compare(made_side(names[:count], files, **fields), made_side(names, files)).notes

    assert not any("swapped" in note for note in notes(1))
    assert asked(4) in notes(2, None)
    assert not any("swapped" in note for note in notes(3, None))
    assert f"BEFORE is a plan, {asked(5)}" in notes(1, kind=SideKind.PLAN)
    plans = [made_side(some, kind=SideKind.PLAN) for some in (names[:1], names)]
    assert not any("swapped" in note for note in compare(*plans).notes)


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/etc/tool.conf", {}),
        ("/usr/share/doc/tool/copyright", {}),
        ("/var/lib/dpkg/info/tool.list", {}),
        ("/usr/lib/tool/__init__.py", {"bytes": 0}),
    ],
)
def test_what_may_outlive_a_package(path, fields):
    """Configuration that is not purged, licences, the database's own, and what is empty."""
    before = made_side([package(files=("/bin/a", path))], [owned("/bin/a"), owned(path, **fields)])
    after = made_side([], [regular(path, **fields)])
    assert changes(compare(before, after)) == {"tool": ("removed", "removed")}


def test_a_package_of_configuration_or_links_of_which_nothing_is_gone():
    """Certificates in /etc, or a package that is a link: its entry alone is gone; prose may outlive a package."""
    linked = msgspec.structs.replace(link("/bin/sh", "busybox"), owner=TOOL)
    for files, visibility in (
        ([owned("/etc/ssl/ca.crt"), owned("/etc/ssl/more.crt")], "invisible"),
        ([linked], "invisible"),
        ([owned("/usr/share/doc/tool/copyright")], "removed"),
        ([owned("/etc/tool.conf"), owned("/usr/share/doc/tool/copyright")], "invisible"),
    ):
        before = made_side([package(files=[file.path for file in files])], files)
        left = [msgspec.structs.replace(file, owner=None) for file in files]
        assert changes(compare(before, made_side([], left))) == {"tool": ("removed", visibility)}
        assert changes(compare(before, made_side([], left[1:]))) == {"tool": ("removed", "removed")}


def test_a_file_that_another_package_accounts_for():
    """Shared before or taken over now by what a scanner sees; a package of another kind sees nothing of it."""
    before = made_side([package(files=("/bin/a",))], [owned("/bin/a")])
    taken = made_side([package(LIB, files=("/bin/a",))], [owned("/bin/a", LIB)])
    assert changes(compare(before, taken))["tool"] == ("removed", "removed")
    binary = PackageKey("generic", "", "a", "")
    seen = made_side([package(binary, files=("/bin/a",))], [owned("/bin/a", binary)])
    assert changes(compare(before, seen))["tool"] == ("removed", "invisible")
    shared = made_side([package(LIB, files=("/bin/a",)), package(files=("/bin/a",))], [owned("/bin/a", LIB)])
    assert changes(compare(shared, taken)) == {"tool": ("removed", "removed")}


def test_a_side_that_lists_owned_files_only_can_not_tell():
    """What is left of a removed package would not be listed, so nothing is claimed; what is seen is seen."""
    before = made_side([package(files=("/bin/a",))], [owned("/bin/a")], kind=SideKind.SBOM)
    after = made_side([], [], kind=SideKind.SBOM, complete=False)
    assert changes(compare(before, after)) == {"tool": ("removed", "unknown")}
    seen = made_side([], [regular("/bin/a")], kind=SideKind.SBOM, complete=False)
    assert changes(compare(before, seen)) == {"tool": ("removed", "invisible")}
    nothing = made_side([], None, kind=SideKind.SBOM, complete=False)
    comparison = compare(before, nothing)
    assert changes(comparison) == {"tool": ("removed", "unknown")}
    assert comparison.files is None
    assert any("lists no files" in note for note in comparison.notes)


def test_the_database_deleted_hides_every_package(tmp_path):
    """Files all there, entries all gone: nothing was fixed by it."""
    files = [program("/usr/bin/tool"), program("/usr/lib/libx.so.1", starts=False), file_of("/etc/x")]
    debs = [debian("tool", "1", ["/usr/bin/tool"]), debian("libx", "1", ["/usr/lib/libx.so.1"])]
    keep = other("npm", "ms", "1.0.0", "/app/node_modules/ms/package.json", "pkg:npm/ms@1.0.0")
    before = side(tmp_path, [*debs, keep], files)
    after = side(tmp_path, [keep], files)
    assert changes(compare(before, after)) == {"tool": ("removed", "invisible"), "libx": ("removed", "invisible")}


# -- two tools, two kinds --------------------------------------------------------------------------------------------


def test_order_ids_and_duplicates_do_not_matter(tmp_path):
    """Syft's ids change with its releases, its order with its threads."""
    artifacts = [debian(f"p{number}", "1", [f"/usr/bin/p{number}"]) for number in range(20)]
    files = [program(f"/usr/bin/p{number}", content=str(number)) for number in range(20)]
    chance = random.Random(1)
    shuffled, twice = copy.deepcopy(artifacts), copy.deepcopy(artifacts[3])
    twice["id"] = "another"
    for number, artifact in enumerate(shuffled):
        artifact["id"] = f"new-{number}"
    shuffled.append(twice)
    chance.shuffle(shuffled)
    mixed = copy.deepcopy(files)
    chance.shuffle(mixed)
    for number, file in enumerate(mixed):
        file["id"] = f"file-{number}"
    comparison = compare(side(tmp_path, artifacts, files), side(tmp_path, shuffled, mixed))
    assert (comparison.packages, comparison.files, comparison.conformity) == ((), (), None)


def test_what_two_releases_see_differently_is_a_note(tmp_path):
    """A newer release names a package in a file that did not change: the image has not changed, so the diff is empty."""
    files = [program("/usr/bin/app"), file_of("/x")]
    plain = [debian("tool", "1", ["/x"])]
    found = other("binary", "app", "1.0", "/usr/bin/app", "pkg:generic/app@1.0")
    new = {"name": "syft", "version": "1.51.0", "configuration": {"files": {"selection": "all"}}}
    comparison = compare(side(tmp_path, plain, files), side(tmp_path, [*plain, found], files, descriptor=new))
    assert comparison.packages == ()
    assert any("generic:app" in note and "syft 1.51.0" in note for note in comparison.notes)
    same_tool = compare(side(tmp_path, plain, files), side(tmp_path, [*plain, found], files))
    assert changes(same_tool) == {"app": ("added", "present")}
    changed = [program("/usr/bin/app", content="other"), file_of("/x")]
    other_file = compare(side(tmp_path, plain, files), side(tmp_path, [*plain, found], changed, descriptor=new))
    assert changes(other_file) == {"app": ("added", "present")}


def test_a_plan_before_what_it_prunes_is_asked_about():
    """Where every package has a part in the plan the files that it dropped come back."""
    plan = made_side([package(files=("/a",))], [owned("/a")], kind=SideKind.PLAN)
    fat = made_side([package(files=("/a", "/b"))], [owned("/a"), owned("/b")], kind=SideKind.SBOM)
    question = "BEFORE is a plan, nothing was removed and 1 file was added: are BEFORE and AFTER swapped?"
    assert question in compare(plan, fat).notes
    for before, after in ((fat, plan), (plan, plan), (replace(plan, kind=SideKind.SBOM), fat)):
        assert not any("swapped" in note for note in compare(before, after).notes)


def test_a_root_says_which_packages_it_tells():
    """A limit of packages holds for those alone, which the reader learns."""
    root = made_side([package()], [], package_types=frozenset({"deb", "apk", "rpm"}))
    note = "after tells of apk, deb, rpm packages alone; an SBOM tells of those of languages as well"
    assert note in compare(root, root).notes
    assert note not in compare(root, made_side([package()], [])).notes


def test_an_sbom_and_a_root_are_compared_where_both_tell(tmp_path):
    """A root's database lists no npm packages: they are noted, not removed."""
    module = other("npm", "ms", "1.0.0", "/app/node_modules/ms/package.json", "pkg:npm/ms@1.0.0")
    before = side(tmp_path, [debian("tool", "1", ["/x"]), module], [file_of("/x"), file_of("/y")])
    stated = before.files or {}
    after = made_side(
        [package(version="1", files=("/x",))], stated.values(), package_types=frozenset({"deb", "apk", "rpm"})
    )
    comparison = compare(before, after)
    assert (comparison.packages, comparison.files) == ((), ())
    assert any("1 npm" in note for note in comparison.notes)


# -- files -------------------------------------------------------------------------------------------------------------


def test_what_changed_about_a_file():
    """Content, mode, setuid, setgid, owner, target, type, capabilities; each named, and nothing else."""
    before = made_side(
        [],
        [
            regular("/content"),
            regular("/mode"),
            regular("/setgid", 0o755),
            regular("/setuid", 0o755),
            regular("/owner"),
            regular("/capability", 0o755),
            link("/link", "a"),
            regular("/type"),
            regular("/same"),
        ],
    )
    after = made_side(
        [],
        [
            regular("/content", digest="sha256:1"),
            regular("/mode", 0o600),
            regular("/setgid", 0o2755),
            regular("/setuid", 0o4755),
            regular("/owner", uid=1),
            regular("/capability", 0o755, capabilities=b"\1"),
            link("/link", "b"),
            link("/type", "a"),
            regular("/same"),
        ],
    )
    assert file_changes(compare(before, after)) == {
        "/capability": ("changed", ("capabilities",)),
        "/content": ("changed", ("content",)),
        "/link": ("changed", ("target",)),
        "/mode": ("changed", ("mode",)),
        "/owner": ("changed", ("owner",)),
        "/setgid": ("changed", ("mode", "setgid")),
        "/setuid": ("changed", ("mode", "setuid")),
        "/type": ("changed", ("type",)),
    }


def test_what_a_side_does_not_know_has_not_changed():
    """None is unknown: no mode, no size, no capabilities, a digest of another algorithm."""
    before = made_side([], [regular("/a", 0o4755, capabilities=None, digest="sha1:0", bytes=None)])
    after = made_side([], [regular("/a", 0o4755, capabilities=b"\1", digest="sha256:1", bytes=3, uid=None, gid=None)])
    assert file_changes(compare(before, after)) == {}


def test_special_files_count_where_both_list_them():
    """A scan of a directory lists no device nodes; two roots do."""
    from pruner.gate.types import SideFile

    null = SideFile(path="/dev/null", type=FileType.CHARACTER_DEVICE, mode=0o666)
    with_device, without = made_side([], [null]), made_side([], [])
    assert file_changes(compare(with_device, without)) == {"/dev/null": ("removed", ())}
    scanned = made_side([], [], kind=SideKind.SBOM)
    assert file_changes(compare(with_device, scanned)) == {}


def test_where_only_owned_files_are_listed_nothing_else_is_compared():
    """Directories, links and unowned files of the other side say nothing."""
    partial = made_side([package(files=("/a",))], [owned("/a")], kind=SideKind.SBOM, complete=False)
    whole = made_side(
        [package(files=("/a", "/c"))], [owned("/a"), regular("/b"), owned("/c"), link("/l", "a")], kind=SideKind.SBOM
    )
    assert file_changes(compare(partial, whole)) == {"/c": ("added", ())}


def test_an_entry_that_another_scanner_misses_is_not_gone(tmp_path):
    """The database is the same to the byte, so that its entries are; of a database that changed they may be gone."""
    database = "/var/lib/dpkg/status"
    files = [program("/usr/bin/tool"), program("/usr/bin/other")]
    debs = [debian("tool", "1", ["/usr/bin/tool"]), debian("other", "1", ["/usr/bin/other"])]
    before = side(tmp_path, debs, [*files, file_of(database)])
    other_tool = {"name": "syft", "version": "1.40.0"}
    same = compare(before, side(tmp_path, debs[:1], [*files, file_of(database)], descriptor=other_tool))
    assert same.packages == ()
    assert any("see the same unchanged files differently: deb:other" in note for note in same.notes)
    changed = [*files, file_of(database, "edited")]
    for after in (
        side(tmp_path, debs[:1], changed, descriptor=other_tool),
        side(tmp_path, debs[:1], files, descriptor=other_tool),  # whether it changed is not known
        side(tmp_path, debs[:1], changed),
    ):
        assert [change.visibility for change in compare(before, after).packages] == ["invisible"]


def test_empty_files_of_a_partial_listing_are_not_gone():
    """A partial listing may lack them, so that neither the file is removed nor the package re-sliced."""
    whole = made_side([package(files=("/a", "/e"))], [owned("/a"), owned("/e", bytes=0)], kind=SideKind.SBOM)
    partial = made_side([package(files=("/a",))], [owned("/a")], kind=SideKind.SBOM, complete=False)
    for before, after in ((whole, partial), (partial, whole)):
        found = compare(before, after)
        assert (found.packages, found.files) == ((), ())


def test_a_document_with_some_files_says_nothing_of_others(tmp_path):
    """CycloneDX has file components of whatever its maker chose: no file is gone because it is not among them."""
    listed = {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [
        {"type": "library", "name": "tool", "version": "1", "purl": "pkg:deb/debian/tool@1?arch=amd64"},
        {"type": "file", "name": "/etc/x", "hashes": [{"alg": "SHA-256", "content": "00" * 32}]},
    ]}  # fmt: skip
    whole = side(tmp_path, [debian("tool", "1", ["/usr/bin/tool"])], [program("/usr/bin/tool"), file_of("/etc/x")])
    some = read_side(written(tmp_path, listed, "cdx.json"))
    for before, after in ((whole, some), (some, whole)):
        found = compare(before, after)
        assert found.packages == ()
        assert file_changes(found) == {"/etc/x": ("changed", ("content",))}


def test_an_entry_without_any_of_its_files_is_resliced(tmp_path):
    """The entry stays and says what the package holds, but nothing of it is there any more."""
    tool = [debian("tool", "1", ["/usr/bin/tool"])]
    before = side(tmp_path, tool, [program("/usr/bin/tool"), file_of("/other")])
    after = side(tmp_path, tool, [file_of("/other")])
    assert [(str(change.change), change.visibility) for change in compare(before, after).packages] == [
        ("resliced", "present")
    ]


def test_files_of_a_document_change_with_modes(tmp_path):
    """Syft's spelling of setuid arrives as one."""
    debs = [debian("tool", "1", ["/usr/bin/tool"])]
    before = side(tmp_path, debs, [program("/usr/bin/tool")])
    after = side(
        tmp_path, debs, [program("/usr/bin/tool", mode=40000755), entry("/new", "Directory", mode=20000000755)]
    )
    assert file_changes(compare(before, after)) == {
        "/usr/bin/tool": ("changed", ("mode", "setuid")),
        "/new": ("added", ()),
    }


def test_a_document_of_another_distribution_is_noted(tmp_path):
    """And `12.15` is what a newer release says for `12`."""
    artifacts = [debian("tool", "1", ["/x"])]
    before = side(tmp_path, artifacts, [file_of("/x")])
    later = side(tmp_path, artifacts, [file_of("/x")], distro={"id": "debian", "versionID": "13"})
    assert any("distribution differs" in note for note in compare(before, later).notes)
    point = side(tmp_path, artifacts, [file_of("/x")], distro={"id": "debian", "versionID": "12.15"})
    assert not any("distribution" in note for note in compare(before, point).notes)
    assert document([])["distro"]["versionID"] == "12"


# -- spellings, places and tools -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other_purl"),
    [
        ("pkg:pypi/Ruamel.yaml_clib@1", "pkg:pypi/ruamel-yaml-clib@1"),
        ("pkg:golang/github.com/BurntSushi/toml@v1", "pkg:golang/github.com/burntsushi/toml@v1"),
        ("pkg:nuget/Newtonsoft.Json@1", "pkg:nuget/newtonsoft.json@1"),
    ],
)
def test_names_that_an_ecosystem_takes_for_one(tmp_path, one, other_purl):
    """PEP 503 has one name for `a.b`, `a_b` and `A-B`; NuGet and purls of Go know no capitals. npm's names differ."""
    sides = [side(tmp_path, [other("x", "x", "1", "/m", purl)]) for purl in (one, other_purl)]
    assert compare(*sides).packages == ()
    npm_sides = [side(tmp_path, [other("npm", "x", "1", "/m", f"pkg:npm/{name}@1")]) for name in ("a.b", "a-b")]
    assert len(compare(*npm_sides).packages) == 2


def cyclonedx(place, *components, tool="acme"):
    tools = {"components": [{"type": "application", "name": tool, "version": "1"}]}
    content = {"bomFormat": "CycloneDX", "specVersion": "1.6", "metadata": {"tools": tools}, "components": components}
    return read_side(written(place, content))


def test_a_package_without_a_type_is_the_one_of_its_name(tmp_path):
    """A document without purls names no ecosystem; where a version differs, or two bear the name, nothing is joined."""
    typed = {"type": "library", "name": "core", "group": "@a", "version": "1", "purl": "pkg:npm/%40a/core@1"}
    bare = {"type": "library", "name": "core", "group": "@a", "version": "1"}
    with_type = cyclonedx(tmp_path, typed)
    for stated in ("1", ""):
        assert compare(with_type, cyclonedx(tmp_path, {**bare, "version": stated})).packages == ()
        assert compare(cyclonedx(tmp_path, {**bare, "version": stated}), with_type).packages == ()
    assert len(compare(with_type, cyclonedx(tmp_path, {**bare, "version": "2"})).packages) == 2
    twice = cyclonedx(tmp_path, typed, {**typed, "purl": "pkg:pypi/core@1", "group": ""})
    assert len(compare(twice, cyclonedx(tmp_path, {**bare, "group": ""})).packages) == 1


def test_an_ecosystem_that_the_first_tool_may_not_look_for(tmp_path):
    """A document of one ecosystem, without files, says nothing of others; the same tool's does."""
    pip = {"type": "library", "name": "flask", "version": "1", "purl": "pkg:pypi/flask@1"}
    npm_one = {"type": "library", "name": "ms", "version": "1", "purl": "pkg:npm/ms@1"}
    before = cyclonedx(tmp_path, pip, tool="cyclonedx-py")
    comparison = compare(before, cyclonedx(tmp_path, pip, npm_one))
    assert comparison.packages == ()
    assert (
        "cyclonedx-py 1 lists no packages of these types, and may not look for them; not called new: 1 npm"
        in comparison.notes
    )
    same = compare(before, cyclonedx(tmp_path, pip, npm_one, tool="cyclonedx-py"))
    assert changes(same) == {"ms": ("added", "present")}
    more = {**npm_one, "name": "qs", "purl": "pkg:npm/qs@1"}
    assert changes(compare(cyclonedx(tmp_path, npm_one), cyclonedx(tmp_path, npm_one, more, tool="z"))) == {
        "qs": ("added", "present")
    }


def test_a_package_that_was_moved_or_copied_is_whole(tmp_path):
    """Its parts are the same, wherever they lie; a copy that lacks one is a part."""
    folders = [entry(path, "Directory", mode=755) for path in ("/a", "/b")]
    first = [file_of("/a/package.json", "1"), file_of("/a/i.js", "old")]
    moved = [file_of("/b/package.json", "1"), file_of("/b/renamed.js", "old")]
    before = side(tmp_path, [npm("ms", "1.0.0", "/a")], [*folders, *first])
    assert compare(before, side(tmp_path, [npm("ms", "1.0.0", "/b")], [*folders, *moved])).packages == ()
    both = [npm("ms", "1.0.0", "/a"), npm("ms", "1.0.0", "/b")]
    assert compare(before, side(tmp_path, both, [*folders, *first, *moved])).packages == ()
    cut = side(tmp_path, [npm("ms", "1.0.0", "/b")], [*folders, moved[0]])
    assert changes(compare(before, cut)) == {"ms": ("resliced", "present")}


def test_a_binary_that_an_entry_accounted_for_is_not_new(tmp_path):
    """A scanner names what is in a file only when no database does; a file that changed is another matter."""
    keep = debian("keep", "1", ["/usr/bin/keep"])
    files = [program("/usr/bin/keep", content="k"), program("/bin/busybox", content="b")]
    before = side(tmp_path, [keep, debian("busybox", "1", ["/bin/busybox"])], files)
    seen = other(
        "binary", "busybox", "1.36", "/bin/busybox", "pkg:generic/busybox@1.36", metadataType="binary-signature"
    )
    comparison = compare(before, side(tmp_path, [keep, seen], files))
    assert [(one.key.type, one.visibility) for one in comparison.packages] == [("deb", "invisible")]
    assert any("packages of their own now: generic:busybox" in note for note in comparison.notes)
    other_files = [files[0], program("/bin/busybox", content="another")]
    changed = compare(before, side(tmp_path, [keep, seen], other_files))
    assert ("generic", Change.ADDED) in {(one.key.type, one.change) for one in changed.packages}


def test_a_name_that_is_no_utf_8_is_the_one_that_a_document_can_not_hold(tmp_path):
    """U+FFFD stands for a byte that JSON can't hold; it names the one file that it can be, and no other."""
    odd, digest = "/srv/a\udcffb", file_of("/x", "odd")["digests"][0]["value"]
    document_side = side(tmp_path, [debian("tool", "1", ["/srv/a\ufffdb"])], [file_of("/srv/a\ufffdb", "odd")])
    key = next(iter(document_side.packages))
    held = regular(odd, 0o644, bytes=3, digest=f"sha256:{digest}", owner=key)
    root = made_side([package(key, "1", (odd,))], [held])
    for comparison in (compare(document_side, root), compare(root, document_side)):
        assert (comparison.packages, comparison.files) == ((), ())
    changed = made_side([package(key, "1", (odd,))], [msgspec.structs.replace(held, digest="sha256:1")])
    (change,) = compare(document_side, changed).files or ()
    assert (change.path, change.change) == (odd, Change.CHANGED)
    twin = msgspec.structs.replace(held, path="/srv/a\udcfeb")
    found = compare(document_side, made_side([package(key, "1", (odd,))], [held, twin])).files or ()
    assert [(one.path, one.change) for one in found] == [
        ("/srv/a\ufffdb", "removed"), ("/srv/a\udcfeb", "added"), ("/srv/a\udcffb", "added"),
    ]  # fmt: skip


def test_other_evidence_of_the_same_files_is_no_other_part():
    """One tool finds a package by its lock file, and counts a second copy as its own; every file is on both sides."""
    ms = PackageKey("npm", "", "ms", "")
    files = [regular("/a/ms/i.js", digest="sha256:1"), regular("/b/ms/old.js", digest="sha256:2")]
    one = package(ms, "2.0.0", ["/a/ms/i.js"], evidence=("/a/ms/package.json",))
    locked = package(ms, "2.0.0", ["/a/ms/i.js", "/b/ms/old.js"], evidence=("/package-lock.json",))
    assert changes(compare(made_side([one], files), made_side([locked], files))) == {}
    assert changes(compare(made_side([locked], files), made_side([one], files[:1]))) == {"ms": ("resliced", "present")}


def test_an_empty_file_that_a_format_leaves_out_is_no_part_that_was_cut_off():
    """SPDX by Syft lists no empty files; a plan states no evidence, which says nothing of a move."""
    pip = PackageKey("pypi", "", "pip", "")
    code, empty = regular("/p/pip.py"), regular("/p/py.typed", bytes=0, digest=None)
    planned = made_side([package(pip, "1", ["/p/pip.py", "/p/py.typed"])], [code, empty], kind=SideKind.PLAN)
    found = package(pip, "1", ["/p/pip.py"], evidence=("/p/METADATA",))
    scanned = made_side([found], [code, regular("/p/METADATA")], kind=SideKind.SBOM, complete=False)
    assert changes(compare(planned, scanned)) == {}
