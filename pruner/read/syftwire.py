# ruff: noqa: D101, N815 - the names are the wire's own
"""The shapes of a syft-json document, schema majors 7 to 16, as far as they are read.

Each is what the releases of those schemas agree on (syft/format/syftjson/model); whatever a release may leave out or
write as `null` is optional. Unknown keys are ignored, as Syft's own decoder does.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

Natural = Annotated[int, msgspec.Meta(ge=0)]


class Shape(msgspec.Struct, gc=False):
    """Base of the shapes; none of them can be part of a reference cycle."""


class Schema(Shape):
    version: str


class Coordinates(Shape):
    path: str
    layerID: str = ""
    annotations: dict[str, str] | None = None


class FileMetadata(Shape):
    mode: Natural = 0
    type: str = "RegularFile"
    linkDestination: str | None = None
    userID: Natural = 0
    groupID: Natural = 0
    size: Natural = 0


class Digest(Shape):
    algorithm: str
    value: str


class Executable(Shape):
    hasEntrypoint: bool = False
    importedLibraries: list[str] | None = None
    hasExports: bool | None = None


class FileEntry(Shape):
    id: str
    location: Coordinates
    metadata: FileMetadata | None = None
    digests: list[Digest] | None = None
    executable: Executable | None = None


class Relationship(Shape):
    parent: str
    child: str
    type: str


class License(Shape):
    value: str = ""
    spdxExpression: str = ""


class Artifact(Shape):
    id: str
    name: str
    version: str = ""
    type: str = ""
    foundBy: str = ""
    locations: list[Coordinates] | None = None
    licenses: list[str | License] | None = None
    purl: str = ""
    metadataType: str = ""
    metadata: msgspec.Raw = msgspec.Raw()


class Source(Shape):
    type: str = ""
    name: str = ""
    metadata: msgspec.Raw = msgspec.Raw()
    target: msgspec.Raw = msgspec.Raw()
    """Schema 8 and older, in place of `name` and `metadata`."""


class ImageSource(Shape):
    userInput: str = ""
    config: str | None = None
    layers: list[Layer] | None = None


class Layer(Shape):
    digest: str = ""


class DirectorySource(Shape):
    path: str = ""


class Distro(Shape):
    prettyName: str = ""
    name: str = ""
    id: str = ""
    idLike: list[str] | str | None = None
    versionID: str = ""


class Descriptor(Shape):
    name: str = ""
    version: str = ""
    configuration: msgspec.Raw = msgspec.Raw()


class Document(Shape):
    schema: Schema
    artifacts: list[Artifact]
    artifactRelationships: list[Relationship] | None = None
    files: list[FileEntry] | None = None
    source: Source = msgspec.field(default_factory=Source)
    distro: Distro | None = None
    descriptor: Descriptor = msgspec.field(default_factory=Descriptor)


class DpkgFile(Shape):
    path: str
    digest: Digest | None = None
    isConfigFile: bool = False


class DpkgEntry(Shape):
    source: str = ""
    sourceVersion: str = ""
    architecture: str = ""
    maintainer: str = ""
    installedSize: Natural = 0
    """In KiB (deb-control(5), Installed-Size)."""
    provides: list[str] | None = None
    depends: list[str] | None = None
    preDepends: list[str] | None = None
    files: list[DpkgFile] | None = None


class ApkFile(Shape):
    path: str
    digest: Digest | None = None


class ApkEntry(Shape):
    originPackage: str = ""
    architecture: str = ""
    maintainer: str = ""
    version: str = ""
    size: Natural = 0
    """Of the archive, in bytes (apk-package(5), S:)."""
    pullChecksum: str = ""
    """apk's own of the archive (apk-package(5), C:)."""
    installedSize: Natural = 0
    """In bytes (apk-package(5), I:)."""
    pullDependencies: list[str] | None = None
    provides: list[str] | None = None
    files: list[ApkFile] | None = None


class RpmFile(Shape):
    path: str
    mode: Natural = 0
    """The decimal st_mode of the file, type included (`33188`): not the encoding of `FileMetadata.mode`."""
    digest: Digest | None = None
    flags: str = ""
    """The letters of `rpm -q --qf '%{FILEFLAGS:fflags}'`: `c` configuration, `d` documentation, `g` ghost, …"""


class RpmEntry(Shape):
    architecture: str = ""
    sourceRpm: str = ""
    size: Natural = 0
    """In bytes."""
    vendor: str = ""
    requires: list[str] | None = None
    provides: list[str] | None = None
    files: list[RpmFile] | None = None


class PythonFile(Shape):
    path: str


class PythonEntry(Shape):
    sitePackagesRootPath: str = ""
    topLevelPackages: list[str] | None = None
    requiresDist: list[str] | None = None
    files: list[PythonFile] | None = None


class GemEntry(Shape):
    files: list[str] | None = None


class JavaEntry(Shape):
    virtualPath: str = ""


class ComposerEntry(Shape):
    name: str = ""
    require: dict[str, str] | None = None


class FileList(Shape):
    """Metadata whose only interesting key is a list of absolute paths or `{path}` objects."""

    files: list[str | RpmFile] | None = None
