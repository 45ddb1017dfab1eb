"""Planning small roots: the cases of `tests/cases/*/cases.yaml`, and the laws that every plan keeps."""

from __future__ import annotations

from pathlib import Path

import pytest

from pruner.errors import PrunerError
from tests.casefiles import check_case, check_error, check_laws, plan_of, read_cases

CASES = read_cases()


@pytest.mark.parametrize("name", CASES)
def test_case(name: str, tmp_path: Path) -> None:
    """A plan keeps and drops what the case says, for the reasons that it says, and keeps the laws of plans."""
    topic, case = CASES[name]
    if "error" in case:
        with pytest.raises(PrunerError) as raised:
            plan_of(topic, case, tmp_path)
        check_error(raised.value, case["error"])
        return
    plan = plan_of(topic, case, tmp_path)
    check_case(plan, case)
    check_laws(plan)
