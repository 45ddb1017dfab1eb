"""What a root adds to packages of languages: file lists and requirements that their metadata files hold."""

from __future__ import annotations

import csv
import posixpath
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec

from pruner.read.database import text_of
from pruner.read.syftpackages import gem_fields, python_fields

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pruner.model import Package
    from pruner.rootfs.tree import Tree
    from pruner.rootfs.types import Root

_GEM_DEPENDENCY = re.compile(r"\.add_(?:runtime_)?dependency[ (]*(?:%q<([^>]+)>|[\"']([^\"']+)[\"'])")
_PACKAGE_JSON = msgspec.json.Decoder(dict[str, Any])
_NPM_FIELDS = ("dependencies", "optionalDependencies", "peerDependencies")


def located(package: Package) -> Package:
    """`package` with the files or directories that follow from where it was found, if it has none yet."""
    if package.files or package.whole_directories or not package.locations:
        return package
    first = package.locations[0]
    if package.type == "npm" and first.endswith("/package.json"):
        return replace(package, whole_directories=(posixpath.dirname(first),))
    if package.type == "gem" and first.endswith(".gemspec"):
        return replace(package, **gem_fields(first))
    if package.type == "python" and _metadata_directory(package):
        return replace(
            package,
            **python_fields(site="", files=(), top_level=(), requires=package.depends, locations=package.locations),
        )
    return package


def with_extensions(package: Package, tree: Tree) -> Package:
    """A gem with the directories that its compiled extensions lie in; any other package as it is."""
    if package.type != "gem" or not package.whole_directories:
        return package
    home, _, full_name = package.whole_directories[0].rpartition("/gems/")
    if not home or re.search(r"[*?\[]", full_name):
        return package
    built = tree.glob(f"{home}/extensions/*/*/{full_name}")
    return replace(package, whole_directories=tuple(dict.fromkeys([*package.whole_directories, *built])))


def completed(package: Package, root: Root, tree: Tree) -> Package:
    """`package` with the file list and the requirements that the root states and the SBOM does not.

    An npm package without any directory left is not installed in this version.
    """
    package = located(package)
    if package.type == "python":
        return _python(package, root, tree)
    if package.type == "npm" and package.whole_directories:
        return _npm(package, root, tree)
    if package.type == "gem" and not package.depends and package.locations:
        text = text_of(root, tree, package.locations[0]) or ""
        names = (quoted or plain for quoted, plain in _GEM_DEPENDENCY.findall(text))
        return replace(package, depends=tuple(dict.fromkeys(names)))
    return package


def _python(package: Package, root: Root, tree: Tree) -> Package:
    directory = _metadata_directory(package)
    if directory is None:
        return package
    record = None if _lists_files(package) else text_of(root, tree, f"{directory}/RECORD")
    if record:
        fields = python_fields(
            site=posixpath.dirname(directory),
            files=[row[0] for row in _rows(record) if row and row[0] and "\0" not in row[0]],
            top_level=(),
            requires=package.depends,
            locations=package.locations,
        )
        package = replace(package, **fields)
    if package.depends:
        return package
    metadata = next(
        (text for name in ("METADATA", "PKG-INFO") if (text := text_of(root, tree, f"{directory}/{name}"))),
        "",
    )
    return replace(package, depends=_requires_dist(metadata))


def _lists_files(package: Package) -> bool:
    return bool(package.files) and not package.whole_directories


def _metadata_directory(package: Package) -> str | None:
    folders = (posixpath.dirname(location) for location in package.locations)
    return next((folder for folder in folders if folder.endswith((".dist-info", ".egg-info"))), None)


def _rows(record: str) -> list[list[str]]:
    try:
        return list(csv.reader(record.splitlines()))
    except csv.Error:
        return []


def _requires_dist(metadata: str) -> tuple[str, ...]:
    """`Requires-Dist` of core metadata, whose headers end at the first blank line."""
    headers = metadata.replace("\r\n", "\n").partition("\n\n")[0]
    return tuple(
        line.partition(":")[2].strip() for line in headers.split("\n") if line.lower().startswith("requires-dist:")
    )


def _npm(package: Package, root: Root, tree: Tree) -> Package:
    """With the names that package.json requires, those of optional and peer dependencies included.

    Of several directories, which a lock file can't tell apart, those of another version are left out.
    """
    manifests = {directory: _package_json(directory, root, tree) for directory in package.whole_directories}
    own = [place for place, manifest in manifests.items() if manifest.get("version") in {None, package.version}]
    fields: Sequence[object] = [manifests[place].get(field) for place in own for field in _NPM_FIELDS]
    names = {name for field in fields if isinstance(field, dict) for name in field}
    return replace(
        package,
        whole_directories=tuple(own),
        depends=package.depends or tuple(sorted(names)),
    )


def _package_json(directory: str, root: Root, tree: Tree) -> dict[str, Any]:
    text = text_of(root, tree, f"{directory}/package.json")
    try:
        return _PACKAGE_JSON.decode((text or "{}").encode("utf-8", "surrogateescape"))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return {}
