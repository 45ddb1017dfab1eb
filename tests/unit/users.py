"""Runs a piece of a test as an ordinary user."""

from __future__ import annotations

import os
import pickle
import shutil
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from tests.support import skip

NOBODY = 65534
T = TypeVar("T")


@contextmanager
def open_place() -> Iterator[Path]:
    """A temporary directory that every user may use; pytest's own are closed to others."""
    place = Path(tempfile.mkdtemp(prefix="pruner-test-"))
    place.chmod(0o777)
    try:
        yield place
    finally:
        shutil.rmtree(place)


def as_nobody(action: Callable[[], T]) -> T:
    """The picklable answer of `action`, run in a child process of the user nobody; skips when not root."""
    if os.getuid() != 0:
        skip("only root can become another user")
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            answer = pickle.dumps(("answer", action()))
        except BaseException:  # noqa: BLE001
            answer = pickle.dumps(("failure", traceback.format_exc()))
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(answer)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        kind, answer = pickle.loads(pipe.read())
    os.waitpid(child, 0)
    assert kind == "answer", answer
    return answer
