"""An order with one of our ids has the terms that the run recorded; otherwise the run stops."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec.structs import replace

from algotrader.errors import OrderConflictError
from algotrader.execution import check_terms, first_plan
from algotrader.model import Side
from tests.support.execution_fixtures import EXIT, RUN, decision, known, order


@pytest.mark.parametrize(
    "other",
    [
        {"symbol": "GOOG"},
        {"side": Side.BUY},
        {"order_type": "market"},
        {"qty": Decimal(11)},
        {"qty": None},
        {"limit_price": Decimal("99.99")},
        {"limit_price": None},
    ],
)
def test_an_order_under_our_id_with_other_terms_is_a_conflict(other: dict[str, object]) -> None:
    found = replace(order(EXIT), **other)
    with pytest.raises(OrderConflictError, match=EXIT.client_order_id):
        check_terms(first_plan(RUN, decision()), decision(), known(found))


def test_an_order_with_the_decided_terms_is_ours_even_after_the_plan_was_cut() -> None:
    plan = replace(first_plan(RUN, decision()), orders=(replace(EXIT, qty=Decimal(4)),))
    check_terms(plan, decision(), known(order(EXIT)))


def test_equal_numbers_in_another_format_are_the_same_terms() -> None:
    found = replace(order(EXIT), qty=Decimal("10.000"), limit_price=Decimal("100.00"))
    check_terms(first_plan(RUN, decision()), decision(), known(found))
