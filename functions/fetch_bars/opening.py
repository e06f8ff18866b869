"""Owns the opening of a run: its input, deployed settings, session, and account."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from algotrader.adapters.alpaca import AlpacaBroker
from algotrader.adapters.arming import read_arming
from algotrader.adapters.settings import broker_urls, load_keys, load_settings
from algotrader.adapters.store import Store
from algotrader.broker import Broker
from algotrader.contracts import (
    ExecutionInput,
    FetchBarsEvent,
    parse_execution_input,
    parse_scheduled_time,
)
from algotrader.errors import AccountBlockedError, ConfigurationError, InvalidInputError
from algotrader.messages.text_template import template_flaw
from algotrader.model import Account, Clock, Run, Session, Settings, TradingMode
from algotrader.model.run import REPORT_SLOT
from algotrader.model.settings import TEXT_TEMPLATE
from algotrader.orders.ids import desk_id, run_id
from algotrader.risk.arming import Arming
from algotrader.session.bar_checks import BarRequirements
from algotrader.session.trigger import NEW_YORK, Closed, Opened, Trigger, resolve_session
from algotrader.strategy import Strategy, load_strategy
from algotrader.strategy.required_limits import check_limits
from fetch_bars.closures import closures_since, sessions_held

#: Below the function's Timeout in template.yaml, with time left for S3 and SSM. It lets reads wait
#: for two resets of the broker's rate limit, a minute each.
HTTP_BUDGET_SECONDS = 150.0

#: How far ahead to read the calendar; longer than any series of holidays.
DAYS_AHEAD = 14
_DAYS_PER_SESSION = 1.5  # 365 / 252, and a little more
_SPARE_DAYS = 20


class Opening(Struct, frozen=True):
    """A run that may begin, with the data that opening it read.

    Attributes
    ----------
    completed : tuple of Session
        The sessions before the run's, ascending, as far back as the strategy needs bars.
    reference : tuple of str
        Symbols that the strategy looks at but the desk does not trade, without repeats.
    arming : Arming or None
        Whether a live desk may trade, or None if it need not be armed.
    notes : tuple of str
        What the e-mail should say about the settings.
    closures : tuple of date
        Days since the previous session that the calendar lists but that never opened.
    """

    run: Run
    settings: Settings
    broker: Broker
    clock: Clock
    opened: Opened
    completed: tuple[Session, ...]
    account: Account
    requirements: BarRequirements
    reference: tuple[str, ...]
    report_only: bool
    arming: Arming | None
    notes: tuple[str, ...] = ()
    closures: tuple[date, ...] = ()


def open_run(event: FetchBarsEvent, environ: Mapping[str, str], store: Store) -> Opening | str:
    """Check what can be checked before the run claims its slot.

    Returns
    -------
    Opening or str
        If the market is closed, a message that says why and when it opens next.

    Raises
    ------
    InvalidInputError, ConfigurationError, StrategyError, LateBellError, AccountBlockedError
        See their codes.
    """
    given = parse_execution_input(event.input)
    _check_flatten_stands_alone(given)
    settings, notes = _check_text_template(load_settings(environ), is_dry=given.dry_run)
    entries = _entry_symbols(given, settings)
    trigger = _trigger(given, settings)
    strategy = _load_strategy(given, settings)
    requirements = _bar_requirements(strategy, settings)
    broker: Broker = AlpacaBroker(
        load_keys(environ["ALPACA_KEYS_PARAMETER"]),
        *broker_urls(environ, settings.mode),
        HTTP_BUDGET_SECONDS,
    )
    clock = broker.clock()
    calendar = _read_calendar(broker, clock, requirements)
    sessions, closed = sessions_held(broker, store, settings, clock, calendar)
    opened = resolve_session(trigger, clock, sessions)
    if isinstance(opened, Closed):
        return f"Nothing was sold. {opened.message}" if given.flatten else opened.message
    account = broker.account()
    _check_account(account, settings, report_only=given.report_only)
    arming = None
    if settings.mode is TradingMode.LIVE and not given.flatten:  # an exit needs no arming
        if not given.report_only:
            _check_no_shorting(broker)
        arming = read_arming(
            environ["LIVE_ARMING_PARAMETER"], environ["STACK_ID"], account.number, clock.now
        )
    opened = replace(opened, deadline=_deadline(opened, clock, arming))
    return Opening(
        run=_run(event, given, settings, clock, opened, account, entries),
        settings=settings,
        broker=broker,
        clock=clock,
        opened=opened,
        completed=tuple(each for each in sessions if each.date < opened.session.date),
        account=account,
        requirements=requirements,
        reference=_reference(strategy, settings),
        report_only=given.report_only,
        arming=arming,
        notes=notes,
        closures=closures_since(closed, opened.previous_session, opened.session.date),
    )


def journal_of(session: date, slot: str) -> str:
    """Return the prefix of the journal of a run that sends orders."""
    return f"runs/{session}/{run_id(session, slot)}/"


def _check_flatten_stands_alone(given: ExecutionInput) -> None:
    """Refuse a flatten whose input also narrows the run."""
    narrowing = [
        name
        for name in ("report_only", "symbols", "slot")
        if getattr(given, name) not in (None, False)
    ]
    if given.flatten and narrowing:
        raise InvalidInputError(
            "FLATTEN_NARROWED",
            "A flatten sells everything that the desk holds, and accepts no other field than "
            'dry_run. Nothing was sold. Start it with {"flatten": true}.',
            beside=", ".join(narrowing),
        )


def _check_text_template(settings: Settings, *, is_dry: bool) -> tuple[Settings, tuple[str, ...]]:
    """Refuse a wrong TextTemplate in a dry run; any other run uses the default, with a note."""
    flaw = template_flaw(settings.text_template)
    if not flaw:
        return settings, ()
    if is_dry:
        raise ConfigurationError(
            "TEXT_TEMPLATE_INVALID",
            "Fix TextTemplate; docs/texts.md lists its fields. A run would use the default.",
            text_template=f'"it {flaw}"',
        )
    note = f"TextTemplate {flaw}. The text message has the default form instead."
    return replace(settings, text_template=TEXT_TEMPLATE), (note,)


def _load_strategy(given: ExecutionInput, settings: Settings) -> Strategy | None:
    """Load the strategy and check it against the settings; a flatten needs none."""
    if given.flatten:
        return None
    strategy = load_strategy(settings.strategy, settings.strategy_parameters)
    check_limits(strategy.requires, settings)
    _check_min_fit(strategy, settings)
    return strategy


def _reference(strategy: Strategy | None, settings: Settings) -> tuple[str, ...]:
    """Return the references that the desk does not trade, without repeats."""
    named = () if strategy is None else strategy.reference
    return tuple(sorted({*named} - {*settings.symbols}))


def _bar_requirements(strategy: Strategy | None, settings: Settings) -> BarRequirements:
    """Return which bars the run needs; without a strategy it needs none."""
    return BarRequirements(
        bars=0 if strategy is None else strategy.bars_needed(),
        max_age_sessions=settings.max_bar_age_sessions,
        max_missing=settings.max_missing_bars,
    )


def _check_min_fit(strategy: Strategy, settings: Settings) -> None:
    """Refuse a strategy that needs more fit symbols than the template has."""
    if strategy.min_fit > len(settings.symbols):
        raise ConfigurationError(
            "MIN_FIT_ABOVE_SYMBOLS",
            "The strategy needs more fit symbols than Symbols has, so it would never trade. Add "
            "symbols to the template's Symbols, or lower min_fit in functions/strategies/"
            f"{settings.strategy}.py.",
            min_fit=strategy.min_fit,
            symbols=len(settings.symbols),
            strategy=settings.strategy,
        )


def _entry_symbols(given: ExecutionInput, settings: Settings) -> tuple[str, ...] | None:
    """Return the symbols that the run may buy: None for all deployed ones, empty for a flatten."""
    if given.flatten:
        return ()
    if given.symbols is None:
        return None
    foreign = [each[:20] for each in given.symbols if each not in settings.symbols]
    if foreign or not given.symbols:
        raise InvalidInputError(
            "SYMBOLS_NOT_DEPLOYED" if foreign else "SYMBOLS_EMPTY",
            "The input may name only symbols from the template's Symbols: "
            f"{', '.join(settings.symbols[:20])}. To trade other symbols, deploy with them.",
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
        # A scheduled run ends silently on a holiday, even if it sends no orders.
        goes_on_when_closed=given.dry_run or (by_hand and sends_nothing),
        slots=settings.slots,
        max_bell_age_seconds=settings.max_bell_age_seconds,
        run_deadline_seconds=settings.run_deadline_seconds,
    )


def _read_calendar(
    broker: Broker, clock: Clock, requirements: BarRequirements
) -> tuple[Session, ...]:
    """Read the sessions that the bars must cover, and those of the next days."""
    today = clock.now.astimezone(NEW_YORK).date()
    back = timedelta(days=int(requirements.sessions * _DAYS_PER_SESSION) + _SPARE_DAYS)
    return broker.sessions(today - back, today + timedelta(days=DAYS_AHEAD))


def _check_account(account: Account, settings: Settings, *, report_only: bool) -> None:
    if settings.mode is TradingMode.LIVE and account.number != settings.live_account_number:
        raise ConfigurationError(
            "LIVE_ACCOUNT_DIFFERS",
            "The keys belong to a different account than LiveAccountNumber. "
            "Fix the keys or the parameter.",
            keys_account=f"...{account.number[-3:]}",
            live_account_number=f"...{settings.live_account_number[-3:]}",
        )
    if account.blocked_by and not report_only:  # a report needs no permission to trade
        raise AccountBlockedError(
            "ACCOUNT_BLOCKED",
            "The broker blocks this account. Check the account on Alpaca's "
            "dashboard, or contact Alpaca support.",
            blocked_by=", ".join(account.blocked_by),
        )


def _check_no_shorting(broker: Broker) -> None:
    if not broker.is_long_only():
        raise ConfigurationError(
            "SHORTING_ALLOWED",
            "A live account must forbid short sales. Set no_shorting in the "
            "account's configuration at Alpaca, as docs/going-live.md shows. Then start the run "
            "again.",
            no_shorting="false",
        )


def _deadline(opened: Opened, clock: Clock, arming: Arming | None) -> datetime:
    """Return the run's deadline; a live desk's arming can bring it forward, to now if unarmed."""
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
    day, slot = opened.session.date, opened.slot
    is_dry = given.dry_run or settings.mode is TradingMode.DRY_RUN
    execution = re.sub(r"[^A-Za-z0-9_-]", "_", event.execution_arn.rsplit(":", 1)[-1])
    journal = journal_of(day, slot)
    if slot == REPORT_SLOT:
        # The schedule may start a report twice a day. The scheduled report claims the run, so it
        # writes to the run's own folder.
        is_scheduled = given.scheduled_time is not None and not given.dry_run
        journal += "" if is_scheduled else f"{execution}/"
    elif is_dry:
        journal += f"dry-run/{execution}/"
    return Run(
        run_id=run_id(day, slot),
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
