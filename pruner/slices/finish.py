"""What a cut can't do and a script can, once the cut is there: owners, modes, the loader's cache.

Everything that the shell reads is fixed text of ASCII: names hold octal escapes for printf where they are unusual.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from pruner.errors import InputError, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pruner.slices.statepaths import Leftover

LOADER_CACHE = "/etc/ld.so.cache"
_ODD = re.compile(rb"[^A-Za-z0-9/._+:@,=~-]")
_OWN = re.compile(
    r"at '[A-Za-z0-9/._+:@,=~\\-]*' (chown -h [0-9]+:[0-9]+|set_mode [0-7]+)"
    r"|left '[A-Za-z0-9/._+:@,=~\\-]*' '([ -&(-~]|'\\'')*'"
)
_MADE_BY = "Made by pruner"
_HEAD_LINES = 5
"""Of a former script: who made it stands in them."""
_HEAD = """\
#!/bin/sh
# Does to a cut root what slices can't say. Made by pruner.
#
#   finish.sh ROOT
#
# Names that the cut has not brought are passed over, so that it fits every cut of this release. It can be run again.
# Exits 0, 1 when something failed, 2 when it was called wrongly, 3 when something is left to do by other means.
set -u
LC_ALL=C
PATH=${PATH:+$PATH:}/usr/sbin:/sbin
export LC_ALL PATH

if [ $# -ne 1 ] || [ ! -d "$1" ]; then
  printf 'usage: finish.sh ROOT\\n' >&2
  exit 2
fi
root=$(CDPATH='' cd -P -- "$1" && pwd -P && printf .) || exit 1
root=${root%??}
root=${root%/}
failed=0
undone=0

# Runs COMMAND... NAME in the directory of PATH, which is written for %b of printf and must lie in the root by its real
# name: no link in it may lead out.
at() { # PATH COMMAND...
  name=$(printf '%b.' "$1")
  name=${name%.}
  shift
  [ -e "$root$name" ] || [ -L "$root$name" ] || return 0
  (
    CDPATH='' cd -P -- "$root${name%/*}/" && case $PWD/ in
      "$root"/*) "$@" "./${name##*/}" ;;
      *)
        printf 'finish.sh: a link leads out of the root: %s\\n' "$name" >&2
        exit 1
        ;;
    esac
  ) || failed=1
}

set_mode() { # MODE NAME; chmod would follow a link
  [ -L "$2" ] || chmod "$1" "$2"
}

left() { # PATH WHY, for what has to be made by other means
  name=$(printf '%b.' "$1")
  name=${name%.}
  [ -d "$root${name%/*}/" ] || return 0
  printf 'finish.sh: left to do: %s: %s\\n' "$1" "$2" >&2
  undone=1
}

"""
_CACHE = """\
# The loader's cache, which the postinst of libc-bin makes: programs start without it, and look longer for libraries.
if command -v ldconfig >/dev/null; then
  [ -e "$root/var/cache/ldconfig" ] && known=yes || known=no
  ldconfig -X -r "$root" || failed=1
  if [ "$known" = no ]; then # what ldconfig notes for itself, beside the cache
    at /var/cache/ldconfig/aux-cache rm -f
    at /var/cache/ldconfig rmdir
  fi
else
  left /etc/ld.so.cache 'ldconfig is not installed here'
fi
"""
_CACHE_CALL = '\n  ldconfig -X -r "$root"'
"""What tells a script with it, whatever stands around."""
_END = """
[ "$failed" -eq 0 ] || exit 1
[ "$undone" -eq 0 ] || exit 3
"""


def finish_script(leftovers: Sequence[Leftover], former: str = "") -> str:
    """A POSIX script that, given a cut root, does what chisel can't express and says what it can't do either.

    What a `former` script of this kind did is done still, unless `leftovers` say otherwise of the same path. Raises
    `InputError` for a former script that somebody else wrote.
    """
    if former and _MADE_BY not in "\n".join(former.splitlines()[:_HEAD_LINES]):
        hint = "rename it, and call it beside the one that is written then"
        raise InputError("finish.sh: was not made by pruner and would be replaced", hint=hint)
    ordered = sorted(leftovers, key=lambda one: (os.fsencode(one.path), one.what))
    done = [line for what, write in _DONE.items() for one in ordered if one.what == what for line in write(one)]
    left = [_left(one) for one in ordered if one.what not in _DONE and one.path != LOADER_CACHE]
    cached = _CACHE_CALL in former or any(one.path == LOADER_CACHE for one in ordered)
    old = _lines_of(former)
    done = _joined([line for line in old if line.startswith("at ")], done)
    left = _joined([line for line in old if line.startswith("left ")], left)
    body = [*(f"{line}\n" for line in done), *([_CACHE] if cached else []), *(f"{line}\n" for line in left)]
    return "".join([_HEAD, *body, _END])


def _lines_of(former: str) -> list[str]:
    """The lines of a script by `finish_script` that name a path; nothing that could be anything else."""
    return [line for line in former.splitlines() if _OWN.fullmatch(line)]


def _joined(old: Sequence[str], new: Sequence[str]) -> list[str]:
    """`new`, and those of `old` that do something else, in the order of paths; a mode comes after an owner."""
    said = {_task(line): line for line in (*old, *new)}
    return [said[task] for task in sorted(said)]


def _task(line: str) -> tuple[str, str]:
    """The path and what is done to it."""
    words = line.split(" ", 3)
    return words[1], words[2] if words[0] == "at" else ""


def _owner(leftover: Leftover) -> Iterator[str]:
    yield f"at {_word(leftover.path)} chown -h {leftover.uid}:{leftover.gid}"
    if leftover.mode & 0o6000:
        yield from _mode(leftover)


def _mode(leftover: Leftover) -> Iterator[str]:
    yield f"at {_word(leftover.path)} set_mode 0{leftover.mode & 0o7777:03o}"


def _left(leftover: Leftover) -> str:
    by = f"{leftover.maker} of {leftover.package}" if leftover.maker else f"package {leftover.package}"
    text = f"{leftover.what.replace('-', ' ')}, {by}{f': {leftover.detail}' if leftover.detail else ''}"
    return f"left {_word(leftover.path)} {_quoted(text)}"


_DONE: dict[str, Callable[[Leftover], Iterator[str]]] = {"owner": _owner, "mode": _mode}
"""In this order: a change of owner clears setuid bits."""


def _quoted(text: str) -> str:
    """`text` for the eye, in ASCII and single quotes."""
    plain = printable(text).encode("ascii", "backslashreplace").decode()
    return "'" + plain.replace("'", "'\\''") + "'"


def _word(path: str) -> str:
    """`path` for `%b` of printf, POSIX: a backslash, 0 and three octal digits; in single quotes."""
    escaped = _ODD.sub(lambda match: b"\\0%03o" % match.group()[0], os.fsencode(path.rstrip("/")))
    return f"'{escaped.decode('ascii')}'"
