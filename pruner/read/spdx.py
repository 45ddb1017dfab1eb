"""SPDX 2.3 JSON as Syft writes it (https://spdx.github.io/spdx-spec/v2.3/).

It holds packages, digests of files, which package contains which regular file, and the dependency graph; no types,
modes, sizes, links or imported libraries. A directory or link is a file with a SHA1 of zeros.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

import msgspec

from pruner.bytewise import bytewise
from pruner.errors import InputError, printable
from pruner.model import Distro, File, FileType, Inventory, Package, PackageId, Selection
from pruner.read import lacks
from pruner.read.fields import decoded
from pruner.read.foreign import Stated, installed_package, stated_dependencies
from pruner.read.order import ordered
from pruner.read.owners import owners_of
from pruner.read.paths import absolute_path
from pruner.rootfs.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_NONE = frozenset({"", "NOASSERTION", "NONE"})
_INFO = re.compile(r"^acquired package info from [^:]*: (?P<paths>/.*)$", re.DOTALL)
_SUPPLIER = re.compile(r"^(?:Organization|Person): (?P<name>.*)$", re.DOTALL)


class _Checksum(msgspec.Struct, gc=False):
    algorithm: str
    value: str = msgspec.field(name="checksumValue")


class _Reference(msgspec.Struct, gc=False):
    type: str = msgspec.field(default="", name="referenceType")
    locator: str = msgspec.field(default="", name="referenceLocator")


class _Package(msgspec.Struct, gc=False):
    id: str = msgspec.field(name="SPDXID")
    name: str
    version: str = msgspec.field(default="", name="versionInfo")
    info: str = msgspec.field(default="", name="sourceInfo")
    supplier: str = ""
    license: str = msgspec.field(default="", name="licenseDeclared")
    purpose: str = msgspec.field(default="", name="primaryPackagePurpose")
    references: list[_Reference] | None = msgspec.field(default=None, name="externalRefs")


class _File(msgspec.Struct, gc=False):
    id: str = msgspec.field(name="SPDXID")
    name: str = msgspec.field(name="fileName")
    checksums: list[_Checksum] | None = None


class _Relationship(msgspec.Struct, gc=False):
    element: str = msgspec.field(name="spdxElementId")
    related: str = msgspec.field(name="relatedSpdxElement")
    type: str = msgspec.field(name="relationshipType")


class _Creation(msgspec.Struct):
    creators: list[str] = msgspec.field(default_factory=list)


class _Document(msgspec.Struct):
    name: str = ""
    creation: _Creation = msgspec.field(default_factory=_Creation, name="creationInfo")
    packages: list[_Package] | None = None
    files: list[_File] | None = None
    relationships: list[_Relationship] | None = None


_DOCUMENT = msgspec.json.Decoder(_Document)


def read_spdx(data: bytes, name: str, version: str) -> Inventory:
    """The inventory of an SPDX document whose `spdxVersion` is `version`. Raises `InputError`."""
    if version not in {"SPDX-2.2", "SPDX-2.3"}:
        raise InputError(
            f"{name}: {printable(version)} is not read",
            hint="accepted is SPDX-2.3; `syft SOURCE -o spdx-json@2.3` writes it",
        )
    document = decoded(_DOCUMENT, data, name)
    edges = document.relationships or []
    described = {edge.related for edge in edges if edge.type == "DESCRIBES"}
    packages = ordered(_packages(document, described, name))
    files, contained = _files(document, name)
    tools = [creator.removeprefix("Tool: ") for creator in document.creation.creators if creator.startswith("Tool: ")]
    return Inventory(
        name=document.name,
        format="spdx-json",
        schema_version=version,
        tool=" ".join(tools[:1]).replace("-", " ", 1),
        distro=_distro(packages),
        packages=packages,
        files=files,
        owners=owners_of(packages, Tree(files), contained),
        dependencies=stated_dependencies(_pairs(edges), packages, "SPDX document"),
        selection=Selection.OWNED,
        lacks=(lacks.NO_FILES, lacks.NO_LIBRARIES, lacks.NO_DECLARATIONS, lacks.NO_IMAGE_CONFIG),
    )


def _distro(packages: tuple[Package, ...]) -> Distro:
    """What the `distro` qualifier of the purls says, `ID-VERSION`."""
    for package in packages:
        stated = dict(package.purl.qualifiers or {}).get("distro", "") if package.purl is not None else ""
        if stated:
            identity, _, version = str(stated).rpartition("-")
            return Distro(id=identity or version, version_id=version if identity else "")
    return Distro()


def _packages(document: _Document, described: set[str], name: str) -> Iterator[Package]:
    seen: set[str] = set()
    for index, package in enumerate(document.packages or ()):
        at = f"$.packages[{index}]"
        if package.id in seen:
            raise InputError(f"{name}: {at}.SPDXID: repeats", hint="ids must differ; the document is damaged")
        seen.add(package.id)
        references = package.references or []
        purl = next((reference.locator for reference in references if reference.type == "purl"), "")
        if package.id in described or (not purl and package.purpose):
            continue
        info = _INFO.match(package.info)
        supplier = _SUPPLIER.match(package.supplier)
        found = installed_package(
            Stated(
                id=package.id,
                name=package.name,
                version=package.version,
                purl=purl,
                locations=info["paths"].split(", ") if info else (),
                licenses=() if package.license in _NONE else (package.license,),
                maintainer=supplier["name"] if supplier else None,
            ),
            name,
            at,
        )
        if found is not None:
            yield found


def _files(document: _Document, name: str) -> tuple[dict[str, File], Mapping[PackageId, list[str]]]:
    """Regular files by path, and the paths that each package contains."""
    contains: defaultdict[str, list[str]] = defaultdict(list)
    for edge in document.relationships or ():
        if edge.type == "CONTAINS":
            contains[edge.related].append(edge.element)
    files: dict[str, File] = {}
    contained: defaultdict[PackageId, list[str]] = defaultdict(list)
    for index, entry in enumerate(document.files or ()):
        path = absolute_path(entry.name, name, "$.files[%d].fileName", index)
        digest = _digest(entry)
        holders = contains.get(entry.id, [])
        if path == "/" or (digest is None and not holders):
            continue  # a directory or a link: no package contains one
        files[path] = File(path=path, type=FileType.REGULAR, digest=digest)
        for holder in holders:
            contained[PackageId(holder)].append(path)
    return {path: files[path] for path in bytewise(files)}, contained


def _digest(entry: _File) -> str | None:
    digests = {digest.algorithm.lower(): digest.value for digest in entry.checksums or () if digest.value.strip("0")}
    algorithm = "sha256" if "sha256" in digests else next(iter(digests), None)
    return None if algorithm is None else f"{algorithm}:{digests[algorithm]}"


def _pairs(edges: list[_Relationship]) -> Iterator[tuple[str, str]]:
    """Dependant and dependency: `A DEPENDENCY_OF B` and `B DEPENDS_ON A` say the same (clause 11.1)."""
    for edge in edges:
        if edge.type.endswith("DEPENDENCY_OF"):
            yield edge.related, edge.element
        elif edge.type == "DEPENDS_ON":
            yield edge.element, edge.related
