"""A static Go binary that serves and calls over TLS and knows time zones."""

from __future__ import annotations

import json

import trustme

from tests.corpus.model import App, Needed, expect, same
from tests.corpus.peers import NAMES, Catalogue
from tests.corpus.roots import Build, authority
from tests.corpus.sandbox import HOST, Box

MAIN = r"""package main

import (
	"context"
	"encoding/json"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"os/user"
	"syscall"
	"time"
)

func main() {
	mux := http.NewServeMux()
	mux.HandleFunc("/noon", func(w http.ResponseWriter, r *http.Request) {
		zone, err := time.LoadLocation("Europe/Bratislava")
		if err != nil {
			http.Error(w, err.Error(), 500)
			return
		}
		json.NewEncoder(w).Encode(map[string]string{"utc": time.Date(2024, 7, 1, 12, 0, 0, 0, zone).UTC().Format(time.RFC3339)})
	})
	mux.HandleFunc("/fetch", func(w http.ResponseWriter, r *http.Request) {
		answer, err := http.Get(r.URL.Query().Get("url"))
		if err != nil {
			http.Error(w, err.Error(), 502)
			return
		}
		defer answer.Body.Close()
		io.Copy(w, answer.Body)
	})
	mux.HandleFunc("/name", func(w http.ResponseWriter, r *http.Request) {
		addresses, err := net.LookupHost("localhost")
		account, accountErr := user.Current()
		if err != nil || accountErr != nil {
			http.Error(w, "lookup failed", 500)
			return
		}
		json.NewEncoder(w).Encode(map[string]any{"addresses": addresses, "user": account.Uid})
	})
	server := &http.Server{Addr: ":8443", Handler: mux}
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer cancel()
	go func() {
		<-stop.Done()
		server.Shutdown(context.Background())
	}()
	if err := server.ListenAndServeTLS(os.Args[1], os.Args[2]); err != http.ErrServerClosed {
		log.Fatal(err)
	}
}
"""


def setup(build: Build) -> None:
    """Build with the host's toolchain; the module needs nothing but the standard library."""
    (build.scratch / "main.go").write_text(MAIN)
    (build.scratch / "go.mod").write_text("module corpus\n\ngo 1.18\n")
    target = str(build.root / "app/server")
    build.outside(
        "go",
        "build",
        "-trimpath",
        "-o",
        target,
        ".",
        cwd=build.scratch,
        env={"CGO_ENABLED": "0", "GOTOOLCHAIN": "local"},
    )


def smoke(box: Box) -> None:
    certificate = authority().issue_cert("localhost")
    certificate.private_key_pem.write_to_path(str(box.volume / "key.pem"))
    for pem in certificate.cert_chain_pems:
        pem.write_to_path(str(box.volume / "chain.pem"), append=True)
    service = box.start("/app/server", "/volume/chain.pem", "/volume/key.pem")
    service.ready(8443)
    url = "https://localhost:8443"
    same(json.loads(box.fetch(f"{url}/noon").body)["utc"], "2024-07-01T10:00:00Z", "noon in Bratislava")
    name = json.loads(box.fetch(f"{url}/name").body)
    expect("127.0.0.1" in name["addresses"] and name["user"] == "0", f"other names: {name}")
    with box.serve(Catalogue, 9443, tls=authority()):
        same(
            json.loads(box.fetch(f"{url}/fetch?url=https://{HOST}:9443/items").body)["items"],
            list(NAMES),
            "items over https",
        )
    with box.serve(Catalogue, 9444, tls=trustme.CA()):
        refused = box.fetch(f"{url}/fetch?url=https://{HOST}:9444/items", status=502)
    expect(
        "certificate signed by unknown authority" in refused.text,
        f"an unknown authority was not refused as such: {refused.text!r}",
    )
    service.stop()


APP = App(
    name="gobinary",
    packages=(),
    files={},
    setup=setup,
    entries=("/app/server",),
    smoke=smoke,
    needed=(
        Needed(kind="state", glob="/etc/ssl/certs"),
        Needed(kind="data", glob="/usr/share/zoneinfo/Europe/Bratislava"),
        Needed(kind="program", glob="/app/server"),
    ),
    beyond=("/app/server", 3_000_000),
    outside=True,
)
