"""What the documents say is what the program does."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest
import typer.main

from pruner import errors
from pruner.cli import app
from pruner.rules import load_rules
from tests.commandline import Run
from tests.support import ROOT, skip

README = (ROOT / "README.md").read_text()
GROUP = typer.main.get_command(app)


def commands(group: object, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], click.Command]:
    """Every command that does something, by its words."""
    found: dict[tuple[str, ...], click.Command] = {}
    for name, command in getattr(group, "commands", {}).items():
        below = commands(command, (*path, name))
        found |= below or {(*path, name): command}
    return found


COMMANDS = commands(GROUP)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_has_help_with_an_example(run: Run, words: tuple[str, ...]) -> None:
    """The help of a command says what it does, explains every option and shows an example that begins like itself."""
    done = run(*words, "--help")
    assert done.code == 0
    help_text = COMMANDS[words].help or ""
    examples = [line.strip() for line in help_text.partition("Example")[2].splitlines() if line.startswith("  pruner ")]
    assert examples
    assert all(example.startswith(f"pruner {' '.join(words)} ") for example in examples)
    shown = " ".join(done.out.split())
    assert all(" ".join(example.split()) in shown for example in examples), done.out
    for parameter in COMMANDS[words].params:
        assert getattr(parameter, "help", None), f"{words}: {parameter.name} has no help"


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_examples_use_options_that_exist(words: tuple[str, ...]) -> None:
    """Every option of an example is one of the command's, and a rule that is named exists."""
    known = {option for parameter in COMMANDS[words].params for option in parameter.opts}
    for line in (COMMANDS[words].help or "").splitlines():
        if not line.startswith("  pruner "):
            continue
        example = shlex.split(line.partition(" -- ")[0].partition(" > ")[0])
        assert {word for word in example if word.startswith("-")} <= known, line
        if words == ("rules", "show"):
            load_rules([]).find(example[-1])


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_readme_mentions_every_command(words: tuple[str, ...]) -> None:
    """The README shows every command."""
    assert f"pruner {' '.join(words)}" in README


def test_readme_uses_options_that_exist() -> None:
    """Every long option in the README is one of some command's, or of a script that plans carry."""
    known = {option for command in COMMANDS.values() for parameter in command.params for option in parameter.opts}
    for script in (ROOT / "pruner" / "emit").rglob("install.sh"):
        known.update(re.findall(r"^ *(--[a-z][a-z-]+)\)", script.read_text(), re.MULTILINE))
    pages = re.findall(r"(?<![\w-])--[a-z][a-z-]+", README)
    assert pages
    assert set(pages) <= known


def test_readme_states_the_exit_codes() -> None:
    """The README lists every exit code of the error tree."""
    text = README[README.index("Exit codes:") :].partition("\n\n")[0]
    stated = {int(number) for number in re.findall(r"(?:^|[;:] )(\d+) ", text.replace("\n", " "))}
    classes = [
        value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, errors.PrunerError)
    ]
    assert stated == {0, *(error.exit_code for error in classes)}


def test_readme_names_every_target_of_make_that_it_uses() -> None:
    """`make` targets in README and CONTRIBUTING exist."""
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    used = set(re.findall(r"make ([a-z-]+)(?=[ `])", README + (ROOT / "CONTRIBUTING.md").read_text()))
    assert {"demo", "test"} <= used <= targets


def test_readme_links_lead_somewhere() -> None:
    """Links to files of the project exist."""
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in link]
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_readme_shows_the_demo(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The block in the README is what `make demo` prints first."""
    makefile = (ROOT / "Makefile").read_text()
    demo = re.search(r"pruner (plan samples/(\S+) --config samples/pruner\.yaml --output demo)\n", makefile)
    assert demo is not None
    if not (ROOT / "samples" / demo[2]).exists():
        skip(f"samples/{demo[2]} is not there")
    (tmp_path / "samples").symlink_to(ROOT / "samples")
    monkeypatch.chdir(tmp_path)
    done = run(*demo[1].split())
    assert done.code == 0, done.err
    assert f"```text\n{done.out.rstrip()}\n" in README


def test_readme_shows_the_gate_of_the_demo(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`make demo-gate` fails for the reason that the README shows, and passes as it shows once that is mended."""
    makefile = (ROOT / "Makefile").read_text()
    plan, again = re.findall(r"pruner (plan samples/\S+ --config samples/pruner\.yaml.* --output demo)\b", makefile)
    gate, report = re.findall(r"pruner (gate samples/\S+ demo --policy samples/policy\.yaml --plan demo)(.*)", makefile)
    if not (ROOT / "samples" / plan.split()[1].partition("/")[2]).exists():
        skip("the sample is not there")
    (tmp_path / "samples").symlink_to(ROOT / "samples")
    monkeypatch.chdir(tmp_path)
    for planned, words, code in ((plan, gate[0].split(), 1), (again, [*report[0].split(), *report[1].split()], 0)):
        assert run(*planned.split()).code == 0
        done = run(*words)
        assert done.code == code, done.err
        shown = done.out.partition("\n\nnote:")[0]
        assert f"```text\n{shown}\n```" in README
    assert (tmp_path / "demo" / "gate.html").read_text().startswith("<!DOCTYPE html>")


def test_documents_name_nothing_of_a_machine() -> None:
    """No document holds a path of the machine that it was written on, and no unfilled mark."""
    for page in (*ROOT.glob("*.md"), *ROOT.glob("rules/*.md")):
        text = page.read_text()
        assert not re.search(r"/(?:work|home|Users)/\w", text), page
        assert "TODO" not in text, page
