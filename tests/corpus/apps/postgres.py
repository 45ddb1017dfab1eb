"""postgresql-15: a new cluster, then time zones, ICU collation, full-text search and extensions."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from tests.corpus.model import App, Needed, expect, same

if TYPE_CHECKING:
    from tests.corpus.sandbox import Box

BIN = "/usr/lib/postgresql/15/bin"
# "ch" follows "h" in Slovak
QUESTIONS = {
    "select timestamptz '2024-07-01 12:00 Europe/Bratislava' at time zone 'UTC'": "2024-07-01 10:00:00",
    "select string_agg(w, ',' order by w collate \"sk-x-icu\") from unnest(array['ihla','chata','hora','čaj','cena']) w": "cena,čaj,hora,chata,ihla",
    "select to_tsvector('english', 'The dogs were running')": "'dog':2 'run':4",
    "select to_tsvector('german', 'Die Häuser') @@ to_tsquery('german', 'Haus')": "t",
    "create extension pg_trgm; select round(similarity('word', 'words')::numeric, 2)": "0.57",
    "create table kept (name text); insert into kept values ('žaba'); select upper(name) from kept": "ŽABA",
    "select (xpath('/a/b/text()', '<a><b>c</b></a>'))[1]": "c",
    "do $$ begin for i in 1..3 loop perform i; end loop; end $$; select 'done'": "done",
    "select jsonb_path_query('{\"a\": [1, 2, 3]}', '$.a[2]')": "3",
    "select convert_to('ľ', 'LATIN2')": "\\xb5",
    "select sum(g) from generate_series(1, 100000) g": "5000050000",
}


def smoke(box: Box) -> None:
    data = "/var/lib/postgresql/data"
    made = box.run(
        f"{BIN}/initdb", "--pgdata", data, "--locale=C.UTF-8", "--encoding=UTF8", "--auth=trust", user="postgres"
    )
    expect("Success" in made.out, f"initdb said something else: {made.out[-500:]!r}")
    service = box.start(f"{BIN}/postgres", "-D", data, "-k", "/tmp", user="postgres")
    service.ready(5432)
    service.until(lambda: ask(box, "select 1", code=None) == "1", "an answer")
    for question, answer in QUESTIONS.items():
        same(ask(box, question), answer, question)
    expect(int(ask(box, "select count(*) from pg_timezone_names")) > 300, "fewer than 300 time zones")
    expect(
        int(ask(box, "select count(*) from pg_collation where collprovider = 'i'")) > 500,
        "fewer than 500 ICU collations",
    )
    service.stop(signal.SIGINT)
    again = box.start(f"{BIN}/postgres", "-D", data, "-k", "/tmp", user="postgres")
    again.ready(5432)
    again.until(lambda: ask(box, "select name from kept", code=None) == "žaba", "a row written before the restart")
    again.stop(signal.SIGINT)


def ask(box: Box, question: str, code: int | None = 0) -> str:
    """What psql of the fat root prints for a query: rows by line, columns by bar."""
    client = (f"{BIN}/psql", "--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--set=ON_ERROR_STOP=1")
    return box.tool(*client, "--host=127.0.0.1", "--username=postgres", "--command", question, code=code).out.strip()


APP = App(
    name="postgres",
    packages=("postgresql-15",),
    entries=(f"{BIN}/initdb", f"{BIN}/postgres"),
    smoke=smoke,
    needed=(
        Needed(kind="library", glob="/usr/lib/*-linux-gnu/libicui18n.so.72*"),
        Needed(kind="plugin", glob="/usr/lib/postgresql/15/lib/dict_snowball.so"),
        Needed(kind="plugin", glob="/usr/lib/postgresql/15/lib/pg_trgm.so"),
        Needed(kind="data", glob="/usr/share/postgresql/15/tsearch_data/english.stop"),
        Needed(kind="data", glob="/usr/share/postgresql/15/extension/pg_trgm.control"),
        Needed(kind="data", glob="/usr/share/postgresql/15/postgres.bki"),
        Needed(kind="data", glob="/usr/share/zoneinfo/Europe/Bratislava"),
        Needed(kind="config", glob="/usr/share/postgresql/15/postgresql.conf.sample"),
        Needed(kind="state", glob="/var/lib/postgresql"),
        Needed(kind="state", glob="/etc/passwd"),
    ),
    s3_mb=270.8,
    fat_mb=483.7,
)
