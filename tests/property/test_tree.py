"""Laws of path look-ups: the tree answers what the kernel answers, and what a naive reading of the rules answers."""

from __future__ import annotations

import ctypes
import errno
import fnmatch
import os
import platform
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pruner.model import File, FileType
from pruner.rootfs.tree import Tree
from tests.support import skip

NAMES = st.sampled_from(["a", "b", "c", "lib", "é", "x\n$(y)", os.fsdecode(b"\xff\xfe"), ".h"])
PARTS = st.one_of(NAMES, st.sampled_from(["..", ".", "", "a", "b"]))
TEXTS = st.builds(
    lambda absolute, parts, slash: ("/" if absolute else "") + "/".join(parts) + ("/" if slash else ""),
    st.booleans(),
    st.lists(PARTS, min_size=1, max_size=6),
    st.booleans(),
).filter(lambda text: text.strip() != "")
CONTENTS = st.one_of(st.none(), st.just(FileType.REGULAR), TEXTS)
"""None: a directory; FileType.REGULAR: a file; text: a link to it."""


@st.composite
def listings(draw: st.DrawFn) -> dict[str, File]:
    """A listing in which every parent is a listed directory."""
    files: dict[str, File] = {}
    directories = [""]
    for _ in range(draw(st.integers(0, 14))):
        path = f"{draw(st.sampled_from(directories))}/{draw(NAMES)}"
        if path in files:
            continue
        content = draw(CONTENTS)
        if content is None:
            files[path] = File(path=path, type=FileType.DIRECTORY)
            directories.append(path)
        elif isinstance(content, FileType):
            files[path] = File(path=path, type=content)
        else:
            files[path] = File(path=path, type=FileType.SYMLINK, target=content)
    return files


def materialise(files: dict[str, File], root: Path) -> None:
    for path in sorted(files):
        place, found = Path(f"{root}{path}"), files[path]
        if found.type is FileType.DIRECTORY:
            place.mkdir()
        elif found.type is FileType.SYMLINK:
            assert found.target is not None
            place.symlink_to(found.target)
        else:
            place.touch()


class HowToOpen(ctypes.Structure):
    """`struct open_how` of openat2(2)."""

    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


OPENAT2 = 437
RESOLVE_IN_ROOT = 0x10
PROBLEMS = {errno.ENOENT: "missing", errno.ELOOP: "loop", errno.ENOTDIR: "not-a-directory"}


def kernel_answer(root: Path, path: str, *, follow: bool) -> tuple[str | None, str]:
    """What openat2(2) with RESOLVE_IN_ROOT finds for `path`: its real path in `root`, or the problem."""
    libc = ctypes.CDLL(None, use_errno=True)
    directory = os.open(root, os.O_PATH | os.O_DIRECTORY)
    try:
        how = HowToOpen(os.O_PATH | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW), 0, RESOLVE_IN_ROOT)
        opened = libc.syscall(OPENAT2, directory, os.fsencode(path), ctypes.byref(how), ctypes.sizeof(how))
        if opened < 0:
            return None, PROBLEMS.get(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        try:
            return str(Path(f"/proc/self/fd/{opened}").readlink()).removeprefix(os.path.realpath(root)) or "/", ""
        finally:
            os.close(opened)
    finally:
        os.close(directory)


@pytest.fixture(scope="module")
def openat2() -> None:
    if platform.machine() not in {"x86_64", "aarch64"}:
        skip("openat2 is called by its number on x86_64 and aarch64 only")
    with tempfile.TemporaryDirectory() as place:
        if kernel_answer(Path(place), "/", follow=True) != ("/", ""):
            skip("the kernel has no openat2 with RESOLVE_IN_ROOT")


@settings(max_examples=400, deadline=None)
@given(files=listings(), path=TEXTS)
@pytest.mark.usefixtures("openat2")
def test_lookups_agree_with_the_kernel(files: dict[str, File], path: str) -> None:
    """`resolve` and `locate` find what openat2 finds when the listing is a real directory and that is the root."""
    tree = Tree(files)
    with tempfile.TemporaryDirectory() as place:
        materialise(files, Path(place))
        for follow, look in ((True, tree.resolve), (False, tree.locate)):
            for asked in (path, path):  # the second look is answered from the cache
                expected = kernel_answer(Path(place), asked, follow=follow)
                actual = look(asked)
                assert (actual.path, actual.problem.replace("outside", "")) == expected


def naive_resolution(files: dict[str, File], path: str) -> tuple[str | None, list[str]]:
    """Component by component, nothing cached; path_resolution(7)."""
    links: list[str] = []
    current: list[str] = []
    todo = path.split("/")
    while todo:
        name, *todo = todo
        here = "/" + "/".join(current)
        if current and files[here].type is not FileType.DIRECTORY:
            return None, links
        if name == "..":
            current = current[:-1]
        elif name not in {"", "."}:
            current = [*current, name]
            found = files.get("/" + "/".join(current))
            if found is None:
                return None, links
            if found.type is FileType.SYMLINK:
                links.append(found.path)
                if len(links) > 40:
                    return None, links
                assert found.target is not None
                current = [] if found.target.startswith("/") else current[:-1]
                todo = [*found.target.split("/"), *todo]
    return "/" + "/".join(current), links


@settings(max_examples=600, deadline=None)
@given(files=listings(), path=TEXTS, base=TEXTS)
def test_links_are_those_that_a_naive_look_traverses(files: dict[str, File], path: str, base: str) -> None:
    """The links of a resolution are the traversed ones, each once, in order; a relative path starts in its base."""
    tree = Tree(files)
    base = f"/{base}"
    expected, links = naive_resolution(files, path if path.startswith("/") else f"{base}/{path}")
    actual = tree.resolve(path, base)
    assert actual.path == expected
    assert list(actual.links) == list(dict.fromkeys(links))


@settings(max_examples=300, deadline=None)
@given(files=listings())
def test_every_listed_path_is_located_at_itself(files: dict[str, File]) -> None:
    """A real path is located at itself through no link, and its parent lists it."""
    tree = Tree(files)
    for path in files:
        located = tree.locate(path)
        assert (located.path, located.links, located.problem) == (path, (), "")
        assert path in tree.children(path.rpartition("/")[0] or "/")
        assert path in tree.under("/")


@settings(max_examples=300, deadline=None)
@given(files=listings())
def test_under_is_every_path_with_the_prefix(files: dict[str, File]) -> None:
    """`under` gives what begins with the directory and a slash, in bytewise order."""
    tree = Tree(files)
    for directory in ("/", *files):
        expected = [path for path in files if path.startswith(directory.rstrip("/") + "/")]
        assert list(tree.under(directory)) == sorted(expected, key=os.fsencode)


@settings(max_examples=300, deadline=None)
@given(files=listings())
def test_directories_that_only_paths_imply_are_found(files: dict[str, File]) -> None:
    """Without its directories a listing resolves every path that is left to the same place."""
    full = Tree(files)
    bare = Tree({path: found for path, found in files.items() if found.type is not FileType.DIRECTORY})
    for path in bare.files:
        assert bare.locate(path) == full.locate(path)
        parent = path.rpartition("/")[0] or "/"
        found = bare.get(parent)
        assert found is not None
        assert found.type is FileType.DIRECTORY


PATTERN_PARTS = st.one_of(NAMES.filter(str.isalpha), st.sampled_from(["*", "?", "**", "[ab]", "l*", "*b"]))


def naive_glob(tree: Tree, directory: str, parts: list[str]) -> set[str]:
    """All matches of `parts` below the real `directory`, by plain recursion."""
    if not parts:
        return set()
    first, *rest = parts
    if first == "**":
        if not rest:
            return set(tree.under(directory))
        found = naive_glob(tree, directory, rest)
        for child in tree.children(directory):
            entry = tree.get(child)
            if entry is not None and entry.type is FileType.DIRECTORY:
                found |= naive_glob(tree, child, parts)
        return found
    found = set()
    for child in tree.children(directory):
        if not fnmatch.fnmatchcase(child.rpartition("/")[2], first):
            continue
        if not rest:
            found.add(child)
            continue
        target = tree.resolve(child).path
        entry = None if target is None else tree.get(target)
        if target is not None and entry is not None and entry.type is FileType.DIRECTORY:
            found |= naive_glob(tree, target, rest)
    return found


@settings(max_examples=400, deadline=None)
@given(files=listings(), parts=st.lists(PATTERN_PARTS, min_size=1, max_size=4))
def test_globs_agree_with_a_naive_search(files: dict[str, File], parts: list[str]) -> None:
    """A pattern matches what component-wise recursion matches, in bytewise order and without repetition."""
    tree = Tree(files)
    expected = naive_glob(tree, "/", parts)
    assert list(tree.glob("/" + "/".join(parts))) == sorted(expected, key=os.fsencode)


@settings(max_examples=300, deadline=None)
@given(
    listing=st.dictionaries(
        st.lists(NAMES, min_size=1, max_size=4).map(lambda parts: "/" + "/".join(parts)), CONTENTS, max_size=12
    ),
    path=TEXTS,
)
def test_a_contradictory_listing_is_answered_without_failing(listing: dict[str, object], path: str) -> None:
    """Names below files and links (a mutated SBOM) are never found, whatever else is asked."""
    files = {
        name: File(path=name, type=FileType.DIRECTORY)
        if content is None
        else File(path=name, type=content)
        if isinstance(content, FileType)
        else File(path=name, type=FileType.SYMLINK, target=str(content))
        for name, content in listing.items()
    }
    tree = Tree(files)
    for found in (tree.resolve(path).path, tree.locate(path).path, *tree.glob("/*/*"), *tree.glob("/**/a")):
        while found and (found := found.rpartition("/")[0]):
            parent = tree.get(found)
            assert parent is not None
            assert parent.type is FileType.DIRECTORY
