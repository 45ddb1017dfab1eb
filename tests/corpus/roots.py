"""Fat roots: Debian bookworm by mmdebstrap, one base shared by all, and one SBOM by syft for each.

Layout below `$PRUNER_CACHE/corpus` (default `~/.cache/pruner/corpus`):

    ca.pem, ca.key      the private authority that every root trusts, as a company's own would be
    base/root           the base system, package lists included
    NAME/root           the fat root of an application
    NAME/sbom.json      syft's report of it, with all files selected
    NAME/recipe.json    written last: a root without it, or with another key, is built again

`python -m tests.corpus.roots [NAME...]` builds what is missing of the named applications, or of the corpus, and prints where it is.
"""

from __future__ import annotations

import ast
import fcntl
import hashlib
import inspect
import json
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import trustme

from tests.support import syft

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.corpus.model import App

SUITE = "bookworm"
BASE = ("ca-certificates", "tzdata", "netbase", "curl", "procps", "less", "vim-tiny")
RECIPE = 4
"""Raised when this module builds roots in another way, so that cached ones are made again."""

# What mmdebstrap removes at its end, for the packages that were added to its result.
# bytecode of the distribution's own python files stays: the packages' maintainer scripts made it.
LEFTOVERS = (
    "var/lib/apt/lists/*", "var/cache/apt/*.bin", "var/cache/apt/archives/*.deb", "var/log/apt/*",
    "var/log/dpkg.log", "var/log/alternatives.log", "var/log/bootstrap.log", "var/cache/ldconfig/aux-cache",
    "var/lib/dbus/machine-id", "usr/sbin/policy-rc.d", "tmp/*", "run/*",
)  # fmt: skip

# A container runtime supplies these three; a builder's own must not end up in the root.
SUPPLIED = ("etc/resolv.conf", "etc/hostname", "etc/hosts")

_ENTER = """
mount -t proc proc "$1/proc" && mount --rbind /dev "$1/dev" && mount --bind /etc/resolv.conf "$1/etc/resolv.conf" || exit 125
root=$1; shift
exec chroot "$root" "$@"
"""


SCAN = ["--override-default-catalogers", "image"]
"""The roots stand for images: what is installed counts, not what a lock file in a source tree asks for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FatRoot:
    """A built root: `root` the directory, `sbom` syft's JSON, `seconds` what building took."""

    app: App
    root: Path
    sbom: Path
    tools: Path
    """Where clients and peers come from: a root of its own if the application declares one, else `root`."""
    seconds: float


@dataclass(frozen=True, slots=True)
class Build:
    """A root in the making, as an application's `setup` sees it."""

    root: Path
    scratch: Path
    """An empty directory outside the root, removed afterwards."""

    def inside(self, *argv: str) -> None:
        """Run a command in the root, with /proc, /dev and the network of the host.

        Raises `subprocess.CalledProcessError`.
        """
        environment = {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": "/root", "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive",
        }  # fmt: skip
        environment |= {name: os.environ[name] for name in ("http_proxy", "https_proxy") if name in os.environ}
        _quietly(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", _ENTER, "sh", str(self.root), *argv],
            env=environment,
        )

    def outside(self, *argv: str, cwd: Path | None = None, env: dict[str, str] | None = None) -> None:
        """Run a command of the host. Raises `subprocess.CalledProcessError`."""
        _quietly(list(argv), cwd=cwd, env={**os.environ, **(env or {})})

    def write(self, path: str, text: str) -> None:
        """Write `text` at the absolute `path` of the root, parents made."""
        target = self.root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)


def cache_dir() -> Path:
    """The directory that holds all roots of the corpus; made when missing."""
    base = os.environ.get("PRUNER_CACHE") or Path.home() / ".cache" / "pruner"
    directory = Path(base) / "corpus"
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def authority() -> trustme.CA:
    """The private certificate authority that every fat root trusts; made once for a cache."""
    certificate, key = cache_dir() / "ca.pem", cache_dir() / "ca.key"
    with _locked(cache_dir() / "ca.lock"):
        if not (certificate.exists() and key.exists()):
            made = trustme.CA()
            made.private_key_pem.write_to_path(str(key))
            made.cert_pem.write_to_path(str(certificate))
    return trustme.CA.from_pem(certificate.read_bytes(), key.read_bytes())


def fat_root(app: App) -> FatRoot:
    """The fat root of `app`, from the cache or built now.

    Raises `subprocess.CalledProcessError` with the tool's output in its notes when a step fails.
    """
    home = cache_dir() / app.name
    home.mkdir(exist_ok=True)
    key = _key(app)
    with _locked(cache_dir() / f"{app.name}.lock"):
        recipe = home / "recipe.json"
        if not (recipe.exists() and json.loads(recipe.read_text())["key"] == key):
            recipe.unlink(missing_ok=True)
            started = time.monotonic()
            _replace(home / "root", lambda place: _derive(app, place))
            if app.tools:
                tools = replace(app, packages=app.tools, files={}, setup=None)
                _replace(home / "tools", lambda place: _derive(tools, place))
            record = {"key": key, "build_seconds": round(time.monotonic() - started, 1)}
            recipe.write_text(json.dumps(record))
        record = json.loads(recipe.read_text())
        if record.get("scan") != SCAN:
            started = time.monotonic()
            scan(home / "root", home / "sbom.json")
            record |= {"scan": SCAN, "scan_seconds": round(time.monotonic() - started, 1)}
            recipe.write_text(json.dumps(record))
    seconds = record["build_seconds"] + record["scan_seconds"]
    tools_root = home / ("tools" if app.tools else "root")
    return FatRoot(app=app, root=home / "root", sbom=home / "sbom.json", tools=tools_root, seconds=seconds)


def forget(app: App) -> None:
    """Have the root of `app` built again when it is asked for next, and the base that it was made from."""
    made, base = (cache_dir() / name / "recipe.json" for name in (app.name, "base"))
    with _locked(cache_dir() / f"{app.name}.lock"), _locked(cache_dir() / "base.lock"):
        if made.exists() and base.exists() and base.stat().st_mtime < made.stat().st_mtime:
            base.unlink()
        made.unlink(missing_ok=True)


def scan(root: Path, output: Path) -> None:
    """Write syft's JSON report of `root`, with every file selected, to `output`."""
    temporary = output.with_suffix(".part")
    settings = {"SYFT_FILE_METADATA_SELECTION": "all", "SYFT_CHECK_FOR_APP_UPDATE": "false"}
    _quietly(
        [syft(), "scan", "--quiet", f"dir:{root}", *SCAN, "--output", f"syft-json={temporary}"],
        env={**os.environ, **settings},
    )
    temporary.rename(output)


def _derive(app: App, place: Path) -> None:
    base = _base()
    _quietly(["cp", "--archive", f"{base}/.", str(place)])
    scratch = place.with_suffix(".scratch")
    scratch.mkdir()
    build = Build(place, scratch)
    try:
        # no daemon may start while packages are configured
        build.write("/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n")
        (place / "usr/sbin/policy-rc.d").chmod(0o755)
        build.inside("apt-get", "update", "--quiet")
        install = ("apt-get", "install", "--yes", "--quiet", "--no-install-recommends")
        if app.packages:
            build.inside(*install, *app.packages)
        for path, text in app.files.items():
            build.write(path, text)
        if app.setup is not None:
            app.setup(build)
        # last, so that a Java keystore takes the authority in as well
        build.write("/usr/local/share/ca-certificates/corpus.crt", (cache_dir() / "ca.pem").read_text())
        build.inside("update-ca-certificates")
    finally:
        shutil.rmtree(scratch)
    _clean(place)


def _base() -> Path:
    """The base system's directory, built by mmdebstrap unless cached."""
    home = cache_dir() / "base"
    home.mkdir(exist_ok=True)
    key = _digest([RECIPE, SUITE, BASE])
    with _locked(cache_dir() / "base.lock"):
        recipe = home / "recipe.json"
        if not (recipe.exists() and json.loads(recipe.read_text())["key"] == key):
            recipe.unlink(missing_ok=True)
            command = [
                "mmdebstrap",
                "--quiet",
                "--variant=minbase",
                "--skip=cleanup/apt/lists",
                f"--include={','.join(BASE)}",
            ]
            _replace(home / "root", lambda place: _quietly([*command, SUITE, str(place)]))
            recipe.write_text(json.dumps({"key": key}))
    return home / "root"


def _clean(root: Path) -> None:
    for pattern in LEFTOVERS:
        for path in root.glob(pattern):
            if path.name == "lock":  # apt's, and the target of /var/lock
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
    for name in SUPPLIED:
        (root / name).unlink(missing_ok=True)
        (root / name).touch()


def _key(app: App) -> str:
    authority()
    # the syntax tree, so that formatting and comments do not make roots anew
    source = ast.dump(ast.parse(inspect.getsource(app.setup))) if app.setup else ""
    ca = (cache_dir() / "ca.pem").read_text()
    return _digest([RECIPE, SUITE, BASE, app.packages, app.tools, sorted(app.files.items()), source, ca])


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _replace(target: Path, make: object) -> None:
    """Let `make` fill a new directory beside `target`, then put it in the place of `target`."""
    new, old = target.with_name(target.name + ".new"), target.with_name(target.name + ".old")
    for left in (new, old, new.with_suffix(".scratch")):
        shutil.rmtree(left, ignore_errors=True)
    new.mkdir()
    make(new)  # type: ignore[operator]
    if target.exists():
        target.rename(old)
    new.rename(target)
    shutil.rmtree(old, ignore_errors=True)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _quietly(argv: list[str], *, env: dict[str, str] | None = None, cwd: Path | None = None) -> None:
    done = subprocess.run(
        argv, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    if done.returncode:
        failure = subprocess.CalledProcessError(done.returncode, argv)
        failure.add_note(done.stdout.decode(errors="replace")[-4000:])
        raise failure


def main(names: list[str]) -> None:
    """Build the named applications' roots, or all, two at a time."""
    # the applications' set-up steps need this module
    from tests.corpus.apps import APPS
    from tests.corpus.drawn import DRAWN

    wanted = [{**APPS, **DRAWN}[name] for name in names] or list(APPS.values())
    with ThreadPoolExecutor(max_workers=2) as pool:
        for built in pool.map(fat_root, wanted):
            print(f"{built.app.name:10} {built.seconds:6.1f} s  {built.root.parent}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
