"""python3 with https, sqlite and json: a script that calls a service and stores what it says."""

from __future__ import annotations

import hashlib
import json

import trustme

from tests.corpus.model import App, Needed, expect, same
from tests.corpus.peers import NAMES, Catalogue
from tests.corpus.roots import authority
from tests.corpus.sandbox import HOST, Box

MAIN = """\
import argparse
import datetime
import hashlib
import json
import locale
import logging
import socket
import sqlite3
import ssl
import sys
import urllib.request
import uuid
import zlib
import zoneinfo

from store import Store


def main():
    parser = argparse.ArgumentParser(description="fetch a list and store it")
    parser.add_argument("url")
    parser.add_argument("database")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    locale.setlocale(locale.LC_ALL, "C.UTF-8")
    with urllib.request.urlopen(options.url, timeout=10) as answer:
        items = json.load(answer)["items"]
    logging.info("fetched %d items", len(items))
    with Store(options.database) as store:
        for item in items:
            store.add(str(uuid.uuid5(uuid.NAMESPACE_URL, item)), item, zlib.compress(item.encode()))
        names = store.names()
    noon = datetime.datetime(2024, 7, 1, 12, tzinfo=zoneinfo.ZoneInfo("Europe/Bratislava"))
    print(json.dumps({
        "names": names,
        "digest": hashlib.sha256("".join(names).encode()).hexdigest(),
        "authorities": ssl.create_default_context().cert_store_stats()["x509_ca"],
        "localhost": sorted({address[4][0] for address in socket.getaddrinfo("localhost", 80, socket.AF_INET)}),
        "noon": noon.astimezone(datetime.timezone.utc).isoformat(),
        "sqlite": sqlite3.sqlite_version_info[0],
        "encoding": locale.nl_langinfo(locale.CODESET),
    }))


if __name__ == "__main__":
    main()
"""

STORE = """\
import sqlite3


class Store:
    def __init__(self, path):
        self.connection = sqlite3.connect(path)
        self.connection.execute("create table if not exists item (id text primary key, name text, body blob)")

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.connection.commit()
        self.connection.close()

    def add(self, key, name, body):
        self.connection.execute("insert or replace into item values (?, ?, ?)", (key, name, body))

    def names(self):
        return [row[0] for row in self.connection.execute("select name from item order by name")]
"""


def smoke(box: Box) -> None:
    with box.serve(Catalogue, 9443, tls=authority()):
        done = box.run("python3", "/app/main.py", f"https://{HOST}:9443/items", "/tmp/store.db")
    said = json.loads(done.out)
    same(said["names"], sorted(NAMES), "names from sqlite")
    same(said["digest"], hashlib.sha256("".join(sorted(NAMES)).encode()).hexdigest(), "digest")
    expect(said["authorities"] > 100, f"{said['authorities']} certificate authorities, not over 100")
    same(said["localhost"], ["127.0.0.1"], "addresses of localhost")
    same(said["noon"], "2024-07-01T10:00:00+00:00", "noon in Bratislava")
    same((said["sqlite"], said["encoding"]), (3, "UTF-8"), "sqlite version and encoding")
    expect("fetched 4 items" in done.err, f"no log line: {done.err!r}")
    expect((box.root / "tmp/store.db").stat().st_size > 0, "the database was not written")
    with box.serve(Catalogue, 9444, tls=trustme.CA()):
        refused = box.run("python3", "/app/main.py", f"https://{HOST}:9444/items", "/tmp/other.db", code=1)
    expect(
        "CERTIFICATE_VERIFY_FAILED" in refused.err,
        f"an unknown authority was not refused as such: {refused.err[-500:]}",
    )


APP = App(
    name="python",
    packages=("python3", "python3-requests"),
    files={"/app/main.py": MAIN, "/app/store.py": STORE},
    entries=("cmd:python3 /app/main.py",),
    smoke=smoke,
    needed=(
        Needed(kind="library", glob="/usr/lib/*-linux-gnu/libssl.so.3"),
        Needed(kind="library", glob="/usr/lib/*-linux-gnu/libsqlite3.so.0*"),
        Needed(kind="plugin", glob="/usr/lib/python3.11/lib-dynload/_sqlite3*.so"),
        Needed(kind="program", glob="/usr/lib/python3.11/http/client.py"),
        Needed(kind="program", glob="/app/store.py"),
        Needed(kind="data", glob="/usr/share/zoneinfo/Europe/Bratislava"),
        Needed(kind="state", glob="/etc/ssl/certs/ca-certificates.crt"),
    ),
    gone=tuple(f"/usr/lib/python3/dist-packages/{name}" for name in ("requests", "urllib3", "chardet")),
    s3_mb=36.8,
    fat_mb=225.5,
)
