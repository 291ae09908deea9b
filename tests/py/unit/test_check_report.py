"""How `make check` runs its checks and what it says of them."""

from __future__ import annotations

from pathlib import Path

from scripts.check import Result, run
from scripts.checks.finding import Check, Finding, Skipped
from scripts.checks.workshop import Workshop
from scripts.schema.files import Project
from scripts.stack.layout import StackError


def outcome(check: Check, tmp_path: Path) -> Result:
    heard: list[Result] = []
    with Workshop(Project(tmp_path)) as workshop:
        results = run([check], workshop, heard.append)
    assert heard == results
    return results[0]


def test_findings_are_kept(tmp_path: Path) -> None:
    finding = Finding("a.sql:3", "is wrong", "mend it")
    assert outcome(Check("style", "style", lambda _: [finding]), tmp_path).findings == [finding]


def test_a_check_that_cannot_run_says_why_and_is_no_finding(tmp_path: Path) -> None:
    def skip(workshop: Workshop) -> list[Finding]:
        raise Skipped("no extension")

    result = outcome(Check("lint", "lint", skip), tmp_path)
    assert (result.skipped, list(result.findings)) == ("no extension", [])


def test_a_stack_that_does_not_start_is_a_finding_of_the_check_that_wanted_it(tmp_path: Path) -> None:
    def fail(workshop: Workshop) -> list[Finding]:
        raise StackError("PostgreSQL is missing: run `npm ci`")

    result = outcome(Check("push", "push", fail), tmp_path)
    assert [finding.problem for finding in result.findings] == ["PostgreSQL is missing: run `npm ci`"]


def test_results_come_in_the_order_of_the_checks(tmp_path: Path) -> None:
    checks = [Check(str(number), "", lambda _: []) for number in range(6)]
    with Workshop(Project(tmp_path)) as workshop:
        results = run(checks, workshop, lambda result: None)
    assert [result.name for result in results] == ["0", "1", "2", "3", "4", "5"]
