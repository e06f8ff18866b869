"""Owns the e-mail: plain text with everything that does not fit into a text message."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from algotrader.messages.failure import FailureReport
from algotrader.messages.figures import money, percent, quantity
from algotrader.messages.phrases import (
    amount,
    day_phrase,
    head,
    lead_phrase,
    orders_sent,
    problems_phrase,
    resting_phrase,
    state_phrase,
)
from algotrader.messages.profit import position_table, profit_lines, return_lines
from algotrader.messages.run_report import RunReport
from algotrader.model import Order, OrderIntent
from algotrader.plain_text import printable

# Far below SNS's limit (256 KiB for subject and all bodies); the record has the rest.
MAX_EMAIL_CHARACTERS = 60_000


def trading_email(report: RunReport) -> str:
    """Format a trading run's e-mail, without empty sections."""
    return _document(
        (f"{head(report)}: {lead_phrase(report)}.", *_desk(report)),
        *_order_sections(report),
        ("PROFIT AND LOSS", *profit_lines(report)),
        ("RETURNS", *return_lines(report)),
        ("ACCOUNT", *_account(report)),
        ("WARNINGS", *_warnings(report)),
        ("RECORD", *_record(report)),
    )


def report_email(report: RunReport) -> str:
    """Format the daily report's e-mail."""
    return _document(
        (f"{head(report)}: {day_phrase(report)}.", *_desk(report)),
        ("PROTECTIVE STOPS", *_stops_over_actions(report)),
        ("PROFIT AND LOSS", *profit_lines(report)),
        ("RETURNS", *return_lines(report)),
        ("THE DESK'S POSITIONS AND THE DAY'S PROFIT", *position_table(report)),
        ("ACCOUNT", *_account(report)),
        ("POSITIONS OF THE ACCOUNT", *_positions(report)),
        ("WARNINGS", *_warnings(report)),
        ("RECORD", *_record(report)),
    )


def failure_email(report: RunReport, failure: FailureReport) -> str:
    """Format a failed run's e-mail: what failed, what to do, what the run had already done."""
    return _document(
        (f"FAILED {head(report)}: {failure.error} in {failure.state}.", *_desk(report)),
        ("WHAT BROKE", failure.message or "The platform gave no message."),
        ("WHAT TO DO", *_what_to_do(report, failure)),
        *_order_sections(report),
        ("ACCOUNT", *_account(report)),
        ("WARNINGS", *_warnings(report)),
        ("RECORD", *_record(report)),
    )


def _document(*sections: Iterable[str]) -> str:
    blocks: list[str] = []
    for section in sections:
        title, *lines = section
        if lines or not blocks:
            blocks.append("\n  ".join(map(printable, (title, *lines))))
    text = "\n\n".join(blocks) + "\n"
    if len(text) <= MAX_EMAIL_CHARACTERS:
        return text
    kept = text[:MAX_EMAIL_CHARACTERS].rpartition("\n")[0]
    return f"{kept}\n\nThis e-mail omits the rest, which is in the run's record.\n"


def _desk(report: RunReport) -> Iterator[str]:
    if report.run is not None:
        yield f"run {report.run.run_id}, desk {report.run.desk}"
    if report.settings is not None:
        yield f"stack {report.settings.stack}, strategy {report.settings.strategy}"
    started = report.changed_strategy
    if started is not None:
        change = f"{started.strategy} replaces {started.replaced} and manages the desk's holdings"
        yield f"{change}, and the live ramp starts again" if report.is_ramped else change
    if report.snapshot is not None:
        yield f"trading state {state_phrase(report, reason=True) or 'ACTIVE'}"
    if report.run is not None and report.run.ended_because:
        yield f"this take-over sent nothing more: {report.run.ended_because}"
    if report.is_dry:
        yield "a dry run: no order was sent"
    if report.strategy_note:
        yield f"the strategy notes: {report.strategy_note}"


def _what_to_do(report: RunReport, failure: FailureReport) -> Iterator[str]:
    yield failure.advice
    yield f"{orders_sent(report, failure)}."
    resting = resting_phrase(report, failure)
    if resting:
        yield f"{resting}."
    if failure.before_orders:
        yield "An earlier execution of the same run may have sent orders."
    if report.is_flatten:
        yield "Fix the cause, then flatten again to sell what the desk still holds."
        return
    yield (
        "Fix the cause, then start a new execution. It takes over this run and finds the orders "
        "already placed by their ids."
    )


def _order_sections(report: RunReport) -> Iterator[tuple[str, ...]]:
    if report.submission is None:
        title = "WOULD BE SENT" if report.is_dry else "DECIDED"
        yield (title, *map(_intent_line, report.intents))
    else:
        yield ("ORDERS", *map(_order_line, report.trades))
        rejected = report.submission.rejected
        yield ("REJECTED BY THE BROKER", *(f"{r.symbol}: {r.code} {r.detail}" for r in rejected))
        yield ("UNSETTLED", *(f"{words}, {each}" for each, words in report.unsettled.items()))
    yield ("PROTECTIVE STOPS", *_stops(report))
    yield (
        "DENIED BY THE DESK",
        *(
            f"{each.side.value} {quantity(each.qty)} {each.symbol}: {each.code} {each.detail}"
            for each in report.denied
        ),
    )
    yield ("UNFIT SYMBOLS", *_unfit(report))
    if report.decision is not None:
        yield ("CANCELS", *report.decision.cancels)
        yield ("WHY", *(f"{symbol}: {why}" for symbol, why in sorted(report.decision.why.items())))


def _unfit(report: RunReport) -> Iterator[str]:
    for symbol, each in sorted(report.unfit.items()):
        yield f"{symbol}: {each.detail} ({each.code})"
    if report.decision is not None:
        yield from report.decision.remarks


def _stops(report: RunReport) -> Iterator[str]:
    """Describe the stops that sold, the missing ones, and those placed or to be placed."""
    for sold in () if report.snapshot is None else report.snapshot.stopped:
        at = "" if sold.filled_at is None else f" on {sold.filled_at.isoformat()}"
        yield (
            f"sold {quantity(sold.filled_qty)} {sold.symbol} at {money(sold.filled_avg_price)}{at},"
            f" {sold.client_order_id}"
        )
    yield from (f"NO STOP for {symbol}: {why}" for symbol, why in report.no_stop.items())
    yield from _stops_over_actions(report)
    for order in report.stops:
        at = "" if order.stop_price is None else f" at {money(order.stop_price)}"
        wanted = "" if order.qty is None else f" {quantity(order.qty)}"
        yield f"sell{wanted} {order.symbol}{at}, {order.status}, {order.client_order_id}"
    if report.submission is None and report.decision is not None:
        yield from (
            f"{each.symbol} at {money(each.stop_price)}: {each.why}"
            for each in report.decision.stops
        )


def _stops_over_actions(report: RunReport) -> Iterator[str]:
    """Explain the stops over a corporate action of the next session."""
    for symbol, action in report.stop_rests_over.items():
        yield (
            f"{report.rests} for {symbol} over the {action.description}. The broker does not "
            "adjust its price, so it may sell at the open. Cancel it at the broker before then."
        )
    for symbol, action in report.no_stop_over.items():
        yield (
            f"NO STOP for {symbol} over the {action.description}. The desk canceled it, because "
            "the broker does not adjust its price. The first run that may trade from then on "
            "places a new one, if the strategy asks for it."
        )


def _intent_line(intent: OrderIntent) -> str:
    terms = "" if intent.limit_price is None else f" at {quantity(intent.limit_price)} at most"
    if intent.limit_price is not None and intent.side.value == "sell":
        terms = f" at {quantity(intent.limit_price)} at least"
    return (
        f"{intent.side.value} {amount(intent)} {intent.symbol}, "
        f"{intent.order_type.value}{terms}, {intent.leg.value}"
    )


def _order_line(order: Order) -> str:
    wanted = "" if order.qty is None else f" of {quantity(order.qty)}"
    price = (
        order.filled_avg_price if order.filled_qty else None
    )  # otherwise an earlier fill's price
    at = "" if price is None else f" at {money(price)}, {money(order.filled_qty * price)}"
    if order.notional is not None:
        at += f" of {money(order.notional)}"
    return (
        f"{order.side.value} {quantity(order.filled_qty)}{wanted} {order.symbol}{at}, "
        f"{order.order_type} order {order.status}, {order.client_order_id}"
    )


def _account(report: RunReport) -> Iterator[str]:
    account = report.account
    if account is None:
        return
    before: Decimal | None = account.last_equity
    snapshot = report.snapshot
    if snapshot is not None and account.last_equity_on not in {None, snapshot.previous_session}:
        before = snapshot.close_equity  # the broker's figure may already be this session's
    yield f"equity {money(account.equity)}, at the previous close {money(before)}"
    yield f"cash {money(account.cash)}, buying power {money(account.buying_power)}"
    if report.decision is not None and not report.is_report:  # a report calls no strategy
        yield f"the desk's capital {money(report.decision.desk_capital)}"
        weights = report.decision.target_weights
        targets = ", ".join(f"{symbol} {percent(weights[symbol])}" for symbol in sorted(weights))
        yield f"target weights: {targets or 'none, all cash'}"


def _positions(report: RunReport) -> Iterator[str]:
    if report.snapshot is None:
        return
    for symbol, position in sorted(report.snapshot.positions.items()):
        yield f"{quantity(position.qty)} {symbol}, paid {money(position.avg_entry_price)} each"


def _warnings(report: RunReport) -> Iterator[str]:
    for day in () if report.snapshot is None else report.snapshot.closures:
        yield (
            f"The exchange stayed closed on {day.isoformat()}, although the broker's calendar "
            "lists the day as a session. The desk does not count it."
        )
    yield from report.notes
    problems = problems_phrase(report, named=True)
    if problems:
        yield problems
    if report.snapshot is not None:
        yield from report.snapshot.warnings


def _record(report: RunReport) -> Iterator[str]:
    if report.record:
        yield report.record
    yield f"execution {report.execution_arn}"
