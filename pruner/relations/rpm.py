"""rpm's requirements, as rpm-dependencies(7) and rpm.org's "Boolean Dependencies" describe them.

A name, a capability (`libz.so.1()(64bit)`, `perl(strict)`) or the path of a file, each with an optional version, or a
rich dependency in parentheses. Syft leaves the versions of plain requirements and of all provides out; where one side
of a comparison is not stated, what is installed is taken to fit.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Final

from pruner.candidate import Relation
from pruner.errors import InputError
from pruner.relations import versions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pruner.model import Package, PackageId

_OPERATORS: Final = frozenset({"and", "or", "if", "else", "unless", "with", "without"})
_COMPARISONS: Final = frozenset({"<", "<=", "=", "==", ">=", ">"})
_WORD: Final = re.compile(r"[()]|[^\s()]+(?:\([^\s()]*(?:\([^\s()]*\)[^\s()]*)*\)[^\s()]*)*")
"""A parenthesis, or a word with the parentheses that belong to it: `libz.so.1()(64bit)`."""
_DEEPEST: Final = 50
"""How far parentheses may be nested; rpm's own packages stay below five."""
_MOST_CLAUSES: Final = 256
"""What one rich dependency may unfold to; beyond it the alternatives are taken as needed together."""
_MERGED: Final = ("/bin/", "/sbin/", "/lib/", "/lib64/")
"""Directories that a merged-usr root has as links into /usr; packages name files by either path."""

Clause = tuple["PackageId", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rich:
    """`(A and B)`, `(A or B)`, `(A if B else C)`, `(A unless B else C)`, `(A with B)`, `(A without B)`."""

    operator: str
    operands: tuple[Relation | Rich, ...]
    """Of `if` and `unless`: what is needed, the condition, and what is needed otherwise where that is stated."""


Dependency = Relation | Rich


def parse(text: str) -> Dependency | None:
    """The requirement that `text` states; None where it is none that rpm would read."""
    if not text.lstrip().startswith("("):
        return _plain(text)
    reader = _Reader(text)
    try:
        found = reader.operand(0)
    except ValueError:
        return None
    return found if reader.at_end() else None


def _plain(text: str) -> Relation | None:
    """A name with a version behind it; a name may hold parentheses, and blanks only before the comparison."""
    words = text.split()
    if not words:
        return None
    if len(words) == 3 and words[1] in _COMPARISONS:
        return Relation(name=words[0], operator=words[1].replace("==", "="), version=words[2])
    return Relation(name=words[0])


class _Reader:
    """Reads a rich dependency word by word; raises `ValueError` where its syntax is broken."""

    def __init__(self, text: str) -> None:
        self._words: list[str] = _WORD.findall(text)
        self._next = 0

    def at_end(self) -> bool:
        return self._next == len(self._words)

    def operand(self, depth: int) -> Dependency:
        word = self._take()
        if word == "(":
            return self._group(depth + 1)
        if word == ")" or word in _COMPARISONS:
            raise ValueError
        if self._peek() in _COMPARISONS:
            return Relation(name=word, operator=self._take().replace("==", "="), version=self._take())
        return Relation(name=word)

    def _group(self, depth: int) -> Dependency:
        if depth > _DEEPEST:
            raise ValueError
        operands, operators = [self.operand(depth)], list[str]()
        while (word := self._take()) != ")":
            operators.append(word)
            operands.append(self.operand(depth))
        if not operators:
            return operands[0]
        first = operators[0]
        same = len(set(operators)) == 1 and (first in ("and", "or", "with") or len(operators) == 1)
        conditional = first in ("if", "unless") and operators[1:] == ["else"]
        if first not in _OPERATORS - {"else"} or not (same or conditional):
            raise ValueError
        return Rich(operator=first, operands=tuple(operands))

    def _peek(self) -> str:
        return self._words[self._next] if self._next < len(self._words) else ""

    def _take(self) -> str:
        word = self._peek()
        if not word:
            raise ValueError
        self._next += 1
        return word


class Installed:
    """What is installed under each name: by itself, by a provide, or as the path of a declared file."""

    __slots__ = ("_providers",)

    def __init__(self, packages: Sequence[Package], paths: Iterable[str]) -> None:
        """`paths` are the files that requirements name."""
        providers: defaultdict[str, dict[PackageId, str]] = defaultdict(dict)
        for package in packages:
            providers[package.name][package.id] = package.version
        for package in packages:
            for text in package.provides:
                provided = _plain(text)
                if provided is not None:
                    providers[provided.name].setdefault(package.id, provided.version)
        wanted = {spelling for path in paths for spelling in _spellings(path)}
        if wanted:
            for package in packages:
                for file in package.files:
                    if file.path in wanted:
                        providers[file.path].setdefault(package.id, "")
        self._providers = dict(providers)

    def providers(self, wanted: Relation) -> Clause:
        """The packages that satisfy `wanted`, or that would but for their version where none does."""
        for spelling in _spellings(wanted.name):
            found = self._providers.get(spelling)
            if found:
                fitting = tuple(package for package, version in found.items() if _fits(version, wanted))
                return fitting or tuple(found)
        return ()

    def clauses(self, wanted: Dependency) -> list[Clause]:
        """What `wanted` comes to among the installed packages: all clauses, of each any one package.

        A condition is judged by what is installed. An empty clause is satisfied by nothing that is.
        """
        if isinstance(wanted, Relation):
            return [self.providers(wanted)]
        match wanted.operator:
            case "and":
                return [clause for operand in wanted.operands for clause in self.clauses(operand)]
            case "or":
                return self._any_of(wanted.operands)
            case "if" | "unless":
                needed, condition, *otherwise = wanted.operands
                if self._holds(condition) is (wanted.operator == "if"):
                    return self.clauses(needed)
                return self.clauses(otherwise[0]) if otherwise else []
            case _:
                return [self._chosen(wanted)]

    def _holds(self, wanted: Dependency) -> bool:
        return all(self.clauses(wanted))

    def _any_of(self, operands: Sequence[Dependency]) -> list[Clause]:
        """Alternatives as clauses: of those with several clauses, one of each in every combination."""
        possible = [clauses for clauses in map(self.clauses, operands) if all(clauses)]
        if not possible:
            return [()]
        count = 1
        for clauses in possible:
            count *= len(clauses)
        if count > _MOST_CLAUSES:
            return [clause for clauses in possible for clause in clauses]
        return [tuple(dict.fromkeys(one for clause in row for one in clause)) for row in product(*possible)]

    def _chosen(self, wanted: Rich) -> Clause:
        """`with`: one package for all operands; `without`: one for the first that is none for the second."""
        first, *rest = ([one for clause in self.clauses(operand) for one in clause] for operand in wanted.operands)
        others = [frozenset(other) for other in rest]
        if wanted.operator == "with":
            return tuple(dict.fromkeys(one for one in first if all(one in other for other in others)))
        left = dict.fromkeys(one for one in first if not any(one in other for other in others))
        return tuple(left or dict.fromkeys(first))


def _spellings(name: str) -> Iterator[str]:
    """`name`, and for the path of a file its other spellings in a merged-usr root."""
    yield name
    if name.startswith(_MERGED):
        yield f"/usr{name}"
    elif name.startswith(tuple(f"/usr{directory}" for directory in _MERGED)):
        yield name.removeprefix("/usr")
    for one, other in (("/usr/sbin/", "/usr/bin/"), ("/usr/bin/", "/usr/sbin/")):
        if name.startswith(one):
            yield other + name.removeprefix(one)


def _fits(version: str, wanted: Relation) -> bool:
    """Whether the version satisfies; where none is stated, or what is stated is none, nothing is ruled out."""
    if not version:
        return True
    try:
        return versions.satisfies("rpm", version, wanted.operator, wanted.version)
    except InputError:
        return True


def _names(wanted: Dependency) -> Iterator[str]:
    if isinstance(wanted, Relation):
        yield wanted.name
    else:
        for operand in wanted.operands:
            yield from _names(operand)


def resolve(packages: Sequence[Package], _everything: Sequence[Package]) -> Mapping[PackageId, tuple[Clause, ...]]:
    """The clauses of rpm packages; `rpmlib(…)`, which rpm itself satisfies, is left out."""
    parsed: dict[str, Dependency | None] = {
        text: parse(text) for package in packages for text in package.depends if not text.startswith("rpmlib(")
    }
    known = Installed(
        packages, {name for wanted in parsed.values() if wanted for name in _names(wanted) if name.startswith("/")}
    )
    unfolded = {text: known.clauses(wanted) for text, wanted in parsed.items() if wanted is not None}
    found: dict[PackageId, tuple[Clause, ...]] = {}
    for package in packages:
        stated = dict.fromkeys(clause for text in package.depends for clause in unfolded.get(text, ()))
        found[package.id] = tuple(clause for clause in stated if package.id not in clause)
    return found
