"""The index of a whole Debian archive, as the configured mirror serves it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.support import need, skip

SUITE = "bookworm"
_HELPER = "/usr/lib/apt/apt-helper"


def archive_index() -> Path:
    """Packages.xz of bookworm main for amd64, in the cache; skips visibly where no source of apt has it."""
    base = Path(os.environ.get("PRUNER_CACHE") or Path.home() / ".cache" / "pruner") / "index"
    path = base / f"{SUITE}-main-amd64-Packages.xz"
    if not path.exists():
        need("apt-get")
        uri = _uri()
        if uri is None:
            skip(f"no source of apt has {SUITE} main for amd64")
        base.mkdir(parents=True, exist_ok=True)
        partial = base / f"{path.name}.{os.getpid()}"
        subprocess.run([_HELPER, "-q", "download-file", f"{uri}.xz", str(partial)], check=True, capture_output=True)
        partial.rename(path)
    return path


def _uri() -> str | None:
    filters = ["Created-By: Packages", f"Release: {SUITE}", "Component: main", "Architecture: amd64"]
    done = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(URI)", *filters], capture_output=True, text=True, check=False
    )
    return (done.stdout.split() or [None])[0]
