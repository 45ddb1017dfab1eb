"""What is read out of strace's output, and how sessions are compared."""

from __future__ import annotations

import subprocess
import sys

import pytest

from pruner.read.checks import Check
from pruner.verify.box import TRACED
from pruner.verify.compare import STILL_RUNS, differences, failure
from pruner.verify.trace import observations, read_trace
from pruner.verify.types import Ran, Session
from tests.support import need


def hexed(text: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in text.encode("utf-8", "surrogateescape"))


ENOENT = "= -1 ENOENT (No such file or directory)"


def seen(*lines: str, workdir: str = "/") -> set[tuple[str, str]]:
    return {(item.call, item.path) for item in observations(lines, workdir)}


def test_names_are_absolute_by_the_directory_they_were_given_with():
    """AT_FDCWD and directory handles, as strace resolves them, are the base of relative names."""
    assert seen(
        f'7  openat(AT_FDCWD<{hexed("/srv")}>, "{hexed("a/../b")}", O_RDONLY) {ENOENT}',
        f'7  openat(4<{hexed("/etc")}>, "{hexed("c")}", O_RDONLY) {ENOENT}',
        f'7  openat(4<{hexed("/etc")}>, "{hexed("/d")}", O_RDONLY) {ENOENT}',
        f'7  access("{hexed("e")}", F_OK) {ENOENT}',
        workdir="/work",
    ) == {("openat", "/srv/a/../b"), ("openat", "/etc/c"), ("openat", "/d"), ("access", "/work/e")}


def test_the_working_directory_follows_chdir_fork_and_chroot():
    """Calls without a directory are resolved by the process's own directory and root, which children inherit."""
    assert seen(
        f'7  chdir("{hexed("/usr")}") = 0',
        f'7  chdir("{hexed("lib")}") = 0',
        f'7  chdir("{hexed("/nowhere")}") {ENOENT}',
        "7  clone(child_stack=NULL, flags=SIGCHLD) = 3 /* 12 in strace's PID NS */",
        f'12 stat("{hexed("x")}", 0x7ff) {ENOENT}',
        f"12 fchdir(5<{hexed('/opt')}>) = 0",
        f'12 stat("{hexed("y")}", 0x7ff) {ENOENT}',
        f'7  chroot("{hexed("/jail")}") = 0',
        f'7  stat("{hexed("/z")}", 0x7ff) {ENOENT}',
    ) == {("stat", "/usr/lib/x"), ("stat", "/opt/y"), ("stat", "/jail/z"), ("chdir", "/nowhere")}


def test_calls_that_were_interrupted_are_put_together():
    """`<unfinished ...>` and `resumed` lines of different processes belong to one call each."""
    assert seen(
        f'7  openat(AT_FDCWD<{hexed("/")}>, "{hexed("/a")}", O_RDONLY <unfinished ...>',
        f'8  openat(AT_FDCWD<{hexed("/")}>, "{hexed("/b")}", O_RDONLY <unfinished ...>',
        "7  <... openat resumed>) = 3",
        f"8  <... openat resumed>) {ENOENT}",
    ) == {("openat", "/b")}


def test_only_names_of_the_call_count():
    """The text of a link, arguments of execve and abstract sockets are no names; both names of a rename are."""
    assert seen(
        f'7  symlink("{hexed("/text")}", "{hexed("/link")}") {ENOENT}',
        f'7  execve("{hexed("/prog")}", ["{hexed("/arg")}"], 0x7 /* 3 vars */) {ENOENT}',
        f'7  rename("{hexed("/old")}", "{hexed("/new")}") {ENOENT}',
        f'7  connect(3<{hexed("socket:[1]")}>, {{sa_family=AF_UNIX, sun_path=@"{hexed("abstract")}"}}, 10) {ENOENT}',
        f'7  connect(3<{hexed("socket:[1]")}>, {{sa_family=AF_UNIX, sun_path="{hexed("/run/s")}"}}, 10) {ENOENT}',
        f'7  newfstatat(3<{hexed("/x")}>, "", 0x7, AT_EMPTY_PATH) {ENOENT}',
        f'7  openat(AT_FDCWD<{hexed("/")}>, "{hexed("/denied")}", O_RDONLY) = -1 EACCES (Permission denied)',
    ) == {("symlink", "/link"), ("execve", "/prog"), ("rename", "/old"), ("rename", "/new"), ("connect", "/run/s")}


def test_creation_and_listing_are_marked():
    """A call that would make a name says so, and a listed directory is an observation of its own."""
    found = observations(
        [
            f'7  openat(AT_FDCWD<{hexed("/")}>, "{hexed("/var/a")}", O_WRONLY|O_CREAT, 0666) {ENOENT}',
            f'7  mkdir("{hexed("/var/b/c")}", 0777) {ENOENT}',
            f"7  getdents64(3<{hexed('/etc/conf.d')}>, 0x7 /* 2 entries */, 32768) = 48",
        ],
        "/",
    )
    assert {(item.path, item.creates, item.lists) for item in found} == {
        ("/var/a", True, False), ("/var/b/c", True, False), ("/etc/conf.d", False, True),
    }  # fmt: skip


@pytest.mark.parametrize(
    "line",
    ["", "7", "7  openat(", "garbage ENOENT", f'7  openat("{"z" * 70000}") {ENOENT}', f'7 open("\\xzz") {ENOENT}'],
)
def test_a_damaged_trace_has_no_observations(line):
    """Cut, foreign and endless lines are passed over."""
    assert seen(line) == set()


def test_a_real_trace_is_read(tmp_path):
    """strace's own output, hostile names included, gives exactly what the program looked for."""
    strace = need("strace")
    hostile = f'{tmp_path}/x\n" = -1 ENOENT "\udcff'
    program = (
        "import os, sys\n"
        "def no(f, *a):\n"
        "    try: f(*a)\n"
        "    except OSError: pass\n"
        f"os.chdir({str(tmp_path)!r})\n"
        "no(os.stat, 'plain')\n"
        "if os.fork() == 0:\n"
        f"    no(os.stat, os.fsdecode({__import__('os').fsencode(hostile)!r}))\n"
        "    no(os.access, 'of-child', 0)\n"
        "    os._exit(0)\n"
        "os.wait()\n"
        f"os.listdir({str(tmp_path)!r})\n"
    )
    trace = tmp_path / "trace"
    options = ["-f", "-y", "-qq", "-xx", "--decode-pids=pidns", "-e", f"trace={TRACED}", "-e", "signal=none"]
    subprocess.run([strace, *options, "-o", str(trace), sys.executable, "-I", "-S", "-c", program], check=True)
    found = {item for item in read_trace(trace, "/nowhere") if item.path.startswith(str(tmp_path))}
    assert {item.path for item in found if not item.lists} == {f"{tmp_path}/plain", hostile, f"{tmp_path}/of-child"}
    assert {item.path for item in found if item.lists} == {str(tmp_path)}
    assert all(item.given.isprintable() for item in found)


def test_a_missing_trace_has_no_observations(tmp_path):
    """A trace that was never written is empty."""
    assert read_trace(tmp_path / "none", "/") == frozenset()


def session(code: int | None = 0, out: bytes = b"", err: bytes = b"", problem: str = "") -> Session:
    return Session(answers=(Ran(title="t", code=code, out=out, err=err, problem=problem),))


CHECK = Check(command=("t",))


def test_exit_code_and_both_outputs_are_compared():
    """Each difference is one fact; the diff shows the lines, safe to print."""
    facts, diff = differences(CHECK, session(0, b"a\nb\n", b"w\n"), session(1, b"a\nc\x1b[2J\n", b""))
    assert facts == (
        "t: exit code 0 in the fat root, exit code 1 in the pruned one", "t: the output differs", "t: the error output differs",
    )  # fmt: skip
    assert "-b\n+c\\x1b[2J" in diff
    assert differences(CHECK, session(3, b"a", b"b"), session(3, b"a", b"b")) == ((), "")


def test_a_check_says_what_is_compared():
    """`stdout` leaves the error output alone, `exit` both; `ignore` takes parts of lines out; a mask numbers."""
    one, other = session(0, b"at 12:30 pid 7\n", b"x"), session(0, b"at 12:31 pid 9\n", b"y")
    assert differences(Check(command=("t",), compare="exit"), one, other)[0] == ()
    assert differences(Check(command=("t",), compare="stdout"), one, other)[0] == ("t: the output differs",)
    ignoring = Check(command=("t",), compare="stdout", ignore=(r"at \S+", r"pid \d+"))
    assert differences(ignoring, one, other)[0] == ()
    assert differences(Check(command=("t",), compare="stdout"), one, other, mask=True)[0] == ()


def test_a_last_line_without_end_is_a_difference_only_in_itself():
    """An extra empty line at the end is seen."""
    assert differences(CHECK, session(out=b"a\n"), session(out=b"a\n\n"))[0] == ("t: the output differs",)


def test_a_session_without_an_answer_says_why():
    """A command that did not start and a service that was not ready are failures with their reasons."""
    assert failure(session(None, problem="can't be started: no such file")) == "t can't be started: no such file"
    dead = Session(service=Ran(title="s", code=1, err=b"no config\n", problem="ended before it was ready"))
    assert failure(dead) == "the service ended before it was ready (exit code 1): no config"
    assert failure(Session(service=Ran(title="s", problem=STILL_RUNS))) == ""
    facts, _ = differences(CHECK, session(), session(None, problem="did not end within 5 s"))
    assert facts[0] == "in the pruned root t did not end within 5 s"
