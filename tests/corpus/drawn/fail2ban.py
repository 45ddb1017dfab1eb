"""fail2ban as its unit starts it: the package's filter and one of the site's own, bans, their end, and their memory."""

from __future__ import annotations

import ast
import re
import time
from typing import TYPE_CHECKING

from tests.corpus.model import App, Needed, expect, same

if TYPE_CHECKING:
    from tests.corpus.sandbox import Box, Service

JAILS = """\
[DEFAULT]
bantime = 1h
findtime = 10m
ignoreip = 127.0.0.1/8 192.0.2.200
banaction = ledger

[sshd]
maxretry = 3
mode = aggressive

[garden]
enabled = true
filter = garden
logpath = /var/log/garden.log
maxretry = 2
bantime = 2
action = ledger[place=/volume/garden.txt]
"""

FILTER = """\
[INCLUDES]
before = common.conf

[Definition]
failregex = ^\\s*%(__hostname)s weed from <HOST> in bed <F-BED>\\d+</F-BED>$
__hostname = \\S+
ignoreregex = in bed 13$
datepattern = ^%%Y-%%m-%%dT%%H:%%M:%%S
"""

ACTION = """\
[Definition]
actionstart = echo start <name> >> <place>
actionstop = echo stop <name> >> <place>
actionban = echo ban <name> <ip> after <failures> >> <place>
actionunban = echo unban <name> <ip> >> <place>

[Init]
place = /volume/ledger.txt
name = default
"""

SERVER = """\
[Definition]
socket = /run/fail2ban.sock
pidfile = /run/fail2ban.pid
"""


def smoke(box: Box) -> None:
    questions(box)
    service = box.start("fail2ban-server", "-xf", "start")
    service.until(lambda: client(box, "ping", code=None).endswith("pong"), "an answer to a ping")
    bans(box, service)
    orders(box, service)
    client(box, "stop")
    service.until(lambda: "stop garden" in (box.volume / "garden.txt").read_text(), "the end of the jail")
    log = (box.root / "var/log/fail2ban.log").read_text()
    for line in ("[sshd] Ban 192.0.2.10", "[garden] Unban 192.0.2.20", "[sshd] Ignore 192.0.2.200"):
        expect(line in log, f"no {line!r} in the log: {log[-1500:]!r}")


def questions(box: Box) -> None:
    """The configuration is whole; filters are tried on lines, the package's own and one that only the site has."""
    tested = box.run("fail2ban-client", "--test").out
    expect("OK: configuration test is successful" in tested, f"another verdict: {tested!r}")
    dumped = box.run("fail2ban-client", "--dump").out
    expect("['add', 'sshd', " in dumped and "['set', 'garden', 'maxretry', 2]" in dumped, f"dump: {dumped[-800:]!r}")
    line = "Nov 22 10:00:00 box sshd[7]: Failed password for invalid user guest from 192.0.2.1 port 4000 ssh2"
    said = box.run("fail2ban-regex", line, "sshd").out
    expect("1 matched, 0 missed" in said, f"the package's filter: {said!r}")
    (box.volume / "lines.log").write_text(
        "2026-11-22T10:00:00 box weed from 192.0.2.1 in bed 4\n2026-11-22T10:00:01 box weed from 192.0.2.2 in bed 13\n"
        "2026-11-22T10:00:02 box a rose\n"
    )
    said = box.run("fail2ban-regex", "-v", "/volume/lines.log", "/etc/fail2ban/filter.d/garden.conf").out
    expect("3 lines, 1 ignored, 1 matched, 1 missed" in said and "192.0.2.1 " in said, f"own filter: {said!r}")


def bans(box: Box, service: Service) -> None:
    """Three failures ban an address, two do not, and an exempt one never; a short ban ends by itself."""
    stamp = time.strftime("%b %d %H:%M:%S", time.gmtime())
    failures = ["10"] * 3 + ["11"] * 2 + ["200"] * 4
    with (box.root / "var/log/auth.log").open("a") as log:
        for host in failures:
            log.write(f"{stamp} box sshd[9]: Failed password for root from 192.0.2.{host} port 22 ssh2\n")
    ledger = box.volume / "ledger.txt"
    service.until(lambda: "ban sshd 192.0.2.10 after 3" in ledger.read_text(), "the ban of the package's filter")
    now = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
    with (box.root / "var/log/garden.log").open("a") as log:
        log.write(f"{now} box weed from 192.0.2.20 in bed 4\n{now} box weed from 192.0.2.20 in bed 5\n")
    own = box.volume / "garden.txt"
    service.until(lambda: "unban garden 192.0.2.20" in own.read_text(), "the ban and its end", seconds=30)
    same(own.read_text().splitlines()[1:3], ["ban garden 192.0.2.20 after 2", "unban garden 192.0.2.20"], "own jail")
    same(re.findall(r"^ban sshd (\S+)", ledger.read_text(), re.MULTILINE), ["192.0.2.10"], "addresses banned")


def orders(box: Box, service: Service) -> None:
    """The state told, addresses banned and let go by hand, settings changed, and bans kept over a reload."""
    status = client(box, "status")
    expect("Number of jail:\t2" in status and "garden, sshd" in status, f"status: {status!r}")
    status = client(box, "status", "sshd")
    expect("Total failed:\t5" in status and "Banned IP list:\t192.0.2.10" in status, f"status: {status!r}")
    same(client(box, "set", "sshd", "banip", "2001:db8::1", "192.0.2.30"), "2", "bans by hand")
    same(client(box, "set", "sshd", "unbanip", "192.0.2.10"), "1", "an address let go")
    same(client(box, "set", "garden", "maxretry", "7"), "7", "a setting")
    same(client(box, "get", "garden", "maxretry"), "7", "the setting")
    client(box, "reload", "sshd")
    service.until(lambda: "192.0.2.30" in client(box, "banned"), "the bans after the reload")
    found = ast.literal_eval(client(box, "banned"))
    same({name: set(hosts) for item in found for name, hosts in item.items()},
         {"sshd": {"2001:db8::1", "192.0.2.30"}, "garden": set()}, "addresses banned by jail")  # fmt: skip
    kept = (box.root / "var/lib/fail2ban/fail2ban.sqlite3").read_bytes()
    expect(kept.startswith(b"SQLite format 3\0") and b"2001:db8::1" in kept, "the ban is not in the database")
    wrong = box.run("fail2ban-client", "status", "pond", code=255)
    expect("Sorry but the jail 'pond' does not exist" in wrong.out + wrong.err, f"an unknown jail: {wrong!r}")


def client(box: Box, *words: str, code: int | None = 0) -> str:
    return box.run("fail2ban-client", *words, code=code).out.strip()


APP = App(
    name="fail2ban",
    packages=("fail2ban", "python3-pyinotify"),
    files={
        "/etc/fail2ban/jail.local": JAILS,
        "/etc/fail2ban/fail2ban.local": SERVER,
        "/etc/fail2ban/filter.d/garden.conf": FILTER,
        "/etc/fail2ban/action.d/ledger.conf": ACTION,
        "/var/log/auth.log": "",
        "/var/log/garden.log": "",
    },
    entries=("cmd:fail2ban-server -xf start", "cmd:fail2ban-client", "cmd:fail2ban-regex"),
    smoke=smoke,
    needed=(
        Needed(kind="program", glob="/usr/lib/python3/dist-packages/fail2ban/server/action.py"),
        Needed(kind="program", glob="/usr/bin/dash"),
        Needed(kind="library", glob="/usr/lib/*-linux-gnu/libsqlite3.so.0*"),
        Needed(kind="config", glob="/etc/fail2ban/filter.d/sshd.conf"),
        Needed(kind="config", glob="/etc/fail2ban/filter.d/garden.conf"),
        Needed(kind="config", glob="/etc/fail2ban/paths-common.conf"),
        Needed(kind="state", glob="/var/log/auth.log"),
    ),
)
