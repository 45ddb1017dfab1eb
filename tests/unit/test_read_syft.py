"""syft-json documents made by hand: one trap each."""

from __future__ import annotations

import json

import pytest

from pruner.errors import InputError
from pruner.model import FileType, Healthcheck, Selection, Strength
from tests.unit import sboms
from tests.unit.sboms import deb, document, edge, entry, link, owners, package, read


@pytest.mark.parametrize("version", ["7.0.0", "11.0.1", "12.0.0", "16.0.18", "16.1.10"])
def test_accepted_schema_majors(tmp_path, version):
    """Majors 7 to 16 are read."""
    inventory = read(tmp_path, document([deb("tool")], schema={"version": version}))
    assert inventory.schema_version == version
    assert [found.name for found in inventory.packages] == ["tool"]


@pytest.mark.parametrize(("version", "age"), [("6.2.0", "older"), ("1.1.0", "older"), ("17.0.0", "newer")])
def test_other_schema_majors_are_refused(tmp_path, version, age):
    """The message says what was found and what is accepted."""
    with pytest.raises(InputError) as caught:
        read(tmp_path, document([deb("tool")], schema={"version": version}))
    assert f"schema {version} is {age}" in caught.value.fact
    assert "majors 7 to 16" in caught.value.hint


@pytest.mark.parametrize(
    ("digits", "kind", "mode"),
    [
        (644, "RegularFile", 0o644),
        (40000755, "RegularFile", 0o4755),
        (20000755, "RegularFile", 0o2755),
        (20000000755, "Directory", 0o755),
        (20004000777, "Directory", 0o1777),
        (20020000775, "Directory", 0o2775),
        (1000000777, "SymbolicLink", 0o777),
        (410000666, "CharacterDevice", 0o666),
        (200000600, "FIFONode", 0o600),
    ],
)
def test_mode_digits(tmp_path, digits, kind, mode):
    """Decimal digits are octal digits of a Go FileMode."""
    inventory = read(tmp_path, document([deb("tool")], [entry("/x", kind, mode=digits)]))
    assert inventory.files["/x"].mode == mode


def test_mode_that_is_not_octal_is_refused(tmp_path):
    """The message names the JSON path."""
    with pytest.raises(InputError, match=r"\$\.files\[0\]\.metadata\.mode: 689 is no file mode"):
        read(tmp_path, document([deb("tool")], [entry("/x", mode=689)]))


def test_image_links_keep_their_text(tmp_path):
    """Image scans state the raw text, whatever it looks like."""
    files = [link("/sbin/a", "../bin/b"), link("/c", "/bin/b"), link("/d", "./x//y")]
    inventory = read(tmp_path, document([deb("tool")], files))
    assert [inventory.files[path].target for path in ("/sbin/a", "/c", "/d")] == ["../bin/b", "/bin/b", "./x//y"]


def test_directory_links_get_their_text_back(tmp_path):
    """The host's prefix goes, and the length says whether the text was absolute; bytes count, not characters."""
    files = [
        entry("/usr/bin/b"),
        entry("/usr/\N{LATIN SMALL LETTER E WITH ACUTE}"),
        link("/bin", "/build/root/usr/bin", 7),
        link("/sbin/a", "/build/root/usr/bin/b", 12),
        link("/abs", "/build/root/usr/bin/b", 10),
        link("/usr/l", "/build/root/usr/\N{LATIN SMALL LETTER E WITH ACUTE}", 2),
        link("/etc/up", "/build/root", 1),
        link("/etc/detour", "/build/root/usr/bin/b", 99),
        link("/stray", "/elsewhere/x", 5),
    ]
    files[-1]["metadata"]["size"] = 12
    inventory = read(tmp_path, document([deb("tool")], files[:-1], source=sboms.directory_source()))
    texts = {path: file.target for path, file in inventory.files.items() if file.target}
    assert texts == {
        "/bin": "usr/bin",
        "/sbin/a": "../usr/bin/b",
        "/abs": "/usr/bin/b",
        "/usr/l": "\N{LATIN SMALL LETTER E WITH ACUTE}",
        "/etc/up": "/",
        "/etc/detour": "../usr/bin/b",
    }


def test_scanning_machines_directories_are_left_out(tmp_path):
    """Syft lists what lies above the scanned directory; what also holds the root's own names stays."""
    files = [
        entry("/usr/bin/b"),
        link("/bin", "/root/scans/app/usr/bin", 7),
        entry("/root", "Directory"),
        entry("/root/profile"),
        entry("/root/scans", "Directory"),
        entry("/home", "Directory"),
    ]
    inventory = read(tmp_path, document([deb("tool")], files, source=sboms.directory_source()))
    assert list(inventory.files) == ["/bin", "/home", "/root", "/root/profile", "/usr/bin/b"]


def test_old_directory_scan(tmp_path):
    """0.76: no leading slashes, only relative link texts rewritten, and the scanning machine's files beside them."""
    source = {"id": "x", "type": "directory", "target": "rootfs"}
    files = [
        entry("usr/bin/b"),
        link("bin", "/build/rootfs/usr/bin"),
        link("etc/abs", "/usr/bin/b"),
        link("sbin/up", "/build/rootfs/usr/bin/b"),
        entry("/usr/share/host", mode=600),
    ]
    artifact = deb(
        "tool", ["/bin/b"], metadataType="DpkgMetadata", licenses=["MIT"], locations=[{"path": "var/lib/dpkg/status"}]
    )
    inventory = read(
        tmp_path,
        document(
            [artifact],
            files,
            source=source,
            schema={"version": "7.0.1"},
            descriptor={"name": "syft", "version": "0.76.0"},
        ),
    )
    assert list(inventory.files) == ["/bin", "/etc/abs", "/sbin/up", "/usr/bin/b"]
    assert [file.target for file in inventory.files.values()] == ["usr/bin", "/usr/bin/b", "../usr/bin/b", None]
    assert owners(inventory, "/usr/bin/b") == ("tool",)
    assert package(inventory, "tool").licenses == ("MIT",)
    assert package(inventory, "tool").locations == ("/var/lib/dpkg/status",)
    assert inventory.name == "rootfs"
    assert any("1 files lie outside" in sentence for sentence in inventory.lacks)


def test_hardlinks_share_an_inode(tmp_path):
    """Image scans state no size and digest for further names; the bytewise first name becomes the first."""
    digests = [{"algorithm": "sha1", "value": "11"}, {"algorithm": "sha256", "value": "22"}]
    executable = {"format": "elf", "hasExports": False, "hasEntrypoint": True, "importedLibraries": ["libc.so.6"]}
    files = [
        entry("/opt/suid", mode=40000755, size=10, digests=digests, executable=executable),
        entry("/bin/other", "HardLink", linkDestination="opt/suid"),
        entry("/sbin/third", "HardLink", linkDestination="/opt/suid"),
    ]
    inventory = read(tmp_path, document([deb("tool")], files))
    first, second, third = (inventory.files[path] for path in ("/bin/other", "/opt/suid", "/sbin/third"))
    assert (first.hardlink, second.hardlink, third.hardlink) == (None, "/bin/other", "/bin/other")
    for file in (first, second, third):
        assert (file.type, file.bytes, file.mode, file.digest) == (FileType.REGULAR, 10, 0o4755, "sha256:22")
        assert file.libraries == ("libc.so.6",)
        assert file.has_entrypoint


def test_hardlink_loops_and_missing_destinations_are_files(tmp_path):
    """A damaged link is a file of unknown content, and nothing hangs."""
    files = [
        entry("/a", "HardLink", linkDestination="b"),
        entry("/b", "HardLink", linkDestination="a"),
        entry("/c", "HardLink", linkDestination="nowhere"),
    ]
    inventory = read(tmp_path, document([deb("tool")], files))
    assert all(file.type is FileType.REGULAR and file.hardlink is None for file in inventory.files.values())


def test_declared_paths_pass_merged_directories(tmp_path):
    """A declared `/bin/bash` is owned as `/usr/bin/bash`; a path that is gone is owned by nobody."""
    files = [entry("/usr/bin/bash"), link("/bin", "usr/bin"), entry("/usr/share/doc")]
    inventory = read(tmp_path, document([deb("bash", ["/bin/bash", "/usr/share/doc/bash/gone.gz"])], files))
    assert owners(inventory, "/usr/bin/bash") == ("bash",)
    assert list(inventory.owners) == ["/usr/bin/bash"]
    assert "/usr/share/doc/bash/gone.gz" not in inventory.files
    assert [file.path for file in package(inventory, "bash").files] == ["/bin/bash", "/usr/share/doc/bash/gone.gz"]


def test_contains_through_a_link_is_no_ownership(tmp_path):
    """busybox-binsh declares the link `/bin/sh`; the edge says that it contains `/bin/busybox`."""
    apk = {"id": "apk:binsh", "name": "busybox-binsh", "version": "1", "type": "apk", "metadataType": "apk-db-entry"}
    busybox = {**apk, "id": "apk:busybox", "name": "busybox"}
    apk["metadata"] = {"files": [{"path": "/bin"}, {"path": "/bin/sh"}], "pullDependencies": ["busybox=1"]}
    busybox["metadata"] = {"files": [{"path": "/bin"}, {"path": "/bin/busybox"}], "originPackage": "busybox"}
    files = [entry("/bin", "Directory"), link("/bin/sh", "/bin/busybox"), entry("/bin/busybox")]
    edges = [edge("apk:binsh", "file:/bin/busybox"), edge("apk:busybox", "file:/bin/busybox")]
    inventory = read(tmp_path, document([apk, busybox], files, artifactRelationships=edges))
    assert owners(inventory, "/bin/busybox") == ("busybox",)
    assert owners(inventory, "/bin/sh") == ("busybox-binsh",)
    assert owners(inventory, "/bin") == ("busybox", "busybox-binsh")


def test_default_selection_uses_contains_for_aliases(tmp_path):
    """Without links, only the edge tells that `/bin/bash` is `/usr/bin/bash`; the document is said to lack them."""
    descriptor = {"name": "syft", "version": "1.18.1", "configuration": {"files": {"selection": "owned-by-package"}}}
    edges = [edge("deb:bash", "file:/usr/bin/bash"), edge("deb:bash", "file:/other/target")]
    files = [entry("/usr/bin/bash", size=3), entry("/other/target")]
    inventory = read(
        tmp_path,
        document([deb("bash", ["/bin/bash", "/bin/rbash"])], files, artifactRelationships=edges, descriptor=descriptor),
    )
    assert owners(inventory, "/usr/bin/bash") == ("bash",)
    assert owners(inventory, "/other/target") == ()
    assert inventory.selection is Selection.OWNED
    assert any("SYFT_FILE_METADATA_SELECTION=all" in sentence for sentence in inventory.lacks)


def test_executable_without_metadata(tmp_path):
    """An unowned executable of a default scan has neither metadata nor digest."""
    file = {
        "id": "f",
        "location": {"path": "/opt/x"},
        "executable": {"format": "elf", "hasExports": True, "hasEntrypoint": False, "importedLibraries": None},
    }
    inventory = read(tmp_path, document([deb("tool")], [file]))
    found = inventory.files["/opt/x"]
    assert (found.type, found.bytes, found.digest, found.libraries, found.executable) == (
        FileType.REGULAR,
        0,
        None,
        (),
        True,
    )


def test_libraries_are_unknown_before_16_0_5(tmp_path):
    """An old `executable` says nothing about imported libraries, which is not the same as none."""
    old = entry("/x", executable={"format": "elf", "elfSecurityFeatures": {}})
    inventory = read(tmp_path, document([deb("tool")], [old], schema={"version": "16.0.3"}))
    assert inventory.files["/x"].libraries is None
    assert any("no imported libraries" in sentence for sentence in inventory.lacks)


def test_dependency_of_is_turned_round(tmp_path):
    """The parent is the dependency; self-edges, repeated edges and files as parents are dropped."""
    rpm = {"id": "rpm:a", "name": "a", "version": "1", "type": "rpm", "metadataType": "rpm-db-entry", "metadata": {}}
    other = {**rpm, "id": "rpm:b", "name": "b"}
    edges = [
        edge("rpm:b", "rpm:a", "dependency-of"),
        edge("rpm:b", "rpm:a", "dependency-of"),
        edge("rpm:a", "rpm:a", "dependency-of"),
        edge("file:/x", "rpm:a", "dependency-of"),
    ]
    inventory = read(tmp_path, document([rpm, other], [entry("/x")], artifactRelationships=edges))
    (dependency,) = inventory.dependencies
    assert (dependency.dependant, dependency.dependency) == ("rpm:a", "rpm:b")
    assert dependency.strength is Strength.HARD


def test_declared_clauses_replace_edges(tmp_path):
    """A Debian package's own clauses keep alternatives; Syft's edges for it are not taken."""
    metadata = {
        "depends": ["a (>= 1) | b", "perl:any"],
        "preDepends": ["c"],
        "provides": ["v (= 1)"],
        "installedSize": 2,
    }
    inventory = read(
        tmp_path,
        document(
            [deb("tool", metadata=metadata), deb("a")],
            artifactRelationships=[edge("deb:a", "deb:tool", "dependency-of")],
        ),
    )
    found = package(inventory, "tool")
    assert found.depends == ("a (>= 1) | b", "perl:any")
    assert (found.pre_depends, found.provides, found.installed_bytes) == (("c",), ("v (= 1)",), 2048)
    assert inventory.dependencies == ()


def test_removed_package_is_left_out(tmp_path):
    """Before 1.37 a package in state deinstall is listed with nothing but conffiles; later releases list none."""
    conffile = {"path": "/etc/gone.conf", "isConfigFile": True, "digest": {"algorithm": "md5", "value": "aa obsolete"}}
    artifacts = [deb("tool"), deb("gone", [conffile])]
    old = read(tmp_path, document(artifacts))
    assert [found.name for found in old.packages] == ["tool"]
    assert any("removed but not purged are left out: gone" in sentence for sentence in old.lacks)
    new = read(tmp_path, document(artifacts, descriptor={"name": "syft", "version": "1.37.0"}))
    assert [found.name for found in new.packages] == ["gone", "tool"]
    assert package(new, "gone").files[0].digest == "md5:aa"


def test_package_of_status_d_is_installed_whatever_files_are_listed(tmp_path):
    """Releases that don't read `.md5sums` of a distroless database list conffiles alone of what is installed."""
    conffile = {"path": "/etc/services", "isConfigFile": True}
    place = [{"path": "usr/share/doc/netbase/copyright"}, {"path": "var/lib/dpkg/status.d/netbase"}]
    found = read(tmp_path, document([deb("netbase", [conffile], locations=place)]))
    assert [package.name for package in found.packages] == ["netbase"]


def test_new_conffile_has_no_digest(tmp_path):
    """dpkg writes `newconffile` where a digest belongs."""
    conffile = {"path": "/etc/a", "isConfigFile": True, "digest": {"algorithm": "md5", "value": "newconffile"}}
    inventory = read(tmp_path, document([deb("tool", ["/x", conffile])]))
    assert package(inventory, "tool").files[1].digest is None
    assert package(inventory, "tool").files[1].conffile


def test_packages_that_are_not_installed_are_left_out(tmp_path):
    """Package archives, lock files, ELF package notes and packages of deleted layers are no installed packages."""
    artifacts = [
        deb("tool"),
        deb("archived", metadataType="dpkg-archive-entry", foundBy="deb-archive-cataloger"),
        deb("systemd", metadataType="elf-binary-package-note-json-payload", foundBy="elf-binary-package-cataloger"),
        {"id": "p", "name": "flask", "version": "1", "type": "python", "metadataType": "python-pip-requirements-entry"},
        {
            "id": "n",
            "name": "left-pad",
            "version": "1",
            "type": "npm",
            "metadataType": "javascript-npm-package-lock-entry",
            "locations": [{"path": "/app/package-lock.json"}],
        },
        deb("hidden", locations=[{"path": "/var/lib/dpkg/status", "annotations": {"visible": "false"}}]),
    ]
    inventory = read(tmp_path, document(artifacts, descriptor={"name": "syft", "version": "1.51.0"}))
    assert [found.name for found in inventory.packages] == ["tool"]
    assert any("5 entries are not installed" in sentence for sentence in inventory.lacks)


def test_locked_npm_package_is_installed_where_it_lies(tmp_path):
    """A directory scan knows node_modules from the lock file alone; nested directories belong to the inner package."""
    lock = {
        "version": "1",
        "type": "npm",
        "metadataType": "javascript-npm-package-lock-entry",
        "locations": [{"path": "/app/package-lock.json"}],
    }
    files = [
        entry(f"/app/node_modules/{path}")
        for path in ("a/package.json", "a/i.js", "a/node_modules/@s/b/package.json", "c/package.json")
    ]
    inventory = read(tmp_path, document([{**lock, "id": "a", "name": "a"}, {**lock, "id": "b", "name": "@s/b"}], files))
    assert package(inventory, "a").whole_directories == ("/app/node_modules/a",)
    assert owners(inventory, "/app/node_modules/a/i.js") == ("a",)
    assert owners(inventory, "/app/node_modules/a/node_modules/@s/b/package.json") == ("@s/b",)
    assert owners(inventory, "/app/node_modules/c/package.json") == ()


def test_two_packages_with_one_purl(tmp_path):
    """One distribution in two virtual environments is two packages, each with its own files."""

    def python(number):
        return {
            "id": f"id{number}", "name": "six", "version": "1", "type": "python", "purl": "pkg:pypi/six@1", "metadataType": "python-package",
            "locations": [{"path": f"/v{number}/six-1.dist-info/METADATA"}],
            "metadata": {"sitePackagesRootPath": f"/v{number}", "files": [{"path": "six.py"}, {"path": "../bin/six"}], "requiresDist": ["x>=1"]},
        }  # fmt: skip

    files = [entry(f"/v{number}/six.py") for number in (1, 2)]
    inventory = read(tmp_path, document([python(1), python(2)], files))
    assert [found.id for found in inventory.packages] == ["id1", "id2"]
    assert inventory.packages[0].purl == inventory.packages[1].purl
    assert inventory.owners == {"/v1/six.py": ("id1",), "/v2/six.py": ("id2",)}
    assert [file.path for file in inventory.packages[0].files] == ["/v1/six.py", "/bin/six"]
    assert inventory.packages[0].depends == ("x>=1",)


def test_python_without_record(tmp_path):
    """Top-level packages and the metadata directory stand in for the missing file list."""
    python = {
        "id": "p", "name": "six", "version": "1", "type": "python", "metadataType": "python-package",
        "locations": [{"path": "/s/six-1.egg-info/PKG-INFO"}],
        "metadata": {"sitePackagesRootPath": "/s", "files": None, "topLevelPackages": ["six", "pkg"]},
    }  # fmt: skip
    files = [entry(path) for path in ("/s/six.py", "/s/pkg/a.py", "/s/six-1.egg-info/PKG-INFO", "/s/other.py")]
    inventory = read(tmp_path, document([python], files))
    assert list(inventory.owners) == ["/s/pkg/a.py", "/s/six-1.egg-info/PKG-INFO", "/s/six.py"]


def test_language_packages_own_their_directories_and_evidence(tmp_path):
    """npm by folder, gem by its directories, a nested jar by the outer archive, a Go module by its binary."""
    artifacts = [
        {"id": "n", "name": "app", "version": "1", "type": "npm", "metadataType": "javascript-npm-package", "locations": [{"path": "/app/package.json"}]},
        {"id": "g", "name": "rack", "version": "2", "type": "gem", "metadataType": "ruby-gemspec", "metadata": {"files": ["lib/rack.rb"]}, "locations": [{"path": "/gems/specifications/rack-2.gemspec"}]},
        {"id": "j", "name": "inner", "version": "1", "type": "java-archive", "metadataType": "java-archive", "foundBy": "java-archive-cataloger", "metadata": {"virtualPath": "/srv/outer.jar:BOOT-INF/lib/inner.jar"}, "locations": [{"path": "/srv/outer.jar"}]},
        {"id": "o", "name": "example.org/x", "version": "1", "type": "go-module", "metadataType": "go-module-buildinfo-entry", "metadata": {}, "locations": [{"path": "/bin/go"}]},
    ]  # fmt: skip
    paths = ["/app/package.json", "/app/lib/i.js", "/gems/specifications/rack-2.gemspec", "/gems/gems/rack-2/lib/rack.rb",
             "/gems/extensions/x86_64-linux/3.1.0/rack-2/r.so", "/srv/outer.jar", "/bin/go", "/bin/else"]  # fmt: skip
    inventory = read(tmp_path, document(artifacts, [entry(path) for path in paths]))
    assert {path: owners(inventory, path) for path in paths} == {
        **dict.fromkeys(paths[:2], ("app",)),
        **dict.fromkeys(paths[2:5], ("rack",)),
        "/srv/outer.jar": ("inner",),
        "/bin/go": ("example.org/x",),
        "/bin/else": (),
    }


def test_distribution_comes_first_among_owners(tmp_path):
    """A Python distribution that dpkg installed has two owners."""
    python = {"id": "a", "name": "six", "version": "1", "type": "aaa-python", "locations": [{"path": "/p/six.py"}]}
    inventory = read(tmp_path, document([python, deb("python3-six", ["/p/six.py"])], [entry("/p/six.py")]))
    assert owners(inventory, "/p/six.py") == ("python3-six", "six")


def test_without_os_release(tmp_path):
    """No purl and no distribution, but packages all the same."""
    inventory = read(tmp_path, document([deb("tool", purl="")], distro={}))
    assert package(inventory, "tool").purl is None
    assert inventory.distro.id == ""
    assert any("os-release" in sentence for sentence in inventory.lacks)


@pytest.mark.parametrize(
    "text",
    [
        "pkg:deb/debian/g++@1:4.13+dfsg1?distro=debian-12&arch=amd64",
        "pkg:deb/debian/g%2B%2B@1:4.13%2Bdfsg1?arch=amd64&distro=debian-12",
    ],
)
def test_purls_are_parsed(tmp_path, text):
    """Two spellings of two releases are one purl."""
    inventory = read(tmp_path, document([deb("g++", purl=text)]))
    assert package(inventory, "g++").purl.to_dict() == {
        "type": "deb", "namespace": "debian", "name": "g++", "version": "1:4.13+dfsg1",
        "qualifiers": {"arch": "amd64", "distro": "debian-12"}, "subpath": None,
    }  # fmt: skip


def test_image_configuration(tmp_path):
    """What applies at run time is decoded from the source's base64."""
    config = {
        "Entrypoint": ["/entry", "-x"], "Cmd": ["run"], "Env": ["PATH=/a:/b", "X=1"], "User": "1000", "WorkingDir": "/srv",
        "Volumes": {"/data": {}}, "ExposedPorts": {"80/tcp": {}}, "Labels": {"a": "b"}, "StopSignal": "SIGQUIT",
        "Healthcheck": {"Test": ["CMD", "/check"], "Interval": 5}, "Shell": ["/bin/bash", "-c"],
    }  # fmt: skip
    source = {"type": "image", "name": "x", "metadata": {"config": sboms.image_config(config), "layers": []}}
    image = read(tmp_path, document([deb("tool")], source=source)).image
    assert (image.entrypoint, image.cmd, image.user, image.working_dir) == (("/entry", "-x"), ("run",), "1000", "/srv")
    assert image.search_path == ("/a", "/b")
    assert (image.volumes, image.exposed_ports, image.labels) == (("/data",), ("80/tcp",), (("a", "b"),))
    assert (image.stop_signal, image.shell, image.architecture) == ("SIGQUIT", ("/bin/bash", "-c"), "amd64")
    assert image.healthcheck == Healthcheck(test=("CMD", "/check"), interval=5)


def test_old_image_source(tmp_path):
    """Schema 8 and older call it `target`."""
    source = {"type": "image", "target": {"userInput": "old:1", "config": sboms.image_config({"Cmd": ["x"]})}}
    inventory = read(tmp_path, document([deb("tool")], source=source, schema={"version": "8.0.1"}))
    assert (inventory.name, inventory.image.cmd) == ("old:1", ("x",))


def test_upper_layer_wins(tmp_path):
    """Scope all-layers lists a path once for each layer that holds it."""
    source = {
        "type": "image",
        "name": "x",
        "metadata": {"layers": [{"digest": "sha256:low"}, {"digest": "sha256:high"}]},
    }
    files = [entry("/x", size=2, layer="sha256:high"), entry("/x", size=1, layer="sha256:low")]
    files[1]["id"] = "other"
    assert read(tmp_path, document([deb("tool")], files, source=source)).files["/x"].bytes == 2


def test_nested_root(tmp_path):
    """Packages of a database further down own files further down."""
    nested = deb("tool", ["/bin/tool"], locations=[{"path": "/srv/chroot/var/lib/dpkg/status"}])
    inventory = read(tmp_path, document([nested], [entry("/bin/tool"), entry("/srv/chroot/bin/tool")]))
    assert list(inventory.owners) == ["/srv/chroot/bin/tool"]


def test_rpm_and_apk_metadata(tmp_path):
    """Sources, sizes in bytes, and requirements without repeats."""
    rpm = {"id": "r", "name": "bash", "version": "0:5.1-1", "type": "rpm", "metadataType": "RpmdbMetadata",
           "metadata": {"sourceRpm": "bash-5.1-1.src.rpm", "size": 7, "requires": ["a", "a", "(b or c)"], "files": [{"path": "/etc/x", "mode": 33188, "flags": "cn"}]}}  # fmt: skip
    apk = {"id": "a", "name": "musl-utils", "version": "1", "type": "apk", "metadataType": "ApkMetadata",
           "metadata": {"originPackage": "musl", "installedSize": 9, "pullDependencies": ["so:x", "!y"], "files": [{"path": "/x", "digest": {"algorithm": "'Q1'+base64(sha1)", "value": "Q1abc="}}]}}  # fmt: skip
    inventory = read(tmp_path, document([rpm, apk]))
    bash, musl = package(inventory, "bash"), package(inventory, "musl-utils")
    assert (bash.source, bash.source_version, bash.installed_bytes) == ("bash", "5.1-1", 7)
    assert bash.depends == ("a", "(b or c)")
    assert bash.files[0].conffile
    assert (musl.source, musl.installed_bytes, musl.depends) == ("musl", 9, ("so:x", "!y"))
    assert musl.files[0].digest == "Q1abc="


def test_files_and_packages_are_ordered(tmp_path):
    """Files bytewise, packages by type, name and version, whatever the document's order."""
    files = [
        entry(path)
        for path in (
            "/b",
            "/a/x",
            "/a",
            "/a-b",
            "/\N{CJK UNIFIED IDEOGRAPH-4E00}",
            "/\N{LATIN SMALL LETTER E WITH ACUTE}",
        )
    ]
    inventory = read(tmp_path, document([deb("z"), deb("a")], files))
    assert list(inventory.files) == sorted(inventory.files, key=str.encode)
    assert [found.name for found in inventory.packages] == ["a", "z"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        ("not json", "not valid JSON"),
        (json.dumps(document([deb("tool")]))[:-40], "not valid JSON"),
        ("[1, 2]", r"expected object, got array"),
        ("{}", "JSON, but not an SBOM"),
        ('{"name": "left-pad", "version": "1.0.0"}', "JSON, but not an SBOM"),
        ('{"artifacts": [], "schema": {"version": 16}}', "JSON, but not an SBOM"),
        ('{"artifacts": [], "schema": {"version": "x\\u001b[31m"}}', "no syft-json schema version"),
        (json.dumps(document([])), "lists no installed packages"),
        ('{"artifacts": [' + "[" * 100_000, "nested too deeply"),
    ],
)
def test_bad_documents(tmp_path, text, message):
    """Each gets one clear message that starts with the file's name and holds no control characters."""
    path = tmp_path / "sbom.json"
    path.write_text(text)
    from pruner.read import read_sbom

    with pytest.raises(InputError, match=message) as caught:
        read_sbom(str(path))
    assert caught.value.fact.startswith(str(path))
    assert caught.value.fact.isprintable()


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"files": [{"id": "x", "location": {"path": 5}}]}, r"\$\.files\[0\]\.location\.path"),
        ({"files": [entry("/x", size=-1)]}, r"\$\.files\[0\]\.metadata\.size"),
        ({"files": [entry("/x/../../etc/passwd")]}, r"\$\.files\[0\]\.location\.path"),
        ({"files": [entry("/x\0y")]}, r"\$\.files\[0\]\.location\.path"),
        ({"artifacts": [deb("tool", locations=[{"path": "/../x"}])]}, r"\$\.artifacts\[0\]\.locations\[0\]\.path"),
        ({"artifacts": [deb("tool", [{"path": 1}])]}, r"\$\.artifacts\[0\]\.metadata\.files\[0\]\.path"),
        ({"artifacts": [deb("tool"), deb("tool")]}, r"\$\.artifacts\[1\]\.id: 'deb:tool' repeats"),
        ({"source": {"type": "image", "metadata": {"config": "%%%"}}}, r"\$\.source\.metadata\.config: not base64"),
    ],
)
def test_errors_name_the_json_path(tmp_path, change, place):
    """A wrong type or an impossible value is found where it stands."""
    with pytest.raises(InputError, match=place):
        read(tmp_path, {**document([deb("tool")]), **change})


def test_hostile_names_are_only_names(tmp_path):
    """Newlines, quotes, substitutions and escapes in names are kept as they are."""
    names = ["/a\nb", "/$(id)", '/"; rm -rf /', "/\x1b[31m", "/-rf", "/ "]
    inventory = read(tmp_path, document([deb("tool", names)], [entry(name) for name in names]))
    assert set(inventory.files) == {"/a\nb", "/$(id)", '/"; rm -rf ', "/\x1b[31m", "/-rf", "/ "}


def test_unknown_keys_and_kinds_are_ignored(tmp_path):
    """A newer release may add keys, metadata types and file types."""
    artifact = {
        "id": "x",
        "name": "x",
        "version": "1",
        "type": "new",
        "metadataType": "new-entry",
        "metadata": [1],
        "toolchains": {},
    }
    inventory = read(tmp_path, document([artifact], [entry("/x", "IrregularFile"), entry("/y")], future=[1]))
    assert list(inventory.files) == ["/y"]
    assert [found.type for found in inventory.packages] == ["new"]
