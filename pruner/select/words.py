"""Relations, clauses and facts in the words of their ecosystem."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pruner.candidate import Candidate, Clause, Relation
    from pruner.select.types import Packages


def relation_text(ecosystem: str, relation: Relation) -> str:
    """`b:any (>= 2)` (deb), `b>=2` (apk), `b >= 2` (rpm)."""
    name = f"{relation.name}:{relation.qualifier}" if relation.qualifier else relation.name
    if not relation.operator:
        return name
    if ecosystem == "deb":
        return f"{name} ({relation.operator} {relation.version})"
    return (
        f"{name}{relation.operator}{relation.version}"
        if ecosystem == "apk"
        else (f"{name} {relation.operator} {relation.version}")
    )


def clause_text(ecosystem: str, clause: Clause) -> str:
    """The alternatives of `clause`, joined by `|`."""
    return " | ".join(relation_text(ecosystem, relation) for relation in clause)


def need_text(packages: Packages, dependant: Candidate, clause: Clause, *, met: bool) -> str:
    """`deb:a needs b (>= 2), the index has b 1.4`; without the second half where something meets the clause."""
    words = f"{label(packages, dependant)} needs {clause_text(dependant.ecosystem, clause)}"
    if met:
        return words
    return f"{words}, {'; '.join(dict.fromkeys(_has(packages, relation) for relation in clause))}"


def _has(packages: Packages, relation: Relation) -> str:
    there = packages.named(relation.name)
    if there:
        return "the index has " + ", ".join(sorted({f"{one.name} {one.version}" for one in there}))
    providers = sorted({one.name for one in packages.providing(relation.name)})
    if not providers:
        return f"the index has no {relation.name}"
    return f"in the index only {', '.join(providers)} provides {relation.name}, in no fitting version"


def label(packages: Packages, candidate: Candidate) -> str:
    """`deb:a`, with its version where the index has several."""
    several = len(packages.named(candidate.name)) > 1
    return f"{candidate.ecosystem}:{candidate.name}" + (f" {candidate.version}" if several else "")


def trigger_text(packages: Packages, candidate: Candidate, conditions: Iterable[Sequence[Candidate]]) -> str:
    """`apk:a-doc is installed by itself with apk:a and apk:docs`; of each condition what meets it."""
    met = (" or ".join(sorted({label(packages, one) for one in options})) for options in conditions)
    return f"{label(packages, candidate)} is installed by itself with {' and '.join(dict.fromkeys(met))}"


def exclusion_text(packages: Packages, one: Candidate, other: Candidate) -> str:
    """Why two packages can't be installed side by side."""
    for first, second in ((one, other), (other, one)):
        names = {second.name, *(provided.name for provided in second.provides)}
        for verb, relations in (("conflicts with", first.conflicts), ("breaks", first.breaks)):
            for relation in relations:
                if relation.name in names:
                    beside = "" if relation.name == second.name else f", which {second.name} provides"
                    text = relation_text(first.ecosystem, relation)
                    return f"{label(packages, first)} {verb} {text}{beside}"
    if one.name == other.name:
        return (
            f"{one.ecosystem}:{one.name} {one.version} ({one.architecture}) and {other.version} "
            f"({other.architecture}) are one package"
        )
    return f"{label(packages, one)} and {label(packages, other)} exclude each other"
