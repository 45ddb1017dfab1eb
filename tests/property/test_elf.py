"""An ELF file is hostile input: whatever it holds, the reader answers and never raises."""

from __future__ import annotations

import sys
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from pruner.analyze.elf import edges_of_elf
from pruner.model import Findings
from tests.elfs import made_view, make_elf

SAMPLES = [
    make_elf(
        bits=bits,
        little=little,
        machine=machine,
        needed=["libz.so.1"],
        runpath="$ORIGIN/${LIB}",
        interpreter="/lib64/ld-linux-x86-64.so.2",
        imports=["dlopen", "execvp"],
        constants=b"\0/etc/x.conf\0/usr/lib/%s/y.so\0libfoo.so.1\0",
    )
    for bits, little, machine in ((64, True, 62), (64, False, 22), (32, True, 3), (32, False, 20))
]
REAL = Path(sys.executable).resolve().read_bytes()[: 1 << 16]


def look(data: bytes) -> Findings:
    view = made_view({"/app/x": data, "/etc/x.conf": b"x", "/usr/lib/libz.so.1": SAMPLES[0]})
    return edges_of_elf(view.tree.get("/app/x"), view.read("/app/x"), True, view)


@given(st.sampled_from(SAMPLES), st.integers(min_value=4, max_value=4096))
def test_a_file_cut_anywhere_is_an_unknown(sample: bytes, length: int):
    """Every cut loses something that the headers promise, and the answer says so."""
    cut = sample[: min(length, len(sample) - 1)]
    assert "elf" in {unknown.kind for unknown in look(cut).unknowns}


@given(
    st.sampled_from([*SAMPLES, REAL]), st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(0, 255)), max_size=24)
)
@settings(max_examples=200, deadline=None)
def test_changed_bytes_never_raise(sample: bytes, changes: list[tuple[int, int]]):
    data = bytearray(sample)
    for place, value in changes:
        data[place % (len(data) if place % 3 else 256)] = value
    data[:4] = b"\x7fELF"
    assert isinstance(look(bytes(data)), Findings)


@given(st.binary(max_size=600))
def test_any_bytes_never_raise(tail: bytes):
    assert isinstance(look(b"\x7fELF" + tail), Findings)
