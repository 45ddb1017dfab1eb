"""Proves that a pruned root behaves as the fat one: the same commands in both, in sandboxes of their own.

Every check runs in a writable view of each root (the root itself stays as it is), with mount, network, process,
host name and IPC namespaces that hold nothing else, /proc, /dev and the few files of /etc that container runtimes
supply. What the pruned run asked for in vain, by strace, is named with its owner and the option that would bring it.
"""

from __future__ import annotations

import glob
import os
import shutil
import tempfile
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pruner.errors import EnvironmentFault
from pruner.rootfs import Tree, open_root
from pruner.verify.compare import differences, failure
from pruner.verify.features import Features
from pruner.verify.missing import Gap
from pruner.verify.types import Missing, Outcome, Ran, Refinement, Session, Verification
from pruner.verify.view import VIEWS, copy_tree, remove_tree
from pruner.verify.worker import Place, observe

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pruner.plan.types import Plan
    from pruner.read.checks import Check
    from pruner.rules import RuleSet

__all__ = ["VIEWS", "Missing", "Outcome", "Ran", "Refinement", "Session", "Verification", "refinements", "verify"]

_VARIES = "the fat root's own output varies in its numbers from run to run: numbers were not compared"


def verify(
    fat: Path,
    pruned: Path,
    checks: Sequence[Check],
    plan: Plan,
    *,
    rules: RuleSet | None = None,
    trace: bool = True,
    views: Sequence[str] = VIEWS,
    progress: Callable[[str], None] = lambda _text: None,
) -> Verification:
    """Run `checks` in the directories `fat` and `pruned` and compare.

    `rules` tell which capability would bring a path; `trace=False` does without strace; `views` are the ways to
    protect a root from writes, in order of preference; `progress` is told what is being run.
    Call it from a process without other threads. Raises `EnvironmentFault` when bubblewrap is missing or no sandbox
    can be made here.
    """
    bwrap = shutil.which("bwrap")
    if bwrap is None:
        raise EnvironmentFault("bubblewrap (bwrap) is not installed", hint="apt-get install bubblewrap")
    strace = (shutil.which("strace") or "") if trace else ""
    caveats: list[str] = []
    if trace and not strace:
        caveats.append("strace is not installed: names that a program looked for in vain are not listed")
    with ExitStack() as stack:
        roots = [_own(path, stack, caveats) for path in (fat, pruned)]
        fat_root, pruned_root = (stack.enter_context(_Opened(path)) for path in roots)
        features = Features(rules, fat_root.tree, plan) if rules is not None else None
        gap = Gap(fat_root.root, fat_root.tree, pruned_root.tree, plan, features)
        place = Place(root=roots[0], clients=roots[0], image=plan.image, bwrap=bwrap, views=tuple(views))
        other = replace(place, root=roots[1], strace=strace)
        outcomes = tuple(
            _outcome(check, fat=place, pruned=other, gap=gap, caveats=caveats, progress=progress) for check in checks
        )
    return Verification(outcomes=outcomes, caveats=tuple(dict.fromkeys(caveats)))


def refinements(verification: Verification, plan: Plan) -> tuple[Refinement, ...]:
    """What failed checks ask to keep in addition, sorted by path; nothing where that would change nothing.

    Names that a program asked for come first; only where there are none of those, names of directories it listed.
    """
    kept = {file.path for file in plan.files if file.decision != "drop"}
    found: dict[str, Refinement] = {}
    for outcome in verification.outcomes:
        wanted = [] if outcome.passed else [name for name in outcome.missing if name.path not in kept]
        asked = [name for name in wanted if not name.listed]
        for name in asked or wanted:
            seen = f"{name.observation}, in {outcome.check.title}"
            found.setdefault(name.path, Refinement(path=name.path, glob=glob.escape(name.path), observation=seen))
    return tuple(sorted(found.values()))


def _outcome(
    check: Check, *, fat: Place, pruned: Place, gap: Gap, caveats: list[str], progress: Callable[[str], None]
) -> Outcome:
    progress(f"{check.title} in the fat root")
    expected = observe(check, fat)
    caveats += expected.caveats
    if why := failure(expected):
        fact = f"nothing to compare with: in the fat root {why}"
        return Outcome(check=check, passed=False, comparable=False, facts=(fact,))
    notes = [f"{ran.title} ends with {ran.code} in the fat root, too" for ran in _failed(check, expected)]
    progress(f"{check.title} in the pruned root")
    seen = observe(check, pruned)
    caveats += seen.caveats
    facts, diff = differences(check, expected, seen)
    if facts and pruned.strace:  # tracing slows and disturbs: the untraced run decides
        facts, diff = differences(check, expected, observe(check, replace(pruned, strace="")))
    if facts:
        progress(f"{check.title} in the fat root, once more")
        again = observe(check, fat)
        if differences(check, expected, again)[0]:
            facts, diff = differences(check, expected, observe(check, replace(pruned, strace="")), mask=True)
            notes.append(_VARIES)
    missing = gap.missing(seen.observations)
    if not facts:
        missing = tuple(name for name in missing if not name.listed)
    return Outcome(check=check, passed=not facts, facts=facts, diff=diff, missing=missing, notes=tuple(notes))


def _failed(check: Check, session: Session) -> list[Ran]:
    """The answers that are failures in themselves, which a user may not have meant to compare."""
    probes = [probe.kind for probe in check.probes] or ["command"]
    pairs = zip(probes, session.answers, strict=True) if session.answers else ()
    return [ran for kind, ran in pairs if ran.code and (kind != "http" or ran.code >= 400)]


def _own(root: Path, stack: ExitStack, caveats: list[str]) -> Path:
    """The root itself, or for an ordinary user a copy of a root that belongs to someone else."""
    user = os.geteuid()
    if user == 0 or root.stat().st_uid == user:
        return root
    home = Path(tempfile.mkdtemp(prefix="pruner-verify-"))
    stack.callback(remove_tree, home)
    caveats.append("the root belongs to another user: a copy of what this user may read was verified")
    try:
        if lacks := copy_tree(root, home, keep_owners=False):
            caveats.append(lacks)
    except OSError as error:
        raise EnvironmentFault(f"the root can't be copied: {error.strerror}", hint="run as root") from error
    home.chmod(0o755)
    return home


class _Opened:
    """A root directory and the look-ups over it, while in use."""

    def __init__(self, path: Path) -> None:
        self.root = open_root(path)
        self.tree = Tree(self.root.files)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.root.close()
