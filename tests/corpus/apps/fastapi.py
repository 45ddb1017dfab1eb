"""FastAPI and uvicorn in a pip virtual environment, with distributions beside them that nothing uses."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from tests.corpus.model import App, Needed, Runtime, expect, same

if TYPE_CHECKING:
    from tests.corpus.roots import Build
    from tests.corpus.sandbox import Box

MAIN = """\
import sqlite3
from datetime import datetime
from zoneinfo import ZoneInfo

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, Field

from catalogue import Catalogue

app = FastAPI(title="corpus")
catalogue = Catalogue()


class Item(BaseModel):
    name: str = Field(min_length=1)
    price: float = Field(gt=0)


@app.post("/items", status_code=201)
def add(item: Item) -> Item:
    catalogue.add(item.name, item.price)
    return item


@app.get("/items/{name}")
def show(name: str) -> Item:
    found = catalogue.price(name)
    if found is None:
        raise HTTPException(status_code=404, detail="no such item")
    return Item(name=name, price=found)


@app.get("/noon")
async def noon() -> dict[str, str]:
    local = datetime(2024, 7, 1, 12, tzinfo=ZoneInfo("Europe/Bratislava"))
    return {"utc": local.astimezone(ZoneInfo("UTC")).isoformat(), "sqlite": sqlite3.sqlite_version}
"""

CATALOGUE = """\
import sqlite3
import threading


class Catalogue:
    def __init__(self):
        self._lock = threading.Lock()
        self._base = sqlite3.connect(":memory:", check_same_thread=False)
        self._base.execute("create table item (name text primary key, price real)")

    def add(self, name, price):
        with self._lock:
            self._base.execute("insert or replace into item values (?, ?)", (name, price))

    def price(self, name):
        with self._lock:
            row = self._base.execute("select price from item where name = ?", (name,)).fetchone()
        return row[0] if row else None
"""

DECLARED = ("fastapi==0.115.12", "uvicorn==0.34.2")
UNUSED = ("flask==3.1.1", "numpy==2.2.6", "requests==2.32.4")


def setup(build: Build) -> None:
    """A virtual environment by the root's python; wheels come by the host's pip, which knows the way to an index."""
    wheels = build.root / "tmp/wheels"
    download = ("download", "--quiet", "--only-binary=:all:", "--python-version=3.11", f"--dest={wheels}")
    build.outside(sys.executable, "-m", "pip", *download, *DECLARED, *UNUSED)
    build.inside("python3", "-m", "venv", "/opt/venv")
    build.inside(
        "/opt/venv/bin/pip", "install", "--quiet", "--no-index", "--find-links=/tmp/wheels", *DECLARED, *UNUSED
    )


def smoke(box: Box) -> None:
    service = box.start(
        "/opt/venv/bin/uvicorn", "main:app", "--host", "127.0.0.1", "--port", "8000", cwd="/app", user="www-data"
    )
    service.ready(8000)
    url = "http://localhost:8000"
    item = {"name": "čaj", "price": 2.5}
    made = box.fetch(
        f"{url}/items", data=json.dumps(item).encode(), headers={"Content-Type": "application/json"}, status=201
    )
    same(json.loads(made.body), item, "the item made")
    same(json.loads(box.fetch(f"{url}/items/%C4%8Daj").body), item, "the item found")
    wrong = box.fetch(
        f"{url}/items", data=b'{"name": "", "price": -1}', headers={"Content-Type": "application/json"}, status=422
    )
    same(
        [error["type"] for error in json.loads(wrong.body)["detail"]],
        ["string_too_short", "greater_than"],
        "what pydantic found wrong",
    )
    box.fetch(f"{url}/items/absent", status=404)
    same(json.loads(box.fetch(f"{url}/noon").body)["utc"], "2024-07-01T10:00:00+00:00", "noon in Bratislava")
    same(json.loads(box.fetch(f"{url}/openapi.json").body)["info"]["title"], "corpus", "title of the schema")
    service.stop(codes=(0, -15, 143))
    expect("Application shutdown complete" in service.log, f"no orderly end: {service.log}")


APP = App(
    name="fastapi",
    packages=("python3", "python3-venv"),
    files={"/app/main.py": MAIN, "/app/catalogue.py": CATALOGUE},
    setup=setup,
    entries=("cmd:/opt/venv/bin/uvicorn main:app", "/app/"),
    smoke=smoke,
    needed=(
        Needed(kind="library", glob="/usr/lib/*-linux-gnu/libsqlite3.so.0*"),
        Needed(kind="plugin", glob="/opt/venv/lib/python3.11/site-packages/pydantic_core/_pydantic_core*.so"),
        Needed(kind="program", glob="/opt/venv/lib/python3.11/site-packages/starlette/routing.py"),
        Needed(kind="program", glob="/app/catalogue.py"),
        Needed(kind="data", glob="/usr/share/zoneinfo/Europe/Bratislava"),
        Needed(kind="config", glob="/opt/venv/pyvenv.cfg"),
        Needed(kind="state", glob="/opt/venv/bin/python3"),
    ),
    gone=tuple(
        f"/opt/venv/lib/python3.11/site-packages/{name}*"
        for name in ("flask", "numpy", "requests", "werkzeug", "urllib3")
    ),
    runtime=Runtime(
        packages=(
            "python3.11-minimal",
            "libpython3.11-minimal",
            "libpython3.11-stdlib",
            "python3.11",
            "python3",
            "python3-minimal",
            "libpython3-stdlib",
        ),
        tree="/opt/venv/lib/python3.11/site-packages",
        distributions=("fastapi", "uvicorn"),
    ),
    outside=True,
)
