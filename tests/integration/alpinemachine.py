"""An Alpine machine with the real apk, a signed repository, and a fat root that was installed from it; no network.

The repository is made of the packages of the mini root file system itself, and of one more whose scripts make a user.
"""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.corpus.roots import scan
from tests.corpus.sandbox import Box
from tests.integration import apkrepository
from tests.integration.commands import need_root, pruner
from tests.integration.test_alpine import ARCHIVE
from tests.support import ROOT, need
from tests.unit.emit_plans import HOSTILE

GREETER = {
    "P": "greeter", "V": "1.0-r0", "A": "x86_64", "T": "Greets as a user of its own", "U": "https://greeter.test",
    "L": "MIT", "o": "greeter", "I": "64", "D": "/bin/sh",
}  # fmt: skip
GREET = b"#!/bin/sh\necho hello from $(id -un)\n"
MAKE_USER = b"#!/bin/sh\naddgroup -S greeter\nadduser -S -D -H -G greeter greeter\n"

CAPABILITY = struct.pack("<5I", 0x02000001, 1 << 10, 0, 0, 0)
"""cap_net_bind_service, effective (linux/capability.h, struct vfs_cap_data)."""


BUSYBOX = "cmd:/bin/busybox sh -c 'echo from busybox'"
APK = "cmd:/sbin/apk --version"
SSL_CLIENT = "cmd:ssl_client"
GREETING = "cmd:greet"
ENTRIES = (APK, SSL_CLIENT, BUSYBOX, GREETING)


@dataclass(frozen=True)
class Machine:
    """An Alpine machine with apk, and a fat root that was installed from the repository at hand."""

    home: Path
    """Seen by the machine as /mnt; holds `repo/x86_64`, `keys`, and whatever a test puts there."""
    system: Path
    fat: Path
    sbom: Path

    def run(self, *argv: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        """A command on the machine, without a network, its own root read-only."""
        box = [need("bwrap"), "--ro-bind", str(self.system), "/", "--bind", str(self.home), "/mnt", "--tmpfs", "/tmp"]
        done = subprocess.run(
            [*box, "--proc", "/proc", "--dev", "/dev", "--unshare-net", "--", *argv],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == code, f"exit {done.returncode}, not {code}: {done.stdout}{done.stderr}"
        return done

    def plan(self, name: str, *options: str) -> Path:
        """A plan at `home/NAME`, made once."""
        place = self.home / name
        if not place.exists():
            pruner("plan", self.sbom, *options, "-o", place, "-q")
        return place

    def install(self, plan: Path, destination: str, *, repository: str = "repo", code: int = 0) -> Path:
        """Run the plan's script on the machine; the answer is where `destination` lies here."""
        words = ["-X", f"/mnt/{repository}", "--keys-dir", "/mnt/keys", f"/mnt/{destination}"]
        done = self.run("sh", f"/mnt/{plan.relative_to(self.home)}/alpine/install.sh", *words, code=code)
        (self.home / f"{destination}.log").write_text(done.stderr)
        return self.home / destination


def sign_index(home: Path, system: Path, key: apkrepository.Key, repository: str = "repo") -> None:
    """Index the repository with the real apk of `system`, and sign the index."""
    place = home / repository / "x86_64"
    archives = [f"/mnt/{repository}/x86_64/{path.name}" for path in sorted(place.glob("*.apk"))]
    machine = Machine(home=home, system=system, fat=system, sbom=home)
    machine.run("apk", "--keys-dir", "/mnt/keys", "index", "-o", f"/mnt/{repository}/x86_64/unsigned", *archives)
    unsigned = place / "unsigned"
    (place / "APKINDEX.tar.gz").write_bytes(key.signed(unsigned.read_bytes()))
    unsigned.unlink()


def make_machine(home: Path) -> Machine:
    """The machine, the repository, and a fat root into which the real apk has installed one package more."""
    archive = Path(os.environ.get("PRUNER_SHARED_DATA", ROOT.parent / "shared" / "data")) / ARCHIVE
    if not archive.exists():
        # on a bare machine too, where other skips are forbidden: nothing there can fetch it
        pytest.skip(f"{archive.name} is not there; PRUNER_SHARED_DATA names its directory")
    need_root("unpacking a root")
    home.chmod(0o755)
    system, fat, mount = home / "system", home / "fat", home / "mount"
    for place in (system, fat, mount / "keys", mount / "repo/x86_64"):
        place.mkdir(parents=True)
    for root in (system, fat):
        subprocess.run(["tar", "-xpzf", str(archive), "-C", str(root)], check=True)
    key = apkrepository.Key()
    (mount / "keys" / key.name).write_bytes(key.public_pem)
    checksums = apkrepository.repack(fat, mount / "repo/x86_64", key)
    apkrepository.installed_from(fat / "lib/apk/db/installed", checksums)
    files = [
        apkrepository.member("usr/"), apkrepository.member("usr/bin/"), apkrepository.member("usr/bin/greet", GREET),
        apkrepository.member("var/"), apkrepository.member("var/lib/"),
        apkrepository.member("var/lib/greeter/", mode=0o750, owner="greeter"),
        apkrepository.member("var/lib/greeter/word", b"hello\n", mode=0o640, owner="greeter"),
    ]  # fmt: skip
    apkrepository.build(mount / "repo/x86_64", GREETER, files, {"pre-install": MAKE_USER}, key)
    sign_index(mount, system, key)
    command = [need("bwrap"), "--bind", str(fat), "/", "--bind", str(mount), "/mnt", "--proc", "/proc", "--dev", "/dev"]
    apk = ["apk", "add", "--no-network", "--no-cache", "--keys-dir", "/mnt/keys", "--repositories-file", "/dev/null"]
    added = [*command, "--unshare-net", "--", *apk, "-X", "/mnt/repo", "greeter"]
    subprocess.run(added, check=True, capture_output=True)
    shutil.copy(fat / "bin/busybox", fat / "srv/capable")
    os.setxattr(fat / "srv/capable", "security.capability", CAPABILITY)
    (fat / "srv/odd").mkdir()
    for name in HOSTILE:
        (fat / "srv/odd" / name).write_text(f"the content of {name!r}")
    scan(fat, home / "sbom.json")
    return Machine(home=mount, system=system, fat=fat, sbom=home / "sbom.json")


def checked(machine: Machine, entry: str, *options: str) -> Path:
    """The plan of an entry point over the fat root, with what keeps its shell commands."""
    name = "plan-" + "".join(character for character in entry + "".join(options) if character.isalnum())
    return machine.plan(name, "--root", str(machine.fat), "--entry", entry, *options)


def says(root: Path, machine: Machine, entry: str) -> None:
    """The entry point runs in `root`, alone."""
    with Box(root, machine.fat) as box:
        if entry == APK:
            assert box.run("/sbin/apk", "--version").out.startswith("apk-tools 2.14")
        elif entry == SSL_CLIENT:
            refused = box.run("ssl_client", "-s", "9", "-n", "service.test", code=None)
            assert "ssl" in refused.err.lower()
        elif entry == BUSYBOX:
            assert box.run("/bin/busybox", "sh", "-c", "echo from busybox").out == "from busybox\n"
        else:
            assert box.run("greet", user="greeter").out == "hello from greeter\n"


def elsewhere(machine: Machine, plan: Path, place: Path, *, before: str = "", code: int = 0) -> Path:
    """What the plan's script makes on this machine, with the real apk beside the machine's own shell and tools.

    `before` is a line of shell that each call of apk runs first.
    """
    system = machine.system
    loader = f"{system}/lib/ld-musl-x86_64.so.1 --library-path {system}/lib:{system}/usr/lib {system}/sbin/apk"
    (place / "bin").mkdir()
    (place / "bin/apk").write_text(f'#!/bin/sh\n{before}\nexec {loader} "$@"\n')
    (place / "bin/apk").chmod(0o755)
    words = ["-X", str(machine.home / "repo"), "--keys-dir", str(machine.home / "keys"), str(place / "root")]
    done = subprocess.run(
        ["/bin/sh", str(plan / "alpine/install.sh"), *words],
        env={"PATH": f"{place / 'bin'}:/usr/sbin:/usr/bin:/sbin:/bin"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    return place / "root"
