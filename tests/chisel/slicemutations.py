"""Mutations of definition files: names, essentials and the fields of slices."""

from __future__ import annotations

import copy
import random
from typing import Any

from tests.chisel.mutationparts import Mutation, any_package, any_slice, definitions, renamed
from tests.chisel.releases import ARCHITECTURES, Files, Raw


def slice_name(rng: random.Random, files: Files) -> Files:
    slices = any_package(rng, files)["slices"]
    names = [
        "a",
        "ab",
        "abc",
        "Abc",
        "a_b",
        "a--b",
        "abc-",
        "-abc",
        "1bc",
        "a.bc",
        "a-b",
        "a-b-c",
        "äbc",
        "",
        Raw("123"),
        Raw("~"),
        "ab1",
        "libs ",
        Raw("true"),
    ]
    renamed(slices, rng.choice(list(slices)), rng.choice(names))
    return files


def package_name(rng: random.Random, files: Files) -> Files:
    package = any_package(rng, files)
    package["package"] = rng.choice(
        [package["package"] + "x", "", None, Raw("5"), package["package"].upper(), [package["package"]]]
    )
    return files


def no_package_name(rng: random.Random, files: Files) -> Files:
    del any_package(rng, files)["package"]
    return files


def file_name(rng: random.Random, files: Files) -> Files:
    path = rng.choice(definitions(files))
    name = rng.choice(
        ["x", "Upper", "a_b", "dash--dash", "end-", "-start", "ab", "with space", "a.b", ".ab", "+ab", "ünder"]
    )
    files[path]["package"] = name
    renamed(files, path, f"slices/{name}.yaml")
    return files


def moved_file(rng: random.Random, files: Files) -> Files:
    path = rng.choice(definitions(files))
    target = rng.choice(
        [
            "slices/sub/NAME.yaml",
            "slices/sub/deep/NAME.yaml",
            "slices/NAME.yml",
            "NAME.yaml",
            "slices/sub.yaml/NAME.yaml",
        ]
    )
    renamed(files, path, target.replace("NAME", path[7:-5]))
    return files


def doubled_file(rng: random.Random, files: Files) -> Files:
    path = rng.choice(definitions(files))
    files[path.replace("slices/", rng.choice(["slices/sub/", "slices/z/y/"]))] = copy.deepcopy(files[path])
    return files


def no_slices_directory(rng: random.Random, files: Files) -> Files:
    return {path: value for path, value in files.items() if not path.startswith("slices/")}


def references(name: str) -> Mutation:
    """Adds or replaces an essential, of a slice or of the package."""

    def mutate(rng: random.Random, files: Files) -> Files | None:
        path = rng.choice(definitions(files))
        package = files[path]
        key = rng.choice(list(package["slices"]))
        target = package if rng.random() < 0.3 else package["slices"][key]
        own = f"{package['package']}_{key}"
        known = [f"{p[7:-5]}_{s}" for p in definitions(files) for s in files[p]["slices"]]
        reference = {
            "malformed": rng.choice(["nope", "libc6_", "_libs", "Libc6_libs", "libc6_libs_x", "libc6_li", "libc6_l--bs", "c_libs", "", Raw("5"), None]),
            "missing": rng.choice(["nowhere_libs", f"{package['package']}_nothing", "libc6_other"]),
            "self": own,
            "any": rng.choice(known),
            "repeated": rng.choice(list(target.get("essential") or [f"{package['package']}_copyright"])),
        }[name]  # fmt: skip
        add_essential(rng, target, reference)
        return files

    return mutate


def add_essential(rng: random.Random, target: Files, reference: Any) -> None:
    essential = target.get("essential")
    if rng.random() < 0.2:
        target["v3-essential"] = {reference: rng.choice([None, {"arch": ["arm64"]}])}
    elif isinstance(essential, list):
        essential.append(reference)
    elif isinstance(essential, dict):
        essential[reference] = rng.choice([None, {}, {"arch": rng.choice(["amd64", ["riscv64"]])}])
    else:
        target["essential"] = {reference: None} if rng.random() < 0.6 else [reference]


def essential_style(rng: random.Random, files: Files) -> Files:
    target = rng.choice([any_slice, any_package])(rng, files)
    target["essential"] = rng.choice(
        [
            ["libc6_libs"],
            {"libc6_libs": None},
            "libc6_libs",
            [],
            {},
            None,
            Raw("5"),
            [["libc6_libs"]],
            {"libc6_libs": []},
            {"libc6_libs": "amd64"},
        ]
    )
    return files


def essential_arch(rng: random.Random, files: Files) -> Files:
    package = any_package(rng, files)
    target = rng.choice([package, rng.choice(list(package["slices"].values()))])
    arch = rng.choice(["amd64", "mips", [], ["amd64", "sparc"], {}, {"a": "b"}, None, Raw("5"), [None], [["amd64"]]])
    target[rng.choice(["essential", "v3-essential"])] = {
        f"{package['package']}_copyright": {rng.choice(["arch", "arch", "archs"]): arch}
    }
    return files


def loop(rng: random.Random, files: Files) -> Files:
    first, second = rng.sample(definitions(files), 2)
    ends = [(path[7:-5], rng.choice(list(files[path]["slices"]))) for path in (first, second)]
    style = files["chisel.yaml"]["format"]
    for path, (_, own), (package, key) in zip((first, second), ends, reversed(ends), strict=True):
        target = files[path]["slices"][own]
        reference = f"{package}_{key}"
        arch = {"arch": [rng.choice(ARCHITECTURES)]} if rng.random() < 0.5 else None
        if style == "v3":
            target["essential"] = {**(target.get("essential") or {}), reference: arch}
        elif reference not in (target.get("essential") or []):
            target["essential"] = [*(target.get("essential") or []), reference]
    return files


def generated(rng: random.Random, files: Files) -> Files:
    contents = any_slice(rng, files)["contents"]
    path = rng.choice(["/x/**", "/x/y/**", "/x/*", "/x", "/x/**/y", "/x/*/**", "/**", "/x**", "/usr/**", "/var/lib/**"])
    contents[path] = {
        "generate": "manifest",
        **rng.choice(
            [
                {},
                {},
                {"arch": "amd64"},
                {"mode": Raw("0644")},
                {"until": "mutate"},
                {"text": "x"},
                {"prefer": "libc6"},
                {"make": True},
            ]
        ),
    }
    return files


def hinted(rng: random.Random, files: Files) -> Files:
    any_slice(rng, files)["hint"] = rng.choice(
        [
            "x" * 40,
            "x" * 41,
            "é" * 20,
            "é" * 21,
            "a\tb",
            "a\u00a0b",
            "a\u200bb",
            "",
            None,
            Raw("5"),
            ["x"],
            "😀",
            "a\nb",
            "e\u0301",
            "\ue000",
        ]
    )
    return files


def mutated(rng: random.Random, files: Files) -> Files:
    any_slice(rng, files)["mutate"] = rng.choice(["", "not starlark (", None, Raw("5"), ["x"], {}])
    return files
