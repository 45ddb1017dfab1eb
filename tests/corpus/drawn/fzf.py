"""fzf as a filter and on a terminal, with the list and preview commands that its user wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.corpus.drawn.terminal import terminal
from tests.corpus.model import App, Needed, expect, same

if TYPE_CHECKING:
    from tests.corpus.sandbox import Box

FRUIT = "".join(f"{line}\n" for line in ("apple pie", "pineapple", "jablko", "čerešňa", "grape", "apricot jam", "plum"))
RECIPES = {"soup.txt": "cabbage\nwater\n", "bread.txt": "flour\nyeast\n", "notes.md": "nothing\n"}
LISTING = "find /volume/recipes -name '*.txt'"


def smoke(box: Box) -> None:
    matching(box)
    choosing(box)
    commands(box)


def matching(box: Box) -> None:
    """Without a terminal: fuzzy, exact, negated and anchored terms, fields, order, and exit codes."""
    same(lines(box, "--filter", "apl"), ["apple pie", "pineapple"], "a fuzzy term")
    same(lines(box, "--exact", "--filter", "apple"), ["apple pie", "pineapple"], "an exact term")
    same(lines(box, "--filter", "^ap !pie"), ["apricot jam"], "an anchored and a negated term")
    same(lines(box, "--filter", "ceresna"), ["čerešňa"], "letters without their marks")
    same(lines(box, "--nth", "2", "--filter", "jam | pie"), ["apple pie", "apricot jam"], "terms in the second field")
    same(lines(box, "--no-sort", "--filter", "ap")[:2], ["apple pie", "pineapple"], "the order of the input")
    same(
        box.run("fzf", "--print0", "--filter", "plum", stdin=FRUIT.encode()).raw, b"plum\0", "a name that ends with NUL"
    )
    box.run("fzf", "--filter", "zzz", stdin=FRUIT.encode(), code=1)
    bad = box.run("fzf", "--bind", "nothing", stdin=FRUIT.encode(), code=2)
    expect("bind action not specified" in bad.err, f"a wrong binding got another message: {bad.err!r}")


def choosing(box: Box) -> None:
    """On a terminal: type a query, mark two lines, accept; leave with escape; find the query in the history."""
    command = ("fzf", "--multi", "--history", "/volume/history", "--header", "Pick fruit")
    with terminal(box, command, stdin=FRUIT.encode(), env={}) as screen:
        screen.until("Pick fruit")
        screen.until("7/7")
        screen.press("ap")
        screen.until("4/7")
        screen.press("\x1b[Z\x1b[Z")  # shift and tab: mark and move up
        screen.until("(2)")
        screen.press("\r")
        same(len(screen.end().splitlines()), 2, "lines marked")
    same((box.volume / "history").read_text(), "ap\n", "the history")
    with terminal(box, ("fzf",), stdin=FRUIT.encode(), env={}) as screen:
        screen.until("7/7")
        screen.press("\x1b")
        screen.end(code=130)


def commands(box: Box) -> None:
    """The user's own commands: one that lists, one that previews, and one bound to a key."""
    (box.volume / "recipes").mkdir()
    for name, text in RECIPES.items():
        (box.volume / "recipes" / name).write_text(text)
    command = ("fzf", "--preview", "head -n 1 {}", "--bind", "ctrl-e:execute-silent(cp {} /volume/copy.txt)")
    with terminal(box, command, env={"FZF_DEFAULT_COMMAND": LISTING}) as screen:
        screen.until("2/2")
        screen.press("bread")
        screen.until("flour")
        screen.press("\x05")
        screen.press("\r")
        expect("/volume/recipes/bread.txt" in screen.end(), "the line accepted is another")
    same((box.volume / "copy.txt").read_text(), RECIPES["bread.txt"], "the copy that a key made")


def lines(box: Box, *words: str) -> list[str]:
    """What fzf prints for the fruit, by line."""
    return box.run("fzf", *words, stdin=FRUIT.encode()).out.splitlines()


APP = App(
    name="fzf",
    packages=("fzf",),
    # fzf hands its user's commands to a shell: whoever configures some declares what they run
    entries=("cmd:fzf", "cmd:sh", "cmd:find", "cmd:head", "cmd:cp"),
    smoke=smoke,
    needed=(
        Needed(kind="program", glob="/usr/bin/find"),
        Needed(kind="library", glob="/usr/lib/*-linux-gnu/libselinux.so.1"),
        Needed(kind="program", glob="/usr/bin/dash"),
    ),
)
