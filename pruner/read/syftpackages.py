"""The `artifacts` of a syft-json document as the model's packages."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from pruner.errors import InputError
from pruner.model import DeclaredFile, Package, PackageId
from pruner.read import syftwire as wire
from pruner.read.ecosystems import METADATA_ALIASES, is_installed
from pruner.read.fields import decoded, present
from pruner.read.lockfiles import LOCKED_TYPES
from pruner.read.paths import absolute_path
from pruner.read.purls import parsed_purl

if TYPE_CHECKING:
    from collections.abc import Sequence

_DECODERS: dict[str, msgspec.json.Decoder[Any]] = {
    "dpkg-db-entry": msgspec.json.Decoder(wire.DpkgEntry),
    "apk-db-entry": msgspec.json.Decoder(wire.ApkEntry),
    "rpm-db-entry": msgspec.json.Decoder(wire.RpmEntry),
    "python-package": msgspec.json.Decoder(wire.PythonEntry),
    "ruby-gemspec": msgspec.json.Decoder(wire.GemEntry),
    "java-archive": msgspec.json.Decoder(wire.JavaEntry),
    "php-composer-installed-entry": msgspec.json.Decoder(wire.ComposerEntry),
    **dict.fromkeys(
        ("java-jvm-installation", "alpm-db-entry", "portage-db-entry", "nix-store-entry", "conda-metadata-entry"),
        msgspec.json.Decoder(wire.FileList),
    ),
}
_DATABASE = re.compile(
    r"/(?:var/lib/dpkg|(?:usr/)?lib/apk/db|var/lib/rpm|usr/lib/sysimage/rpm|usr/share/rpm|var/lib/rpmmanifest)/"
)
_SOURCE_RPM = re.compile(r"^(?P<name>.+)-(?P<version>[^-]+-[^-]+)\.(?:no)?src\.rpm$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifacts:
    """What the document says about packages."""

    packages: tuple[Package, ...]
    locked: tuple[Package, ...]
    """Packages that a lock file names; they may be installed beside it."""
    removed: tuple[str, ...]
    """Names of Debian packages left out because they are removed but not purged."""
    unparsed_purls: int


def packages_of(entries: Sequence[wire.Artifact], *, lists_removed: bool, name: str) -> Artifacts:
    """The installed packages of `entries`, in no particular order.

    `lists_removed`: the Syft release also lists Debian packages in state deinstall (before 1.37); of such a package
    nothing but its conffiles is left. Raises `InputError` naming `name` and the JSON path.
    """
    packages: dict[str, Package] = {}
    seen = set[str]()
    locked: list[Package] = []
    unparsed, removed = 0, list[str]()
    for index, entry in enumerate(entries):
        at = f"$.artifacts[{index}]"
        if entry.id in seen:
            raise InputError(f"{name}: {at}.id: {entry.id!r} repeats", hint="ids must differ; the document is damaged")
        seen.add(entry.id)
        metadata_type = METADATA_ALIASES.get(entry.metadataType, entry.metadataType)
        locations = entry.locations or []
        hidden = bool(locations) and all((place.annotations or {}).get("visible") == "false" for place in locations)
        if hidden or not is_installed(ecosystem=entry.type, metadata_type=metadata_type, found_by=entry.foundBy):
            if entry.type in LOCKED_TYPES and not hidden:
                locked.append(_package(entry, metadata_type, name, at))
            continue
        package = _package(entry, metadata_type, name, at)
        if lists_removed and metadata_type == "dpkg-db-entry" and _is_removed(package):
            removed.append(package.name)
            continue
        unparsed += bool(entry.purl) and package.purl is None
        packages[entry.id] = package
    return Artifacts(
        packages=tuple(packages.values()),
        locked=tuple(locked),
        removed=tuple(sorted(removed)),
        unparsed_purls=unparsed,
    )


def _is_removed(package: Package) -> bool:
    """Whether conffiles are all that is left; an entry of its own in status.d is of an installed package.

    Of those Syft reads no other file names before it knew their `.md5sums` (0.76 does not).
    """
    if any("/var/lib/dpkg/status.d/" in place for place in package.locations):
        return False
    return bool(package.files) and all(file.conffile for file in package.files)


def _package(entry: wire.Artifact, metadata_type: str, name: str, at: str) -> Package:
    locations = [
        absolute_path(place.path, name, f"{at}.locations[%d].path", number)
        for number, place in enumerate(entry.locations or ())
    ]
    fields: dict[str, Any] = {}
    decoder = _DECODERS.get(metadata_type)
    if decoder is not None and present(entry.metadata):
        metadata = decoded(decoder, entry.metadata, name, f"{at}.metadata")
        fields = _fields(metadata, entry, locations)
    elif metadata_type == "javascript-npm-package" and locations:
        fields = {"whole_directories": (posixpath.dirname(locations[0]),)}
    return Package(
        id=PackageId(entry.id),
        type=entry.type,
        name=entry.name,
        version=entry.version,
        purl=parsed_purl(entry.purl),
        licenses=_licenses(entry),
        **{"locations": tuple(dict.fromkeys(locations)), **fields},
    )


def _fields(  # noqa: PLR0911 - one return an ecosystem
    metadata: Any, entry: wire.Artifact, locations: Sequence[str]
) -> dict[str, Any]:
    """What the ecosystem's metadata adds to the package."""
    match metadata:
        case wire.DpkgEntry():
            return _dpkg(metadata, entry, _nested_root(locations))
        case wire.ApkEntry():
            return _apk(metadata, entry, _nested_root(locations))
        case wire.RpmEntry():
            return _rpm(metadata, _nested_root(locations))
        case wire.PythonEntry():
            return python_fields(
                site=metadata.sitePackagesRootPath,
                files=[file.path for file in metadata.files or ()],
                top_level=metadata.topLevelPackages or (),
                requires=metadata.requiresDist or (),
                locations=locations,
            )
        case wire.GemEntry() if locations:
            return gem_fields(locations[0])
        case wire.JavaEntry():
            return {"locations": _jars(metadata, locations)}
        case wire.ComposerEntry() if locations and metadata.name:
            folder = posixpath.dirname(posixpath.dirname(locations[0]))
            return {
                "whole_directories": (posixpath.normpath(f"{folder}/{metadata.name}"),),
                "depends": tuple(sorted(metadata.require or {})),
            }
        case wire.FileList():
            paths = [file if isinstance(file, str) else file.path for file in metadata.files or ()]
            return {"files": tuple(DeclaredFile(path=path) for path in paths if path.startswith("/"))}
    return {}


def _nested_root(locations: Sequence[str]) -> str:
    """Where the root lies whose database a package comes from: empty for the image's own."""
    for location in locations:
        found = _DATABASE.search(location)
        if found is not None:
            return location[: found.start()]
    return ""


def _dpkg(metadata: wire.DpkgEntry, entry: wire.Artifact, root: str) -> dict[str, Any]:
    return {
        "architecture": metadata.architecture or None,
        "source": metadata.source or entry.name,
        "source_version": metadata.sourceVersion or entry.version,
        "maintainer": metadata.maintainer or None,
        "installed_bytes": metadata.installedSize * 1024,
        "depends": tuple(metadata.depends or ()),
        "pre_depends": tuple(metadata.preDepends or ()),
        "provides": tuple(metadata.provides or ()),
        "files": tuple(
            DeclaredFile(path=root + file.path, digest=_digest(file.digest), conffile=file.isConfigFile)
            for file in metadata.files or ()
        ),
    }


def _apk(metadata: wire.ApkEntry, entry: wire.Artifact, root: str) -> dict[str, Any]:
    return {
        "architecture": metadata.architecture or None,
        "source": metadata.originPackage or entry.name,
        "source_version": metadata.version or entry.version,
        "maintainer": metadata.maintainer or None,
        "installed_bytes": metadata.installedSize,
        "checksum": metadata.pullChecksum,
        "download_bytes": metadata.size,
        "depends": tuple(metadata.pullDependencies or ()),
        "provides": tuple(metadata.provides or ()),
        "files": tuple(
            DeclaredFile(path=root + file.path, digest=None if file.digest is None else file.digest.value)
            for file in metadata.files or ()
        ),
    }


def _rpm(metadata: wire.RpmEntry, root: str) -> dict[str, Any]:
    source = _SOURCE_RPM.match(metadata.sourceRpm)
    return {
        "architecture": metadata.architecture or None,
        "source": source["name"] if source else None,
        "source_version": source["version"] if source else None,
        "maintainer": metadata.vendor or None,
        "installed_bytes": metadata.size,
        "depends": tuple(dict.fromkeys(metadata.requires or ())),
        "provides": tuple(dict.fromkeys(metadata.provides or ())),
        "files": tuple(
            DeclaredFile(
                path=root + file.path,
                digest=_digest(file.digest),
                conffile="c" in file.flags,
                mode=file.mode or None,
                ghost="g" in file.flags,
            )
            for file in metadata.files or ()
        ),
    }


def python_fields(
    *, site: str, files: Sequence[str], top_level: Sequence[str], requires: Sequence[str], locations: Sequence[str]
) -> dict[str, Any]:
    """Fields of a Python distribution. `files` are RECORD's paths, relative to the directory `site`.

    Without RECORD the top-level packages and the metadata directory are taken whole.
    """
    site = site if site.startswith("/") else f"/{site}" if site else _site_of(locations)
    declared = tuple(DeclaredFile(path=posixpath.normpath(posixpath.join(site, path))) for path in files)
    whole: tuple[str, ...] = ()
    if not declared and site:
        modules = [name for name in top_level if name and "/" not in name and name not in {".", ".."}]
        declared = tuple(DeclaredFile(path=f"{site}/{module}.py") for module in modules)
        whole = tuple(f"{site}/{module}" for module in modules)
    if not files:
        whole += tuple(
            folder
            for folder in dict.fromkeys(posixpath.dirname(location) for location in locations)
            if folder.endswith((".dist-info", ".egg-info"))
        )
    return {"files": declared, "whole_directories": whole, "depends": tuple(requires)}


def _site_of(locations: Sequence[str]) -> str:
    return next(
        (
            posixpath.dirname(folder)
            for folder in map(posixpath.dirname, locations)
            if folder.endswith((".dist-info", ".egg-info"))
        ),
        "",
    )


def gem_fields(gemspec: str) -> dict[str, Any]:
    """Fields of a gem whose specification lies at `gemspec`: GEMDIR/specifications/NAME-VERSION.gemspec.

    RubyGems unpacks to GEMDIR/gems/NAME-VERSION (Gem::BasicSpecification#gem_dir) and builds extensions in
    GEMDIR/extensions/PLATFORM/API/NAME-VERSION. A gem bundled with ruby (specifications/default) has no such folder.
    """
    folder, _, base = gemspec.rpartition("/")
    full_name = base.removesuffix(".gemspec")
    home = posixpath.dirname(folder.removesuffix("/default"))
    declared = (DeclaredFile(path=gemspec), DeclaredFile(path=f"{home}/cache/{full_name}.gem"))
    if not folder.endswith(("/specifications", "/specifications/default")):
        return {"files": declared[:1]}
    return {"files": declared, "whole_directories": (f"{home}/gems/{full_name}",)}


def _jars(metadata: wire.JavaEntry, locations: Sequence[str]) -> tuple[str, ...]:
    """The outer archives: a jar within a jar is `outer.jar:inner.jar` in `virtualPath`."""
    if not metadata.virtualPath:
        return tuple(locations)
    outer = metadata.virtualPath.partition(":")[0]
    return tuple(dict.fromkeys([*locations, outer if outer.startswith("/") else f"/{outer}"]))


def _digest(digest: wire.Digest | None) -> str | None:
    """The value's first word: dpkg's `obsolete` mark is glued to it, and a new conffile has `newconffile` instead."""
    words = digest.value.split() if digest is not None else []
    if digest is None or not words or words[0] == "newconffile":
        return None
    return f"{digest.algorithm}:{words[0]}"


def _licenses(entry: wire.Artifact) -> tuple[str, ...]:
    texts = (
        stated if isinstance(stated, str) else stated.spdxExpression or stated.value for stated in entry.licenses or ()
    )
    return tuple(sorted({text for text in texts if text}))
