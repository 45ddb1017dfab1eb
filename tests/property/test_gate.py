"""Laws of comparisons: nothing differs from itself, what is swapped is mirrored, and order is nothing."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from pruner.gate.compare import compare
from pruner.gate.types import Change, PackageKey, Side, SideFile, SideKind, SidePackage
from pruner.model import FileType

NAMES = st.sampled_from(["a", "b", "c", "lib"])
KEYS = st.builds(
    PackageKey,
    st.sampled_from(["deb", "npm", "pypi"]),
    st.sampled_from(["", "debian"]),
    NAMES,
    st.sampled_from(["", "amd64"]),
)
VERSIONS = st.sampled_from(["1.0", "1.1", "2.0", "10.0", "1.0~rc1"])
PATHS = st.sampled_from(["/bin/sh", "/usr/bin/curl", "/usr/lib/libx.so.1", "/etc/x", "/x/" + "\udcff"])


@st.composite
def sides(draw: st.DrawFn) -> Side:
    keys = draw(st.lists(st.tuples(KEYS, VERSIONS), unique=True, max_size=8))
    paths = draw(st.lists(PATHS, unique=True, max_size=5))
    files = {}
    for path in sorted(paths, key=lambda path: path.encode("utf-8", "surrogateescape")):
        owner = draw(st.one_of(st.none(), st.sampled_from([key for key, _ in keys]))) if keys else None
        kind = draw(st.sampled_from([FileType.REGULAR, FileType.SYMLINK, FileType.DIRECTORY]))
        files[path] = SideFile(
            path=path,
            type=kind,
            mode=draw(st.sampled_from([None, 0o644, 0o755, 0o4755, 0o777])),
            bytes=draw(st.sampled_from([None, 0, 5])) if kind is FileType.REGULAR else None,
            digest=draw(st.sampled_from([None, "sha256:0", "sha256:1", "sha1:0"]))
            if kind is FileType.REGULAR
            else None,
            target=draw(st.sampled_from(["/bin/sh", "x"])) if kind is FileType.SYMLINK else None,
            owner=owner,
            capabilities=draw(st.sampled_from([None, b"", b"\1"])),
        )
    packages: dict[PackageKey, tuple[SidePackage, ...]] = {}
    for key, version in sorted(keys):
        own = tuple(path for path, file in files.items() if file.owner == key)
        made = SidePackage(key=key, version=version, purl=f"pkg:{key.type}/{key.name}@{version}", files=own)
        packages[key] = (*packages.get(key, ()), made)
    return Side(
        kind=draw(st.sampled_from(SideKind)),
        name="side",
        packages=packages,
        files=files if draw(st.booleans()) else None,
        complete=draw(st.booleans()),
        binaries={},
    )


MIRROR = {
    Change.ADDED: Change.REMOVED,
    Change.REMOVED: Change.ADDED,
    Change.UPGRADED: Change.DOWNGRADED,
    Change.DOWNGRADED: Change.UPGRADED,
    Change.RESLICED: Change.RESLICED,
    Change.CHANGED: Change.CHANGED,
}


@given(sides())
def test_nothing_differs_from_itself(one: Side) -> None:
    """No package, no file, the same surface."""
    found = compare(one, one)
    assert found.packages == ()
    assert not found.files
    assert found.surface_before == found.surface_after


@given(sides(), sides())
def test_swapped_sides_give_mirrored_changes(one: Side, other: Side) -> None:
    """What was added is removed, what was upgraded is downgraded; the same files changed in the same respects."""
    there, back = compare(one, other), compare(other, one)
    forward = sorted(
        (change.change, (change.before and change.before.purl) or "", (change.after and change.after.purl) or "")
        for change in there.packages
    )
    backward = sorted(
        (
            MIRROR[change.change],
            (change.after and change.after.purl) or "",
            (change.before and change.before.purl) or "",
        )
        for change in back.packages
    )
    assert forward == backward
    assert [(change.path, change.change, change.what) for change in there.files or ()] == [
        (change.path, MIRROR[change.change], change.what) for change in back.files or ()
    ]
    assert there.surface_before == back.surface_after


@given(sides(), sides(), st.randoms(use_true_random=False))
def test_the_order_of_the_sides_own_mappings_is_nothing(one: Side, other: Side, chance: random.Random) -> None:
    """A comparison is sorted by itself."""

    def shuffled(side: Side) -> Side:
        from dataclasses import replace

        packages = list(side.packages.items())
        files = list((side.files or {}).items())
        chance.shuffle(packages)
        chance.shuffle(files)
        return replace(side, packages=dict(packages), files=None if side.files is None else dict(files))

    expected, found = compare(one, other), compare(shuffled(one), shuffled(other))
    assert found.packages == expected.packages
    assert found.files == expected.files
    assert found.surface_after == expected.surface_after


@given(sides(), sides())
def test_every_state_is_one_of_four(one: Side, other: Side) -> None:
    """Files remain exactly where a package is no longer visible."""
    for change in compare(one, other).packages:
        assert change.visibility in {"present", "removed", "invisible", "unknown"}
        assert bool(change.remaining) == (change.visibility == "invisible")
        assert (change.after is None) == (change.change is Change.REMOVED)
