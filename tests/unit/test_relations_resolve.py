"""Declared dependencies resolved to installed packages, ecosystem by ecosystem."""

from __future__ import annotations

import pytest

from pruner.candidate import Relation
from pruner.model import DeclaredFile, Package, PackageId
from pruner.relations import resolve
from pruner.relations.names import stated


def package(kind, name, identity=None, **fields):
    return Package(id=PackageId(identity or name), type=kind, name=name, version=fields.pop("version", "1"), **fields)


def clauses_of(name, *packages):
    return resolve(packages)[PackageId(name)]


class TestDebian:
    def test_installed_alternatives_in_declared_order(self):
        """A clause holds each installed alternative, first named first."""
        user = package("deb", "user", depends=("b (>= 1) | missing | a",))
        assert clauses_of("user", user, package("deb", "a"), package("deb", "b")) == (("b", "a"),)

    def test_a_version_chooses_between_alternatives(self):
        """What is installed but too old, and what provides the name without a version, does not count beside a fit."""
        user = package("deb", "user", depends=("a (>= 2) | b", "virtual (= 1)"))
        old = package("deb", "a", provides=("virtual",))
        fit = package("deb", "b", provides=("virtual (= 1)",))
        assert clauses_of("user", user, old, fit) == (("b",),)

    def test_the_only_installed_package_counts_whatever_its_version(self):
        """What is installed was installed together: a version that seems not to fit rules nothing out."""
        user = package("deb", "user", depends=("a (>= 2)", "a (>= 3) | b (>= 3)"))
        assert clauses_of("user", user, package("deb", "a"), package("deb", "b")) == (("a",), ("a", "b"))

    @pytest.mark.parametrize("text", ["a (=> 1)", "a (>= 1", "a (>= no version!)", "a [", "a (>= 1) | b (1 2 3)"])
    def test_what_is_no_relationship_counts_by_its_name(self, text):
        """An SBOM's odd constraint ends nothing and hides nothing."""
        assert clauses_of("user", package("deb", "user", depends=(text,)), package("deb", "a")) == (("a",),)

    def test_what_is_no_relationship_at_all_is_satisfied_by_nothing(self):
        """It stays visible as an unsatisfied clause."""
        assert clauses_of("user", package("deb", "user", depends=("=!",)), package("deb", "a")) == ((),)

    def test_nothing_installed_gives_an_empty_clause(self):
        """An unsatisfied clause stays visible."""
        assert clauses_of("user", package("deb", "user", depends=("gone",))) == ((),)

    def test_versioned_provides_satisfy_and_real_packages_come_first(self):
        """`Provides: mta (= 2)` satisfies `mta`, after a package of that very name."""
        user = package("deb", "user", depends=("mta",))
        provider = package("deb", "exim", provides=("mta (= 2), mail",))
        assert clauses_of("user", user, provider, package("deb", "mta")) == (("mta", "exim"),)

    def test_any_qualifier_resolves(self):
        """Syft loses `perl:any`; here it is an edge like any other."""
        user = package("deb", "user", architecture="all", depends=("perl:any",))
        assert clauses_of("user", user, package("deb", "perl", architecture="amd64")) == (("perl",),)

    def test_same_architecture_is_preferred(self):
        """Of two architectures of a library the dependant's own is meant, of an `all` package the native one."""
        libraries = (
            package("deb", "libz", "libz-amd64", architecture="amd64"),
            package("deb", "libz", "libz-i386", architecture="i386"),
        )
        old = package("deb", "old", architecture="i386", depends=("libz",))
        common = package("deb", "common", architecture="all", depends=("libz",))
        native = package("deb", "native", architecture="amd64", depends=("libz:i386", "libz"))
        found = resolve((old, common, native, *libraries))
        assert found["old"] == (("libz-i386",),)
        assert found["common"] == (("libz-amd64",),)
        assert found["native"] == (("libz-i386",), ("libz-amd64",))

    def test_a_clause_that_the_package_satisfies_itself_is_left_out(self):
        """A package that provides what it depends on needs nobody for it."""
        assert clauses_of("perl", package("deb", "perl", depends=("libx",), provides=("libx",))) == ()

    def test_pre_depends_come_first(self):
        """Pre-Depends are clauses like Depends, in front of them."""
        user = package("deb", "user", depends=("a",), pre_depends=("b",))
        assert clauses_of("user", user, package("deb", "a"), package("deb", "b")) == (("b",), ("a",))


class TestAlpine:
    @pytest.mark.parametrize(
        "depends",
        ["so:libc.musl-x86_64.so.1", "so:libc.musl-x86_64.so.1=1", "cmd:ldd>=1", "/lib/ld.so", "musl~1.2", "musl@edge"],
    )
    def test_names_provides_and_paths(self, depends):
        """Libraries, commands, paths and names with any operator find the package that has them."""
        musl = package(
            "apk",
            "musl",
            provides=("so:libc.musl-x86_64.so.1=1", "cmd:ldd=1.2.4-r2"),
            files=(DeclaredFile(path="/lib/ld.so"),),
        )
        assert clauses_of("user", package("apk", "user", depends=(depends,)), musl) == (("musl",),)

    def test_a_version_chooses_between_providers(self):
        """`cmd:x~1.2` means the provider of 1.2; apk-world(5)."""
        new = package("apk", "new", provides=("cmd:x=1.20-r0",))
        old = package("apk", "old", provides=("cmd:x=1.2.5-r0",))
        assert clauses_of("user", package("apk", "user", depends=("cmd:x~1.2 cmd:x>1.3",)), new, old) == (
            ("old",),
            ("new",),
        )

    def test_conflicts_are_no_needs(self):
        """`!name` asks for absence."""
        assert clauses_of("user", package("apk", "user", depends=("!musl",)), package("apk", "musl")) == ()


class TestPython:
    SITE = "/opt/venv/lib/python3.11/site-packages"

    def dist(self, name, *depends, site=SITE, identity=None):
        return package("python", name, identity, depends=depends, locations=(f"{site}/{name}-1.dist-info/METADATA",))

    def test_names_are_normalised_and_versions_stripped(self):
        """PEP 503: `Zope_Interface` is `zope.interface`."""
        assert clauses_of("app", self.dist("app", "Zope_Interface[x]>=5,<6"), self.dist("zope.interface")) == (
            ("zope.interface",),
        )

    def test_markers_are_evaluated_for_the_directory(self):
        """The Python version comes from the path, the rest is Linux."""
        app = self.dist(
            "app", 'a; python_version < "3.11"', 'b; python_version >= "3.11"', 'c; sys_platform == "win32"'
        )
        assert clauses_of("app", app, self.dist("a"), self.dist("b"), self.dist("c")) == (("b",),)

    def test_full_version_comes_from_the_installed_interpreter(self):
        """`python_full_version` is read off the interpreter's package."""
        app = self.dist("app", 'a; python_full_version < "3.11.3"')
        interpreter = package("deb", "python3.11-minimal", version="3.11.2-6+deb12u9", architecture="amd64")
        assert clauses_of("app", app, self.dist("a"), interpreter) == (("a",),)
        newer = package("deb", "python3.11-minimal", version="3.11.9-1", architecture="amd64")
        assert clauses_of("app", app, self.dist("a"), newer) == ()

    def test_extras_count_only_for_whom_requires_them(self):
        """`uvicorn[standard]` brings uvloop to the one who asked; uvicorn itself does not need it."""
        uvicorn = self.dist("uvicorn", "h11", "uvloop; extra == 'standard'")
        app = self.dist("app", "uvicorn[standard]")
        other = self.dist("other", "uvicorn")
        found = resolve((uvicorn, app, other, self.dist("h11"), self.dist("uvloop")))
        assert found["uvicorn"] == (("h11",),)
        assert found["app"] == (("uvicorn",), ("uvloop",))
        assert found["other"] == (("uvicorn",),)

    def test_extras_that_name_their_own_distribution(self):
        """`all = [pkg[a], pkg[b]]`, as many projects write it, ends and finds both."""
        pkg = self.dist("pkg", "pkg[a,b]; extra == 'all'", "x; extra == 'a'", "y; extra == 'b'")
        app = self.dist("app", "pkg[all]")
        assert clauses_of("app", app, pkg, self.dist("x"), self.dist("y")) == (("pkg",), ("x",), ("y",))

    def test_same_site_packages_first_then_the_system(self):
        """A distribution in another virtual environment satisfies nothing here."""
        app = self.dist("app", "a", "b", "c")
        system = "/usr/lib/python3/dist-packages"
        here = self.dist("a", identity="a-here")
        found = clauses_of(
            "app",
            app,
            self.dist("a", site=system, identity="a-system"),
            here,
            self.dist("b", site=system, identity="b-system"),
            self.dist("c", site="/srv/other/lib/python3.11/site-packages"),
        )
        assert found == (("a-here",), ("b-system",), ())

    def test_malformed_requirements_are_passed_over(self):
        """A requirement that PEP 508 does not allow ends nothing."""
        assert clauses_of("app", self.dist("app", "a >>> 1", "", "b"), self.dist("b")) == (("b",),)


class TestNode:
    def module(self, folder, *depends, identity=None):
        name = folder.partition("node_modules/")[2].rpartition("node_modules/")[2] or folder.rpartition("/")[2]
        return package("npm", name, identity or folder, depends=depends, whole_directories=(folder,))

    def test_nearest_folder_upwards(self):
        """A nested copy hides the outer one, as Node's lookup says."""
        outer, nested = self.module("/app/node_modules/ms"), self.module("/app/node_modules/debug/node_modules/ms")
        debug = self.module("/app/node_modules/debug", "ms@2.0.0")
        send = self.module("/app/node_modules/send", "ms", "@scope/x@^1", "gone")
        found = resolve((outer, nested, debug, send, self.module("/app/node_modules/@scope/x")))
        assert found[debug.id] == ((nested.id,),)
        assert found[send.id] == ((outer.id,), ("/app/node_modules/@scope/x",), ())

    def test_debian_folders_come_last(self):
        """Modules of /usr/share/nodejs find each other."""
        npm = self.module("/usr/share/nodejs/npm", "abbrev")
        assert clauses_of(npm.id, npm, self.module("/usr/share/nodejs/abbrev")) == (("/usr/share/nodejs/abbrev",),)


class TestNames:
    def test_gems_by_name(self):
        """A gem's requirement loses its version; every installed version of the name would do."""
        rails = package("gem", "rails", depends=("rack (>= 2.0)", "rake ~> 13", "none"))
        racks = (package("gem", "rack", "rack-2"), package("gem", "rack", "rack-3"))
        assert clauses_of("rails", rails, *racks, package("gem", "rake")) == (("rack-2", "rack-3"), ("rake",), ())

    def test_a_gem_of_blanks_is_read_once(self):
        """A hostile requirement must cost no quadratic time."""
        assert stated("gem", "a" + " " * 400_000 + "b") == ((Relation(name="a" + " " * 400_000 + "b"),),)

    def test_rpm_capabilities_and_files(self):
        """Provides and files satisfy; what rpm itself satisfies is no need."""
        bash = package("rpm", "bash", provides=("bash", "config(bash)"), files=(DeclaredFile(path="/usr/bin/sh"),))
        user = package(
            "rpm", "user", depends=("rpmlib(CompressedFileNames)", "/usr/bin/sh", "(a or b)", "libz.so.1()(64bit)")
        )
        assert clauses_of("user", user, bash) == (("bash",), ())


def test_ecosystems_do_not_mix():
    """A gem named like a Debian package satisfies no Depends; unknown ecosystems have no clauses."""
    user, jar = package("deb", "user", depends=("json",)), package("java-archive", "jar", depends=("json",))
    found = resolve((user, jar, package("gem", "json")))
    assert found["user"] == ((),)
    assert found["jar"] == ()
