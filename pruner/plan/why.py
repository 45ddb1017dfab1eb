"""Why a path, a package or a capability is in the pruned root, or why it is not."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pruner.closure import shortest_chain
from pruner.errors import InputError, printable
from pruner.model import Edge, Node, capability_node, file_node, package_node
from pruner.plan.types import Decision, FilePlan, PackagePlan, Plan

if TYPE_CHECKING:
    from packageurl import PackageURL


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The answer to one question."""

    subject: str
    kept: bool
    reason: str
    chain: tuple[Edge, ...]
    """From an entry point to the subject; empty for what was dropped or is kept as a parent directory."""
    names: tuple[tuple[str, str], ...]
    """Package ids that occur in the chain with the purl that a person can read."""


def explain(plan: Plan, subject: str) -> Explanation:
    """Return why `subject` was kept or dropped.

    `subject` is an absolute path, a package (purl, `TYPE:NAME` or a bare name) or a capability (`NAME[=VALUE]`).
    Raises `InputError` when the plan knows nothing of that name, with the nearest names as the hint.
    """
    names = tuple((package.id, package.purl) for package in plan.packages)
    if subject.startswith("/"):
        return _explain_file(plan, subject, names)
    package = _package(plan, subject)
    if package is not None:
        return _explain_package(plan, package, names)
    if subject in plan.capabilities:
        chain = shortest_chain(plan.edges, capability_node(*subject.split("=", 1)))
        reason = f"{chain[-1].kind}: {chain[-1].evidence}" if chain else "asked for"
        return Explanation(subject=subject, kept=True, reason=reason, chain=chain, names=names)
    known = [*{item.name for item in plan.packages}, *plan.capabilities]
    near = difflib.get_close_matches(subject, known, n=3)
    raise InputError(
        f"the plan knows no path, package or capability '{printable(subject)}'",
        hint=f"did you mean {', '.join(near)}?" if near else "paths start with /",
    )


def _explain_file(plan: Plan, path: str, names: tuple[tuple[str, str], ...]) -> Explanation:
    wanted = path.rstrip("/") or "/"
    file = next((file for file in plan.files if file.path == wanted), None)
    if file is None:
        near = difflib.get_close_matches(wanted, [file.path for file in plan.files], n=3)
        raise InputError(
            f"the plan knows no path {printable(path)}",
            hint=f"did you mean {', '.join(printable(name) for name in near)}?" if near else "",
        )
    kept = file.decision is not Decision.DROP
    return Explanation(
        subject=wanted, kept=kept, reason=file.reason, chain=_chain_to(plan, file) if kept else (), names=names
    )


def _chain_to(plan: Plan, file: FilePlan) -> tuple[Edge, ...]:
    chain = shortest_chain(plan.edges, file_node(file.path))
    if chain or file.origin is None:
        return chain
    return shortest_chain(plan.edges, Node(file.origin))  # a parent directory: the chain of what lies in it


def _package(plan: Plan, subject: str) -> PackagePlan | None:
    for package in plan.packages:
        if subject in (package.purl, f"{package.type}:{package.name}", package.name):
            return package
    wanted = _parsed(subject)
    if wanted is None:
        return None
    found = ((package, _parsed(package.purl)) for package in plan.packages)
    return next((package for package, purl in found if purl is not None and purl_matches(wanted, purl)), None)


def _parsed(text: str) -> PackageURL | None:
    if not text.startswith("pkg:"):
        return None
    from packageurl import PackageURL

    try:
        return PackageURL.from_string(text)
    except ValueError:
        return None


def purl_matches(wanted: PackageURL, have: PackageURL) -> bool:
    """Whether every part that `wanted` states agrees; a purl without version or qualifiers names any."""
    if (wanted.type, wanted.name) != (have.type, have.name):
        return False
    if wanted.namespace and wanted.namespace != have.namespace:
        return False
    if wanted.version and wanted.version != have.version:
        return False
    have_qualifiers = dict(have.qualifiers)
    return all(have_qualifiers.get(key) == value for key, value in dict(wanted.qualifiers).items())


def _explain_package(plan: Plan, package: PackagePlan, names: tuple[tuple[str, str], ...]) -> Explanation:
    kept = package.decision is not Decision.DROP
    chain = shortest_chain(plan.edges, package_node(package.id)) if kept else ()
    if kept and not chain:
        first = next((file for file in plan.files if file.package == package.id and file.origin is not None), None)
        chain = _chain_to(plan, first) if first is not None else ()
    return Explanation(subject=package.purl, kept=kept, reason=package.reason, chain=chain, names=names)
