"""A small rpm distribution, built from spec files: a repository that dnf installs from, and what is in it.

rpmbuild finds provides and requires of ELF files and scripts by itself, as it does for a real distribution. Names of
libraries are the machine's own: its libc and its busybox are what the packages of the same name hold.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.corpus.roots import _locked, _quietly, _replace, cache_dir
from tests.integration.commands import need_root
from tests.support import need, skip

DATABASE = "/usr/lib/sysimage/rpm"
"""Where the roots keep their database, as Fedora has it since release 36."""

LIBRARY = 'const char *greeting(void) { return "hello"; }\n'
PROGRAM = r"""
#include <stdio.h>
const char *greeting(void);
static int copy(const char *path) {
    char line[80];
    FILE *file = fopen(path, "r");
    if (file == NULL || fgets(line, sizeof line, file) == NULL) { perror(path); return 1; }
    fputs(line, stdout);
    return fclose(file);
}
int main(void) {
    puts(greeting());
    return copy("/etc/greet.conf") || copy("/usr/share/greet/text");
}
"""
SETUP = r"""
#include <stdio.h>
int main(void) {
    FILE *file = fopen("/var/lib/greet/state", "w");
    return file == NULL || fputs("made by a scriptlet\n", file) < 0 || fclose(file);
}
"""

HEAD = """\
Name: {name}
Version: {version}
Release: {release}
Summary: {name} of the tests
License: MIT
{tags}
%description
{name} of the tests
%install
cp -a {tree}/. %{{buildroot}}/
{scripts}
%files
{files}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """One package: its tags, scriptlets and `%files`; `tree` is what it ships."""

    name: str
    files: Sequence[str]
    version: str = "1.0"
    release: str = "1"
    tags: Sequence[str] = ()
    scripts: str = ""
    contents: dict[str, str | bytes | Path]
    """Texts and bytes to write, and files to copy, by path; a value that starts with `->` is a link."""


def need_tools() -> None:
    """Skips where packages can't be built and installed."""
    for tool in ("rpmbuild", "createrepo_c", "dnf", "rpm", "gcc", "busybox"):
        need(tool)
    need_root("installing packages")
    if platform.machine() != "x86_64":
        skip("the packages of the tests are x86_64")


def _compiled(home: Path) -> dict[str, Path]:
    for name, text in (("library.c", LIBRARY), ("program.c", PROGRAM), ("setup.c", SETUP)):
        (home / name).write_text(text)
    gcc = need("gcc")

    def compile_(*options: str) -> None:
        subprocess.run([gcc, "-O1", "-Wl,-s", *options], cwd=home, check=True)

    compile_("-shared", "-fPIC", "-Wl,-soname,libgreet.so.1", "-o", "libgreet.so.1.0", "library.c")
    compile_("-shared", "-fPIC", "-o", "plugin.so", "library.c")
    compile_("-o", "greet", "program.c", "libgreet.so.1.0")
    compile_("-static", "-o", "greet-setup", "setup.c")
    return {name: home / name for name in ("libgreet.so.1.0", "plugin.so", "greet", "greet-setup")}


def _machine(library: str) -> Path:
    """The machine's own file behind the name of a library, the loader included."""
    listed = subprocess.run(["ldd", need("busybox")], capture_output=True, text=True, check=True).stdout
    words = next(line.split() for line in listed.splitlines() if Path(line.split()[0]).name == library)
    return Path(words[2] if "=>" in words else words[0]).resolve()


def specs(home: Path) -> tuple[Spec, ...]:
    """The packages; programs are compiled in `home`."""
    built = _compiled(home)
    passwd = "root:x:0:0:root:/root:/usr/bin/sh\nnobody:x:65534:65534:nobody:/:/usr/bin/false\n"
    release = 'ID=fedora\nVERSION_ID=40\nNAME="Test Linux"\nPRETTY_NAME="Test Linux 40"\n'
    libraries = {
        f"/usr/{directory}/{name}": _machine(name)
        for directory, name in (("lib", "libc.so.6"), ("lib", "libresolv.so.2"), ("lib64", "ld-linux-x86-64.so.2"))
    }
    return (
        Spec(
            name="filesystem",
            contents={f"/{name}": f"->usr/{name}" for name in ("bin", "lib", "lib64", "sbin")}
            | {f"/{name}/": b"" for name in ("etc", "tmp", "usr/bin", "usr/lib", "usr/lib64", "usr/sbin", "usr/share", "var/lib")},
            files=["/bin", "/lib", "/lib64", "/sbin", "%dir /etc", "%dir %attr(1777,root,root) /tmp", "%dir /usr/bin",
                   "%dir /usr/lib", "%dir /usr/lib64", "%dir /usr/sbin", "%dir /usr/share", "%dir /var/lib"],
        ),
        Spec(
            name="test-release", version="40", tags=["BuildArch: noarch"],
            contents={"/usr/lib/os-release": release, "/etc/os-release": "->../usr/lib/os-release"},
            files=["/usr/lib/os-release", "/etc/os-release"],
        ),
        Spec(
            name="setup", tags=["BuildArch: noarch"],
            contents={"/etc/passwd": passwd, "/etc/group": "root:x:0:\nnobody:x:65534:\n", "/etc/nsswitch.conf": "passwd: files\n"},
            files=["%config(noreplace) /etc/passwd", "%config(noreplace) /etc/group", "%config /etc/nsswitch.conf"],
        ),
        Spec(name="glibc", version="2.36", contents=dict(libraries), tags=["Requires: filesystem", "Provides: rtld(GNU_HASH)"], files=list(libraries)),
        Spec(
            name="busybox", tags=["Provides: /bin/sh"],
            contents={"/usr/bin/busybox": Path(need("busybox")).resolve(), "/usr/bin/sh": "->busybox"},
            files=["/usr/bin/busybox", "/usr/bin/sh"],
        ),
        Spec(
            name="greet-libs", contents={"/usr/lib/libgreet.so.1.0": built["libgreet.so.1.0"],
                                         "/usr/lib/libgreet.so.1": "->libgreet.so.1.0"},
            files=["/usr/lib/libgreet.so.1*"],
        ),
        Spec(
            name="greet-data", version="3~rc1", release="2.fc40",
            tags=["BuildArch: noarch", "Epoch: 2", "Provides: greeting-text = 3", "ModularityLabel: greet:1:20260101:abc"],
            contents={"/usr/share/greet/text": "from the data package\n"}, files=["/usr/share/greet"],
        ),
        *(
            Spec(name=f"greet-{name}", tags=["BuildArch: noarch"], contents={f"/usr/share/greet-themes/{name}": f"{name}\n"},
                 files=[f"/usr/share/greet-themes/{name}"])
            for name in ("dark", "light", "extra")
        ),
        Spec(name="greet-plugin", contents={"/usr/lib/greet/plugin.so": built["plugin.so"]}, files=["/usr/lib/greet"]),
        Spec(name="greet-setup", contents={"/usr/sbin/greet-setup": built["greet-setup"]}, files=["/usr/sbin/greet-setup"]),
        Spec(
            name="greet",
            tags=["Requires: greeting-text >= 2", "Requires: /usr/bin/sh", "Requires: (greet-dark or greet-light)",
                  "Requires: (greet-extra if greet-tool)", "Recommends: greet-plugin", "Requires: test-release",
                  "Requires(post): greet-setup"],
            scripts="%post -p /usr/sbin/greet-setup\n",
            contents={
                "/usr/bin/greet": built["greet"],
                "/usr/bin/greet-twice": "#!/usr/bin/sh\n/usr/bin/greet && exec /usr/bin/greet\n",
                "/etc/greet.conf": "from the configuration\n",
                "/var/lib/greet/": b"",
                "/var/lib/greet/state": b"",
                "/usr/share/doc/greet/README": "read me\n",
                "/usr/share/licenses/greet/LICENSE": "MIT\n",
            },
            files=["/usr/bin/greet", "%attr(0755,root,root) /usr/bin/greet-twice", "%config(noreplace) /etc/greet.conf",
                   "%dir %attr(2750,root,root) /var/lib/greet", "%ghost %attr(0640,root,root) /var/lib/greet/state",
                   "%doc /usr/share/doc/greet", "%license /usr/share/licenses/greet"],
        ),
    )  # fmt: skip


def build(spec: Spec, home: Path) -> None:
    """Build the package into `home`/RPMS."""
    tree = home / "trees" / f"{spec.name}-{spec.version}"
    for path, content in spec.contents.items():
        place = tree / path[1:]
        place.parent.mkdir(parents=True, exist_ok=True)
        if path.endswith("/"):
            place.mkdir(exist_ok=True)
        elif isinstance(content, Path):
            shutil.copy(content, place)
        elif isinstance(content, str) and content.startswith("->"):
            place.symlink_to(content[2:])
        else:
            place.write_bytes(content if isinstance(content, bytes) else content.encode())
    text = HEAD.format(
        name=spec.name, version=spec.version, release=spec.release, tags="\n".join(spec.tags), tree=tree,
        scripts=spec.scripts, files="\n".join(spec.files),
    )  # fmt: skip
    written = home / f"{spec.name}.spec"
    written.write_text(text)
    macros = {
        "_topdir": str(home), "debug_package": "%{nil}", "__os_install_post": "%{nil}", "_build_id_links": "none",
        "clamp_mtime_to_source_date_epoch": "1", "use_source_date_epoch_as_buildtime": "1", "_buildhost": "tests",
    }  # fmt: skip
    defined = [word for name, value in macros.items() for word in ("--define", f"{name} {value}")]
    command = [
        need("rpmbuild"),
        "-bb",
        "--quiet",
        "--target",
        "noarch" if _is_noarch(spec) else "x86_64",
        *defined,
        str(written),
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "SOURCE_DATE_EPOCH": "1700000000"}
    )
    assert done.returncode == 0, done.stderr


def _is_noarch(spec: Spec) -> bool:
    return "BuildArch: noarch" in spec.tags


def repository(home: Path) -> Path:
    """Build every package in `home` and index them; the directory that dnf installs from."""
    home.mkdir()
    for spec in specs(home):
        build(spec, home)
    index(home / "RPMS")
    return home / "RPMS"


def index(packages: Path) -> None:
    """(Re)write the metadata of a repository."""
    subprocess.run([need("createrepo_c"), "--quiet", str(packages)], check=True)


def environment(home: Path) -> dict[str, str]:
    """Variables with which dnf and rpm keep a root's database where these roots have it, and no state of their own."""
    home.mkdir(exist_ok=True)
    (home / ".rpmmacros").write_text(f"%_dbpath {DATABASE}\n")
    return {**os.environ, "HOME": str(home)}


def dnf_options(packages: Path) -> list[str]:
    """Options that make dnf use this repository alone."""
    return [
        f"--repofrompath=tests,file://{packages}",
        "--repo=tests",
        "--setopt=tests.gpgcheck=0",
        "--setopt=*.module_hotfixes=1",
    ]


def installed(packages: Path, root: Path, home: Path, *names: str) -> None:
    """Install packages and what dnf finds that they need, weak dependencies and documentation included."""
    done = subprocess.run(
        [need("dnf"), "--assumeyes", "--quiet", f"--installroot={root}", "--releasever=40", *dnf_options(packages),
         "install", *names],
        env=environment(home), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr + done.stdout
    for leftover in ("cache", "log", "lib/dnf"):
        shutil.rmtree(root / "var" / leftover, ignore_errors=True)


def base_root() -> Path:
    """A cached Debian root with dnf, to be read only: a base image for builds. Its repository is /repository."""
    need("mmdebstrap")
    home = cache_dir().parent / "integration" / "dnf"
    home.mkdir(parents=True, exist_ok=True)
    with _locked(home / "lock"):
        if not (home / "made").exists():
            _replace(home / "root", _furnish)
            (home / "made").touch()
    return home / "root"


def _furnish(place: Path) -> None:
    _quietly(["mmdebstrap", "--quiet", "--variant=essential", "--include=dnf,rpm", "bookworm", str(place)])
    (place / "etc/yum.repos.d").mkdir(parents=True, exist_ok=True)
    (place / "etc/yum.repos.d/tests.repo").write_text(
        "[tests]\nname=tests\nbaseurl=file:///repository\ngpgcheck=0\nenabled=1\n"
    )
