"""Small syft-json documents and roots for the readers' tests."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pruner.model import Inventory, Package
from pruner.read import read_sbom


def entry(path: str, kind: str = "RegularFile", *, mode: int = 644, **metadata: Any) -> dict[str, Any]:
    """One of the document's `files`; its id is `file:PATH`."""
    extra = {key: metadata.pop(key) for key in ("digests", "executable") if key in metadata}
    layer = metadata.pop("layer", None)
    location = {"path": path} if layer is None else {"path": path, "layerID": layer}
    full = {"mode": mode, "type": kind, "userID": 0, "groupID": 0, "mimeType": "", "size": 0, **metadata}
    return {"id": f"file:{path}", "location": location, "metadata": full, **extra}


def link(path: str, destination: str, size: int = 0) -> dict[str, Any]:
    """A symbolic link among the document's `files`."""
    return entry(path, "SymbolicLink", mode=1000000777, linkDestination=destination, size=size)


def deb(name: str, files: Sequence[Any] = (), **fields: Any) -> dict[str, Any]:
    """A Debian package among the document's `artifacts`; its id is `deb:NAME`. `files` are paths or objects."""
    metadata = fields.pop("metadata", {})
    listed = [{"path": file, "isConfigFile": False} if isinstance(file, str) else file for file in files]
    return {
        "id": f"deb:{name}",
        "name": name,
        "version": "1.0-1",
        "type": "deb",
        "foundBy": "dpkg-db-cataloger",
        "locations": [{"path": "/var/lib/dpkg/status"}],
        "purl": f"pkg:deb/debian/{name}@1.0-1?arch=amd64&distro=debian-12",
        "metadataType": "dpkg-db-entry",
        "metadata": {"package": name, "version": "1.0-1", "architecture": "amd64", "files": listed, **metadata},
        **fields,
    }


def document(
    artifacts: Sequence[Mapping[str, Any]], files: Sequence[Mapping[str, Any]] = (), **fields: Any
) -> dict[str, Any]:
    """A syft-json document of an image, all files selected."""
    return {
        "artifacts": list(artifacts),
        "artifactRelationships": [],
        "files": list(files),
        "source": {"id": "x", "name": "image", "version": "", "type": "image", "metadata": {"userInput": "image"}},
        "distro": {"prettyName": "Debian 12", "id": "debian", "versionID": "12"},
        "descriptor": {"name": "syft", "version": "1.18.1", "configuration": {"files": {"selection": "all"}}},
        "schema": {"version": "16.0.18", "url": ""},
        **fields,
    }


def directory_source(path: str = "rootfs") -> dict[str, Any]:
    """The `source` of a directory scan."""
    return {"id": "x", "name": path, "version": "", "type": "directory", "metadata": {"path": path}}


def edge(parent: str, child: str, kind: str = "contains") -> dict[str, str]:
    """One of the document's `artifactRelationships`."""
    return {"parent": parent, "child": child, "type": kind}


def read(place: Path, content: Mapping[str, Any]) -> Inventory:
    """The inventory of `content`, read from a file in the directory `place`."""
    path = place / "sbom.json"
    path.write_text(json.dumps(content))
    return read_sbom(str(path))


def package(inventory: Inventory, name: str) -> Package:
    """The one package of that name."""
    (found,) = [package for package in inventory.packages if package.name == name]
    return found


def owners(inventory: Inventory, path: str) -> tuple[str, ...]:
    """Names of the packages that own `path`."""
    names = {package.id: package.name for package in inventory.packages}
    return tuple(names[owner] for owner in inventory.owners.get(path, ()))


def write_tree(root: Path, content: Mapping[str, str | bytes | None]) -> None:
    """Make names below `root`: text is a file, `None` a directory, text that starts with `-> ` a link."""
    for path, value in content.items():
        place = root / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        if value is None:
            place.mkdir(exist_ok=True)
        elif isinstance(value, str) and value.startswith("-> "):
            place.symlink_to(value[3:])
        else:
            place.write_bytes(value.encode() if isinstance(value, str) else value)


STATUS = """\
Package: tool
Status: install ok installed
Maintainer: Nobody <nobody@example.org>
Installed-Size: 12
Architecture: amd64
Source: toolset (2.0)
Version: 1.0-1
Depends: libtool1 (>= 1.0) | libtool-compat, perl:any
Pre-Depends: libc6
Conffiles:
 /etc/tool.conf 0123456789abcdef0123456789abcdef
 /etc/tool.old 0123456789abcdef0123456789abcdef obsolete
 /etc/tool.new newconffile
Description: a tool
 with a long text

Package: libtool1
Status: install ok installed
Architecture: amd64
Multi-Arch: same
Version: 1.0-1
Provides: libtool-virtual (= 1.0)
Description: a library

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1.0-1
Conffiles:
 /etc/gone.conf 0123456789abcdef0123456789abcdef
Description: removed, not purged
"""


def debian_tree(root: Path) -> None:
    """A small merged-usr Debian root with a dpkg database of `tool`, `libtool1` and the removed `gone`."""
    elf = Path("/bin/true").read_bytes()
    write_tree(
        root,
        {
            "usr/bin/tool": elf,
            "usr/lib/libtool.so.1.2.3": elf + b"library",
            "usr/lib/libtool.so.1": "-> libtool.so.1.2.3",
            "usr/lib/tool/plugin.so": "-> /lib/libtool.so.1",
            "usr/lib/tool/\N{LATIN SMALL LETTER E WITH ACUTE}": "-> \N{LATIN SMALL LETTER E WITH ACUTE}tude.so",
            "usr/share/doc/tool/copyright": "free",
            "usr/share/tool/empty": "",
            "bin": "-> usr/bin",
            "lib": "-> usr/lib",
            "etc/tool.conf": "a=1",
            "etc/gone.conf": "b=2",
            "etc/os-release": 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian 12"\n',
            "opt/unowned": elf + b"unowned",
            "tmp": None,
            "var/lib/dpkg/status": STATUS,
            "var/lib/dpkg/info/tool.md5sums": "d41d8cd98f00b204e9800998ecf8427e  bin/tool\n"
            "d41d8cd98f00b204e9800998ecf8427e  usr/share/doc/tool/copyright\n"
            "d41d8cd98f00b204e9800998ecf8427e  usr/share/doc/tool/deleted.gz\n"
            "d41d8cd98f00b204e9800998ecf8427e  usr/share/tool/empty\n",
            "var/lib/dpkg/info/tool.conffiles": "/etc/tool.conf\n",
            "var/lib/dpkg/info/tool.list": "/.\n/bin\n/bin/tool\n/etc\n/etc/tool.conf\n/usr\n/usr/lib\n/usr/lib/tool\n"
            "/usr/lib/tool/plugin.so\n/usr/share\n/usr/share/doc\n/usr/share/doc/tool\n/usr/share/doc/tool/copyright\n"
            "/usr/share/doc/tool/deleted.gz\n/usr/share/tool\n/usr/share/tool/empty\n",
            "var/lib/dpkg/info/libtool1:amd64.md5sums": "d41d8cd98f00b204e9800998ecf8427e  usr/lib/libtool.so.1.2.3\n",
            "var/lib/dpkg/info/libtool1:amd64.list": "/.\n/usr\n/usr/lib\n/usr/lib/libtool.so.1.2.3\n/usr/lib/libtool.so.1\n",
            "var/lib/dpkg/info/gone.list": "/etc/gone.conf\n",
            "var/lib/dpkg/info/gone.conffiles": "/etc/gone.conf\n",
        },
    )
    (root / "usr/bin/tool").chmod(0o4755)
    (root / "tmp").chmod(0o1777)


def image_config(config: Mapping[str, Any]) -> str:
    """An image configuration as the document carries it."""
    return base64.b64encode(
        json.dumps({"architecture": "amd64", "os": "linux", "config": dict(config)}).encode()
    ).decode()
