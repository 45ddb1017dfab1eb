"""CycloneDX JSON and XML, with the properties that Syft adds.

It holds packages, the dependency graph and, from Syft 1.20, names and digests of files; no ownership, types, modes,
sizes, links, imported libraries or image configuration.
"""

from __future__ import annotations

import json
import re
import warnings
from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType

from pruner.bytewise import bytewise
from pruner.errors import InputError, printable
from pruner.model import Distro, File, FileType, Inventory, Package, Selection
from pruner.read import lacks
from pruner.read.fields import decoded
from pruner.read.foreign import Stated, installed_package, stated_dependencies
from pruner.read.nested import flat
from pruner.read.order import ordered
from pruner.read.owners import owners_of
from pruner.read.paths import absolute_path
from pruner.rootfs.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_OTHER_TYPES = frozenset({ComponentType.FILE, ComponentType.OPERATING_SYSTEM, ComponentType.CONTAINER})
_LIST_PROPERTY = re.compile(r"^syft:(?:location|metadata):(?:\w+:)?(\d+)(?::path)?$")
_SAMPLE = 50
_BOM: Any = Bom
"""Its readers are made by a decorator, which type checkers can't see."""

_RIGHT_WAY_ROUND = (0, 81)
"""The first Syft release whose CycloneDX edges run from the dependant (anchore/syft issue 1816)."""


class _Named(msgspec.Struct):
    name: str
    value: str | None = None
    version: str | None = None


class _Hash(msgspec.Struct):
    alg: str
    content: str


class _Component(msgspec.Struct):
    name: str
    version: str | None = None
    group: str | None = None
    description: str | None = None
    publisher: str | None = None
    reference: str | None = msgspec.field(default=None, name="bom-ref")
    properties: list[_Named] | None = None
    hashes: list[_Hash] | None = None
    components: list[_Component] | None = None


class _Dependency(msgspec.Struct):
    ref: str
    depends: list[str] | None = msgspec.field(default=None, name="dependsOn")


class _Tools(msgspec.Struct):
    components: list[_Named] | None = None


class _Metadata(msgspec.Struct):
    component: _Component | None = None
    tools: _Tools | list[_Named] | None = None


class _Shape(msgspec.Struct):
    """The types of what is read, which the library does not look at."""

    version: str = msgspec.field(default="", name="specVersion")
    components: list[_Component] | None = None
    dependencies: list[_Dependency] | None = None
    metadata: _Metadata | None = None


_SHAPE = msgspec.json.Decoder(_Shape)


def read_cyclonedx_json(data: bytes, name: str) -> Inventory:
    """The inventory of a CycloneDX JSON document. Raises `InputError`."""
    version = decoded(_SHAPE, data, name).version
    document = _guarded(lambda: json.loads(data), name)
    return _inventory(_guarded(lambda: _BOM.from_json(document), name), name, "cyclonedx-json", version)


def read_cyclonedx_xml(data: bytes, name: str) -> Inventory:
    """The inventory of a CycloneDX XML document; a document type is refused. Raises `InputError`."""
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    def document() -> Any:
        try:
            return fromstring(data, forbid_dtd=True)
        except DefusedXmlException:
            raise InputError(f"{name}: XML with a document type", hint="an SBOM needs none; it is refused") from None

    root = _guarded(document, name)
    namespace, _, tag = root.tag.rpartition("}")
    if tag != "bom" or "cyclonedx" not in namespace:
        raise InputError(f"{name}: XML, but not a CycloneDX document", hint="its root element must be bom")
    return _inventory(_guarded(lambda: _BOM.from_xml(root), name), name, "cyclonedx-xml", namespace.rpartition("/")[2])


def _guarded(step: Callable[[], Any], name: str) -> Any:
    """What `step` returns; what the library raises on a damaged document is of no one kind."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the library tells authors of documents what newer versions deprecate
            found = step()
    except InputError:
        raise
    except Exception as error:  # noqa: BLE001 - see above
        reason = printable(str(error).split("\n", 1)[0])[:200] or type(error).__name__
        raise InputError(f"{name}: not a valid CycloneDX document: {reason}", hint="write it anew") from None
    if found is None:
        raise InputError(f"{name}: not a valid CycloneDX document", hint="write it anew")
    return found


def _inventory(bom: Bom, name: str, document_format: str, version: str) -> Inventory:
    components = sorted(flat(bom.components), key=_reference)
    packages = ordered(_packages(components, name))
    files = _files(components, packages, name)
    tool, release = _tool(bom)
    pairs = list(_pairs(bom))
    if tool == "syft" and release is not None and release < _RIGHT_WAY_ROUND:
        pairs = [(dependency, dependant) for dependant, dependency in pairs]
    subject = bom.metadata.component
    return Inventory(
        name=subject.name if subject is not None else "",
        format=document_format,
        schema_version=version,
        tool=_tool_text(bom),
        distro=_distro(components),
        packages=packages,
        files=files,
        owners=owners_of(packages, Tree(files)),
        dependencies=stated_dependencies(pairs, packages, "CycloneDX document"),
        selection=Selection.NONE,
        lacks=(lacks.NO_FILES, lacks.NO_OWNERS, lacks.NO_LIBRARIES, lacks.NO_DECLARATIONS, lacks.NO_IMAGE_CONFIG),
    )


def _reference(component: Component) -> str:
    return component.bom_ref.value or f"{component.name}@{component.version}"


def _packages(components: Iterable[Component], name: str) -> Iterator[Package]:
    seen: dict[str, int] = {}
    for component in components:
        if component.type in _OTHER_TYPES:
            continue
        reference = _reference(component)
        number = seen[reference] = seen.get(reference, 0) + 1
        properties = {item.name: item.value or "" for item in component.properties}
        package = installed_package(
            Stated(
                id=reference if number == 1 else f"{reference}#{number}",
                name=f"{component.group}/{component.name}" if component.group else component.name,
                version=component.version or "",
                purl=str(component.purl) if component.purl is not None else "",
                type=properties.get("syft:package:type", ""),
                metadata_type=properties.get("syft:package:metadataType", ""),
                found_by=properties.get("syft:package:foundBy", ""),
                locations=_listed(properties, "syft:location:"),
                licenses=[text for item in component.licenses if (text := _license(item))],
                maintainer=component.publisher or None,
                depends=_listed(properties, "syft:metadata:pullDependencies:"),
                provides=_listed(properties, "syft:metadata:provides:"),
            ),
            name,
            printable(reference),
        )
        if package is not None:
            yield package


def _listed(properties: dict[str, str], prefix: str) -> list[str]:
    """Values of numbered properties, in their order."""
    found = []
    for key, value in properties.items():
        number = _LIST_PROPERTY.match(key) if key.startswith(prefix) else None
        if number is not None and value:
            found.append((int(number[1]), value))
    return [value for _, value in sorted(found)]


def _license(item: Any) -> str:
    return str(getattr(item, "id", None) or getattr(item, "name", None) or getattr(item, "value", None) or "")


def _files(components: Iterable[Component], packages: Iterable[Package], name: str) -> dict[str, File]:
    """Regular files with their digests, bytewise order; only Syft since 1.20 lists any."""
    listed = [component for component in components if component.type is ComponentType.FILE and component.hashes]
    directory = _scanned_directory([component.name for component in listed], packages)
    files: dict[str, File] = {}
    for component in listed:
        if not component.name.startswith(f"{directory}/"):
            continue
        path = absolute_path(component.name.removeprefix(directory), name, printable(_reference(component)))
        digests = {item.alg.value.lower().replace("-", ""): item.content for item in component.hashes}
        algorithm = "sha256" if "sha256" in digests else min(digests)
        if path != "/":
            files[path] = File(path=path, type=FileType.REGULAR, digest=f"{algorithm}:{digests[algorithm]}")
    return {path: files[path] for path in bytewise(files)}


def _scanned_directory(names: list[str], packages: Iterable[Package]) -> str:
    """What precedes the root's paths in file names: directory scans (seen with 1.51) write the scanning machine's.

    Packages are located in the root's own paths, so a file that one was found in tells the difference.
    """
    votes: Counter[str] = Counter()
    locations = sorted({location for package in packages for location in package.locations})
    for location in locations[:: max(1, len(locations) // _SAMPLE)]:
        votes.update(name.removesuffix(location) for name in names if name.endswith(location))
    return min(votes, key=lambda prefix: (-votes[prefix], prefix)) if votes else ""


def _pairs(bom: Bom) -> Iterator[tuple[str, str]]:
    """Dependant and dependency, as `dependsOn` has them."""
    for entry in bom.dependencies:
        for dependency in entry.dependencies:
            if entry.ref.value and dependency.ref.value:
                yield entry.ref.value, dependency.ref.value


def _tools(bom: Bom) -> list[tuple[str, str]]:
    tools = bom.metadata.tools
    return sorted((tool.name or "", tool.version or "") for tool in [*tools.components, *tools.tools])


def _tool_text(bom: Bom) -> str:
    return ", ".join(f"{tool} {version}".strip() for tool, version in _tools(bom))


def _tool(bom: Bom) -> tuple[str, tuple[int, int] | None]:
    for tool, version in _tools(bom):
        release = re.match(r"v?(\d+)\.(\d+)", version)
        if tool == "syft":
            return tool, (int(release[1]), int(release[2])) if release else None
    return "", None


def _distro(components: Iterable[Component]) -> Distro:
    for component in components:
        if component.type is ComponentType.OPERATING_SYSTEM:
            properties = {item.name: item.value or "" for item in component.properties}
            return Distro(
                id=properties.get("syft:distro:id", "") or component.name,
                version_id=properties.get("syft:distro:versionID", "") or component.version or "",
                name=component.description or properties.get("syft:distro:prettyName", ""),
                id_like=tuple(properties[key] for key in sorted(properties) if key.startswith("syft:distro:idLike:")),
            )
    return Distro()
