"""SARIF logs: the required structure, stable bytes and stable fingerprints."""

from __future__ import annotations

import json

import pytest

from pruner.emit.sarif import SarifResult, sarif_text

RULES = {"unknown-key": "A key is unknown.", "hint": "A hint is too long."}


def result(**changes: object) -> SarifResult:
    values: dict[str, object] = {
        "rule": "hint",
        "level": "error",
        "message": "too long",
        "file": "slices/a.yaml",
        "line": 3,
    }
    return SarifResult(**{**values, **changes})  # type: ignore[arg-type]


def log(*results: SarifResult) -> dict[str, object]:
    text = sarif_text(tool="pruner", version="1.2", rules=RULES, results=results)
    loaded: dict[str, object] = json.loads(text)
    return loaded


def run(*results: SarifResult) -> dict[str, object]:
    (only,) = log(*results)["runs"]  # type: ignore[misc, attr-defined]
    return dict(only)


def fingerprints(*results: SarifResult) -> list[str]:
    return [next(iter(told["partialFingerprints"].values())) for told in run(*results)["results"]]  # type: ignore[attr-defined]


def test_required_properties_are_there():
    """What sections 3.13 to 3.31 of the standard require is there, and rules are found by their index."""
    told = log(result())
    assert told["version"] == "2.1.0"
    driver = run(result())["tool"]["driver"]  # type: ignore[index]
    assert (driver["name"], driver["version"]) == ("pruner", "1.2")
    assert [rule["id"] for rule in driver["rules"]] == ["hint", "unknown-key"]
    (found,) = run(result(rule="unknown-key"))["results"]  # type: ignore[misc, attr-defined]
    assert driver["rules"][found["ruleIndex"]]["id"] == found["ruleId"] == "unknown-key"
    assert found["message"]["text"] == "too long"
    place = found["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "slices/a.yaml"
    assert place["region"] == {"startLine": 3}


def test_no_results_are_an_empty_list():
    """A run without findings says so: `results` is there and empty (section 3.14.23)."""
    assert run()["results"] == []


def test_order_of_results_does_not_matter():
    """The same results in another order give the same bytes, and one that is given twice stands once."""
    first, second = result(), result(line=9, message="other")
    texts = {
        sarif_text(tool="t", version="1", rules=RULES, results=given)
        for given in ([first, second], [second, first], [first, second, first])
    }
    assert len(texts) == 1


def test_fingerprint_does_not_depend_on_the_line():
    """Lines put before a finding leave its fingerprint as it is; another message, file or rule changes it."""
    (before,) = fingerprints(result(line=3))
    assert fingerprints(result(line=30)) == [before]
    for changed in (result(message="x"), result(file="b"), result(rule="unknown-key")):
        assert fingerprints(changed) != [before]
    assert fingerprints(result(message="x", fingerprint="same")) == fingerprints(
        result(message="y", fingerprint="same")
    )


def test_equal_findings_on_two_lines_have_two_fingerprints():
    """Findings that differ by their line only are told apart."""
    assert len(set(fingerprints(result(line=3), result(line=4)))) == 2


def test_names_are_escaped():
    """File names become URIs; what is no text in UTF-8 still gives a log in UTF-8."""
    hostile = result(file="slices/a b%\udcff.yaml", message="x\udcff")
    text = sarif_text(tool="t", version="1", rules=RULES, results=[hostile])
    text.encode()
    assert (
        run(hostile)["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        == "slices/a%20b%25%FF.yaml"
    )  # type: ignore[index]


def test_result_without_file_has_no_location():
    """A finding about no file has no place."""
    assert "locations" not in run(result(file=""))["results"][0]  # type: ignore[index]


def test_unknown_rule_is_a_mistake_of_the_caller():
    """Each result's rule must be described."""
    with pytest.raises(KeyError):
        log(result(rule="other"))
