"""Mutations of a file's text, be it YAML then or not."""

from __future__ import annotations

import random
from collections.abc import Callable

from tests.chisel.mutationparts import Mutation
from tests.chisel.releases import Files, texts


def editing(change: Callable[[random.Random, bytes], bytes | None]) -> Mutation:
    """A change of one file's text."""

    def mutate(rng: random.Random, files: Files) -> Files | None:
        path = rng.choice(list(files))
        data = change(rng, texts({path: files[path]})[path])
        if data is None:
            return None
        return {**files, path: data}

    return mutate


def editing_lines(change: Callable[[random.Random, list[str], int], None]) -> Mutation:
    def edit(rng: random.Random, data: bytes) -> bytes:
        lines = data.decode().splitlines(keepends=True)
        change(rng, lines, rng.randrange(len(lines)))
        return "".join(lines).encode()

    return editing(edit)


def double_line(rng: random.Random, lines: list[str], at: int) -> None:
    lines.insert(rng.randrange(at, len(lines) + 1) if rng.random() < 0.3 else at, lines[at])


def drop_line(rng: random.Random, lines: list[str], at: int) -> None:
    del lines[at]


def swap_lines(rng: random.Random, lines: list[str], at: int) -> None:
    other = rng.randrange(len(lines))
    lines[at], lines[other] = lines[other], lines[at]


def indent(rng: random.Random, lines: list[str], at: int) -> None:
    lines[at] = rng.choice(
        [
            " " + lines[at],
            "  " + lines[at],
            "\t" + lines[at],
            lines[at].removeprefix(" "),
            lines[at].removeprefix("  "),
            lines[at].lstrip(),
        ]
    )


def insert_token(rng: random.Random, lines: list[str], at: int) -> None:
    tokens = [
        ":",
        " :",
        ": ",
        "{",
        "}",
        "[",
        "]",
        ",",
        "#",
        " # x",
        "'",
        '"',
        "|",
        ">",
        "&a ",
        "*a",
        "!",
        "!!",
        "%",
        "@",
        "`",
        "- ",
        "? ",
        "---\n",
        "...\n",
        "<<: {}",
        "\t",
        "\\",
        "-",
    ]
    position = rng.randrange(len(lines[at]))
    lines[at] = lines[at][:position] + rng.choice(tokens) + lines[at][position:]


def insert_line(rng: random.Random, lines: list[str], at: int) -> None:
    extra = [
        "---\n",
        "...\n",
        "# comment\n",
        "\n",
        "%YAML 1.2\n",
        "%TAG ! tag:x,2000:\n",
        "x: y\n",
        "x\n",
        "- x\n",
        "}\n",
        "--- x\n",
        "<<: {a: b}\n",
        "  ? a\n",
        "\t\n",
        "   \n",
    ]
    lines.insert(at, rng.choice(extra))


def cut_text(rng: random.Random, data: bytes) -> bytes:
    return data[: rng.randrange(len(data))]


def drop_byte(rng: random.Random, data: bytes) -> bytes:
    at = rng.randrange(len(data))
    return data[:at] + data[at + 1 :]


def odd_bytes(rng: random.Random, data: bytes) -> bytes:
    at = rng.randrange(len(data))
    odd = [
        b"\x00",
        b"\x07",
        b"\x7f",
        b"\xff",
        b"\xe9",
        b"\xc3\xa9",
        b"\xef\xbb\xbf",
        b"\xe2\x80\xa8",
        b"\xc2\x85",
        b"\r",
        b"\xed\xa0\x80",
        b"\xf0\x9f\x98\x80",
    ]
    return data[:at] + rng.choice(odd) + data[at:]


def encoding(rng: random.Random, data: bytes) -> bytes:
    text = data.decode()
    return rng.choice([
        b"\xef\xbb\xbf" + data, text.encode("utf-16"), text.encode("utf-16-le"), b"\xfe\xff" + text.encode("utf-16-be"),
        text.replace("\n", "\r\n").encode(), text.replace("\n", "\r").encode(), text.replace("e", "é").encode("latin-1"), b"", b"\n", b"# only\n", b"---\n", b"null\n", b"[]\n", b"{}\n", b"x\n",
    ])  # fmt: skip


def second_document(rng: random.Random, data: bytes) -> bytes:
    return data + rng.choice([b"---\nx: y\n", b"---\n}\n", b"...\n", b"...\n}\n", b"--- |\n x\n", b"...\n---\n...\n"])


def anchors(rng: random.Random, data: bytes) -> bytes | None:
    """An anchor on a value, and an alias or a merge of it elsewhere."""
    lines = data.decode().splitlines(keepends=True)
    places = [position for position, line in enumerate(lines) if line.rstrip().endswith(":")]
    if len(places) < 2:
        return None
    first, second = sorted(rng.sample(places, 2))
    lines[first] = lines[first].rstrip() + " &anchor\n"
    if rng.random() < 0.5:
        pad = " " * (len(lines[second]) - len(lines[second].lstrip()) + 2)
        lines.insert(second + 1, f"{pad}<<: {rng.choice(['*anchor', '[*anchor]', '{mode: 1}', 'x', '[x]'])}\n")
    else:
        lines[second] = lines[second].rstrip() + " *anchor\n"
    return "".join(lines).encode()
