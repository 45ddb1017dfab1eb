"""Node applications: modules, packages in node_modules, and what package.json files declare."""

from __future__ import annotations

import json

import pytest

from pruner.analyze.arguments import edges_of_arguments
from pruner.analyze.node import edges_of_node
from pruner.model import Findings
from tests.unit.languages import Link, details, look, package, targets, view_of


def manifest(name, **fields):
    return json.dumps({"name": name, "version": "1.0.0", **fields})


def app(source, files=None, *packages, path="/app/main.js", env=()):
    return look(edges_of_node, view_of({**(files or {}), path: source}, *packages, env=env), path)


class TestModules:
    def test_every_way_to_load_a_file(self):
        """CommonJS, ES modules, dynamic imports, workers and forks lead to the application's files."""
        names = ["a.js", "b/index.js", "c.json", "d.mjs", "e.node", "f.cjs", "g.js", "h.js", "i.ts"]
        source = """
            const a = require("./a"); const b = require('./b');
            import c from "./c.json"; export * from "./d.mjs";
            const e = await import(`./e.node`); require.resolve("./f.cjs");
            new Worker("./g.js"); child_process.fork(path.join(__dirname, "h.js")); import i from "./i.js";
        """
        found = app(source, {f"/app/{name}": "" for name in names})
        assert targets(found) == [f"/app/{name}" for name in names]
        assert found.unknowns == ()

    def test_main_of_a_directory(self):
        """A directory is loaded by its package.json's main, or its index."""
        files = {"/app/x/package.json": manifest("x", main="lib"), "/app/x/lib/index.js": "", "/app/y/index.json": "{}"}
        found = app("require('./x'); require('./y')", files)
        assert targets(found, kind="import") == ["/app/x/lib/index.js", "/app/y/index.json"]

    def test_builtin_modules_need_nothing(self):
        """Modules compiled into Node, with and without the prefix."""
        assert app("require('fs'); require('node:test'); import 'fs/promises'") == Findings()

    def test_own_imports_and_own_name(self):
        """Subpath imports (`#x`) and self references are resolved by the nearest package.json."""
        own = manifest("own", imports={"#db/*": {"node": "./db/*.js", "default": "./no.js"}}, exports="./main.js")
        files = {"/app/package.json": own, "/app/db/pg.js": "", "/app/lib/x.js": ""}
        assert targets(app("import '#db/pg'; import 'own/lib/x.js'", files), kind="import") == [
            "/app/db/pg.js",
            "/app/lib/x.js",
        ]

    def test_missing_and_computed_modules(self):
        """A missing module is unknown unless a try block catches it; a computed name is, and its directory is kept."""
        source = "require('gone');\ntry { require('bufferutil') } catch {}\nrequire('./locale/' + name);\nrequire(x);\n"
        found = app(source, {"/app/locale/sk.js": "", "/app/locale/cs.js": ""})
        assert targets(found, kind="import") == ["/app/locale/cs.js", "/app/locale/sk.js"]
        assert details(found) == [
            "a module whose name is computed in line 3",
            "a module whose name is computed in line 4",
            "module gone, imported in line 1, is not in the root",
        ]

    def test_words_in_comments_and_strings_are_no_imports(self):
        """Only code imports."""
        assert (
            app("// require('a')\n/* import 'b' */ const s = \"require('c')\"; const r = /require('d')/;") == Findings()
        )

    def test_files_beside_the_module(self):
        """Paths over `__dirname`, `import.meta.url` and `./` strings are data; a route like `/lib` is not."""
        source = """
            express.static(__dirname + "/public"); path.resolve(__dirname, "views", "mail");
            fs.readFileSync(new URL("./key.txt", import.meta.url)); open(`${__dirname}/t.html`); open("./notes.txt");
            app.use("/lib", x); path.join(__dirname, "..");
        """
        names = ["public/a.css", "views/mail/b.txt", "key.txt", "t.html", "notes.txt"]
        found = app(source, {**{f"/app/{name}": "" for name in names}, "/lib/libc.so": "", "/app/other.txt": ""})
        data = set(targets(found, kind="data"))
        assert {f"/app/{name}" for name in names} <= data
        assert not {"/lib/libc.so", "/app/other.txt", "/lib"} & data

    def test_commands_that_it_starts(self):
        """A literal command is looked up in PATH."""
        assert targets(app("spawn('git', ['log'])", {"/usr/bin/git": b""})) == ["/usr/bin/git"]

    def test_inert_modules_yield_nothing(self):
        """An inert module is not looked at."""
        assert look(edges_of_node, view_of({"/a.js": "require('gone')"}), "/a.js", active=False) == Findings()

    @pytest.mark.parametrize(
        "source",
        [
            b"require('caf\xe9'); x = __dirname + '/\xe9'",
            b"\0\xff" * 50,
            "(" * 20000,
            "a+" * 20000 + "__dirname",
            "`${" * 5000,
        ],
    )
    def test_hostile_text(self, source):
        """Nothing that a file may hold ends in an error."""
        assert isinstance(app(source), Findings)


class TestPackages:
    MODULES = "/app/node_modules"

    def files(self):
        return {
            "/app/package.json": manifest(
                "app", dependencies={"express": "4", "pino": "9"}, devDependencies={"jest": "29"}
            ),
            f"{self.MODULES}/express/package.json": manifest(
                "express",
                dependencies={"ms": "2"},
                optionalDependencies={"fast": "1"},
                peerDependencies={"views": "1"},
                peerDependenciesMeta={"views": {"optional": True}},
            ),
            f"{self.MODULES}/express/lib/index.js": "require('nowhere')",
            f"{self.MODULES}/express/node_modules/ms/package.json": manifest("ms"),
            f"{self.MODULES}/ms/package.json": manifest("ms"),
            f"{self.MODULES}/fast/package.json": manifest("fast"),
            f"{self.MODULES}/views/package.json": manifest("views"),
            f"{self.MODULES}/pino/package.json": manifest("pino"),
            f"{self.MODULES}/jest/package.json": manifest("jest"),
            f"{self.MODULES}/@scope/x/package.json": manifest("@scope/x"),
        }

    def test_an_import_leads_to_the_package_and_the_own_manifest(self):
        """Node reads the nearest package.json; a package hangs on its own; a scope is part of the name."""
        found = app("require('express/lib/x'); require('@scope/x/y')", self.files())
        assert targets(found, kind="import") == [
            f"{self.MODULES}/@scope/x/package.json",
            f"{self.MODULES}/express/package.json",
        ]
        assert targets(found, kind="config") == ["/app/package.json"]

    def test_a_package_that_no_sbom_lists(self):
        """Its package.json brings its folder, without nested packages, and the nearest of what it declares."""
        found = look(edges_of_node, view_of(self.files()), f"{self.MODULES}/express/package.json")
        assert targets(found, kind="companion") == [f"{self.MODULES}/express/lib/index.js"]
        assert targets(found, kind="depends", optional=False) == [
            f"{self.MODULES}/express/node_modules/ms/package.json",
            f"{self.MODULES}/fast/package.json",
        ]
        assert targets(found, optional=True) == [f"{self.MODULES}/views/package.json"]

    def test_a_package_of_the_sbom(self):
        """Its node is kept whole with what the inventory says it requires; its package.json adds nothing."""
        files = self.files()
        express = package("express", kind="npm", whole_directories=(f"{self.MODULES}/express",))
        assert targets(app("require('express')", files, express), kind="import") == ["package:express"]
        assert look(edges_of_node, view_of(files, express), f"{self.MODULES}/express/package.json") == Findings()

    def test_an_application_with_a_name(self):
        """A package.json outside of node_modules makes no installed package: its modules are looked at one by one."""
        files = self.files() | {"/app/lib/a.js": ""}
        own = package("app", "/app/main.js", "/app/lib/a.js", kind="npm", whole_directories=("/app",))
        found = app("require('./lib/a')", files, own)
        assert targets(found) == ["/app/lib/a.js", "/app/package.json"]

    def test_an_application_declares_options(self):
        """Production dependencies of the application's own package.json are optional, development ones are nothing."""
        found = look(edges_of_node, view_of(self.files()), "/app/package.json", active=False)
        assert targets(found, optional=True) == [
            f"{self.MODULES}/express/package.json",
            f"{self.MODULES}/pino/package.json",
        ]
        assert {edge.group for edge in found.edges} == {"npm-dependencies"}

    def test_links_of_a_package_store(self):
        """pnpm links each package into place: link and target are both needed, and the target finds its neighbours."""
        store = "/app/node_modules/.pnpm/express@4/node_modules"
        files = {
            f"{store}/express/package.json": manifest("express", dependencies={"ms": "2"}),
            f"{store}/express/index.js": "",
            f"{store}/ms": Link("../../ms@2/node_modules/ms"),
            "/app/node_modules/.pnpm/ms@2/node_modules/ms/package.json": manifest("ms"),
            "/app/node_modules/express": Link(".pnpm/express@4/node_modules/express"),
        }
        found = app("require('express')", files)
        assert targets(found) == [f"{store}/express/package.json", "/app/node_modules/express"]
        inner = look(edges_of_node, view_of(files), f"{store}/express/package.json")
        assert targets(inner, kind="depends") == ["/app/node_modules/.pnpm/ms@2/node_modules/ms/package.json"]
        assert targets(inner, kind="link") == [f"{store}/ms"]

    def test_packages_of_the_distribution(self):
        """Debian's modules lie in /usr/share/nodejs and belong to its packages."""
        path = "/usr/share/nodejs/semver/package.json"
        found = app("require('semver')", {path: manifest("semver")}, package("node-semver", path))
        assert targets(found) == ["package:node-semver"]

    def test_node_path_of_the_image(self):
        """NODE_PATH is searched."""
        files = {"/opt/modules/tool/package.json": manifest("tool")}
        assert targets(app("require('tool')", files, env=("NODE_PATH=/opt/modules",))) == [
            "/opt/modules/tool/package.json"
        ]

    @pytest.mark.parametrize(
        "text", ["[]", "{", "null", '{"dependencies": [1], "main": 3, "imports": "x"}', "[" * 100000]
    )
    def test_broken_manifests_say_nothing(self, text):
        """A package.json that is none is passed over."""
        files = {"/app/node_modules/x/package.json": text, "/app/node_modules/x/i.js": ""}
        found = look(edges_of_node, view_of(files), "/app/node_modules/x/package.json")
        assert targets(found) == ["/app/node_modules/x/i.js"]
        assert isinstance(app("require('#a'); require('./node_modules/x')", files), Findings)


def test_code_on_the_command_line():
    """`node -e` and preloaded modules are imports of the command, resolved from the working directory."""
    files = {"/usr/bin/node": b"", "/app/health.js": "", "/app/node_modules/x/package.json": manifest("x")}
    view = view_of(files)
    edges, unknowns = edges_of_arguments("entry:e", ("/usr/bin/node", "-e", "require('./health')"), "/app", view)
    assert (targets(Findings(edges=edges)), unknowns) == (["/app/health.js"], ())
    edges, _ = edges_of_arguments("entry:e", ("/usr/bin/node", "--require", "x", "main.js"), "/app", view)
    assert targets(Findings(edges=edges)) == ["/app/node_modules/x/package.json"]
    assert {edge.source for edge in edges} == {"entry:e"}
