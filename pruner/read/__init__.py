"""From documents to an `Inventory`: one module a format, and the joining of an SBOM with its root."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pruner.model import Inventory

__all__ = ["read_sbom"]


def read_sbom(location: str) -> Inventory:
    """The inventory that the SBOM at `location` states; `-` is standard input; gzip and zstd are seen through.

    Formats: syft-json (schema majors 7 to 16), CycloneDX JSON and XML, SPDX 2.3 JSON. Files and owners are what the
    SBOM alone says. Raises `InputError`, whose message starts with the input's name, when it can't be read, is of
    another format or holds no packages.
    """
    from pruner.read.identify import inventory_of
    from pruner.read.source import read_input

    with _collection_paused():
        return inventory_of(read_input(location))


@contextmanager
def _collection_paused() -> Iterator[None]:
    """Reading makes many objects and no garbage; pausing the collector halves its time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
