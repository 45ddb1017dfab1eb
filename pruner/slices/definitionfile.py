"""Slice definition files, `slices/PACKAGE.yaml`: a package's slices with their essentials and contents.

Rules: canonical/chisel, internal/setup/yaml.go and internal/apacheutil/util.go at v1.4.1.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from pruner.errors import printable
from pruner.slices.arches import ARCHITECTURES
from pruner.slices.definitionpath import content_of
from pruner.slices.types import Essential, Slice, SlicedPackage, SliceKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pruner.slices.releasefile import ReleaseFile
    from pruner.slices.wire import Entry, Reader
    from pruner.slices.yamlnodes import Node

KNOWN: Final = ("package", "archive", "essential", "slices", "v3-essential")
KNOWN_OF_SLICE: Final = ("hint", "essential", "contents", "mutate", "v3-essential")
PACKAGE_NAME = re.compile(r"[a-z0-9](?:-?[.a-z0-9+])+")
PACKAGE_NAME_HINT: Final = "two characters or more of a-z, 0-9, '.', '+' and single dashes"
SLICE_NAME = re.compile(r"[a-z](?:-?[a-z0-9]){2,}")
LISTING: Final = ("v1", "v2")
"""Formats in which essentials are a list; from v3 on they are a mapping."""
_LONGEST_HINT = 40
"""Bytes."""
_REFERENCE = "write PACKAGE_SLICE"


def definition_file(node: Node, package: str, told: ReleaseFile, reader: Reader) -> SlicedPackage:
    """The slices that the definition file of `package` describes; what is wrong with them goes to `reader`.

    `told` is what `chisel.yaml` says: the format, and the archives that a package may be pinned to.
    """
    style = told.format
    fields = reader.fields(node, "the package", KNOWN)
    named = reader.text(fields, "package", "the package") or ""
    if named != package:
        line = fields["package"].line if "package" in fields else node.line
        fact = f"'package' is '{printable(named)}'" if named else "'package' is missing"
        reader.note(line, "package-name", f"{fact}, but the file is named for {package}", f"write package: {package}")
    common = _essentials(fields, style, f"package {package}", reader)
    slices = reader.entries(fields["slices"].value, "slices") if "slices" in fields else []
    if slices:
        _check_references(common, package, reader)
    _check_common(common, [SliceKey(package, entry.key) for entry in slices], f"package {package}", reader)
    read = tuple(_slice(entry, package, style, common, reader) for entry in slices)
    if not read:
        reader.note(fields["slices"].line if "slices" in fields else 1, "no-slices", f"package {package} has no slices")
    archive = reader.text(fields, "archive", "the package") or ""
    known = sorted(found.name for found in told.archives)
    if archive and style and archive not in known:
        hint = f"chisel.yaml has {', '.join(map(printable, known)) or 'none'}"
        reader.note(fields["archive"].line, "unknown-archive", f"archive '{printable(archive)}' is not defined", hint)
    return SlicedPackage(
        name=package,
        essential=tuple(named.essential for named in common if named.essential is not None),
        slices=read,
        archive=archive,
        file=reader.file,
    )


class _Named(NamedTuple):
    """A reference to a slice."""

    text: str
    line: int
    essential: Essential | None
    """None where the text can't name a slice."""


def _slice(entry: Entry, package: str, style: str, common: list[_Named], reader: Reader) -> Slice:
    what = f"slice {package}_{printable(entry.key)}"
    if not SLICE_NAME.fullmatch(entry.key):
        hint = "three characters or more of a-z, 0-9 and single dashes, a letter first"
        reader.note(entry.line, "slice-name", f"'{printable(entry.key)}' is no name for a slice", hint)
    fields = reader.fields(entry.value, what, KNOWN_OF_SLICE)
    key = SliceKey(package, entry.key)
    essentials = _essentials(fields, style, what, reader)
    _check_references(essentials, package, reader)
    _check_repeated(key, common, essentials, reader)
    contents = reader.entries(fields["contents"].value, f"{what}, contents") if "contents" in fields else []
    paths = [content_of(path, package, entry.key, reader) for path in contents]
    return Slice(
        key=key,
        essential=tuple(named.essential for named in essentials if named.essential is not None),
        contents=tuple(path for path in paths if path is not None),
        mutate=reader.text(fields, "mutate", what) or "",
        hint=_hint(fields, what, reader),
        line=entry.line,
    )


def _hint(fields: Mapping[str, Entry], what: str, reader: Reader) -> str:
    hint = reader.text(fields, "hint", what) or ""
    size = len(hint.encode())
    if size > _LONGEST_HINT:
        message = f"{what}: the hint has {size} bytes"
        reader.note(fields["hint"].line, "hint", message, f"{_LONGEST_HINT} bytes at most")
    if not hint.isprintable():
        reader.note(fields["hint"].line, "hint", f"{what}: the hint has unprintable characters")
    return hint


def _essentials(fields: Mapping[str, Entry], style: str, what: str, reader: Reader) -> list[_Named]:
    """What `essential` and `v3-essential` name, in that order."""
    found: list[_Named] = []
    if "essential" in fields:
        entry = fields["essential"]
        wanted = "a list" if style in LISTING else "a mapping"
        if isinstance(entry.value.value, list):
            fits = style != "v3"
            found += [_named(name, (), line) for name, line in reader.items(entry, what)]
        elif entry.value.mapping:
            fits = style not in LISTING
            found += _mapped(entry, what, reader)
        else:
            fits = False
        if not fits:
            message = f"{what}: in format {printable(style)} 'essential' is {wanted}, not {entry.value.word}"
            reader.note(entry.value.line, "essential-style", message)
    if "v3-essential" in fields:
        entry = fields["v3-essential"]
        if style == "v3":
            message = f"{what}: 'v3-essential' is for formats v1 and v2"
            reader.note(entry.line, "obsolete-key", message, "use 'essential'")
        found += _mapped(entry, what, reader)
    return found


def _mapped(entry: Entry, what: str, reader: Reader) -> list[_Named]:
    """The references of an essential mapping, with their architectures."""
    found = []
    for item in reader.entries(entry.value, f"{what}, {entry.key}"):
        told = f"{what}, essential {printable(item.key)}"
        fields = reader.fields(item.value, told, ("arch",))
        arch = reader.texts(fields, "arch", told, single=True)
        for name in arch:
            if name not in ARCHITECTURES:
                hint = f"known are {', '.join(ARCHITECTURES)}"
                message = f"{told}: unknown architecture '{printable(name)}', which chisel does not notice"
                reader.note(fields["arch"].line, "essential-arch", message, hint)
        found.append(_named(item.key, arch, item.line))
    return found


def _named(text: str, arch: tuple[str, ...], line: int) -> _Named:
    package, _, name = text.partition("_")
    if not (PACKAGE_NAME.fullmatch(package) and SLICE_NAME.fullmatch(name)):
        return _Named(text, line, None)
    return _Named(text, line, Essential(key=SliceKey(package, name), arch=arch, line=line))


def _check_references(found: Iterable[_Named], package: str, reader: Reader) -> None:
    for text, line, essential in found:
        if essential is None:
            reader.note(line, "essential-name", f"package {package}: '{printable(text)}' names no slice", _REFERENCE)


def _check_common(common: list[_Named], slices: list[SliceKey], what: str, reader: Reader) -> None:
    """What all slices want is named once; twice is no harm only where the one slice of that name is alone."""
    seen: dict[str, int] = {}
    for text, line, essential in common:
        wanted = essential is not None and any(key != essential.key for key in slices)
        if text in seen and wanted:
            hint = f"it stands on line {seen[text]} too"
            reader.note(line, "essential-repeated", f"{what}: repeats {printable(text)} in its essentials", hint)
        seen.setdefault(text, line)


def _check_repeated(key: SliceKey, common: list[_Named], own: list[_Named], reader: Reader) -> None:
    """A slice names neither itself nor anything twice, what the package wants of all its slices counted."""
    seen = {named.essential.key: named.line for named in common if named.essential is not None}
    for _, line, essential in own:
        if essential is None:
            continue
        if essential.key == key:
            reader.note(line, "essential-self", f"slice {key} can't be essential to itself")
        elif essential.key in seen:
            hint = f"it stands on line {seen[essential.key]} too"
            reader.note(line, "essential-repeated", f"slice {key}: repeats {essential.key} in its essentials", hint)
        seen.setdefault(essential.key, line)
