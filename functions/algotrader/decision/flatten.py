"""Owns a flatten's decision: sell all of the desk's holdings, regardless of the strategy."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal, localcontext

from msgspec.structs import replace

from algotrader.decision.build import order_denied, order_intent, orders_to_cancel
from algotrader.decision.explain import and_difference, why_flatten
from algotrader.decision.stops import audit_stops
from algotrader.model import (
    Decision,
    Leg,
    OrderDenied,
    OrderIntent,
    OrderType,
    Run,
    Settings,
    Side,
    Snapshot,
)
from algotrader.model.units import (
    FRACTION_STEP,
    MONEY,
    NO_PRICE,
    ONE_SHARE,
    ZERO,
    Fraction,
    Shares,
    finite,
    tidy,
)
from algotrader.orders.own_orders import filled_of
from algotrader.orders.pricing import usable_price
from algotrader.orders.statuses import is_terminal
from algotrader.portfolio.capital import portfolio_state
from algotrader.portfolio.position import DeskPosition
from algotrader.portfolio.proposed_order import ProposedOrder
from algotrader.portfolio.sizing import Wanted, floor_shares
from algotrader.risk.broker_rules import broken_rule
from algotrader.risk.context import RiskContext
from algotrader.risk.holdings import part_sold
from algotrader.risk.pre_trade import FLATTEN, first_denial


def flatten(run: Run, settings: Settings, snapshot: Snapshot) -> Decision:
    """Decide to sell the ledger's exact quantities at market, and nothing else; pure.

    Shares that the desk's own open orders reserve count as free, because the run cancels these
    orders first. Submit Orders sells only after the cancels, and no more than is free. If the desk
    denies a sale, the position's protective orders stay. Unsold shares keep their protection. A
    market order needs no price, so a flatten can sell a symbol that the feed does not know.
    """
    with localcontext(MONEY):
        freed = _as_if_canceled(snapshot)
        desk = portfolio_state(settings, freed)
        context = RiskContext(run, settings, freed, desk, desk.budget)
        exits: list[OrderIntent] = []
        denied: list[OrderDenied] = []
        why: dict[str, str] = {}
        for symbol, position in desk.positions.items():
            order = _sale(position, context)
            if order is None:
                why[symbol] = f"nothing to sell: holds 0{and_difference(position)}"
                continue
            words = why_flatten(order)
            intent = order_intent(order, run, OrderType.MARKET, leg=Leg.FLATTEN, why=words)
            denial = first_denial(order, context, FLATTEN)
            denial = denial or broken_rule(intent, freed.assets.get(symbol))
            if denial is not None:
                denied.append(order_denied(order, denial))
                why[symbol] = f"denied sell {order.wanted.qty:f}: {denial}"
                continue
            exits.append(intent)
            why[symbol] = words
            if order.qty < order.wanted.qty:
                denied.append(_rest(order))
        sold = {each.symbol: Shares(desk.positions[each.symbol].held - each.qty) for each in exits}
        unsold = {each.symbol for each in denied} - {*sold}
        cancels = orders_to_cancel(snapshot, protected=unsold)
        return Decision(
            run_id=run.run_id,
            strategy=settings.strategy,
            desk_capital=desk.capital,
            spendable=desk.spendable,
            target_weights={},
            exits=tuple(exits),
            entries=(),
            cancels=cancels,
            denied=tuple(denied),
            why=why,
            stops=audit_stops(replace(context, snapshot=snapshot), {}, sold).wishes,
            filled_before=filled_of(snapshot.own_open_orders, cancels),
        )


def _as_if_canceled(snapshot: Snapshot) -> Snapshot:
    """Return the snapshot as it will be once the desk's own open orders have ended."""
    kept: defaultdict[str, Decimal] = defaultdict(Decimal)
    for order in snapshot.own_open_orders:
        if order.side is Side.SELL and not is_terminal(order) and order.qty is not None:
            kept[order.symbol] += max(order.qty - order.filled_qty, ZERO)
    return replace(
        snapshot,
        own_open_orders=(),
        positions={
            symbol: replace(
                each, qty_available=min(finite(each.qty), finite(each.qty_available) + kept[symbol])
            )
            for symbol, each in snapshot.positions.items()
        },
    )


def _sale(position: DeskPosition, context: RiskContext) -> ProposedOrder | None:
    """Return the sale of a holding, or None if there is nothing to sell."""
    wanted = Shares(tidy(position.held or max(position.book_qty, ZERO)))
    if not wanted:
        return None
    asset = context.snapshot.assets.get(position.symbol)
    price = context.snapshot.prices.get(position.symbol)
    step = FRACTION_STEP if asset is None or asset.fractionable else ONE_SHARE
    qty = floor_shares(qty=position.sellable, step=step)
    return ProposedOrder(
        weight=Fraction(ZERO),
        position=position,
        price=None if usable_price(price) is None else price,
        wanted=Wanted(Side.SELL, wanted, qty),
        qty=qty,
        reference=context.portfolio.references.get(position.symbol, NO_PRICE),
        worst_price=NO_PRICE,
        step=step,
    )


def _rest(order: ProposedOrder) -> OrderDenied:
    """Build the denial for the shares that a sale leaves unsold."""
    left = Shares(tidy(order.position.held - order.qty))
    return replace(order_denied(order, part_sold(order.position, qty=order.qty)), qty=left)
