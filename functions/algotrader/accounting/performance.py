"""Owns the desk's profit and loss, from its own fills, prices and dividends.

Every profit is the difference between two valuations of the desk's own ledger. The ledger contains
no deposits, withdrawals or shares of the user, so these never count as profit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import ROUND_DOWN, Decimal, localcontext

from algotrader.model import (
    Activity,
    ActivityKind,
    CorporateAction,
    Entitlement,
    Ledger,
    Standing,
    SymbolProfit,
    Track,
    TrackDay,
)
from algotrader.model.performance import total_profit
from algotrader.model.units import CENT, MONEY, ONE, ZERO

#: A run reads the statement from this long before the last reading, to find late rows.
STATEMENT_MARGIN = timedelta(days=7)
#: Longest time from ex-date to payment. A dividend paid later counts for the shares held at
#: payment.
PAYMENT_WITHIN = timedelta(days=120)

_INDEX_STEP = Decimal("1e-12")
_LEAST_FACTOR = Decimal("1e-6")  # an index of 0 could never rise again
_NOTHING = Standing(ZERO, None, ZERO, ZERO, ZERO)


@dataclass(frozen=True, slots=True)
class Observation:
    """The desk's state, as one run observes it.

    Attributes
    ----------
    previous_session : date
        The session before ``session``.
    before : Ledger or None
        The ledger at the close of ``previous_session``; None if unknown.
    closes : mapping of str to Decimal
        Prices per share at that close, not adjusted for later splits.
    prices : mapping of str to Decimal
        Current prices per share that the valuation accepts. A symbol without a price keeps that
        of the last observation.
    worth : Decimal
        Capital base: desk capital, or the positions' value if that is more.
    statement : tuple of Activity or None
        The account's statement from `statement_start` on; None if it could not be read.
    shares : mapping of str to Decimal
        The account's shares.
    actions : tuple of CorporateAction
        Actions with an ex-date after ``previous_session`` and up to ``session``.
    reset_at : datetime or None
        When a person last reset the peak.
    """

    session: date
    previous_session: date
    at: datetime
    ledger: Ledger
    before: Ledger | None
    closes: Mapping[str, Decimal]
    prices: Mapping[str, Decimal]
    worth: Decimal
    statement: tuple[Activity, ...] | None
    shares: Mapping[str, Decimal]
    actions: tuple[CorporateAction, ...]
    reset_at: datetime | None


def advance_track(track: Track | None, observation: Observation) -> Track:
    """Advance the track to an observation, or begin a new track.

    Repeating an observation changes nothing. The index grows by the profit since the last
    observation, as a fraction of the capital base at that observation. That base paid for every buy
    since then.
    """
    dividends = {} if track is None else {s: each.dividends for s, each in track.standings.items()}
    observation = replace(observation, prices=_add_carried_prices(track, observation))
    day = _day(track, observation, dividends)
    entitled = _note_entitlements(track, observation, day)
    counted = () if track is None else track.counted
    statement_at = None if track is None else track.statement_at
    for row in observation.statement or ():
        is_new = (
            row.day > observation.previous_session
            if track is None
            else row.activity_id not in counted
        )
        if is_new and is_dividend(row):
            part = dividend_part(row, _qty_paid(row, entitled, day), observation.shares)
            dividends[row.symbol] = dividends.get(row.symbol, ZERO) + part
    if observation.statement is not None:
        counted = tuple(sorted(row.activity_id for row in observation.statement))
        statement_at = observation.at
    standings = standings_of(observation.ledger, observation.prices, dividends)
    index, peak = _index(track, observation, standings)
    # The time comes from a person's machine, so any different time counts, even an earlier one.
    is_reset = observation.reset_at is not None and (
        track is None or observation.reset_at != track.reset_at
    )
    return Track(
        desk=observation.ledger.desk,
        at=observation.at,
        standings=standings,
        worth=observation.worth,
        index=index,
        peak=index if is_reset else peak,
        day=day,
        entitled=entitled,
        statement_at=statement_at,
        counted=counted,
        reset_at=observation.reset_at if is_reset else (None if track is None else track.reset_at),
        started=None if track is None else track.started,
    )


def statement_start(track: Track | None, previous_close: datetime) -> datetime:
    """Return the instant from which a run must read the statement."""
    if track is None or track.statement_at is None:
        return previous_close - STATEMENT_MARGIN
    return min(track.statement_at, previous_close) - STATEMENT_MARGIN


def standings_of(
    ledger: Ledger, prices: Mapping[str, Decimal], dividends: Mapping[str, Decimal]
) -> dict[str, Standing]:
    """Value a ledger by symbol, in alphabetical order."""
    return {
        symbol: Standing(
            qty=held.qty if (held := ledger.holdings.get(symbol)) is not None else ZERO,
            price=prices.get(symbol) if held is not None else None,
            cost=held.cost if held is not None else ZERO,
            realized=ledger.realized.get(symbol, ZERO),
            dividends=dividends.get(symbol, ZERO),
        )
        for symbol in sorted({*ledger.holdings, *ledger.realized, *dividends})
    }


def profit_by_symbol(track: Track) -> tuple[SymbolProfit, ...]:
    """Return the session's profit in each symbol that the desk held, sold or earned income from."""
    found = []
    for symbol in sorted({*track.standings, *track.day.standings}):
        now = track.standings.get(symbol, _NOTHING)
        then = track.day.standings.get(symbol, _NOTHING)
        row = SymbolProfit(
            symbol=symbol,
            qty=now.qty,
            price=now.price,
            value=now.value,
            realized=now.realized - then.realized,
            unrealized=now.unrealized - then.unrealized,
            dividends=now.dividends - then.dividends,
        )
        if row.qty or then.qty or row.realized or row.dividends:
            found.append(row)
    return tuple(found)


def is_dividend(row: Activity) -> bool:
    """Whether a row is a dividend of a symbol, or a tax or fee on one."""
    return bool(row.symbol) and row.kind is ActivityKind.DIVIDEND


def dividend_part(row: Activity, held: Decimal, shares: Mapping[str, Decimal]) -> Decimal:
    """Compute the desk's part of a dividend in dollars, in proportion to its shares.

    Parameters
    ----------
    held : Decimal
        The desk's shares.
    shares : mapping of str to Decimal
        The account's shares, for a row that does not say how many shares it was paid on.
    """
    paid_on = shares.get(row.symbol, ZERO) if row.qty is None else row.qty
    if held <= 0 or paid_on <= 0:
        return ZERO
    return (row.amount * min(held / paid_on, ONE)).quantize(CENT, ROUND_DOWN)


def carried_price(
    track: Track | None, session: date, actions: Iterable[CorporateAction], symbol: str
) -> Decimal | None:
    """Return a share's price at the last observation, adjusted for later splits; None if unknown.

    Parameters
    ----------
    session : date
        The session of the current observation.
    actions : iterable of CorporateAction
        As in `Observation`.
    """
    last = None if track is None else track.standings.get(symbol)
    if track is None or last is None or last.price is None:
        return None
    ratio = ONE if track.day.session == session else split_ratio(actions, symbol)
    return last.price / ratio


def split_ratio(actions: Iterable[CorporateAction], symbol: str) -> Decimal:
    """Compute the product of a symbol's split ratios; 1 without a split."""
    ratio = ONE
    for each in actions:
        if each.symbol == symbol and each.ratio is not None:
            ratio *= each.ratio
    return ratio


def _add_carried_prices(track: Track | None, observation: Observation) -> dict[str, Decimal]:
    """Return the prices, with the last observed price instead of a missing one."""
    found = dict(observation.prices)
    for symbol in observation.ledger.holdings:
        carried = carried_price(track, observation.session, observation.actions, symbol)
        if symbol not in found and carried is not None:
            found[symbol] = carried
    return found


def _day(
    track: Track | None, observation: Observation, dividends: Mapping[str, Decimal]
) -> TrackDay:
    """Return the start of the session's profit: the previous close, or the nearest observation."""
    if track is not None and track.day.session == observation.session:
        known = _priced_since(track.day.standings, observation)
        gained = total_profit(known) - total_profit(track.day.standings)
        return replace(track.day, standings=known, counted_from=track.day.counted_from + gained)
    if observation.before is not None:
        last = {} if track is None else track.standings
        carried = {s: each.price for s, each in last.items() if each.price is not None}
        standings = standings_of(observation.before, {**carried, **observation.closes}, dividends)
    elif track is not None:
        standings = track.standings
    else:
        standings = standings_of(observation.ledger, observation.prices, dividends)
        return TrackDay(observation.session, standings, observation.worth, total_profit(standings))
    standings = _priced_since(standings, observation)
    return TrackDay(
        observation.session, standings, _base(track, observation), total_profit(standings)
    )


def _priced_since(
    standings: Mapping[str, Standing], observation: Observation
) -> dict[str, Standing]:
    """Return the standings, with today's price for shares that had none.

    Their cost may be months old, and a loss since then is not this session's loss.
    """
    return {
        symbol: replace(each, price=now * split_ratio(observation.actions, symbol))
        if each.price is None and each.qty and (now := observation.prices.get(symbol)) is not None
        else each
        for symbol, each in standings.items()
    }


def _base(track: Track | None, observation: Observation) -> Decimal:
    """Return the capital base for the session's loss; money withdrawn since then does not count."""
    if track is None:
        return observation.worth
    return min((each for each in (track.worth, observation.worth) if each > 0), default=ZERO)


def _note_entitlements(
    track: Track | None, observation: Observation, day: TrackDay
) -> dict[str, Entitlement]:
    """Return the entitlements, plus the desk's shares on each new ex-date."""
    known = {} if track is None else dict(track.entitled)
    for action in observation.actions:
        if action.is_cash_dividend:
            qty = day.standings.get(action.symbol, _NOTHING).qty
            known[action.symbol] = Entitlement(action.ex_date, qty)
    return {
        s: each for s, each in known.items() if observation.session - each.ex_date <= PAYMENT_WITHIN
    }


def _qty_paid(row: Activity, entitled: Mapping[str, Entitlement], day: TrackDay) -> Decimal:
    entitlement = entitled.get(row.symbol)
    if entitlement is not None and entitlement.ex_date <= row.day:
        return entitlement.qty
    return day.standings.get(row.symbol, _NOTHING).qty


def _index(
    track: Track | None, observation: Observation, standings: Mapping[str, Standing]
) -> tuple[Decimal, Decimal]:
    """Compute the index and its peak."""
    if track is None:
        return ONE, ONE
    is_same = track.day.session == observation.session
    last = _priced_since(
        track.standings, replace(observation, actions=()) if is_same else observation
    )
    with localcontext(MONEY):
        gained = total_profit(standings) - total_profit(last)
        factor = ONE + gained / track.worth if track.worth > 0 else ONE
        index = (track.index * max(factor, _LEAST_FACTOR)).quantize(_INDEX_STEP)
    index = max(index, _INDEX_STEP)
    return index, max(track.peak, index)
