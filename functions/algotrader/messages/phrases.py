"""Owns the phrases that the text message, the subject and the e-mail share."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal

from algotrader.messages.failure import FailureReport
from algotrader.messages.figures import money, percent, quantity
from algotrader.messages.gsm7 import shorten, to_gsm7
from algotrader.messages.run_report import RunReport
from algotrader.model import CorporateAction, Order, OrderDenied, OrderIntent, Side, TradingState
from algotrader.orders.own_orders import resting_stops
from algotrader.orders.statuses import FILLED

PRODUCT = "algo-trader"
MOST_NAMES = 32  # more never fit into a text message

_REASON_SEPTETS = 40
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_ENDED_SEPTETS = 44
_NOTE_SEPTETS = 60


def head(report: RunReport) -> str:
    """Format sender, mode and session: ``algo-trader PAPER 2013-02-28``."""
    kind = "FLATTEN" if report.is_flatten else ""
    return " ".join(filter(None, (PRODUCT, report.mode, kind, report.when)))


def lead_phrase(
    report: RunReport, *, names: int = MOST_NAMES, reasons: bool = True, holds: bool = True
) -> str:
    """Describe what the run did, would do or why it did nothing, and how much the desk holds.

    A halted desk says so here, with what it would have done.
    """
    done = orders_phrase(report, names)
    if report.is_halted:
        state = state_phrase(report, reason=reasons)
        done = ", ".join((state, done or "would trade nothing"))
    elif not done:
        done = nothing_phrase(report) if reasons else "no orders"
    held = holds_phrase(report) if holds else ""
    return ", ".join(filter(None, (done, kept_phrase(report, names), held)))


def orders_phrase(report: RunReport, names: int = MOST_NAMES) -> str:
    """Describe what the run bought and sold, or would have.

    Return an empty string if there is nothing to describe.
    """
    if report.is_dry and not report.is_halted:
        orders = [(each.side, f"{amount(each)} {each.symbol}") for each in report.intents]
        return _groups(orders, {Side.SELL: "would sell", Side.BUY: "would buy"}, names)
    filled = [(each.side, _filled_phrase(each, report)) for each in report.filled]
    done = _groups(filled, {Side.SELL: "sold", Side.BUY: "bought"}, names)
    cut = _cut_reason(report)
    waits = [(each.side, f"{quantity(each.qty)} {each.symbol}") for each in report.halted_orders]
    would = _groups(waits, {Side.SELL: "would sell", Side.BUY: "would buy"}, names)
    return ", ".join(filter(None, (done, cut, would)))


def _groups(orders: list[tuple[Side, str]], words: dict[Side, str], names: int) -> str:
    groups = []
    for side, word in words.items():
        items = [text for each, text in orders if each is side]
        if not items:
            continue
        shown = ", ".join(items[:names]) or len(items)
        more = f" and {len(items) - names} more" if 0 < names < len(items) else ""
        groups.append(f"{word} {shown}{more}")
    return ", ".join(groups)


def _cut_reason(report: RunReport) -> str:
    """Explain the lack of cash that makes a buy smaller than the strategy wants.

    Return an empty string if no buy is smaller.

    A decision counts the cash from its sells. If they all filled and the cash is still missing, it
    is not settled yet. Before the sells, cash that the broker does not let the desk spend is not
    settled either, unless open buys reserve it.
    """
    decision, snapshot = report.decision, report.snapshot
    if decision is None or snapshot is None:
        return ""
    decided = {each.client_order_id: each.qty for each in report.intents if each.notional is None}
    buys = [each for each in report.filled if each.side is Side.BUY]
    if any((each.qty or 0) < decided.get(each.client_order_id, 0) for each in buys):
        filled = {each.client_order_id: each.filled_qty for each in report.filled}
        if any(filled.get(each.client_order_id, 0) < each.qty for each in decision.exits):
            return "sells unfilled"
        return "cash unsettled" if decision.exits else "cash short"
    if any(each.symbol in decision.cut_to_cash for each in buys):
        account = snapshot.account
        still_open = (*snapshot.own_open_orders, *snapshot.foreign_open_orders)
        is_reserved = any(each.side is Side.BUY for each in still_open)
        is_free = account.cash <= account.non_marginable_buying_power
        return "cash short" if is_reserved or is_free else "cash unsettled"
    return ""


def kept_phrase(report: RunReport, names: int = MOST_NAMES) -> str:
    """Name the holdings that the run did not raise because there was no cash.

    Return an empty string if there is none.
    """
    kept = report.kept_for_lack_of_cash
    if not kept:
        return ""
    if len(kept) > names:
        return f"kept {len(kept)}, no cash"
    holdings = report.holdings or {}
    items = (
        f"{quantity(held)} of {quantity(held + each.qty)} {each.symbol}"
        for each in kept
        for held in (holdings.get(each.symbol, Decimal(0)),)
    )
    return f"kept {', '.join(items)}, no cash"


def holds_phrase(report: RunReport) -> str:
    """Count the symbols that the desk holds after the run.

    Return an empty string if the run did not read them.
    """
    holdings = report.holdings
    return "" if holdings is None else f"holds {len(holdings) or 'nothing'}"


def nothing_phrase(report: RunReport) -> str:
    """Explain why a run has no orders or no fills."""
    if report.intents or report.trades:
        return "no fills"
    denied = _denied(report)
    if denied:
        codes = {each.code for each in denied}
        return "no orders: all denied" + (f", {codes.pop()}" if len(codes) == 1 else "")
    if report.kept_for_lack_of_cash:
        return "no orders"
    if report.is_flatten:
        return "no orders"
    return _nothing_wanted(report)


def _nothing_wanted(report: RunReport) -> str:
    """Explain why the decision has no orders, not even denied ones."""
    decision = report.decision
    if decision is not None and decision.keeps_all:
        return "no orders: too few fit symbols"
    if decision is not None and not any(weight > 0 for weight in decision.target_weights.values()):
        holdings = {} if report.snapshot is None else report.snapshot.ledger.holdings
        keeps = "unfit holdings stay" if report.unfit.keys() & holdings else "nothing to sell"
        return f"no orders: the strategy wants cash, {keeps}"
    return "no orders: all within band"


def amount(intent: OrderIntent) -> str:
    """Format the amount of an order: shares, or dollars."""
    if intent.notional is not None:
        return f"{money(intent.notional)} of"
    return quantity(intent.qty)


def _filled_phrase(order: Order, report: RunReport) -> str:
    """Format the filled shares, and the decided shares if the order did not fill them all."""
    decided = {each.client_order_id: each.qty for each in report.intents}
    wanted = max(decided.get(order.client_order_id, order.filled_qty), order.qty or Decimal(0))
    if report.decision is not None and order.side is Side.BUY:
        wanted = max(wanted, report.decision.cut_to_cash.get(order.symbol, wanted))
    filled = quantity(order.filled_qty)
    if order.notional is not None and order.status != FILLED:
        return f"{filled} {order.symbol} of {money(order.notional)}"
    if wanted <= order.filled_qty:
        return f"{filled} {order.symbol}"
    return f"{filled} of {quantity(wanted)} {order.symbol}"


def problems_phrase(report: RunReport, *, named: bool) -> str:
    """Count the orders that did not go as decided, by kind of problem.

    Return an empty string if there is none.
    """
    return ", ".join(
        f"{len(names)} {word} ({_listed(names)})" if named else f"{len(names)} {word}"
        for word, names in _problems(report)
    )


def _listed(names: tuple[str, ...]) -> str:
    return (", " if any(" " in each for each in names) else " ").join(names)


def stopped_phrase(report: RunReport, *, named: bool) -> str:
    """Describe what protective stops sold since the previous run.

    Return an empty string if there is nothing to describe.
    """
    stopped = () if report.snapshot is None else report.snapshot.stopped
    if not stopped:
        return ""
    sold = ", ".join(f"{quantity(each.filled_qty)} {each.symbol}" for each in stopped)
    return f"Stop sold {sold}" if named else f"{len(stopped)} stop{_s(len(stopped))} sold"


def no_stop_phrase(report: RunReport, *, named: bool) -> str:
    """Name the holdings that lack their protective stop.

    Return an empty string if all have one.
    """
    symbols = report.no_stop
    if not symbols:
        return ""
    return f"NO STOP {_names(symbols, named=named)}"


def stops_over_phrase(report: RunReport, *, named: bool) -> str:
    """Name the holdings whose stop a corporate action of the next session affects.

    Return an empty string if there is nothing to describe.
    """
    return ", ".join(
        f"{what} over the {_noun(actions)} {_names(actions, named=named)}"
        for what, actions in (
            (report.rests, report.stop_rests_over),
            ("NO STOP", report.no_stop_over),
        )
        if actions
    )


def _noun(actions: Mapping[str, CorporateAction]) -> str:
    nouns = {each.noun for each in actions.values()}
    return nouns.pop() if len(nouns) == 1 else "corporate actions"


def _names(symbols: Collection[str], *, named: bool) -> str:
    return " ".join(symbols) if named else f"for {len(symbols)}"


def unfit_phrase(report: RunReport) -> str:
    """Count the symbols whose data the run could not use.

    Return an empty string if there is none.
    """
    return f"{len(report.unfit)} unfit" if report.unfit else ""


def note_phrase(report: RunReport) -> str:
    """Shorten what the strategy says about the run; empty if it says nothing."""
    return shorten(to_gsm7(report.strategy_note), _NOTE_SEPTETS)


def trouble_phrase(report: RunReport) -> str:
    """Count all orders that did not go as decided, or return an empty string if there is none."""
    count = sum(len(symbols) for _, symbols in _problems(report))
    return f"trouble with {count}" if count else ""


def _problems(report: RunReport) -> list[tuple[str, tuple[str, ...]]]:
    groups = (
        ("unsettled", tuple(report.unsettled.values())),
        ("rejected", report.rejected_symbols),
        ("replaced", report.replaced_symbols),
        ("unfilled", report.unfilled_symbols),
        ("denied", tuple(each.symbol for each in _denied(report))),
    )
    return [group for group in groups if group[1]]


def _denied(report: RunReport) -> tuple[OrderDenied, ...]:
    """Return the denied orders that the lead does not describe yet."""
    described = {*report.halted_orders, *report.kept_for_lack_of_cash}
    return tuple(each for each in report.denied if each not in described)


def closures_phrase(report: RunReport) -> str:
    """Name the listed days on which the exchange stayed closed.

    Return an empty string if there is none.
    """
    days = () if report.snapshot is None else report.snapshot.closures
    named = ", ".join(f"{_MONTHS[day.month - 1]} {day.day}" for day in days)
    return f"No session on {named}" if named else ""


def strategy_phrase(report: RunReport, *, named: bool) -> str:
    """Report a new strategy, and that a live desk's ramp starts again.

    Return an empty string if the strategy is the same.

    A failed run reports the change only by e-mail, so the next successful run repeats it.
    """
    started = report.changed_strategy
    if started is None:
        return ""
    change = f"Strategy is now {started.strategy}" if named else "Strategy changed"
    return f"{change}, live ramp starts again" if report.is_ramped else change


def state_phrase(report: RunReport, *, reason: bool) -> str:
    """Return the trading state with its reason, or an empty string for ACTIVE.

    After a flatten the phrase names ACTIVE too, because the desk may buy the sold shares again.
    """
    snapshot = report.snapshot
    if snapshot is None:
        return ""
    if snapshot.trading_state is TradingState.ACTIVE:
        return "ACTIVE: the next run may buy again" if report.is_flatten else ""
    why = shorten(to_gsm7(snapshot.trading_state_reason), _REASON_SEPTETS) if reason else ""
    return f"{snapshot.trading_state.value} ({why})" if why else snapshot.trading_state.value


def ended_phrase(report: RunReport, *, reason: bool) -> str:
    """Report that a take-over sent nothing more, and why.

    Return an empty string for any other run.
    """
    why = "" if report.run is None else report.run.ended_because
    if not why:
        return ""
    short = shorten(to_gsm7(why), _ENDED_SEPTETS) if reason else ""
    return f"Sent nothing more ({short})" if short else "Sent nothing more"


def day_phrase(report: RunReport, *, benchmark: bool = True, dollars: bool = True) -> str:
    """Format the desk's return since the previous close; without a measurement, the account's."""
    performance = report.performance
    if performance is None:
        return account_phrase(report)
    day = percent(performance.returns.day.desk, signed=True, short=True)
    made = money(performance.desk_profit, signed=True, cents=False)
    versus = f", {benchmark_phrase(report)}" if benchmark and benchmark_phrase(report) else ""
    return f"day {f'{made} ({day})' if dollars else day}{versus}"


def last_phrase(report: RunReport) -> str:
    """Format the desk's return in the last full session.

    Return an empty string if the desk is new.
    """
    performance = report.performance
    if performance is None:
        return account_phrase(report)
    returns = performance.returns
    if returns.last is None:
        is_new = report.run is not None and returns.first_session == report.run.session
        return "" if is_new else "last session unknown"
    return f"last session {percent(returns.last.desk, signed=True, short=True)}"


def period_phrase(report: RunReport, period: str) -> str:
    """Format the desk's return this week or month.

    Return an empty string if the run did not measure it.
    """
    performance = report.performance
    if performance is None:
        return ""
    returns = performance.returns
    part = returns.week if period == "week" else returns.month
    return f"{period} {percent(part.desk, signed=True, short=True)}"


def since_phrase(report: RunReport, *, benchmark: bool) -> str:
    """Format the desk's return since its first session.

    Return an empty string if the run did not measure it.
    """
    performance = report.performance
    if performance is None:
        return ""
    returns = performance.returns
    day, this = returns.first_session, report.run
    year = "" if this is None or this.session.year == day.year else f" {day.year}"
    text = f"since {_MONTHS[day.month - 1]} {day.day}{year}"
    text += f" {percent(returns.total.desk, signed=True, short=True)}"
    if not benchmark or not performance.benchmark:
        return text
    versus = percent(returns.total.benchmark, signed=True, short=True)
    return f"{text} ({performance.benchmark} {versus})"


def benchmark_phrase(report: RunReport) -> str:
    """Format the benchmark's return since the previous close.

    Return an empty string if there is none.
    """
    performance = report.performance
    if performance is None or not performance.benchmark:
        return ""
    change = percent(performance.returns.day.benchmark, signed=True, short=True)
    return f"{performance.benchmark} {change}"


def account_phrase(report: RunReport) -> str:
    """Format the account's profit since the previous close, without deposits and withdrawals."""
    return f"account {money(report.day_pnl, signed=True, cents=False)} since close"


def desk_phrase(report: RunReport) -> str:
    """Format the desk's profit since the previous close.

    Return an empty string if the run did not measure it.
    """
    performance = report.performance
    if performance is None:
        return ""
    return f"desk {money(performance.desk_profit, signed=True, cents=False)}"


def holding_phrase(report: RunReport, which: str) -> str:
    """Name the desk's best or worst holding since the previous close.

    Return an empty string if there is none.

    The worst is empty if the desk holds only one symbol.
    """
    performance = report.performance
    held = [] if performance is None else [e for e in performance.symbols if e.qty > 0]
    ranked = sorted(held, key=lambda each: (-each.profit, each.symbol))
    if not ranked or (which == "worst" and len(ranked) == 1):
        return ""
    found = ranked[0] if which == "best" else ranked[-1]
    return f"{which} {found.symbol} {money(found.profit, signed=True, cents=False)}"


def equity_phrase(report: RunReport) -> str:
    """Format the account's equity.

    Return an empty string if the run did not read the account.
    """
    return "" if report.account is None else f"equity {money(report.account.equity, cents=False)}"


def cash_phrase(report: RunReport) -> str:
    """Format the account's cash, or return an empty string if the run did not read the account."""
    return "" if report.account is None else f"cash {money(report.account.cash, cents=False)}"


def resting_phrase(report: RunReport, failure: FailureReport) -> str:
    """Describe whether the stops for a failed run's holdings are resting.

    Return an empty string without holdings.
    """
    if report.snapshot is None:
        return "Stops untouched" if failure.before_orders else ""
    holdings = report.holdings or {}
    if not holdings:
        return ""
    canceled = () if report.decision is None else report.decision.cancels
    before = (e for e in report.snapshot.own_open_orders if e.client_order_id not in canceled)
    stops = resting_stops((*before, *report.stops))
    rest = [symbol for symbol in holdings if symbol in stops]
    if len(rest) == len(holdings):
        return f"Holds {len(holdings)}, all stops rest"
    return f"Holds {len(holdings)}, " + (f"stops rest for {len(rest)}" if rest else "no stop rests")


def orders_sent(report: RunReport, failure: FailureReport) -> str:
    """Describe what is certain about a failed run's orders.

    "No order sent" is certain for a run that sends none, that failed before Submit Orders, or that
    had nothing to submit.
    """
    dry = report.run is not None and not report.run.sends_orders
    is_in_notify = failure.state.startswith("Notify")  # it failed after all orders had ended
    if dry or failure.before_orders or (is_in_notify and not report.submitted):
        return "No order sent"
    if report.submission is None:
        return "Orders may be out, check the broker"
    count, filled = len(report.sent), sum(order.filled_qty > 0 for order in report.sent)
    if not count:
        return "No order sent" if is_in_notify else "Orders may be out, check the broker"
    sent = f"{count} order{_s(count)} sent, {filled} filled"
    return sent if is_in_notify else f"At least {sent}, check the broker"


def _s(count: int) -> str:
    return "" if count == 1 else "s"
