"""Checking a release as a whole: conflicts, preferences, loops, and what reviewers refuse."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from pruner.slices.check import check_release
from pruner.slices.checkrules import CUT_RULES, RULES, TOLERATED, severity_of
from pruner.slices.conflicts import path_conflicts
from pruner.slices.patterns import is_pattern, overlap
from pruner.slices.readrelease import read_release
from pruner.slices.types import (
    Content,
    Essential,
    PathKind,
    Problem,
    Release,
    Severity,
    Slice,
    SlicedPackage,
    SliceKey,
)  # fmt: skip
from tests.unit.slicefiles import write_release


def package(name: str, **slices: str) -> str:
    """A definition with the copyright slice that reviewers want; each slice is one flow mapping on a line."""
    lines = "".join(f"  {key}: {value}\n" for key, value in slices.items())
    last = f"  copyright: {{contents: {{/usr/share/doc/{name}/copyright: }}}}\n"
    return f"package: {name}\nessential: {{{name}_copyright: }}\nslices:\n{lines}{last}"


def contents(**paths: str) -> str:
    """A slice with paths `/KEY`; `__` stands for a slash."""
    inner = ", ".join(f"/{key.replace('__', '/')}: {value}" for key, value in paths.items())
    return f"{{contents: {{{inner}}}}}"


def problems(directory: Path, files: dict[str, str | bytes], **options: object) -> list[tuple[str, int, str]]:
    read = read_release(write_release(directory, files))
    found = check_release(read, **options)  # type: ignore[arg-type]
    assert all(RULES[problem.rule] and severity_of(problem.rule) is problem.severity for problem in found)
    return [
        (problem.file.removeprefix("slices/").removesuffix(".yaml"), problem.line, problem.rule) for problem in found
    ]


def test_a_release_that_keeps_every_rule_has_no_problems(tmp_path: Path):
    """Nothing is wrong with a release that chisel and reviewers accept."""
    files: dict[str, str | bytes] = {
        "foo": package(
            "foo", bins="{essential: {bar_libs: }, contents: {/usr/bin/foo: , /usr/lib/*-linux-*/foo.so.*: }}"
        ),
        "bar": package("bar", libs=contents(run__x__="{make: true}")),
        "baz": package("baz", libs=contents(run__x__="{make: true}")),
    }
    assert problems(tmp_path, files) == []


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (contents(x=""), contents(x="")),
        (contents(x="{text: a}"), contents(x="{text: b}")),
        (contents(x="{text: a}"), contents(x="")),
        (contents(x__="{make: true}"), contents(x__="{make: true, mode: 0700}")),
        ("{contents: {/x*: }}", "{contents: {/x*: }}"),
        ("{contents: {/x*: }}", contents(xy="{text: a}")),
        ("{contents: {/x/**: }}", "{contents: {/x/*/y: }}"),
        ("{contents: {/x/**: {generate: manifest}}}", contents(x__y__="{make: true}")),
    ],
)
def test_conflicts_of_two_packages(tmp_path: Path, first: str, second: str):
    """Two packages may not make a path in different ways, nor fetch one path both."""
    found = problems(tmp_path, {"aa": package("aa", one=first), "bb": package("bb", one=second)})
    assert found == [("bb", 4, "path-conflict")]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (contents(x="{text: a}"), contents(x="{text: a}")),
        (contents(x__="{make: true}"), contents(x__="{make: true, arch: amd64}")),
        (contents(x="{symlink: /a}"), contents(x="{symlink: /a}")),
        ("{contents: {/x/*: }}", "{contents: {/x/: , /x/*/y: }}"),
    ],
)
def test_what_two_packages_may_share(tmp_path: Path, first: str, second: str):
    """The same directory, text or link in two packages is no conflict; architectures are not compared."""
    assert problems(tmp_path, {"aa": package("aa", one=first), "bb": package("bb", one=second)}) == []


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (contents(x=""), contents(x="{copy: /x, arch: amd64}"), []),
        (contents(x=""), contents(x="{text: a}"), ["path-conflict"]),
        (contents(x="{text: a}"), contents(x="{text: a, mutable: true}"), ["path-conflict"]),
        ("{contents: {/x*: }}", "{contents: {/x?: , /xa: }}", []),
        ("{contents: {/x*: }}", contents(xa="{symlink: /b}"), ["path-conflict"]),
        ("{contents: {/x/**: }}", contents(x__="{make: true}"), ["path-conflict"]),
        ("{contents: {/x/**: }}", "{contents: {/x/y/**: {generate: manifest}}}", ["path-conflict"]),
    ],
)
def test_conflicts_within_a_package(tmp_path: Path, first: str, second: str, expected: list[str]):
    """One archive agrees with itself; what is made never agrees with a pattern, even in one package."""
    files: dict[str, str | bytes] = {"aa": package("aa", one=first, two=second)}
    found = [rule for _, _, rule in problems(tmp_path, files) if severity_of(rule) is Severity.ERROR]
    assert found == expected


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        (["bb", "cc", ""], []),
        (["bb", "", None], []),
        (["bb", "", ""], ["prefer"]),  # cc is not in the chain
        (["cc", "cc", ""], ["prefer"]),
        (["bb", "aa", None], ["prefer", "prefer"]),
        (["bb", "cc", "aa"], ["prefer", "prefer", "prefer"]),
        (["cc", None, None], ["prefer"]),
        (["nowhere", None, None], ["prefer"]),
    ],
)
def test_preferences(tmp_path: Path, targets: list[str | None], expected: list[str]):
    """For each path, preferences form one chain of packages that have it."""
    files: dict[str, str | bytes] = {}
    for name, target in zip(("aa", "bb", "cc"), targets, strict=True):
        value = {None: "", "": contents(x="")}.get(target, contents(x=f"{{prefer: {target}}}"))
        files[name] = package(name, **({"one": value} if value else {}))
    found = [rule for _, _, rule in problems(tmp_path, files)]
    assert sorted(set(found)) == sorted(set(expected))


def test_missing_essentials(tmp_path: Path):
    """An essential that nothing defines is reported where it is written, with the slices that there are."""
    files: dict[str, str | bytes] = {
        "aa": package("aa", one="{essential: {bb_two: , nowhere_one: }}"),
        "bb": package("bb", one=contents(x="")),
    }
    read = read_release(write_release(tmp_path, files))
    found = [problem for problem in check_release(read) if problem.rule == "essential-missing"]
    assert [(problem.line, problem.hint) for problem in found] == [
        (4, "bb has copyright, one"),
        (4, "no file defines nowhere"),
    ]


def test_an_unreadable_file_is_no_missing_package(tmp_path: Path):
    """What a file that is no YAML would define is not called missing."""
    files: dict[str, str | bytes] = {"aa": package("aa", one="{essential: {bb_one: }}"), "bb": b"["}
    assert problems(tmp_path, files) == [("bb", 2, "yaml-syntax")]


def test_loops(tmp_path: Path):
    """Slices that need each other are reported once, architectures notwithstanding."""
    files: dict[str, str | bytes] = {
        "aa": package("aa", one="{essential: {bb_one: {arch: amd64}}}"),
        "bb": package("bb", one="{essential: {cc_one: }}"),
        "cc": package("cc", one="{essential: {aa_one: {arch: arm64}}}"),
        "dd": package("dd", one="{essential: {aa_one: }}"),
    }
    assert problems(tmp_path, files) == [("aa", 4, "essential-loop")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("package: aa\nslices:\n  one: {contents: {/x: }}\n", (1, "copyright-missing")),
        ("package: aa\nslices:\n  one: {contents: {/x: }}\n  copyright: {contents: {/y: }}\n", (3, "copyright-not-essential")),
        ("package: aa\nessential: {aa_copyright: }\nslices:\n  copyright: {contents: {/y: }}\n  one: {contents: {/x: }}\n", (4, "copyright-last")),
        ("package: aa\n", (1, "no-slices")),
        (package("aa", one=""), (4, "empty-slice")),
        (package("aa", one="{content: {/x: }}"), (4, "unknown-key")),
        (package("aa", one="{content: {/x: }}"), (4, "empty-slice")),
        (package("aa", one="{contents: {/y: , /x: }}"), (4, "unsorted-contents")),
        (package("aa", one="{essential: {aa_two: , aa_copyrights: }}"), (4, "unsorted-essential")),
        (package("aa", one="{hint: a tool., contents: {/x: }}"), (4, "hint-style")),
        (package("aa", one="{contents: {/usr/lib/*/libx.so: }}"), (4, "lazy-pattern")),
        (package("aa", one="{contents: {/usr/lib/python3.*/os.py: }}"), (4, "lazy-pattern")),
        (package("aa", one="{contents: {/usr/**/x: }}"), (4, "deep-pattern")),
        (package("aa", one="{contents: {/l: {symlink: /usr/l}, /l/x: }}"), (4, "below-link")),
        (package("aa", one="{contents: {/x: {until: mutate}}}"), (4, "until-unused")),
    ],
)  # fmt: skip
def test_warnings(tmp_path: Path, text: str, expected: tuple[int, str]):
    """What chisel takes in silence, and what reviewers refuse, are warnings."""
    assert ("aa", *expected) in problems(tmp_path, {"aa": text})


def test_a_script_of_a_slice_that_needs_another_uses_its_paths(tmp_path: Path):
    """Paths that go away after the scripts are fine in a slice that one with a script needs."""
    files: dict[str, str | bytes] = {
        "aa": package("aa", one="{essential: {bb_one: }, mutate: pass}"),
        "bb": package("bb", one="{contents: {/x: {until: mutate}}}"),
    }
    assert problems(tmp_path, files) == []


def test_slices_that_nothing_reaches(tmp_path: Path):
    """With the slices that are to be cut, those that don't come along are named; without, none."""
    files: dict[str, str | bytes] = {
        "aa": package("aa", one="{essential: {bb_one: }}"),
        "bb": package("bb", one=contents(x=""), two=contents(y="")),
    }
    assert problems(tmp_path, files, roots=[SliceKey("aa", "one")]) == [("bb", 5, "unreachable-slice")]
    assert problems(tmp_path, files) == []


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/usr/bin/foo:", True),
        ("/usr/bin/fo:", False),
        ("/usr/share/foo/:", True),
        ("/usr/lib/*-linux-*/foo.so.*:", True),
        ("/usr/lib/*-linux-*/bar.so.*:", False),
        ("/usr/share/*/:", True),
        ("/usr/bin/f: {copy: /usr/bin/foo}", True),
        ("/usr/bin/foo: {copy: /bin/foo}", False),
        ("/etc/made: {text: x}", True),
        ("/other: {arch: arm64}", True),
        ("/other: {arch: amd64}", False),
    ],
)
def test_paths_that_match_nothing(tmp_path: Path, path: str, found: bool):
    """With the names that packages ship, a path that matches none of them is a warning; other architectures' are not."""
    lists = {"foo": ["/usr/", "/usr/bin/foo", "/usr/share/foo", "/usr/lib/x86_64-linux-gnu/foo.so.1"]}
    files: dict[str, str | bytes] = {"foo": f"package: foo\nslices:\n  bins:\n    contents:\n      {path}\n"}
    told = problems(tmp_path, files, lists=lists, architecture="amd64")
    assert (("foo", 5, "unmatched-path") in told) is not found


def test_packages_without_a_list_are_not_matched(tmp_path: Path):
    """Nothing is said about the paths of packages whose names are not given."""
    assert problems(tmp_path, {"aa": package("aa", one=contents(x=""))}, lists={"bb": []}) == []


def test_rules_are_described():
    """Each rule has one line, a sentence; those that only a cut finds are among the errors."""
    assert all(text.endswith(".") and "\n" not in text and text[0].isupper() for text in RULES.values())
    assert all(severity_of(rule) is Severity.ERROR for rule in CUT_RULES | TOLERATED)


def _random_release(rng: random.Random) -> Release:
    parts = ["usr", "lib", "*", "l?b", "**", "x*", "", "*-linux-*", "x86-linux-gnu", "xy", "usr*", "u**x"]
    packages = {}
    for name in ("aa", "bb", "cc"):
        made = []
        for slice_name in ("one", "two"):
            paths = {"/" + "/".join(rng.choice(parts) for _ in range(rng.randint(1, 4))) for _ in range(6)}
            key = SliceKey(name, slice_name)
            contents = tuple(
                Content(
                    path=path, kind=PathKind.GLOB if is_pattern(path) else rng.choice([PathKind.COPY, PathKind.TEXT])
                )
                for path in sorted(paths)
            )
            made.append(Slice(key=key, contents=contents))
        packages[name] = SlicedPackage(name=name, slices=tuple(made), file=name)
    return Release(format="v3", packages=packages)


@pytest.mark.parametrize("seed", range(60))
def test_overlaps_are_those_of_all_pairs(seed: int):
    """Walking the tree finds the pairs of paths that comparing each with each finds."""
    release = _random_release(random.Random(seed))
    uses = [(s.key, c) for p in release.packages.values() for s in p.slices for c in s.contents]
    expected = set()
    for key, content in uses:
        for other, second in uses:
            if content.path == second.path or content.kind is not PathKind.GLOB:
                continue
            fetched = second.kind is not PathKind.TEXT and key.package == other.package
            if not fetched and overlap(content.path, second.path):
                expected.add(frozenset((content.path, second.path)))
    found = set()
    for problem in path_conflicts(release, ()):
        first, _, second_path = problem.message.partition(" conflict on ")[2].partition(" and ")
        if second_path:
            found.add(frozenset((first, second_path)))
    assert found == expected


def test_a_large_release_is_compared_without_looking_at_every_pair(monkeypatch: pytest.MonkeyPatch):
    """With 2,400 slices of 19,000 paths, most of them patterns, comparisons stay in the order of the paths."""
    compared = 0

    def counting(a: str, b: str) -> bool:
        nonlocal compared
        compared += 1
        return overlap(f"/{a}", f"/{b}")

    monkeypatch.setattr("pruner.slices.conflicts.components_overlap", counting)
    packages = {}
    for number in range(600):
        name = f"package{number}"
        slices = tuple(
            Slice(
                key=SliceKey(name, f"slice{part}"),
                essential=(Essential(key=SliceKey(name, "slice0")),) if part else (),
                contents=tuple(
                    Content(path=f"/usr/lib/*-linux-*/lib{name}-{part}-{extra}.so.*", kind=PathKind.GLOB)
                    for extra in range(6)
                )
                + tuple(Content(path=f"/usr/share/{name}/{part}/{extra}") for extra in range(2)),
            )
            for part in range(4)
        )
        packages[name] = SlicedPackage(name=name, slices=slices, file=name)
    found: list[Problem] = path_conflicts(Release(format="v3", packages=packages), ())
    assert found == []
    assert compared < 10 * 19_200


def test_a_cut_names_slices_that_are_there(tmp_path: Path):
    """Each at its line, and chisel finds it only when it cuts; a file that can't be read may define any."""
    files: dict[str, str | bytes] = {"aa": package("aa", one=contents(aa="")), "bb": b"[", "./cut.txt": ""}
    cut = {SliceKey("aa", "one"): 1, SliceKey("aa", "two"): 3, SliceKey("bb", "one"): 4, SliceKey("odd", ""): 5}
    found = problems(tmp_path, files, cut=cut)
    assert [one for one in found if one[0] == "cut.txt"] == [
        ("cut.txt", 3, "cut-missing"),
        ("cut.txt", 5, "cut-missing"),
    ]
    assert {"cut-missing", "unmatched-path"} <= CUT_RULES


def test_what_nobody_needs_is_told_of_a_sound_release_alone(tmp_path: Path):
    """An error may be the very reason."""
    files: dict[str, str | bytes] = {
        "aa": package("aa", one=contents(aa="")), "bb": package("bb", one="{essential: {aa_two: }}")
    }  # fmt: skip
    assert problems(tmp_path, files, roots=[SliceKey("aa", "one")]) == [("bb", 4, "essential-missing")]


def test_a_conflict_names_both_places(tmp_path: Path):
    """The later one is where it is told, the earlier one is in the hint."""
    for number, (one, two) in enumerate(((contents(xy=""), contents(xy="")), ("{contents: {/x*: }}", contents(xy="")))):
        files: dict[str, str | bytes] = {"aa": package("aa", one=one), "bb": package("bb", one=two)}
        (found,) = check_release(read_release(write_release(tmp_path / str(number), files)))
        assert (found.file, found.line) == ("slices/bb.yaml", 4)
        assert found.hint.startswith("aa_one has it at slices/aa.yaml:4")
