"""Syft's spelling of file modes."""

from __future__ import annotations

import functools

# Bits of Go's io/fs.FileMode that lie outside the nine permission bits (https://pkg.go.dev/io/fs#FileMode).
_GO_SETUID = 1 << 23
_GO_SETGID = 1 << 22
_GO_STICKY = 1 << 20


@functools.cache
def posix_mode(digits: int) -> int:
    """POSIX permission bits with setuid, setgid and sticky of Syft's `mode`: 40000755 gives 0o4755.

    The decimal digits of `digits` are the octal digits of a Go FileMode (syftjson/to_format_model.go prints it with
    `%o` and reads the text as a decimal number). Raises `ValueError` when they are not octal digits.
    """
    go = int(str(digits), 8)
    if go < 0:
        raise ValueError("negative")
    return (
        go & 0o777
        | (0o4000 if go & _GO_SETUID else 0)
        | (0o2000 if go & _GO_SETGID else 0)
        | (0o1000 if go & _GO_STICKY else 0)
    )
