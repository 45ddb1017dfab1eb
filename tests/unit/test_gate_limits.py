"""Limits and selectors where a side can't tell, or tells less than the other."""

from __future__ import annotations

from datetime import date

import pytest

from pruner.gate.compare import compare
from pruner.gate.compare.surface import surface_of
from pruner.gate.evaluate import evaluate
from pruner.gate.policy import policy_of
from pruner.gate.policy.starter import starter_policy
from pruner.gate.policy.types import Finding, Level, Verdict
from pruner.gate.reports.comparison import comparison_document
from pruner.gate.reports.listing import change_lines, table_rows
from pruner.gate.types import Binary, PackageKey, Side, SideFile, SideKind
from pruner.model import FileType
from tests.unit.sides import ELF, TOOL, link, made_side, package, regular

SYSTEM = frozenset({"deb", "apk", "rpm"})
CURL = PackageKey("deb", "debian", "curl", "amd64")
MS = PackageKey("npm", "", "ms", "")
TABLE_MB = 3


def judged(before: Side, after: Side, text: str) -> Verdict:
    policy = policy_of(f"version: 1\nvisibility: allow\n{text}")
    return evaluate(compare(before, after), policy, today=date(2026, 6, 1))


def failing(verdict: Verdict) -> list[Finding]:
    return [finding for finding in verdict.findings if finding.level is Level.FAIL]


def root(*keys: PackageKey, **fields: object) -> Side:
    return made_side([package(key) for key in keys], [regular("/x")], package_types=SYSTEM, **fields)


def sbom(*keys: PackageKey, **fields: object) -> Side:
    return made_side([package(key) for key in keys], [regular("/x")], kind=SideKind.SBOM, **fields)


@pytest.mark.parametrize("pattern", ["pkg:npm/ms", "pkg:*/ms", "pkg:n*/ms", "pkg:*/*"])
def test_a_root_can_not_tell_packages_without_a_database(pattern: str) -> None:
    """Its databases list system packages alone: that nothing else is there is not known, and so is no pass."""
    verdict = judged(root(TOOL), root(TOOL), f"forbid: ['{pattern}']\n")
    unknown = failing(verdict)[0]
    assert unknown.what == (f"'{pattern}' can't be looked for: the side after tells of apk, deb, rpm packages alone")
    assert "SBOM" in unknown.fix
    # An SBOM tells all.
    assert judged(sbom(TOOL), sbom(TOOL), "forbid: ['pkg:*/ms']\n").passed


@pytest.mark.parametrize(
    ("name", "side", "fix"),
    [
        ("library", sbom(TOOL, binaries={"/x": ELF}), "give --plan"),
        ("library", sbom(TOOL, complete=False), "with all files"),
        ("capability", made_side([package()], [regular("/x", capabilities=None)]), "SBOMs and plans record no file"),
        ("packages", root(), "give an SBOM"),
    ],
)
def test_what_would_tell(name: str, side: Side, fix: str) -> None:
    """What can't be counted is told by another input, and the one that the finding asks for is one that tells it."""
    for text in (f"limits: {{{name}: 0}}\n", *([] if name == "packages" else [f"forbid: [{name}]\n"])):
        (finding,) = failing(judged(side, side, text))
        assert finding.unknown
        assert fix in finding.fix


def test_a_limit_of_a_category_says_why_it_matters() -> None:
    """As the catalogue has it."""
    shell = made_side([package()], [regular("/bin/sh", 0o755)], binaries={"/bin/sh": ELF})
    (finding,) = failing(judged(root(TOOL), shell, "limits: {shell: 0}\n"))
    assert finding.why == "starts any other program, and turns one injected string into a session"


def test_what_a_root_does_tell() -> None:
    """A type that its databases list is answered; what is found is found, whatever else may be there."""
    assert judged(root(TOOL), root(TOOL), "forbid: ['pkg:deb/curl', 'pkg:rpm/*']\nrequire: ['pkg:*/tool']\n").passed
    found = failing(judged(root(TOOL), root(TOOL, CURL), "forbid: ['pkg:*/curl']\n"))
    assert [finding.where for finding in found] == ["forbid[0]", "pkg:deb/curl@1.0-1"]
    missing = failing(judged(root(TOOL), root(TOOL), "require: ['pkg:npm/ms']\n"))
    assert "can't be looked for" in missing[0].what


def test_a_root_without_packages_can_not_tell() -> None:
    """No database is not no packages; a plan that keeps none knows."""
    verdict = judged(root(TOOL), root(), "limits: {packages: 5}\nforbid: ['pkg:deb/curl']\n")
    assert [finding.rule for finding in failing(verdict)] == ["forbid", "limits.packages"]
    assert "lists no packages" in verdict.findings[0].what
    empty = root()
    assert "\n#  packages: 0\n" in starter_policy(empty, surface_of(empty))
    plan = made_side([], [regular("/x")], kind=SideKind.PLAN)
    assert judged(plan, plan, "limits: {packages: 0}\nforbid: ['pkg:deb/curl']\n").passed


def test_relative_limits_count_packages_that_both_tell() -> None:
    """An SBOM's npm packages are not gone because a root can't list them, nor new the other way round."""
    fat, thin = sbom(TOOL, MS), root(TOOL, CURL)
    (grown,) = judged(fat, thin, "limits: {packages: +0}\n").limits
    assert (grown.before, grown.after, grown.kept) == (1, 2, False)
    (shrunk,) = judged(thin, fat, "limits: {packages: +0}\n").limits
    assert (shrunk.before, shrunk.after, shrunk.kept) == (2, 1, True)
    (absolute,) = judged(thin, fat, "limits: {packages: 2}\n").limits
    assert (absolute.before, absolute.after) == (2, 2)


def test_hard_links_weigh_alike_on_both_sides() -> None:
    """A scan of a directory lists two names as two files: the root of the same image is no smaller than it."""
    names = [regular("/a", bytes=1_000_000), regular("/b", bytes=1_000_000)]
    linked = [names[0], regular("/b", bytes=1_000_000, hardlink="/a")]
    scanned = made_side([package()], names, kind=SideKind.SBOM)
    there = made_side([package()], linked)
    for before, after in ((scanned, there), (there, scanned)):
        for text in ("+0", "2"):
            (limit,) = judged(before, after, f"limits: {{megabytes: {text}}}\n").limits
            assert (limit.before, limit.after, limit.kept) == (2.0, 2.0, True)
        comparison = compare(before, after)
        assert table_rows(comparison)[TABLE_MB] == ("MB", "2.0", "2.0", "=")
        assert any("hard links" in note for note in comparison.notes)
        stated = comparison_document(comparison)
        assert (stated["before"]["bytes"], stated["after"]["bytes"]) == (2_000_000, 2_000_000)
    (same,) = judged(there, there, "limits: {megabytes: +0}\n").limits
    assert (same.before, same.after) == (1.0, 1.0)
    assert not any("hard links" in note for note in compare(there, there).notes)


def test_a_policy_started_from_a_root_fits_a_scan_of_it() -> None:
    """Every name of a hard link weighs, as it does where a scan lists two files; what each kind tells is said."""
    linked = [regular("/a", bytes=1_000_000), regular("/b", bytes=1_000_000, hardlink="/a")]
    there = made_side([package()], linked)
    scanned = made_side([package()], [linked[0], regular("/b", bytes=1_000_000)], kind=SideKind.SBOM)
    text = starter_policy(there, surface_of(there))
    assert "# Made from root, a root filesystem:" in text
    assert "  megabytes: 2.0  # every name of a hard link weighs; 1 where each file does once\n" in text
    for side in (there, scanned):
        assert evaluate(compare(side, side), policy_of(text), today=date(2026, 6, 1)).passed
    text = starter_policy(scanned, surface_of(scanned))
    assert "# Made from root, an SBOM:" in text
    assert "  megabytes: 2.0\n" in text


@pytest.mark.parametrize(
    ("limit", "count", "what"),
    [
        ("idle-library", 1, "1 idle library, more than the limit of 0"),
        ("idle-library", 2, "2 idle libraries, more than the limit of 0"),
        ("setgid", 2, "2 setgid files, more than the limit of 0"),
        ("shell", 1, "1 shell program, more than the limit of 0"),
        ("files", 1, "1 file, more than the limit of 0"),
    ],
)
def test_a_limit_names_what_it_counts(limit: str, count: int, what: str) -> None:
    """In the singular where it is one."""
    paths = {"idle-library": "/usr/lib/liba.so.", "shell": "/bin/sh", "setgid": "/s", "files": "/f"}
    names = [
        f"{paths[limit]}{number}" if count > 1 or limit == "idle-library" else paths[limit] for number in range(count)
    ]
    files = [regular(name, 0o2755 if limit == "setgid" else 0o755) for name in names]
    code = Binary(starts=limit == "shell", libraries=())
    side = made_side([package()], files, binaries=dict.fromkeys(names, code))
    (finding,) = judged(side, side, f"limits: {{{limit}: 0}}\n").findings
    assert finding.what.startswith(what)


def test_a_part_of_a_package_is_counted_in_regular_files() -> None:
    """A root lists a package's links and directories and an SBOM does not: one file less is one less, in JSON too."""
    here = SideFile(path="/d", type=FileType.DIRECTORY, mode=0o755)
    files = [regular("/d/a", owner=TOOL), regular("/d/b", owner=TOOL)]
    scanned = made_side([package(files=("/d/a", "/d/b"))], files, kind=SideKind.SBOM)
    there = made_side([package(files=("/d", "/d/a", "/d/l"))], [here, files[0], link("/d/l", "a")])
    comparison = compare(scanned, there)
    assert "  deb:tool 1.0-1: 2 -> 1 regular files" in list(change_lines(comparison))
    (change,) = comparison_document(comparison)["packages"]
    assert (change["before"]["files"], change["after"]["files"]) == (2, 1)


def test_devices_are_no_files() -> None:
    """A scan of a directory lists none: the root of the same image holds no more files than it."""
    null = SideFile(path="/dev/null", type=FileType.CHARACTER_DEVICE, mode=0o666)
    scanned = made_side([package()], [regular("/a")], kind=SideKind.SBOM)
    there = made_side([package()], [regular("/a"), null])
    (limit,) = judged(scanned, there, "limits: {files: +0}\n").limits
    assert (limit.before, limit.after, limit.kept) == (1, 1, True)


def test_a_size_that_is_missing_leaves_the_sum_unknown() -> None:
    """What is too low by an unknown amount keeps no limit."""
    side = made_side([package()], [regular("/a", bytes=5), regular("/b", bytes=None)], kind=SideKind.SBOM)
    (limit,) = judged(side, side, "limits: {megabytes: 1}\n").limits
    assert (limit.after, limit.kept) == (None, False)


def test_a_default_scan_passes_no_limit_on_what_it_does_not_list() -> None:
    """setuid and shells of no package are not listed with modes: a limit of none is not kept, a shell is named."""
    side = made_side([package()], [regular("/bin/sh", 0o755, owner=TOOL)], kind=SideKind.SBOM, complete=False)
    verdict = judged(side, side, "limits: {setuid: 0, executables: 9}\nforbid: [shell, transfer]\n")
    assert [finding.rule for finding in failing(verdict)] == [
        "forbid", "forbid", "forbid", "limits.executables", "limits.setuid"
    ]  # fmt: skip
    assert "/bin/sh" in {finding.where for finding in failing(verdict)}
    text = starter_policy(side, surface_of(side))
    assert "\n# Not recorded by what this was made from" in text
    assert "\n#  setuid: 0\n" in text
    assert "\n  - transfer" not in text


def rows(before: Side, after: Side) -> dict[str, tuple[str, ...]]:
    return {name: tuple(words) for name, *words in table_rows(compare(before, after))}


def test_the_table_compares_what_both_sides_tell() -> None:
    """Packages that a root can't know are no increase; without a database, or a whole listing, nothing is counted."""
    module = PackageKey("pypi", "", "six", "")
    same = rows(root(TOOL), sbom(TOOL, module))
    assert same["packages"] == ("1", "1", "=")
    assert rows(sbom(TOOL, module), sbom(TOOL, module))["packages"] == ("2", "2", "=")
    assert rows(root(), sbom(TOOL))["packages"] == ("unknown", "1", "")
    partial = made_side([package()], [regular("/x")], kind=SideKind.SBOM, complete=False)
    whole = made_side([package()], [regular("/x")], kind=SideKind.SBOM)
    assert rows(whole, partial)["files"] == ("1", "unknown", "")
