"""`test EXPRESSION` over the root in memory: True, False, or None where it is not known (POSIX, test)."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING

from pruner.model import FileType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pruner.maintainer.disk import Disk

Truth = bool | None
_TYPES = {
    "-d": FileType.DIRECTORY,
    "-f": FileType.REGULAR,
    "-p": FileType.FIFO,
    "-S": FileType.SOCKET,
    "-h": FileType.SYMLINK,
    "-L": FileType.SYMLINK,
}
_NUMBERS = {
    "-eq": operator.eq,
    "-ne": operator.ne,
    "-lt": operator.lt,
    "-le": operator.le,
    "-gt": operator.gt,
    "-ge": operator.ge,
}
_OF_THE_KERNEL = ("/proc/", "/sys/", "/dev/")
_UNARY = frozenset(f"-{letter}" for letter in "dfpSerwxshLnztbcugk")


def negated(truth: Truth) -> Truth:
    """Not, where it is known."""
    return None if truth is None else not truth


def evaluate(words: Sequence[str | None], disk: Disk) -> Truth:
    """The truth of the words between `[` and `]`; `-o` binds weaker than `-a`, parentheses are not known."""
    if "(" in words and len(words) > 3:
        return None
    parts = _split(words, "-o")
    if len(parts) > 1:
        found = [evaluate(part, disk) for part in parts]
        return True if True in found else None if None in found else False
    parts = _split(words, "-a")
    if len(parts) > 1:
        found = [evaluate(part, disk) for part in parts]
        return False if False in found else None if None in found else True
    if words[:1] == ["!"] and len(words) > 1:
        return negated(evaluate(words[1:], disk))
    return _primary(words, disk)


def _split(words: Sequence[str | None], sign: str) -> list[list[str | None]]:
    """`words` at each `sign` that stands between two expressions."""
    parts: list[list[str | None]] = [[]]
    for number, word in enumerate(words):
        between = 0 < number < len(words) - 1 and len(parts[-1]) > 0 and parts[-1][-1] not in {"=", "!=", "!"}
        if word == sign and between:
            parts.append([])
        else:
            parts[-1].append(word)
    return parts


def _primary(words: Sequence[str | None], disk: Disk) -> Truth:
    match list(words):
        case []:
            return False
        case [word]:
            return None if word is None else bool(word)
        case [str() as sign, word] if sign in _UNARY:
            return _unary(sign, word, disk)
        case [str() as left, str() as sign, str() as right]:
            return _binary(left, sign, right)
        case _:
            return None


def _binary(left: str, sign: str, right: str) -> Truth:
    if sign in {"=", "==", "!="}:
        return (left == right) != (sign == "!=")
    is_number = left.strip().lstrip("-").isdecimal() and right.strip().lstrip("-").isdecimal()
    if sign not in _NUMBERS or not is_number:
        return None
    return bool(_NUMBERS[sign](int(left), int(right)))


def _unary(sign: str, word: str | None, disk: Disk) -> Truth:
    if word is None:
        return None
    if sign in {"-n", "-z"}:
        return bool(word) == (sign == "-n")
    if sign == "-t" or not word:
        return False  # packages are installed without a terminal
    return None if word.startswith(_OF_THE_KERNEL) else _of_file(sign, word, disk)


def _of_file(sign: str, path: str, disk: Disk) -> Truth:
    found = disk.file(path, follow=sign not in {"-h", "-L"})
    if found is None:
        return False
    if sign in _TYPES:
        return found.type is _TYPES[sign]
    if sign == "-x":
        return found.type is FileType.DIRECTORY or bool(found.mode & 0o111)
    if sign == "-s":
        return found.type is FileType.DIRECTORY or found.bytes > 0
    return True if sign in {"-e", "-r", "-w"} else None
