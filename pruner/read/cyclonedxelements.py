"""The elements of a CycloneDX XML report in the shape of the JSON format.

Components are listed flat, however deep the document nests them: only their references, names and purls are read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element


def json_shape(root: Element) -> dict[str, Any]:
    """What a report takes from the `bom` element `root`."""
    tools = _child(root, "metadata", "tools")
    listed = _children(_child(tools, "components"), "component") or _children(tools, "tool")
    subject = _child(root, "metadata", "component")
    found = _child(root, "vulnerabilities")
    return {
        "components": _components(_children(_child(root, "components"), "component")),
        "vulnerabilities": None
        if found is None
        else [_vulnerability(item) for item in _children(found, "vulnerability")],
        "metadata": {
            "component": None if subject is None else _component(subject),
            "tools": [{"name": _text(item, "name"), "version": _text(item, "version")} for item in listed],
        },
    }


def _components(elements: list[Element]) -> list[dict[str, Any]]:
    found, pending = [], elements[::-1]
    while pending:
        element = pending.pop()
        found.append(_component(element))
        pending += _children(_child(element, "components"), "component")
    return found


def _component(element: Element) -> dict[str, Any]:
    return {
        "bom-ref": element.get("bom-ref", ""),
        "type": element.get("type", ""),
        **{key: _text(element, key) for key in ("name", "group", "version", "purl")},
        "properties": [
            {"name": item.get("name", ""), "value": (item.text or "").strip()}
            for item in _children(_child(element, "properties"), "property")
        ],
    }


def _vulnerability(element: Element) -> dict[str, Any]:
    return {
        "id": _text(element, "id"),
        "source": {"name": _text(element, "source", "name")},
        "references": [{"id": _text(item, "id")} for item in _children(_child(element, "references"), "reference")],
        "ratings": [
            {"severity": _text(item, "severity"), "source": {"name": _text(item, "source", "name")}}
            for item in _children(_child(element, "ratings"), "rating")
        ],
        "affects": [_affected(item) for item in _children(_child(element, "affects"), "target")],
        "analysis": {"state": _text(element, "analysis", "state")},
    }


def _affected(element: Element) -> dict[str, Any]:
    return {
        "ref": _text(element, "ref"),
        "versions": [
            {"version": _text(one, "version"), "status": _text(one, "status") or "affected"}
            for one in _children(_child(element, "versions"), "version")
        ],
    }


def _local(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _child(element: Element | None, *names: str) -> Element | None:
    for name in names:
        element = next((item for item in element if _local(item) == name), None) if element is not None else None
    return element


def _children(element: Element | None, name: str) -> list[Element]:
    return [item for item in element if _local(item) == name] if element is not None else []


def _text(element: Element | None, *names: str) -> str:
    found = _child(element, *names)
    return (found.text or "").strip() if found is not None else ""
