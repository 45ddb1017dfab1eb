"""Makes tars and images for tests, good ones and bad ones."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

LAYER = "application/vnd.oci.image.layer.v1.tar"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"


def member(name: str, content: bytes | None = None, **fields: Any) -> tuple[tarfile.TarInfo, bytes | None]:
    """One member: a directory when `name` ends in a slash, else a file; `fields` are TarInfo's."""
    info = tarfile.TarInfo(name)
    info.type = tarfile.DIRTYPE if name.endswith("/") else tarfile.REGTYPE
    info.mode = 0o755 if name.endswith("/") else 0o644
    for key, value in fields.items():
        setattr(info, key, value)
    if info.type == tarfile.REGTYPE:
        content = content or b""
        info.size = len(content)
    return info, content


def link(name: str, target: str) -> tuple[tarfile.TarInfo, None]:
    info, _ = member(name, type=tarfile.SYMTYPE, linkname=target)
    return info, None


def hardlink(name: str, target: str) -> tuple[tarfile.TarInfo, None]:
    info, _ = member(name, type=tarfile.LNKTYPE, linkname=target)
    return info, None


def tar(*members: tuple[tarfile.TarInfo, bytes | None], version: int = tarfile.PAX_FORMAT) -> bytes:
    """The bytes of a tar with `members` as they are, checked by nobody."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=version, errors="surrogateescape") as archive:
        for info, content in members:
            archive.addfile(info, None if content is None else io.BytesIO(content))
    return buffer.getvalue()


def descriptor(data: bytes, media_type: str, **fields: Any) -> dict[str, Any]:
    return {
        "mediaType": media_type,
        "digest": f"sha256:{hashlib.sha256(data).hexdigest()}",
        "size": len(data),
        **fields,
    }


class Layout:
    """An OCI image layout in the making."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}'}
        self.manifests: list[dict[str, Any]] = []

    def blob(self, data: bytes, media_type: str, **fields: Any) -> dict[str, Any]:
        self.files[f"blobs/sha256/{hashlib.sha256(data).hexdigest()}"] = data
        return descriptor(data, media_type, **fields)

    def image(self, *layers: bytes, config: Mapping[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
        """Add an image to the index and return its descriptor."""
        manifest = {
            "schemaVersion": 2,
            "config": self.blob(json.dumps({"config": config or {}}).encode(), CONFIG),
            "layers": [self.blob(layer, LAYER) for layer in layers],
        }
        found = self.blob(json.dumps(manifest).encode(), MANIFEST, **fields)
        self.manifests.append(found)
        return found

    def done(self) -> dict[str, bytes]:
        return {**self.files, "index.json": json.dumps({"schemaVersion": 2, "manifests": self.manifests}).encode()}

    def write(self, place: Path) -> Path:
        for name, data in self.done().items():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_bytes(data)
        return place

    def tar(self) -> bytes:
        return tar(*(member(name, data) for name, data in self.done().items()))


def docker_archive(*layers: bytes, config: Mapping[str, Any] | None = None, tags: list[str] | None = None) -> bytes:
    """What `docker save` wrote before version 25, equal layers as links."""
    names = [f"{number}/layer.tar" for number in range(len(layers))]
    manifest = [{"Config": "config.json", "RepoTags": tags or ["t:1"], "Layers": names}]
    members = []
    for name, layer in zip(names, layers, strict=True):
        first = names[layers.index(layer)]
        members.append(member(name, layer) if first == name else link(name, f"../{first}"))
    return tar(
        *members,
        member("config.json", json.dumps({"config": config or {}, "os": "linux"}).encode()),
        member("manifest.json", json.dumps(manifest).encode()),
    )


def zipped(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)
