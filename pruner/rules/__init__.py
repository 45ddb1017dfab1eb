"""Knowledge that can't be derived from a root filesystem, as data: `rules/*.yaml` of the project and of the user.

    load_rules(extra) -> RuleSet; RuleSet.bind(inventory, tree, search_path) -> BoundRules, which gives edges

`rules/README.md` describes the format. Everything here is pure except the reading of packs in `load`.
"""

from pruner.rules.bound import BoundRules
from pruner.rules.load import bundled_rules_directory, check_pack, load_rules
from pruner.rules.ruleset import RuleSet
from pruner.rules.types import Condition, DropClass, Option, Optional, Rule

__all__ = [
    "BoundRules",
    "Condition",
    "DropClass",
    "Option",
    "Optional",
    "Rule",
    "RuleSet",
    "bundled_rules_directory",
    "check_pack",
    "load_rules",
]
