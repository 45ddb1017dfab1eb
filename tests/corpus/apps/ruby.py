"""ruby with its standard library: a script that calls a service and renders what it says."""

from __future__ import annotations

import hashlib
import hmac
import json

import trustme

from tests.corpus.model import App, Needed, expect, same
from tests.corpus.peers import NAMES, Catalogue
from tests.corpus.roots import authority
from tests.corpus.sandbox import HOST, Box

MAIN = r"""require "csv"
require "date"
require "digest"
require "erb"
require "json"
require "logger"
require "net/http"
require "openssl"
require "optparse"
require "set"
require "socket"
require "tempfile"
require "time"
require "uri"
require "yaml"
require "zlib"
require_relative "lib/catalogue"

log = Logger.new($stderr)
uri = URI(ARGV.fetch(0))
body = Net::HTTP.start(uri.host, uri.port, use_ssl: uri.scheme == "https") { |http| http.get(uri.request_uri).body }
catalogue = Catalogue.new(JSON.parse(body)["items"])
log.info("fetched #{catalogue.names.size} items")
ENV["TZ"] = "Europe/Bratislava"
noon = Time.at(1719828000)
page = ERB.new("<% catalogue.names.each do |name| %><li><%= ERB::Util.html_escape(name) %></li><% end %>").result(binding)
puts JSON.generate(
  names: catalogue.names,
  page: page,
  yaml: YAML.load(catalogue.names.to_yaml),
  csv: CSV.parse_line(catalogue.names.to_csv),
  digest: Digest::SHA256.hexdigest(catalogue.names.join),
  hmac: OpenSSL::HMAC.hexdigest("SHA256", "key", "text"),
  zlib: Zlib::Inflate.inflate(Zlib::Deflate.deflate("round")),
  latin2: "ľ".encode("ISO-8859-2").bytes,
  utf16: "ž".encode("UTF-16LE").bytes,
  noon: noon.strftime("%H:%M %Z"),
  date: Date.parse("2024-02-29").next_year.iso8601,
  localhost: Addrinfo.getaddrinfo("localhost", 80, :INET, :STREAM).first.ip_address,
  encoding: Encoding.default_external.name,
)
"""

CATALOGUE = r"""class Catalogue
  attr_reader :names

  def initialize(items)
    @names = items.map(&:unicode_normalize).sort
  end
end
"""


def smoke(box: Box) -> None:
    with box.serve(Catalogue, 9443, tls=authority()):
        done = box.run("ruby", "/app/main.rb", f"https://{HOST}:9443/items", env={"LANG": "C.UTF-8"})
    said = json.loads(done.out)
    for key in ("names", "yaml", "csv"):
        same(said[key], sorted(NAMES), key)
    same(said["page"], "".join(f"<li>{name}</li>" for name in sorted(NAMES)), "the rendered page")
    same(said["digest"], hashlib.sha256("".join(sorted(NAMES)).encode()).hexdigest(), "digest")
    same(said["hmac"], hmac.new(b"key", b"text", "sha256").hexdigest(), "hmac")
    same((said["zlib"], said["latin2"], said["utf16"]), ("round", [0xB5], [0x7E, 0x01]), "zlib and encodings")
    same((said["noon"], said["date"]), ("12:00 CEST", "2025-02-28"), "noon in Bratislava and a leap day's next year")
    same((said["localhost"], said["encoding"]), ("127.0.0.1", "UTF-8"), "address of localhost and encoding")
    expect("fetched 4 items" in done.err, f"no log line: {done.err!r}")
    with box.serve(Catalogue, 9444, tls=trustme.CA()):
        refused = box.run("ruby", "/app/main.rb", f"https://{HOST}:9444/items", code=1)
    expect("certificate verify failed" in refused.err, f"an unknown authority was not refused as such: {refused.err!r}")


APP = App(
    name="ruby",
    packages=("ruby",),
    files={"/app/main.rb": MAIN, "/app/lib/catalogue.rb": CATALOGUE},
    entries=("cmd:ruby /app/main.rb",),
    smoke=smoke,
    needed=(
        Needed(kind="library", glob="/usr/lib/*-linux-gnu/libyaml-0.so.2*"),
        Needed(kind="library", glob="/usr/lib/*-linux-gnu/libssl.so.3"),
        Needed(kind="plugin", glob="/usr/lib/*-linux-gnu/ruby/3.1.0/enc/trans/single_byte.so"),
        Needed(kind="plugin", glob="/usr/lib/*-linux-gnu/ruby/3.1.0/date_core.so"),
        Needed(kind="program", glob="/usr/lib/ruby/3.1.0/erb.rb"),
        Needed(kind="program", glob="/app/lib/catalogue.rb"),
        Needed(kind="data", glob="/usr/share/zoneinfo/Europe/Bratislava"),
        Needed(kind="state", glob="/etc/ssl/certs"),
    ),
    s3_mb=36.3,
    fat_mb=211.4,
)
