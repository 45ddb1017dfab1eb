"""A real arm64 root that this machine never runs: planned, and held against what readelf says."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from posixpath import dirname, normpath

import pytest

from pruner.rootfs import Tree, open_root
from tests.corpus.roots import scan
from tests.integration.commands import kept_packages, need_root, planned, pruner, scanned_packages, there
from tests.integration.extracted import Extracted, extracted
from tests.support import need

pytestmark = pytest.mark.integration

PACKAGES = (
    "base-files", "base-passwd", "libc-bin", "netbase", "ca-certificates", "tzdata",
    "python3", "redis-server", "nginx-light",
)  # fmt: skip
TRIPLET = "aarch64-linux-gnu"
SEARCH = (f"/lib/{TRIPLET}", f"/usr/lib/{TRIPLET}", "/lib", "/usr/lib")
"""Debian's loader without a cache; ld.so(8)."""
ENTRIES = {
    "/usr/bin/python3.11": "cmd:python3 /app/fetch.py",
    "/usr/sbin/nginx": "cmd:nginx -g 'daemon off;'",
    "/usr/bin/redis-check-rdb": "cmd:redis-server --port 0",  # /usr/bin/redis-server is a link to it
}


def furnish(root: Path) -> None:
    """A script that asks for TLS, a database and a time zone."""
    (root / "app").mkdir()
    (root / "app/fetch.py").write_text(
        "import json, sqlite3, ssl, urllib.request, zoneinfo\n"
        "print(json.dumps([len(ssl.create_default_context().get_ca_certs()), sqlite3.sqlite_version]))\n"
    )


@pytest.fixture(scope="module")
def fat() -> Extracted:
    need_root("mmdebstrap's extraction with owners")
    return extracted("arm64", "arm64", PACKAGES, furnish)


@pytest.fixture(scope="module")
def plan(fat, tmp_path_factory):
    """The plan directory of an entry point, made once."""
    return cache(lambda entry: _plan(fat, entry, tmp_path_factory.mktemp("plan")))


def _plan(fat: Extracted, entry: str, directory: Path) -> Path:
    pruner("plan", fat.sbom, "--root", fat.root, "--entry", entry, "-o", directory, "-q")
    return directory


class Readelf:
    """Needs of ELF files, as binutils read them and as ld.so(8) resolves them."""

    def __init__(self, root: Path) -> None:
        need("readelf")
        self._root = root
        self._tree = Tree(open_root(root).files)

    def is_elf(self, path: str) -> bool:
        place = self._root / path[1:]
        if place.is_symlink() or not place.is_file():
            return False
        with place.open("rb") as stream:
            return stream.read(4) == b"\x7fELF"

    def machine(self, path: str) -> str:
        (found,) = re.findall(r"Machine:\s+(.+)", self._said("-h", path))
        return found

    def closure(self, starts: Iterable[str]) -> set[str]:
        """Real paths of everything that the loader maps for `starts`, themselves included."""
        pending, seen = list(starts), set[str]()
        while pending:
            path = pending.pop()
            if path not in seen:
                seen.add(path)
                pending += self.needs(path)
        return seen

    @cache  # noqa: B019 - it lives as long as a test
    def needs(self, path: str) -> tuple[str, ...]:
        dynamic = self._said("-dW", path)
        run_paths = ":".join(re.findall(r"R(?:UN)?PATH\).*\[(.+)\]", dynamic)).split(":")
        own = [normpath(part.replace("$ORIGIN", dirname(path))) for part in run_paths if part]
        names = re.findall(r"\(NEEDED\).*\[(.+)\]", dynamic)
        found = re.findall(r"interpreter: (.+)\]", self._said("-lW", path))
        for name in names:
            candidates = [f"{directory}/{name}" for directory in (*own, *SEARCH)]
            places = [real for place in candidates if (real := self._tree.resolve(place).path) is not None]
            assert places, f"{path}: the root itself lacks {name}"
            found.append(places[0])
        return tuple(real for place in found if (real := self._tree.resolve(place).path) is not None)

    def _said(self, option: str, path: str) -> str:
        done = subprocess.run(
            ["readelf", option, str(self._root / path[1:])],
            capture_output=True, text=True, check=True, env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
        )  # fmt: skip
        return done.stdout


@pytest.fixture(scope="module")
def readelf(fat) -> Readelf:
    return Readelf(fat.root)


def loaded(document, start: str) -> set[str]:
    """Real paths that a plan's own edges reach from `start` by what the loader follows, links left out."""
    targets: dict[str, list[str]] = {}
    for edge in document["edges"]:
        if edge["evidence"].startswith(("DT_NEEDED", "PT_INTERP", "symbolic link")):
            targets.setdefault(edge["from"], []).append(edge["to"])
    pending, seen = [start], set[str]()
    while pending:
        node = pending.pop()
        if node not in seen:
            seen.add(node)
            pending += targets.get(node, [])
    kinds = {file["path"]: file["type"] for file in document["files"]}
    return {node for node in seen if kinds[node] == "file"}


@pytest.mark.parametrize(("program", "entry"), ENTRIES.items(), ids=["python", "nginx", "redis"])
def test_the_loader_and_the_libraries_are_those_that_readelf_finds(plan, readelf, program, entry):
    """From the program: exactly readelf's walk. From every kept file: nothing that it loads is missing."""
    document = planned(plan(entry))
    files = there(document)
    assert loaded(document, program) == readelf.closure([program])
    assert files["/lib/ld-linux-aarch64.so.1"]["type"] == "symlink"
    assert f"/lib/{TRIPLET}/ld-linux-aarch64.so.1" in files
    kept = {path for path in files if readelf.is_elf(path)}
    assert {readelf.machine(path) for path in kept} == {"AArch64"}
    assert readelf.closure(kept) == kept
    assert [unknown for unknown in document["unknowns"] if unknown["kind"] in ("needed", "elf")] == []


@pytest.mark.parametrize(("program", "entry"), ENTRIES.items(), ids=["python", "nginx", "redis"])
def test_no_library_is_kept_that_nothing_asks_for(plan, readelf, program, entry):
    """A library in the loader's directories is needed by a kept file, or has a reason of its own."""
    document = planned(plan(entry))
    kept = {path for path in there(document) if readelf.is_elf(path)}
    asked = {
        edge["to"]
        for edge in document["edges"]
        if not edge["evidence"].startswith(("DT_NEEDED", "PT_INTERP", "symbolic link"))
    }
    targets = {real for path in asked if (real := readelf._tree.resolve(path).path) is not None}
    starts = {path for path in kept if dirname(path) not in SEARCH or path in targets}
    assert program in starts
    assert kept == readelf.closure(starts)


def test_python_keeps_its_library_and_what_it_reads(plan):
    """The standard library with the extension modules of this architecture, the CA bundle, the users and the zones."""
    document = planned(plan(ENTRIES["/usr/bin/python3.11"]))
    files = there(document)
    assert {
        "/app/fetch.py", "/usr/bin/python3", "/usr/lib/python3.11/json/__init__.py", "/usr/lib/python3.11/ssl.py",
        f"/usr/lib/python3.11/lib-dynload/_ssl.cpython-311-{TRIPLET}.so", "/etc/ssl/certs/ca-certificates.crt",
        "/usr/share/zoneinfo/Europe/Bratislava", "/etc/passwd", "/etc/nsswitch.conf",
        f"/lib/{TRIPLET}/libnss_files.so.2", f"/lib/{TRIPLET}/libnss_dns.so.2", "/etc/services", "/tmp",
    } <= files.keys()  # fmt: skip
    assert {"users", "dns", "timezone", "locale", "services"} <= set(document["capabilities"])
    assert not {"perl-base", "nginx-light", "redis-tools", "dpkg", "tar"} & {
        n for n, _ in kept_packages(document, "deb")
    }


def test_openssl_finds_its_configuration(plan):
    """`import ssl` loads libcrypto, which reads openssl.cnf when it starts (OPENSSL_init_crypto(3ssl))."""
    files = there(planned(plan(ENTRIES["/usr/bin/python3.11"])))
    assert {"/usr/lib/ssl/openssl.cnf", "/etc/ssl/openssl.cnf"} <= files.keys()


def test_code_on_the_command_line_is_read_as_a_script_is(plan):
    """`python3 -c 'import ssl'` needs what a file with this line needs."""
    files = there(planned(plan("cmd:python3 -c 'import ssl; ssl.create_default_context()'")))
    assert {"/etc/ssl/certs/ca-certificates.crt", "/usr/lib/ssl/cert.pem"} <= files.keys()


def test_services_keep_their_configuration_and_state(plan):
    """nginx its configuration, its modules and /var/log; redis its data directory with its owner."""
    nginx = there(planned(plan(ENTRIES["/usr/sbin/nginx"])))
    assert {"/etc/nginx/nginx.conf", "/etc/nginx/mime.types", "/var/log/nginx", "/var/lib/nginx"} <= nginx.keys()
    assert "/usr/lib/nginx/modules/ngx_http_echo_module.so" in nginx
    redis = there(planned(plan(ENTRIES["/usr/bin/redis-check-rdb"])))
    assert {"/usr/bin/redis-server", f"/usr/lib/{TRIPLET}/libjemalloc.so.2", "/etc/passwd"} <= redis.keys()
    assert "/usr/sbin/nginx" not in redis


def test_the_pruned_root_is_scanned_as_planned(fat, plan, tmp_path):
    """syft finds in the applied root exactly the packages of the plan, and its files are of the other architecture."""
    directory = plan(ENTRIES["/usr/bin/redis-check-rdb"])
    pruner("apply", directory, "--root", fat.root, "--dest", tmp_path / "pruned")
    scan(tmp_path / "pruned", tmp_path / "pruned.json")
    assert scanned_packages(tmp_path / "pruned.json", "deb") == kept_packages(planned(directory), "deb")
    written = {f"/{path.relative_to(tmp_path / 'pruned')}" for path in (tmp_path / "pruned").rglob("*")}
    assert written == there(planned(directory)).keys()


def test_from_the_sbom_alone_the_libraries_are_complete(fat, readelf, tmp_path):
    """Without the bytes, DT_NEEDED comes from the SBOM: what readelf finds from the program is kept all the same."""
    pruner("plan", fat.sbom, "--entry", ENTRIES["/usr/sbin/nginx"], "-o", tmp_path / "plan", "-q")
    document = planned(tmp_path / "plan")
    assert document["mode"] == "sbom"
    assert readelf.closure(["/usr/sbin/nginx"]) <= there(document).keys()
    assert "/lib/ld-linux-aarch64.so.1" in there(document)
    assert [unknown for unknown in document["unknowns"] if unknown["kind"] == "needed"] == []
