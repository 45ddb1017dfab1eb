"""Mutations of `chisel.yaml`: format, dates, archives and keys."""

from __future__ import annotations

import base64
import copy
import random

from tests.chisel.mutationparts import ODD_VALUES, Mutation, any_archive, any_package
from tests.chisel.releases import Files, Raw, armor, armored_key


def other_format(rng: random.Random, files: Files) -> Files:
    files["chisel.yaml"]["format"] = rng.choice(
        ["v0", "v4", "v1", "v2", "v3", "V3", Raw("3"), "", None, ["v3"], "v3 ", Raw("'v3'"), "chisel-v1"]
    )
    return files


def no_key(part: str) -> Mutation:
    def mutate(rng: random.Random, files: Files) -> Files | None:
        told = (
            files["chisel.yaml"]
            if part == "release"
            else any_archive(rng, files)
            if part == "archive"
            else files["chisel.yaml"]["maintenance"]
        )
        if part == "key":
            told = files["chisel.yaml"]["public-keys"]["the-key"]
        if not told:
            return None
        del told[rng.choice(list(told))]
        return files

    return mutate


def dates(rng: random.Random, files: Files) -> Files:
    dates = files["chisel.yaml"]["maintenance"]
    values = [
        Raw("2024-4-25"),
        Raw("2024-02-30"),
        Raw("2024-13-01"),
        "soon",
        Raw("20240425"),
        Raw("2024-02-29"),
        Raw("2023-02-29"),
        Raw("'2024-05-01'"),
        Raw("0000-01-01"),
        Raw("2024-05-01 10:00:00"),
        None,
        Raw("2024"),
        ["2024-05-01"],
    ]
    dates[rng.choice(["standard", "expanded", "legacy", "end-of-life"])] = rng.choice(values)
    return files


def default_dates(rng: random.Random, files: Files) -> Files:
    told = files["chisel.yaml"]
    told["maintenance"] = rng.choice([None, {}, {"standard": None}])
    any_archive(rng, files)["version"] = Raw(rng.choice(["24.04", "26.04", "22.10", "20.04", "18.04", "24.4"]))
    return files


def priority(rng: random.Random, files: Files) -> Files:
    any_archive(rng, files)["priority"] = rng.choice(
        [
            Raw(text)
            for text in ("0", "1", "1000", "1001", "-1000", "-1001", "1.5", "ten", "'1'", "true", "10", "~", "1e2")
        ]
    )
    return files


def new_archive(rng: random.Random, files: Files) -> Files:
    told = copy.deepcopy(any_archive(rng, files))
    told.update(
        rng.choice([{}, {"priority": Raw("7")}, {"pro": "new"}, {"default": True}, {"pro": "new", "public-keys": []}])
    )
    files["chisel.yaml"][rng.choice(["archives", "archives", "v2-archives"])] = {
        **files["chisel.yaml"].get("archives", {}), rng.choice(["extra", "ubuntu", "zz"]): told,
    }  # fmt: skip
    return files


def archive_field(rng: random.Random, files: Files) -> Files:
    archive = any_archive(rng, files)
    archive[rng.choice(list(archive))] = rng.choice(ODD_VALUES)
    return files


def default_archive(rng: random.Random, files: Files) -> Files:
    any_archive(rng, files)["default"] = rng.choice(
        [True, False, Raw("yes"), Raw("off"), Raw("1"), Raw("'true'"), None]
    )
    return files


def pro_archive(rng: random.Random, files: Files) -> Files:
    any_archive(rng, files)["pro"] = rng.choice(
        ["fips", "fips-updates", "esm-apps", "esm-infra", "esm", "", Raw("5"), None, ["fips"]]
    )
    return files


def archive_keys(rng: random.Random, files: Files) -> Files:
    any_archive(rng, files)["public-keys"] = rng.choice(
        [[], ["none"], ["the-key", "the-key"], "the-key", ["the-key", "none"], [None], None, {"the-key": None}]
    )
    return files


def pinned(rng: random.Random, files: Files) -> Files:
    any_package(rng, files)["archive"] = rng.choice(["ubuntu", "nowhere", "", None, "fips", Raw("5"), ["ubuntu"]])
    return files


def public_key(rng: random.Random, files: Files) -> Files:
    told = files["chisel.yaml"]["public-keys"]["the-key"]
    kind = rng.randrange(12)
    identifier, text = armored_key(
        rng, algorithm=22 if kind == 0 else rng.choice([1, 3]), count=2 if kind == 1 else 1, tag=14 if kind == 2 else 6
    )
    raw = base64.b64decode("".join(text.split("\n")[2:-3]))
    changed = {
        3: identifier.lower(), 4: identifier[8:], 5: "0" * 16,
    }.get(kind, identifier)  # fmt: skip
    lines = text.split("\n")
    armored = {
        6: armor(raw[:-20]), 7: armor(raw + b"\x00\x01"), 8: text.replace("=", "", 1), 9: "\n".join([*lines[:-3], "=AAAA", *lines[-2:]]),
        10: text.replace("-----BEGIN", "----BEGIN"), 11: "\n".join(lines[:-2]),
    }.get(kind, text)  # fmt: skip
    files["chisel.yaml"]["public-keys"]["the-key"] = {"id": changed, "armor": armored}
    if rng.random() < 0.1:
        told["armor"] = rng.choice(["", None, "x"])
        files["chisel.yaml"]["public-keys"]["the-key"] = told
    return files
