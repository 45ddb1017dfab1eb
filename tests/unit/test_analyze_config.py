"""Configuration files: paths, includes, modules and directories, whatever the syntax."""

from __future__ import annotations

import pytest

from pruner.analyze.config import edges_of_config, is_configuration, programs_of_config
from pruner.model import EdgeKind, Findings, Strength
from tests.elfs import deb, made_view, make_elf

ELF = make_elf()


def look(text: str, entries=None, *, path="/etc/app/app.conf", owners=None, packages=()) -> Findings:
    view = made_view({path: text.encode(), **(entries or {})}, owners=owners, packages=packages)
    return edges_of_config(view.tree.get(path), view.read(path), False, view)


def kinds(found: Findings) -> dict[str, EdgeKind]:
    return {edge.target: edge.kind for edge in found.edges}


@pytest.mark.parametrize(
    "line",
    [
        "key /etc/key.pem;",
        "key=/etc/key.pem",
        'key: "/etc/key.pem"',
        "<key>/etc/key.pem</key>",
        '{"key": ["/etc/key.pem"]}',
    ],
)
def test_a_path_is_found_in_any_syntax(line):
    assert kinds(look(line, {"/etc/key.pem": b"x"})) == {"/etc/key.pem": EdgeKind.CONFIG}


@pytest.mark.parametrize(
    "line", ["# key /etc/key.pem", "  ; key=/etc/key.pem", "x 1 # /etc/key.pem", "<!-- a\n /etc/key.pem -->"]
)
def test_comments_name_nothing(line):
    assert look(line, {"/etc/key.pem": b"x"}).edges == ()


def test_includes_are_relative_to_the_file_and_to_the_directories_above_it():
    """nginx resolves `conf.d/*` below its prefix from every included file."""
    entries = {"/etc/app/conf.d/a.conf": b"x", "/etc/app/conf.d/b.conf": b"y", "/etc/app/types": b"z"}
    expected = {"/etc/app/conf.d/a.conf": EdgeKind.CONFIG, "/etc/app/conf.d/b.conf": EdgeKind.CONFIG}
    assert kinds(look("IncludeOptional conf.d/*.conf", entries)) == expected
    found = look("include types;", entries, path="/etc/app/sites/one")
    assert kinds(found) == {"/etc/app/types": EdgeKind.CONFIG}


def test_catalogues_of_sgml_lead_to_each_other_and_to_document_types():
    """As maintainer scripts register them: a link to a list of lists, whose entries are beside them."""
    catalogue = "/usr/share/sgml/book/catalog"
    entries = {catalogue: b'PUBLIC "-//X//DTD Book V1.0//EN" "book.dtd"\n', "/usr/share/sgml/book/book.dtd": b"x"}
    first = look(f"CATALOG {catalogue}\n", entries, path="/var/lib/sgml-base/supercatalog")
    assert kinds(first) == {catalogue: EdgeKind.CONFIG}
    second = look(entries[catalogue].decode(), entries, path=catalogue)
    assert kinds(second) == {"/usr/share/sgml/book/book.dtd": EdgeKind.CONFIG}
    third = look(
        '<!ENTITY % x PUBLIC "-//X" "part.mod">',
        {"/usr/share/sgml/book/part.mod": b"x"},
        path="/usr/share/sgml/book/book.dtd",
    )
    assert kinds(third) == {"/usr/share/sgml/book/part.mod": EdgeKind.CONFIG}


def test_an_included_directory_brings_its_files():
    entries = {"/etc/app/conf.d/a": b"x"}
    assert kinds(look("#includedir /etc/app/conf.d", entries)) == {
        "/etc/app/conf.d": EdgeKind.STATE,
        "/etc/app/conf.d/a": EdgeKind.CONFIG,
    }


def test_a_module_is_found_in_the_private_directories_of_the_package():
    """`load_module modules/x.so` is relative to a prefix that only the program knows; the way leads through its link."""
    entries = {"/usr/lib/app/modules/x.so": ELF, "/usr/share/app/modules": "../../lib/app/modules"}
    owners = {"/etc/app/app.conf": "app-x", **dict.fromkeys(entries, "app-x"), "/usr/lib/app/modules": "app-x"}
    found = look("load_module modules/x.so;", entries, owners=owners)
    assert kinds(found) == {"/usr/lib/app/modules/x.so": EdgeKind.LOAD, "/usr/share/app/modules": EdgeKind.LINK}
    made = look("x.so", entries, path="/etc/app/made.conf", owners={**owners, "/etc/app": "app-x"})
    assert kinds(made) == {"/usr/lib/app/modules/x.so": EdgeKind.LOAD}


def test_state_that_is_made_at_run_time_needs_its_directory():
    found = look("log /var/log/app/app.log\npid /run/app.pid\n", {"/var/log/app": None, "/run": None})
    assert kinds(found) == {"/var/log/app": EdgeKind.STATE, "/run": EdgeKind.STATE}


def test_an_old_log_is_left_behind():
    assert kinds(look("log /var/log/app/app.log", {"/var/log/app/app.log": b"x"})) == {"/var/log/app": EdgeKind.STATE}


def test_a_document_root_is_kept_with_what_lies_in_it():
    found = look("root /srv/www;", {"/srv/www/index.html": b"x"})
    assert kinds(found) == {"/srv/www": EdgeKind.STATE, "/srv/www/index.html": EdgeKind.DATA}
    assert {edge.group for edge in found.edges if edge.kind is EdgeKind.DATA} == {"content"}


def test_programs_are_options_taken_where_they_are_the_packages_own():
    entries = {"/usr/lib/app/helper": ELF, "/usr/lib/app/clean": b"#!/bin/sh\n", "/usr/bin/other": ELF}
    owners = {
        "/etc/app/app.conf": "app",
        "/usr/lib/app/helper": "app",
        "/usr/lib/app/clean": "app",
        "/usr/bin/other": "other",
    }
    text = "a /usr/lib/app/helper\nb /usr/lib/app/clean\nc /usr/bin/other\n"
    programs = ["/usr/lib/app/helper", "/usr/lib/app/clean"]
    view = made_view(
        {"/etc/app/app.conf": text.encode(), **entries}, owners=owners, packages=[deb("app")], programs=programs
    )
    found = edges_of_config(view.tree.get("/etc/app/app.conf"), view.read("/etc/app/app.conf"), False, view)
    assert {edge.strength for edge in found.edges} == {Strength.OPTIONAL}
    assert {edge.target: edge.default for edge in found.edges} == {
        "/usr/lib/app/helper": True,
        "/usr/lib/app/clean": True,
        "/usr/bin/other": False,
    }
    unowned = look("c /usr/bin/other", entries)
    assert [edge.default for edge in unowned.edges] == [True]


def configured(text: str, *, path: str = "/etc/app/app.conf") -> Findings:
    """A configuration file of a package with a script of its own, a sibling's and a stranger's."""
    scripts = {"/usr/share/app/own.pl": "app", "/usr/share/more/sibling.pl": "app-more", "/usr/share/b/other.pl": "b"}
    view = made_view(
        {path: text.encode(), **dict.fromkeys(scripts, b"#!/usr/bin/perl\n")},
        owners={path: "app", **scripts},
        packages=[deb("app", source="app"), deb("app-more", source="app"), deb("b")],
        programs=list(scripts),
    )
    found = edges_of_config(view.tree.get(path), view.read(path), True, view)
    kept = tuple(edge for edge in found.edges if edge.group == "configured-programs")
    lifted = programs_of_config(view.tree.get(path), view)
    assert lifted == (kept if path.startswith("/etc/") else ())
    return found


def test_scripts_of_the_own_source_are_taken_and_others_are_not():
    found = configured("a /usr/share/app/own.pl 80\nb /usr/share/more/sibling.pl\nc /usr/share/b/other.pl\n")
    assert {edge.target: (edge.kind, edge.default, edge.group) for edge in found.edges} == {
        "/usr/share/app/own.pl": (EdgeKind.EXEC, True, "configured-programs"),
        "/usr/share/more/sibling.pl": (EdgeKind.EXEC, True, "configured-programs"),
        "/usr/share/b/other.pl": (EdgeKind.EXEC, False, "named-executables"),
    }


@pytest.mark.parametrize(
    "path",
    ["/etc/cron.d/app", "/etc/cron.daily/app", "/etc/logrotate.d/app", "/etc/systemd/system/app.service",
     "/etc/profile.d/app.conf", "/etc/apt/apt.conf.d/50app", "/etc/default/app", "/etc/init/app.conf"],
)  # fmt: skip
def test_what_another_service_starts_is_not_taken(path):
    found = configured("* * * * * root /usr/share/app/own.pl\n", path=path)
    assert [(edge.target, edge.default) for edge in found.edges if edge.kind is EdgeKind.EXEC] == [
        ("/usr/share/app/own.pl", False)
    ]


@pytest.mark.parametrize(
    ("line", "shell"),
    [
        ('include_shell "/usr/share/app/own.pl " + server.port', True),
        ("shell = /usr/share/app/own.pl x", True),
        ('log "|/usr/share/app/own.pl"', True),
        ("log | /usr/share/app/own.pl", True),
        ("run /usr/share/app/own.pl", False),
        ("shellfish yes\nrun /usr/share/app/own.pl", False),
        ('include_shell "/usr/share/b/other.pl"', False),
    ],
)
def test_a_command_line_for_a_shell_asks_for_it(line, shell):
    asked = [edge.target for edge in configured(line).edges if edge.kind is EdgeKind.CAPABILITY]
    assert asked == (["capability:shell"] if shell else [])


def test_programs_are_asked_for_below_etc_only():
    """Data of a package that names its scripts starts nothing by itself."""
    assert configured("run /usr/share/app/own.pl\n", path="/usr/share/app/app.conf").edges != ()


@pytest.mark.parametrize(
    "text", ["-----BEGIN CERTIFICATE-----\n/etc/key.pem", "#!/bin/sh\n/etc/key.pem", "a\0/etc/key.pem"]
)
def test_what_is_no_configuration_is_not_read(text):
    assert look(text, {"/etc/key.pem": b"x"}) == Findings()


def test_a_file_of_more_than_a_megabyte_is_data():
    assert look("/etc/key.pem\n" + " " * 1_000_000, {"/etc/key.pem": b"x"}) == Findings()


def test_the_whole_root_is_never_content():
    assert look("base //\nroot /..\nx /\n", {"/srv/a": b"x"}).edges == ()


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/etc/anything", True),
        ("/usr/share/app/app.conf", True),
        ("/usr/lib/app/x.d/10-a", True),
        ("/etc/passwd", False),
        ("/etc/app/README", False),
        ("/var/lib/dpkg/info/app.list", False),
        ("/usr/bin/app", False),
        ("/var/lib/sgml-base/supercatalog", True),
        ("/usr/share/sgml/docbook/dtd/4.5/catalog", True),
        ("/usr/share/xml/x.cat", True),
        ("/usr/share/sgml/book/book.dtd", True),
        ("/usr/share/app/catalog", False),
    ],
)
def test_what_counts_as_configuration(path, expected):
    assert is_configuration(path) is expected
