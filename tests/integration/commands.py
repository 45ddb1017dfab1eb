"""The command line as users call it, and what its results look like on disk."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

from packageurl import PackageURL

from tests.support import skip

REPOSITORY = Path(__file__).resolve().parents[2]


def pruner(*argv: str | Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run `python -m pruner` and require the exit `code`; no traceback is ever shown."""
    done = subprocess.run(
        [sys.executable, "-m", "pruner", *map(str, argv)], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert done.returncode == code, f"exit {done.returncode}, not {code}: {done.stdout}{done.stderr}"
    assert "Traceback" not in done.stderr
    return done


def planned(directory: Path) -> dict[str, Any]:
    """The document `plan.json` of a plan directory."""
    return json.loads((directory / "plan.json").read_text())


def decided(directory: Path) -> str:
    """`plan.json` without its inputs and the image's configuration, for comparison byte by byte."""
    text = (directory / "plan.json").read_text()
    for begin, end in (('\n"inputs": ', '\n"profile": '), ('\n"image": ', '\n"distro": ')):
        start = text.index(begin)
        text = text[:start] + text[text.index(end, start) :]
    return text


def there(plan: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The files that a plan keeps or makes, by path."""
    return {file["path"]: file for file in plan["files"] if file["decision"] != "drop"}


def kept_packages(plan: dict[str, Any], kind: str) -> set[tuple[str, str]]:
    """Name and version of the packages of type `kind` that a plan keeps."""
    return {
        (package["name"], package["version"])
        for package in plan["packages"]
        if package["decision"] != "drop" and package["type"] == kind
    }


def scanned_packages(sbom: Path, kind: str) -> set[tuple[str, str]]:
    """Name and version of the packages of type `kind` in a syft-json document."""
    purls = [PackageURL.from_string(artifact["purl"]) for artifact in json.loads(sbom.read_text())["artifacts"]]
    return {(purl.name, purl.version or "") for purl in purls if purl.type == kind}


def need_root(why: str) -> None:
    """Skip visibly where this user is not root."""
    if os.geteuid() != 0:
        skip(f"{why} needs root")


def listing(root: Path) -> dict[str, tuple[Any, ...]]:
    """Everything of a directory that an archive must carry: type, mode, owners, time, content or target, links, attributes."""
    found: dict[str, tuple[Any, ...]] = {}
    names: dict[int, str] = {}
    for path in sorted(root.rglob("*")):
        status = path.lstat()
        kind = stat.S_IFMT(status.st_mode)
        content: Any = None
        attributes: dict[str, bytes] = {}
        if stat.S_ISREG(kind):
            first = names.setdefault(status.st_ino, str(path))
            content = path.read_bytes() if first == str(path) else f"hard link to {Path(first).relative_to(root)}"
            attributes = {name: os.getxattr(path, name) for name in os.listxattr(path)}
        elif stat.S_ISLNK(kind):
            content = os.readlink(path)
        elif kind in (stat.S_IFCHR, stat.S_IFBLK):
            content = (os.major(status.st_rdev), os.minor(status.st_rdev))
        mode, owner = stat.S_IMODE(status.st_mode), (status.st_uid, status.st_gid)
        found[f"/{path.relative_to(root)}"] = (kind, mode, owner, int(status.st_mtime), content, attributes)
    return found
