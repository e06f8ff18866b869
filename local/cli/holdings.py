"""Owns `algo-trader adopt` and `release`: they move shares into and out of a desk's books."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation

import click

from algotrader.adapters.universes import read_symbols
from algotrader.errors import DeskError
from algotrader.model.units import FRACTION_STEP
from algotrader.orders.ids import DESK_PATTERN, SYMBOL_PATTERN
from algotrader.soundness import is_brokers_number
from local.cli.console import clean, paragraph
from local.cli.stack_options import confirm_if_live, stack_location, stack_options, stack_title
from local.ops.holdings import AccountView, TransferRefusedError, open_account

NOT_MOVED = 1


def _symbol(_context: click.Context, _parameter: click.Parameter, text: str) -> str:
    symbol = text.upper()
    if not SYMBOL_PATTERN.fullmatch(symbol):
        raise click.BadParameter(f"{text!r} is not a symbol such as AAPL")
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
    if qty <= 0 or qty % FRACTION_STEP:
        raise click.BadParameter(
            f"{text} is not a number of shares above 0 with up to nine decimals"
        )
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
    if text is not None and not DESK_PATTERN.fullmatch(text):
        raise click.BadParameter(
            f"{text!r} is not a desk such as 1a2b3c; a desk's order ids contain it"
        )
    return text


_REASON = click.option(
    "--reason", default="", metavar="TEXT", help="A note that the books keep with the entry."
)
_YES = click.option("--yes", is_flag=True, help="Do not ask for confirmation, even for real money.")


@click.command()
@click.argument("symbol", callback=_symbol)
@click.argument("qty", callback=_qty)
@click.option(
    "--cost",
    callback=_price,
    metavar="PRICE",
    help="The cost per share in the desk's books; default: the broker's average.",
)
@click.option(
    "--from",
    "giver",
    callback=_desk,
    metavar="DESK",
    help="Take the shares from another desk, which must no longer run.",
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
    """Add QTY shares of SYMBOL, which the account holds, to the desk of a deployed stack.

    The command buys nothing. From its next run on, the desk owns the shares and may sell them.
    Exit status: 0 if done; 1 if refused by the account's state, AWS, the broker or you; 2 for wrong
    usage or settings.
    """

    def move(view: AccountView) -> str:
        symbols = _symbols_of(view)  # first, so an unknown list changes nothing
        view.adopt(symbol, qty, cost, giver, reason)
        meaning = "The desk owns the shares from its next run on, but not in a run under way."
        if symbol not in symbols:
            meaning += f"\n{symbol} is not in the stack's Symbols, so the next run sells all of it."
        if giver is not None:
            meaning += (
                f"\nDesk {giver} must not sell these shares too. Never deploy it on this account "
                "again, or release the same shares in its own stack."
            )
        return meaning

    return _move(symbol, f"Give {qty:f} {symbol} to the desk?", move, where, ask=not yes)


@click.command()
@click.argument("symbol", callback=_symbol)
@click.argument("qty", callback=_qty)
@click.option(
    "--desk",
    callback=_desk,
    metavar="DESK",
    help="The desk that has the shares in this stack's books; default: the stack's own.",
)
@_REASON
@_YES
@stack_options
def release(
    symbol: str, qty: Decimal, desk: str | None, reason: str, *, yes: bool, **where: str | None
) -> int:
    """Release QTY shares of SYMBOL from the books of the desk of a deployed stack.

    The command sells nothing. From then on the shares are yours, and the desk never sells them.
    Release also corrects the books after the desk's shares left the account without its orders.
    Exit status: 0 if done; 1 if refused by the account's state, AWS, the broker or you; 2 for wrong
    usage or settings.
    """

    def move(view: AccountView) -> str:
        view.release(symbol, qty, desk, reason)
        return "The desk no longer owns the shares."

    return _move(
        symbol, f"Release {qty:f} {symbol} from the desk's books?", move, where, ask=not yes
    )


def _move(
    symbol: str,
    question: str,
    move: Callable[[AccountView], str],
    where: dict[str, str | None],
    *,
    ask: bool,
) -> int:
    """Show who owns the shares, move them, and print the consequences."""
    try:
        with open_account(stack_location(where)) as view:
            stack = view.stack
            click.echo(f"{stack_title(stack.name, stack.region, stack.mode)}: desk {view.desk}")
            _show(view, symbol)
            if ask and not confirm_if_live(question, stack.name, stack.mode):
                click.echo("Nothing was changed.")
                return NOT_MOVED
            meaning = move(view)
        with open_account(stack_location(where)) as after:
            click.echo("now:")
            _show(after, symbol)
        click.echo("\n".join(map(paragraph, meaning.splitlines())))
    except (TransferRefusedError, DeskError) as problem:
        raise click.ClickException(clean(problem)) from problem
    return 0


def _symbols_of(view: AccountView) -> tuple[str, ...]:
    """Return the symbols that the stack trades, with its symbol lists read from this checkout."""
    words = view.stack.parameters.get("Symbols", "").split(",")
    return read_symbols("Symbols", map(str.strip, words)).names


def _show(view: AccountView, symbol: str) -> None:
    stock = view.stock(symbol)
    price = f", {stock.position.avg_entry_price:f} each on average" if stock.position else ""
    rows = [("the account", f"{stock.account:f}{price}"), ("this desk", f"{stock.own:f}")]
    rows += [(f"desk {desk}", f"{qty:f}") for desk, qty in stock.others.items()]
    if due := view.due(symbol):
        rows.append(("due", f"{due:f} to this desk, from a spin-off"))
    rows.append(
        ("yours", f"{stock.free:f}") if stock.free >= 0 else ("missing", f"{-stock.free:f}")
    )
    click.echo(f"  {symbol}")
    for owner, owned in rows:
        click.echo(f"    {owner:12} {owned}")
