"""qpdf: check, linearise, encrypt, split, merge, rotate, and explain PDF files."""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING

from tests.corpus.model import App, Needed, expect, same

if TYPE_CHECKING:
    from tests.corpus.sandbox import Box


def smoke(box: Box) -> None:
    for name, texts in (("letter", ["one", "two", "three"]), ("stamp", ["COPY"])):
        (box.volume / f"{name}.pdf").write_bytes(pdf(texts))
    same(qpdf(box, "--show-npages", "letter.pdf"), "3", "pages of the letter")
    expect("No syntax or stream encoding errors found" in qpdf(box, "--check", "letter.pdf"), "the letter is not clean")
    rewriting(box)
    encryption(box)
    selection(box)
    damage(box)


def rewriting(box: Box) -> None:
    """Linearised, with object streams, as editable text and back, and as JSON and back."""
    qpdf(box, "--linearize", "--object-streams=generate", "letter.pdf", "web.pdf")
    expect("File is linearized" in qpdf(box, "--check", "web.pdf"), "the file is not linearised")
    expect(b"/ObjStm" in (box.volume / "web.pdf").read_bytes(), "no object stream")
    qpdf(box, "--qdf", "--object-streams=disable", "web.pdf", "text.pdf")
    text = (box.volume / "text.pdf").read_bytes()
    expect(b"(two) Tj" in text, "the text of page two is not plain")
    (box.volume / "edited.pdf").write_bytes(text.replace(b"(two) Tj", b"(second) Tj"))
    fixed = box.run("fix-qdf", "edited.pdf", cwd="/volume").raw
    (box.volume / "fixed.pdf").write_bytes(fixed)
    expect("No syntax or stream encoding errors found" in qpdf(box, "--check", "fixed.pdf"), "fix-qdf left errors")
    document = json.loads(qpdf(box, "--json", "fixed.pdf"))
    same(len(document["pages"]), 3, "pages in the JSON form")
    qpdf(box, "--json-output", "fixed.pdf", "fixed.json")
    qpdf(box, "--json-input", "fixed.json", "again.pdf")
    same(qpdf(box, "--show-npages", "again.pdf"), "3", "pages after the way through JSON")
    plain = b"dobry den " * 50
    packed = box.run("zlib-flate", "-compress", stdin=plain).raw
    same(zlib.decompress(packed), plain, "what zlib-flate compressed")


def encryption(box: Box) -> None:
    """AES-256 with two passwords and permissions; the wrong password is refused."""
    words = ("--encrypt", "user", "owner", "256", "--print=none", "--")
    qpdf(box, *words, "letter.pdf", "locked.pdf")
    said = qpdf(box, "--password=user", "--show-encryption", "locked.pdf")
    expect("R = 6" in said and "print low resolution: not allowed" in said, f"another encryption: {said!r}")
    wrong = box.run("qpdf", "--password=guess", "--check", "locked.pdf", cwd="/volume", code=2)
    expect("invalid password" in wrong.err, f"a wrong password got another message: {wrong.err!r}")
    qpdf(box, "--password=owner", "--decrypt", "--stream-data=uncompress", "locked.pdf", "open.pdf")
    expect(b"(three) Tj" in (box.volume / "open.pdf").read_bytes(), "the decrypted file lacks its text")
    qpdf(box, "--allow-weak-crypto", "--encrypt", "u", "o", "128", "--use-aes=n", "--", "letter.pdf", "old.pdf")
    same(qpdf(box, "--password=u", "--show-npages", "old.pdf"), "3", "pages of a file encrypted with RC4")


def selection(box: Box) -> None:
    """Split into single pages, put together in another order, rotated and stamped."""
    qpdf(box, "--split-pages", "letter.pdf", "page-%d.pdf")
    same(sorted(path.name for path in box.volume.glob("page-*.pdf")), [f"page-{n}.pdf" for n in (1, 2, 3)], "parts")
    qpdf(box, "--empty", "--pages", "letter.pdf", "3,1", "stamp.pdf", "--", "--rotate=+90:1", "merged.pdf")
    qpdf(box, "--overlay", "stamp.pdf", "--repeat=1", "--", "merged.pdf", "stamped.pdf")
    document = json.loads(qpdf(box, "--json=1", "stamped.pdf"))
    first = document["objects"][document["pages"][0]["object"]]
    same(first["/Rotate"], 90, "rotation of the first page")
    expect("/XObject" in first["/Resources"], f"no stamp on the first page: {first!r}")
    qpdf(box, "--qdf", "merged.pdf", "plain.pdf")
    text = (box.volume / "plain.pdf").read_bytes()
    order = [text.find(f"({word}) Tj".encode()) for word in ("three", "one", "COPY")]
    expect(-1 not in order and b"(two)" not in text, f"other pages than were asked for: {order}")


def damage(box: Box) -> None:
    """A file whose cross-reference table is gone is rebuilt with a warning; what is no PDF is refused."""
    data = (box.volume / "letter.pdf").read_bytes()
    (box.volume / "broken.pdf").write_bytes(data.replace(b"startxref", b"startxxxx"))
    mended = box.run("qpdf", "broken.pdf", "mended.pdf", cwd="/volume", code=3)
    expect("Attempting to reconstruct cross-reference table" in mended.err, f"another warning: {mended.err!r}")
    same(qpdf(box, "--show-npages", "mended.pdf"), "3", "pages of the mended file")
    (box.volume / "not.pdf").write_text("a letter")
    refused = box.run("qpdf", "--check", "not.pdf", cwd="/volume", code=2)
    expect("can't find PDF header" in refused.err, f"no complaint about the header: {refused.err!r}")


def qpdf(box: Box, *words: str) -> str:
    """What qpdf prints, in the directory of the files."""
    return box.run("qpdf", *words, cwd="/volume").out.strip()


def pdf(texts: list[str]) -> bytes:
    """A PDF 1.4 file with one line of text on each page (ISO 32000-1, section 7.5)."""
    numbers = range(len(texts))
    kids = " ".join(f"{4 + 2 * n} 0 R" for n in numbers)
    bodies = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Count {len(texts)} /Kids [ {kids} ] >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for number, text in enumerate(texts):
        bodies += [
            f"<< /Type /Page /Parent 2 0 R /MediaBox [ 0 0 300 200 ] /Contents {5 + 2 * number} 0 R"
            " /Resources << /Font << /F1 3 0 R >> >> >>",
            f"<< /Length {len(text) + 36} >>\nstream\nBT /F1 24 Tf 20 100 Td ({text}) Tj ET    \nendstream",
        ]
    data, places = b"%PDF-1.4\n", []
    for number, body in enumerate(bodies, 1):
        places.append(len(data))
        data += f"{number} 0 obj\n{body}\nendobj\n".encode()
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    count = len(bodies) + 1
    tail = f"xref\n0 {count}\n0000000000 65535 f \n{table}trailer\n<< /Size {count} /Root 1 0 R >>\nstartxref\n{len(data)}\n%%EOF\n"
    return data + tail.encode()


APP = App(
    name="qpdf",
    packages=("qpdf",),
    entries=("cmd:qpdf", "cmd:fix-qdf", "cmd:zlib-flate"),
    smoke=smoke,
    needed=(
        Needed(kind="library", glob="/usr/lib/*-linux-gnu/libqpdf.so.29*"),
        Needed(kind="library", glob="/usr/lib/*-linux-gnu/libgnutls.so.30*"),
        Needed(kind="library", glob="/usr/lib/*-linux-gnu/libjpeg.so.62*"),
        Needed(kind="program", glob="/usr/bin/fix-qdf"),
    ),
)
