"""Owns the text message of a successful run: one GSM-7 segment, filled in from a template."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from algotrader.messages.gsm7 import SEGMENT_SEPTETS, septets, shorten, to_gsm7
from algotrader.messages.phrases import (
    MOST_NAMES,
    account_phrase,
    benchmark_phrase,
    cash_phrase,
    closures_phrase,
    day_phrase,
    desk_phrase,
    ended_phrase,
    equity_phrase,
    head,
    holding_phrase,
    holds_phrase,
    last_phrase,
    lead_phrase,
    no_stop_phrase,
    note_phrase,
    period_phrase,
    problems_phrase,
    since_phrase,
    state_phrase,
    stopped_phrase,
    stops_over_phrase,
    strategy_phrase,
    trouble_phrase,
    unfit_phrase,
)
from algotrader.messages.run_report import RunReport
from algotrader.messages.text_template import fields_of, fill, template_flaw
from algotrader.model.settings import TEXT_TEMPLATE


class _Detail(Struct, frozen=True):
    """The level of detail of a text message."""

    names: int = MOST_NAMES  # orders named per side; the rest are counted
    extras: bool = True  # fields that the default template lacks
    holdings: bool = True  # the best and the worst one
    holds: bool = True  # how many symbols the desk holds
    total_benchmark: bool = True  # the benchmark since the first session
    problem_names: bool = True
    state_reason: bool = True
    strategy_names: bool = True
    periods: bool = True  # week and month
    dollars: bool = True
    benchmark: bool = True
    note: bool = True  # of the strategy
    ended_reason: bool = True  # why a take-over sent nothing more
    stop_names: bool = True
    equity: bool = True
    reasons: bool = True  # why there is no order, and which orders had trouble
    returns: bool = True


def _details(*, keeps_equity: bool) -> Iterator[_Detail]:
    """Return levels of detail, from the most to the least; the orders' names go late.

    A halted desk's text keeps the equity until almost the last level, because it has little else to
    report.
    """
    detail = _Detail()
    yield detail
    for left_out in (
        *("extras", "total_benchmark", "holdings"),
        *(() if keeps_equity else ("equity",)),
        "holds",
        *("problem_names", "state_reason", "strategy_names", "periods", "dollars", "benchmark"),
        *("note", "ended_reason", "stop_names"),
    ):
        detail = replace(detail, **{left_out: False})
        yield detail
    for names in range(MOST_NAMES, -1, -1):
        yield replace(detail, names=names)
    detail = replace(detail, names=0, equity=False)
    yield detail
    detail = replace(detail, reasons=False)
    yield detail
    yield replace(detail, returns=False)


def run_sms(report: RunReport) -> str:
    """Format a successful run, or the daily report, in the form of the user's template.

    If the template's own words leave too little room, the default template replaces it.
    """
    wanted = TEXT_TEMPLATE if report.settings is None else report.settings.text_template
    templates = dict.fromkeys((wanted, TEXT_TEMPLATE))
    text = ""
    for template in (each for each in templates if not template_flaw(each)):
        for detail in _details(keeps_equity=report.is_halted):
            values = _values(report, detail, _extras(template, detail))
            text = to_gsm7(fill(template, values))
            if septets(text) <= SEGMENT_SEPTETS:
                return text
    return shorten(text, SEGMENT_SEPTETS)


def _extras(template: str, detail: _Detail) -> frozenset[str]:
    """Return the fields to leave empty.

    There are none if the detail includes ``extras``, otherwise those that the default template
    lacks.
    """
    return frozenset() if detail.extras else fields_of(template) - fields_of(TEXT_TEMPLATE)


def _values(report: RunReport, detail: _Detail, left_out: frozenset[str]) -> dict[str, str]:
    values = {
        "head": head(report),
        "mode": report.mode,
        "session": report.when,
        "orders": _orders(report, detail),
        "last": _last(report, detail) if detail.returns else "",
        "since": since_phrase(report, benchmark=report.is_report and detail.total_benchmark)
        if detail.returns
        else "",
        "equity": equity_phrase(report) if detail.equity else "",
        "day": day_phrase(report, benchmark=False, dollars=False),
        "week": period_phrase(report, "week"),
        "month": period_phrase(report, "month"),
        "benchmark": benchmark_phrase(report),
        "best": holding_phrase(report, "best"),
        "worst": holding_phrase(report, "worst"),
        "account": account_phrase(report),
        "desk": desk_phrase(report),
        "cash": cash_phrase(report),
        "strategy": "" if report.settings is None else f"strategy {report.settings.strategy}",
    }
    return {name: "" if name in left_out else value for name, value in values.items()}


def _orders(report: RunReport, detail: _Detail) -> str:
    """Return what the run did, then everything that needs attention."""
    problems = trouble_phrase(report)
    if detail.reasons:
        problems = problems_phrase(report, named=detail.problem_names)
    is_named = report.is_halted and not report.is_report  # the lead names the state
    sentences = (
        stops_over_phrase(report, named=detail.stop_names),
        _day(report, detail)
        if report.is_report
        else lead_phrase(report, names=detail.names, reasons=detail.reasons, holds=detail.holds),
        no_stop_phrase(report, named=detail.stop_names),
        unfit_phrase(report),
        stopped_phrase(report, named=detail.stop_names),
        closures_phrase(report),
        strategy_phrase(report, named=detail.strategy_names),
        "" if is_named else state_phrase(report, reason=detail.state_reason),
        ended_phrase(report, reason=detail.ended_reason),
        problems,
        note_phrase(report) if detail.note else "",
    )
    return ". ".join(filter(None, sentences))


def _day(report: RunReport, detail: _Detail) -> str:
    parts = [
        day_phrase(report, benchmark=detail.benchmark, dollars=detail.dollars),
        holds_phrase(report) if detail.holds else "",
    ]
    if detail.holdings:
        parts += [holding_phrase(report, "best"), holding_phrase(report, "worst")]
    return ", ".join(filter(None, parts))


def _last(report: RunReport, detail: _Detail) -> str:
    if not report.is_report:
        return last_phrase(report)
    performance = report.performance
    if performance is None or not detail.periods:
        return ""
    returns = performance.returns
    # A period that began with the desk itself has the same return as the total.
    periods = {"week": returns.week, "month": returns.month}
    older = [name for name, each in periods.items() if each.after != returns.total.after]
    return ", ".join(period_phrase(report, each) for each in older)
