"""tesseract: pictures read in two languages, as text, table, hOCR and PDF, and the turn of a page found."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
import zlib
from typing import TYPE_CHECKING

from tests.corpus.model import App, Needed, expect, same

if TYPE_CHECKING:
    from tests.corpus.sandbox import Box, Done

ENGLISH = "The quick brown fox jumps\nover the lazy dog in 1984."
SLOVAK = "Desať ďatľov učí koňa\nžrať kôru, väčšmi než včera."
FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSerif.ttf"
LONG = (
    "It was a bright cold day in April and the clocks\nwere striking. He slipped quickly through the\n"
    "glass doors of the old house, though not quickly\nenough to prevent a swirl of gritty dust from\n"
    "entering along with him. The hallway smelt of\nboiled cabbage and old rag mats. At one end of\n"
    "it a coloured poster had been tacked to the wall."
)


def smoke(box: Box) -> None:
    picture(box, "english.png", ENGLISH)
    picture(box, "slovak.tif", SLOVAK)
    picture(box, "table.jpg", "apple 12 pear 7", "-quality", "90")
    picture(box, "page.png", LONG, "-rotate", "180")
    picture(box, "digits.png", "A17 B25 C39")
    texts(box)
    formats(box)
    questions(box)


def texts(box: Box) -> None:
    """Text of PNG and TIFF, of a pipe, of a list of pictures, in two languages, and of a chosen alphabet."""
    same(read(box, "english.png"), ENGLISH, "an English text")
    same(read(box, "slovak.tif", "-l", "slk"), SLOVAK, "a Slovak text")
    both = read(box, "slovak.tif", "-l", "slk+eng", "--psm", "6")
    expect("ďatľov" in both, f"with two languages: {both!r}")
    piped = box.run("tesseract", "-", "-", stdin=(box.volume / "english.png").read_bytes()).out.strip()
    same(piped, ENGLISH, "the text of a pipe")
    (box.volume / "list.txt").write_text("/volume/english.png\n/volume/digits.png\n")
    listed = read(box, "list.txt")
    expect("lazy dog" in listed and "C39" in listed, f"the text of a list: {listed!r}")
    digits = read(box, "digits.png", "--psm", "7", "-c", "tessedit_char_whitelist=0123456789")
    same(re.sub(r"\D", "", digits)[-6:].count("9"), 1, f"digits only: {digits!r}")
    expect(not re.search("[A-Z]", digits), f"letters though only digits were asked for: {digits!r}")


def formats(box: Box) -> None:
    """A table with places and confidence, hOCR and ALTO that are XML, and a PDF with picture and text."""
    tesseract(box, "/volume/table.jpg", "/volume/table", "--psm", "7", "tsv")
    rows = [line.split("\t") for line in (box.volume / "table.tsv").read_text().splitlines()]
    words = {row[11]: float(row[10]) for row in rows[1:] if row[11].strip()}
    same(list(words), ["apple", "12", "pear", "7"], "words of the table")
    expect(min(words.values()) > 50, f"confidence: {words}")
    tesseract(box, "/volume/english.png", "/volume/english", "hocr", "alto", "txt", "pdf")
    hocr = ET.parse(box.volume / "english.hocr")
    spans = ["".join(span.itertext()) for span in hocr.iter() if span.get("class") == "ocrx_word"]
    same(spans, ENGLISH.split(), "words of the hOCR file")
    alto = [item.get("CONTENT") for item in ET.parse(box.volume / "english.xml").iter() if item.tag.endswith("String")]
    same(alto, ENGLISH.split(), "words of the ALTO file")
    same((box.volume / "english.txt").read_text().strip(), ENGLISH, "the text file beside them")
    pdf = (box.volume / "english.pdf").read_bytes()
    streams = [unpacked(found) for found in re.findall(rb"stream\n(.*?)\n?endstream", pdf, re.DOTALL)]
    expect(pdf.startswith(b"%PDF-1.5") and b"/GlyphLessFont" in pdf, f"no PDF with its font: {pdf[:200]!r}")
    expect(
        any("quick".encode("utf-16-be").hex().upper().encode() in stream for stream in streams), "no text in the PDF"
    )


def questions(box: Box) -> None:
    """Languages, the turn of a page, parameters, and two refusals."""
    same(box.run("tesseract", "--list-langs").out.splitlines()[1:], ["eng", "osd", "slk"], "the languages")
    turned = box.run("tesseract", "/volume/page.png", "-", "--psm", "0").out
    expect("Orientation in degrees: 180" in turned and "Script: Latin" in turned, f"the turn of the page: {turned!r}")
    straight = read(box, "page.png", "--psm", "1")
    expect("boiled cabbage" in straight, f"the page was not turned: {straight!r}")
    expect("tessedit_create_pdf" in box.run("tesseract", "--print-parameters").out, "no parameters")
    absent = tesseract(box, "/volume/english.png", "-", "-l", "tlh", code=1)
    expect("tlh.traineddata" in absent.err, f"an absent language: {absent.err!r}")
    (box.volume / "none.png").write_text("no picture\n")
    bad = tesseract(box, "/volume/none.png", "-", code=1)
    expect("Error during processing" in bad.err, f"no picture: {bad.err!r}")


def picture(box: Box, name: str, text: str, *words: str) -> None:
    """Make a picture of `text` on the volume with the tools root's ImageMagick."""
    look = ("-background", "white", "-fill", "black", "-density", "300", "-units", "PixelsPerInch", "-pointsize", "12")
    box.tool("convert", *look, "-font", FONT, f"label:{text}", "-bordercolor", "white", "-border", "60", "-depth", "8", *words,
             f"/volume/{name}")  # fmt: skip


def read(box: Box, name: str, *words: str) -> str:
    """The text of a picture of the volume, without blank lines."""
    said = tesseract(box, f"/volume/{name}", "-", *words).out
    return "\n".join(line for line in said.replace("\f", "").splitlines() if line.strip())


def unpacked(stream: bytes) -> bytes:
    try:
        return zlib.decompress(stream)
    except zlib.error:
        return b""


def tesseract(box: Box, *words: str, code: int = 0) -> Done:
    return box.run("tesseract", *words, code=code, env={"OMP_THREAD_LIMIT": "1"})


APP = App(
    name="tesseract-ocr",
    packages=("tesseract-ocr", "tesseract-ocr-slk"),
    tools=("imagemagick", "fonts-dejavu-core"),
    entries=("cmd:tesseract",),
    smoke=smoke,
    needed=(
        Needed(kind="library", glob="/usr/lib/*-linux-gnu/liblept.so.5*"),
        Needed(kind="library", glob="/usr/lib/*-linux-gnu/libtiff.so.6*"),
        Needed(kind="data", glob="/usr/share/tesseract-ocr/5/tessdata/slk.traineddata"),
        Needed(kind="data", glob="/usr/share/tesseract-ocr/5/tessdata/osd.traineddata"),
        Needed(kind="config", glob="/usr/share/tesseract-ocr/5/tessdata/configs/pdf"),
        Needed(kind="config", glob="/usr/share/tesseract-ocr/5/tessdata/configs/hocr"),
        Needed(kind="config", glob="/usr/share/tesseract-ocr/5/tessdata/configs/tsv"),
    ),
)
