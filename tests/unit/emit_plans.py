"""Plans that the tests of the emitters share."""

from __future__ import annotations

from pruner.model import (
    Distro,
    Edge,
    EdgeKind,
    FileType,
    Healthcheck,
    ImageConfig,
    Node,
    PackageId,
    Strength,
    Unknown,
)
from pruner.plan.types import Decision, FilePlan, InputRecord, OptionalPlan, PackagePlan, Plan, Totals

HOSTILE = (
    "new\nline", "tab\there", "quote'\"", "back\\slash", "$(id)", "`id`", "esc\x1b[31m", "bytes\udcff", "pipe|bar", "<b>",
    "[link](x)", "*bold*", "-rf", " blank ", "ünïcode", "a#b", "bidi\u202e",
)  # fmt: skip

PYTHON = "pkg:deb/debian/python3.11@3.11.2-6?arch=amd64&distro=debian-12"
LIBC = "pkg:deb/debian/libc6@2.36-9%2Bdeb12u14?arch=amd64&distro=debian-12&upstream=glibc"
CURL = "pkg:deb/debian/curl@7.88.1-10?arch=amd64&distro=debian-12"


def file_plan(path, kind=FileType.REGULAR, decision=Decision.KEEP, **fields):
    values = {
        "mode": 0o755 if kind is FileType.DIRECTORY else 0o644, "uid": 0, "gid": 0, "bytes": 0, "target": None,
        "hardlink": None, "device": None, "owner": None, "package": None, "reason": "kept", "origin": None,
    }  # fmt: skip
    return FilePlan(path=path, type=kind, decision=decision, **(values | fields))


def directory(path, **fields):
    return file_plan(path, FileType.DIRECTORY, **fields)


def package_plan(name, purl, decision=Decision.KEEP, **fields):
    values = {
        "type": "deb",
        "version": "1",
        "architecture": "amd64",
        "bytes": 10,
        "kept_bytes": 10,
        "reason": "exec: #!",
    }
    return PackagePlan(id=PackageId(f"id-{name}"), name=name, purl=purl, decision=decision, **(values | fields))


def totals(number):
    return Totals(
        packages=number, files=number, bytes=number * 10**6, setuid_files=number, shells=number, interpreters=number,
        package_managers=number,
    )  # fmt: skip


IMAGE = ImageConfig(
    entrypoint=("/usr/bin/python3", "-m", "app"),
    cmd=("--port", "80"),
    env=("PATH=/usr/bin:/bin", "NAME=it's $5"),
    user="app",
    working_dir="/srv",
    volumes=("/data",),
    exposed_ports=("80/tcp",),
    labels=(("org.example.name", "value"),),
    stop_signal="SIGTERM",
    healthcheck=Healthcheck(test=("CMD", "/usr/bin/python3", "-c", "pass"), interval=30 * 10**9, retries=2),
    architecture="amd64",
    os="linux",
)


def small_plan(**fields):
    """A plan with one of everything."""
    entry = Node("entry:image")
    python, libc = Node("/usr/bin/python3"), Node("/usr/lib/libc.so.6")
    option = Edge(
        source=python, target=Node("/usr/share/tz"), kind=EdgeKind.DATA, strength=Strength.OPTIONAL, evidence="literal",
        rule="timezone", group="tz", default=False,
    )  # fmt: skip
    values = {
        "profile": "balanced",
        "entries": ("image",),
        "inputs": (InputRecord(role="sbom", name="app.json", digest="sha256:" + "0" * 64),),
        "image": IMAGE,
        "distro": Distro(id="debian", version_id="12", name="Debian GNU/Linux", id_like=("x",)),
        "mode": "root",
        "files": (
            directory("/dev"),
            file_plan("/dev/null", FileType.CHARACTER_DEVICE, mode=0o666, device=(1, 3)),
            directory("/etc"),
            file_plan("/etc/hosts", bytes=10),
            directory("/tmp", mode=0o1777),
            directory("/usr"),
            directory("/usr/bin"),
            file_plan("/usr/bin/curl", decision=Decision.DROP, bytes=5, owner=CURL, package="id-curl", reason="not reached"),
            file_plan("/usr/bin/python3", FileType.SYMLINK, mode=0o777, target="python3.11", owner=PYTHON, package="id-python3.11"),
            file_plan(
                "/usr/bin/python3.11", mode=0o4755, bytes=6_000_000, owner=PYTHON, package="id-python3.11",
                digest="sha256:" + "1" * 64, reason="exec: entry", origin="entry:image",
            ),
            directory("/usr/lib"),
            file_plan("/usr/lib/again", bytes=7, hardlink="/usr/lib/a-first"),
            file_plan("/usr/lib/a-first", bytes=7),
            file_plan("/usr/lib/libc.so.6", bytes=2_000_000, owner=LIBC, package="id-libc6", origin="/usr/bin/python3.11"),
            file_plan("/usr/lib/made", decision=Decision.MAKE, bytes=5, content=b"made\n", uid=1, gid=2, mode=0o600),
        ),
        "packages": (
            package_plan("curl", CURL, Decision.DROP, kept_bytes=0, reason="none of its files is reached"),
            package_plan("libc6", LIBC, Decision.SLICE, bytes=3_000_000, kept_bytes=2_000_000, version="2.36-9+deb12u14"),
            package_plan("python3.11", PYTHON, bytes=6_000_000, kept_bytes=6_000_000, version="3.11.2-6"),
        ),
        "edges": (
            Edge(source=entry, target=python, kind=EdgeKind.ENTRY, evidence="first word"),
            Edge(source=python, target=Node("/usr/bin/python3.11"), kind=EdgeKind.LINK, evidence="link"),
            Edge(source=Node("/usr/bin/python3.11"), target=Node("capability:users"), kind=EdgeKind.CAPABILITY, evidence="getpwnam"),
            Edge(source=Node("capability:users"), target=libc, kind=EdgeKind.RULE, evidence="rule", rule="users"),
        ),
        "optional": (OptionalPlan(name="tz", accepted=True, edges=(option,), bytes=500_000, files=3, why="time zones"),),
        "capabilities": ("users",),
        "unknowns": (Unknown(kind="dlopen", subject="/usr/bin/python3.11", detail="the name is computed"),),
        "lacks": ("no digests",),
        "before": totals(100),
        "after": totals(3),
        "verify": ("python3 -c pass",),
    }  # fmt: skip
    return Plan(**(values | fields))


def hostile_plan():
    """Names that mean something to a shell, a terminal, Markdown, a Dockerfile or a line tool."""
    files = [directory("/usr")]
    files += [
        file_plan(f"/usr/{name}", bytes=index + 1, reason=f"because {name}") for index, name in enumerate(HOSTILE)
    ]
    files.sort(key=lambda file: file.path.encode("utf-8", "surrogateescape"))
    packages = tuple(package_plan(name, f"deb:{name}@1", reason=name) for name in HOSTILE)
    edges = [Edge(source=Node("entry:image"), target=Node(file.path), kind=EdgeKind.ENTRY) for file in files[1:]]
    return small_plan(
        files=tuple(files),
        packages=packages,
        edges=tuple(edges),
        unknowns=tuple(Unknown(kind="path", subject=f"/usr/{name}", detail=name) for name in HOSTILE),
        lacks=HOSTILE,
        entries=HOSTILE,
    )
