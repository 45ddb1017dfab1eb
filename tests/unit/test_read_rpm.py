"""rpm packages as Syft writes them: metadata, modes, and requirements with alternatives and conditions."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pruner.candidate import Relation
from pruner.errors import InputError
from pruner.model import DeclaredFile, FileType, Package, PackageId
from pruner.read import read_sbom
from pruner.relations import resolve
from pruner.relations.rpm import Rich, parse


def read(directory, *artifacts, files=(), selection="all", edges=()):
    document = {
        "schema": {"version": "16.0.18"},
        "artifacts": list(artifacts),
        "artifactRelationships": list(edges),
        "files": list(files),
        "source": {"type": "directory", "name": "x", "metadata": {"path": "/"}},
        "descriptor": {"name": "syft", "version": "1.18.1", "configuration": {"files": {"selection": selection}}},
    }
    (directory / "sbom.json").write_text(json.dumps(document))
    return read_sbom(str(directory / "sbom.json"))


def artifact(name="tool", version="1.0-1", files=(), **metadata):
    return {
        "id": name, "name": name, "version": version, "type": "rpm", "metadataType": "rpm-db-entry",
        "locations": [{"path": "/var/lib/rpm/rpmdb.sqlite"}],
        "metadata": {"name": name, "architecture": "x86_64", "files": list(files), **metadata},
    }  # fmt: skip


def declared(path, mode=0o100644, flags=""):
    digest = {"algorithm": "sha256", "value": "0" * 64 if mode & 0o170000 == 0o100000 else ""}
    return {
        "path": path,
        "mode": mode,
        "size": 1,
        "digest": digest,
        "userName": "root",
        "groupName": "root",
        "flags": flags,
    }


def regular(path):
    return {"id": path, "location": {"path": path}, "metadata": {"mode": 644, "type": "RegularFile", "size": 1}}


class TestMetadata:
    def test_architecture_epoch_and_source(self, tmp_path):
        """The epoch is part of the version as Syft writes it; the architecture is what rpm calls it."""
        found = read(tmp_path, artifact(version="2:3~rc1-2.fc40", sourceRpm="src-3~rc1-2.fc40.src.rpm", size=2048))
        (package,) = found.packages
        assert (package.version, package.architecture) == ("2:3~rc1-2.fc40", "x86_64")
        assert (package.source, package.source_version, package.installed_bytes) == ("src", "3~rc1-2.fc40", 2048)

    def test_nulls_of_modular_and_old_packages(self, tmp_path):
        """Labels, epochs and lists may be null; they say nothing."""
        found = read(
            tmp_path, artifact(epoch=None, modularityLabel=None, requires=None, provides=None, files=None or ())
        )
        assert found.packages[0].depends == ()

    def test_modes_and_flags_of_files(self, tmp_path):
        """Modes are decimal st_mode with the type; letters mark configuration and ghosts; a link has no digest."""
        files = [
            declared("/usr/bin/su", 0o104755),
            declared("/etc/x", flags="cn"),
            declared("/run/x.pid", flags="g"),
            declared("/usr/bin/sh", 0o120777),
        ]
        su, config, ghost, link = read(tmp_path, artifact(files=files)).packages[0].files
        assert su == DeclaredFile(path="/usr/bin/su", digest="sha256:" + "0" * 64, mode=0o104755)
        assert (config.conffile, config.ghost) == (True, False)
        assert (ghost.conffile, ghost.ghost) == (False, True)
        assert link.digest is None

    def test_declared_needs_replace_syft_s_edges(self, tmp_path):
        """Syft makes every provider of a name a hard need; one of them is enough, as the requirement says."""
        user, one, two = (
            artifact("user", requires=["api"]),
            artifact("one", provides=["api"]),
            artifact("two", provides=["api"]),
        )
        edges = [{"parent": name, "child": "user", "type": "dependency-of"} for name in ("one", "two")]
        found = read(tmp_path, user, one, two, edges=edges)
        assert found.dependencies == ()
        assert resolve(found.packages)["user"] == (("one", "two"),)
        assert len(read(tmp_path, artifact("user"), one, two, edges=edges).dependencies) == 2

    def test_a_mode_that_is_none_is_an_error(self, tmp_path):
        """A damaged document is named with the place in it."""
        with pytest.raises(InputError, match=r"artifacts\[0\].metadata"):
            read(tmp_path, artifact(files=[{"path": "/x", "mode": -1}]))


class TestDirectories:
    STATE = declared("/var/lib/tool", 0o042750)

    def test_are_added_where_the_sbom_lists_owned_files_alone(self, tmp_path):
        """With mode and setgid bit, in bytewise order, owned by the package; links stay out, as their targets are unknown."""
        files = [declared("/usr/bin/tool", 0o100755), self.STATE, declared("/usr/bin/t", 0o120777)]
        found = read(tmp_path, artifact(files=files), files=[regular("/usr/bin/tool")], selection="owned-by-package")
        assert list(found.files) == ["/usr/bin/tool", "/var/lib/tool"]
        assert (found.files["/var/lib/tool"].type, found.files["/var/lib/tool"].mode) == (FileType.DIRECTORY, 0o2750)
        assert found.owners["/var/lib/tool"] == ("tool",)

    def test_are_not_added_to_a_complete_list(self, tmp_path):
        """What all files do not hold is gone from the image."""
        found = read(tmp_path, artifact(files=[self.STATE]), files=[regular("/usr/bin/tool")])
        assert list(found.files) == ["/usr/bin/tool"]

    def test_are_not_added_below_a_link_nor_for_the_root(self, tmp_path):
        """`/lib64/x` behind the link `/lib64` has another name."""
        files = [declared("/lib64", 0o120777), declared("/lib64/x", 0o040755), declared("/", 0o040755)]
        found = read(tmp_path, artifact(files=files), files=[regular("/usr/bin/tool")], selection="owned-by-package")
        assert list(found.files) == ["/usr/bin/tool"]

    def test_that_climb_are_an_error(self, tmp_path):
        """No scanner writes `..`."""
        with pytest.raises(InputError, match="no path inside a root"):
            read(
                tmp_path,
                artifact(files=[declared("/var/../../x", 0o040755)]),
                files=[regular("/a")],
                selection="owned-by-package",
            )


def relation(text):
    return Relation(name=text)


class TestSyntax:
    @pytest.mark.parametrize(
        ("text", "wanted"),
        [
            ("bash", relation("bash")),
            ("libz.so.1(ZLIB_1.2)(64bit)", relation("libz.so.1(ZLIB_1.2)(64bit)")),
            ("perl(A::B) >= 0:1.2", Relation(name="perl(A::B)", operator=">=", version="0:1.2")),
            ("a == 1", Relation(name="a", operator="=", version="1")),
            ("(a or b)", Rich(operator="or", operands=(relation("a"), relation("b")))),
            ("((a))", relation("a")),
            (
                "(libz.so.1()(64bit) or b < 2)",
                Rich(operator="or", operands=(relation("libz.so.1()(64bit)"), Relation(name="b", operator="<", version="2"))),
            ),
            ("(a if b else c)", Rich(operator="if", operands=tuple(map(relation, "abc")))),
            (
                "(a and (b or c) and d)",
                Rich(
                    operator="and",
                    operands=(relation("a"), Rich(operator="or", operands=tuple(map(relation, "bc"))), relation("d")),
                ),
            ),
        ],
    )  # fmt: skip
    def test_of_names_versions_and_rich_dependencies(self, text, wanted):
        """Names keep their own parentheses; operators keep their order."""
        assert parse(text) == wanted

    @pytest.mark.parametrize(
        "text",
        ["", "(", "()", "(a", "(a or", "(a b)", "(a or b and c)", "(a if b if c)", "(a >= )", "(a else b)", "(a) b",
         "(a or b))", "(>= 1)", "(" * 80 + "a" + ")" * 80],
    )  # fmt: skip
    def test_that_rpm_would_refuse_is_none(self, text):
        """Broken, mixed or deeply nested text ends nothing."""
        assert parse(text) is None

    @given(st.text(alphabet="ab() <>=1or\n", max_size=40))
    def test_of_any_text_raises_nothing(self, text):
        """Requirements are hostile text."""
        parse(text)


def package(name, *depends, version="1-1", provides=(), files=()):
    return Package(
        id=PackageId(name), type="rpm", name=name, version=version, depends=depends, provides=provides,
        files=tuple(DeclaredFile(path=path) for path in files),
    )  # fmt: skip


def clauses(requirement, *names, **others):
    """What a package with one requirement needs among packages of these names."""
    dependant = package("x", requirement)
    return resolve((dependant, *(package(name) for name in names), *others.get("packages", ())))["x"]


class TestNeeds:
    @pytest.mark.parametrize(
        ("requirement", "installed", "wanted"),
        [
            ("(a or b)", "ab", (("a", "b"),)),
            ("(a or b)", "b", (("b",),)),
            ("(a or b)", "", ((),)),
            ("(a and b)", "ab", (("a",), ("b",))),
            ("(a or (b and c))", "abc", (("a", "b"), ("a", "c"))),
            ("(a or (b and c))", "ab", (("a",),)),
            ("(a if b)", "ab", (("a",),)),
            ("(a if b)", "a", ()),
            ("(a if b else c)", "ac", (("c",),)),
            ("(a if (b or c))", "ac", (("a",),)),
            ("(a if (b and c))", "ac", ()),
            ("(a unless b)", "ab", ()),
            ("(a unless b)", "a", (("a",),)),
            ("(a unless b else c)", "bc", (("c",),)),
            ("(a with b)", "ab", ((),)),
            ("(a without b)", "ab", (("a",),)),
            ("rpmlib(RichDependencies) <= 4.12.0-1", "", ()),
        ],
    )
    def test_of_rich_dependencies(self, requirement, installed, wanted):
        """Alternatives are those that are installed, and conditions are judged by what is."""
        assert clauses(requirement, *installed) == wanted

    def test_with_asks_for_one_package(self):
        """Both operands by the same package; `without` leaves out the ones that have the second too."""
        both, one = package("both", provides=("a", "b")), package("one", provides=("a",))
        assert clauses("(a with b)", packages=(both, one)) == (("both",),)
        assert clauses("(a without b)", packages=(both, one)) == (("one",),)

    def test_versions_choose_and_never_rule_out_the_only_one(self):
        """The own version and stated versions of provides count; Syft's provides state none, which fits."""
        old, new = package("old", provides=("api = 1",)), package("new", provides=("api = 2",))
        assert clauses("api >= 2", packages=(old, new)) == (("new",),)
        assert clauses("api >= 3", packages=(old, new)) == (("old", "new"),)
        assert clauses("api >= 3", packages=(old, package("open", provides=("api",)))) == (("open",),)
        assert clauses("(a >= 1:1 or b)", packages=(package("a", version="9-1"), package("b"))) == (("a", "b"),)

    def test_what_is_no_version_rules_nothing_out(self):
        """A damaged version in the SBOM does not drop a need."""
        assert clauses("a >= 1 2", packages=(package("a", version="?? ??"),)) == (("a",),)

    @pytest.mark.parametrize(
        ("wanted", "owned"),
        [
            ("/bin/sh", "/usr/bin/sh"),
            ("/usr/bin/sh", "/bin/sh"),
            ("/usr/sbin/x", "/usr/bin/x"),
            ("/usr/bin/x", "/usr/bin/x"),
        ],
    )
    def test_files_by_either_path_of_a_merged_root(self, wanted, owned):
        """A package owns /usr/bin/sh and another requires /bin/sh; a provide of the very path comes first."""
        owner = package("owner", files=(owned,))
        assert clauses(wanted, packages=(owner,)) == (("owner",),)
        provider = package("provider", provides=(wanted,))
        found = clauses(wanted, packages=(owner, provider))
        assert found == ((("provider", "owner") if wanted == owned else ("provider",)),)

    def test_a_package_that_satisfies_itself_has_no_need(self):
        """`config(bash)` and the own library."""
        bash = package("bash", "config(bash)", "(bash or zsh)", provides=("config(bash)",))
        assert resolve((bash, package("zsh")))["bash"] == ()

    def test_many_alternatives_do_not_explode(self):
        """Combinations beyond a bound are taken as needed together, which keeps more and never less."""
        names = [f"{letter}{number}" for letter in "abcdefghij" for number in range(3)]
        groups = " or ".join(f"({letter}0 and {letter}1 and {letter}2)" for letter in "abcdefghij")
        found = clauses(f"({groups})", *names)
        assert {option for clause in found for option in clause} == set(names)
        assert len(found) == len(names)

    @given(
        st.recursive(
            st.sampled_from("abcdef"),
            lambda inner: st.tuples(st.sampled_from(["and", "or"]), st.lists(inner, min_size=2, max_size=3)),
            max_leaves=7,
        ),
        st.sets(st.sampled_from("abcdef")),
    )
    def test_clauses_say_what_the_dependency_says(self, formula, kept):
        """Whatever is kept of the installed packages satisfies every clause exactly when it satisfies the formula."""
        found = clauses(_written(formula), *"abcdef")
        assert all(kept & set(clause) for clause in found) is _holds(formula, kept)


def _written(formula):
    return formula if isinstance(formula, str) else f"({f' {formula[0]} '.join(map(_written, formula[1]))})"


def _holds(formula, kept):
    if isinstance(formula, str):
        return formula in kept
    operator, operands = formula
    return (all if operator == "and" else any)(_holds(operand, kept) for operand in operands)
