"""syft-json, schema majors 7 to 16.

Facts about the format and its traps come from Syft's sources (syft/format/syftjson) and from running Syft 0.76.0,
1.18.1 and 1.51.0. Majors 12 to 16 are read as they are; 7 to 11 differ in names that `ecosystems.METADATA_ALIASES`
and the optional fields of `syftwire` cover. Syft states dependencies provider -> dependant; they are turned round here.

Decoding into typed shapes by msgspec was chosen by measurement (6.5 MB, 11,600 files, 136 packages, garbage
collection paused): 18 ms and 46 ms of import against 56 ms of `json.loads`, which leaves every value to be checked.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import msgspec

from pruner.errors import InputError, printable
from pruner.model import (
    Distro,
    FileType,
    ImageConfig,
    Inventory,
    Package,
    PackageDependency,
    PackageId,
    Selection,
    Strength,
)
from pruner.read import lacks
from pruner.read import syftwire as wire
from pruner.read.fields import decoded, present
from pruner.read.languages import with_extensions
from pruner.read.lockfiles import installed_of
from pruner.read.order import ordered
from pruner.read.owners import owners_of
from pruner.read.rpmfiles import with_directories
from pruner.read.syftfiles import Listing, listing_of
from pruner.read.syftpackages import Artifacts, packages_of
from pruner.rootfs.imageconfig import image_config_from_oci
from pruner.rootfs.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

OLDEST_MAJOR, NEWEST_MAJOR = 7, 16
_VERSION = re.compile(r"^v?(\d+)\.(\d+)\.(\d+)")
_RAW_DEPENDENCIES = frozenset({"deb", "apk", "rpm", "python"})
"""Ecosystems whose graph is rebuilt from declarations, since Syft's edges lose alternatives and versions."""

_DOCUMENT = msgspec.json.Decoder(wire.Document)
_IMAGE = msgspec.json.Decoder(wire.ImageSource)
_DIRECTORY = msgspec.json.Decoder(wire.DirectorySource | str)
_ANY: msgspec.json.Decoder[Any] = msgspec.json.Decoder(Any)
_OBJECT: msgspec.json.Decoder[Mapping[str, Any]] = msgspec.json.Decoder(dict[str, Any])


def read_syft(data: bytes, name: str, version: str) -> Inventory:
    """The inventory of the syft-json document `data` of schema `version`; `name` is the input's name.

    Raises `InputError`.
    """
    schema = _checked_version(version, name)
    document = decoded(_DOCUMENT, data, name)
    source = _Source(document, name)
    listing = listing_of(document.files or (), directory=source.directory, layers=source.layers, name=name)
    artifacts = packages_of(document.artifacts, lists_removed=_lists_removed(document.descriptor, schema), name=name)
    selection = _selection(document.descriptor, listing, name)
    files = listing.files if selection is Selection.ALL else with_directories(listing.files, artifacts.packages, name)
    tree = Tree(files)
    locked = list(installed_of(artifacts.locked, artifacts.packages, tree))
    packages = ordered(with_extensions(package, tree) for package in [*artifacts.packages, *locked])
    told = selection is Selection.ALL and all(package.files for package in packages)
    contains = None if told else _contained(document, listing)
    return Inventory(
        name=source.name,
        format="syft-json",
        schema_version=version,
        tool=f"{document.descriptor.name or 'syft'} {document.descriptor.version}".strip(),
        distro=_distro(document.distro),
        image=source.image,
        packages=packages,
        files=files,
        owners=owners_of(packages, tree, contains),
        dependencies=_dependencies(document, packages),
        selection=selection,
        lacks=(*_lacks(document, listing, schema, selection), *_left_out(document, artifacts, packages)),
    )


def _checked_version(version: str, name: str) -> tuple[int, int, int]:
    numbers = _numbers(version)
    accepted = f"accepted are majors {OLDEST_MAJOR} to {NEWEST_MAJOR}"
    if numbers is None:
        raise InputError(f"{name}: '{printable(version)}' is no syft-json schema version", hint=accepted)
    if not OLDEST_MAJOR <= numbers[0] <= NEWEST_MAJOR:
        age = "older" if numbers[0] < OLDEST_MAJOR else "newer"
        raise InputError(
            f"{name}: syft-json schema {version} is {age} than what is read",
            hint=f"{accepted} (Syft 0.73 to 1.51); scan again with such a Syft",
        )
    return numbers


def _numbers(version: str) -> tuple[int, int, int] | None:
    found = _VERSION.match(version)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def _lists_removed(descriptor: wire.Descriptor, schema: tuple[int, int, int]) -> bool:
    """Whether the release lists packages in state deinstall; 1.37 stopped it (schema 16.0.41 before and after)."""
    release = _numbers(descriptor.version)
    if release is not None:
        return release < (1, 37, 0)
    return schema <= (16, 0, 41)


class _Source:
    """What was scanned."""

    def __init__(self, document: wire.Document, name: str) -> None:
        source = document.source
        self.name = source.name
        self.directory: str | None = None
        self.image: ImageConfig | None = None
        self.layers: tuple[str, ...] = ()
        if source.type in {"directory", "file"}:
            self.directory = ""
        key, details = ("metadata", source.metadata) if present(source.metadata) else ("target", source.target)
        if not present(details):
            return
        at = f"$.source.{key}"
        if source.type == "image":
            image = decoded(_IMAGE, details, name, at)
            self.name = self.name or image.userInput
            self.layers = tuple(layer.digest for layer in image.layers or ())
            self.image = _image_config(image, f"{name}: {at}.config")
        elif source.type in {"directory", "file"}:
            found = decoded(_DIRECTORY, details, name, at)
            self.directory = found if isinstance(found, str) else found.path
            self.name = self.name or self.directory


def _image_config(image: wire.ImageSource, where: str) -> ImageConfig | None:
    if not image.config:
        return None
    try:
        text = base64.b64decode(image.config, validate=True)
    except (binascii.Error, ValueError):
        raise InputError(f"{where}: not base64", hint="the image configuration in the SBOM is damaged") from None
    return image_config_from_oci(decoded(_OBJECT, text, where), name=where)


def _distro(distro: wire.Distro | None) -> Distro:
    if distro is None:
        return Distro()
    like = distro.idLike or ()
    return Distro(
        id=distro.id,
        version_id=distro.versionID,
        name=distro.prettyName or distro.name,
        id_like=tuple(like.split()) if isinstance(like, str) else tuple(like),
    )


def _selection(descriptor: wire.Descriptor, listing: Listing, name: str) -> Selection:
    """As the document states it; where it does not (before 0.101), what the listing shows."""
    configuration = _configuration(descriptor, name)
    files = configuration.get("files")
    stated = files.get("selection") if isinstance(files, dict) else None
    if isinstance(stated, str) and stated in set(Selection):
        return Selection(stated)
    if any(file.type in {FileType.DIRECTORY, FileType.SYMLINK} for file in listing.files.values()):
        return Selection.ALL
    return Selection.OWNED if any(file.digest or file.bytes for file in listing.files.values()) else Selection.NONE


def _configuration(descriptor: wire.Descriptor, name: str) -> dict[str, Any]:
    if not present(descriptor.configuration):
        return {}
    configuration = decoded(_ANY, descriptor.configuration, name, "$.descriptor.configuration")
    return configuration if isinstance(configuration, dict) else {}


def _contained(document: wire.Document, listing: Listing) -> Mapping[PackageId, Sequence[str]]:
    """Paths of the `contains` edges of each package."""
    contained: defaultdict[PackageId, list[str]] = defaultdict(list)
    for edge in document.artifactRelationships or ():
        if edge.type == "contains":
            path = listing.path_of.get(edge.child)
            if path is not None:
                contained[PackageId(edge.parent)].append(path)
    return contained


def _dependencies(document: wire.Document, packages: Sequence[Package]) -> tuple[PackageDependency, ...]:
    """Edges of packages that declare nothing themselves, turned round: Syft's parent is the dependency.

    Left out are edges of a package to itself, repeated ones, and those from files (an ELF package note's libraries,
    which `importedLibraries` states as well).
    """
    known = {package.id: package for package in packages}
    found: dict[tuple[PackageId, PackageId], None] = {}
    for edge in document.artifactRelationships or ():
        if not edge.type.endswith("dependency-of") or edge.parent == edge.child:
            continue
        dependant, dependency = known.get(PackageId(edge.child)), known.get(PackageId(edge.parent))
        if dependant is None or dependency is None:
            continue
        if dependant.type in _RAW_DEPENDENCIES and (dependant.depends or dependant.pre_depends):
            continue
        found[dependant.id, dependency.id] = None
    return tuple(
        PackageDependency(
            dependant=dependant, dependency=dependency, strength=Strength.HARD, evidence="dependency-of in the SBOM"
        )
        for dependant, dependency in sorted(found)
    )


_SINCE = (
    ((7, 1, 4), lacks.NO_SIZES),
    ((11, 0, 1), lacks.NO_DEBIAN_DEPENDENCIES),
    ((16, 0, 5), lacks.NO_LIBRARIES),
)
"""What a schema version brought."""


def _lacks(
    document: wire.Document, listing: Listing, schema: tuple[int, int, int], selection: Selection
) -> Iterator[str]:
    """What the document as a whole does not hold."""
    if selection is not Selection.ALL:
        yield lacks.ONLY_OWNED_FILES if selection is Selection.OWNED else lacks.NO_FILES
    debian = any(artifact.type == "deb" for artifact in document.artifacts)
    for version, sentence in _SINCE:
        if schema < version and (debian or sentence != lacks.NO_DEBIAN_DEPENDENCIES):
            yield sentence
    if document.distro is None or not document.distro.id:
        yield "the SBOM names no distribution (no os-release was found), so its packages may have no purl"
    if listing.outside:
        yield f"{listing.outside} files lie outside the scanned directory and are left out"
    layers = {entry.location.layerID for entry in document.files or ()}
    if len(layers) > 1 and '"all-layers"' in _scope_text(document.descriptor):
        yield "the SBOM covers all layers, so files that a later layer deleted are listed"


def _left_out(document: wire.Document, artifacts: Artifacts, packages: Sequence[Package]) -> Iterator[str]:
    """What the document holds and the inventory does not."""
    if artifacts.unparsed_purls:
        yield f"{artifacts.unparsed_purls} packages have a purl that is none"
    left_out = len(document.artifacts) - len(artifacts.removed) - len(packages)
    if left_out:
        yield f"{left_out} entries are not installed (lock files, archives, deleted layers) and left out"
    if artifacts.removed:
        yield f"Debian packages removed but not purged are left out: {', '.join(map(printable, artifacts.removed))}"


def _scope_text(descriptor: wire.Descriptor) -> str:
    return bytes(descriptor.configuration).decode("utf-8", "replace")
