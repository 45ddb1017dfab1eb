"""Which vulnerabilities pruning took out of an image: said only where it can be shown.

A statement is made where every file of the vulnerable package is gone, or the vulnerable file that the user names. It
says *not affected*, never *fixed*: nobody changed the code. Of copies two are seen: a file of the same content under
another name, and what Python compiled. Code that is part of another file (linked statically, bundled) can't be seen,
and every statement says so.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pruner.errors import InputError, printable
from pruner.gate.compare.manifests import Code, may_be_code
from pruner.gate.compare.matching import key_aliases
from pruner.gate.compare.remaining import WITHOUT_CODE
from pruner.gate.keys import DISTRIBUTIONS
from pruner.gate.vulnerabilities import united
from pruner.gate.vulnerabilities.scanners import report_notes, same_version
from pruner.model import FileType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pruner.gate.types import ScannerReport, Side, SideFile, SidePackage, Vulnerability

_COMPILED = re.compile(r"(.*)/__pycache__/([^/.]+)\.[^/]+\.pyc", re.DOTALL)
"""What Python keeps of a source (PEP 3147)."""

NO_COMPONENT = "component_not_present"
NO_CODE = "vulnerable_code_not_present"
"""Justifications of OpenVEX 0.2.0."""
NOT_SEEN = "Copies of its code inside other files, linked statically or bundled, were not looked for."
"""What no statement can rule out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One vulnerability of one package does not affect the pruned image."""

    vulnerability: Vulnerability
    """With aliases that are its own: an advisory that covers others, too, is none."""
    purl: str
    justification: str
    """`component_not_present` or `vulnerable_code_not_present`."""
    detail: str
    """What it rests on, one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statements:
    """What can be said, and what can't."""

    statements: tuple[Statement, ...]
    """By vulnerability, package and version."""
    left_out: tuple[str, ...]
    """Vulnerabilities about which nothing is said although files are gone, with the reason; sorted."""
    notes: tuple[str, ...]


def vex_statements(
    before: Side, after: Side, report: ScannerReport, *, files: Mapping[str, Sequence[str]] | None = None
) -> Statements:
    """Statements about the vulnerabilities that `report` found in `before`, for the image that is `after`.

    `files` names by vulnerability the paths that are vulnerable. Raises `InputError` when the report is about another
    image, when a side does not list its files, or when such a path or vulnerability is not there.
    """
    if before.files is None:
        raise InputError(
            f"{printable(before.name)}: lists no files", hint=f"{_HINT}; --sbom names the CycloneDX SBOM to link to"
        )
    if after.files is None or not after.complete:
        raise InputError(
            f"{printable(after.name)}: does not list every file, so nothing can be shown to be gone", hint=_HINT
        )
    notes = (*report_notes(report, before, "before"), *_digest_notes(before, after))
    found = united(report, before)
    judge = _Judge(before, after, _named_files(found, before, files or {}))
    statements, left_out = [], []
    for item in _with_own_aliases(found):
        packages = [
            package
            for package in before.packages.get(item.package, ())
            if same_version(package.key.type, package.version, item.version)
        ]
        for package in packages:
            statement, reason = judge.statement(item, package)
            if statement is not None:
                statements.append(statement)
            elif reason:
                left_out.append(printable(f"{item.id} of {package.purl}: {reason}"))
    return Statements(statements=tuple(statements), left_out=tuple(sorted(set(left_out))), notes=notes)


def _with_own_aliases(found: Sequence[Vulnerability]) -> list[Vulnerability]:
    """`found` without the aliases that others have, too: an advisory may cover what is not gone."""
    known_as: defaultdict[str, set[str]] = defaultdict(set)
    for item in found:
        for alias in item.aliases:
            known_as[alias].add(item.id)
    return [replace(item, aliases=tuple(name for name in item.aliases if len(known_as[name]) == 1)) for item in found]


_HINT = "give a root filesystem, a plan, or a syft-json SBOM with all files (SYFT_FILE_METADATA_SELECTION=all)"


def _digest_notes(before: Side, after: Side) -> tuple[str, ...]:
    """A note where files can't be recognised by their digests, since the two state none or of other algorithms."""
    first, other = (_algorithms(side) for side in (before, after))
    if first & other or not any(file.type is FileType.REGULAR for file in (after.files or {}).values()):
        return ()
    words = [", ".join(sorted(found)) or "no digests" for found in (first, other)]
    return (f"a file that was moved can't be recognised: before states {words[0]}, after {words[1]}",)


def _algorithms(side: Side) -> set[str]:
    return {file.digest.partition(":")[0] for file in (side.files or {}).values() if file.digest is not None}


def _named_files(
    found: Iterable[Vulnerability], before: Side, files: Mapping[str, Sequence[str]]
) -> dict[str, tuple[str, ...]]:
    """`files` under every name of their vulnerabilities."""
    by_name: dict[str, list[Vulnerability]] = {}
    for item in found:
        for name in (item.id, *item.aliases):
            by_name.setdefault(name, []).append(item)
    named: dict[str, list[str]] = {}
    for name, paths in files.items():
        if name not in by_name:
            raise InputError(
                f"{printable(name)}: the report knows no such vulnerability", hint="--file takes VULNERABILITY=PATH"
            )
        owned = {
            path
            for item in by_name[name]
            for package in before.packages.get(item.package, ())
            for path in package.files
        }
        for path in paths:
            if path not in owned:
                raise InputError(
                    f"{printable(path)}: no file of a package that {printable(name)} is reported for",
                    hint="name the file by its real path, as the SBOM has it",
                )
        for known in {item.id for item in by_name[name]}:
            named.setdefault(known, []).extend(paths)
    return {name: tuple(dict.fromkeys(paths)) for name, paths in named.items()}


class _Judge:
    def __init__(self, before: Side, after: Side, named: Mapping[str, tuple[str, ...]]) -> None:
        self.code = Code(before)
        self.before: Mapping[str, SideFile] = before.files or {}
        self.older = before.packages
        self.alias = alias = key_aliases(before.packages, after.packages)
        self.packages = {alias.get(key, key): packages for key, packages in after.packages.items()}
        self.there: Mapping[str, SideFile] = after.files or {}
        self.named = named
        self.moved: dict[str, str] = {}
        """New names of contents, by digest."""
        self.contents: dict[str, str] = {}
        """Any name of contents, by digest."""
        self.compiled: dict[str, str] = {}
        """What Python compiled, by the source's path."""
        for path, file in self.there.items():
            if file.digest is not None and file.bytes != 0:
                self.contents.setdefault(file.digest, path)
                if path not in self.before:
                    self.moved.setdefault(file.digest, path)
            compiled = _COMPILED.fullmatch(path)
            if compiled is not None:
                self.compiled.setdefault(f"{compiled[1]}/{compiled[2]}.py", path)
        self.linked: dict[str, str] = {}
        """A name that is left of each inode that has several, by its first name."""
        for path, file in self.before.items():
            if file.hardlink is not None:
                left = [name for name in (path, file.hardlink) if name in self.there]
                if left:
                    self.linked[file.hardlink] = left[0]

    def statement(self, found: Vulnerability, package: SidePackage) -> tuple[Statement | None, str]:
        """The statement about one package; else why there is none, empty where nothing of it was removed."""
        kind, others = package.key.type, self.packages.get(package.key, ())
        same = any(same_version(kind, other.version, package.version) for other in others)
        come = [other.version for other in others if not self._had(other)]
        if come and not same:
            return None, f"version {come[0]} is there instead"
        files, named = self._files(found, package)
        wanted = named or files
        if not wanted:
            return None, "which files belong to it is not known"
        if not named and not self.code.is_known(package):
            return None, "which files hold its code is not known"
        remaining = [path for path in wanted if path in self.there]
        if remaining:
            gone = len(remaining) < len(wanted)
            return None, f"{len(remaining)} of its {len(wanted)} files remain, first {remaining[0]}" if gone else ""
        elsewhere = self._elsewhere(wanted, named=bool(named))
        if elsewhere:
            return None, f"what was {elsewhere[0]} is there as {elsewhere[1]}"
        detail = _named_gone(named) if named else _all_gone(len(files), package)
        justification = NO_CODE if named or same else NO_COMPONENT
        return (
            Statement(vulnerability=found, purl=package.purl, justification=justification, detail=printable(detail)),
            "",
        )

    def _had(self, package: SidePackage) -> bool:
        """Whether the package was there before in the very version, beside others of its name."""
        key = self.alias.get(package.key, package.key)
        return any(same_version(key.type, older.version, package.version) for older in self.older.get(key, ()))

    def _files(self, found: Vulnerability, package: SidePackage) -> tuple[list[str], list[str]]:
        """The package's files, and those among them that the user names; both with what links lead to.

        A link that a distribution's package owns leads to another package's file, unless the user means it.
        """
        owned = [path for path in package.files if path in self.before and not _is_directory(self.before[path])]
        known = set(owned)
        named = [path for path in self.named.get(found.id, ()) if path in known]
        files = owned if package.key.type in DISTRIBUTIONS else list(self.code.followed(owned))
        return files, list(self.code.followed(named))

    def _elsewhere(self, paths: Iterable[str], *, named: bool) -> tuple[str, str] | None:
        """A removed file and the name under which its content, or what was compiled from it, is there, if any is.

        What holds no code, as a license does, is the package's only where it was moved, or where the user named it.
        """
        for path in paths:
            file = self.before[path]
            known = self.contents if named or _is_code(path) else self.moved
            found = self.linked.get(file.hardlink or path) or known.get(file.digest or "") or self.compiled.get(path)
            if found is not None:
                return path, found
        return None


def _is_code(path: str) -> bool:
    return may_be_code(path) and not path.startswith(WITHOUT_CODE)


def _is_directory(file: SideFile) -> bool:
    return file.type is FileType.DIRECTORY


def _named_gone(paths: list[str]) -> str:
    listed = ", ".join(paths)
    one = len(paths) == 1
    return f"The vulnerable file{'' if one else 's'} {listed} {'is' if one else 'are'} not in the pruned image."


def _all_gone(number: int, package: SidePackage) -> str:
    which = "The one file" if number == 1 else f"Every one of the {number} files"
    return f"{which} of {package.key.name} {package.version} is gone from the pruned image."
