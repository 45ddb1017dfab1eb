"""The emitted Dockerfile, built by buildah from small images: the result is the plan, name by name."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from msgspec import structs

from pruner.emit import emit_all
from pruner.model import Distro, FileType, Healthcheck, ImageConfig
from pruner.plan import Decision, FilePlan, InputRecord, Plan, Totals
from tests.support import need, skip

pytestmark = pytest.mark.integration

NOTHING = Totals(packages=0, files=0, bytes=0, setuid_files=0, shells=0, interpreters=0, package_managers=0)

TYPES = {
    stat.S_IFREG: FileType.REGULAR,
    stat.S_IFDIR: FileType.DIRECTORY,
    stat.S_IFLNK: FileType.SYMLINK,
    stat.S_IFCHR: FileType.CHARACTER_DEVICE,
    stat.S_IFBLK: FileType.BLOCK_DEVICE,
    stat.S_IFIFO: FileType.FIFO,
}

HOSTILE = (
    "a name", "quote'\"", "back\\slash\\n", "$(touch hacked)", "-rf", "*?[x]", "@list", "semi;colon", "ünïcode",
    "bytes\udcff", "line\nbreak", "escape\x1b[31m", " leading", "trailing ", "#hash", "--checkpoint-action=exec=sh",
)  # fmt: skip


@dataclass(frozen=True)
class Builder:
    """buildah with a storage of its own, so that no image of the machine is seen or left."""

    storage: Path

    def __call__(self, *argv: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        command = [
            "buildah",
            "--storage-driver",
            "vfs",
            "--root",
            f"{self.storage}/root",
            "--runroot",
            f"{self.storage}/run",
        ]
        done = subprocess.run([*command, *argv], capture_output=True, text=True, check=False)
        assert done.returncode == 0 or not check, done.stderr + done.stdout
        return done

    def image(self, name: str, root: Path, *config: str) -> None:
        """Commit the directory `root` as image `name`."""
        container = self("from", "scratch").stdout.strip()
        mounted = self("mount", container).stdout.strip()
        subprocess.run(["cp", "-a", f"{root}/.", mounted], check=True)
        self("umount", container)
        self("config", *config, container)
        self("commit", "--rm", "--format", "docker", container, name)

    def build(self, plan: Plan, directory: Path, image: str, *, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Write the artifacts of `plan` to `directory` and build them as `pruned`."""
        for artifact in emit_all(plan, image=image):
            path = directory / artifact.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(artifact.data)
        return self(
            "build", "--isolation", "chroot", "--format", "docker", "--pull-never", "--cap-add", "MKNOD",
            "-t", "pruned", str(directory), check=check,
        )  # fmt: skip

    def mounted(self, image: str) -> Path:
        return Path(self("mount", self("from", "--pull-never", image).stdout.strip()).stdout.strip())

    def config(self, image: str) -> dict:
        return json.loads(self("inspect", "--type", "image", image).stdout)["Docker"]["config"]


@pytest.fixture
def builder(tmp_path):
    need("buildah")
    if os.geteuid() != 0:
        skip("buildah with chroot isolation needs root")
    made = Builder(tmp_path / "storage")
    yield made
    made("rm", "--all")
    made("rmi", "--all", "--force")


def small_root(root: Path, *tools: str) -> Path:
    """A root with a few of this machine's programs and the libraries that they load."""
    for tool in tools:
        source = Path(need(tool)).resolve()
        listed = subprocess.run(["ldd", str(source)], capture_output=True, text=True, check=True).stdout
        libraries = [word for word in listed.split() if word.startswith("/")]
        for path in [f"/bin/{tool}", *libraries]:
            target = root / path.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            if not target.exists():
                shutil.copy(source if path == f"/bin/{tool}" else path, target)
    return root


def plain_tar(root: Path) -> None:
    """Put a tar in front of GNU tar that knows no more than busybox's of Alpine."""
    (root / "bin/tar").rename(root / "bin/gnu-tar")
    (root / "bin/tar").write_text(
        """#!/bin/sh
case "$*" in
*--null* | *--xattrs*) exit 1 ;;
--version) echo 'tar (busybox)' && exit ;;
--help) echo '-T FILE' && exit ;;
esac
exec /bin/gnu-tar --no-unquote "$@"
"""
    )
    (root / "bin/tar").chmod(0o755)


def furnish(root: Path) -> None:
    """One name of each kind, with owners and modes that no default gives."""
    place = root / "data"
    place.mkdir()
    (place / "setuid").write_bytes(b"#!/bin/sh\n")
    os.chown(place / "setuid", 0, 50)
    (place / "setuid").chmod(0o6755)
    (place / "linked").write_bytes(b"one inode")
    os.link(place / "linked", place / "again")
    (place / "relative").symlink_to("linked")
    (place / "absolute").symlink_to("/data/linked")
    (place / "dangling").symlink_to("../../../nowhere")
    os.chown(place / "dangling", 7, 8, follow_symlinks=False)
    (place / "folder").mkdir()
    os.chown(place / "folder", 101, 102)
    (place / "folder").chmod(0o2770)
    (place / "empty").touch(0o000)
    (place / "dropped").write_bytes(b"not wanted")
    os.mkfifo(place / "fifo", 0o640)
    os.mknod(place / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    (place / "names").mkdir()
    for name in HOSTILE:
        (place / "names" / name).write_bytes(os.fsencode(name))
    (root / "tmp").mkdir()
    (root / "tmp").chmod(0o1777)
    for name in ("dev", "proc", "sys", "etc"):
        (root / name).mkdir()
    (root / "dev" / "fd").symlink_to("/proc/self/fd")
    os.mknod(root / "dev" / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    (root / "etc" / "hosts").write_bytes(b"127.0.0.1 of-the-image\n")


def files_of(root: Path, *, dropped: tuple[str, ...] = ()) -> tuple[FilePlan, ...]:
    """A decision for every name below `root`: all are kept but `dropped`."""
    plans = []
    first: dict[int, str] = {}
    names = sorted(os.fsencode(path) for path in root.rglob("*"))
    for name in map(os.fsdecode, names):
        path = name.removeprefix(str(root))
        status = os.lstat(name)
        kind = TYPES[stat.S_IFMT(status.st_mode)]
        several = kind is FileType.REGULAR and status.st_nlink > 1
        node = kind in (FileType.CHARACTER_DEVICE, FileType.BLOCK_DEVICE)
        plans.append(
            FilePlan(
                path=path,
                type=kind,
                mode=stat.S_IMODE(status.st_mode),
                uid=status.st_uid,
                gid=status.st_gid,
                bytes=status.st_size if kind is FileType.REGULAR else 0,
                target=str(Path(name).readlink()) if kind is FileType.SYMLINK else None,
                hardlink=first.get(status.st_ino) if several else None,
                device=(os.major(status.st_rdev), os.minor(status.st_rdev)) if node else None,
                owner=None,
                package=None,
                decision=Decision.DROP if path in dropped else Decision.KEEP,
                reason="",
                origin=None,
                digest=hashlib.sha256(Path(name).read_bytes()).hexdigest() if kind is FileType.REGULAR else None,
            )
        )
        if several:
            first.setdefault(status.st_ino, path)
    return tuple(plans)


def plan_of(files: tuple[FilePlan, ...], image: ImageConfig | None = None) -> Plan:
    return Plan(
        profile="balanced",
        entries=("image",),
        inputs=(InputRecord(role="sbom", name="small.json", digest=None),),
        image=image,
        distro=Distro(),
        mode="root",
        files=files,
        packages=(),
        edges=(),
        before=NOTHING,
        after=NOTHING,
    )


def made(path: str, **fields) -> FilePlan:
    content = fields.pop("content", None)
    kind = fields.pop("type", FileType.REGULAR if content is not None else FileType.DIRECTORY)
    values = {"mode": 0o644, "uid": 0, "gid": 0, "target": None} | fields
    return FilePlan(
        path=path, type=kind, bytes=len(content or b""), hardlink=None, device=None, owner=None, package=None,
        decision=Decision.MAKE, reason="", origin=None, content=content, **values,
    )  # fmt: skip


def wanted(plan: Plan) -> list[FilePlan]:
    """What must be there: all but what is dropped, and the nodes of /dev, which are the runtime's."""
    there = []
    for file in plan.files:
        if file.decision is Decision.DROP or (file.path.startswith("/dev/") and file.device):
            continue
        content = file.content
        digest = hashlib.sha256(content).hexdigest() if content is not None else file.digest
        mode = 0o777 if file.type is FileType.SYMLINK else file.mode
        there.append(structs.replace(file, decision=Decision.KEEP, content=None, digest=digest, mode=mode))
    return sorted(there, key=lambda file: os.fsencode(file.path))


class TestRoot:
    def test_holds_every_kept_name_as_it_was_and_nothing_else(self, builder, tmp_path):
        """Types, modes, owners, targets, contents, devices and hard links of odd names survive; made names are added."""
        root = small_root(tmp_path / "fat", "sh", "tar")
        furnish(root)
        builder.image("fat", root)
        files = files_of(root, dropped=("/data/dropped", "/bin/tar"))
        additions = (
            made("/data/made", mode=0o750, uid=3, gid=4),
            made("/data/made/$(id)\nfile", content=b"made\n", mode=0o4711, uid=1000, gid=1001),
            made("/data/made/link", type=FileType.SYMLINK, target="../linked", mode=0o777),
        )
        plan = plan_of((*files, *additions))
        builder.build(plan, tmp_path / "plan", "fat")
        found = files_of(builder.mounted("pruned"))
        assert wanted(plan_of(found)) == wanted(plan)

    def test_keeps_file_capabilities(self, builder, tmp_path):
        """The extended attribute security.capability comes along."""
        need("setcap")
        root = small_root(tmp_path / "fat", "sh", "tar")
        shutil.copy(root / "bin/sh", root / "bin/capable")
        subprocess.run(["setcap", "cap_net_bind_service=ep", str(root / "bin/capable")], check=True)
        builder.image("fat", root)
        builder.build(plan_of(files_of(root)), tmp_path / "plan", "fat")
        attribute = os.getxattr(builder.mounted("pruned") / "bin/capable", "security.capability")
        assert attribute == os.getxattr(root / "bin/capable", "security.capability")

    def test_is_complete_with_a_tar_that_reads_lines(self, builder, tmp_path):
        """A tar without --null (busybox) gets the names by the line, and the result is the same."""
        root = small_root(tmp_path / "fat", "sh", "tar", "tr", "wc")
        plain_tar(root)
        furnish(root)
        (root / "data/names/line\nbreak").unlink()
        builder.image("fat", root)
        plan = plan_of(files_of(root, dropped=("/data/dropped",)))
        builder.build(plan, tmp_path / "plan", "fat")
        assert wanted(plan_of(files_of(builder.mounted("pruned")))) == wanted(plan)


class TestFailure:
    def test_names_a_kept_path_that_the_image_lacks(self, builder, tmp_path):
        """The first stage fails, and its output holds the path."""
        root = small_root(tmp_path / "fat", "sh", "tar")
        builder.image("fat", root)
        (root / "bin/later").touch()
        (root / "bin/second").touch()
        done = builder.build(plan_of(files_of(root)), tmp_path / "plan", "fat", check=False)
        assert done.returncode != 0
        assert "./bin/later" in done.stderr + done.stdout
        assert "./bin/second" in done.stderr + done.stdout
        assert "was the plan made from this image?" in done.stderr + done.stdout

    def test_diagnoses_an_image_without_tar(self, builder, tmp_path):
        """The message says what is missing and what to do."""
        root = small_root(tmp_path / "fat", "sh")
        builder.image("fat", root)
        done = builder.build(plan_of(files_of(root)), tmp_path / "plan", "fat", check=False)
        assert done.returncode != 0
        assert "the image has no tar" in done.stderr + done.stdout

    def test_diagnoses_line_breaks_in_names_where_tar_reads_lines(self, builder, tmp_path):
        """A name with a line break needs another tar, and nothing is copied half."""
        root = small_root(tmp_path / "fat", "sh", "tar", "tr", "wc")
        plain_tar(root)
        (root / "bin/line\nbreak").touch()
        builder.image("fat", root)
        done = builder.build(plan_of(files_of(root)), tmp_path / "plan", "fat", check=False)
        assert done.returncode != 0
        assert "line breaks" in done.stderr + done.stdout

    def test_diagnoses_a_tar_that_reads_no_list(self, builder, tmp_path):
        """Debian's busybox is built without -T."""
        root = small_root(tmp_path / "fat", "sh", "tr", "wc", "busybox")
        (root / "bin/tar").symlink_to("busybox")
        builder.image("fat", root)
        done = builder.build(plan_of(files_of(root)), tmp_path / "plan", "fat", check=False)
        assert done.returncode != 0
        assert "reads no list of names" in done.stderr + done.stdout


class TestConfiguration:
    def test_is_the_image_s_own_whatever_its_values_hold(self, builder, tmp_path):
        """Dollars, quotes, backslashes and blanks arrive as they were; nothing is expanded or run."""
        hostile = "$HOME ${PATH} \\$x \"two\" 'one' `id` $(id) back\\slash\\ #hash \t tab ü \\"
        image = ImageConfig(
            entrypoint=("/bin/sh", "-c", f"{hostile}\nline"),
            cmd=(hostile, "", "<<EOF"),
            env=("PATH=/bin", f"HOSTILE={hostile}", "EMPTY=", "WITH=equals=sign", 'QUOTE="'),
            user="101:102",
            working_dir="/work dir/$HOME",
            volumes=("/data", "/vol ume/$x"),
            exposed_ports=("53/udp", "80/tcp"),
            labels=(("com.example.text", hostile), ("plain", "x"), ("with space", "y")),
            stop_signal="SIGQUIT",
            healthcheck=Healthcheck(
                test=("CMD-SHELL", 'curl -f "http://localhost/$X" || exit 1'),
                interval=30 * 10**9,
                timeout=1500 * 10**6,
                retries=3,
            ),
        )
        root = small_root(tmp_path / "fat", "sh", "tar")
        builder.image("fat", root, "--env", "HOME=/root")
        builder.build(plan_of(files_of(root), image), tmp_path / "plan", "fat")
        config = builder.config("pruned")
        assert config["Entrypoint"] == list(image.entrypoint)
        assert config["Cmd"] == list(image.cmd)
        assert config["Env"] == list(image.env)
        assert config["User"] == image.user
        assert config["WorkingDir"] == image.working_dir
        assert set(config["Volumes"]) == set(image.volumes)
        assert set(config["ExposedPorts"]) == set(image.exposed_ports)
        assert {name: text for name, text in config["Labels"].items() if not name.startswith("io.buildah")} == dict(
            image.labels
        )
        assert config["StopSignal"] == image.stop_signal
        assert config["Healthcheck"] == {
            "Test": list(image.healthcheck.test), "Interval": 30 * 10**9, "Timeout": 1500 * 10**6, "Retries": 3,
        }  # fmt: skip

    @pytest.mark.parametrize("test", [("NONE",), ("CMD", "/bin/check", "$x", 'a"b'), ("CMD-SHELL", "[ -e /x ]")])
    def test_keeps_each_form_of_a_health_check(self, builder, tmp_path, test):
        """No check, arguments and a shell line stay what they were; a line that looks like JSON becomes arguments."""
        root = small_root(tmp_path / "fat", "sh", "tar")
        builder.image("fat", root)
        builder.build(
            plan_of(files_of(root), ImageConfig(healthcheck=Healthcheck(test=test))), tmp_path / "plan", "fat"
        )
        found = builder.config("pruned")["Healthcheck"]["Test"]
        assert found == (list(test) if test[1:] != ("[ -e /x ]",) else ["CMD", "/bin/sh", "-c", "[ -e /x ]"])
