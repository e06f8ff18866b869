"""Owns what the desk is owed after an ex-date: dividends, and shares of spun-off companies.

On an ex-date their value leaves the price, but it still belongs to the previous day's holder. So it
counts as the desk's until the broker pays it, or until a person adopts or releases the shares.
docs/decisions/0064-what-left-a-price-is-a-receivable.md has the reasons.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import ROUND_DOWN, Decimal

from msgspec import Struct, field
from msgspec.structs import replace

from algotrader.model import (
    Activity,
    ActivityKind,
    Adjustment,
    Conversion,
    CorporateAction,
    Ledger,
    Receivable,
    Track,
)
from algotrader.model.market import SPIN_OFF
from algotrader.model.units import CENT, ONE, ONE_SHARE, ZERO
from algotrader.session.trigger import NEW_YORK

#: Longest time from ex-date to payment. A dividend paid later counts for the shares held at
#: payment.
PAYMENT_WITHIN = timedelta(days=120)
#: A dividend that is still unpaid this long after its payment date is no longer expected.
UNPAID_AFTER = timedelta(days=10)

_NEAR = Decimal("0.01")  # of a dividend; its rows in the statement are rounded to cents


class Listing(Struct, frozen=True):
    """The broker's corporate actions, as a run reads them.

    Attributes
    ----------
    actions : tuple of CorporateAction or None
        None if the broker does not list any.
    since : date
        First ex-date that ``actions`` covers.
    entitled : mapping of (str, date) to Decimal
        Shares of a symbol that the desk held over an ex-date, after any split on that day. Unknown
        quantities are absent.
    """

    actions: tuple[CorporateAction, ...] | None = None
    since: date = date.max
    entitled: Mapping[tuple[str, date], Decimal] = field(default_factory=dict)


NO_LISTING = Listing()


def last_seen(track: Track | None, previous_session: date) -> date:
    """Return the last earlier session that a run observed, or the previous one without a track."""
    return previous_session if track is None else min(track.day.session, previous_session)


def list_receivables(
    track: Track | None, listing: Listing, session: date, previous_session: date
) -> tuple[Receivable, ...]:
    """Add the receivables of new corporate actions, and end those that are no longer expected.

    A new action counts if no run has observed a session since its ex-date, or if its payment is
    still to come. Any other new action was listed late and may have been paid already. An action
    that the broker no longer lists was canceled or changed. A changed action has different terms,
    so it is a new receivable for the same shares.
    """
    before = {} if track is None else {_terms(each): each for each in track.receivables}
    seen = last_seen(track, previous_session)
    held = {(each.symbol, each.ex_date): each.qty for each in before.values()}
    found: dict[object, Receivable] = {}
    for action in listing.actions or ():
        if not action.is_distribution or action.ex_date > session:
            continue
        new = action.shares[0] if action.shares else None
        owed = Receivable(
            symbol=action.symbol,
            kind=action.kind,
            ex_date=action.ex_date,
            qty=ZERO,
            cash=action.cash,
            new=new.symbol if new else "",
            rate=new.rate if new else ZERO,
            payable=action.payable,
        )
        terms, place = _terms(owed), (action.symbol, action.ex_date)
        is_new = action.ex_date > seen or (
            action.payable is not None and action.payable > previous_session
        )
        if terms in before:
            found[terms] = replace(before[terms], payable=action.payable, is_listed=True)
        elif is_new and (qty := held.get(place, listing.entitled.get(place, ZERO))) > 0:
            found[terms] = replace(owed, qty=qty)
    for terms, each in before.items():
        if terms not in found:
            is_gone = listing.actions is not None and each.ex_date >= listing.since
            found[terms] = replace(each, is_listed=each.is_listed and not is_gone)
    return tuple(
        replace(each, is_over=each.is_over or _is_unpaid(each, session))
        for each in found.values()
        if each.value or session - each.ex_date <= PAYMENT_WITHIN
    )


def list_conversions(
    known: Mapping[str, Conversion], listing: Listing, ledger: Ledger, session: date
) -> dict[str, Conversion]:
    """Return what the ledger's shares became in mergers or under new names, by old symbol."""
    found = {
        symbol: each
        for symbol, each in known.items()
        if listing.actions is None or each.ex_date < listing.since
    }
    for action in listing.actions or ():
        if action.is_conversion and action.ex_date <= session:
            shares = {new.symbol: new.rate for new in action.shares}
            found[action.symbol] = Conversion(action.ex_date, action.cash, shares)
    return {symbol: each for symbol, each in found.items() if symbol in ledger.holdings}


def value_new_shares(
    receivables: Iterable[Receivable],
    prices: Mapping[str, Decimal],
    before: Mapping[str, Decimal],
    previous_session: date,
) -> tuple[Receivable, ...]:
    """Value the other shares that are due.

    Until the shares of a spun-off company trade, they are worth the difference between the close
    before the ex-date and the first price after it.

    Parameters
    ----------
    prices : mapping of str to Decimal
        Prices of both the old and the other shares.
    before : mapping of str to Decimal
        By old symbol, as in `Receivable.before`.
    """

    def valued(owed: Receivable) -> Receivable:
        if not owed.new:
            return owed
        whole = before.get(owed.symbol) if owed.ex_date > previous_session else None
        known = replace(owed, before=whole if owed.before is None else owed.before)
        return replace(known, price=_price_of_new(known, prices))

    return tuple(map(valued, receivables))


def _price_of_new(owed: Receivable, prices: Mapping[str, Decimal]) -> Decimal | None:
    price, old = prices.get(owed.new), prices.get(owed.symbol)
    if price is not None:
        return price
    is_first = owed.price is None and owed.kind == SPIN_OFF
    if not is_first or owed.before is None or old is None or old >= owed.before:
        return owed.price
    return (owed.before - old) / owed.rate


def is_dividend(row: Activity) -> bool:
    """Whether a row is a dividend of a symbol, or a tax or fee on one."""
    return bool(row.symbol) and row.kind is ActivityKind.DIVIDEND


def dividend_part(row: Activity, held: Decimal, shares: Mapping[str, Decimal]) -> Decimal:
    """Compute the desk's part of a dividend in dollars, in proportion to its shares.

    Parameters
    ----------
    held : Decimal
        The desk's shares.
    shares : mapping of str to Decimal
        The account's shares, for a row that does not say how many shares it was paid on.
    """
    paid_on = shares.get(row.symbol, ZERO) if row.qty is None else row.qty
    if held <= 0 or paid_on <= 0:
        return ZERO
    return (row.amount * min(held / paid_on, ONE)).quantize(CENT, ROUND_DOWN)


def shares_paid_on(row: Activity, listing: Listing) -> Decimal | None:
    """Return the shares that the desk held over the ex-date of a dividend that a row pays or taxes.

    Return None if the broker lists no such dividend.
    """
    fit = [
        each
        for each in listing.actions or ()
        if each.is_cash_dividend
        and each.symbol == row.symbol
        and each.ex_date <= row.day
        and (row.amount <= 0 or _is_rate(row, each.cash))
    ]
    if not fit:
        return None
    newest = max(fit, key=lambda each: each.ex_date)
    return listing.entitled.get((newest.symbol, newest.ex_date), ZERO)


def book_dividend(
    receivables: tuple[Receivable, ...],
    row: Activity,
    shares: Mapping[str, Decimal],
    held: Decimal,
) -> tuple[tuple[Receivable, ...], Decimal]:
    """Book a row of the statement; return the receivables after it, and the desk's part.

    Parameters
    ----------
    held : Decimal
        The desk's shares, for a row that belongs to no receivable.
    """
    owed = _paid_by(row, receivables)
    if owed is None:
        return receivables, dividend_part(row, held, shares)
    if row.qty is None:
        # The account may have sold the shares since the ex-date.
        sold = max(shares.get(row.symbol, ZERO), owed.qty)
        row = replace(row, qty=row.amount / owed.cash if row.amount > 0 else sold)
    part = dividend_part(row, owed.qty, shares)
    if row.amount <= 0 or owed.is_over:
        return receivables, part
    received, whole = owed.received + part, owed.qty * owed.cash
    is_over = _is_rate(row, owed.cash) or whole - received <= _slack(whole)
    paid = replace(owed, received=received, is_over=is_over)
    return tuple(paid if each is owed else each for each in receivables), part


def is_paid_ahead(row: Activity, listing: Listing, session: date) -> bool:
    """Whether a row pays a dividend whose ex-date is still to come.

    A large special dividend is paid before its ex-date. It counts on the ex-date, when the price
    falls.
    """
    return any(
        (each.symbol, each.payable) == (row.symbol, row.day)
        and each.ex_date > session
        and _is_rate(row, each.cash)
        for each in listing.actions or ()
    )


def mark_counted(
    receivables: Iterable[Receivable], rows: Iterable[Activity]
) -> tuple[Receivable, ...]:
    """End the receivables of actions that the broker listed only after their payment."""
    counted = [each for each in rows if is_dividend(each)]
    return tuple(
        replace(
            owed,
            is_over=owed.is_over
            or any(
                row.symbol == owed.symbol and row.day >= owed.ex_date and _is_rate(row, owed.cash)
                for row in counted
            ),
        )
        for owed in receivables
    )


def book_adjustments(
    receivables: tuple[Receivable, ...], adjustments: Iterable[Adjustment], desk: str
) -> tuple[tuple[Receivable, ...], dict[str, Decimal]]:
    """Book the spun-off shares that a person gave to the desk.

    Their value at that moment then counts as received, and the ledger continues from the same
    value. The broker sells a fraction of a share for cash, so a fraction that remains counts as
    sold.

    Returns
    -------
    tuple of Receivable, dict of str to Decimal
        The receivables, and the dollars that count as received, by the symbol whose price they
        left.
    """
    own = sorted(
        (each for each in adjustments if each.desk == desk and each.qty > 0),
        key=lambda each: (each.at, each.id),
    )
    used = {each for owed in receivables for each in owed.counted}
    found, dollars = [], dict[str, Decimal]()
    for owed in receivables:
        fit = [each for each in own if each.symbol == owed.new and each.id not in used]
        taken, worth = _take(owed, fit)
        used |= {*taken.counted}
        if worth:
            dollars[owed.symbol] = dollars.get(owed.symbol, ZERO) + worth
        found.append(taken)
    return tuple(found), dollars


def _take(owed: Receivable, given: Iterable[Adjustment]) -> tuple[Receivable, Decimal]:
    """Book adjustments of the other shares; return what remains, and the dollars received."""
    worth, price = ZERO, owed.price or ZERO
    for each in given:
        qty = min(each.qty, owed.new_qty)
        if qty and each.at.astimezone(NEW_YORK).date() >= owed.ex_date:
            worth += qty * (price if each.worth is None else each.worth)
            owed = replace(owed, taken=owed.taken + qty, counted=(*owed.counted, each.id))
    if not owed.taken or owed.is_over or owed.new_qty >= ONE_SHARE:
        return owed, worth
    return replace(owed, is_over=True), worth + owed.new_qty * price


def sell_fractions(
    receivables: tuple[Receivable, ...], session: date
) -> tuple[tuple[Receivable, ...], dict[str, Decimal]]:
    """Count a fraction of a share as sold once its payment is overdue; return the dollars."""
    sold = [
        each
        for each in receivables
        if ZERO < each.new_qty < ONE_SHARE
        and session > max(each.ex_date, each.payable or each.ex_date) + UNPAID_AFTER
    ]
    found = (replace(each, is_over=True) if each in sold else each for each in receivables)
    return tuple(found), value_due(sold)


def value_due(receivables: Iterable[Receivable]) -> dict[str, Decimal]:
    """Sum the dollars that are due, by the symbol whose price they left."""
    found: dict[str, Decimal] = {}
    for each in receivables:
        if each.value:
            found[each.symbol] = found.get(each.symbol, ZERO) + each.value
    return found


def describe_receivables(
    before: Iterable[Receivable], now: Iterable[Receivable], stack: str
) -> tuple[str, ...]:
    """Describe shares that a person must adopt or release, and dividends that never came."""
    was_due = {_terms(each) for each in before if each.value}
    found = []
    for each in now:
        day, kind = each.ex_date.isoformat(), each.kind.replace("_", " ")
        if each.new_qty >= ONE_SHARE:
            qty, name = int(each.new_qty), f"--stack {stack}"
            counted = "have no price yet and count as 0"
            if each.price is not None:
                counted = f"count as {each.new_qty * each.price:.2f} in profit and loss"
            found.append(
                f"{each.new}: {qty} shares from the {kind} of {each.symbol} on {day} {counted}"
                f". Once the account has them, run `algo-trader adopt {each.new} {qty} {name}` or"
                f" `algo-trader release {each.new} {qty} {name}`."
            )
        unpaid = each.qty * each.cash - each.received
        if _terms(each) in was_due and not each.value and unpaid > _slack(each.qty * each.cash):
            why = "was not paid" if each.is_listed else "is no longer listed"
            found.append(
                f"{each.symbol}: the {kind} of {day} {why}, so profit and loss no longer"
                f" include {unpaid:.2f}. Compare with your account."
            )
    return tuple(found)


def _terms(owed: Receivable) -> tuple[object, ...]:
    return owed.symbol, owed.ex_date, owed.kind, owed.cash, owed.new, owed.rate


def _is_unpaid(owed: Receivable, session: date) -> bool:
    """Whether cash is no longer expected; shares are due until a person adopts or releases them."""
    if owed.new:
        return False
    if owed.payable is None:
        return session > owed.ex_date + PAYMENT_WITHIN
    return session > max(owed.ex_date, owed.payable) + UNPAID_AFTER


def _paid_by(row: Activity, receivables: Iterable[Receivable]) -> Receivable | None:
    """Return the dividend that a row pays or taxes, or None if it is unknown."""
    fit = [
        each
        for each in receivables
        if each.symbol == row.symbol
        and each.cash
        and min(each.ex_date, each.payable or each.ex_date) <= row.day
    ]
    newest = sorted(fit, key=lambda each: each.ex_date, reverse=True)
    if row.amount <= 0:
        return newest[0] if newest else None
    due = [each for each in reversed(newest) if not each.is_over]
    exact = [each for each in due if _is_rate(row, each.cash)]
    on_its_day = [each for each in exact if each.payable == row.day]
    return next(iter((*on_its_day, *exact, *due, *newest)), None)


def _is_rate(row: Activity, cash: Decimal) -> bool:
    """Whether a row pays this many dollars per share."""
    if cash <= 0 or row.amount <= 0:
        return False
    if row.qty is None:
        return True
    return abs(row.amount - row.qty * cash) <= _slack(row.qty * cash)


def _slack(whole: Decimal) -> Decimal:
    return max(whole * _NEAR, CENT)
