"""Where chisel will fetch from: the archive, its key and its dates, as `chisel.yaml` states them.

chisel asks for a label `Ubuntu` in the archive's InRelease and knows no other base address than Ubuntu's, so that a
release for another distribution is cut from a mirror of its own behind `HTTP_PROXY`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pruner.errors import InputError, printable
from pruner.rules.slicing import dates_of, suite_of
from pruner.slices.pgpkey import NoKey, key_id
from pruner.slices.types import Archive, PublicKey

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pruner.slices.types import SliceSource

_UNKNOWN_DATES = {"standard": "2020-01-01", "end-of-life": "2099-12-31"}
_MOST_BYTES = 1 << 20
_NUMBERED = re.compile(r"[0-9]+(\.[0-9]+)*")


def maintenance_of(distribution: str, version: str) -> Mapping[str, str]:
    """When the release of a distribution is maintained, by chisel's names; wide dates where that is not known."""
    return dates_of(distribution, version) or _UNKNOWN_DATES


def archive_of(
    source: SliceSource,
    *,
    version: str = "",
    suites: Sequence[str] = (),
    components: Sequence[str] = (),
    key: PublicKey | None = None,
) -> Archive:
    """The archive `ubuntu`, the name that chisel looks for, with what is not given as the distribution has it."""
    stated = version or source.version or "unknown"
    if not suites:
        series = suite_of(source.distribution, source.version) or "stable"
        more = (f"{series}-updates", f"{series}-security") if source.distribution == "ubuntu" else ()
        suites = (series, *more)
    if not components:
        components = ("main", "universe") if source.distribution == "ubuntu" else ("main",)
    return Archive(
        name="ubuntu",
        version=stated,
        suites=tuple(suites),
        components=tuple(components),
        public_keys=(key.name,) if key else (),
    )


def require_fit(archives: Sequence[Archive], source: SliceSource, *, shown: str) -> None:
    """Raise `InputError` where the archives of a release are all of other versions than what `source` is of.

    A version that is no number says nothing, and a suite of the distribution's series settles it.
    """
    stated = sorted({archive.version for archive in archives})
    wanted = source.version
    if not archives or not _NUMBERED.fullmatch(wanted) or not all(_NUMBERED.fullmatch(one) for one in stated):
        return
    series = suite_of(source.distribution, wanted)
    suites = {suite.partition("-")[0] for archive in archives for suite in archive.suites}
    if (series and series in suites) or any(f"{one}.".startswith(f"{wanted}.") for one in stated):
        return
    plan = f"{source.distribution.capitalize()} {wanted}"
    raise InputError(
        f"{printable(shown)}: the release is for {', '.join(stated)}, and the plan is of {printable(plan)}",
        hint="extend a release for the plan's distribution, or write one with -o; archives.*.version and suites of"
        " chisel.yaml say what a release is for",
    )


def read_archive_key(path: Path) -> PublicKey:
    """The one public key of an armored file, as chisel takes it. Raises `InputError` for anything else."""
    shown = printable(str(path))
    try:
        with path.open("rb") as stream:
            text = stream.read(_MOST_BYTES).decode("ascii", "replace").replace("\r", "")
    except OSError as error:
        raise InputError(f"{shown}: can't be read: {(error.strerror or str(error)).lower()}") from error
    try:
        identifier = key_id(text)
    except NoKey as error:
        hint = "gpg --quick-gen-key NAME rsa3072 sign never makes a key that fits, gpg --armor --export writes it"
        raise InputError(f"{shown}: {error}", hint=hint) from error
    return PublicKey(name="archive-key", id=identifier, armor=f"{text.strip()}\n")
