"""Where a root's apt fetches packages from: sources.list(5), in its one-line and its deb822 style."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pruner.read.database import text_of
from pruner.read.stanzas import blocks, control_fields

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pruner.rootfs.tree import Tree
    from pruner.rootfs.types import Root

_HOME = "/etc/apt"
_LINE = re.compile(r"deb[ \t]+(?:\[[^\]]*\][ \t]+)?(?P<uri>\S+)[ \t]+(?P<suite>\S+)(?P<components>[^#]*)")
_REMOTE = re.compile(r"https?://[!-~]+")
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/+~-]*/?")
_OFF = frozenset({"no", "false", "without", "off", "disable", "0"})
"""apt's words for it (apt-pkg/contrib/strutl.cc, StringToBool)."""

Source = tuple[str, str, tuple[str, ...]]
"""URI, suite and components."""


def read_apt_sources(root: Root, tree: Tree) -> tuple[Source, ...]:
    """The enabled binary repositories of the root, in the order of apt, each once.

    What does not lie on a web server, carries a password, or is written in no form that other tools take, is left out.
    """
    texts = [(f"{_HOME}/sources.list", text_of(root, tree, f"{_HOME}/sources.list") or "")]
    parts = tree.resolve(f"{_HOME}/sources.list.d").path
    if parts is not None:
        texts += [(path, text_of(root, tree, path) or "") for path in tree.children(parts)]
    found = (source for path, text in texts for source in _sources(path, text))
    return tuple(dict.fromkeys(source for source in found if _is_usable(source)))


def _sources(path: str, text: str) -> Iterator[Source]:
    if path.endswith(".list"):
        for line in text.splitlines():
            if one := _LINE.match(line.strip()):
                yield one["uri"], one["suite"], tuple(one["components"].split())
    elif path.endswith(".sources"):
        without_comments = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
        for block in blocks(without_comments):
            fields = {name: value.split() for name, value in control_fields(block).items()}
            is_enabled = " ".join(fields.get("enabled", ())).lower() not in _OFF
            if is_enabled and "deb" in fields.get("types", ()):
                for uri in fields.get("uris", ()):
                    for suite in fields.get("suites", ()):
                        yield uri, suite, tuple(fields.get("components", ()))


def _is_usable(source: Source) -> bool:
    uri, suite, components = source
    return (
        bool(_REMOTE.fullmatch(uri)) and all(map(_WORD.fullmatch, (suite, *components))) and not set(uri) & {'"', "@"}
    )
