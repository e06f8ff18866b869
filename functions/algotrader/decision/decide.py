"""Owns the decision: from features, snapshot and settings to orders, each with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import DefaultContext, localcontext

from msgspec.structs import replace

from algotrader.decision.build import order_denied, order_intent, orders_to_cancel
from algotrader.decision.explain import (
    why_denied,
    why_kept,
    why_nothing,
    why_order,
    why_unfit,
)
from algotrader.decision.proposal import AVAILABLE_MONEY, cut_entry, propose_order
from algotrader.decision.stops import audit_stops, stop_level
from algotrader.decision.targets import Targets, find_targets
from algotrader.model import (
    Decision,
    Features,
    OrderIntent,
    Run,
    Settings,
    Side,
    Snapshot,
    Unfit,
)
from algotrader.model.settings import STOP
from algotrader.model.units import MONEY, NO_DOLLARS, ZERO, Dollars, Fraction, Price, Shares
from algotrader.orders.own_orders import filled_of, resting_stops
from algotrader.orders.pricing import usable_price
from algotrader.portfolio.capital import PortfolioState, portfolio_state
from algotrader.portfolio.proposed_order import ProposedOrder
from algotrader.risk.broker_rules import broken_rule
from algotrader.risk.context import RiskContext
from algotrader.risk.pre_trade import (
    BUYS_TOGETHER,
    deny_alone,
    first_denial,
    is_limit,
    with_further_limits,
)
from algotrader.risk.reasons import Denial
from algotrader.session.fitness import check_features, require_fit
from algotrader.strategy import Market, Portfolio, Strategy, SymbolFeatures
from algotrader.strategy.evaluate import evaluate_stops


def decide(
    run: Run, settings: Settings, snapshot: Snapshot, features: Features, strategy: Strategy
) -> Decision:
    """Decide what the desk does in this run, and why; pure and deterministic.

    The desk manages the universe and every symbol in its ledger; a symbol outside the universe has
    target 0. The desk approves exits first, by symbol. Entries follow by descending target weight,
    then by symbol, as far as limits, spendable cash and the exits' lowest proceeds allow. The desk
    denies an order that breaks a limit. Only cash, ``Capital``, ``MaxGrossExposure`` and the live
    ramp can reduce an entry, and its reason says so. If the reduced entry would be smaller than the
    no-trade band or the minimum order, the desk denies it. The ramp ignores the band.

    The run leaves an unfit symbol alone: it keeps the holding and its stop, buys nothing, and
    ignores the symbol's weight. If too few symbols are fit for the strategy, it keeps everything.

    Raises
    ------
    StrategyError
        If the strategy raises, or does not return a set of target weights.
    ConfigurationError, InsufficientHistoryError, StaleBarsError
        If no symbol is fit, or if any is unfit and ``UnfitSymbols`` is ``stop``.
    """
    unfit = _unfit(settings, snapshot, features, strategy.reference)
    with localcontext(MONEY):
        desk = portfolio_state(settings, snapshot)
    with localcontext(DefaultContext):  # the precision of the strategy's own numbers
        market = _market(settings, snapshot, features, unfit, strategy.reference)
        portfolio = _portfolio(settings, snapshot, desk)
    asked = (strategy, settings.strategy, settings.symbols, market, portfolio)
    with localcontext(MONEY):
        targets = find_targets(*asked, desk)
    prices, comments = evaluate_stops(*asked)
    targets.comments.add(comments)
    with localcontext(MONEY):
        stops = {symbol: stop_level(price) for symbol, price in prices.items()}
        traded = {each: unfit[each] for each in settings.symbols if each in unfit}
        context = RiskContext(run, settings, snapshot, desk, desk.budget, unfit=traded)
        asks_stops = _asks_stops(strategy, stops, context)
        return replace(_decide(context, targets, stops, asks_stops=asks_stops), unfit=unfit)


def _decide(
    context: RiskContext, targets: Targets, stops: dict[str, Price], *, asks_stops: bool
) -> Decision:
    run, settings, snapshot = context.run, context.settings, context.snapshot
    portfolio = context.portfolio
    orders: list[ProposedOrder] = []
    why: dict[str, str] = {}
    for symbol, position in portfolio.positions.items():
        weight = Fraction(targets.weights.get(symbol, ZERO))
        unfit = context.unfit.get(symbol)
        order = None
        # The strategy cannot see an unfit symbol, so a weight of 0 does not mean a sale.
        if not targets.keeps_all and (unfit is None or weight > 0):
            order = propose_order(position, weight=weight, stop=stops.get(symbol), context=context)
        if order is not None:
            orders.append(order)
        elif unfit is not None:
            why[symbol] = why_unfit(position, unfit, weight=weight)
        elif targets.keeps_all:
            why[symbol] = why_kept(position, *targets.remarks)
        else:
            why[symbol] = why_nothing(position, weight=weight, context=context)
    exits, entries, denials = _approve(orders, context)
    exit_intents = tuple(_intent(order, context) for order in exits)
    entry_intents = tuple(_intent(order, context) for order in entries)
    why |= {intent.symbol: intent.why for intent in (*exit_intents, *entry_intents)}
    denied = [(order, denials[order.symbol]) for order in orders if order.symbol in denials]
    why |= {order.symbol: why_denied(order, denial, portfolio) for order, denial in denied}

    held_after = {each.symbol: Shares(each.position.held - each.qty) for each in exits}
    held_after |= {each.symbol: Shares(each.position.held + each.qty) for each in entries}
    stuck = {order.symbol for order, _ in denied if order.side is Side.SELL}
    audit = audit_stops(context, stops, held_after, stuck, asks_stops=asks_stops)
    why |= {symbol: f"{why[symbol]}; {warning}" for symbol, warning in audit.warnings.items()}
    said = targets.comments.explanations
    why |= {symbol: f"{why[symbol]}; strategy: {words}" for symbol, words in said.items()}
    cancels = tuple(sorted((*orders_to_cancel(snapshot), *audit.cancels)))
    return Decision(
        run_id=run.run_id,
        strategy=settings.strategy,
        desk_capital=portfolio.capital,
        spendable=portfolio.spendable,
        target_weights=targets.asked,
        exits=exit_intents,
        entries=entry_intents,
        cancels=cancels,
        denied=tuple(order_denied(order, denial) for order, denial in denied),
        why={symbol: why[symbol] for symbol in portfolio.positions},
        stops=audit.wishes,
        filled_before=filled_of(snapshot.own_open_orders, cancels),
        unprotected=audit.unprotected,
        cut_to_cash={
            each.symbol: each.wanted.qty
            for each in entries
            if each.cut_to == AVAILABLE_MONEY and each.notional is None
        },
        keeps_all=targets.keeps_all,
        remarks=targets.remarks,
        note=targets.comments.note,
        room=portfolio.room(settings),
    )


def _approve(
    orders: list[ProposedOrder], context: RiskContext
) -> tuple[list[ProposedOrder], list[ProposedOrder], dict[str, Denial]]:
    """Return the approved exits and entries, and the denials by symbol."""
    denials = {
        order.symbol: denial
        for order in orders
        if (denial := deny_alone(order, context) or _break_of_rule(order, context))
    }
    clear = [order for order in orders if order.symbol not in denials]
    exits = [order for order in clear if order.side is Side.SELL]
    wanted = [order for order in clear if order.side is Side.BUY]
    proceeds = Dollars(sum((each.money for each in exits), NO_DOLLARS))
    reserve = context.settings.cash_reserve
    context = replace(
        context,
        budget=context.budget.after_sales(proceeds=proceeds, cash_reserve=reserve),
        traded=tuple(exits),
    )
    for order in sorted(wanted, key=lambda each: (-each.weight, each.symbol)):
        cut = cut_entry(order, context)
        denial = first_denial(cut, context, BUYS_TOGETHER)
        if denial is None:
            context = context.after_entry(cut)
        else:
            denials[order.symbol] = denial
    for order in orders:
        if order.side is Side.BUY and (first := denials.get(order.symbol)) is not None:
            cut = cut_entry(order, context) if is_limit(first) else order
            denials[order.symbol] = with_further_limits(first, cut, context)
    return exits, list(context.traded[len(exits) :]), denials


def _break_of_rule(order: ProposedOrder, context: RiskContext) -> Denial | None:
    intent = order_intent(order, context.run, context.settings.order_type)
    return broken_rule(intent, context.snapshot.assets.get(order.symbol))


def _intent(order: ProposedOrder, context: RiskContext) -> OrderIntent:
    why = why_order(order, context.portfolio)
    return order_intent(order, context.run, context.settings.order_type, why=why)


def _unfit(
    settings: Settings, snapshot: Snapshot, features: Features, reference: tuple[str, ...]
) -> dict[str, Unfit]:
    """Return the unfit symbols and references; raise if the run must not go on without them."""
    symbols = (*settings.symbols, *reference)
    known = {each: snapshot.unfit[each] for each in symbols if each in snapshot.unfit}
    unfit = known | check_features((each for each in symbols if each not in known), features)
    require_fit(settings.symbols, unfit, stops=settings.unfit_symbols == STOP)
    return dict(sorted(unfit.items()))


def _asks_stops(strategy: Strategy, stops: Mapping[str, Price], context: RiskContext) -> bool:
    """Whether the strategy uses protective stops; assumed unless a fit holding shows otherwise."""
    if stops or type(strategy).stop_prices is Strategy.stop_prices:
        return bool(stops)
    held = (name for name, each in context.portfolio.positions.items() if each.held > 0)
    return all(name in context.unfit for name in held)


def _market(
    settings: Settings,
    snapshot: Snapshot,
    features: Features,
    unfit: Mapping[str, Unfit],
    reference: tuple[str, ...],
) -> Market:
    traded, only_seen = sorted(settings.symbols), sorted({*reference} - {*settings.symbols})
    fit = {
        each: SymbolFeatures(
            features.values[each], usable_price(snapshot.prices.get(each)), features.bars.get(each)
        )
        for each in (*traded, *only_seen)
        if each not in unfit
    }
    return Market(
        session=snapshot.session.date,
        as_of=features.as_of,
        symbols={each: fit[each] for each in traded if each in fit},
        unfit={symbol: str(each) for symbol, each in unfit.items()},
        reference={each: fit.get(each) for each in only_seen},
        previous_session=snapshot.previous_session,
        next_session=snapshot.next_session,
    )


def _portfolio(settings: Settings, snapshot: Snapshot, desk: PortfolioState) -> Portfolio:
    """Build the strategy's view of the holdings, without symbols outside the universe."""
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
