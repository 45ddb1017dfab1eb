"""php on the command line with extensions: a script that calls a service and stores what it says."""

from __future__ import annotations

import hashlib
import json

import trustme

from tests.corpus.model import App, Needed, expect, same
from tests.corpus.peers import NAMES, SLOVAK, Catalogue
from tests.corpus.roots import authority
from tests.corpus.sandbox import HOST, Box

MAIN = r"""<?php
declare(strict_types=1);

require __DIR__ . "/src/Store.php";

$answer = file_get_contents($argv[1]);
$items = json_decode($answer, true, flags: JSON_THROW_ON_ERROR)["items"];
$store = new Store($argv[2]);
foreach ($items as $item) {
    $store->add($item);
}
$names = $store->names();
$document = new DOMDocument();
$document->loadXML("<list><item>" . implode("</item><item>", $names) . "</item></list>");
$sheet = new DOMDocument();
$sheet->loadXML('<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">'
    . '<xsl:output method="text"/><xsl:template match="/"><xsl:value-of select="count(//item)"/></xsl:template></xsl:stylesheet>');
$transform = new XSLTProcessor();
$transform->importStylesheet($sheet);
$collator = new Collator("sk_SK");
$sorted = $names;
$collator->sort($sorted);
$noon = (new DateTimeImmutable("2024-07-01 12:00", new DateTimeZone("Europe/Bratislava")))->setTimezone(new DateTimeZone("UTC"));
$call = curl_init($argv[1]);
curl_setopt($call, CURLOPT_RETURNTRANSFER, true);
$again = curl_exec($call);
echo json_encode([
    "names" => $names,
    "sorted" => $sorted,
    "count" => $transform->transformToXml($document),
    "digest" => hash("sha256", implode("", $names)),
    "latin1" => bin2hex((string) iconv("UTF-8", "ISO-8859-1//TRANSLIT", "é")),
    "upper" => mb_strtoupper("žaba"),
    "noon" => $noon->format(DATE_ATOM),
    "month" => (new IntlDateFormatter("sk_SK", pattern: "LLLL"))->format($noon),
    "same" => $again === $answer,
    "host" => gethostbyname("localhost"),
    "secret" => strlen(openssl_encrypt("text", "aes-256-gcm", str_repeat("k", 32), 0, str_repeat("i", 12), $tag)),
    "type" => (new finfo(FILEINFO_MIME_TYPE))->buffer("%PDF-1.4\n"),
]), "\n";
"""

STORE = r"""<?php
class Store
{
    private PDO $base;

    public function __construct(string $path)
    {
        $this->base = new PDO("sqlite:$path");
        $this->base->exec("create table if not exists item (name text primary key)");
    }

    public function add(string $name): void
    {
        $this->base->prepare("insert or replace into item values (?)")->execute([$name]);
    }

    public function names(): array
    {
        return $this->base->query("select name from item order by name")->fetchAll(PDO::FETCH_COLUMN);
    }
}
"""


def smoke(box: Box) -> None:
    with box.serve(Catalogue, 9443, tls=authority()):
        said = json.loads(box.run("php", "/app/main.php", f"https://{HOST}:9443/items", "/tmp/store.db").out)
    same(said["names"], sorted(NAMES), "names from sqlite")
    same(said["sorted"], list(SLOVAK), "names in Slovak order")
    same(said["count"], str(len(NAMES)), "items counted by a style sheet")
    same(said["digest"], hashlib.sha256("".join(sorted(NAMES)).encode()).hexdigest(), "digest")
    same(said["latin1"], "e9", "a letter in ISO-8859-1")
    same((said["upper"], said["month"]), ("ŽABA", "júl"), "upper case and a Slovak month")
    same(said["noon"], "2024-07-01T10:00:00+00:00", "noon in Bratislava")
    same((said["same"], said["host"]), (True, "127.0.0.1"), "curl's answer and the address of localhost")
    same((said["secret"], said["type"]), (8, "application/pdf"), "encryption and file type")
    with box.serve(Catalogue, 9444, tls=trustme.CA()):
        refused = box.run("php", "/app/main.php", f"https://{HOST}:9444/items", "/tmp/other.db", code=255)
    expect(
        "certificate verify failed" in refused.out + refused.err,
        f"an unknown authority was not refused as such: {refused.out!r}",
    )


APP = App(
    name="php",
    packages=("php-cli", "php-curl", "php-intl", "php-mbstring", "php-sqlite3", "php-xml"),
    files={"/app/main.php": MAIN, "/app/src/Store.php": STORE},
    entries=("cmd:php /app/main.php",),
    smoke=smoke,
    needed=(
        Needed(kind="library", glob="/usr/lib/*-linux-gnu/libxslt.so.1*"),
        Needed(kind="plugin", glob="/usr/lib/php/*/pdo_sqlite.so"),
        Needed(kind="plugin", glob="/usr/lib/php/*/intl.so"),
        Needed(kind="plugin", glob="/usr/lib/*-linux-gnu/gconv/ISO8859-1.so"),
        Needed(kind="config", glob="/etc/php/8.2/cli/conf.d/*pdo_sqlite.ini"),
        Needed(kind="config", glob="/usr/lib/*-linux-gnu/gconv/gconv-modules*"),
        Needed(kind="data", glob="/usr/share/zoneinfo/Europe/Bratislava"),
        Needed(kind="state", glob="/etc/alternatives/php"),
        Needed(kind="state", glob="/etc/ssl/certs/ca-certificates.crt"),
    ),
    s3_mb=97.6,
    fat_mb=277.1,
)
