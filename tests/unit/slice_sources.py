"""Small sources of slices, and releases of them that the real chisel reads."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pruner.model import FileType
from pruner.slices.types import Content, PathKind, SliceKey, SliceSource, SourceFile
from tests.support import chisel

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pruner.slices.contents import Contents

_KEY = """\
-----BEGIN PGP PUBLIC KEY BLOCK-----

mI0EawK1twEEAL14Adoel8iK6EM9HJlu4KLdI5KaavX1fBtjIA4dTnIC4HE3QxgK
evjiHpLN7hzIG9vaCKLXERGct0FSYSrvOG3Sk0pnvEU0RHc1DLpUCa+LDI3F/WQP
rSbLRqVY2CjUrkKS+yHuj3VyhPqU81sqHcwYCH/SSK1LLVpjwrbp7sX/ABEBAAG0
AXSIzgQTAQoAOBYhBJx4GIVz1XfnF4CdI+as4U1jBWHTBQJrArW3AhsDBQsJCAcC
BhUKCQgLAgQWAgMBAh4BAheAAAoJEOas4U1jBWHTZ6gEALJRc76Y5pP9zLAGQ1FV
dF8Ul3goerxXrE9dpXvHhqNTztJriD1llk9T6cFQNgLHPG9rCc/hQ3w+/2ZVvF7h
rLrOKLuPKqrsMO1uGECzRHeDTusR8TTRT/0vbBlU/uzl87GDVkdFFo4jzCsDqfv7
YUFGG9bK1C4Np4B7lELDHhkF
=qBQm
-----END PGP PUBLIC KEY BLOCK-----
"""
"""Of nobody: chisel wants a key that it can read."""


def shipped(path: str, package: str = "pkg", *, name: str | None = None, **facts: Any) -> SourceFile:
    """A regular file that `package` ships as `name`, else as `path`."""
    facts = {"type": FileType.REGULAR, "mode": 0o644} | facts
    return SourceFile(path=path, package=package, shipped=name or path, **facts)


def state(path: str, content: bytes | None = b"", package: str = "pkg", **facts: Any) -> SourceFile:
    """A regular file that no archive brings."""
    facts = {"type": FileType.REGULAR, "mode": 0o644} | facts
    return SourceFile(path=path, package=package, content=content, **facts)


def link(path: str, target: str, package: str = "pkg", *, name: str | None = None) -> SourceFile:
    """A symbolic link; state without `name`."""
    return SourceFile(path=path, type=FileType.SYMLINK, mode=0o777, package=package, target=target, shipped=name)


def directory(path: str, package: str = "pkg", *, name: str | None = None, **facts: Any) -> SourceFile:
    """A directory; state without `name`."""
    facts = {"mode": 0o755} | facts
    return SourceFile(path=path, type=FileType.DIRECTORY, package=package, shipped=name, **facts)


def source(
    parts: Mapping[SliceKey, Sequence[SourceFile]],
    unkept: Mapping[str, Iterable[str]] | None = None,
    architecture: str = "amd64",
    **more: Any,
) -> SliceSource:
    """The source of `parts`; packages ship what is kept of them and `unkept` besides."""
    files = sorted((file for files in parts.values() for file in files), key=lambda file: file.path)
    listed: dict[str, set[str]] = {package: set(names) for package, names in (unkept or {}).items()}
    for file in files:
        listed.setdefault(file.package, set())
        if file.shipped is not None:
            listed[file.package].add(file.shipped)
    return SliceSource(
        distribution="debian", version="12", architecture=architecture,
        files={file.path: file for file in files}, needs=more.pop("needs", {}),
        listed={package: tuple(sorted(names)) for package, names in sorted(listed.items())},
        **more,
    )  # fmt: skip


def write_release(place: Path, contents: Contents) -> Path:
    """A release directory of `contents`, in JSON, which is YAML."""
    release = {
        "format": "v3",
        "maintenance": {"standard": "2020-01-01", "end-of-life": "2099-01-01"},
        "archives": {"ubuntu": {"version": "1", "suites": ["s"], "components": ["main"], "public-keys": ["k"]}},
        "public-keys": {"k": {"id": "E6ACE14D630561D3", "armor": _KEY}},
    }
    (place / "slices").mkdir(parents=True)
    (place / "chisel.yaml").write_text(json.dumps(release))
    packages: dict[str, dict[str, Any]] = {}
    for key, body in contents.bodies.items():
        definition = {"contents": {one.path: _options(one) for one in body.contents}, "mutate": body.mutate}
        packages.setdefault(key.package, {})[key.slice] = definition
    for package, slices in packages.items():
        text = json.dumps({"package": package, "slices": slices})
        (place / "slices" / f"{package}.yaml").write_text(text)
    return place


def refusal(place: Path, contents: Contents) -> str:
    """Why the real chisel refuses `contents` as a release; empty where it accepts it."""
    write_release(place, contents)
    key = str(next(iter(contents.bodies)))
    command = [chisel(), "info", "--release", f"{place}/", key]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    return "" if done.returncode == 0 else done.stderr


def _options(content: Content) -> dict[str, Any]:
    options: dict[str, Any] = {
        PathKind.COPY: {"copy": content.source} if content.source else {},
        PathKind.GLOB: {},
        PathKind.MAKE: {"make": True},
        PathKind.TEXT: {"text": content.text},
        PathKind.SYMLINK: {"symlink": content.source},
        PathKind.GENERATE: {"generate": content.source},
    }[content.kind]
    options |= {"mode": content.mode} if content.mode is not None else {}
    options |= {"mutable": True} if content.mutable else {}
    options |= {"until": content.until} if content.until else {}
    return options | ({"arch": list(content.arch)} if content.arch else {})
