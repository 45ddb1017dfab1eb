"""nginx with three dynamic modules, serving a small site with TLS, thumbnails and a TCP proxy."""

from __future__ import annotations

import gzip
import signal
from typing import TYPE_CHECKING

from tests.corpus.assets import png, png_size
from tests.corpus.model import App, Needed, expect, same
from tests.corpus.roots import Build, authority

if TYPE_CHECKING:
    from tests.corpus.sandbox import Box

SITE = """\
geoip_proxy 127.0.0.1;

server {
    listen 8080;
    listen 8443 ssl;
    server_name service.test;
    ssl_certificate /etc/nginx/tls/service.pem;
    ssl_certificate_key /etc/nginx/tls/service.key;
    root /srv/www;
    gzip_types text/css;

    location /thumbs/ {
        alias /srv/www/photos/;
        image_filter resize 32 32;
    }
}
"""

STREAM = """
stream {
    server {
        listen 8081;
        proxy_pass 127.0.0.1:8080;
    }
}
"""


def setup(build: Build) -> None:
    """A site's pictures and certificate, and the part of the configuration that is no drop-in."""
    build.write("/srv/www/photos/sky.png", "")
    (build.root / "srv/www/photos/sky.png").write_bytes(png(320, 240))
    certificate = authority().issue_cert("service.test", "localhost")
    (build.root / "etc/nginx/tls").mkdir()
    certificate.private_key_pem.write_to_path(str(build.root / "etc/nginx/tls/service.key"))
    for pem in certificate.cert_chain_pems:
        pem.write_to_path(str(build.root / "etc/nginx/tls/service.pem"), append=True)
    with (build.root / "etc/nginx/nginx.conf").open("a") as configuration:
        configuration.write(STREAM)


def smoke(box: Box) -> None:
    service = box.start("nginx", "-g", "daemon off;")
    service.ready(8080)
    page = box.fetch("http://localhost:8080/")
    expect("A small site" in page.text, f"another page: {page.text!r}")
    style = box.fetch("http://localhost:8080/style.css", headers={"Accept-Encoding": "gzip"})
    same(style.headers.get("content-type"), "text/css", "type of a style sheet")
    same(style.headers.get("content-encoding"), "gzip", "encoding of a style sheet")
    expect(len(gzip.decompress(style.body)) == 2200, f"{len(gzip.decompress(style.body))} bytes of style, not 2200")
    same(png_size(box.fetch("http://localhost:8080/thumbs/sky.png").body), (32, 24), "size of a thumbnail")
    expect("A small site" in box.fetch("https://localhost:8443/").text, "another page over https")
    expect("A small site" in box.fetch("http://localhost:8081/").text, "another page through the stream proxy")
    expect("nginx" in box.fetch("http://localhost:8080/absent", status=404).text, "no error page of nginx")
    same(workers(box), {33}, "user ids of the workers")
    service.stop(signal.SIGQUIT)
    log = (box.root / "var/log/nginx/access.log").read_text()
    expect(log.count("\n") >= 6 and "/absent" in log, f"not all requests are in the log: {log!r}")


def workers(box: Box) -> set[int]:
    """User ids of the box's processes that are nginx workers (proc(5): argv is rewritten to a title)."""
    found = set()
    for process in (box.root / "proc").glob("[0-9]*"):
        if b"nginx: worker" in (process / "cmdline").read_bytes():
            found.add(process.stat().st_uid)
    return found


APP = App(
    name="nginx",
    packages=("nginx", "libnginx-mod-http-geoip", "libnginx-mod-http-image-filter", "libnginx-mod-stream"),
    files={
        "/etc/nginx/conf.d/site.conf": SITE,
        "/srv/www/index.html": "<h1>A small site</h1>\n",
        "/srv/www/style.css": "body { color: black }\n" * 100,
    },
    setup=setup,
    entries=("cmd:nginx -g 'daemon off;'",),
    smoke=smoke,
    needed=(
        Needed(kind="library", glob="/usr/lib/*-linux-gnu/libgd.so.3*"),
        Needed(kind="plugin", glob="/usr/lib/nginx/modules/ngx_stream_module.so"),
        Needed(kind="config", glob="/etc/nginx/mime.types"),
        Needed(kind="config", glob="/etc/nginx/modules-enabled/*image-filter*"),
        Needed(kind="data", glob="/srv/www/index.html"),
        Needed(kind="state", glob="/var/lib/nginx"),
        Needed(kind="state", glob="/var/log/nginx"),
        Needed(kind="state", glob="/etc/passwd"),
    ),
    s3_mb=71.0,
    fat_mb=242.8,
)
