"""Owns the send lease: of all calls with the same plan and number of polls, only one sends."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from algotrader.adapters.store import Store
from algotrader.model import Plan, Run


class SendLease(Struct, frozen=True):
    """The leases of one run, each an object in its journal that one call can create.

    Without the lease, a call could resend an order before the broker shows the first one. A
    broker that accepts the id of a terminal order again would then execute both.

    Attributes
    ----------
    call_id : str
        Identifies this attempt; a retry has another id.
    """

    run: Run
    store: Store
    call_id: str

    def is_free(self, plan: Plan) -> bool:
        """Whether no call has acquired the lease yet, so no call can have sent under it."""
        return not self.store.holds(self._key(plan))

    def acquire(self, plan: Plan, now: datetime) -> bool:
        """Acquire the lease; return False if another call or an earlier attempt has it."""
        key = self._key(plan)
        if self.store.create(key, {"call": self.call_id, "at": now.isoformat()}):
            return True
        taken = self.store.read(key, dict[str, str])
        return taken is not None and taken["call"] == self.call_id  # S3 retried our own write

    def _key(self, plan: Plan) -> str:
        return f"{self.run.journal}sending-{plan.sequence:03d}-{plan.polls:03d}.json"
