"""Edges of graph files: networkx node-link JSON, GraphML, and DOT as people, debtree and `apk dot` write it.

Optional attributes of an edge: `kind` (depends), `strength` (hard or optional), `alternatives` (a list, or text with
`|` between the nodes). Without `strength`, recommendations and suggestions are optional; conflicts are no edges.
"""

from __future__ import annotations

import contextlib
import io
import re
import warnings
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import msgspec

from pruner.errors import InputError, printable
from pruner.model import Strength
from pruner.read.fields import decoded
from pruner.read.relationtypes import NamedDependency

_NEGATIVE = frozenset({"conflicts", "breaks", "replaces", "obsoletes"})
_WEAK = frozenset({"recommends", "suggests", "enhances", "supplements", "optional"})
_GRAPHML = "{http://graphml.graphdrawing.org/xmlns}"  # the GraphML namespace, a name and not an address
_NODE_NAMES = ("purl", "name", "label")


class _Node(msgspec.Struct):
    id: str | int
    purl: str | None = None
    name: str | None = None


class _NodeLink(msgspec.Struct):
    nodes: list[_Node]
    links: list[dict[str, Any]] | None = None
    edges: list[dict[str, Any]] | None = None


_NODE_LINK = msgspec.json.Decoder(_NodeLink)


def node_link_edges(data: bytes, name: str) -> tuple[NamedDependency, ...]:
    """Edges of networkx.node_link_data, whose list is called `links` or `edges`. Raises `InputError`."""
    document = decoded(_NODE_LINK, data.removeprefix(b"\xef\xbb\xbf"), name)
    listed = document.links if document.links is not None else document.edges
    if listed is None:
        raise InputError(f"{name}: JSON without links or edges", hint="networkx.node_link_data writes either")
    names = {node.id: node.purl or node.name or str(node.id) for node in document.nodes}
    found: list[NamedDependency] = []
    for index, edge in enumerate(listed):
        ends = edge.get("source"), edge.get("target")
        if not all(isinstance(end, str | int) for end in ends):
            raise InputError(f"{name}: edge {index} has no source or target", hint="both must be node ids")
        source, target = (names.get(end, str(end)) for end in ends)  # type: ignore[arg-type] # checked above
        found.extend(_edges(source, target, edge, name))
    return tuple(found)


def graphml_edges(data: bytes, name: str) -> tuple[NamedDependency, ...]:
    """Edges of a GraphML document (a DTD is refused). Raises `InputError`."""
    from xml.etree.ElementTree import ParseError

    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    try:
        document = fromstring(data, forbid_dtd=True)
    except DefusedXmlException:
        raise InputError(f"{name}: XML with a document type", hint="GraphML needs none; it is refused") from None
    except (ParseError, ValueError, RecursionError) as error:
        raise InputError(f"{name}: damaged XML ({error})", hint="write the graph anew") from None
    if document.tag.rpartition("}")[2] != "graphml":
        raise InputError(f"{name}: XML, but not GraphML", hint="its root element must be graphml")
    keys = {
        element.get("id", ""): element.get("attr.name", "")
        for element in document.iter()
        if element.tag.rpartition("}")[2] == "key"
    }
    names = {}
    found = []
    for element in document.iter():
        kind = element.tag.rpartition("}")[2]
        if kind not in {"node", "edge"}:
            continue
        data_of = {keys.get(child.get("key", ""), ""): child.text or "" for child in element if child.get("key")}
        if kind == "node":
            node = element.get("id", "")
            names[node] = next((data_of[key] for key in _NODE_NAMES if data_of.get(key)), node)
        else:
            found.append((element.get("source", ""), element.get("target", ""), data_of))
    return tuple(
        edge
        for source, target, attributes in found
        for edge in _edges(names.get(source, source), names.get(target, target), attributes, name)
    )


def dot_edges(data: bytes, name: str) -> tuple[NamedDependency, ...]:
    """Edges of the graphs in a DOT document. Raises `InputError`."""
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):  # it warns, and prints what is wrong
            warnings.simplefilter("ignore")
            import pydot

            graphs = pydot.graph_from_dot_data(data.decode("utf-8", "replace"))
    except Exception as error:  # noqa: BLE001 - pydot lets through whatever its parser meets
        raise InputError(f"{name}: damaged DOT ({printable(str(error))[:200]})", hint="write the graph anew") from None
    if not graphs:
        raise InputError(f"{name}: damaged DOT", hint="graphviz's own `dot` shows where")
    return tuple(edge for graph in graphs for edge in _dot_graph(graph, name))


def _dot_graph(graph: Any, name: str) -> Iterator[NamedDependency]:
    groups, drawn = _or_groups(graph), list(_drawn(graph))
    # debtree draws Depends blue, Pre-Depends purple and Recommends in no colour at all (debtree(1), "Graph legend").
    by_debtree = any(attributes.get("color") in {"blue", "purple"} for _, _, attributes in drawn)
    providers: defaultdict[str, list[str]] = defaultdict(list)
    for source, target, attributes in drawn:
        if attributes.get("color") == "green":  # drawn from the virtual package, or against the arrow
            virtual, provider = (source, target) if attributes.get("dir") == "back" else (target, source)
            virtual, provider = _field(virtual)[1] or virtual, _field(provider)[1] or provider
            providers[virtual].extend(groups.get(provider, (provider,)))
    for source, target, attributes in drawn:
        if attributes.get("color") == "green":
            continue
        group, port = _field(target)
        options = [port] if port else list(groups.get(target, (target,)))
        options = list(dict.fromkeys(node for option in options for node in (option, *providers.get(option, ()))))
        stated: dict[str, Any] = dict(attributes)
        stated.setdefault("kind", _debtree_kind(attributes) if by_debtree else "depends")
        if len(options) > 1:
            stated["alternatives"] = options[1:]
        others = groups.get(group, ()) if port else ()
        for edge in _edges(_field(source)[1] or source, options[0], stated, name):
            yield replace(edge, instead=tuple(other for other in others if other != port))


def _debtree_kind(attributes: Mapping[str, str]) -> str:
    kinds = {"blue": "depends", "purple": "pre-depends", "red": "conflicts"}
    return kinds.get(attributes.get("color", ""), "suggests" if attributes.get("style") == "dotted" else "recommends")


def _drawn(graph: Any) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Every edge with its ends' names, subgraphs included."""
    for edge in graph.get_edges():
        attributes = {key: _unquoted(str(value)) for key, value in edge.get_attributes().items()}
        source, target = edge.get_source(), edge.get_destination()
        if isinstance(source, str) and isinstance(target, str):
            yield _dot_node(source), _dot_node(target), attributes
    for subgraph in graph.get_subgraphs():
        yield from _drawn(subgraph)


def _or_groups(graph: Any) -> dict[str, tuple[str, ...]]:
    """Alternatives that debtree draws as one record node; each field's port is a package."""
    groups = {}
    for node in graph.get_nodes():
        attributes = node.get_attributes()
        if _unquoted(str(attributes.get("shape", ""))) == "record":
            ports = re.findall(r"<([^<>]+)>", _unquoted(str(attributes.get("label", ""))))
            groups[_unquoted(node.get_name())] = tuple(port for port in ports if port != "other")
    return {name: ports for name, ports in groups.items() if ports}


def _dot_node(text: str) -> str:
    """A node's name; a field of a record keeps its port, `alt1:package`."""
    port = re.fullmatch(r'"?((?:alt|virt)\d+)"?:"?([^"]+)"?', text)
    return f"{port[1]}:{port[2]}" if port else _unquoted(text)


def _field(node: str) -> tuple[str, str]:
    """Of a field in debtree's record of alternatives the record and the package; else two empty strings.

    An edge to a field is a plain dependency on that package, or the versioned one of the alternatives.
    """
    found = re.fullmatch(r"((?:alt|virt)\d+):(.+)", node)
    return (found[1], found[2]) if found else ("", "")


def _unquoted(text: str) -> str:
    if len(text) >= 2 and text[0] == text[-1] == '"':
        return text[1:-1].replace('\\"', '"')
    return text


def _edges(source: str, target: str, attributes: Mapping[str, Any], name: str) -> Iterator[NamedDependency]:
    """The edge, unless its kind says that it is none."""
    kind = str(attributes.get("kind") or "depends").lower().replace("_", "-")
    if kind in _NEGATIVE:
        return
    stated = attributes.get("strength")
    if stated not in {None, "", *Strength}:
        raise InputError(
            f"{name}: {printable(source)} -> {printable(target)}: '{printable(str(stated))}' is no strength",
            hint="it is hard or optional",
        )
    default = Strength.OPTIONAL if kind in _WEAK else Strength.HARD
    yield NamedDependency(
        dependant=source,
        dependency=target,
        kind=kind,
        strength=Strength(stated) if stated else default,
        alternatives=_alternatives(attributes.get("alternatives")),
    )


def _alternatives(stated: object) -> tuple[str, ...]:
    if isinstance(stated, str):
        return tuple(part.strip() for part in stated.split("|") if part.strip())
    if isinstance(stated, Iterable):
        return tuple(str(part) for part in stated)
    return ()
