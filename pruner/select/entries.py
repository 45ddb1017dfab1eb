"""What the user asks for, looked up among the packages that exist."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from pruner.errors import EntryError, UsageError, printable
from pruner.select.cone import ANY_MACHINE, Root

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pruner.candidate import Candidate
    from pruner.select.types import Packages

_ECOSYSTEMS = ("deb", "apk", "rpm")


def find_roots(entries: Sequence[str], packages: Packages, *, with_essential: bool = False) -> tuple[Root, ...]:
    """The packages that each entry names, an entry that is only a virtual name being answered by its providers.

    Raises `UsageError` for an entry that names no package and where nothing is essential, `EntryError` for a package
    that does not exist.
    """
    roots = [_root(entry, packages) for entry in dict.fromkeys(entries)]
    if with_essential:
        names = sorted({candidate.name for candidate in _native(packages.essential(), packages)})
        if not names:
            raise UsageError(
                "--with-essential: none of the packages to select from is marked essential",
                hint="leave it out, or give the index of the distribution itself",
            )
        roots += [
            Root(text=f"essential package {name}", options=_native(packages.named(name), packages)) for name in names
        ]
    return tuple(roots)


def _root(entry: str, packages: Packages) -> Root:
    ecosystem, name, version, architecture = _parsed(entry)
    if ecosystem != packages.ecosystem:
        raise EntryError(
            f"{printable(entry)}: the packages to select from are of the kind {packages.ecosystem}",
            hint=f"--entry {packages.ecosystem}:NAME; one selection is of one kind",
        )
    named = packages.named(name)
    if not named:
        named = packages.providing(name) if not version else ()
        if not named:
            raise EntryError(f"{printable(entry)}: no such package", hint=_nearest(name, packages))
    wanted = (architecture or packages.architecture, *ANY_MACHINE)
    fitting = tuple(one for one in named if version in ("", one.version) and one.architecture in wanted)
    if not fitting:
        there = ", ".join(sorted({one.label for one in named}))
        raise EntryError(
            f"{printable(entry)}: not in that version or architecture", hint=f"there is {printable(there)}"
        )
    return Root(text=entry, options=fitting)


def _native(candidates: tuple[Candidate, ...], packages: Packages) -> tuple[Candidate, ...]:
    return tuple(one for one in candidates if one.architecture in (packages.architecture, *ANY_MACHINE))


def _parsed(entry: str) -> tuple[str, str, str, str]:
    """Ecosystem, name, version and architecture of an entry, the last two empty where it does not say."""
    if entry.startswith("pkg:"):
        return _of_purl(entry)
    ecosystem, colon, rest = entry.partition(":")
    name, _, version = rest.partition("=")
    if not colon or ecosystem not in _ECOSYSTEMS or not name:
        raise UsageError(f"entry '{printable(entry)}' names no package", hint="deb:NAME, apk:NAME, rpm:NAME or a purl")
    return ecosystem, name, version, ""


def _of_purl(text: str) -> tuple[str, str, str, str]:
    from packageurl import PackageURL

    try:
        purl = PackageURL.from_string(text)
    except ValueError as error:
        raise UsageError(f"entry '{printable(text)}' is no purl", hint=printable(str(error))) from error
    qualifiers: Any = purl.qualifiers  # a dict once parsed; the constructor takes text too
    version, epoch = purl.version or "", qualifiers.get("epoch", "")
    if epoch and version and ":" not in version:
        version = f"{epoch}:{version}"
    return purl.type, purl.name, version, qualifiers.get("arch", "")


def _nearest(name: str, packages: Packages) -> str:
    alike = [
        other
        for other in packages.names()
        if abs(len(other) - len(name)) < 4 and other[:1] == name[:1] and other != name  # which is not on disk any more
    ]
    near = difflib.get_close_matches(name, alike, n=3, cutoff=0.7)
    return f"did you mean {' or '.join(map(printable, sorted(near)))}?" if near else "check the name's spelling"
