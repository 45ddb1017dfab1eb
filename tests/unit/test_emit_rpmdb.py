"""Trimming rpm's sqlite database; the real rpm reads the result in tests/integration/test_rpm.py."""

from __future__ import annotations

import sqlite3
import struct
from contextlib import closing
from dataclasses import replace

import pytest

from pruner.emit.packagedb import with_package_database
from pruner.emit.rpmdb import trimmed_rpm_database
from pruner.model import File, FileType, Inventory, Package, PackageId
from pruner.pipeline.materials import gather_materials
from pruner.plan import Decision
from pruner.rootfs import Tree, open_root
from tests.unit.emit_plans import directory, file_plan, package_plan, small_plan

PATH = "/usr/lib/sysimage/rpm/rpmdb.sqlite"
ONE, TWO = ("one", "2:1.0-1", "x86_64"), ("two", "1.0-1", "noarch")


def header(name, version, architecture):
    """A package header as rpm stores it (rpm, docs/manual/hregions.md): entries, then their data."""
    epoch, _, rest = version.rpartition(":")
    values = [(1000, name), (1001, rest.split("-")[0]), (1002, rest.split("-")[1]), (1022, architecture)]
    entries, store = [], b""
    if epoch:
        entries.append((1003, 4, 0, 1))
        store = struct.pack(">I", int(epoch))
    for tag, text in values:
        entries.append((tag, 6, len(store), 1))
        store += text.encode() + b"\0"
    return (
        struct.pack(">II", len(entries), len(store)) + b"".join(struct.pack(">IIII", *row) for row in entries) + store
    )


def database(*packages, extra="", wal=True):
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute("CREATE TABLE 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT,blob BLOB NOT NULL)")
        for table in ("Name", "Basenames"):
            connection.execute(
                f"CREATE TABLE '{table}' (key 'TEXT' NOT NULL, hnum INTEGER NOT NULL, idx INTEGER NOT NULL,"
                " FOREIGN KEY (hnum) REFERENCES 'Packages'(hnum))"
            )
            connection.execute(f"CREATE INDEX '{table}_key_idx' ON '{table}'(key ASC)")
        for number, package in enumerate(packages, 1):
            name, blob = ("damaged", package) if isinstance(package, bytes) else (package[0], header(*package))
            connection.execute("INSERT INTO Packages VALUES (?, ?)", (number, blob))
            connection.execute("INSERT INTO Name VALUES (?, ?, 0)", (name, number))
            connection.execute("INSERT INTO Basenames VALUES (?, ?, 0)", (f"file-of-{name}", number))
        if extra:
            connection.execute(extra)
        data = connection.serialize()
    return data[:18] + (b"\2\2" if wal else b"\1\1") + data[20:]


def rows(data, table):
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.deserialize(data)
        return connection.execute(f"SELECT * FROM {table}").fetchall()


class TestTrimmed:
    @pytest.mark.parametrize("wal", [True, False])
    def test_holds_the_kept_packages_and_nothing_of_others(self, wal):
        """Headers as they were, index rows of theirs alone, and no page with what was deleted."""
        trimmed = trimmed_rpm_database(database(ONE, TWO, wal=wal), {ONE})
        assert rows(trimmed, "Packages") == [(1, header(*ONE))]
        assert rows(trimmed, "Name") == [("one", 1, 0)]
        assert rows(trimmed, "Basenames") == [("file-of-one", 1, 0)]
        assert b"file-of-two" not in trimmed

    def test_statistics_of_sqlite_do_no_harm(self):
        """ANALYZE leaves a table of its own."""
        trimmed = trimmed_rpm_database(database(ONE, TWO, extra="ANALYZE"), {ONE})
        assert rows(trimmed, "Name") == [("one", 1, 0)]

    def test_is_the_same_each_time(self):
        """The same input gives the same bytes."""
        assert trimmed_rpm_database(database(ONE, TWO), {TWO}) == trimmed_rpm_database(database(ONE, TWO), {TWO})

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"\0" * 4096,
            database(ONE)[:3000],
            database(ONE)[:100] + b"\xff" * 4000,
            database(ONE, b"\0\0\0\1\0\0\0\0"),
            database(ONE, b"\xff\xff\xff\xff\0\0\0\0"),
            database(ONE, b""),
            database(ONE, extra="CREATE TRIGGER t AFTER DELETE ON Name BEGIN DELETE FROM Packages; END"),
            database(ONE, extra="CREATE VIEW v AS SELECT 1"),
            database(ONE, extra="CREATE TABLE other (hnum INTEGER DEFAULT (randomblob(9)))"),
            database(ONE, extra="CREATE INDEX i ON Name(abs(hnum))"),
            database(ONE, extra="CREATE TRIGGER sqlitext AFTER DELETE ON Name BEGIN DELETE FROM Packages; END"),
            database(ONE, extra="INSERT INTO Packages VALUES (7, 'a text')"),
            database(ONE, extra="INSERT INTO Packages VALUES (7, 8)"),
        ],
    )
    def test_is_none_for_what_rpm_did_not_write(self, data):
        """Cut, damaged or hostile files run nothing and end in no database."""
        assert trimmed_rpm_database(data, {ONE}) is None

    def test_is_none_where_a_kept_package_is_missing(self):
        """The database of another root would lie."""
        assert trimmed_rpm_database(database(TWO), {ONE}) is None
        assert trimmed_rpm_database(database(("one", "1.0-1", "x86_64")), {ONE}) is None


class TestPlan:
    def planned(self, databases):
        packages = tuple(
            Package(id=PackageId(f"id-{name}"), type="rpm", name=name, version=version, architecture=architecture, locations=(PATH,))
            for name, version, architecture in (ONE, TWO)
        )  # fmt: skip
        files = {PATH: File(path=PATH, type=FileType.REGULAR)}
        inventory = Inventory(name="x", format="syft-json", packages=packages, files=files)
        plan = small_plan(
            files=(directory("/usr", decision=Decision.DROP), file_plan(PATH, decision=Decision.DROP)),
            packages=(
                package_plan("one", "one", type="rpm", version=ONE[1]),
                package_plan("two", "two", Decision.DROP, type="rpm", version=TWO[1]),
            ),
            lacks=(),
        )
        return with_package_database(plan, inventory, databases=databases)

    def test_makes_the_database_in_its_place(self):
        """With its directories, and nothing is lacking."""
        plan = self.planned({PATH: database(ONE, TWO)})
        made = {file.path: file for file in plan.files if file.decision is not Decision.DROP}
        assert rows(made[PATH].content, "Name") == [("one", 1, 0)]
        assert made.keys() >= {"/usr", "/usr/lib", "/usr/lib/sysimage", "/usr/lib/sysimage/rpm"}
        assert plan.lacks == ()

    @pytest.mark.parametrize("databases", [{}, {PATH: b"Berkeley"}, {"/srv/other/rpmdb.sqlite": database(ONE)}])
    def test_says_where_there_is_none(self, databases):
        """Without bytes, of another form, or of another root: the count of packages that a scanner does not see."""
        plan = self.planned(databases)
        assert all(file.decision is Decision.DROP for file in plan.files)
        assert "does not see the 1 rpm packages" in plan.lacks[-1]


class TestGathered:
    @pytest.mark.parametrize(("log", "found"), [(None, True), (b"", True), (b"not yet written", False)])
    def test_is_the_root_s_own_unless_a_log_waits(self, tmp_path, log, found):
        """What is still in SQLite's write-ahead log is not in the database, which would then lie."""
        place = tmp_path / "usr/lib/sysimage/rpm"
        place.mkdir(parents=True)
        (place / "rpmdb.sqlite").write_bytes(database(ONE))
        if log is not None:
            (place / "rpmdb.sqlite-wal").write_bytes(log)
        plan = small_plan(packages=(package_plan("one", "one", type="rpm"),))
        root = open_root(str(tmp_path))
        try:
            gathered = gather_materials(
                replace(plan, files=()), Inventory(name="x", format="syft-json"), Tree(root.files), root
            )
        finally:
            root.close()
        assert gathered.databases == ({PATH: database(ONE)} if found else {})
