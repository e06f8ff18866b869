"""Owns a run's plans in the journal: numbered, sealed, and checked."""

from __future__ import annotations

import hmac
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from algotrader.adapters.keys import Keys
from algotrader.adapters.store import Store
from algotrader.contracts import canonical_json, decode, decode_versioned, stamp_version
from algotrader.errors import InvalidInputError
from algotrader.execution import find_unapproved, first_plan, plan_conflict
from algotrader.model import Decision, Order, Plan, Run

SEAL = "seal"


class PlanJournal(Struct, frozen=True):
    """The plans of one run.

    Only the plan records a halt or a rejection, so later calls must be able to trust it. So each
    plan has a seal that only somebody with the broker's keys can make (docs/decisions/0041).
    """

    run: Run
    decision: Decision
    store: Store
    keys: Keys

    def create(self, plan: Plan) -> bool:
        """Write a plan with its number; return False if that number exists.

        The journal never says which orders are unsent, because a call that then dies may have sent
        them.
        """
        content = stamp_version(replace(plan, unsent=()))
        sealed = {**content, SEAL: self._seal(content)}
        return self.store.create(self._key(plan.sequence), sealed)

    def check(self, plan: Plan, orders: dict[str, Order]) -> None:
        """Check that a plan contains only what the decision approved.

        Parameters
        ----------
        orders : dict of str to Order
            The broker's current orders, by client order id.

        Raises
        ------
        DecisionConflictError
            ``PLAN_CONFLICT`` with the first part of the plan that the decision did not approve.
        """
        problem = find_unapproved(self.run, self.decision, plan, orders)
        if problem:
            raise plan_conflict(self.run, plan.sequence, problem)

    def after(self, plan: Plan, orders: dict[str, Order]) -> Plan | None:
        """Read the plan that another call wrote after this one; None if it is missing.

        Raises
        ------
        DecisionConflictError
            ``PLAN_CONFLICT`` if this run did not write that plan.
        """
        return self._read(plan.sequence + 1, orders)

    def before(self, plan: Plan, orders: dict[str, Order]) -> Plan | None:
        """Return the previous plan, or the given plan if the journal lost the previous one.

        The first plan has no previous plan, so the result is None.

        Raises
        ------
        DecisionConflictError
            ``PLAN_CONFLICT`` if this run did not write the previous plan.
        """
        if plan.sequence == 0:
            return None
        if plan.sequence == 1:
            return first_plan(self.run, self.decision)
        return self._read(plan.sequence - 1, orders) or plan

    def _read(self, sequence: int, orders: dict[str, Order]) -> Plan | None:
        key = self._key(sequence)
        try:
            content = self.store.read(key, dict[str, Any])
            if content is None:
                return None
            seal = str(content.pop(SEAL, ""))
            is_sealed = hmac.compare_digest(seal.encode(), self._seal(content).encode())
            plan = (decode_versioned if is_sealed else decode)(Plan, content, key)
        except InvalidInputError as error:
            raise plan_conflict(self.run, sequence, f"it cannot be read: {error.code}") from error
        problem = find_unapproved(self.run, self.decision, plan, orders)
        if plan.sequence != sequence:
            problem = problem or f"it is a copy of plan-{plan.sequence:03d}"
        if not is_sealed:
            problem = problem or "its seal is wrong"
        if problem:
            raise plan_conflict(self.run, sequence, problem)
        return replace(plan, unsent=())

    def _seal(self, content: dict[str, Any]) -> str:
        """Seal a plan for its desk and run, so no other desk or run accepts a copy."""
        place = {"desk": self.run.desk, "run": self.run.run_id, "plan": content}
        return self.keys.seal(canonical_json(place))

    def _key(self, sequence: int) -> str:
        return f"{self.run.journal}plan-{sequence:03d}.json"
