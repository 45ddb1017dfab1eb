"""Merging into an existing release: what is there is reused, what is missing is added, and not a byte else changes."""

from __future__ import annotations

import difflib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pruner.errors import InputError
from pruner.slices.check import check_release
from pruner.slices.cover import contains
from pruner.slices.edit import extended_file
from pruner.slices.merge import Merged, merge, merged_artifacts
from pruner.slices.patterns import matches
from pruner.slices.readrelease import read_release
from pruner.slices.types import (
    Content,
    Essential,
    PathKind,
    Release,
    Severity,
    Slice,
    SlicedPackage,
    SliceKey,
)

CHISEL_YAML = """\
format: {format}
maintenance:
  standard: 2020-01-01
  end-of-life: 2099-01-01
archives:
  ubuntu:
    version: 24.04
    suites: [noble]
    components: [main]
    public-keys: [k]
public-keys:
  k:
    id: "0000000000000000"
    armor: |
      none
"""
OPENSSL = """\
package: openssl

# Everything comes with it.
essential:
  - openssl_copyright

slices:
  # The command.
  bins:
    essential:
      - libc6_libs   # odd spacing
      - "libssl3_libs"
    contents:
      /usr/bin/c_rehash:
      # The tool itself.
      /usr/bin/openssl:   {}

  config:
    contents:
      /etc/ssl/openssl.cnf:
        text: |+
          kept

  # Last.
  copyright:
    contents:
      /usr/share/doc/openssl/copyright:
"""
LIBC6 = """\
package: libc6
slices:
  libs:
    contents:
      /usr/lib/*-linux-*/libc.so.6:
      /usr/lib/*-linux-*/libm.so.6:
  copyright:
    contents:
      /usr/share/doc/libc6/copyright:
"""
LIBSSL3 = """\
package: libssl3
slices:
  libs:
    essential: [libc6_libs]
    contents: {/usr/lib/*-linux-*/libssl.so.3: }
"""


def loaded(text: str) -> Any:
    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def key(text: str) -> SliceKey:
    return SliceKey(*text.split("_", 1))


def part(name: str, *paths: str | Content, essential: tuple[str, ...] = (), mutate: str = "") -> Slice:
    contents = tuple(
        path if isinstance(path, Content) else Content(path=path, kind=PathKind.GLOB if "*" in path else PathKind.COPY)
        for path in paths
    )
    return Slice(
        key=key(name), contents=contents, essential=tuple(Essential(key=key(one)) for one in essential), mutate=mutate
    )


def generated(*slices: Slice, cut: tuple[str, ...] = (), essential: dict[str, str] | None = None) -> Any:
    names = sorted({one.key.package for one in slices})
    packages = {
        name: SlicedPackage(
            name=name,
            slices=tuple(one for one in slices if one.key.package == name),
            essential=tuple(Essential(key=key(text)) for owner, text in (essential or {}).items() if owner == name),
        )
        for name in names
    }
    return SimpleNamespace(
        release=Release(format="v3", packages=packages), cut=tuple(map(key, cut)), leftovers=(), notes=()
    )


def make(place: Path, style: str = "v1", **files: str) -> Path:
    (place / "slices").mkdir(parents=True)
    (place / "chisel.yaml").write_text(CHISEL_YAML.format(format=style))
    for name, text in files.items():
        (place / "slices" / f"{name}.yaml").write_text(text)
    return place


def merged_into(place: Path, made: Any, **options: Any) -> tuple[Merged, dict[str, str]]:
    """The merge, and the text of every file that it changes."""
    existing = read_release(place).release
    merged = merge(made, existing, **options)
    files = {package.file: (place / package.file).read_bytes() for package in existing.packages.values()}
    return merged, {file.path: file.data.decode() for file in merged_artifacts(merged, made, files)}


def added_lines(before: str, after: str) -> list[str]:
    """What is new; fails when anything is gone."""
    lines = list(difflib.ndiff(before.splitlines(), after.splitlines()))
    assert not [line for line in lines if line.startswith("- ")]
    return [line[2:] for line in lines if line.startswith("+ ")]


def test_slices_that_cover_everything_are_reused(tmp_path: Path) -> None:
    """Nothing but cut.txt is written, and it names what is there; what comes along is not named again."""
    place = make(tmp_path, openssl=OPENSSL, libc6=LIBC6, libssl3=LIBSSL3)
    made = generated(
        part("openssl_tool", "/usr/bin/openssl", essential=("libssl3_libs",)),
        part("libssl3_libs", "/usr/lib/*-linux-*/libssl.so.3", essential=("libc6_loader",)),
        part("libc6_loader", "/usr/lib/x86_64-linux-gnu/libc.so.6"),
        cut=("openssl_tool", "libssl3_libs"),
    )
    merged, files = merged_into(place, made)
    assert files == {"cut.txt": "openssl_bins\n"}
    assert [(str(one.key), [str(k) for k in one.stands]) for one in merged.placed] == [
        ("libc6_loader", ["libc6_libs"]),
        ("libssl3_libs", ["libssl3_libs"]),
        ("openssl_tool", ["openssl_bins"]),
    ]


def test_missing_paths_go_to_the_slice_of_the_same_name(tmp_path: Path) -> None:
    """At their places in the order; comments and odd spacing around them survive."""
    place = make(tmp_path, openssl=OPENSSL, libc6=LIBC6, libssl3=LIBSSL3)
    made = generated(
        part("openssl_bins", "/usr/bin/openssl", "/usr/bin/extra", "/usr/bin/zzz", essential=("libzstd1_libs",)),
        part("libzstd1_libs", "/usr/lib/*-linux-*/libzstd.so.1*", essential=("libc6_libs",)),
        part("libc6_libs", "/usr/lib/*-linux-*/libc.so.6"),
        cut=("openssl_bins",),
    )
    _, files = merged_into(place, made)
    assert sorted(files) == ["cut.txt", "slices/libzstd1.yaml", "slices/openssl.yaml"]
    text = files["slices/openssl.yaml"]
    assert added_lines(OPENSSL, text) == ["      - libzstd1_libs", "      /usr/bin/extra:", "      /usr/bin/zzz:"]
    assert "      /usr/bin/extra:\n      # The tool itself.\n" in text
    assert loaded(files["slices/libzstd1.yaml"]) == {
        "package": "libzstd1",
        "slices": {
            "libs": {"essential": ["libc6_libs"], "contents": {"/usr/lib/*-linux-*/libzstd.so.1*": None}},
        },
    }
    assert files["cut.txt"] == "openssl_bins\n"


def test_a_missing_slice_stands_before_copyright(tmp_path: Path) -> None:
    """With the paths that nothing brings, and what is there as essentials."""
    place = make(tmp_path, openssl=OPENSSL, libc6=LIBC6, libssl3=LIBSSL3)
    made = generated(part("openssl_engines", "/usr/bin/openssl", "/usr/lib/*-linux-*/engines-3/*.so"))
    _, files = merged_into(place, made)
    text = files["slices/openssl.yaml"]
    assert added_lines(OPENSSL, text) == [
        "  engines:",
        "    essential:",
        "      - openssl_bins",
        "    contents:",
        "      /usr/lib/*-linux-*/engines-3/*.so:",
        "",
    ]
    assert list(loaded(text)["slices"]) == ["bins", "config", "engines", "copyright"]
    assert loaded(text)["slices"]["config"] == loaded(OPENSSL)["slices"]["config"]


def test_a_need_that_would_close_a_circle_makes_a_new_slice(tmp_path: Path) -> None:
    """What is there is needed by what the addition needs, so that the addition stands beside it."""
    place = make(tmp_path, libc6=LIBC6, libssl3=LIBSSL3)
    made = generated(
        part("libc6_libs", "/usr/lib/*-linux-*/libc.so.6", "/usr/lib/new", essential=("libssl3_libs",)),
        part("libssl3_libs", "/usr/lib/*-linux-*/libssl.so.3"),
        cut=("libc6_libs",),
    )
    merged, files = merged_into(place, made)
    slices = loaded(files["slices/libc6.yaml"])["slices"]
    assert slices["libs-more"] == {"essential": ["libc6_libs", "libssl3_libs"], "contents": {"/usr/lib/new": None}}
    assert slices["libs"] == loaded(LIBC6)["slices"]["libs"]
    assert files["cut.txt"] == "libc6_libs-more\n"
    assert merged.refused == ()


def test_a_script_gets_a_slice_of_its_own(tmp_path: Path) -> None:
    """What is there keeps its own script, or none."""
    place = make(tmp_path, libc6=LIBC6)
    text = Content(path="/etc/made", kind=PathKind.TEXT, text="", mutable=True)
    script = 'content.write("/etc/made", "x")\n'
    _, files = merged_into(place, generated(part("libc6_libs", text, mutate=script), cut=("libc6_libs",)))
    assert loaded(files["slices/libc6.yaml"])["slices"]["libs-more"] == {
        "contents": {"/etc/made": {"text": "", "mutable": True}},
        "mutate": script,
    }
    assert files["cut.txt"] == "libc6_libs-more\n"


def test_what_would_conflict_is_refused_and_said(tmp_path: Path) -> None:
    """A path that another package's pattern may match can't be added: chisel would refuse the release."""
    place = make(tmp_path, libc6=LIBC6)
    made = generated(part("musl_libs", "/usr/lib/x86_64-linux-gnu/libc.so.6", "/usr/lib/musl"))
    merged, files = merged_into(place, made)
    assert loaded(files["slices/musl.yaml"])["slices"]["libs"]["contents"] == {"/usr/lib/musl": None}
    assert merged.refused == (
        "/usr/lib/x86_64-linux-gnu/libc.so.6 of musl_libs: libc6_libs has /usr/lib/*-linux-*/libc.so.6",
    )


def test_a_pattern_that_conflicts_is_taken_apart(tmp_path: Path) -> None:
    """With the names that the package ships, those that can be added are."""
    place = make(tmp_path, libc6=LIBC6)
    made = generated(part("musl_libs", "/usr/lib/*/lib*.so.6"))
    listed = {"musl": ("/usr/lib/musl/libx.so.6", "/usr/lib/x86_64-linux-gnu/libc.so.6")}
    merged, files = merged_into(place, made, listed=listed)
    assert list(loaded(files["slices/musl.yaml"])["slices"]["libs"]["contents"]) == ["/usr/lib/musl/libx.so.6"]
    assert len(merged.refused) == 1


def test_state_that_another_package_makes_is_taken_from_there(tmp_path: Path) -> None:
    """The very same path counts, whichever package makes it; a pattern over an archive does not make state."""
    base = "package: base-files\nslices:\n  bin:\n    contents:\n      /bin: {symlink: usr/bin}\n"
    place = make(tmp_path, **{"base-files": base, "libc6": LIBC6})
    link = Content(path="/bin", kind=PathKind.SYMLINK, source="usr/bin")
    state = Content(path="/usr/lib/a-linux-b/libc.so.6", kind=PathKind.TEXT, text="x")
    made = generated(part("usrmerge_links", link), part("libc6_state", state), cut=("usrmerge_links",))
    merged, files = merged_into(place, made)
    assert files == {"cut.txt": "base-files_bin\n"}
    assert len(merged.refused) == 1


def test_paths_of_other_architectures_do_not_count(tmp_path: Path) -> None:
    """An existing path that is not there on the architecture in question covers nothing."""
    text = "package: app\nslices:\n  bins:\n    contents:\n      /usr/bin/app: {arch: [arm64]}\n"
    place = make(tmp_path, app=text)
    made = generated(part("app_other", "/usr/bin/app"))
    assert merged_into(place, made, architecture="arm64")[0].additions == {}
    assert merged_into(place, made, architecture="amd64")[0].additions != {}


def test_few_slices_are_chosen(tmp_path: Path) -> None:
    """One slice that has all is better than two that have a part each."""
    text = (
        "package: app\nslices:\n  aaa:\n    contents:\n      /one:\n  all:\n    contents:\n      /one:\n      /two:\n"
        "  bbb:\n    contents:\n      /two:\n"
    )
    place = make(tmp_path, app=text)
    _, files = merged_into(place, generated(part("app_bins", "/one", "/two"), cut=("app_bins",)))
    assert files["cut.txt"] == "app_all\n"


@pytest.mark.parametrize("style", ["v1", "v3"])
def test_a_merged_release_is_sound(tmp_path: Path, style: str) -> None:
    """It has no error, it is what the files say, and merging the same again changes nothing."""
    texts = {"openssl": OPENSSL, "libc6": LIBC6, "libssl3": LIBSSL3}
    if style == "v3":
        texts = {
            name: text.replace("  - libc6_libs   #", "  libc6_libs:   #")
            .replace('- "libssl3_libs"', '"libssl3_libs":')
            .replace("- openssl_copyright", "openssl_copyright:")
            .replace("[libc6_libs]", "{libc6_libs: }")
            for name, text in texts.items()
        }
    place = make(tmp_path, style, **texts)
    made = generated(
        part("openssl_bins", "/usr/bin/more", essential=("libx_libs",)),
        part("openssl_data", "/usr/share/ssl/**", essential=("openssl_bins",)),
        part("openssl_copyright", "/usr/share/doc/openssl/copyright"),
        part("libx_libs", "/usr/lib/*-linux-*/libx.so.1", essential=("libc6_libs",)),
        part("libx_copyright", "/usr/share/doc/libx/copyright"),
        part("libc6_libs", "/usr/lib/*-linux-*/libc.so.6"),
        cut=("openssl_data",),
        essential={"libx": "libx_copyright", "openssl": "openssl_copyright"},
    )
    merged, files = merged_into(place, made)
    for name, text in files.items():
        (place / name).write_text(text)
    read = read_release(place)
    errors = [p for p in check_release(read) if p.severity is Severity.ERROR and p.file != "chisel.yaml"]
    assert errors == []
    assert {k: [s.key for s in v.slices] for k, v in read.release.packages.items()} == {
        k: sorted((s.key for s in v.slices), key=[s.key for s in read.release.packages[k].slices].index)
        for k, v in merged.release.packages.items()
    }
    assert merged_into(place, made)[1] == {"cut.txt": files["cut.txt"]}


NAME = st.sampled_from(["aaa", "bins", "config", "data", "libs", "zzz"])
PATHS = st.lists(st.sampled_from([f"/usr/{a}/{b}" for a in "abcdef" for b in "xyz"]), unique=True, max_size=4)
COMMENT = st.sampled_from(["", "# note\n", "\n", "\n# one\n# two\n"])


@st.composite
def files(draw: st.DrawFn) -> str:
    """A slice definition file as a person would write one."""
    text = "package: app\n\nslices:\n"
    for name in draw(st.lists(NAME, unique=True, min_size=1)):
        text += "".join(f"  {line}\n" if line else "\n" for line in draw(COMMENT).splitlines()) + f"  {name}:\n"
        essentials = draw(PATHS)
        if essentials:
            text += "    essential:\n" + "".join(f"      - app_{p[5]}{p[7]}{p[7]}\n" for p in essentials)
        contents = draw(PATHS)
        if contents:
            text += "    contents:\n"
            for path in contents:
                text += "".join(f"      {line}\n" if line else "\n" for line in draw(COMMENT).splitlines())
                text += f"      {path}:{draw(st.sampled_from(['', '  # odd', ' {mutable: false}', ' {text: |']))}\n".replace(
                    " {text: |", "\n        text: |\n          abc"
                )
    # A block's last line without an end is another text than one with it, so that nothing may be put behind it.
    ends = ["\n", "\n\n", "\n# end\n", *([] if text.endswith("abc\n") else [""])]
    return text.rstrip("\n") + draw(st.sampled_from(ends))


@given(files(), st.lists(st.tuples(NAME, PATHS, PATHS), max_size=3, unique_by=lambda one: one[0]), st.booleans())
def test_adding_keeps_every_line(text: str, additions: list[Any], crlf: bool) -> None:
    """All old lines are there in their order, byte for byte; a parser finds the old values and the new ones."""
    old = loaded(text)["slices"]
    wanted = []
    for name, paths, essentials in additions:
        body = old.get(name) or {}
        fresh = [f"{path}/new" for path in paths]
        needs = [f"app_{p[5]}{p[7]}{p[7]}" for p in essentials]
        needs = [need for need in needs if need not in body.get("essential", ())]
        if fresh or needs:
            wanted.append(part(f"app_{name}", *fresh, essential=tuple(needs)))
    before = text.replace("\n", "\r\n") if crlf else text
    after = extended_file(before.encode(), wanted, format="v1", name="slices/app.yaml").decode()
    rest = iter(after.splitlines(keepends=True))
    for line in before.splitlines(keepends=True):
        assert any(line.rstrip("\r\n") == other.rstrip("\r\n") and other.startswith(line) for other in rest)
    new = loaded(after)["slices"]
    for one in wanted:
        body = new[one.key.slice]
        for content in one.contents:
            assert content.path in body["contents"]
        for need in one.essential:
            assert str(need.key) in body["essential"]
    for name, body in old.items():
        for path, options in ((body or {}).get("contents") or {}).items():
            assert new[name]["contents"][path] == options
    count = sum(len((body or {}).get("contents") or {}) for body in new.values())
    assert count == sum(len((b or {}).get("contents") or {}) for b in old.values()) + sum(
        len(w.contents) for w in wanted
    )


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("package: app\nslices: {bins: {contents: {/a: }}}\n", 2),
        ("package: app\nslices:\n  bins: {contents: {/a: }}\n", 3),
        ("package: app\nslices:\n  bins:\n    contents: {/a: }\n", 4),
    ],
)
def test_a_file_that_is_not_in_lines_is_not_touched(text: str, line: int) -> None:
    """Mappings in braces are left to a person, with file and line."""
    with pytest.raises(InputError, match=rf"slices/app.yaml:{line}: .* can't be added to"):
        extended_file(text.encode(), [part("app_bins", "/b")], format="v3", name="slices/app.yaml")


@pytest.mark.parametrize(
    ("data", "fact"),
    [
        ("package: app\nslices:\n  bins:\n".encode("utf-16"), "slices/app.yaml: not UTF-8"),
        (b"package: [\n", "slices/app.yaml:2: not valid YAML"),
        (b"- app\n", "slices/app.yaml:1: not a mapping"),
        (b"package: app\nslices:\n  bins:\nx: &x\n  y: *x\n", "contains itself"),
        (b"package: app\nslices:\n  bins:\nx:\n- &x0 []\n" + b"".join(
            b"- &x%d [%s]\n" % (n, b", ".join([b"*x%d" % (n - 1)] * 10)) for n in range(1, 10)
        ), "contains itself, or too much"),
    ],
    ids=["utf-16", "malformed", "list", "circle", "bomb"],
)  # fmt: skip
def test_a_file_that_can_not_be_read_for_adding(data: bytes, fact: str) -> None:
    """Is told with its name and what to do; nothing ends in a traceback or does not end."""
    with pytest.raises(InputError, match=fact) as caught:
        extended_file(data, [part("app_bins", "/b")], format="v3", name="slices/app.yaml")
    assert caught.value.hint


PATTERN = st.text("/ab*?", min_size=1, max_size=8).map(lambda text: f"/{text}").filter(lambda text: "//" not in text)


@given(PATTERN, PATTERN, st.text("/ab", max_size=8).map(lambda text: f"/{text}"))
def test_a_pattern_contains_another_only_if_it_matches_all_of_it(pattern: str, other: str, path: str) -> None:
    """No path is matched by the contained one alone."""
    if contains(pattern, other) and matches(other, path):
        assert matches(pattern, path)


BARE = """\
package: libx
slices:
  libs:
    contents:
      /usr/lib/*-linux-*/libx.so.1:
"""


def test_a_copyright_is_no_need_of_who_needs_the_package(tmp_path: Path) -> None:
    """Where slices that are there come without it, it is cut beside them."""
    place = make(tmp_path, libc6=LIBC6, libx=BARE)
    made = generated(
        part("app_bins", "/usr/bin/app", essential=("libx_libs",)),
        part("app_copyright", "/usr/share/doc/app/copyright"),
        part("libx_libs", "/usr/lib/*-linux-*/libx.so.1"),
        part("libx_copyright", "/usr/share/doc/libx/copyright"),
        cut=("app_bins",),
        essential={"libx": "libx_copyright", "app": "app_copyright"},
    )
    _, files = merged_into(place, made)
    app = loaded(files["slices/app.yaml"])
    assert app["slices"]["bins"]["essential"] == ["libx_libs"]
    assert app["essential"] == ["app_copyright"]
    assert "  copyright:" in added_lines(BARE, files["slices/libx.yaml"])
    assert files["cut.txt"] == "app_bins\nlibx_copyright\n"


def test_a_copyright_that_leads_to_another_one_needs_it(tmp_path: Path) -> None:
    """As the documentation directory is a link into that of the other package."""
    place = make(tmp_path, libc6=LIBC6)
    made = generated(
        part("app_bins", "/usr/bin/app"),
        part("app_copyright", "/usr/share/doc/app", essential=("base_copyright",)),
        part("base_copyright", "/usr/share/doc/base/copyright"),
        cut=("app_bins",),
        essential={"app": "app_copyright", "base": "base_copyright"},
    )
    _, files = merged_into(place, made)
    assert loaded(files["slices/app.yaml"])["slices"]["copyright"]["essential"] == ["base_copyright"]
    assert "slices/base.yaml" in files
    assert files["cut.txt"] == "app_bins\n"


def test_what_could_not_be_added_is_not_needed(tmp_path: Path) -> None:
    """Whoever needs it gets what it needs; of a package that brings nothing else, the copyright is left out too."""
    place = make(tmp_path, libc6=LIBC6, libx=BARE)
    made = generated(
        part("app_bins", "/usr/bin/app", essential=("liby_libs",)),
        part("liby_libs", "/usr/lib/x86_64-linux-gnu/libx.so.1", essential=("libc6_libs",)),
        part("liby_copyright", "/usr/share/doc/liby/copyright"),
        part("libc6_libs", "/usr/lib/*-linux-*/libc.so.6"),
        cut=("app_bins",),
        essential={"liby": "liby_copyright"},
    )
    merged, files = merged_into(place, made)
    assert len(merged.refused) == 1
    assert sorted(files) == ["cut.txt", "slices/app.yaml"]
    assert loaded(files["slices/app.yaml"])["slices"]["bins"]["essential"] == ["libc6_libs"]
    assert files["cut.txt"] == "app_bins\n"
