"""Every way to break access is noticed, or is known to change nothing."""

from __future__ import annotations

import pytest

from scripts import mutants
from scripts.stack.layout import Stack
from tests.py.access.expressions import conditions, union_arms, without_an_operand


@pytest.mark.timeout(900)
def test_every_mutant_is_noticed_or_changes_nothing(stack: Stack) -> None:
    verdicts = mutants.judge(stack)
    assert len(verdicts) > 300
    assert mutants.unexplained(verdicts) == []
    assert mutants.stale_reasons(verdicts) == []


def test_each_operand_is_left_out_at_any_depth() -> None:
    assert list(without_an_operand("((a = 'x AND y') AND ((b = 1) OR (c = 2)))")) == [
        ("a = 'x AND y'", "((b = 1) OR (c = 2))"),
        ("(b = 1) OR (c = 2)", "(a = 'x AND y')"),
        ("b = 1", "(a = 'x AND y') AND ((c = 2))"),
        ("c = 2", "(a = 'x AND y') AND ((b = 1))"),
    ]
    assert list(without_an_operand("(a = any (f(1)))")) == []


def test_each_condition_is_left_out() -> None:
    query = "select 1 from t where a = any (array(select b from u where c)) and d;"
    assert list(conditions(query, "true")) == [
        ("a = any (array(select b from u where c))", "select 1 from t where true and d;"),
        ("d", "select 1 from t where a = any (array(select b from u where c)) and true;"),
        ("c", "select 1 from t where a = any (array(select b from u where true)) and d;"),
    ]


def test_each_arm_of_a_union_is_left_out() -> None:
    assert [changed for _, changed in union_arms("begin select a union all select b; end")] == [
        "begin select null::uuid where false union all select b; end",
        "begin select a union all select null::uuid where false; end",
    ]
    assert list(union_arms("select a;")) == []
