"""Texts give a notional order in dollars until it fills, then in shares."""

from decimal import Decimal

from msgspec.structs import replace

from algotrader.messages import make_texts
from algotrader.model import OrderType
from tests.support.finished_runs import DRY_RUN, decision, intent, order, run_report, submission

BUY = replace(
    intent("AAPL", "29.940119760"),
    order_type=OrderType.MARKET,
    limit_price=None,
    notional=Decimal(3000),
)


def by_value(filled: str, status: str):
    changes = {"qty": None, "notional": Decimal(3000), "order_type": "market", "status": status}
    return replace(order("AAPL", filled), limit_price=None, **changes)


def test_a_planned_buy_is_reported_in_dollars():
    texts = make_texts(run_report(run=DRY_RUN, decision=decision(BUY)))
    assert ": would buy $3,000.00 of AAPL, holds nothing. " in texts.sms
    assert "  buy $3,000.00 of AAPL, market, entry\n" in texts.email


def test_a_filled_buy_is_reported_in_shares():
    texts = make_texts(run_report(submission=submission(by_value("29.97", "filled"))))
    assert ": bought 29.97 AAPL, holds 1. " in texts.sms
    assert "  buy 29.97 AAPL at $100.00, $2,997.00 of $3,000.00, market order fi" in texts.email


def test_a_partial_fill_names_its_dollars():
    texts = make_texts(run_report(submission=submission(by_value("7.5", "canceled"))))
    assert ": bought 7.5 AAPL of $3,000.00, holds 1. " in texts.sms


def test_an_unfilled_buy_is_named_without_a_quantity():
    texts = make_texts(run_report(submission=submission(by_value("0", "canceled"))))
    assert "1 unfilled (AAPL)" in texts.sms
    assert "  buy 0 AAPL of $3,000.00, market order canceled" in texts.email
