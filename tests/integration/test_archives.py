"""One real root in every form that it is handed over in: each gives the same plan and the same pruned root."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.integration.commands import decided, listing, need_root, planned, pruner, there
from tests.integration.extracted import Extracted, extracted
from tests.integration.images import Builder, scan_image
from tests.support import need

pytestmark = pytest.mark.integration

PACKAGES = ("base-files", "base-passwd", "dash", "iputils-ping", "mount", "perl-base")
ENTRIES = (
    "--entry",
    "cmd:ping -c 1 127.0.0.1",
    "--entry",
    "/bin/mount",
    "--entry",
    "cmd:perl -e 'print 1'",
    "--entry",
    "/srv/",
)
FORMS = ("tar", "tar.gz", "tar.zst", "tar.xz", "docker-archive", "oci-layout", "oci-archive")


def furnish(root: Path) -> None:
    """What packages seldom ship: a file capability, attributes, nodes, hard links of data, and odd names."""
    import os
    import shutil
    import subprocess

    for bulk in ("man", "locale", "doc/base-files", "info", "lintian", "bug"):
        shutil.rmtree(root / "usr/share" / bulk, ignore_errors=True)
    subprocess.run(["setcap", "cap_net_raw+ep", str(root / "bin/ping")], check=True)
    tree = root / "srv/tree"
    tree.mkdir(parents=True)
    (tree / "one").write_text("the same bytes\n")
    os.link(tree / "one", tree / "two")
    os.setxattr(tree / "one", "user.comment", b"kept \xff bytes")
    os.mknod(tree / "null", 0o20666, os.makedev(1, 3))
    os.mkfifo(tree / "fifo", 0o640)
    os.chown(tree / "fifo", 1234, 5678)
    (tree / "private").mkdir(mode=0o2750)
    (tree / "private").chmod(0o2750)
    (tree / "empty").touch()
    (tree / "a 'name' with $(odd) bytes").write_text("1\n")
    (tree / "line\nbreak").write_text("2\n")
    (tree / os.fsdecode(b"latin\xe9")).write_text("3\n")
    (tree / "dangling").symlink_to("../../nowhere/at all")
    (root / "srv/replaced").mkdir()
    (root / "srv/replaced/file").write_text("of a directory that was a file\n")
    (root / "srv/link").symlink_to("tree")


def as_before(root: Path) -> None:
    """Turns a copy of the root into the lower layer of an image: things to delete, to replace and to link in it."""
    (root / "opt/old/deeper").mkdir(parents=True)
    (root / "opt/old/deeper/file").write_text("deleted by the upper layer\n")
    (root / "etc/issue").write_text("an older issue, of another length\n")
    shutil.rmtree(root / "srv/replaced")
    (root / "srv/replaced").write_text("a file where a directory will be\n")
    (root / "srv/link").unlink()
    (root / "srv/link").mkdir()
    (root / "srv/link/inside").write_text("a directory where a link will be\n")
    (root / "srv/tree/one").unlink()
    (root / "srv/tree/two").unlink()
    (root / "srv/tree/private").chmod(0o700)
    (root / "bin/mount").chmod(0o755)


@pytest.fixture(scope="module")
def fat() -> Extracted:
    need_root("device nodes and owners")
    need("setcap")
    return extracted("forms", "amd64", PACKAGES, furnish)


@pytest.fixture(scope="module")
def forms(fat, tmp_path_factory) -> dict[str, Path]:
    """The root in every form, by name; images have two layers."""
    home = tmp_path_factory.mktemp("forms")
    made = {form: home / f"root.{form}" for form in FORMS}
    command = ["tar", "--xattrs", "--xattrs-include=*", "--numeric-owner", "-C", str(fat.root), "-cf"]
    subprocess.run([*command, str(made["tar"]), "."], check=True)
    for form, compress in (("tar.gz", ["gzip", "-1"]), ("tar.zst", ["zstd", "-q", "-1"]), ("tar.xz", ["xz", "-0"])):
        with made["tar"].open("rb") as plain, made[form].open("wb") as compressed:
            subprocess.run([need(compress[0]), *compress[1:], "-c"], stdin=plain, stdout=compressed, check=True)
    builder = Builder(home / "storage")
    lower = home / "lower"
    subprocess.run(["cp", "-a", str(fat.root), str(lower)], check=True)
    as_before(lower)
    builder.commit("lower", lower)
    builder.commit("two", fat.root, base="lower")
    builder.push("two", f"docker-archive:{made['docker-archive']}")
    builder.push("two", f"oci:{made['oci-layout']}:two", "--compression-format", "gzip")
    builder.push("two", f"oci-archive:{made['oci-archive']}:two", "--compression-format", "zstd")
    shutil.rmtree(lower)
    builder.remove()
    return {"directory": fat.root, **made}


@pytest.fixture(scope="module")
def directory_plan(fat, tmp_path_factory) -> Path:
    plan = tmp_path_factory.mktemp("directory") / "plan"
    pruner("plan", fat.sbom, "--root", fat.root, *ENTRIES, "-o", plan, "-q")
    return plan


@pytest.fixture(scope="module")
def directory_listing(fat, directory_plan, tmp_path_factory):
    pruned = tmp_path_factory.mktemp("directory") / "pruned"
    pruner("apply", directory_plan, "--root", fat.root, "--dest", pruned)
    return listing(pruned)


def test_the_reference_holds_what_is_hard_to_carry(fat, directory_listing):
    """The pruned root from the directory has owners, setuid bits, capabilities, nodes and hard links of the fat one."""
    original = listing(fat.root)
    tree = [path for path in original if path.startswith("/srv/")]
    assert len(tree) == 14
    for path in [*tree, "/bin/ping", "/bin/mount", "/usr/bin/perl", "/usr/bin/perl5.36.0"]:
        if path in ("/srv/tree", "/srv", "/srv/replaced"):
            continue
        assert directory_listing[path] == original[path], path
    assert directory_listing["/bin/mount"][1] == 0o4755
    assert "security.capability" in directory_listing["/bin/ping"][5]
    assert directory_listing["/usr/bin/perl5.36.0"][4] == "hard link to usr/bin/perl"
    assert directory_listing["/srv/tree/two"][4] == "hard link to srv/tree/one"
    assert directory_listing["/srv/tree/null"][4] == (1, 3)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_plan_and_the_same_root(
    fat, forms, directory_plan, directory_listing, tmp_path, form
):
    """Plans differ in their inputs alone (and an image's in its configuration), pruned roots in nothing."""
    pruner("plan", fat.sbom, "--root", forms[form], *ENTRIES, "-o", tmp_path / "plan", "-q")
    assert decided(tmp_path / "plan") == decided(directory_plan)
    names = ("files.nul", "files.txt", "packages.txt", "sbom.cdx.json")
    assert [(tmp_path / "plan" / name).read_bytes() for name in names] == [
        (directory_plan / name).read_bytes() for name in names
    ]
    pruner("apply", tmp_path / "plan", "--root", forms[form], "--dest", tmp_path / "pruned")
    assert listing(tmp_path / "pruned") == directory_listing


def test_a_tar_of_the_pruned_root_is_reproducible(fat, forms, directory_plan, directory_listing, tmp_path):
    """`--tar` writes the same bytes from a directory and from image layers, and GNU tar unpacks the same root."""
    for form in ("directory", "oci-layout"):
        pruner("apply", directory_plan, "--root", forms[form], "--tar", tmp_path / form)
    assert (tmp_path / "directory").read_bytes() == (tmp_path / "oci-layout").read_bytes()
    (tmp_path / "out").mkdir()
    unpack = ["tar", "--xattrs", "--xattrs-include=*", "--numeric-owner", "-xpf", str(tmp_path / "directory")]
    subprocess.run([*unpack, "-C", str(tmp_path / "out")], check=True)
    assert listing(tmp_path / "out") == directory_listing


def test_an_image_s_own_sbom_decides_as_the_directory_s(forms, directory_plan, tmp_path):
    """syft's scan of the docker-archive: other ids and layers, the same names kept with the same types and modes."""
    scan_image(forms["docker-archive"], tmp_path / "image.json")
    pruner("plan", tmp_path / "image.json", "--root", forms["docker-archive"], *ENTRIES, "-o", tmp_path / "plan", "-q")
    ours, theirs = (there(planned(plan)) for plan in (tmp_path / "plan", directory_plan))
    assert ours.keys() == theirs.keys()
    keys = ("type", "mode", "uid", "gid", "bytes", "target", "hardlink", "device", "decision", "owner")
    for path, file in ours.items():
        assert {key: file.get(key) for key in keys} == {key: theirs[path].get(key) for key in keys}


def changed(tar: Path, target: Path, path: str, change) -> Path:
    """A copy of a tar in which `change` edits one member and its bytes."""
    with tarfile.open(tar) as source, tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as copy:
        for member in source:
            stream = source.extractfile(member) if member.isreg() else None
            copy.addfile(*(change(member, stream) if member.name == f".{path}" else (member, stream)))
    return target


def _longer(member, stream):
    data = stream.read() + b"more"
    member.size = len(data)
    return member, io.BytesIO(data)


def _other_bytes(member, stream):
    data = bytearray(stream.read())
    data[-1] ^= 0xFF
    return member, io.BytesIO(bytes(data))


def _a_link(member, _stream):
    member.type, member.linkname, member.size = tarfile.SYMTYPE, "/etc/passwd", 0
    return member, None


@pytest.mark.parametrize(
    ("change", "fact"),
    [(_longer, "not 125"), (_a_link, "symlink, not file")],
    ids=["size", "type"],
)
def test_a_root_of_another_scan_is_refused_while_planning(fat, forms, tmp_path, change, fact):
    """A file of another type or size than the SBOM states: exit 3, the path is named, and nothing is written."""
    other = changed(forms["tar"], tmp_path / "other.tar", "/bin/mount", change)
    fact = fact.replace("125", str((fat.root / "bin/mount").stat().st_size))
    done = pruner("plan", fat.sbom, "--root", other, *ENTRIES, "-o", tmp_path / "plan", code=3)
    assert "/bin/mount" in done.stderr
    assert fact in done.stderr
    assert not (tmp_path / "plan").exists()


@pytest.mark.parametrize("kind", ["dest", "tar"])
def test_changed_bytes_are_refused_while_applying(fat, forms, directory_plan, tmp_path, kind):
    """The same size with other bytes passes planning and is caught by its digest; nothing is left behind."""
    other = changed(forms["tar"], tmp_path / "other.tar", "/bin/mount", _other_bytes)
    pruner("plan", fat.sbom, "--root", other, *ENTRIES, "-o", tmp_path / "plan", "-q")
    before = sorted(tmp_path.iterdir())
    done = pruner("apply", tmp_path / "plan", "--root", other, f"--{kind}", tmp_path / "out", code=3)
    assert "/bin/mount does not match its sha256 digest" in done.stderr
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("name", ["/etc/absolute", "../outside", "etc/../../outside"])
def test_members_that_leave_the_root_are_refused(fat, forms, directory_plan, tmp_path, name):
    """A tar with absolute or climbing names: exit 3 for planning and applying, and nothing is written anywhere."""
    hostile = tmp_path / "hostile.tar"
    shutil.copy(forms["tar"], hostile)
    with tarfile.open(hostile, "a") as tar:
        member = tarfile.TarInfo("x")
        member.name = name
        tar.addfile(member)
    before = sorted(tmp_path.iterdir())
    done = pruner("plan", fat.sbom, "--root", hostile, *ENTRIES, "-o", tmp_path / "plan", code=3)
    assert name in done.stderr
    done = pruner("apply", directory_plan, "--root", hostile, "--dest", tmp_path / "out", code=3)
    assert name in done.stderr
    assert sorted(tmp_path.iterdir()) == before
    assert not (tmp_path.parent / "outside").exists()
    assert not os.path.lexists("/etc/absolute")


@pytest.mark.parametrize("form", ["tar.gz", "tar.zst", "tar.xz", "docker-archive", "oci-archive"])
def test_archives_that_are_cut_off_are_refused(fat, forms, tmp_path, form):
    """Two thirds of an archive: exit 3 with its name, no plan, and no temporary file stays."""
    whole = forms[form].read_bytes()
    cut = tmp_path / f"cut.{form}"
    cut.write_bytes(whole[: len(whole) * 2 // 3])
    done = pruner("plan", fat.sbom, "--root", cut, *ENTRIES, "-o", tmp_path / "plan", code=3)
    assert cut.name in done.stderr
    assert sorted(tmp_path.iterdir()) == [cut]
