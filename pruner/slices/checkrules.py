"""The rules that a release is checked by: stable ids, each with one line that says what is wrong."""

from __future__ import annotations

from typing import Final

from pruner.slices.types import Problem, Severity

_ERRORS: Final = {
    "archive-field": "An archive misses a field, or names a public key that is not defined.",
    "archive-priority": "Archives need priorities, each its own, from -1000 to 1000 and not 0.",
    "arch": "A path is limited to an architecture that chisel does not know.",
    "content-path": "A path of contents is not absolute or not clean.",
    "copy-wildcard": "The source of a copy has a wildcard; the slice can't be cut.",
    "cut-missing": "A slice that is to be cut is defined nowhere.",
    "duplicate-archive": "An archive is defined twice.",
    "duplicate-key": "A mapping has a key twice.",
    "duplicate-package": "A package is defined by two files.",
    "essential-loop": "Slices are essential to each other in a circle.",
    "essential-missing": "An essential slice is defined nowhere.",
    "essential-name": "An essential is no name of a slice.",
    "essential-repeated": "An essential is named twice.",
    "essential-self": "A slice is essential to itself.",
    "essential-style": "Essentials are a list in formats v1 and v2, and a mapping from v3 on.",
    "file-name": "A file's name can't be that of a package.",
    "format": "The release's format is none that chisel accepts.",
    "generate-kind": "Something else than a manifest is to be generated; the slice can't be cut.",
    "generate-options": "A generated path has an option besides arch.",
    "generate-path": "A generated path is not a directory with '/**'.",
    "hint": "A hint is too long or unprintable.",
    "kind-conflict": "A path has more than one kind of content.",
    "maintenance": "Maintenance dates are missing or malformed.",
    "make-path": "A directory to make has no slash at its end.",
    "mutable-kind": "Something else than text or a copied file is mutable.",
    "no-archives": "The release has no archives.",
    "no-key": "An archive names no public key that signs it.",
    "obsolete-key": "A key belongs to another format.",
    "package-name": "A file and its field 'package' disagree.",
    "path-conflict": "Two slices make one path in different ways.",
    "prefer": "Preferences for a path form no chain of packages that have it.",
    "public-key": "A public key is unusable or has another id.",
    "slice-name": "A slice's name is too short or malformed.",
    "unknown-archive": "A package is pinned to an archive that is not defined.",
    "unmatched-path": "A path matches nothing that the package ships; the slice can't be cut.",
    "unreadable": "A file or directory can't be read.",
    "until": "A path is kept until something that chisel does not know.",
    "wildcard-options": "A path with a wildcard has an option besides arch and until.",
    "wrong-type": "A value has the wrong type.",
    "yaml-syntax": "A file is not valid YAML.",
}
_WARNINGS: Final = {
    "arch-list": "A list of architectures is unsorted, repeats one or has all.",
    "archive-ignored": "An archive is ignored.",
    "below-link": "A path lies below a link that the release makes.",
    "copyright-last": "The copyright slice is not the last one.",
    "copyright-missing": "A package has no copyright slice.",
    "copyright-not-essential": "A slice does not come with its package's copyright.",
    "deep-pattern": "A pattern has '**' before its end, which chisel compares wrongly.",
    "empty-slice": "A slice brings nothing.",
    "essential-arch": "An essential is limited to an unknown architecture.",
    "hint-style": "A hint is not as reviewers want it.",
    "lazy-pattern": "A pattern matches more than architectures or versions of a library.",
    "mode-not-octal": "A mode is not written as an octal number.",
    "mode-without-effect": "A mode has no effect on this kind of path.",
    "no-slices": "A package has no slices.",
    "no-value": "An option has no value and is ignored.",
    "relative-link": "A link is relative.",
    "unknown-key": "A key is unknown and ignored.",
    "unreachable-slice": "No slice that is to be cut needs this one.",
    "unsorted-contents": "Contents are not sorted bytewise.",
    "unsorted-essential": "Essentials are not sorted bytewise.",
    "until-unused": "A path is removed after the scripts, and no script can use it.",
}

RULES: Final = dict(sorted({**_ERRORS, **_WARNINGS}.items()))
"""What each rule says, by its id."""

CUT_RULES: Final = frozenset({"copy-wildcard", "cut-missing", "generate-kind", "unmatched-path"})
"""Errors that chisel finds only when it cuts the slice; it reads a release that has them."""

TOLERATED: Final = CUT_RULES | {"no-key"}
"""Errors that leave slices as they are meant: a release that has them can be compared and extended."""


def severity_of(rule: str) -> Severity:
    """How bad a violation of `rule` is."""
    return Severity.ERROR if rule in _ERRORS else Severity.WARNING


def problem(file: str, line: int, rule: str, message: str, hint: str = "") -> Problem:
    """A violation of `rule` in `file`, a path below the release; a `line` that is not known is 1."""
    return Problem(file=file, line=max(line, 1), rule=rule, severity=severity_of(rule), message=message, hint=hint)
