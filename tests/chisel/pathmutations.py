"""Mutations of contents, of what several slices have, and of any key and value."""

from __future__ import annotations

import copy
import random

from tests.chisel.mutationparts import (
    ODD_VALUES,
    any_entry,
    any_package,
    definitions,
    every_key,
    options_of,
    renamed,
    two_slices,
)
from tests.chisel.releases import Files, Raw


def moved_path(rng: random.Random, files: Files) -> Files:
    """A path of one slice in a slice of another package too, with the same options or others."""
    first, second = two_slices(rng, files)
    path = rng.choice(list(first["contents"]))
    options = [
        first["contents"][path],
        None,
        {"text": "x"},
        {"symlink": "/x"},
        {"make": True},
        {"copy": "/y"},
        {"arch": ["amd64"]},
    ]
    second["contents"][path] = copy.deepcopy(rng.choice(options))
    return files


def same_package_path(rng: random.Random, files: Files) -> Files:
    slices = any_package(rng, files)["slices"]
    first, second = slices[rng.choice(list(slices))], slices[rng.choice(list(slices))]
    path = rng.choice(list(first["contents"]))
    options = copy.deepcopy(first["contents"][path])
    if isinstance(options, dict) and rng.random() < 0.6:
        options.update(
            rng.choice(
                [{"mode": Raw("0600")}, {"until": "mutate"}, {"arch": ["s390x"]}, {"mutable": True}, {"text": "other"}]
            )
        )
    second["contents"][path] = options
    return files


def cover(rng: random.Random, files: Files) -> Files:
    """A pattern over a path of the release, in the same package or another."""
    first, second = two_slices(rng, files)
    if rng.random() < 0.4:
        second = first
    path = rng.choice(list(first["contents"]))
    parts = path.split("/")
    position = rng.randrange(1, len(parts))
    kind = rng.randrange(5)
    if kind == 0:
        pattern = "/".join([*parts[:position], "**"])
    elif kind == 1:
        parts[position] = "*"
        pattern = "/".join(parts)
    elif kind == 2:
        parts[position] = parts[position][:2] + "*"
        pattern = "/".join(parts)
    elif kind == 3:
        parts[position] = parts[position][:-1] + "?"
        pattern = "/".join(parts)
    else:
        pattern = "/".join(parts[:-1]) + "/" + rng.choice(["*", "x*", "*.so.*", "?*"])
    second["contents"][pattern] = rng.choice(
        [None, None, {"arch": ["amd64"]}, {"until": "mutate"}, {"generate": "manifest"}]
    )
    return files


def prefer(rng: random.Random, files: Files) -> Files:
    """Preferences between packages that share a path: chains, forks, loops, and targets without the path."""
    paths = rng.sample(definitions(files), 3)
    names = [path[7:-5] for path in paths]
    kind = rng.choice(["chain", "fork", "loop", "loop3", "absent", "unknown", "join", "gap", "self", "two"])
    wanted: dict[str, list[str | None]] = {
        "chain": [names[1], names[2], None],
        "fork": [names[1], None, names[1]],
        "loop": [names[1], names[0]],
        "loop3": [names[1], names[2], names[0]],
        "absent": [names[2], names[2]],
        "unknown": ["nowhere", None],
        "join": [names[1], None, None],
        "gap": [names[1], None, names[1] if rng.random() < 0.5 else None],
        "self": [names[0], None],
        "two": [names[1], None],
    }
    for path, target in zip(paths, wanted[kind], strict=False):
        slices = files[path]["slices"]
        options: Files = rng.choice([{}, {"text": "x"}, {"arch": "amd64"}])
        if target is not None:
            options = {**options, "prefer": target}
        slices[rng.choice(list(slices))]["contents"]["/opt/contested"] = options or None
    if kind == "two":
        slices = files[paths[0]]["slices"]
        slices[rng.choice(list(slices))]["contents"]["/opt/contested"] = {"prefer": names[2]}
    return files


def prefer_option(rng: random.Random, files: Files) -> Files:
    contents, path = any_entry(rng, files)
    options_of(contents, path)["prefer"] = rng.choice(
        [*(item[7:-5] for item in definitions(files)), "nowhere", "", Raw("5")]
    )
    return files


def misspelt(rng: random.Random, files: Files) -> Files:
    """A key of any level with a letter changed, or one of another level."""
    mapping, key = rng.choice(list(every_key(files)))
    new = rng.choice(
        [
            key + "s",
            key[:-1],
            key.upper(),
            key.replace("e", "a"),
            "content",
            "essentials",
            "arch",
            "package",
            "mode",
            "slices",
            "comment",
        ]
    )
    renamed(mapping, key, new)
    return files


def odd_value(rng: random.Random, files: Files) -> Files:
    mapping, key = rng.choice(list(every_key(files)))
    mapping[key] = copy.deepcopy(rng.choice(ODD_VALUES))
    return files


def odd_key(rng: random.Random, files: Files) -> Files:
    mapping, key = rng.choice(list(every_key(files)))
    renamed(
        mapping,
        key,
        rng.choice(
            [
                "",
                Raw("~"),
                Raw("5"),
                Raw("true"),
                Raw("[a, b]"),
                Raw("{a: b}"),
                Raw("!!int 5"),
                Raw("'quoted'"),
                "/new/path",
                "new",
            ]
        ),
    )
    return files


def lost_key(rng: random.Random, files: Files) -> Files:
    mapping, key = rng.choice(list(every_key(files)))
    del mapping[key]
    return files


def copied_value(rng: random.Random, files: Files) -> Files:
    """The value of one key under another."""
    pairs = list(every_key(files))
    (source, first), (target, second) = rng.choice(pairs), rng.choice(pairs)
    target[second] = copy.deepcopy(source[first])
    return files
