"""The page on limits has a row for every reason for a denial, in the order of the checks."""

from __future__ import annotations

import ast
import re

from algotrader.risk.reasons import Reason
from tests.docs.markdown import tables
from tests.support.checkout import CHECKOUT

PAGE = "docs/limits.md"
#: The classes and functions with which Submit Orders denies an order.
MAKERS = {"Cutoff", "OrderDenied", "OrderResult", "deny"}


def test_every_reason_has_its_row_in_the_order_in_which_the_desk_looks() -> None:
    rows = [
        cell.strip("`")
        for each in tables(PAGE)
        if each.header[0] == "Code"
        for cell in each.column("Code")
    ]
    missing = [each.value for each in Reason if each not in rows]
    unknown = [each for each in rows if each not in {*Reason}]
    assert (missing, unknown) == ([], []), "reasons without a row, rows without a reason"
    assert rows == [each.value for each in Reason]


def test_submit_orders_denies_with_reasons_and_not_with_words_of_its_own() -> None:
    spelled = [
        f"{path.name}:{call.lineno}"
        for path in (CHECKOUT / "functions/algotrader/execution").glob("*.py")
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") in MAKERS
        for argument in (*call.args, *(keyword.value for keyword in call.keywords))
        for part in ast.walk(argument)
        if isinstance(part, ast.Constant) and re.search(r"[A-Z]{2,}_", str(part.value))
    ]
    assert spelled == []
