"""Owns the account's equity over time: GET /v2/account/portfolio/history, by sessions."""

from __future__ import annotations

import calendar
import re
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from local.paper_broker import queries
from local.paper_broker.exchange import TICK, Exchange
from local.paper_broker.market import NEW_YORK, new_york_instant
from local.paper_broker.values import CENT, ActivityKind, ApiError
from local.paper_broker.wsgi import Answer, Call, Route

_PERIOD = re.compile(r"([1-9]\d{0,3})([DWMA])")
MONTHS_IN_YEAR = 12
IDLE_SESSIONS = 2
RATIO = Decimal("0.000001")
STAMP = time(20)  # in New York, as in the examples of Alpaca's documents


def get_portfolio_history(call: Call) -> Answer:
    """Return equity at each session's close, and the current equity during a session.

    Profit and loss are relative to ``base_value``, the equity before the first point. As at Alpaca,
    they include deposits and withdrawals, and each timestamp is 20:00 in New York. The broker keeps
    daily equity only.
    """
    exchange = call.exchange
    if (call.text("timeframe") or "1D") != "1D":
        raise ApiError(422, 40010001, "invalid timeframe: this broker keeps daily equity only")
    points = _points(exchange)
    start, end = queries.day(call, "start"), queries.day(call, "end")
    period = call.text("period")
    if period is not None and start is not None and end is not None:
        raise ApiError(422, 40010001, "period, start and end must not be given together")
    sessions = list(points)
    if end is not None:
        sessions = [session for session in sessions if session <= end]
    if start is not None:
        sessions = [session for session in sessions if session >= start]
    if start is None or period is not None:
        sessions = _within(sessions, period or "1M", from_start=start is not None)
    body = _body(exchange, {session: points[session] for session in sessions})
    wanted = call.text("cashflow_types") or "NONE"
    if wanted != "NONE":
        body["cashflow"] = _cash_flows(exchange, sessions, wanted)
    return Answer(body)


def _points(exchange: Exchange) -> dict[date, Decimal]:
    points = _closes(exchange)
    if exchange.market.is_open(exchange.now):
        points[exchange.today] = exchange.funds.equity
    return points


def _closes(exchange: Exchange) -> dict[date, Decimal]:
    """Return equity at each close, including some sessions before the account opened.

    For those sessions, the equity is the account's opening equity.
    """
    idle: list[date] = []
    day = exchange.market.before(exchange.start.astimezone(NEW_YORK).date())
    while day is not None and len(idle) < IDLE_SESSIONS:
        idle.append(day)
        day = exchange.market.before(day)
    return {**dict.fromkeys(reversed(idle), exchange.first_equity), **exchange.account.closes}


def _within(sessions: list[date], period: str, *, from_start: bool) -> list[date]:
    match = _PERIOD.fullmatch(period)
    if match is None:
        raise ApiError(422, 40010001, f"invalid period: {period}")
    count, unit = int(match[1]), match[2]
    if not sessions:
        return []
    if unit == "D":
        return sessions[:count] if from_start else sessions[-count:]
    if from_start:
        until = _shift(sessions[0], count, unit)
        return [session for session in sessions if session < until]
    since = _shift(sessions[-1], -count, unit)
    return [session for session in sessions if session > since]


def _shift(day: date, count: int, unit: str) -> date:
    if unit == "W":
        return day + timedelta(weeks=count)
    months = day.year * MONTHS_IN_YEAR + day.month - 1
    months += count * (MONTHS_IN_YEAR if unit == "A" else 1)
    year, month = divmod(max(months, MONTHS_IN_YEAR), MONTHS_IN_YEAR)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _body(exchange: Exchange, points: dict[date, Decimal]) -> dict[str, object]:
    market, closes = exchange.market, _closes(exchange)
    first = next(iter(points), None)
    before = market.before(first) if first else None
    base = closes.get(before, exchange.first_equity) if before else exchange.first_equity
    gains = [equity - base for equity in points.values()]
    body: dict[str, object] = {
        "timestamp": [int(new_york_instant(each, STAMP).timestamp()) for each in points],
        "equity": [float(equity.quantize(CENT)) for equity in points.values()],
        "profit_loss": [float(gain.quantize(CENT)) for gain in gains],
        "profit_loss_pct": [
            float((gain / base).quantize(RATIO)) if base else 0.0 for gain in gains
        ],
        "base_value": float(base.quantize(CENT)),
        "timeframe": "1D",
    }
    if before in closes and before:
        body["base_value_asof"] = before.isoformat()
    return body


def _cash_flows(exchange: Exchange, sessions: list[date], wanted: str) -> dict[str, list[float]]:
    """Return each session's cash by activity type; ALL omits types without any cash.

    Raises
    ------
    ApiError
        422 for an unknown activity type.
    """
    is_all = wanted == "ALL"
    found = {}
    for kind in ActivityKind if is_all else _kinds(wanted):
        flows = [exchange.account.cash_flow(kind, *_window(exchange, each)) for each in sessions]
        if kind is not ActivityKind.FILL and (any(flows) or not is_all):
            found[kind.value] = [float(each.quantize(CENT)) for each in flows]
    return found


def _kinds(wanted: str) -> list[ActivityKind]:
    try:
        return [ActivityKind(each) for each in wanted.split(",")]
    except ValueError as error:
        raise ApiError(422, 40010001, f"invalid cashflow_types: {wanted}") from error


def _window(exchange: Exchange, session: date) -> tuple[datetime, datetime]:
    """Return the close before a session and its own close, or now if it is not over."""
    market = exchange.market
    before = market.before(session)
    after = market.closes(before) if before else exchange.start - TICK
    return after, min(market.closes(session), exchange.now)


ROUTES: tuple[Route, ...] = (("GET", "/v2/account/portfolio/history", get_portfolio_history),)
