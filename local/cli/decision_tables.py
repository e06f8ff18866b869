"""Owns how the command line prints a decision that sends no orders."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from rich.console import Console, RenderableType

from local.cli.tables import (
    SUCCEEDED,
    decimal,
    lines,
    money,
    print_day,
    print_strategy_output,
    print_unfit,
    section,
    table,
)

MARKET = "market"
CUT = (
    "Nothing was sent. A run sells first. If the sells bring in less cash than planned, the run "
    "reduces its buys. It never increases them."
)
NOT_SENT = "Nothing was sent."


def print_plan(console: Console, document: dict[str, Any], message: str) -> None:
    """Print what a dry run decided; if it made no decision, print it as `print_day` does.

    Parameters
    ----------
    message : str
        Fetch Bars' message about the session, printed if the run decided nothing.
    """
    decision = document["decision"]
    if not decision or document["execution"]["status"] != SUCCEEDED:
        print_day(console, document, message)
        return
    orders = [*decision["exits"], *decision["entries"]]
    title = f"Orders that the run would send on {document['session']}"
    section(console, title, _orders(orders, decision["desk_capital"]))
    if decision["cancels"]:
        section(console, "Orders to cancel first", lines(*decision["cancels"]))
    if decision["denied"]:
        rows = [
            (one["side"], one["symbol"], one["qty"], one["code"], one["detail"])
            for one in decision["denied"]
        ]
        columns = ("Side", "Symbol", "Quantity", "Reason", "Detail")
        section(console, "Denied", table(columns, rows, right=("Quantity",)))
    print_unfit(console, decision)
    section(console, "Why", table(("Symbol", "Reason"), sorted(decision["why"].items())))
    print_strategy_output(console, document)
    weights = sorted(decision["target_weights"].items())
    parts = [(symbol, _per_cent(weight)) for symbol, weight in weights]
    headers = ("Symbol", "Weight")
    targets = table(headers, parts, right=headers[1:]) if parts else lines("none, all in cash")
    section(console, f"Target weights of {decision['strategy']}", targets)
    desk, spendable = money(decision["desk_capital"]), money(decision["spendable"])
    section(console, "Capital", lines(f"desk capital {desk}, spendable {spendable}"))
    console.print()
    console.print(CUT if decision["exits"] and decision["entries"] else NOT_SENT)


def _orders(orders: Sequence[dict[str, Any]], capital: str) -> RenderableType:
    if not orders:
        return lines("none")
    rows = []
    for order in orders:
        worth = _notional(order)
        rows.append(
            (
                order["side"],
                order["symbol"],
                order["qty"],
                order["limit_price"] or MARKET,
                "" if worth is None else f"{worth:,.2f}",
                _share(worth, capital),
            )
        )
    headers = ("Side", "Symbol", "Quantity", "Limit", "Notional", "Of capital")
    return table(headers, rows, right=headers[2:])


def _notional(order: dict[str, Any]) -> Decimal | None:
    """Return an order's notional, or its shares at the limit price or latest price."""
    if order.get("notional"):
        return decimal(order["notional"])
    qty, price = decimal(order["qty"]), decimal(order["limit_price"] or order["reference_price"])
    return None if qty is None or price is None else qty * price


def _share(worth: Decimal | None, capital: str) -> str:
    whole = decimal(capital)
    return "" if worth is None or not whole else f"{worth / whole:.1%}"


def _per_cent(weight: str) -> str:
    value = decimal(weight)
    return weight if value is None else f"{value:.2%}"
