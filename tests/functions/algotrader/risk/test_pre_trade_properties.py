"""Approved orders stay within every limit, for any broker data. Each property tests one limit."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from algotrader.model import Holding, Position, Side, StrategyStart, TradingMode
from algotrader.orders.pricing import worst_cost
from algotrader.portfolio.capital import open_buy_cost, portfolio_state
from tests.support.desk_world import UNIVERSE
from tests.support.examples import tried
from tests.support.snapshots import MANAGED, Situation, lively_bells, situations

often = tried(100)
ROUNDING = 1 + Decimal("1e-20")
parts_of_capital = st.decimals("0.05", 1, places=2)
signed_shares = st.integers(-50, 400).map(Decimal)


@often
@given(bell=situations() | lively_bells(max_gross_exposure=parts_of_capital))
def test_entries_never_take_exposure_past_its_share_of_capital(bell: Situation) -> None:
    decision, desk = bell.decide(), portfolio_state(bell.settings, bell.snapshot)
    open_buys = open_buy_cost(bell.snapshot.own_open_orders, desk.references)
    after = (
        sum((desk.value_of(symbol) for symbol in desk.positions), open_buys)
        - sum(each.qty * each.reference_price for each in decision.exits)
        + sum(worst_cost(each, bell.settings) for each in decision.entries)
    )
    allowed = bell.settings.max_gross_exposure * (decision.desk_capital + open_buys)
    assert not decision.entries or after <= allowed * ROUNDING + Decimal("0.01")


@often
@given(bell=situations() | lively_bells(max_turnover=parts_of_capital))
def test_entries_never_take_a_run_past_its_turnover(bell: Situation) -> None:
    decision = bell.decide()
    traded = sum(each.qty * each.reference_price for each in decision.exits) + sum(
        worst_cost(each, bell.settings) for each in decision.entries
    )
    allowed = bell.settings.max_turnover * decision.desk_capital
    assert not decision.entries or traded <= allowed * ROUNDING


@often
@given(bell=situations())
def test_neither_turnover_nor_exposure_nor_a_limit_on_entries_denies_an_exit(
    bell: Situation,
) -> None:
    unbound = {"max_turnover": Decimal(10), "max_gross_exposure": Decimal(1), "deny_symbols": ()}
    free = bell.under(
        **unbound,
        max_price_deviation=Decimal(10),
        min_order_notional=Decimal("0.01"),
        min_minutes_to_close=0,
    )
    assert [each.symbol for each in bell.decide().exits] == [
        each.symbol for each in free.decide().exits
    ]


@often
@given(
    bell=situations() | lively_bells(deny_symbols=st.lists(st.sampled_from(UNIVERSE)).map(tuple))
)
def test_no_denied_symbol_is_ever_bought(bell: Situation) -> None:
    bought = {each.symbol for each in bell.decide().entries}
    assert bought.isdisjoint(bell.settings.deny_symbols)
    assert bought <= set(bell.settings.symbols)


@often
@given(bell=situations() | lively_bells(max_price_deviation=st.decimals("0.005", "0.5", places=3)))
def test_nothing_is_bought_far_from_its_last_close(bell: Situation) -> None:
    for order in bell.decide().entries:
        close = bell.snapshot.last_closes[order.symbol]
        assert close > 0
        assert abs(order.reference_price / close - 1) <= (
            bell.settings.max_price_deviation * ROUNDING
        )


@often
@given(bell=situations() | lively_bells(min_order_notional=st.decimals(1, 50000, places=2)))
def test_no_entry_costs_less_than_the_minimum_order(bell: Situation) -> None:
    for order in bell.decide().entries:
        assert worst_cost(order, bell.settings) >= bell.settings.min_order_notional


@often
@given(bell=situations() | lively_bells(min_minutes_to_close=st.integers(0, 20)))
def test_nothing_is_bought_in_the_last_minutes_of_a_session(bell: Situation) -> None:
    left = (bell.snapshot.session.close - bell.snapshot.clock.now).total_seconds() / 60
    looks_back = not bell.run.sends_orders and left <= 0
    decision = bell.decide()
    assert not decision.entries or looks_back or left >= bell.settings.min_minutes_to_close


@often
@given(bell=situations() | lively_bells(), data=st.data())
def test_no_order_ever_crosses_zero(bell: Situation, data: st.DataObject) -> None:
    account, ledger = (
        {symbol: data.draw(signed_shares) for symbol in MANAGED} for _ in ("account", "ledger")
    )
    free = {symbol: data.draw(st.sampled_from([qty, qty / 2])) for symbol, qty in account.items()}
    seen = replace(
        bell.snapshot,
        positions={
            symbol: Position(symbol, qty, free[symbol], Decimal(90))
            for symbol, qty in account.items()
        },
        ledger=replace(
            bell.snapshot.ledger,
            holdings={symbol: Holding(qty, qty * 90) for symbol, qty in ledger.items()},
        ),
    )
    decision = replace(bell, snapshot=seen).decide()
    for order in (*decision.exits, *decision.entries):
        before = account[order.symbol]
        after = before + (order.qty if order.side is Side.BUY else -order.qty)
        assert before >= 0
        assert after >= 0


@often
@given(
    bell=situations() | lively_bells(live_ramp_notional=st.decimals(10, 5000, places=2)),
    days_ago=st.none() | st.integers(0, 20),
    days=st.integers(0, 15),
)
def test_a_live_desks_first_runs_never_buy_for_more_than_the_ramp(
    bell: Situation, days_ago: int | None, days: int
) -> None:
    first_buy = None if days_ago is None else bell.run.session - timedelta(days=days_ago)
    started = StrategyStart(bell.settings.strategy, bell.run.started_at, first_buy, "", "")
    for mode in TradingMode:
        under = replace(bell.settings, mode=mode, live_ramp_days=days)
        decision = replace(
            bell,
            run=replace(bell.run, mode=mode),
            settings=under,
            snapshot=replace(bell.snapshot, started=started),
        ).decide()
        cost = sum(worst_cost(each, under) for each in decision.entries)
        in_its_first_days = days > 0 and (days_ago is None or days_ago < days)
        if mode is TradingMode.LIVE and in_its_first_days:
            assert cost <= under.live_ramp_notional
        else:
            assert all(each.code != "LIVE_RAMP" for each in decision.denied)
