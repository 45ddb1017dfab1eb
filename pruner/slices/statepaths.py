"""Names that no archive brings as they are, in chisel's words: text, links, made directories, mutation scripts.

What chisel has no words for is a `Leftover`. Facts about the format: canonical/chisel, internal/setup/yaml.go at v1.4.
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pruner.errors import printable
from pruner.model import FileType
from pruner.slices.types import Content, PathKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pruner.slices.types import SliceKey, SourceFile

_PRIVATE_KEY = re.compile(
    rb"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----"
    rb"(?:\\[nr]|[A-Za-z][\w-]*: [^\n\\]*(?:\n|\\n)|[^A-Za-z0-9+/=\\])*[A-Za-z0-9+/=]{24}"
)
"""PEM (RFC 7468, with headers RFC 1421) or OpenPGP's armor (RFC 9580, 6.2): the title and some base64 after it, be it
in a string of JSON. The title alone is in descriptions of the formats, such as `/usr/share/mime/magic`."""
_PASSWORD_HASH = re.compile(
    rb"^[^:\n]+:!?(?:\$[0-9a-z]{1,8}\$[./0-9A-Za-z$=,+-]{20,}|_?[./0-9A-Za-z]{13}(?=(?::[^:\n]*){5}))", re.MULTILINE
)
"""crypt(5): `$ID$…`, or thirteen characters of DES, in the second field of a line of shadow(5) or passwd(5)."""
_LOCKED = re.compile(rb"[^:\n]*:[*!x]{0,2}:[^\n]*\n?")
"""An account that no password opens: shadow(5), gshadow(5)."""
_PASSWORD_FILE = re.compile(r"g?shadow-?|opasswd")
_PASSWORD_SETTING = re.compile(
    rb"""^(?![ \t]*[#;]).*"""
    rb"""(?:pass|passwd|password|passphrase|masterauth|secret|token|credentials?|(?:api|access)[_-]?key)["']?"""
    rb"""(?:[ \t]*[=:][ \t]*|[ \t]+)["']?[^\s"'#;=:]""",
    re.IGNORECASE | re.MULTILINE,
)
"""What configuration files call what should stay secret, with a value."""
_TOKEN = re.compile(rb"\S{8,}\s*")
"""One word and nothing else, such as the cookie of Erlang's nodes."""
_MOST = 8
"""Files that are named one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftover:
    """Something of a kept name that chisel can't express."""

    path: str
    package: str
    slice: str
    what: str
    """`owner`, `attributes`, `mode`: of a path that chisel makes; `binary-state`, `unknown-content`, `secret`,
    `device`, `name`: of a path that it does not."""
    type: FileType
    uid: int
    gid: int
    mode: int
    maker: str = ""
    """The maintainer script of `package` that makes the path, `postinst`; empty where that is not known."""
    bytes: int = 0
    """Size of a regular file."""
    attributes: tuple[str, ...] = ()
    """Names of extended attributes."""
    device: tuple[int, int] | None = None
    detail: str = ""
    """What is the matter, one lowercase phrase."""


def leftover_of(file: SourceFile, key: SliceKey, what: str, detail: str) -> Leftover:
    """`file` as a leftover of the slice `key`."""
    return Leftover(
        path=file.path, package=file.package, slice=key.slice, what=what, type=file.type, uid=file.uid, gid=file.gid,
        mode=file.mode, maker=file.maker, bytes=file.bytes, attributes=file.attributes, device=file.device,
        detail=detail,
    )  # fmt: skip


def state_content(file: SourceFile, key: SliceKey) -> Content | Leftover:
    """A name of state as chisel makes it, or why it can't. A directory is always made, needed or not."""
    problem = problem_of_name(file.path)
    if problem:
        return leftover_of(file, key, "name", problem)
    if file.type is FileType.DIRECTORY:
        return made_directory(file)
    if file.type is FileType.SYMLINK:
        if problem_of_text(file.target or ""):
            return leftover_of(file, key, "name", "the text of the link is not UTF-8")
        return Content(path=file.path, kind=PathKind.SYMLINK, source=file.target, comment=_origin(file))
    if file.type is not FileType.REGULAR:
        return leftover_of(file, key, "device", f"a {file.type.value.replace('-', ' ')}, which chisel can't make")
    return _regular(file, key)


def made_directory(file: SourceFile) -> Content:
    """A directory that no archive brings, or not with its mode."""
    mode = None if file.mode == 0o755 else file.mode
    return Content(path=f"{file.path}/", kind=PathKind.MAKE, mode=mode, comment=_origin(file))


def made_text(file: SourceFile, text: str, *, mutable: bool = False) -> Content:
    """A regular file with `text`."""
    mode = None if file.mode == 0o644 else file.mode
    return Content(
        path=file.path, kind=PathKind.TEXT, text=text, mode=mode, mutable=mutable, comment=_origin(file),
    )  # fmt: skip


def _regular(file: SourceFile, key: SliceKey) -> Content | Leftover:
    if file.content is None:
        return leftover_of(file, key, "unknown-content", "its content is not known")
    secret = secret_of(file.path, file.content, file.mode)
    if secret:
        return leftover_of(file, key, "secret", secret)
    try:
        text = file.content.decode("utf-8")
    except UnicodeDecodeError:
        return leftover_of(file, key, "binary-state", "its content is not text")
    if "\0" in text:
        return leftover_of(file, key, "binary-state", "its content is not text")
    return made_text(file, text)


def secret_of(path: str, content: bytes, mode: int) -> str:
    """Why `content` must not be published with a slice definition, one phrase; empty where it may be.

    Private keys and password hashes wherever they are. In a file that not everyone may read also what its settings
    call a password or a token.
    """
    if _PRIVATE_KEY.search(content):
        return "it holds a private key"
    if _PASSWORD_HASH.search(content):
        return "it holds a hash of a password"
    if not _is_restricted(content, mode):
        return ""
    if _PASSWORD_FILE.fullmatch(posixpath.basename(path)):
        is_locked = all(_LOCKED.fullmatch(line) for line in content.splitlines(keepends=True))
        return "" if is_locked else "it may hold a hash of a password"
    if _PASSWORD_SETTING.search(content) or _TOKEN.fullmatch(content):
        return f"it may hold a password or a token, its mode is {mode:04o}"
    return ""


def _is_restricted(content: bytes, mode: int) -> bool:
    return bool(content) and not mode & 0o004


def problem_of_name(path: str) -> str:
    """Why `path` can't stand in a slice definition as it is, one phrase; empty where it can.

    chisel has no escape for its wildcards (internal/strdist), and YAML is UTF-8.
    """
    if "*" in path or "?" in path:
        return "its name holds a wildcard"
    return problem_of_text(path)


def problem_of_text(text: str) -> str:
    """Why YAML can't carry a name, one phrase; empty where it can."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return "its name is not UTF-8"
    return "its name holds a NUL" if "\0" in text else ""


def comment_of(leftovers: Sequence[Leftover]) -> str:
    """What a slice lacks as the comment of its definition; many files that lack for one reason are counted."""
    groups: defaultdict[tuple[str, str, str], list[str]] = defaultdict(list)
    for one in leftovers:
        groups[one.package, one.maker, one.detail].append(one.path)
    lines = []
    for (package, maker, detail), paths in groups.items():
        reason = f"{detail}; {package}'s {maker} makes it" if maker else detail
        many = [f"{len(paths)} files below {posixpath.commonpath(paths)}"]
        lines += [f"Not in this slice: {printable(name)} ({reason})." for name in (paths, many)[len(paths) > _MOST]]
    return "\n".join(lines)


def _origin(file: SourceFile) -> str:
    """Where state comes from, as a comment, and the owner that it needs."""
    origin = _maker(file)
    return "\n".join(filter(None, (origin, owner_comment(file), _warning(file))))


def owner_comment(file: SourceFile) -> str:
    """The owner that a file needs, which chisel can't set; empty for root."""
    return f"Belongs to {file.uid}:{file.gid}." if file.uid or file.gid else ""


def _warning(file: SourceFile) -> str:
    is_password_file = _PASSWORD_FILE.fullmatch(posixpath.basename(file.path)) is not None
    if file.type is not FileType.REGULAR or is_password_file or not _is_restricted(file.content or b"", file.mode):
        return ""
    return "Not everyone may read it: look for secrets in it before you publish this."


def _maker(file: SourceFile) -> str:
    if file.conffile and file.type is FileType.REGULAR:
        return "Configuration file that differs from the one that the package ships."
    if file.local:
        return "In no package, and no script is seen to make it: your own?"
    return f"Made by {file.package}'s {file.maker}." if file.maker else ""
