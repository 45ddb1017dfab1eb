"""Bad input: one clear message, the right exit code, and nothing written."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

from tests.commandline import Run, assert_one_message, contents
from tests.elfs import make_elf
from tests.smallroots import SmallRoot, make_root
from tests.support import ROOT


@pytest.fixture
def refused(run: Run, tmp_path: Path) -> Any:
    """Runs `pruner plan`, which must fail with the code and the texts, and must write nothing."""

    def check(code: int, *expected: str, words: tuple[object, ...]) -> None:
        before = sorted(path for path in tmp_path.rglob("*") if path.name != "__pycache__")
        done = run("plan", *words, "-o", tmp_path / "plan")
        assert_one_message(done, code, *expected)
        assert done.out == ""
        assert sorted(path for path in tmp_path.rglob("*") if path.name != "__pycache__") == before

    return check


def changed(small: SmallRoot, **changes: Any) -> Path:
    """The SBOM with top-level keys replaced."""
    document = json.loads(small.sbom.read_bytes())
    small.sbom.write_text(json.dumps({**document, **changes}))
    return small.sbom


# -- the SBOM ---------------------------------------------------------------------------------------------------------

NOT_SBOMS = {
    "empty": (b"", "sbom.json"),
    "truncated": (b'{"artifacts": [{"id": "a", "na', "sbom.json"),
    "text": (b"hello\n", "sbom.json"),
    "binary": (bytes(range(256)), "sbom.json"),
    "other-json": (b'{"name": "x", "dependencies": {}}', "sbom.json"),
    "list": (b"[1, 2, 3]", "sbom.json"),
    "number": (b"12", "sbom.json"),
    "null": (b"null", "sbom.json"),
    "deep": (b"[" * 100_000, "sbom.json"),
    "damaged-gzip": (b"\x1f\x8b\x08\0\0\0\0\0\0\x03garbage", "damaged compressed data"),
    "damaged-zstd": (b"\x28\xb5\x2f\xfdgarbage", "damaged compressed data"),
}


@pytest.mark.parametrize("kind", NOT_SBOMS)
def test_what_is_no_sbom(refused: Any, tmp_path: Path, kind: str) -> None:
    """A file that is no SBOM is named, with what is accepted or what is wrong with it."""
    content, expected = NOT_SBOMS[kind]
    (tmp_path / "sbom.json").write_bytes(content)
    refused(3, expected, words=(tmp_path / "sbom.json", "--entry", "/bin/sh"))


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_truncated_sbom(refused: Any, small: SmallRoot, share: float) -> None:
    """An SBOM that ends too early is refused, wherever it ends."""
    data = small.sbom.read_bytes()
    small.sbom.write_bytes(data[: int(len(data) * share)])
    refused(3, "sbom.json", words=(small.sbom, "--entry", "image"))


def test_sbom_that_does_not_exist(refused: Any, tmp_path: Path) -> None:
    """A missing file is named."""
    refused(3, "absent.json", "no such file", words=(tmp_path / "absent.json", "--entry", "image"))


def test_sbom_without_packages(refused: Any, small: SmallRoot) -> None:
    """An SBOM that lists no packages is refused."""
    refused(3, "lists no installed packages", words=(changed(small, artifacts=[]), "--entry", "image"))


@pytest.mark.parametrize("version", ["3.0.0", "99.0.0"])
def test_sbom_of_another_schema(refused: Any, small: SmallRoot, version: str) -> None:
    """A schema that is too old or too new is refused with what was found and what is accepted."""
    words = (changed(small, schema={"version": version, "url": ""}), "--entry", "image")
    refused(3, version, "16", words=words)


def test_sbom_with_wrong_type(refused: Any, small: SmallRoot) -> None:
    """A value of the wrong type is named by its JSON path."""
    refused(3, "$.artifacts", words=(changed(small, artifacts={"id": 1}), "--entry", "image"))


@pytest.mark.parametrize("path", ["/usr/../../etc/shadow", "/usr/bin/\0tool", "/" + "x" * 300])
def test_sbom_with_a_path_that_is_none(run: Run, small: SmallRoot, tmp_path: Path, path: str) -> None:
    """A path that climbs, holds a NUL or is too long leads nowhere out of the root: it is refused or made harmless."""
    document = json.loads(small.sbom.read_bytes())
    document["files"].append({"id": "x", "location": {"path": path}, "metadata": document["files"][0]["metadata"]})
    small.sbom.write_text(json.dumps(document))
    done = run("plan", small.sbom, "--entry", "/opt/app/", "-o", tmp_path / "plan", "-q")
    if done.code == 0:
        listed = (tmp_path / "plan" / "files.nul").read_bytes().split(b"\0")
        assert not [name for name in listed if b".." in name.split(b"/")]
    else:
        assert_one_message(done, 3, "sbom.json", "$.files")


# -- the root ---------------------------------------------------------------------------------------------------------


def test_root_that_does_not_exist(refused: Any, small: SmallRoot, tmp_path: Path) -> None:
    """A missing root is named."""
    refused(3, "absent", words=(small.sbom, "--root", tmp_path / "absent", "--entry", "image"))


def test_root_of_another_size(refused: Any, small: SmallRoot) -> None:
    """A root whose file has another size than the SBOM states is not the root that was scanned."""
    (small.directory / "srv/data.txt").write_text("other size")
    words = (small.sbom, "--root", small.directory, "--entry", "image")
    refused(3, "does not match the SBOM", "/srv/data.txt (10 bytes, not 4)", words=words)


def test_root_of_another_type(refused: Any, small: SmallRoot) -> None:
    """Nor is one where a file is a link."""
    (small.directory / "srv/data.txt").unlink()
    (small.directory / "srv/data.txt").symlink_to("other.txt")
    words = (small.sbom, "--root", small.directory, "--entry", "image")
    refused(3, "does not match the SBOM", "/srv/data.txt (symlink, not file)", words=words)


def test_root_without_a_file(refused: Any, small: SmallRoot) -> None:
    """Nor one where it is missing."""
    (small.directory / "srv/data.txt").unlink()
    words = (small.sbom, "--root", small.directory, "--entry", "image")
    refused(3, "does not match the SBOM", "/srv/data.txt (missing)", words=words)


def test_root_of_another_content(run: Run, small: SmallRoot, tmp_path: Path) -> None:
    """Content of the same size is found out when it is applied, and nothing of the pruned root is left then."""
    assert run("plan", small.sbom, "--root", small.directory, "--entry", "image", "-o", tmp_path / "p", "-q").code == 0
    (small.directory / "srv/data.txt").write_text("DATA")
    for words in (("--dest", tmp_path / "dest"), ("--tar", tmp_path / "dest.tar")):
        before = sorted(tmp_path.iterdir())
        done = run("apply", tmp_path / "p", "--root", small.directory, *words)
        assert_one_message(done, 3, "/srv/data.txt")
        assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("name", ["/srv/absolute", "../../outside", "srv/../../../outside"])
def test_archive_with_members_outside(refused: Any, small: SmallRoot, tmp_path: Path, name: str) -> None:
    """A tar with absolute members, or with ones that climb, is refused by the member's name."""
    archive = tmp_path / "root.tar"
    with tarfile.open(archive, "w") as tar:
        tar.add(small.directory, arcname=".")
        member = tarfile.TarInfo(name)
        member.size = 5
        tar.addfile(member, io.BytesIO(b"PWNED"))
    refused(3, "root.tar", name, words=(small.sbom, "--root", archive, "--entry", "/srv/"))


@pytest.mark.parametrize("content", [b"", b"no archive", b"\x1f\x8b\x08\0broken"])
def test_root_that_is_no_archive(refused: Any, small: SmallRoot, tmp_path: Path, content: bytes) -> None:
    """A file that is no root is named."""
    (tmp_path / "root.bin").write_bytes(content)
    refused(3, "root.bin", words=(small.sbom, "--root", tmp_path / "root.bin", "--entry", "image"))


def test_elf_cut_anywhere(run: Run, tmp_path: Path) -> None:
    """A program cut short is planned with what can still be read of it, and says what can't."""
    whole = make_elf(needed=["liba.so.1"], interpreter="/lib/ld.so", imports=["getpwnam"], constants=b"/etc/passwd")
    files = {f"/usr/bin/cut{length:04}": {"text": "", "mode": "755"} for length in range(0, len(whole), 7)}
    made = make_root(tmp_path, {"files": files, "packages": {"cut": {"files": ["/usr/bin/*"]}}})
    document = json.loads(made.sbom.read_bytes())
    for entry in document["files"]:
        path = entry["location"]["path"]
        if path.startswith("/usr/bin/cut"):
            (made.directory / path[1:]).write_bytes(whole[: int(path[-4:])])
            entry["metadata"]["size"] = int(path[-4:])
    made.sbom.write_text(json.dumps(document))
    done = run("plan", made.sbom, "--root", made.directory, "--entry", "deb:cut", "-o", tmp_path / "plan", "-q")
    assert (done.code, done.err) == (0, "")
    listed = (tmp_path / "plan" / "files.txt").read_text().splitlines()
    assert set(files) <= set(listed)


def test_device_nodes(run: Run, tmp_path: Path) -> None:
    """Device nodes of a tar are names like others, and are never opened."""
    made = make_root(tmp_path, {"files": {"/srv/a": "a"}, "packages": {"p": {"files": []}}})
    archive = tmp_path / "root.tar"
    with tarfile.open(archive, "w") as tar:
        tar.add(made.directory, arcname=".")
        for name, kind in (
            ("srv/null", tarfile.CHRTYPE),
            ("srv/disk", tarfile.BLKTYPE),
            ("srv/pipe", tarfile.FIFOTYPE),
        ):
            member = tarfile.TarInfo(name)
            member.type, member.devmajor, member.devminor = kind, 1, 3
            tar.addfile(member)
    done = run("plan", made.sbom, "--root", archive, "--entry", "/srv/", "-o", tmp_path / "plan", "-q")
    assert (done.code, done.err) == (0, "")
    plan = json.loads((tmp_path / "plan" / "plan.json").read_bytes())
    types = {file["path"]: file["type"] for file in plan["files"]}
    assert types["/srv/null"] == "character-device"
    assert types["/srv/disk"] == "block-device"
    assert types["/srv/pipe"] == "fifo"


# -- entry points and usage -------------------------------------------------------------------------------------------


def test_entry_point_that_does_not_exist(refused: Any, small: SmallRoot) -> None:
    """An entry point that does not exist is bad input, with the nearest names as the hint."""
    words = (small.sbom, "--root", small.directory, "--entry", "deb:tol")
    refused(3, "'deb:tol' names no package of the SBOM", "hint: did you mean deb:tool?", words=words)


def test_escapes_reach_no_terminal(refused: Any, small: SmallRoot) -> None:
    """Escape sequences in what the user or an image says are escaped in messages."""
    refused(3, "\\x1b[2J", words=(small.sbom, "--root", small.directory, "--entry", "/\x1b[2J\x07"))


def test_escapes_of_names_reach_no_terminal(run: Run, tmp_path: Path) -> None:
    """Nor do those in names of files and packages, on the terminal or in what a person reads."""
    name = "/srv/\x1b[31mred\nline"
    packages = {"p": {"files": []}, "q\x1b[1m": {"type": "python", "site": "/srv", "files": [name]}}
    made = make_root(tmp_path, {"files": {name: "x"}, "packages": packages})
    done = run("plan", made.sbom, "--root", made.directory, "--entry", "/srv/", "-o", tmp_path / "plan")
    assert done.code == 0, done.err
    for command in (
        ("why", tmp_path / "plan", name),
        ("costs", tmp_path / "plan"),
        ("why", tmp_path / "plan", "q\x1b[1m"),
    ):
        answer = run(*command)
        assert answer.code == 0, answer.err
        assert "\x1b" not in answer.out + answer.err
    assert "\x1b" not in done.out
    for artifact in ("summary.md", "packages.txt", "Dockerfile", "files.txt"):
        assert b"\x1b" not in (tmp_path / "plan" / artifact).read_bytes(), artifact
    assert name.encode() in (tmp_path / "plan" / "files.nul").read_bytes().split(b"\0")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((), "no SBOM was given"),
        (("SBOM",), "no entry point was given"),
        (("SBOM", "--entry", "tool"), "is of no known form"),
        (("SBOM", "--entry", "image", "--profile", "tiny"), "profile 'tiny' is unknown"),
        (("SBOM", "--entry", "image", "--drop", "x"), "drop 'x' is no absolute path"),
        (("SBOM", "--entry", "image", "--relations-direction", "up"), "direction 'up' is unknown"),
    ],
)
def test_usage(refused: Any, small: SmallRoot, words: tuple[str, ...], expected: str) -> None:
    """A command line that makes no sense is a mistake of usage."""
    refused(2, expected, "hint: ", words=tuple(str(small.sbom) if word == "SBOM" else word for word in words))


@pytest.mark.parametrize("words", [("--no-such-option",), ("plan", "--entry"), ("why",), ("nothing",), ("schema", "x")])
def test_usage_of_the_command_line_itself(run: Run, words: tuple[str, ...]) -> None:
    """Unknown options and missing arguments exit 2 as well."""
    done = run(*words)
    assert done.code == 2
    assert "Traceback" not in done.err
    assert done.err


# -- configuration, relations, rules ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("entries: [image]\n", "entries"),
        ("entry: {a: 1}\n", "entry"),
        ("version: 2\n", "version"),
        ("profile: tiny\nentry: image\n", "profile"),
        ("entry: [image\n", "pruner.yaml:"),
        ("- image\n", "expected a mapping"),
        ("a: &a [x]\nb: *a\n", "pruner.yaml:"),
        ("entry: image\nentry: image\n", "entry"),
        ("verify: [{command: []}]\n", "verify[0].command"),
    ],
)
def test_configuration(refused: Any, small: SmallRoot, tmp_path: Path, text: str, expected: str) -> None:
    """A malformed pruner.yaml is refused with file, line and key."""
    config = tmp_path / "pruner.yaml"
    config.write_text(text)
    refused(3, "pruner.yaml:", expected, words=(small.sbom, "--config", config))


def test_configuration_that_does_not_exist(refused: Any, small: SmallRoot, tmp_path: Path) -> None:
    """A missing pruner.yaml is named."""
    refused(3, "absent.yaml", words=(small.sbom, "--config", tmp_path / "absent.yaml"))


@pytest.mark.parametrize("content", [b"what is this?\n", b"", b"{}", b"\0\1\2", b"<html></html>"])
def test_relations_of_unknown_kind(refused: Any, small: SmallRoot, tmp_path: Path, content: bytes) -> None:
    """A relations file of unknown kind is refused."""
    (tmp_path / "graph.txt").write_bytes(content)
    words = (small.sbom, "--entry", "image", "--relations", tmp_path / "graph.txt")
    refused(3, "graph.txt", words=words)


BOMB = "format: 1\na: &a [x,x,x,x,x,x,x,x]\n" + "".join(
    f"{new}: &{new} [{','.join([f'*{old}'] * 8)}]\n" for old, new in zip("abcdefg", "bcdefgh", strict=True)
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (BOMB, "pack.yaml:"),
        ("rules: " + "[" * 5000, "pack.yaml:"),
        ("format: 1\nrules:\n  - id: x\n", "pack.yaml:"),
        ("format: 7\nrules: []\n", "pack.yaml:"),
    ],
)
def test_rule_pack(refused: Any, small: SmallRoot, tmp_path: Path, text: str, expected: str) -> None:
    """A rule pack that is malformed, or a bomb, is refused with file and line."""
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "pack.yaml").write_text(text)
    refused(3, expected, words=(small.sbom, "--entry", "image", "--rules", tmp_path / "pack"))


def test_rule_pack_that_does_not_exist(refused: Any, small: SmallRoot, tmp_path: Path) -> None:
    """A missing pack is named."""
    refused(3, "no-pack", words=(small.sbom, "--entry", "image", "--rules", tmp_path / "no-pack"))


# -- plan directories -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command", [("why", "PLAN", "/x"), ("costs", "PLAN"), ("apply", "PLAN", "--root", "ROOT", "--dest", "D")]
)
@pytest.mark.parametrize("content", [None, b"", b"{", b"[]", b'{"schema": "99"}'])
def test_plan_directory(run: Run, tmp_path: Path, command: tuple[str, ...], content: bytes | None) -> None:
    """A directory without a plan, or with a damaged one, is refused."""
    (tmp_path / "root").mkdir()
    if content is not None:
        (tmp_path / "plan").mkdir()
        (tmp_path / "plan" / "plan.json").write_bytes(content)
    places = {"PLAN": tmp_path / "plan", "ROOT": tmp_path / "root", "D": tmp_path / "dest"}
    done = run(*(places.get(word, word) for word in command))
    assert_one_message(done, 3, "plan")
    assert not (tmp_path / "dest").exists()


def test_internal_error(run: Run, small: SmallRoot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistake of the program itself exits 70, without a traceback unless PRUNER_DEBUG asks for it."""

    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("by\x1b[0mzero")

    monkeypatch.setattr("pruner.make_planned", fail)
    words = ("plan", small.sbom, "--entry", "image", "-o", tmp_path / "plan")
    done = run(*words)
    assert done.code == 70
    assert done.err.startswith("internal error: ZeroDivisionError: by\\x1b[0mzero\n")
    assert "Traceback" not in done.err
    monkeypatch.setenv("PRUNER_DEBUG", "1")
    assert "Traceback" in run(*words).err


def test_interrupt(run: Run, small: SmallRoot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C leaves nothing half-written and shows no traceback."""

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    before = contents(tmp_path)
    monkeypatch.setattr(Path, "write_bytes", interrupt)
    done = run("plan", small.sbom, "--root", small.directory, "--entry", "image", "-o", tmp_path / "plan")
    monkeypatch.undo()
    assert done.code == 130
    assert "Traceback" not in done.err
    assert contents(tmp_path) == before
    assert not [name for name in os.listdir(tmp_path) if name.startswith(".plan")]


def test_an_output_without_room(tmp_path: Path) -> None:
    """A full disk behind standard output is no internal error."""
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "pruner", "rules", "list"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            command, stdout=full, stderr=subprocess.PIPE, text=True, check=False, env=environment, cwd=tmp_path
        )
    assert done.returncode == 4
    assert done.stderr.splitlines()[0] == "error: the output can't be written: no space left on device"
