"""Owns the e-mail: a plain text that holds what a text message has no room for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from algotrader.messages.failure import Breakdown
from algotrader.messages.figures import money, percent, quantity
from algotrader.messages.phrases import (
    amount,
    day_phrase,
    head,
    nothing_phrase,
    orders_phrase,
    orders_sent,
    problems_phrase,
    state_phrase,
)
from algotrader.messages.profit import position_table, profit_lines
from algotrader.messages.run_report import Outcome
from algotrader.model import Order, OrderIntent
from algotrader.plain_text import printable

# Far below what SNS takes (256 KiB for subject and all bodies); the record holds the rest.
MAX_EMAIL_CHARACTERS = 60_000


def trading_email(outcome: Outcome) -> str:
    """Tell of a run in sections; a section without content is left out."""
    lead = orders_phrase(outcome) or nothing_phrase(outcome)
    return _document(
        (f"{head(outcome)}: {lead}.", *_desk(outcome)),
        *_order_sections(outcome),
        ("PROFIT AND LOSS", *profit_lines(outcome)),
        ("ACCOUNT", *_account(outcome)),
        ("WARNINGS", *_warnings(outcome)),
        ("RECORD", *_record(outcome)),
    )


def report_email(outcome: Outcome) -> str:
    """Tell of the day after its close."""
    return _document(
        (f"{head(outcome)}: {day_phrase(outcome)}.", *_desk(outcome)),
        ("PROFIT AND LOSS", *profit_lines(outcome)),
        ("THE DESK'S POSITIONS AND THE DAY IN THEM", *position_table(outcome)),
        ("ACCOUNT", *_account(outcome)),
        ("POSITIONS OF THE ACCOUNT", *_positions(outcome)),
        ("WARNINGS", *_warnings(outcome)),
        ("RECORD", *_record(outcome)),
    )


def failure_email(outcome: Outcome, breakdown: Breakdown) -> str:
    """Tell what broke, what to do, and all that the run had done until then."""
    return _document(
        (f"FAILED {head(outcome)}: {breakdown.error} in {breakdown.state}.", *_desk(outcome)),
        ("WHAT BROKE", breakdown.message or "The platform gave no words of its own."),
        ("WHAT TO DO", *_what_to_do(outcome, breakdown)),
        *_order_sections(outcome),
        ("ACCOUNT", *_account(outcome)),
        ("WARNINGS", *_warnings(outcome)),
        ("RECORD", *_record(outcome)),
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
    return f"{kept}\n\nThe rest is left out here: the run's record holds it.\n"


def _desk(outcome: Outcome) -> Iterator[str]:
    if outcome.run is not None:
        yield f"run {outcome.run.run_id}, desk {outcome.run.desk}"
    if outcome.settings is not None:
        yield f"stack {outcome.settings.stack}, strategy {outcome.settings.strategy}"
    started = outcome.changed_strategy
    if started is not None:
        change = f"{started.strategy} replaces {started.replaced}: it manages what the desk holds"
        yield f"{change}, and the live ramp starts again" if outcome.is_ramped else change
    if outcome.snapshot is not None:
        yield f"trading state {state_phrase(outcome, reason=True) or 'ACTIVE'}"
    if outcome.run is not None and outcome.run.ended_because:
        yield f"this take-over sent nothing more: {outcome.run.ended_because}"
    if outcome.is_dry:
        yield "a dry run: no order was sent"


def _what_to_do(outcome: Outcome, breakdown: Breakdown) -> Iterator[str]:
    yield breakdown.advice
    yield f"{orders_sent(outcome, breakdown)}."
    if breakdown.before_orders:
        yield "An earlier execution of the same run may have sent some."
    if outcome.is_flatten:
        yield "When the cause is mended, flatten again: it sells what the desk then still holds."
        return
    yield (
        "When the cause is mended, start a new execution: it takes this run over and finds the "
        "orders already placed by their ids."
    )


def _order_sections(outcome: Outcome) -> Iterator[tuple[str, ...]]:
    if outcome.submission is None:
        title = "WOULD BE SENT" if outcome.is_dry else "DECIDED"
        yield (title, *map(_intent_line, outcome.intents))
    else:
        yield ("ORDERS", *map(_order_line, outcome.trades))
        rejected = outcome.submission.rejected
        yield ("REJECTED BY THE BROKER", *(f"{r.symbol}: {r.code} {r.detail}" for r in rejected))
        yield ("UNSETTLED", *outcome.submission.unsettled)
    yield ("PROTECTIVE STOPS", *_stops(outcome))
    yield (
        "DENIED BY THE DESK",
        *(
            f"{each.side.value} {quantity(each.qty)} {each.symbol}: {each.code} {each.detail}"
            for each in outcome.denied
        ),
    )
    if outcome.decision is not None:
        yield ("CANCELS", *outcome.decision.cancels)
        yield ("WHY", *(f"{symbol}: {why}" for symbol, why in sorted(outcome.decision.why.items())))


def _stops(outcome: Outcome) -> Iterator[str]:
    """Tell of the stops that sold, were placed or would be, and of the holdings without one."""
    for sold in () if outcome.snapshot is None else outcome.snapshot.stopped:
        at = "" if sold.filled_at is None else f" on {sold.filled_at.isoformat()}"
        yield (
            f"sold {quantity(sold.filled_qty)} {sold.symbol} at {money(sold.filled_avg_price)}{at},"
            f" {sold.client_order_id}"
        )
    yield from (f"NO STOP for {symbol}: {why}" for symbol, why in outcome.no_stop.items())
    for order in outcome.stops:
        at = "" if order.stop_price is None else f" at {money(order.stop_price)}"
        wanted = "" if order.qty is None else f" {quantity(order.qty)}"
        yield f"sell{wanted} {order.symbol}{at}, {order.status}, {order.client_order_id}"
    if outcome.submission is None and outcome.decision is not None:
        yield from (
            f"{each.symbol} at {money(each.stop_price)}: {each.why}"
            for each in outcome.decision.stops
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
    price = order.filled_avg_price if order.filled_qty else None  # an older fill's, if at all
    at = "" if price is None else f" at {money(price)}, {money(order.filled_qty * price)}"
    if order.notional is not None:
        at += f" of {money(order.notional)}"
    return (
        f"{order.side.value} {quantity(order.filled_qty)}{wanted} {order.symbol}{at}, "
        f"{order.order_type} order {order.status}, {order.client_order_id}"
    )


def _account(outcome: Outcome) -> Iterator[str]:
    account = outcome.account
    if account is None:
        return
    yield f"equity {money(account.equity)}, at the previous close {money(account.last_equity)}"
    yield f"cash {money(account.cash)}, buying power {money(account.buying_power)}"
    if outcome.decision is not None:
        yield f"the desk's capital {money(outcome.decision.desk_capital)}"
        weights = outcome.decision.target_weights
        told = ", ".join(f"{symbol} {percent(weights[symbol])}" for symbol in sorted(weights))
        yield f"target weights: {told or 'none, all cash'}"


def _positions(outcome: Outcome) -> Iterator[str]:
    if outcome.snapshot is None:
        return
    for symbol, position in sorted(outcome.snapshot.positions.items()):
        yield f"{quantity(position.qty)} {symbol}, paid {money(position.avg_entry_price)} each"


def _warnings(outcome: Outcome) -> Iterator[str]:
    yield from outcome.notes
    problems = problems_phrase(outcome, named=True)
    if problems:
        yield problems
    if outcome.snapshot is not None:
        yield from outcome.snapshot.warnings


def _record(outcome: Outcome) -> Iterator[str]:
    if outcome.record:
        yield outcome.record
    yield f"execution {outcome.execution_arn}"
