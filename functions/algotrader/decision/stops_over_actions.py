"""Owns the desk's stops over a corporate action: which to cancel the evening before, and why.

Alpaca adjusts the quantity of any open order, but adjusts the price only of good-until-canceled
limit orders. So a stop above the price after a split sells everything at the open.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal, localcontext

from algotrader.model import (
    CorporateAction,
    Decision,
    LatestPrice,
    Ledger,
    Order,
    Run,
    Session,
    Settings,
    Snapshot,
    TradingMode,
)
from algotrader.model.market import NAME_CHANGE
from algotrader.model.units import MONEY, ONE_SHARE, ZERO, finite
from algotrader.orders.ids import desk_prefix
from algotrader.orders.own_orders import filled_of, is_stop, remaining, resting_stops
from algotrader.orders.pricing import usable_price
from algotrader.portfolio.capital import portfolio_state

#: A cash dividend of at least this share of the price counts as special.
SPECIAL_SHARE = Decimal("0.03")


def endangers_stop(action: CorporateAction, price: Decimal | None, stop: Decimal) -> bool:
    """Whether a stop may sell by mistake over an action's ex-date.

    A name change does not move the price. A cash dividend counts if the broker flags it as special,
    if its dollars are unknown or at least `SPECIAL_SHARE` of the price, or if it alone brings the
    price down to the stop.

    Parameters
    ----------
    price : Decimal or None
        The latest price, or None if unknown; the stop's price then takes its place.
    """
    if not action.is_cash_dividend:
        return action.kind != NAME_CHANGE
    cash = finite(action.cash)
    if action.is_special or cash <= 0:
        return True
    base = stop if price is None else price
    return cash >= SPECIAL_SHARE * base or (price is not None and price - cash <= stop)


def stops_at_risk(
    own_open_orders: Iterable[Order],
    ahead: Iterable[CorporateAction],
    prices: Mapping[str, LatestPrice],
) -> dict[str, CorporateAction]:
    """Return the actions of the next session over which an open stop must not rest, by symbol.

    Parameters
    ----------
    own_open_orders : iterable of Order
        The desk's own open orders.
    ahead : iterable of CorporateAction
        The actions with an ex-date after this session, up to the next one.
    """
    resting = resting_stops(own_open_orders)
    found: dict[str, CorporateAction] = {}
    for action in ahead:
        price = usable_price(prices.get(action.symbol))
        if any(
            endangers_stop(action, price, stop.stop_price or ZERO)
            for stop in resting.get(action.symbol, ())
        ):
            found.setdefault(action.symbol, action)
    return found


def stops_canceled(
    ledger: Ledger,
    orders: Sequence[Order],
    actions: Iterable[CorporateAction],
    sessions: Sequence[Session],
    prices: Mapping[str, LatestPrice],
) -> dict[str, CorporateAction]:
    """Return the actions over which a holding lost its stop and has no new one, by symbol.

    The desk cancels such a stop between the last close before the ex-date and the ex-date's open.

    Parameters
    ----------
    orders : sequence of Order
        The account's orders, including those that have ended.
    sessions : sequence of Session
        The exchange's sessions, ascending, up to the next one.
    """
    own = [each for each in orders if each.client_order_id.startswith(desk_prefix(ledger.desk))]
    newest: dict[str, Order] = {}
    for stop in sorted(filter(is_stop, own), key=lambda each: each.submitted_at):
        newest[stop.symbol] = stop
    resting = resting_stops(own)
    found: dict[str, CorporateAction] = {}
    for action in actions:
        held, last = ledger.holdings.get(action.symbol), newest.get(action.symbol)
        if held is None or held.qty < ONE_SHARE or last is None or action.symbol in resting:
            continue
        price = usable_price(prices.get(action.symbol))
        if (
            last.canceled_at is not None
            and remaining([last]) > 0
            and _is_eve(last.canceled_at, action, sessions)
            and endangers_stop(action, price, last.stop_price or ZERO)
        ):
            found.setdefault(action.symbol, action)
    return found


def _is_eve(at: datetime, action: CorporateAction, sessions: Sequence[Session]) -> bool:
    """Whether an instant is between the last close before the ex-date and the ex-date's open."""
    before = [each for each in sessions if each.date < action.ex_date]
    ahead = [each for each in sessions if each.date >= action.ex_date]
    return bool(before and ahead) and before[-1].close <= at < ahead[0].open


def may_cancel_stops(run: Run, settings: Settings, snapshot: Snapshot) -> bool:
    """Whether a report cancels the stops at risk.

    Only the scheduled report does, after the close, in a mode that sends orders. A halted desk
    cancels them too, since a stop left open would sell the holding at the open.
    """
    return (
        bool(snapshot.stops_at_risk)
        and run.is_report
        and run.takes_claim
        and settings.mode is not TradingMode.DRY_RUN
        and snapshot.is_after_close
    )


def cancel_stops(run: Run, settings: Settings, snapshot: Snapshot) -> Decision:
    """Decide to cancel the desk's stops that are at risk, and nothing else; pure."""
    resting = resting_stops(snapshot.own_open_orders)
    cancels = tuple(
        sorted(
            stop.client_order_id
            for symbol in snapshot.stops_at_risk
            for stop in resting.get(symbol, ())
        )
    )
    with localcontext(MONEY):
        desk = portfolio_state(settings, snapshot)
    return Decision(
        run_id=run.run_id,
        strategy=settings.strategy,
        desk_capital=desk.capital,
        spendable=desk.spendable,
        target_weights={},
        exits=(),
        entries=(),
        cancels=cancels,
        denied=(),
        why={
            symbol: f"cancel the stop over the {action.description}"
            for symbol, action in sorted(snapshot.stops_at_risk.items())
        },
        stops=(),
        filled_before=filled_of(snapshot.own_open_orders, cancels),
    )
