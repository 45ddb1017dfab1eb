"""A policy to start from: what a baseline has today, and nothing more from tomorrow."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pruner.errors import printable
from pruner.gate.policy import COUNTS, POLICY_VERSION
from pruner.gate.policy.limits import counted, number
from pruner.gate.types import KINDS

if TYPE_CHECKING:
    from pruner.gate.types import Side, Surface

_FORBIDDEN = ("compiler", "debugger", "package-manager", "shell", "transfer")
"""Categories of programs that a finished image seldom needs; forbidden where the baseline has none."""

_HEAD = """\
# Policy of the gate: what the image may hold, and what may change.
# Made from {name}, {kind}: it passes today, and fails when more comes in.
# It fits sides of the same kind: an SBOM lists packages of languages too, and can't tell a script from other text that
# may be executed. Executables are told best by root filesystems.
# Check it after every edit:  pruner policy check FILE
# Its JSON Schema, for editors:  pruner schema policy
# A key that is left out or stays a comment is not always off: what holds then is said beside it as its default.
version: {version}

# The most that there may be after. A signed limit is relative to before: +0, -5, -10%.
limits:
"""
_UNCOUNTED = """\
# Not recorded by what this was made from; a syft-json SBOM with all files (SYFT_FILE_METADATA_SELECTION=all) has them.
"""
_TAIL = """
# What must be there: globs of purls (pkg:deb/debian/tzdata), paths (/app/*.py) or categories.
# require:
#   - /etc/ssl/certs/ca-certificates.crt

# Needs --vulns-before and --vulns-after: reports of one scanner on both sides; stated, it fails without them.
# By default reports that are given are judged all the same, by these lines save the first.
# vulnerabilities:
#   new: high          # none of this severity or a worse one: critical, high, medium, low, negligible, or allow; by
#                      # default there is one warning that the policy does not say it
#   unrated: warn      # new, and nobody has rated it, where a severity is stated
#   unseen: fail       # gone from the report and not from the image
#   database: warn     # gone from the report of another vulnerability database, or of one that is not named

# By SPDX identifiers and globs of them; every license of a package must be allowed, of `A OR B` one. By default
# they are not looked at.
# licenses:
#   deny: [AGPL-3.0-*]
#   unknown: warn

# A package whose entry is gone while its files remain is hidden from scanners. `fail` alone warns where that can't be
# told; to fail there as well: {invisible: fail, unknown: fail}. `fail` is the default too.
visibility: fail

# Needs --plan: the image is what its plan says. Stated, it fails without a plan; by default it fails only where a plan
# is given and the image is another. `allow` turns it off.
# conformity: fail

# Findings that are known and borne until a day; `where` names a path, a purl or a vulnerability's id, or is a glob.
# waivers:
#   - rule: limits.setuid
#     reason: su is needed by the migration job
#     owner: platform team
#     expires: 2030-01-31
"""


def starter_policy(side: Side, surface: Surface) -> str:
    """A commented policy that `side` passes as it is.

    A limit that the side can't be held against is left as a comment, and so is all that needs a further input.
    """
    lines = [_HEAD.format(name=printable(side.name), kind=KINDS[side.kind], version=POLICY_VERSION)]
    # Every name weighs, as it does where a side of another kind tells no hard links.
    counts = {name: counted(name, side, surface, every_name=True) for name in COUNTS}
    once = counted("megabytes", side, surface)
    linked = f"  # every name of a hard link weighs; {number(once)} where each file does once"
    remarks = {"megabytes": linked} if once != counts["megabytes"] else {}
    lines += [_limit(name, count, remarks.get(name, "")) for name, count in counts.items() if count is not None]
    if None in counts.values():
        lines.append(_UNCOUNTED)
        lines += [f"#  {name}: 0\n" for name, count in counts.items() if count is None]
    there = surface.counts()
    absent = [name for name in _FORBIDDEN if there.get(name, 0) == 0]
    present = [name for name in _FORBIDDEN if there.get(name)]
    lines.append("\n# What must not be there: globs of purls (pkg:*/curl), paths (/etc/ssh/) or categories.\n")
    lines.append("forbid:\n" if absent else "# forbid:\n")
    lines += [f"  - {name}\n" for name in absent]
    lines += [f"#  - {name}  # {there[name]} today\n" for name in present]
    if not absent and not present:
        lines.append("#  - shell\n")
    return "".join([*lines, _TAIL])


def _limit(name: str, count: float, remark: str) -> str:
    if name == "megabytes":
        return f"  {name}: {math.ceil(count * 10) / 10}{remark}\n"
    return f"  {name}: {number(count)}{remark}\n"
