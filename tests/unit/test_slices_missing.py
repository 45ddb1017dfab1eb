"""Which slices a release has for what is needed, and which paths no slice brings."""

from __future__ import annotations

from pathlib import Path

from pruner.slices.missing import missing
from pruner.slices.readrelease import read_release
from tests.unit.test_slices_merge import LIBC6, OPENSSL, generated, make, part


def test_a_row_for_every_needed_package(tmp_path: Path) -> None:
    """Slices that serve with their full names, paths that are missing, and whether there is a file at all."""
    existing = read_release(make(tmp_path, openssl=OPENSSL, libc6=LIBC6)).release
    made = generated(
        part("openssl_bins", "/usr/bin/openssl", "/usr/bin/new", essential=("libssl3_libs",)),
        part("openssl_copyright", "/usr/share/doc/openssl/copyright"),
        part("libssl3_libs", "/usr/lib/*-linux-*/libssl.so.3", essential=("libc6_libs",)),
        part("libc6_libs", "/usr/lib/*-linux-*/libc.so.6"),
    )
    rows = {row.package: row for row in missing(made, existing)}
    assert list(rows) == ["libc6", "libssl3", "openssl"]
    assert ([str(key) for key in rows["openssl"].slices], rows["openssl"].missing) == (
        ["openssl_bins", "openssl_copyright"],
        ("/usr/bin/new",),
    )
    assert (rows["libc6"].slices, rows["libc6"].missing, rows["libc6"].sliced) == ((("libc6", "libs"),), (), True)
    assert (rows["libssl3"].slices, rows["libssl3"].sliced) == ((), False)
    assert rows["libssl3"].missing == ("/usr/lib/*-linux-*/libssl.so.3",)


def test_a_path_that_another_package_has_is_served_by_it(tmp_path: Path) -> None:
    """The row of the package that needs it names the slice of the other."""
    base = "package: base-files\nslices:\n  tmp:\n    contents:\n      /tmp/: {make: true, mode: 01777}\n"
    existing = read_release(make(tmp_path, **{"base-files": base})).release
    (row,) = missing(generated(part("systemd_dirs", "/tmp/")), existing)
    assert (row.slices, row.missing, row.sliced) == ((("base-files", "tmp"),), (), False)


def test_a_path_that_can_not_be_added_is_missing_too(tmp_path: Path) -> None:
    """No slice brings it, whether or not one could be written beside what is there."""
    existing = read_release(make(tmp_path, libc6=LIBC6)).release
    (row,) = missing(generated(part("musl_libs", "/usr/lib/x86_64-linux-gnu/libc.so.6")), existing)
    assert row.missing == ("/usr/lib/x86_64-linux-gnu/libc.so.6",)
