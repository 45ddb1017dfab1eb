"""PHP applications: includes, Composer's autoloader, and the extensions that ini files load."""

from __future__ import annotations

import json

import pytest

from pruner.analyze.arguments import edges_of_arguments
from pruner.analyze.php import edges_of_php
from pruner.model import EdgeKind, Findings
from tests.unit.languages import details, look, package, targets, view_of


def app(source, files=None, *packages, path="/app/main.php"):
    return look(edges_of_php, view_of({**(files or {}), path: source}, *packages), path)


def test_every_way_to_include():
    """`__DIR__`, dirname, constants, variables, literals and the include path lead to files."""
    files = {f"/app/{name}.php": "" for name in ("a", "b", "c", "d", "e", "f")} | {
        "/up.php": "",
        "/usr/share/php/PEAR.php": "",
    }
    source = """<?php
        define('ROOT', __DIR__); const LIB = __DIR__ . '/lib/..'; $base = dirname(__FILE__);
        require __DIR__ . "/a.php"; require_once(ROOT . '/b.php'); include 'c.php'; include_once "$base/d.php";
        require LIB . '/e.php'; require dirname(__DIR__) . '/up.php'; require 'PEAR.php'; require realpath(__DIR__ . '/f.php');
    """
    found = app(source, files)
    assert targets(found, kind="import") == sorted(files)
    assert found.unknowns == ()


def test_missing_and_computed_files():
    """A required file that is missing is unknown, an included one is not; a computed name keeps its directory."""
    source = "<?php\nrequire 'gone.php';\ninclude 'maybe.php';\nspl_autoload_register(function ($c) { require __DIR__ . '/src/' . $c . '.php'; });\nrequire $x;\n"
    found = app(source, {"/app/src/A.php": "", "/app/src/deep/B.php": ""})
    assert targets(found, kind="import") == ["/app/src/A.php", "/app/src/deep/B.php"]
    assert details(found) == [
        "a file whose name is computed in line 4",
        "a file whose name is computed in line 5",
        "file gone.php, required in line 2, is not in the root",
    ]


def test_text_outside_of_php_includes_nothing():
    """HTML, comments and strings are no code."""
    assert (
        app("require 'a.php'; <?php // require 'b.php';\n$x = \"require 'c.php'\"; ?> require 'd.php';") == Findings()
    )


def test_data_and_commands():
    """Paths over `__DIR__` are data with what is below them; a literal command is looked up in PATH."""
    files = {"/app/templates/a.twig": "", "/app/key.pem": "", "/usr/bin/convert": b""}
    found = app("<?php $l = new Loader(__DIR__ . '/templates'); $k = __DIR__ . '/key.pem'; exec('convert a b');", files)
    assert targets(found, kind="data") == ["/app/key.pem", "/app/templates", "/app/templates/a.twig"]
    assert targets(found, kind="exec") == ["/usr/bin/convert"]


def test_files_of_packages():
    """An included file of a package names the package."""
    path = "/usr/share/php/Twig/autoload.php"
    assert targets(app("<?php require 'Twig/autoload.php';", {path: ""}, package("php-twig", path))) == [
        "package:php-twig"
    ]


class TestComposer:
    VENDOR = "/app/vendor"

    def files(self):
        installed = {
            "packages": [
                {
                    "name": "monolog/monolog",
                    "install-path": "../monolog/monolog",
                    "autoload": {"psr-4": {"M\\": "src"}},
                },
                {"name": "phpunit/phpunit", "install-path": "../phpunit/phpunit"},
                {"name": "dev/helpers", "install-path": "../dev/helpers", "autoload": {"files": ["f.php"]}},
            ],
            "dev-package-names": ["phpunit/phpunit", "dev/helpers"],
        }
        return {
            f"{self.VENDOR}/autoload.php": "<?php return require __DIR__ . '/composer/autoload_real.php';",
            f"{self.VENDOR}/composer/autoload_real.php": "",
            f"{self.VENDOR}/composer/installed.json": json.dumps(installed),
            f"{self.VENDOR}/monolog/monolog/src/Logger.php": "",
            f"{self.VENDOR}/phpunit/phpunit/src/T.php": "",
            f"{self.VENDOR}/dev/helpers/f.php": "",
            "/app/composer.json": json.dumps({"autoload": {"psr-4": {"App\\": "src/"}, "files": ["boot.php"]}}),
            "/app/src/Kernel.php": "",
            "/app/boot.php": "",
        }

    def test_production_packages_and_own_classes(self):
        """The autoloader keeps what it can load; a development package only if it is included at every start."""
        found = look(edges_of_php, view_of(self.files()), f"{self.VENDOR}/autoload.php")
        companions = targets(found, kind="companion")
        assert f"{self.VENDOR}/monolog/monolog/src/Logger.php" in companions
        assert f"{self.VENDOR}/dev/helpers/f.php" in companions
        assert f"{self.VENDOR}/phpunit/phpunit/src/T.php" not in companions
        assert {"/app/src/Kernel.php", "/app/boot.php"} <= set(targets(found, kind="import"))

    @pytest.mark.parametrize("text", ["", "{", "[]", '{"packages": 3}', '{"packages": [3, {"name": 4}]}', "[" * 100000])
    def test_broken_lists_keep_the_directory_or_nothing(self, text):
        """Whatever installed.json holds, nothing ends in an error."""
        files = self.files() | {f"{self.VENDOR}/composer/installed.json": text, "/app/composer.json": text}
        assert look(edges_of_php, view_of(files), f"{self.VENDOR}/autoload.php").edges


def test_extensions_of_ini_files():
    """`extension=` and `zend_extension=` load shared objects, inert or not; what is missing is unknown."""
    folder = "/usr/lib/php/20220829"
    files = {
        "/etc/php/8.2/cli/conf.d/20-x.ini": '; extension=commented\nextension=pdo_sqlite.so\nzend_extension = "opcache"\nextension=gone\n',
        f"{folder}/pdo_sqlite.so": b"\x7fELF",
        f"{folder}/opcache.so": b"\x7fELF",
        f"{folder}/unused.so": b"\x7fELF",
        "/usr/local/etc/php/php.ini": "extension_dir=/opt/ext\nextension=mine\n",
        "/opt/ext/mine.so": b"\x7fELF",
    }
    view = view_of(files)
    found = look(edges_of_php, view, "/etc/php/8.2/cli/conf.d/20-x.ini", active=False)
    assert targets(found, kind=EdgeKind.LOAD) == [f"{folder}/opcache.so", f"{folder}/pdo_sqlite.so"]
    assert details(found) == ["extension gone is not in the root"]
    assert targets(look(edges_of_php, view, "/usr/local/etc/php/php.ini", active=False)) == ["/opt/ext/mine.so"]


def test_code_on_the_command_line():
    """`php -r` is code in the working directory."""
    view = view_of({"/usr/bin/php8.2": b"", "/app/x.php": ""})
    edges, _ = edges_of_arguments("entry:e", ("/usr/bin/php8.2", "-r", "require 'x.php';"), "/app", view)
    assert targets(Findings(edges=edges)) == ["/app/x.php"]


@pytest.mark.parametrize(
    "source",
    [
        b"<?php require 'caf\xe9'; $x = '\xe9';",
        b"<?php \0\xff" * 50,
        "<?php " + "(" * 20000,
        "<?php require " + "__DIR__ . " * 5000,
        "<?php $x = " + "[" * 20000,
    ],
)
def test_hostile_text(source):
    """Nothing that a file may hold ends in an error; an inert file is not read at all."""
    assert isinstance(app(source), Findings)
    assert look(edges_of_php, view_of({"/a.php": source}), "/a.php", active=False) == Findings()
