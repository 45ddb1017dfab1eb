"""Debian's node without packages of npm: a script that calls a service and answers."""

from __future__ import annotations

import hashlib
import json

import trustme

from tests.corpus.model import App, Needed, expect, same
from tests.corpus.peers import SLOVAK, Catalogue
from tests.corpus.roots import authority
from tests.corpus.sandbox import HOST, Box

MAIN = r""""use strict";
const crypto = require("crypto");
const dns = require("dns").promises;
const https = require("https");
const path = require("path");
const { Worker } = require("worker_threads");
const zlib = require("zlib");
const { sorted } = require("./lib/list");

function fetchText(url) {
  return new Promise((resolve, reject) => {
    https.get(url, (answer) => {
      let text = "";
      answer.setEncoding("utf8");
      answer.on("data", (part) => (text += part));
      answer.on("end", () => resolve(text));
    }).on("error", reject);
  });
}

function inWorker(number) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(path.join(__dirname, "lib", "worker.js"), { workerData: number });
    worker.on("message", resolve);
    worker.on("error", reject);
  });
}

async function main() {
  const items = JSON.parse(await fetchText(process.argv[2])).items;
  const { mean } = await import("./lib/mean.mjs");
  const noon = new Date(Date.UTC(2024, 6, 1, 10));
  console.log(JSON.stringify({
    names: sorted(items),
    digest: crypto.createHash("sha256").update(sorted(items).join("")).digest("hex"),
    zlib: zlib.gunzipSync(zlib.gzipSync("round")).toString(),
    brotli: zlib.brotliDecompressSync(zlib.brotliCompressSync("round")).toString(),
    noon: new Intl.DateTimeFormat("sk", { timeStyle: "short", timeZone: "Europe/Bratislava" }).format(noon),
    month: new Intl.DateTimeFormat("sk", { month: "long", timeZone: "UTC" }).format(noon),
    localhost: (await dns.lookup("localhost", { family: 4 })).address,
    worker: await inWorker(20),
    mean: mean([1, 2, 3]),
    latin1: new TextDecoder("iso-8859-2").decode(Uint8Array.of(0xb5)),
  }));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
"""

LIST = """"use strict";
exports.sorted = (items) => [...items].sort(new Intl.Collator("sk").compare);
"""

WORKER = """"use strict";
const { parentPort, workerData } = require("worker_threads");
const fibonacci = (n) => (n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2));
parentPort.postMessage(fibonacci(workerData));
"""

MEAN = """export const mean = (numbers) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
"""


def smoke(box: Box) -> None:
    with box.serve(Catalogue, 9443, tls=authority()):
        said = json.loads(box.run("node", "/app/main.js", f"https://{HOST}:9443/items").out)
    same(said["names"], list(SLOVAK), "names in Slovak order")
    same(said["digest"], hashlib.sha256("".join(SLOVAK).encode()).hexdigest(), "digest")
    same((said["zlib"], said["brotli"]), ("round", "round"), "compression")
    same((said["noon"], said["month"]), ("12:00", "júl"), "noon in Bratislava and a Slovak month")
    same(
        (said["localhost"], said["worker"], said["mean"]),
        ("127.0.0.1", 6765, 2),
        "address of localhost, worker, module",
    )
    same(said["latin1"], "ľ", "a letter from ISO-8859-2")
    with box.serve(Catalogue, 9444, tls=trustme.CA()):
        refused = box.run("node", "/app/main.js", f"https://{HOST}:9444/items", code=1)
    expect(
        "unable to" in refused.err and "certificate" in refused.err,
        f"an unknown authority was not refused as such: {refused.err!r}",
    )


APP = App(
    name="node",
    packages=("nodejs",),
    files={"/app/main.js": MAIN, "/app/lib/list.js": LIST, "/app/lib/worker.js": WORKER, "/app/lib/mean.mjs": MEAN},
    entries=("cmd:node /app/main.js",),
    smoke=smoke,
    needed=(
        Needed(kind="library", glob="/usr/lib/*-linux-gnu/libnode.so.108"),
        Needed(kind="library", glob="/usr/lib/*-linux-gnu/libicui18n.so.72*"),
        Needed(kind="library", glob="/usr/lib/*-linux-gnu/libbrotlienc.so.1*"),
        Needed(kind="program", glob="/app/lib/mean.mjs"),
        Needed(kind="program", glob="/app/lib/worker.js"),
        Needed(kind="state", glob="/etc/ssl/certs"),
    ),
    s3_mb=111.4,
    fat_mb=275.2,
)
