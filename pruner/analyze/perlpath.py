"""Directories in which Perl looks for modules.

Sources: perlvar (`@INC`), perlrun (PERL5LIB), Debian Perl policy 2.3 (module path).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from pruner.model import FileType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pruner.analyze.view import View

_INCLUDE = (
    # Debian's order (perl -V): configuration, administrator, vendor, core.
    *("/etc/perl", "/usr/local/lib/*/perl/*", "/usr/local/share/perl/*", "/usr/lib/*/perl5/*", "/usr/share/perl5"),
    *("/usr/lib/*/perl-base", "/usr/lib/*/perl/*", "/usr/share/perl/*", "/usr/local/lib/site_perl"),
    # Alpine, Fedora, and installations from source.
    *("/usr/local/lib*/perl5/site_perl", "/usr/local/share/perl5/site_perl", "/usr/lib*/perl5/vendor_perl"),
    *("/usr/share/perl5/vendor_perl", "/usr/lib*/perl5/core_perl", "/usr/share/perl5/core_perl", "/usr/lib*/perl5"),
    *("/usr/local/lib/perl5/site_perl/*", "/usr/local/lib/perl5/site_perl/*/*", "/usr/local/lib/perl5/*"),
    "/usr/local/lib/perl5/*/*",
)


@lru_cache(maxsize=2)
def include_path(view: View) -> tuple[str, ...]:
    """Real paths of the directories of `@INC`, as far as they exist."""
    found: dict[str, None] = {}
    for pattern in _INCLUDE:
        for path in view.tree.glob(pattern):
            real = view.resolved(path)
            if real is not None and real.type is FileType.DIRECTORY:
                found[real.path] = None
    return tuple(found)


def given_directories(view: View) -> Iterator[str]:
    """The absolute directories of the image's PERL5LIB."""
    image = view.inventory.image
    for entry in image.env if image is not None else ():
        if entry.startswith("PERL5LIB="):
            yield from (place for place in entry[9:].split(":") if place.startswith("/"))
