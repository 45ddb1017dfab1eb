"""Records of parsed JSON, checked a column at a time: a plan holds tens of thousands of them, and one pass of a
built-in over a column costs a tenth of a checked getter for every cell. A path into the JSON is only made on failure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from pruner.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

T = TypeVar("T")

NONE = type(None)

_WORDS = {
    str: "a string", int: "a whole number", bool: "true or false", list: "an array", dict: "an object", NONE: "null",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Table:
    """The objects of the array at `where`; one object that stands alone is a table with one row."""

    source: str
    """The name of the file, for messages."""
    where: str
    rows: Sequence[Any]
    single: bool = False

    @staticmethod
    def of_array(source: str, where: str, value: Any) -> Table:
        """The table of the array of objects `value`. Raises `InputError` when it is something else."""
        cells(source, where, [value], list)
        table = Table(source, where, value)
        table._check_types("", value, (dict,))
        return table

    @staticmethod
    def of_object(source: str, where: str, value: Any) -> Table:
        """The table whose only row is the object `value`. Raises `InputError` when it is something else."""
        table = Table(source, where, [value], single=True)
        table._check_types("", [value], (dict,))
        return table

    def place(self, index: int, key: str = "") -> str:
        """The JSON path of a cell, `files[3].mode`."""
        row = self.where if self.single else f"{self.where}[{index}]"
        return f"{row}.{key}".strip(".") if key else row

    def column(self, key: str, *types: type) -> list[Any]:
        """The values of `key`, which every row must have, each of one of `types` exactly.

        Raises `InputError` with the JSON path of the first value that is missing or of another type.
        """
        try:
            values = [row[key] for row in self.rows]
        except KeyError:
            index = next(index for index, row in enumerate(self.rows) if key not in row)
            raise self.error(index, key, "is missing") from None
        self._check_types(key, values, types)
        return values

    def optional(self, key: str, kind: type, default: Any = None) -> list[Any]:
        """The values of `key`, `default` where a row does without."""
        values = [row.get(key, default) for row in self.rows]
        self._check_types(key, values, (kind, type(default)))
        return values

    def natural(self, key: str) -> list[int]:
        """The values of `key`, whole numbers that are not negative."""
        values: list[int] = self.column(key, int)
        if values and min(values) < 0:
            index = next(index for index, value in enumerate(values) if value < 0)
            raise self.error(index, key, "is negative")
        return values

    def converted(self, key: str, convert: Callable[[str], T], wanted: str) -> list[T]:
        """The values of `key`, strings, each replaced by `convert` of it; a `ValueError` of it means not `wanted`."""
        values = self.column(key, str)
        known: dict[str, T] = {}
        for value in set(values):
            try:
                known[value] = convert(value)
            except ValueError:
                raise self.error(values.index(value), key, f"is {value!r}, not {wanted}") from None
        return [known[value] for value in values]

    def strings(self, key: str) -> list[tuple[str, ...]]:
        """The values of `key`, arrays of strings."""
        values = self.column(key, list)
        for index, value in enumerate(values):
            cells(self.source, self.place(index, key), value, str)
        return [tuple(value) for value in values]

    def error(self, index: int, key: str, problem: str) -> InputError:
        """The error that says where in the file what is wrong."""
        return InputError(f"{self.source}: {self.place(index, key) or 'the document'} {problem}")

    def _check_types(self, key: str, values: Sequence[Any], types: tuple[type, ...]) -> None:
        if set(map(type, values)) <= set(types):
            return
        index = next(index for index, value in enumerate(values) if type(value) not in types)
        raise self.error(index, key, _mismatch(values[index], types))


def cells(source: str, where: str, values: Sequence[Any], kind: type) -> None:
    """Raise `InputError` unless every one of `values`, the array at `where`, is of type `kind`."""
    for index, value in enumerate(values):
        if type(value) is not kind:
            place = where if kind in (list, dict) else f"{where}[{index}]"
            raise InputError(f"{source}: {place} {_mismatch(value, (kind,))}")


def require(source: str, document: Mapping[str, Any], key: str) -> Any:
    """The value of `key` of the outermost object. Raises `InputError` where it is missing."""
    if key not in document:
        raise InputError(f"{source}: {key} is missing", hint="was the file cut or written by another program?")
    return document[key]


def _mismatch(value: Any, types: tuple[type, ...]) -> str:
    wanted = " or ".join(_WORDS[kind] for kind in types)
    return f"is {_WORDS.get(type(value), 'a number with a fraction')}, not {wanted}"
