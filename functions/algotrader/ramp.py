"""Owns the ramp: a live desk buys little in its first days, so that a mistake costs little."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from algotrader.cases import Case, cut_to_money
from algotrader.limits import Reason, Refusal
from algotrader.model import Run, Settings, TradingMode


@dataclass(frozen=True, slots=True)
class Ramp:
    """What the entries of a run may cost together.

    Attributes
    ----------
    room : Decimal or None
        Dollars that are left; None when no ramp binds the run.
    since : date or None
        When the desk's first order that was filled was submitted.
    """

    room: Decimal | None
    since: date | None
    settings: Settings

    def cut(self, case: Case) -> Case:
        """Cut an entry to what is left; it stays as it is when that is less than an order.

        No band is asked for, unlike where money is short: a desk that bought nothing because its
        ramp is low would learn nothing from it. The next run buys on.
        """
        if self.room is None:
            return case
        least = self.settings.min_order_notional
        return cut_to_money(case, self.room, least, "what LiveRampNotional leaves")

    def refusal(self, cost: Decimal) -> Refusal | None:
        """Refuse an entry that costs more than what is left, at its worst price."""
        if self.room is None or cost <= self.room:
            return None
        begun = "none was filled yet" if self.since is None else f"on {self.since.isoformat()}"
        return Refusal(
            Reason.LIVE_RAMP,
            f"cost {cost:.2f}, left {self.room:.2f} of {self.settings.live_ramp_notional:.2f} a run"
            f" in the first {self.settings.live_ramp_days} days; first order: {begun}",
        )

    def after(self, cost: Decimal) -> Ramp:
        """Take off what an entry costs."""
        return self if self.room is None else replace(self, room=self.room - cost)


def ramp_of(run: Run, settings: Settings, since: date | None) -> Ramp:
    """Give the ramp of a run: in live mode, for some days from the desk's first order on.

    A desk without any order is in its first day.
    """
    is_over = since is not None and run.session >= since + timedelta(days=settings.live_ramp_days)
    if run.mode is not TradingMode.LIVE or settings.live_ramp_days == 0 or is_over:
        return Ramp(None, since, settings)
    return Ramp(settings.live_ramp_notional, since, settings)
