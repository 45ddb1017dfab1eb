"""gpg and ssh: keys, signatures, encryption, and a login."""

from __future__ import annotations

from tests.corpus.model import App, Needed, expect, same
from tests.corpus.sandbox import HOST, Box, Done


def smoke(box: Box) -> None:
    signatures(box)
    login(box)


def signatures(box: Box) -> None:
    """A key made, exported and imported; a file signed, verified, changed and refused; a file encrypted."""
    for home in ("alice", "bob"):
        (box.volume / home).mkdir(mode=0o700)
    (box.volume / "letter.txt").write_text("dobrý deň")
    quick = (
        "--batch",
        "--passphrase",
        "",
        "--quick-generate-key",
        "Alice <alice@example.org>",
        "default",
        "default",
        "never",
    )
    gpg(box, "alice", *quick)
    keys = gpg(box, "alice", "--list-keys", "--with-colons").out
    expect("Alice <alice@example.org>" in keys and "\nsub:" in keys, f"the key is not listed: {keys!r}")
    gpg(box, "alice", "--armor", "--output", "/volume/alice.asc", "--export", "alice@example.org")
    gpg(box, "bob", "--import", "/volume/alice.asc")
    gpg(box, "alice", "--armor", "--output", "/volume/letter.sig", "--detach-sign", "/volume/letter.txt")
    good = gpg(box, "bob", "--verify", "/volume/letter.sig", "/volume/letter.txt")
    expect("Good signature" in good.err, f"no good signature: {good.err!r}")
    gpg(
        box,
        "bob",
        "--trust-model",
        "always",
        "--output",
        "/volume/secret.gpg",
        "--encrypt",
        "-r",
        "alice@example.org",
        "/volume/letter.txt",
    )
    same(gpg(box, "alice", "--decrypt", "/volume/secret.gpg").out, "dobrý deň", "the decrypted letter")
    locked = (
        "--pinentry-mode",
        "loopback",
        "--passphrase",
        "open",
        "--output",
        "/volume/locked.gpg",
        "--symmetric",
        "/volume/letter.txt",
    )
    gpg(box, "bob", *locked)
    same(
        gpg(box, "alice", "--pinentry-mode", "loopback", "--passphrase", "open", "--decrypt", "/volume/locked.gpg").out,
        "dobrý deň",
        "the unlocked letter",
    )
    (box.volume / "letter.txt").write_text("dobrý večer")
    bad = gpg(box, "bob", "--verify", "/volume/letter.sig", "/volume/letter.txt", code=1)
    expect("BAD signature" in bad.err, f"a changed letter passed: {bad.err!r}")


def gpg(box: Box, home: str, *words: str, code: int = 0) -> Done:
    """Gpg without questions, with a home directory on the volume."""
    return box.run(
        "gpg", "--batch", "--yes", "--homedir", f"/volume/{home}", *words, code=code, env={"LANG": "C.UTF-8"}
    )


def login(box: Box) -> None:
    """A key pair, a login at a server of the tools root, a forwarded port, and the system's configuration."""
    box.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/volume/key")
    box.tool("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/volume/host")
    (box.volume / "authorized").write_text((box.volume / "key.pub").read_text())
    (box.volume / "known").write_text(f"[{HOST}]:2222 " + (box.volume / "host.pub").read_text())
    box.tool("mkdir", "-p", "/run/sshd")
    server = ("/usr/sbin/sshd", "-D", "-e", "-p", "2222", "-h", "/volume/host")
    options = ("-o", "AuthorizedKeysFile=/volume/authorized", "-o", "StrictModes=no", "-o", "UsePAM=no")
    box.start(*server, *options, tool=True).ready(2222)
    client = (
        "ssh",
        "-i",
        "/volume/key",
        "-o",
        "UserKnownHostsFile=/volume/known",
        "-o",
        "BatchMode=yes",
        "-p",
        "2222",
        f"root@{HOST}",
    )
    same(box.run(*client, "cat", stdin="dobrý deň".encode()).out, "dobrý deň", "what came back from the server")
    same(
        box.run(*client, "printf %s $LC_CORPUS", env={"LC_CORPUS": "sk"}).out,
        "sk",
        "an environment variable sent along",
    )
    settings = box.run("ssh", "-G", HOST).out.splitlines()
    expect("hashknownhosts yes" in settings, "the system's ssh configuration was not read")
    (box.volume / "known").write_text("")
    refused = box.run(*client, "true", code=255)
    expect("Host key verification failed" in refused.err, f"an unknown server was not refused as such: {refused.err!r}")


APP = App(
    name="gpg",
    packages=("gnupg", "openssh-client"),
    tools=("openssh-server",),
    entries=("/usr/bin/gpg", "/usr/bin/ssh", "/usr/bin/ssh-keygen"),
    smoke=smoke,
    needed=(
        Needed(kind="library", glob="/usr/lib/*-linux-gnu/libassuan.so.0*"),
        Needed(kind="program", glob="/usr/bin/gpg-agent"),
        Needed(kind="config", glob="/etc/ssh/ssh_config"),
        Needed(kind="state", glob="/etc/passwd"),
    ),
    s3_mb=44.2,
    fat_mb=208.3,
)
