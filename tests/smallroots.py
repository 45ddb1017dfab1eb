"""Small root filesystems and their SBOMs, made from a description in YAML.

    distro: debian                    # or alpine; the SBOM's and os-release's ID
    image: {Entrypoint: [/usr/bin/tool], User: app}
    files:
      /usr/bin/tool: {elf: {needed: [libtool.so.1], imports: [getpwnam], strings: [/etc/x]}}
      /usr/bin/alias: "-> tool"       # a symbolic link
      /etc/tool.conf: "text"
      /tmp: {directory: true, mode: "1777"}
      /var/empty:                     # a directory
      /usr/bin/run: {text: "#!/bin/sh\n", mode: "755"}
      /usr/bin/again: {hardlink: /usr/bin/tool}
    packages:
      tool: {depends: ["libtool1"], source: toolset, files: [/usr/bin/tool, "/usr/share/tool/**"]}

Everything that a package manager would leave behind (os-release, dpkg's or apk's database) is made from it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pruner.pipeline.policy import glob_matcher
from tests.elfs import make_elf

_TYPES = {
    stat.S_IFREG: "RegularFile",
    stat.S_IFDIR: "Directory",
    stat.S_IFLNK: "SymbolicLink",
    stat.S_IFIFO: "FIFONode",
    stat.S_IFSOCK: "Socket",
}
DPKG = "/var/lib/dpkg"
APK = "/lib/apk/db/installed"


@dataclass(frozen=True, slots=True)
class SmallRoot:
    """What was made: a directory and the SBOM file of the image that it is the root of."""

    directory: Path
    sbom: Path


def make_root(place: Path, description: Mapping[str, Any]) -> SmallRoot:
    """Make the root and its SBOM in the directory `place`."""
    root = place / "root"
    root.mkdir(mode=0o755)
    root.chmod(0o755)
    files = dict(description.get("files", {}))
    _write(root, files)
    owned = {name: _owned(package, root) for name, package in description.get("packages", {}).items()}
    _write(root, _database(description, owned, root))
    sbom = place / "sbom.json"
    sbom.write_text(json.dumps(sbom_of(root, description, owned)))
    return SmallRoot(root, sbom)


def _write(root: Path, files: Mapping[str, Any]) -> None:
    late = {path: value for path, value in files.items() if isinstance(value, dict) and "hardlink" in value}
    for path, value in {**{path: value for path, value in files.items() if path not in late}, **late}.items():
        place = root / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        entry = value if isinstance(value, dict) else _plain(value)
        if "link" in entry:
            place.symlink_to(entry["link"])
            continue
        if "hardlink" in entry:
            os.link(root / entry["hardlink"].lstrip("/"), place)
            continue
        if entry.get("directory"):
            place.mkdir(exist_ok=True)
        elif entry.get("fifo"):
            os.mkfifo(place)
        else:
            place.write_bytes(_content(entry))
        default = "755" if entry.get("directory") or "elf" in entry else "644"
        place.chmod(int(str(entry.get("mode", default)), 8))


def _plain(value: object) -> dict[str, Any]:
    if value is None:
        return {"directory": True}
    assert isinstance(value, str), value
    return {"link": value[3:]} if value.startswith("-> ") else {"text": value}


def _content(entry: Mapping[str, Any]) -> bytes:
    if "elf" in entry:
        options = dict(entry["elf"] or {})
        strings = [os.fsencode(text) for text in options.pop("strings", ())]
        return make_elf(**options, constants=b"\0".join(strings)) + bytes(entry.get("padding", 0))
    return os.fsencode(entry["text"])


def _owned(package: Mapping[str, Any], root: Path) -> list[str]:
    owns = glob_matcher([*package.get("files", ()), *package.get("whole_directories", ())])
    return [path for path in _names(root) if owns(path)]


def _names(root: Path) -> list[str]:
    """Every name below `root` as an absolute path in it, sorted bytewise."""
    found = []
    for directory, folders, files in os.walk(root):
        found += [f"{directory}/{name}".removeprefix(str(root)) for name in (*folders, *files)]
    return sorted(found, key=os.fsencode)


# -- package databases ------------------------------------------------------------------------------------------------


def _database(description: Mapping[str, Any], owned: Mapping[str, list[str]], root: Path) -> dict[str, str]:
    distro = description.get("distro", "debian")
    made = {} if (root / "etc/os-release").is_symlink() else {"/etc/os-release": f"ID={distro}\nVERSION_ID=1\n"}
    packages = description.get("packages", {})
    debian = {name: package for name, package in packages.items() if package.get("type", "deb") == "deb"}
    alpine = {name: package for name, package in packages.items() if package.get("type") == "apk"}
    if debian:
        made[f"{DPKG}/status"] = "\n".join(_stanza(name, package) for name, package in debian.items())
        for name in debian:
            made[f"{DPKG}/info/{name}.list"] = "".join(f"{path}\n" for path in ["/.", *_with_parents(owned[name])])
            regular = [
                path for path in owned[name] if (root / path[1:]).is_file() and not (root / path[1:]).is_symlink()
            ]
            made[f"{DPKG}/info/{name}.md5sums"] = "".join(
                f"{hashlib.md5((root / path[1:]).read_bytes()).hexdigest()}  {path[1:]}\n" for path in regular
            )
    if alpine:
        made[APK] = "\n".join(_apk_stanza(name, package, owned[name]) for name, package in alpine.items())
    return {path: text for path, text in made.items() if not (root / path[1:]).exists()}


def _with_parents(paths: list[str]) -> list[str]:
    found = {"/".join(path.split("/")[:count]) for path in paths for count in range(2, path.count("/") + 2)}
    return sorted(name for name in found if name and "\n" not in name)


def _stanza(name: str, package: Mapping[str, Any]) -> str:
    fields = {
        "Package": name,
        "Status": "install ok installed",
        "Maintainer": "Nobody <nobody@example.org>",
        "Architecture": package.get("architecture", "amd64"),
        "Source": package.get("source", ""),
        "Version": package.get("version", "1.0-1"),
        "Depends": ", ".join(package.get("depends", ())),
        "Provides": ", ".join(package.get("provides", ())),
        "Description": f"the package {name}",
    }
    return "".join(f"{key}: {value}\n" for key, value in fields.items() if value)


def _apk_stanza(name: str, package: Mapping[str, Any], paths: list[str]) -> str:
    fields = {
        "P": name,
        "V": package.get("version", "1.0-r0"),
        "A": package.get("architecture", "x86_64"),
        "o": package.get("source", name),
        "D": " ".join(package.get("depends", ())),
        "p": " ".join(package.get("provides", ())),
    }
    lines = [f"{key}:{value}" for key, value in fields.items() if value]
    folder = None
    for path in paths:
        directory, _, base = path[1:].rpartition("/")
        if directory != folder:
            lines.append(f"F:{directory}")
            folder = directory
        lines.append(f"R:{base}")
    return "\n".join(lines) + "\n"


# -- the SBOM ---------------------------------------------------------------------------------------------------------


def sbom_of(root: Path, description: Mapping[str, Any], owned: Mapping[str, list[str]]) -> dict[str, Any]:
    """A syft-json document (schema 16) of an image with the root `root`, all files selected."""
    distro = description.get("distro", "debian")
    metadata: dict[str, Any] = {"userInput": "image", "imageID": "sha256:0", "tags": ["image:1"], "layers": []}
    if description.get("image") is not None:
        config = {"architecture": "amd64", "os": "linux", "config": description["image"]}
        metadata["config"] = base64.b64encode(json.dumps(config).encode()).decode()
    packages = description.get("packages", {})
    return {
        "artifacts": [_artifact(name, package, owned[name], distro) for name, package in packages.items()],
        "artifactRelationships": [],
        "files": [_entry(root, path, description) for path in _names(root)],
        "source": {"id": "x", "name": "image", "version": "1", "type": "image", "metadata": metadata},
        "distro": {"prettyName": distro, "id": distro, "versionID": "1"},
        "descriptor": {"name": "syft", "version": "1.18.1", "configuration": {"files": {"selection": "all"}}},
        "schema": {"version": "16.0.18", "url": ""},
    }


def _artifact(name: str, package: Mapping[str, Any], paths: list[str], distro: str) -> dict[str, Any]:
    kind = package.get("type", "deb")
    version = package.get("version", {"deb": "1.0-1", "apk": "1.0-r0"}.get(kind, "1.0"))
    architecture = package.get("architecture", "amd64" if kind == "deb" else "x86_64")
    depends = list(package.get("depends", ()))
    common = {"package": name, "version": version, "architecture": architecture}
    listed = [{"path": path} for path in paths]
    qualified = f"pkg:{kind}/{distro}/{name}@{version}?arch={architecture}&distro={distro}-1"
    location, metadata_type, metadata, purl = {
        "deb": lambda: (
            f"{DPKG}/status",
            "dpkg-db-entry",
            {**common, "source": package.get("source", ""), "depends": depends, "files": listed,
             "provides": list(package.get("provides", ()))},
            qualified,
        ),
        "apk": lambda: (
            APK,
            "apk-db-entry",
            {**common, "originPackage": package.get("source", name), "pullDependencies": depends, "files": listed,
             "provides": list(package.get("provides", ()))},
            qualified,
        ),
        "python": lambda: (
            f"{package['site']}/{name}-{version}.dist-info/METADATA",
            "python-package",
            {"name": name, "version": version, "requiresDist": depends, "sitePackagesRootPath": package["site"],
             "files": [{"path": path.removeprefix(package["site"] + "/")} for path in paths]},
            f"pkg:pypi/{name}@{version}",
        ),
    }[kind]()  # fmt: skip
    return {
        "id": f"{kind}:{name}",
        "name": name,
        "version": version,
        "type": kind,
        "foundBy": f"{kind}-db-cataloger",
        "locations": [{"path": location}],
        "purl": purl,
        "metadataType": metadata_type,
        "metadata": metadata,
    }


def _entry(root: Path, path: str, description: Mapping[str, Any]) -> dict[str, Any]:
    status = os.lstat(f"{root}{path}")
    kind = _TYPES[stat.S_IFMT(status.st_mode)]
    shown = os.fsencode(path).decode("utf-8", "replace")  # JSON can't carry other bytes
    metadata = {
        "mode": int(f"{stat.S_IMODE(status.st_mode):o}"),
        "type": kind,
        "userID": status.st_uid,
        "groupID": status.st_gid,
        "mimeType": "",
        "size": status.st_size if kind == "RegularFile" else 0,
    }
    entry: dict[str, Any] = {"id": f"file:{shown}", "location": {"path": shown}, "metadata": metadata}
    if kind == "SymbolicLink":
        metadata["linkDestination"] = os.fsencode(Path(f"{root}{path}").readlink()).decode("utf-8", "replace")
    if kind == "RegularFile":
        digest = hashlib.sha256(Path(f"{root}{path}").read_bytes()).hexdigest()
        entry["digests"] = [{"algorithm": "sha256", "value": digest}]
    described = description.get("files", {}).get(path)
    if isinstance(described, dict) and "elf" in described:
        options = described["elf"] or {}
        entry["executable"] = {
            "format": "elf",
            "hasExports": True,
            "hasEntrypoint": "interpreter" in options,
            "importedLibraries": list(options.get("needed", ())),
        }
    return entry
