"""What satisfies and what excludes what, among packages that could be installed."""

from __future__ import annotations

import pytest

from pruner.candidate import Candidate, Relation
from pruner.errors import InputError
from pruner.read.packageindex import index_in
from pruner.relations.universe import Universe
from pruner.syntax import clauses


def universe(*indexes: str, architecture: str = "amd64") -> Universe:
    """Packages from lines `NAME VERSION [ARCHITECTURE]; Field: text; …`, an index a string."""
    read = [
        index_in("\n\n".join(map(_stanza, text.strip().splitlines())).encode() + b"\n\n", "index") for text in indexes
    ]
    return Universe(read, ecosystem="deb", architecture=architecture)


def _stanza(line: str) -> str:
    head, *fields = (part.strip() for part in line.split(";"))
    name, version, architecture = (*head.split(), "amd64")[:3]
    return "\n".join([f"Package: {name}", f"Version: {version}", f"Architecture: {architecture}", *fields])


def alpine(*blocks: str) -> Universe:
    """Packages from lines `NAME VERSION; X:text; …`."""
    lines = [[part.strip() for part in block.split(";")] for block in blocks]
    text = "".join(
        "\n".join([f"P:{head.split()[0]}", f"V:{head.split()[1]}", "A:x86_64", *rest]) + "\n\n" for head, *rest in lines
    )
    return Universe([index_in(text.encode(), "index")], ecosystem="apk", architecture="x86_64")


def relation(text: str, ecosystem: str = "deb") -> Relation:
    return clauses(ecosystem, text)[0][0]


def satisfying(known: Universe, text: str, dependant: Candidate | None = None) -> list[str]:
    return [one.label for one in known.satisfying(relation(text, known.ecosystem), dependant)]


def names(candidates: tuple[Candidate, ...]) -> list[str]:
    return [one.name for one in candidates]


class TestDebian:
    def test_real_packages_first_and_the_newest_of_them(self):
        """Then those that provide the name."""
        known = universe("mta 1\nexim 4; Provides: mta\nmta 1.10\nmta 1.9")
        assert satisfying(known, "mta") == ["mta 1.10 (amd64)", "mta 1.9 (amd64)", "mta 1 (amd64)", "exim 4 (amd64)"]

    @pytest.mark.parametrize(
        ("text", "found"),
        [("v", ["plain", "two"]), ("v (= 2)", ["two"]), ("v (>= 1)", ["two"]), ("v (>> 2)", []), ("v (<< 9)", ["two"])],
    )
    def test_a_versioned_dependency_needs_a_versioned_provide(self, text, found):
        """Policy 7.5: an unversioned Provides satisfies no versioned dependency."""
        known = universe("plain 5; Provides: v\ntwo 7; Provides: v (= 2)")
        assert names(known.satisfying(relation(text))) == found

    def test_versions_of_real_packages(self):
        """Two versions of one name, of which one fits."""
        known = universe("a 1.9-1\na 1.10-1")
        assert satisfying(known, "a (>= 1.10)") == ["a 1.10-1 (amd64)"]
        assert satisfying(known, "a (<< 1.10~)") == ["a 1.9-1 (amd64)"]
        assert satisfying(known, "a (= 3)") == satisfying(known, "absent") == []

    def test_several_indexes(self):
        """A package that two of them list is the first's; versions of both are there."""
        first, second = (
            "a 1; Filename: first; Size: 1",
            "a 1; Filename: second; Size: 1\na 2; Filename: x; Size: 1\nb 1; Filename: y; Size: 1",
        )
        known = universe(first, second)
        assert [one.filename for one in known.named("a")] == ["x", "first"]
        assert set(known.names()) == {"a", "b"}

    def test_an_index_of_another_ecosystem_is_left_out(self):
        """A name means nothing across ecosystems."""
        index = index_in(b"P:a\nV:1\n\n", "index")
        assert index is not None
        assert Universe([index], ecosystem="deb", architecture="amd64").named("a") == ()

    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("plain", ["amd64"]),
            ("plain:amd64", ["amd64"]),
            ("plain:native", ["amd64"]),
            ("plain:i386", ["i386"]),
            ("plain:arm64", []),
            ("plain:any", []),
            ("tool", ["amd64", "i386"]),
            ("tool:any", []),
            ("perl:any", ["amd64", "i386"]),
            ("perl", ["amd64"]),
            ("data", ["all"]),
            ("data:native", ["all"]),
            ("data:i386", []),
            ("data:any", []),
        ],
    )
    def test_architectures(self, text, found):
        """A plain name means the own architecture or a `foreign` package, `:any` an `allowed` one, `all` is native."""
        known = universe(
            "plain 1 amd64\nplain 1 i386\ntool 1 amd64; Multi-Arch: foreign\ntool 1 i386; Multi-Arch: foreign\n"
            "perl 1 amd64; Multi-Arch: allowed\nperl 1 i386; Multi-Arch: allowed\ndata 1 all"
        )
        assert [one.architecture for one in known.satisfying(relation(text))] == found

    def test_the_own_architecture_is_the_dependants(self):
        """That of a package for every architecture is the native one."""
        known = universe("lib 1 amd64\nlib 1 i386\ndata 1 all\nold 1 i386; Depends: lib\ncommon 1 all; Depends: lib")
        (old,), (common,) = known.named("old"), known.named("common")
        assert satisfying(known, "lib", old) == ["lib 1 (i386)"]
        assert satisfying(known, "lib", common) == ["lib 1 (amd64)"]
        assert satisfying(known, "data", old) == []

    def test_conflicts_and_breaks(self):
        """By version, and through what provides the name, versioned where the conflict is."""
        known = universe(
            "a 1; Conflicts: b (<< 2), v; Breaks: w (<< 3)\nb 1\nb 2\n"
            "c 1; Provides: v\nd 1; Provides: w\ne 1; Provides: w (= 2)\nf 1; Provides: w (= 3)"
        )
        (a,) = known.named("a")
        assert [one.label for one in known.conflicting(a)] == ["b 1 (amd64)", "c 1 (amd64)", "e 1 (amd64)"]
        assert known.conflicting(known.named("c")[0]) == ()

    def test_nothing_conflicts_with_itself(self):
        """Policy 7.4: who conflicts with a virtual package that it provides excludes all other providers."""
        known = universe("a 1; Provides: mta; Conflicts: mta\nb 1; Provides: mta; Conflicts: mta\na 2; Provides: mta")
        assert names(known.conflicting(known.named("b")[0])) == ["a", "a"]
        assert names(known.conflicting(known.named("a")[0])) == []
        assert names(known.conflicting(known.named("a")[1])) == ["b"]

    def test_conflicts_hold_in_every_architecture(self):
        """Unless they name one."""
        known = universe(
            "a 1; Conflicts: lib\nb 1; Conflicts: lib:i386\nc 1; Conflicts: lib:native\nlib 1 amd64\nlib 1 i386"
        )
        found = [[one.architecture for one in known.conflicting(known.named(name)[0])] for name in "abc"]
        assert found == [["amd64", "i386"], ["i386"], ["amd64"]]

    def test_conflicts_among_some(self):
        """Only what is asked about is answered."""
        known = universe("a 1; Conflicts: v\nb 1; Provides: v\nc 1; Provides: v")
        (a,), (b,) = known.named("a"), known.named("b")
        assert known.conflicting(a, among={b}) == (b,)
        assert known.conflicting(a, among=()) == ()

    def test_nothing_is_installed_by_itself(self):
        """Debian has no `install_if`."""
        known = universe("a 1")
        assert known.triggered(known.named("a")) == ()

    def test_essential(self):
        """By name, the newest version first."""
        known = universe("b 1; Essential: yes\na 1; Essential: yes\na 2; Essential: yes\nc 1")
        assert [one.label for one in known.essential()] == ["a 2 (amd64)", "a 1 (amd64)", "b 1 (amd64)"]

    def test_answers_are_the_same_objects(self):
        """A package that is asked for twice is read once."""
        known = universe("a 1; Provides: v")
        assert known.satisfying(relation("v"))[0] is known.named("a")[0] is known.providing("v")[0]

    def test_a_version_that_is_none(self):
        """It is named where it is compared."""
        known = universe("a ü\nb 1\nb ü")
        assert satisfying(known, "a") == ["a ü (amd64)"]
        with pytest.raises(InputError, match=r"^a ü \(amd64\) for a >= 1: 'ü' is no version$"):
            known.satisfying(relation("a (>= 1)"))
        with pytest.raises(InputError, match=r"^b 1 \(amd64\) and b ü \(amd64\): 'ü' is no version$"):
            known.named("b")


class TestAlpine:
    def test_libraries_commands_paths_and_versions(self):
        """A versioned need is met by a versioned provide only."""
        known = alpine("musl 1.2-r0; p:so:libc.so=1 cmd:ldd=1.2-r0 /bin/ldd virtual", "b 2-r0")
        for text in ("so:libc.so", "so:libc.so=1", "cmd:ldd>1.2", "/bin/ldd", "virtual", "musl~1.2"):
            assert satisfying(known, text) == ["musl 1.2-r0 (x86_64)"], text
        for text in ("so:libc.so=2", "virtual=1", "musl~1.3", "cmd:none"):
            assert satisfying(known, text) == [], text

    def test_priority_of_providers(self):
        """The highest provider_priority first, then by name."""
        known = alpine("a 1; p:sh", "b 1; p:sh; k:10", "c 1; p:sh; k:9", "d 1; p:sh; k:10")
        assert names(known.satisfying(relation("sh", "apk"))) == ["b", "d", "c", "a"]

    def test_conflicts(self):
        """`!name`, with or without a version."""
        known = alpine("a 1; D:so:x !b<2 !v", "b 1", "b 2", "c 1; p:v")
        found = known.conflicting(known.named("a")[0])
        assert [one.label for one in found] == ["b 1 (x86_64)", "c 1 (x86_64)"]

    def test_one_package_has_a_versioned_name(self):
        """Of those that provide a name with a version one can be installed; without versions, all of them."""
        known = alpine("a 1; p:so:x=1 v", "b 1; p:so:x=2 v", "c 1; p:so:x v", "v 1")
        found = {name: names(known.conflicting(known.named(name)[0])) for name in "abcv"}
        assert found == {"a": ["b", "c", "v"], "b": ["a", "c", "v"], "c": ["a", "b", "v"], "v": ["a", "b", "c"]}

    def test_what_is_installed_by_itself(self):
        """Once all of its `install_if` is there, by name or by provide; what has no condition left never is."""
        known = alpine(
            "a 1; p:v=2",
            "docs 1",
            "a-doc 1; i:docs a=1",
            "a-doc 2; i:docs v>1",
            "b-doc 1; i:docs b",
            "late 1; i:a-doc",
            "no 1; i:!a",
        )
        (a,), (docs,), (newer, older) = known.named("a"), known.named("docs"), known.named("a-doc")
        assert known.triggered([a]) == known.triggered([docs]) == ()
        assert known.triggered([a, docs]) == (newer, older)
        assert names(known.triggered([a, docs, newer])) == ["a-doc", "a-doc", "late"]

    def test_versions_of_one_name(self):
        """They exclude each other like every two packages of one versioned name."""
        known = alpine("a 1", "a 2")
        assert [one.version for one in known.conflicting(known.named("a")[0])] == ["1"]
