"""The lists of what is kept: `files.txt` for people and line tools, `files.nul` complete, `packages.txt`."""

from __future__ import annotations

from pruner.emit.artifact import Artifact
from pruner.emit.madefiles import encoded
from pruner.errors import printable
from pruner.model import FileType
from pruner.plan.types import Decision, Plan

_THERE = (Decision.KEEP, Decision.MAKE)


def filelist_artifacts(plan: Plan) -> tuple[Artifact, ...]:
    """`files.txt`, `files.nul` and `packages.txt` of `plan`.

    Paths are absolute, sorted bytewise as they stand there, with a slash behind a directory. A name with a character
    that is not printable (a line break, a terminal escape, bytes that are not UTF-8) is in `files.nul` only; then the
    first line of `files.txt` says how many such names there are. It starts with `#`, and every other line with `/`.
    """
    names = [_name(file.path, file.type) for file in plan.files if file.decision in _THERE]
    names.sort(key=encoded)
    lines = [name for name in names if name.isprintable()]
    if left := len(names) - len(lines):
        lines.insert(0, f"# {left} more {'name' if left == 1 else 'names'} that a line can't carry: see files.nul")
    purls = sorted({printable(package.purl) for package in plan.packages if package.decision is not Decision.DROP})
    return (
        Artifact(path="files.nul", data=b"".join(encoded(name) + b"\0" for name in names)),
        Artifact(path="files.txt", data=_text(lines)),
        Artifact(path="packages.txt", data=_text(purls)),
    )


def _name(path: str, kind: FileType) -> str:
    return f"{path}/" if kind is FileType.DIRECTORY else path


def _text(lines: list[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()
