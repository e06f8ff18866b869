"""Owns the limits on whether a symbol is traded now: by switch, template, broker and hour."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from algotrader.model import Asset, CorporateAction, Side, TradingState
from algotrader.risk.reasons import Denial, Reason


def trading_state(state: TradingState, reason: str, side: Side) -> Denial | None:
    """Stop every order when HALTED, and those that raise exposure when REDUCING."""
    if state is TradingState.ACTIVE or (state is TradingState.REDUCING and side is Side.SELL):
        return None
    halted = state is TradingState.HALTED
    code = Reason.TRADING_HALTED if halted else Reason.TRADING_REDUCING
    return Denial(code, f"trading state is {state.value}: {reason or 'no reason given'}")


def not_denied(symbol: str, deny_symbols: tuple[str, ...]) -> Denial | None:
    """Never raise exposure in a symbol that the template denies."""
    if symbol not in deny_symbols:
        return None
    return Denial(Reason.SYMBOL_DENIED, f"one of {len(deny_symbols)} in DenySymbols")


def named_in_input(symbol: str, entry_symbols: tuple[str, ...]) -> Denial | None:
    """Raise exposure in the symbols alone that the run may buy."""
    if symbol in entry_symbols:
        return None
    named = ", ".join(entry_symbols) or "none"
    return Denial(Reason.NOT_IN_INPUT, f"this run may buy: {named}")


def tradable(asset: Asset | None, side: Side) -> Denial | None:
    """Ask that the broker allows it; selling what it does not list is left to its answer."""
    if asset is None:
        return (
            Denial(Reason.NOT_TRADABLE, "the broker does not list it") if side is Side.BUY else None
        )
    return None if asset.tradable else Denial(Reason.NOT_TRADABLE, "the broker flags it so")


def no_corporate_action(actions: Iterable[CorporateAction], symbol: str) -> Denial | None:
    """Keep off a symbol whose shares were changed since the last session."""
    told = [
        f"{each.kind} on {each.ex_date.isoformat()}"
        for each in actions
        if each.symbol == symbol and not each.is_cash_dividend
    ]
    return Denial(Reason.CORPORATE_ACTION, ", ".join(sorted(told))) if told else None


def far_from_close(now: datetime, close: datetime, min_minutes: int) -> Denial | None:
    """Ask for some minutes until the session's own close, which is an early one at times."""
    left = close - now
    if left >= timedelta(minutes=min_minutes):
        return None
    return Denial(
        Reason.MINUTES_TO_CLOSE,
        f"{left.total_seconds() / 60:.1f} minutes to the close at {close.isoformat()},"
        f" at least {min_minutes} needed",
    )
