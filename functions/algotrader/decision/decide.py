"""Owns the decision: from features, snapshot and settings to orders, each with its why."""

from __future__ import annotations

from decimal import Decimal, DefaultContext, localcontext

from algotrader.decision.proposal import (
    ProposedOrder,
    cut_to_budget,
    cut_to_ramp,
    first_denial,
    propose_order,
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
from algotrader.orders.statuses import is_terminal
from algotrader.portfolio.capital import BuyingBudget, PortfolioState, portfolio_state
from algotrader.risk import pre_trade as limits
from algotrader.risk.broker_rules import broken_rule
from algotrader.risk.pre_trade import Denial
from algotrader.risk.ramp import Ramp, ramp_of
from algotrader.strategy import Market, Portfolio, Strategy, SymbolFeatures
from algotrader.strategy.evaluate import check_features, evaluate_stops, evaluate_weights


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
        desk = portfolio_state(settings, snapshot)
    with localcontext(DefaultContext):  # numbers as wide as the strategy's own
        market = _market(settings, snapshot, features)
        portfolio = _portfolio(settings, snapshot, desk)
    asked = (strategy, settings.strategy, settings.symbols, market, portfolio)
    weights = evaluate_weights(*asked)
    prices = evaluate_stops(*asked)
    with localcontext(MONEY):
        stops = {symbol: stop_level(price) for symbol, price in prices.items()}
        return _decide(run, settings, snapshot, desk, weights, stops)


def _decide(
    run: Run,
    settings: Settings,
    snapshot: Snapshot,
    desk: PortfolioState,
    weights: dict[str, Decimal],
    stops: dict[str, Decimal],
) -> Decision:
    found = {
        symbol: propose_order(position, weights.get(symbol, ZERO), settings, snapshot, desk)
        for symbol, position in desk.positions.items()
    }
    why = {
        symbol: why_nothing(desk.positions[symbol], weights.get(symbol, ZERO), settings, desk)
        for symbol, order in found.items()
        if order is None
    }
    cases = [order for order in found.values() if order is not None]
    refused = _refused_alone(cases, run, settings, snapshot, desk, stops)
    clear = [order for order in cases if order.symbol not in refused]
    exits = [order for order in clear if order.side is Side.SELL]
    entries, refused_entries = _approve(
        [order for order in clear if order.side is Side.BUY],
        exits,
        settings,
        desk,
        ramp_of(run, settings, snapshot.started),
    )
    refused |= refused_entries
    exit_intents = tuple(_intent(order, run, settings, desk) for order in exits)
    entry_intents = tuple(_intent(order, run, settings, desk) for order in entries)
    why |= {intent.symbol: intent.why for intent in (*exit_intents, *entry_intents)}

    denied = [(order, refused[order.symbol]) for order in cases if order.symbol in refused]
    why |= {order.symbol: why_denied(order, refusal, desk) for order, refusal in denied}
    traded = {
        each.symbol: desk.positions[each.symbol].held
        + (each.qty if each.side is Side.BUY else -each.qty)
        for each in (*exit_intents, *entry_intents)
    }
    stuck = {order.symbol for order, _ in denied if order.side is Side.SELL}
    audit = audit_stops(run, settings, snapshot, desk, stops, traded, stuck)
    why |= {symbol: f"{why[symbol]}; {told}" for symbol, told in audit.warnings.items()}
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
            OrderDenied(order.symbol, order.side, order.wanted.qty, refusal.code, refusal.detail)
            for order, refusal in denied
        ),
        why={symbol: why[symbol] for symbol in desk.positions},
        stops=tuple(audit.wishes),
        filled_before=filled_of(snapshot.own_open_orders, cancels),
        unprotected=audit.unprotected,
    )


def _refused_alone(
    cases: list[ProposedOrder],
    run: Run,
    settings: Settings,
    snapshot: Snapshot,
    desk: PortfolioState,
    stops: dict[str, Decimal],
) -> dict[str, Denial]:
    """Refuse what breaks a limit, or a rule of the broker, by itself; by symbol."""
    refused = {}
    for order in cases:
        stop = stops.get(order.symbol)
        refusal = first_denial(order, run, settings, snapshot, desk, stop) or broken_rule(
            _intent(order, run, settings, desk), snapshot.assets.get(order.symbol)
        )
        if refusal is not None:
            refused[order.symbol] = refusal
    return refused


def _approve(
    wanted: list[ProposedOrder],
    exits: list[ProposedOrder],
    settings: Settings,
    desk: PortfolioState,
    ramp: Ramp,
) -> tuple[list[ProposedOrder], dict[str, Denial]]:
    """Approve entries in order of priority, as far as orders, money and the run's limits go."""
    entries: list[ProposedOrder] = []
    refused: dict[str, Denial] = {}
    least = max(settings.no_trade_band * desk.capital, settings.min_order_notional)
    room = _room(settings, desk, exits)
    traded = sum((each.qty * each.reference for each in exits), ZERO)
    for order in sorted(wanted, key=lambda each: (-each.weight, each.symbol)):
        cut = cut_to_budget(cut_to_ramp(order, ramp), room, least)
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
            refused[order.symbol] = refusal
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


def _portfolio(settings: Settings, snapshot: Snapshot, desk: PortfolioState) -> Portfolio:
    """Show the holdings of the universe: the strategy has no say about any other."""
    held = {
        symbol: position
        for symbol, position in desk.positions.items()
        if symbol in settings.symbols and position.held > 0
    }
    stops = resting_stops(snapshot.own_open_orders)
    costs = {each: snapshot.ledger.holdings[each] for each in held}
    return Portfolio(
        capital=desk.capital,
        quantities={symbol: position.held for symbol, position in held.items()},
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


def _room(settings: Settings, desk: PortfolioState, exits: list[ProposedOrder]) -> BuyingBudget:
    """Return what entries may cost once the exits filled, at what they bring at least.

    The reserve is kept of what exits bring, too, as it will be when the cash is there.
    """
    proceeds = sum((each.money for each in exits), ZERO)
    return desk.budget.after(-proceeds * (1 - settings.cash_reserve), exposure=-proceeds)


def _cancels(snapshot: Snapshot) -> tuple[str, ...]:
    """Name the desk's own orders to cancel: what is left from before, but not what protects.

    A halted desk cancels its entries alone.
    """
    halted = snapshot.trading_state is TradingState.HALTED
    return tuple(
        sorted(
            order.client_order_id
            for order in snapshot.own_open_orders
            if not is_terminal(order)
            and not is_protective(order)
            and not (halted and leg_of(order.client_order_id) is not Leg.ENTRY)
        )
    )


def _intent(
    order: ProposedOrder, run: Run, settings: Settings, desk: PortfolioState
) -> OrderIntent:
    leg = Leg.ENTRY if order.side is Side.BUY else Leg.EXIT
    by_value = settings.order_type is OrderType.NOTIONAL
    kind = OrderType.MARKET if by_value else settings.order_type
    return OrderIntent(
        client_order_id=client_order_id(
            OrderPlace(run.desk, run.session, run.slot, order.symbol, leg, 0)
        ),
        symbol=order.symbol,
        side=order.side,
        leg=leg,
        qty=order.qty,
        order_type=kind,
        limit_price=order.worst_price if kind is OrderType.LIMIT else None,
        reference_price=order.reference,
        why=why_order(order, desk),
        notional=order.notional,
    )
