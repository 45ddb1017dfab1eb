"""Plans for packages on their own: all that they ship, with what of other packages that needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pruner.pipeline.request import Profile, Request

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from pruner.pipeline import Planned


def plan_packages(
    names: Iterable[str],
    root: str | os.PathLike[str],
    *,
    sbom: str | None = None,
    rules: tuple[Path, ...] = (),
    progress: Callable[[str], None] = lambda _stage: None,
) -> Planned:
    """A plan that keeps every file of the packages `names` but documentation classes, as if all of them were used.

    `root` is a directory, an image or a directory of package archives; without `sbom` its own package database says
    what is installed. Raises `EntryError` for a package that is not, otherwise as `pruner.make_planned` does.
    """
    from pruner import make_planned

    request = Request(
        sbom=sbom,
        root=str(root),
        packages=tuple(sorted(set(names))),
        features={},
        profile=Profile.BALANCED,
        rules=rules,
    )
    return make_planned(request, progress=progress)
