"""Owns how the command line prints runs: orders, denials, reasons, and the text message."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from rich.box import ROUNDED, SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from local.cli.console import clean

PHONE_WIDTH = 40
SUCCEEDED = "SUCCEEDED"
FILLED, STOP = "filled", "stop"
OK = "ok"


def table(
    headers: Sequence[str], rows: Sequence[Sequence[object]], right: Sequence[str] = ()
) -> Table:
    """Lay out rows under headers; the first column and the number columns never wrap.

    Parameters
    ----------
    right : sequence of str
        Headers of the number columns, which are right-aligned.
    """
    grid = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    for header in headers:
        whole = header in (headers[0], *right)
        grid.add_column(
            header,
            justify="right" if header in right else "left",
            no_wrap=whole,
            overflow="ellipsis" if whole else "fold",
        )
    for row in rows:
        grid.add_row(*(Text(clean(cell)) for cell in row))
    return grid


def print_day(console: Console, document: dict[str, Any], message: str) -> None:
    """Print what one run did.

    Parameters
    ----------
    message : str
        Fetch Bars' message about the session, printed if the run decided nothing.
    """
    execution = document["execution"]
    decision = document["decision"] or {}
    if execution["status"] != SUCCEEDED:
        section(console, "Failure", lines(execution["error"], execution["cause"]))
    elif not decision and message:
        section(console, "Outcome", lines(message))
    if document["orders"] or decision:
        section(console, "Orders", _orders(document["orders"]))
    if document["denied"]:
        rows = [(one["symbol"], one["code"], one["detail"]) for one in document["denied"]]
        section(console, "Denied", table(("Symbol", "Reason", "Detail"), rows))
    print_unfit(console, decision)
    if decision.get("why"):
        section(console, "Why", table(("Symbol", "Reason"), sorted(decision["why"].items())))
    print_strategy_output(console, document)
    notification = document["notification"]
    if notification and notification["sms"]:
        section(console, "Text message", _phone(notification["sms"]))
    if document["account"]:
        section(console, "Account", lines(_account(document["account"])))
    if document["returns"]:
        section(console, "Returns", _returns(document["returns"]))


def print_strategy_output(console: Console, document: dict[str, Any]) -> None:
    """Print what the strategy printed and logged."""
    if document.get("strategy_output"):
        section(console, "Strategy output", lines(*document["strategy_output"]))


def print_unfit(console: Console, decision: dict[str, Any]) -> None:
    """Print the symbols that the run could not use, and the remarks on its targets."""
    unfit = decision.get("unfit") or {}
    rows = [(symbol, each["code"], each["detail"]) for symbol, each in sorted(unfit.items())]
    if rows:
        section(console, "Unfit", table(("Symbol", "Reason", "Detail"), rows))
    if decision.get("remarks"):
        section(console, "Targets", lines(*decision["remarks"]))


def print_days(console: Console, documents: Sequence[dict[str, Any]]) -> None:
    """Print a table with one row for each run, then the returns as of the last one."""
    rows = []
    for document in documents:
        account = document["account"] or {}
        trades = [each for each in document["orders"] if each["order_type"] != STOP]
        filled = sum(order["status"] == FILLED for order in trades)
        rows.append(
            (
                document["session"] or "",
                document["execution"]["error"] or OK,
                f"{filled}/{len(trades)}",
                len(document["orders"]) - len(trades),
                money(account.get("cash")),
                money(account.get("equity")),
                profit(account)[1],
                _codes(document["denied"]),
            )
        )
    headers = ("Session", "Run", "Filled", "Stops", "Cash", "Equity", "Profit", "Denied")
    console.print(table(headers, rows, right=headers[2:7]))
    if documents and documents[-1]["returns"]:
        section(console, "Returns at the last run", _returns(documents[-1]["returns"]))


def _codes(denied: Sequence[dict[str, Any]]) -> str:
    """Count denials, and list each code once."""
    return " ".join((str(len(denied)), *dict.fromkeys(str(each["code"]) for each in denied)))


def money(text: str | None) -> str:
    """Format a number with thousands separators and cents; return any other text unchanged."""
    amount = decimal(text)
    return (text or "") if amount is None else f"{amount:,.2f}"


def profit(account: dict[str, Any]) -> tuple[str, str]:
    """Format the profit from the previous close to the run's start, in dollars and in percent."""
    made, last = decimal(account.get("profit")), decimal(account.get("last_equity"))
    if made is None or not last:
        return "", ""
    return f"{made:+,.2f}", f"{made / last:+.2%}"


def _orders(orders: Sequence[dict[str, Any]]) -> RenderableType:
    if not orders:
        return lines("none")
    rows = [
        (
            order["side"],
            order["symbol"],
            order["qty"] or f"for {money(order.get('notional'))}",
            _terms(order),
            order["status"],
            order["filled_qty"],
            order["filled_avg_price"] or "",
        )
        for order in orders
    ]
    headers = ("Side", "Symbol", "Quantity", "Order", "Status", "Filled", "Price")
    return table(headers, rows, right=("Quantity", "Filled", "Price"))


def _terms(order: dict[str, Any]) -> str:
    """Format an order's type and price, such as ``limit 515.29``."""
    price = order["limit_price"] or order["stop_price"] or ""
    return f"{order['order_type']} {price}".rstrip()


def _phone(sms: str) -> RenderableType:
    count = f"{len(sms)} characters"
    bubble = Panel(Text(clean(sms)), box=ROUNDED, width=PHONE_WIDTH)
    return Group(bubble, Text(count.rjust(PHONE_WIDTH), style="dim"))


def _account(account: dict[str, Any]) -> str:
    parts = [f"equity {money(account['equity'])}", f"cash {money(account['cash'])}"]
    dollars, per_cent = profit(account)
    if dollars:
        parts.append(f"profit since last close {dollars} ({per_cent})")
    return ", ".join(parts)


def _returns(returns: dict[str, Any]) -> RenderableType:
    """Lay out the desk's returns next to the benchmark's, one period per row."""
    periods = (
        ("last session", "last"),
        ("today", "day"),
        ("this week", "week"),
        ("this month", "month"),
        (f"since {returns['first_session']}", "total"),
    )
    symbol = returns["symbol"]
    rows = [
        (words, _per_cent(found["desk"]), *((_per_cent(found["benchmark"]),) if symbol else ()))
        for words, name in periods
        if (found := returns[name]) is not None
    ]
    headers = ("Period", "Desk", *((symbol,) if symbol else ()))
    return table(headers, rows, right=headers[1:])


def _per_cent(fraction: str | None) -> str:
    value = decimal(fraction)
    return "" if value is None else f"{value:+.2%}"


def lines(*parts: object) -> RenderableType:
    """Put the nonempty parts on separate lines."""
    return Text(clean("\n".join(str(part) for part in parts if part)))


def section(console: Console, title: str, body: RenderableType) -> None:
    """Print a body under its title."""
    console.print()
    console.print(Text(title, style="bold"))
    console.print(Padding(body, (0, 0, 0, 2), expand=False))


def decimal(text: object) -> Decimal | None:
    """Parse a finite number, or return None if the text is not one."""
    try:
        amount = Decimal(str(text))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None
