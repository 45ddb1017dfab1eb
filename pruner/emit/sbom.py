"""`sbom.cdx.json`: a CycloneDX 1.6 document of the packages that are kept, with their dependency graph.

What was dropped is in their pedigree alone.
"""

from __future__ import annotations

import uuid
import warnings
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pruner
from pruner.emit.artifact import Artifact
from pruner.emit.pedigree import dropped_files, image_pedigree, package_pedigree
from pruner.errors import printable
from pruner.model import Node, node_kind, node_name
from pruner.plan import Decision, PackagePlan, Plan

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from cyclonedx.model.bom import Bom
    from cyclonedx.model.component import Component

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:pruner:sbom")
_ROOT = "pruned-root"
_SOURCES = {
    "deb": ("dpkg-db-entry", "source"),
    "apk": ("apk-db-entry", "originPackage"),
    "rpm": ("rpm-db-entry", "sourceRpm"),
}
"""By purl type: Syft's names of a database's entry and of the source package in it (`cyclonedx:` tags of syft/pkg).

Distributions file vulnerabilities under source packages. Grype finds those in these properties, not in the purl.
"""


def sbom_artifact(plan: Plan, *, image: str | None, epoch: int | None) -> Artifact:
    """`sbom.cdx.json` of the packages of `plan` that are not dropped; `image` names what was pruned, where known.

    Packages and files that are dropped stand in the pedigree of the image and of the packages that they were part of.
    A dependency says that something of the one package needs something of the other, as the closure followed it.
    The serial number is made from the content, and the time is `epoch` (seconds since 1970) or missing.
    """
    from cyclonedx.output.json import JsonV1Dot6

    bom = _bom(plan, image or _scanned(plan), epoch)
    placeholder = str(bom.serial_number)
    with warnings.catch_warnings():
        # The library warns of a root without dependencies; files without a package may be all that an entry needs.
        warnings.simplefilter("ignore", UserWarning)
        text = str(JsonV1Dot6(bom).output_as_string(indent=2))
    serial = uuid.uuid5(_NAMESPACE, text.replace(placeholder, ""))
    return Artifact(path="sbom.cdx.json", data=f"{text.replace(placeholder, str(serial))}\n".encode())


def _bom(plan: Plan, name: str, epoch: int | None) -> Bom:
    from cyclonedx.model.bom import Bom
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.model.dependency import Dependency

    dropped = dropped_files(plan)
    root = Component(type=ComponentType.CONTAINER, name=printable(name), bom_ref=_ROOT)
    gone = (_component(package) for package in plan.packages if package.decision is Decision.DROP)
    root.pedigree = image_pedigree(root, gone, dropped.get(None, ()))
    components = {
        package.id: _kept(package, dropped.get(package.id, ()))
        for package in plan.packages
        if package.decision is not Decision.DROP
    }
    bom = Bom(components=components.values(), serial_number=_NAMESPACE)
    if plan.distro.id:
        bom.components.add(
            Component(
                type=ComponentType.OPERATING_SYSTEM,
                name=printable(plan.distro.id),
                version=printable(plan.distro.version_id) or None,
                description=printable(plan.distro.name) or None,
                bom_ref="operating-system",
            )
        )
    bom.metadata.component = root
    # Without a given time there is none: the schema asks for none, and a clock would make every document another one.
    stated = None if epoch is None else datetime.fromtimestamp(epoch, UTC)
    bom.metadata.timestamp = stated  # type: ignore[assignment]
    bom.metadata.tools.components.add(
        Component(type=ComponentType.APPLICATION, name="pruner", version=pruner.__version__)
    )
    references = {str(node): component.bom_ref for node, component in components.items()} | {"": root.bom_ref}
    bom.dependencies.update(
        Dependency(ref=reference, dependencies=[Dependency(ref=references[target]) for target in targets])
        for (source, targets) in package_dependencies(plan).items()
        for reference in [references[source]]
    )
    return bom


def _component(package: PackagePlan) -> Component:
    """Name, version and purl of `package`, without a reference."""
    from cyclonedx.model.component import Component, ComponentType
    from packageurl import PackageURL

    try:
        purl = PackageURL.from_string(package.purl)
    except ValueError:
        purl = None
    return Component(
        type=ComponentType.LIBRARY,
        name=printable(package.name),
        version=printable(package.version) or None,
        purl=purl,
    )


def _kept(package: PackagePlan, dropped: Iterable[str]) -> Component:
    from cyclonedx.model import Property

    component = _component(package)
    # Two packages may have one purl (two virtual environments): the id of the inventory tells them apart.
    component.bom_ref.value = f"{printable(package.purl)}#{printable(package.id)}"
    component.properties.update(
        (
            Property(name="pruner:decision", value=package.decision.value),
            Property(name="pruner:kept-bytes", value=str(package.kept_bytes)),
            *(Property(name=name, value=value) for name, value in _source_properties(component)),
        )
    )
    component.pedigree = package_pedigree(component, dropped)
    return component


def _source_properties(component: Component) -> Iterator[tuple[str, str]]:
    purl = component.purl
    stated = str(dict(purl.qualifiers or {}).get("upstream", "")) if purl is not None else ""
    if purl is None or not stated or purl.type not in _SOURCES:
        return
    entry, field = _SOURCES[purl.type]
    name, _, version = stated.partition("@")
    yield "syft:package:type", purl.type
    yield "syft:package:metadataType", entry
    yield f"syft:metadata:{field}", printable(name)
    if version and purl.type == "deb":
        yield "syft:metadata:sourceVersion", printable(version)


def package_dependencies(plan: Plan) -> Mapping[str, tuple[str, ...]]:
    """For the root (`""`) and the id of every kept package the ids of the kept packages that it needs, sorted.

    What no package owns (a capability, a link of the alternatives, a generated file) is looked through.
    """
    owners = _owners(plan)
    targets: dict[Node, list[Node]] = {}
    for edge in plan.edges:
        targets.setdefault(edge.source, []).append(edge.target)
    starts: dict[str, list[Node]] = {
        package.id: [] for package in plan.packages if package.decision is not Decision.DROP
    }
    starts[""] = []
    for node in targets:
        owner = "" if node_kind(node) == "entry" or not node else owners.get(node)
        if owner in starts:
            starts[owner].append(node)
    return {
        package: tuple(sorted(_reached(nodes, targets, owners) & starts.keys() - {package, ""}))
        for package, nodes in sorted(starts.items())
    }


def _owners(plan: Plan) -> dict[Node, str]:
    owners: dict[Node, str] = {Node(file.path): file.package for file in plan.files if file.package is not None}
    for edge in plan.edges:
        for node in (edge.source, edge.target):
            if node_kind(node) in ("package", "requires"):
                owners[node] = node_name(node)
    return owners


def _reached(nodes: Iterable[Node], targets: Mapping[Node, list[Node]], owners: Mapping[Node, str]) -> set[str]:
    """Ids of the packages that are next on the ways from `nodes`."""
    found: set[str] = set()
    waiting = list(nodes)
    seen = set(waiting)
    while waiting:
        for target in targets.get(waiting.pop(), ()):
            owner = owners.get(target)
            if owner is not None:
                found.add(owner)
            elif target not in seen:
                seen.add(target)
                waiting.append(target)
    return found


def _scanned(plan: Plan) -> str:
    return next((record.name for record in plan.inputs if record.role == "sbom" and record.name != "-"), "image")
