"""What packages ship on further architectures: `pruner slices generate --lists`, and the reading of such lists."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from pruner.errors import InputError
from pruner.slices.arches import architectures_of_need
from pruner.slices.lists import read_foreign_lists, read_lists
from pruner.slices.types import SliceSource
from tests.commandline import Run, assert_one_message
from tests.support import chisel
from tests.unit.packages import deb
from tests.unit.test_cli_slices import gpg_key

RELEASE = b'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n'
TOOL = b"#!/bin/sh\nextra\ncat /usr/share/tool/all /usr/share/tool/here\n"
BASE = {"/usr/": b"", "/usr/lib/": b"", "/usr/lib/os-release": RELEASE}
SHELL = {"/bin/": b"", "/bin/dash": b"\x7fELF", "/bin/sh": "-> dash"}
DATA = {"/usr/share/": b"", "/usr/share/tool/": b"", "/usr/share/tool/all": b"a\n"}
PROGRAM = {"/usr/": b"", "/usr/bin/": b"", "/usr/bin/tool": TOOL, **DATA}
EXTRA = {"/usr/": b"", "/usr/bin/": b"", "/usr/bin/extra": b"#!/bin/sh\n"}


@pytest.fixture
def plan(run: Run, tmp_path: Path) -> Path:
    """Of a tool on amd64, where it has one file and one dependency more than on arm64."""
    home = tmp_path / "amd64"
    home.mkdir()
    deb(home, "base-files", BASE, architecture="amd64")
    deb(home, "dash", SHELL, architecture="amd64")
    deb(home, "extra", EXTRA, architecture="amd64", fields="Depends: dash\n")
    deb(
        home, "tool", {**PROGRAM, "/usr/share/tool/here": b"h\n"}, architecture="amd64", fields="Depends: dash, extra\n"
    )
    done = run("plan", "--from-packages", home, "--entry", "/usr/bin/tool", "--output", tmp_path / "plan")
    assert done.code == 0, done.err
    return tmp_path / "plan"


@pytest.fixture(params=["deb", "named directory", "named files"])
def arm64(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """What the same packages ship on arm64, in each form that lists have; `extra` is not there."""
    shipped = {"base-files": BASE, "dash": SHELL, "tool": PROGRAM}
    home = tmp_path / ("arm64" if request.param == "named directory" else "further")
    home.mkdir()
    for name, files in shipped.items():
        if request.param == "deb":
            deb(home, name, files, architecture="arm64")
        else:
            label = name if request.param == "named directory" else f"{name}:arm64"
            lines = ["/.", *(path.rstrip("/") for path in files)]
            (home / f"{label}.list").write_text("".join(f"{line}\n" for line in lines))
    return home


def parts_of(release: Path, package: str) -> dict[str, Any]:
    return dict(yaml.safe_load((release / f"slices/{package}.yaml").read_text())["slices"])


@pytest.mark.parametrize("style", ["v2", "v3"])
def test_what_only_one_architecture_has_says_so(run: Run, plan: Path, arm64: Path, tmp_path: Path, style: str) -> None:
    """A path and an essential that arm64 lacks get `arch`; the others stay as they are, and the lack is told."""
    release = tmp_path / "release"
    done = run("slices", plan, "-o", release, "--lists", arm64, "--format", style, "--json")
    assert done.code == 0, done.err
    told = "the lists of arm64 lack 1 of 4 packages, which count as not existing there: extra"
    assert told in json.loads(done.out)["notes"]
    parts = parts_of(release, "tool")
    contents = {path: options for part in parts.values() for path, options in part["contents"].items()}
    assert (contents["/usr/share/tool/here"], contents["/usr/share/tool/all"]) == ({"arch": ["amd64"]}, None)
    bins = next(part for part in parts.values() if "/usr/bin/tool" in part["contents"])
    special = bins["essential" if style == "v3" else "v3-essential"]
    of_extra = {name: options for name, options in special.items() if name.startswith("extra_")}
    assert list(of_extra.values()) == [{"arch": ["amd64"]}]
    others = {name: special[name] for name in special.keys() - of_extra.keys()}
    assert all(options is None or "arch" not in options for options in others.values())
    # Where `extra` exists at all, all of it does.
    assert "arch" not in (release / "slices/extra.yaml").read_text()


def test_without_lists_nothing_is_said_of_architectures(run: Run, plan: Path, tmp_path: Path) -> None:
    """One architecture tells nothing of others."""
    assert run("slices", plan, "-o", tmp_path / "release", "-q").code == 0
    assert not [path for path in (tmp_path / "release/slices").iterdir() if "arch:" in path.read_text()]


def test_a_release_is_extended_with_architectures(run: Run, plan: Path, tmp_path: Path) -> None:
    """A slice for one architecture serves no other: what arm64 needs too is not taken for covered by amd64's."""
    (tmp_path / "arm64").mkdir()
    for name, files in (("dash", SHELL), ("tool", PROGRAM)):
        deb(tmp_path / "arm64", name, files, architecture="arm64")
    theirs = "package: tool\nslices:\n  ours:\n    contents:\n      /usr/share/tool/{}: {{arch: amd64}}\n"
    notes = {}
    for name in ("all", "here"):
        release = tmp_path / name
        assert run("slices", plan, "-o", release, "--format", "v1", "-q").code == 0
        (release / "slices/tool.yaml").write_text(theirs.format(name))
        done = run("slices", plan, "--release", release, "--lists", tmp_path / "arm64", "--json")
        assert done.code == 0, done.err
        notes[name] = [note for note in json.loads(done.out)["notes"] if "can't be added" in note]
        added = [part for key, part in parts_of(release, "tool").items() if key != "ours"]
        contents = {path: options for part in added for path, options in part["contents"].items()}
        assert (f"/usr/share/tool/{name}" in contents) == (name == "all")
        assert any("v3-essential" in part for part in added)
    assert notes == {"all": [], "here": []}


@pytest.mark.parametrize("style", ["v2", "v3"])
def test_chisel_takes_it(
    run: Run, plan: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, style: str
) -> None:
    """The real one loads a release with such paths and essentials, and shows the slices in it."""
    program = chisel()
    (tmp_path / "arm64").mkdir()
    deb(tmp_path / "arm64", "tool", PROGRAM, architecture="arm64")
    release = tmp_path / "release"
    key = gpg_key(tmp_path_factory.mktemp("k") / "g", "rsa2048")
    done = run(
        "slices", plan, "-o", release, "--lists", tmp_path / "arm64", "--archive-key", key, "--format", style, "-q"
    )
    assert done.code == 0, done.err
    words = [program, "find", "--release", f"{release}/", "tool"]
    found = subprocess.run(words, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    assert "tool_bins" in found.stdout or "tool_scripts" in found.stdout
    assert run("slices", "check", release).code == 0


def test_lists_of_no_further_architecture(run: Run, plan: Path, tmp_path: Path) -> None:
    """The plan's own ones, those that do not say whose they are, and none at all are told from what was meant."""
    own = run("slices", plan, "-o", tmp_path / "release", "--lists", tmp_path / "amd64")
    assert_one_message(own, 3)
    assert "only amd64" in own.err
    unsaid = tmp_path / "unsaid"
    unsaid.mkdir()
    (unsaid / "tool.list").write_text("/usr/bin/tool\n")
    assert_one_message(run("slices", plan, "-o", tmp_path / "release", "--lists", unsaid), 3)
    (tmp_path / "empty").mkdir()
    assert_one_message(run("slices", plan, "-o", tmp_path / "release", "--lists", tmp_path / "empty"), 3)
    assert not (tmp_path / "release").exists()


def test_lists_that_do_not_say_are_of_the_directory_s_architecture(tmp_path: Path) -> None:
    """As dpkg keeps them: only packages that may be there twice carry one in the file's name."""
    for name, path in (("libx:arm64", "/x"), ("liby:arm64", "/y"), ("libx:armhf", "/h"), ("tool", "/t")):
        (tmp_path / f"{name}.list").write_text(f"/.\n{path}\n")
    assert read_foreign_lists([tmp_path], "amd64") == {
        "arm64": {"libx": ("/x",), "liby": ("/y",), "tool": ("/t",)},
        "armhf": {"libx": ("/h",)},
    }
    assert read_lists(tmp_path).names == {"libx": ("/h", "/x"), "liby": ("/y",), "tool": ("/t",)}


def test_archives_of_several_architectures(tmp_path: Path) -> None:
    """Each counts for its own; one for all counts for each; several directories add up."""
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    deb(first, "one", {"/one-arm": b""}, architecture="arm64")
    deb(first, "two", {"/two-s390x": b""}, architecture="s390x")
    deb(first, "data", {"/data": b""})
    deb(first, "own", {"/own": b""}, architecture="amd64")
    deb(second, "more", {"/more": b""}, architecture="arm64")
    assert read_foreign_lists([first, second], "amd64") == {
        "arm64": {"data": ("/data",), "more": ("/more",), "one": ("/one-arm",)},
        "s390x": {"data": ("/data",), "two": ("/two-s390x",)},
    }
    with pytest.raises(InputError, match="only riscv-unknown"):
        read_foreign_lists([_of(tmp_path / "odd", "riscv-unknown")], "amd64")


def _of(home: Path, architecture: str) -> Path:
    home.mkdir()
    deb(home, "one", {"/one": b""}, architecture=architecture)
    return home


def test_a_need_within_the_architectures_of_its_package_says_nothing() -> None:
    """What exists on amd64 alone needs what exists on amd64 alone wherever it is cut."""
    source = SliceSource(
        distribution="debian", version="12", architecture="amd64", files={}, needs={},
        listed={"here": ("/here",), "too": ("/too",), "everywhere": ("/e",)},
        listed_by_arch={"arm64": {"everywhere": ("/e",)}},
    )  # fmt: skip
    assert architectures_of_need("here", "too", source) == ()
    assert architectures_of_need("everywhere", "too", source) == ("amd64",)
    assert architectures_of_need("here", "everywhere", source) == ()
