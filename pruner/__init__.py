"""pruner: from a Syft SBOM to the least of an image that its entry points need.

    read -> inventory -> closure -> plan -> emit

`make_plan(Request(...))` runs the first four and returns the plan, complete with the package database that the pruned
root will carry; `pruner.emit.emit_all` turns it into files, `pruner.apply` into a root filesystem.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

__version__ = "0.1.0"

__all__ = ["__version__", "make_plan", "make_planned"]

if TYPE_CHECKING:
    from collections.abc import Callable

    from pruner.pipeline import Planned, Request
    from pruner.plan import Plan


def make_plan(request: Request, *, progress: Callable[[str], None] = lambda _stage: None) -> Plan:
    """Return the complete plan for `request`; `progress` is told the name of each stage as it begins.

    Raises `pruner.errors.InputError` and its kin for inputs that can't be used.
    """
    return make_planned(request, progress=progress).plan


def make_planned(request: Request, *, progress: Callable[[str], None] = lambda _stage: None) -> Planned:
    """The complete plan for `request` with what install plans are made of; otherwise as `make_plan`."""
    from pruner import pipeline
    from pruner.emit.packagedb import with_package_database

    planned = pipeline.make_plan(request, progress=progress)
    databases = planned.materials.databases
    return replace(planned, plan=with_package_database(planned.plan, planned.inventory, planned.tree, databases))
