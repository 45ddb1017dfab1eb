"""Verification in real sandboxes over tiny real roots, as root and as an ordinary user."""

from __future__ import annotations

import ctypes
import importlib
import os
import pickle
import shutil
import subprocess
import tempfile
import traceback
from dataclasses import replace
from pathlib import Path

import pytest
from msgspec import structs

from pruner.errors import EnvironmentFault
from pruner.model import Distro, Edge, EdgeKind, FileType, ImageConfig, Node, Strength
from pruner.plan.types import Decision, FilePlan, OptionalPlan, Plan, Totals
from pruner.read.checks import Check, Probe, Ready, check_from_text
from pruner.rules import load_rules
from pruner.verify import refinements, verify
from pruner.verify.view import VIEWS
from tests.support import need, skip

pytestmark = pytest.mark.integration
NOBODY = 65534
NOTHING = Totals(packages=0, files=0, bytes=0, setuid_files=0, shells=0, interpreters=0, package_managers=0)
PLAN = Plan(
    profile="balanced", entries=(), inputs=(), image=None, distro=Distro(), mode="root", files=(), packages=(),
    edges=(), before=NOTHING, after=NOTHING,
)  # fmt: skip


PACK = """\
format: 1
rules:
  - id: test-conf
    when: {capability: ["conf=*"]}
    keep: "/etc/conf.d/{value}"
    why: a fragment by its name
    reference: conf(5)
  - id: test-conf-b
    when: {capability: ["conf=b.conf", conf-all]}
    keep: /etc/conf.d/b.conf
    why: one fragment
    reference: conf(5)
"""


@pytest.fixture(scope="session")
def tool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The static program of `tool.c`."""
    path = tmp_path_factory.mktemp("tool") / "tool"
    source = Path(__file__).with_name("tool.c")
    subprocess.run([need("gcc"), "-static", "-Os", "-o", str(path), str(source)], check=True)
    return path


@pytest.fixture
def place(tool):
    """A directory with `fat`, that an ordinary user may look into."""
    need("bwrap")
    need("strace")
    home = Path(tempfile.mkdtemp(prefix="pruner-test-"))
    home.chmod(0o755)
    fat = home / "fat"
    for name in ("bin", "etc/conf.d", "usr/share/data", "var/lib/app", "tmp", "run", "opt"):
        (fat / name).mkdir(parents=True)
    (fat / "tmp").chmod(0o1777)
    shutil.copy(tool, fat / "bin/tool")
    os.link(fat / "bin/tool", fat / "bin/cat")
    (fat / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\napp:x:101:102::/var/lib/app:/bin/sh\n")
    (fat / "etc/group").write_text("root:x:0:\napp:x:102:\nextra:x:103:app\n")
    (fat / "etc/conf.d/a.conf").write_text("a\n")
    (fat / "etc/conf.d/b.conf").write_text("b\n")
    (fat / "usr/share/data/real").write_text("data\n")
    (fat / "etc/link").symlink_to("../opt/alternative")
    (fat / "opt/alternative").symlink_to("/usr/share/data/real")
    (fat / "bin/script").write_text("#!/bin/cat\nscript\n")
    (fat / "bin/script").chmod(0o755)
    yield home
    shutil.rmtree(home)


def pruned(home: Path, *without: str) -> Path:
    """A copy of the fat root without some of its paths."""
    target = home / "pruned"
    subprocess.run(["cp", "-a", str(home / "fat"), str(target)], check=True)
    for path in without:
        victim = target / path.lstrip("/")
        if victim.is_dir() and not victim.is_symlink():
            shutil.rmtree(victim)
        else:
            victim.unlink()
    return target


def checked(home: Path, *checks: Check | str, without: tuple[str, ...] = (), plan: Plan = PLAN, **how):
    """The verification of `checks` in the fat root and in one `without` some paths."""
    wanted = [check_from_text(check) if isinstance(check, str) else check for check in checks]
    return verify(home / "fat", pruned(home, *without), wanted, plan, **how)


def only(verification):
    (outcome,) = verification.outcomes
    return outcome


def as_nobody(function):
    """What `function()` returns when an ordinary user calls it; this user itself, where it is one."""
    if os.geteuid() != 0:
        return function()
    for name in ("encodings.ascii", "encodings.idna", "http.client", "ssl"):
        importlib.import_module(name)  # what is imported later may be closed to that user

    answer, end = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
            ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)  # PR_SET_DUMPABLE, as for a process that was started by that user
            result = ("value", function())
        except BaseException:  # noqa: BLE001 - the child must not go on as the test
            result = ("error", traceback.format_exc())
        with os.fdopen(end, "wb") as stream:
            pickle.dump(result, stream)
        os._exit(0)
    os.close(end)
    with os.fdopen(answer, "rb") as stream:
        kind, value = pickle.load(stream)
    os.waitpid(child, 0)
    if kind == "error" and "EnvironmentFault" in value and "unprivileged" in value:
        skip("ordinary users may not make namespaces here")
    assert kind == "value", value
    return value


def give_away(path: Path) -> None:
    if os.geteuid() == 0:
        subprocess.run(["chown", "-hR", f"{NOBODY}:{NOBODY}", str(path)], check=True)


def need_root() -> None:
    if os.geteuid() != 0:
        skip("needs root")


def test_equal_roots_pass_and_stay_as_they_are(place, tmp_path, monkeypatch):
    """Nothing that a command writes reaches either root, and nothing is left behind in temporary places."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    verification = checked(place, "/bin/tool write /etc/new", "/bin/tool cat /etc/new", "/bin/script")
    assert [outcome.passed for outcome in verification.outcomes] == [True, True, True]
    assert not (place / "fat/etc/new").exists()
    assert not (place / "pruned/etc/new").exists()
    assert not (place / "pruned/etc/hosts").exists()
    assert "ends with 1 in the fat root, too" in verification.outcomes[1].notes[0]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", ["/usr/share/data/real", "/opt/alternative", "/etc/link"])
def test_every_link_of_a_chain_is_named(place, path):
    """Whichever part of /etc/link -> /opt/alternative -> /usr/share/data/real is missing is what is named."""
    outcome = only(checked(place, "/bin/tool cat /etc/link", without=(path,)))
    assert not outcome.passed
    assert [name.path for name in outcome.missing] == [path]
    assert outcome.missing[0].remedy == f"--keep {path}"
    assert outcome.missing[0].observation == "openat /etc/link"
    assert "-data" in outcome.diff.splitlines()


def test_relative_paths_are_resolved_by_the_working_directory_of_the_process(place):
    """A child that inherited its directory and looks for `../data/real` points to the right name."""
    outcome = only(checked(place, "/bin/tool in /usr/share ./data/../data/real", without=("/usr/share/data/real",)))
    assert [name.path for name in outcome.missing] == ["/usr/share/data/real"]
    (place / "pruned/usr/share/data/real").write_text("data\n")
    again = verify(place / "fat", place / "pruned", [check_from_text("/bin/tool in /usr/share data/real")], PLAN)
    assert again.passed


def test_a_missing_directory_is_named_when_a_file_was_to_be_made_in_it(place):
    """open(O_CREAT) and bind(2) in a directory that is gone name the directory."""
    service = (
        '{"service": "/bin/tool serve-unix /run/app/s /etc/passwd", "ready": {"unix": "/run/app/s", "timeout": 20}}'
    )
    (place / "fat/run/app").mkdir()
    verification = checked(place, "/bin/tool write /var/lib/app/db", service, without=("/var/lib/app", "/run/app"))
    written, bound = verification.outcomes
    assert [name.path for name in written.missing] == ["/var/lib/app"]
    assert [name.path for name in bound.missing] == ["/run/app"]
    assert "ended before it was ready" in bound.facts[0]


def test_a_missing_interpreter_is_named(place):
    """execve(2) fails for a script whose interpreter is gone: the interpreter is what is named."""
    outcome = only(checked(place, "/bin/tool run /bin/script", without=("/bin/cat",)))
    assert [name.path for name in outcome.missing] == ["/bin/cat"]


def test_a_missing_command_is_named(place):
    """A command that the pruned root lacks can't be started, and its path is what is named."""
    outcome = only(checked(place, "cat /etc/passwd", without=("/bin/cat",)))
    assert not outcome.passed
    assert "can't be started" in outcome.facts[0]
    assert [name.path for name in outcome.missing] == ["/bin/cat"]


def test_names_of_a_listed_directory_are_the_second_guess(place):
    """A listing that differs names what the directory lost; refinement uses that where nothing was asked for."""
    verification = checked(place, "/bin/tool list /etc/conf.d", without=("/etc/conf.d/b.conf",))
    assert [(name.path, name.listed) for name in only(verification).missing] == [("/etc/conf.d/b.conf", True)]
    assert [item.path for item in refinements(verification, PLAN)] == ["/etc/conf.d/b.conf"]


def test_what_a_passed_check_did_without_is_a_note(place):
    """A name that was looked for in vain does not fail a check whose answers agree, and refines nothing."""
    verification = checked(place, "/bin/tool maybe /usr/share/data/real", without=("/usr/share/data/real",))
    assert verification.passed
    assert [name.path for name in only(verification).missing] == ["/usr/share/data/real"]
    assert refinements(verification, PLAN) == ()


def test_owner_reason_and_remedy_come_from_the_plan(place):
    """A refused optional edge gives its group, a capability its feature, anything else an escaped glob."""

    def dropped(path: str) -> FilePlan:
        return FilePlan(
            path=path, type=FileType.REGULAR, mode=0o644, uid=0, gid=0, bytes=1, target=None, hardlink=None, device=None,
            owner="pkg:deb/debian/app@1", package=None, decision=Decision.DROP, reason="refused option", origin=None,
        )  # fmt: skip

    (place / "fat/etc/odd[1]*").write_text("odd\n")
    paths = ("/etc/conf.d/a.conf", "/etc/conf.d/b.conf", "/etc/odd[1]*")
    edge = Edge(source=Node("/bin/tool"), target=Node(paths[0]), kind=EdgeKind.DATA, strength=Strength.OPTIONAL)
    group = OptionalPlan(name="plugins", accepted=False, edges=(edge,), bytes=1, files=1, why="x")
    plan = replace(PLAN, files=tuple(map(dropped, paths)), optional=(group,))
    pack = place / "rules"
    pack.mkdir()
    (pack / "conf.yaml").write_text(PACK)
    verification = checked(
        place, *(Check(command=("/bin/tool", "cat", path)) for path in paths), without=paths, plan=plan,
        rules=load_rules([pack]),
    )  # fmt: skip
    found = [name for outcome in verification.outcomes for name in outcome.missing]
    assert [name.remedy for name in found] == ["--accept plugins", "--feature conf=b.conf", "--keep /etc/odd[[]1][*]"]
    assert {(name.owner, name.reason) for name in found} == {("pkg:deb/debian/app@1", "refused option")}
    assert [item.glob for item in refinements(verification, plan)] == [*paths[:2], "/etc/odd[[]1][*]"]
    kept = replace(plan, files=tuple(structs.replace(file, decision=Decision.KEEP) for file in plan.files))
    assert refinements(verification, kept) == ()


def test_the_sandbox_is_what_a_container_runtime_gives(place):
    """USER with its groups and HOME, WORKDIR (made when missing), ENV and the supplied files come as in a container."""
    need_root()
    image = ImageConfig(user="app", working_dir="/srv/new", env=("VALUE=image", "PATH=/bin"))
    checks = [
        check_from_text("tool id"),
        check_from_text('{"command": "tool id", "user": "7:8", "workdir": "/tmp", "env": {"VALUE": "check"}}'),
        check_from_text("tool cat /etc/hostname"),
        check_from_text('{"command": "tool id", "user": "stranger"}'),
        check_from_text("tool cat /proc/net/dev"),
    ]
    (place / "fat/bin/tool").chmod(0o755)
    outcomes = shown(place, checks, replace(PLAN, image=image))
    assert outcomes[0] == "uid 101 euid 101 gid 102 groups 2\ncwd /srv/new VALUE image HOME /var/lib/app\n"
    assert outcomes[1] == "uid 7 euid 7 gid 8 groups 1\ncwd /tmp VALUE check HOME /\n"
    assert outcomes[2] == "pruner\n"
    assert outcomes[3] == "can't be started: no user stranger in /etc/passwd"
    assert "lo:" in outcomes[4]
    assert "eth" not in outcomes[4]


def shown(place: Path, checks: list[Check], plan: Plan) -> list[str]:
    """What each check answers in the fat root."""
    from pruner.verify.worker import Place, observe

    where = Place(root=place / "fat", clients=place / "fat", image=plan.image, bwrap=need("bwrap"))
    answers = [observe(check, where).answers[0] for check in checks]
    return [answer.problem or answer.out.decode() for answer in answers]


def test_setuid_programs_change_the_user_for_root(place):
    """The setuid bit counts in the sandbox, so that its loss is seen."""
    need_root()
    shutil.copy(place / "fat/bin/tool", place / "fat/bin/id")
    (place / "fat/bin/id").chmod(0o4755)
    target = pruned(place)
    check = check_from_text('{"command": "/bin/id", "user": "app"}')
    assert verify(place / "fat", target, [check], PLAN).passed
    (target / "bin/id").chmod(0o755)
    outcome = only(verify(place / "fat", target, [check], PLAN))
    assert "+uid 101 euid 101 gid 102 groups 2" in outcome.diff.splitlines()
    assert "-uid 101 euid 0 gid 102 groups 2" in outcome.diff.splitlines()


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_protects_the_roots(place, view):
    """An overlay, fuse-overlayfs and a copy give the same answers and keep writes away from the root."""
    if view == "fuse-overlayfs":
        need("fuse-overlayfs")
        need_root()
    checks = ("/bin/tool write /etc/passwd", "/bin/tool write /new", "/bin/tool cat /etc/link")
    verification = checked(place, *checks, without=("/usr/share/data/real",), views=(view,))
    assert [outcome.passed for outcome in verification.outcomes] == [True, True, False]
    assert not (place / "fat/new").exists()


def test_a_service_is_compared_by_its_probes(place):
    """A TCP readiness probe, pruner's own HTTP and TCP probes and a client from the fat root, in one network."""
    service = Check(
        command=("/bin/tool", "serve", "8080", "/etc/link"), service=True,
        ready=Ready(kind="tcp", target="8080", timeout=20),
        probes=(
            Probe(kind="http", target="http://service.example:8080/x"),
            Probe(kind="tcp", target="8080", send="x\r\n"),
            Probe(kind="command", argv=("/bin/cat", "/etc/passwd")),
        ),
    )  # fmt: skip
    assert checked(place, service).passed
    shutil.rmtree(place / "pruned")
    asking = replace(service, probes=(*service.probes, Probe(kind="command", argv=("/opt/ask", "8080"), client=True)))
    shutil.copy(place / "fat/bin/tool", place / "fat/opt/ask")
    outcome = only(checked(place, asking, without=("/opt/ask", "/usr/share/data/real")))
    assert [fact.split(":")[0] for fact in outcome.facts] == ["http", "tcp 8080", "/opt/ask 8080"]
    assert [name.path for name in outcome.missing] == ["/usr/share/data/real"]


@pytest.mark.parametrize(
    ("ready", "command"),
    [
        (Ready(kind="unix", target="/run/s", timeout=20), ("serve-unix", "/run/s", "/etc/passwd")),
        (Ready(kind="file", target="/run/s", timeout=20), ("serve-unix", "/run/s", "/etc/passwd")),
        (Ready(kind="http", target="http://localhost:81/", timeout=20), ("serve", "81", "/etc/passwd")),
    ],
)
def test_each_kind_of_readiness_is_recognised(place, ready, command):
    """A unix socket, a file and a URL tell that a service is there."""
    check = Check(command=("/bin/tool", *command), service=True, ready=ready)
    verification = checked(place, check, trace=False)
    assert verification.passed, verification
    assert not (place / "pruned/run/s").exists()


def test_a_service_that_never_gets_ready_verifies_nothing(place):
    """Where even the fat root's service is not ready, the check fails and says so; the pruned root is not tried."""
    check = Check(command=("/bin/tool", "forever"), service=True, ready=Ready(kind="tcp", target="9", timeout=0.3))
    told: list[str] = []
    outcome = only(checked(place, check, progress=told.append))
    assert not outcome.passed
    assert not outcome.comparable
    assert outcome.facts == ("nothing to compare with: in the fat root the service tcp 9 was not ready within 0.3 s",)
    assert told == ["/bin/tool forever in the fat root"]


def test_commands_that_do_not_end_or_flood_are_stopped(place):
    """A time limit ends what hangs; endless output is read without being kept; a signal is an exit code."""
    checks = [Check(command=("/bin/tool", word), timeout=0.5) for word in ("forever", "flood")]
    for outcome in checked(place, *checks).outcomes:
        assert outcome.facts == (
            f"nothing to compare with: in the fat root {outcome.check.title} did not end within 0.5 s",
        )
    outcome = only(verify(place / "fat", place / "pruned", [Check(command=("/bin/tool", "kill"))], PLAN))
    assert outcome.passed
    assert outcome.notes == ("/bin/tool kill ends with 137 in the fat root, too",)


def test_numbers_that_vary_in_the_fat_root_itself_are_not_compared(place):
    """Where two runs in the fat root differ in numbers, numbers are masked and the rest is compared still."""
    verification = checked(place, "/bin/tool varies x")
    assert verification.passed
    assert "varies in its numbers" in only(verification).notes[0]


def test_hostile_links_of_a_root_do_not_leave_it(place, tmp_path):
    """A root whose /etc points to a directory of the machine does not get its files written there."""
    outside = tmp_path / "outside"
    outside.mkdir()
    for name in ("fat", "pruned"):
        root = place / "hostile" / name
        (root / "bin").mkdir(parents=True)
        shutil.copy(place / "fat/bin/tool", root / "bin/tool")
        (root / "etc").symlink_to(outside)
        (root / "dev").symlink_to(outside)
        (root / "proc").symlink_to("../../../../../../../../proc")
    try:
        verify(place / "hostile/fat", place / "hostile/pruned", [check_from_text("/bin/tool id")], PLAN)
    except EnvironmentFault as error:
        assert "sandbox" in error.fact
    assert list(outside.iterdir()) == []


def test_an_ordinary_user_verifies_with_caveats(place):
    """Without root, a user namespace takes its place: same findings, and what it can't show is said."""
    target = pruned(place, "/usr/share/data/real")
    give_away(place)
    checks = [
        check_from_text("/bin/tool cat /etc/link"),
        check_from_text("/bin/tool write /etc/new"),
        check_from_text('{"command": "/bin/tool id", "user": "app"}'),
        check_from_text('{"service": "/bin/tool serve 80 /etc/passwd", "ready": {"tcp": 80, "timeout": 20}, "probe": "http://localhost/"}'),
    ]  # fmt: skip
    verification = as_nobody(lambda: verify(place / "fat", target, checks, PLAN))
    assert [outcome.passed for outcome in verification.outcomes] == [False, True, True, True]
    assert [name.path for name in verification.outcomes[0].missing] == ["/usr/share/data/real"]
    assert any("other users and setuid programs are not verified" in caveat for caveat in verification.caveats)
    assert not (place / "fat/etc/new").exists()


def test_an_ordinary_user_gets_the_user_that_the_image_asks_for(place):
    """Programs that refuse to run as root are verified all the same: the one user has the image's numbers."""
    give_away(place)
    checks = [check_from_text('{"command": "/bin/tool id", "user": "app"}')]
    answer = as_nobody(lambda: shown(place, checks, PLAN))[0]
    assert answer.startswith("uid 101 euid 101 gid 102 ")


def test_a_root_of_another_user_is_copied_for_an_ordinary_one(place):
    """What the user may read is verified in a copy, and what it may not read is counted."""
    need_root()
    (place / "fat/etc/shadow").write_text("secret\n")
    (place / "fat/etc/shadow").chmod(0o600)
    target = pruned(place)
    verification = as_nobody(
        lambda: verify(place / "fat", target, [check_from_text("/bin/tool write /var/lib/app/db")], PLAN)
    )
    assert verification.passed
    assert any("belongs to another user" in caveat for caveat in verification.caveats)
    assert any("1 names could not be copied" in caveat for caveat in verification.caveats)


def test_without_bubblewrap_the_tool_is_named(place, monkeypatch, tmp_path):
    """A missing bubblewrap is a missing tool (exit code 4); a missing strace is only said."""
    target = pruned(place, "/usr/share/data/real")
    check = check_from_text("/bin/tool cat /etc/link")
    for name in ("bwrap", "cp"):
        (tmp_path / name).symlink_to(need(name))
    monkeypatch.setenv("PATH", str(tmp_path))
    verification = verify(place / "fat", target, [check], PLAN)
    assert not verification.passed
    assert only(verification).missing == ()
    assert any("strace is not installed" in caveat for caveat in verification.caveats)
    (tmp_path / "bwrap").unlink()
    with pytest.raises(EnvironmentFault, match="bubblewrap") as caught:
        verify(place / "fat", target, [check], PLAN)
    assert caught.value.exit_code == 4
    assert "apt-get install bubblewrap" in caught.value.hint


def test_refining_until_it_holds(place):
    """Adding what is asked for, round by round, makes the roots agree: link, then target, then listed names."""
    gone = ["/etc/link", "/opt/alternative", "/usr/share/data/real"]
    target = pruned(place, *gone)
    check = check_from_text("/bin/tool cat /etc/link")
    added: list[str] = []
    while wanted := refinements(verify(place / "fat", target, [check], PLAN), PLAN):
        assert not set(added) & {item.path for item in wanted}
        for item in wanted:
            added.append(item.path)
            subprocess.run(["cp", "-a", f"{place}/fat{item.path}", f"{target}{item.path}"], check=True)
    assert sorted(added) == gone
    assert verify(place / "fat", target, [check], PLAN).passed
