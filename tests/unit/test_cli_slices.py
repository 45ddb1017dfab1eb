"""`pruner slices` and its commands, on packages of a few files, and on bad input."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.commandline import Run, assert_one_message, contents
from tests.support import chisel, need
from tests.unit.packages import deb
from tests.unit.test_slices_merge import LIBC6, OPENSSL, make

TOOL = b"#!/bin/sh\ncat /etc/tool/tool.conf\n"


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tool in shell with its configuration, a shell, and a package that nobody needs."""
    home = tmp_path_factory.mktemp("archives")
    release = b'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n'
    doc = {"/usr/share/": b"", "/usr/share/doc/": b""}
    deb(home, "base-files", {"/usr/": b"", "/usr/lib/": b"", "/usr/lib/os-release": release, "/tmp/": b""})
    deb(home, "dash", {"/bin/": b"", "/bin/dash": b"\x7fELF", "/bin/sh": "-> dash"}, architecture="amd64")
    deb(home, "unused", {"/usr/": b"", "/usr/bin/": b"", "/usr/bin/unused": b"#!/bin/sh\n"})
    deb(
        home,
        "tool",
        {
            "/usr/": b"", "/usr/bin/": b"", "/usr/bin/tool": TOOL, "/usr/bin/helper": b"#!/bin/sh\n",
            **doc, "/usr/share/doc/tool/": b"", "/usr/share/doc/tool/README": b"read me\n", "/usr/share/doc/tool/copyright": b"free\n",
        },
        fields="Depends: dash\n",
        control={"postinst": "#!/bin/sh\ninstall -d -m 750 /etc/tool\necho made > /etc/tool/tool.conf\n"},
    )  # fmt: skip
    return home


@pytest.fixture
def plan(run: Run, archives: Path, tmp_path: Path) -> Path:
    done = run("plan", "--from-packages", archives, "--entry", "/usr/bin/tool", "--output", tmp_path / "plan")
    assert done.code == 0, done.err
    return tmp_path / "plan"


def test_a_plan_becomes_a_release(run: Run, plan: Path, tmp_path: Path) -> None:
    """The group's name alone is enough for its default command; what was written is told, and what is missing."""
    release = tmp_path / "release"
    done = run("slices", plan, "-o", release)
    assert done.code == 0, done.err
    assert "chisel.yaml lacks the archive's key" in done.err
    assert f"(see {release}/cut.txt)" in done.out
    assert sorted(path.name for path in release.iterdir()) >= ["chisel.yaml", "cut.txt", "slices"]
    tool = yaml.safe_load((release / "slices/tool.yaml").read_text())
    paths = {path for part in tool["slices"].values() for path in part["contents"]}
    assert {"/usr/bin/tool", "/usr/share/doc/tool/copyright", "/etc/tool/tool.conf"} <= paths
    assert "/usr/share/doc/tool/README" not in paths
    assert any(name.startswith("tool_") for name in (release / "cut.txt").read_text().split())
    assert not (release / "slices/unused.yaml").exists()


def test_writing_again_changes_nothing(run: Run, plan: Path, tmp_path: Path) -> None:
    """And a file that the new release has not goes away."""
    release = tmp_path / "release"
    assert run("slices", plan, "-o", release, "-q").code == 0
    (release / "slices/gone.yaml").write_text("package: gone\n")
    done = run("slices", plan, "-o", release, "--json")
    assert json.loads(done.out)["changed"] == ["slices/gone.yaml"]


def test_a_package_on_its_own(run: Run, archives: Path, tmp_path: Path) -> None:
    """All of it, without a plan."""
    release = tmp_path / "release"
    done = run("slices", "--package", "tool", "--from-packages", archives, "-o", release, "--format", "v1", "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["format"] == "v1"
    tool = yaml.safe_load((release / "slices/tool.yaml").read_text())
    assert tool["essential"] == ["tool_copyright"]
    paths = {path for part in tool["slices"].values() for path in part["contents"]}
    assert {"/usr/bin/tool", "/usr/bin/helper"} <= paths


def gpg_key(home: Path, kind: str) -> Path:
    """An armored public key of a throw-away pair."""
    need("gpg")
    home.mkdir(mode=0o700)
    environment = {**os.environ, "GNUPGHOME": str(home)}
    words = ["gpg", "--batch", "--passphrase", "", "--quick-gen-key", "test", kind, "sign", "never"]
    subprocess.run(words, env=environment, check=True, capture_output=True)
    key = home / "key.asc"
    made = subprocess.run(["gpg", "--armor", "--export", "test"], env=environment, check=True, capture_output=True)
    key.write_bytes(made.stdout)
    subprocess.run(["gpgconf", "--kill", "all"], env=environment, check=False, capture_output=True)
    return key


def test_the_archive_is_as_it_is_given(run: Run, plan: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Key, suites, components and version stand in chisel.yaml; the release is sound then, and chisel takes it."""
    place = tmp_path_factory.mktemp("k")
    key = gpg_key(place / "g", "rsa2048")
    release = place / "release"
    words = ("--suite", "noble", "--suite", "noble-updates", "--component", "main", "--archive-version", "24.04")
    done = run("slices", plan, "-o", release, "--archive-key", key, *words)
    assert (done.code, done.err.count("key")) == (0, 0), done.err
    document = yaml.safe_load((release / "chisel.yaml").read_text())
    archive = document["archives"]["ubuntu"]
    assert (archive["suites"], archive["components"], archive["version"]) == (
        ["noble", "noble-updates"],
        ["main"],
        "24.04",
    )
    assert document["public-keys"]["archive-key"]["armor"].strip() == key.read_text().strip()
    checked = run("slices", "check", release, "--format", "json")
    assert checked.code == 0, checked.out
    done_too = subprocess.run(
        [chisel(), "find", "--release", f"{release}/", "tool"], capture_output=True, text=True, check=False
    )
    assert done_too.returncode == 0, done_too.stderr


def test_a_key_that_chisel_can_not_use(run: Run, plan: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Is refused before anything is written."""
    place = tmp_path_factory.mktemp("k")
    key = gpg_key(place / "g", "ed25519")
    done = run("slices", plan, "-o", place / "release", "--archive-key", key)
    assert done.code == 3
    assert "key.asc" in done.err
    assert not (place / "release").exists()
    key.write_text("none")
    assert run("slices", plan, "-o", place / "release", "--archive-key", key).code == 3


def sound(run: Run, plan: Path, place: Path, key: Path) -> Path:
    assert run("slices", plan, "-o", place, "--archive-key", key, "-q").code == 0
    return place


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return gpg_key(tmp_path_factory.mktemp("k") / "g", "rsa2048")


def test_a_release_is_extended_in_place_or_elsewhere(run: Run, plan: Path, key: Path, tmp_path: Path) -> None:
    """Only files that lack something change; into another directory, all of the release goes."""
    release = sound(run, plan, tmp_path / "release", key)
    tool = release / "slices/tool.yaml"
    full = tool.read_text()
    lines = full.splitlines(keepends=True)
    tool.write_text("# A comment that stays.\n" + "".join(line for line in lines if "/usr/bin/tool:" not in line))
    stamps = {path: path.stat().st_mtime_ns for path in release.rglob("*") if path.is_file()}
    elsewhere = run("slices", plan, "--release", release, "-o", tmp_path / "more", "--json")
    assert elsewhere.code == 0, elsewhere.err
    assert {path.relative_to(release) for path in release.rglob("*.yaml")} == {
        path.relative_to(tmp_path / "more") for path in (tmp_path / "more").rglob("*.yaml")
    }
    assert {path: path.stat().st_mtime_ns for path in stamps} == stamps
    done = run("slices", plan, "--release", release, "--json")
    assert json.loads(done.out)["changed"] == ["slices/tool.yaml"]
    assert tool.read_text() == "# A comment that stays.\n" + full
    assert (tmp_path / "more/slices/tool.yaml").read_text() == tool.read_text()
    assert {path for path in stamps if path.stat().st_mtime_ns != stamps[path]} == {tool}


def test_an_extended_copy_is_made_anew(run: Run, plan: Path, key: Path, tmp_path: Path) -> None:
    """A copy of somebody's release that was extended before is ours to replace, though its chisel.yaml is not."""
    release = sound(run, plan, tmp_path / "release", key)
    head = release / "chisel.yaml"
    head.write_text("".join(line for line in head.read_text().splitlines(keepends=True) if not line.startswith("#")))
    assert run("slices", plan, "--release", release, "-o", tmp_path / "more").code == 0
    again = run("slices", plan, "--release", release, "-o", tmp_path / "more", "--json")
    assert again.code == 0, again.err
    assert json.loads(again.out)["changed"] == []
    (release / "chisel.yaml").write_text("# another\n" + head.read_text())
    assert run("slices", plan, "--release", release, "-o", tmp_path / "more").code == 3


def test_only_a_directory_of_our_own_is_replaced_by_an_extended_release(
    run: Run, plan: Path, key: Path, tmp_path: Path
) -> None:
    """Another place is empty or holds what pruner made, of which nothing old is left; else it is not touched."""
    release = sound(run, plan, tmp_path / "release", key)
    other = make(tmp_path / "other", libc6=LIBC6)
    before = {path: path.read_bytes() for path in other.rglob("*") if path.is_file()}
    done = run("slices", plan, "--release", release, "-o", other)
    assert_one_message(done, 3)
    assert "holds no release that pruner made" in done.err
    assert {path: path.read_bytes() for path in other.rglob("*") if path.is_file()} == before
    own = sound(run, plan, tmp_path / "own", key)
    (own / "slices/gone.yaml").write_text("package: gone\n")
    assert run("slices", plan, "--release", release, "-o", own).code == 0
    assert {path.relative_to(own): path.read_bytes() for path in own.rglob("*") if path.is_file()} == {
        path.relative_to(release): path.read_bytes() for path in release.rglob("*") if path.is_file()
    }


def test_a_script_and_a_cut_that_are_there(run: Run, plan: Path, key: Path, tmp_path: Path) -> None:
    """finish.sh goes along elsewhere, and stays where nothing is left to do; a cut that is replaced is told."""
    release = sound(run, plan, tmp_path / "release", key)
    assert not (release / "finish.sh").exists()
    (release / "finish.sh").write_text("#!/bin/sh\ntrue\n")
    (release / "cut.txt").write_text("other_bins\ntool_bins\n")
    done = run("slices", plan, "--release", release, "-o", tmp_path / "more")
    assert done.code == 0, done.err
    assert (tmp_path / "more/finish.sh").read_text() == "#!/bin/sh\ntrue\n"
    assert (tmp_path / "more/finish.sh").stat().st_mode & 0o111
    assert "cut.txt" not in done.err
    told = run("slices", plan, "--release", release)
    assert "cut.txt is replaced: it named 2 slices" in told.err
    assert (release / "finish.sh").read_text() == "#!/bin/sh\ntrue\n"
    assert "cut.txt" not in run("slices", plan, "--release", release).err


def test_a_release_without_key_can_be_worked_with(run: Run, plan: Path, tmp_path: Path) -> None:
    """Chisel refuses it, which check says with what to do; comparing and extending do not need the key."""
    release = tmp_path / "release"
    assert run("slices", plan, "-o", release, "-q").code == 0
    checked = run("slices", "check", release, "--format", "json")
    assert checked.code == 1
    assert [one["rule"] for one in json.loads(checked.out) if one["severity"] == "error"] == ["no-key"]
    assert "--archive-key" in checked.out
    assert run("slices", "diff", release, release).code == 0
    assert run("slices", "missing", plan, "--release", release).code == 0
    done = run("slices", plan, "--release", release, "--json")
    assert json.loads(done.out)["changed"] == []
    assert any("lacks the archive's key" in note for note in json.loads(done.out)["notes"])


def test_a_cut_that_is_a_pipe_is_not_waited_for(run: Run, tmp_path: Path) -> None:
    """The slices to be cut are unknown then, as without the file."""
    release = make(tmp_path / "release", libc6=LIBC6)
    without = run("slices", "check", release)
    os.mkfifo(release / "cut.txt")
    assert run("slices", "check", release) == without


def test_missing_slices_are_listed(run: Run, plan: Path, key: Path, tmp_path: Path) -> None:
    """As a table to paste, and as JSON; exit 1 where there are any."""
    release = sound(run, plan, tmp_path / "release", key)
    tool = release / "slices/tool.yaml"
    tool.write_text(
        "".join(line for line in tool.read_text().splitlines(keepends=True) if "/usr/bin/tool:" not in line)
    )
    done = run("slices", "missing", plan, "--release", release)
    assert done.code == 1, done.err
    (row,) = [line for line in done.out.splitlines() if line.startswith("tool ")]
    assert row.split()[-1] == "/usr/bin/tool"
    rows = {
        row["package"]: row for row in json.loads(run("slices", "missing", plan, "--release", release, "--json").out)
    }
    assert rows["tool"]["missing"] == ["/usr/bin/tool"]
    assert rows["dash"]["missing"] == []
    assert all(name.startswith("dash_") for name in rows["dash"]["slices"])


def test_two_releases_are_compared(run: Run, plan: Path, key: Path, tmp_path: Path) -> None:
    """Exit 1 where they differ, as diff(1) does."""
    release = sound(run, plan, tmp_path / "release", key)
    shutil.copytree(release, tmp_path / "other")
    same = run("slices", "diff", release, tmp_path / "other")
    assert (same.code, same.out) == (0, "no differences\n")
    tool = tmp_path / "other/slices/tool.yaml"
    tool.write_text(tool.read_text().replace("/usr/bin/tool:", "/usr/bin/other:"))
    done = run("slices", "diff", release, tmp_path / "other", "--json")
    assert done.code == 1
    assert {(one["change"], one["name"]) for one in json.loads(done.out)} == {
        ("removed", "/usr/bin/tool"),
        ("added", "/usr/bin/other"),
    }
    shown = run("slices", "diff", release, tmp_path / "other").out
    assert "+  tool_" in shown
    assert "-  tool_" in shown


def test_check_with_lists(run: Run, plan: Path, key: Path, archives: Path, tmp_path: Path) -> None:
    """Paths that packages do not ship are errors, by archives and by dpkg's lists alike: the cut fails."""
    release = sound(run, plan, tmp_path / "release", key)
    tool = release / "slices/tool.yaml"
    tool.write_text(tool.read_text().replace("/usr/bin/tool:", "/usr/bin/tool-gone:"))
    line = tool.read_text().splitlines().index("      /usr/bin/tool-gone:") + 1
    lists = tmp_path / "lists"
    lists.mkdir()
    (lists / "tool.list").write_text("/.\n/usr\n/usr/bin\n/usr/bin/tool\n/usr/share/doc/tool/copyright\n")
    for place in (archives, lists):
        done = run("slices", "check", release, "--lists", place)
        assert done.code == 1, done.err
        assert f"slices/tool.yaml:{line}: error: " in done.out
        assert "/usr/bin/tool-gone" in done.out
    (tmp_path / "empty").mkdir()
    assert_one_message(run("slices", "check", release, "--lists", tmp_path / "empty"), 3)


def test_check_as_sarif(run: Run, tmp_path: Path) -> None:
    """With the place of each problem."""
    release = make(tmp_path / "release", libc6=LIBC6.replace("contents:", "content:", 1))
    done = run("slices", "check", release, "--format", "sarif")
    document = json.loads(done.out)
    assert document["version"] == "2.1.0"
    places = [
        (place["artifactLocation"]["uri"], place["region"]["startLine"])
        for result in document["runs"][0]["results"]
        for place in (result["locations"][0]["physicalLocation"],)
    ]
    assert ("slices/libc6.yaml", 4) in places


BAD = {
    "unknown format": ("chisel.yaml", "format: v9\n", "chisel.yaml:1: error: unknown format 'v9'"),
    "a YAML error": ("slices/openssl.yaml", "package: openssl\nslices:\n  bins: [\n", "slices/openssl.yaml:"),
    "a short name": (
        "slices/libc6.yaml",
        "package: libc6\nslices:\n  li:\n    contents:\n      /x:\n",
        "slices/libc6.yaml:3: error: ",
    ),
    "a conflict": (
        "slices/other.yaml",
        "package: other\nslices:\n  bins:\n    contents:\n      /usr/bin/openssl:\n",
        "error: ",
    ),
    "another package's name": ("slices/libc6.yaml", "package: libc7\nslices: {}\n", "slices/libc6.yaml:1: error: "),
    "a duplicate": ("slices/more/libc6.yaml", LIBC6, "slices/more/libc6.yaml:1: error: "),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_release_is_told_with_file_and_line(run: Run, plan: Path, tmp_path: Path, name: str) -> None:
    """By every command that reads one; nothing is written."""
    file, text, expected = BAD[name]
    release = make(tmp_path / "release", openssl=OPENSSL, libc6=LIBC6)
    (release / file).parent.mkdir(exist_ok=True)
    (release / file).write_text(text)
    before = {path: path.read_bytes() for path in release.rglob("*") if path.is_file()}
    checked = run("slices", "check", release)
    assert checked.code == 1
    assert expected in checked.out
    for words in (("missing", plan, "--release", release), (plan, "--release", release), ("diff", release, release)):
        done = run("slices", *words)
        assert_one_message(done, 3)
        assert f"{release}/" in done.err
        assert ".yaml:" in done.err
    assert {path: path.read_bytes() for path in release.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    "words",
    [
        ("PLAN",),
        ("PLAN", "-o", "out", "--format", "v4"),
        ("PLAN", "--release", "out", "--format", "v1"),
        ("PLAN", "--release", "out", "--suite", "x"),
        ("PLAN", "-o", "out", "--package", "tool"),
        ("-o", "out"),
        ("--package", "tool", "-o", "out"),
        ("--package", "tool", "--root", "x", "--from-packages", "y", "-o", "out"),
        ("check", "PLAN", "--format", "xml"),
    ],
)
def test_wrong_usage(
    run: Run, plan: Path, tmp_path: Path, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit 2 with one message, and nothing is written."""
    monkeypatch.chdir(tmp_path)
    assert_one_message(run("slices", *(plan if word == "PLAN" else word for word in words)), 2)
    assert not (tmp_path / "out").exists()


def test_what_is_no_release_of_ours_is_not_replaced(run: Run, plan: Path, tmp_path: Path) -> None:
    """A directory with something else, or with a release that somebody wrote."""
    release = make(tmp_path / "release", libc6=LIBC6)
    done = run("slices", plan, "-o", release)
    assert_one_message(done, 3)
    assert "--release PATH" in done.err
    (tmp_path / "full").mkdir()
    (tmp_path / "full/x").write_text("x")
    assert_one_message(run("slices", plan, "-o", tmp_path / "full"), 3)
    (tmp_path / "file").write_text("x")
    assert_one_message(run("slices", plan, "-o", tmp_path / "file"), 3)


def test_a_package_name_can_not_lead_out_of_the_release(run: Run, plan: Path, tmp_path: Path) -> None:
    """A plan directory from elsewhere is no reason to write anywhere else, nor to write at all."""
    for file in (plan / "plan.json", plan / "debian/slices.json"):
        text = file.read_text()
        assert '"tool"' in text
        file.write_text(text.replace('"tool"', '"../../../escaped/tool"'))
    done = run("slices", plan, "-o", tmp_path / "a/b/c/release")
    assert_one_message(done, 3)
    assert "'../../../escaped/tool' can't be sliced" in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["plan"]


def test_a_target_that_can_not_be_written(run: Run, plan: Path) -> None:
    """Where not even root may: a clear message, exit 4."""
    done = run("slices", plan, "-o", "/proc/nowhere/release")
    assert_one_message(done, 4)
    assert "can't be written" in done.err


def test_places_that_are_not_there(run: Run, plan: Path, tmp_path: Path) -> None:
    """Plans and releases."""
    assert_one_message(run("slices", tmp_path / "none", "-o", tmp_path / "out"), 3)
    assert_one_message(run("slices", "check", tmp_path / "none"), 3)
    assert_one_message(run("slices", "missing", plan, "--release", tmp_path / "none"), 3)
    assert_one_message(run("slices", "diff", tmp_path / "none", tmp_path / "none"), 3)


def test_help_shows_both_forms(run: Run) -> None:
    """The default command and the others, with examples."""
    text = run("slices", "--help").out
    for part in ("pruner slices plan -o release", "generate", "missing", "check", "diff", "Examples:"):
        assert part in text


def test_a_release_for_another_distribution_is_not_extended(run: Run, plan: Path, key: Path, tmp_path: Path) -> None:
    """A version that no archive of the release states; where it is unknown, or a suite fits, the plan fits too."""
    release = sound(run, plan, tmp_path / "release", key)
    head = release / "chisel.yaml"
    text = head.read_text()
    newer = text.replace('version: "12"', "version: 24.04")
    head.write_text(newer.replace("bookworm", "noble"))
    assert newer != text
    before = contents(release)
    done = run("slices", plan, "--release", release)
    assert_one_message(done, 3, f"{release}: the release is for 24.04, and the plan is of Debian 12", "chisel.yaml")
    assert contents(release) == before
    for other in (newer, text.replace("bookworm", "noble"), text.replace('version: "12"', "version: any")):
        head.write_text(other)
        assert run("slices", plan, "--release", release).code == 0


@pytest.mark.parametrize("quiet", [(), ("-q",), ("--json",)])
def test_what_can_not_be_added_is_a_negative_answer(
    run: Run, plan: Path, key: Path, tmp_path: Path, quiet: tuple[str, ...]
) -> None:
    """All else is written, the count is told whatever is printed, and the exit code is 1."""
    release = sound(run, plan, tmp_path / "release", key)
    (release / "slices/tool.yaml").unlink()
    (release / "slices/other.yaml").write_text("package: other\nslices:\n  bins:\n    contents:\n      /usr/bin/to*:\n")
    done = run("slices", plan, "--release", release, *quiet)
    assert done.code == 1
    assert "error: 1 path can't be added beside what the release has\n" in done.err
    assert "/usr/bin/tool:" not in (release / "slices/tool.yaml").read_text()
    assert "/etc/tool/tool.conf:" in (release / "slices/tool.yaml").read_text()
    if quiet == ("--json",):
        assert json.loads(done.out)["refused"] == 1


def test_files_that_are_removed_are_named(run: Run, plan: Path, tmp_path: Path) -> None:
    """What a former release, or somebody, has put there and the new one has not."""
    release = tmp_path / "release"
    assert run("slices", plan, "-o", release, "-q").code == 0
    (release / "slices/mine.yaml").write_text("package: mine\nslices: {}\n")
    done = run("slices", plan, "-o", release)
    assert "note: removed slices/mine.yaml, which this release has not\n" in done.err
    assert not (release / "slices/mine.yaml").exists()


def test_a_cut_of_what_is_not_there(run: Run, plan: Path, key: Path, tmp_path: Path) -> None:
    """Is an error, with its line; errors stand before warnings, and name the release."""
    release = sound(run, plan, tmp_path / "release", key)
    (release / "slices/aaa.yaml").write_text("package: aaa\nslices:\n  bins:\n    contents:\n      /aaa:\n")
    only = run("slices", "check", release)
    assert only.code == 0
    assert "no slice that is to be cut needs aaa_bins" in only.out
    number = len((release / "cut.txt").read_text().splitlines()) + 1
    with (release / "cut.txt").open("a") as stream:
        stream.write("tool_gone\nodd\n")
    done = run("slices", "check", release)
    lines = done.out.splitlines()
    assert done.code == 1
    assert lines[0].startswith(f"{release}/cut.txt:{number}: error: slice tool_gone is to be cut and is missing")
    assert lines[1].startswith(f"{release}/cut.txt:{number + 1}: error: slice odd ")
    assert lines[2].startswith(f"{release}/slices/aaa.yaml:1: warning: ")
    assert "unreachable-slice" not in done.out


def test_a_cut_of_one_application_is_not_all_of_a_release(run: Run, plan: Path, key: Path, tmp_path: Path) -> None:
    """Where pruner has not made the release, slices may be for others than cut.txt names."""
    release = sound(run, plan, tmp_path / "release", key)
    (release / "slices/aaa.yaml").write_text("package: aaa\nslices:\n  bins:\n    contents:\n      /aaa:\n")
    head = release / "chisel.yaml"
    head.write_text("".join(f"{line}\n" for line in head.read_text().splitlines() if not line.startswith("#")))
    done = run("slices", "check", release)
    assert "copyright-missing" in done.out
    assert "unreachable-slice" not in done.out


def test_messages_name_what_was_given(
    run: Run, archives: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Places and names as they stand on the command line, and what was meant."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "debs").symlink_to(archives)
    (tmp_path / "empty").mkdir()
    debs = ("--from-packages", "debs", "-o", "out")
    for words, code, expected in (
        ((".", "-o", "out"), 3, "holds no plan.json"),
        (("--package", "tol", *debs), 3, "debs: holds no package 'tol'\nhint: did you mean tool?"),
        (("--package", "tool", "--from-packages", "empty", "-o", "out"), 3, "empty: holds no .deb files"),
        (("--package", "tool", "--from-packages", "none", "-o", "out"), 3, "none: can't be read: no such file"),
        (("--package", "tool", "--root", "empty", *debs), 2, "both --root and --from-packages were given"),
        (("chekc", "empty"), 2, "did you mean check?"),
        (("empty", "-o", ""), 2, "empty name"),
        (("empty", "-o", "out", "--suite", ""), 2, "--suite"),
    ):
        assert_one_message(run("slices", *words), code, expected)
    assert not (tmp_path / "out").exists()
