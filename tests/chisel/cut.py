"""Cuts by the real chisel, and the manifests that it writes."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import zstandard

from tests.support import chisel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.chisel.archive import Archive

_TWO = threading.BoundedSemaphore(2)
"""A cut keeps a core busy unpacking."""
MANIFEST = "var/lib/chisel/manifest.wall"
_DECODER = "invalid input: "
"""What chisel's decompressor said once of a sound archive, in some thousands of cuts: tried once more, and told."""
IGNORED = ("--ignore=unmaintained", "--ignore=unstable")
"""What a release says of its maintenance is not what is tried here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """How a cut ended: accepted when `failure` is empty."""

    root: Path
    failure: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """One path of a manifest."""

    slices: tuple[str, ...]
    mode: int
    sha256: str = ""
    """Of a regular file as it is now; empty for others."""
    link: str = ""


def cut(archive: Archive, release: Path, slices: Sequence[str], root: Path) -> Cut:
    """Cut `slices` of the release directory into `root`, which is made; at most two cuts run at a time."""
    root.mkdir(parents=True)
    place = f"{release.parent}/{release.name}/"  # without a slash it would be read as a name of a published release
    command = [chisel(), "cut", "--release", place, "--root", str(root), "--arch", "amd64", *IGNORED, *slices]
    with _TWO:
        done, seconds = _run(command, archive)
        if done.returncode and _DECODER in done.stderr:
            print(f"cut again: {' '.join(slices)}: {done.stderr.splitlines()[-1]}", file=sys.stderr, flush=True)
            shutil.rmtree(root)
            root.mkdir()
            done, seconds = _run(command, archive)
    said = [line for line in done.stderr.splitlines() if line.strip()]
    failure = (said[-1] if said else f"exit code {done.returncode}") if done.returncode else ""
    return Cut(root=root, failure=failure, seconds=seconds)


def _run(command: Sequence[str], archive: Archive) -> tuple[subprocess.CompletedProcess[str], float]:
    started = time.monotonic()
    done = subprocess.run(
        command, env=dict(archive.environment), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    return done, time.monotonic() - started


def manifest(root: Path) -> Mapping[str, Made]:
    """The paths of the manifest in a cut root, by path without the slash at a directory's end."""
    with (root / MANIFEST).open("rb") as stream:
        text = zstandard.ZstdDecompressor().stream_reader(stream).read()
    rows = [json.loads(line) for line in io.BytesIO(text)]
    return {
        row["path"].rstrip("/") or "/": Made(
            slices=tuple(row.get("slices", ())),
            mode=int(row["mode"], 8),
            sha256=row.get("final_sha256") or row.get("sha256", ""),
            link=row.get("link", ""),
        )
        for row in rows
        if row.get("kind") == "path"
    }
