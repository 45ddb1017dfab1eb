"""perl with modules of CPAN that Debian packages: a script that calls a service and stores what it says."""

from __future__ import annotations

import hashlib
import json

import trustme

from tests.corpus.model import App, Needed, expect, same
from tests.corpus.peers import NAMES, Catalogue
from tests.corpus.roots import authority
from tests.corpus.sandbox import HOST, Box

MAIN = r"""use strict;
use warnings;
use utf8;
use FindBin qw($Bin);
use lib "$Bin/lib";
use Digest::SHA qw(sha256_hex);
use Encode qw(encode decode);
use File::Temp qw(tempfile);
use Getopt::Long;
use JSON qw(decode_json to_json);
use LWP::UserAgent;
use POSIX qw(setlocale LC_ALL strftime tzset);
use Socket qw(getaddrinfo AF_INET SOCK_STREAM inet_ntoa unpack_sockaddr_in);
use Time::HiRes qw(time);
use Store;

GetOptions("database=s" => \my $database) or die "usage: main.pl --database FILE URL\n";
my $started = time;
my $locale = setlocale(LC_ALL, "C.UTF-8") // "none";
my $agent = LWP::UserAgent->new(timeout => 10);
my $answer = $agent->get($ARGV[0]);
die "fetch: " . $answer->status_line . "\n" unless $answer->is_success;
my $items = decode_json($answer->content)->{items};
my $store = Store->new($database);
$store->add($_) for @$items;
my @names = $store->names;
my ($error, @addresses) = getaddrinfo("localhost", "80", {family => AF_INET, socktype => SOCK_STREAM});
$ENV{TZ} = "Europe/Bratislava";
tzset();
my ($handle, $file) = tempfile(UNLINK => 1);
print $handle encode("ISO-8859-2", "ľ");
close $handle;
print to_json({
    names => \@names,
    digest => sha256_hex(encode("UTF-8", join "", @names)),
    localhost => inet_ntoa((unpack_sockaddr_in($addresses[0]{addr}))[1]),
    noon => strftime("%H:%M %Z", localtime(1719828000)),
    locale => $locale,
    latin2 => -s $file,
    upper => join(",", map { uc } @names),
    seconds => time - $started < 60 ? "few" : "many",
}, {ascii => 1}), "\n";
"""

STORE = r"""package Store;

use strict;
use warnings;
use DBI;

sub new {
    my ($class, $path) = @_;
    my $base = DBI->connect("dbi:SQLite:dbname=$path", "", "", {RaiseError => 1, sqlite_unicode => 1});
    $base->do("create table if not exists item (name text primary key)");
    return bless {base => $base}, $class;
}

sub add {
    my ($self, $name) = @_;
    $self->{base}->do("insert or replace into item values (?)", undef, $name);
}

sub names {
    my ($self) = @_;
    return @{$self->{base}->selectcol_arrayref("select name from item order by name")};
}

1;
"""


def smoke(box: Box) -> None:
    command = ("perl", "/app/main.pl", "--database", "/tmp/store.db")
    with box.serve(Catalogue, 9443, tls=authority()):
        said = json.loads(box.run(*command, f"https://{HOST}:9443/items").out)
    same(said["names"], sorted(NAMES), "names from sqlite")
    same(said["digest"], hashlib.sha256("".join(sorted(NAMES)).encode()).hexdigest(), "digest")
    same(said["localhost"], "127.0.0.1", "address of localhost")
    same(said["noon"], "12:00 CEST", "noon in Bratislava")
    same(said["locale"], "C.UTF-8", "locale")
    same(said["latin2"], 1, "bytes of a letter in ISO-8859-2")
    same(said["upper"], ",".join(sorted(NAMES)).upper(), "upper case")
    with box.serve(Catalogue, 9444, tls=trustme.CA()):
        refused = box.run(*command, f"https://{HOST}:9444/items", code=None)
    expect(
        refused.code != 0 and "certificate verify failed" in refused.err,
        f"an unknown authority was not refused as such: {refused.err!r}",
    )


APP = App(
    name="perl",
    packages=("perl", "libwww-perl", "liblwp-protocol-https-perl", "libjson-perl", "libdbd-sqlite3-perl"),
    files={"/app/main.pl": MAIN, "/app/lib/Store.pm": STORE},
    entries=("cmd:perl /app/main.pl",),
    smoke=smoke,
    needed=(
        Needed(kind="library", glob="/usr/lib/*-linux-gnu/libsqlite3.so.0*"),
        Needed(kind="plugin", glob="/usr/lib/*-linux-gnu/perl5/5.36/auto/DBD/SQLite/SQLite.so"),
        Needed(kind="program", glob="/usr/share/perl5/LWP/UserAgent.pm"),
        Needed(kind="program", glob="/usr/share/perl5/LWP/Protocol/https.pm"),
        Needed(kind="program", glob="/usr/share/perl5/JSON.pm"),
        Needed(kind="data", glob="/usr/share/zoneinfo/Europe/Bratislava"),
        Needed(kind="state", glob="/etc/ssl/certs"),
    ),
    s3_mb=65.3,
    fat_mb=192.1,
)
