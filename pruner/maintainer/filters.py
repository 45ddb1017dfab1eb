"""The filters that maintainer scripts pipe text through, for the plain ways to call them (POSIX, utilities).

A regular expression is taken only in forms that need no backtracking to speak of, since scripts are hostile input.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pruner.maintainer.options import known, options
from pruner.maintainer.words import split

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pruner.maintainer.machine import Command, Machine, Words
    from pruner.maintainer.statements import Status

_PLAIN = re.compile(r"\^?(?:[^\\*+?(){}|\[^$]|\\[.*/$^\[\]+-]|\[[^\]\\]+\]\*?|\.\*?)*\$?")
_MOST_STARS = 3
_CLASSES = {"[:space:]": r"\s", "[:lower:]": "a-z", "[:upper:]": "A-Z", "[:digit:]": "0-9", "[:alpha:]": "a-zA-Z",
            "[:blank:]": r" \t", "[:alnum:]": "a-zA-Z0-9"}  # fmt: skip
_SUBSTITUTION = re.compile(r"s([/|,#:@])(.*?)(?<!\\)\1(.*?)(?<!\\)\1(g?)")
_PRINTED_FIELD = re.compile(r"\{ ?print \$(\d) ?;? ?\}")


def _regex(text: str) -> re.Pattern[str]:
    """A basic regular expression of the plain sort. Raises `ValueError` for any other."""
    for name, members in _CLASSES.items():
        text = text.replace(name, members)
    if not _PLAIN.fullmatch(text.replace(r"\s", "s").replace(r"\t", "t")) or text.count("*") > _MOST_STARS:
        raise ValueError(f"regular expression {text}")
    return re.compile(text)


def _input(machine: Machine, operands: Sequence[str]) -> list[str]:
    """The lines of the files, or of what is piped in. Raises `ValueError` where they are not known."""
    if not operands:
        return machine.rest_of_input()
    texts = [machine.disk.read(path) for path in operands]
    if None in texts:
        raise ValueError("a file that is not there")
    whole = b"".join(text for text in texts if text is not None).decode("utf-8", "surrogateescape")
    return _lines(whole)


def _lines(text: str) -> list[str]:
    return text.removesuffix("\n").split("\n") if text else []


def _print(machine: Machine, lines: Sequence[str]) -> Status:
    machine.print("".join(f"{line}\n" for line in lines))
    return True


def _cut(machine: Machine, words: Words) -> Status:
    found, operands = options(words, "dfc")
    if not found.get("f", "").isdigit():
        raise ValueError("cut")
    delimiter, number = found.get("d", "\t"), int(found["f"])
    lines = _input(machine, operands)
    parts = [line.split(delimiter) if delimiter in line else [line] * number for line in lines]
    return _print(machine, [(part + [""] * number)[number - 1] for part in parts])


def _tr(machine: Machine, words: Words) -> Status:
    found, operands = options(words)
    sets = [_members(text) for text in operands]
    text = "\n".join(machine.rest_of_input()) + "\n"
    if set(found) == {"d"} and len(sets) == 1:
        table = dict.fromkeys(map(ord, sets[0]))
    elif not found and len(sets) == 2 and sets[1]:
        padded = sets[1] + sets[1][-1] * (len(sets[0]) - len(sets[1]))
        table = dict(zip(map(ord, sets[0]), map(ord, padded), strict=False))
    else:
        raise ValueError("tr")
    machine.print(text.translate(table))
    return True


def _members(text: str) -> str:
    """The characters of a set of tr(1): ranges, two classes, escaped ends of lines."""
    text = text.replace("[:upper:]", "A-Z").replace("[:lower:]", "a-z").replace("\\n", "\n").replace("\\t", "\t")
    if "[" in text or "\\" in text:
        raise ValueError("tr")
    return re.sub(r"(.)-(.)", lambda pair: "".join(map(chr, range(ord(pair[1]), min(ord(pair[2]), 255) + 1))), text)


def _grep(machine: Machine, words: Words) -> Status:
    found, operands = options(words, "e")
    if set(found) - {"q", "v", "x", "F", "E", "i", "e", "s", "quiet", "silent"} or not (operands or "e" in found):
        raise ValueError("grep")
    text = found["e"] if "e" in found else operands.pop(0)
    pattern = re.compile(re.escape(text)) if "F" in found else _regex(text)
    lines = _input(machine, operands)
    folded = [line.lower() for line in lines] if "i" in found else lines
    search: Callable[[str], object] = pattern.fullmatch if "x" in found else pattern.search
    hits = [line for line, seen in zip(lines, folded, strict=True) if bool(search(seen)) != ("v" in found)]
    if not found.keys() & {"q", "quiet", "silent"}:
        _print(machine, hits)
    return bool(hits)


def _sed(machine: Machine, words: Words) -> Status:
    found, operands = options(words, "e")
    if set(found) - {"e"} or not (operands or "e" in found):
        raise ValueError("sed")
    rule = _SUBSTITUTION.fullmatch(found["e"] if "e" in found else operands.pop(0))
    if rule is None or "&" in rule[3] or "\\" in rule[3]:
        raise ValueError("sed")
    pattern, replacement = _regex(rule[2]), rule[3]
    lines = _input(machine, operands)
    return _print(machine, [pattern.sub(lambda _found: replacement, line, 0 if rule[4] else 1) for line in lines])


def _head(machine: Machine, words: Words) -> Status:
    shortened = [f"-n{word[1:]}" if word and re.fullmatch(r"-\d+", word) else word for word in words]
    found, operands = options(shortened, "n")
    number = int(found.get("n", "10"))
    lines = _input(machine, operands)
    return _print(machine, lines[:number] if (words[0] or "").endswith("head") else lines[-number:])


def _sort(machine: Machine, words: Words) -> Status:
    found, operands = options(words)
    if set(found) - {"u"}:
        raise ValueError("sort")
    lines = _input(machine, operands)
    return _print(machine, sorted(set(lines) if "u" in found else lines))


def _uniq(machine: Machine, words: Words) -> Status:
    found, operands = options(words)
    if found:
        raise ValueError("uniq")
    lines = _input(machine, operands)
    return _print(machine, [line for number, line in enumerate(lines) if not number or lines[number - 1] != line])


def _awk(machine: Machine, words: Words) -> Status:
    """`awk '{print $N}'` alone."""
    found, operands = options(words, "F")
    rule = _PRINTED_FIELD.fullmatch(operands[0].strip()) if operands else None
    if rule is None:
        raise ValueError("awk")
    number = int(rule[1])
    lines = _input(machine, operands[1:])
    split = [line.split(found.get("F")) for line in lines]
    return _print(machine, [(part + [""] * number)[number - 1] for part in split])


def _wc(machine: Machine, words: Words) -> Status:
    found, operands = options(words)
    if set(found) != {"l"} or operands:
        raise ValueError("wc")
    return _print(machine, [str(len(machine.rest_of_input()))])


def _read(machine: Machine, words: Words) -> Status:
    names = [word for word in known(words[1:]) if word != "-r"]
    line = machine.next_line()
    if line is None:
        return False
    separators = machine.separators()
    if separators is None:
        raise ValueError("read")
    parts = split(line, separators, len(names)) or [""]
    for number, name in enumerate(names or ["REPLY"]):
        machine.assign(name, parts[number] if number < len(parts) else "")
    return True


FILTERS: Mapping[str, Command] = {
    "cut": _cut,
    "tr": _tr,
    "grep": _grep,
    "egrep": _grep,
    "fgrep": lambda machine, words: _grep(machine, ["grep", "-F", *words[1:]]),
    "sed": _sed,
    "head": _head,
    "tail": _head,
    "sort": _sort,
    "uniq": _uniq,
    "awk": _awk,
    "wc": _wc,
    "read": _read,
}
