"""Small Debian packages, an archive of them, and a root that dpkg installed them in."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

ARCHITECTURE = subprocess.run(
    ["dpkg", "--print-architecture"], capture_output=True, text=True, check=True
).stdout.strip()


def build(directory: Path, name: str, version: str, files: Mapping[str, bytes | str], *, fields: str = "") -> Path:
    """Build NAME with `files` by path: bytes are content, text is `-> TARGET` of a link or `= PATH` of a hard link.

    Files below /etc are conffiles; those in a `bin` are executable.
    """
    tree = directory / f"{name}.tree"
    shutil.rmtree(tree, ignore_errors=True)
    (tree / "DEBIAN").mkdir(parents=True)
    sums = []
    for path, content in files.items():
        place = tree / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            place.write_bytes(content)
            place.chmod(0o755 if "/bin/" in path else 0o644)
            if "\n" not in path:
                sums.append(f"{hashlib.md5(content).hexdigest()}  {path.lstrip('/')}\n")
        elif content.startswith("-> "):
            place.symlink_to(content[3:])
        else:
            os.link(tree / content[2:].lstrip("/"), place)
    conffiles = [f"{path}\n" for path in files if path.startswith("/etc/")]
    (tree / "DEBIAN/control").write_text(
        f"Package: {name}\nVersion: {version}\nArchitecture: {ARCHITECTURE}\nMaintainer: Nobody <nobody@example.org>\n"
        f"Installed-Size: 1\n{fields}Description: a package of a test\n"
    )
    (tree / "DEBIAN/md5sums").write_bytes(os.fsencode("".join(sums)))
    if conffiles:
        (tree / "DEBIAN/conffiles").write_text("".join(conffiles))
    for place in [tree, *tree.rglob("*")]:
        if not place.is_symlink():
            os.utime(place, (1_600_000_000, 1_600_000_000))
        else:
            os.utime(place, (1_600_000_000, 1_600_000_000), follow_symlinks=False)
    archive = directory / f"{name}_{version.replace(':', '%3a')}_{ARCHITECTURE}.deb"
    subprocess.run(
        ["dpkg-deb", "--build", "--root-owner-group", str(tree), str(archive)], check=True, capture_output=True
    )
    shutil.rmtree(tree)
    return archive


def without_dots(archive: Path) -> None:
    """Write `archive` as makers of packages other than dpkg-deb do: names without `./` before them."""
    place = archive.with_suffix(".parts")
    place.mkdir()
    subprocess.run(["dpkg-deb", "--extract", str(archive), str(place / "tree")], check=True)
    subprocess.run(["ar", "x", str(archive)], cwd=place, check=True)
    data = next(place.glob("data.tar*"))
    data.unlink()
    names = sorted(path.name for path in (place / "tree").iterdir())
    subprocess.run(["tar", "-czf", "data.tar.gz", "-C", "tree", *names], cwd=place, check=True)
    control = next(place.glob("control.tar*")).name
    archive.unlink()
    subprocess.run(["ar", "rc", str(archive), "debian-binary", control, "data.tar.gz"], cwd=place, check=True)
    shutil.rmtree(place)


def index(directory: Path) -> Path:
    """Write the `Packages` of the archives in `directory`, which makes it a flat repository of apt."""
    stanzas = []
    for archive in sorted(directory.glob("*.deb")):
        control = subprocess.run(["dpkg-deb", "--field", str(archive)], capture_output=True, text=True, check=True)
        data = archive.read_bytes()
        stanzas.append(
            f"{control.stdout.strip()}\nFilename: ./{archive.name}\nSize: {len(data)}\n"
            f"SHA256: {hashlib.sha256(data).hexdigest()}\n"
        )
    packages = directory / "Packages"
    packages.write_text("\n".join(stanzas))
    return packages


def merged_root(root: Path) -> Path:
    """An empty root with merged directories and a package database without packages."""
    for name in ("bin", "sbin", "lib"):
        (root / "usr" / name).mkdir(parents=True)
        (root / name).symlink_to(f"usr/{name}")
    for name in ("etc", "tmp", "var/lib/dpkg/info", "var/lib/dpkg/updates"):
        (root / name).mkdir(parents=True)
    (root / "var/lib/dpkg/status").touch()
    return root


def unpack(root: Path, *archives: Path) -> None:
    """Let the machine's dpkg install `archives` in `root`."""
    dpkg(root, "dpkg", "--force-all", "--install", *map(str, archives))


def dpkg(root: Path, tool: str, *words: str) -> None:
    """Run a tool of dpkg on the database in `root`."""
    place = f"--root={root}"
    done = subprocess.run([tool, place, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
