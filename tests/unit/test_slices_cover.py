"""Which path of a release serves for one that is wanted: the very same one, made the same way."""

from __future__ import annotations

from pathlib import Path

import pytest

from pruner.slices.merge import merge
from pruner.slices.missing import missing
from pruner.slices.readrelease import read_release
from pruner.slices.types import Content, PathKind
from tests.unit.test_slices_merge import generated, key, make, part

OTHERWISE: dict[str, tuple[str, Content]] = {
    "link elsewhere": ("{symlink: /opt/evil}", Content(path="/x", kind=PathKind.SYMLINK, source="usr/bin")),
    "link for a file": ("{symlink: /opt/evil}", Content(path="/x")),
    "other text": ("{text: b}", Content(path="/x", kind=PathKind.TEXT, text="a")),
    "other mode": ("{text: a, mode: 0666}", Content(path="/x", kind=PathKind.TEXT, text="a")),
    "text for a file": ("{text: a}", Content(path="/x")),
    "file for a text": ("", Content(path="/x", kind=PathKind.TEXT, text="a")),
    "copy of another": ("{copy: /opt/evil}", Content(path="/x")),
    "directory for all": ("{make: true, mode: 0777}", Content(path="/x/", kind=PathKind.MAKE, mode=0o750)),
}


@pytest.mark.parametrize("owner", ["tool", "other"])
@pytest.mark.parametrize("name", OTHERWISE)
def test_a_path_that_is_made_otherwise_does_not_serve(tmp_path: Path, name: str, owner: str) -> None:
    """A release's link, text, directory or copy of the same path brings not what is wanted; chisel takes no second."""
    options, content = OTHERWISE[name]
    text = f"package: {owner}\nslices:\n  data:\n    contents:\n      {content.path}: {options}\n"
    existing = read_release(make(tmp_path, **{owner: text})).release
    wanted = generated(part("tool_data", content), cut=("tool_data",))
    merged = merge(wanted, existing)
    assert merged.refused == (f"{content.path} of tool_data: {owner}_data makes it otherwise",)
    assert merged.additions == {}
    assert merged.cut == ()
    (row,) = missing(wanted, existing)
    assert (row.slices, row.missing) == ((), (content.path,))


SAME: dict[str, tuple[str, Content]] = {
    "link": ("{symlink: usr/bin, mode: 0777}", Content(path="/x", kind=PathKind.SYMLINK, source="usr/bin")),
    "text": ("{text: a, mode: 0644}", Content(path="/x", kind=PathKind.TEXT, text="a")),
    "file": ("{mode: 0600}", Content(path="/x")),
    "copy": ("{copy: /lib/x}", Content(path="/x", source="/lib/x")),
    "directory": ("{make: true}", Content(path="/x/", kind=PathKind.MAKE, mode=0o755)),
    "directory of an archive": ("", Content(path="/x/", kind=PathKind.MAKE, mode=0o755)),
}


@pytest.mark.parametrize("name", SAME)
def test_a_path_that_is_made_the_same_serves(tmp_path: Path, name: str) -> None:
    """Defaults count as written; a mode has no effect on links and on what is extracted."""
    options, content = SAME[name]
    text = f"package: tool\nslices:\n  bins:\n    contents:\n      {content.path}: {options}\n"
    existing = read_release(make(tmp_path, tool=text)).release
    merged = merge(generated(part("tool_data", content), cut=("tool_data",)), existing)
    assert (merged.refused, merged.cut, merged.additions) == ((), (key("tool_bins"),), {})


def test_what_a_script_of_the_package_fills_comes_along_and_is_noted(tmp_path: Path) -> None:
    """A placeholder is no content: the slice may make what is wanted, and the path is named as made otherwise."""
    text = (
        "package: certs\nslices:\n  data:\n    mutate: |\n      content.write('/x', '')\n    contents:\n"
        "      /x: {text: FIXME, mutable: true}\n"
    )
    existing = read_release(make(tmp_path, certs=text)).release
    wanted = generated(part("certs_data", Content(path="/x", kind=PathKind.TEXT, text="all")), cut=("certs_data",))
    merged = merge(wanted, existing)
    assert merged.noted == ("/x of certs_data: certs_data makes it otherwise",)
    assert (merged.cut, merged.additions) == ((key("certs_data"),), {})
    (row,) = missing(wanted, existing)
    assert (row.slices, row.missing) == ((key("certs_data"),), ("/x",))
