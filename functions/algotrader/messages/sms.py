"""Owns the text message of a run that ended well: one GSM-7 segment, the orders first."""

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
    strategy_phrase,
    trouble_phrase,
)
from algotrader.messages.run_report import Outcome


@dataclass(frozen=True, slots=True)
class _Detail:
    """How much a text tells."""

    names: int = MOST_NAMES  # orders named per side, the rest is counted
    problem_names: bool = True
    stop_names: bool = True
    state_reason: bool = True
    strategy_names: bool = True
    cents: bool = True
    equity: bool = True
    shares: bool = True  # profits also as parts of what they were made with
    benchmark: bool = True
    ended_reason: bool = True  # why a take-over sent nothing more
    reasons: bool = True  # why there is no order, and which trouble there is


def _details() -> Iterator[_Detail]:
    """Give up the least important first; orders stay named as long as they can."""
    detail = _Detail()
    yield detail
    for given_up in (
        *("equity", "problem_names", "state_reason", "strategy_names"),
        *("shares", "cents", "benchmark", "ended_reason", "stop_names"),
    ):
        detail = replace(detail, **{given_up: False})
        yield detail
    for names in range(MOST_NAMES, -1, -1):
        yield replace(detail, names=names)
    yield replace(detail, names=0, reasons=False)


def trading_sms(outcome: Outcome) -> str:
    """Tell of a run: orders, trouble, the last session's P&L and that since the close."""
    return _first_that_fits(outcome, _trading)


def report_sms(outcome: Outcome) -> str:
    """Tell of the day's profit or loss: the account's, the desk's, the benchmark's change."""
    return _first_that_fits(outcome, _report)


def _first_that_fits(
    outcome: Outcome, sentences: Callable[[Outcome, _Detail], tuple[str, ...]]
) -> str:
    text = ""
    for detail in _details():
        told = ". ".join(filter(None, sentences(outcome, detail)))
        text = to_gsm7(f"{head(outcome)}: {told}")
        if septets(text) <= SEGMENT_SEPTETS:
            break
    return shorten(text, SEGMENT_SEPTETS)


def _trading(outcome: Outcome, detail: _Detail) -> tuple[str, ...]:
    last = None if outcome.snapshot is None else outcome.snapshot.last_session_pnl
    if detail.reasons:
        nothing = nothing_phrase(outcome)
        problems = problems_phrase(outcome, named=detail.problem_names)
    else:
        nothing, problems = "no orders", trouble_phrase(outcome)
    return (
        orders_phrase(outcome, detail.names) or nothing,
        stopped_phrase(outcome, named=detail.stop_names),
        no_stop_phrase(outcome, named=detail.stop_names),
        strategy_phrase(outcome, named=detail.strategy_names),
        state_phrase(outcome, reason=detail.state_reason),
        ended_phrase(outcome, reason=detail.ended_reason),
        problems,
        f"Last session {money(last, signed=True, cents=detail.cents)}",
        f"Since close {money(outcome.day_pnl, signed=True, cents=detail.cents)}",
        _equity(outcome) if detail.equity else "",
    )


def _report(outcome: Outcome, detail: _Detail) -> tuple[str, ...]:
    return (
        day_phrase(outcome, shares=detail.shares, cents=detail.cents),
        desk_phrase(outcome, shares=detail.shares, cents=detail.cents),
        benchmark_phrase(outcome) if detail.benchmark else "",
        state_phrase(outcome, reason=detail.state_reason),
        _equity(outcome) if detail.equity else "",
    )


def _equity(outcome: Outcome) -> str:
    return "" if outcome.account is None else f"Equity {money(outcome.account.equity)}"
