"""Running the command line in this process and in one of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from pruner.__main__ import main
from tests.support import ROOT


@dataclass(frozen=True, slots=True)
class Result:
    code: int
    out: str
    err: str


Run = Callable[..., Result]


def runner(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """A function that runs `pruner ARGUMENTS…` in this process."""

    def run(*arguments: object) -> Result:
        monkeypatch.setattr(sys, "argv", ["pruner", *map(str, arguments)])
        capsys.readouterr()
        code = 0
        try:
            main()
        except SystemExit as leaving:
            code = leaving.code if isinstance(leaving.code, int) else 0 if leaving.code is None else 1
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return run


def run_process(*arguments: object, cwd: Path | None = None, **environment: str) -> Result:
    """`python -m pruner ARGUMENTS…` as a process of its own."""
    env: Mapping[str, str] = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    done = subprocess.run(
        [sys.executable, "-m", "pruner", *map(str, arguments)], cwd=cwd, env=env, capture_output=True, check=False
    )
    return Result(done.returncode, done.stdout.decode(), done.stderr.decode())


def contents(directory: Path) -> dict[str, tuple[int, bytes]]:
    """Mode and bytes of every file below `directory`, by relative path."""
    return {
        path.relative_to(directory).as_posix(): (path.stat().st_mode, path.read_bytes())
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


def assert_one_message(result: Result, code: int, *expected: str) -> None:
    """The command failed with `code` and one message: a fact in one line, then hints; nothing else, no traceback."""
    assert result.code == code, result
    lines = result.err.splitlines()
    assert [line for line in lines if line.startswith("error: ")] == lines[:1], result.err
    assert all(line.startswith("hint: ") for line in lines[1:]), result.err
    assert "Traceback" not in result.err
    assert result.err.replace("\n", "").isprintable()
    assert not lines[0].endswith("."), result.err
    for text in expected:
        assert text in result.err, result.err
