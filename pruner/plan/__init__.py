"""Decisions and reasons from a closure. `decide` is the stage's verb; the values are in `pruner.plan.types`."""

from pruner.plan.decide import Context, decide, made_directory, package_label
from pruner.plan.types import (
    PLAN_SCHEMA_VERSION,
    Decision,
    FilePlan,
    InputRecord,
    OptionalPlan,
    PackagePlan,
    Plan,
    Settings,
    Totals,
)
from pruner.plan.why import explain, purl_matches

__all__ = [
    "PLAN_SCHEMA_VERSION",
    "Context",
    "Decision",
    "FilePlan",
    "InputRecord",
    "OptionalPlan",
    "PackagePlan",
    "Plan",
    "Settings",
    "Totals",
    "decide",
    "explain",
    "made_directory",
    "package_label",
    "purl_matches",
]
