"""Writes small releases of slice definitions for tests."""

from __future__ import annotations

import random
from pathlib import Path

from tests.chisel.releases import armored_key

KEY_ID, ARMOR = armored_key(random.Random(7))
KEYS = f"public-keys:\n  k:\n    id: {KEY_ID}\n    armor: |\n" + "".join(
    f"      {line}\n" for line in ARMOR.split("\n")
)
ARCHIVES = "archives:\n  ubuntu: {version: any, suites: [s], components: [main], public-keys: [k]}\n"
DATES = "maintenance: {standard: 2020-01-01, end-of-life: 2099-01-01}\n"


def chisel_yaml(style: str = "v3", *, archives: str = ARCHIVES, dates: str = DATES, keys: str = KEYS) -> str:
    """A `chisel.yaml`; the format is on line 1, the dates on line 2, the archives from line 3 on."""
    return f"format: {style}\n{dates}{archives}{keys}"


def write_release(directory: Path, files: dict[str, str | bytes], *, style: str = "v3") -> Path:
    """A release with `files` below `slices`, or elsewhere where the name has a slash; `chisel.yaml` if not given."""
    for name, text in {"./chisel.yaml": chisel_yaml(style), **files}.items():
        path = directory / (name if "/" in name else f"slices/{name}.yaml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    (directory / "slices").mkdir(exist_ok=True)
    return directory
