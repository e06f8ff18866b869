"""Owns protective stops at the bell: which rest as they should, which are to be placed again."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_FLOOR, Decimal

from algotrader.model import (
    DesiredStop,
    LatestPrice,
    Leg,
    Order,
    Run,
    Settings,
    Side,
    Snapshot,
    TimeInForce,
    TradingState,
)
from algotrader.model.units import ONE_SHARE, ZERO, dollars, tidy
from algotrader.orders.ids import OrderPlace, client_order_id
from algotrader.orders.own_orders import remaining, resting_stops
from algotrader.orders.pricing import tick_of
from algotrader.orders.statuses import stands
from algotrader.portfolio.capital import PortfolioState
from algotrader.portfolio.position import DeskPosition
from algotrader.risk import pre_trade as limits

# Alpaca ends an order that is good until canceled after 90 days: it is renewed well before.
RENEW_AFTER = timedelta(days=80)


@dataclass(frozen=True, slots=True)
class StopAudit:
    """What is to be done about the desk's stops, and what is said of them.

    Attributes
    ----------
    wishes : tuple of DesiredStop
        Stops to place, once the cancels and trades in their symbols have ended.
    cancels : tuple of str
        Client order ids of resting stops that must go first.
    unprotected : dict of str to str
        Holdings that stay without the stop that the strategy asks for, and why.
    warnings : dict of str to str
        By symbol, to follow its why.
    """

    wishes: tuple[DesiredStop, ...]
    cancels: tuple[str, ...]
    unprotected: dict[str, str]
    warnings: dict[str, str]


@dataclass(frozen=True, slots=True)
class _Finding:
    """What is to be done about the stop of one symbol.

    Attributes
    ----------
    clears : bool
        Whether what rests is canceled.
    price : Decimal or None
        Where a stop is to be placed; None if none is.
    unprotected : str
        Why the holding stays without; empty if it has its stop, or is to have none.
    """

    clears: bool = False
    price: Decimal | None = None
    unprotected: str = ""
    warning: str = ""


def stop_level(price: Decimal) -> Decimal:
    """Cut a stop price down to the tick, and to one tick at least."""
    tick = tick_of(price)
    return max(price.quantize(tick, ROUND_FLOOR), tick)


def audit_stops(
    run: Run,
    settings: Settings,
    snapshot: Snapshot,
    desk: PortfolioState,
    asked: Mapping[str, Decimal],
    traded: Mapping[str, Decimal],
    stuck: Container[str] = frozenset(),
) -> StopAudit:
    """Check the stops that rest at the broker against what the strategy asks for.

    Parameters
    ----------
    asked : Mapping of str to Decimal
        The strategy's stop prices, as `stop_level` cut them.
    traded : Mapping of str to Decimal
        Symbols in which this run sends an order, and the shares that are to be there afterwards:
        their stops go first and come back last.
    stuck : Container of str
        Symbols that the strategy sells and the desk may not sell now: what protects them stays.

    Returns
    -------
    StopAudit
        A stop that must be renewed but can't be is left where it is, unless it is for more shares
        than the desk holds: then it would sell the user's.
    """
    resting = resting_stops(snapshot.own_open_orders)
    findings = {
        symbol: _finding(
            position,
            resting.get(symbol, []),
            asked.get(symbol),
            settings,
            snapshot,
            remains=traded.get(symbol),
            is_stuck=symbol in stuck,
        )
        for symbol, position in desk.positions.items()
    }
    return StopAudit(
        wishes=tuple(
            _wish(run, desk, symbol, each.price, each.warning)
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
    price: Decimal | None,
    settings: Settings,
    snapshot: Snapshot,
    *,
    remains: Decimal | None,
    is_stuck: bool,
) -> _Finding:
    """Judge the stop of one symbol; ``remains`` is None where nothing is traded."""
    if snapshot.trading_state is TradingState.HALTED:
        return _halted(position, there, price)
    if remains is not None:
        return _traded(there, price, snapshot.prices.get(position.symbol), remains)
    if position.held <= 0 or price is None:
        # Of a symbol that left the universe the strategy is not asked: its stop stays.
        is_dropped = position.symbol in settings.symbols and not is_stuck
        clears = position.held <= 0 or is_dropped or remaining(there) > position.held
        return _Finding(clears, warning="" if clears or not there else _rests(there))
    covered = position.sellable // ONE_SHARE
    flaw = _flaw(there, price, covered, snapshot.clock.now)
    if not flaw:
        return _Finding(warning=_rests(there))
    if obstacle := _obstacle(position.symbol, price, covered, snapshot, settings):
        clears = remaining(there) > position.held
        return _Finding(
            clears,
            unprotected=obstacle if clears or not there else "",
            warning=f"{flaw}, and no other can be placed: {obstacle}",
        )
    return _Finding(clears=True, price=price, warning=f"stop at {dollars(price)}: {flaw}")


def _halted(position: DeskPosition, there: list[Order], price: Decimal | None) -> _Finding:
    """Keep what rests, but for what would sell more than is held."""
    left, covered = remaining(there), position.sellable // ONE_SHARE
    if left > position.held:
        return _Finding(clears=True, warning="its stop is for more than is held")
    if price is None or position.held <= 0 or left >= covered > 0:
        return _Finding()
    lacks = f", its stop is for {tidy(left):f} of {tidy(covered):f}" if there else ""
    return _Finding(unprotected=f"trading is halted{lacks}")


def _traded(
    there: list[Order], price: Decimal | None, latest: LatestPrice | None, remains: Decimal
) -> _Finding:
    """Put a stop back where it is asked for, else where it was: there what is left was protected.

    Where no price tells, the broker judges a stop that has rested already.
    """
    rested = [each.stop_price for each in there if each.stop_price is not None]
    asked = [] if price is None or latest is None else [price]
    level = next(
        (each for each in (*asked, *rested) if latest is None or each < latest.price), None
    )
    if level is not None:
        return _Finding(clears=True, price=level, warning=f"stop at {dollars(level)}")
    if price is None or latest is None or remains <= 0:
        return _Finding(clears=True)
    refusal = limits.stop_below_price(price, latest.price)
    why = "" if refusal is None else f"{refusal.code}: {refusal.detail}"
    return _Finding(clears=True, unprotected=why, warning=f"no stop for what is left: {why}")


def _flaw(there: list[Order], price: Decimal, covered: Decimal, now: datetime) -> str:
    """Say what is wrong with the resting stops; empty if there is one and it is right."""
    if len(there) != 1:
        return f"{len(there) or 'no'} stop{'s rest' if there else ' rests'}"
    stop, left = there[0], remaining(there)
    age = now - stop.submitted_at
    flaws = {
        _rests(there): stop.stop_price != price,
        f"its stop is for {tidy(left):f} of {tidy(covered):f}": left != covered,
        "its stop ends with the day": stop.time_in_force != TimeInForce.GTC,
        f"its stop is {age.days} days old": age >= RENEW_AFTER,
        f"its stop is {stop.status}": not stands(stop),
    }
    return next((told for told, is_so in flaws.items() if is_so), "")


def _obstacle(
    symbol: str, price: Decimal, covered: Decimal, snapshot: Snapshot, settings: Settings
) -> str:
    """Say why a stop can't be placed though nothing is traded; empty if it can be."""
    latest = snapshot.prices.get(symbol)
    buys = [
        each
        for each in snapshot.foreign_open_orders
        if each.symbol == symbol and each.side is Side.BUY
    ]
    refusal = limits.price_known(latest)
    if refusal is None and latest is not None:
        refusal = limits.stop_below_price(price, latest.price)
        if refusal is None and limits.no_corporate_action(snapshot.corporate_actions, symbol):
            # Prices and bars need not have changed together: a stop between them would sell at once
            refusal = limits.price_near_close(
                latest.price, snapshot.last_closes.get(symbol), settings.max_price_deviation
            )
    refusal = refusal or limits.no_opposite_order_open(buys, Side.SELL)
    if refusal is not None:
        return f"{refusal.code}: {refusal.detail}"
    return "" if covered > 0 else "no whole share is free to protect"


def _wish(run: Run, desk: PortfolioState, symbol: str, price: Decimal, why: str) -> DesiredStop:
    place = OrderPlace(run.desk, run.session, run.slot, symbol, Leg.STOP, 0)
    return DesiredStop(
        client_order_id=client_order_id(place),
        symbol=symbol,
        stop_price=price,
        reference_price=desk.references.get(symbol, ZERO),
        held=desk.positions[symbol].held,
        why=why,
    )


def _rests(stops: list[Order]) -> str:
    return f"its stop rests at {dollars(stops[0].stop_price or ZERO)}"
