"""What a policy file may say, and what is wrong with one."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import jsonschema
import pytest
import yaml

from pruner.errors import InputError
from pruner.gate.policy import policy_of, read_policy
from pruner.gate.policy.licenses import LicensePolicy, license_faults, stated_licenses
from pruner.gate.policy.schema import policy_schema
from pruner.gate.policy.types import Level, Limit, Selector

FULL = """\
version: 1
limits:
  packages: 40
  files: +0
  megabytes: 12.5
  setuid: -2
  executables: -10%
  shell: 0
forbid:
  - pkg:deb/debian/curl*
  - /root/**
  - match: shell
    reason: nothing here is scripted
require: /etc/ssl/certs/ca-certificates.crt
vulnerabilities:
  new: high
  unrated: allow
  unseen: warn
licenses:
  allow: [MIT, Apache-2.0, GPL-2.0-or-later WITH Classpath-exception-2.0]
  deny:
    - GPL-3.0-*
  unknown: fail
visibility: warn
conformity: allow
waivers:
  - rule: vulnerabilities.new
    where: CVE-2024-1000
    reason: not reachable
    owner: platform team
    expires: 2027-01-31
"""


def test_everything_that_a_policy_may_say() -> None:
    """Every section is read into its value, with the lines for messages."""
    policy = policy_of(FULL)
    limits = {limit.name: (limit.number, limit.relative, limit.percent) for limit in policy.limits}
    assert limits == {
        "packages": (40, False, False),
        "files": (0, True, False),
        "megabytes": (12.5, False, False),
        "setuid": (-2, True, False),
        "executables": (-10, True, True),
        "shell": (0, False, False),
    }
    kinds = [(selector.kind, selector.reason) for selector in policy.forbid]
    assert kinds == [("package", ""), ("path", ""), ("category", "nothing here is scripted")]
    path = "/etc/ssl/certs/ca-certificates.crt"
    assert policy.require == (Selector(kind="path", pattern=path, line=14, place="require"),)
    assert (policy.new, policy.unrated, policy.unseen) == ("high", None, Level.WARN)
    assert policy.licenses is not None
    assert (policy.licenses.deny, policy.licenses.unknown) == (("GPL-3.0-*",), Level.FAIL)
    assert (policy.visibility, policy.conformity) == (Level.WARN, None)
    (waiver,) = policy.waivers
    assert (waiver.expires, waiver.text) == (date(2027, 1, 31), "not reachable (platform team, until 2027-01-31)")
    assert policy.key("limits.files") == "policy.yaml:4 limits.files"
    assert policy.key("vulnerabilities.unseen") == "policy.yaml:18 vulnerabilities.unseen"


def test_what_an_empty_policy_demands() -> None:
    """Nothing but that scanners aren't blinded and the plan is kept to."""
    policy = policy_of("version: 1\n")
    assert (policy.limits, policy.forbid, policy.new, policy.licenses) == ((), (), None, None)
    assert (policy.visibility, policy.conformity, policy.unseen) == (Level.FAIL, Level.FAIL, Level.FAIL)
    assert policy.key("visibility") == "policy.yaml visibility"


@pytest.mark.parametrize(
    ("text", "before", "allowed"),
    [("40", None, 40), ("0", 7, 0), ("+0", 7, 7), ("+5", 7, 12), ("-2", 7, 5), ("-10%", 50, 45), ("+50%", 3, 4),
     ("'+1'", 7, 8), ("+0", None, None), ("1e3", 7, 1000)],
)  # fmt: skip
def test_limits(text: str, before: float | None, allowed: float | None) -> None:
    """A plain number is absolute, a signed one relative, also where YAML would read `+0` as `0`; there is no half file."""
    (limit,) = policy_of(f"version: 1\nlimits: {{files: {text}}}\n").limits
    assert limit.allowed(before) == (None if allowed is None else pytest.approx(allowed))


def test_a_limit_of_its_own_line() -> None:
    """A limit knows where it stands."""
    (limit,) = policy_of("version: 1\nlimits:\n  files: 3\n").limits
    assert limit == Limit(name="files", text="3", number=3, relative=False, percent=False, line=3)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("version: 1\nlimts: {}\n", ":2: limts: not a known key, did you mean limits?"),
        ("version: 1\nlimits:\n  pakages: 3\n", ":3: limits.pakages: not a known key, did you mean packages?"),
        ("version: 1\nlimits: {files: many}\n", ":2: limits.files: 'many' is no limit"),
        ("version: 1\nlimits: {files: 10%}\n", ":2: limits.files: '10%' is no limit"),
        ("version: 1\nlimits: {files: [3]}\n", ":2: limits.files: expected a number, got a list"),
        ("version: 1\nlimits: {files: ~}\n", ":2: limits.files: '~' is no limit"),
        ("version: 1\nlimits: 3\n", ":2: limits: expected a mapping, got the number 3"),
        ("version: 1\nforbid: [shel]\n", ":2: forbid[0]: 'shel' is neither a purl (pkg:*/shel), a path (/**/shel) nor a category, did you mean shell?"),
        ("version: 1\nforbid: ['pkg:curl']\n", ":2: forbid[0]: 'pkg:curl' is no glob of purls"),
        ("version: 1\nforbid: [/a/../b]\n", ":2: forbid[0]: has a '.' or '..' component"),
        ("version: 1\nforbid: [/*/*/*/*/*/*/*/*/*]\n", "has more than 8 wildcards"),
        ("version: 1\nforbid: ['/[z-a]']\n", ":2: forbid[0]: has a [ ] that stands for no characters"),
        ("version: 1\nforbid: ['/[]']\n", ":2: forbid[0]: has a [ ] that stands for no characters"),
        ("version: 1\nforbid: [bash]\n", "'bash' is neither a purl (pkg:*/bash), a path (/**/bash) nor a category"),
        ("version: 1\nforbid: ['a b']\n", "'a b' is neither a purl (pkg:*/NAME), a path (/**/NAME) nor a category"),
        ("version: 1\nlimits: {files: .5}\n", "limits.files: '.5' is no limit"),
        ("version: 1\nlimits: {files: true}\n", "limits.files: 'true' is no limit"),
        ("version: 1\nlimits: {files: 1e999}\n", "limits.files: '1e999' is no limit"),
        ("version: true\n", ":1: version: expected 1, got true or false"),
        ("version: 1\nforbid: [{reason: x}]\n", ":2: forbid[0]: expected text, got nothing"),
        ("version: 1\nrequire: [{mach: x}]\n", "require[0].mach: not a known key, did you mean match?"),
        ("version: 1\nvulnerabilities: {new: hihg}\n", ":2: vulnerabilities.new: 'hihg' is no severity, did you mean high?"),
        ("version: 1\nvulnerabilities: {unseen: fial}\n", "vulnerabilities.unseen: 'fial' is no level, did you mean fail?"),
        ("version: 1\nvisibility: true\n", ":2: visibility: 'true' is no level, expected one of fail, warn, allow"),
        ("version: 1\nconformity: [fail]\n", ":2: conformity: expected one of fail, warn, allow, got a list"),
        ("version: 1\nvulnerabilities: {new: [high]}\n", "new: expected one of critical, high, medium, low, negligible, allow, got a list"),
        ("version: 1\nlicenses: {allow: [Apache2.0]}\n", "licenses.allow[0]: 'Apache2.0' is no SPDX license, did you mean Apache-2.0?"),
        ("version: 1\nlicenses: {deny: ['((']}\n", "licenses.deny[0]: '((' is no SPDX license"),
        ("version: 1\nlicenses: {deny: [MIT OR ISC]}\n", "is an expression of several licenses"),
        ("version: 2\n", ":1: version: expected 1, got the number 2"),
        ("limits: {}\n", ":1: version: expected 1, got nothing"),
        ("[]\n", ":1: expected a mapping, got a list"),
        ("", ":1: expected a mapping, got nothing"),
        ("version: 1\nversion: 1\n", ":2: duplicate key 'version'"),
        ("version: [\n", "not valid YAML"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_policy(text: str, expected: str) -> None:
    """A malformed policy is an error that names file, line and key, and for a typo the nearest key."""
    with pytest.raises(InputError) as raised:
        policy_of(text)
    assert expected in raised.value.fact
    assert raised.value.fact.startswith("policy.yaml:")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("expires: 2027-01-31\n", ":4: waivers[0].expires: is missing, write "),
        ("owner: platform\n", ":4: waivers[0].owner: is missing, write "),
        ("reason: because\n", ":4: waivers[0].reason: is missing, write "),
        ("rule: limits\n", ":4: waivers[0].rule: is missing, write "),
    ],
)
def test_a_waiver_needs_reason_owner_and_expiry(change: str, expected: str) -> None:
    """A waiver without an end, an owner or a reason is an error."""
    lines = ["rule: limits\n", "reason: because\n", "owner: platform\n", "expires: 2027-01-31\n"]
    text = "version: 1\nwaivers:\n  -\n" + "".join(f"    {line}" for line in lines if line != change)
    with pytest.raises(InputError) as raised:
        policy_of(text)
    assert expected in raised.value.fact


@pytest.mark.parametrize(
    ("value", "got"), [("~", "nothing"), ("''", "an empty text"), ("' '", "blanks"), ("3", "the number 3")]
)
def test_an_owner_that_is_none(value: str, got: str) -> None:
    """What stands where a text belongs is named."""
    with pytest.raises(InputError, match=f"waivers.owner: expected text, got {got}"):
        policy_of(f"version: 1\nwaivers: {{rule: limits.files, reason: a, owner: {value}, expires: 2030-01-01}}\n")


@pytest.mark.parametrize("text", ["2027-13-01", "soon", "2027-1-1", "20270101", "never", "2027-W01-1"])
def test_an_expiry_that_is_no_date(text: str) -> None:
    """An expiry is a day."""
    with pytest.raises(InputError, match=f"waivers.expires: '{text}' is no date"):
        policy_of(f"version: 1\nwaivers: {{rule: forbid, reason: a, owner: b, expires: '{text}'}}\n")


def test_a_waiver_of_an_unknown_rule() -> None:
    """A rule's name is checked as keys are."""
    with pytest.raises(InputError, match=r"'limits\.setid' is no rule, did you mean limits\.set[ug]id"):
        policy_of("version: 1\nwaivers: {rule: limits.setid, reason: a, owner: b, expires: 2027-01-01}\n")


def test_everything_wrong_is_reported_together() -> None:
    """One run names every fault, in the order of lines."""
    with pytest.raises(InputError) as raised:
        policy_of("version: 1\nvisibility: x\nforbid: [x]\n")
    assert raised.value.fact.index(":2: visibility") < raised.value.fact.index("line 3: forbid")


def test_terminal_escapes_in_a_policy_are_shown_escaped() -> None:
    """What a policy holds can't move the cursor."""
    with pytest.raises(InputError) as raised:
        policy_of('version: 1\n"\\e[31mred": 1\nforbid: ["\\e[2J"]\n')
    assert raised.value.fact.isprintable()


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """A missing file is named."""
    with pytest.raises(InputError, match=r"none\.yaml: can't be read"):
        read_policy(tmp_path / "none.yaml")


def test_the_schema_agrees() -> None:
    """What the reader takes the schema takes, and a typo it takes not."""
    schema = policy_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    document = yaml.load(FULL, Loader=yaml.BaseLoader)
    document["version"] = 1
    jsonschema.validate(document, schema)
    for wrong in ({"version": 1, "limts": {}}, {"version": 1, "limits": {"pakages": 1}}, {"version": 1, "forbid": ["x"]},
                  {"version": 1, "waivers": [{"rule": "forbid", "reason": "a", "owner": "b"}]}, {}):  # fmt: skip
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema)


def test_the_schema_states_what_holds_by_default() -> None:
    """Each level has the default that the reader takes where a key is left out."""
    properties = policy_schema()["properties"]
    policy = policy_of("version: 1\nlicenses: {deny: MIT}\n")
    assert policy.licenses is not None
    vulnerabilities = properties["vulnerabilities"]["anyOf"][0]["properties"]
    assert properties["visibility"]["default"] == policy.visibility
    assert properties["conformity"]["default"] == policy.conformity
    for key in ("unseen", "unrated", "database"):
        assert vulnerabilities[key]["default"] == getattr(policy, key)
    assert properties["licenses"]["anyOf"][0]["properties"]["unknown"]["default"] == policy.licenses.unknown
    assert "Where it is left out" in vulnerabilities["new"]["description"]


@pytest.mark.parametrize(
    ("licenses", "allow", "deny", "refused"),
    [
        (["MIT"], ["MIT"], [], []),
        (["mit"], ["MIT"], [], []),
        (["GPL-3.0-only OR MIT"], [], ["GPL-3.0-*"], []),
        (["GPL-3.0-only AND MIT"], [], ["GPL-3.0-*"], ["GPL-3.0-only"]),
        (["MIT", "GPL-3.0-or-later"], [], ["GPL-3.0-*"], ["GPL-3.0-or-later"]),
        (["GPL-3.0-or-later WITH GCC-exception-3.1"], [], ["GPL-3.0-*"], ["GPL-3.0-or-later WITH GCC-exception-3.1"]),
        (
            ["GPL-3.0-or-later WITH GCC-exception-3.1"],
            ["GPL-3.0-or-later WITH GCC-exception-3.1"],
            ["GPL-3.0-or-*er"],
            [],
        ),
        (["ISC"], ["MIT", "Apache-2.0"], [], ["ISC"]),
        (["BSD-3-Clause OR (ISC AND Zlib)"], ["ISC", "Zlib"], [], []),
        (["LicenseRef-public-domain"], ["public-domain"], [], []),
        (["public-domain"], ["LicenseRef-public-domain"], [], []),
        (["LicenseRef-MIT"], ["MIT"], [], ["LicenseRef-MIT"]),
        (["public-domain"], ["LicenseRef-*"], [], ["public-domain"]),
    ],
)
def test_licenses(licenses: list[str], allow: list[str], deny: list[str], refused: list[str]) -> None:
    """OR is a choice, AND and several statements are not, and an exception outweighs the license alone."""
    faults = license_faults(licenses, LicensePolicy(allow=tuple(allow), deny=tuple(deny)))
    assert [name for fault in faults for name in fault.licenses] == refused


@pytest.mark.parametrize("license_", ["GPL", "LGPL", "LicenseRef-x", "MIT AND Foo"])
def test_a_license_that_may_be_a_denied_one_is_unknown(license_: str) -> None:
    """A name without a version stands for any of them, and a word of somebody's own for anything."""
    (fault,) = license_faults([license_], LicensePolicy(deny=("GPL-3.0-*", "LGPL-3.0-*")))
    assert (fault.licenses, bool(fault.unknown)) == ((), True)


@pytest.mark.parametrize(("license_", "denied"), [("GPL-2.0-only", True), ("ISC", False), ("MIT AND ISC", False)])
def test_whether_deny_or_allow_refuses_a_license(license_: str, denied: bool) -> None:
    """A fault tells which of the two lists it is about."""
    (fault,) = license_faults([license_], LicensePolicy(allow=("MIT", "GPL-*"), deny=("GPL-2.0-only",)))
    assert fault.denied is denied


def test_words_that_say_that_no_license_is_stated() -> None:
    """SPDX and Python's metadata have words for nothing."""
    assert stated_licenses(["NOASSERTION", "NONE", "UNKNOWN", "", " ", "MIT"]) == ("MIT",)


@pytest.mark.parametrize("license_", ["GPL-3.0-olny", "Apache-2.O", "AGPL-3.0-onl WITH x"])
def test_a_slip_in_a_denied_license(license_: str) -> None:
    """What would match nothing without a word is refused, with the nearest identifier."""
    with pytest.raises(InputError, match=r":2: licenses\.deny\[0\]: '.*' is no SPDX license, did you mean [AG]"):
        policy_of(f"version: 1\nlicenses: {{deny: ['{license_}']}}\n")


@pytest.mark.parametrize("license_", ["LGPL", "public-domain", "BSD-3-clause-PADL", "GPL-3.0-oln[y]", "GPL-3+", "GPL"])
def test_words_that_may_be_denied(license_: str) -> None:
    """Names that SPDX does not know, Debian's own and globs are taken as they stand."""
    policy = policy_of(f"version: 1\nlicenses: {{deny: ['{license_}']}}\n")
    assert policy.licenses is not None
    assert policy.licenses.deny == (license_,)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "forbid: [shell, compiler]\nrequire: [compiler]\n",
            ":3: require[0]: 'compiler' is forbidden as well (line 2), so that nothing passes",
        ),
        ("licenses: {deny: [Apache2]}\n", "'Apache2' is no SPDX license, did you mean Apache-2.0?"),
    ],
)
def test_what_can_never_pass_or_judge(text: str, expected: str) -> None:
    """A policy that contradicts itself, or names what nothing is called, is not sound."""
    with pytest.raises(InputError) as caught:
        policy_of(f"version: 1\n{text}")
    assert expected in str(caught.value)


@pytest.mark.parametrize("rule", ["forbid", "limits", "limits.compiler"])
def test_a_waiver_of_a_category(rule: str) -> None:
    """No finding is in a category, so that the waiver would cover nothing; an image may have the name of one."""
    text = "version: 1\nwaivers: [{{rule: {}, where: compiler, reason: a, owner: b, expires: 2030-01-01}}]\n"
    with pytest.raises(InputError, match=r":2: waivers\[0\]\.where: 'compiler' is a category"):
        policy_of(text.format(rule))
    assert policy_of(text.format("licenses")).waivers[0].where == "compiler"


def test_a_version_of_the_gnu_license_in_few_letters() -> None:
    """`GPLv3` is understood as the identifier that it stands for."""
    policy = policy_of("version: 1\nlicenses: {deny: [GPLv3]}\n").licenses
    assert policy is not None
    assert [bool(license_faults([name], policy)) for name in ("GPL-3.0-only", "GPL-3", "MIT")] == [True, True, False]


def test_a_license_text_that_is_no_expression() -> None:
    """What can't be parsed is a fault without licenses."""
    (fault,) = license_faults(
        [
            "GPL ((",
        ],
        LicensePolicy(),
    )
    assert (fault.text, fault.licenses) == ("GPL ((", ())


# -- waivers that hide too much, keys that would be ignored -----------------------------------------------------------

WAIVER = "version: 1\nwaivers: {{rule: {rule}, {where}reason: a, owner: b, expires: 2027-01-01}}\n"


@pytest.mark.parametrize(
    ("rule", "where", "expected"),
    [
        ("forbid", "", "waivers.where: is missing, so everything that forbid finds would be waived"),
        ("limits", "", "waivers.where: is missing"),
        ("vulnerabilities.new", "", "waivers.where: is missing"),
        ("visibility", "where: '**', ", "waivers.where: '**' names everything"),
        ("forbid", "where: /a/../b, ", "waivers.where: has a '.' or '..' component"),
    ],
)
def test_a_waiver_names_what_it_is_about(rule: str, where: str, expected: str) -> None:
    """Only a limit is named by its rule: of any other rule a waiver would hide what nobody has seen yet."""
    text = WAIVER.format(rule=rule, where=where)
    with pytest.raises(InputError) as raised:
        policy_of(text)
    assert expected in raised.value.fact
    if ".." not in where:  # patterns of paths are checked by the reader alone
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(_plain(text), policy_schema())


def _plain(text: str) -> dict[str, object]:
    document = yaml.load(text, Loader=yaml.BaseLoader)
    return {**document, "version": 1, **({"waivers": [document["waivers"]]} if "waivers" in document else {})}


@pytest.mark.parametrize(("rule", "where"), [("limits.files", ""), ("forbid", "where: /usr/bin/*, ")])
def test_a_waiver_that_names_it(rule: str, where: str) -> None:
    """A limit needs no more than its name; the schema agrees."""
    text = WAIVER.format(rule=rule, where=where)
    assert len(policy_of(text).waivers) == 1
    jsonschema.validate(_plain(text), policy_schema())


@pytest.mark.parametrize("key", ["allow", "deny"])
def test_a_list_of_no_licenses(key: str) -> None:
    """An empty list would allow everything where the writer may mean nothing: it is refused."""
    text = f"version: 1\nlicenses: {{{key}: []}}\n"
    with pytest.raises(InputError, match=f"licenses.{key}: names no license"):
        policy_of(text)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(_plain(text), policy_schema())


@pytest.mark.parametrize(
    ("text", "invisible", "unknown"),
    [
        ("", Level.FAIL, Level.WARN),
        ("visibility: warn\n", Level.WARN, Level.WARN),
        ("visibility: allow\n", None, None),
        ("visibility: {unknown: fail}\n", Level.FAIL, Level.FAIL),
        ("visibility: {invisible: warn, unknown: allow}\n", Level.WARN, None),
    ],
)
def test_levels_of_visibility(text: str, invisible: Level | None, unknown: Level | None) -> None:
    """One level for all, where what can't be told only warns, or one for each."""
    policy = policy_of(f"version: 1\n{text}")
    assert (policy.visibility, policy.untold) == (invisible, unknown)
    jsonschema.validate(_plain(f"version: 1\n{text}"), policy_schema())


def test_a_level_of_the_database() -> None:
    """A finding that another database no longer has warns unless the policy says otherwise."""
    assert policy_of("version: 1\n").database is Level.WARN
    text = "version: 1\nvulnerabilities: {database: fail}\n"
    assert policy_of(text).database is Level.FAIL
    jsonschema.validate(_plain(text), policy_schema())
    with pytest.raises(InputError, match=r"vulnerabilities\.databse: not a known key, did you mean database"):
        policy_of("version: 1\nvulnerabilities: {databse: fail}\n")


@pytest.mark.parametrize("deny", ["AGPL-3.0-*", "AGPL-3.0", "AGPL-3", "AGPL-3+"])
@pytest.mark.parametrize(
    "license_", ["AGPL-3.0", "AGPL-3", "AGPL-3+", "AGPL-3.0+", "agpl-3.0-or-later", "AGPL-3.0-only", "AGPLv3"]
)
def test_other_spellings_of_a_license(deny: str, license_: str) -> None:
    """Deprecated identifiers, Debian's and rpm's names are the licenses that they stand for."""
    (fault,) = license_faults([license_], LicensePolicy(deny=(deny, "AGPL-3.0-*")))
    assert fault.licenses == (license_,)
    later = license_.endswith(("+", "-or-later"))
    if "*" not in deny:
        assert bool(license_faults([license_], LicensePolicy(deny=(deny,)))) is (later == deny.endswith("+"))


def test_a_name_of_debian_is_allowed_under_the_one_of_spdx() -> None:
    """`Expat` is MIT, `GPL-2+` is GPL-2.0-or-later."""
    assert license_faults(["Expat", "GPL-2+"], LicensePolicy(allow=("MIT", "GPL-2.0-or-later"))) == ()


@pytest.mark.parametrize(
    ("text", "refused", "unknown"),
    [
        ("public-domain", (), ("public-domain",)),
        ("MIT AND public-domain", (), ("public-domain",)),
        ("MIT OR public-domain", None, None),
        ("AGPL-3.0-only AND public-domain", ("AGPL-3.0-only",), ()),
        ("LicenseRef-ours", (), ("LicenseRef-ours",)),
        ("ours-1.0", ("ours-1.0",), ()),
    ],
)
def test_words_that_spdx_does_not_know(
    text: str, refused: tuple[str, ...] | None, unknown: tuple[str, ...] | None
) -> None:
    """Where only some licenses are denied such a word may stand for one of them: it is unknown, not allowed."""
    faults = license_faults([text], LicensePolicy(deny=("AGPL-3.0-*", "ours-*")))
    assert [(fault.licenses, fault.unknown) for fault in faults] == ([] if refused is None else [(refused, unknown)])
