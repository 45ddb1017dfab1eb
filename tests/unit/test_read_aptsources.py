"""Repositories of a root's apt: which are read, and what a damaged file does."""

from __future__ import annotations

from pathlib import Path

import pytest

from pruner.read.aptsources import Source, read_apt_sources
from pruner.rootfs import Tree, open_root

STANZA = "Types: deb\n{}URIs: https://mirror.example/debian\nSuites: stable\nComponents: main\n"


def sources_of(place: Path, name: str, text: str) -> tuple[Source, ...]:
    path = place / "etc/apt" / name
    path.parent.mkdir(parents=True)
    path.write_text(text)
    root = open_root(str(place))
    try:
        return read_apt_sources(root, Tree(root.files))
    finally:
        root.close()


@pytest.mark.parametrize(
    ("line", "count"),
    [
        ("", 1), ("Enabled: yes\n", 1), ("Enabled:\n", 1), ("Enabled: maybe\n", 1), ("Enabled: no\n", 0),
        ("Enabled: NO\n", 0), ("Enabled: false\n", 0), ("Enabled: off\n", 0), ("Enabled: 0\n", 0),
    ],
)  # fmt: skip
def test_a_repository_that_is_off_is_none(tmp_path: Path, line: str, count: int) -> None:
    """Each word that apt takes for off is off; an empty field and an unknown word are not."""
    assert len(sources_of(tmp_path, "sources.list.d/one.sources", STANZA.format(line))) == count


@pytest.mark.parametrize(
    "uri",
    ["mirror+https://x.example/list", "file:///srv/archive", "https://me:secret@x.example/", 'https://x/"', "x"],
)
def test_an_address_that_others_can_not_fetch_is_left_out(tmp_path: Path, uri: str) -> None:
    """apt's own methods, files, passwords and what is no address stand in nothing that is emitted."""
    assert sources_of(tmp_path, "sources.list", f"deb {uri} stable main\n") == ()


@pytest.mark.parametrize("text", ["deb", "deb [", "deb [a=b] x", "\0\udcff", "Types:\nURIs:\n"])
def test_a_damaged_file_names_no_repository(tmp_path: Path, text: str) -> None:
    """A plan of a root with such a file is made all the same."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    text = text.encode("utf-8", "surrogateescape").decode("latin-1")
    assert sources_of(tmp_path / "a", "sources.list", text) == ()
    assert sources_of(tmp_path / "b", "sources.list.d/x.sources", text) == ()
