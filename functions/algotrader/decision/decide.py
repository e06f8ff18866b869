"""Owns the decision: from features, snapshot and settings to orders, each with its why."""

from __future__ import annotations

from decimal import Decimal, DefaultContext, localcontext

from algotrader.decision.proposal import (
    Case,
    case_of,
    cut_to_ramp,
    cut_to_room,
    first_refusal,
    why_denied,
    why_nothing,
    why_order,
)
from algotrader.decision.stops import audit_stops, stop_level
from algotrader.model import (
    Decision,
    Features,
    Leg,
    OrderDenied,
    OrderIntent,
    OrderType,
    Run,
    Settings,
    Side,
    Snapshot,
    TradingState,
)
from algotrader.model.units import MONEY, ZERO
from algotrader.orders.ids import OrderPlace, client_order_id
from algotrader.orders.own_orders import filled_of, is_protective, leg_of, resting_stops
from algotrader.orders.pricing import usable
from algotrader.portfolio.capital import Desk, Room, desk_of
from algotrader.risk import pre_trade as limits
from algotrader.risk.broker_rules import broken_rule
from algotrader.risk.pre_trade import Refusal
from algotrader.risk.ramp import Ramp, ramp_of
from algotrader.strategy import Market, Portfolio, Strategy, SymbolFeatures
from algotrader.strategy.evaluate import ask, ask_stops, check_features


def decide(
    run: Run, settings: Settings, snapshot: Snapshot, features: Features, strategy: Strategy
) -> Decision:
    """Decide what the desk wants of this run, and why; pure and deterministic.

    The managed symbols are the universe and what the ledger holds; one that is out of the universe
    has target 0. Exits are approved first, by symbol; entries by descending target weight, then
    symbol, as long as they fit the limits, spendable cash and the least that the exits bring. An
    order that breaks a limit is refused whole. Cash, ``Capital``, ``MaxGrossExposure`` and the ramp
    of a live desk alone may cut an entry, which its why tells, and refuse it when less than a
    no-trade band, or than the least order, would be left of it; the ramp asks for no band.

    Raises
    ------
    StrategyError
        When the strategy raises, or does not return a set of target weights.
    InsufficientHistoryError
        When a symbol of the universe has no usable features.
    """
    check_features(settings.symbols, features)
    with localcontext(MONEY):
        desk = desk_of(settings, snapshot)
    with localcontext(DefaultContext):  # numbers as wide as the strategy's own
        market = _market(settings, snapshot, features)
        portfolio = _portfolio(settings, snapshot, desk)
    asked = (strategy, settings.strategy, settings.symbols, market, portfolio)
    weights = ask(*asked)
    prices = ask_stops(*asked)
    with localcontext(MONEY):
        stops = {symbol: stop_level(price) for symbol, price in prices.items()}
        return _decide(run, settings, snapshot, desk, weights, stops)


def _decide(
    run: Run,
    settings: Settings,
    snapshot: Snapshot,
    desk: Desk,
    weights: dict[str, Decimal],
    stops: dict[str, Decimal],
) -> Decision:
    found = {
        symbol: case_of(stake, weights.get(symbol, ZERO), settings, snapshot, desk)
        for symbol, stake in desk.stakes.items()
    }
    why = {
        symbol: why_nothing(desk.stakes[symbol], weights.get(symbol, ZERO), settings, desk)
        for symbol, case in found.items()
        if case is None
    }
    cases = [case for case in found.values() if case is not None]
    refused = _refused_alone(cases, run, settings, snapshot, desk, stops)
    clear = [case for case in cases if case.symbol not in refused]
    exits = [case for case in clear if case.side is Side.SELL]
    entries, refused_entries = _approve(
        [case for case in clear if case.side is Side.BUY],
        exits,
        settings,
        desk,
        ramp_of(run, settings, snapshot.started),
    )
    refused |= refused_entries
    exit_intents = tuple(_intent(case, run, settings, desk) for case in exits)
    entry_intents = tuple(_intent(case, run, settings, desk) for case in entries)
    why |= {intent.symbol: intent.why for intent in (*exit_intents, *entry_intents)}

    denied = [(case, refused[case.symbol]) for case in cases if case.symbol in refused]
    why |= {case.symbol: why_denied(case, refusal, desk) for case, refusal in denied}
    traded = {
        each.symbol: desk.stakes[each.symbol].held
        + (each.qty if each.side is Side.BUY else -each.qty)
        for each in (*exit_intents, *entry_intents)
    }
    stuck = {case.symbol for case, _ in denied if case.side is Side.SELL}
    audit = audit_stops(run, settings, snapshot, desk, stops, traded, stuck)
    why |= {symbol: f"{why[symbol]}; {told}" for symbol, told in audit.told.items()}
    cancels = tuple(sorted((*_cancels(snapshot), *audit.cancels)))
    return Decision(
        run_id=run.run_id,
        strategy=settings.strategy,
        desk_capital=desk.capital,
        spendable=desk.spendable,
        target_weights=weights,
        exits=exit_intents,
        entries=entry_intents,
        cancels=cancels,
        denied=tuple(
            OrderDenied(case.symbol, case.side, case.wanted.qty, refusal.code, refusal.detail)
            for case, refusal in denied
        ),
        why={symbol: why[symbol] for symbol in desk.stakes},
        stops=tuple(audit.wishes),
        filled_before=filled_of(snapshot.own_open_orders, cancels),
        unprotected=audit.unprotected,
    )


def _refused_alone(
    cases: list[Case],
    run: Run,
    settings: Settings,
    snapshot: Snapshot,
    desk: Desk,
    stops: dict[str, Decimal],
) -> dict[str, Refusal]:
    """Refuse what breaks a limit, or a rule of the broker, by itself; by symbol."""
    refused = {}
    for case in cases:
        stop = stops.get(case.symbol)
        refusal = first_refusal(case, run, settings, snapshot, desk, stop) or broken_rule(
            _intent(case, run, settings, desk), snapshot.assets.get(case.symbol)
        )
        if refusal is not None:
            refused[case.symbol] = refusal
    return refused


def _approve(
    wanted: list[Case], exits: list[Case], settings: Settings, desk: Desk, ramp: Ramp
) -> tuple[list[Case], dict[str, Refusal]]:
    """Approve entries in order of priority, as far as orders, money and the run's limits go."""
    entries: list[Case] = []
    refused: dict[str, Refusal] = {}
    least = max(settings.no_trade_band * desk.capital, settings.min_order_notional)
    room = _room(settings, desk, exits)
    traded = sum((each.qty * each.reference for each in exits), ZERO)
    for case in sorted(wanted, key=lambda each: (-each.weight, each.symbol)):
        cut = cut_to_room(cut_to_ramp(case, ramp), room, least)
        refusal = (
            limits.max_orders_per_run(len(exits) + len(entries), settings.max_orders_per_run)
            or limits.enough_cash(cut.money, room.cash, room.capital_left)
            or limits.max_gross_exposure(
                cut.money, room.exposure_left, desk.capital, settings.max_gross_exposure
            )
            or limits.max_turnover(cut.money, traded, desk.capital, settings.max_turnover)
            or ramp.refusal(cut.money)
        )
        if refusal:
            refused[case.symbol] = refusal
            continue
        entries.append(cut)
        room, ramp = room.after(cut.money), ramp.after(cut.money)
        traded += cut.money
    return entries, refused


def _market(settings: Settings, snapshot: Snapshot, features: Features) -> Market:
    return Market(
        session=snapshot.session.date,
        as_of=features.as_of,
        symbols={
            each: SymbolFeatures(features.values[each], usable(snapshot.prices.get(each)))
            for each in sorted(settings.symbols)
        },
    )


def _portfolio(settings: Settings, snapshot: Snapshot, desk: Desk) -> Portfolio:
    """Show the holdings of the universe: the strategy has no say about any other."""
    held = {
        symbol: stake
        for symbol, stake in desk.stakes.items()
        if symbol in settings.symbols and stake.held > 0
    }
    stops = resting_stops(snapshot.own_open_orders)
    costs = {each: snapshot.ledger.holdings[each] for each in held}
    return Portfolio(
        capital=desk.capital,
        quantities={symbol: stake.held for symbol, stake in held.items()},
        weights={
            symbol: desk.value_of(symbol) / desk.capital if desk.capital > 0 else ZERO
            for symbol in held
        },
        costs={symbol: each.cost / each.qty for symbol, each in costs.items()},
        stops={
            symbol: price
            for symbol in held
            if symbol in stops and (price := stops[symbol][0].stop_price) is not None
        },
    )


def _room(settings: Settings, desk: Desk, exits: list[Case]) -> Room:
    """Give what entries may cost once the exits filled, at what they bring at least.

    The reserve is kept of what exits bring, too, as it will be when the cash is there.
    """
    proceeds = sum((each.money for each in exits), ZERO)
    return desk.room.after(-proceeds * (1 - settings.cash_reserve), exposure=-proceeds)


def _cancels(snapshot: Snapshot) -> tuple[str, ...]:
    """Name the desk's own orders to cancel: what is left from before, but not what protects.

    A halted desk cancels its entries alone.
    """
    halted = snapshot.trading_state is TradingState.HALTED
    return tuple(
        sorted(
            order.client_order_id
            for order in snapshot.own_open_orders
            if not order.is_terminal
            and not is_protective(order)
            and not (halted and leg_of(order.client_order_id) is not Leg.ENTRY)
        )
    )


def _intent(case: Case, run: Run, settings: Settings, desk: Desk) -> OrderIntent:
    leg = Leg.ENTRY if case.side is Side.BUY else Leg.EXIT
    by_value = settings.order_type is OrderType.NOTIONAL
    kind = OrderType.MARKET if by_value else settings.order_type
    return OrderIntent(
        client_order_id=client_order_id(
            OrderPlace(run.desk, run.session, run.slot, case.symbol, leg, 0)
        ),
        symbol=case.symbol,
        side=case.side,
        leg=leg,
        qty=case.qty,
        order_type=kind,
        limit_price=case.worst if kind is OrderType.LIMIT else None,
        reference_price=case.reference,
        why=why_order(case, desk),
        notional=case.notional,
    )
