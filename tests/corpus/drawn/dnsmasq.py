"""dnsmasq by its configuration: names of its own, names of others asked for and kept, and files by TFTP."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

from tests.corpus.model import App, Needed, expect, same

if TYPE_CHECKING:
    from tests.corpus.sandbox import Box, Service

MAIN = """\
conf-dir=/etc/dnsmasq.d/,*.conf
conf-file=/usr/share/dnsmasq-base/trust-anchors.conf
no-resolv
user=dnsmasq
listen-address=127.0.0.1
bind-interfaces
log-queries
log-facility=/var/log/dnsmasq.log
"""

GARDEN = """\
domain=garden.test
expand-hosts
local=/garden.test/
addn-hosts=/etc/dnsmasq.hosts
address=/wild.test/192.0.2.80
cname=www.garden.test,rose.garden.test
mx-host=garden.test,mail.garden.test,10
srv-host=_ldap._tcp.garden.test,rose.garden.test,389,1,2
txt-record=garden.test,"v=spf1 -all"
ptr-record=7.2.0.192.in-addr.arpa,seven.garden.test
server=/up.test/127.0.0.1#5300
rebind-domain-ok=/up.test/
bogus-nxdomain=192.0.2.66
cache-size=200
"""

BOOT = """\
enable-tftp
tftp-root=/srv/tftp
tftp-secure
"""


def smoke(box: Box) -> None:
    box.run("dnsmasq", "--test")
    peer = ("dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--port=5300",
            "--address=/a.up.test/192.0.2.9", "--address=/typo.up.test/192.0.2.66", "--local-ttl=300")  # fmt: skip
    above = box.start(*peer, tool=True)
    above.ready(5300)
    service = box.start("dnsmasq", "--keep-in-foreground")
    service.ready(53)
    names(box)
    others(box, above)
    boot(box)
    signals(box, service)
    service.stop()
    log = (box.root / "var/log/dnsmasq.log").read_text()
    expect("exiting on receipt of SIGTERM" in log and "query[SRV]" in log, f"another log: {log[-800:]!r}")


def names(box: Box) -> None:
    """Hosts of a file with the domain added, backwards too, and records of every declared kind."""
    same(dig(box, "rose.garden.test"), "192.0.2.5", "a host")
    same(dig(box, "rose.garden.test", "AAAA"), "2001:db8::5", "its other address")
    same(dig(box, "-x", "192.0.2.5"), "rose.garden.test.", "the name of an address")
    same(dig(box, "-x", "192.0.2.7"), "seven.garden.test.", "a declared name of an address")
    same(dig(box, "deep.wild.test"), "192.0.2.80", "any name of a domain")
    same(dig(box, "www.garden.test").splitlines(), ["rose.garden.test.", "192.0.2.5"], "an alias")
    same(dig(box, "garden.test", "MX"), "10 mail.garden.test.", "the mail server")
    same(dig(box, "_ldap._tcp.garden.test", "SRV"), "1 2 389 rose.garden.test.", "a service")
    same(dig(box, "+tcp", "garden.test", "TXT"), '"v=spf1 -all"', "a text by TCP")
    same(dig(box, "localhost"), "127.0.0.1", "a host that the runtime supplies")
    expect("status: NXDOMAIN" in dig(box, "weed.garden.test", short=False), "an unknown name of the own domain")
    expect("status: REFUSED" in dig(box, "elsewhere.test", short=False), "a name that nobody is asked for")


def others(box: Box, above: Service) -> None:
    """A name of another server is kept after that server's end; an address declared bogus is no answer."""
    same(dig(box, "a.up.test"), "192.0.2.9", "a name of the other server")
    expect("status: NXDOMAIN" in dig(box, "typo.up.test", short=False), "a bogus address was passed on")
    above.stop()
    same(dig(box, "a.up.test"), "192.0.2.9", "a name kept")


def boot(box: Box) -> None:
    """A file by TFTP whose owner is dnsmasq's user, and neither one of another user nor one outside."""
    owner = next(
        line.split(":")[2] for line in (box.root / "etc/passwd").read_text().splitlines() if "dnsmasq:" in line
    )
    os.chown(box.root / "srv/tftp/boot.txt", int(owner), 0)
    same(box.tool("curl", "--silent", "tftp://127.0.0.1/boot.txt").out, "kernel /vmlinuz\n", "the boot file")
    box.tool("curl", "--silent", "--max-time", "10", "tftp://127.0.0.1/other.txt", code=69)
    box.tool("curl", "--silent", "--max-time", "10", "tftp://127.0.0.1/..%2f..%2fetc/passwd", code=69)


def signals(box: Box, service: Service) -> None:
    """A changed file of hosts is read again at SIGHUP, and statistics are written at SIGUSR1."""
    (box.root / "etc/dnsmasq.hosts").write_text("192.0.2.6 tulip\n")
    [number] = [int(path.name) for path in (box.root / "proc").glob("[0-9]*")
                if (path / "cmdline").read_bytes().startswith(b"dnsmasq\0--keep-in-foreground\0")
                and b"5300" not in (path / "cmdline").read_bytes()]  # fmt: skip
    box.tool("kill", "-HUP", str(number))
    service.until(lambda: dig(box, "tulip.garden.test") == "192.0.2.6", "the new host")
    box.tool("kill", f"-{signal.SIGUSR1.value}", str(number))
    log = box.root / "var/log/dnsmasq.log"
    service.until(lambda: "cache size 200" in log.read_text(), "the statistics")


def dig(box: Box, *words: str, short: bool = True) -> str:
    """The answer to a question, by the client of the tools root."""
    how = ("+short",) if short else ()
    return box.tool("dig", "@127.0.0.1", "+tries=1", "+time=3", *how, *words).out.strip()


APP = App(
    name="dnsmasq",
    packages=("dnsmasq",),
    tools=("dnsmasq-base", "bind9-dnsutils"),
    files={
        "/etc/dnsmasq.conf": MAIN,
        "/etc/dnsmasq.d/garden.conf": GARDEN,
        "/etc/dnsmasq.d/boot.conf": BOOT,
        "/etc/dnsmasq.d/off.txt": "no such option\n",
        "/etc/dnsmasq.hosts": "192.0.2.5 rose\n2001:db8::5 rose\n",
        "/srv/tftp/boot.txt": "kernel /vmlinuz\n",
        "/srv/tftp/other.txt": "of another user\n",
    },
    entries=("cmd:dnsmasq --keep-in-foreground", "/srv/tftp/"),
    smoke=smoke,
    needed=(
        Needed(kind="library", glob="/usr/lib/*-linux-gnu/libnettle.so.8*"),
        Needed(kind="library", glob="/usr/lib/*-linux-gnu/libnftables.so.1*"),
        Needed(kind="config", glob="/etc/dnsmasq.d/garden.conf"),
        Needed(kind="data", glob="/usr/share/dnsmasq-base/trust-anchors.conf"),
        Needed(kind="data", glob="/etc/dnsmasq.hosts"),
        Needed(kind="state", glob="/etc/passwd"),
        Needed(kind="state", glob="/var/log"),
    ),
)
