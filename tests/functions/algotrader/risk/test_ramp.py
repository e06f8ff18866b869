"""In its first days a live desk buys little, and its reasons say so."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from algotrader.model import Decision, StrategyStart, TradingMode
from tests.support.desk_world import (
    NOW,
    RUN,
    SESSION,
    codes,
    decided,
    quantities,
    run,
    settings,
    snapshot,
)

LIVE = run(mode=TradingMode.LIVE)
UNDER = settings(mode=TradingMode.LIVE, live_ramp_days=10, live_ramp_notional=Decimal(1000))
WANTED = {"AAPL": Decimal("0.3"), "GOOG": Decimal("0.2")}


def decide(first_buy: date | None, held: dict[str, str] | None = None) -> Decision:
    started = StrategyStart(UNDER.strategy, NOW - timedelta(days=90), first_buy, "", RUN.journal)
    return decided(WANTED, snapshot(held, started=started), under=UNDER, of=LIVE)


@pytest.mark.parametrize("first_buy", [None, SESSION, SESSION - timedelta(days=9)])
def test_a_live_desk_buys_for_at_most_the_ramp_the_greatest_weights_first(
    first_buy: date | None,
) -> None:
    decision = decide(first_buy)

    # Nine shares cost at most 901.80, and the rest of the 1000 does not pay for another share.
    assert quantities(decision.entries) == {"AAPL": Decimal(9)}
    assert decision.why["AAPL"].endswith("; cut from 293 to what LiveRampNotional leaves")
    assert codes(decision) == {"GOOG": "LIVE_RAMP"}


def test_a_denial_names_its_numbers() -> None:
    (denied,) = decide(date(2024, 3, 1)).denied

    assert denied.detail == (
        "cost 19539.00, left 98.20 of 1000.00 a run in the first 10 days of"
        " fixed_weights; its first filled buy: on 2024-03-01"
    )
    assert decide(None).denied[0].detail.endswith("its first filled buy: none yet")


def test_the_ramp_neither_limits_exits_nor_grows_by_them() -> None:
    decision = decide(None, {"XOM": "100"})

    assert quantities(decision.exits) == {"XOM": Decimal(100)}
    assert quantities(decision.entries) == {"AAPL": Decimal(9)}


def test_a_desk_with_an_unknown_strategy_start_is_ramped() -> None:
    assert quantities(decided(WANTED, under=UNDER, of=LIVE).entries) == {"AAPL": Decimal(9)}


def test_after_its_days_a_strategy_is_free() -> None:
    assert quantities(decide(SESSION - timedelta(days=10)).entries)["AAPL"] == 293


@pytest.mark.parametrize("mode", [TradingMode.PAPER, TradingMode.DRY_RUN])
def test_only_live_is_ramped(mode: TradingMode) -> None:
    under = replace(UNDER, mode=mode)
    assert quantities(decided(WANTED, under=under, of=run(mode=mode)).entries)["AAPL"] == 293


def test_zero_days_turn_the_ramp_off() -> None:
    off = replace(UNDER, live_ramp_days=0)
    assert quantities(decided(WANTED, under=off, of=LIVE).entries)["AAPL"] == 293


def test_less_than_the_minimum_order_is_not_bought() -> None:
    dear = replace(UNDER, min_order_notional=Decimal(950))
    assert codes(decided(WANTED, under=dear, of=LIVE)) == dict.fromkeys(WANTED, "LIVE_RAMP")


def test_an_entry_may_cost_exactly_what_the_ramp_leaves() -> None:
    exact = replace(UNDER, live_ramp_notional=Decimal("29358.60") + Decimal("100.20"))
    decision = decided(WANTED, under=exact, of=LIVE)

    assert quantities(decision.entries) == {"AAPL": Decimal(293), "GOOG": Decimal(1)}
    assert "cut" not in decision.why["AAPL"]
    assert codes(decision) == {}
