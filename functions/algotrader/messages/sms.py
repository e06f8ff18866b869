"""Owns the text message of a successful run: one GSM-7 segment, the orders first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from algotrader.messages.figures import money
from algotrader.messages.gsm7 import SEGMENT_SEPTETS, septets, shorten, to_gsm7
from algotrader.messages.phrases import (
    MOST_NAMES,
    benchmark_phrase,
    day_phrase,
    desk_phrase,
    ended_phrase,
    head,
    no_stop_phrase,
    nothing_phrase,
    orders_phrase,
    problems_phrase,
    state_phrase,
    stopped_phrase,
    stops_over_phrase,
    strategy_phrase,
    trouble_phrase,
    unfit_phrase,
)
from algotrader.messages.run_report import RunReport


@dataclass(frozen=True, slots=True)
class _Detail:
    """The level of detail of a text message."""

    names: int = MOST_NAMES  # orders named per side; the rest is counted
    problem_names: bool = True
    stop_names: bool = True
    state_reason: bool = True
    strategy_names: bool = True
    cents: bool = True
    equity: bool = True
    shares: bool = True  # profits also as a fraction of their base
    benchmark: bool = True
    ended_reason: bool = True  # why a take-over sent nothing more
    reasons: bool = True  # why there is no order, and which orders had trouble


def _details() -> Iterator[_Detail]:
    """Return levels of detail, from the most to the least; the orders' names go last."""
    detail = _Detail()
    yield detail
    for left_out in (
        "equity",
        "problem_names",
        "state_reason",
        "strategy_names",
        "shares",
        "cents",
        "benchmark",
        "ended_reason",
        "stop_names",
    ):
        detail = replace(detail, **{left_out: False})
        yield detail
    for names in range(MOST_NAMES, -1, -1):
        yield replace(detail, names=names)
    yield replace(detail, names=0, reasons=False)


def trading_sms(report: RunReport) -> str:
    """Format a trading run: orders, trouble, last session's P&L and P&L since the close."""
    return _first_that_fits(report, _trading)


def report_sms(report: RunReport) -> str:
    """Format the daily report: P&L of the account and the desk, and the benchmark's change."""
    return _first_that_fits(report, _report)


def _first_that_fits(
    report: RunReport, sentences: Callable[[RunReport, _Detail], tuple[str, ...]]
) -> str:
    text = ""
    for detail in _details():
        sentence = ". ".join(filter(None, sentences(report, detail)))
        text = to_gsm7(f"{head(report)}: {sentence}")
        if septets(text) <= SEGMENT_SEPTETS:
            break
    return shorten(text, SEGMENT_SEPTETS)


def _trading(report: RunReport, detail: _Detail) -> tuple[str, ...]:
    last = None if report.snapshot is None else report.snapshot.last_session_pnl
    if detail.reasons:
        nothing = nothing_phrase(report)
        problems = problems_phrase(report, named=detail.problem_names)
    else:
        nothing, problems = "no orders", trouble_phrase(report)
    return (
        orders_phrase(report, detail.names) or nothing,
        stopped_phrase(report, named=detail.stop_names),
        no_stop_phrase(report, named=detail.stop_names),
        unfit_phrase(report),
        strategy_phrase(report, named=detail.strategy_names),
        state_phrase(report, reason=detail.state_reason),
        ended_phrase(report, reason=detail.ended_reason),
        problems,
        f"Last session {money(last, signed=True, cents=detail.cents)}",
        f"Since close {money(report.day_pnl, signed=True, cents=detail.cents)}",
        _equity(report) if detail.equity else "",
    )


def _report(report: RunReport, detail: _Detail) -> tuple[str, ...]:
    return (
        stops_over_phrase(report, named=detail.stop_names),
        day_phrase(report, shares=detail.shares, cents=detail.cents),
        desk_phrase(report, shares=detail.shares, cents=detail.cents),
        benchmark_phrase(report) if detail.benchmark else "",
        state_phrase(report, reason=detail.state_reason),
        _equity(report) if detail.equity else "",
    )


def _equity(report: RunReport) -> str:
    return "" if report.account is None else f"Equity {money(report.account.equity)}"
