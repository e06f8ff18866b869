"""Owns the checks that a symbol may trade now: kill switch, template, broker, time of day."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from algotrader.model import CorporateAction, Side, TradingState
from algotrader.portfolio.proposed_order import ProposedOrder
from algotrader.risk.context import RiskContext
from algotrader.risk.reasons import Denial, Reason

#: The reason for a denial in each trading state; ACTIVE denies nothing.
REASON_OF_STATE = {
    TradingState.REDUCING: Reason.TRADING_REDUCING,
    TradingState.HALTED: Reason.TRADING_HALTED,
}


def trading_allowed(order: ProposedOrder, context: RiskContext) -> Denial | None:
    """Deny every order when HALTED, and every buy when REDUCING."""
    snapshot = context.snapshot
    code = REASON_OF_STATE.get(snapshot.trading_state)
    if code is None or (code is Reason.TRADING_REDUCING and order.side is Side.SELL):
        return None
    reason = snapshot.trading_state_reason or "no reason given"
    return Denial(code, f"trading state is {snapshot.trading_state.value}: {reason}")


def symbol_fit(order: ProposedOrder, context: RiskContext) -> Denial | None:
    """Deny an order in a symbol whose data the run cannot use."""
    unfit = context.unfit.get(order.symbol)
    return None if unfit is None else Denial(Reason.SYMBOL_UNFIT, str(unfit))


def no_corporate_action(order: ProposedOrder, context: RiskContext) -> Denial | None:
    """Deny an order in a symbol whose shares changed since the last session."""
    return corporate_action(context.snapshot.corporate_actions, order.symbol)


def corporate_action(actions: Iterable[CorporateAction], symbol: str) -> Denial | None:
    """Return a denial if an action changed a symbol's shares since the last session."""
    found = [
        each.description for each in actions if each.symbol == symbol and not each.is_cash_dividend
    ]
    return Denial(Reason.CORPORATE_ACTION, ", ".join(sorted(found))) if found else None


def tradable(order: ProposedOrder, context: RiskContext) -> Denial | None:
    """Deny a symbol that the broker does not trade; the broker checks sales of unlisted ones."""
    asset = context.snapshot.assets.get(order.symbol)
    if asset is not None:
        return (
            None if asset.tradable else Denial(Reason.NOT_TRADABLE, "the broker flags it as such")
        )
    if order.side is Side.SELL:
        return None
    return Denial(Reason.NOT_TRADABLE, "the broker does not list it")


def symbol_not_denied(order: ProposedOrder, context: RiskContext) -> Denial | None:
    """Deny an entry in a symbol of ``DenySymbols``."""
    denied = context.settings.deny_symbols
    if order.symbol not in denied:
        return None
    return Denial(Reason.SYMBOL_DENIED, f"one of {len(denied)} symbols in DenySymbols")


def named_in_input(order: ProposedOrder, context: RiskContext) -> Denial | None:
    """Deny an entry in a symbol that the run may not buy."""
    allowed = context.run.may_enter(context.settings.symbols)
    if order.symbol in allowed:
        return None
    return Denial(Reason.NOT_IN_INPUT, f"this run may buy: {', '.join(allowed) or 'none'}")


def far_from_close(order: ProposedOrder, context: RiskContext) -> Denial | None:
    """Deny an entry in the last minutes before the session's close, regular or early.

    A dry run may use a session that is over.
    """
    del order
    now, close = context.now, context.snapshot.session.close
    minimum = context.settings.min_minutes_to_close
    left = close - now
    looks_back = not context.run.sends_orders and now >= close
    if looks_back or left >= timedelta(minutes=minimum):
        return None
    return Denial(
        Reason.MINUTES_TO_CLOSE,
        f"{left.total_seconds() / 60:.1f} minutes to the close at {close.isoformat()},"
        f" at least {minimum} needed",
    )
