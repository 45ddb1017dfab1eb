"""Opening inputs: compression, standard input, limits and damage."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import sys

import pytest
import zstandard

from pruner.errors import InputError
from pruner.read import read_sbom, source
from pruner.read.source import beginning_of, read_input
from tests.unit.sboms import deb, document

DATA = b"some text " * 50_000
PACKERS = {
    "plain": bytes,
    "gzip": gzip.compress,
    "two gzip members": lambda data: gzip.compress(data[:100]) + gzip.compress(data[100:]),
    "zstd": zstandard.compress,
    "two zstd frames": lambda data: zstandard.compress(data[:100]) + zstandard.compress(data[100:]),
    "xz": lzma.compress,
    "bzip2": bz2.compress,
}


@pytest.mark.parametrize("pack", PACKERS.values(), ids=PACKERS)
def test_compression_is_seen_through(tmp_path, pack):
    """By magic, whatever the file is called; members and frames one after the other."""
    path = tmp_path / "input"
    path.write_bytes(pack(DATA))
    assert read_input(str(path)).data == DATA
    assert beginning_of(path, 4096) == DATA[:4096]


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress, lzma.compress, bz2.compress])
def test_the_beginning_of_what_is_damaged(tmp_path, pack):
    """It ends where the damage begins, without an error: whoever reads the whole tells of it."""
    path = tmp_path / "input"
    path.write_bytes(pack(DATA)[:20])
    assert DATA.startswith(beginning_of(path, 4096))
    path.write_bytes(pack(DATA)[:8] + b"\xff" * 40)
    assert beginning_of(path, 4096) == b""


@pytest.mark.parametrize("pack", PACKERS.values(), ids=PACKERS)
def test_limit(tmp_path, pack, monkeypatch):
    """What decompresses to more than the limit is refused before it is there."""
    path = tmp_path / "bomb"
    path.write_bytes(pack(bytes(3 << 20)))
    assert len(read_input(str(path), limit=3 << 20).data) == 3 << 20
    with pytest.raises(InputError, match=r"holds more than 2 MiB") as caught:
        read_input(str(path), limit=2 << 20)
    assert "bomb" in caught.value.hint


@pytest.mark.parametrize("pack", [pack for name, pack in PACKERS.items() if name != "plain"])
def test_damage(tmp_path, pack):
    """A file cut short or changed is damaged, never taken for the whole."""
    packed = pack(DATA)
    path = tmp_path / "input"
    for data in (packed[: len(packed) // 2], packed[:-1], packed[:12] + b"\xff" * 20 + packed[32:]):
        path.write_bytes(data)
        with pytest.raises(InputError, match="damaged compressed data"):
            read_input(str(path))


def test_standard_input(monkeypatch):
    """`-` reads an SBOM from it, compressed or not."""
    import json

    class Input:
        buffer = io.BytesIO(gzip.compress(json.dumps(document([deb("tool")])).encode()))

    monkeypatch.setattr(sys, "stdin", Input)
    assert [package.name for package in read_sbom("-").packages] == ["tool"]


def test_unreadable(tmp_path):
    """Missing, a directory, a name that can't be one; the message is safe to print."""
    for name, reason in ((tmp_path / "missing\x1b", "no such file"), (tmp_path, "is a directory"), ("a\0b", "null")):
        with pytest.raises(InputError, match=reason) as caught:
            read_input(str(name))
        assert caught.value.fact.isprintable()


def test_limit_holds_for_ordinary_images():
    """A document of a hundred thousand files has 62 MB."""
    assert source.MAX_BYTES >= 4 * 62_000_000
