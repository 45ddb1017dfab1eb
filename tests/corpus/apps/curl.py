"""curl, on its own, over http and https."""

from __future__ import annotations

import json

import trustme

from tests.corpus.model import App, Needed, expect, same
from tests.corpus.peers import NAMES, Catalogue
from tests.corpus.roots import authority
from tests.corpus.sandbox import HOST, Box


def smoke(box: Box) -> None:
    with box.serve(Catalogue, 9080):
        plain = box.run("curl", "-sS", "--compressed", "-D", "/tmp/head", "http://localhost:9080/items?gzip")
        same(json.loads(plain.out)["items"], list(NAMES), "items of a compressed answer")
        expect("Content-Encoding: gzip" in (box.root / "tmp/head").read_text(), "the answer was not compressed")
        (box.volume / "form.txt").write_text("dobrý deň")
        posted = box.run(
            "curl", "-sS", "-F", "file=@/volume/form.txt;type=text/plain", "-b", "a=1", "http://localhost:9080/echo"
        )
        expect(
            "dobrý deň" in posted.out and 'filename="form.txt"' in posted.out,
            f"the form did not arrive: {posted.out!r}",
        )
        code = box.run("curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "http://localhost:9080/absent").out
        same(code, "404", "status of an absent page")
    with box.serve(Catalogue, 9443, tls=authority()):
        secure = box.run("curl", "-sS", "--fail", f"https://{HOST}:9443/items")
        same(json.loads(secure.out)["items"], list(NAMES), "items over https")
    stranger = trustme.CA()
    stranger.cert_pem.write_to_path(str(box.volume / "stranger.pem"))
    with box.serve(Catalogue, 9444, tls=stranger):
        refused = box.run("curl", "-sS", f"https://{HOST}:9444/items", code=60)
        expect("unable to get local issuer" in refused.err, f"refused for another reason: {refused.err!r}")
        box.run("curl", "-sS", "--fail", "--cacert", "/volume/stranger.pem", f"https://{HOST}:9444/items")
    unknown = box.run("curl", "-sS", "http://absent.test/", code=6)
    expect("Could not resolve host" in unknown.err, f"another error: {unknown.err!r}")
    box.run("curl", "-sS", "http://localhost:1/", code=7)


APP = App(
    name="curl",
    packages=(),
    entries=("/usr/bin/curl",),
    smoke=smoke,
    needed=(
        Needed(kind="library", glob="/usr/lib/*-linux-gnu/libnghttp2.so.14*"),
        Needed(kind="library", glob="/usr/lib/*-linux-gnu/libssl.so.3"),
        Needed(kind="state", glob="/etc/ssl/certs/ca-certificates.crt"),
    ),
    s3_mb=28.2,
    fat_mb=183.7,
)
