"""What one application of the corpus declares, and the error that a failed smoke test raises."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.corpus.roots import Build
    from tests.corpus.sandbox import Box


class SmokeError(AssertionError):
    """The application answered wrongly or not at all; the message says what was asked and what came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Needed:
    """One file, or the files of a glob, without which the smoke test must fail."""

    kind: str
    """What sort of thing it is: library, data, state, plugin, config or program."""
    glob: str
    """Absolute in the root, in `pathlib` syntax; must match at least one path of the fat root."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """What an application outside dpkg may cost at most: the base of its size limit."""

    packages: tuple[str, ...]
    """Debian packages that are the language's runtime."""
    tree: str
    """The directory that holds the distributions: a site-packages or a node_modules."""
    distributions: tuple[str, ...]
    """The distributions that the application declares; their own requirements are followed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """One application: how its fat root is made, what a user would enter, and how it is tried."""

    name: str
    packages: tuple[str, ...]
    """Debian packages installed beside the base system."""
    entries: tuple[str, ...]
    """The `--entry` values that a user of the application would write."""
    smoke: Callable[[Box], None]
    """Runs the application and raises `SmokeError`; asserts on output, not only on exit codes."""
    needed: tuple[Needed, ...]
    files: Mapping[str, str] = field(default_factory=dict)
    """Absolute path in the root to text, written before `setup` (mode 0644)."""
    setup: Callable[[Build], None] | None = None
    """Further steps on the fat root: compilers, package managers other than apt."""
    tools: tuple[str, ...] = ()
    """Packages of a second root, beside the fat one, that the smoke test takes peers from (`Box.tool`)."""
    gone: tuple[str, ...] = ()
    """Globs of what must not be in the pruned root: things that are installed but that nothing uses."""
    s3_mb: float | None = None
    """Size (MB) of the best static closure of reference, for the fourteen applications that have one."""
    fat_mb: float | None = None
    """Size (MB) of the fat root of reference."""
    runtime: Runtime | None = None
    beyond: tuple[str, int] | None = None
    """A path, and how many bytes the rest of the pruned root may have beside it."""
    outside: bool = False
    """Whether the application lives outside the distribution's packages."""


def expect(held: bool, message: str) -> None:
    """Raise `SmokeError` with `message` unless `held`."""
    if not held:
        raise SmokeError(message)


def same(found: object, wanted: object, what: str) -> None:
    """Raise `SmokeError` unless `found` equals `wanted`; `what` names it in the message."""
    expect(found == wanted, f"{what}: {found!r}, not {wanted!r}")
