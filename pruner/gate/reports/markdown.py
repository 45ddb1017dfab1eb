"""The report for a pull request's comment and a step summary, in GitHub's Markdown.

Whatever comes from an image stands in code spans (CommonMark 0.31, section 6.1), where nothing is markup, a mention,
a reference or a link; a word stands outside only where it can be none of these.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pruner.errors import printable
from pruner.gate.policy.types import Level
from pruner.gate.reports.groups import grouped
from pruner.gate.reports.wording import TITLES, counts, fates, tally

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pruner.gate.policy.types import Finding, Verdict
    from pruner.gate.reports.groups import Group
    from pruner.gate.types import Comparison
    from pruner.plan.types import Plan

MARKDOWN_LIMIT = 65_536
"""What a comment on GitHub may hold in characters; held in bytes of UTF-8, which are never fewer."""
_RESERVED = 300
_SHOWN = (100, 50, 20, 10, 5, 2, 1)
"""Findings of one key of the policy: the first number by which all keys fit."""
_UNFOLDED = 5
_PLAIN = re.compile(r"\(?'?(?!(?i:gh-)|[0-9a-f]{7,64}\b)[A-Za-z0-9]+(?:[-'.][A-Za-z0-9]+)*'?[%)]?|\(?[-+][0-9]+%?\)?")
_NUMBER = re.compile(r"\(?[0-9]+(?:[.][0-9]+)?%?\)?|\D.*", re.DOTALL)
"""What begins with a digit is a number or a version: some versions could be nothing but words, and others not."""
_AROUND = re.compile(r"(\(?)(.*?)([,;:.?!]*)", re.DOTALL)
_SPAN = re.compile(r"`([^`]+)`([,;:.)]?)")
_TOKEN = re.compile(r"`[^`]+`[,;:.)]?(?!\S)|\S+")
_HOST = re.compile(r"[A-Za-z-]\.[A-Za-z]")


def markdown_report(comparison: Comparison, verdict: Verdict, plan: Plan | None) -> str:
    """Markdown of at most `MARKDOWN_LIMIT` bytes.

    Each key of the policy that has findings is named with as many of them as there is room for; only where not even
    one of each fits, the last line says what is left out.
    """
    del plan  # findings carry their chains
    head = "\n".join(_head(comparison, verdict)) + "\n"
    room = MARKDOWN_LIMIT - _RESERVED - len(head.encode())
    groups = grouped(verdict)
    for shown in _SHOWN:
        body = "".join(_body(groups, comparison, shown))
        if len(body.encode()) <= room:
            return head + body
    return head + _cut(_body(groups, comparison, 1), room)


def _cut(blocks: Iterator[str], room: int) -> str:
    """The first `blocks` that fit into `room` bytes."""
    kept = []
    for block in blocks:
        room -= len(block.encode())
        if room < 0:
            break
        kept.append(block)
    return "".join(kept) + "\n_Cut here: the rest has no room; json, sarif and junit have all findings._\n"


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
    before, bare, after = _around(word)
    if not bare or (_PLAIN.fullmatch(bare) and _NUMBER.fullmatch(bare) and not _HOST.search(bare)):
        return word
    return before + code(bare) + after


def _around(word: str) -> tuple[str, str, str]:
    """A word, and the punctuation of the sentence before and after it."""
    found = _AROUND.fullmatch(word)
    before, bare, after = found.groups() if found is not None else ("", word, "")
    if bare.endswith(")") and "(" not in bare:
        bare, after = bare[:-1], f"){after}"
    elif before and not after.startswith(")") and ")" in bare:
        before, bare = "", before + bare
    return before, bare, after


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


def _body(groups: Sequence[Group], comparison: Comparison, shown: int) -> Iterator[str]:
    """Blocks of whole lines, with up to `shown` findings of each group."""
    for level in Level:
        of_level = [group for group in groups if group.level is level]
        if of_level:
            yield f"\n### {TITLES[level]}\n"
        for group in of_level:
            yield _one(group) if len(group.findings) == 1 else _several(group, shown)
    if comparison.notes:
        yield "\n### Notes\n\n"
    for note in comparison.notes:
        yield f"- {prose(note)}\n"


def _one(group: Group) -> str:
    (finding,) = group.findings
    lines = [
        f"\n**{finding.rule}**: {prose(finding.what)}",
        "",
        f"- where: {code(finding.where)}",
        *(_field(name, text) for name, text in group.common()),
        *_chain(finding),
    ]
    return "\n".join(lines) + "\n"


def _several(group: Group, shown: int) -> str:
    """What the findings have in common, and the first of them, folded where they are many."""
    lines = [f"\n{_name(group)}: {len(group.findings)} findings", ""]
    lines += [_field(name, text) for name, text in group.common()]
    fold = len(group.findings) > _UNFOLDED
    lines += ["", f"<details><summary>{len(group.findings)} findings</summary>", ""] if fold else ["- what:"]
    indent = "" if fold else "  "
    for finding in group.findings[:shown]:
        lines.append(f"{indent}- {prose(finding.what)}")
        lines += [f"{indent}  {_field(name, text)}" for name, text in group.own(finding)]
        lines += [f"{indent}  {line}" for line in _chain(finding)]
    if len(group.findings) > shown:
        lines.append(f"{indent}- _and {len(group.findings) - shown} more, which json, sarif and junit have_")
    if fold:
        lines += ["", "</details>"]
    return "\n".join(lines) + "\n"


def _name(group: Group) -> str:
    return f"**{group.rule}**{f' {code(group.asked)}' if group.asked else ''}"


def _field(name: str, text: str) -> str:
    return f"- {name}: {code(text) if name in {'where', 'policy'} else prose(text)}"


def _chain(finding: Finding) -> list[str]:
    return [f"- there because: {' → '.join(map(code, finding.chain))}"] if finding.chain else []
