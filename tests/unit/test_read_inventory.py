"""Joining an SBOM with its root: files, owners and package texts."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from pruner.errors import InputError
from pruner.model import FileType, ImageConfig, Inventory
from pruner.read.inventory import join
from pruner.rootfs import open_root
from tests.unit.sboms import (
    deb,
    debian_tree,
    directory_source,
    document,
    entry,
    link,
    owners,
    package,
    read,
    write_tree,
)

CONFFILE = {"path": "/etc/tool.conf", "isConfigFile": True}


def scanned(root: Path, artifacts, *, files=(), **fields) -> dict:
    """A document of the directory `root` as Syft would write it, with `files` in place of what is there."""
    listed = {item["location"]["path"]: item for item in files}
    for path, file in open_root(str(root)).files.items():
        if path in listed:
            continue
        if file.type is FileType.REGULAR:
            digest = hashlib.sha256((root / path[1:]).read_bytes()).hexdigest()
            listed[path] = entry(path, size=file.bytes, digests=[{"algorithm": "sha256", "value": digest}])
        elif file.type is FileType.DIRECTORY:
            listed[path] = entry(path, "Directory", mode=20000000755)
        elif file.type is FileType.SYMLINK:
            listed[path] = link(path, file.target, len(file.target.encode()))
    return document(artifacts, [listed[path] for path in sorted(listed)], source=directory_source(str(root)), **fields)


def joined(tmp_path, root: Path, artifacts, **fields) -> Inventory:
    return join(read(tmp_path, scanned(root, artifacts, **fields)), open_root(str(root)), ())


@pytest.fixture
def root(tmp_path):
    """A small merged-usr Debian root."""
    place = tmp_path / "rootfs"
    debian_tree(place)
    return place


BOTH = [deb("tool", ["/bin/tool"]), deb("libtool1")]


def test_lists_give_owners(tmp_path, root):
    """Directories, links and files of .list, located through the merged directories; deleted ones have none.

    A link that stands where packages ship a directory (/bin of a merged-usr root) belongs to none of them.
    """
    inventory = joined(tmp_path, root, BOTH)
    assert {
        path: owners(inventory, path)
        for path in ("/usr/bin/tool", "/bin", "/usr/lib", "/usr/lib/libtool.so.1", "/opt/unowned")
    } == {
        "/usr/bin/tool": ("tool",),
        "/bin": (),
        "/usr/lib": ("libtool1", "tool"),
        "/usr/lib/libtool.so.1": ("libtool1",),
        "/opt/unowned": (),
    }
    assert set(inventory.owners) <= set(inventory.files)


def test_database_completes_packages(tmp_path, root):
    """Clauses, digests, conffiles and the stanza come from the root; identity and purl from the SBOM."""
    tool = package(joined(tmp_path, root, BOTH), "tool")
    assert tool.id == "deb:tool"
    assert tool.purl.qualifiers["distro"] == "debian-12"
    assert (tool.source, tool.source_version, tool.installed_bytes) == ("toolset", "2.0", 12288)
    assert (tool.depends, tool.pre_depends) == (("libtool1 (>= 1.0) | libtool-compat", "perl:any"), ("libc6",))
    assert tool.stanza.startswith("Package: tool\n")
    assert tool.stanza.endswith("with a long text")
    files = {file.path: file for file in tool.files}
    assert files["/etc/tool.conf"].conffile
    assert files["/etc/tool.conf"].digest == "md5:0123456789abcdef0123456789abcdef"
    assert files["/etc/tool.old"].digest == "md5:0123456789abcdef0123456789abcdef"
    assert files["/etc/tool.new"].digest is None
    assert files["/bin/tool"].digest == "md5:d41d8cd98f00b204e9800998ecf8427e"
    assert files["/usr/lib/tool/plugin.so"].digest is None


def test_digests_and_libraries_are_carried_over(tmp_path, root):
    """The root's files with what only the SBOM says."""
    executable = {"format": "elf", "hasExports": True, "hasEntrypoint": True, "importedLibraries": ["libz.so.1"]}
    size = (root / "usr/bin/tool").stat().st_size
    stated = entry("/usr/bin/tool", size=size, executable=executable, digests=[{"algorithm": "sha256", "value": "ab"}])
    found = joined(tmp_path, root, BOTH, files=[stated]).files["/usr/bin/tool"]
    assert (found.mode, found.bytes, found.digest, found.libraries, found.has_entrypoint) == (
        0o4755,
        size,
        "sha256:ab",
        ("libz.so.1",),
        True,
    )


def test_removed_package_goes(tmp_path, root):
    """The root's status decides what is installed, whatever the SBOM lists."""
    inventory = joined(tmp_path, root, [*BOTH, deb("gone", ["/usr/share/gone"])])
    assert [found.name for found in inventory.packages] == ["libtool1", "tool"]


def test_package_that_the_sbom_lacks_is_added(tmp_path, root):
    """It owns its files like any other, and the inventory says so."""
    inventory = joined(tmp_path, root, [deb("tool")])
    added = package(inventory, "libtool1")
    assert added.purl.to_string() == "pkg:deb/debian/libtool1@1.0-1?arch=amd64&distro=debian-12"
    assert owners(inventory, "/usr/lib/libtool.so.1.2.3") == ("libtool1",)
    assert any("does not are added: libtool1" in sentence for sentence in inventory.lacks)


def test_diversions(tmp_path, root):
    """A diverted file lies elsewhere; the diverting package keeps the name."""
    write_tree(
        root,
        {
            "var/lib/dpkg/diversions": "/bin/tool\n/bin/tool.distrib\nlibtool1\n/usr/x\n/usr/y\n:\n",
            "usr/bin/tool.distrib": "theirs",
        },
    )
    (root / "var/lib/dpkg/info/libtool1:amd64.list").write_text("/bin/tool\n")
    inventory = joined(tmp_path, root, BOTH)
    assert owners(inventory, "/usr/bin/tool.distrib") == ("tool",)
    assert owners(inventory, "/usr/bin/tool") == ("libtool1",)


def test_status_d(tmp_path):
    """Distroless roots have a stanza and an md5sums file a package, and no lists."""
    root = tmp_path / "rootfs"
    write_tree(
        root,
        {
            "var/lib/dpkg/status.d/base": "Package: base-files\nVersion: 1.0-1\nArchitecture: amd64\nConffiles:\n /etc/issue aa\n",
            "var/lib/dpkg/status.d/base.md5sums": "bb  usr/share/base\ncc  usr/share/./gone\n",
            "usr/share/base": "x",
            "etc/issue": "y",
        },
    )
    inventory = joined(tmp_path, root, [deb("base-files")])
    assert dict(inventory.owners) == {"/etc/issue": ("deb:base-files",), "/usr/share/base": ("deb:base-files",)}
    assert package(inventory, "base-files").files[0].digest == "md5:bb"


def test_apk_database(tmp_path):
    """Directories and files of the installed database, wherever it lies, with its block as stanza."""
    root = tmp_path / "rootfs"
    block = "C:Q1x=\nP:busybox\nV:1.36-r0\nA:x86_64\nI:900\no:busybox\nD:so:libc.musl-x86_64.so.1\np:cmd:sh=1\nF:bin\nM:0:0:755\nR:busybox\na:0:0:4755\nZ:Q1abc=\nR:sh\nF:\nR:top\n"
    write_tree(
        root,
        {
            "usr/lib/apk/db/installed": f"{block}\nP:other\nV:1\n\n",
            "usr/bin/busybox": "b",
            "bin": "-> usr/bin",
            "usr/bin/sh": "-> busybox",
            "top": "",
        },
    )
    apk = {
        "id": "a",
        "name": "busybox",
        "version": "1.36-r0",
        "type": "apk",
        "metadataType": "apk-db-entry",
        "metadata": {},
    }
    inventory = joined(tmp_path, root, [apk])
    busybox = package(inventory, "busybox")
    assert (busybox.id, busybox.stanza, busybox.installed_bytes) == ("a", block.strip(), 900)
    assert (busybox.depends, busybox.provides) == (("so:libc.musl-x86_64.so.1",), ("cmd:sh=1",))
    assert [(file.path, file.digest) for file in busybox.files] == [
        ("/bin", None),
        ("/bin/busybox", "Q1abc="),
        ("/bin/sh", None),
        ("/top", None),
    ]
    assert [path for path in inventory.owners if owners(inventory, path) == ("busybox",)] == [
        "/top",
        "/usr/bin/busybox",
        "/usr/bin/sh",
    ]
    assert package(inventory, "other").version == "1"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            entry("/usr/share/tool/empty", size=5, digests=[{"algorithm": "sha256", "value": "ab"}]),
            r"1 of its files: /usr/share/tool/empty \(0 bytes, not 5\)",
        ),
        (entry("/bin", "Directory"), r"/bin \(symlink, not directory\)"),
        (entry("/usr/missing"), r"/usr/missing \(missing\)"),
    ],
)
def test_another_root_is_refused(tmp_path, root, change, message):
    """Names, types and sizes must be those of the SBOM; the message names what differs."""
    with pytest.raises(InputError, match=message) as caught:
        joined(tmp_path, root, BOTH, files=[change])
    assert caught.value.fact.startswith(str(root))
    assert "scan this root anew" in caught.value.hint


def test_first_mismatches_and_their_count(tmp_path, root):
    """A few paths and how many there are; control characters are escaped."""
    files = [entry(f"/missing/{number}\x1b[31m") for number in range(9)]
    with pytest.raises(InputError, match=r"in 9 of its files: /missing/0\\x1b\[31m \(missing\), .*, …") as caught:
        joined(tmp_path, root, BOTH, files=files)
    assert caught.value.fact.isprintable()


def test_other_versions_are_refused(tmp_path, root):
    """A package of another version, or one that is not there at all."""
    with pytest.raises(InputError, match=r"2 of its packages: libtool1 \(0\.9 is 1\.0-1\), phantom \(not installed\)"):
        joined(tmp_path, root, [deb("tool"), deb("libtool1", version="0.9"), deb("phantom")])


def test_what_may_differ(tmp_path, root):
    """Package databases, what runtimes write, pseudo file systems, unreadable names; and whatever is new."""
    files = [
        entry("/var/lib/dpkg/lock", size=5),
        entry("/etc/hostname", size=5),
        entry("/etc/resolv.conf"),
        entry("/proc/1"),
        entry("/usr/\N{REPLACEMENT CHARACTER}"),
    ]
    stated = scanned(root, BOTH, files=files)
    write_tree(root, {"etc/hostname": "", "usr/new": "x"})
    inventory = join(read(tmp_path, stated), open_root(str(root)), ())
    assert "/usr/new" in inventory.files
    assert "/proc/1" not in inventory.files


def test_names_that_are_not_utf8(tmp_path, root):
    """A list's bytes and the root's are the same name."""
    (Path(str(root)) / "usr").joinpath("caf\udce9").write_bytes(b"")
    with (root / "var/lib/dpkg/info/tool.list").open("ab") as listed:
        listed.write(b"/usr/caf\xe9\n")
    stated = document(BOTH, [entry("/usr/caf\N{REPLACEMENT CHARACTER}")], source=directory_source())
    assert owners(join(read(tmp_path, stated), open_root(str(root)), ()), "/usr/caf\udce9") == ("tool",)


def test_root_without_database(tmp_path, root):
    """The SBOM's ownership holds, and the inventory says so."""
    for path in sorted((root / "var/lib/dpkg").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    inventory = joined(tmp_path, root, BOTH)
    assert owners(inventory, "/usr/bin/tool") == ("tool",)
    assert any("no deb database" in sentence for sentence in inventory.lacks)


def test_hostile_database(tmp_path, root):
    """Lists that climb, lie or are cut short own nothing and break nothing."""
    (root / "var/lib/dpkg/info/tool.list").write_bytes(
        b"/../../etc/passwd\nrelative\n//usr//bin/tool\n\0\n/usr/bin/too"
    )
    (root / "var/lib/dpkg/info/tool.md5sums").write_bytes(b"nonsense\nxx  ../../../etc/os-release\n")
    (root / "var/lib/dpkg/diversions").write_bytes(b"/a\n/b")
    inventory = joined(tmp_path, root, BOTH)
    assert set(inventory.owners) <= set(inventory.files)


def test_python_requirements_and_record_from_the_root(tmp_path):
    """Where the SBOM holds neither files nor requirements."""
    root = tmp_path / "rootfs"
    write_tree(
        root,
        {
            "v/lib/site/six.py": "",
            "v/bin/six": "",
            "v/lib/site/six-1.dist-info/METADATA": "Name: six\nRequires-Dist: attrs>=1\nRequires-Dist: x; extra == 'y'\n\nRequires-Dist: no\n",
            "v/lib/site/six-1.dist-info/RECORD": 'six.py,sha256=x,1\n../../bin/six,,\n"six-1.dist-info/METADATA",,\n',
            "var/lib/dpkg/status": "Package: tool\nStatus: install ok installed\nVersion: 1.0-1\nArchitecture: amd64\n",
        },
    )
    python = {
        "id": "p",
        "name": "six",
        "version": "1",
        "type": "python",
        "metadataType": "python-package",
        "locations": [{"path": "/v/lib/site/six-1.dist-info/METADATA"}],
        "metadata": {},
    }
    inventory = joined(tmp_path, root, [deb("tool"), python])
    assert package(inventory, "six").depends == ("attrs>=1", "x; extra == 'y'")
    assert [path for path in inventory.owners if owners(inventory, path) == ("six",)] == [
        "/v/bin/six",
        "/v/lib/site/six-1.dist-info/METADATA",
        "/v/lib/site/six.py",
    ]


def test_npm_and_gem_requirements_from_the_root(tmp_path):
    """package.json and the gemspec name them; of two versions in one tree each keeps its own directory."""
    root = tmp_path / "rootfs"
    write_tree(
        root,
        {
            "a/package-lock.json": "{}",
            "a/node_modules/x/package.json": '{"version": "1", "dependencies": {"y": "^2"}, "peerDependencies": {"p": "*"}, "devDependencies": {"d": "1"}}',
            "a/node_modules/y/package.json": '{"version": "2"}',
            "a/node_modules/x/node_modules/y/package.json": '{"version": "3"}',
            "g/specifications/rack-2.gemspec": 's.add_runtime_dependency(%q<base64>.freeze, ["> 0"])\ns.add_dependency "logger"\ns.add_development_dependency(%q<no>)',
            "g/gems/rack-2/lib/rack.rb": "",
        },
    )
    lock = {
        "type": "npm",
        "metadataType": "javascript-npm-package-lock-entry",
        "locations": [{"path": "/a/package-lock.json"}],
    }
    artifacts = [
        {**lock, "id": "x", "name": "x", "version": "1"},
        {**lock, "id": "y2", "name": "y", "version": "2"},
        {**lock, "id": "y3", "name": "y", "version": "3"},
        {**lock, "id": "y4", "name": "y", "version": "4"},
        {
            "id": "g",
            "name": "rack",
            "version": "2",
            "type": "gem",
            "metadataType": "ruby-gemspec",
            "metadata": {},
            "locations": [{"path": "/g/specifications/rack-2.gemspec"}],
        },
    ]
    inventory = joined(tmp_path, root, artifacts)
    found = {item.id: item for item in inventory.packages}
    assert sorted(found) == ["g", "x", "y2", "y3"]
    assert found["x"].depends == ("p", "y")
    assert found["g"].depends == ("base64", "logger")
    assert (found["y2"].whole_directories, found["y3"].whole_directories) == (
        ("/a/node_modules/y",),
        ("/a/node_modules/x/node_modules/y",),
    )


def test_image_configuration_of_the_root(tmp_path, root):
    """A directory's SBOM has none; an archive given as root may."""

    class WithImage:
        def __init__(self, inner):
            self._inner = inner
            self.image = ImageConfig(cmd=("x",))

        def __getattr__(self, name):
            return getattr(self._inner, name)

    sbom = read(tmp_path, scanned(root, BOTH))
    assert join(sbom, WithImage(open_root(str(root))), ()).image == ImageConfig(cmd=("x",))
    assert join(sbom, None, ()) is sbom
