"""A signed apk repository, made of the packages that are installed in a root.

An .apk of apk-tools 2 is up to three gzip streams, one behind the other: signature, control (`.PKGINFO` and scripts),
data. The first two are tars without their end mark, so that all of it reads as one tar (apk-tools, doc/apk-v2.5).
"""

from __future__ import annotations

import gzip
import hashlib
import io
import re
import tarfile
from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

_FIELDS = {
    "P": "pkgname", "V": "pkgver", "T": "pkgdesc", "U": "url", "A": "arch", "L": "license", "o": "origin",
    "m": "maintainer", "t": "builddate", "c": "commit", "I": "size", "k": "provider_priority",
}  # fmt: skip
_LISTS = {"D": "depend", "p": "provides", "r": "replaces", "i": "install_if"}
_END = 1024  # the two empty blocks that end a tar, without Python's padding to a whole record


@dataclass(frozen=True)
class Key:
    """A key pair under the name by which apk looks for the public half in its keys directory."""

    name: str = "test.rsa.pub"

    @cached_property
    def private(self) -> rsa.RSAPrivateKey:
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)

    @property
    def public_pem(self) -> bytes:
        encoding, form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        return self.private.public_key().public_bytes(encoding, form)

    def signed(self, stream: bytes) -> bytes:
        """`stream` behind its signature: RSA, PKCS#1 v1.5, over the SHA-1 of the bytes as they are, compressed."""
        signature = self.private.sign(stream, padding.PKCS1v15(), hashes.SHA1())
        return _compressed(_tar([_member(f".SIGN.RSA.{self.name}", signature)], is_cut=True)) + stream


@dataclass(frozen=True)
class Block:
    """One package of an installed database, by the letters of its lines, and its files in order."""

    fields: Mapping[str, str]
    files: tuple[tuple[str, str], ...]
    """`F` (directory) or `R` (file) and the path, relative to the root."""

    @property
    def archive(self) -> str:
        return f"{self.fields['P']}-{self.fields['V']}.apk"


def installed_blocks(database: str) -> Iterable[Block]:
    """The packages of the text of an installed database."""
    for text in database.strip().split("\n\n"):
        fields: dict[str, str] = {}
        files: list[tuple[str, str]] = []
        directory = ""
        for line in text.splitlines():
            letter, _, value = line.partition(":")
            if letter == "F":
                directory = value
                files.append(("F", value))
            elif letter == "R":
                files.append(("R", f"{directory}/{value}".lstrip("/")))
            elif letter not in ("M", "a", "Z"):
                fields[letter] = value
        yield Block(fields=fields, files=tuple(file for file in files if file[1]))


def repack(root: Path, destination: Path, key: Key | None) -> dict[str, str]:
    """Write `NAME-VERSION.apk` for every package installed in `root`; the `Q1…` checksum of each by package name.

    Without a `key` the packages are not signed, which both apk and apko take when the index vouches for them.
    """
    database = root / "lib/apk/db/installed"
    scripts = _scripts(root / "lib/apk/db/scripts.tar")
    triggers = dict(line.split(" ", 1) for line in (root / "lib/apk/db/triggers").read_text().splitlines())
    checksums = {}
    for block in installed_blocks(database.read_text()):
        name = block.fields["P"]
        control, data = _archive(root, block, scripts.get(block.fields["C"], {}), triggers.get(block.fields["C"]))
        checksums[name] = "Q1" + b64encode(hashlib.sha1(control).digest()).decode()
        (destination / block.archive).write_bytes((key.signed(control) if key else control) + data)
    return checksums


def build(  # what abuild would
    destination: Path,
    fields: Mapping[str, str],
    members: Iterable[tuple[tarfile.TarInfo, bytes]],
    scripts: Mapping[str, bytes],
    key: Key | None = None,
) -> None:
    """Write one package of the `members` given; `fields` by the letters of the installed database."""  # fmt: skip
    data = _compressed(_tar([_summed(member, content) for member, content in members], is_cut=False))
    control = _control(fields, scripts, None, data)
    block = Block(fields=fields, files=())
    (destination / block.archive).write_bytes((key.signed(control) if key else control) + data)


def member(name: str, content: bytes = b"", *, mode: int = 0o755, owner: str = "root") -> tuple[tarfile.TarInfo, bytes]:
    """A file, or with a slash behind its name a directory."""
    info, content = _member(name.rstrip("/"), content, mode)
    info.type = tarfile.DIRTYPE if name.endswith("/") else tarfile.REGTYPE
    info.uname = info.gname = owner
    info.mtime = 1_700_000_000
    return info, content


def checksums_of(index: Path) -> Iterable[tuple[str, str]]:
    """Name and `Q1…` checksum of every package of a signed index."""
    with tarfile.open(index) as tar:
        text = tar.extractfile("APKINDEX").read().decode()
    return [(block.fields["P"], block.fields["C"]) for block in installed_blocks(text)]


def installed_from(database: Path, checksums: Mapping[str, str]) -> None:
    """Let an installed database say that its packages came from archives with these checksums."""
    text = database.read_text()
    for name, checksum in checksums.items():
        text = re.sub(rf"^C:.*\nP:{re.escape(name)}$", f"C:{checksum}\nP:{name}", text, count=1, flags=re.MULTILINE)
    database.write_text(text)


def _archive(root: Path, block: Block, scripts: Mapping[str, bytes], triggers: str | None) -> tuple[bytes, bytes]:
    data = _compressed(_tar([_file(root, kind, path) for kind, path in block.files], is_cut=False))
    return _control(block.fields, scripts, triggers, data), data


def _control(fields: Mapping[str, str], scripts: Mapping[str, bytes], triggers: str | None, data: bytes) -> bytes:
    lines = [f"{_FIELDS[letter]} = {value}" for letter, value in fields.items() if letter in _FIELDS]
    for letter, word in _LISTS.items():
        lines += [f"{word} = {value}" for value in fields.get(letter, "").split()]
    if triggers:
        lines.append(f"triggers = {triggers}")
    lines.append(f"datahash = {hashlib.sha256(data).hexdigest()}")
    members = [_member(".PKGINFO", "".join(f"{line}\n" for line in lines).encode())]
    members += [_member(f".{name}", content, mode=0o755) for name, content in sorted(scripts.items())]
    return _compressed(_tar(members, is_cut=True))


def _scripts(archive: Path) -> dict[str, dict[str, bytes]]:
    """The scripts by checksum of the package and kind: `busybox-1.36.1-r19.Q1RW….trigger`."""
    found: dict[str, dict[str, bytes]] = {}
    with tarfile.open(archive) as tar:
        for member in tar:
            _, checksum, kind = re.fullmatch(r"(.+)\.(Q1[^.]+)\.([a-z-]+)", member.name).groups()
            found.setdefault(checksum, {})[kind] = tar.extractfile(member).read()
    return found


def _member(name: str, content: bytes, mode: int = 0o644) -> tuple[tarfile.TarInfo, bytes]:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), mode
    return member, content


def _file(root: Path, kind: str, path: str) -> tuple[tarfile.TarInfo, bytes]:
    """One name with the checksum that apk keeps of it: of a file's content, or of a link's text."""
    if kind == "F" and not (root / path).exists():  # archives of a root often go without what is below /dev
        member = tarfile.TarInfo(path)
        member.type, member.mode = tarfile.DIRTYPE, 0o755
    else:
        with tarfile.open(fileobj=io.BytesIO(), mode="w") as tar:
            member = tar.gettarinfo(root / path, arcname=path)
    if member.type == tarfile.LNKTYPE:  # every name for itself: which of them came first is not in the database
        member.type, member.linkname, member.size = tarfile.REGTYPE, "", (root / path).stat().st_size
    member.uname = member.gname = "root"
    content = (root / path).read_bytes() if member.isreg() else b""
    return _summed(member, content)


def _summed(member: tarfile.TarInfo, content: bytes) -> tuple[tarfile.TarInfo, bytes]:
    if not member.isdir():
        digest = hashlib.sha1(member.linkname.encode() if member.issym() else content).hexdigest()
        member.pax_headers = {"APK-TOOLS.checksum.SHA1": digest}
    return member, content


def _tar(members: Iterable[tuple[tarfile.TarInfo, bytes]], *, is_cut: bool) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for member, content in members:
            tar.addfile(member, io.BytesIO(content))
        end = tar.offset
    return buffer.getvalue()[: end if is_cut else end + _END]


def _compressed(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)
