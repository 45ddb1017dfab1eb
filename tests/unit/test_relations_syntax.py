"""How relationships are written, and what is none."""

from __future__ import annotations

import pytest

from pruner.candidate import Relation
from pruner.errors import InputError
from pruner.syntax import clauses, relations


def relation(name, operator="", version="", qualifier=""):
    return Relation(name=name, operator=operator, version=version, qualifier=qualifier)


class TestDebian:
    def test_alternatives_versions_and_qualifiers(self):
        """Policy 7.1, spaces where it allows them."""
        assert clauses("deb", "a | b:any(>=1:2~rc-1) , c ( << 3 ),\n d:native, e:i386 (= 1)") == (
            (relation("a"), relation("b", ">=", "1:2~rc-1", "any")),
            (relation("c", "<<", "3"),),
            (relation("d", qualifier="native"),),
            (relation("e", "=", "1", "i386"),),
        )

    @pytest.mark.parametrize(("written", "meant"), [("<", "<="), (">", ">="), ("<<", "<<"), (">>", ">>"), ("=", "=")])
    def test_the_obsolete_operators_mean_what_dpkg_makes_of_them(self, written, meant):
        """dpkg(1): `<` is `<=`, and `>` is `>=`."""
        assert relations("deb", f"a ({written} 1)") == (relation("a", meant, "1"),)

    def test_architecture_lists_are_read_past(self):
        """They belong to source packages; a binary package's fields were resolved when it was built."""
        assert clauses("deb", "a (>= 1) [amd64 i386], b [!arm64]") == ((relation("a", ">=", "1"),), (relation("b"),))

    @pytest.mark.parametrize(
        ("profiles", "asked"),
        [
            ("<!nocheck>", True),
            ("<nocheck>", False),
            ("<!a !b>", True),
            ("<!a b>", False),
            ("<a> <!b>", True),
            ("<a> <b>", False),
        ],
    )
    def test_no_build_profile_is_active(self, profiles, asked):
        """A list of terms holds when all of it do, a formula when any of its lists does; deb-src-control(5)."""
        assert clauses("deb", f"x {profiles} | y") == ((relation("x"), relation("y")) if asked else (relation("y"),),)
        assert clauses("deb", f"x {profiles}") == (((relation("x"),),) if asked else ())

    def test_provides_are_a_flat_list(self):
        """Empty parts, as a trailing comma leaves them, are nothing."""
        assert relations("deb", "mta, libfoo (= 1.2),") == (relation("mta"), relation("libfoo", "=", "1.2"))
        assert relations("deb", "") == ()

    @pytest.mark.parametrize("operator", ["=>", "=<", "==", "~", "<>", "!=", "≥"])
    def test_an_unknown_operator_is_named(self, operator):
        """With the relationship that it stands in, and those that there are."""
        with pytest.raises(InputError, match=f"^unknown operator '{operator}' in 'a \\({operator} 1\\)'$") as caught:
            clauses("deb", f"b, c | a ({operator} 1)")
        assert "<<, <=, =, >= and >>" in caught.value.hint

    @pytest.mark.parametrize(
        "text", ["a b", "a (>= 1", "a (1)", "a (>=)", "(>= 1)", "a:", "a (>= 1 2)", "a > 1", "\x1b["]
    )
    def test_what_is_no_relationship(self, text):
        """One message with the text, safe to print."""
        with pytest.raises(InputError, match=r"is no relationship|unknown operator") as caught:
            clauses("deb", text)
        assert caught.value.fact.isprintable()


class TestAlpine:
    def test_needs_and_conflicts_of_one_line(self):
        """Every kind of name that apk knows; `!name` is a conflict."""
        line = "so:libc.musl-x86_64.so.1 cmd:sh=1-r0 pc:zlib>=1.2 /bin/sh musl@edge !uclibc busybox~1.36 !old<2"
        assert clauses("apk", line) == (
            (relation("so:libc.musl-x86_64.so.1"),),
            (relation("cmd:sh", "=", "1-r0"),),
            (relation("pc:zlib", ">=", "1.2"),),
            (relation("/bin/sh"),),
            (relation("musl"),),
            (relation("busybox", "~", "1.36"),),
        )
        assert relations("apk", line, conflicts=True) == (relation("uclibc"), relation("old", "<", "2"))

    @pytest.mark.parametrize(
        ("written", "meant"),
        [
            ("=", "="),
            ("~", "~"),
            ("~=", "~"),
            ("=~", "~"),
            ("<", "<"),
            ("=<", "<="),
            (">=", ">="),
            (">~", ">~"),
            ("<~", "<~"),
        ],
    )
    def test_operators_in_any_order(self, written, meant):
        """apk takes the characters together, not in their order; a tag stands behind the name."""
        assert relations("apk", f"a@tag{written}1.2-r3") == (relation("a", meant, "1.2-r3"),)

    def test_a_checksum_is_no_version(self):
        """`><` binds to the contents of one archive, which no index can promise."""
        with pytest.raises(InputError, match="unknown operator '><' in 'a><Q1x='"):
            clauses("apk", "b a><Q1x=")

    def test_a_long_word_is_read_once_and_shown_in_part(self):
        """A hostile index must cost no quadratic time, and no screen full of it."""
        with pytest.raises(InputError, match="is no relationship") as raised:
            clauses("apk", "a@" + "<" * 200_000)
        assert len(raised.value.fact) < 120

    @pytest.mark.parametrize("word", ["=1", "a=", "!=1", "a>", "a!b"])
    def test_what_is_no_relationship(self, word):
        """A name or a version is missing."""
        with pytest.raises(InputError, match="is no relationship"):
            (*clauses("apk", word), *relations("apk", word, conflicts=True))
