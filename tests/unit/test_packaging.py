"""What the distribution is called, needs and ships."""

from __future__ import annotations

import ast
import sys
import tomllib

from packaging.requirements import Requirement

from tests.support import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
DISTRIBUTIONS = {
    "clingo": "clingo", "cyclonedx": "cyclonedx-python-lib", "defusedxml": "defusedxml", "jinja2": "jinja2", "license_expression": "license-expression", "markupsafe": "markupsafe", "pydot": "pydot", "msgspec": "msgspec", "networkx": "networkx", "packageurl": "packageurl-python",
    "packaging": "packaging", "yaml": "pyyaml", "tree_sitter": "tree-sitter", "tree_sitter_bash": "tree-sitter-bash",
    "tree_sitter_javascript": "tree-sitter-javascript",
    "tree_sitter_perl": "tree-sitter-perl", "tree_sitter_php": "tree-sitter-php", "tree_sitter_ruby": "tree-sitter-ruby",
    "typer": "typer", "univers": "univers", "zstandard": "zstandard", "rich": "typer", "click": "typer",
}  # fmt: skip
"""By import name; rich and click are typer's own."""


def test_names_and_licence() -> None:
    """The distribution, the command and the import have the names that users are told."""
    assert PROJECT["project"]["name"] == "sbom-pruner"
    assert PROJECT["project"]["scripts"] == {"pruner": "pruner.__main__:run"}
    assert PROJECT["project"]["license"] == "Apache-2.0"
    assert "Apache License" in (ROOT / "LICENSE").read_text()


def test_every_import_is_declared_and_every_dependency_used() -> None:
    """What the package imports is declared, and nothing is declared that it does not import."""
    declared = {Requirement(text).name for text in PROJECT["project"]["dependencies"]}
    imported: set[str] = set()
    for path in (ROOT / "pruner").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported.update(alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                imported.add(node.module.partition(".")[0])
            elif isinstance(node, ast.Constant) and str(node.value).startswith("tree_sitter_"):
                imported.add(str(node.value))  # grammars are imported by name
    foreign = imported - sys.stdlib_module_names - {"pruner"}
    assert foreign <= set(DISTRIBUTIONS), foreign - set(DISTRIBUTIONS)
    assert {DISTRIBUTIONS[name] for name in foreign} == declared


def test_typed_package_says_so() -> None:
    """The marker for type checkers is shipped."""
    assert (ROOT / "pruner" / "py.typed").is_file()


def test_modules_stay_small() -> None:
    """No module has more than 400 lines: it would do more than one thing."""
    sizes = {str(path): len(path.read_text().splitlines()) for path in (ROOT / "pruner").rglob("*.py")}
    assert {path: size for path, size in sizes.items() if size > 400} == {}
