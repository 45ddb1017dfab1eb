"""Which edges are followed, and what the user's patterns mean."""

from __future__ import annotations

import fnmatch
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pruner.errors import UsageError
from pruner.model import Edge, EdgeKind, File, FileType, Node, Strength
from pruner.pipeline.policy import Policy, drop_matcher, glob_matcher, option_name, real_patterns
from pruner.pipeline.request import Profile
from pruner.rootfs import Tree


def edge(
    target: str = "/usr/bin/x", kind: EdgeKind = EdgeKind.EXEC, strength: Strength = Strength.OPTIONAL, **fields
) -> Edge:
    return Edge(source=Node(fields.pop("source", "/src")), target=Node(target), kind=kind, strength=strength, **fields)


def policy(profile: Profile = Profile.BALANCED, *, accept=(), refuse=(), drop=(), entry_files=()) -> Policy:
    return Policy(
        profile=profile, accept=tuple(accept), refuse=tuple(refuse), entry_files=frozenset(entry_files),
        is_dropped=glob_matcher(drop),
    )  # fmt: skip


@pytest.mark.parametrize("profile", Profile)
def test_hard_edges_are_always_followed(profile: Profile) -> None:
    """No profile and no refusal keeps a hard edge from being followed; only `drop` does."""
    hard = edge(strength=Strength.HARD, group="g", default=False)
    assert policy(profile, refuse=["g", "exec", "/usr/bin/x"]).accepts(hard)
    assert not policy(profile, drop=["/usr/bin/x"], accept=["g", "exec"]).accepts(hard)


@pytest.mark.parametrize(
    ("profile", "default", "followed"),
    [
        (Profile.MINIMAL, True, False), (Profile.MINIMAL, False, False), (Profile.BALANCED, True, True),
        (Profile.BALANCED, False, False), (Profile.PACKAGE, True, True), (Profile.PACKAGE, False, True),
    ],
)  # fmt: skip
def test_profiles(profile: Profile, default: bool, followed: bool) -> None:
    """minimal takes no optional edge, balanced those that are accepted by default, package all."""
    assert policy(profile).accepts(edge(default=default)) is followed


@pytest.mark.parametrize(
    "name", ["group", "exec", "/usr/bin/x", "/usr/bin/*", "exec:/usr/bin/x", "exec:/usr/*", "rule-id"]
)
def test_names_of_an_option(name: str) -> None:
    """An optional edge is accepted or refused by group, kind, path, KIND:PATH or rule, and refusing wins."""
    option = edge(group="group", rule="rule-id", default=False)
    assert policy(accept=[name]).accepts(option)
    assert not policy(Profile.PACKAGE, refuse=[name]).accepts(option)
    assert not policy(accept=[name], refuse=[name]).accepts(option)


@pytest.mark.parametrize("name", ["other", "load", "/usr/bin", "load:/usr/bin/x", "exec:/usr/bin/y", "", "x"])
def test_names_of_other_options(name: str) -> None:
    """A name that means something else decides nothing."""
    assert not policy(accept=[name]).accepts(edge(group="group", rule="rule-id", default=False))
    assert policy(refuse=[name]).accepts(edge(group="group", rule="rule-id", default=True))


def test_every_listed_option_can_be_taken_by_its_name() -> None:
    """What `costs` lists is a name that `--accept` takes, whatever the path looks like."""
    for target, group in itertools.product(["/usr/bin/x", "/a b", "/a:b"], [None, "g"]):
        option = edge(target, group=group, default=False)
        assert policy(accept=[option_name(option)]).accepts(option)


def test_entry_edges_are_beyond_every_word() -> None:
    """What an entry point or `keep` names is followed even where it is dropped."""
    assert policy(drop=["/**"]).accepts(edge(kind=EdgeKind.ENTRY, strength=Strength.HARD))


def test_shell_commands_of_entry_points() -> None:
    """Commands of a script that is an entry point are taken by the balanced profile, those of others are not."""
    command = edge(source="/app/start", group="shell-commands", default=False)
    assert policy(entry_files=["/app/start"]).accepts(command)
    assert not policy(entry_files=["/app/other"]).accepts(command)
    assert not policy(Profile.MINIMAL, entry_files=["/app/start"]).accepts(command)
    assert not policy(entry_files=["/app/start"], refuse=["shell-commands"]).accepts(command)


# -- patterns ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "matches", "others"),
    [
        ("/a/b", ["/a/b", "/a/b/c", "/a/b/c/d"], ["/a", "/a/bc", "/a/x"]),
        ("/a/b/", ["/a/b", "/a/b/c"], ["/a/bc"]),
        ("/a/*", ["/a/b", "/a/b/c", "/a/.b"], ["/a", "/b/a/c"]),
        ("/a/*.so", ["/a/x.so", "/a/x.so/y"], ["/a/b/x.so", "/a/x.so.1"]),
        ("/**/x.so", ["/x.so", "/a/x.so", "/a/b/x.so"], ["/a/y.so", "/ax.so.1"]),
        ("/a/**", ["/a/b", "/a/b/c"], ["/b"]),
        ("/a?c", ["/abc", "/a.c"], ["/a/c", "/ac"]),
        ("/a[0-9]", ["/a1"], ["/ab", "/a"]),
        ("/a[!0-9]", ["/ab"], ["/a1", "/a/"]),
        ("/a[[]b", ["/a[b"], ["/ab"]),
        ("/a[]]b", ["/a]b"], ["/ab"]),
        ("/a[b", ["/a[b"], ["/ab"]),
        ("/a[z-a]", [], ["/az", "/aa"]),
        ("/a\nb", ["/a\nb"], ["/a"]),
        ("/a.b+(c)", ["/a.b+(c)"], ["/aXbb(c)", "/a.bb"]),
        ("/", ["/", "//a"], []),
    ],
)
def test_patterns(pattern: str, matches: list[str], others: list[str]) -> None:
    """`*`, `?` and `[…]` stay within one name, `**` crosses them, a directory means its tree; the rest is literal."""
    matcher = glob_matcher([pattern])
    assert [path for path in matches if not matcher(path)] == []
    assert [path for path in others if matcher(path)] == []


@given(st.text(alphabet="ab[]!-^&~|*?\\.", max_size=8))
def test_no_pattern_breaks(text: str) -> None:
    """Every text is a pattern, and within one name it means what fnmatch says."""
    matcher = glob_matcher([f"/{text}"])
    if "**" in text or not text:
        return
    for name in ("a", "b", "ab", "a]", "[a", "-", "a-b", text):
        if name:
            assert matcher(f"/{name}") is fnmatch.fnmatchcase(name, text), (text, name)


def test_no_patterns_match_nothing() -> None:
    """Without patterns nothing matches."""
    assert not glob_matcher([])("/a")


LINKED = Tree({
    path: File(path=path, type=kind, target=target)
    for path, kind, target in (
        ("/lib", FileType.SYMLINK, "usr/lib"),
        ("/usr/lib", FileType.DIRECTORY, None),
        ("/usr/lib/x.so", FileType.REGULAR, None),
    )
})  # fmt: skip


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("/lib/x.so", ("/lib/x.so", "/usr/lib/x.so")),
        ("/lib/*.so", ("/lib/*.so", "/usr/lib/*.so")),
        ("/lib", ("/lib",)),
        ("/lib/", ("/lib/", "/usr/lib")),
        ("/absent/x*", ("/absent/x*",)),
        ("/**/x.so", ("/**/x.so",)),
    ],
)
def test_patterns_through_links(pattern: str, expected: tuple[str, ...]) -> None:
    """A pattern that goes through a link also means the real path; the link itself is a name of its own."""
    assert real_patterns([pattern], LINKED) == expected


def test_drop_is_beaten_by_entry_points_and_keep() -> None:
    """`keep` and entry points beat `drop`; a relative pattern is refused."""
    dropped = drop_matcher(["/usr/**"], ["/lib/x.so"], {"/usr/bin/entry"}, LINKED)
    assert dropped("/usr/lib/y.so")
    assert not dropped("/usr/lib/x.so")
    assert not dropped("/usr/bin/entry")
    with pytest.raises(UsageError, match="no absolute path"):
        drop_matcher(["usr/**"], [], set(), LINKED)
