"""Licenses of the packages after against the policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pruner.errors import printable
from pruner.gate.phrases import few_of
from pruner.gate.policy.licenses import license_faults, stated_licenses
from pruner.gate.policy.types import Finding, Level

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pruner.gate.policy.licenses import LicenseFault
    from pruner.gate.policy.types import Policy
    from pruner.gate.types import Comparison, SidePackage

_WHY = "whoever ships the image ships its packages under their licenses"


def license_findings(comparison: Comparison, policy: Policy) -> list[Finding]:
    """Packages after whose licenses the policy does not permit, or for which neither side states any.

    A plan and some formats state no licenses: the same version of the package has those that it has before.
    """
    if policy.licenses is None:
        return []
    packages = [item for found in comparison.after.packages.values() for item in found]
    known = {(item.key, item.version): item.licenses for found in comparison.before.packages.values() for item in found}
    stated = [
        (item, stated_licenses(item.licenses) or stated_licenses(known.get((item.key, item.version), ())))
        for item in packages
    ]
    if not any(licenses for _, licenses in stated):
        return _no_licenses(comparison, policy)
    found = [finding for package, licenses in stated for finding in _license(package, licenses, policy)]
    return found + _other_types(comparison, policy)


def _other_types(comparison: Comparison, policy: Policy) -> list[Finding]:
    """A root tells only of packages that its database lists, not of those of a language."""
    types = comparison.after.package_types
    if types is None or policy.licenses is None or policy.licenses.unknown is None:
        return []
    return [
        Finding(
            rule="licenses",
            level=policy.licenses.unknown,
            what=f"licenses of {', '.join(sorted(types))} packages alone can be told",
            where=printable(comparison.after.name),
            why=_WHY,
            fix="give an SBOM of it, which tells packages of every type",
            key=policy.key("licenses.unknown"),
            unknown=True,
        )
    ]


def _no_licenses(comparison: Comparison, policy: Policy) -> list[Finding]:
    if policy.licenses is None or policy.licenses.unknown is None:
        return []
    return [
        Finding(
            rule="licenses",
            level=policy.licenses.unknown,
            what="neither side states the license of any package",
            where=printable(comparison.after.name),
            why=_WHY,
            fix="give SBOMs that state licenses, as Syft's do",
            key=policy.key("licenses.unknown"),
            unknown=True,
        )
    ]


def _license(package: SidePackage, licenses: tuple[str, ...], policy: Policy) -> Iterator[Finding]:
    allowed = policy.licenses
    if allowed is None:
        return
    if not licenses:
        if allowed.unknown is not None:
            yield _license_finding(package, "no license is stated", allowed.unknown, "licenses.unknown", policy)
        return
    faults = license_faults(licenses, allowed)
    for key, denied in (("licenses.deny", True), ("licenses.allow", False)):
        refused = [_refused(fault) for fault in faults if fault.licenses and fault.denied is denied]
        if refused:
            what = f"{', '.join(refused)} {'is' if len(refused) == 1 else 'are'} not allowed"
            yield _license_finding(package, what, Level.FAIL, key, policy)
    unknown = sorted({word for fault in faults for word in fault.unknown})
    if unknown and allowed.unknown is not None:
        listed = few_of([f"'{word[:80]}'" for word in unknown])
        what = f"{listed} {'is' if len(unknown) == 1 else 'are'} unknown to SPDX"
        yield _license_finding(package, what, allowed.unknown, "licenses.unknown", policy)


def _refused(fault: LicenseFault) -> str:
    names = " and ".join(printable(name) for name in fault.licenses)
    return names if fault.licenses == (fault.text,) else f"{names} (of '{printable(fault.text[:80])}')"


def _license_finding(package: SidePackage, what: str, level: Level, key: str, policy: Policy) -> Finding:
    return Finding(
        rule="licenses",
        level=level,
        what=f"{printable(package.key.name)} {printable(package.version)}: {what}",
        where=printable(package.purl),
        why=_WHY,
        fix="leave the package out, allow the license, or waive it with a reason",
        key=policy.key(key),
    )
