"""redis-server as its package configures it, in the foreground and as its own user."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.corpus.model import App, Needed, expect, same

if TYPE_CHECKING:
    from tests.corpus.sandbox import Box


def smoke(box: Box) -> None:
    command = ("redis-server", "/etc/redis/redis.conf", "--daemonize", "no")
    service = box.start(*command, user="redis")
    service.ready(6379)
    same(ask(box, "ping"), "PONG", "ping")
    same(ask(box, "set", "greeting", "dobrý deň"), "OK", "set")
    same(
        ask(box, "eval", "return redis.call('get', KEYS[1]) .. ' ' .. cjson.encode({1, 2})", "1", "greeting"),
        "dobrý deň [1,2]",
        "a Lua script",
    )
    same(ask(box, "rpush", "list", "a", "b", "c"), "3", "rpush")
    same(ask(box, "geoadd", "places", "17.1077", "48.1486", "Bratislava"), "1", "geoadd")
    same(ask(box, "xadd", "stream", "1-1", "field", "value"), "1-1", "xadd")
    same(ask(box, "config", "get", "dir").split(), ["dir", "/var/lib/redis"], "data directory")
    same(ask(box, "save"), "OK", "save")
    service.stop()
    expect((box.root / "var/lib/redis/dump.rdb").stat().st_size > 100, "the dump is too small to hold the keys")
    log = (box.root / "var/log/redis/redis-server.log").read_text()
    expect(
        "Ready to accept connections" in log and "bye bye" in log, f"the log lacks the start or the end: {log[-500:]}"
    )
    again = box.start(*command, user="redis")
    again.ready(6379)
    same(ask(box, "get", "greeting"), "dobrý deň", "a key after restart")
    same(ask(box, "lrange", "list", "0", "-1").split(), ["a", "b", "c"], "a list after restart")
    again.stop()


def ask(box: Box, *words: str) -> str:
    """What redis-cli of the fat root prints for one command."""
    return box.tool("redis-cli", "-h", "127.0.0.1", *words).out.strip()


APP = App(
    name="redis",
    packages=("redis-server",),
    entries=("cmd:redis-server /etc/redis/redis.conf --daemonize no",),
    smoke=smoke,
    needed=(
        Needed(kind="library", glob="/usr/lib/*-linux-gnu/libjemalloc.so.2"),
        Needed(kind="config", glob="/etc/redis/redis.conf"),
        Needed(kind="state", glob="/var/lib/redis"),
        Needed(kind="state", glob="/var/log/redis"),
    ),
    s3_mb=30.3,
    fat_mb=190.8,
)
