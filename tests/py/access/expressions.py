"""Take SQL apart just far enough to leave a part out: an operand, a condition, an arm of a union.

It reads what Postgres prints (pg_get_expr) and our own functions, in which every operator is spaced.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_OPENS_OR_CLOSES = re.compile(r"'(?:[^']|'')*'|[()]|\$\$")


def without_an_operand(expression: str) -> Iterator[tuple[str, str]]:
    """Each operand of an `and` or an `or`, at any depth, with the expression that is left without it."""
    inner = _unwrapped(expression)
    for operator in (" OR ", " AND "):
        operands = _split(inner, operator)
        if len(operands) == 1:
            continue
        for number, operand in enumerate(operands):
            rest = [other for index, other in enumerate(operands) if index != number]
            yield _short(operand), operator.join(rest)
            for dropped, left in without_an_operand(operand):
                whole = [f"({left})" if index == number else other for index, other in enumerate(operands)]
                yield dropped, operator.join(whole)
        return


def conditions(definition: str, instead: str) -> Iterator[tuple[str, str]]:
    """Each condition of a `where`, with the function's definition when `instead` stands in its place."""
    for where in re.finditer(r"\bwhere\s", definition):
        start, depth, level = where.end(), 0, _depth(definition, where.start())
        ends = re.compile(r"\sand\s|\sunion\b|;|\)|\$\w*\$")
        position = start
        while end := ends.search(definition, position):
            depth = _depth(definition, end.start()) - level
            closes = end.group() == ")" and depth == 0
            if depth == 0 and (end.group() != ")" or closes):
                condition = definition[start : end.start()]
                yield _short(condition), f"{definition[:start]}{instead}{definition[end.start() :]}"
                if end.group().strip() != "and":
                    break
                start = end.end()
            position = end.end()


def union_arms(definition: str) -> Iterator[tuple[str, str]]:
    """Each `select` of a `union`, with the function's definition when it answers nothing."""
    arms = list(re.finditer(r"select .*?(?=\s+union\b|;|\s*\$\w*\$\s*$)", definition, re.DOTALL))
    if not re.search(r"\bunion\b", definition):
        return
    for arm in arms:
        nothing = f"{definition[: arm.start()]}select null::uuid where false{definition[arm.end() :]}"
        yield _short(arm.group()), nothing


def _split(expression: str, operator: str) -> list[str]:
    """Operands between which the operator stands outside of every parenthesis and string."""
    parts, depth, start, position = [], 0, 0, 0
    pattern = re.compile(rf"{_OPENS_OR_CLOSES.pattern}|{operator}")
    while found := pattern.search(expression, position):
        position = found.end()
        if found.group() == "(":
            depth += 1
        elif found.group() == ")":
            depth -= 1
        elif found.group() == operator and depth == 0:
            parts.append(expression[start : found.start()])
            start = found.end()
    return [*parts, expression[start:]]


def _unwrapped(expression: str) -> str:
    """Without parentheses that hold all of it."""
    while expression.startswith("(") and _depth(expression, len(expression) - 1) == 1:
        closes_early = any(
            _depth(expression, found.end()) == 0 for found in re.finditer(r"\)", expression[:-1])
        )
        if closes_early:
            break
        expression = expression[1:-1]
    return expression


def _depth(text: str, position: int) -> int:
    """How many parentheses are open there."""
    marks = [found.group() for found in _OPENS_OR_CLOSES.finditer(text, 0, position)]
    return marks.count("(") - marks.count(")")


def _short(part: str) -> str:
    """A part as a reader wants it named: on one line, without what Postgres adds."""
    text = " ".join(_unwrapped(part.strip()).split())
    text = re.sub(r"\( SELECT (private\.\w+\(.*?\)) AS \w+\)", r"(select \1)", text)
    return text.replace("::text", "").replace("= ANY (ARRAY", "in ").replace("ARRAY", "")
