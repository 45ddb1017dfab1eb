"""Dependency graphs from outside, read and mapped onto installed packages."""

from __future__ import annotations

import gzip
import io
import json
import lzma
import tarfile
from pathlib import Path

import pytest
from packageurl import PackageURL

from pruner.errors import InputError
from pruner.model import Inventory, Package, PackageId, Strength
from pruner.read.inventory import join
from pruner.read.relationfile import read_relations

DATA = Path(__file__).resolve().parent.parent / "data"

STATUS = """\
Package: a
Status: install ok installed
Architecture: amd64
Version: 1
Depends: b (>= 1) | c,
 d
Pre-Depends: e
Provides: v

Package: a
Architecture: amd64
Version: 2
Depends: newer

Package: absent
Version: 1
Depends: a
"""
INDEX = "C:Q1x=\nP:a\nV:1\nA:x86_64\nD:so:b !c\np:cmd:a=1\n\nP:b\nV:1\n\n"


def installed(
    name: str, kind: str = "deb", version: str = "1", architecture: str | None = "amd64", **fields
) -> Package:
    purl = PackageURL(
        type=kind,
        namespace="debian" if kind == "deb" else None,
        name=name,
        version=version,
        qualifiers={"arch": architecture} if architecture else {},
    )
    return Package(
        id=PackageId(fields.pop("id", name)),
        type=kind,
        name=name,
        version=version,
        purl=purl,
        architecture=architecture,
        **fields,
    )


def inventory(*packages: Package) -> Inventory:
    return Inventory(name="x", format="syft-json", packages=packages)


def relations(tmp_path: Path, text: str | bytes, direction: str = "dependant", name: str = "relations"):
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_relations(path, direction)


def edges(found: Inventory) -> list[tuple]:
    return [
        (edge.dependant, edge.dependency, edge.kind, edge.strength.value, *edge.alternatives)
        for edge in found.dependencies
    ]


def packed_index(text: str) -> bytes:
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


@pytest.mark.parametrize(
    "pack", [str.encode, lambda text: gzip.compress(text.encode()), lambda text: lzma.compress(text.encode())]
)
def test_debian_index(tmp_path, pack):
    """A status or Packages file, plain or compressed, gives the clauses of the installed version."""
    source = relations(tmp_path, pack(STATUS))
    found = join(inventory(installed("a"), installed("d")), None, [source])
    assert (found.packages[0].depends, found.packages[0].pre_depends, found.packages[0].provides) == (
        ("b (>= 1) | c", "d"),
        ("e",),
        ("v",),
    )
    assert [package.name for package in found.packages] == ["a", "d"]


@pytest.mark.parametrize("pack", [str.encode, packed_index])
def test_alpine_index(tmp_path, pack):
    """An installed database or an APKINDEX, plain or as it is published."""
    found = join(inventory(installed("a", "apk", architecture="x86_64")), None, [relations(tmp_path, pack(INDEX))])
    assert (found.packages[0].depends, found.packages[0].provides) == (("so:b", "!c"), ("cmd:a=1",))


def test_own_declarations_win(tmp_path):
    """An index of another version adds nothing to a package that declares its own; one of the same version is united."""
    source = relations(tmp_path, STATUS)
    other = join(inventory(installed("a", version="3", depends=("own",))), None, [source])
    assert other.packages[0].depends == ("own",)
    same = join(inventory(installed("a", depends=("d", "b  (>=1)|c", "own"))), None, [source])
    assert same.packages[0].depends == ("d", "b  (>=1)|c", "own")
    silent = join(inventory(installed("a", version="3")), None, [source])
    assert silent.packages[0].depends == ("b (>= 1) | c", "d")


def test_index_of_another_ecosystem(tmp_path):
    """A Debian index says nothing about an npm package of the same name."""
    found = join(inventory(installed("a", "npm", architecture=None)), None, [relations(tmp_path, STATUS)])
    assert found.packages[0].depends == ()


def node_link(key: str = "links", **edge) -> str:
    nodes = [{"id": "pkg:deb/debian/a@9?arch=amd64"}, {"id": "b"}, {"id": 3, "name": "c"}, {"id": "absent"}]
    listed = [
        {"source": nodes[0]["id"], "target": "b", **edge},
        {"source": "b", "target": 3},
        {"source": "b", "target": "absent"},
        {"source": "b", "target": "b"},
    ]
    return json.dumps({"directed": True, "multigraph": False, "graph": {}, "nodes": nodes, key: listed})


@pytest.mark.parametrize("key", ["links", "edges"])
def test_node_link(tmp_path, key):
    """Nodes are purls, parsed and whatever their version, or names; absent ones and self-edges are ignored."""
    found = join(inventory(installed("a"), installed("b"), installed("c")), None, [relations(tmp_path, node_link(key))])
    assert edges(found) == [("a", "b", "depends", "hard"), ("b", "c", "depends", "hard")]
    assert found.dependencies[0].evidence.startswith("depends in ")


def test_direction_provider(tmp_path):
    """The other way round."""
    found = join(
        inventory(installed("a"), installed("b"), installed("c")), None, [relations(tmp_path, node_link(), "provider")]
    )
    assert edges(found) == [("b", "a", "depends", "hard"), ("c", "b", "depends", "hard")]


def test_attributes(tmp_path):
    """kind, strength and alternatives; a weak kind is optional unless it says otherwise; conflicts are no edges."""
    packages = inventory(installed("a"), installed("b"), installed("c"))

    def read(**edge):
        return edges(join(packages, None, [relations(tmp_path, node_link(**edge))]))[0]

    assert read(kind="Recommends") == ("a", "b", "recommends", "optional")
    assert read(kind="Recommends", strength="hard") == ("a", "b", "recommends", "hard")
    assert read(strength="optional", alternatives=["c", "absent"]) == ("a", "b", "depends", "optional", "c")
    assert read(alternatives="c | absent") == ("a", "b", "depends", "hard", "c")
    assert read(kind="conflicts")[:2] == ("b", "c")
    with pytest.raises(InputError, match="'strong' is no strength"):
        read(strength="strong")
    with pytest.raises(InputError, match="alternatives"):
        relations(tmp_path, node_link(alternatives="c"), "provider")


def test_alternative_stands_in_for_an_absent_dependency(tmp_path):
    """Of `b | c` with only c installed, c it is."""
    found = join(inventory(installed("a"), installed("c")), None, [relations(tmp_path, node_link(alternatives="c"))])
    assert edges(found) == [("a", "c", "depends", "hard")]


def test_names_mean_the_distributions_package(tmp_path):
    """A bare name that an npm package has as well; and of two architectures the dependant's own."""
    packages = [
        installed("b", "npm", architecture=None, id="npm-b"),
        installed("a"),
        installed("b"),
        installed("b", architecture="i386", id="b-i386"),
    ]
    found = join(inventory(*packages), None, [relations(tmp_path, node_link())])
    assert edges(found) == [("a", "b", "depends", "hard")]


def test_purl_architecture_and_namespace(tmp_path):
    """A purl that names an architecture means that one; another namespace is another package."""
    text = json.dumps(
        {
            "nodes": [],
            "links": [
                {"source": "a", "target": "pkg:deb/debian/b?arch=i386"},
                {"source": "a", "target": "pkg:deb/ubuntu/a2"},
            ],
        }
    )
    packages = [installed("a"), installed("a2"), installed("b"), installed("b", architecture="i386", id="b-i386")]
    assert edges(join(inventory(*packages), None, [relations(tmp_path, text)])) == [("a", "b-i386", "depends", "hard")]


GRAPHML = """<?xml version='1.0' encoding='utf-8'?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
  <key id="d1" for="edge" attr.name="kind" attr.type="string"/>
  <key id="d0" for="node" attr.name="name" attr.type="string"/>
  <graph edgedefault="directed">
    <node id="n0"><data key="d0">a</data></node><node id="b"/>
    <edge source="n0" target="b"><data key="d1">pre-depends</data></edge>
  </graph>
</graphml>
"""


def test_graphml(tmp_path):
    """As networkx.write_graphml writes it, with names in data or as ids."""
    found = join(inventory(installed("a"), installed("b")), None, [relations(tmp_path, GRAPHML)])
    assert edges(found) == [("a", "b", "pre-depends", "hard")]


def test_networkx_round_trip(tmp_path):
    """What networkx itself writes is read."""
    networkx = pytest.importorskip("networkx")
    graph = networkx.DiGraph()
    graph.add_edge("a", "b", kind="recommends", strength="hard")
    networkx.write_graphml(graph, tmp_path / "g.graphml")
    (tmp_path / "g.json").write_text(json.dumps(networkx.node_link_data(graph, edges="edges")))
    for name in ("g.graphml", "g.json"):
        found = join(inventory(installed("a"), installed("b")), None, [read_relations(tmp_path / name)])
        assert edges(found) == [("a", "b", "recommends", "hard")]


def test_dot_by_hand(tmp_path):
    """Comments, subgraphs, edge chains and attributes."""
    text = '// made by hand\nstrict digraph { a -> b [kind="pre-depends"]; subgraph cluster_x { b -> "c" [strength=optional] } }'
    found = join(inventory(installed("a"), installed("b"), installed("c")), None, [relations(tmp_path, text)])
    assert edges(found) == [("a", "b", "pre-depends", "hard"), ("b", "c", "depends", "optional")]


def test_dot_by_apk():
    """`apk dot` names nodes NAME-VERSION."""
    packages = [
        installed(name, "apk", version, "x86_64")
        for name, version in (
            ("busybox", "1.36.1-r19"),
            ("musl", "1.2.4_git20230717-r4"),
            ("busybox-binsh", "1.36.1-r19"),
        )
    ]
    found = join(inventory(*packages), None, [read_relations(DATA / "apk.dot")])
    assert edges(found) == [("busybox", "musl", "depends", "hard"), ("busybox-binsh", "busybox", "depends", "hard")]


def test_dot_by_debtree():
    """Colours are kinds, records are alternatives, virtual packages have providers, conflicts are no edges."""
    names = ("git", "libcurl3-gnutls", "libkrb5-3", "krb5-locales", "openssh-client", "ca-certificates", "libselinux1")
    source = read_relations(DATA / "debtree.dot")
    found = edges(join(inventory(*map(installed, names), installed("debconf")), None, [source]))
    assert ("git", "libcurl3-gnutls", "depends", "hard") in found
    assert ("libkrb5-3", "krb5-locales", "recommends", "optional") in found
    assert ("ca-certificates", "debconf", "depends", "hard") in found
    assert not any(edge[1] == "sftp" for edge in found)
    other = edges(join(inventory(installed("ca-certificates"), installed("debconf-2.0")), None, [source]))
    assert other == [("ca-certificates", "debconf-2.0", "depends", "hard")]


def test_sources_are_united(tmp_path):
    """Two graphs add up; what both say is said once."""
    first = relations(tmp_path, '{"nodes": [], "links": [{"source": "a", "target": "b"}]}', name="1")
    second = relations(
        tmp_path, '{"nodes": [], "links": [{"source": "a", "target": "b"}, {"source": "a", "target": "c"}]}', name="2"
    )
    found = join(inventory(installed("a"), installed("b"), installed("c")), None, [first, second])
    assert edges(found) == [("a", "b", "depends", "hard"), ("a", "c", "depends", "hard")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not a kind of relations file"),
        ("some notes\n", "not a kind of relations file"),
        (b"\x7fELF\0\0", "not a kind of relations file"),
        pytest.param("/**/" * 15_000 + "x", "not a kind of relations file", id="comments of C"),
        ("Package: a\nVersion: 1\n\nnonsense\n", "stanza 2 does not name one package"),
        ('{"nodes": []}', "without links or edges"),
        ('{"nodes": 1, "links": []}', r"\$\.nodes: expected array, got int"),
        ('{"nodes": [], "links": [{"source": "a"}]}', "edge 0 has no source or target"),
        ('{"nodes": [', "not valid JSON"),
        ("<html/>", "not GraphML"),
        ("<graphml><graph>", "damaged XML"),
        ('<!DOCTYPE g [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><graphml>&b;</graphml>', "document type"),
        ("digraph { a -> ", "damaged DOT"),
        (gzip.compress(STATUS.encode())[:-9], "damaged compressed data"),
    ],
)
def test_bad_relations(tmp_path, text, message):
    """Each gets one clear message that starts with the file's name."""
    with pytest.raises(InputError, match=message) as caught:
        relations(tmp_path, text)
    assert caught.value.fact.startswith(str(tmp_path))


def test_archive_without_index(tmp_path):
    """A tar of something else."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as writer:
        writer.addfile(tarfile.TarInfo("other"))
    with pytest.raises(InputError, match="an archive without an APKINDEX"):
        relations(tmp_path, buffer.getvalue())


def test_strengths_are_the_models():
    """The words of the attribute are those of the model."""
    assert {strength.value for strength in Strength} == {"hard", "optional"}
