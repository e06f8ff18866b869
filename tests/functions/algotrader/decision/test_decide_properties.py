"""For any broker data, approved orders stay within every limit and sell only what the desk owns."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec.structs import replace

from algotrader.contracts import canonical_json, decode, encode
from algotrader.decision.decide import decide
from algotrader.execution import first_plan
from algotrader.model import Decision, Leg, OrderIntent, OrderType, Settings, Side, TradingState
from algotrader.orders.pricing import worst_cost, worst_price
from algotrader.orders.statuses import is_terminal
from algotrader.portfolio.capital import portfolio_state, spendable
from algotrader.portfolio.position import DeskPosition, desk_position
from algotrader.risk.reasons import Reason
from algotrader.strategy import Market, Portfolio, Strategy
from tests.support.desk_world import NOW, UNIVERSE, features, open_order, own_id
from tests.support.examples import tried
from tests.support.snapshots import Situation, situations


def cost_of(intents: tuple[OrderIntent, ...], under: Settings) -> Decimal:
    return sum((worst_cost(each, under) for each in intents), Decimal(0))


def theirs(bell: Situation, symbol: str) -> Decimal:
    return sum(bell.snapshot.other_desks.get(symbol, {}).values(), Decimal(0))


def stake_in(bell: Situation, symbol: str) -> DeskPosition:
    """Return the desk's position as if its own stops were canceled, which frees their shares."""
    seen = bell.snapshot
    kept = [
        (each.qty or Decimal(0)) - each.filled_qty
        for each in seen.own_open_orders
        if each.symbol == symbol
        and "-stop-" in each.client_order_id
        and each.side is Side.SELL
        and not is_terminal(each)
    ]
    others = seen.other_desks.get(symbol, {})
    released = sum(kept, Decimal(0))
    return desk_position(symbol, seen.ledger.holdings, seen.positions, others, released=released)


def with_stop(bell: Situation, symbol: str, side: Side) -> Situation:
    """Return the situation with half of the position reserved by an order with a stop's id."""
    seen = bell.snapshot
    position = seen.positions.get(symbol)
    if position is None or not position.qty.is_finite():
        return bell
    half = position.qty / 2
    order = open_order(symbol, side, str(half), "1", own_id(symbol, Leg.STOP))
    positions = {**seen.positions, symbol: replace(position, qty_available=half)}
    return replace(bell, snapshot=replace(seen, positions=positions, own_open_orders=(order,)))


@tried(150)
@given(bell=situations(), symbol=st.sampled_from(UNIVERSE), side=st.sampled_from(Side))
def test_a_stop_frees_what_it_keeps_for_an_exit_and_a_buy_under_its_id_frees_nothing(
    bell: Situation, symbol: str, side: Side
) -> None:
    held = with_stop(bell, symbol, side)
    for order in held.decide().exits:
        assert order.qty <= stake_in(held, order.symbol).sellable


@tried(150)
@given(bell=situations())
def test_what_is_approved_keeps_every_limit(bell: Situation) -> None:
    decision, seen, under = bell.decide(), bell.snapshot, bell.settings
    shown = seen.positions

    for order in decision.exits:
        stake = stake_in(bell, order.symbol)
        assert (order.side, order.leg) == (Side.SELL, Leg.EXIT)
        assert 0 < order.qty <= stake.sellable <= max(shown[order.symbol].qty, 0)
        assert order.qty <= shown[order.symbol].qty - theirs(bell, order.symbol)
    for order in decision.entries:
        stake = stake_in(bell, order.symbol)
        price = seen.prices[order.symbol]
        step = Decimal("1e-9") if under.fractional_shares else Decimal(1)
        assert (order.side, order.leg) == (Side.BUY, Leg.ENTRY)
        assert order.symbol in bell.run.entry_symbols
        assert order.qty > 0
        assert order.qty % step == 0
        assert not stake.differs
        worst = worst_price(order, under)
        after = stake.held * worst + worst_cost(order, under)
        rounding = 1 + Decimal("1e-20")
        assert after <= under.max_position_weight * decision.desk_capital * rounding
        assert after <= bell.weights[order.symbol] * decision.desk_capital * rounding
        assert worst_cost(order, under) <= under.max_order_notional
        assert seen.assets[order.symbol].tradable
        # After the close, a dry run judges a price by its age at the close.
        judged_at = NOW if bell.run.sends_orders else min(NOW, max(seen.session.close, price.at))
        assert -60 <= (judged_at - price.at).total_seconds() <= under.max_price_age_seconds

    orders = (*decision.exits, *decision.entries)
    assert len({order.symbol for order in orders}) == len(orders)
    assert not decision.entries or len(orders) <= under.max_orders_per_run
    for order in orders:
        assert order.symbol not in {each.symbol for each in seen.corporate_actions}
        assert order.reference_price == seen.prices[order.symbol].price
        assert (order.limit_price is None) is (under.order_type is not OrderType.LIMIT)
        assert order.limit_price is None or order.limit_price > 0
    assert seen.trading_state is not TradingState.HALTED or not orders
    assert seen.trading_state is TradingState.ACTIVE or not decision.entries


@tried(150)
@given(bell=situations())
def test_entries_cost_no_more_than_what_is_spendable_and_exits_bring(bell: Situation) -> None:
    decision, under = bell.decide(), bell.settings
    proceeds = cost_of(decision.exits, under)
    cost = cost_of(decision.entries, under)
    at_hand = spendable(bell.snapshot.account, cash_reserve=under.cash_reserve)
    assert 0 <= decision.spendable <= at_hand
    assert cost <= at_hand + proceeds * (1 - under.cash_reserve)
    assert cost <= decision.spendable + proceeds
    assert under.capital is None or decision.desk_capital <= under.capital


@tried(60)
@given(bell=situations())
def test_every_managed_symbol_has_one_outcome_and_its_why(bell: Situation) -> None:
    decision = bell.decide()
    held = {symbol for symbol, each in bell.snapshot.ledger.holdings.items() if each.qty != 0}
    assert list(decision.why) == sorted({*UNIVERSE, *held})
    assert all(decision.why.values())
    seen = [
        *(each.symbol for each in decision.exits),
        *(each.symbol for each in decision.entries),
        *(each.symbol for each in decision.denied),
    ]
    assert len(seen) == len(set(seen))
    assert set(seen) <= set(decision.why)
    for refused in decision.denied:
        assert refused.code in set(Reason)
        assert refused.detail
        assert f": {refused.code}: {refused.detail}" in decision.why[refused.symbol]
    for order in (*decision.exits, *decision.entries):
        assert order.why == decision.why[order.symbol]


class _KeepAll(Strategy):
    """Keeps what the desk holds, with a stop under every holding that has a price."""

    def target_weights(self, market: Market, portfolio: Portfolio) -> dict[str, Decimal]:
        del market
        return dict(portfolio.weights)

    def stop_prices(self, market: Market, portfolio: Portfolio) -> dict[str, Decimal]:
        del portfolio
        return {name: each.price / 2 for name, each in market.items() if each.price is not None}


@tried(30)
@given(bell=situations())
def test_keep_what_i_hold_sends_no_order_whatever_the_holdings_weigh(bell: Situation) -> None:
    # Weights are fractions of desk capital, and a desk worth less than a cent has none.
    assume(portfolio_state(bell.settings, bell.snapshot).capital > 0)
    decision = decide(bell.run, bell.settings, bell.snapshot, features(), _KeepAll())
    orders = (*decision.exits, *decision.entries)
    assert {each.symbol for each in orders}.isdisjoint(UNIVERSE)


@tried(60)
@given(bell=situations())
def test_only_the_desks_own_open_orders_are_canceled(bell: Situation) -> None:
    decision, seen = bell.decide(), bell.snapshot
    own = {each.client_order_id for each in seen.own_open_orders if not is_terminal(each)}
    assert set(decision.cancels) <= own
    if seen.trading_state is TradingState.HALTED:
        assert all("-entry-" in each for each in decision.cancels)
    waiting = {each.split("-")[6] for each in decision.cancels if "-stop-" not in each}
    assert waiting.isdisjoint(each.symbol for each in (*decision.exits, *decision.entries))


@tried(60)
@given(bell=situations(), data=st.data())
def test_the_order_of_dicts_changes_no_byte(bell: Situation, data: st.DataObject) -> None:
    def shuffled(values: dict[str, Any]) -> dict[str, Any]:
        return dict(data.draw(st.permutations(list(values.items()))))

    seen = bell.snapshot
    turned = replace(
        bell,
        weights=shuffled(bell.weights),
        snapshot=replace(
            seen,
            positions=shuffled(seen.positions),
            prices=shuffled(seen.prices),
            assets=shuffled(seen.assets),
            ledger=replace(seen.ledger, holdings=shuffled(seen.ledger.holdings)),
        ),
    )
    assert canonical_json(turned.decide()) == canonical_json(bell.decide())


@tried(60)
@given(bell=situations())
def test_a_decision_and_its_plan_survive_the_way_between_states(bell: Situation) -> None:
    decision = bell.decide()
    assert decode(Decision, encode(decision), "decision") == decision
    plan = first_plan(bell.run, decision)
    assert decode(type(plan), encode(plan), "plan") == plan


@tried(60)
@given(bell=situations(), less=st.decimals(0, 10**6, places=2))
def test_with_less_cash_the_desk_has_no_more_capital(bell: Situation, less: Decimal) -> None:
    figures = bell.snapshot.account
    poor = replace(bell.snapshot, account=replace(figures, cash=figures.cash - less))
    assert replace(bell, snapshot=poor).decide().desk_capital <= bell.decide().desk_capital
