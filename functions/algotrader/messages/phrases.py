"""Owns the phrases that the text message, the subject and the e-mail share."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal

from algotrader.messages.failure import FailureReport
from algotrader.messages.figures import money, percent, quantity, share
from algotrader.messages.gsm7 import shorten, to_gsm7
from algotrader.messages.run_report import RunReport
from algotrader.model import CorporateAction, Order, OrderIntent, Side, TradingState
from algotrader.orders.statuses import FILLED

PRODUCT = "algo-trader"
MOST_NAMES = 32  # more never fit into a text message

_REASON_SEPTETS = 40
_ENDED_SEPTETS = 44


def head(report: RunReport) -> str:
    """Format sender, mode and session: ``algo-trader PAPER 2013-02-28``."""
    kind = "FLATTEN" if report.is_flatten else ""
    return " ".join(filter(None, (PRODUCT, report.mode, kind, report.when)))


def orders_phrase(report: RunReport, names: int = MOST_NAMES) -> str:
    """Describe what the run bought and sold, or would have; empty if nothing."""
    if report.is_dry:
        orders = [(each.side, f"{amount(each)} {each.symbol}") for each in report.intents]
        words = {Side.SELL: "would sell", Side.BUY: "would buy"}
    else:
        orders = [(each.side, _filled_phrase(each, report)) for each in report.filled]
        words = {Side.SELL: "sold", Side.BUY: "bought"}
    groups = []
    for side, word in words.items():
        items = [text for each, text in orders if each is side]
        if not items:
            continue
        shown = ", ".join(items[:names]) or len(items)
        more = f" and {len(items) - names} more" if 0 < names < len(items) else ""
        groups.append(f"{word} {shown}{more}")
    return ", ".join(groups)


def nothing_phrase(report: RunReport) -> str:
    """Explain why a run has no orders or no fills."""
    if report.snapshot is not None and report.snapshot.trading_state is TradingState.HALTED:
        return "no orders: trading is halted"
    if report.intents or report.trades:
        return "no fills"
    if report.denied:
        codes = {each.code for each in report.denied}
        return "no orders: all denied" + (f", {codes.pop()}" if len(codes) == 1 else "")
    if report.is_flatten:
        return "no orders: the desk holds nothing"
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
    filled = quantity(order.filled_qty)
    if order.notional is not None and order.status != FILLED:
        return f"{filled} {order.symbol} of {money(order.notional)}"
    if wanted <= order.filled_qty:
        return f"{filled} {order.symbol}"
    return f"{filled} of {quantity(wanted)} {order.symbol}"


def problems_phrase(report: RunReport, *, named: bool) -> str:
    """Count the orders that did not go as decided, by kind of problem; empty if none."""
    return ", ".join(
        f"{len(symbols)} {word} ({' '.join(symbols)})" if named else f"{len(symbols)} {word}"
        for word, symbols in _problems(report)
    )


def stopped_phrase(report: RunReport, *, named: bool) -> str:
    """Describe what protective stops sold since the previous run; empty if nothing."""
    stopped = () if report.snapshot is None else report.snapshot.stopped
    if not stopped:
        return ""
    sold = ", ".join(f"{quantity(each.filled_qty)} {each.symbol}" for each in stopped)
    return f"Stop sold {sold}" if named else f"{len(stopped)} stop{_s(len(stopped))} sold"


def no_stop_phrase(report: RunReport, *, named: bool) -> str:
    """Name the holdings that lack their protective stop; empty if none do."""
    symbols = report.no_stop
    if not symbols:
        return ""
    return f"NO STOP {_names(symbols, named=named)}"


def stops_over_phrase(report: RunReport, *, named: bool) -> str:
    """Name what a corporate action of the next session leaves without a stop; empty if nothing."""
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
    """Count the symbols whose data the run could not use; empty if none."""
    return f"{len(report.unfit)} unfit" if report.unfit else ""


def trouble_phrase(report: RunReport) -> str:
    """Count all orders that did not go as decided; empty if none."""
    count = sum(len(symbols) for _, symbols in _problems(report))
    return f"trouble with {count}" if count else ""


def _problems(report: RunReport) -> list[tuple[str, tuple[str, ...]]]:
    groups = (
        ("unsettled", report.unsettled_symbols),
        ("rejected", report.rejected_symbols),
        ("replaced", report.replaced_symbols),
        ("unfilled", report.unfilled_symbols),
        ("denied", tuple(each.symbol for each in report.denied)),
    )
    return [group for group in groups if group[1]]


def strategy_phrase(report: RunReport, *, named: bool) -> str:
    """Report a new strategy, and that a live desk's ramp starts again; empty if unchanged.

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
    """Report that a take-over sent nothing more, and why; empty for any other run."""
    why = "" if report.run is None else report.run.ended_because
    if not why:
        return ""
    short = shorten(to_gsm7(why), _ENDED_SEPTETS) if reason else ""
    return f"Sent nothing more ({short})" if short else "Sent nothing more"


def day_phrase(report: RunReport, *, shares: bool = True, cents: bool = True) -> str:
    """Format the account's profit since the previous close, without deposits and withdrawals."""
    base = None if report.snapshot is None else report.snapshot.close_equity
    return f"day {_made(report.day_pnl, base or Decimal(0), shares=shares, cents=cents)}"


def desk_phrase(report: RunReport, *, shares: bool, cents: bool) -> str:
    """Format the desk's profit since the previous close; empty if the run did not measure it."""
    performance = report.performance
    if performance is None:
        return ""
    made = _made(performance.desk_profit, performance.worth, shares=shares, cents=cents)
    return f"Desk {made}"


def benchmark_phrase(report: RunReport) -> str:
    """Format the benchmark's change, or return an empty string without a benchmark."""
    performance = report.performance
    if performance is None or not performance.benchmark:
        return ""
    return f"{performance.benchmark} {percent(performance.benchmark_change, signed=True)}"


def _made(made: Decimal | None, base: Decimal, *, shares: bool, cents: bool) -> str:
    part = share(made, base) if shares else None
    fraction = "" if part is None else f" ({percent(part, signed=True)})"
    return f"{money(made, signed=True, cents=cents)}{fraction}"


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
