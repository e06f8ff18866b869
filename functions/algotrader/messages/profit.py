"""Owns the e-mail's profit and loss of the account, the desk, the benchmark and each symbol."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from algotrader.messages.figures import money, percent, quantity, share
from algotrader.messages.phrases import holding_phrase
from algotrader.messages.run_report import RunReport
from algotrader.model import Performance, Return, SymbolProfit

_TITLES = ("symbol", "shares", "price", "value", "day", "realized", "unrealized", "dividends")


def profit_lines(report: RunReport) -> Iterator[str]:
    """Format the profits of the account, the desk and the benchmark, one line each."""
    snapshot, performance = report.snapshot, report.performance
    if snapshot is None:
        return
    made = money(report.day_pnl, signed=True)
    if report.is_report:
        base = snapshot.close_equity or Decimal(0)
        yield f"the account: {made}{_of(report.day_pnl, base)}, without deposits and withdrawals"
    else:
        session = snapshot.previous_session.isoformat()
        yield f"last full session ({session}): {money(snapshot.last_session_pnl, signed=True)}"
        yield f"since its close: {made}, without deposits and withdrawals"
    if performance is None:
        came_in = snapshot.account.adjustments  # dividends and fees too, unlike deposits
        if came_in:
            figure = money(came_in, signed=True)
            yield f"cash that came in without a trade since the previous close: {figure}"
        return
    yield from _desk(
        performance, "" if report.is_report else ", from that close to this run's start"
    )
    if performance.deposits is None or performance.deposits:
        figure = money(performance.deposits, signed=True)
        yield f"deposits less withdrawals since the previous close: {figure}"
    yield from _limits(report, performance)


def return_lines(report: RunReport) -> Iterator[str]:
    """Format the desk's time-weighted returns next to the benchmark's, one period a line."""
    performance = report.performance
    if performance is None:
        return
    returns, name = performance.returns, performance.benchmark
    first = returns.first_session.isoformat()

    def line(period: str, found: Return) -> str:
        versus = f", {name} {percent(found.benchmark, signed=True)}" if name else ""
        return f"{period}: {percent(found.desk, signed=True)}{versus}"

    def since(found: Return) -> str:
        is_first = found.after == returns.total.after
        return f"since {first}" if is_first else f"since the close of {found.after.isoformat()}"

    if returns.last is not None and not report.is_report:
        yield line("last session", returns.last)
    yield line("today", returns.day)
    yield line(f"this week, {since(returns.week)}", returns.week)
    yield line(f"this month, {since(returns.month)}", returns.month)
    yield line(f"since the first session, {first}", returns.total)
    if name and returns.day.benchmark is None:
        missing = f"the run found no recent price or no close of {name}"
        yield f"the return of {name} is unknown, because {missing}"
    elif name:
        yield f"the returns are time-weighted, and those of {name} include its dividends"
    for which in ("best", "worst"):
        found = holding_phrase(report, which)
        if found and report.is_report:
            yield f"{which} holding today: {found.removeprefix(which).strip()}"


def position_table(report: RunReport) -> Iterator[str]:
    """Format the desk's symbols as a table; nothing if there are none."""
    if report.performance is None or not report.performance.symbols:
        return
    rows = [_TITLES, *map(_row, report.performance.symbols)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_TITLES))]
    for row in rows:
        name, *figures = (
            cell.ljust(width) if at == 0 else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield "  ".join((name, *figures))


def _row(each: SymbolProfit) -> tuple[str, ...]:
    return (
        each.symbol,
        quantity(each.qty),
        "" if not each.qty else money(each.price),
        money(each.value),
        money(each.profit, signed=True),
        money(each.realized, signed=True),
        money(each.unrealized, signed=True),
        money(each.dividends, signed=True),
    )


def _desk(performance: Performance, when: str) -> Iterator[str]:
    profit = performance.desk_profit
    parts = (
        f"realized {money(performance.realized, signed=True)}",
        f"unrealized {money(performance.unrealized, signed=True)}",
        f"dividends {money(performance.dividends, signed=True)}",
    )
    of = _of(profit, performance.worth, " of its capital")
    yield f"the desk{when}: {money(profit, signed=True)}{of}: {', '.join(parts)}"


def _limits(report: RunReport, performance: Performance) -> Iterator[str]:
    text = f"the desk is {percent(performance.drawdown)} below its peak"
    if report.settings is not None:
        daily, drawdown = report.settings.max_daily_loss, report.settings.max_drawdown
        text += (
            f"; at {percent(drawdown)}, or after a daily loss of {percent(daily)}, it only sells"
        )
    yield text


def _of(part: Decimal | None, whole: Decimal, of: str = "") -> str:
    fraction = share(part, whole)
    return "" if fraction is None else f" ({percent(fraction, signed=True)}{of})"
