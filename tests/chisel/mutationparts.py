"""What mutations of releases share: picking a part of one, and odd values."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

from tests.chisel.releases import Files, Raw

Mutation = Callable[[random.Random, Files], "Files | None"]
"""Changes the release in place and returns it; None where it has nothing to change."""


ODD_VALUES: list[Any] = [
    None, "", "x", "mutate", Raw("5"), Raw("-1"), Raw("0755"), Raw("1.5"), Raw("1e3"), Raw("true"), Raw("yes"),
    Raw("'no'"), Raw("2024-01-01"), Raw("~"), Raw(".inf"), Raw("0x1ff"), Raw("0b11"), Raw("1_000"), Raw("!!str 5"),
    Raw("!!int x"), Raw("!mine x"), [], ["x"], [None], [["x"]], [{"a": "b"}], {}, {"a": "b"}, {"arch": "amd64"},
    {None: "x"}, Raw("&anchor x"), Raw("*unknown"), Raw("99999999999999999999"), Raw("0888"), Raw('"\\u0007"'),
]  # fmt: skip


def definitions(files: Files) -> list[str]:
    return [path for path in files if path.startswith("slices/")]


def any_package(rng: random.Random, files: Files) -> Files:
    found: Files = files[rng.choice(definitions(files))]
    return found


def any_slice(rng: random.Random, files: Files) -> Files:
    slices = any_package(rng, files)["slices"]
    found: Files = slices[rng.choice(list(slices))]
    return found


def two_slices(rng: random.Random, files: Files) -> tuple[Files, Files]:
    """Slices of two packages."""
    first, second = (files[path]["slices"] for path in rng.sample(definitions(files), 2))
    return first[rng.choice(list(first))], second[rng.choice(list(second))]


def any_entry(rng: random.Random, files: Files) -> tuple[Files, str]:
    """Contents, and a path in them."""
    contents = any_slice(rng, files)["contents"]
    return contents, rng.choice(list(contents))


def options_of(contents: Files, path: str) -> Files:
    if not isinstance(contents[path], dict):
        contents[path] = {}
    found: Files = contents[path]
    return found


def renamed(mapping: Files, old: Any, new: Any) -> None:
    pairs = [(new if key == old else key, value) for key, value in mapping.items()]
    mapping.clear()
    mapping.update(pairs)


def any_archive(rng: random.Random, files: Files) -> Files:
    archives = files["chisel.yaml"]["archives"]
    found: Files = archives[rng.choice(list(archives))]
    return found


def setting(name: str, values: list[Any]) -> Mutation:
    """Sets an option of a path to one of `values`."""

    def mutate(rng: random.Random, files: Files) -> Files:
        contents, path = any_entry(rng, files)
        options_of(contents, path)[name] = rng.choice(values)
        return files

    return mutate


def renaming(values: list[str]) -> Mutation:
    """Renames a path of contents."""

    def mutate(rng: random.Random, files: Files) -> Files:
        contents, path = any_entry(rng, files)
        renamed(contents, path, rng.choice(values).replace("PATH", path))
        return files

    return mutate


def every_key(files: Files) -> Iterator[tuple[Files, str]]:
    """Every mapping with each of its keys."""
    todo: list[Any] = list(files.values())
    while todo:
        value = todo.pop()
        if isinstance(value, dict):
            yield from ((value, key) for key in value if isinstance(key, str))
            todo += value.values()
        elif isinstance(value, list):
            todo += value
