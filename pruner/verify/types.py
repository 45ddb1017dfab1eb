"""What a verification saw and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pruner.read.checks import Check
    from pruner.verify.trace import Observation


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """How one command, probe or service answered."""

    title: str
    code: int | None = None
    """Exit code, 128 and the signal's number for a killed process; HTTP status; None where it did not end."""
    out: bytes = b""
    """Standard output or the answer's body, cut after `LONGEST_OUTPUT` bytes."""
    err: bytes = b""
    problem: str = ""
    """Why there is no exit code, one lowercase phrase."""
    trace: str | None = None
    """The file that strace wrote."""
    workdir: str = "/"


LONGEST_OUTPUT = 4 << 20
"""Bytes kept of each output of a command."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One check run once in one root."""

    answers: tuple[Ran, ...] = ()
    """What is compared: the command, or the probes of a service."""
    service: Ran | None = None
    """The service itself: its log, and why it did not become ready."""
    view: str = ""
    """How the root was protected from writes: `overlay`, `fuse-overlayfs` or `copy`."""
    caveats: tuple[str, ...] = ()
    observations: tuple[Observation, ...] = ()
    """What strace saw, where it was there."""

    @property
    def traces(self) -> tuple[Ran, ...]:
        """Everything that may have been traced."""
        return (*self.answers, *(() if self.service is None else (self.service,)))


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Missing:
    """A name that a program looked for, that the fat root has and the pruned root has not."""

    path: str
    """Real path in the fat root."""
    observation: str
    """`openat /etc/localtime`: the system call and the path as the program gave it, control characters escaped."""
    owner: str | None = None
    """Owning package as the plan names it."""
    reason: str = ""
    """Why the plan dropped it."""
    remedy: str = ""
    """The option that would bring it: `--accept GROUP`, `--feature NAME` or `--keep PATH`."""
    listed: bool = False
    """It was not asked for by name: a directory that holds it was listed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One check's answer."""

    check: Check
    passed: bool
    comparable: bool = True
    """False where the check fails in the fat root already, so that there is nothing to compare with."""
    facts: tuple[str, ...] = ()
    """What differs, one lowercase sentence each."""
    diff: str = ""
    """Unified diff of the outputs, fat to pruned, printable."""
    missing: tuple[Missing, ...] = ()
    """Of a failed check: the likely causes. Of a passed one: names that it did without."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """Whether the pruned root behaves as the fat one."""

    outcomes: tuple[Outcome, ...]
    caveats: tuple[str, ...] = field(default=())
    """What could not be verified and why, one lowercase sentence each."""

    @property
    def passed(self) -> bool:
        """Whether every check passed."""
        return all(outcome.passed for outcome in self.outcomes)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Refinement:
    """A path to add to `keep`, and the observation that asks for it."""

    path: str
    glob: str
    """The path with glob characters escaped, as `keep` takes it."""
    observation: str
