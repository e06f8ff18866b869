"""Owns the audit of protective stops: which stops are right, and which to place again."""

from __future__ import annotations

from collections.abc import Container, Mapping
from datetime import datetime, timedelta
from decimal import ROUND_FLOOR, Decimal

from msgspec import Struct

from algotrader.model import (
    DesiredStop,
    LatestPrice,
    Leg,
    Order,
    Side,
    TimeInForce,
    TradingState,
    Unfit,
)
from algotrader.model.units import NO_PRICE, ONE_SHARE, ZERO, Price, Shares, format_dollars, tidy
from algotrader.orders.ids import OrderPlace, client_order_id
from algotrader.orders.own_orders import remaining, resting_stops
from algotrader.orders.pricing import tick_of, usable_price
from algotrader.orders.statuses import stands
from algotrader.portfolio.position import DeskPosition
from algotrader.risk.context import RiskContext
from algotrader.risk.eligibility import corporate_action
from algotrader.risk.holdings import opposite_order_open
from algotrader.risk.prices import no_price, price_deviation, stop_above_price

# Alpaca ends a good-until-canceled order after 90 days, so the desk renews it earlier.
RENEW_AFTER = timedelta(days=80)


class StopAudit(Struct, frozen=True):
    """The desk's stops to place and to cancel, and what to report about them.

    Attributes
    ----------
    wishes : tuple of DesiredStop
        Stops to place once the cancels and trades in their symbols have ended.
    cancels : tuple of str
        Client order ids of the resting stops to cancel first.
    unprotected : dict of str to str
        By symbol, why a holding stays without the stop that the strategy requests.
    warnings : dict of str to str
        By symbol, text to append to the symbol's reason.
    """

    wishes: tuple[DesiredStop, ...]
    cancels: tuple[str, ...]
    unprotected: dict[str, str]
    warnings: dict[str, str]


class _Finding(Struct, frozen=True):
    """What to do about one symbol's stops.

    Attributes
    ----------
    clears : bool
        Whether to cancel the resting stops.
    price : Price or None
        Where to place a stop, or None if nowhere.
    unprotected : str
        Why the holding has no stop, or an empty string if it has one or should have none.
    """

    clears: bool = False
    price: Price | None = None
    unprotected: str = ""
    warning: str = ""


def stop_level(price: Decimal) -> Price:
    """Round a stop price down to the tick; at least one tick."""
    tick = tick_of(price)
    return Price(max(price.quantize(tick, ROUND_FLOOR), tick))


def audit_stops(
    context: RiskContext,
    asked: Mapping[str, Price],
    traded: Mapping[str, Shares],
    stuck: Container[str] = frozenset(),
    *,
    asks_stops: bool = False,
) -> StopAudit:
    """Check the stops that rest at the broker against the strategy's stop prices.

    Parameters
    ----------
    asked : Mapping of str to Price
        The strategy's stop prices, as `stop_level` rounded them.
    traded : Mapping of str to Shares
        For each symbol in which this run sends an order, the shares held afterwards. The run
        cancels the symbol's stops first and places them again last.
    stuck : Container of str
        Symbols that the strategy sells but the desk cannot sell now; their stops stay.
    asks_stops : bool
        Whether the strategy uses stops, so that an unfit holding without one is unprotected.

    Returns
    -------
    StopAudit
        A stop that the run cannot renew stays, unless it covers more shares than the desk holds.
        Such a stop would sell the user's shares.
    """
    resting = resting_stops(context.snapshot.own_open_orders)
    findings = {
        symbol: _finding(
            position,
            resting.get(symbol, []),
            context,
            price=asked.get(symbol),
            remains=traded.get(symbol),
            is_stuck=symbol in stuck,
            asks_stops=asks_stops,
        )
        for symbol, position in context.portfolio.positions.items()
    }
    return StopAudit(
        wishes=tuple(
            _wish(context, symbol, each.price, each.warning)
            for symbol, each in findings.items()
            if each.price is not None
        ),
        cancels=tuple(
            stop.client_order_id
            for symbol, each in findings.items()
            if each.clears
            for stop in resting.get(symbol, ())
        ),
        unprotected={
            symbol: each.unprotected for symbol, each in findings.items() if each.unprotected
        },
        warnings={symbol: each.warning for symbol, each in findings.items() if each.warning},
    )


def _finding(
    position: DeskPosition,
    there: list[Order],
    context: RiskContext,
    *,
    price: Price | None,
    remains: Shares | None,
    is_stuck: bool,
    asks_stops: bool,
) -> _Finding:
    """Judge a symbol's stops; ``remains`` is None if the run does not trade the symbol."""
    snapshot = context.snapshot
    unfit = context.unfit.get(position.symbol)
    if unfit is not None or snapshot.trading_state is TradingState.HALTED:
        return _left_alone(position, there, unfit, is_wanted=asks_stops if unfit else bool(price))
    if remains is not None:
        return _traded(there, price, snapshot.prices.get(position.symbol), remains)
    if position.held <= 0 or price is None:
        # The stop of a symbol outside the universe stays, because the strategy cannot see it.
        is_dropped = position.symbol in context.settings.symbols and not is_stuck
        clears = position.held <= 0 or is_dropped or remaining(there) > position.held
        return _Finding(clears, warning="" if clears or not there else _rests(there))
    covered = Shares(position.sellable // ONE_SHARE)
    flaw = _flaw(there, price=price, covered=covered, now=context.now)
    if not flaw:
        return _Finding(warning=_rests(there))
    if obstacle := _obstacle(position.symbol, context, price=price, covered=covered):
        clears = remaining(there) > position.held
        return _Finding(
            clears,
            unprotected=obstacle if clears or not there else "",
            warning=f"{flaw}, and the run cannot place another: {obstacle}",
        )
    return _Finding(clears=True, price=price, warning=f"stop at {format_dollars(price)}: {flaw}")


def _left_alone(
    position: DeskPosition, there: list[Order], unfit: Unfit | None, *, is_wanted: bool
) -> _Finding:
    """Keep the stops of an unfit symbol or a halted desk, unless they would sell too much."""
    left, covered = remaining(there), position.sellable // ONE_SHARE
    if left > position.held:
        return _Finding(clears=True, warning="its stop covers more than the desk holds")
    warning = _rests(there) if unfit and there else ""
    if not is_wanted or position.held <= 0 or left >= covered > 0:
        return _Finding(warning=warning)
    why = "trading is halted" if unfit is None else f"unfit, {unfit}"
    lacks = f", its stop covers {tidy(left):f} of {tidy(covered):f}" if there else ""
    return _Finding(unprotected=f"{why}{lacks}", warning=warning)


def _traded(
    there: list[Order], price: Price | None, latest: LatestPrice | None, remains: Shares
) -> _Finding:
    """Place a stop again at the requested price, otherwise at its old price.

    Without a latest price the run uses the old price, and the broker accepts or rejects the stop.
    """
    rested = [Price(each.stop_price) for each in there if each.stop_price is not None]
    asked = [] if price is None or latest is None else [price]
    level = next(
        (each for each in (*asked, *rested) if latest is None or each < latest.price), None
    )
    if level is not None:
        return _Finding(clears=True, price=level, warning=f"stop at {format_dollars(level)}")
    if price is None or latest is None or remains <= 0:
        return _Finding(clears=True)
    why = str(stop_above_price(stop=price, price=Price(latest.price)) or "")
    return _Finding(
        clears=True, unprotected=why, warning=f"no stop for the remaining shares: {why}"
    )


def _flaw(there: list[Order], *, price: Price, covered: Shares, now: datetime) -> str:
    """Describe what is wrong with the resting stops.

    Return an empty string if exactly one rests and is right.
    """
    if len(there) != 1:
        return f"{len(there) or 'no'} stop{'s rest' if there else ' rests'}"
    stop, left = there[0], remaining(there)
    age = now - stop.submitted_at
    flaws = {
        _rests(there): stop.stop_price != price,
        f"its stop covers {tidy(left):f} of {tidy(covered):f}": left != covered,
        "its stop ends with the day": stop.time_in_force != TimeInForce.GTC,
        f"its stop is {age.days} days old": age >= RENEW_AFTER,
        f"its stop is {stop.status}": not stands(stop),
    }
    return next((flaw for flaw, is_so in flaws.items() if is_so), "")


def _obstacle(symbol: str, context: RiskContext, *, price: Price, covered: Shares) -> str:
    """Explain why the run cannot place a stop without a trade, or return an empty string."""
    snapshot = context.snapshot
    latest = snapshot.prices.get(symbol)
    denial, current = no_price(latest), usable_price(latest)
    if current is not None:
        denial = stop_above_price(stop=price, price=current)
        if denial is None and corporate_action(snapshot.corporate_actions, symbol):
            # If the price changed before the bars did, a stop between the old and the new price
            # would sell immediately.
            denial = price_deviation(
                price=current,
                last_close=snapshot.last_closes.get(symbol),
                allowed=context.settings.max_price_deviation,
            )
    denial = denial or opposite_order_open(context.foreign_orders(symbol), Side.SELL)
    if denial is not None:
        return str(denial)
    return "" if covered > 0 else "no whole share is free to protect"


def _wish(context: RiskContext, symbol: str, price: Price, why: str) -> DesiredStop:
    run, desk = context.run, context.portfolio
    place = OrderPlace(run.desk, run.session, run.slot, symbol, Leg.STOP, 0)
    return DesiredStop(
        client_order_id=client_order_id(place),
        symbol=symbol,
        stop_price=price,
        reference_price=desk.references.get(symbol, NO_PRICE),
        held=desk.positions[symbol].held,
        why=why,
    )


def _rests(stops: list[Order]) -> str:
    return f"its stop rests at {format_dollars(stops[0].stop_price or ZERO)}"
