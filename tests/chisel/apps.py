"""The applications that are cut: those of the corpus, and two that every root of it holds."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tests.corpus.apps import APPS as CORPUS
from tests.corpus.model import App, Needed, expect, same

if TYPE_CHECKING:
    from tests.corpus.sandbox import Box

DIGEST = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
"""Of `hello` by SHA-256."""


def smoke_openssl(box: Box) -> None:
    """Digests, a key, a certificate that verifies, encryption by the legacy provider, and nothing but what was asked."""
    expect(box.run("openssl", "version").out.startswith("OpenSSL 3."), "another version")
    (box.volume / "hello").write_text("hello")
    same(box.run("openssl", "dgst", "-sha256", "-r", "/volume/hello").out.split()[0], DIGEST, "digest")
    request = ("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=service.test", "-days", "2")
    box.run("openssl", *request, "-keyout", "/volume/key.pem", "-out", "/volume/cert.pem")
    box.run("openssl", "verify", "-CAfile", "/volume/cert.pem", "/volume/cert.pem")
    said = box.run("openssl", "x509", "-in", "/volume/cert.pem", "-noout", "-subject").out
    expect("service.test" in said, f"another subject: {said!r}")
    for cipher in (("-aes-256-cbc",), ("-bf-cbc", "-provider", "legacy", "-provider", "default")):
        how = ("enc", *cipher, "-pbkdf2", "-pass", "pass:x")
        box.run("openssl", *how, "-in", "/volume/hello", "-out", "/volume/secret")
        same(box.run("openssl", *how, "-d", "-in", "/volume/secret").out, "hello", f"decrypted by {cipher[0]}")
    refused = box.run("openssl", "verify", "-no-CAfile", "-no-CApath", "/volume/cert.pem", code=2)
    expect("self-signed" in refused.err, f"refused for another reason: {refused.err!r}")


PERL = """
use strict; use warnings; use utf8;
use POSIX qw(floor strftime); use List::Util qw(sum); use Socket; use File::Temp qw(tempfile); use Data::Dumper ();
use IO::Socket::INET; use Getopt::Long; use Cwd (); use Scalar::Util qw(blessed); use IPC::Open3 ();
my ($handle, $file) = tempfile(DIR => "/volume", UNLINK => 1);
print $handle join(",", map { $_ * $_ } 1 .. 4); close $handle;
open my $in, "<", $file or die; my $line = <$in>;
binmode STDOUT, ":utf8";
print join("|", floor(2.7), sum(1 .. 10), $line, inet_ntoa(inet_aton("localhost")), uc("žaba"),
    "ľ" =~ /^\\p{Lowercase}$/ ? "lower" : "not"), "\\n";
"""


def smoke_perl(box: Box) -> None:
    """Modules, extensions and Unicode tables of perl-base, by one script, and a module that is not there."""
    (box.volume / "main.pl").write_text(PERL)
    said = box.run("perl", "/volume/main.pl", env={"LC_ALL": "C.UTF-8"}).out.strip()
    same(said, "2|55|1,4,9,16|127.0.0.1|ŽABA|lower", "what the script prints")
    same(box.run("perl", "-e", "print $^V").out, "v5.36.0", "version")
    expect("Can't locate Absent.pm" in box.run("perl", "-e", "use Absent", code=2).err, "an absent module was found")


def _of_curl(entry: str, smoke: object, needed: tuple[Needed, ...]) -> App:
    return replace(CORPUS["curl"], entries=(entry,), smoke=smoke, needed=needed, gone=(), s3_mb=None, fat_mb=None)


APPS: dict[str, App] = {
    "python3": CORPUS["python"],
    "nginx": CORPUS["nginx"],
    "redis-server": CORPUS["redis"],
    "git": CORPUS["git"],
    "curl": CORPUS["curl"],
    "openssl": _of_curl(
        "/usr/bin/openssl",
        smoke_openssl,
        (
            Needed(kind="library", glob="/usr/lib/*-linux-gnu/libssl.so.3"),
            Needed(kind="plugin", glob="/usr/lib/*-linux-gnu/ossl-modules/legacy.so"),
            Needed(kind="config", glob="/usr/lib/ssl/openssl.cnf"),
        ),
    ),
    "perl-base": _of_curl(
        "/usr/bin/perl",
        smoke_perl,
        (Needed(kind="library", glob="/usr/lib/*-linux-gnu/libcrypt.so.1*"),),
    ),
    "postgresql-15": CORPUS["postgres"],
    "openjdk-17-jre-headless": CORPUS["java"],
}
"""By the package that a user would name; several share a fat root."""

APPLICATION_FILES: dict[str, tuple[str, ...]] = {
    "python3": ("/app",),
    "nginx": ("/etc/nginx/conf.d/site.conf", "/srv", "/etc/nginx/tls"),
    "openjdk-17-jre-headless": ("/app",),
}
"""What is the application's own and in no package: it is laid over a cut root before the application is run."""
LOCAL_FILES = ("/usr/local/share/ca-certificates/corpus.crt",)
"""What every root of the corpus holds of its own, and in no package."""
