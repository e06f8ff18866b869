"""Owns the examples of docs/texts.md, which the real messages' code writes.

Print them with ``PYTHONPATH=functions:. python -m tests.support.text_examples``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from algotrader.messages import make_texts, read_failure
from algotrader.messages.text_template import FIELDS
from algotrader.model import Holding, Leg, OrderRejected, Side, SymbolProfit, TradingState
from tests.support.desk_world import settings
from tests.support.finished_runs import (
    DRY_RUN,
    PERFORMANCE,
    REPORT,
    RUN,
    SNAPSHOT,
    decision,
    denied,
    intent,
    order,
    order_id,
    run_report,
    sell,
    submission,
)

HELD = {"AAPL": Holding(Decimal(56), Decimal(24000)), "MSFT": Holding(Decimal(97), Decimal(2600))}
SYMBOLS = tuple(
    SymbolProfit(symbol, Decimal(qty), Decimal(price), *map(Decimal, (value, 0, gain, 0)))
    for symbol, qty, price, value, gain in (
        ("AAPL", 56, "441.50", "24724.00", "-210.50"),
        ("MSFT", 97, "27.80", "2696.60", "26.50"),
    )
)
HOLDS = replace(
    SNAPSHOT,
    ledger=replace(SNAPSHOT.ledger, holdings=HELD),
    performance=replace(PERFORMANCE, symbols=SYMBOLS),
    since_close_pnl=Decimal("-184.00"),
)
STOP = order(
    "AAPL",
    "0",
    "56",
    side=Side.SELL,
    client_order_id=order_id("AAPL", Leg.STOP),
    order_type="stop",
    status="new",
)
BROKE = read_failure(
    "Submit Orders",
    "BrokerUnavailableError",
    "BROKER_ERROR: status=503. Look at status.alpaca.markets, then start the run again.",
)


def _state(word: TradingState, reason: str) -> Any:
    return replace(HOLDS, trading_state=word, trading_state_reason=reason)


def _examples() -> Iterator[tuple[str, str]]:
    def text(**changes: Any) -> str:
        return make_texts(run_report(**{"snapshot": HOLDS, **changes})).sms

    bought = submission(order("GOOG", "31"), order("IBM", "124"))
    rejected = OrderRejected(order_id("IBM"), "IBM", "40310000", "no")
    no_cash = replace(denied("MSFT", "INSUFFICIENT_CASH"), qty=Decimal(22))
    waits = (denied("IBM", "TRADING_HALTED"),)
    cut = decision(intent("IBM", "119"), exits=(intent("MSFT", "97", Side.SELL),))
    yield "traded", text(submission=bought)
    yield (
        "bought less for lack of settled cash",
        text(decision=cut, submission=submission(sell("MSFT", "97"), order("IBM", "97"))),
    )
    yield (
        "trouble",
        text(
            decision=replace(decision(), unprotected={"AAPL": "halted"}),
            submission=submission(order("GOOG", "5", "31"), rejected=(rejected,)),
        ),
    )
    yield "nothing to do", text(decision=decision(target_weights={"AAPL": Decimal("0.25")}))
    yield "no cash for more of a holding", text(decision=decision(denied=(no_cash,)))
    yield (
        "halted",
        text(
            snapshot=_state(TradingState.HALTED, "earnings week"), decision=decision(denied=waits)
        ),
    )
    yield "dry run", text(run=DRY_RUN, decision=decision(intent("IBM", "124")))
    yield (
        "flatten",
        text(
            run=replace(RUN, run_id="2013-02-28-f1542", slot="f1542"),
            snapshot=replace(_state(TradingState.REDUCING, "flatten: bad news"), performance=None),
            submission=submission(sell("AAPL", "56"), sell("MSFT", "97")),
        ),
    )
    yield "report after the close", text(run=REPORT, decision=None)
    yield (
        "failed",
        text(snapshot=replace(HOLDS, own_open_orders=(STOP,)), decision=None, failure=BROKE),
    )
    form = "{mode} {session}: {orders}. {month}, {benchmark}. {equity}"
    yield f"`TextTemplate` `{form}`", text(settings=settings(text_template=form), submission=bought)


def examples_table() -> str:
    """Return the table of runs and their texts, in Markdown."""
    rows = (f"| {name} | `{text}` |" for name, text in _examples())
    return "\n".join(("| Run | Text |", "|---|---|", *rows))


def fields_table() -> str:
    """Return the table of the template's fields, with an example of each, in Markdown."""
    rows = []
    for name, words in FIELDS.items():
        form = settings(text_template=f"{{orders}} || {{{name}}}")
        run = REPORT if name in {"best", "worst"} else RUN
        report = run_report(run=run, snapshot=HOLDS, decision=decision(), settings=form)
        shown = make_texts(report).sms.partition(" || ")[2]
        rows.append(f"| `{{{name}}}` | {words} | `{shown}` |")
    return "\n".join(("| Field | Shows | For example |", "|---|---|---|", *rows))


if __name__ == "__main__":
    sys.stdout.write(f"{examples_table()}\n\n{fields_table()}\n")
