"""po4a: manual pages, DocBook, Markdown, POD, SGML and YAML translated through PO files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.corpus.model import App, Needed, expect, same

if TYPE_CHECKING:
    from tests.corpus.sandbox import Box

CONFIGURATION = """\
[po_directory] po
[options] opt:"--keep 0 --package-name garden"
[type: man] garden.1 $lang:garden.$lang.1
[type: docbook] guide.xml $lang:guide.$lang.xml
[type: text] notes.md $lang:notes.$lang.md opt:"--option markdown"
[type: pod] tool.pod $lang:tool.$lang.pod
[type: sgml] book.sgml $lang:book.$lang.sgml
[type: yaml] menu.yaml $lang:menu.$lang.yaml
"""

DOCUMENTS = {
    "po4a.cfg": CONFIGURATION,
    "garden.1": ".TH GARDEN 1\n.SH NAME\ngarden \\- keep a garden\n.SH OPTIONS\n.TP\n\\fB\\-\\-frost\\fR\nProtect the plants.\n",
    "guide.xml": '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<!DOCTYPE article PUBLIC "-//OASIS//DTD DocBook XML V4.5//EN" "http://www.oasis-open.org/docbook/xml/4.5/docbookx.dtd">\n'
    "<article><title>Guide</title><para>Water the <emphasis>roses</emphasis> daily.</para></article>\n",
    "notes.md": "# Notes\n\nProtect the plants.\n\n* first point\n* second point\n\n```\nverbatim code\n```\n",
    "tool.pod": "=encoding UTF-8\n\n=head1 NAME\n\ntool - turn the soil\n\n=over 4\n\n=item B<--deep>\n\nTurn it deeply.\n\n=back\n\n=cut\n",
    "book.sgml": '<!DOCTYPE article PUBLIC "-//OASIS//DTD DocBook V4.5//EN">\n'
    "<article><title>Old book<para>Plant in spring.</article>\n",
    "menu.yaml": "title: Menu of the day\nitems:\n  - Bean soup\n  - Plum cake\n",
}

WORDS = {
    "garden - keep a garden": "garden - stará sa o záhradu",
    "Protect the plants.": "Chráni rastliny.",
    "Guide": "Príručka",
    "Notes": "Poznámky",
    "first point": "prvý bod",
    "Turn it deeply.": "Prekope hlboko.",
    "Plant in spring.": "Sadiť na jar.",
    "Bean soup": "Fazuľová polievka",
    "NAME": "NÁZOV",
}

FILE = """\
msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Language: sk\\n"
"""


def smoke(box: Box) -> None:
    for name, text in DOCUMENTS.items():
        (box.volume / name).write_text(text)
    (box.volume / "po").mkdir()
    (box.volume / "po/garden.pot").touch()
    (box.volume / "po/sk.po").write_text(FILE)
    (box.volume / "po").chmod(0o777)
    project(box)
    single(box)
    refusals(box)


def project(box: Box) -> None:
    """A configured project: strings gathered, translated, injected into every format, and counted."""
    box.run("po4a", "po4a.cfg", cwd="/volume")
    template = (box.volume / "po/garden.pot").read_text()
    expect(all(f'msgid "{word}"' in template for word in ("Guide", "Bean soup", "Plant in spring.")), f"{template!r}")
    entries = "".join(f'\nmsgid "{word}"\nmsgstr "{translation}"\n' for word, translation in WORDS.items())
    (box.volume / "po/sk.po").write_text(f"{FILE}{entries}")
    said = box.run("po4a", "--verbose", "--force", "po4a.cfg", cwd="/volume")
    expect("translated message" in said.out + said.err, f"no statistics: {said.out!r} {said.err!r}")
    wanted = {
        "garden.sk.1": ("stará sa o záhradu", "Chráni rastliny.", ".SH NÁZOV"),
        "guide.sk.xml": ("<title>Príručka</title>", "<emphasis>roses</emphasis>"),
        "notes.sk.md": ("# Poznámky", "Chráni rastliny.", "* prvý bod", "verbatim code"),
        "tool.sk.pod": ("=head1 NÁZOV", "Prekope hlboko."),
        "book.sk.sgml": ("Sadiť na jar.", "Old book"),
        "menu.sk.yaml": ("Fazuľová polievka", "Plum cake"),
    }
    for name, texts in wanted.items():
        made = (box.volume / name).read_text()
        for text in texts:
            expect(text in made, f"{name} lacks {text!r}: {made!r}")
    (box.volume / "notes.md").write_text(DOCUMENTS["notes.md"].replace("the plants", "all the plants"))
    box.run("po4a", "po4a.cfg", cwd="/volume")
    expect("#, fuzzy" in (box.volume / "po/sk.po").read_text(), "a changed string is not marked for review")


def single(box: Box) -> None:
    """One document at a time: gettextize with an existing translation, update, translate, normalise."""
    (box.volume / "old.sk.pod").write_text(DOCUMENTS["tool.pod"].replace("turn the soil", "rýľuje"))
    box.run(
        "po4a-gettextize",
        "-f",
        "pod",
        "-m",
        "tool.pod",
        "-l",
        "old.sk.pod",
        "-L",
        "UTF-8",
        "-p",
        "tool.po",
        cwd="/volume",
    )
    expect("rýľuje" in (box.volume / "tool.po").read_text(), "the old translation was not taken over")
    text = (box.volume / "tool.po").read_text().replace("#, fuzzy, ", "#, ").replace("#, fuzzy\n", "")
    (box.volume / "tool.po").write_text(text)
    (box.volume / "tool.pod").write_text(
        DOCUMENTS["tool.pod"].replace("=back", "=item B<--wide>\n\nTurn it widely.\n\n=back")
    )
    box.run("po4a-updatepo", "-f", "pod", "-m", "tool.pod", "-p", "tool.po", cwd="/volume")
    expect("Turn it widely." in (box.volume / "tool.po").read_text(), "the new string is not in the PO file")
    box.run(
        "po4a-translate", "-f", "pod", "-m", "tool.pod", "-p", "tool.po", "-l", "tool.out", "-k", "0", cwd="/volume"
    )
    expect("tool - rýľuje" in (box.volume / "tool.out").read_text(), "the translation is not in the document")
    box.run("po4a-normalize", "-f", "man", "garden.1", cwd="/volume")
    expect(".SH OPTIONS" in (box.volume / "po4a-normalize.output").read_text(), "the normalised page lacks a section")
    formats = box.run("po4a-translate", "--help-format", cwd="/volume", code=None)
    same("docbook" in formats.out + formats.err, True, "the list of formats names docbook")


def refusals(box: Box) -> None:
    """A master document that is not well formed, and a PO file that is none, are refused by name."""
    (box.volume / "bad.xml").write_text("<article><para>open</article>\n")
    bad = box.run(
        "po4a-translate", "-f", "xml", "-m", "bad.xml", "-p", "tool.po", "-l", "bad.out", cwd="/volume", code=None
    )
    expect(bad.code != 0 and "bad.xml:1" in bad.err and "</article>" in bad.err, f"another message: {bad.err!r}")
    (box.volume / "bad.po").write_text('msgid "open\nmsgstr ""\n')
    bad = box.run(
        "po4a-translate", "-f", "pod", "-m", "tool.pod", "-p", "bad.po", "-l", "x.out", cwd="/volume", code=None
    )
    expect(
        bad.code != 0 and "bad.po:2: end-of-line within string" in bad.err,
        f"a wrong PO file got another message: {bad.err!r}",
    )


APP = App(
    name="po4a",
    packages=("po4a", "docbook"),
    entries=("cmd:po4a", "cmd:po4a-gettextize", "cmd:po4a-updatepo", "cmd:po4a-translate", "cmd:po4a-normalize"),
    smoke=smoke,
    needed=(
        Needed(kind="program", glob="/usr/share/perl5/Locale/Po4a/Docbook.pm"),
        Needed(kind="program", glob="/usr/share/perl5/Locale/Po4a/Sgml.pm"),
        Needed(kind="program", glob="/usr/share/perl5/SGMLS.pm"),
        Needed(kind="program", glob="/usr/bin/msgmerge"),
        Needed(kind="program", glob="/usr/bin/onsgmls"),
        Needed(kind="library", glob="/usr/lib/libosp.so.5*"),
        Needed(kind="plugin", glob="/usr/lib/*-linux-gnu/perl5/5.36/auto/Syntax/Keyword/Try/Try.so"),
    ),
)
