"""The page on orders has a row for each of Alpaca's statuses and describes what the code does."""

from __future__ import annotations

import json
import re
from importlib.resources import files

from algotrader.model.units import FRACTION_STEP
from algotrader.orders.ids import MAX_CLIENT_ORDER_ID_LENGTH
from algotrader.orders.statuses import STATUSES
from algotrader.portfolio.sizing import MIN_FRACTIONAL_NOTIONAL
from algotrader.risk.broker_rules import PRICED_BY
from algotrader.risk.reasons import Reason
from tests.docs.markdown import table, text_of

PAGE = "docs/orders.md"


def alpacas_statuses() -> set[str]:
    path = files("alpaca_mcp_server").joinpath("specs/trading-api.json")
    document = json.loads(path.read_text(encoding="utf-8"))
    return set(document["components"]["schemas"]["OrderStatus"]["enum"])


def rows() -> dict[str, dict[str, str]]:
    found = table(PAGE, "Statuses")
    return {row[0].strip("`"): dict(zip(found.header, row, strict=True)) for row in found.rows}


def test_every_status_that_alpaca_documents_has_one_row() -> None:
    assert set(rows()) == alpacas_statuses() == set(STATUSES)
    assert len(table(PAGE, "Statuses").rows) == len(alpacas_statuses())


def test_the_page_calls_an_end_what_the_code_does() -> None:
    ends = {status: row["End"] for status, row in rows().items()}
    assert set(ends.values()) == {"yes", "no"}
    assert {status for status, end in ends.items() if end == "yes"} == {
        status for status, meaning in STATUSES.items() if meaning.is_end
    }


def test_the_desk_waits_while_a_status_is_not_an_end() -> None:
    for status, row in rows().items():
        assert row["What the desk does"].startswith("waits") is (row["End"] == "no"), status


def test_every_type_of_order_has_its_row_with_its_prices() -> None:
    found = table(PAGE, "Order types and their rules")
    reported = {row[0].strip("`"): row[3] for row in found.rows}
    assert reported.keys() == {each.value for each in PRICED_BY}
    for kind, prices in PRICED_BY.items():
        words = {name.removesuffix("_price") for name in prices}
        named = {word for word in ("limit", "stop") if f"a {word}" in reported[kind.value]}
        assert named == words, kind


def test_the_page_states_the_figures_of_the_rules() -> None:
    text = text_of(PAGE)
    assert f"**An id** has at most {MAX_CLIENT_ORDER_ID_LENGTH} characters" in text
    assert -FRACTION_STEP.adjusted() == 9  # "nine decimals"
    assert "at most nine decimals" in text
    assert MIN_FRACTIONAL_NOTIONAL == 1
    assert "**A value** is at least a dollar" in text


def test_every_code_on_the_page_is_one() -> None:
    codes = set(re.findall(r"`([A-Z]+(?:_[A-Z]+)+)`", text_of(PAGE)))
    assert codes
    assert codes <= {*Reason, "ORDER_CONFLICT"}
