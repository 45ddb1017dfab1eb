"""`pruner plan --from-packages` and what follows from it, on packages of a few files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.commandline import Run
from tests.unit.packages import apk, deb

TOOL = b"#!/bin/sh\ncat /etc/tool/tool.conf\n"


@pytest.fixture
def archives(tmp_path: Path) -> Path:
    """A tool in shell with its configuration and a state directory, a shell, and something that nobody needs."""
    home = tmp_path / "archives"
    home.mkdir()
    release = b'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n'
    deb(home, "base-files", {"/usr/": b"", "/usr/lib/": b"", "/usr/lib/os-release": release, "/tmp/": b""})
    deb(home, "dash", {"/bin/": b"", "/bin/dash": b"\x7fELF", "/bin/sh": "-> dash"}, architecture="amd64")
    deb(home, "unused", {"/usr/": b"", "/usr/bin/": b"", "/usr/bin/unused": b"#!/bin/sh\n"})
    deb(
        home,
        "tool",
        {"/usr/": b"", "/usr/bin/": b"", "/usr/bin/tool": TOOL, "/etc/": b"", "/etc/tool/": b""},
        fields="Depends: dash\n",
        control={
            "postinst": "#!/bin/sh\ninstall -d -m 750 /var/lib/tool\necho made > /etc/tool/tool.conf\nmake-secrets\n"
        },
    )
    return home


def planned(run: Run, archives: Path, output: Path, *more: str) -> dict[str, Any]:
    done = run("plan", "--from-packages", archives, "--entry", "/usr/bin/tool", "--output", output, *more)
    assert done.code == 0, done.err
    plan: dict[str, Any] = json.loads((output / "plan.json").read_text())
    return plan


def test_a_plan_from_packages(run: Run, archives: Path, tmp_path: Path) -> None:
    """Packages, their distribution, state with its content, and what scripts would do besides are all in the plan."""
    plan = planned(run, archives, tmp_path / "plan")
    assert [record["role"] for record in plan["inputs"]] == ["packages"] * 4
    assert all(record["digest"].startswith("sha256:") for record in plan["inputs"])
    assert plan["distro"]["id"] == "debian"
    assert {package["name"]: package["decision"] for package in plan["packages"]}["unused"] == "drop"
    assert [package["purl"] for package in plan["packages"] if package["name"] == "tool"] == [
        "pkg:deb/debian/tool@1?arch=all&distro=debian-12"
    ]
    kept = {file["path"]: file for file in plan["files"] if file["decision"] == "keep"}
    assert {"/usr/bin/tool", "/usr/bin/dash", "/usr/bin/sh", "/etc/tool/tool.conf"} <= kept.keys()
    assert kept["/var/lib/tool"]["mode"] == "0750"
    assert "/usr/bin/unused" not in kept
    (unknown,) = (unknown for unknown in plan["unknowns"] if unknown["kind"] == "maintainer-script")
    assert "make-secrets" in unknown["detail"]
    assert not [text for text in plan["lacks"] if "SBOM" in text]


def test_it_is_applied(run: Run, archives: Path, tmp_path: Path) -> None:
    """`apply --root` takes the directory of packages, and the root holds files and state with owner and mode."""
    planned(run, archives, tmp_path / "plan")
    done = run("apply", tmp_path / "plan", "--root", archives, "--dest", tmp_path / "root")
    assert (done.code, done.err) == (0, "")
    assert (tmp_path / "root/usr/bin/tool").read_bytes() == TOOL
    assert (tmp_path / "root/etc/tool/tool.conf").read_text() == "made\n"
    assert (tmp_path / "root/bin").readlink() == Path("usr/bin")
    assert (tmp_path / "root/var/lib/tool").stat().st_mode & 0o777 == 0o750
    assert (tmp_path / "root/var/lib/dpkg/status.d/tool").exists()


def test_the_same_twice(run: Run, archives: Path, tmp_path: Path) -> None:
    """The same archives give the same plan directory, byte for byte."""
    for name in ("one", "two"):
        planned(run, archives, tmp_path / name)
    files = [path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*") if path.is_file()]
    assert all((tmp_path / "one" / path).read_bytes() == (tmp_path / "two" / path).read_bytes() for path in files)


def test_other_archives_are_refused(run: Run, archives: Path, tmp_path: Path) -> None:
    """A plan is applied to the archives that it was made from and to no others."""
    planned(run, archives, tmp_path / "plan")
    deb(archives, "tool", {"/usr/": b"", "/usr/bin/": b"", "/usr/bin/tool": b"#!/bin/sh\nevil\n"})
    done = run("apply", tmp_path / "plan", "--root", archives, "--dest", tmp_path / "root")
    assert done.code == 3
    assert "tool_1_all.deb is not the archive that the plan was made from" in done.err
    (archives / "tool_1_all.deb").unlink()
    done = run("apply", tmp_path / "plan", "--root", archives, "--dest", tmp_path / "root")
    assert "tool_1_all.deb is missing" in done.err
    assert not (tmp_path / "root").exists()


def test_alpine_packages(run: Run, tmp_path: Path) -> None:
    """Alpine's packages are planned as Debian's are, and leave a trimmed installed database."""
    home = tmp_path / "apks"
    home.mkdir()
    files: dict[str, bytes | str] = {"/bin/": b"", "/bin/busybox": b"\x7fELF", "/bin/sh": "-> /bin/busybox"}
    apk(home, "busybox", files, fields="provides = cmd:sh=1\n")
    apk(home, "tool", {"/usr/": b"", "/usr/bin/": b"", "/usr/bin/tool": TOOL}, fields="depend = cmd:sh\n")
    apk(home, "unused", {"/usr/": b"", "/usr/bin/": b"", "/usr/bin/unused": b""})
    planned(run, home, tmp_path / "plan")
    assert run("apply", tmp_path / "plan", "--root", home, "--dest", tmp_path / "root").code == 0
    assert (tmp_path / "root/bin/sh").readlink() == Path("/bin/busybox")
    installed = (tmp_path / "root/lib/apk/db/installed").read_text()
    assert "P:tool" in installed
    assert "P:unused" not in installed


@pytest.mark.parametrize(
    ("arguments", "code", "fact"),
    [
        (("--from-packages", "DIR", "sbom.json", "--entry", "/x"), 2, "--from-packages stands for the SBOM"),
        (("--from-packages", "DIR", "--root", "r", "--entry", "/x"), 2, "--from-packages stands for the SBOM"),
        (("--from-packages", "DIR"), 2, "no entry point"),
        (("--entry", "/x"), 2, "no SBOM was given"),
        (("--from-packages", "EMPTY", "--entry", "/x"), 3, "holds no package archives"),
        (("--from-packages", "MISSING", "--entry", "/x"), 3, "no such file or directory"),
        (("--from-packages", "DIR", "--entry", "/usr/bin/absent"), 3, "absent"),
    ],
)
def test_bad_input(run: Run, archives: Path, tmp_path: Path, arguments: tuple[str, ...], code: int, fact: str) -> None:
    """Options that contradict each other, and directories without packages: one message, nothing written."""
    (tmp_path / "empty").mkdir()
    places = {"DIR": archives, "EMPTY": tmp_path / "empty", "MISSING": tmp_path / "missing"}
    given = [places.get(argument, argument) for argument in arguments]
    done = run("plan", *given, "--output", tmp_path / "plan")
    assert done.code == code
    assert fact in done.err
    assert not (tmp_path / "plan").exists()


def test_a_hostile_package(run: Run, archives: Path, tmp_path: Path) -> None:
    """A package whose member leaves the root ends the plan with one message and exit code 3."""
    from tests.unit.archives import member

    deb(archives, "evil", members=[member("../../etc/evil", b"x")])
    done = run("plan", "--from-packages", archives, "--entry", "/usr/bin/tool", "--output", tmp_path / "plan")
    assert done.code == 3
    assert done.err.startswith("error: evil_1_all.deb: member ../../etc/evil is no name inside the root")
    assert not (tmp_path / "plan").exists()
