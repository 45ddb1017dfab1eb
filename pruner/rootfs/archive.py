"""Roots in archives: a plain tar of a root filesystem, a docker-archive, an OCI image layout."""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pruner.errors import InputError
from pruner.model import File, ImageConfig
from pruner.rootfs.image import Blob, Image, image_in
from pruner.rootfs.overlay import Content, Listing, Overlay
from pruner.rootfs.storage import Storage
from pruner.rootfs.tarball import members_of_tar
from pruner.rootfs.types import Root


class ArchiveRoot:
    """The `Root` that archives make up; its bytes stay where they are in `storage`."""

    def __init__(self, name: str, listing: Listing, storage: Storage, image: ImageConfig | None = None) -> None:
        self.name = name
        self.image = image
        self.lacks: tuple[str, ...] = ()
        self.files: Mapping[str, File] = listing.files
        self._contents: Mapping[str, Content] = listing.contents
        self._attributes = listing.attributes
        self._modified = listing.modified
        self._storage = storage

    def read(self, path: str) -> memoryview:
        """See `Root.read`."""
        content = self._contents.get(path)
        if content is None:
            raise InputError(f"{self.name}: {path} is not a regular file")
        return content.data.toreadonly() if content.holes is None else _filled(content, f"{self.name}: {path}")

    def extended_attributes(self, path: str) -> Mapping[str, bytes]:
        """See `Root.extended_attributes`."""
        return self._attributes.get(path, {})

    def modified(self, path: str) -> int:
        """See `Root.modified`."""
        return self._modified.get(path, 0)

    def close(self) -> None:
        """See `Root.close`."""
        self._contents = {}
        self._storage.close()


def open_archive(location: str) -> Root:
    """The root in the file `location`: a tar of a root, or of an image, plain or compressed.

    Raises `InputError` for what is none of these or is damaged, `EnvironmentFault` where space for decompressed data
    is missing.
    """
    storage = Storage()
    try:
        with Path(location).open("rb") as file:
            data = storage.uncompressed(storage.mapped(file), location)
        overlay = Overlay(location)
        overlay.apply(members_of_tar(data, location, ended=True), archive=location, whiteouts=False)
        plain = ArchiveRoot(location, overlay.listing(), storage)
        image = image_in(plain)
        return plain if image is None else _image_root(location, image, storage)
    except BaseException:
        storage.close()
        raise


def open_layout(container: Root) -> Root:
    """The root of the image in `container`, a directory that holds an OCI image layout."""
    image = image_in(container)
    if image is None:
        raise InputError(f"{container.name}: not an OCI image layout", hint="its oci-layout or index.json is missing")
    storage = Storage()
    try:
        return _image_root(container.name, image, storage)
    except BaseException:
        storage.close()
        raise


def _image_root(name: str, image: Image, storage: Storage) -> ArchiveRoot:
    overlay = Overlay(name)
    for blob, data in _layers(image.layers, storage):
        overlay.apply(members_of_tar(data, blob.name, ended=False), archive=blob.name, whiteouts=True)
    return ArchiveRoot(name, overlay.listing(), storage, image.config)


def _layers(blobs: Sequence[Blob], storage: Storage) -> Iterator[tuple[Blob, memoryview]]:
    """The uncompressed layers in order; a blob that occurs again is not decompressed again."""
    done: dict[str, memoryview] = {}
    for blob in blobs:
        if blob.name not in done:
            done[blob.name] = storage.uncompressed(blob.data, blob.name)
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
        whole[start : start + size] = content.data[position : position + size]
        position += size
    return memoryview(whole).toreadonly()
