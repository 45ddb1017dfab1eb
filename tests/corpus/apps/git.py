"""git: commits, and clones and pushes over http and https."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler

from tests.corpus.model import App, Needed, expect, same
from tests.corpus.roots import authority
from tests.corpus.sandbox import HOST, Box

ENVIRONMENT = {
    "GIT_AUTHOR_NAME": "Corpus", "GIT_AUTHOR_EMAIL": "corpus@example.org", "GIT_AUTHOR_DATE": "2024-07-01T12:00:00Z",
    "GIT_COMMITTER_NAME": "Corpus", "GIT_COMMITTER_EMAIL": "corpus@example.org", "GIT_COMMITTER_DATE": "2024-07-01T12:00:00Z",
    "TZ": "Europe/Bratislava", "LANG": "C.UTF-8",
}  # fmt: skip


def smoke(box: Box) -> None:
    history(box)
    config = box.root / "volume/work/.git/config"
    expect(config.exists() and (box.root / "volume/work/.git/info/exclude").exists(), "git init left out its templates")
    git(box, "clone", "--quiet", "--bare", "--no-local", "file:///volume/work", "/volume/project.git", tool=True)
    git(box, "-C", "/volume/project.git", "config", "http.receivepack", "true", tool=True)
    for scheme, port, tls in (("http", 9080, None), ("https", 9443, authority())):
        url = f"{scheme}://{HOST}:{port}/project.git"
        with box.serve(backend(box), port, tls=tls):
            git(box, "clone", "--quiet", url, f"/volume/{scheme}")
            same((box.volume / scheme / "list.txt").read_text(), "žaba\nčaj\n", f"a file cloned over {scheme}")
            (box.volume / scheme / f"{scheme}.txt").write_text(scheme)
            git(box, "-C", f"/volume/{scheme}", "add", ".")
            git(box, "-C", f"/volume/{scheme}", "commit", "--quiet", "-m", f"over {scheme}")
            git(box, "-C", f"/volume/{scheme}", "push", "--quiet", "origin", "main")
            git(box, "-C", f"/volume/{scheme}", "pull", "--quiet", "--rebase")
    log = git(box, "-C", "/volume/project.git", "log", "-2", "--format=%s", tool=True).split("\n")
    same(log[:2], ["over https", "over http"], "what was pushed")
    git(box, "-C", "/volume/https", "gc", "--quiet")
    same(git(box, "-C", "/volume/https", "fsck"), "", "fsck")


def history(box: Box) -> None:
    """A repository with a branch, a merge and a tag."""
    git(box, "init", "--quiet", "--initial-branch=main", "/volume/work")
    here = ("-C", "/volume/work")
    (box.volume / "work/list.txt").write_text("žaba\n")
    git(box, *here, "add", "list.txt")
    git(box, *here, "commit", "--quiet", "-m", "Prvý záznam: ľ")
    git(box, *here, "switch", "--quiet", "--create", "tea")
    (box.volume / "work/list.txt").write_text("žaba\nčaj\n")
    git(box, *here, "commit", "--quiet", "--all", "-m", "Tea")
    git(box, *here, "switch", "--quiet", "main")
    git(box, *here, "merge", "--quiet", "--no-ff", "-m", "Merge tea", "tea")
    git(box, *here, "tag", "-a", "-m", "first", "v1")
    same(git(box, *here, "describe"), "v1", "describe")
    same(
        git(box, *here, "log", "-1", "--format=%an %ad", "--date=iso-local"),
        "Corpus 2024-07-01 14:00:00 +0200",
        "author and date",
    )
    latin = box.run(
        "git",
        *here,
        "-c",
        "i18n.logOutputEncoding=ISO-8859-2",
        "log",
        "--format=%s",
        "--reverse",
        "--topo-order",
        env=ENVIRONMENT,
    ).raw
    same(latin.split(b"\n")[0], "Prvý záznam: ľ".encode("iso-8859-2"), "a message in ISO-8859-2")
    same(
        git(box, *here, "diff", "--stat", "v1~1", "v1").split("\n")[-1].strip(),
        "1 file changed, 1 insertion(+)",
        "diff",
    )


def git(box: Box, *words: str, tool: bool = False) -> str:
    """What git prints, as the corpus' author at a fixed time."""
    run = box.tool if tool else box.run
    return run("git", *words, env=ENVIRONMENT).out.strip()


def backend(box: Box) -> type[BaseHTTPRequestHandler]:
    """Git's CGI program of the fat root as a handler (git-http-backend(1))."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            environment = {
                "GIT_PROJECT_ROOT": "/volume", "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": path, "QUERY_STRING": query,
                "REQUEST_METHOD": self.command, "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "CONTENT_LENGTH": str(len(body)), "REMOTE_USER": "corpus", "REMOTE_ADDR": "127.0.0.1",
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            }  # fmt: skip
            said = box.tool("/usr/lib/git-core/git-http-backend", env=environment, stdin=body, code=None).raw
            head, _, content = said.partition(b"\r\n\r\n")
            fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
            self.send_response(int(fields.pop("Status", "200").split()[0]))
            fields["Content-Length"] = str(len(content))  # a client over TLS must know where the answer ends
            for name, value in fields.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET

        def log_message(self, *_words: object) -> None:
            pass

    return Handler


APP = App(
    name="git",
    packages=("git",),
    entries=("/usr/bin/git",),
    smoke=smoke,
    needed=(
        Needed(kind="library", glob="/usr/lib/*-linux-gnu/libcurl-gnutls.so.4*"),
        Needed(kind="library", glob="/usr/lib/*-linux-gnu/libpcre2-8.so.0*"),
        Needed(kind="program", glob="/usr/lib/git-core/git-remote-https"),
        Needed(kind="program", glob="/usr/lib/git-core/git-remote-http"),
        Needed(kind="data", glob="/usr/share/git-core/templates"),
        Needed(kind="data", glob="/usr/share/zoneinfo/Europe/Bratislava"),
        Needed(kind="plugin", glob="/usr/lib/*-linux-gnu/gconv/ISO8859-2.so"),
        Needed(kind="config", glob="/usr/lib/*-linux-gnu/gconv/gconv-modules*"),
        Needed(kind="state", glob="/etc/ssl/certs"),
    ),
    s3_mb=60.2,
    fat_mb=232.5,
)
