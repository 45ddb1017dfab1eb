"""Scripts: the interpreter of the first line, and what a shell script sources, names and calls."""

from __future__ import annotations

import pytest

from pruner.analyze.script import Shebang, edges_of_script, shebang_of
from pruner.model import EdgeKind, Findings, Strength
from tests.elfs import made_view, make_elf

ELF = make_elf()
BASE = {
    "/usr/bin/sh": "dash",
    "/bin": "usr/bin",
    "/usr/bin/env": ELF,
    "/usr/bin/dash": ELF,
    "/usr/bin/sed": ELF,
    "/usr/bin/python3": "python3.11",
    "/usr/bin/python3.11": ELF,
    "/usr/share/foo/lib.sh": b"helper() { awk x; }\n",
    "/usr/bin/awk": ELF,
    "/usr/share/foo/main.py": b"import x\n",
    "/etc/foo.conf": b"x",
}


def look(text: str, *, entries=None, path="/usr/bin/tool", active=True) -> Findings:
    view = made_view({**BASE, path: text.encode(), **(entries or {})})
    return edges_of_script(view.tree.get(path), view.read(path), active, view)


def hard(found: Findings) -> dict[str, EdgeKind]:
    return {edge.target: edge.kind for edge in found.edges if edge.strength is Strength.HARD}


def commands(found: Findings) -> set[str]:
    return {edge.target for edge in found.edges if edge.group == "shell-commands"}


@pytest.mark.parametrize(
    ("line", "interpreter", "program", "arguments"),
    [
        ("#!/bin/sh", "/bin/sh", None, ()),
        ("#! /usr/bin/perl -w", "/usr/bin/perl", None, ("-w",)),
        ("#!/usr/bin/env python3", "/usr/bin/env", "python3", ()),
        ("#!/usr/bin/env -S python3 -u x", "/usr/bin/env", "python3", ("-u", "x")),
        ("#!/usr/bin/env -Spython3 -u", "/usr/bin/env", "python3", ("-u",)),
        ("#!/usr/bin/env A=1 -u HOME node", "/usr/bin/env", "node", ()),
    ],
)
def test_first_lines_are_understood(line, interpreter, program, arguments):
    expected = Shebang(interpreter=interpreter, program=program, arguments=arguments)
    assert shebang_of(memoryview(f"{line}\nrest".encode())) == expected


def test_env_and_the_program_it_finds_are_both_needed():
    found = look("#!/usr/bin/env python3\nprint()\n")
    assert hard(found) == {"/usr/bin/env": EdgeKind.EXEC, "/usr/bin/python3": EdgeKind.EXEC}


def test_an_interpreter_that_is_missing_is_an_unknown():
    found = look("#!/opt/none\n")
    assert [(unknown.kind, unknown.detail) for unknown in found.unknowns] == [
        ("command", "interpreter /opt/none does not exist")
    ]


def test_an_inert_script_needs_nothing():
    assert look("#!/bin/sh\nsed x\n", active=False) == Findings()


def test_commands_are_options_and_builtins_and_functions_are_none():
    found = look("#!/bin/sh\nset -e\npython3() { sed x; }\npython3\ncommand -v awk\nmissing\n")
    assert commands(found) == {"/usr/bin/sed", "/usr/bin/awk"}
    assert all(not edge.default for edge in found.edges if edge.group == "shell-commands")
    assert found.unknowns == ()


def test_a_sourced_file_is_followed_and_its_commands_count_for_the_script():
    found = look("#!/bin/sh\n. /usr/share/foo/lib.sh\nhelper\n")
    assert hard(found)["/usr/share/foo/lib.sh"] is not None
    assert "/usr/bin/awk" in commands(found)


@pytest.mark.parametrize(
    "start",
    ['D=$(dirname "$0")', 'D="$(cd "$(dirname "$0")" && pwd)"', "D=${0%/*}", 'D=$(dirname "$(readlink -f "$0")")'],
)
def test_a_launcher_finds_what_lies_beside_it(start):
    """The usual ways to name a script's own directory."""
    found = look(f'#!/bin/sh\n{start}\nexec "$D/../share/foo/main.py" "$@"\n')
    assert "/usr/share/foo/main.py" in hard(found)
    assert found.unknowns == ()


def test_paths_in_words_assignments_and_options_are_data():
    found = look("#!/bin/sh\nC=${C:-/etc/foo.conf}\npython3 --x=/usr/share/foo/main.py <$C\n")
    assert hard(found)["/etc/foo.conf"] is EdgeKind.DATA
    assert hard(found)["/usr/share/foo/main.py"] is EdgeKind.DATA
    assert {"/usr/share/foo/main.py", "/usr/bin/python3"} <= commands(found)


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ('exec sed -e x "$@"', {"/usr/bin/sed"}),
        ("if x; then exec awk 1; fi", {"/usr/bin/awk"}),
        ("exec /usr/bin/sed x", {"/usr/bin/sed"}),
        ("awk 1 | sed x\nexec >/log", set()),
        ("exec sh -c 'sed x'", set()),
        ("exec ./sed", set()),
    ],
)
def test_what_a_script_becomes_is_taken_by_default(text, taken):
    """Whoever starts a wrapper asks for what it hands over to; a shell has to be asked for."""
    found = look(f"#!/bin/sh\n{text}\n", entries={"/etc/shells": b"/usr/bin/sh\n"})
    assert {edge.target for edge in found.edges if edge.group == "shell-commands" and edge.default} == taken


def test_guards_and_programs_named_by_path_are_options():
    found = look("#!/bin/sh\nif [ -x /usr/bin/sed ]; then /usr/bin/sed; fi\n")
    assert commands(found) == {"/usr/bin/sed"}


@pytest.mark.parametrize("call", ['"$CMD" x', "$(uname)-tool", 'exec "$CMD"', '. "$CONF"', 'eval "$X"'])
def test_a_computed_command_is_an_unknown(call):
    assert {unknown.kind for unknown in look(f"#!/bin/sh\n{call}\n").unknowns} == {"command"}


@pytest.mark.parametrize("call", ['exec "$@"', '"$@"', 'exec gosu x "$@"', '"${1}"'])
def test_running_the_arguments_is_no_unknown(call):
    assert look(f"#!/bin/sh\n{call}\n").unknowns == ()


def test_variables_and_loops_with_known_values_name_commands():
    found = look('#!/bin/sh\nX=sed\n$X\nfor t in aw no; do "${t}k"; done\n')
    assert commands(found) == {"/usr/bin/sed", "/usr/bin/awk"}


def test_blanks_between_variables_of_a_string_are_part_of_it():
    """The grammar gives the blank before a second variable to that variable."""
    text = '#!/bin/sh\nname=foo\npart="main"\nrun="$name $part"\ncat "/usr/share/$name/$part.py" "/srv/$name $part"\n'
    found = look(text, entries={"/srv/foo main": b"x"})
    assert {"/usr/share/foo/main.py", "/srv/foo main"} <= {edge.target for edge in found.edges}


def test_text_that_another_shell_runs_is_read():
    assert "/usr/bin/awk" in commands(look("#!/bin/sh\nsh -c 'awk 1'\n"))


def test_here_documents_and_comments_are_no_commands():
    assert commands(look("#!/bin/sh\n# sed\ncat <<E\nsed\nE\n")) == set()


def test_sources_that_include_each_other_end():
    entries = {"/a.sh": b". /b.sh\n", "/b.sh": b". /a.sh\nsed x\n"}
    assert "/usr/bin/sed" in commands(look("#!/bin/sh\n. /a.sh\n", entries=entries))


def test_hostile_text_is_only_text():
    deep = "$(" * 3000
    assert isinstance(look(f"#!/bin/sh\n{deep}\n\0\xff"), Findings)
