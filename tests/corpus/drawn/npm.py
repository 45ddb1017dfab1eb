"""npm with a registry of its own: packages installed with what they need, scripts, a workspace, publishing, refusals."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import tarfile
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any

import trustme

from tests.corpus.model import App, Needed, expect, same
from tests.corpus.roots import authority
from tests.corpus.sandbox import HOST

if TYPE_CHECKING:
    from tests.corpus.sandbox import Box, Done

REGISTRY = f"https://{HOST}:9443"

POND = "#!/usr/bin/env node\nconst frog = require('frog');\nconsole.log(frog(process.argv[2] || 'pond'));\n"
PACKAGES: dict[str, dict[str, dict[str, Any]]] = {
    "frog": {
        "2.0.0": {"index.js": "module.exports = (name) => `${name} quacks`;\n"},
        "2.1.0": {"index.js": "module.exports = (name) => `${name} says kvak`;\n"},
        "3.0.0": {"index.js": "module.exports = () => 'too new';\n"},
    },
    "pond": {"1.2.0": {"cli.js": POND, "made.js": "require('fs').writeFileSync('made.txt', 'by script\\n');\n"}},
    "broken": {"1.0.0": {"index.js": ""}},
}
MANIFESTS: dict[str, dict[str, Any]] = {
    "pond": {"bin": {"pond": "cli.js"}, "dependencies": {"frog": "^2.0.0"}, "scripts": {"postinstall": "node made.js"}},
}


def manifest(name: str, version: str) -> dict[str, Any]:
    return {"name": name, "version": version, "description": f"a {name}", "license": "MIT", **MANIFESTS.get(name, {})}


def tarball(name: str, version: str) -> bytes:
    """The package as `npm pack` would make it."""
    files = {"package.json": json.dumps(manifest(name, version)), **PACKAGES[name][version]}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, text in files.items():
            entry = tarfile.TarInfo(f"package/{path}")
            entry.size, entry.mode = len(text.encode()), 0o755
            archive.addfile(entry, io.BytesIO(text.encode()))
    return gzip.compress(buffer.getvalue(), mtime=0)


class Registry(BaseHTTPRequestHandler):
    """Package documents, tarballs (one of them altered), a search, an audit, and what was published."""

    protocol_version = "HTTP/1.1"
    published: dict[str, Any]

    def do_GET(self) -> None:
        words = self.path.partition("?")[0].strip("/").split("/")
        if words[0] in PACKAGES and len(words) == 1:
            versions = {number: self._version(words[0], number) for number in PACKAGES[words[0]]}
            latest = {"latest": list(versions)[-1]}
            self._answer(200, {"name": words[0], "dist-tags": latest, "versions": versions, "time": {}})
        elif words[0] in PACKAGES and words[1] == "-":
            name, _, number = words[2].removesuffix(".tgz").rpartition("-")
            self._send(200, "application/octet-stream", tarball(name, number))
        else:
            self._answer(404, {"error": "Not found"})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        asked = json.loads(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
        advice = {
            "id": 7,
            "url": f"{REGISTRY}/7",
            "title": "Frogs leap",
            "severity": "high",
            "vulnerable_versions": "<2.1.0",
        }
        self._answer(200, {"frog": [advice]} if "2.0.0" in asked.get("frog", []) else {})

    def do_PUT(self) -> None:
        document = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        allowed = self.headers.get("Authorization") == "Bearer otvor"
        if allowed:
            self.published[document["name"]] = document
        self._answer(*((201, {"ok": True}) if allowed else (401, {"error": "who are you"})))

    def _version(self, name: str, number: str) -> dict[str, Any]:
        said = b"another" if name == "broken" else tarball(name, number)
        digest = base64.b64encode(hashlib.sha512(said).digest()).decode()
        place = f"{REGISTRY}/{name}/-/{name}-{number}.tgz"
        hooked = {"hasInstallScript": True} if name == "pond" else {}
        return {**manifest(name, number), **hooked, "dist": {"tarball": place, "integrity": f"sha512-{digest}"}}

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        self._send(status, "application/json", json.dumps(body).encode())

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words: object) -> None:
        """Say nothing: what npm makes of the answers is what counts."""


PROJECT = {
    "name": "garden", "version": "1.0.0", "private": False, "license": "MIT", "files": ["build.js"],
    "scripts": {
        "prebuild": "node -e \"require('fs').mkdirSync('dist')\"",
        "build": "node build.js > dist/out.txt && pond $npm_package_name >> dist/out.txt",
        "test": 'node -e "process.exit(3)"',
    },
}  # fmt: skip
BUILD = "const frog = require('frog');\nconsole.log(frog(process.env.npm_lifecycle_event));\n"


def smoke(box: Box) -> None:
    place = box.volume / "garden"
    place.mkdir()
    (place / "package.json").write_text(json.dumps(PROJECT))
    (place / "build.js").write_text(BUILD)
    (place / ".npmrc").write_text(f"registry={REGISTRY}/\n//{HOST}:9443/:_authToken=otvor\n")
    shelf = type("Shelf", (Registry,), {"published": {}})
    with box.serve(shelf, 9443, tls=authority()), box.serve(shelf, 9444, tls=trustme.CA()):
        install(box)
        scripts(box)
        questions(box)
        publish(box, shelf.published)
        refusals(box)
    begin(box)


def install(box: Box) -> None:
    """A package with what it needs and its own script, the lock, the tree, and the same again from lock and cache."""
    said = npm(box, "install", "pond@^1.0.0", "frog@2.0.0")
    expect("added 2 packages" in said.out, f"another answer: {said.out!r}")
    place = box.volume / "garden"
    same((place / "node_modules/pond/made.txt").read_text(), "by script\n", "what the package's script made")
    lock = json.loads((place / "package-lock.json").read_text())["packages"]
    same(
        (lock["node_modules/frog"]["version"], lock["node_modules/pond"]["bin"]), ("2.0.0", {"pond": "cli.js"}), "lock"
    )
    tree = json.loads(npm(box, "ls", "--all", "--json").out)["dependencies"]
    same(tree["pond"]["dependencies"]["frog"]["version"], "2.0.0", "the tree")
    npm(box, "ci", "--offline")
    same((place / "node_modules/.bin/pond").resolve().name, "cli.js", "the link to the command")


def scripts(box: Box) -> None:
    """Scripts with what runs before them, commands of packages on the path, and a script's exit code."""
    npm(box, "run", "build")
    same((box.volume / "garden/dist/out.txt").read_text(), "build quacks\ngarden quacks\n", "what the script made")
    failed = npm(box, "test", code=3)
    expect("process.exit(3)" in failed.out, f"the script is not shown: {failed.out!r}")
    same(npm(box, "exec", "--", "pond", "carp").out, "carp quacks\n", "a command of a package")
    same(box.run("npx", "pond", "newt", cwd="/volume/garden", env=ENVIRONMENT).out, "newt quacks\n", "the same by npx")


def questions(box: Box) -> None:
    """What is outdated, what is unsafe, why a package is there, and the update that mends it."""
    late = json.loads(npm(box, "outdated", "--json", code=1).out)
    same((list(late), late["frog"]["latest"]), (["frog"], "3.0.0"), "what is outdated")
    audit = json.loads(npm(box, "audit", "--json", code=1).out)
    same(audit["vulnerabilities"]["frog"]["severity"], "high", "the audit")
    expect("pond@1.2.0" in npm(box, "explain", "frog").out, "why a package is there")
    same(npm(box, "view", "frog@^2", "version", "--json").out.split(), ["[", '"2.0.0",', '"2.1.0"', "]"], "versions")
    npm(box, "install", "frog@^2.1.0")
    same(npm(box, "exec", "--", "pond", "carp").out, "carp says kvak\n", "the command after the update")
    expect("found 0 vulnerabilities" in npm(box, "audit").out, "still unsafe")


def publish(box: Box, published: dict[str, Any]) -> None:
    """A version raised, packed, and published with its token; the archive holds the listed files."""
    same(npm(box, "version", "minor").out, "v1.1.0\n", "the version raised")
    packed = json.loads(npm(box, "pack", "--json").out)[0]
    same(sorted(file["path"] for file in packed["files"]), ["build.js", "package.json"], "files of the archive")
    with tarfile.open(box.volume / "garden/garden-1.1.0.tgz") as archive:
        same(sorted(archive.getnames()), ["package/build.js", "package/package.json"], "the archive itself")
    npm(box, "publish")
    document = published["garden"]
    same((list(document["versions"]), document["dist-tags"]), (["1.1.0"], {"latest": "1.1.0"}), "what was published")
    same(list(document["_attachments"]), ["garden-1.1.0.tgz"], "the archive published")


def refusals(box: Box) -> None:
    """Altered bytes, unknown names, an unknown authority, and a manifest that is none."""
    expect("code EINTEGRITY" in npm(box, "install", "broken", code=1).err, "altered bytes were not refused as such")
    absent = npm(box, "install", "newt-of-nowhere", code=1).err
    expect("code E404" in absent and "newt-of-nowhere" in absent, f"an unknown package: {absent!r}")
    stranger = npm(box, "view", "frog", f"--registry=https://{HOST}:9444/", "--fetch-retries=0", code=1).err
    expect("UNABLE_TO_VERIFY_LEAF_SIGNATURE" in stranger or "SELF_SIGNED" in stranger, f"a stranger: {stranger!r}")
    (box.volume / "bad").mkdir()
    (box.volume / "bad/package.json").write_text('{"name": "bad",}')
    bad = box.run("npm", "install", cwd="/volume/bad", env=ENVIRONMENT, code=1).err
    expect("code EJSONPARSE" in bad, f"a manifest that is none: {bad!r}")


def begin(box: Box) -> None:
    """A new project, a package of a directory as a workspace, and settings written."""
    (box.volume / "new").mkdir(mode=0o777)
    box.run("npm", "init", "--yes", cwd="/volume/new", env=ENVIRONMENT)
    same(json.loads((box.volume / "new/package.json").read_text())["version"], "1.0.0", "the new project")
    box.run("npm", "init", "--yes", "-w", "./part", cwd="/volume/new", env=ENVIRONMENT)
    box.run("npm", "pkg", "set", "scripts.hello=node -p 6*7", "-w", "part", cwd="/volume/new", env=ENVIRONMENT)
    said = box.run("npm", "run", "hello", "--workspaces", cwd="/volume/new", env=ENVIRONMENT).out
    expect(said.rstrip().endswith("42"), f"the workspace's script: {said!r}")
    same((box.volume / "new/node_modules/part").resolve().name, "part", "the link to the workspace")
    box.run("npm", "config", "set", "fund=false", env=ENVIRONMENT)
    same(box.run("npm", "config", "get", "fund", env=ENVIRONMENT).out, "false\n", "a setting")


ENVIRONMENT = {"NO_UPDATE_NOTIFIER": "1", "npm_config_update_notifier": "false"}


def npm(box: Box, *words: str, code: int | None = 0) -> Done:
    """npm in the project."""
    return box.run("npm", *words, code=code, cwd="/volume/garden", env=ENVIRONMENT)


APP = App(
    name="npm",
    packages=("npm",),
    # what the project's scripts call
    entries=("cmd:npm", "cmd:npx", "cmd:node"),
    smoke=smoke,
    needed=(
        Needed(kind="program", glob="/usr/share/nodejs/npm/lib/commands/audit.js"),
        Needed(kind="program", glob="/usr/share/nodejs/pacote"),
        Needed(kind="program", glob="/usr/bin/dash"),
        Needed(kind="library", glob="/usr/lib/*-linux-gnu/libbrotlienc.so.1*"),
        Needed(kind="state", glob="/etc/ssl/certs"),
    ),
)  # fmt: skip
