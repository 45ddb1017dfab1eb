"""Mutations of valid releases: by rule of the format, by any value and key, and by the text of a file.

What a mutation does to a release is drawn from a seed. None says if the outcome is valid: chisel is asked.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator

from tests.chisel.mutationparts import Mutation, renaming, setting
from tests.chisel.pathmutations import (
    copied_value,
    cover,
    lost_key,
    misspelt,
    moved_path,
    odd_key,
    odd_value,
    prefer,
    prefer_option,
    same_package_path,
)
from tests.chisel.releasemutations import (
    archive_field,
    archive_keys,
    dates,
    default_archive,
    default_dates,
    new_archive,
    no_key,
    other_format,
    pinned,
    priority,
    pro_archive,
    public_key,
)
from tests.chisel.releases import ARCHITECTURES, Raw, texts, valid_release
from tests.chisel.slicemutations import (
    doubled_file,
    essential_arch,
    essential_style,
    file_name,
    generated,
    hinted,
    loop,
    moved_file,
    mutated,
    no_package_name,
    no_slices_directory,
    package_name,
    references,
    slice_name,
)
from tests.chisel.textmutations import (
    anchors,
    cut_text,
    double_line,
    drop_byte,
    drop_line,
    editing,
    editing_lines,
    encoding,
    indent,
    insert_line,
    insert_token,
    odd_bytes,
    second_document,
    swap_lines,
)


def cases(count: int) -> Iterator[tuple[str, dict[str, bytes]]]:
    """`count` releases, each with the name of what was done to it; every mutation as often as the others."""
    made = 0
    for seed in range(count * 4):
        names = list(MUTATIONS)
        name = names[seed % len(names)]
        rng = random.Random(f"{seed}")
        files = MUTATIONS[name](rng, copy.deepcopy(valid_release(rng)))
        if files is None:
            continue
        yield f"{name}-{seed}", texts(files)
        made += 1
        if made == count:
            return


def untouched(count: int) -> Iterator[tuple[str, dict[str, bytes]]]:
    """`count` valid releases."""
    for seed in range(count):
        yield f"valid-{seed}", texts(valid_release(random.Random(f"valid {seed}")))


MUTATIONS: dict[str, Mutation] = {
    "slice-name": slice_name,
    "package-name": package_name,
    "no-package-name": no_package_name,
    "file-name": file_name,
    "moved-file": moved_file,
    "doubled-file": doubled_file,
    "no-slices-directory": no_slices_directory,
    "format": other_format,
    "no-key-of-release": no_key("release"),
    "no-key-of-archive": no_key("archive"),
    "no-key-of-maintenance": no_key("maintenance"),
    "no-key-of-public-key": no_key("key"),
    "dates": dates,
    "default-dates": default_dates,
    "priority": priority,
    "new-archive": new_archive,
    "archive-field": archive_field,
    "default": default_archive,
    "pro": pro_archive,
    "archive-keys": archive_keys,
    "pin": pinned,
    "public-key": public_key,
    "malformed-reference": references("malformed"),
    "missing-reference": references("missing"),
    "self-reference": references("self"),
    "any-reference": references("any"),
    "repeated-reference": references("repeated"),
    "essential-style": essential_style,
    "essential-arch": essential_arch,
    "loop": loop,
    "moved-path": moved_path,
    "same-package-path": same_package_path,
    "cover": cover,
    "cover-again": cover,
    "prefer": prefer,
    "prefer-again": prefer,
    "prefer-option": prefer_option,
    "make": setting("make", [True, False, Raw("yes"), Raw("1"), Raw("'true'"), None]),
    "mode": setting(
        "mode",
        [
            Raw(x)
            for x in (
                "0755",
                "0o644",
                "755",
                "0888",
                "-1",
                "'0755'",
                "rw",
                "1.5",
                "04755",
                "~",
                "0x1ed",
                "[]",
                "1e3",
                "0_755",
                "08",
                "99999999999",
            )
        ],
    ),
    "copy": setting("copy", ["/other", "", "relative", "/any/*", None, ["/x"], Raw("5")]),
    "text": setting("text", ["", "x", None, Raw("5"), Raw("yes"), {}, []]),
    "symlink": setting("symlink", ["/x", "x", "", None, Raw("5"), {}]),
    "mutable": setting("mutable", [True, False, Raw("on"), Raw("Y"), Raw("'yes'"), Raw("2")]),
    "until": setting("until", ["mutate", "never", "", None, "Mutate", ["mutate"]]),
    "arch": setting(
        "arch",
        [
            "amd64",
            "x86",
            [],
            ["amd64", "amd64"],
            ["amd64", "mips"],
            ARCHITECTURES,
            {},
            None,
            "",
            [""],
            "any",
            "all",
            "amd64 arm64",
            Raw("5"),
        ],
    ),
    "generate": setting("generate", ["manifest", "other", "", None, ["manifest"]]),
    "generated-path": generated,
    "hint": hinted,
    "path": renaming(
        [
            "PATH/",
            "PATH//",
            "/",
            "//PATH",
            "/./x",
            "/../x",
            "/a/../b",
            "relative",
            "",
            "/a b",
            "/x\ty",
            "PATH*",
            "PATH?",
            "/a//b",
            ".",
            "/..",
            "/a/.",
            "/ü",
            "PATH**",
            "/*",
            "/**",
            "/?",
        ]
    ),
    "mutate": mutated,
    "misspelt": misspelt,
    "odd-value": odd_value,
    "odd-value-again": odd_value,
    "odd-key": odd_key,
    "lost-key": lost_key,
    "copied-value": copied_value,
    "double-line": editing_lines(double_line),
    "drop-line": editing_lines(drop_line),
    "swap-lines": editing_lines(swap_lines),
    "indent": editing_lines(indent),
    "insert-token": editing_lines(insert_token),
    "insert-line": editing_lines(insert_line),
    "cut-text": editing(cut_text),
    "drop-byte": editing(drop_byte),
    "odd-bytes": editing(odd_bytes),
    "encoding": editing(encoding),
    "second-document": editing(second_document),
    "anchors": editing(anchors),
}
