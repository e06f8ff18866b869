"""Owns the ramp: a live desk buys little in a strategy's first days, so a mistake costs little.

A desk's first strategy and each one that replaces it begin with the ramp.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from algotrader.model import Run, Settings, StrategyStart
from algotrader.risk.pre_trade import Denial, Reason


@dataclass(frozen=True, slots=True)
class Ramp:
    """What the entries of a run may cost together.

    Attributes
    ----------
    room : Decimal or None
        Dollars that are left; None if no ramp binds the run.
    first_buy : date or None
        The session of the strategy's first buy that was filled.
    """

    room: Decimal | None
    first_buy: date | None
    settings: Settings

    def refusal(self, cost: Decimal) -> Denial | None:
        """Refuse an entry that costs more than what is left, at its worst price."""
        if self.room is None or cost <= self.room:
            return None
        first = "none yet" if self.first_buy is None else f"on {self.first_buy.isoformat()}"
        return Denial(
            Reason.LIVE_RAMP,
            f"cost {cost:.2f}, left {self.room:.2f} of {self.settings.live_ramp_notional:.2f} a run"
            f" in the first {self.settings.live_ramp_days} days of {self.settings.strategy};"
            f" its first filled buy: {first}",
        )

    def after(self, cost: Decimal) -> Ramp:
        """Take off what an entry costs."""
        return self if self.room is None else replace(self, room=self.room - cost)


def ramp_of(run: Run, settings: Settings, started: StrategyStart | None) -> Ramp:
    """Return the ramp of a run: in live mode, for some days from the strategy's first buy on.

    A strategy without a filled buy is in its first day, and so is one of which nothing is known.
    """
    first = None if started is None else started.first_buy
    is_over = first is not None and run.session >= first + timedelta(days=settings.live_ramp_days)
    room = None if is_over or not settings.is_ramped else settings.live_ramp_notional
    return Ramp(room, first, settings)
