"""One entry of a slice's `contents`: how chisel makes the path, and what is wrong with it.

Rules: canonical/chisel, internal/setup/yaml.go at v1.4.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from pruner.errors import printable
from pruner.slices.arches import ARCHITECTURES
from pruner.slices.goscalars import is_null
from pruner.slices.patterns import is_pattern
from pruner.slices.types import Content, PathKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pruner.slices.wire import Entry, Reader

KNOWN: Final = ("make", "mode", "copy", "text", "symlink", "mutable", "until", "arch", "generate", "prefer")
MANIFEST: Final = "manifest"
_DIGITS = frozenset("01234567")
_EVERY_BIT = 0o7777
_TRUTHS = ("make", "mutable")
_WORDS = ("copy", "symlink", "generate", "until", "prefer")


class _Options(NamedTuple):
    """The options of a path as they are read, before it is known if they fit together."""

    make: bool
    mode: int
    copy: str
    text: str | None
    symlink: str
    mutable: bool
    until: str
    arch: tuple[str, ...]
    generate: str
    prefer: str


def content_of(entry: Entry, package: str, slice_name: str, reader: Reader) -> Content | None:
    """The path that `entry` describes; None where it can't be made sense of. What is wrong goes to `reader`."""
    path = entry.key
    what = f"{package}_{slice_name} {printable(path)}"
    if is_null(entry.value):
        kind = PathKind.GLOB if is_pattern(path) else PathKind.COPY
        return Content(path=path, kind=kind, line=entry.line) if _check_path(entry, what, reader) else None
    fields = reader.fields(entry.value, what, KNOWN, optional=False)
    options = _options(fields, what, reader)
    sound = _check_path(entry, what, reader)
    _check_values(fields, options, package, what, reader)
    kinds = _kinds(path, options)
    if options.generate:
        _check_generate(entry, fields, options, what, reader)
    elif is_pattern(path) and not _bare(options):
        reader.note(entry.line, "wildcard-options", f"{what}: a wildcard takes no option but arch and until")
    elif len(kinds) > 1:
        named = ", ".join(kind.value for kind in kinds)
        reader.note(entry.line, "kind-conflict", f"{what}: more than one kind of content: {named}")
    if not sound:
        return None
    kind = kinds[0]
    if options.make and not path.endswith("/"):
        reader.note(entry.line, "make-path", f"{what}: a directory to make must end in '/'")
    if options.mutable and kind is not PathKind.TEXT and (kind is not PathKind.COPY or path.endswith("/")):
        reader.note(entry.line, "mutable-kind", f"{what}: only text and copied files can be mutable")
    _warn(fields, options, kind, what, reader)
    if kind is PathKind.SYMLINK and _leads_elsewhere(path, options.symlink):
        reader.note(fields["symlink"].line, "relative-link", f"{what}: reviewers want links to absolute paths")
    source = {PathKind.SYMLINK: options.symlink, PathKind.GENERATE: options.generate, PathKind.COPY: options.copy}
    told = source.get(kind) or None
    return Content(
        path=path,
        kind=kind,
        source=None if kind is PathKind.COPY and told == path else told,
        text=options.text if kind is PathKind.TEXT else None,
        mode=options.mode or None,
        mutable=options.mutable,
        until=options.until,
        arch=options.arch,
        prefer=options.prefer,
        line=entry.line,
    )


def _options(fields: Mapping[str, Entry], what: str, reader: Reader) -> _Options:
    mode = reader.number(fields, "mode", what) or 0
    if mode < 0:
        reader.note(fields["mode"].line, "wrong-type", f"{what}: 'mode' must not be negative")
    return _Options(
        make=reader.truth(fields, "make", what),
        mode=max(mode, 0),
        copy=reader.text(fields, "copy", what) or "",
        text=reader.text(fields, "text", what),
        symlink=reader.text(fields, "symlink", what) or "",
        mutable=reader.truth(fields, "mutable", what),
        until=reader.text(fields, "until", what) or "",
        arch=reader.texts(fields, "arch", what, single=True),
        generate=reader.text(fields, "generate", what) or "",
        prefer=reader.text(fields, "prefer", what) or "",
    )


def _check_path(entry: Entry, what: str, reader: Reader) -> bool:
    """Absolute, and without empty, `.` and `..` components; one slash may end it."""
    path = entry.key
    parts = path.removesuffix("/").split("/")
    if parts[0] or len(parts) < 2 or any(part in {"", ".", ".."} for part in parts[1:]):
        hint = "it must be absolute, without '//', '.' and '..'"
        reader.note(entry.line, "content-path", f"{what}: '{printable(path)}' is no path for contents", hint)
        return False
    return True


def _check_values(fields: Mapping[str, Entry], options: _Options, package: str, what: str, reader: Reader) -> None:
    """Options whose values are of a fixed set, or name a package."""
    if options.until not in {"", "mutate"}:
        found = printable(options.until)
        reader.note(fields["until"].line, "until", f"{what}: until '{found}' is unknown", "the only value is mutate")
    for name in options.arch:
        if name not in ARCHITECTURES:
            hint = f"known are {', '.join(ARCHITECTURES)}"
            reader.note(fields["arch"].line, "arch", f"{what}: unknown architecture '{printable(name)}'", hint)
    if options.prefer and options.prefer == package:
        reader.note(fields["prefer"].line, "prefer", f"{what}: a package can't be preferred to itself")


def _kinds(path: str, options: _Options) -> list[PathKind]:
    """Every kind that the path and its options ask for."""
    kinds = []
    if options.generate:
        kinds.append(PathKind.GENERATE)
    elif is_pattern(path):
        kinds.append(PathKind.GLOB)
    asked = (
        (PathKind.MAKE, options.make),
        (PathKind.TEXT, options.text is not None),
        (PathKind.SYMLINK, bool(options.symlink)),
        (PathKind.COPY, bool(options.copy)),
    )
    kinds.extend(kind for kind, wanted in asked if wanted)
    return kinds or [PathKind.COPY]


def _bare(options: _Options) -> bool:
    """None of the options is set that say what becomes of a path, `generate` apart."""
    made = options.make or options.mode or options.copy or options.text is not None
    return not (made or options.symlink or options.mutable or options.prefer)


def _check_generate(entry: Entry, fields: Mapping[str, Entry], options: _Options, what: str, reader: Reader) -> None:
    if not _bare(options) or options.until:
        reader.note(entry.line, "generate-options", f"{what}: 'generate' takes no other option but arch")
    if not entry.key.endswith("/**") or is_pattern(entry.key[:-2]):
        hint = "write /directory/**"
        reader.note(entry.line, "generate-path", f"{what}: 'generate' wants one '/**' at the end of the path", hint)
    if options.generate != MANIFEST:
        message = f"{what}: chisel can't generate '{printable(options.generate)}', and refuses to cut the slice"
        reader.note(fields["generate"].line, "generate-kind", message, f"the only value is {MANIFEST}")


def _warn(fields: Mapping[str, Entry], options: _Options, kind: PathKind, what: str, reader: Reader) -> None:
    """What chisel takes without a word, and does not do."""
    for key, entry in fields.items():
        if key in _TRUTHS and not getattr(options, key):
            reader.note(entry.line, "no-value", f"{what}: '{key}: false' says nothing")
        elif key in _WORDS and not getattr(options, key):
            reader.note(entry.line, "no-value", f"{what}: '{key}' is empty, so chisel ignores it")
    if "mode" in fields:
        _warn_of_mode(fields["mode"], options, kind, what, reader)
    if "arch" in fields:
        _warn_of_arch(fields["arch"].line, options.arch, what, reader)
    if kind is PathKind.COPY and is_pattern(options.copy):
        message = f"{what}: 'copy' takes no wildcard, so chisel refuses to cut the slice"
        reader.note(fields["copy"].line, "copy-wildcard", message)


def _leads_elsewhere(path: str, target: str) -> bool:
    """Whether the link at `path` is relative and leaves its directory; the ones of a merged `/usr` are meant so."""
    within = "/" not in target and target not in {".", ".."}
    merged = target == f"usr{path}" and path.count("/") == 1
    return not (target.startswith("/") or within or merged)


def _warn_of_mode(entry: Entry, options: _Options, kind: PathKind, what: str, reader: Reader) -> None:
    if options.mode and kind is PathKind.COPY:
        reader.note(entry.line, "mode-without-effect", f"{what}: the mode of a copied path stays as it is")
    if options.mode and kind is PathKind.SYMLINK:
        reader.note(entry.line, "mode-without-effect", f"{what}: a link has no mode")
    if not _octal(str(entry.value.value)):
        message = f"{what}: chisel takes the mode for {options.mode:#o}"
        reader.note(entry.line, "mode-not-octal", message, "octal numbers begin with 0: mode: 0755")
    elif options.mode > _EVERY_BIT:
        reader.note(entry.line, "mode-not-octal", f"{what}: mode {options.mode:#o} has bits that no mode has")


def _warn_of_arch(line: int, arch: tuple[str, ...], what: str, reader: Reader) -> None:
    repeated = sorted({name for name in arch if arch.count(name) > 1})
    if repeated:
        reader.note(line, "arch-list", f"{what}: 'arch' repeats {', '.join(map(printable, repeated))}")
    elif list(arch) != sorted(arch):
        reader.note(line, "arch-list", f"{what}: 'arch' is not sorted")
    if set(arch) >= set(ARCHITECTURES):
        reader.note(line, "arch-list", f"{what}: 'arch' lists every architecture", "leave it out")


def _octal(text: str) -> bool:
    digits = text.removeprefix("0o") if text.startswith("0o") else text
    return digits.startswith("0") and len(text) > 1 and set(digits) <= _DIGITS
