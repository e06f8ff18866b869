"""Owns what the broker shows of a plan's orders and cancels, read in few requests."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, time

from msgspec import Struct

from algotrader.broker import LISTING_MARGIN, Broker
from algotrader.execution import never_sent
from algotrader.model import Order, Plan, Run
from algotrader.orders.ids import parse_client_order_id
from submit_orders.send_lease import SendLease

#: A call looks up at most this many orders by their ids. A list answers for the others.
MOST_LOOK_UPS = 50
#: If more cancels than this have ended, one list costs fewer requests than their look-ups.
FEW_ENDED = 5


class OrderLookUp(Struct, frozen=True):
    """The look-ups of one call. Each method returns orders by client order id."""

    run: Run
    broker: Broker
    lease: SendLease

    def list_since_start(self) -> dict[str, Order]:
        """List the orders since the run's start."""
        return self._list(self.run.started_at - LISTING_MARGIN)

    def find_canceled(self, plan: Plan, listed: dict[str, Order]) -> dict[str, Order]:
        """Find the plan's cancels, most of which are older than the list.

        One list of the open orders answers for those that have not ended. If more than `FEW_ENDED`
        have ended, one list from the session of the oldest one answers for them.
        """
        older = [each for each in plan.cancels if each not in listed]
        if len(older) > 1:
            listed = listed | {each.client_order_id: each for each in self.broker.open_orders()}
        ended = [each for each in older if each not in listed]
        sessions = [place.session for each in ended if (place := parse_client_order_id(each))]
        if sessions and len(ended) > FEW_ENDED:
            listed = listed | self._list(datetime.combine(min(sessions), time(), UTC))
        return self._find(plan.cancels, listed)

    def find_planned(
        self, plan: Plan, before: Plan | None, listed: dict[str, Order]
    ) -> dict[str, Order]:
        """Find the plan's orders; the list answers for those that no call can have sent.

        The call looks up the other orders that the list lacks by their ids. If there are more than
        `MOST_LOOK_UPS`, each call looks up different ones.
        """
        ids = [each.client_order_id for each in plan.orders]
        unsent = never_sent(plan, before) - listed.keys()
        if unsent and self.lease.is_free(plan):
            ids = [each for each in ids if each not in unsent]
        missing = [each for each in ids if each not in listed]
        if missing:
            first = plan.waited_seconds % len(missing)
            missing = [*missing[first:], *missing[:first]][:MOST_LOOK_UPS]
        return self._find((*(each for each in ids if each in listed), *missing), listed)

    def _list(self, after: datetime) -> dict[str, Order]:
        return {each.client_order_id: each for each in self.broker.orders_after(after)}

    def _find(self, ids: Iterable[str], listed: dict[str, Order]) -> dict[str, Order]:
        found = {each: listed.get(each) or self.broker.order(each) for each in ids}
        return {each: order for each, order in found.items() if order is not None}
