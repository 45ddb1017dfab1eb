"""Java archives: what a manifest and a command line put on the class path."""

from __future__ import annotations

import io
import zipfile

import pytest

from pruner.analyze.arguments import edges_of_arguments
from pruner.analyze.java import edges_of_java
from pruner.model import Findings
from tests.unit.languages import details, look, targets, view_of


def archive(manifest=None):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("Main.class", b"\xca\xfe\xba\xbe" * 100)
        if manifest is not None:
            file.writestr("META-INF/MANIFEST.MF", manifest)
    return data.getvalue()


def test_class_path_of_a_manifest():
    """Entries are relative to the archive, may be folded and quoted as URLs, and may be missing."""
    manifest = "Manifest-Version: 1.0\r\nClass-Path: lib/a.jar lib/b%20c.jar ../sha\r\n red/d.jar classes/ gone.jar\r\nMain-Class: M\r\n"
    files = {
        "/app/app.jar": archive(manifest),
        "/app/lib/a.jar": archive(),
        "/app/lib/b c.jar": archive(),
        "/shared/d.jar": archive(),
        "/app/classes/X.class": b"",
        "/app/lib/unused.jar": archive(),
    }
    found = look(edges_of_java, view_of(files), "/app/app.jar")
    assert targets(found, kind="import") == ["/app/lib/a.jar", "/app/lib/b c.jar", "/shared/d.jar"]
    assert targets(found, kind="data") == ["/app/classes", "/app/classes/X.class"]
    assert found.unknowns == ()


def test_archives_without_a_manifest_and_inert_ones():
    """An archive without a manifest names nothing; an inert one is not read."""
    view = view_of({"/a.jar": archive(), "/b.jar": archive("Class-Path: a.jar\n")})
    assert look(edges_of_java, view, "/a.jar") == Findings()
    assert look(edges_of_java, view, "/b.jar", active=False) == Findings()


@pytest.mark.parametrize("cut", [0, 1, 30, 60, 120, -1, -10, -22])
def test_archives_cut_anywhere(cut):
    """A damaged archive is an unknown at most."""
    data = archive("Class-Path: a.jar\n")[:cut]
    found = look(edges_of_java, view_of({"/a.jar": data}), "/a.jar")
    assert details(found) == ["an archive whose manifest can't be read"]


def test_class_path_of_a_command():
    """Archives, wildcards, directories and agents of a java command are kept; other programs have no class path."""
    files = {"/usr/bin/java": b"", "/app/a.jar": archive(), "/app/lib/b.jar": archive(), "/app/lib/c.JAR": archive()}
    files |= {
        "/app/lib/notes.txt": "",
        "/app/classes/M.class": b"",
        "/opt/agent.jar": archive(),
        "/app/mods/m.jar": archive(),
    }
    view = view_of(files)
    words = (
        "/usr/bin/java",
        "-javaagent:/opt/agent.jar=x",
        "-cp",
        "a.jar:lib/*:classes",
        "--module-path=/app/mods/m.jar",
        "Main",
    )
    edges, _ = edges_of_arguments("entry:e", words, "/app", view)
    assert set(targets(Findings(edges=edges))) == {
        *("/app/a.jar", "/app/lib/b.jar", "/app/lib/c.JAR", "/app/classes", "/app/classes/M.class"),
        *("/opt/agent.jar", "/app/mods/m.jar"),
    }
    assert edges_of_arguments("entry:e", ("/usr/bin/scp", "-cp", "a.jar"), "/app", view) == ((), ())
