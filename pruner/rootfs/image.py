"""Images inside a container of files: the OCI image layout (image-spec, image-layout.md) and the docker-archive."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from pruner.errors import InputError
from pruner.model import FileType, ImageConfig
from pruner.rootfs.imageconfig import image_config_from_oci
from pruner.rootfs.tree import Tree
from pruner.rootfs.types import Root

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pruner.rootfs.region import Region

_LARGEST_DOCUMENT = 16 << 20
"""Bytes; registries refuse manifests beyond 4 MiB (distribution-spec, Pushing Manifests)."""
_DEEPEST_INDEX = 8
_INDEXES = {
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
}
_CONFIGS = {
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.docker.container.image.v1+json",
}
_REFERENCE = "org.opencontainers.image.ref.name"
_ATTESTATION = "vnd.docker.reference.type"
_ONE_IMAGE = "save a single image for one platform (skopeo copy --override-arch, docker save NAME)"


class Container(Root, Protocol):
    """Files that hold an image instead of a root."""

    def region(self, path: str) -> Region:
        """Where the bytes of the regular file at real path `path` lie."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blob:
    """A layer as stored, maybe compressed."""

    name: str
    """The archive's name and the layer's, for messages."""
    data: Region


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """One image: its configuration and its layers, the lowest first."""

    config: ImageConfig
    layers: tuple[Blob, ...]


def image_in(container: Container) -> Image | None:
    """The one image that `container` holds, None where it holds files of a root instead.

    Raises `InputError` where there are several images or none, or one is damaged: every digest that the layout states
    is compared.
    """
    files = container.files
    if "/oci-layout" in files and "/index.json" in files:
        return _oci_image(_Store(container))
    if "/manifest.json" in files:
        return _docker_image(_Store(container))
    return None


class _Store:
    """Blobs and documents of a container; links in it are followed inside it (docker save links equal layers)."""

    def __init__(self, container: Container) -> None:
        self.name = container.name
        self._container = container
        self._tree = Tree(container.files)

    def has(self, path: str) -> bool:
        found = self._tree.resolve(path).path
        return found is not None and self._container.files[found].type is FileType.REGULAR if found != "/" else False

    def blob(self, path: str) -> Region:
        found = self._tree.resolve(path).path
        if found is None or not self.has(path):
            raise InputError(f"{self.name}: {path} is missing", hint="the image is incomplete; save it anew")
        return self._container.region(found)

    def document(self, path: str) -> Any:
        data = self.blob(path)
        if data.size > _LARGEST_DOCUMENT:
            raise InputError(f"{self.name}: {path} has {data.size} bytes, too many for a manifest")
        try:
            return json.loads(data.read(0, data.size))
        except (ValueError, RecursionError) as error:
            raise InputError(f"{self.name}: {path} is not JSON: {error}") from None

    def described(self, descriptor: Mapping[str, Any], where: str) -> tuple[str, Region]:
        """Path and bytes of the blob that an OCI descriptor points to, compared with its size and digest."""
        path = self.path(descriptor, where)
        data = self.blob(path)
        size = descriptor.get("size")
        if isinstance(size, int) and size != data.size:
            raise InputError(f"{self.name}: {path} has {data.size} bytes, {where} says {size}", hint=_DAMAGED)
        algorithm, _, expected = str(descriptor["digest"]).partition(":")
        actual = hashlib.new(algorithm)
        for chunk in data.chunks():
            actual.update(chunk)
        if actual.hexdigest() != expected:
            raise InputError(f"{self.name}: {path} does not match its {algorithm} digest", hint=_DAMAGED)
        return path, data

    def path(self, descriptor: Mapping[str, Any], where: str) -> str:
        """Where the blob of a descriptor lies (image-spec, descriptor.md, Digests)."""
        algorithm, _, value = str(descriptor.get("digest", "")).partition(":")
        if algorithm not in {"sha256", "sha384", "sha512"} or not value.isalnum():
            raise InputError(f"{self.name}: {where} states no digest that is understood")
        return f"/blobs/{algorithm}/{value}"


_DAMAGED = "the image is damaged; save it anew"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    """An image manifest that an index names and the layout holds."""

    descriptor: Mapping[str, Any]
    label: str


def _oci_image(store: _Store) -> Image:
    candidates = {store.path(c.descriptor, "index.json"): c for c in _candidates(store, "/index.json", 0)}
    if not candidates:
        raise InputError(f"{store.name}: holds no image manifest", hint="the layout is empty or incomplete")
    if len(candidates) > 1:
        labels = ", ".join(sorted(candidate.label for candidate in candidates.values()))
        raise InputError(f"{store.name}: holds {len(candidates)} images: {labels}", hint=_ONE_IMAGE)
    (manifest_path,) = candidates
    store.described(candidates[manifest_path].descriptor, "index.json")
    manifest = _object(store.document(manifest_path), store, manifest_path)
    config = _object(manifest.get("config"), store, f"{manifest_path}: config")
    if config.get("mediaType") not in _CONFIGS:
        raise InputError(
            f"{store.name}: {manifest_path} is an artifact of type {config.get('mediaType')}, not an image"
        )
    config_path, _ = store.described(config, f"{manifest_path}: config")
    layers = []
    for index, item in enumerate(_list(manifest.get("layers"), store, f"{manifest_path}: layers")):
        where = f"{manifest_path}: layers[{index}]"
        path, data = store.described(_object(item, store, where), where)
        layers.append(Blob(name=f"{store.name}: {path}", data=data))
    return Image(config=_config(store, config_path), layers=tuple(layers))


def _candidates(store: _Store, path: str, depth: int) -> Iterator[_Candidate]:
    """Manifests that are present, of nested indexes too; attestations are no images."""
    if depth > _DEEPEST_INDEX:
        raise InputError(f"{store.name}: indexes nested deeper than {_DEEPEST_INDEX}")
    index = _object(store.document(path), store, path)
    for number, item in enumerate(_list(index.get("manifests"), store, f"{path}: manifests")):
        where = f"{path}: manifests[{number}]"
        descriptor = _object(item, store, where)
        annotations = descriptor.get("annotations") or {}
        place = store.path(descriptor, where)
        if not store.has(place) or _ATTESTATION in annotations:
            continue
        if descriptor.get("mediaType") in _INDEXES:
            store.described(descriptor, where)
            yield from _candidates(store, place, depth + 1)
        else:
            platform = descriptor.get("platform") or {}
            words = [platform.get("os"), platform.get("architecture"), platform.get("variant")]
            label = [str(annotations.get(_REFERENCE, "")), "/".join(str(word) for word in words if word)]
            yield _Candidate(descriptor=descriptor, label=" ".join(filter(None, label)) or str(descriptor["digest"]))


def _docker_image(store: _Store) -> Image | None:
    """The image of a docker-archive; None where manifest.json is some application's own file."""
    try:
        document = store.document("/manifest.json")
    except InputError:
        return None
    if not isinstance(document, list) or not all(isinstance(item, dict) and "Layers" in item for item in document):
        return None
    if not document:
        raise InputError(f"{store.name}: holds no image", hint=_ONE_IMAGE)
    if len(document) > 1:
        labels = ", ".join(sorted(" ".join(map(str, item.get("RepoTags") or ["untagged"])) for item in document))
        raise InputError(f"{store.name}: holds {len(document)} images: {labels}", hint=_ONE_IMAGE)
    (item,) = document
    names = [str(name) for name in _list(item["Layers"], store, "manifest.json: Layers")]
    layers = tuple(Blob(name=f"{store.name}: {name}", data=store.blob(f"/{name}")) for name in names)
    return Image(config=_config(store, f"/{item.get('Config')}"), layers=layers)


def _config(store: _Store, path: str) -> ImageConfig:
    return image_config_from_oci(_object(store.document(path), store, path), name=f"{store.name}: {path}")


def _object(value: Any, store: _Store, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise InputError(f"{store.name}: {where} is not an object")
    return value


def _list(value: Any, store: _Store, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise InputError(f"{store.name}: {where} is not a list")
    return value
