"""Whether two sessions of one check answer alike."""

from __future__ import annotations

import difflib
import re
from itertools import zip_longest
from typing import TYPE_CHECKING

from pruner.errors import printable

if TYPE_CHECKING:
    from pruner.read.checks import Check
    from pruner.verify.types import Ran, Session

_NUMBER = re.compile(r"0[xX][0-9A-Fa-f]+|[0-9]+")
_LONGEST_DIFF = 200
"""Lines."""
_SHOWN_LOG = 20
"""Last lines of a service's log that a failure shows."""


def failure(session: Session) -> str:
    """Why the session says nothing about the check, or ""."""
    service = session.service
    if service is not None and not session.answers and service.problem != STILL_RUNS:
        return f"the service {_end(service)}" + _log(service)
    for answer in session.answers:
        if answer.problem:
            return f"{answer.title} {answer.problem}"
    return ""


STILL_RUNS = "still runs"


def differences(check: Check, fat: Session, pruned: Session, *, mask: bool = False) -> tuple[tuple[str, ...], str]:
    """What differs, one sentence each, and a unified diff of the outputs; nothing and "" where they agree.

    With `mask`, numbers are not compared.
    """
    facts: list[str] = []
    diffs: list[str] = []
    if (why := failure(pruned)) and not failure(fat):
        facts.append(f"in the pruned root {why}")
    for one, other in zip_longest(fat.answers, pruned.answers):
        if one is None or other is None:
            continue  # the service failed, and that is said already
        if one.code != other.code:
            facts.append(f"{one.title}: {_end(one)} in the fat root, {_end(other)} in the pruned one")
        for name, before, after in (("output", one.out, other.out), ("error output", one.err, other.err)):
            if check.compare == "exit" or (check.compare == "stdout" and name == "error output"):
                continue
            lines, others = (_lines(data, check.ignore, mask=mask) for data in (before, after))
            if lines != others:
                facts.append(f"{one.title}: the {name} differs")
                diffs += difflib.unified_diff(lines, others, f"fat {name}", f"pruned {name}", lineterm="")
    if len(diffs) > _LONGEST_DIFF:
        diffs = [*diffs[:_LONGEST_DIFF], f"… and {len(diffs) - _LONGEST_DIFF} lines more"]
    return tuple(dict.fromkeys(facts)), "\n".join(printable(line) for line in diffs)


def _lines(data: bytes, ignore: tuple[str, ...], *, mask: bool) -> list[str]:
    text = data.decode("utf-8", "backslashreplace")
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    for expression in ignore:
        lines = [re.sub(expression, "", line) for line in lines]
    return [_NUMBER.sub("#", line) for line in lines] if mask else lines


def _end(ran: Ran) -> str:
    if ran.code is None:
        return ran.problem
    if ran.problem:
        return f"{ran.problem} (exit code {ran.code})"
    return f"exit code {ran.code}"


def _log(service: Ran) -> str:
    lines = (service.out + service.err).decode("utf-8", "backslashreplace").strip().splitlines()[-_SHOWN_LOG:]
    return f": {' | '.join(printable(line) for line in lines)}" if lines else ""
