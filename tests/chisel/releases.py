"""Valid releases of slice definitions, drawn at random from a seed: plain values, and the YAML text of them."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import re
from typing import Any

ARCHITECTURES = ["amd64", "arm64", "armhf", "i386", "ppc64el", "riscv64", "s390x"]
NAMES = [
    "base-files",
    "libc6",
    "libssl3",
    "openssl",
    "python3.12",
    "g++",
    "zlib1g",
    "perl-base",
    "curl",
    "nginx",
    "gcc-13-base",
    "ca-certificates",
    "dash",
    "tzdata",
]
SLICES = ["libs", "bins", "config", "data", "core", "standard", "scripts", "x86-tools", "abc", "services2"]
_PLAIN = re.compile(r"[A-Za-z/][-A-Za-z0-9_./*?+]*\Z")
_WORDS = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}

Files = dict[str, Any]
"""Contents by path below the release."""


class Raw(str):
    """A scalar that is written as it stands."""

    __slots__ = ()


def armored_key(rng: random.Random, *, algorithm: int = 1, count: int = 1, tag: int = 6) -> tuple[str, str]:
    """Identifier and armor of a made-up public key (RFC 4880): the last of `count` packets."""
    data = b""
    digest = ""
    for _ in range(count):
        modulus = (1 << 2047 | rng.getrandbits(2040) << 1 | 1).to_bytes(256, "big")
        body = b"\x04" + rng.getrandbits(30).to_bytes(4, "big") + bytes([algorithm])
        body += (2048).to_bytes(2, "big") + modulus + (17).to_bytes(2, "big") + b"\x01\x00\x01"
        data += bytes([0x80 | tag << 2 | 1]) + len(body).to_bytes(2, "big") + body
        digest = hashlib.sha1(b"\x99" + len(body).to_bytes(2, "big") + body).hexdigest()[-16:].upper()
    return digest, armor(data)


def armor(data: bytes) -> str:
    """`data` as an ASCII-armored public key block."""
    crc = 0xB704CE
    for byte in data:
        crc ^= byte << 16
        for _ in range(8):
            crc = crc << 1 ^ (0x1864CFB if crc & 0x800000 else 0)
    text = base64.b64encode(data).decode()
    lines = [text[start : start + 64] for start in range(0, len(text), 64)]
    check = base64.b64encode((crc & 0xFFFFFF).to_bytes(3, "big")).decode()
    return "\n".join(
        ["-----BEGIN PGP PUBLIC KEY BLOCK-----", "", *lines, f"={check}", "-----END PGP PUBLIC KEY BLOCK-----", ""]
    )


def valid_release(rng: random.Random) -> Files:
    """A release that keeps every rule: of any format, with every kind of path."""
    style = rng.choice(["v1", "v2", "v3", "v3"])
    names = rng.sample(NAMES, rng.randint(4, 8))
    files: Files = {"chisel.yaml": _chisel_yaml(rng, style)}
    archives = list(files["chisel.yaml"]["archives"])
    known: list[str] = []
    for position, name in enumerate(names):
        files[f"slices/{name}.yaml"] = _package(rng, style, name, position, known, archives)
    _share(rng, files, names)
    return files


def _chisel_yaml(rng: random.Random, style: str) -> Files:
    identifier, text = armored_key(rng)
    count = rng.choice([1, 1, 2, 3])
    archives: Files = {}
    for position in range(count):
        archive: Files = {
            "version": Raw(rng.choice(["24.04", "22.04", '"26.04"'])),
            "suites": ["noble", "noble-updates"][: rng.randint(1, 2)],
            "components": ["main", "universe"],
            "public-keys": ["the-key"],
        }
        if count > 1:
            archive["priority"] = (position + 1) * rng.choice([1, 10, -20])
        archives[["ubuntu", "fips", "other"][position]] = archive
    if count > 1:
        archives["fips"]["pro"] = rng.choice(["fips", "esm-apps"])
    told: Files = {"format": style, "maintenance": {"standard": Raw("2024-04-25"), "end-of-life": Raw("2036-04-29")}}
    if rng.random() < 0.5:
        told["maintenance"]["expanded"] = Raw("2030-04-29")
    if style == "v1" and count > 1 and rng.random() < 0.5:
        for archive in archives.values():
            del archive["priority"]
        archives["ubuntu"]["default"] = True
    told["archives"] = archives
    if style == "v1" and count > 1 and rng.random() < 0.5:
        told["v2-archives"] = {"fips": archives.pop("fips")}
    told["public-keys"] = {"the-key": {"id": identifier, "armor": text}}
    return told


def _package(rng: random.Random, style: str, name: str, position: int, known: list[str], archives: list[str]) -> Files:
    essential = f"{name}_copyright"
    told: Files = {"package": name}
    if rng.random() < 0.15:
        told["archive"] = rng.choice(archives)
    told["essential"] = {essential: None} if style == "v3" else [essential]
    slices: Files = {}
    for chosen in rng.sample(SLICES, rng.randint(1, 4)):
        slices[chosen] = _slice(rng, style, name, chosen, known)
        known.append(f"{name}_{chosen}")
    if position == 0:
        slices["chisel"] = {"contents": {"/var/lib/chisel/**": {"generate": "manifest"}}}
    slices["copyright"] = {"contents": {f"/usr/share/doc/{name}/copyright": None}}
    told["slices"] = slices
    return told


def _slice(rng: random.Random, style: str, name: str, chosen: str, known: list[str]) -> Files:
    told: Files = {}
    if rng.random() < 0.2:
        told["hint"] = rng.choice(["Shared libraries", "Tools for certificates", "Größe"])
    wanted = sorted(rng.sample(known, min(len(known), rng.randint(0, 3))))
    if wanted and style == "v3":
        told["essential"] = {key: rng.choice([None, None, {"arch": ["amd64", "arm64"]}]) for key in wanted}
    elif wanted:
        told["essential"] = wanted
        if len(wanted) > 1 and rng.random() < 0.3:
            told["v3-essential"] = {told["essential"].pop(): {"arch": "amd64"}}
    below = f"/usr/share/{name}/{chosen}"
    choices: list[tuple[str, Any]] = [
        (f"/usr/lib/*-linux-*/lib{name}-{chosen}.so.*", None),
        (f"/usr/lib/*-linux-*/{name}-{chosen}.?", {"arch": ["amd64"]}),
        (f"{below}/deep/**", {"until": "mutate"}),
        (f"/etc/{name}/{chosen}.conf", {"text": "a: b\n", "mode": Raw("0640"), "mutable": True}),
        (f"/etc/{name}/{chosen}.empty", {"text": ""}),
        (f"/usr/bin/{name}-{chosen}", {"copy": f"/bin/{name}-{chosen}"}),
        (f"/usr/bin/{name}-{chosen}-x", None),
        (f"/bin/{name}-{chosen}", {"symlink": f"/usr/bin/{name}-{chosen}"}),
        (f"/var/lib/{name}/{chosen}/", {"make": True, "mode": Raw(rng.choice(["0755", "0o750"]))}),
        (f"/usr/share/{name}-{chosen}/", None),
        (f"/etc/{name}/{chosen}.list", {"mutable": True, "arch": rng.choice(["arm64", ["amd64", "s390x"]])}),
    ]  # fmt: skip
    told["contents"] = dict(sorted(rng.sample(choices, rng.randint(2, 7))))
    if rng.random() < 0.2:
        told["mutate"] = 'content.write("/etc/x", "1")\n'
    return told


def _share(rng: random.Random, files: Files, names: list[str]) -> None:
    """Paths of two and three packages: one that all make alike, one with a chain of preferences."""
    holders = [files[f"slices/{name}.yaml"]["slices"] for name in rng.sample(names, 3)]
    chosen = [slices[next(iter(slices))]["contents"] for slices in holders]
    for contents in chosen[:2]:
        contents["/run/lock/"] = {"make": True, "mode": Raw("01777")}
    owners = [next(name for name in names if files[f"slices/{name}.yaml"]["slices"] is slices) for slices in holders]
    if rng.random() < 0.6:
        chosen[0]["/usr/bin/shared"] = {"prefer": owners[1]}
        chosen[1]["/usr/bin/shared"] = {"prefer": owners[2]}
        chosen[2]["/usr/bin/shared"] = {"symlink": "/usr/bin/true"}


def texts(files: Files) -> dict[str, bytes]:
    """The files as YAML; what is bytes or text already stays as it is."""
    result = {}
    for path, value in files.items():
        if isinstance(value, str) and not isinstance(value, Raw):
            value = value.encode()
        result[path] = value if isinstance(value, bytes) else (_block(value, 0).removeprefix("\n") or "\n").encode()
    return result


def _block(value: Any, depth: int) -> str:
    """`value` after a key and its colon."""
    pad = "  " * depth
    if isinstance(value, dict) and value:
        if depth >= 4 and not any(isinstance(inner, dict | str) and "\n" in str(inner) for inner in value.values()):
            return f" {flow(value)}\n"
        return "\n" + "".join(f"{pad}{_scalar(key)}:{_block(inner, depth + 1)}" for key, inner in value.items())
    if isinstance(value, list) and value:
        return "\n" + "".join(f"{pad}-{_item(inner, depth)}" for inner in value)
    if isinstance(value, str) and not isinstance(value, Raw) and "\n" in value:
        lines = "".join(f"{pad}{line}\n" if line else "\n" for line in value.rstrip("\n").split("\n"))
        return f" |\n{lines}"
    return "\n" if value is None else f" {flow(value)}\n"


def _item(value: Any, depth: int) -> str:
    return f" {flow(value)}\n"


def flow(value: Any) -> str:
    """`value` on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_scalar(key)}: {flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    if isinstance(value, Raw):
        return str(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        plain = _PLAIN.match(value) and value.lower() not in _WORDS
        return value if plain else json.dumps(value, ensure_ascii=False)
    return str(value)
