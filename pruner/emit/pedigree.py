"""What pruning took away, as the pedigree of what is left (CycloneDX 1.6, component.pedigree).

Components of a document are what is there: a scanner reports the vulnerabilities of each. What was dropped is named in
the pedigree alone, which scanners pass over: packages as components of the ancestor, files in the notes.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from pruner.errors import printable
from pruner.model import FileType
from pruner.plan.types import Decision

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cyclonedx.model.component import Component, Pedigree

    from pruner.model import PackageId
    from pruner.plan.types import Plan


def dropped_files(plan: Plan) -> Mapping[PackageId | None, tuple[str, ...]]:
    """Paths of what `plan` drops by the package that owns them, in the plan's order; under None what nobody owns.

    Directories are left out: they hold nothing of their own.
    """
    found: defaultdict[PackageId | None, list[str]] = defaultdict(list)
    for file in plan.files:
        if file.decision is Decision.DROP and file.type is not FileType.DIRECTORY:
            found[file.package].append(file.path)
    return {package: tuple(paths) for package, paths in found.items()}


def package_pedigree(package: Component, dropped: Iterable[str]) -> Pedigree | None:
    """The pedigree of a kept package: the whole one that it was cut from, and the paths in `dropped`.

    None where nothing was dropped: the package is what its distributor made.
    """
    from cyclonedx.model.component import Component, Pedigree

    paths = tuple(dropped)
    if not paths:
        return None
    whole = Component(type=package.type, name=package.name, version=package.version, purl=package.purl)
    return Pedigree(ancestors=[whole], notes=_named(paths, "files"))


def image_pedigree(image: Component, packages: Iterable[Component], unowned: Iterable[str]) -> Pedigree | None:
    """The pedigree of the pruned `image`: the fat one, with the `packages` that were dropped whole.

    `unowned` are paths that were dropped and belong to no package. None where nothing was dropped.
    """
    from cyclonedx.model.component import Component, Pedigree

    paths, parts = tuple(unowned), list(packages)
    if not paths and not parts:
        return None
    fat = Component(
        type=image.type,
        name=image.name,
        description="before pruning; of its components those alone that were dropped whole",
        components=parts,
    )
    return Pedigree(ancestors=[fat], notes=_named(paths, "files of no package") if paths else None)


def _named(paths: tuple[str, ...], what: str) -> str:
    """One path a line, since the notes are text; the schema has no list of files for them."""
    return "\n".join((f"{what} that pruner dropped: {len(paths)}", *map(printable, paths)))
