"""`pruner vex`: which vulnerabilities pruning removed, for scanners to read."""

from __future__ import annotations

import re
import time
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from pruner.cli.gate import side_at
from pruner.cli.output import source_date_epoch
from pruner.errors import NegativeAnswer, UsageError, printable

if TYPE_CHECKING:
    from pruner.gate.types import Side


_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s\x00-\x1f<>\"{}|\\^`\x7f]+")
"""A scheme and what may follow it (RFC 3987)."""


class VexFormat(StrEnum):
    """The kinds of VEX documents."""

    OPENVEX = "openvex"
    CYCLONEDX = "cyclonedx"


def vex_command(
    before: Annotated[str, typer.Argument(help="SBOM or root filesystem of the fat image.")],
    after: Annotated[str, typer.Argument(help="SBOM with all files, plan or root filesystem of the pruned image.")],
    vulns: Annotated[str, typer.Option(metavar="FILE", help="Scanner report on before: Grype, Trivy, CycloneDX.")],
    kind: Annotated[str, typer.Option("--format", metavar="FORMAT", help="openvex or cyclonedx.")] = VexFormat.OPENVEX,
    file: Annotated[
        list[str] | None,
        typer.Option(metavar="ID=PATH", help="The file that a vulnerability is in; its absence is enough. Repeatable."),
    ] = None,
    product: Annotated[
        str | None, typer.Option(metavar="IRI", help="The pruned image, as pkg:oci/app@sha256%3A…")
    ] = None,
    author: Annotated[str, typer.Option(metavar="NAME", help="OpenVEX: who makes the statements.")] = "Unknown Author",
    sbom: Annotated[
        str | None, typer.Option(metavar="FILE", help="CycloneDX: the CycloneDX SBOM of before to link to.")
    ] = None,
) -> None:
    """State which vulnerabilities the pruned image is not affected by, since their code is gone; exit 1 for none.

    An OpenVEX document has a time: SOURCE_DATE_EPOCH, else the clock's.

    Examples:

      pruner vex before.syft.json plan --vulns grype.json --format cyclonedx --sbom before.cdx.json

      pruner vex before.syft.json after.syft.json --vulns grype.json --product pkg:oci/app
    """
    from pruner.gate.vex import vex_statements
    from pruner.gate.vex.documents import cyclonedx_text, linkable, openvex_text
    from pruner.gate.vulnerabilities.scanners import read_report

    vex_format = _format(kind)
    files = _files(file or [])
    epoch = source_date_epoch()
    fat, pruned = side_at(before, "BEFORE"), side_at(after, "AFTER")
    name = _product(product, fat, pruned) if vex_format is VexFormat.OPENVEX else ""
    links = None
    if vex_format is VexFormat.CYCLONEDX:
        from pruner.read.bomlinks import bom_links

        links = bom_links(_linked(sbom, before, fat))
    found = vex_statements(fat, pruned, read_report(vulns), files=files)
    stated, unlinked = found.statements, tuple[str, ...]()
    if links is not None:
        stated, unlinked = linkable(stated, links)
    for text in (*found.notes, *found.left_out, *unlinked):
        typer.echo(f"note: {printable(text)}", err=True)
    if not stated:
        raise NegativeAnswer(
            f"nothing can be stated: no vulnerability of {printable(vulns)} is shown to be gone",
            hint="statements are made of packages and named files that are gone altogether",
        )
    if links is not None:
        image = product or pruned.origin.get("name") or pruned.name
        typer.echo(cyclonedx_text(stated, links, image=image, epoch=epoch), nl=False)
        return
    stamp = int(time.time()) if epoch is None else epoch  # OpenVEX asks for a time
    typer.echo(openvex_text(stated, product=name, author=author, epoch=stamp), nl=False)


def _files(pairs: list[str]) -> dict[str, list[str]]:
    """Paths by vulnerability."""
    found: dict[str, list[str]] = {}
    for text in pairs:
        name, separator, path = text.partition("=")
        if not separator or not name or not path.startswith("/"):
            raise UsageError(
                f"--file {printable(text)}: not VULNERABILITY=PATH",
                hint="as in --file CVE-2024-1234=/usr/lib/libx.so.1",
            )
        found.setdefault(name, []).append(path)
    return found


def _format(text: str) -> VexFormat:
    if text not in set(VexFormat):
        raise UsageError(f"--format '{printable(text)}' is no kind of VEX", hint=f"choose {' or '.join(VexFormat)}")
    return VexFormat(text)


def _linked(sbom: str | None, before: str, fat: Side) -> str:
    """The SBOM of before that a CycloneDX document links to. Raises `UsageError` where none is given."""
    if sbom is None and fat.kind != "sbom":
        from pruner.gate.types import KINDS

        raise UsageError(
            f"--sbom is missing: {printable(before)} is {KINDS[fat.kind]}, and CycloneDX VEX links to an SBOM",
            hint="add --sbom with the CycloneDX SBOM of before, or choose --format openvex",
        )
    return sbom or before


def _product(product: str | None, fat: Side, pruned: Side) -> str:
    """What the statements are about: as given, else the image that the SBOM of after was made from.

    A plan names none: the name that it was made with is the fat image's, of which nothing of this is true.
    """
    from packageurl import PackageURL

    if product is not None:
        if not _IRI.fullmatch(product):
            raise UsageError(f"--product {printable(product)} is no IRI", hint="as in pkg:oci/app")
        return product
    digest, name = pruned.origin.get("digest", ""), _image_name(pruned)
    if not digest.startswith("sha256:") or not name:
        example = PackageURL(type="oci", name=(name or _image_name(fat) or "app").lower())
        raise UsageError(
            f"{printable(pruned.name)} names no image that statements could be about",
            hint=f"add --product {printable(str(example))}, by the name of the image that is built from it",
        )
    return str(PackageURL(type="oci", name=name.lower(), version=digest))


def _image_name(side: Side) -> str:
    """The last part of the name of the image that a side was made from; empty for a plan and a root."""
    if side.kind != "sbom":
        return ""
    return side.origin.get("name", "").rpartition("/")[2].partition(":")[0].partition("@")[0]
