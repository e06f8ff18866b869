"""Owns what the e-mail says of the shadow: its orders beside the live ones, and why."""

from __future__ import annotations

from collections.abc import Iterator

from algotrader.messages.figures import percent, quantity
from algotrader.messages.outcome import Outcome, ShadowOutcome
from algotrader.model import Decision


def shadow_sections(outcome: Outcome) -> Iterator[tuple[str, ...]]:
    """Give the section as a title and its lines; none when the run has no shadow."""
    if outcome.shadow is not None:
        title = f"SHADOW {outcome.shadow.strategy}: it sent nothing"
        yield (title, *_lines(outcome, outcome.shadow))


def _lines(outcome: Outcome, shadow: ShadowOutcome) -> Iterator[str]:
    if shadow.decision is None:
        yield f"it did not decide: {shadow.error or 'the run never got so far'}"
        return
    mine, live = _orders(shadow.decision), _orders(outcome.decision)
    for symbol in sorted({*shadow.decision.why, *mine, *live}):
        would, does = mine.get(symbol, "do nothing"), live.get(symbol, "nothing")
        why = shadow.decision.why.get(symbol)
        yield f"{symbol}: would {would} (the desk: {does})" + (f". {why}" if why else "")
    weights = shadow.decision.target_weights
    told = ", ".join(f"{symbol} {percent(weights[symbol])}" for symbol in sorted(weights))
    yield f"its target weights: {told or 'none, all cash'}"
    stops = [f"{each.symbol} at {quantity(each.stop_price)}" for each in shadow.decision.stops]
    if stops:
        yield f"its stops: {', '.join(stops)}"


def _orders(decision: Decision | None) -> dict[str, str]:
    """Spell what a decision approved, by symbol."""
    if decision is None:
        return {}
    return {
        each.symbol: f"{each.side.value} {quantity(each.qty)}"
        for each in (*decision.exits, *decision.entries)
    }
