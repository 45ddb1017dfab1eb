"""The report for a pull request's comment and a step summary, in GitHub's Markdown.

Whatever comes from an image stands in code spans (CommonMark 0.31, section 6.1), where nothing is markup, a mention,
a reference or a link; a word stands outside only where it can be none of these.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pruner.errors import printable
from pruner.gate.reports.wording import counts, fates, tally
from pruner.gate.types import Level

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pruner.gate.types import Comparison, Finding, Verdict
    from pruner.plan.types import Plan

MARKDOWN_LIMIT = 65_536
"""What a comment on GitHub may hold in characters; held in bytes of UTF-8, which are never fewer."""
_RESERVED = 300
_PLAIN = re.compile(
    r"\(?'?(?!(?i:gh-)|[0-9a-f]{7,64}\b)[A-Za-z0-9]+(?:[-'.][A-Za-z0-9]+)*'?[%)]?[,;:.]?|[-+][0-9]+%?\)?"
)
_SPAN = re.compile(r"`([^`]+)`([,;:.)]?)")
_TOKEN = re.compile(r"`[^`]+`[,;:.)]?(?!\S)|\S+")
_HOST = re.compile(r"[A-Za-z-]\.[A-Za-z]")
_TITLES = {Level.FAIL: "Failing", Level.WARN: "Warnings", Level.WAIVED: "Waived"}


def markdown_report(comparison: Comparison, verdict: Verdict, plan: Plan | None) -> str:
    """Markdown of at most `MARKDOWN_LIMIT` bytes; where it is cut, its last line says what is left out."""
    del plan  # findings carry their chains
    head = "\n".join(_head(comparison, verdict)) + "\n"
    room = MARKDOWN_LIMIT - _RESERVED - len(head.encode())
    blocks: list[str] = []
    shown = 0
    for is_finding, block in _body(comparison, verdict):
        room -= len(block.encode("utf-8", "backslashreplace"))
        if room < 0:
            left = len(verdict.findings) - shown
            blocks.append(f"\n_Cut here: {left} findings are left out; the other formats have all._\n")
            break
        shown += is_finding
        blocks.append(block)
    return head + "".join(blocks)


def code(text: str) -> str:
    """`text` as a code span on one line, whatever it holds."""
    shown = printable(text) or " "
    fence = "`" * (1 + max(map(len, re.findall(r"`+", shown)), default=0))
    pad = " " if shown[0] in "` " or shown[-1] in "` " else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def prose(text: str) -> str:
    """`text` with every word in a code span that may be more than a word; spans of its own stay spans."""
    return " ".join(_word(word) for word in _TOKEN.findall(printable(text)))


def _word(word: str) -> str:
    span = _SPAN.fullmatch(word)
    if span is not None:
        return code(span[1]) + span[2]
    return word if _PLAIN.fullmatch(word) and not _HOST.search(word) else code(word)


def _head(comparison: Comparison, verdict: Verdict) -> Iterator[str]:
    yield f"## Gate {'passed' if verdict.passed else 'failed'}: {tally(verdict.findings)}"
    yield ""
    yield f"{code(comparison.before.name[:200])} before, {code(comparison.after.name[:200])} after" + (
        f", held against {code(verdict.policy[:200])}" if verdict.policy else ""
    )
    yield ""
    yield "| | before | after | limit |"
    yield "| :-- | --: | --: | :-- |"
    for count in counts(comparison, verdict):
        before, after = count.shown()
        limit = count.limit and f"{count.limit}{'' if count.kept else ' **broken**'}"
        yield f"| {count.name} | {before} | {after} | {limit} |"
    if met := fates(comparison):
        yield ""
        yield f"Vulnerabilities: {met}"


def _body(comparison: Comparison, verdict: Verdict) -> Iterator[tuple[bool, str]]:
    """Blocks of whole lines, and whether each is a finding."""
    for level in Level:
        begun = False
        for finding in verdict.findings:
            if finding.level is level:
                if not begun:
                    yield False, f"\n### {_TITLES[level]}\n\n"
                begun = True
                yield True, _finding(finding)
    if comparison.notes:
        yield False, "\n### Notes\n\n"
    for note in comparison.notes:
        yield False, f"- {prose(note)}\n"


def _finding(finding: Finding) -> str:
    lines = [
        f"- **{finding.rule}** {prose(finding.what)}",
        f"  - where: {code(finding.where)}",
        f"  - why: {prose(finding.why)}",
        f"  - fix: {prose(finding.fix)}",
        *([f"  - policy: {code(finding.key)}"] if finding.key else []),
        *([f"  - waived: {prose(finding.waiver)}"] if finding.waiver else []),
        *([f"  - there because: {' → '.join(map(code, finding.chain))}"] if finding.chain else []),
    ]
    return "\n".join(lines) + "\n"
