"""Values of a policy: what a team allows an image to hold, and what may change."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pruner.gate.types import Level

if TYPE_CHECKING:
    from datetime import date

    from pruner.gate.policy.licenses import LicensePolicy


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
        """The highest number that passes; None for a relative limit when `before` is not known."""
        if not self.relative:
            return self.number
        if before is None:
            return None
        return before * (1 + self.number / 100) if self.percent else before + self.number


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
    """No new vulnerability of this severity or a worse one; None allows any."""
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
