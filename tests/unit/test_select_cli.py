"""`pruner select` as a command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pruner.read.packagelock import read_lock
from tests.commandline import Run, assert_one_message, run_process

INDEX = """\
Package: app
Version: 1.0
Architecture: amd64
Installed-Size: 10
Depends: words (>= 1) | verbs, libapp1
Recommends: extra
Filename: pool/app.deb
Size: 1000000
SHA256: {0}

Package: libapp1
Version: 2.0-1
Architecture: amd64
Installed-Size: 20
Filename: pool/libapp1.deb
Size: 500000
SHA256: {0}

Package: words
Version: 1.5
Architecture: all
Installed-Size: 7
Filename: pool/words.deb
Size: 10
SHA256: {0}

Package: verbs
Version: 3
Architecture: all
Installed-Size: 12
Filename: pool/verbs.deb
Size: 10
SHA256: {0}

Package: extra
Version: 3
Architecture: all
Installed-Size: 1
Conflicts: app
Filename: pool/extra.deb
Size: 10
SHA256: {0}

Package: broken
Version: 3
Architecture: amd64
Installed-Size: 1
Depends: words (>= 2)
Filename: pool/broken.deb
Size: 10
SHA256: {0}

""".format("0" * 64)

STATUS = """\
Package: verbs
Status: install ok installed
Version: 3
Architecture: all
Installed-Size: 12

"""

APKINDEX = """\
P:app
V:1.0-r0
A:x86_64
I:2048
S:100
D:so:libapp.so.1 !words

P:libapp
V:2.0-r0
A:x86_64
I:1024
S:100
p:so:libapp.so.1=1.0

"""


@pytest.fixture
def index(tmp_path: Path) -> Path:
    path = tmp_path / "Packages"
    path.write_text(INDEX)
    return path


def test_the_selection_is_printed_with_its_choices(run: Run, index: Path) -> None:
    """A table of packages, a table of what the alternatives would have cost, the total, and how sure it is."""
    done = run("select", "--relations", index, "--entry", "deb:app")
    assert done.code == 0
    assert done.err == ""
    assert done.out.splitlines() == [
        "package  version  architecture  KiB",
        "app      1.0      amd64          10",
        "libapp1  2.0-1    amd64          20",
        "words    1.5      all             7",
        "",
        "chosen  instead of  KiB more  needed by",
        "words   verbs             +5  deb:app (words (>= 1) | verbs)",
        "",
        "3 packages, 37 KiB installed, 1.5 MB to download: optimal",
    ]


def test_json_has_packages_total_status_and_choices(run: Run, index: Path) -> None:
    """The same for programs, with nothing in it that changes from run to run."""
    done = run("select", "--relations", index, "--entry", "deb:app", "--json")
    document = json.loads(done.out)
    assert (document["status"], document["installed_kib"]) == ("optimal", 37)
    assert document["packages"][0] == {"name": "app", "version": "1.0", "architecture": "amd64", "installed_kib": 10}
    assert document["choices"] == [
        {
            "needed_by": [{"package": "deb:app", "clause": "words (>= 1) | verbs"}],
            "chosen": [{"name": "words", "version": "1.5", "architecture": "all"}],
            "others": [{"name": "verbs", "version": "3", "architecture": "all", "delta_kib": 5, "proven": True}],
        }
    ]
    assert run("select", "--relations", index, "--entry", "deb:app", "--json").out == done.out


def test_options_change_what_is_best(run: Run, index: Path, tmp_path: Path) -> None:
    """What is installed can come before size, and so can recommendations, which are named when they can't be met."""
    status = tmp_path / "status"
    status.write_text(STATUS)
    arguments = ("select", "--relations", index, "--entry", "pkg:deb/debian/app", "--json")
    preferred = json.loads(run(*arguments, "--prefer", "installed", "--installed", status).out)
    assert [one["name"] for one in preferred["packages"]] == ["app", "libapp1", "verbs"]
    recommended = run(*arguments, "--recommends")
    assert recommended.code == 0
    assert recommended.err == "note: not met: deb:app recommends extra\n"
    assert json.loads(recommended.out)["unmet"] == ["deb:app recommends extra"]


def test_an_unsatisfiable_request_is_a_negative_answer_with_its_reason(run: Run, index: Path, tmp_path: Path) -> None:
    """Exit 1, the smallest conflict in words, and no lock."""
    lock = tmp_path / "packages.lock.json"
    done = run("select", "--relations", index, "--entry", "deb:broken", "--lock", lock)
    assert_one_message(done, 1, "deb:broken needs words (>= 2), the index has words 1.5")
    assert done.out == ""
    assert not lock.exists()
    as_json = run("select", "--relations", index, "--entry", "deb:broken", "--json")
    assert as_json.code == 1
    assert json.loads(as_json.out)["status"] == "unsatisfiable"
    assert json.loads(as_json.out)["conflict"][-1] == "deb:broken needs words (>= 2), the index has words 1.5"


def test_a_lock_holds_what_was_selected(run: Run, index: Path, tmp_path: Path) -> None:
    """Exact versions with file names and digests, as `pruner fetch` reads them; a former lock is replaced."""
    (tmp_path / "made").mkdir()
    lock = tmp_path / "made" / "packages.lock.json"
    for _ in range(2):
        assert run("select", "--relations", index, "--entry", "deb:app", "--lock", lock).code == 0
    read = read_lock(lock)
    assert (read.ecosystem, read.architecture) == ("deb", "amd64")
    assert [(one.name, one.filename) for one in read.packages] == [
        ("app", "pool/app.deb"),
        ("libapp1", "pool/libapp1.deb"),
        ("words", "pool/words.deb"),
    ]
    assert {one.checksum for one in read.packages} == {"sha256:" + "0" * 64}
    assert [path.name for path in lock.parent.iterdir()] == [lock.name]


def test_alpine_indexes_are_selected_from_too(run: Run, tmp_path: Path) -> None:
    """`so:` names, and sizes in bytes."""
    index = tmp_path / "APKINDEX"
    index.write_text(APKINDEX)
    done = run("select", "--relations", index, "--entry", "apk:app", "--json")
    assert done.code == 0, done.err
    document = json.loads(done.out)
    assert [(one["name"], one["installed_kib"]) for one in document["packages"]] == [("app", 2), ("libapp", 1)]


def test_a_package_in_two_versions_over_two_indexes(run: Run, index: Path, tmp_path: Path) -> None:
    """The newest one is taken, the older one when it is asked for, and both at once are refused."""
    newer = tmp_path / "Packages.security"
    newer.write_text(
        INDEX.replace("Version: 1.5", "Version: 1.5+deb12u1").replace("Installed-Size: 7", "Installed-Size: 9")
    )
    arguments = ("select", "--json", "--relations", index, "--relations", newer)
    newest = json.loads(run(*arguments, "--entry", "deb:words").out)
    assert [(one["version"]) for one in newest["packages"]] == ["1.5+deb12u1"]
    older = json.loads(run(*arguments, "--entry", "deb:words=1.5").out)
    assert [(one["version"]) for one in older["packages"]] == ["1.5"]
    both = run(*arguments, "--entry", "deb:words=1.5", "--entry", "deb:words=1.5+deb12u1")
    assert_one_message(both, 1, "are one package")


@pytest.mark.parametrize(
    ("arguments", "fact"),
    [
        (["--prefer", "small"], "--prefer 'small' is unknown"),
        (["--objective", "beauty"], "--objective 'beauty' is unknown"),
        (["--prefer", "installed"], "go together"),
        (["--time-limit", "0"], "--time-limit is not above 0"),
        (["--time-limit", "nan"], "--time-limit is not above 0"),
        (["--entry", "/usr/bin/app"], "names no package"),
    ],
)
def test_wrong_usage(run: Run, index: Path, arguments: list[str], fact: str) -> None:
    """Exit 2 with one message."""
    assert_one_message(run("select", "--relations", index, "--entry", "deb:app", *arguments), 2, fact)


def test_an_architecture_that_nothing_tells_is_asked_for(run: Run, tmp_path: Path) -> None:
    """An index of nothing but `all` packages fits any machine."""
    index = tmp_path / "Packages"
    index.write_text(INDEX.replace("amd64", "all"))
    assert_one_message(run("select", "--relations", index, "--entry", "deb:app"), 2, "architecture is not known")
    assert run("select", "--relations", index, "--entry", "deb:app", "--architecture", "arm64").code == 0


def test_what_is_installed_is_of_the_same_kind(run: Run, index: Path, tmp_path: Path) -> None:
    """A database of another distribution would prefer nothing, and nobody would know."""
    installed = tmp_path / "installed"
    installed.write_text(APKINDEX)
    arguments = ("--entry", "deb:app", "--prefer", "installed", "--installed", installed)
    assert_one_message(run("select", "--relations", index, *arguments), 3, "installed: packages of the kind apk")


def test_entries_of_two_kinds_are_refused(run: Run, index: Path, tmp_path: Path) -> None:
    """Each with its index: one selection is of one kind."""
    alpine = tmp_path / "APKINDEX"
    alpine.write_text(APKINDEX)
    arguments = ("--relations", index, "--relations", alpine, "--entry", "deb:app", "--entry", "apk:app")
    assert_one_message(run("select", *arguments), 3, "apk:app: ", "of the kind deb", "one selection is of one kind")


def test_a_database_has_nothing_to_download(run: Run, tmp_path: Path) -> None:
    """dpkg's status states no archives; the total does not claim that they are empty."""
    status = tmp_path / "status"
    status.write_text(STATUS.replace(": all", ": amd64"))
    done = run("select", "--relations", status, "--entry", "deb:verbs")
    assert done.out.splitlines()[-1] == "1 packages, 12 KiB installed: optimal"


def test_a_removed_package_is_not_its_own_neighbour(run: Run, tmp_path: Path) -> None:
    """What left its configuration behind is not there, and the hint does not name it again."""
    status = tmp_path / "status"
    text = STATUS.replace(": all", ": amd64")
    status.write_text(
        text + text.replace("verbs", "nouns").replace("install ok installed", "deinstall ok config-files")
    )
    done = run("select", "--relations", status, "--entry", "deb:nouns")
    assert_one_message(done, 3, "deb:nouns: no such package", "check the name's spelling")


def test_a_package_that_does_not_exist_is_bad_input(run: Run, index: Path) -> None:
    """Exit 3 with the nearest names; control characters are escaped."""
    assert_one_message(run("select", "--relations", index, "--entry", "deb:wrods"), 3, "deb:wrods: no such", "words?")
    assert_one_message(run("select", "--relations", index, "--entry", "deb:\x1b[31m"), 3, "no such package")
    assert_one_message(run("select", "--relations", index, "--entry", "apk:app"), 3, "of the kind deb")


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        (INDEX[: len(INDEX) // 2], "Packages: ends within the stanza of words"),
        (INDEX.replace("words (>= 1)", "words (~> 1)"), "Packages: app 1.0: unknown operator '~>'"),
        ("no index at all\n", "Packages: not a package index"),
        ("", "Packages: not a package index"),
    ],
    ids=["cut", "unknown operator", "no index", "empty"],
)
def test_a_bad_index_is_bad_input(run: Run, tmp_path: Path, text: str, fact: str) -> None:
    """Exit 3 with one message that names the file."""
    index = tmp_path / "Packages"
    index.write_text(text)
    assert_one_message(run("select", "--relations", index, "--entry", "deb:app"), 3, fact)


def test_a_missing_index_is_bad_input(run: Run, tmp_path: Path) -> None:
    """Exit 3."""
    assert_one_message(run("select", "--relations", tmp_path / "none", "--entry", "deb:app"), 3, "none")


def test_a_lock_that_can_not_be_written_leaves_nothing(run: Run, index: Path, tmp_path: Path) -> None:
    """Exit 4, and no half file beside it."""
    (tmp_path / "file").write_text("")
    done = run("select", "--relations", index, "--entry", "deb:app", "--lock", tmp_path / "file" / "lock")
    assert_one_message(done, 4, "can't be written")
    (tmp_path / "directory").mkdir()
    done = run("select", "--relations", index, "--entry", "deb:app", "--lock", tmp_path / "directory")
    assert done.code == 4
    assert sorted(path.name for path in tmp_path.iterdir()) == ["Packages", "directory", "file"]


def test_a_time_limit_that_is_hit_is_said(run: Run, index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The best selection seen, exit 0, and a note that it is not proven."""
    from pruner.select import clasp

    def unfinished(self: clasp.Solver, wanted: object = (), *, deadline: float) -> clasp.Found:
        return clasp.Found(true=found(self, wanted, deadline=deadline).true, proven=False)

    found = clasp.Solver.cheapest
    monkeypatch.setattr(clasp.Solver, "cheapest", unfinished)
    done = run("select", "--relations", index, "--entry", "deb:app")
    assert done.code == 0
    assert done.err == "note: the time limit was hit; a better selection may exist\n"
    assert done.out.splitlines()[-1].endswith(": not-proven")
    assert "at most +5" in done.out


def test_the_same_bytes_whatever_the_hash_seed(index: Path) -> None:
    """Two processes with different hash seeds print the same."""
    arguments = ("select", "--relations", index, "--entry", "deb:app", "--json")
    first = run_process(*arguments, PYTHONHASHSEED="1")
    assert first.code == 0, first.err
    assert first == run_process(*arguments, PYTHONHASHSEED="2")


def test_versions_of_one_package_are_told_apart(tmp_path: Path, run: Run) -> None:
    """An older version is named with its version, and the newest is taken even where it is larger."""
    index = tmp_path / "Packages"
    stanza = (
        "Package: a\nVersion: {0}\nArchitecture: amd64\nInstalled-Size: {1}\nFilename: a{0}\nSize: 1\nSHA256: {2}\n\n"
    )
    index.write_text(stanza.format("1", 5, "0" * 64) + stanza.format("2", 9, "1" * 64))
    done = run("select", "--relations", index, "--entry", "deb:a")
    assert done.code == 0, done.err
    assert "a 2     a 1" in done.out
