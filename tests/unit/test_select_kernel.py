"""The kernel of selection: clauses and costs in, the cheapest answer out."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time

import pytest

from pruner.select.kernel import Prices, Problem, Status, solve
from pruner.select.propagate import open_parts, propagate
from tests.support import ROOT


def problem(*clauses: tuple[int, ...], costs: tuple[dict[int, int], ...] = ()) -> Problem:
    variables = {abs(literal) for clause in clauses for literal in clause}
    return Problem(clauses=clauses, costs=costs or (dict.fromkeys(variables, 1),))


def test_propagation_follows_clauses_with_one_literal_left():
    assert propagate([(1,), (-1, 2), (-2, -3), (3, 4)]) == {1: True, 2: True, 3: False, 4: True}


def test_propagation_takes_units_as_true():
    assert propagate([(-1, 2)], [1]) == {1: True, 2: True}


def test_propagation_finds_a_contradiction():
    assert propagate([(1,), (-1, 2), (-2, -1)]) is None
    assert propagate([(1,), ()]) is None
    assert propagate([(1,)], [-1]) is None


def test_what_nothing_open_calls_for_stays_false():
    """5 is an option of 4 only, and nothing asks for 4."""
    clauses = [(1,), (-1, 2, 3), (-4, 5)]
    (part,) = open_parts(clauses, {1: True})
    assert part.variables == (2, 3)
    assert part.clauses == ((2, 3),)


def test_open_clauses_fall_into_independent_parts():
    parts = open_parts([(1, 2), (3, 4), (-4, 5)], {})
    assert [part.variables for part in parts] == [(1, 2), (3, 4, 5)]


def test_an_exclusion_with_what_stays_false_joins_nothing():
    """1 excludes 9, which nothing calls for."""
    (part,) = open_parts([(1, 2), (-1, -9)], {})
    assert part.variables == (1, 2)


def test_the_cheapest_answer_wins():
    solved = solve(problem((1, 2), (-2, 3), costs=({1: 5, 2: 1, 3: 3},)))
    assert solved.true == {2, 3}
    assert solved.status is Status.OPTIMAL


def test_levels_of_cost_decide_in_their_order():
    answer = solve(problem((1, 2), (-2, 3), costs=({1: 1, 2: 1, 3: 0}, {1: 9, 2: 1, 3: 1})))
    assert answer.true == {2, 3}


def test_of_equal_answers_the_lowest_variables_win():
    """{1, 4}, {2, 3} and {3, 4} cost the same; variable by variable, 1 decides, and then 4 is left."""
    assert solve(problem((1, 3), (2, 4), (-1, -2))).true == {1, 4}
    assert solve(problem((4, 2, 3))).true == {2}


def test_an_unsatisfiable_problem_says_so():
    """By propagation, and by search: no two of three can be told apart otherwise."""
    assert solve(problem((1,), (-1,))).status is Status.UNSATISFIABLE
    two_of_two = problem((1, 2), (1, -2), (-1, 2), (-1, -2))
    assert solve(two_of_two).status is Status.UNSATISFIABLE


def test_costs_beyond_32_bits_are_exact():
    """Archives of more than 2 GiB: they differ by one byte."""
    large = 5 * 2**32
    assert solve(problem((1, 2), costs=({1: large + 1, 2: large},))).true == {2}
    assert solve(problem((1, 2), costs=({1: large, 2: large + 1},))).true == {1}


@pytest.mark.parametrize("large", [2**31 - 1, 2**31, 2**33, 10**18])
def test_equal_costs_beyond_32_bits_leave_the_order_to_variables(large):
    """clingo reports such sums wrapped around; sizes of eighteen digits count as less, and in no memory to speak of."""
    assert solve(problem((1, 2), costs=({1: large, 2: large},))).true == {1}
    assert solve(problem((1, 2), costs=({1: large, 2: 3},))).true == {2}


def test_a_price_is_that_of_the_cheapest_answer_with_the_variable():
    costs = ({1: 1, 2: 5, 3: 2},)
    solved = solve(problem((1, 2), (-2, 3), (-1, -3), costs=costs))
    assert solved.true == {1}
    prices = Prices(solved.parts[0], costs)
    assert prices.with_true(2) == ({2, 3}, True)
    assert prices.with_true(1) == ({1}, True)


def test_a_variable_that_no_answer_holds_has_no_price():
    costs = ({1: 1, 2: 5, 3: 2, 4: 1},)
    solved = solve(problem((1, 2), (-2, 3, 4), (-2, -3), (-2, -4), costs=costs))
    assert Prices(solved.parts[0], costs).with_true(2) == (None, True)


def hard_problem() -> Problem:
    """A smallest vertex cover of a random graph, far beyond what can be proven in a moment."""
    draw = random.Random(5)
    edges = {tuple(sorted(draw.sample(range(1, 401), 2))) for _ in range(2400)}
    return problem(*edges)


def test_a_time_limit_gives_the_best_answer_seen_as_not_proven():
    hard = hard_problem()
    solved = solve(hard, deadline=time.monotonic())
    assert solved.status is Status.NOT_PROVEN
    assert solved.true
    assert all(any((abs(x) in solved.true) is (x > 0) for x in clause) for clause in hard.clauses)


def test_a_search_can_be_interrupted():
    """Python answers Ctrl-C, or any signal, while the solver works."""

    class Interrupted(Exception):
        pass

    def interrupt(*_: object) -> None:
        raise Interrupted

    former = signal.signal(signal.SIGALRM, interrupt)
    deadline = time.monotonic() + 600
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        with pytest.raises(Interrupted):
            solve(hard_problem(), deadline=deadline)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)
    assert time.monotonic() < deadline - 300


def test_clingo_is_not_imported_where_propagation_decides():
    code = (
        "import sys; from pruner.select.kernel import Problem, solve;"
        "assert solve(Problem(clauses=((1,), (-1, 2), (-2, 1, 3)), costs=({1: 1, 2: 1, 3: 1},))).true == {1, 2};"
        "assert 'clingo' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
