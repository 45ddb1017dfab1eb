"""Scanner reports as the gate compares them, and whether a report belongs to a side at all."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pruner.errors import InputError, printable
from pruner.gate.keys import (
    DISTRIBUTIONS,
    WHOLE_NAMES,
    key_of_purl,
    name_parts,
    one_spelling,
    plain_version,
    purl_type_of,
)
from pruner.gate.phrases import number_of
from pruner.gate.types import PackageKey, ScannerReport, Vulnerability
from pruner.read.purls import parsed_purl
from pruner.read.vulnerabilities import read_vulnerabilities

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pruner.gate.types import Side
    from pruner.read.reported import Reported

_TRIVY_TYPES = {
    "debian": "deb",
    "ubuntu": "deb",
    "alpine": "apk",
    "wolfi": "apk",
    "chainguard": "apk",
    "redhat": "rpm",
    "centos": "rpm",
    "rocky": "rpm",
    "alma": "rpm",
    "fedora": "rpm",
    "amazon": "rpm",
    "oracle": "rpm",
    "photon": "rpm",
    "cbl-mariner": "rpm",
    "azurelinux": "rpm",
    "python-pkg": "pypi",
    "pip": "pypi",
    "pipenv": "pypi",
    "poetry": "pypi",
    "uv": "pypi",
    "node-pkg": "npm",
    "yarn": "npm",
    "pnpm": "npm",
    "bun": "npm",
    "jar": "maven",
    "pom": "maven",
    "gradle": "maven",
    "gobinary": "golang",
    "gomod": "golang",
    "bundler": "gem",
    "dotnet-core": "nuget",
    "gemspec": "gem",
    "rustbinary": "cargo",
    "composer-vendor": "composer",
}
"""purl types by Trivy's words for ecosystems (Results[].Type), where they have another name; Grype's are Syft's."""

_SAME_DISTRO = {
    "redhat": "rhel",
    "red hat": "rhel",
    "amazon": "amzn",
    "amazonlinux": "amzn",
    "oracle": "ol",
    "oraclelinux": "ol",
    "alma": "almalinux",
    "rockylinux": "rocky",
    "archlinux": "arch",
    "cbl-mariner": "mariner",
    "suse linux enterprise": "sles",
    "suse linux enterprise server": "sles",
    "suse linux enterprise micro": "sle-micro",
    "slem": "sle-micro",
    "opensuse.leap": "opensuse-leap",
    "opensuse.tumbleweed": "opensuse-tumbleweed",
}
"""Trivy's and Grype's names of distributions (pkg/fanal/types/const.go; grype/distro/type.go) by their `ID` in
os-release(5)."""
_NUMBERS = re.compile(r"[0-9]+(?:\.[0-9]+)*")

_FEWEST_SHARED = 0.5
"""Of a report's packages that a side must hold, in that version. A scanner finds some that an SBOM does not list
(binaries without a package), but another image's report shares little beyond the distribution's base."""


def read_report(location: str) -> ScannerReport:
    """The scanner report at `location` (Grype, Trivy or CycloneDX). Raises `InputError`."""
    document = read_vulnerabilities(location)
    return ScannerReport(
        scanner=document.scanner.lower(),
        version=document.version,
        database=document.database,
        sees_system=document.sees_system,
        vulnerabilities=tuple(_vulnerability(item) for item in document.reported if not item.ignored),
        file=document.file,
        distro=document.distro,
        digests=document.digests,
        serials=document.serials,
        ignored=tuple(_vulnerability(item) for item in document.reported if item.ignored),
    )


def _vulnerability(item: Reported) -> Vulnerability:
    purl = parsed_purl(item.purl)
    if purl is not None:
        package = key_of_purl(purl)
    else:
        kind = _TRIVY_TYPES.get(item.type) or purl_type_of(item.type)
        namespace, name = (one_spelling(kind, part) for part in name_parts(kind, item.name))
        package = PackageKey(kind, namespace, name, "")
    return Vulnerability(
        id=item.id,
        aliases=tuple(sorted(set(item.aliases) - {item.id})),
        severity=item.severity,
        package=package,
        version=item.version,
        fixed_in=item.fixed_in,
        paths=item.paths,
    )


def side_keys(side: Side) -> Mapping[tuple[str, str], tuple[PackageKey, ...]]:
    """The packages of `side` by ecosystem and name in small letters, with the namespace and without."""
    found: dict[tuple[str, str], list[PackageKey]] = {}
    for key in side.packages:
        for name in {key.name.lower(), _full_name(key)}:
            found.setdefault((key.type, name), []).append(key)
    return {name: tuple(keys) for name, keys in found.items()}


def side_key(package: PackageKey, keys: Mapping[tuple[str, str], tuple[PackageKey, ...]]) -> PackageKey | None:
    """The side's own key of `package`, whose namespace or architecture a scanner may leave out; None if it has none.

    Distributions' namespaces are written in several ways (`amzn`, `amazon`) and make no difference within one image.
    """
    found = [key for key in keys.get((package.type, _full_name(package)), ()) if _full_name(key) == _full_name(package)]
    if not found and package.type not in WHOLE_NAMES:
        found = [
            key
            for key in keys.get((package.type, package.name.lower()), ())
            if key.name.lower() == package.name.lower()
            and (package.type in DISTRIBUTIONS or not key.namespace or not package.namespace)
        ]
    return min(found, key=lambda key: (-_agreement(key, package), key)) if found else None


def _full_name(key: PackageKey) -> str:
    return f"{key.namespace}/{key.name}".lower() if key.namespace else key.name.lower()


def _agreement(one: PackageKey, other: PackageKey) -> int:
    return 2 * (one.architecture == other.architecture) + (one.namespace == other.namespace)


def report_notes(report: ScannerReport, side: Side, which: str) -> tuple[str, ...]:
    """What the reader must know about `report` on the side that is called `which` (`before` or `after`).

    Raises `InputError` when it is about another image: another digest, SBOM or distribution, or packages that the
    side does not hold.
    """
    proven = _check_identity(report, side, which)
    missing = _missing(report, side)
    total = len({(item.package.type, item.package.name, item.version) for item in _told(report, side)})
    if not proven and total and len(missing) > total * (1 - _FEWEST_SHARED):
        raise InputError(
            f"{report.file}: about another image than {printable(side.name)}: {len(missing)} of its {total} packages "
            f"are not there, first {missing[0]}",
            hint=f"scan the same image that the {which} side was made of, or swap --vulns-before and --vulns-after",
        )
    notes = []
    if missing:
        notes.append(
            f"{report.file}: {len(missing)} of its {total} packages are unknown to {printable(side.name)}: {missing[0]}"
        )
    if is_blind(report, side):
        notes.append(
            f"{report.file}: the scanner recognised no distribution, so findings of system packages are missing"
        )
    if report.ignored:
        notes.append(f"{report.file}: the scanner was told to ignore {number_of(len(report.ignored), 'finding')}")
    return tuple(notes)


def is_blind(report: ScannerReport, side: Side) -> bool:
    """Whether the scanner did not look at packages of a distribution although the side has some."""
    return not report.sees_system and any(key.type in DISTRIBUTIONS for key in side.packages)


def _missing(report: ScannerReport, side: Side) -> list[str]:
    """Packages of the report, with their version, that the side does not hold; printable and sorted."""
    keys = side_keys(side)
    missing = set()
    for item in _told(report, side):
        key = side_key(item.package, keys)
        if key is None or not any(same_version(key.type, item.version, have.version) for have in side.packages[key]):
            missing.add(printable(f"{item.package.name} {item.version}"))
    return sorted(missing)


def _told(report: ScannerReport, side: Side) -> list[Vulnerability]:
    """What `report` says of packages of a kind that `side` can tell; what has no kind is the image itself."""
    types = side.package_types
    return [
        item for item in report.vulnerabilities if item.package.type and (types is None or item.package.type in types)
    ]


def same_version(kind: str, one: str, other: str) -> bool:
    """Whether two tools mean the same version: not all write an epoch of 0, nor Go's `v` and `go`."""
    return _plain(kind, one) == _plain(kind, other)


def _plain(kind: str, version: str) -> str:
    return version.removeprefix("go").removeprefix("v") if kind == "golang" else plain_version(kind, version)


def _check_identity(report: ScannerReport, side: Side, which: str) -> bool:
    """Whether a digest proves that the report is about the side's image. Raises `InputError` where it is not."""
    hint = f"scan what {printable(side.name)} was made of, or swap --vulns-before and --vulns-after"
    if _digests(side, "image", "digest") & set(report.digests):
        return True
    # An image has one digest as a configuration (its ID) and others as manifests: Grype states both, Trivy the ID.
    digests = _digests(side, *(("image", "digest") if report.scanner == "grype" else ("image",)))
    if digests and report.digests:
        raise InputError(
            f"{report.file}: about another image than the {which} side: {printable(report.digests[0])}, "
            f"not {printable(min(digests))}",
            hint=hint,
        )
    serial = side.origin.get("serial", "").lower()
    if serial.startswith("urn:uuid:") and report.serials and serial not in report.serials:
        raise InputError(
            f"{report.file}: refers to the SBOM {printable(report.serials[0])}, not to {printable(serial)} of "
            f"{printable(side.name)}",
            hint=hint,
        )
    stated, known = _distro(report.distro), _distro(side.distro)
    if stated and known and not _alike(stated, known):
        raise InputError(
            f"{report.file}: about {printable(report.distro)}, but {printable(side.name)} is {printable(side.distro)}",
            hint=hint,
        )
    return False


def _digests(side: Side, *kinds: str) -> set[str]:
    return {text for kind in kinds if (text := side.origin.get(kind, "")).startswith("sha256:")}


def _distro(text: str) -> tuple[str, ...]:
    """Name and numbers of the version: (`debian`, `12`, `5`); empty for none.

    What follows the numbers is no part of it (`2 (Karoo)`), and a release that has none (`trixie/sid`) is not compared.
    """
    words = text.lower().split()
    if not words or words[0] == "none":
        return ()
    first = next((index for index, word in enumerate(words) if index and _NUMBERS.match(word)), None)
    if first is not None:
        name, numbers = " ".join(words[:first]), _NUMBERS.match(words[first])
        return (
            _SAME_DISTRO.get(name) or _SAME_DISTRO.get(words[0], name),
            *(numbers[0].split(".") if numbers is not None else ()),
        )
    name = " ".join(words)
    return (_SAME_DISTRO.get(name) or _SAME_DISTRO.get(words[0], words[0]),)


def _alike(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether the one is the beginning of the other: `debian 12` is also `debian 12.5`."""
    return all(left == right for left, right in zip(one, other, strict=False))
