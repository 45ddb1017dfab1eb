"""lighttpd as its package configures it, with TLS, passwords, CGI, a proxy and more modules enabled by its own tool."""

from __future__ import annotations

import base64
import os
import signal
from typing import TYPE_CHECKING

from tests.corpus.model import App, Needed, expect, same
from tests.corpus.roots import Build, authority

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.corpus.sandbox import Answer, Box

SITE = """\
server.modules += ( "mod_authn_file", "mod_setenv" )

auth.backend = "htpasswd"
auth.backend.htpasswd.userfile = "/etc/lighttpd/passwords"
auth.require = ( "/private/" => ( "method" => "basic", "realm" => "corpus", "require" => "valid-user" ) )

setenv.add-response-header = ( "X-Site" => "corpus" )
url.rewrite-once = ( "^/old/(.*)$" => "/new/$1" )
url.redirect = ( "^/away$" => "https://service.test/" )
dir-listing.activate = "enable"

$HTTP["url"] =~ "^/server-status" {
    status.status-url = "/server-status"
}

$SERVER["socket"] == "127.0.0.1:8081" {
    proxy.server = ( "" => (( "host" => "127.0.0.1", "port" => 80 )) )
}
"""

# crypt(3): the password is "otvor", hashed with glibc's SHA-512
PASSWORDS = "anna:$6$corpus$/tGbKnyOxMFBBDACXLkspZZutrVustH6EaMREiCsyG4ZjIpGREWMG.eyOpcDGUZU1OG7rvremqLradbBJ4dkM/\n"

CGI = r"""#!/usr/bin/perl
use strict;
use warnings;
use POSIX qw(strftime);
read STDIN, my $body, $ENV{CONTENT_LENGTH} // 0;
print "Content-Type: text/plain\r\nX-Method: $ENV{REQUEST_METHOD}\r\n\r\n";
print join("|", $ENV{QUERY_STRING}, scalar reverse($body), strftime("%Y", gmtime 0), $<), "\n";
"""


def setup(build: Build) -> None:
    """A site, its certificate and password, and modules enabled as the package's documentation says."""
    build.write("/var/www/html/index.html", "<title>corpus</title><p>A small site\n")
    build.write("/var/www/html/new/page.shtml", 'Now <!--#echo var="SERVER_NAME" --> speaks\n')
    build.write("/var/www/html/files/žaba.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>\n")
    build.write("/var/www/html/private/plan.txt", "secret\n")
    build.write("/usr/lib/cgi-bin/turn", CGI)
    (build.root / "usr/lib/cgi-bin/turn").chmod(0o755)
    place = build.root / "etc/lighttpd/server.pem"
    certificate = authority().issue_cert("service.test", "localhost")
    certificate.private_key_and_cert_chain_pem.write_to_path(str(place))
    build.inside("lighty-enable-mod", "accesslog", "auth", "cgi", "proxy", "rewrite", "ssi", "ssl", "status")
    (build.root / "etc/lighttpd/conf-enabled/50-site.conf").symlink_to("../conf-available/50-site.conf")


def smoke(box: Box) -> None:
    box.run("lighttpd", "-tt", "-f", "/etc/lighttpd/lighttpd.conf")
    service = box.start("lighttpd", "-D", "-f", "/etc/lighttpd/lighttpd.conf")
    service.ready(80)
    service.ready(443)
    page = get(box, "/")
    expect("A small site" in page.text, f"another page: {page.text!r}")
    same((page.headers.get("content-type"), page.headers.get("x-site")), ("text/html", "corpus"), "header fields")
    expect("A small site" in box.fetch("https://localhost/").text, "another page over https")
    files(box)
    programs(box)
    same(workers(box), {33}, "user ids of the server")
    service.stop(signal.SIGINT)
    access = (box.root / "var/log/lighttpd/access.log").read_text()
    expect(access.count("\n") >= 10 and '"GET /away HTTP/1.1" 301' in access, f"requests are missing: {access!r}")
    errors = (box.root / "var/log/lighttpd/error.log").read_text()
    expect("server started" in errors and "server stopped" in errors, f"no start or no end in the log: {errors!r}")


def files(box: Box) -> None:
    """Types by name, ranges, validation, listings, includes, rewriting, passwords and error pages."""
    picture = get(box, "/files/%C5%BEaba.svg")
    same(picture.headers.get("content-type"), "image/svg+xml", "type of a picture")
    get(box, "/files/%C5%BEaba.svg", {"If-None-Match": picture.headers["etag"]}, status=304)
    same(get(box, "/files/%C5%BEaba.svg", {"Range": "bytes=1-3"}, status=206).text, "svg", "a part of the picture")
    expect("žaba.svg" in get(box, "/files/").text, "the listing lacks the picture")
    same(get(box, "/old/page.shtml").text, "Now localhost speaks\n", "a rewritten page with an include")
    get(box, "/private/plan.txt", status=401)
    word = base64.b64encode(b"anna:otvor").decode()
    same(get(box, "/private/plan.txt", {"Authorization": f"Basic {word}"}).text, "secret\n", "the private page")
    wrong = base64.b64encode(b"anna:zavri").decode()
    get(box, "/private/plan.txt", {"Authorization": f"Basic {wrong}"}, status=401)
    expect("404" in get(box, "/absent", status=404).text, "no error page")
    moved = box.talk(80, b"GET /away HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    expect(b" 301 " in moved and b"Location: https://service.test/" in moved, f"no redirection: {moved!r}")


def programs(box: Box) -> None:
    """A CGI program of the site, the status page, and the proxy."""
    turned = box.fetch("http://localhost/cgi-bin/turn?a=1", data=b"krava")
    same((turned.text, turned.headers.get("x-method")), ("a=1|avark|1970|33\n", "POST"), "answer of the CGI program")
    expect("lighttpd/1.4" in get(box, "/server-status").text, "no status page")
    proxied = box.fetch("http://127.0.0.1:8081/cgi-bin/turn?b=2", data=b"")
    same(proxied.text.split("|")[0], "b=2", "answer through the proxy")


def get(box: Box, path: str, headers: Mapping[str, str] | None = None, status: int = 200) -> Answer:
    return box.fetch(f"http://localhost{path}", headers=headers, status=status)


def workers(box: Box) -> set[int]:
    """User ids of the box's lighttpd processes."""
    found = set()
    for process in (box.root / "proc").glob("[0-9]*"):
        if (process / "cmdline").read_bytes().startswith(b"lighttpd\0"):
            found.add(os.stat(process).st_uid)
    return found


APP = App(
    name="lighttpd",
    packages=("lighttpd", "lighttpd-mod-openssl", "media-types"),
    files={"/etc/lighttpd/conf-available/50-site.conf": SITE, "/etc/lighttpd/passwords": PASSWORDS},
    setup=setup,
    entries=("cmd:lighttpd -D -f /etc/lighttpd/lighttpd.conf", "/usr/lib/cgi-bin/turn", "/var/www/html/"),
    smoke=smoke,
    needed=(
        Needed(kind="library", glob="/usr/lib/*-linux-gnu/libpcre2-8.so.0*"),
        Needed(kind="plugin", glob="/usr/lib/lighttpd/mod_openssl.so"),
        Needed(kind="plugin", glob="/usr/lib/lighttpd/mod_ssi.so"),
        Needed(kind="program", glob="/usr/share/lighttpd/create-mime.conf.pl"),
        Needed(kind="data", glob="/etc/mime.types"),
        Needed(kind="config", glob="/etc/lighttpd/conf-enabled/50-site.conf"),
        Needed(kind="state", glob="/var/log/lighttpd"),
        Needed(kind="state", glob="/etc/passwd"),
    ),
)
