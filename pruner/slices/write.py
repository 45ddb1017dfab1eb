"""Releases as text: slice definition files, `chisel.yaml`, and the files beside them.

The order and the look are those of published releases: package, essentials, slices, an empty line between them;
essentials before contents, nothing but a colon for an empty value, options in braces on the path's line. The same
values give the same bytes.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from pruner.emit.artifact import Artifact
from pruner.errors import printable
from pruner.slices.finish import finish_script
from pruner.slices.scalars import WIDTH, dated, key_lines, scalar, text_lines
from pruner.slices.types import PathKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pruner.slices.generate import Generated
    from pruner.slices.types import Archive, Content, Essential, Release, Slice, SlicedPackage, SliceKey

__all__ = [
    "MADE_BY",
    "chisel_yaml_text",
    "content_lines",
    "cut_text",
    "essential_lines",
    "finish_script",
    "release_artifacts",
    "sdf_text",
    "slice_lines",
]

MADE_BY = "# Made by pruner"
"""How `chisel.yaml` begins, so that a later run may replace the release."""
MAP_FORMATS = frozenset({"v3"})
"""Formats whose essentials are a map; in the others they are lists, and `v3-essential` has those of an architecture."""
_ARCH_NOTE = "chisel before 1.3.0 does not read what follows."
_NO_KEY = (
    "The key that signs the archive is not known: put its name into `public-keys` of the archive, and its id and "
    "armor below `public-keys`. chisel refuses the release until then."
)


def sdf_text(package: SlicedPackage, format: str) -> str:  # noqa: A002 -- the format's own word
    """The slice definition file of `package` in `format`, `v1`, `v2` or `v3`; the slice `copyright` comes last."""
    lines = [*_comment(package.comment, 0), f"package: {scalar(package.name)}"]
    if package.archive:
        lines += ["", f"archive: {scalar(package.archive)}"]
    essential = essential_lines(package.essential, format, 0)
    if essential:
        lines += ["", *essential]
    lines += ["", "slices:"]
    slices = sorted(package.slices, key=lambda one: one.key.slice == "copyright")
    for number, one in enumerate(slices):
        lines += [*([""] if number else []), *slice_lines(one, format)]
    return "".join(f"{line}\n" for line in lines)


def slice_lines(one: Slice, format: str, indent: int = 2) -> list[str]:  # noqa: A002
    """The lines of one slice, below `slices:`."""
    pad = " " * (indent + 2)
    lines = [*_comment(one.comment, indent), f"{' ' * indent}{scalar(one.key.slice)}:"]
    if one.hint:
        lines += text_lines("hint", one.hint, indent + 2)
    lines += essential_lines(one.essential, format, indent + 2)
    if one.contents:
        lines.append(f"{pad}contents:")
        for content in sorted(one.contents, key=lambda content: _collated(content.path)):
            lines += content_lines(content, indent + 4)
    if one.mutate:
        lines += text_lines("mutate", one.mutate, indent + 2)
    return lines


def essential_lines(essential: Iterable[Essential], format: str, indent: int) -> list[str]:  # noqa: A002
    """`essential:`, with `v3-essential:` where the format needs it, and what they hold; nothing for none."""
    pad = " " * indent
    ordered = sorted(essential, key=lambda one: _collated(str(one.key)))
    plain = [one for one in ordered if format in MAP_FORMATS or not one.arch]
    special = [one for one in ordered if one not in plain]
    lines = [f"{pad}essential:"] if plain else []
    for one in plain:
        lines += essential_entry_lines(one, format, indent + 2)
    if special:
        lines += [*_comment(_ARCH_NOTE, indent), f"{pad}v3-essential:"]
        for one in special:
            lines += essential_entry_lines(one, "v3", indent + 2)
    return lines


def essential_entry_lines(one: Essential, format: str, indent: int) -> list[str]:  # noqa: A002
    """One essential as an item of a list or, for the formats that have one, of a map."""
    if format in MAP_FORMATS:
        value = f"{{{_arch(one.arch)}}}" if one.arch else ""
        return [*_comment(one.comment, indent), *key_lines(str(one.key), value, indent)]
    return [*_comment(one.comment, indent), f"{' ' * indent}- {scalar(str(one.key))}"]


def content_lines(content: Content, indent: int) -> list[str]:
    """One path with its options: on its own line where they fit, else below it."""
    comment = _comment(content.comment, indent)
    texts = dict(_texts(content))
    options = _options(content)
    if not options:
        return [*comment, *key_lines(content.path, "", indent)]
    if all("\n" not in text[:-1] for text in texts.values()):
        lines = key_lines(content.path, "{" + ", ".join(options.values()) + "}", indent)
        if len(lines) == 1:
            return [*comment, *lines]
    lines = [*comment, *key_lines(content.path, "", indent)]
    for key, written in options.items():
        lines += text_lines(key, texts[key], indent + 2) if key in texts else [f"{' ' * (indent + 2)}{written}"]
    return lines


def chisel_yaml_text(release: Release) -> str:
    """`chisel.yaml` of `release`."""
    lines = [f"{MADE_BY}, which replaces all slices of this release when it writes here again."]
    lines.append(f"format: {scalar(release.format)}")
    if release.maintenance:
        lines += ["", "maintenance:"]
        lines += [f"  {scalar(key)}: {dated(date)}" for key, date in release.maintenance.items()]
    if release.archives:
        lines += ["", "archives:"]
        for archive in release.archives:
            lines += _archive_lines(archive)
    if release.public_keys:
        lines += ["", "public-keys:"]
        for key in release.public_keys:
            lines += [f"  {scalar(key.name)}:", f'    id: "{key.id}"', *text_lines("armor", key.armor, 4)]
    return "".join(f"{line}\n" for line in lines)


def cut_text(cut: Sequence[SliceKey]) -> str:
    """The arguments of `chisel cut` that select `cut`: one a line, sorted, each once.

    `chisel cut --release ./RELEASE --root ROOT $(cat RELEASE/cut.txt)` takes them.
    """
    return "".join(f"{key}\n" for key in sorted({str(key) for key in cut}))


def release_artifacts(generated: Generated) -> tuple[Artifact, ...]:
    """Every file of a new release: `chisel.yaml`, `slices/NAME.yaml`, `cut.txt`, and `finish.sh` where it is needed."""
    release = generated.release
    files = [
        Artifact(path="chisel.yaml", data=chisel_yaml_text(release).encode()),
        Artifact(path="cut.txt", data=cut_text(generated.cut).encode()),
        *finish_artifacts(generated),
    ]
    files += [
        Artifact(path=f"slices/{package.name}.yaml", data=sdf_text(package, release.format).encode())
        for package in release.packages.values()
    ]
    return tuple(sorted(files, key=lambda file: file.path))


def finish_artifacts(generated: Generated, former: str = "") -> tuple[Artifact, ...]:
    """`finish.sh`, or nothing where chisel does all; what the `former` one of a release that is extended did stays."""
    if not generated.leftovers:
        return ()
    return (Artifact(path="finish.sh", data=finish_script(generated.leftovers, former).encode(), mode=0o755),)


def _collated(text: str) -> bytes:
    """The place of `text` in the order that `LC_COLLATE=C sort` has."""
    return text.encode("utf-8", "surrogateescape")


def _texts(content: Content) -> Iterator[tuple[str, str]]:
    """The options whose value is free text, which may be long."""
    if content.kind is PathKind.TEXT:
        yield "text", content.text or ""
    elif content.kind is PathKind.SYMLINK:
        yield "symlink", content.source or ""
    elif content.kind is PathKind.COPY and content.source:
        yield "copy", content.source


def _options(content: Content) -> dict[str, str]:
    """Each option as it stands inside of braces."""
    options = {key: f"{key}: {scalar(text, flow=True)}" for key, text in _texts(content)}
    if content.kind is PathKind.MAKE:
        options["make"] = "make: true"
    elif content.kind is PathKind.GENERATE:
        options["generate"] = f"generate: {scalar(content.source or '', flow=True)}"
    if content.mode is not None:
        options["mode"] = f"mode: 0{content.mode:03o}"
    if content.mutable:
        options["mutable"] = "mutable: true"
    if content.until:
        options["until"] = f"until: {scalar(content.until, flow=True)}"
    if content.arch:
        options["arch"] = _arch(content.arch)
    if content.prefer:
        options["prefer"] = f"prefer: {scalar(content.prefer, flow=True)}"
    return options


def _arch(names: Iterable[str]) -> str:
    return f"arch: [{', '.join(scalar(name, flow=True) for name in names)}]"


def _archive_lines(archive: Archive) -> Iterator[str]:
    yield f"  {scalar(archive.name)}:"
    if archive.default:
        yield "    default: true"
    yield f"    version: {scalar(archive.version)}"
    yield from _list_lines("suites", archive.suites)
    yield from _list_lines("components", archive.components)
    if archive.priority is not None:
        yield f"    priority: {archive.priority}"
    if archive.pro:
        yield f"    pro: {scalar(archive.pro)}"
    if not archive.public_keys:
        yield from _comment(_NO_KEY, 4)
    yield from _list_lines("public-keys", archive.public_keys)


def _list_lines(key: str, items: Sequence[str]) -> Iterator[str]:
    line = f"    {key}: [{', '.join(scalar(item, flow=True) for item in items)}]"
    if len(line) <= WIDTH:
        yield line
        return
    yield f"    {key}:"
    yield from (f"      - {scalar(item)}" for item in items)


def _comment(text: str, indent: int) -> list[str]:
    """`text` as a comment; words are not broken, so that a path in it can be copied."""
    lines = []
    for paragraph in text.strip().splitlines() if text.strip() else ():
        room = max(WIDTH - indent - 2, 20)
        wrapped = textwrap.wrap(printable(paragraph), room, break_long_words=False, break_on_hyphens=False) or [""]
        lines += [f"{' ' * indent}# {line}".rstrip() for line in wrapped]
    return lines
