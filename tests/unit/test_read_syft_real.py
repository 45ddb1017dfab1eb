"""The traps of syft-json on documents that real releases of Syft wrote: the oldest that is read, one between, the newest."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import stat
import subprocess
from pathlib import Path

import pytest

from pruner.model import FileType, Selection
from pruner.read import read_sbom
from pruner.read.inventory import join
from pruner.rootfs import open_root
from tests import support
from tests.unit.archives import hardlink, link, member, tar
from tests.unit.sboms import STATUS, debian_tree, owners, package

CONFIG = {
    "Entrypoint": ["/usr/bin/tool"],
    "Cmd": ["-v"],
    "Env": ["PATH=/usr/bin"],
    "User": "nobody",
    "WorkingDir": "/srv",
}


@pytest.fixture(params=["0.76.0", "1.18.1", "1.51.0"])
def release(request):
    """A release of Syft that is installed."""
    support.syft_release(request.param)
    return request.param


FORMS = ("json", "cyclonedx-json", "cyclonedx-xml", "spdx-json")


@functools.cache
def scan(release: str, source: str, *, everything: bool = True) -> dict[str, str]:
    """Paths of the documents that Syft writes about `source`, by form; beside what is scanned."""
    place = Path(source.partition(":")[2]).parent
    stem = f"{release}-{'all' if everything else 'owned'}"
    paths = {form: str(place / f"{stem}.{form}") for form in FORMS}
    settings = {
        "SYFT_CHECK_FOR_APP_UPDATE": "false",
        "SYFT_FILE_METADATA_SELECTION": "all" if everything else "owned-by-package",
        "SYFT_FILE_METADATA_CATALOGER_ENABLED": "true" if everything else "false",
    }
    outputs = [argument for form, path in paths.items() for argument in ("-o", f"{form}={path}")]
    subprocess.run([support.syft_release(release), "-q", source, *outputs], check=True, env={**os.environ, **settings})
    return paths


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A small merged-usr Debian root; not to be changed."""
    place = tmp_path_factory.mktemp("above") / "rootfs"
    debian_tree(place)
    return place


def version_of(release: str) -> tuple[int, ...]:
    return tuple(int(part) for part in release.split("."))


def test_directory_listing_is_the_directory(release, root):
    """Names, types, modes and link texts are those on disk, and nothing of the scanning machine is among them."""
    inventory = read_sbom(scan(release, f"dir:{root}")["json"])
    with_root = open_root(str(root))
    assert inventory.selection is Selection.ALL
    assert list(inventory.files) == list(with_root.files)
    for path, file in with_root.files.items():
        stated = inventory.files[path]
        assert (path, stated.type, stated.mode, stated.target) == (path, file.type, file.mode, file.target)
        if file.type is FileType.REGULAR and release != "0.76.0":  # which states no sizes
            assert stated.bytes == file.bytes


def test_packages_and_owners_of_a_directory(release, root):
    """Aliases are followed, deleted files owned by nobody, links left to the root's own lists, `gone` not installed."""
    inventory = read_sbom(scan(release, f"dir:{root}")["json"])
    assert [found.name for found in inventory.packages if found.type == "deb"] == ["libtool1", "tool"]
    assert owners(inventory, "/usr/bin/tool") == ("tool",)
    assert owners(inventory, "/etc/tool.conf") == ("tool",)
    assert owners(inventory, "/usr/lib/libtool.so.1.2.3") == ("libtool1",)
    assert owners(inventory, "/opt/unowned") == ()
    tool = package(inventory, "tool")
    assert "/usr/share/doc/tool/deleted.gz" in [file.path for file in tool.files]
    assert "/usr/share/doc/tool/deleted.gz" not in inventory.files
    assert (tool.source, tool.source_version, tool.architecture, tool.installed_bytes) == (
        "toolset",
        "2.0",
        "amd64",
        12288,
    )
    assert tool.purl is not None
    assert tool.purl.qualifiers["distro"] == "debian-12"
    if version_of(release) >= (0, 94):
        assert tool.depends == ("libtool1 (>= 1.0) | libtool-compat", "perl:any")
        assert tool.pre_depends == ("libc6",)
    else:
        assert any("no declared dependencies of Debian packages" in sentence for sentence in inventory.lacks)


def test_libraries_of_a_directory(release, root):
    """DT_NEEDED is stated since 1.1.0, for unowned executables too."""
    inventory = read_sbom(scan(release, f"dir:{root}")["json"])
    found = {path: inventory.files[path].libraries for path in ("/usr/bin/tool", "/opt/unowned", "/etc/tool.conf")}
    expected = ("libc.so.6",) if version_of(release) >= (1, 1) else None
    assert found == {"/usr/bin/tool": expected, "/opt/unowned": expected, "/etc/tool.conf": None}


def test_default_selection(release, root):
    """Links and state are missing, aliases are owned all the same, and the inventory says what is not there."""
    inventory = read_sbom(scan(release, f"dir:{root}", everything=False)["json"])
    assert owners(inventory, "/usr/bin/tool") == ("tool",)
    assert "/bin" not in inventory.files
    assert inventory.selection is (Selection.NONE if release == "0.76.0" else Selection.OWNED)
    assert any("SYFT_FILE_METADATA_SELECTION=all" in sentence for sentence in inventory.lacks)


def test_join_with_the_scanned_directory(release, root):
    """The root's own lists add the links and directories that no SBOM attributes."""
    sbom = read_sbom(scan(release, f"dir:{root}")["json"])
    inventory = join(sbom, open_root(str(root)), ())
    assert owners(inventory, "/usr/lib/libtool.so.1") == ("libtool1",)
    assert owners(inventory, "/usr/lib/tool/plugin.so") == ("tool",)
    assert owners(inventory, "/usr/share/doc/tool") == ("tool",)
    assert owners(inventory, "/usr/bin") == ()  # the list's /bin is the link's name
    assert owners(inventory, "/bin") == ()  # and the package ships a directory, not a link
    assert inventory.has_content
    assert package(inventory, "tool").stanza.startswith("Package: tool\n")
    assert package(inventory, "tool").id == package(sbom, "tool").id
    assert package(inventory, "tool").depends == ("libtool1 (>= 1.0) | libtool-compat", "perl:any")
    digest = hashlib.sha256((root / "usr/bin/tool").read_bytes()).hexdigest()
    assert inventory.files["/usr/bin/tool"].digest == f"sha256:{digest}"
    assert stat.S_IMODE((root / "usr/bin/tool").stat().st_mode) == inventory.files["/usr/bin/tool"].mode == 0o4755


def test_without_os_release(release, tmp_path):
    """Packages have no purl, and the root joins by name."""
    root = tmp_path / "rootfs"
    debian_tree(root)
    (root / "etc/os-release").unlink()
    sbom = read_sbom(scan(release, f"dir:{root}")["json"])
    assert package(sbom, "tool").purl is None or not package(sbom, "tool").purl.qualifiers.get("distro")
    assert any("os-release" in sentence for sentence in sbom.lacks)
    assert owners(join(sbom, open_root(str(root)), ()), "/usr/bin/tool") == ("tool",)


def docker_archive(path: Path, *layers: bytes) -> Path:
    """A docker-archive of `layers` with `CONFIG`, complete enough for Syft."""
    names = [f"{number}/layer.tar" for number in range(len(layers))]
    digests = [f"sha256:{hashlib.sha256(layer).hexdigest()}" for layer in layers]
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": CONFIG,
        "rootfs": {"type": "layers", "diff_ids": digests},
    }
    manifest = [{"Config": "config.json", "RepoTags": ["test:1"], "Layers": names}]
    members = [member(name, layer) for name, layer in zip(names, layers, strict=True)]
    path.write_bytes(
        tar(
            *members,
            member("config.json", json.dumps(config).encode()),
            member("manifest.json", json.dumps(manifest).encode()),
        )
    )
    return path


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """A docker-archive with links, a hard link, a device, a setuid file, a whiteout and an opaque directory."""
    elf = Path("/bin/true").read_bytes()
    md5sums = (
        b"d41d8cd98f00b204e9800998ecf8427e  bin/tool\nd41d8cd98f00b204e9800998ecf8427e  usr/share/doc/tool/deleted.gz\n"
    )
    lower = tar(
        member("usr/"), member("usr/bin/"), member("usr/bin/tool", elf, mode=0o4755), hardlink("usr/bin/tool2", "usr/bin/tool"),
        link("bin", "usr/bin"), link("usr/rel", "../etc//x"), link("usr/abs", "/usr/bin/tool"),
        member("usr/share/"), member("usr/share/doc/"), member("usr/share/doc/tool/"),
        member("usr/share/doc/tool/deleted.gz", b"x"), member("etc/"), member("etc/os-release", b"ID=debian\nVERSION_ID=12\n"),
        member("opaque/"), member("opaque/lower", b"l"), member("tmp/", mode=0o1777),
        member("dev/"), member("dev/null", type=b"3", devmajor=1, devminor=3, mode=0o666),
        member("var/"), member("var/lib/"), member("var/lib/dpkg/"), member("var/lib/dpkg/status", STATUS.encode()),
        member("var/lib/dpkg/info/"), member("var/lib/dpkg/info/tool.md5sums", md5sums),
        member("var/lib/dpkg/info/tool.list", b"/.\n/bin/tool\n/usr/rel\n/usr/share/doc/tool/deleted.gz\n"),
    )  # fmt: skip
    upper = tar(
        member("usr/share/doc/tool/.wh.deleted.gz", b""), member("opaque/"), member("opaque/.wh..wh..opq", b""),
        member("opaque/upper", b"u", uid=7, gid=8),
    )  # fmt: skip
    return docker_archive(tmp_path_factory.mktemp("image") / "image.tar", lower, upper)


def test_image_scan(release, image):
    """Raw link texts, devices, one inode of two names, whiteouts honoured, and the image's own configuration."""
    inventory = read_sbom(scan(release, f"docker-archive:{image}")["json"])
    files = inventory.files
    assert {path: files[path].target for path in ("/bin", "/usr/rel", "/usr/abs")} == {
        "/bin": "usr/bin", "/usr/rel": "../etc//x", "/usr/abs": "/usr/bin/tool",
    }  # fmt: skip
    assert files["/dev/null"].type is FileType.CHARACTER_DEVICE
    assert (files["/usr/bin/tool"].mode, files["/tmp"].mode) == (0o4755, 0o1777)
    assert "/usr/share/doc/tool/deleted.gz" not in files
    assert [path for path in files if path.startswith("/opaque/")] == ["/opaque/upper"]
    assert (files["/opaque/upper"].uid, files["/opaque/upper"].gid) == (7, 8)
    assert files["/usr/bin/tool2"].type is FileType.REGULAR
    assert files["/usr/bin/tool2"].bytes == files["/usr/bin/tool"].bytes
    assert files["/usr/bin/tool2"].digest == files["/usr/bin/tool"].digest
    if release != "1.51.0":  # which states a further name as a file of its own
        assert files["/usr/bin/tool2"].hardlink == "/usr/bin/tool"
    assert owners(inventory, "/usr/bin/tool") == ("tool",)
    assert inventory.image is not None
    assert (inventory.image.entrypoint, inventory.image.cmd) == (("/usr/bin/tool",), ("-v",))
    assert (inventory.image.user, inventory.image.working_dir, inventory.image.search_path) == (
        "nobody",
        "/srv",
        ("/usr/bin",),
    )


def test_image_scan_joined_with_its_archive(release, image):
    """A docker-archive is the root of its own SBOM."""
    sbom = read_sbom(scan(release, f"docker-archive:{image}")["json"])
    with_root = join(sbom, open_root(str(image)), ())
    assert owners(with_root, "/usr/rel") == ("tool",)
    assert with_root.files["/usr/bin/tool2"].hardlink == "/usr/bin/tool"


@pytest.mark.parametrize("form", ["cyclonedx-json", "cyclonedx-xml", "spdx-json"])
def test_other_formats(release, form, root):
    """They hold the packages, and the root makes up for the rest."""
    sbom = read_sbom(scan(release, f"dir:{root}")[form])
    assert sbom.format == form
    names = [found.name for found in sbom.packages if found.type == "deb"]
    assert names in (["libtool1", "tool"], ["gone", "libtool1", "tool"])  # only metadata tells a removed package
    assert "image configuration" in " ".join(sbom.lacks)
    assert package(sbom, "tool").purl.version == "1.0-1"
    inventory = join(sbom, open_root(str(root)), ())
    assert [found.name for found in inventory.packages if found.type == "deb"] == ["libtool1", "tool"]
    assert owners(inventory, "/usr/lib/libtool.so.1") == ("libtool1",)
    assert package(inventory, "tool").depends == ("libtool1 (>= 1.0) | libtool-compat", "perl:any")
    assert package(inventory, "tool").source == "toolset"
    if form == "spdx-json":
        assert owners(sbom, "/usr/bin/tool") == ("tool",)


def test_edges_of_every_format_run_the_same_way(release, tmp_path):
    """A needs B in each of the formats; CycloneDX of 0.76 is written the other way round."""
    root = tmp_path / "root"
    apk = "P:a\nV:1-r0\nA:x86_64\nL:MIT\nD:b\nF:bin\nR:a\n\nP:b\nV:1-r0\nA:x86_64\nL:MIT\np:so:b\nF:lib\nR:b\n\n"
    for path, text in {
        "lib/apk/db/installed": apk,
        "etc/os-release": "ID=alpine\nVERSION_ID=3.20.0\n",
        "bin/a": "",
        "lib/b": "",
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    for form, path in scan(release, f"dir:{root}").items():
        inventory = read_sbom(path)
        names = {found.id: found.name for found in inventory.packages}
        edges = [(names[found.dependant], names[found.dependency]) for found in inventory.dependencies]
        declared = package(inventory, "a").depends
        assert (declared, edges) in ((("b",), []), ((), [("a", "b")])), form
