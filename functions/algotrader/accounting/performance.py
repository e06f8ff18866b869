"""Owns the desk's profit and loss, from its own fills, prices and dividends.

Every profit is the difference between two valuations of the desk's own ledger. The ledger contains
none of the user's own deposits, withdrawals or shares, so these never count as profit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal, localcontext

from msgspec import Struct, field
from msgspec.structs import replace

from algotrader.accounting.ex_dates import split_ratio
from algotrader.accounting.receivables import (
    NO_LISTING,
    Listing,
    book_adjustments,
    book_dividend,
    is_dividend,
    is_paid_ahead,
    last_seen,
    list_conversions,
    list_receivables,
    mark_counted,
    sell_fractions,
    shares_paid_on,
    value_due,
    value_new_shares,
)
from algotrader.model import (
    Activity,
    Adjustment,
    CorporateAction,
    Ledger,
    Receivable,
    Standing,
    SymbolProfit,
    Track,
    TrackDay,
)
from algotrader.model.performance import total_profit
from algotrader.model.units import MONEY, ONE, ZERO

#: A run reads the statement from this long before the last reading, to find late rows.
STATEMENT_MARGIN = timedelta(days=7)

_INDEX_STEP = Decimal("1e-12")
_LEAST_FACTOR = Decimal("1e-6")  # an index of 0 could never rise again
_NOTHING = Standing(ZERO, None, ZERO, ZERO, ZERO)


class Observation(Struct, frozen=True):
    """The desk's state, as one run observes it.

    Attributes
    ----------
    previous_session : date
        The session before ``session``.
    before : Ledger or None
        The ledger at the close of ``previous_session``, or None if unknown.
    closes : mapping of str to Decimal
        Prices per share at that close, not adjusted for later splits.
    prices : mapping of str to Decimal
        Current prices per share that the valuation accepts. A symbol without a price keeps its
        price of the last observation.
    worth : Decimal
        Capital base: desk capital, or the positions' value if that is more.
    statement : tuple of Activity or None
        The account's statement from `statement_start` on, or None if it could not be read.
    shares : mapping of str to Decimal
        The account's shares.
    actions : tuple of CorporateAction
        Actions with an ex-date after ``previous_session`` and up to ``session``.
    reset_at : datetime or None
        When a person last reset the peak.
    listing : Listing
        All corporate actions that the run read, and the shares that the desk held over their
        ex-dates.
    adjustments : tuple of Adjustment
        All shares that a person gave to a desk or took from it.
    left : mapping of str to Decimal
        Dollars that left each symbol's price since that close, per share after splits.
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
    listing: Listing = NO_LISTING
    adjustments: tuple[Adjustment, ...] = ()
    left: Mapping[str, Decimal] = field(default_factory=dict)


def advance_track(track: Track | None, observation: Observation) -> Track:
    """Advance the track to an observation, or begin a new track.

    Repeating an observation changes nothing. The index grows by the profit since the last
    observation, as a fraction of the capital base at that observation. That base paid for every buy
    since then.
    """
    observation = replace(observation, prices=_add_carried_prices(track, observation))
    receivables = _receivables(track, observation)
    received = _received(track)
    day = _day(
        track,
        observation,
        _sum(received, _due_at_close(track, observation, receivables)),
        _sum(received, value_due(receivables)),
    )
    counted = () if track is None else track.counted
    statement_at = None if track is None else track.statement_at
    ahead = set()
    for row in observation.statement or ():
        is_new = (
            row.day > observation.previous_session
            if track is None
            else row.activity_id not in counted
        )
        if is_new and is_dividend(row):
            if is_paid_ahead(row, observation.listing, observation.session):
                ahead.add(row.activity_id)
                continue
            held = shares_paid_on(row, observation.listing)
            if held is None:
                held = day.standings.get(row.symbol, _NOTHING).qty
            receivables, part = book_dividend(receivables, row, observation.shares, held)
            received = _sum(received, {row.symbol: part})
    if observation.statement is not None:
        rows = {row.activity_id for row in observation.statement}
        counted = tuple(sorted(rows - ahead))
        statement_at = observation.at
    receivables, adopted = book_adjustments(
        receivables, observation.adjustments, observation.ledger.desk
    )
    receivables, sold = sell_fractions(receivables, observation.session)
    dividends = _sum(received, adopted, sold, value_due(receivables))
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
        statement_at=statement_at,
        counted=counted,
        reset_at=observation.reset_at if is_reset else (None if track is None else track.reset_at),
        started=None if track is None else track.started,
        receivables=receivables,
        conversions=list_conversions(
            {} if track is None else track.conversions,
            observation.listing,
            observation.ledger,
            observation.session,
        ),
    )


def _receivables(track: Track | None, observation: Observation) -> tuple[Receivable, ...]:
    """Return the receivables at this observation, before the rows that pay them are booked."""
    known = () if track is None else track.receivables
    before = {
        symbol: close / split_ratio(observation.actions, symbol)
        - sum((each.cash for each in observation.actions if each.symbol == symbol), ZERO)
        for symbol, close in observation.closes.items()
    }
    found = value_new_shares(
        list_receivables(
            track, observation.listing, observation.session, observation.previous_session
        ),
        observation.prices,
        before,
        observation.previous_session,
    )
    if track is None or not observation.statement:
        return found
    rows = [row for row in observation.statement if row.activity_id in track.counted]
    old = {(each.symbol, each.ex_date, each.kind) for each in known}
    return tuple(
        each if (each.symbol, each.ex_date, each.kind) in old else mark_counted((each,), rows)[0]
        for each in found
    )


def _received(track: Track | None) -> dict[str, Decimal]:
    """Return the dollars of dividends received so far, without those that are only due."""
    if track is None:
        return {}
    due = value_due(track.receivables)
    return {s: each.dividends - due.get(s, ZERO) for s, each in track.standings.items()}


def _due_at_close(
    track: Track | None, observation: Observation, receivables: Iterable[Receivable]
) -> dict[str, Decimal]:
    """Return the dollars that were due at the previous close, by the symbol whose price they left.

    A corporate action that the broker listed late counts when a run first sees it.
    """
    seen = last_seen(track, observation.previous_session)
    unseen = (each for each in receivables if track is None or each.ex_date > seen)
    known = (*(() if track is None else track.receivables), *unseen)
    closes = observation.closes
    return value_due(
        replace(each, price=closes.get(each.new, each.price)) if each.new else each
        for each in known
        if each.ex_date <= observation.previous_session
    )


def _sum(*amounts: Mapping[str, Decimal]) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for each in amounts:
        for symbol, dollars in each.items():
            found[symbol] = found.get(symbol, ZERO) + dollars
    return found


def statement_start(track: Track | None, previous_close: datetime) -> datetime:
    """Return the instant from which a run must read the statement."""
    known = [previous_close]
    if track is not None and track.statement_at is not None:
        known.append(track.statement_at)
    if track is not None and track.cash is not None:
        known.append(track.cash.at)
    return min(known) - STATEMENT_MARGIN


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


def carried_price(
    track: Track | None,
    session: date,
    actions: Iterable[CorporateAction],
    symbol: str,
    left: Mapping[str, Decimal],
) -> Decimal | None:
    """Return a share's price at the last observation, less what left it since, or None if unknown.

    Parameters
    ----------
    session : date
        The session of the current observation.
    actions, left
        As in `Observation`.
    """
    last = None if track is None else track.standings.get(symbol)
    if track is None or last is None or last.price is None:
        return None
    if track.day.session == session:
        return last.price
    price = last.price / split_ratio(actions, symbol) - left.get(symbol, ZERO)
    return price if price > 0 else None


def _add_carried_prices(track: Track | None, observation: Observation) -> dict[str, Decimal]:
    """Return the prices, with the last observed price instead of a missing one."""
    found = dict(observation.prices)
    for symbol in observation.ledger.holdings:
        carried = carried_price(
            track, observation.session, observation.actions, symbol, observation.left
        )
        if symbol not in found and carried is not None:
            found[symbol] = carried
    return found


def _day(
    track: Track | None,
    observation: Observation,
    at_close: Mapping[str, Decimal],
    now: Mapping[str, Decimal],
) -> TrackDay:
    """Return the start of the session's profit: the previous close, or the nearest observation.

    Parameters
    ----------
    at_close, now : mapping of str to Decimal
        Dividends in dollars, received or due, by symbol.
    """
    if track is not None and track.day.session == observation.session:
        known = _priced_since(track.day.standings, observation)
        gained = total_profit(known) - total_profit(track.day.standings)
        return replace(track.day, standings=known, counted_from=track.day.counted_from + gained)
    if observation.before is not None:
        last = {} if track is None else track.standings
        carried = {s: each.price for s, each in last.items() if each.price is not None}
        standings = standings_of(observation.before, {**carried, **observation.closes}, at_close)
    elif track is not None:
        standings = track.standings
    else:
        standings = standings_of(observation.ledger, observation.prices, now)
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
        symbol: replace(
            each,
            price=(now + observation.left.get(symbol, ZERO))
            * split_ratio(observation.actions, symbol),
        )
        if each.price is None and each.qty and (now := observation.prices.get(symbol)) is not None
        else each
        for symbol, each in standings.items()
    }


def _base(track: Track | None, observation: Observation) -> Decimal:
    """Return the capital base for the session's loss; money withdrawn since then does not count."""
    if track is None:
        return observation.worth
    return min((each for each in (track.worth, observation.worth) if each > 0), default=ZERO)


def _index(
    track: Track | None, observation: Observation, standings: Mapping[str, Standing]
) -> tuple[Decimal, Decimal]:
    """Compute the index and its peak."""
    if track is None:
        return ONE, ONE
    is_same = track.day.session == observation.session
    last = _priced_since(
        track.standings, replace(observation, actions=(), left={}) if is_same else observation
    )
    with localcontext(MONEY):
        gained = total_profit(standings) - total_profit(last)
        factor = ONE + gained / track.worth if track.worth > 0 else ONE
        index = (track.index * max(factor, _LEAST_FACTOR)).quantize(_INDEX_STEP)
    index = max(index, _INDEX_STEP)
    return index, max(track.peak, index)
