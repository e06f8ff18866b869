"""Owns how a run opens: its input, the deployed settings, the bell, the account."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from algotrader.adapters.alpaca import AlpacaBroker
from algotrader.adapters.arming import read_arming
from algotrader.adapters.settings import broker_urls, load_keys, load_settings
from algotrader.contracts import (
    ExecutionInput,
    FetchBarsEvent,
    parse_execution_input,
    parse_instant,
)
from algotrader.errors import AccountBlockedError, ConfigurationError, InvalidInputError
from algotrader.model import Account, Clock, Run, Session, Settings, TradingMode
from algotrader.orders.ids import desk_id, run_id
from algotrader.risk.arming import Arming
from algotrader.session.bar_checks import BarRequirements
from algotrader.session.trigger import (
    NEW_YORK,
    REPORT_SLOT,
    Closed,
    Opened,
    Trigger,
    resolve_session,
)
from algotrader.strategy import load_strategy

#: Below the function's Timeout in template.yaml, with room for what S3 and SSM take.
HTTP_BUDGET_SECONDS = 60.0

#: The calendar is read so far ahead, that the next opening is known over any holidays.
DAYS_AHEAD = 14
_DAYS_PER_SESSION = 1.5  # 365 / 252, and then some
_SPARE_DAYS = 20


@dataclass(frozen=True, slots=True)
class Opening:
    """A run that may begin, and what was learned on the way.

    Attributes
    ----------
    completed : tuple of date
        The exchange's sessions before the run's, ascending, as far back as bars are needed.
    arming : Arming or None
        Whether a live desk may trade; None where it need not be armed.
    """

    run: Run
    settings: Settings
    broker: AlpacaBroker
    clock: Clock
    rung: Opened
    completed: tuple[date, ...]
    account: Account
    demand: BarRequirements
    report_only: bool
    arming: Arming | None


def open_run(event: FetchBarsEvent, environ: Mapping[str, str]) -> Opening | str:
    """Check everything that can be checked before the run is claimed.

    Returns
    -------
    Opening or str
        A text, when the market is closed: why, and when it opens next.

    Raises
    ------
    InvalidInputError, ConfigurationError, StrategyError, LateBellError, AccountBlockedError
        See their codes.
    """
    asked = parse_execution_input(event.input)
    _check_flatten_stands_alone(asked)
    settings = load_settings(environ)
    entries = _entry_symbols(asked, settings)
    bell = _bell(asked, settings)
    demand = _demand(asked, settings)
    broker = AlpacaBroker(
        load_keys(environ["ALPACA_KEYS_PARAMETER"]),
        *broker_urls(environ, settings.mode),
        HTTP_BUDGET_SECONDS,
    )
    clock = broker.clock()
    sessions = read_calendar(broker, clock, demand)
    rung = resolve_session(bell, clock, sessions)
    if isinstance(rung, Closed):
        return f"Nothing was sold. {rung.message}" if asked.flatten else rung.message
    account = broker.account()
    _check_account(account, settings, report_only=asked.report_only)
    arming = None
    if settings.mode is TradingMode.LIVE and not asked.flatten:  # who wants out need not be armed
        if not asked.report_only:
            _check_no_shorting(broker)
        arming = read_arming(
            environ["LIVE_ARMING_PARAMETER"], environ["STACK_ID"], account.number, clock.now
        )
    deadline = _deadline(rung, clock, arming)
    return Opening(
        run=_run(event, asked, settings, clock, replace(rung, deadline=deadline), account, entries),
        settings=settings,
        broker=broker,
        clock=clock,
        rung=rung,
        completed=tuple(each.date for each in sessions if each.date < rung.session.date),
        account=account,
        demand=demand,
        report_only=asked.report_only,
        arming=arming,
    )


def journal_of(session: date, slot: str) -> str:
    """Return the prefix of the journal of a run that sends orders."""
    return f"runs/{session}/{run_id(session, slot)}/"


def _check_flatten_stands_alone(asked: ExecutionInput) -> None:
    """Refuse what would narrow a flatten: part of the desk sold is not what its name says."""
    beside = [
        name
        for name in ("report_only", "symbols", "slot")
        if getattr(asked, name) not in (None, False)
    ]
    if asked.flatten and beside:
        raise InvalidInputError(
            "FLATTEN_NARROWED",
            'A flatten sells all that the desk holds. Start it with {"flatten": true}; dry_run '
            "alone may stand beside it. Nothing was sold.",
            beside=", ".join(beside),
        )


def _demand(asked: ExecutionInput, settings: Settings) -> BarRequirements:
    """Tell what is asked of bars; a flatten asks for none, so that a broken strategy can be left.

    Raises
    ------
    ConfigurationError, StrategyError
        When the strategy cannot be loaded.
    """
    bars = 0
    if not asked.flatten:
        bars = load_strategy(settings.strategy, settings.strategy_parameters).bars_needed()
    return BarRequirements(
        bars=bars,
        max_age_sessions=settings.max_bar_age_sessions,
        max_missing=settings.max_missing_bars,
    )


def _entry_symbols(asked: ExecutionInput, settings: Settings) -> tuple[str, ...]:
    """Narrow the deployed symbols to those that the input names; a flatten may buy none."""
    if asked.flatten:
        return ()
    if asked.symbols is None:
        return settings.symbols
    foreign = [each[:20] for each in asked.symbols if each not in settings.symbols]
    if foreign or not asked.symbols:
        raise InvalidInputError(
            "SYMBOLS_NOT_DEPLOYED" if foreign else "SYMBOLS_EMPTY",
            "An input may only name symbols that the template's Symbols has: "
            f"{', '.join(settings.symbols[:20])}. To trade others, deploy with other Symbols.",
            symbols=foreign[:10],
        )
    return tuple(each for each in settings.symbols if each in asked.symbols)


def _bell(asked: ExecutionInput, settings: Settings) -> Trigger:
    by_hand = asked.scheduled_time is None
    sends_nothing = asked.report_only or settings.mode is TradingMode.DRY_RUN
    return Trigger(
        scheduled_time=None
        if asked.scheduled_time is None
        else parse_instant(asked.scheduled_time, "scheduled_time"),
        slot=asked.slot,
        report_only=asked.report_only,
        flatten=asked.flatten,
        # The schedule's own bell stays silent on holidays, also when it sends no orders.
        goes_on_when_closed=asked.dry_run or (by_hand and sends_nothing),
        slots=settings.slots,
        max_bell_age_seconds=settings.max_bell_age_seconds,
        run_deadline_seconds=settings.run_deadline_seconds,
    )


def read_calendar(
    broker: AlpacaBroker, clock: Clock, demand: BarRequirements
) -> tuple[Session, ...]:
    """Ask for the sessions that a demand looks back on, and for the next ones."""
    today = clock.now.astimezone(NEW_YORK).date()
    back = timedelta(days=int(demand.sessions * _DAYS_PER_SESSION) + _SPARE_DAYS)
    return broker.sessions(today - back, today + timedelta(days=DAYS_AHEAD))


def _check_account(account: Account, settings: Settings, *, report_only: bool) -> None:
    if settings.mode is TradingMode.LIVE and account.number != settings.live_account_number:
        raise ConfigurationError(
            "LIVE_ACCOUNT_DIFFERS",
            "The keys belong to another account than LiveAccountNumber says: fix the one or the "
            "other. Nothing was traded.",
            keys_account=f"...{account.number[-3:]}",
            live_account_number=f"...{settings.live_account_number[-3:]}",
        )
    if account.blocked_by and not report_only:  # what was made can be told all the same
        raise AccountBlockedError(
            "ACCOUNT_BLOCKED",
            "Look at the account on Alpaca's dashboard, or ask their support. Nothing was traded.",
            blocked_by=", ".join(account.blocked_by),
        )


def _check_no_shorting(broker: AlpacaBroker) -> None:
    if not broker.is_long_only():
        raise ConfigurationError(
            "SHORTING_ALLOWED",
            "A live account must forbid short sales itself: set no_shorting in its configuration "
            "at Alpaca, as docs/going-live.md shows, and start the run again. Nothing was traded.",
            no_shorting="false",
        )


def _deadline(rung: Opened, clock: Clock, arming: Arming | None) -> datetime:
    """Let no order be sent after the arming has ended, nor any without one."""
    if arming is None:
        return rung.deadline
    return clock.now if arming.until is None else min(rung.deadline, arming.until)


def _run(
    event: FetchBarsEvent,
    asked: ExecutionInput,
    settings: Settings,
    clock: Clock,
    rung: Opened,
    account: Account,
    entries: tuple[str, ...],
) -> Run:
    day = rung.session.date
    slot = rung.slot
    name = run_id(day, slot)
    is_dry = asked.dry_run or settings.mode is TradingMode.DRY_RUN
    execution = re.sub(r"[^A-Za-z0-9_-]", "_", event.execution_arn.rsplit(":", 1)[-1])
    journal = journal_of(day, slot)
    if slot == REPORT_SLOT:
        # The schedule's own may ring twice a day: it takes the claim, and so the run's own folder.
        is_the_bells = asked.scheduled_time is not None and not asked.dry_run
        journal += "" if is_the_bells else f"{execution}/"
    elif is_dry:
        journal += f"dry-run/{execution}/"
    return Run(
        run_id=name,
        session=day,
        slot=slot,
        desk=desk_id(account.number, settings.stack),
        mode=settings.mode,
        execution_arn=event.execution_arn,
        journal=journal,
        sends_orders=not is_dry and not asked.report_only,
        entry_symbols=entries,
        started_at=clock.now,
        deadline=rung.deadline,
    )
