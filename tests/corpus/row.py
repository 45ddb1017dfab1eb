"""What is measured of one application of the corpus; sizes in bytes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table. Without a pruned root (`failure` says why) the sizes are 0."""

    app: str
    outside: bool
    """Whether the application lives outside the distribution's packages."""
    fat_bytes: int
    s3_mb: float | None
    """The size of reference in MB, where there is one."""
    runtime_bytes: int | None
    """Runtime package, its libraries and the declared distributions, for applications of pip and npm."""
    beyond_limit: int | None
    """How many bytes the root may hold beside the application's own file."""
    failure: str
    """Why the application does not run, empty when it does."""
    bytes: int = 0
    metadata_bytes: int = 0
    """Copyright files and package database, not part of `bytes`."""
    files: int = 0
    packages: int = 0
    unevidenced: int = 0
    """Packages that are kept for want of evidence."""
    plan_seconds: float = 0
    beyond_bytes: int | None = None
    differing: tuple[str, ...] = ()
    """Packages that only the plan (`-`) or only syft's report of the pruned root (`+`) names."""
    left_over: tuple[str, ...] = ()
    """Paths that the application declares unused and that are still there."""
    first: str = ""
    """`P` or `F`: how the first run ended, for the applications that were drawn."""

    @property
    def ratio(self) -> float | None:
        """Size over the size of reference, or None without one."""
        return self.bytes / (self.s3_mb * 1e6) if self.s3_mb else None
