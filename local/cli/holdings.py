"""Owns `algo-trader adopt` and `release`: shares moved into a desk's books by hand, and out."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation

import click

from algotrader.adapters.universes import read_symbols
from algotrader.errors import DeskError
from algotrader.model import TradingMode
from algotrader.orders.ids import SYMBOL_PATTERN
from algotrader.soundness import is_brokers_number
from local.cli.console import clean
from local.cli.stack_options import (
    confirm,
    stack_location,
    stack_options,
    stack_title,
    trades_real_money,
)
from local.ops.holdings import AccountView, TransferRefusedError, open_account
from local.ops.stack import AwsProblem

NOT_MOVED = 1
FINEST = Decimal("1e-9")


def _symbol(_context: click.Context, _parameter: click.Parameter, text: str) -> str:
    symbol = text.upper()
    if not SYMBOL_PATTERN.fullmatch(symbol):
        raise click.BadParameter(f"{text!r} is no symbol such as AAPL")
    return symbol


def _number(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not is_brokers_number(number):
        raise click.BadParameter(f"{text!r} is not a number of shares or dollars")
    return number


def _qty(_context: click.Context, _parameter: click.Parameter, text: str) -> Decimal:
    qty = _number(text)
    if qty <= 0 or qty % FINEST:
        raise click.BadParameter(f"{text} is not a number of shares: above 0, up to nine decimals")
    return qty


def _price(
    _context: click.Context, _parameter: click.Parameter, text: str | None
) -> Decimal | None:
    if text is None:
        return None
    price = _number(text)
    if price < 0:
        raise click.BadParameter(f"{text} is below 0")
    return price


def _desk(_context: click.Context, _parameter: click.Parameter, text: str | None) -> str | None:
    if text is not None and not re.fullmatch("[0-9a-f]{6}", text):
        raise click.BadParameter(f"{text!r} is no desk such as 1a2b3c; its orders' ids name it")
    return text


_REASON = click.option(
    "--reason", default="", metavar="TEXT", help="Kept beside the entry, for you to read."
)
_YES = click.option("--yes", is_flag=True, help="Do not ask, also where real money is traded.")


@click.command()
@click.argument("symbol", callback=_symbol)
@click.argument("qty", callback=_qty)
@click.option(
    "--cost",
    callback=_price,
    metavar="PRICE",
    help="Dollars that a share is taken to have cost; default: the broker's average.",
)
@click.option(
    "--from",
    "giver",
    callback=_desk,
    metavar="DESK",
    help="Take them from another desk, which must not run any more.",
)
@_REASON
@_YES
@stack_options
def adopt(
    symbol: str,
    qty: Decimal,
    cost: Decimal | None,
    giver: str | None,
    reason: str,
    *,
    yes: bool,
    **where: str | None,
) -> int:
    """Return QTY shares of SYMBOL, which the account already holds, to the desk of a deployed
    stack.

    Nothing is bought: the desk takes them for its own from its next run on, and may sell them. Exit
    status: 0 done, 1 refused, by the account's state, by AWS, by the broker or by you, 2 wrong
    usage or settings.
    """

    def move(shelves: AccountView) -> str:
        symbols = _symbols_of(shelves)  # first: when a list is unknown, nothing is changed
        shelves.adopt(symbol, qty, cost, giver, reason)
        told = "The desk takes them for its own from its next run on; one under way does not."
        if symbol not in symbols:
            told += f"\n{symbol} is not among the stack's Symbols: the next run sells all of it."
        if giver is not None:
            told += (
                f"\nDesk {giver} must not run any more on this account: deploy it no more, or give"
                " up\nthe same shares in its own stack."
            )
        return told

    return _move(symbol, f"Give {qty:f} {symbol} to the desk?", move, where, ask=not yes)


@click.command()
@click.argument("symbol", callback=_symbol)
@click.argument("qty", callback=_qty)
@click.option(
    "--desk",
    callback=_desk,
    metavar="DESK",
    help="Another desk that no longer owns them, in this stack's books of it.",
)
@_REASON
@_YES
@stack_options
def release(
    symbol: str, qty: Decimal, desk: str | None, reason: str, *, yes: bool, **where: str | None
) -> int:
    """Strike QTY shares of SYMBOL off the books of the desk of a deployed stack.

    Nothing is sold: what the account holds of them is yours from then on, and the desk never
    touches it. It also puts the books right after you sold shares of the desk's, or they left
    otherwise. Exit status: 0 done, 1 refused, by the account's state, by AWS, by the broker or by
    you, 2 wrong usage or settings.
    """

    def move(shelves: AccountView) -> str:
        shelves.release(symbol, qty, desk, reason)
        return "They are off the books from now on."

    return _move(symbol, f"Strike {qty:f} {symbol} off the books?", move, where, ask=not yes)


def _move(
    symbol: str,
    question: str,
    move: Callable[[AccountView], str],
    where: dict[str, str | None],
    *,
    ask: bool,
) -> int:
    """Show whose the shares are, move them, and say what that means."""
    try:
        with open_account(stack_location(where)) as shelves:
            stack = shelves.stack
            click.echo(f"{stack_title(stack.name, stack.region, stack.mode)}: desk {shelves.desk}")
            _show(shelves, symbol)
            if (
                ask
                and stack.mode is TradingMode.LIVE
                and not confirm(
                    f"This stack trades real money. {question}", trades_real_money(stack.name)
                )
            ):
                click.echo("Nothing was changed.")
                return NOT_MOVED
            meaning = move(shelves)
        with open_account(stack_location(where)) as after:
            click.echo("now:")
            _show(after, symbol)
        click.echo(meaning)
    except (AwsProblem, TransferRefusedError, DeskError) as problem:
        raise click.ClickException(clean(problem)) from problem
    return 0


def _symbols_of(shelves: AccountView) -> tuple[str, ...]:
    """Read the symbols that the stack trades; its lists are read from this checkout."""
    words = shelves.stack.parameters.get("Symbols", "").split(",")
    return read_symbols("Symbols", map(str.strip, words)).names


def _show(shelves: AccountView, symbol: str) -> None:
    stock = shelves.stock(symbol)
    price = f", {stock.position.avg_entry_price:f} each on average" if stock.position else ""
    rows = [("the account", f"{stock.account:f}{price}"), ("this desk", f"{stock.own:f}")]
    rows += [(f"desk {desk}", f"{qty:f}") for desk, qty in stock.others.items()]
    rows.append(
        ("yours", f"{stock.free:f}") if stock.free >= 0 else ("missing", f"{-stock.free:f}")
    )
    click.echo(f"  {symbol}")
    for owner, told in rows:
        click.echo(f"    {owner:12} {told}")
