"""Owns how a run measures the desk's profit, tracks it, and applies the loss limits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from algotrader.accounting.performance import (
    Observation,
    advance_track,
    profit_by_symbol,
    statement_start,
)
from algotrader.accounting.receivables import (
    NO_LISTING,
    Listing,
    describe_receivables,
    list_conversions,
    list_receivables,
)
from algotrader.accounting.returns import BenchmarkPrices, advance_periods, measure_returns
from algotrader.accounting.strategy_start import carry_start
from algotrader.accounting.valuation import Prices, Valuation, convert_prices, value_shares
from algotrader.adapters.kill_switch import reduce_if_active
from algotrader.adapters.store import Store
from algotrader.errors import DeskError
from algotrader.model import (
    Activity,
    Conversion,
    LatestPrice,
    LossLimits,
    Performance,
    Receivable,
    Snapshot,
    StrategyStart,
    Track,
    TradingMode,
)
from algotrader.model.units import finite
from algotrader.portfolio.capital import portfolio_state
from algotrader.risk.loss_limits import breached_limits, rebase, state_after
from algotrader.services.books import RESET_KEY, Books, ResetPeak, shares_before, track_key
from algotrader.services.records import record_of_success
from fetch_bars.account_profit import account_profit
from fetch_bars.opening import Opening
from fetch_bars.returns import keep_summary, read_benchmark

_BARS_BACK = timedelta(days=7)  # a symbol can go for days without a trade


class _Kept(Struct, frozen=True):
    """The stored track.

    ``tag`` is empty if no track exists, and None if a write must replace any object there.
    """

    track: Track | None
    tag: str | None
    warnings: tuple[str, ...]


def measure(
    opening: Opening, environ: Mapping[str, str], store: Store, books: Books, snapshot: Snapshot
) -> Snapshot:
    """Add the profit since the previous close; beyond a loss limit, let the run only sell.

    A run that sends orders writes the track and sets the kill switch, and so does the scheduled
    report. A dry run, or a report that you start by hand, applies the limits but writes nothing.
    """
    settings, run = opening.settings, opening.run
    kept = _kept(store, run.desk)
    statement = opening.broker.statement(statement_start(kept.track, opening.opened.previous_close))
    observation, valuation, warnings = _observe(
        opening, store, books, snapshot, statement, kept.track
    )
    account = account_profit(opening, statement, None if kept.track is None else kept.track.cash)
    previous, benchmark = opening.opened.previous_session, read_benchmark(opening, kept.track)
    track = replace(advance_track(kept.track, observation), cash=account.cash)
    track = advance_periods(track, kept.track, previous, benchmark)
    # A price that may be wrong still counts toward this run's limits, because it may be a crash.
    # The track accepts it once a close confirms it.
    at_risk = advance_track(kept.track, replace(observation, prices=valuation.risk_prices))
    at_risk = advance_periods(at_risk, kept.track, previous, benchmark)
    breached = breached_limits(at_risk, LossLimits.of(settings))
    state, reason = state_after(snapshot.trading_state, snapshot.trading_state_reason, breached)
    known = () if kept.track is None else kept.track.receivables
    warnings = [
        *(*snapshot.warnings, *kept.warnings, *warnings),
        *describe_receivables(known, track.receivables, settings.stack),
    ]
    if not opening.report_only:
        track = replace(track, started=_strategy_start(opening, store, books, kept.track))
        warnings += _unknown_start(opening, books, kept.track)
    keeps = run.takes_claim and settings.mode is not TradingMode.DRY_RUN
    is_reduced = state is not snapshot.trading_state
    if is_reduced and not keeps:
        warnings.append(
            "The desk reached a loss limit. This run applies the limit but writes nothing, so the "
            "trading state is still ACTIVE."
        )
    elif is_reduced:
        problem = reduce_if_active(environ["TRADING_STATE_PARAMETER"], settings.mode, reason)
        if problem:
            warnings.append(
                "The desk reached a loss limit. This run applies the limit but could not set the "
                f"trading state to REDUCING ({problem}). Set it yourself with algo-trader reduce."
            )
        else:
            track = replace(track, day=rebase(at_risk, breached).day)
    performance = _performance(at_risk, account.deposits, benchmark)
    measured = replace(
        snapshot,
        trading_state=state,
        trading_state_reason=reason,
        last_session_pnl=account.last_session,
        since_close_pnl=account.since_close,
        close_equity=account.close_equity,
        warnings=(*warnings, *account.warnings),
        performance=performance,
        started=None if opening.report_only else track.started,
    )
    if keeps:
        _keep(store, track, kept)
        keep_summary(store, opening, measured, track, performance)
    return measured


def measure_account(opening: Opening, store: Store, snapshot: Snapshot) -> Snapshot:
    """Add the account's profit, for a run that measures nothing else and writes nothing."""
    track = _kept(store, opening.run.desk).track
    statement = opening.broker.statement(statement_start(track, opening.opened.previous_close))
    found = account_profit(opening, statement, None if track is None else track.cash)
    return replace(
        snapshot,
        last_session_pnl=found.last_session,
        since_close_pnl=found.since_close,
        close_equity=found.close_equity,
        warnings=(*snapshot.warnings, *found.warnings),
    )


def _strategy_start(
    opening: Opening, store: Store, books: Books, track: Track | None
) -> StrategyStart:
    """Return the strategy's start; it names the replaced strategy until a run has reported it."""
    known = None if track is None else track.started
    if (
        known is not None
        and known.replaced
        and known.journal != opening.run.journal  # this run has reported nothing yet
        and record_of_success(store, known.journal) is not None
    ):
        known = replace(known, replaced="")
    return carry_start(known, opening.run, opening.settings.strategy, books.orders)


def _unknown_start(opening: Opening, books: Books, track: Track | None) -> list[str]:
    """Warn if the live ramp starts again because the strategy's start is unknown."""
    settings = opening.settings
    is_known = track is not None and track.started is not None
    is_new = not books.ledger.holdings and not books.ledger.realized
    if is_known or is_new or not settings.is_ramped:
        return []
    unknown = f"The bucket does not record when {settings.strategy} began to trade"
    return [f"{unknown}, so the live ramp starts again."]


def _observe(
    opening: Opening,
    store: Store,
    books: Books,
    snapshot: Snapshot,
    statement: tuple[Activity, ...] | None,
    track: Track | None,
) -> tuple[Observation, Valuation, list[str]]:
    opened, holdings, settings = opening.opened, books.ledger.holdings, opening.settings
    then = {} if books.before is None else books.before.holdings
    listing = _listing(books, track, opened.session.date)
    receivables = list_receivables(track, listing, opened.session.date, opened.previous_session)
    conversions = list_conversions(
        {} if track is None else track.conversions, listing, books.ledger, opened.session.date
    )
    closes = _closes(opening, {*then, *holdings}, "raw", _BARS_BACK)
    new_prices, new_closes = _of_new_shares(opening, receivables, conversions)
    quoted = Prices(
        latest={**new_prices, **snapshot.prices},
        closes={**new_closes, **closes},
        actions=snapshot.corporate_actions,
        session=opened.session.date,
        previous_close=opened.previous_close,
        now=opening.clock.now,
        is_open=opened.session.open <= opening.clock.now < opened.session.close,
        max_deviation=settings.max_price_deviation,
        max_age_seconds=settings.max_price_age_seconds,
    )
    prices = convert_prices(quoted, conversions)
    valuation = value_shares(prices, track, books.ledger, receivables)
    without = sorted(({*then} - {*prices.closes}) | ({*holdings} - {*valuation.book_prices}))
    warnings = [f"The run did not accept a price. {each}" for each in valuation.doubts]
    if without:
        warnings.append(
            f"{', '.join(without)} has no price. Profit and loss use the last accepted price, or "
            "the cost if there is none."
        )
    believed = {
        each: LatestPrice(price, prices.now) for each, price in valuation.book_prices.items()
    }
    desk = portfolio_state(settings, replace(snapshot, prices={**snapshot.prices, **believed}))
    positions = sum(
        (
            finite(holdings[each].qty * price)
            for each, price in valuation.book_prices.items()
            if each in holdings
        ),
        Decimal(0),
    )
    reset = store.try_read(RESET_KEY, ResetPeak).value
    observation = Observation(
        session=opened.session.date,
        previous_session=opened.previous_session,
        at=opening.clock.now,
        ledger=books.ledger,
        before=books.before,
        closes=prices.closes,
        prices=valuation.book_prices,
        worth=max(desk.capital, positions),
        statement=statement,
        shares={symbol: each.qty for symbol, each in snapshot.positions.items()},
        actions=snapshot.corporate_actions,
        reset_at=None if reset is None else reset.at,
        listing=listing,
        adjustments=books.adjustments,
        left=valuation.left,
    )
    return observation, valuation, warnings


def _listing(books: Books, track: Track | None, session: date) -> Listing:
    """Return the corporate actions, and the shares that the desk held before each new ex-date."""
    if books.actions_since is None:
        return NO_LISTING
    known = () if track is None else track.receivables
    held = {(each.symbol, each.ex_date) for each in known}
    new = {
        (each.symbol, each.ex_date)
        for each in books.actions
        if each.is_distribution and each.ex_date <= session
    } - held
    entitled: dict[tuple[str, date], Decimal] = {}
    for day in sorted({day for _, day in new}):
        qty = shares_before(books, day) or {}
        entitled |= {place: qty[place[0]] for place in new if place[1] == day and place[0] in qty}
    return Listing(books.actions, books.actions_since, entitled)


def _of_new_shares(
    opening: Opening, receivables: Iterable[Receivable], conversions: Mapping[str, Conversion]
) -> tuple[dict[str, LatestPrice], dict[str, Decimal]]:
    """Read latest prices and closes of shares that the desk is owed, or that replaced its own.

    A failure stops nothing: the run then uses the last prices. Each symbol has its own requests,
    because the feed may refuse a symbol such as that of a right.
    """
    wanted = {each.new for each in receivables if each.new_qty}
    wanted |= {symbol for each in conversions.values() for symbol in each.shares}
    latest: dict[str, LatestPrice] = {}
    closes: dict[str, Decimal] = {}
    for symbol in sorted(wanted):
        try:
            latest |= opening.broker.latest_prices({symbol}, opening.settings.data_feed)
            closes |= _closes(opening, {symbol}, "raw", _BARS_BACK)
        except DeskError:
            continue
    return latest, closes


def _closes(
    opening: Opening, symbols: set[str], adjustment: str, back: timedelta = timedelta(0)
) -> dict[str, Decimal]:
    """Return each symbol's newest close, at most ``back`` older than the previous session's."""
    if not symbols:
        return {}
    first = opening.opened.previous_session - back
    sessions = tuple(each for each in opening.completed if each.date >= first)
    found = opening.broker.bars(symbols, sessions, opening.settings.bars_feed, adjustment)
    closes = {name: finite(Decimal(repr(bars.close[-1]))) for name, bars in found.items()}
    return {name: close for name, close in closes.items() if close > 0}


def _performance(track: Track, deposits: Decimal | None, benchmark: BenchmarkPrices) -> Performance:
    return Performance(
        deposits=deposits,
        symbols=profit_by_symbol(track),
        worth=track.day.worth,
        drawdown=track.drawdown,
        benchmark=benchmark.symbol,
        returns=measure_returns(track, benchmark),
    )


def _kept(store: Store, desk: str) -> _Kept:
    key = track_key(desk)
    found = store.try_read(key, Track)
    if found.is_unreadable:
        warning = (
            f"{key} could not be read, so profit and loss start again. The peak is today's value, "
            "and dividends count from today."
        )
        return _Kept(None, None, (warning,))
    if found.value is not None and found.value.desk != desk:
        return _Kept(None, None, ())
    return _Kept(found.value, found.tag, ())


def _keep(store: Store, track: Track, kept: _Kept) -> None:
    """Write the track unless another run has written it; the next run accepts either one."""
    key = track_key(track.desk)
    if kept.tag is None:
        store.write(key, track)
    elif kept.tag == "":
        store.create(key, track)
    else:
        store.replace(key, track, kept.tag)
