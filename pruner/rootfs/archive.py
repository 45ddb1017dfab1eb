"""Roots in archives: a plain tar of a root filesystem, a docker-archive, an OCI image layout."""

from __future__ import annotations

import mmap
import os
from typing import TYPE_CHECKING

from pruner.errors import InputError
from pruner.rootfs.decompress import uncompressed
from pruner.rootfs.image import Blob, Container, Image, image_in
from pruner.rootfs.overlay import Content, Listing, Overlay
from pruner.rootfs.region import Region, fault
from pruner.rootfs.tarball import members_of_tar

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pruner.model import File, ImageConfig
    from pruner.rootfs.types import Root


class ArchiveRoot:
    """The `Root` that archives make up, whose bytes stay where they are."""

    def __init__(self, name: str, listing: Listing, image: ImageConfig | None = None) -> None:
        self.name = name
        self.image = image
        self.lacks: tuple[str, ...] = ()
        self.files: Mapping[str, File] = listing.files
        self._contents: Mapping[str, Content] = listing.contents
        self._attributes = listing.attributes
        self._modified = listing.modified

    def read(self, path: str) -> memoryview:
        """See `Root.read`."""
        content = self._content(path)
        return content.data.view() if content.holes is None else _filled(content, f"{self.name}: {path}")

    def region(self, path: str) -> Region:
        """Where the stored bytes of the regular file `path` lie."""
        return self._content(path).data

    def extended_attributes(self, path: str) -> Mapping[str, bytes]:
        """See `Root.extended_attributes`."""
        return self._attributes.get(path, {})

    def modified(self, path: str) -> int:
        """See `Root.modified`."""
        return self._modified.get(path, 0)

    def close(self) -> None:
        """See `Root.close`."""
        self._contents = {}

    def _content(self, path: str) -> Content:
        content = self._contents.get(path)
        if content is None:
            raise InputError(f"{self.name}: {path} is not a regular file")
        return content


def open_archive(location: str) -> Root:
    """The root in the file `location`: a tar of a root, or of an image, plain or compressed.

    Raises `InputError` for what is none of these or is damaged, `EnvironmentFault` where space for decompressed data
    is missing.
    """
    try:
        stored = Region.of_descriptor(os.open(location, os.O_RDONLY | os.O_CLOEXEC))
    except OSError as error:
        raise fault(error, location) from None
    data = uncompressed(stored, location)
    overlay = Overlay(location)
    overlay.apply(members_of_tar(data, location, ended=True), archive=location, whiteouts=False)
    plain = ArchiveRoot(location, overlay.listing())
    image = image_in(plain)
    return plain if image is None else _image_root(location, image)


def open_layout(container: Container) -> Root:
    """The root of the image in `container`, a directory that holds an OCI image layout."""
    image = image_in(container)
    if image is None:
        raise InputError(f"{container.name}: not an OCI image layout", hint="its oci-layout or index.json is missing")
    return _image_root(container.name, image)


def _image_root(name: str, image: Image) -> ArchiveRoot:
    overlay = Overlay(name)
    for blob, data in _layers(image.layers):
        overlay.apply(members_of_tar(data, blob.name, ended=False), archive=blob.name, whiteouts=True)
    return ArchiveRoot(name, overlay.listing(), image.config)


def _layers(blobs: Sequence[Blob]) -> Iterator[tuple[Blob, Region]]:
    """The uncompressed layers in order; a blob that occurs again is not decompressed again."""
    done: dict[str, Region] = {}
    for blob in blobs:
        if blob.name not in done:
            done[blob.name] = uncompressed(blob.data, blob.name)
        yield blob, done[blob.name]


def _filled(content: Content, what: str) -> memoryview:
    """A sparse file with its holes; memory that stays zero is not touched."""
    if not content.size:
        return memoryview(b"")
    try:
        whole = mmap.mmap(-1, content.size)
    except (OSError, ValueError, OverflowError):
        raise InputError(f"{what}: a sparse file of {content.size} bytes does not fit into memory") from None
    position = 0
    for start, size in content.holes or ():
        whole[start : start + size] = content.data.read(position, size)
        position += size
    return memoryview(whole).toreadonly()
