"""Real Debian roots of any architecture, extracted and never run: as images made without a package manager are.

`mmdebstrap --variant=extract` needs no emulation; it leaves an empty dpkg status, so every package is written to
`status.d/NAME` and `status.d/NAME.md5sums` instead, as distroless images have it. What maintainer scripts would have
made (users, name service, CA bundle) is made from the packages' own masters, as builders of such images do.

Layout below `$PRUNER_CACHE/integration` (default `~/.cache/pruner`): `NAME/root`, `NAME/sbom.json`, and
`NAME/recipe.json`, which is written last and holds the key of the recipe.
"""

from __future__ import annotations

import inspect
import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.corpus.roots import _digest, _locked, _quietly, _replace, cache_dir, scan
from tests.support import need

SUITE = "bookworm"
RECIPE = 1
"""Raised when this module builds roots in another way, so that cached ones are made again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extracted:
    """A cached root, to be read only, and syft's report of it with every file selected."""

    root: Path
    sbom: Path


def extracted(
    name: str, architecture: str, packages: tuple[str, ...], furnish: Callable[[Path], None] | None = None
) -> Extracted:
    """The root `name` of `packages` and what they depend on; `furnish` adds to it before it is scanned."""
    for tool in ("mmdebstrap", "dpkg-deb"):
        need(tool)
    home = cache_dir().parent / "integration" / name
    home.mkdir(parents=True, exist_ok=True)
    source = inspect.getsource(furnish) if furnish is not None else ""
    key = _digest([RECIPE, SUITE, architecture, packages, source])
    made = Extracted(root=home / "root", sbom=home / "sbom.json")
    recipe = home / "recipe.json"
    with _locked(home / "lock"):
        if not (recipe.exists() and json.loads(recipe.read_text())["key"] == key):
            recipe.unlink(missing_ok=True)
            _replace(made.root, lambda place: _extract(place, architecture, packages, furnish))
            scan(made.root, made.sbom)
            recipe.write_text(json.dumps({"key": key}))
    return made


def _extract(place: Path, architecture: str, packages: tuple[str, ...], furnish: Callable[[Path], None] | None) -> None:
    _quietly(
        [
            "mmdebstrap", "--quiet", "--variant=extract", f"--architectures={architecture}",
            "--skip=check/qemu,cleanup/apt/cache", f"--include={','.join(packages)}", SUITE, str(place),
        ]
    )  # fmt: skip
    archives = place / "var/cache/apt/archives"
    for archive in sorted(archives.glob("*.deb")):
        _register(archive, place / "var/lib/dpkg/status.d")
        archive.unlink()
    for leftover in ("var/lib/apt/lists", "var/log/apt", "etc/apt"):
        shutil.rmtree(place / leftover, ignore_errors=True)
    _configure(place)
    if furnish is not None:
        furnish(place)


def _register(archive: Path, status: Path) -> None:
    """Write the package's control file and digests as distroless does (its PACKAGE_METADATA.md)."""
    status.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        subprocess.run(["dpkg-deb", "--control", str(archive), scratch], check=True)
        control = (Path(scratch) / "control").read_text()
        name = next(line.split()[1] for line in control.splitlines() if line.startswith("Package:"))
        (status / name).write_text(control)
        sums = Path(scratch) / "md5sums"
        if sums.exists():
            shutil.copy(sums, status / f"{name}.md5sums")


def _configure(place: Path) -> None:
    """What the maintainer scripts of base-passwd, libc-bin and ca-certificates make."""
    for master, made in (
        ("usr/share/base-passwd/passwd.master", "etc/passwd"),
        ("usr/share/base-passwd/group.master", "etc/group"),
        ("usr/share/libc-bin/nsswitch.conf", "etc/nsswitch.conf"),
    ):
        if (place / master).exists():
            shutil.copyfile(place / master, place / made)
    certificates = sorted((place / "usr/share/ca-certificates").rglob("*.crt"))
    if certificates:
        (place / "etc/ssl/certs").mkdir(parents=True, exist_ok=True)
        (place / "etc/ssl/certs/ca-certificates.crt").write_text("".join(path.read_text() for path in certificates))
    (place / "tmp").chmod(0o1777)
