"""Package indexes: found by name, read on demand, and refused where they are not whole."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from pruner.candidate import Candidate, Relation
from pruner.errors import InputError
from pruner.read.packageindex import PackageIndex, index_in, read_index

DIGEST = "ab" * 32
PACKAGES = f"""\
Package: a
Source: src-a (1.0)
Version: 1.0+b1
Installed-Size: 10
Architecture: amd64
Multi-Arch: same
Provides: v (= 2), w, libfoo:any (= 1)
Pre-Depends: d
Depends: b (>= 1) | c,
 d:any
Recommends: r
Conflicts: x (<< 3)
Breaks: y
Description: not a field
 Provides: nothing
Filename: pool/a_1.0_amd64.deb
Size: 1234
SHA256: {DIGEST.upper()}

Package: b
Essential: yes
Version: 2
Architecture: all
Provides:
 v,
 z
Filename: pool/b_2_all.deb
Size: 1
SHA256: {DIGEST}

Package: a
Version: 2.0
Architecture: amd64
Filename: pool/a_2.0_amd64.deb
Size: 2
SHA256: {DIGEST}

"""
STATUS = """\
Package: gone
Status: deinstall ok config-files
Version: 1
Architecture: amd64

Package: a
Essential: yes
Status: install ok installed
Version: 1
Architecture: amd64
Provides: v

Package: purged
Status: purge ok not-installed

"""
APKINDEX = """\
C:Q1x=
P:a
V:1.2-r0
A:x86_64
S:100
I:2049
T:a package
o:origin
k:10
D:so:b !c cmd:x>=1
p:so:a=1 cmd:a=1.2-r0 virtual
i:b docs=1.2-r0

C:Q1y=
P:b
V:1-r0
A:noarch
S:1
I:1
p:virtual

"""
INSTALLED = """\
C:Q1x=
P:busybox
V:1.36.1-r20
A:x86_64
D:so:c
F:bin
R:busybox
a:0:0:755
F:etc
R:sh

C:Q1y=
P:zsh
V:5-r0
A:x86_64
F:bin
M:0:0:755
R:sh
F:
R:top

"""


def index(text: str | bytes, name: str = "index") -> PackageIndex:
    found = index_in(text.encode() if isinstance(text, str) else text, name)
    assert found is not None
    return found


def labels(candidates: tuple[Candidate, ...]) -> list[str]:
    return [candidate.label for candidate in candidates]


def packed(text: str) -> bytes:
    """An APKINDEX.tar.gz: a signature and an index, a gzip member each."""

    def archive(name: str, data: bytes) -> bytes:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as writer:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            writer.addfile(info, io.BytesIO(data))
        return buffer.getvalue()

    signature = archive(".SIGN.RSA.key", b"signature")[:1024]  # abuild cuts the end of the archive off
    return gzip.compress(signature) + gzip.compress(archive("APKINDEX", text.encode()))


class TestDebian:
    def test_every_field_that_is_used(self):
        """Relationships over several lines, sizes in their units, the source with its own version."""
        assert index(PACKAGES).named("a")[0] == Candidate(
            ecosystem="deb",
            name="a",
            version="1.0+b1",
            architecture="amd64",
            installed_kib=10,
            download_bytes=1234,
            pre_depends=((Relation(name="d"),),),
            depends=(
                (Relation(name="b", operator=">=", version="1"), Relation(name="c")),
                (Relation(name="d", qualifier="any"),),
            ),
            recommends=((Relation(name="r"),),),
            conflicts=(Relation(name="x", operator="<<", version="3"),),
            breaks=(Relation(name="y"),),
            provides=(
                Relation(name="v", operator="=", version="2"),
                Relation(name="w"),
                Relation(name="libfoo", operator="=", version="1", qualifier="any"),
            ),
            multi_arch="same",
            source="src-a",
            source_version="1.0",
            filename="pool/a_1.0_amd64.deb",
            checksum=f"sha256:{DIGEST}",
        )

    def test_two_versions_of_one_name(self):
        """Both are there, in the order of the index."""
        assert labels(index(PACKAGES).named("a")) == ["a 1.0+b1 (amd64)", "a 2.0 (amd64)"]

    def test_a_repeated_stanza_counts_once(self):
        """Name, version and architecture tell packages apart; the first one counts."""
        other = PACKAGES.replace("pool/a_1.0", "other/a_1.0")
        found = index(PACKAGES + other).named("a")
        assert [candidate.filename for candidate in found] == ["pool/a_1.0_amd64.deb", "pool/a_2.0_amd64.deb"]

    def test_a_name_that_is_repeated_without_end(self):
        """Each stanza is found once more, at the cost of one."""
        assert set(index("Package: a\nVersion: 1\n\n" * 300_000).names()) == {"a"}

    def test_provides(self):
        """Versioned, plain and on lines of their own, but never out of a description, and never the package itself."""
        found = index(PACKAGES.replace("Provides: v", "Provides: a, v"))
        assert [labels(found.providing(name)) for name in ("v", "w", "z", "libfoo")] == [
            ["a 1.0+b1 (amd64)", "b 2 (all)"],
            ["a 1.0+b1 (amd64)"],
            ["b 2 (all)"],
            ["a 1.0+b1 (amd64)"],
        ]
        assert [found.providing(name) for name in ("nothing", "a", "b", "")] == [(), (), (), ()]

    def test_essential_names_and_architecture(self):
        """The architecture is the one that most packages are for."""
        found = index(PACKAGES)
        assert labels(found.essential()) == ["b 2 (all)"]
        assert set(found.names()) == {"a", "b"}
        assert (found.ecosystem, found.architecture) == ("deb", "amd64")
        assert index("Package: x\nVersion: 1\nArchitecture: all\n\n").architecture is None

    def test_status_without_what_is_not_on_disk(self):
        """Configuration that was left behind is no package, and the essential one is found in any line."""
        found = index(STATUS)
        assert (found.named("gone"), found.named("purged"), labels(found.named("a"))) == ((), (), ["a 1 (amd64)"])
        assert labels(found.essential()) == labels(found.providing("v")) == ["a 1 (amd64)"]

    @pytest.mark.parametrize(
        "change",
        [
            lambda text: text.replace("\n", "\r\n"),
            lambda text: text.replace("\n\n", "\n \t\n\n"),
            lambda text: f"\n\n{text}\n\n",
            lambda text: f"\ufeff{text}",
            lambda text: text.removesuffix("\n"),
            lambda text: text.replace("Package:", "package:").replace("Provides:", "PROVIDES:").replace("Ess", "ess"),
        ],
        ids=["CRLF", "blank lines", "empty lines around", "byte order mark", "no empty line at the end", "other case"],
    )
    def test_spelling_makes_no_difference(self, change):
        """deb822(5): field names in any case, separators of spaces and tabs."""
        plain, other = index(PACKAGES), index(change(PACKAGES))
        assert [other.named(name) for name in "ab"] == [plain.named(name) for name in "ab"]
        assert (other.providing("v"), other.essential()) == (plain.providing("v"), plain.essential())

    def test_stanzas_in_text(self):
        """As they stand in the index, for whoever needs more of them."""
        assert [text.split("\n")[-1] for text in index(PACKAGES).stanzas("a")] == [
            f"SHA256: {DIGEST.upper()}",
            f"SHA256: {DIGEST}",
        ]
        assert index(PACKAGES).stanzas("absent") == ()

    def test_an_unknown_operator_names_file_package_and_text(self):
        """And only when the package is asked for: what is not reached does not matter."""
        found = index(PACKAGES.replace("b (>= 1)", "b (=> 1)"), "Packages.xz")
        assert labels(found.named("b")) == ["b 2 (all)"]
        with pytest.raises(InputError, match=r"^Packages.xz: a 1.0\+b1: unknown operator '=>' in 'b \(=> 1\)'$"):
            found.named("a")

    def test_a_stanza_without_version(self):
        """It can't be installed."""
        with pytest.raises(InputError, match=r"^index: x: a stanza without Version"):
            index("Package: x\nArchitecture: all\n\n").named("x")

    @pytest.mark.parametrize(
        ("name", "version", "what"),
        [
            ("../x", "1", "name"),
            ("-x", "1", "name"),
            ("x y", "1", "name"),
            ("x" * 256, "1", "name"),
            ("x", "1\x1b[2J", "version"),
            ("x", "1 2", "version"),
            ("x", "1" * 257, "version"),
        ],
    )
    def test_a_name_or_version_that_no_package_can_have(self, name, version, what):
        """Nothing that a lock would be refused for, or that fills a screen."""
        with pytest.raises(InputError, match=f"it has a {what} that no package can have") as raised:
            index(f"Package: {name}\nVersion: {version}\nArchitecture: all\n\n").named(name.split()[0])
        assert len(raised.value.fact) < 200

    def test_blanks_at_the_end_of_a_line_mean_nothing(self):
        """deb822(5)."""
        (found,) = index("Package: x \nVersion: 1\t\nArchitecture: all \nEssential: yes \n\n").named("x")
        assert (found.name, found.version, found.architecture, found.essential) == ("x", "1", "all", True)


class TestAlpine:
    def test_every_line_that_is_used(self):
        """Bytes become KiB, rounded up; conflicts leave the dependencies."""
        assert index(APKINDEX).named("a") == (
            Candidate(
                ecosystem="apk",
                name="a",
                version="1.2-r0",
                architecture="x86_64",
                installed_kib=3,
                download_bytes=100,
                depends=((Relation(name="so:b"),), (Relation(name="cmd:x", operator=">=", version="1"),)),
                conflicts=(Relation(name="c"),),
                provides=(
                    Relation(name="so:a", operator="=", version="1"),
                    Relation(name="cmd:a", operator="=", version="1.2-r0"),
                    Relation(name="virtual"),
                ),
                install_if=(Relation(name="b"), Relation(name="docs", operator="=", version="1.2-r0")),
                provider_priority=10,
                source="origin",
                source_version="1.2-r0",
                filename="a-1.2-r0.apk",
                checksum="Q1x=",
            ),
        )

    def test_providers(self):
        """By library, command and plain name."""
        found = index(APKINDEX)
        assert labels(found.providing("so:a")) == ["a 1.2-r0 (x86_64)"]
        assert labels(found.providing("virtual")) == ["a 1.2-r0 (x86_64)", "b 1-r0 (noarch)"]
        assert (found.ecosystem, found.architecture, found.essential()) == ("apk", "x86_64", ())
        assert labels(found.triggered()) == ["a 1.2-r0 (x86_64)"]

    def test_owners_of_a_path_in_an_installed_database(self):
        """`F:` names the directory of the `R:` lines below it; the root directory's is empty."""
        found = index(INSTALLED)
        assert labels(found.providing("/bin/sh")) == ["zsh 5-r0 (x86_64)"]
        assert labels(found.providing("/bin/busybox")) == ["busybox 1.36.1-r20 (x86_64)"]
        assert labels(found.providing("/top")) == ["zsh 5-r0 (x86_64)"]
        assert found.providing("/bin") == found.providing("/etc/absent") == found.providing("/") == ()

    def test_published_index(self):
        """Two archives in two gzip members."""
        assert index(gzip.decompress(packed(APKINDEX))).named("a") == index(APKINDEX).named("a")


PACKERS = {
    "plain": bytes,
    "gzip": gzip.compress,
    "xz": lzma.compress,
    "zstd": zstandard.compress,
    "bzip2": bz2.compress,
}


@pytest.mark.parametrize("pack", PACKERS.values(), ids=PACKERS)
def test_compression_is_seen_through(tmp_path, pack):
    """By content, whatever the file is called."""
    path = tmp_path / "index"
    path.write_bytes(pack(PACKAGES.encode()))
    assert labels(read_index(path).named("b")) == ["b 2 (all)"]
    path.write_bytes(pack(packed(APKINDEX)) if pack is bytes else pack(APKINDEX.encode()))
    assert labels(read_index(path).named("b")) == ["b 1-r0 (noarch)"]


@pytest.mark.parametrize("pack", [pack for name, pack in PACKERS.items() if name != "plain"])
def test_a_compressed_index_cut_in_the_middle(tmp_path, pack):
    """One message with the file's name."""
    data = pack(PACKAGES.encode() * 50)
    path = tmp_path / "index"
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(InputError, match=f"^{path}: damaged compressed data"):
        read_index(path)


@pytest.mark.parametrize("end", ["\nDescription", "Provides:\n", "\nSize: 2\n", "pool/a_2.0"])
def test_a_debian_index_cut_in_the_middle(end):
    """Within a line, or within the last stanza of an archive's index, which every stanza ends as the first does."""
    cut = PACKAGES[: PACKAGES.rindex(end) + len(end)]
    with pytest.raises(InputError, match=r"^Packages: ends within the stanza of [ab]$") as caught:
        index(cut, "Packages")
    assert "cut short" in caught.value.hint


@pytest.mark.parametrize("text", [APKINDEX, INSTALLED])
def test_an_alpine_index_cut_in_the_middle(text):
    """Every block ends with an empty line, without which apk itself passes over it."""
    for length in range(text.index("P:") + 4, len(text)):
        if not text[:length].endswith("\n\n"):
            with pytest.raises(InputError, match="ends within the stanza of"):
                index(text[:length])


@given(cut=st.integers(min_value=PACKAGES.index("\n\n"), max_value=len(PACKAGES)))
def test_no_cut_makes_up_a_package(cut):
    """Whatever is left, of more than the first stanza, is refused or holds only packages of the whole index."""
    whole = index(PACKAGES)
    try:
        part = index_in(PACKAGES[:cut].encode(), "index")
        found = [candidate for name in "ab" for candidate in part.named(name)] if part else []
    except InputError as error:
        assert error.fact.startswith("index: ")
    else:
        assert set(found) <= {*whole.named("a"), *whole.named("b")}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not a package index"),
        ("some notes\n", "not a package index"),
        (b"\x7fELF\0\0", "not a package index"),
        ('{"nodes": [], "links": []}', "not a package index"),
        (b"\x04\x22\x4d\x18\x64\x40\xa7", "not a package index"),
        ("Package: a\nVersion: 1\n\nVersion: 2\n\n", "stanza 2 does not name one package"),
        ("Package: a\nVersion: 1\nPackage: b\n\n", "stanza 1 does not name one package"),
        ("P:a\nV:1\n\nV:2\n\n", "stanza 2 does not name one package"),
        (packed(APKINDEX)[:300], "damaged compressed data"),
    ],
)
def test_what_is_no_index(tmp_path, text, message):
    """Each gets one clear message that starts with the file's name, and what would be accepted or done."""
    path = tmp_path / "index"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(InputError, match=message) as caught:
        read_index(path)
    assert caught.value.fact.startswith(str(path))
    assert caught.value.hint


def test_lists_of_apt_name_their_converter(tmp_path):
    """apt keeps its lists in LZ4, which nothing else has an index in."""
    path = tmp_path / "list.lz4"
    path.write_bytes(b"\x04\x22\x4d\x18\x64\x40\xa7")
    with pytest.raises(InputError) as caught:
        read_index(path)
    assert "apt-helper cat-file" in caught.value.hint


def test_archive_without_an_index(tmp_path):
    """A tar of something else."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as writer:
        writer.addfile(tarfile.TarInfo("other"))
    path = tmp_path / "index"
    path.write_bytes(buffer.getvalue())
    with pytest.raises(InputError, match="an archive without an APKINDEX"):
        read_index(path)


def test_unreadable(tmp_path):
    """The reason of the operating system, and no traceback."""
    with pytest.raises(InputError, match="no such file"):
        read_index(tmp_path / "absent")
