"""subversion: a repository made, worked in, served with passwords and a hook, merged, dumped, and asked by HTTPS."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import trustme

from tests.corpus.model import App, Needed, expect, same
from tests.corpus.peers import Catalogue
from tests.corpus.roots import Build, authority
from tests.corpus.sandbox import HOST

if TYPE_CHECKING:
    from tests.corpus.sandbox import Box, Done

STORE = "/srv/svn/garden"
URL = f"svn://{HOST}/garden"
HOOK = """\
#!/bin/sh
# no revision without a message
svnlook log -t "$2" "$1" | grep -q '[[:alnum:]]' || { echo 'say what you did' >&2; exit 1; }
"""
SERVER = """\
[general]
anon-access = none
auth-access = write
password-db = passwd
authz-db = authz
realm = garden
"""
RIGHTS = "[groups]\ngardeners = anna\n[/]\n* = r\n@gardeners = rw\n[/secret]\n* =\nanna = rw\n"


def setup(build: Build) -> None:
    """A repository with its hook, passwords and rights."""
    (build.root / "srv/svn").mkdir()
    build.inside("svnadmin", "create", STORE)
    build.write(f"{STORE}/hooks/pre-commit", HOOK)
    (build.root / f"{STORE.lstrip('/')}/hooks/pre-commit").chmod(0o755)
    build.write(f"{STORE}/conf/svnserve.conf", SERVER)
    build.write(f"{STORE}/conf/passwd", "[users]\nanna = otvor\nboris = otvor\n")
    build.write(f"{STORE}/conf/authz", RIGHTS)


def smoke(box: Box) -> None:
    service = box.start("svnserve", "--daemon", "--foreground", "--root", "/srv/svn", "--log-file", "/volume/serve.log")
    service.ready(3690)
    work(box)
    branches(box)
    rights(box)
    questions(box)
    copies(box)
    web(box)
    expect("commit r1" in (box.volume / "serve.log").read_text(), "no commit in the server's log")


def work(box: Box) -> None:
    """Files imported, checked out, changed with properties and keywords, and a conflict met and settled."""
    svn(box, "mkdir", "-m", "layout", *(f"{URL}/{name}" for name in ("trunk", "branches", "secret")))
    svn(box, "checkout", f"{URL}/trunk", "/volume/one")
    (box.volume / "one/plan.txt").write_text("$Rev$\nrose\nfern\n")
    (box.volume / "one/žaba.txt").write_text("kvak\n")
    (box.volume / "one/data.bin").write_bytes(bytes(range(256)) * 400)
    svn(box, "add", "plan.txt", "žaba.txt", "data.bin", cwd="/volume/one")
    svn(box, "propset", "svn:keywords", "Rev", "plan.txt", cwd="/volume/one")
    svn(box, "propset", "svn:eol-style", "CRLF", "žaba.txt", cwd="/volume/one")
    same(svn(box, "propget", "svn:mime-type", "data.bin", cwd="/volume/one").out, "application/octet-stream\n", "type")
    expect("Committed revision 2." in svn(box, "commit", "-m", "plants", cwd="/volume/one").out, "no commit")
    same((box.volume / "one/plan.txt").read_text(), "$Rev: 2 $\nrose\nfern\n", "the keyword")
    svn(box, "checkout", f"{URL}/trunk", "/volume/two")
    same((box.volume / "two/žaba.txt").read_bytes(), b"kvak\r\n", "ends of lines")
    (box.volume / "one/plan.txt").write_text("$Rev: 2 $\nrose\nreed\n")
    svn(box, "commit", "-m", "reed", cwd="/volume/one")
    (box.volume / "two/plan.txt").write_text("$Rev: 2 $\nrose\nmelon\n")
    late = svn(box, "commit", "-m", "melon", cwd="/volume/two", code=1).err
    expect("E160028" in late, f"a commit that comes late: {late!r}")
    clash = svn(box, "update", "--accept", "postpone", cwd="/volume/two").out
    expect("C    plan.txt" in clash and "Text conflicts: 1" in clash, f"no conflict: {clash!r}")
    same((box.volume / "two/plan.txt").read_text().count("\n<<<<<<<"), 1, "the marks of the conflict")
    svn(box, "resolve", "--accept", "mine-full", "plan.txt", cwd="/volume/two")
    svn(box, "commit", "-m", "melon after all", cwd="/volume/two")


def branches(box: Box) -> None:
    """A branch made on the server, changed, merged back with its history, and a change taken back."""
    svn(box, "copy", "-m", "branch", f"{URL}/trunk", f"{URL}/branches/wild")
    svn(box, "checkout", f"{URL}/branches/wild", "/volume/wild")
    (box.volume / "wild/weeds.txt").write_text("nettle\n")
    svn(box, "add", "weeds.txt", cwd="/volume/wild")
    svn(box, "move", "žaba.txt", "frog.txt", cwd="/volume/wild")
    svn(box, "commit", "-m", "weeds", cwd="/volume/wild")
    svn(box, "update", cwd="/volume/one")
    merged = svn(box, "merge", f"{URL}/branches/wild", cwd="/volume/one").out
    expect("A    weeds.txt" in merged and "frog.txt" in merged, f"the merge: {merged!r}")
    expect("/branches/wild:5-6" in svn(box, "propget", "svn:mergeinfo", ".", cwd="/volume/one").out, "no merge history")
    svn(box, "commit", "-m", "merged", cwd="/volume/one")
    svn(box, "update", cwd="/volume/one")
    svn(box, "merge", "-c", "-4", ".", cwd="/volume/one")
    same((box.volume / "one/plan.txt").read_text().splitlines()[1:], ["rose", "reed"], "the change taken back")
    shelved = svn(box, "diff", cwd="/volume/one").out
    expect("-melon" in shelved and "+reed" in shelved, f"the difference: {shelved!r}")
    (box.volume / "change.diff").write_text(shelved)
    svn(box, "revert", "-R", ".", cwd="/volume/one")
    svn(box, "patch", "/volume/change.diff", cwd="/volume/one")
    same((box.volume / "one/plan.txt").read_text().splitlines()[-1], "reed", "the patched file")
    svn(box, "revert", "-R", ".", cwd="/volume/one")


def rights(box: Box) -> None:
    """The hook's word, a wrong password, who may not write, and what only one may read."""
    silent = svn(box, "mkdir", "-m", " ", f"{URL}/trunk/x", code=1).err
    expect("say what you did" in silent and "pre-commit" in silent, f"the hook said nothing: {silent!r}")
    wrong = svn(box, "mkdir", "-m", "x", f"{URL}/trunk/x", user="anna", word="zavri", code=1).err
    expect("E170001" in wrong, f"a wrong password: {wrong!r}")
    barred = svn(box, "mkdir", "-m", "x", f"{URL}/trunk/x", user="boris", code=1).err
    expect("E170001: Authorization failed" in barred or "E220004" in barred, f"boris may write: {barred!r}")
    same(svn(box, "ls", f"{URL}/secret").out, "", "a secret directory")
    same(svn(box, "ls", URL).out.split(), ["branches/", "secret/", "trunk/"], "what anna sees")
    barred = svn(box, "info", f"{URL}/secret", user="boris", code=1).err
    expect("E170001: Authorization failed" in barred, f"boris may read the secret: {barred!r}")
    same(svn(box, "ls", URL, user="boris").out.split(), ["branches/", "trunk/"], "what boris sees")


def questions(box: Box) -> None:
    """History as XML, blame, difference of revisions, state, and the server's own look."""
    log = ET.fromstring(svn(box, "log", "--xml", "-v", "--use-merge-history", f"{URL}/trunk").out)
    same([entry.findtext("msg") for entry in log.findall("logentry")][:1], ["merged"], "the newest message")
    same({entry.findtext("author") for entry in log.iter("logentry")}, {"anna"}, "the authors")
    blame = svn(box, "blame", f"{URL}/trunk/plan.txt").out.split()
    same(blame[:6], ["2", "anna", "$Rev$", "2", "anna", "rose"] if "$Rev$" in blame else blame[:6], "blame")
    expect("melon" in blame and blame[blame.index("melon") - 2] == "4", f"blame: {blame}")
    expect("+reed" in svn(box, "diff", "-r", "2:3", f"{URL}/trunk/plan.txt").out, "the difference of two revisions")
    same(svn(box, "cat", "-r", "2", f"{URL}/trunk/plan.txt").out.splitlines()[1:], ["rose", "fern"], "an old version")
    info = ET.fromstring(svn(box, "info", "--xml", cwd="/volume/one").out)
    same(info.findtext("entry/relative-url"), "^/trunk", "where the working copy comes from")
    same(box.run("svnlook", "youngest", STORE).out, "7\n", "the youngest revision")
    expect("frog.txt" in box.run("svnlook", "tree", STORE, env=LANGUAGE).out, "the tree of the repository")


def copies(box: Box) -> None:
    """The repository verified, dumped, loaded elsewhere, copied hot, packed, and read without a server."""
    verified = box.run("svnadmin", "verify", STORE)
    expect("* Verified revision 7." in verified.out + verified.err, f"not verified: {verified!r}")
    dump = box.run("svnadmin", "dump", "--quiet", "--deltas", STORE).raw
    box.run("svnadmin", "create", "--compatible-version", "1.8", "/volume/copy")
    box.run("svnadmin", "load", "--quiet", "/volume/copy", stdin=dump)
    svn(box, "export", "file:///volume/copy/trunk", "/volume/exported")
    same((box.volume / "exported/data.bin").read_bytes() == bytes(range(256)) * 400, True, "the binary file")
    same((box.volume / "exported/weeds.txt").read_text(), "nettle\n", "a file of the branch")
    box.run("svnadmin", "hotcopy", STORE, "/volume/hot")
    same(box.run("svnlook", "youngest", "/volume/hot").out, "7\n", "the hot copy")
    whole = box.run("svnadmin", "dump", "--quiet", STORE).raw
    part = box.run("svndumpfilter", "exclude", "--quiet", "secret", stdin=whole)
    expect("Node-path: trunk/plan.txt" in part.out and "Node-path: secret" not in part.out, "the filtered dump")


def web(box: Box) -> None:
    """By HTTPS a known authority is trusted, so that the server's lack of WebDAV shows; an unknown one is not."""
    trust = ("--config-option", "servers:global:ssl-trust-default-ca=yes")
    with box.serve(Catalogue, 9443, tls=authority()), box.serve(Catalogue, 9444, tls=trustme.CA()):
        known = svn(box, "ls", *trust, f"https://{HOST}:9443/", code=1).err
        unknown = svn(box, "ls", *trust, f"https://{HOST}:9444/", code=1).err
    expect("E200007" in known and "certificate" not in known, f"a known authority: {known!r}")
    expect("E230001" in unknown and "issuer is not trusted" in unknown, f"an unknown authority: {unknown!r}")


LANGUAGE = {"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}


def svn(box: Box, *words: str, user: str = "anna", word: str = "otvor", code: int = 0, cwd: str = "/") -> Done:
    """The client, logged in, asking nobody."""
    login = ("--non-interactive", "--no-auth-cache", "--username", user, "--password", word)
    return box.run("svn", *words, *login, code=code, cwd=cwd, env=LANGUAGE)


APP = App(
    name="subversion",
    packages=("subversion",),
    setup=setup,
    # the repository's hook calls grep
    entries=("cmd:svn", "cmd:svnadmin", "cmd:svnlook", "cmd:svndumpfilter", "cmd:svnserve --daemon --foreground --root /srv/svn",
             "/srv/svn/", "cmd:grep"),
    smoke=smoke,
    needed=(
        Needed(kind="library", glob="/usr/lib/*-linux-gnu/libserf-1.so.1*"),
        Needed(kind="library", glob="/usr/lib/*-linux-gnu/libsvn_fs_fs-1.so.1*"),
        Needed(kind="program", glob="/usr/bin/dash"),
        Needed(kind="program", glob="/usr/bin/svnlook"),
        Needed(kind="config", glob=f"{STORE}/conf/authz"),
        Needed(kind="data", glob=f"{STORE}/db/format"),
        Needed(kind="state", glob="/etc/ssl/certs"),
    ),
)  # fmt: skip
