"""`summary.md`: what the plan saves, what is largest and why it is there, and what is not known."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

from pruner.emit.artifact import Artifact
from pruner.emit.dockerfile import dockerfile_omissions
from pruner.errors import printable
from pruner.model import FileType
from pruner.plan import Decision, FilePlan, Plan

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_LARGEST = 15
_UNKNOWNS = 200
_ALIKE = 5
"""Unknowns of one kind and wording that get a row each; more of them are one row and a list."""

_ROWS = (
    ("packages", "packages"),
    ("files", "files"),
    ("MB", "bytes"),
    ("setuid files", "setuid_files"),
    ("shells", "shells"),
    ("interpreters", "interpreters"),
    ("package managers", "package_managers"),
)


def summary_rows(plan: Plan) -> tuple[tuple[str, str, str], ...]:
    """Label, before and after of the summary table; sizes in MB (10⁶ bytes) with one decimal."""
    return tuple(
        (label, _cell(key, getattr(plan.before, key)), _cell(key, getattr(plan.after, key))) for label, key in _ROWS
    )


def summary_artifact(plan: Plan, *, image: str | None) -> Artifact:
    """`summary.md` of `plan`. Names are shown as text, whatever Markdown or a terminal makes of them."""
    lines = [
        f"# {_text(image or 'Pruned image')}",
        "",
        f"Profile {_code(plan.profile)}, "
        + ("from the root filesystem." if plan.mode == "root" else "from the SBOM alone."),
        "",
        *_section("Entry points", [_code(entry) for entry in plan.entries]),
        "## Before and after",
        "",
        *_table(("", "before", "after"), summary_rows(plan), numeric=(1, 2)),
        "",
        *_largest(plan),
        *_options(plan),
        *_section("Capabilities", [_code(capability) for capability in plan.capabilities]),
        *_unknowns(plan),
        *_section("What the input lacks", [_text(sentence) for sentence in plan.lacks]),
        *_section(
            "What the Dockerfile leaves out",
            [_text(what) for what in dockerfile_omissions(plan.image)] if plan.image else [],
        ),
    ]
    return Artifact(path="summary.md", data=("\n".join(lines).rstrip("\n") + "\n").encode())


def _largest(plan: Plan) -> Iterator[str]:
    packages = [package for package in plan.packages if package.decision is not Decision.DROP and package.kept_bytes]
    packages.sort(key=lambda package: (-package.kept_bytes, package.purl))
    rows = [
        (
            _code(package.name),
            package.decision.value,
            _megabytes(package.kept_bytes),
            _megabytes(package.bytes),
            _text(package.reason),
        )
        for package in packages[:_LARGEST]
    ]
    if rows:
        yield from ("## Largest kept packages", "")
        yield from _table(("package", "", "MB kept", "of", "reason"), rows, numeric=(2, 3))
        yield ""
    files = [file for file in plan.files if _is_kept_inode(file)]
    files.sort(key=lambda file: (-file.bytes, file.path))
    listed = [(_code(file.path), _megabytes(file.bytes), _text(file.reason)) for file in files[:_LARGEST] if file.bytes]
    if listed:
        yield from ("## Largest kept files", "")
        yield from _table(("file", "MB", "reason"), listed, numeric=(1,))
        yield ""


def _is_kept_inode(file: FilePlan) -> bool:
    return file.decision is not Decision.DROP and file.type is FileType.REGULAR and file.hardlink is None


def _options(plan: Plan) -> Iterator[str]:
    telling = [option for option in plan.optional if option.files]
    options = sorted(telling, key=lambda option: (-option.bytes, option.name))[:_LARGEST]
    if options:
        yield from (
            "## Options",
            "",
            "What refusing an accepted one saves, or accepting a refused one adds at the least.",
            "",
        )
        rows = [
            (
                _code(option.name),
                "accepted" if option.accepted else "refused",
                _megabytes(option.bytes),
                _text(option.why),
            )
            for option in options
        ]
        yield from _table(("option", "", "MB", "why"), rows, numeric=(2,))
        yield ""


def _unknowns(plan: Plan) -> Iterator[str]:
    yield from ("## Unknowns", "")
    if not plan.unknowns:
        yield from ("None.", "")
        return
    alike: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for unknown in plan.unknowns[:_UNKNOWNS]:
        alike[unknown.kind, unknown.detail].append(unknown.subject)
    rows = []
    for (kind, detail), subjects in alike.items():
        if len(subjects) > _ALIKE:
            rows.append((_text(kind), f"{len(subjects)} places, listed below", _text(detail)))
        else:
            rows += [(_text(kind), _code(subject), _text(detail)) for subject in subjects]
    yield from _table(("kind", "where", "what is not known"), rows)
    if more := len(plan.unknowns) - sum(map(len, alike.values())):
        yield from ("", f"{more} more are in `plan.json`.")
    for (kind, detail), subjects in alike.items():
        if len(subjects) > _ALIKE:
            yield from ("", f"{_text(kind)}: {_text(detail)}", "", *(f"- {_code(subject)}" for subject in subjects))
    yield ""


def _section(title: str, items: Sequence[str]) -> Iterator[str]:
    if items:
        yield from (f"## {title}", "", *(f"- {item}" for item in items), "")


def _table(header: Sequence[str], rows: Iterable[Sequence[str]], numeric: Sequence[int] = ()) -> Iterator[str]:
    rules = ["---:" if index in numeric else "---" for index in range(len(header))]
    for row in (header, rules, *rows):
        yield f"| {' | '.join(row)} |"


def _cell(key: str, value: int) -> str:
    return _megabytes(value) if key == "bytes" else str(value)


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f}"


def _text(text: str) -> str:
    """`text` with everything escaped that Markdown (CommonMark 2.4, and the bar of tables) or HTML gives a meaning."""
    return re.sub(r"([\\`*_{}\[\]<>()#+!|~&$-])", r"\\\1", printable(text))


def _code(text: str) -> str:
    """`text` as a code span, in which a table still splits at bars: those become escapes, as GitHub reads them."""
    shown = printable(text).replace("|", "\\|")
    fence = "`" * (max((len(run) for run in re.findall("`+", shown)), default=0) + 1)
    padding = " " if "`" in shown or shown != shown.strip() else ""
    return f"{fence}{padding}{shown or ' '}{padding}{fence}"
