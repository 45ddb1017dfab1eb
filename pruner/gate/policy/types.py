"""Values of a policy: what a team allows an image to hold and to change, and what the gate says of a comparison."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

    from pruner.gate.policy.licenses import LicensePolicy

DEFAULTS = {
    "vulnerabilities": "where reports are given, unseen ones fail and new ones warn",
    "visibility": "packages whose entry is gone while files remain fail",
    "conformity": "where a plan is given, what differs from it fails",
}
"""What holds where the file leaves a key out; of all other keys nothing."""


class Level(StrEnum):
    """How bad a finding is."""

    FAIL = "fail"
    WARN = "warn"
    WAIVED = "waived"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """The most that there may be of one thing."""

    name: str
    """One of `COUNTS`, or a category of the catalogue."""
    text: str
    """As written: `40`, `-10%`, `+0`."""
    number: float
    """With its sign."""
    relative: bool
    percent: bool
    line: int

    def allowed(self, before: float | None) -> float | None:
        """The highest number that passes, whole for what is counted; None where `before` counts and is not known."""
        if not self.relative:
            return self.number
        if before is None:
            return None
        most = before * (1 + self.number / 100) if self.percent else before + self.number
        return most if self.name == "megabytes" else math.floor(most + 1e-9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """What `forbid` and `require` name: packages, paths or a category."""

    kind: str
    """`package` (a glob of purls), `path` (a glob of paths) or `category`."""
    pattern: str
    reason: str = ""
    """Why, in the policy's own words."""
    line: int = 0
    place: str = ""
    """`forbid[2]`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """Findings that are known and borne until a day."""

    rule: str
    where: str
    """What it names, or a glob of it as in `forbid`; empty for a limit, which is named by its rule."""
    reason: str
    owner: str
    expires: date
    """The last day on which it holds."""
    line: int = 0
    place: str = ""

    @property
    def text(self) -> str:
        """Reason, owner and expiry in one line."""
        return f"{self.reason} ({self.owner}, until {self.expires.isoformat()})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What a policy file says. A `Level` of None allows."""

    name: str = "policy.yaml"
    """The file as seen from the working directory, where annotations look for it; outside of that its base name."""
    limits: tuple[Limit, ...] = ()
    forbid: tuple[Selector, ...] = ()
    require: tuple[Selector, ...] = ()
    new: str | None = None
    """No new vulnerability of this severity or a worse one; None where the policy does not say, or allows any."""
    new_allowed: bool = False
    """It says that any may be new, rather than nothing."""
    unrated: Level | None = Level.WARN
    """For new vulnerabilities that nobody has rated."""
    unseen: Level | None = Level.FAIL
    """For vulnerabilities that are gone from the report and not from the image."""
    database: Level | None = Level.WARN
    """For those that another vulnerability database, or one that is not named, no longer has."""
    licenses: LicensePolicy | None = None
    visibility: Level | None = Level.FAIL
    """For packages whose entry is gone while files remain."""
    untold: Level | None = Level.WARN
    """For packages of which that is not known."""
    conformity: Level | None = Level.FAIL
    waivers: tuple[Waiver, ...] = ()
    lines: dict[str, int] = field(default_factory=dict)
    """Where keys stand, for messages."""

    def states(self, key: str) -> bool:
        """Whether the file itself says something of `key`, rather than leaving it to the default."""
        return key in self.lines

    def key(self, key: str) -> str:
        """`policy.yaml:12 limits.files`; without a line for what the file leaves to the default."""
        line = self.lines.get(key) or self.lines.get(key.partition(".")[0])
        return f"{self.name}:{line} {key}" if line else f"{self.name} {key}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One broken rule of the policy."""

    rule: str
    """Stable id: `limits.setuid`, `forbid`, `require`, `vulnerabilities.new`, `visibility`, `conformity`, `waiver`."""
    level: Level
    what: str
    """One lowercase fact."""
    where: str
    """A path, a purl, or the policy's key."""
    why: str
    """Why it matters."""
    fix: str
    """What would end it."""
    chain: tuple[str, ...] = ()
    """With a plan: why the thing is there."""
    waiver: str = ""
    """Reason, owner and expiry of the waiver that covers it."""
    key: str = ""
    """The policy's key and line: `policy.yaml:12 limits.setuid`."""
    subject: str = ""
    """What a waiver may name besides `where`: the id of a vulnerability."""
    asked: str = ""
    """What the policy says there, where its key is a place in a list: the pattern, or what a waiver names."""
    rank: int = 0
    """Among findings of one rule the lower ones come first: worse vulnerabilities."""
    aliases: tuple[str, ...] = ()
    """Other ids of the same vulnerability, by which a waiver may name it too."""
    unknown: bool = False
    """Nobody could look: what it is about is not known to be right, and a glob in a waiver does not cover it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitResult:
    """One limit of the policy and what was counted."""

    name: str
    """`packages`, `files`, `megabytes`, `setuid`, `executables` or a category of the catalogue."""
    stated: str
    """As the policy has it: `40`, `-10%`, `+0`."""
    before: float | None
    """None where the side can't tell; `megabytes` are 10^6 bytes."""
    after: float | None
    allowed: float | None
    """The highest `after` that passes; None where it is relative to an unknown `before`."""
    kept: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the gate says."""

    passed: bool
    findings: tuple[Finding, ...]
    policy: str = ""
    """The policy's file, as `Policy.name` has it."""
    limits: tuple[LimitResult, ...] = ()
    """Every limit with its numbers, kept or broken, in the order of the policy."""
    clean: tuple[str, ...] = ()
    """Sections of the policy besides `limits` that were judged and have no finding, of any level."""
