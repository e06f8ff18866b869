"""Owns how a run opens: its input, the deployed settings, the session, the account."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from algotrader.adapters.alpaca import AlpacaBroker
from algotrader.adapters.arming import read_arming
from algotrader.adapters.settings import broker_urls, load_keys, load_settings
from algotrader.broker import Broker
from algotrader.contracts import (
    ExecutionInput,
    FetchBarsEvent,
    parse_execution_input,
    parse_scheduled_time,
)
from algotrader.errors import AccountBlockedError, ConfigurationError, InvalidInputError
from algotrader.model import Account, Clock, Run, Session, Settings, TradingMode
from algotrader.model.run import REPORT_SLOT
from algotrader.orders.ids import desk_id, run_id
from algotrader.risk.arming import Arming
from algotrader.session.bar_checks import BarRequirements
from algotrader.session.trigger import NEW_YORK, Closed, Opened, Trigger, resolve_session
from algotrader.strategy import load_strategy

#: Below the function's Timeout in template.yaml, with room for what S3 and SSM take.
HTTP_BUDGET_SECONDS = 60.0

#: The calendar is read this far ahead, which is more than any run of holidays.
DAYS_AHEAD = 14
_DAYS_PER_SESSION = 1.5  # 365 / 252, and a little more
_SPARE_DAYS = 20


@dataclass(frozen=True, slots=True)
class Opening:
    """A run that may begin, and the data read while opening it.

    Attributes
    ----------
    completed : tuple of Session
        The exchange's sessions before the run's, ascending, as far back as bars are needed.
    arming : Arming or None
        Whether a live desk may trade; None if it need not be armed.
    """

    run: Run
    settings: Settings
    broker: Broker
    clock: Clock
    opened: Opened
    completed: tuple[Session, ...]
    account: Account
    requirements: BarRequirements
    report_only: bool
    arming: Arming | None


def open_run(event: FetchBarsEvent, environ: Mapping[str, str]) -> Opening | str:
    """Check everything that can be checked before the run is claimed.

    Returns
    -------
    Opening or str
        A message if the market is closed: why, and when it opens next.

    Raises
    ------
    InvalidInputError, ConfigurationError, StrategyError, LateBellError, AccountBlockedError
        See their codes.
    """
    given = parse_execution_input(event.input)
    _check_flatten_stands_alone(given)
    settings = load_settings(environ)
    entries = _entry_symbols(given, settings)
    trigger = _trigger(given, settings)
    requirements = _bar_requirements(given, settings)
    broker: Broker = AlpacaBroker(
        load_keys(environ["ALPACA_KEYS_PARAMETER"]),
        *broker_urls(environ, settings.mode),
        HTTP_BUDGET_SECONDS,
    )
    clock = broker.clock()
    sessions = _read_calendar(broker, clock, requirements)
    opened = resolve_session(trigger, clock, sessions)
    if isinstance(opened, Closed):
        return f"Nothing was sold. {opened.message}" if given.flatten else opened.message
    account = broker.account()
    _check_account(account, settings, report_only=given.report_only)
    arming = None
    if settings.mode is TradingMode.LIVE and not given.flatten:  # to get out, none is needed
        if not given.report_only:
            _check_no_shorting(broker)
        arming = read_arming(
            environ["LIVE_ARMING_PARAMETER"], environ["STACK_ID"], account.number, clock.now
        )
    deadline = _deadline(opened, clock, arming)
    return Opening(
        run=_run(
            event, given, settings, clock, replace(opened, deadline=deadline), account, entries
        ),
        settings=settings,
        broker=broker,
        clock=clock,
        opened=opened,
        completed=tuple(each for each in sessions if each.date < opened.session.date),
        account=account,
        requirements=requirements,
        report_only=given.report_only,
        arming=arming,
    )


def journal_of(session: date, slot: str) -> str:
    """Return the prefix of the journal of a run that sends orders."""
    return f"runs/{session}/{run_id(session, slot)}/"


def _check_flatten_stands_alone(given: ExecutionInput) -> None:
    """Refuse an input that would let a flatten sell only part of the desk."""
    narrowing = [
        name
        for name in ("report_only", "symbols", "slot")
        if getattr(given, name) not in (None, False)
    ]
    if given.flatten and narrowing:
        raise InvalidInputError(
            "FLATTEN_NARROWED",
            'A flatten sells everything that the desk holds. Start it with {"flatten": true}; '
            "dry_run is the only other field that it accepts. Nothing was sold.",
            beside=", ".join(narrowing),
        )


def _bar_requirements(given: ExecutionInput, settings: Settings) -> BarRequirements:
    """Return the run's requirements for bars.

    A flatten needs no bars, so that it works with a broken strategy.

    Raises
    ------
    ConfigurationError, StrategyError
        If the strategy cannot be loaded.
    """
    bars = 0
    if not given.flatten:
        bars = load_strategy(settings.strategy, settings.strategy_parameters).bars_needed()
    return BarRequirements(
        bars=bars,
        max_age_sessions=settings.max_bar_age_sessions,
        max_missing=settings.max_missing_bars,
    )


def _entry_symbols(given: ExecutionInput, settings: Settings) -> tuple[str, ...] | None:
    """Return the deployed symbols that the input names, None for all; a flatten may buy none."""
    if given.flatten:
        return ()
    if given.symbols is None:
        return None
    foreign = [each[:20] for each in given.symbols if each not in settings.symbols]
    if foreign or not given.symbols:
        raise InvalidInputError(
            "SYMBOLS_NOT_DEPLOYED" if foreign else "SYMBOLS_EMPTY",
            "The input may only name symbols from the template's Symbols: "
            f"{', '.join(settings.symbols[:20])}. To trade others, deploy with other Symbols.",
            symbols=foreign[:10],
        )
    return tuple(each for each in settings.symbols if each in given.symbols)


def _trigger(given: ExecutionInput, settings: Settings) -> Trigger:
    by_hand = given.scheduled_time is None
    sends_nothing = given.report_only or settings.mode is TradingMode.DRY_RUN
    return Trigger(
        scheduled_time=None
        if given.scheduled_time is None
        else parse_scheduled_time(given.scheduled_time),
        slot=given.slot,
        report_only=given.report_only,
        flatten=given.flatten,
        # The schedule's bell stays silent on holidays, even if its run sends no orders.
        goes_on_when_closed=given.dry_run or (by_hand and sends_nothing),
        slots=settings.slots,
        max_bell_age_seconds=settings.max_bell_age_seconds,
        run_deadline_seconds=settings.run_deadline_seconds,
    )


def _read_calendar(
    broker: Broker, clock: Clock, requirements: BarRequirements
) -> tuple[Session, ...]:
    """Read the sessions that the bars must cover, and the next ones."""
    today = clock.now.astimezone(NEW_YORK).date()
    back = timedelta(days=int(requirements.sessions * _DAYS_PER_SESSION) + _SPARE_DAYS)
    return broker.sessions(today - back, today + timedelta(days=DAYS_AHEAD))


def _check_account(account: Account, settings: Settings, *, report_only: bool) -> None:
    if settings.mode is TradingMode.LIVE and account.number != settings.live_account_number:
        raise ConfigurationError(
            "LIVE_ACCOUNT_DIFFERS",
            "The keys belong to a different account than LiveAccountNumber: fix one of the two. "
            "Nothing was traded.",
            keys_account=f"...{account.number[-3:]}",
            live_account_number=f"...{settings.live_account_number[-3:]}",
        )
    if account.blocked_by and not report_only:  # a report needs no permission to trade
        raise AccountBlockedError(
            "ACCOUNT_BLOCKED",
            "Check the account on Alpaca's dashboard, or ask Alpaca's support. Nothing was traded.",
            blocked_by=", ".join(account.blocked_by),
        )


def _check_no_shorting(broker: Broker) -> None:
    if not broker.is_long_only():
        raise ConfigurationError(
            "SHORTING_ALLOWED",
            "A live account must forbid short sales: set no_shorting in its configuration at "
            "Alpaca, as docs/going-live.md shows, and start the run again. Nothing was traded.",
            no_shorting="false",
        )


def _deadline(opened: Opened, clock: Clock, arming: Arming | None) -> datetime:
    """Return the run's deadline: at the latest the end of the arming; now if it is not armed."""
    if arming is None:
        return opened.deadline
    return clock.now if arming.until is None else min(opened.deadline, arming.until)


def _run(
    event: FetchBarsEvent,
    given: ExecutionInput,
    settings: Settings,
    clock: Clock,
    opened: Opened,
    account: Account,
    entries: tuple[str, ...] | None,
) -> Run:
    day = opened.session.date
    slot = opened.slot
    name = run_id(day, slot)
    is_dry = given.dry_run or settings.mode is TradingMode.DRY_RUN
    execution = re.sub(r"[^A-Za-z0-9_-]", "_", event.execution_arn.rsplit(":", 1)[-1])
    journal = journal_of(day, slot)
    if slot == REPORT_SLOT:
        # The schedule's report may start twice a day. It claims the run, and so uses the run's own
        # folder.
        is_the_bells = given.scheduled_time is not None and not given.dry_run
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
        sends_orders=not is_dry and not given.report_only,
        entry_symbols=entries,
        started_at=clock.now,
        deadline=opened.deadline,
    )
