"""Adds lines to the `keep:` list of an existing configuration file and leaves every other byte as it is."""

from __future__ import annotations

import os
import re
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pruner.errors import InputError, printable
from pruner.read.config import CONFIG_VERSION, Config, read_config

if TYPE_CHECKING:
    from collections.abc import Sequence

_PLAIN = re.compile(r"/[A-Za-z0-9/._+@-]*\Z")
_LONGEST_REASON = 200


def add_keeps(path: Path, additions: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """Append each (glob, reason) of `additions` to `keep:` in the file `path`, the reason as a comment.

    Globs that stand there already are left out; returns those that were added. The file is made when missing and
    replaced in one step otherwise; a `keep:` in flow style (`[a, b]`) becomes a block list, everything else stays as
    it is. Raises `InputError` when the file is invalid, can't be written, or is laid out so that no line can be added.
    """
    target = Path(os.path.realpath(path))
    exists = target.exists()
    before = read_config(target) if exists else Config(path=target)
    known = set(before.keep)
    wanted = {glob: reason for glob, reason in additions if glob not in known and _is_text(glob)}
    if not wanted:
        return ()
    text = target.read_bytes().decode("utf-8") if exists else f"version: {CONFIG_VERSION}\n"
    changed = _with_keeps(text, before.keep, wanted)
    _replace(target, changed, expected=before.joined(keep=tuple(wanted)))
    return tuple(wanted)


def _is_text(glob: str) -> bool:
    """Whether YAML can carry the glob: names that are not UTF-8 it can't."""
    try:
        glob.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return "\0" not in glob


def _with_keeps(text: str, present: tuple[str, ...], wanted: dict[str, str]) -> str:
    import yaml

    newline = "\r\n" if "\r\n" in text else "\n"
    lines = [f"- {_quoted(glob)}  # {_comment(reason)}" for glob, reason in wanted.items()]
    document: Any = yaml.compose(text, Loader=yaml.SafeLoader)
    found = [(key, value) for key, value in document.value if key.value == "keep"] if document is not None else []
    if not found:
        start = text if not text or text.endswith("\n") else text + newline
        return start + newline.join(["keep:", *(f"  {line}" for line in lines)]) + newline
    key, value = found[0]
    if isinstance(value, yaml.SequenceNode) and not value.flow_style and value.value:
        indent = " " * value.start_mark.column
        at = _line_end(text, value.value[-1].end_mark.index)
    else:  # a flow list, one text, or nothing: a block list takes its place
        indent = " " * (key.start_mark.column + 2)
        colon = text.index(":", key.end_mark.index) + 1
        lines = [*(f"- {_quoted(glob)}" for glob in present), *lines]
        end = max(colon, value.end_mark.index)
        text = text[:colon] + text[end:]
        at = _line_end(text, colon)
    block = newline.join(indent + line for line in lines)
    if at > 0 and text[at - 1] == "\n":
        return f"{text[:at]}{block}{newline}{text[at:]}"
    return f"{text[:at]}{newline}{block}{newline}"


def _line_end(text: str, index: int) -> int:
    """The index after the line that holds `index`."""
    end = text.find("\n", index)
    return len(text) if end < 0 else end + 1


def _quoted(text: str) -> str:
    """The text as a YAML scalar: plain where that is safe, else double-quoted (YAML 1.2.2, section 7.3.1)."""
    if _PLAIN.match(text):
        return text
    return '"' + "".join(_character(character) for character in text) + '"'


def _character(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    if character.isprintable():
        return character
    number = ord(character)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def _comment(reason: str) -> str:
    return printable(reason)[:_LONGEST_REASON]


def _replace(target: Path, text: str, *, expected: Config) -> None:
    """Put `text` in place of `target` once it is known to read as `expected`."""
    name = printable(str(target))
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".new", dir=target.parent)
    except OSError as error:
        raise InputError(f"{name}: can't be written: {(error.strerror or str(error)).lower()}") from error
    new = Path(temporary)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(text.encode("utf-8"))
        if not _reads_as(new, expected):
            raise InputError(
                f"{name}: the layout of keep: takes no further line", hint="write keep: as a list with one item a line"
            )
        new.chmod(target.stat().st_mode & 0o7777 if target.exists() else 0o666 & ~_umask())
        new.replace(target)
    except OSError as error:
        raise InputError(f"{name}: can't be written: {(error.strerror or str(error)).lower()}") from error
    finally:
        with suppress(FileNotFoundError):
            new.unlink()


def _reads_as(new: Path, expected: Config) -> bool:
    try:
        return read_config(new).joined(path=expected.path) == expected
    except InputError:
        return False


def _umask() -> int:
    current = os.umask(0o077)
    os.umask(current)
    return current
