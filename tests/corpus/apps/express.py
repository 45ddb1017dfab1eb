"""An Express application with its node_modules from npm, development dependencies left in."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

from tests.corpus.model import App, Needed, Runtime, same

if TYPE_CHECKING:
    from tests.corpus.roots import Build
    from tests.corpus.sandbox import Box

SERVER = """"use strict";
const express = require("express");
const { Catalogue } = require("./lib/catalogue");

const catalogue = new Catalogue();
const app = express();
app.use(express.json());
app.use("/static", express.static(__dirname + "/public"));

app.post("/items", (request, response) => {
  const { name, price } = request.body;
  if (!name || !(price > 0)) return response.status(422).json({ error: "name and price are needed" });
  response.status(201).json(catalogue.add(name, price));
});

app.get("/items/:name", (request, response) => {
  const item = catalogue.find(request.params.name);
  if (!item) return response.status(404).json({ error: "no such item" });
  response.json(item);
});

app.get("/noon", (request, response) => {
  const noon = new Date(Date.UTC(2024, 6, 1, 10));
  response.json({ local: new Intl.DateTimeFormat("sk", { timeStyle: "short", timeZone: "Europe/Bratislava" }).format(noon) });
});

const server = app.listen(3000, () => console.log("listening"));
process.on("SIGTERM", () => server.close(() => process.exit(0)));
"""

CATALOGUE = """"use strict";

class Catalogue {
  #prices = new Map();

  add(name, price) {
    this.#prices.set(name, price);
    return this.find(name);
  }

  find(name) {
    return this.#prices.has(name) ? { name, price: this.#prices.get(name) } : undefined;
  }
}

module.exports = { Catalogue };
"""

PACKAGE = {
    "name": "corpus",
    "version": "1.0.0",
    "private": True,
    "main": "server.js",
    "dependencies": {"express": "4.21.2"},
    "devDependencies": {"lodash": "4.17.21", "moment": "2.30.1", "typescript": "5.4.5"},
}


def setup(build: Build) -> None:
    """Install with the host's npm, development dependencies included, as many images are made."""
    (build.scratch / "package.json").write_text((build.root / "app/package.json").read_text())
    build.outside("npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", cwd=build.scratch)
    shutil.copytree(build.scratch / "node_modules", build.root / "app/node_modules", symlinks=True)
    shutil.copy(build.scratch / "package-lock.json", build.root / "app/package-lock.json")


def smoke(box: Box) -> None:
    service = box.start("node", "/app/server.js", user="www-data")
    service.ready(3000)
    url = "http://localhost:3000"
    item = {"name": "čaj", "price": 2.5}
    made = box.fetch(
        f"{url}/items", data=json.dumps(item).encode(), headers={"Content-Type": "application/json"}, status=201
    )
    same(json.loads(made.body), item, "the item made")
    same(json.loads(box.fetch(f"{url}/items/%C4%8Daj").body), item, "the item found")
    box.fetch(f"{url}/items", data=b"{}", headers={"Content-Type": "application/json"}, status=422)
    box.fetch(f"{url}/items/absent", status=404)
    same(json.loads(box.fetch(f"{url}/noon").body)["local"], "12:00", "noon in Bratislava")
    style = box.fetch(f"{url}/static/site.css")
    same(
        (style.text, style.headers["content-type"]),
        ("body { color: black }\n", "text/css; charset=UTF-8"),
        "a static file and its type",
    )
    service.stop()


APP = App(
    name="express",
    packages=("nodejs",),
    files={
        "/app/server.js": SERVER,
        "/app/lib/catalogue.js": CATALOGUE,
        "/app/public/site.css": "body { color: black }\n",
        "/app/package.json": json.dumps(PACKAGE, indent=2) + "\n",
    },
    setup=setup,
    entries=("cmd:node /app/server.js",),
    smoke=smoke,
    needed=(
        Needed(kind="library", glob="/usr/lib/*-linux-gnu/libnode.so.108"),
        Needed(kind="program", glob="/app/node_modules/body-parser/lib/types/json.js"),
        Needed(kind="program", glob="/app/lib/catalogue.js"),
        Needed(kind="data", glob="/app/public/site.css"),
        Needed(kind="data", glob="/app/node_modules/mime/types.json"),
        Needed(kind="program", glob="/app/node_modules/express/lib/express.js"),
    ),
    gone=tuple(f"/app/node_modules/{name}" for name in ("lodash", "moment", "typescript")),
    runtime=Runtime(
        packages=(
            "nodejs",
            "libnode108",
            "node-acorn",
            "node-cjs-module-lexer",
            "node-undici",
            "node-busboy",
            "node-xtend",
        ),
        tree="/app/node_modules",
        distributions=("express",),
    ),
    outside=True,
)
