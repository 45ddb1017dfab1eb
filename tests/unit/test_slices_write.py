"""Releases as text: read back it is what was written, reviewers' yamllint has nothing to say, and chisel takes it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from yamllint import linter
from yamllint.config import YamlLintConfig

from pruner.errors import InputError
from pruner.model import FileType
from pruner.slices.finish import finish_script
from pruner.slices.statepaths import Leftover
from pruner.slices.types import (
    Archive,
    Content,
    Essential,
    PathKind,
    PublicKey,
    Release,
    Slice,
    SlicedPackage,
    SliceKey,
)
from pruner.slices.write import chisel_yaml_text, cut_text, release_artifacts, sdf_text
from tests.support import need

REVIEWERS = YamlLintConfig("""
extends: default
rules:
  document-start: {present: false}
  document-end: {present: false}
  empty-lines: {max: 1}
  indentation: {spaces: 2, indent-sequences: true}
  line-length: {max: 100}
  braces: {max-spaces-inside: 0, max-spaces-inside-empty: 0}
  comments: {level: error, require-starting-space: true, min-spaces-from-content: 2}
  comments-indentation: {level: error}
  truthy: {level: error}
""")
NAME = st.from_regex(r"[a-z](?:-?[a-z0-9]){2,12}", fullmatch=True)
TEXT = st.text(st.characters(codec="utf-8"), max_size=300) | st.text(
    " \t\n\r#:'\"\\-{}[]|>ab\u0085\u2028\x00\x1b", max_size=300
)
ANY = st.binary(max_size=300).map(os.fsdecode)
SEGMENT = st.text(st.characters(codec="utf-8", exclude_characters="/\0*?"), min_size=1, max_size=150)
ARCH = st.lists(st.sampled_from(["amd64", "arm64", "s390x"]), max_size=3, unique=True).map(tuple)


def problems(text: str) -> list[str]:
    return [str(problem) for problem in linter.run(text, REVIEWERS)]


def bytes_of(value: Any) -> bytes:
    """What a parser of YAML gives chisel: text, or the bytes of `!!binary`."""
    return value if isinstance(value, bytes) else value.encode("utf-8", "surrogateescape")


def one(*contents: Content, style: str = "v3", mutate: str = "", **rest: Any) -> str:
    part = Slice(key=SliceKey("pkg", "data"), contents=contents, mutate=mutate, **rest)
    return sdf_text(SlicedPackage(name="pkg", slices=(part,)), style)


def sample(style: str = "v3") -> str:
    package = SlicedPackage(
        name="openssl",
        comment="Tool and its configuration.",
        essential=(Essential(key=SliceKey("openssl", "copyright")),),
        slices=(
            Slice(key=SliceKey("openssl", "copyright"), contents=(Content(path="/usr/share/doc/openssl/copyright"),)),
            Slice(
                key=SliceKey("openssl", "bins"),
                essential=(
                    Essential(key=SliceKey("libssl3", "libs"), comment="for TLS"),
                    Essential(key=SliceKey("libc6", "libs")),
                    Essential(key=SliceKey("libatomic1", "libs"), arch=("armhf",)),
                ),
                contents=(
                    Content(path="/usr/bin/openssl"),
                    Content(path="/usr/lib/*-linux-*/engines-3/*.so", kind=PathKind.GLOB, arch=("amd64", "arm64")),
                    Content(path="/etc/ssl/private/", kind=PathKind.MAKE, mode=0o710, comment="postinst makes it"),
                    Content(path="/etc/ssl/cert.pem", kind=PathKind.SYMLINK, source="/etc/ssl/certs/ca.crt"),
                    Content(path="/usr/lib/x", source="/lib/x", mutable=True),
                    Content(path="/var/lib/chisel/**", kind=PathKind.GENERATE, source="manifest"),
                    Content(path="/etc/issue", kind=PathKind.TEXT, text="one\ntwo\n", until="mutate"),
                    Content(path="/etc/empty", kind=PathKind.TEXT, text=""),
                ),
                mutate='content.write("/etc/issue", "x")\n',
            ),
        ),
    )
    return sdf_text(package, style)


def test_a_file_looks_as_published_ones_do() -> None:
    """Package, package's essentials, slices; essentials before contents; both in bytewise order; copyright last."""
    assert (
        sample()
        == """\
# Tool and its configuration.
package: openssl

essential:
  openssl_copyright:

slices:
  bins:
    essential:
      libatomic1_libs: {arch: [armhf]}
      libc6_libs:
      # for TLS
      libssl3_libs:
    contents:
      /etc/empty: {text: ""}
      /etc/issue:
        text: |
          one
          two
        until: mutate
      /etc/ssl/cert.pem: {symlink: /etc/ssl/certs/ca.crt}
      # postinst makes it
      /etc/ssl/private/: {make: true, mode: 0710}
      /usr/bin/openssl:
      /usr/lib/*-linux-*/engines-3/*.so: {arch: [amd64, arm64]}
      /usr/lib/x: {copy: /lib/x, mutable: true}
      /var/lib/chisel/**: {generate: manifest}
    mutate: |
      content.write("/etc/issue", "x")

  copyright:
    contents:
      /usr/share/doc/openssl/copyright:
"""
    )


@pytest.mark.parametrize("style", ["v1", "v2"])
def test_essentials_are_lists_in_older_formats(style: str) -> None:
    """Those of some architectures go to `v3-essential`, as older formats know no other place for them."""
    document = yaml.safe_load(sample(style))
    assert document["essential"] == ["openssl_copyright"]
    assert document["slices"]["bins"]["essential"] == ["libc6_libs", "libssl3_libs"]
    assert document["slices"]["bins"]["v3-essential"] == {"libatomic1_libs": {"arch": ["armhf"]}}


@pytest.mark.parametrize("style", ["v1", "v2", "v3"])
def test_reviewers_lint_passes(style: str) -> None:
    """yamllint with the reviewers' settings finds nothing."""
    assert problems(sample(style)) == []


@given(TEXT | ANY, st.booleans())
def test_every_text_comes_back(text: str, mutable: bool) -> None:
    """Control characters, line ends of any kind, trailing spaces, bytes that are no UTF-8: all as they were."""
    written = one(Content(path="/etc/file", kind=PathKind.TEXT, text=text, mutable=mutable))
    value = yaml.safe_load(written)["slices"]["data"]["contents"]["/etc/file"]
    assert bytes_of(value["text"]) == os.fsencode(text)
    assert value.get("mutable", False) == mutable
    assert problems(written) == []
    written.encode()


@given(TEXT.filter(bool))
def test_every_script_comes_back(text: str) -> None:
    """A mutation script too."""
    written = one(mutate=text)
    assert yaml.safe_load(written)["slices"]["data"]["mutate"] == text
    assert problems(written) == []


@given(st.lists(SEGMENT, min_size=1, max_size=15), st.none() | SEGMENT, ARCH, st.text(max_size=200))
def test_every_path_comes_back(parts: list[str], target: str | None, arch: tuple[str, ...], comment: str) -> None:
    """Paths and the targets of links, whatever they hold and however long they are, under any comment."""
    path = "/" + "/".join(parts)
    kind = PathKind.COPY if target is None else PathKind.SYMLINK
    written = one(Content(path=path, kind=kind, source=target, arch=arch, comment=comment))
    ((key, value),) = yaml.safe_load(written)["slices"]["data"]["contents"].items()
    assert key == path
    assert (value or {}).get("symlink") == target
    assert tuple((value or {}).get("arch", ())) == arch
    assert problems(written) == []


@given(st.lists(SEGMENT.map(lambda name: f"/{name}"), unique=True, max_size=6))
def test_contents_are_in_the_order_of_bytes(paths: list[str]) -> None:
    """As `LC_COLLATE=C sort -C` demands."""
    written = one(*(Content(path=path) for path in paths))
    keys = list((yaml.safe_load(written)["slices"]["data"] or {}).get("contents", {}))
    assert keys == sorted(paths, key=str.encode)


def test_a_name_of_bytes_that_are_no_utf8_is_binary() -> None:
    """Such a path is carried as bytes, which chisel's parser takes for text."""
    written = one(Content(path="/etc/\udcff"))
    assert yaml.safe_load(written)["slices"]["data"]["contents"] == {b"/etc/\xff": None}


def test_words_that_yaml_reads_as_something_else_are_quoted() -> None:
    """`on`, a number, a date: text all the same."""
    for text in ("on", "No", "null", "~", "12", "1e3", "0x1f", "2024-05-01", "12:30", "", "- a", "=", "<<"):
        written = one(Content(path="/etc/file", kind=PathKind.SYMLINK, source=text))
        assert yaml.safe_load(written)["slices"]["data"]["contents"]["/etc/file"]["symlink"] == text


def release(style: str = "v3", **rest: Any) -> Release:
    part = Slice(key=SliceKey("pkg", "data"), contents=(Content(path="/etc/file"),))
    values: dict[str, Any] = {
        "archives": (
            Archive(
                name="ubuntu",
                version="24.04",
                suites=("noble", "noble-security"),
                components=("main",),
                public_keys=("some-key",),
            ),
        ),
        "public_keys": (PublicKey(name="some-key", id="0123456789012345", armor="-----BEGIN\n\nabc=\n-----END\n"),),
        "maintenance": {"standard": "2024-04-25", "end-of-life": "2036-04-29"},
    } | rest
    return Release(format=style, packages={"pkg": SlicedPackage(name="pkg", slices=(part,))}, **values)


def test_chisel_yaml_holds_archive_key_and_dates() -> None:
    """An id of digits alone stays text."""
    text = chisel_yaml_text(release())
    document = yaml.load(text, Loader=yaml.BaseLoader)
    assert document == {
        "format": "v3",
        "maintenance": {"standard": "2024-04-25", "end-of-life": "2036-04-29"},
        "archives": {
            "ubuntu": {
                "version": "24.04",
                "suites": ["noble", "noble-security"],
                "components": ["main"],
                "public-keys": ["some-key"],
            }
        },
        "public-keys": {"some-key": {"id": "0123456789012345", "armor": "-----BEGIN\n\nabc=\n-----END\n"}},
    }
    assert yaml.safe_load(text)["archives"]["ubuntu"]["version"] == "24.04"
    assert problems(text) == []


def test_chisel_yaml_says_that_the_key_is_missing() -> None:
    """Without a key the place for one is named, and nothing is made up."""
    archive = Archive(name="ubuntu", version="12", suites=("stable",), components=("main",), public_keys=())
    text = chisel_yaml_text(release(archives=(archive,), public_keys=()))
    assert "# The key that signs the archive is not known" in text
    assert yaml.safe_load(text)["archives"]["ubuntu"]["public-keys"] == []
    assert problems(text) == []


def test_cut_names_every_slice_once_and_sorted() -> None:
    """One argument a line."""
    assert cut_text((SliceKey("b", "libs"), SliceKey("a", "bins"), SliceKey("b", "libs"))) == "a_bins\nb_libs\n"


def leftover(path: str, what: str, **rest: Any) -> Leftover:
    values: dict[str, Any] = {"type": FileType.REGULAR, "uid": 0, "gid": 0, "mode": 0o644, "slice": "data"}
    return Leftover(path=path, what=what, package="pkg", **{**values, **rest})


def test_a_release_is_its_files() -> None:
    """finish.sh is there only where something is left to do."""
    generated: Any = SimpleNamespace(release=release(), cut=(SliceKey("pkg", "data"),), leftovers=())
    assert [file.path for file in release_artifacts(generated)] == ["chisel.yaml", "cut.txt", "slices/pkg.yaml"]
    generated.leftovers = (leftover("/etc/shadow", "owner", gid=42),)
    (script,) = [file for file in release_artifacts(generated) if file.path == "finish.sh"]
    assert script.mode == 0o755


HOSTILE = "/etc/it's a\n$(touch oops) \udcff;`x` \\0 -n"


def test_finish_is_clean_shell(tmp_path: Path) -> None:
    """shellcheck has nothing to say about it, whatever names it holds."""
    script = finish_script(
        [
            leftover(HOSTILE, "owner", gid=42, mode=0o4755),
            leftover("/etc/x", "mode", mode=0o600),
            leftover("/etc/ld.so.cache", "binary-state", maker="postinst"),
            leftover(HOSTILE, "unknown-content", maker="postinst"),
        ]
    )
    path = tmp_path / "finish.sh"
    path.write_text(script, encoding="ascii")
    done = subprocess.run([need("shellcheck"), str(path)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def run_finish(script: str, root: Path) -> subprocess.CompletedProcess[str]:
    path = root.parent / "finish.sh"
    path.write_text(script, encoding="ascii")
    return subprocess.run(["sh", str(path), str(root)], capture_output=True, text=True, check=False)


def test_finish_sets_modes_of_hostile_names(tmp_path: Path) -> None:
    """A name is data: nothing in it is run, and it is found byte for byte."""
    root = tmp_path / "root"
    file = root / HOSTILE[1:]
    file.parent.mkdir(parents=True)
    file.write_bytes(b"")
    done = run_finish(finish_script([leftover(HOSTILE, "mode", mode=0o640), leftover("/gone", "mode", mode=0)]), root)
    assert (done.returncode, done.stderr) == (0, "")
    assert file.stat().st_mode & 0o7777 == 0o640
    assert sorted(os.listdir(tmp_path)) == ["finish.sh", "root"]


def test_finish_follows_no_link_out_of_the_root(tmp_path: Path) -> None:
    """Neither in the parents of a name nor as the name itself."""
    root = tmp_path / "root"
    root.mkdir()
    outside = tmp_path / "outside"
    outside.write_bytes(b"")
    outside.chmod(0o644)
    (root / "file").symlink_to(outside)
    (root / "dir").symlink_to(tmp_path)
    script = finish_script([leftover("/dir/outside", "mode", mode=0o777), leftover("/file", "mode", mode=0o777)])
    done = run_finish(script, root)
    assert done.returncode == 1
    assert "leads out of the root" in done.stderr
    assert outside.stat().st_mode & 0o777 == 0o644


def test_finish_says_what_it_leaves(tmp_path: Path) -> None:
    """State that only a maintainer script makes is named, with the script, and shows in the exit code."""
    (tmp_path / "root/var").mkdir(parents=True)
    script = finish_script([leftover("/var/db", "binary-state", maker="postinst")])
    done = run_finish(script, tmp_path / "root")
    assert done.returncode == 3
    assert "left to do: /var/db: binary state, postinst of pkg" in done.stderr


def test_finish_keeps_what_a_former_one_did(tmp_path: Path) -> None:
    """A release that is extended has the leftovers of both; what is said anew of a path counts; the rest is not taken."""
    cache = leftover("/etc/ld.so.cache", "binary-state")
    first = finish_script([leftover("/b", "owner", gid=1), leftover(HOSTILE, "binary-state"), cache])
    hostile = first.replace("\nat '/b'", "\ntouch oops\nat '/x' chown -h 0:0; touch oops\nat '/b'")
    second = finish_script([leftover("/b", "owner", gid=2), leftover("/a", "mode", mode=0o600)], hostile)
    both = [
        leftover("/b", "owner", gid=2),
        leftover("/a", "mode", mode=0o600),
        leftover(HOSTILE, "binary-state"),
        cache,
    ]
    assert second == finish_script(both)


def test_finish_keeps_what_one_of_another_version_did() -> None:
    """The lines that name paths count, whatever functions stand above them."""
    former = "#!/bin/sh\n# An older head. Made by pruner.\nat '/b' chown -h 0:1\n  ldconfig -X -r \"$root\"\n"
    assert finish_script([], former) == finish_script(
        [leftover("/b", "owner", gid=1), leftover("/etc/ld.so.cache", "binary-state")]
    )


def test_finish_does_not_replace_what_somebody_wrote() -> None:
    """A script that does not say in its first lines that pruner made it is nothing to add to."""
    for former in ("#!/bin/sh\nat '/b' chown -h 0:1\n", "#!/bin/sh\n" + "true\n" * 9 + "# Made by pruner\n"):
        with pytest.raises(InputError, match="was not made by pruner") as caught:
            finish_script([leftover("/b", "owner", gid=1)], former)
        assert "rename it" in caught.value.hint
