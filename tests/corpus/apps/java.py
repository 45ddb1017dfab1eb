"""A JDK running a jar: a service client with TLS, time zones, collation and charsets."""

from __future__ import annotations

import hashlib

import trustme

from tests.corpus.model import App, Needed, expect, same
from tests.corpus.peers import SLOVAK, Catalogue
from tests.corpus.roots import Build, authority
from tests.corpus.sandbox import HOST, Box

MAIN = r"""package corpus;

import java.net.InetAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.text.Collator;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.format.TextStyle;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Locale;
import java.util.concurrent.ForkJoinPool;
import java.util.logging.Logger;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

public class Main {
    public static void main(String[] args) throws Exception {
        Logger.getLogger("corpus").info("started");
        HttpClient client = HttpClient.newHttpClient();
        HttpResponse<String> answer = client.send(
            HttpRequest.newBuilder(URI.create(args[0])).build(), HttpResponse.BodyHandlers.ofString());
        var found = Pattern.compile("\"([^\"]+)\"").matcher(answer.body().substring(answer.body().indexOf('[')));
        String[] names = found.results().map(result -> result.group(1)).toArray(String[]::new);
        Arrays.sort(names, Collator.getInstance(new Locale("sk")));
        Path file = Files.createTempFile("corpus", ".txt");
        Files.writeString(file, String.join(",", names));
        System.setOut(new java.io.PrintStream(System.out, true, StandardCharsets.UTF_8));
        System.out.println("status=" + answer.statusCode());
        System.out.println("names=" + Files.readString(file));
        System.out.println("noon=" + LocalDateTime.of(2024, 7, 1, 12, 0).atZone(ZoneId.of("Europe/Bratislava"))
            .withZoneSameInstant(ZoneOffset.UTC));
        System.out.println("month=" + java.time.Month.JULY.getDisplayName(TextStyle.FULL_STANDALONE, new Locale("sk")));
        System.out.println("latin2=" + "ľ".getBytes(Charset.forName("ISO-8859-2")).length);
        System.out.println("digest=" + HexFormat.of().formatHex(
            MessageDigest.getInstance("SHA-256").digest(String.join("", names).getBytes(StandardCharsets.UTF_8))));
        System.out.println("localhost=" + InetAddress.getByName("localhost").getHostAddress());
        System.out.println("service=" + InetAddress.getByName("service.test").getHostAddress());
        System.out.println("sum=" + ForkJoinPool.commonPool().submit(() -> IntStream.range(0, 1000).parallel().sum()).get());
        try (var resource = Main.class.getResourceAsStream("/greeting.txt")) {
            System.out.println("greeting=" + new String(resource.readAllBytes(), StandardCharsets.UTF_8).strip());
        }
    }
}
"""


def setup(build: Build) -> None:
    """Compile the application with the root's own JDK, and leave nothing but the jar."""
    build.inside("javac", "-encoding", "UTF-8", "-d", "/tmp/classes", "/tmp/Main.java")
    build.inside(
        "jar",
        "--create",
        "--file=/app/app.jar",
        "--main-class=corpus.Main",
        "-C",
        "/tmp/classes",
        ".",
        "-C",
        "/app",
        "greeting.txt",
    )
    (build.root / "app/greeting.txt").unlink()


def smoke(box: Box) -> None:
    with box.serve(Catalogue, 9443, tls=authority()):
        done = box.run("java", "-jar", "/app/app.jar", f"https://{HOST}:9443/items")
    said = dict(line.split("=", 1) for line in done.out.splitlines())
    same((said["status"], said["names"]), ("200", ",".join(SLOVAK)), "status and names in Slovak order")
    same((said["noon"], said["month"]), ("2024-07-01T10:00Z", "júl"), "noon in Bratislava and a Slovak month")
    same(said["digest"], hashlib.sha256("".join(SLOVAK).encode()).hexdigest(), "digest")
    same((said["localhost"], said["service"]), ("127.0.0.1", "127.0.0.1"), "addresses")
    same((said["latin2"], said["sum"], said["greeting"]), ("1", "499500", "dobrý deň"), "charset, sum and resource")
    expect("INFO: started" in done.err, f"no log line: {done.err!r}")
    with box.serve(Catalogue, 9444, tls=trustme.CA()):
        refused = box.run("java", "-jar", "/app/app.jar", f"https://{HOST}:9444/items", code=1)
    expect(
        "unable to find valid certification path" in refused.err,
        f"an unknown authority was not refused as such: {refused.err[-500:]!r}",
    )


APP = App(
    name="java",
    packages=("openjdk-17-jdk-headless",),
    files={"/tmp/Main.java": MAIN, "/app/greeting.txt": "dobrý deň\n"},
    setup=setup,
    entries=("cmd:java -jar /app/app.jar",),
    smoke=smoke,
    needed=(
        Needed(kind="library", glob="/usr/lib/jvm/java-17-openjdk-*/lib/server/libjvm.so"),
        Needed(kind="plugin", glob="/usr/lib/jvm/java-17-openjdk-*/lib/libnet.so"),
        Needed(kind="data", glob="/usr/lib/jvm/java-17-openjdk-*/lib/tzdb.dat"),
        Needed(kind="data", glob="/usr/lib/jvm/java-17-openjdk-*/lib/modules"),
        Needed(kind="config", glob="/etc/java-17-openjdk/security/java.security"),
        Needed(kind="state", glob="/etc/ssl/certs/java/cacerts"),
        Needed(kind="state", glob="/etc/alternatives/java"),
    ),
    s3_mb=313.5,
    fat_mb=479.7,
)
