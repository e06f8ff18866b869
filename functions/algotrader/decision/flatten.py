"""Owns the decision of a flatten: all that the desk holds is sold, whatever its strategy says."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from decimal import Decimal, localcontext

from algotrader.decision.proposal import and_difference
from algotrader.decision.stops import audit_stops
from algotrader.model import (
    Decision,
    Leg,
    Order,
    OrderDenied,
    OrderIntent,
    OrderType,
    Run,
    Settings,
    Side,
    Snapshot,
    TradingState,
)
from algotrader.model.units import FRACTION_STEP, MONEY, ONE_SHARE, ZERO, dollars, finite, tidy
from algotrader.orders.ids import OrderPlace, client_order_id
from algotrader.orders.own_orders import filled_of, is_protective, leg_of
from algotrader.orders.pricing import usable
from algotrader.orders.statuses import is_terminal
from algotrader.portfolio.capital import PortfolioState, portfolio_state
from algotrader.portfolio.position import DeskPosition
from algotrader.portfolio.sizing import floor_to
from algotrader.risk import pre_trade as limits
from algotrader.risk.broker_rules import broken_rule
from algotrader.risk.pre_trade import Denial


def flatten(run: Run, settings: Settings, snapshot: Snapshot) -> Decision:
    """Decide to sell the ledger's exact quantities at market, and nothing else; pure.

    What the desk's own open orders keep counts as free: they are all canceled first, and Submit
    Orders sells nothing before they have ended, nor more than is free then. Orders that protect a
    position whose sale is refused stay, and what a sale leaves over is protected as it was. A
    market order needs no price, so that none is asked for: a symbol that the feed does not know is
    what one most wants to be out of.
    """
    with localcontext(MONEY):
        freed = _as_if_canceled(snapshot)
        desk = portfolio_state(settings, freed)
        exits: list[OrderIntent] = []
        denied: list[OrderDenied] = []
        why: dict[str, str] = {}
        for symbol, position in desk.positions.items():
            wanted = tidy(position.held or max(position.book_qty, ZERO))
            if not wanted:
                why[symbol] = f"nothing to sell: holds 0{and_difference(position)}"
                continue
            qty = _sendable(position, freed)
            intent = _intent(position, qty, run, snapshot, desk)
            refusal = _refusal(position, qty, freed)
            refusal = refusal or broken_rule(intent, freed.assets.get(symbol))
            if refusal is not None:
                denied.append(OrderDenied(symbol, Side.SELL, wanted, refusal.code, refusal.detail))
                why[symbol] = f"denied sell {wanted:f}: {refusal.code}: {refusal.detail}"
                continue
            exits.append(intent)
            why[symbol] = intent.why
            if qty < wanted:
                denied.append(_rest(position, qty))
        sold = {each.symbol: desk.positions[each.symbol].held - each.qty for each in exits}
        cancels = _cancels(snapshot, {each.symbol for each in denied} - {*sold})
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
            stops=audit_stops(run, settings, snapshot, desk, {}, sold).wishes,
            filled_before=filled_of(snapshot.own_open_orders, cancels),
        )


def _as_if_canceled(snapshot: Snapshot) -> Snapshot:
    """Return the snapshot as it will be when the desk's own open orders have ended."""
    kept: defaultdict[str, Decimal] = defaultdict(Decimal)
    for order in snapshot.own_open_orders:
        if order.side is Side.SELL and not is_terminal(order) and order.qty is not None:
            kept[order.symbol] += max(order.qty - order.filled_qty, ZERO)
    return replace(
        snapshot,
        own_open_orders=(),
        positions={
            symbol: replace(
                each,
                qty_available=min(finite(each.qty), finite(each.qty_available) + kept[symbol]),
            )
            for symbol, each in snapshot.positions.items()
        },
    )


def _sendable(position: DeskPosition, snapshot: Snapshot) -> Decimal:
    """Return what of a holding the broker takes an order for: whole shares where it must be."""
    asset = snapshot.assets.get(position.symbol)
    step = FRACTION_STEP if asset is None or asset.fractionable else ONE_SHARE
    return floor_to(position.sellable, ONE_SHARE, step)


def _refusal(position: DeskPosition, qty: Decimal, snapshot: Snapshot) -> Denial | None:
    foreign = (each for each in snapshot.foreign_open_orders if each.symbol == position.symbol)
    refusal = (
        limits.trading_state(snapshot.trading_state, snapshot.trading_state_reason, Side.SELL)
        or limits.no_corporate_action(snapshot.corporate_actions, position.symbol)
        or limits.tradable(snapshot.assets.get(position.symbol), Side.SELL)
        or limits.no_opposite_order_open(foreign, Side.SELL)
    )
    if refusal is not None or qty > 0:
        return refusal
    return limits.ledger_matches(position) or limits.something_to_sell(qty, position)


def _rest(position: DeskPosition, qty: Decimal) -> OrderDenied:
    """Name what a sale leaves of a holding, so that nobody takes it for sold."""
    refusal = limits.part_sold(qty, position)
    return OrderDenied(
        position.symbol, Side.SELL, tidy(position.held - qty), refusal.code, refusal.detail
    )


def _intent(
    position: DeskPosition, qty: Decimal, run: Run, snapshot: Snapshot, desk: PortfolioState
) -> OrderIntent:
    symbol = position.symbol
    reference = desk.references.get(symbol, ZERO)
    price = usable(snapshot.prices.get(symbol))
    at = "at market, no latest price" if price is None else f"at market, latest {dollars(price)}"
    rest = f", of which {qty:f} can be sold" if qty < position.held else ""
    return OrderIntent(
        client_order_id=client_order_id(
            OrderPlace(run.desk, run.session, run.slot, symbol, Leg.FLATTEN, 0)
        ),
        symbol=symbol,
        side=Side.SELL,
        leg=Leg.FLATTEN,
        qty=qty,
        order_type=OrderType.MARKET,
        limit_price=None,
        reference_price=reference,
        why=f"sell {qty:f}: flatten, {at}; holds {tidy(position.held):f}{rest}"
        f"{and_difference(position)}",
    )


def _cancels(snapshot: Snapshot, refused: set[str]) -> tuple[str, ...]:
    """Name the desk's own open orders, but not those that protect what stays.

    A halted desk cancels its entries alone, as in any run.
    """
    halted = snapshot.trading_state is TradingState.HALTED
    return tuple(
        sorted(
            order.client_order_id
            for order in snapshot.own_open_orders
            if not is_terminal(order)
            and (
                leg_of(order.client_order_id) is Leg.ENTRY
                if halted
                else not _protects_any_of(refused, order)
            )
        )
    )


def _protects_any_of(symbols: set[str], order: Order) -> bool:
    return order.symbol in symbols and is_protective(order)
