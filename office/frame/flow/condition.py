"""Conditions on ways: comparisons of facts joined by ``and``, ``or`` and ``not``; nothing else can be said, let alone run.

``units > 0 and kind in ("request", "report")``. What may stand in a condition is checked on its syntax tree before simpleeval
sees it. Besides the facts of the template a condition may ask how the last countersign went: ``agreed``, ``changed``, ``disagreed``.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from simpleeval import EvalWithCompoundTypes, InvalidExpression

from node.errors import Invalid
from office.frame.flow.template import WHEN, Fact
from office.frame.words import _

COUNTS = ("agreed", "changed", "disagreed")
"Facts of every matter: opinions of the last countersign."
_ALLOWED = (
    ast.Expression, ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.USub, ast.Compare, ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt,
    ast.GtE, ast.In, ast.NotIn, ast.Name, ast.Load, ast.Constant, ast.Tuple, ast.List,
)  # fmt: skip


_evaluator: Any = EvalWithCompoundTypes
"The library has no annotations."


@lru_cache(maxsize=512)
def parsed(text: str) -> ast.expr:
    """The tree of a condition; :class:`Invalid` says what may not stand in it."""
    if len(text) > WHEN:
        raise Invalid(_("条件不能超过 {n} 个字符。").format(n=WHEN), code="condition")
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise Invalid(_("条件“{text}”写得不对。").format(text=text), code="condition") from None
    for node in ast.walk(tree):
        if not isinstance(node, _ALLOWED):
            raise Invalid(_("条件“{text}”里只能比较事实。").format(text=text), code="condition")
        if isinstance(node, ast.Constant) and not isinstance(node.value, (bool, int, str)):
            raise Invalid(_("条件“{text}”里只能比较事实。").format(text=text), code="condition")
    return tree.body


def names(text: str) -> set[str]:
    """The facts that a condition asks for."""
    return {node.id for node in ast.walk(parsed(text)) if isinstance(node, ast.Name)}


def holds(text: str, facts: Mapping[str, Fact]) -> bool:
    """Whether a condition holds; :class:`Invalid` when it compares what cannot be compared."""
    tree = parsed(text)
    try:
        return bool(_evaluator(names=dict(facts), functions={}).eval(text, previously_parsed=tree))
    except (InvalidExpression, TypeError, KeyError, ValueError):
        raise Invalid(_("条件“{text}”比较了不能比较的内容。").format(text=text), code="condition") from None
