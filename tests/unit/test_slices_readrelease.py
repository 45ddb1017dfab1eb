"""Reading a release: values with lines, and every rule that holds within one file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pruner.errors import InputError
from pruner.slices.readrelease import ReadRelease, read_release
from pruner.slices.types import PathKind, Severity, SliceKey
from tests.unit.slicefiles import ARCHIVES, DATES, KEYS, chisel_yaml, write_release

FULL = """\
package: foo
archive: ubuntu
essential:
  foo_copyright:
slices:
  bins:
    hint: Tools
    essential:
      bar_libs: {arch: [amd64]}
    contents:
      /etc/foo.conf: {text: "x", mode: 0640, mutable: true}
      /run/foo/: {make: true, mode: 0o1777}
      /usr/bin/foo: {copy: /bin/foo}
      /usr/bin/fu: {symlink: foo}
      /usr/lib/*-linux-*/foo.so: {arch: amd64, until: mutate}
      /var/lib/foo/**: {generate: manifest}
      /x: {prefer: bar}
    mutate: |
      pass
  copyright:
    contents:
      /usr/share/doc/foo/copyright:
"""


CHAIN = (
    b"package: foo\nx0: &x0 {}\n"
    + b"".join(b"x%d: &x%d {<<: *x%d}\n" % (number, number, number - 1) for number in range(1, 1000))
    + b"slices: *x999\n"
)
"""Merges of merges, deeper than a stack; the two hundredth from the top is on line 801."""


def read(directory: Path, text: str | bytes, *, style: str = "v3") -> ReadRelease:
    return read_release(write_release(directory, {"foo": text}, style=style))


def errors(read: ReadRelease) -> list[tuple[int, str]]:
    return [(problem.line, problem.rule) for problem in read.problems if problem.severity is Severity.ERROR]


def warnings(read: ReadRelease) -> list[tuple[int, str]]:
    return [(problem.line, problem.rule) for problem in read.problems if problem.severity is Severity.WARNING]


def sliced(contents: str) -> str:
    """A package whose one slice has `contents`, which start on line 5."""
    lines = "".join(f"      {line}\n" for line in contents.splitlines())
    return f"package: foo\nslices:\n  bins:\n    contents:\n{lines}"


def test_everything_is_read(tmp_path: Path):
    """Every key of a definition arrives in the values, with the line where it stands."""
    found = read(tmp_path, FULL)
    assert errors(found) == []
    package = found.release.packages["foo"]
    assert (package.file, package.archive) == ("slices/foo.yaml", "ubuntu")
    assert [essential.key for essential in package.essential] == [SliceKey("foo", "copyright")]
    bins = package.slices[0]
    assert (str(bins.key), bins.hint, bins.mutate, bins.line) == ("foo_bins", "Tools", "pass\n", 6)
    (essential,) = bins.essential
    assert (str(essential.key), essential.arch, essential.line) == ("bar_libs", ("amd64",), 9)
    kinds = [content.kind for content in bins.contents]
    assert kinds == [
        PathKind.TEXT, PathKind.MAKE, PathKind.COPY, PathKind.SYMLINK, PathKind.GLOB, PathKind.GENERATE, PathKind.COPY,
    ]  # fmt: skip
    text, made, copied, link, glob, generated, preferred = bins.contents
    assert (text.text, text.mode, text.mutable, text.line) == ("x", 0o640, True, 11)
    assert made.mode == 0o1777
    assert (copied.source, link.source, generated.source) == ("/bin/foo", "foo", "manifest")
    assert (glob.arch, glob.until, preferred.prefer) == (("amd64",), "mutate", "bar")
    (archive,) = found.release.archives
    assert (archive.suites, archive.public_keys, archive.priority) == (("s",), ("k",), None)
    assert found.release.maintenance == {"standard": "2020-01-01", "end-of-life": "2099-01-01"}


def test_essentials_of_older_formats(tmp_path: Path):
    """In v1 and v2 essentials are a list, and `v3-essential` adds to them with architectures."""
    text = "package: foo\nslices:\n  bins:\n    essential:\n      - bar_libs\n    v3-essential:\n      baz_libs: {arch: amd64}\n"
    found = read(tmp_path, text, style="v1")
    assert errors(found) == []
    assert [(str(e.key), e.arch, e.line) for e in found.release.packages["foo"].slices[0].essential] == [
        ("bar_libs", (), 5),
        ("baz_libs", ("amd64",), 7),
    ]


def test_unusable_directories_raise(tmp_path: Path):
    """Without directory or `chisel.yaml` there is nothing to read: one clear error."""
    with pytest.raises(InputError, match="no such directory"):
        read_release(tmp_path / "absent")
    with pytest.raises(InputError, match=r"chisel\.yaml: does not exist"):
        read_release(tmp_path)
    (tmp_path / "chisel.yaml").mkdir()
    with pytest.raises(InputError, match="is no file"):
        read_release(tmp_path)


def test_a_pipe_is_not_read(tmp_path: Path):
    """A definition that is no regular file is a problem, and nothing waits for it."""
    write_release(tmp_path, {})
    os.mkfifo(tmp_path / "slices" / "foo.yaml")
    assert [problem.rule for problem in read_release(tmp_path).problems] == ["unreadable"]


def test_one_bad_file_hides_no_other(tmp_path: Path):
    """Problems of several files are found at once, and the good ones are read."""
    found = read_release(
        write_release(
            tmp_path, {"foo": "package: foo\n a: b\n", "bar": sliced("x:"), "good": FULL.replace("foo", "good")}
        )
    )
    assert {(p.file, p.line, p.rule) for p in found.problems if p.severity is Severity.ERROR} == {
        ("slices/foo.yaml", 2, "yaml-syntax"),
        ("slices/bar.yaml", 1, "package-name"),
        ("slices/bar.yaml", 5, "content-path"),
    }
    assert found.unread == {"foo"}
    assert "good" in found.release.packages


@pytest.mark.parametrize(
    ("data", "line", "rule"),
    [
        (b"", 1, "yaml-syntax"),
        (b"# nothing\n", 1, "yaml-syntax"),
        (b"package: foo\nslices: {\n", 3, "yaml-syntax"),
        (b"package: foo\n\tslices:\n", 2, "yaml-syntax"),
        (b"package: foo\nslices: \x07\n", 2, "yaml-syntax"),
        (b"package: foo\nslices: \xe9\n", 2, "yaml-syntax"),
        (b"package: foo\nslices: *x\n", 2, "yaml-syntax"),
        (b"package: foo\nslices: " + b"[" * 100_000 + b"\n", 2, "yaml-syntax"),
        (b"package: foo\nslices: &s\n  <<: *s\n", 3, "yaml-syntax"),
        (b"package: foo\nslices: &s\n  abc: &t\n    <<: [*s]\n  <<: *t\n", 5, "yaml-syntax"),
        (CHAIN, 801, "yaml-syntax"),
        (b"package: foo\npackage: foo\n", 2, "duplicate-key"),
        (b"package: foo\nslices: [a]\n", 2, "wrong-type"),
        (b"package: bar\n", 1, "package-name"),
        (b"package: foo\narchive: [x]\n", 2, "wrong-type"),
        (b"package: foo\narchive: nowhere\n", 2, "unknown-archive"),
        (b"package: foo\nslices:\n  ab: {}\n", 3, "slice-name"),
        (b"package: foo\nslices:\n  a--b: {}\n", 3, "slice-name"),
        (b"package: foo\nslices:\n  abc:\n    hint: " + b"x" * 41, 4, "hint"),
        (b"package: foo\nslices:\n  abc:\n    hint: a\xe2\x80\x8bb\n", 4, "hint"),
        (b"package: foo\nslices:\n  abc:\n    essential: [x_abc]\n", 4, "essential-style"),
        (b"package: foo\nslices:\n  abc:\n    essential: {x_abc: amd64}\n", 4, "wrong-type"),
        (b"package: foo\nslices:\n  abc:\n    essential: {x_ab: }\n", 4, "essential-name"),
        (b"package: foo\nslices:\n  abc:\n    essential: {foo_abc: }\n", 4, "essential-self"),
        (b"package: foo\nessential: {xx_abc: }\nslices:\n  abc:\n    essential: {xx_abc: }\n", 5, "essential-repeated"),
        (b"package: foo\nslices:\n  abc:\n    v3-essential: {x_abc: }\n", 4, "obsolete-key"),
    ],
)  # fmt: skip
def test_errors_of_a_file(tmp_path: Path, data: bytes, line: int, rule: str):
    """Each rule of a definition file is reported on its line."""
    assert (line, rule) in errors(read(tmp_path, data))


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        ("usr/x:", "content-path"),
        ("/:", "content-path"),
        ("/a//b:", "content-path"),
        ("/a/../b:", "content-path"),
        ("/a: 5", "wrong-type"),
        ("/a: {mode: '0755'}", "wrong-type"),
        ("/a: {mode: -1}", "wrong-type"),
        ("/a: {make: 1}", "wrong-type"),
        ("/a: {make: true}", "make-path"),
        ("/a: {text: x, symlink: /y}", "kind-conflict"),
        ("/a/: {make: true, copy: /y}", "kind-conflict"),
        ("/a*: {text: x}", "wildcard-options"),
        ("/a*: {prefer: bar}", "wildcard-options"),
        ("/a*: {mode: 0644}", "wildcard-options"),
        ("/a/: {mutable: true}", "mutable-kind"),
        ("/a: {symlink: /b, mutable: true}", "mutable-kind"),
        ("/a: {until: never}", "until"),
        ("/a: {arch: mips}", "arch"),
        ("/a: {arch: {}}", "wrong-type"),
        ("/a: {prefer: foo}", "prefer"),
        ("/a: {generate: manifest}", "generate-path"),
        ("/a*/**: {generate: manifest}", "generate-path"),
        ("/a/**: {generate: manifest, until: mutate}", "generate-options"),
        ("/a/**: {generate: other}", "generate-kind"),
        ("/a: {copy: /b*}", "copy-wildcard"),
    ],
)
def test_errors_of_a_path(tmp_path: Path, content: str, rule: str):
    """Each rule about a path of contents is reported where the path stands."""
    assert errors(read(tmp_path, sliced(content))) == [(5, rule)]


@pytest.mark.parametrize(
    "content",
    [
        "/a: {make: no}", "/a/: {make: 'yes'}", "/a: {text: ''}", "/a: {text: 5}", "/a: ~", "/a: {arch: [amd64, arm64]}",
        "/a: {mode: 0x1ed, text: x}", "/a: {mode: 493.5, text: x}", "/a*: {arch: amd64, until: mutate}", "~: 5", "/a b:",
        "/a: !!null", "/a: {text: !!binary aGk=}", "/a: {<<: {text: x}}",
    ],
)  # fmt: skip
def test_paths_that_chisel_accepts(tmp_path: Path, content: str):
    """What the YAML library of chisel takes for a value of the right type is none of our errors."""
    assert errors(read(tmp_path, sliced(content))) == []


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        ("/a: {mode: 0644}", "mode-without-effect"),
        ("/a: {text: x, mode: 644}", "mode-not-octal"),
        ("/a: {text: x, mode: 0888}", "mode-not-octal"),
        ("/a: {text: }", "no-value"),
        ("/a: {copy: ''}", "no-value"),
        ("/a: {make: false}", "no-value"),
        ("/a: {symlink: b/c}", "relative-link"),
        ("/a: {arch: [arm64, amd64]}", "arch-list"),
        ("/a: {arch: [amd64, amd64]}", "arch-list"),
        ("/a: {arch: [amd64, arm64, armhf, i386, ppc64el, riscv64, s390x]}", "arch-list"),
        ("/a: {archs: amd64}", "unknown-key"),
    ],
)
def test_warnings_of_a_path(tmp_path: Path, content: str, rule: str):
    """What chisel takes in silence and does not do is a warning, and no error."""
    found = read(tmp_path, sliced(content))
    assert warnings(found) == [(5, rule)]
    assert errors(found) == []


@pytest.mark.parametrize(
    ("path", "target", "wanted"),
    [
        ("/usr/lib/libx.so.1", "libx.so.1.2", []),
        ("/lib64", "usr/lib64", []),
        ("/usr/bin/sh", "/bin/dash", []),
        ("/usr/bin/sh", "../lib/dash", ["relative-link"]),
        ("/usr/bin/here", ".", ["relative-link"]),
        ("/usr/bin/up", "..", ["relative-link"]),
        ("/a/b", "usr/a/b", ["relative-link"]),
        ("/bin", "usr/lib", ["relative-link"]),
    ],
)
def test_a_relative_link_within_its_directory_is_fine(tmp_path: Path, path: str, target: str, wanted: list[str]):
    """As are those of a merged /usr; another relative link is one that reviewers ask about."""
    found = read(tmp_path, sliced(f"{path}: {{symlink: {target}}}"))
    assert [rule for _, rule in warnings(found)] == wanted


def test_a_misspelt_key_names_the_nearest(tmp_path: Path):
    """Chisel ignores unknown keys; the warning says which key may be meant."""
    found = read(tmp_path, "package: foo\nslices:\n  bins:\n    content:\n      /a:\n")
    (problem,) = found.problems
    assert (problem.line, problem.rule, problem.hint) == (4, "unknown-key", "did you mean 'contents'?")


def test_merges_and_aliases_are_followed(tmp_path: Path):
    """Chisel's YAML has anchors and merge keys: what stands in the mapping itself goes first."""
    text = sliced("/a: &x {text: one, mode: 0600}\n/b: *x\n/c:\n  <<: *x\n  text: two")
    contents = read(tmp_path, text).release.packages["foo"].slices[0].contents
    assert [(content.text, content.mode) for content in contents] == [("one", 0o600), ("one", 0o600), ("two", 0o600)]


def test_only_the_first_document_counts(tmp_path: Path):
    """Chisel reads one document and does not look at what follows."""
    assert errors(read(tmp_path, FULL + "---\npackage: [\n")) == []


@pytest.mark.parametrize(
    ("text", "line", "rule"),
    [
        (chisel_yaml("v4"), 1, "format"),
        (chisel_yaml("[v3]"), 1, "format"),
        (chisel_yaml(archives=""), 1, "no-archives"),
        (chisel_yaml(archives="archives: {}\n"), 3, "no-archives"),
        (chisel_yaml(archives=ARCHIVES.replace("version: any", "pro: fips")), 4, "archive-field"),
        (chisel_yaml(archives=ARCHIVES.replace("[s]", "[]")), 4, "archive-field"),
        (chisel_yaml(archives=ARCHIVES.replace("[s]", "s")), 4, "wrong-type"),
        (chisel_yaml(archives=ARCHIVES.replace("[k]", "[z]")), 4, "archive-field"),
        (chisel_yaml(archives=ARCHIVES.replace("[k]", "[]")), 4, "no-key"),
        (chisel_yaml(archives=ARCHIVES.replace(", public-keys: [k]", "")), 4, "no-key"),
        (chisel_yaml(archives=ARCHIVES.replace("version", "priority: 0, version")), 4, "archive-priority"),
        (chisel_yaml(archives=ARCHIVES.replace("version", "default: true, version")), 4, "obsolete-key"),
        (chisel_yaml(archives=ARCHIVES + ARCHIVES[10:].replace("ubuntu", "zz")), 4, "archive-priority"),
        (chisel_yaml(archives=f"v2-{ARCHIVES}"), 3, "obsolete-key"),
        (chisel_yaml(dates="\n"), 1, "maintenance"),
        (chisel_yaml(dates=DATES.replace("2020-01-01", "2021-02-29")), 2, "maintenance"),
        (chisel_yaml(dates=DATES.replace("standard", "standart")), 2, "maintenance"),
        (chisel_yaml(keys=KEYS.replace("    id: ", "    id: 0")), 7, "public-key"),
        (chisel_yaml(keys=KEYS.replace("=", "")), 8, "public-key"),
        (chisel_yaml(keys=KEYS.replace("-----BEGIN", "-----")), 8, "public-key"),
    ],
)  # fmt: skip
def test_errors_of_the_release_file(tmp_path: Path, text: str, line: int, rule: str):
    """Each rule of `chisel.yaml` is reported on its line."""
    found = read_release(write_release(tmp_path, {"./chisel.yaml": text}))
    assert (line, rule) in errors(found)


def test_an_unknown_format_says_what_is_accepted(tmp_path: Path):
    """The message names the format that was found and those that chisel takes."""
    found = read_release(write_release(tmp_path, {}, style="v4"))
    (problem,) = found.problems
    assert "v4" in problem.message
    assert "v1, v2 and v3" in problem.hint


def test_known_ubuntu_versions_need_no_dates(tmp_path: Path):
    """Chisel has the dates of an archive `ubuntu` of a version that it knows."""
    text = chisel_yaml(archives=ARCHIVES.replace("any", "24.04"), dates="\n")
    assert read_release(write_release(tmp_path, {"./chisel.yaml": text})).problems == ()


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"Foo": "package: Foo\n"}, ("slices/Foo.yaml", 1, "file-name")),
        ({"foo": FULL, "slices/sub/foo.yaml": f"\n{FULL}"}, ("slices/sub/foo.yaml", 2, "duplicate-package")),
    ],
)
def test_errors_of_file_names(tmp_path: Path, files: dict[str, str | bytes], expected: tuple[str, int, str]):
    """A file is named for its package, which no other file defines."""
    found = read_release(write_release(tmp_path, files))
    assert expected in {(problem.file, problem.line, problem.rule) for problem in found.problems}


def test_other_files_are_not_read(tmp_path: Path):
    """Only `.yaml` files below `slices` are definitions; directories below it are entered."""
    found = read_release(
        write_release(
            tmp_path, {"slices/notes.txt": "[", "slices/x.yml": "[", "slices/sub/foo.yaml": FULL, "./other.yaml": "["}
        )
    )
    assert errors(found) == []
    assert list(found.release.packages) == ["foo"]


def test_without_slices_directory(tmp_path: Path):
    """Chisel refuses a release that has no directory `slices`."""
    (tmp_path / "chisel.yaml").write_text(chisel_yaml())
    assert [(problem.file, problem.rule) for problem in read_release(tmp_path).problems] == [("slices", "unreadable")]
