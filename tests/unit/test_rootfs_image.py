"""Docker-archives and OCI layouts: layers, whiteouts, and images that are damaged or not alone."""

from __future__ import annotations

import json
import os
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest
import zstandard

from pruner.errors import InputError
from pruner.model import FileType
from pruner.rootfs import Root, open_root
from tests.support import need, skip
from tests.unit.archives import INDEX, Layout, docker_archive, hardlink, link, member, tar, zipped

BASE = tar(
    member("etc/"),
    member("etc/keep", b"keep"),
    member("etc/gone", b"gone"),
    member("usr/lib/"),
    member("usr/lib/a", b"a"),
    member("usr/lib/sub/"),
    member("usr/lib/sub/b", b"b"),
    link("lib", "usr/lib"),
)


def opened(place: Path, *layers: bytes, config: dict[str, Any] | None = None) -> Root:
    layout = Layout()
    layout.image(*layers, config=config)
    (place / "image.tar").write_bytes(layout.tar())
    return open_root(place / "image.tar")


def contents(root: Root) -> dict[str, str]:
    return {path: bytes(root.read(path)).decode() for path, file in root.files.items() if file.type is FileType.REGULAR}


def refusal(place: Path, data: bytes) -> str:
    (place / "image.tar").write_bytes(data)
    with pytest.raises(InputError) as caught:
        open_root(place / "image.tar")
    return caught.value.fact


def test_every_container_gives_the_same_root(tmp_path: Path) -> None:
    """Layout directory, layout tar, compressed layout tar, docker-archive; plain, gzip and zstd layers."""
    upper = tar(member("etc/.wh.gone"), member("lib/new", b"new"), hardlink("etc/same", "usr/lib/a"))
    config = {"Cmd": ["/lib/new"], "Env": ["A=1"]}
    layout = Layout()
    layout.image(zipped(BASE), zstandard.compress(upper), config=config)
    (tmp_path / "oci.tar").write_bytes(layout.tar())
    (tmp_path / "oci.tar.gz").write_bytes(zipped(layout.tar()))
    (tmp_path / "docker.tar").write_bytes(docker_archive(BASE, upper, config=config))
    (tmp_path / "gzipped.tar").write_bytes(docker_archive(zipped(BASE), upper, config=config))
    layout.write(tmp_path / "layout")
    for name in ("oci.tar", "oci.tar.gz", "docker.tar", "gzipped.tar", "layout"):
        root = open_root(tmp_path / name)
        assert contents(root) == {
            "/etc/keep": "keep",
            "/etc/same": "a",
            "/usr/lib/a": "a",
            "/usr/lib/new": "new",
            "/usr/lib/sub/b": "b",
        }
        assert root.files["/usr/lib/a"].hardlink == "/etc/same"
        assert root.image is not None
        assert (root.image.cmd, root.image.env) == (("/lib/new",), ("A=1",))
        root.close()


@pytest.mark.parametrize(
    ("upper", "expected"),
    [
        ([member("etc/.wh.gone")], {"/etc/keep", "/usr/lib/a", "/usr/lib/sub/b"}),
        ([member("usr/.wh.lib")], {"/etc/keep", "/etc/gone"}),
        ([member("lib/.wh.a")], {"/etc/keep", "/etc/gone", "/usr/lib/sub/b"}),
        ([member("usr/lib/.wh..wh..opq")], {"/etc/keep", "/etc/gone"}),
        ([member("usr/lib/c"), member("usr/lib/.wh..wh..opq")], {"/etc/keep", "/etc/gone", "/usr/lib/c"}),
        ([member("usr/lib/.wh..wh..opq"), member("usr/lib/c")], {"/etc/keep", "/etc/gone", "/usr/lib/c"}),
        (
            [member("usr/lib/sub/"), member("usr/lib/sub/new"), member("usr/lib/.wh..wh..opq")],
            {"/etc/keep", "/etc/gone", "/usr/lib/sub/new"},
        ),
        ([member("etc/.wh.gone"), member("etc/gone")], {"/etc/keep", "/etc/gone", "/usr/lib/a", "/usr/lib/sub/b"}),
        ([member("etc/gone"), member("etc/.wh.gone")], {"/etc/keep", "/etc/gone", "/usr/lib/a", "/usr/lib/sub/b"}),
        ([member("usr/lib/"), member("usr/lib/n"), member("usr/.wh.lib")], {"/etc/keep", "/etc/gone", "/usr/lib/n"}),
        ([member("usr/lib", b"now a file")], {"/etc/keep", "/etc/gone", "/usr/lib"}),
        ([member("lib/"), member("lib/x")], {"/etc/keep", "/etc/gone", "/usr/lib/a", "/usr/lib/sub/b", "/lib/x"}),
        (
            [member(".wh..wh.plnk/1"), member("etc/.wh.never")],
            {"/etc/keep", "/etc/gone", "/usr/lib/a", "/usr/lib/sub/b"},
        ),
        ([], {"/etc/keep", "/etc/gone", "/usr/lib/a", "/usr/lib/sub/b"}),
    ],
)
def test_layers(tmp_path: Path, upper: list[tuple[tarfile.TarInfo, bytes | None]], expected: set[str]) -> None:
    """Whiteouts hide what lower layers hold, never their own layer's; opaque directories hide all that is lower."""
    root = opened(tmp_path, BASE, tar(*upper))
    assert {path for path, file in root.files.items() if file.type is FileType.REGULAR} == expected
    assert not [path for path in root.files if ".wh." in path]
    root.close()


def test_a_plain_root_may_hold_names_like_whiteouts(tmp_path: Path) -> None:
    """Whiteouts mean something in layers only."""
    (tmp_path / "root.tar").write_bytes(tar(member(".wh.x", b"1"), member("x", b"2")))
    assert contents(open_root(tmp_path / "root.tar")) == {"/.wh.x": "1", "/x": "2"}


def test_a_new_owner_of_a_directory_keeps_its_contents(tmp_path: Path) -> None:
    """A layer that names a directory again changes it; a changed name of a hard link is a file of its own."""
    first = tar(member("d/"), member("d/a", b"1"), hardlink("d/b", "d/a"))
    root = opened(tmp_path, first, tar(member("d/", mode=0o700, uid=7), member("d/b", b"22")))
    assert (root.files["/d"].mode, root.files["/d"].uid) == (0o700, 7)
    assert contents(root) == {"/d/a": "1", "/d/b": "22"}
    assert root.files["/d/b"].hardlink is None


def test_an_application_s_own_manifest_json_makes_no_image(tmp_path: Path) -> None:
    """A root whose top directory holds some manifest.json is a root."""
    for text in (b"{}", b"[1]", b"not json", b'[{"a": 1}]'):
        (tmp_path / "root.tar").write_bytes(tar(member("manifest.json", text), member("bin/sh", b"x")))
        root = open_root(tmp_path / "root.tar")
        assert "/bin/sh" in root.files
        assert root.image is None


def test_several_platforms_are_named(tmp_path: Path) -> None:
    """An index of two platforms is refused with both; with one of them absent the other is taken."""
    layout = Layout()
    layout.image(BASE, config={"User": "a"}, platform={"os": "linux", "architecture": "amd64"})
    layout.image(BASE, config={"User": "b"}, platform={"os": "linux", "architecture": "arm64", "variant": "v8"})
    assert "2 images: linux/amd64, linux/arm64/v8" in refusal(tmp_path, layout.tar())
    del layout.files["blobs/" + layout.manifests[0]["digest"].replace(":", "/")]
    (tmp_path / "image.tar").write_bytes(layout.tar())
    root = open_root(tmp_path / "image.tar")
    assert root.image is not None
    assert root.image.user == "b"


def test_nested_indexes_and_attestations(tmp_path: Path) -> None:
    """Buildkit's layout: an index in the index, an attestation beside the image."""
    layout = Layout()
    layout.image(BASE, config={"User": "a"}, platform={"os": "linux", "architecture": "amd64"})
    layout.image(
        platform={"os": "unknown", "architecture": "unknown"},
        annotations={"vnd.docker.reference.type": "attestation-manifest"},
    )
    inner = json.dumps({"schemaVersion": 2, "manifests": layout.manifests}).encode()
    layout.manifests = [layout.blob(inner, INDEX)]
    (tmp_path / "image.tar").write_bytes(layout.tar())
    root = open_root(tmp_path / "image.tar")
    assert root.image is not None
    assert root.image.user == "a"


def test_two_images_in_a_docker_archive_are_named(tmp_path: Path) -> None:
    """`docker save one two`: both tags are in the message."""
    manifest = [{"Config": "c", "RepoTags": [tag], "Layers": []} for tag in ("one:1", "two:2")]
    data = tar(member("manifest.json", json.dumps(manifest).encode()), member("c", b"{}"))
    assert "2 images: one:1, two:2" in refusal(tmp_path, data)


def test_damaged_images_are_refused(tmp_path: Path) -> None:
    """Missing and altered blobs, wrong sizes, artifacts that are no images, documents that are no JSON."""
    for path_of, damage, message in (
        ("layers", None, "is missing"),
        ("layers", b"other", "bytes,"),
        ("config", b"{}", "bytes,"),
        ("config", None, "is missing"),
    ):
        layout = Layout()
        found = layout.image(zipped(BASE))
        manifest = json.loads(layout.files["blobs/" + found["digest"].replace(":", "/")])
        part = manifest[path_of][0] if path_of == "layers" else manifest[path_of]
        name = "blobs/" + part["digest"].replace(":", "/")
        if damage is None:
            del layout.files[name]
        else:
            layout.files[name] = damage
        assert message in refusal(tmp_path, layout.tar())
    layout = Layout()
    found = layout.image(BASE)
    name = "blobs/" + found["digest"].replace(":", "/")
    layout.files[name] = layout.files[name].replace(b"schemaVersion", b"schemaVersioN")
    assert "does not match its sha256 digest" in refusal(tmp_path, layout.tar())


@pytest.mark.parametrize(
    ("index", "message"),
    [
        (b"nonsense", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"[]", "is not an object"),
        (b"{}", "manifests is not a list"),
        (b'{"manifests": []}', "holds no image manifest"),
        (b'{"manifests": [7]}', "is not an object"),
        (b'{"manifests": [{"digest": "sha256:../../etc/passwd"}]}', "states no digest"),
        (b'{"manifests": [{"digest": "crc32:00"}]}', "states no digest"),
    ],
)
def test_malformed_indexes_are_refused(tmp_path: Path, index: bytes, message: str) -> None:
    """An index.json of any shape is an image or one message."""
    data = tar(member("oci-layout", b"{}"), member("index.json", index))
    assert message in refusal(tmp_path, data)


def test_an_artifact_is_no_image(tmp_path: Path) -> None:
    """A layout may hold a chart, a signature, an SBOM."""
    layout = Layout()
    config = layout.blob(b"{}", "application/vnd.cncf.helm.config.v1+json")
    manifest = json.dumps({"config": config, "layers": []}).encode()
    layout.manifests.append(layout.blob(manifest, "application/vnd.oci.image.manifest.v1+json"))
    assert "is an artifact of type application/vnd.cncf.helm.config.v1+json" in refusal(tmp_path, layout.tar())


def test_a_hostile_layer_is_named(tmp_path: Path) -> None:
    """What is refused in a root is refused in a layer, by the layer's name."""
    layout = Layout()
    layout.image(BASE, tar(member("/etc/passwd", b"x")))
    fact = refusal(tmp_path, layout.tar())
    assert "/blobs/sha256/" in fact
    assert "absolute path" in fact


@pytest.mark.integration
def test_buildah_s_images_equal_its_own_mount(tmp_path: Path) -> None:
    """What buildah commits and pushes in every format is read as it mounts it: files, bytes, capabilities, times."""
    if os.getuid() != 0:
        skip("buildah's mount needs root")
    state = tmp_path / "state"
    buildah = [need("buildah"), "--root", str(state / "s"), "--runroot", str(state / "r"), "--storage-driver", "vfs"]

    def run(*arguments: str | Path) -> str:
        done = subprocess.run([*buildah, *arguments], check=True, capture_output=True, text=True)
        return done.stdout.strip()

    base = run("from", "scratch")
    place = Path(run("mount", base))
    (place / "usr/bin").mkdir(parents=True)
    (place / "usr/bin/tool").write_bytes(b"tool" * 9000)
    (place / "usr/bin/tool").chmod(0o4755)
    (place / "bin").symlink_to("usr/bin")
    for name in ("removed", "media"):
        (place / name).mkdir()
        (place / name / "x").write_text(name)
    run("commit", "-q", "--rm", base, "base")
    container = run("from", "base")
    place = Path(run("mount", container))
    subprocess.run(["rm", "-r", place / "removed", place / "media"], check=True)
    (place / "media").mkdir()
    (place / "media/new").write_text("new")
    os.link(place / "usr/bin/tool", place / "usr/bin/other")
    (place / "ping").write_text("p")
    os.setxattr(place / "ping", "security.capability", bytes.fromhex("0100000200200000") + bytes(12))
    os.mknod(place / "null", 0o20666, os.makedev(1, 3))
    os.mkfifo(place / os.fsdecode(b"\xffpipe"))
    run("config", "--cmd", '["/bin/tool"]', "--port", "80/tcp", "--volume", "/data", "--user", "7", container)
    run("commit", "-q", "--rm", container, "two")
    for target in ("oci:{}/oci:t", "oci-archive:{}/oci.tar:t", "docker-archive:{}/docker.tar:t"):
        run("push", "-q", "two", target.format(tmp_path))
    run("push", "-q", "--compression-format", "zstd", "two", f"oci:{tmp_path}/zstd:t")
    mounted = open_root(run("mount", run("from", "two")))
    for name in ("oci", "oci.tar", "docker.tar", "zstd"):
        root = open_root(tmp_path / name)
        assert root.files == mounted.files
        for path, file in mounted.files.items():
            assert root.extended_attributes(path) == mounted.extended_attributes(path)
            if file.type is FileType.REGULAR:
                assert root.read(path) == mounted.read(path)
                assert root.modified(path) == mounted.modified(path)
        assert root.extended_attributes("/ping")
        assert root.image is not None
        assert (root.image.cmd, root.image.user, root.image.volumes) == (("/bin/tool",), "7", ("/data",))
        root.close()
    mounted.close()
