"""Which files are not for everybody."""

from __future__ import annotations

from pruner.emit.guarded import guarded_files
from pruner.model import FileType
from tests.unit.emit_plans import directory, file_plan


def test_by_their_own_mode_or_by_a_directory_that_lets_nobody_in():
    """A file that everybody could read is a secret below a closed directory; directories and links never are."""
    tree = (
        directory("/etc"),
        directory("/home/own", mode=0o700),
        directory("/home/owner"),
        directory("/srv", mode=0o751),
    )
    files = (
        file_plan("/etc/shadow", mode=0o640),
        file_plan("/etc/passwd", mode=0o644),
        file_plan("/home/own/.config/token", mode=0o644),
        file_plan("/home/own/link", FileType.SYMLINK, mode=0o777, target="x"),
        file_plan("/home/owner/file", mode=0o644),
        file_plan("/srv/file", mode=0o644),
    )
    assert [file.path for file in guarded_files((*tree, *files), tree)] == ["/etc/shadow", "/home/own/.config/token"]
