"""Knowledge that slices are written by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pruner.errors import InputError
from pruner.rules import slicing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def anew() -> Iterator[None]:
    """The files are read once a process."""
    slicing._listed.cache_clear()
    slicing._series.cache_clear()
    yield
    slicing._listed.cache_clear()
    slicing._series.cache_clear()


def test_the_bundled_files_are_read() -> None:
    """Names are bare, paths absolute, and dates in the order in which the phases of maintenance follow."""
    assert slicing.shared_names()
    assert all("/" not in name for name in slicing.shared_names())
    assert slicing.shared_paths()
    assert all(path.startswith("/") for path in slicing.shared_paths())
    assert slicing.suite_of("debian", "12") == "bookworm"
    dates = slicing.dates_of("ubuntu", "24.04")
    assert list(dates) == ["standard", "expanded", "legacy", "end-of-life"]
    assert list(dates.values()) == sorted(dates.values())


def test_what_is_not_known_is_empty() -> None:
    """Another distribution has no suite and no dates here."""
    assert (slicing.suite_of("fedora", "41"), slicing.dates_of("debian", "1")) == ("", {})


def test_an_entry_without_a_reason_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Knowledge comes with its reason and a reference; the message names file and line."""
    (tmp_path / "slices").mkdir()
    (tmp_path / "slices/directories.yaml").write_text(
        "format: 1\nnames:\n  - names: [a]\n    why: it is so\npaths: x\n"
    )
    monkeypatch.setattr(slicing, "bundled_rules_directory", lambda: tmp_path)
    with pytest.raises(InputError, match=r"directories.yaml:3: an entry has names, a reason and a reference"):
        slicing.shared_names()
    with pytest.raises(InputError, match="no list of paths"):
        slicing.shared_paths()
