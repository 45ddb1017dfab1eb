"""The real chisel: the archive that it is given, the cuts that it makes, and generated slices in its hands.

`make chisel` tries every application and every slice; here is what is quick.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pruner.model import FileType
from pruner.slices.generate import generate
from pruner.slices.types import SourceFile
from pruner.slices.write import sdf_text
from tests.chisel.archive import served
from tests.chisel.compare import Known, manifest_differences, root_differences, unexplained
from tests.chisel.cut import cut, manifest
from tests.chisel.debs import Deb, recompress
from tests.chisel.libraries import lacking
from tests.chisel.trial import trial
from tests.corpus.roots import cache_dir
from tests.integration import debs
from tests.support import chisel, need, skip
from tests.unit.slices import source as slice_source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.chisel.archive import Archive

pytestmark = pytest.mark.integration

NOTHING = Known(application=(), left={})


@pytest.fixture(autouse=True, scope="module")
def _tools() -> None:
    chisel()
    for tool in ("gpg", "gpgconf", "dpkg-deb", "zstd"):
        need(tool)


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    """A served archive of two packages; `greeting` has an epoch."""
    build = tmp_path / "build"
    build.mkdir()
    first = debs.build(build, "greeting", "1:2.0", {"/usr/bin/greet": b"#!/bin/sh\n", "/usr/share/greeting/a": b"a\n"})
    second = debs.build(build, "words", "1", {"/usr/share/words/list": b"x\n", "/usr/share/words/link": "-> list"})
    packed = tmp_path / "greeting_2.0.deb"
    recompress(first, packed)
    home = tmp_path / "archive"
    home.mkdir()
    pool = (
        Deb(name="greeting", version="1:2.0", architecture=debs.ARCHITECTURE, path=packed),
        Deb(name="words", version="1", architecture=debs.ARCHITECTURE, path=second),
    )
    with served(pool, home) as running:
        yield running


def release(place: Path, archive: Archive, **files: str) -> Path:
    """A release directory with slice definition files by package name."""
    shown = subprocess.run(
        ["gpg", "--show-keys", "--with-colons", archive.key], capture_output=True, text=True, check=True
    ).stdout
    (identity,) = (line.split(":")[4] for line in shown.splitlines() if line.startswith("pub:"))
    armor = "".join(f"      {line}\n" for line in archive.key.read_text().splitlines())
    (place / "slices").mkdir(parents=True)
    (place / "chisel.yaml").write_text(
        "format: v3\n"
        "maintenance: {standard: 2020-01-01, end-of-life: 2099-01-01}\n"
        "archives: {ubuntu: {version: '1', suites: [any], components: [main, universe], public-keys: [k]}}\n"
        f'public-keys:\n  k:\n    id: "{identity}"\n    armor: |\n{armor}'
    )
    for name, text in files.items():
        (place / "slices" / f"{name}.yaml").write_text(f"package: {name}\n{text}")
    return place


GREETING = """\
slices:
  bins:
    essential:
      words_data:
    contents:
      /usr/bin/greet:
      /var/lib/greeting/: {make: true, mode: 0750}
  wall:
    contents:
      /var/lib/chisel/**: {generate: manifest}
  wrong:
    contents:
      /usr/bin/absent:
"""
WORDS = """\
slices:
  data:
    contents:
      /usr/share/words/*:
"""


def test_archive_is_cut_from(archive: Archive, tmp_path: Path) -> None:
    """chisel takes the key, the signature, the index and both compressions; it gives the paths asked for, and no others."""
    written = release(tmp_path / "release", archive, greeting=GREETING, words=WORDS)
    done = cut(archive, written, ["greeting_bins", "greeting_wall"], tmp_path / "root")
    assert done.failure == ""
    files = sorted(
        str(path.relative_to(done.root)) for path in done.root.rglob("*") if not path.is_dir() or path.is_symlink()
    )
    assert files == ["usr/bin/greet", "usr/share/words/link", "usr/share/words/list", "var/lib/chisel/manifest.wall"]
    rows = manifest(done.root)
    assert rows["/usr/bin/greet"].slices == ("greeting_bins",)
    assert rows["/usr/share/words/link"].link == "list"
    assert rows["/var/lib/greeting"].mode == 0o750
    assert {path.rpartition("/")[2] for path in archive.requests if "/pool/" in path} == {
        "greeting_2.0.deb",
        f"words_1_{debs.ARCHITECTURE}.deb",
    }


def test_refusals_are_told(archive: Archive, tmp_path: Path) -> None:
    """What chisel can't cut, and a release that it can't read, end with its own words."""
    written = release(tmp_path / "release", archive, greeting=GREETING, words=WORDS)
    assert "/usr/bin/absent" in cut(archive, written, ["greeting_wrong"], tmp_path / "one").failure
    (written / "slices/words.yaml").write_text("package: words\nslices:\n  ab:\n")
    assert "invalid slice name" in cut(archive, written, ["greeting_bins"], tmp_path / "two").failure


def test_differences_are_noticed(archive: Archive, tmp_path: Path) -> None:
    """A cut root that is not what was planned is told apart: in mode, content, target, and what is there at all."""
    written = release(tmp_path / "release", archive, greeting=GREETING, words=WORDS)
    done = cut(archive, written, ["greeting_bins", "greeting_wall"], tmp_path / "root")
    rows = manifest(done.root)
    planned = tmp_path / "planned"
    subprocess.run(["cp", "--archive", done.root, planned], check=True)
    subprocess.run(["rm", "-r", planned / "var/lib/chisel"], check=True)
    assert unexplained(root_differences(planned, done.root, NOTHING)) == []
    assert unexplained(manifest_differences(planned, rows, NOTHING)) == []
    (planned / "usr/bin/greet").chmod(0o700)
    (planned / "usr/share/words/list").write_text("y\n")
    (planned / "usr/share/words/link").unlink()
    (planned / "usr/share/words/new").touch()
    for found in (root_differences(planned, done.root, NOTHING), manifest_differences(planned, rows, NOTHING)):
        assert [(one.path, one.what) for one in unexplained(found)] == [
            ("/usr/bin/greet", "mode"),
            ("/usr/share/words/link", "surplus"),
            ("/usr/share/words/list", "content"),
            ("/usr/share/words/new", "missing"),
        ]
    left = Known(application=("/usr/share/words",), left={"/usr/bin/greet": "its mode, of greeting"})
    assert unexplained(root_differences(planned, done.root, left)) == [
        one for one in root_differences(planned, done.root, NOTHING) if one.what == "surplus" and not one.reason
    ]


def test_missing_libraries_are_noticed(tmp_path: Path) -> None:
    """A program in a root without its libraries is named with them, by the root's own loader; with them it is not."""
    if os.geteuid() != 0:
        skip("the loader is asked within the root: it needs root")
    said = subprocess.run(["ldd", "/usr/bin/gpg"], capture_output=True, text=True, check=True).stdout
    libraries = {line.split()[0]: line.split()[2] for line in said.splitlines() if "=> /" in line}
    loader = Path(next(line.split()[0] for line in said.splitlines() if line.strip().startswith("/lib")))
    (tmp_path / "usr/bin").mkdir(parents=True)
    for path in ("/usr/bin/gpg", str(loader), *libraries.values()):
        target = tmp_path / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(Path(path).read_bytes())
        target.chmod(0o755)
    assert lacking(tmp_path) == {}
    gone = next(name for name in libraries if name.startswith("libgcrypt"))
    (tmp_path / libraries[gone].lstrip("/")).unlink()
    assert lacking(tmp_path) == {"/usr/bin/gpg": gone}
    (tmp_path / str(loader).lstrip("/")).unlink()
    assert lacking(tmp_path)["/usr/bin/gpg"] == "the loader"
    script = tmp_path / "usr/bin/script"
    script.write_text("#! /bin/sh -e\n")
    script.chmod(0o755)
    assert lacking(tmp_path)["/usr/bin/script"] == "/bin/sh"
    (tmp_path / "usr/bin/dash").touch()
    (tmp_path / "usr/bin/sh").symlink_to("dash")
    (tmp_path / "bin").symlink_to("/usr/bin")
    assert "/usr/bin/script" not in lacking(tmp_path)


def test_application_runs_from_its_slices() -> None:
    """Slices of an application are cut as `cut.txt` says; it runs, the root is the plan's, and slices stand alone."""
    if os.geteuid() != 0:
        skip("the corpus's sandbox mounts overlays: it needs root")
    with tempfile.TemporaryDirectory(dir=cache_dir(), prefix="chisel-") as place:
        result = trial("redis-server", Path(place), alone=12)
    assert result.failure == ""
    assert result.alone.cut == 12
    assert (result.alone.refused, result.alone.lacking) == ((), ())
    assert unexplained((*result.differences, *result.manifest)) == []


def test_a_bundle_is_joined_by_a_mutation(tmp_path: Path) -> None:
    """chisel runs the generated script: the bundle has its bytes, and the parts that only it needs are gone."""
    parts = {
        f"/usr/share/authorities/{name}.crt": text for name, text in (("B", b"2\n"), ("a", b"3\xc3\xa9"), ("A", b"1"))
    }
    bundle = SourceFile(
        path="/etc/ssl/bundle.crt",
        type=FileType.REGULAR,
        mode=0o644,
        package="authorities",
        content=b"1\n2\n3\xc3\xa9\n",
        maker="postinst",
    )
    source = slice_source(
        [bundle],
        listed={"authorities": [*parts, "/usr/share", "/usr/share/authorities"]},
        concatenations={bundle.path: tuple(sorted(parts))},
    )
    text = sdf_text(generate(source).release.packages["authorities"], "v3")
    assert "until: mutate" in text
    home = tmp_path / "archive"
    home.mkdir()
    packed = debs.build(tmp_path, "authorities", "1", parts)
    one = Deb(name="authorities", version="1", architecture=debs.ARCHITECTURE, path=packed)
    with served((one,), home) as running:
        written = release(tmp_path / "release", running, authorities=text.partition("\n")[2])
        done = cut(running, written, ["authorities_config"], tmp_path / "root")
    assert done.failure == ""
    found = {path.relative_to(done.root).as_posix(): path for path in done.root.rglob("*") if path.is_file()}
    assert found.keys() == {"etc/ssl/bundle.crt"}
    assert found["etc/ssl/bundle.crt"].read_bytes() == bundle.content
