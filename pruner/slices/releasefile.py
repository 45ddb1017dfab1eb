"""`chisel.yaml`: format, archives with their keys, maintenance dates.

Rules: canonical/chisel, internal/setup/yaml.go at v1.4.1.
"""

from __future__ import annotations

import calendar
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from pruner.errors import printable
from pruner.slices.pgpkey import NoKey, key_id
from pruner.slices.types import Archive, PublicKey

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pruner.slices.wire import Entry, Reader
    from pruner.slices.yamlnodes import Node

FORMATS: Final = ("v1", "v2", "v3")
PRO: Final = ("", "fips", "fips-updates", "esm-apps", "esm-infra")
KNOWN: Final = ("format", "maintenance", "archives", "public-keys", "v2-archives")
KNOWN_OF_ARCHIVE: Final = ("version", "suites", "components", "priority", "pro", "default", "public-keys")
KNOWN_OF_MAINTENANCE: Final = ("standard", "expanded", "legacy", "end-of-life")
DATED_VERSIONS: Final = frozenset({"20.04", "22.04", "22.10", "23.04", "23.10", "24.04", "24.10", "25.04"})
"""Ubuntu versions whose dates chisel knows, so that a release with an archive `ubuntu` of one may give none."""
_LIMIT = 1000
"""Of a priority, either sign."""
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")


class ReleaseFile(NamedTuple):
    """What `chisel.yaml` says."""

    format: str
    archives: tuple[Archive, ...]
    """Those that chisel uses, by name."""
    public_keys: tuple[PublicKey, ...]
    maintenance: Mapping[str, str]


class _Read(NamedTuple):
    """An archive, and what its priority depends on."""

    archive: Archive
    line: int
    prioritised: bool


def release_file(node: Node, reader: Reader) -> ReleaseFile:
    """The release that `chisel.yaml` describes; what is wrong with it goes to `reader`."""
    fields = reader.fields(node, "the release", KNOWN)
    style = reader.text(fields, "format", "the release") or ""
    if style not in FORMATS:
        line = fields["format"].value.line if "format" in fields else node.line
        found = f"unknown format '{printable(style)}'" if style else "no format"
        reader.note(line, "format", found, "chisel 1.4.1 accepts v1, v2 and v3")
    keys = _public_keys(fields, reader)
    archives = _archives(fields, style, keys, reader, node.line)
    return ReleaseFile(
        style,
        tuple(sorted(archives, key=lambda archive: archive.name)),
        tuple(keys[name] for name in sorted(keys)),
        _maintenance(fields, archives, reader, node.line),
    )


def _public_keys(fields: Mapping[str, Entry], reader: Reader) -> dict[str, PublicKey]:
    found = {}
    if "public-keys" not in fields:
        return {}
    for entry in reader.entries(fields["public-keys"].value, "public-keys"):
        what = f"public key '{printable(entry.key)}'"
        values = reader.fields(entry.value, what, ("id", "armor"))
        stated = reader.text(values, "id", what) or ""
        armor = reader.text(values, "armor", what) or ""
        found[entry.key] = PublicKey(name=entry.key, id=stated, armor=armor)
        if "armor" not in values:
            reader.note(entry.line, "public-key", f"{what} has no armor", "give the key as `gpg --export --armor`")
            continue
        try:
            actual = key_id(armor)
        except NoKey as error:
            reader.note(values["armor"].line, "public-key", f"{what} is unusable: {error}")
            continue
        if stated != actual:
            line = values["id"].line if "id" in values else entry.line
            told = f"'{printable(stated)}'" if stated else "none"
            reader.note(line, "public-key", f"{what} has the id {actual}, but {told} is given", f"write id: {actual}")
    return found


def _archives(
    fields: Mapping[str, Entry], style: str, keys: Mapping[str, PublicKey], reader: Reader, line: int
) -> tuple[Archive, ...]:
    """The archives that chisel uses; what is said of all of them is checked too."""
    current = reader.entries(fields["archives"].value, "archives") if "archives" in fields else []
    second = reader.entries(fields["v2-archives"].value, "v2-archives") if "v2-archives" in fields else []
    if style != "v1" and second:
        message = "'v2-archives' is for format v1 only"
        reader.note(fields["v2-archives"].line, "obsolete-key", message, "use 'archives'")
    names = {entry.key for entry in current}
    for entry in second:
        if entry.key in names:
            reader.note(entry.line, "duplicate-archive", f"archive '{printable(entry.key)}' is defined twice")
    if not current and not second:
        where = fields["archives"].line if "archives" in fields else line
        reader.note(where, "no-archives", "the release defines no archives")
    every = [*current, *(entry for entry in second if entry.key not in names)]
    used = [found for entry in every if (found := _archive(entry, style, keys, reader)) is not None]
    _check_priorities(used, len(every), reader, every[0].line if every else line)
    return tuple(found.archive for found in used)


def _archive(entry: Entry, style: str, keys: Mapping[str, PublicKey], reader: Reader) -> _Read | None:
    """One archive; None where chisel passes over it."""
    what = f"archive '{printable(entry.key)}'"
    fields = reader.fields(entry.value, what, KNOWN_OF_ARCHIVE)
    default = reader.truth(fields, "default", what)
    if style != "v1" and default:
        message = f"{what}: 'default' is for format v1 only"
        reader.note(fields["default"].line, "obsolete-key", message, "use 'priority'")
    archive = Archive(
        name=entry.key,
        version=reader.text(fields, "version", what) or "",
        suites=reader.texts(fields, "suites", what),
        components=reader.texts(fields, "components", what),
        public_keys=reader.texts(fields, "public-keys", what),
        priority=reader.number(fields, "priority", what),
        default=default,
        pro=reader.text(fields, "pro", what) or "",
    )
    wanted = ("version", archive.version), ("suites", archive.suites), ("components", archive.components)
    for key, value in wanted:
        if not value:
            reader.note(_line_of(fields, key, entry), "archive-field", f"{what} misses '{key}'")
    if archive.pro not in PRO:
        hint = f"known are {', '.join(filter(None, PRO))}"
        found = printable(archive.pro)
        reader.note(fields["pro"].line, "archive-ignored", f"{what} is ignored: pro '{found}' is unknown", hint)
        return None
    if not archive.public_keys:
        hint = "put the key that signs it there, or generate the release with --archive-key FILE"
        reader.note(_line_of(fields, "public-keys", entry), "no-key", f"{what} misses 'public-keys'", hint)
    for name, line in reader.items(fields["public-keys"], what) if archive.public_keys else ():
        if name not in keys:
            reader.note(line, "archive-field", f"{what} names a public key that is not defined: '{printable(name)}'")
    if archive.priority is not None and not 0 < abs(archive.priority) <= _LIMIT:
        message = f"{what} has the priority {archive.priority}"
        hint = "it must be within -1000 and 1000, and not 0"
        reader.note(fields["priority"].line, "archive-priority", message, hint)
    return _Read(archive, fields["priority"].line if "priority" in fields else entry.line, "priority" in fields)


def _line_of(fields: Mapping[str, Entry], key: str, entry: Entry) -> int:
    return fields[key].line if key in fields else entry.line


def _check_priorities(archives: list[_Read], count: int, reader: Reader, line: int) -> None:
    """One default at most; priorities for all or none of the archives, all different."""
    defaults = [found for found in archives if found.archive.default]
    for found in defaults[1:]:
        names = f"{printable(defaults[0].archive.name)}, {printable(found.archive.name)}"
        reader.note(found.line, "archive-priority", f"more than one default archive: {names}")
    bare = [found for found in archives if not found.prioritised]
    some = len(bare) < len(archives)
    if (some and bare) or (not some and not defaults and count > 1):
        name = printable(bare[0].archive.name) if bare else ""
        where = bare[0].line if bare else line
        reader.note(where, "archive-priority", f"archive '{name}' misses the priority, of several archives")
    seen: dict[int, str] = {}
    for found in archives:
        priority = found.archive.priority
        if priority is None:
            continue
        if priority in seen:
            names = f"'{printable(seen[priority])}' and '{printable(found.archive.name)}'"
            reader.note(found.line, "archive-priority", f"archives {names} have the same priority {priority}")
        seen.setdefault(priority, found.archive.name)


def _maintenance(
    fields: Mapping[str, Entry], archives: tuple[Archive, ...], reader: Reader, line: int
) -> dict[str, str]:
    """The dates by name; none where chisel has its own."""
    what = "maintenance"
    values = reader.fields(fields[what].value, what, KNOWN_OF_MAINTENANCE) if what in fields else {}
    dates = {key: text for key in KNOWN_OF_MAINTENANCE if (text := reader.text(values, key, what))}
    if not dates and any(archive.name == "ubuntu" and archive.version in DATED_VERSIONS for archive in archives):
        return {}
    where = fields[what].line if what in fields else line
    for key in ("standard", "end-of-life"):
        if key not in dates:
            reader.note(where, "maintenance", f"maintenance misses '{key}'", "write it as YYYY-MM-DD")
    for key, text in dates.items():
        if not _is_date(text):
            message = f"maintenance '{key}' is no date: '{printable(text)}'"
            reader.note(values[key].line, "maintenance", message, "write it as YYYY-MM-DD")
    return dates


def _is_date(text: str) -> bool:
    found = _DATE.fullmatch(text)
    if found is None:
        return False
    year, month, day = map(int, found.groups())
    # The calendar repeats every 400 years, and Python's has no year 0.
    return 1 <= month <= 12 and 1 <= day <= calendar.monthrange(year % 400 + 400, month)[1]
