"""Sides: whatever was given, what is known of it and what is not."""

from __future__ import annotations

import gzip
import io
import json
import lzma
import os
import random
import subprocess
import tarfile
from pathlib import Path

import pytest
import zstandard

from pruner.errors import InputError
from pruner.gate.sides import read_side
from pruner.gate.types import PackageKey, SideKind
from tests.elfs import make_elf
from tests.smallroots import make_root
from tests.support import skip
from tests.unit.sboms import debian_tree, directory_source, document, link, write_tree
from tests.unit.sides import debian, file_of, other, program, side, written

DATABASE = ("--define", "_dbpath /var/lib/rpm", "--define", "_db_backend sqlite")
TOOL = PackageKey("deb", "debian", "tool", "amd64")
CDX = {
    "bomFormat": "CycloneDX",
    "specVersion": "1.6",
    "serialNumber": "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79",
    "version": 3,
    "components": [
        {
            "type": "library",
            "bom-ref": "a",
            "name": "tool",
            "version": "1.0-1",
            "purl": "pkg:deb/debian/tool@1.0-1?arch=amd64&distro=debian-12",
        }
    ],
}


def test_an_sbom_states_packages_files_and_entries(tmp_path):
    """Owners are keys, the program of ENTRYPOINT is an entry through PATH and links, sizes and digests are there."""
    from tests.unit.sboms import image_config

    source = {
        "id": "x", "name": "image:1", "type": "image",
        "metadata": {"userInput": "image:1", "manifestDigest": "sha256:12", "imageID": "sha256:34",
                     "config": image_config({"Entrypoint": ["tool"], "Env": ["PATH=/bin"]})},
    }  # fmt: skip
    found = side(
        tmp_path,
        [debian("tool", "1.0-1", ["/usr/bin/tool"], licenses=[{"value": "MIT", "spdxExpression": "MIT"}])],
        [program("/usr/bin/tool", "libc.so.6"), link("/bin", "usr/bin"), file_of("/etc/x", "abc")],
        source=source,
    )
    assert found.kind is SideKind.SBOM
    assert found.name == "sbom.json"
    assert found.entries == ("/usr/bin/tool",)
    assert found.distro == "debian 12"
    assert (found.origin["digest"], found.origin["image"]) == ("sha256:12", "sha256:34")
    (package,) = found.packages[TOOL]
    assert (package.version, package.files, package.licenses) == ("1.0-1", ("/usr/bin/tool",), ("MIT",))
    assert package.bytes == 3
    assert found.files is not None
    assert found.files["/usr/bin/tool"].owner == TOOL
    assert found.files["/etc/x"].owner is None
    assert found.files["/etc/x"].bytes == 3
    assert found.files["/etc/x"].capabilities is None
    assert found.binaries is not None
    assert found.binaries["/usr/bin/tool"].libraries == ("libc.so.6",)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"Entrypoint": ["/bin/sh", "-c", "cd /srv && exec tool -x"]}, ["/bin/sh", "/usr/bin/tool"]),
        ({"Entrypoint": ["tini", "-g", "--"], "Cmd": ["tool", "-g"]}, ["/usr/bin/tini", "/usr/bin/tool"]),
        ({"Entrypoint": ["/entry.sh"], "Cmd": ["tool", "/etc/x"]}, ["/entry.sh", "/etc/x", "/usr/bin/tool"]),
        ({"Entrypoint": ["tool"], "Cmd": ["-e", "tini"]}, ["/usr/bin/tool"]),
        ({"Entrypoint": ["/usr/bin/bare"]}, ["/usr/bin/bare"]),
        ({"Entrypoint": ["/usr/lib/plain.so"]}, []),
        ({"Entrypoint": [""]}, []),
    ],
)
def test_what_an_image_starts(tmp_path, config, expected):
    """A shell's text, a wrapper and an entry script lead on to what they start; what can't be executed is no program.

    An executable of which the scan states no mode is one.
    """
    from tests.unit.sboms import image_config

    executable = {"format": "elf", "hasEntrypoint": True, "hasExports": False, "importedLibraries": []}
    metadata = {"userInput": "image:1", "config": image_config({**config, "Env": ["PATH=/usr/bin"]})}
    found = side(
        tmp_path,
        [debian("tool", "1.0-1", ["/usr/bin/tool"])],
        [
            *(program(path) for path in ("/bin/sh", "/usr/bin/tini", "/usr/bin/tool", "/entry.sh")),
            {"id": "bare", "location": {"path": "/usr/bin/bare"}, "executable": executable},
            file_of("/usr/lib/plain.so"),
            file_of("/etc/x"),
        ],
        source={"id": "x", "name": "image:1", "type": "image", "metadata": metadata},
    )
    assert list(found.entries) == expected


def test_owners_of_a_root_that_its_user_unpacked_are_not_told(tmp_path):
    """Everything is the user's, whatever the image says: unknown, and no change; with one file of root's it counts."""
    root = tmp_path / "root"
    write_tree(root, {"usr/bin/app": "#!/bin/sh\n", "bin": "-> usr/bin"})
    if os.geteuid() == 0:
        for place in (root, *root.rglob("*")):
            os.chown(place, 1000, 1000, follow_symlinks=False)
    found = read_side(str(root))
    assert found.files is not None
    assert {(file.uid, file.gid) for file in found.files.values()} == {(None, None)}
    assert any("owners are not told" in lack for lack in found.lacks)
    if os.geteuid() == 0:
        os.chown(root / "usr", 0, 0)
        told = read_side(str(root))
        assert told.files is not None
        assert told.files["/usr/bin/app"].uid == 1000


def test_one_package_found_twice_is_one(tmp_path):
    """The same version at two places is one package with both places; another version is another one."""
    modules = [
        other("npm", "ms", "2.0.0", f"/app/{place}/node_modules/ms/package.json", "pkg:npm/ms@2.0.0",
              metadataType="javascript-npm-package")
        for place in ("a", "b")
    ]  # fmt: skip
    modules.append(other("npm", "ms", "2.1.3", "/c/node_modules/ms/package.json", "pkg:npm/ms@2.1.3"))
    found = side(tmp_path, modules, [file_of(module["locations"][0]["path"]) for module in modules])
    versions = found.packages[PackageKey("npm", "", "ms", "")]
    assert [package.version for package in versions] == ["2.0.0", "2.1.3"]
    assert len(versions[0].files) == len(versions[0].evidence) == 2


def test_what_cyclonedx_does_not_state_is_unknown(tmp_path):
    """No files, no modes; the serial number and version name the document for a BOM-Link."""
    found = read_side(written(tmp_path, CDX))
    assert list(found.packages) == [TOOL]
    assert found.files is None
    assert found.binaries is None
    assert not found.complete
    assert (found.origin["serial"], found.origin["version"]) == (CDX["serialNumber"], "3")


def test_the_serial_number_of_xml(tmp_path):
    """CycloneDX XML carries it in the root element."""
    text = (
        '<?xml version="1.0"?>\n<bom xmlns="http://cyclonedx.org/schema/bom/1.5" version="2" '
        'serialNumber="urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79"><components><component type="library">'
        "<name>tool</name><version>1</version><purl>pkg:deb/debian/tool@1?arch=amd64</purl></component></components></bom>"
    )
    found = read_side(written(tmp_path, text, "sbom.xml"))
    assert (found.origin["serial"], found.origin["version"]) == (CDX["serialNumber"], "2")
    assert list(found.packages) == [TOOL]


def test_without_a_purl_the_key_is_made(tmp_path):
    """A document without os-release has packages without purl; type, name and architecture are what they are."""
    artifact = debian("tool", "1.0-1", ["/usr/bin/tool"], purl="")
    found = side(tmp_path, [artifact], [program("/usr/bin/tool")], distro={})
    assert list(found.packages) == [PackageKey("deb", "", "tool", "amd64")]


def test_an_sbom_of_owned_files_is_not_complete(tmp_path):
    """What was selected is what the side says."""
    descriptor = {"name": "syft", "version": "1.18.1", "configuration": {"files": {"selection": "owned-by-package"}}}
    found = side(
        tmp_path, [debian("tool", "1.0-1", ["/usr/bin/tool"])], [program("/usr/bin/tool")], descriptor=descriptor
    )
    assert not found.complete


def test_a_compressed_sbom_is_seen_through(tmp_path):
    """The kind is told by what is inside."""
    path = tmp_path / "sbom.json.gz"
    path.write_bytes(gzip.compress(json.dumps(CDX).encode()))
    assert read_side(str(path)).kind is SideKind.SBOM


def test_a_root_states_what_its_database_lists(tmp_path):
    """Packages with namespaces of os-release, files with digests, ELF files and scripts."""
    debian_tree(tmp_path / "root")
    (tmp_path / "root/usr/bin/script").write_text("#!/usr/bin/tool -x\n")
    (tmp_path / "root/usr/bin/script").chmod(0o755)
    found = read_side(str(tmp_path / "root"))
    assert found.kind is SideKind.ROOT
    assert sorted(key.name for key in found.packages) == ["libtool1", "tool"]
    assert found.files is not None
    tool = found.files["/usr/bin/tool"]
    assert (tool.mode, tool.owner) == (0o4755, TOOL)
    assert tool.digest is not None
    assert tool.digest.startswith("sha256:")
    assert found.binaries is not None
    assert found.binaries["/usr/bin/tool"].starts
    assert found.binaries["/usr/bin/script"].interpreter == "/usr/bin/tool"
    assert found.package_types == {"deb", "apk", "rpm"}


def test_a_tar_of_a_root_is_that_root(tmp_path):
    """Directory, tar and compressed tar say the same."""
    made = make_root(tmp_path, {"files": {"/usr/bin/tool": {"elf": {"needed": ["libc.so.6"]}}, "/usr/bin/t": "-> tool"},
                                "packages": {"tool": {"files": ["/usr/bin/tool"]}}})  # fmt: skip
    from_directory = read_side(str(made.directory))
    for mode, name in (("w", "root.tar"), ("w:gz", "root.tar.gz")):
        with tarfile.open(tmp_path / name, mode) as archive:
            archive.add(made.directory, arcname=".")
        from_tar = read_side(str(tmp_path / name))
        assert from_tar.packages == from_directory.packages
        assert from_tar.files == from_directory.files


def test_capabilities_come_from_extended_attributes(tmp_path):
    """`security.capability` of what can be executed; empty elsewhere."""
    root = tmp_path / "root"
    root.mkdir()
    (root / "ping").write_bytes(make_elf())
    (root / "ping").chmod(0o755)
    value = bytes.fromhex("0100000200200000000000000000000000000000")
    try:
        os.setxattr(root / "ping", "security.capability", value)
    except OSError as error:
        skip(f"file capabilities can't be set here: {error}")
    found = read_side(str(root))
    assert found.files is not None
    assert found.files["/ping"].capabilities == value


def test_capabilities_of_a_tar_are_its_records(tmp_path):
    """An archive carries them as PAX records, whoever reads it."""
    value = bytes.fromhex("0100000200200000000000000000000000000000")
    with tarfile.open(tmp_path / "root.tar", "w", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo("./ping")
        info.mode = 0o755
        info.pax_headers = {"SCHILY.xattr.security.capability": value.decode("utf-8", "surrogateescape")}
        archive.addfile(info)
    found = read_side(str(tmp_path / "root.tar"))
    assert found.files is not None
    assert found.files["/ping"].capabilities == value


def test_a_root_without_packages_says_so(tmp_path):
    """A static program alone is an image as well."""
    root = tmp_path / "root"
    root.mkdir()
    (root / "program").write_bytes(make_elf())
    found = read_side(str(root))
    assert found.packages == {}
    assert any("no package database" in lack for lack in found.lacks)


def test_an_alpine_root(tmp_path):
    """The apk database gives keys as purls of Syft have them."""
    made = make_root(tmp_path, {"distro": "alpine", "files": {"/bin/tool": "x"},
                                "packages": {"tool": {"type": "apk", "files": ["/bin/tool"]}}})  # fmt: skip
    found = read_side(str(made.directory))
    assert list(found.packages) == [PackageKey("apk", "alpine", "tool", "x86_64")]
    assert list(read_side(str(made.sbom)).packages) == list(found.packages)


def test_a_plan_is_what_it_keeps_and_makes(small, tmp_path, run):
    """Packages whole or sliced, files, those that it makes with their content, entry points; directory and file."""
    plan = tmp_path / "plan"
    assert run("plan", small.sbom, "--root", small.directory, "--entry", "/usr/bin/tool", "-o", plan).code == 0
    found = read_side(str(plan))
    assert found.kind is SideKind.PLAN
    stated = json.loads((plan / "plan.json").read_text())
    there = [file["path"] for file in stated["files"] if file["decision"] != "drop"]
    assert list(found.files or ()) == there
    kept = sorted(package["name"] for package in stated["packages"] if package["decision"] != "drop")
    assert sorted(key.name for key in found.packages) == kept
    assert found.entries == ("/usr/bin/tool",)
    made = [file["path"] for file in stated["files"] if file["decision"] == "make" and file["type"] == "file"]
    assert made
    assert all((found.files or {})[path].digest for path in made)
    assert read_side(str(plan / "plan.json")) == found


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "empty"),
        ("{}", "not an SBOM"),
        ('{"matches": [], "descriptor": {"name": "grype"}}', "not an SBOM"),
        ("version: 1\nlimits: {}\n", "neither an SBOM, a plan nor a root filesystem"),
        ('{"schema": {"name": "pruner-plan", "version": "99"}}', "read from its own directory"),
        (json.dumps({**CDX, "components": []}), "no installed packages"),
        (json.dumps(document([], source=directory_source())), "no installed packages"),
    ],
)
def test_what_is_no_side(tmp_path, content, expected):
    """One fact that names the file, and a hint."""
    with pytest.raises(InputError, match="^" + str(tmp_path)) as error:
        read_side(written(tmp_path, content, "input.json"))
    assert expected in error.value.fact
    assert error.value.hint


def test_what_is_no_root(tmp_path):
    """An empty directory, a directory of archives, a device, nothing at all."""
    (tmp_path / "debs").mkdir()
    (tmp_path / "debs/tool_1.0_amd64.deb").write_bytes(b"!<arch>\n")
    (tmp_path / "empty").mkdir()
    for name, expected in (
        ("debs", "package archives"),
        ("empty", "empty"),
        ("missing", "no such file"),
        ("/dev/null", "neither a file nor a directory"),
    ):
        with pytest.raises(InputError) as error:
            read_side(str(tmp_path / name))
        assert expected in error.value.fact


def test_a_damaged_archive_is_an_input_error(tmp_path):
    """Cut and damaged archives end in a message, never in a traceback."""
    with tarfile.open(tmp_path / "root.tar", "w") as archive:
        archive.add(Path(__file__), arcname="./file")
    whole = (tmp_path / "root.tar").read_bytes()
    (tmp_path / "cut.tar").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "bad.gz").write_bytes(b"\x1f\x8b\x08\0" + b"\xff" * 64)
    for name in ("cut.tar", "bad.gz"):
        with pytest.raises(InputError):
            read_side(str(tmp_path / name))


def test_reading_leaves_the_collector_as_it_was(tmp_path):
    """Even where reading fails."""
    import gc

    gc.enable()
    with pytest.raises(InputError):
        read_side(str(tmp_path / "missing"))
    assert gc.isenabled()


def test_an_rpm_database_is_read_like_rpm_itself(tmp_path):
    """Versions with epochs, owners and digests of what `rpm` installed."""
    from tests.support import need

    need("rpmbuild")

    root = _rpm_root(tmp_path)
    found = read_side(str(root))
    query = "%{NAME} %|EPOCH?{%{EPOCH}:}:{}|%{VERSION}-%{RELEASE} %{ARCH}\n"
    listed = subprocess.run(
        ["rpm", "--root", str(root), *DATABASE, "-qa", "--qf", query], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    ours = [
        f"{key.name} {package.version} {key.architecture}"
        for key, versions in found.packages.items()
        for package in versions
    ]
    assert sorted(ours) == sorted(listed)
    (key,) = found.packages
    assert found.packages[key][0].files == ("/opt/tool", "/opt/tool/run")


def _rpm_root(place: Path) -> Path:
    spec = place / "tool.spec"
    spec.write_text(
        "Name: tool\nEpoch: 2\nVersion: 1.0\nRelease: 3\nSummary: a tool\nLicense: MIT\nBuildArch: noarch\n"
        "%description\na tool\n%install\nmkdir -p %{buildroot}/opt/tool\necho hello > %{buildroot}/opt/tool/run\n"
        "%files\n%dir /opt/tool\n/opt/tool/run\n"
    )
    top = place / "build"
    subprocess.run(
        ["rpmbuild", "-bb", "--quiet", "--define", f"_topdir {top}", "--define", "_db_backend sqlite", str(spec)],
        check=True, capture_output=True,
    )  # fmt: skip
    (archive,) = top.rglob("*.rpm")
    root = place / "root"
    root.mkdir()
    subprocess.run(
        ["rpm", "--root", str(root), *DATABASE, "-i", "--nodeps", "--noscripts", "--ignoreos", "--ignorearch", str(archive)],
        check=True, capture_output=True,
    )  # fmt: skip
    return root


@pytest.mark.parametrize("compress", [gzip.compress, lzma.compress, zstandard.ZstdCompressor().compress])
def test_a_tar_whose_first_block_is_long_is_a_root(tmp_path, compress):
    """What begins a compressed file may decompress to nothing until a whole block of it is there."""
    with tarfile.open(tmp_path / "root.tar", "w") as tar:
        for name in ("a", "b"):
            member = tarfile.TarInfo(f"usr/bin/{name}")
            member.size = 1 << 17
            tar.addfile(member, io.BytesIO(random.Random(name).randbytes(member.size)))
    path = tmp_path / "root.tar.compressed"
    path.write_bytes(compress((tmp_path / "root.tar").read_bytes()))
    assert read_side(str(path)).kind is SideKind.ROOT


def test_a_tar_in_bzip2_is_named(tmp_path):
    """Roots are not read from it, and it is no SBOM either."""
    with tarfile.open(tmp_path / "root.tar.bz2", "w:bz2") as tar:
        member = tarfile.TarInfo("a")
        member.size = 1 << 16
        tar.addfile(member, io.BytesIO(random.Random(1).randbytes(member.size)))
    with pytest.raises(InputError, match="a tar in bzip2"):
        read_side(str(tmp_path / "root.tar.bz2"))


def test_what_a_shell_hands_over_is_an_sbom(tmp_path):
    """`pruner diff <(command) AFTER`: a pipe, which can be read once."""
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as stream:
        json.dump(CDX, stream)
    assert len(json.dumps(CDX)) < 65536  # what a pipe holds before anybody reads (pipe(7))
    assert read_side(f"/dev/fd/{reading}").kind is SideKind.SBOM
    os.close(reading)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("SPDXVersion: SPDX-2.3\nDataLicense: CC0-1.0\n", "SPDX in tag-value form is not read"),
        ('{"@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld", "@graph": []}', "SPDX 3 is not read"),
    ],
)
def test_forms_of_spdx_that_are_not_read_are_named(tmp_path, content, what):
    """They are SBOMs, and what makes a readable one of them is said."""
    with pytest.raises(InputError, match=what) as raised:
        read_side(written(tmp_path, content))
    assert "syft convert" in (raised.value.hint or "")
