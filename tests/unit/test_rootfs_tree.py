"""Path look-ups on listings small enough to read."""

from __future__ import annotations

import itertools

import pytest

from pruner.errors import InputError
from pruner.model import File, FileType
from pruner.rootfs import Resolution, Tree


def tree_of(*lines: str) -> Tree:
    """`/d/` a directory, `/f` a file, `/x*` an executable, `/l -> target` a link."""
    files = {}
    for line in lines:
        path, _, target = line.partition(" -> ")
        if target:
            files[path] = File(path=path, type=FileType.SYMLINK, mode=0o777, target=target)
        elif path.endswith("/"):
            files[path[:-1]] = File(path=path[:-1], type=FileType.DIRECTORY, mode=0o755)
        elif path.endswith("*"):
            files[path[:-1]] = File(path=path[:-1], type=FileType.REGULAR, mode=0o755)
        else:
            files[path] = File(path=path, type=FileType.REGULAR)
    return Tree(files)


MERGED = tree_of(
    "/bin -> usr/bin",
    "/lib -> usr/lib",
    "/usr/",
    "/usr/bin/",
    "/usr/bin/dash*",
    "/usr/bin/sh -> dash",
    "/usr/bin/notes",
    "/usr/bin/vi -> /etc/alternatives/vi",
    "/usr/bin/vim*",
    "/usr/lib/",
    "/usr/lib/libz.so.1 -> libz.so.1.2",
    "/usr/lib/libz.so.1.2",
    "/usr/local/",
    "/usr/local/bin/",
    "/usr/local/bin/sh",
    "/etc/",
    "/etc/.hidden",
    "/etc/alternatives/",
    "/etc/alternatives/vi -> /usr/bin/vim",
    "/etc/loop -> loop",
    "/etc/up -> ../../../usr/bin/sh",
)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/bin/sh", Resolution("/usr/bin/dash", ("/bin", "/usr/bin/sh"))),
        ("/usr/bin/vi", Resolution("/usr/bin/vim", ("/usr/bin/vi", "/etc/alternatives/vi"))),
        ("/lib/libz.so.1", Resolution("/usr/lib/libz.so.1.2", ("/lib", "/usr/lib/libz.so.1"))),
        ("/", Resolution("/", ())),
        ("//usr/./bin//", Resolution("/usr/bin", ())),
        ("/bin/nothing", Resolution(None, ("/bin",), "missing")),
        ("", Resolution(None, (), "missing")),
        ("/etc/loop", Resolution(None, ("/etc/loop",), "loop")),
        ("/etc/loop/below", Resolution(None, ("/etc/loop",), "loop")),
        ("/usr/bin/dash/x", Resolution(None, (), "not-a-directory")),
        ("/usr/bin/dash/", Resolution(None, (), "not-a-directory")),
        ("/../usr/bin/dash", Resolution("/usr/bin/dash", (), "outside")),
        ("/etc/up", Resolution("/usr/bin/dash", ("/etc/up", "/usr/bin/sh"), "outside")),
        ("/bin/../lib", Resolution("/usr/lib", ("/bin",))),
    ],
)
def test_resolve_follows_everything(path: str, expected: Resolution) -> None:
    """Links of every component are followed inside the root, and what went wrong is named."""
    assert MERGED.resolve(path) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/bin/sh", Resolution("/usr/bin/sh", ("/bin",))),
        ("/bin", Resolution("/bin", ())),
        ("/bin/", Resolution("/usr/bin", ("/bin",))),
        ("/etc/loop", Resolution("/etc/loop", ())),
        ("/etc/up", Resolution("/etc/up", ())),
    ],
)
def test_locate_leaves_the_last_component(path: str, expected: Resolution) -> None:
    """The name itself is found: parents are followed, a link at the end is not."""
    assert MERGED.locate(path) == expected


def test_relative_paths_start_in_their_base() -> None:
    """A base is a directory, named through links if need be; absolute paths ignore it."""
    assert MERGED.resolve("sh", "/bin").path == "/usr/bin/dash"
    assert MERGED.locate("../lib/libz.so.1", "/usr/bin").path == "/usr/lib/libz.so.1"
    assert MERGED.resolve("/lib", "/nowhere").path == "/usr/lib"
    assert MERGED.resolve("x", "/usr/bin/dash").problem == "not-a-directory"


def test_forty_links_are_followed_and_no_more() -> None:
    """The limit of links is the kernel's, counted over all components."""
    chain = tree_of("/0", *(f"/{number} -> {number - 1}" for number in range(1, 42)))
    assert chain.resolve("/40").path == "/0"
    assert chain.resolve("/41").problem == "loop"


def test_links_that_multiply_end() -> None:
    """Each link leading twice through the next one takes no exponential time."""
    names = "abcdefghijklmnopqrstuvwxyz"
    links = [f"/{one} -> {two}/../{two}" for one, two in itertools.pairwise(names)]
    tree = tree_of("/z/", *links)
    assert tree.resolve("/a").problem == "loop"
    assert tree.resolve("/y").path == "/z"


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("/lib/libz*", ("/usr/lib/libz.so.1", "/usr/lib/libz.so.1.2")),
        ("/bin/[sv]?", ("/usr/bin/sh", "/usr/bin/vi")),
        ("/etc/*", ("/etc/.hidden", "/etc/alternatives", "/etc/loop", "/etc/up")),
        ("/usr/*/sh", ("/usr/bin/sh",)),
        ("/usr/**/sh", ("/usr/bin/sh", "/usr/local/bin/sh")),
        ("/*/sh", ("/usr/bin/sh",)),
        ("/etc/alternatives/**", ("/etc/alternatives/vi",)),
        ("/bin/sh", ("/usr/bin/sh",)),
        ("/usr/l*/", ("/usr/lib", "/usr/local")),
        ("/nowhere/*", ()),
        ("/usr/bin/dash/*", ()),
    ],
)
def test_globs(pattern: str, expected: tuple[str, ...]) -> None:
    """Patterns match real paths once, through links in their leading and middle components."""
    assert MERGED.glob(pattern) == expected


def test_which_takes_the_first_executable_file() -> None:
    """Directories are searched in order; names that are not executable files are passed over."""
    assert MERGED.which("sh", ("/usr/local/bin", "/bin")) == "/usr/bin/sh"
    assert MERGED.which("notes", ("/bin",)) is None
    assert MERGED.which("vi", ("/bin",)) == "/usr/bin/vi"
    assert MERGED.which("/bin/sh", ()) == "/usr/bin/sh"
    assert MERGED.which("bin", ("/",)) is None
    assert MERGED.which("", ("/bin",)) is None


def test_children_and_under() -> None:
    """`children` are direct, `under` is everything, neither mistakes a common beginning for a directory."""
    tree = tree_of("/a/", "/a/b", "/a/c/", "/a/c/d", "/a-b/", "/a-b/x", "/a0")
    assert tree.children("/") == ("/a", "/a-b", "/a0")
    assert tree.children("/a") == ("/a/b", "/a/c")
    assert tree.children("/a/b") == ()
    assert tree.under("/a") == ("/a/b", "/a/c", "/a/c/d")
    assert len(tree.under("/")) == 7


def test_get_knows_the_root_and_implied_directories() -> None:
    """`/` and the parents of listed paths are directories even where the listing leaves them out."""
    tree = tree_of("/usr/bin/x*")
    root, implied = tree.get("/"), tree.get("/usr")
    assert root is not None
    assert root.type is FileType.DIRECTORY
    assert implied is not None
    assert implied.type is FileType.DIRECTORY
    assert "/usr" not in tree.files
    assert tree.get("/usr/lib") is None
    assert tree.get("") is None
    assert tree.resolve("/usr/bin/../bin/x").path == "/usr/bin/x"


def test_a_name_that_no_file_can_have_is_refused() -> None:
    """A lone surrogate of a JSON string is no byte string: a clear message, not a traceback."""
    with pytest.raises(InputError, match="not a file name"):
        tree_of("/\ud800")
