"""Owns the verdict on a run, which compares the broker's final holdings with the decision."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from algotrader.contracts import decode
from algotrader.model import Decision, OrderIntent, Side, Submission
from algotrader.model import Order as TradedOrder
from algotrader.orders.ids import desk_prefix
from algotrader.orders.statuses import is_terminal
from local.paper_broker.values import Order
from tests.faults.market import CASH, STARTED, decision_of, resting_id, run_of
from tests.faults.simulation import HELD
from tests.faults.state_machine import Machine, Position

# Errors that a person must settle, each with the notes that justify such an end.
NEEDS_A_PERSON = {
    "OrderConflictError": {"foreign", "twin-stack"},
    "DecisionConflictError": {"twin", "forged"},
    "ConfigurationError": {"deployed mode"},
}
# Codes with which a run may deny an approved order, each with the notes that justify it.
NAMED_FOR = {
    "TRADING_HALTED": {"switch", "unread"},
    "TRADING_REDUCING": {"switch"},
    "DEADLINE_PASSED": {"clock", "slow", "deployed limits", "ended"},
    "NOTHING_TO_SELL": {"user"},
    "STOP_FILLED": {"stop"},
    "INSUFFICIENT_CASH": {
        *("hangs", "stop", "user", "switch", "unread", "clock", "slow", "deployed limits", "ended"),
    },
    "REJECTED": {"user", "foreign"},
}

EXCUSES = {
    "user",
    "clock",
    "switch",
    "unread",
    "slow",
    "foreign",
    "twin",
    "stop",
    "deployed limits",
    "ended",
    "hangs",
}
# Notes of events that can remove a stop or its shares after the run has reported the stop.
UNPROTECTED_BY_OTHERS = {"user", "stop"}
DEADLINE_MS = 600_000


@dataclass(frozen=True, slots=True)
class Verdict:
    """The judgment of one run.

    Attributes
    ----------
    ending : str
        ``exact``: the book equals that of a run without faults, to the cent. ``named``: the run
        gives a reason for each difference, and the plan has the cause. ``stopped``: a person must
        act, and the error says why. Anything else is in ``problems``.
    problems : tuple of str
        ``duplicate …``, ``lost …``, ``unexplained …``.
    """

    ending: str
    problems: tuple[str, ...]


class Judge:
    """Compares books with the decision and with the book of a run without faults."""

    def __init__(
        self, machine: Machine, needs_a_person: Mapping[str, set[str]] = NEEDS_A_PERSON
    ) -> None:
        self._machine = machine
        self._needs_a_person = needs_a_person
        self._world = machine.world
        self._exact: dict[int, object] = {}

    def verdict(self, end: Position) -> Verdict:
        """Judge how a run ended, after everything under way has arrived.

        First look for what is always wrong: a repeated order id, an order that no plan contains, a
        short position, a wrong balance, or trades beyond the decision.
        """
        world = self._world
        world.load(end.world)
        # If something hangs, a late end alone excuses nothing.
        something_hangs = world.scenario.hangs or "hangs" in world.state.notes
        if world.state.ms >= DEADLINE_MS and not something_hangs:
            world.state.notes.add("slow")
        world.settle()
        run = run_of(world.account_number, 1, STARTED)
        ours = [
            each
            for each in world.desk_orders()
            if each.client_order_id.startswith(f"{desk_prefix(run.desk)}{run.run_id}-")
        ]
        stored = world.state.bucket.get(f"{run.journal}decision.json")
        notes = world.state.notes
        if "forged" in notes:  # use the run's own decision, not the forged one
            decision = decision_of(run, end.variant, world.scenario)
        else:
            decision = decode(Decision, json.loads(stored), "decision") if stored else None
        problems = [
            f"duplicate {each}"
            for each, times in Counter(each.client_order_id for each in ours).items()
            if times > 1
        ]
        problems += [f"unexplained {each}" for each in sorted(notes) if each.isupper()]
        problems += self._arithmetic()
        if decision is None:
            problems += [f"unexplained order {each.client_order_id}" for each in ours]
        else:
            problems += self._overdone(decision, ours)
        if not end.is_complete:
            if self._needs_a_person.get(end.error, set()) & notes:
                return Verdict("stopped", tuple(problems))
            return Verdict("failed", (*problems, f"unexplained end: {end.error} {end.message}"))
        assert decision is not None
        submission = decode(Submission, json.loads(end.submission), "submission")
        problems += self._held_against(decision, submission, ours, notes)
        problems += self._protected(decision, submission, notes)
        if not notes & (EXCUSES - {"hangs"}):
            problems += self._stopped_by_what_hangs(decision, ours)
        book = self._book()
        if book == self.exact(end.variant):
            return Verdict("exact", tuple(problems))
        if not notes & EXCUSES:
            problems.append(f"unexplained book: {book}")
        return Verdict("named", tuple(problems))

    def exact(self, variant: int) -> object:
        """Return the book of a run without faults."""
        if variant not in self._exact:
            end = self._machine.finish(self._machine.start(variant))
            assert end.is_complete
            self._world.load(end.world)
            self._world.settle()
            self._exact[variant] = self._book()
        return self._exact[variant]

    def _held_against(
        self, decision: Decision, submission: Submission, ours: list[Order], notes: set[str]
    ) -> list[str]:
        """Check that each approved order is either at the broker or named with a reason."""
        problems: list[str] = []
        there = {each.client_order_id: each for each in ours}
        refusals: dict[str, str] = {
            each.client_order_id: "REJECTED" for each in submission.rejected
        }
        intents = (*decision.exits, *decision.entries)
        places = {(each.symbol, each.side): each.client_order_id for each in intents}
        refusals |= {places[each.symbol, each.side]: each.code for each in submission.denied}
        reported = {each.client_order_id: each for each in submission.orders}
        for intent in intents:
            order_id = intent.client_order_id
            order, code = there.get(order_id), refusals.get(order_id)
            if order is None:
                if code is None:
                    problems.append(f"lost {order_id}")
                elif not (NAMED_FOR.get(code, set()) & notes or self._must_wait(intent, code)):
                    problems.append(f"unexplained refusal of {order_id}: {code}")
                continue
            if code is not None:
                if code == "DEADLINE_PASSED" and "twin-stack" in notes:
                    continue  # docs/exactly-once.md does not promise *never both* to two stacks
                problems.append(f"lost {order_id}: it is there, and reported as {code}")
            problems += _misreported(order, reported.get(order_id), submission)
            wanted = intent.qty - self._sold_by_resting(intent.symbol)
            if intent.side is Side.SELL and order.qty != wanted and self._could_sell(intent):
                problems.append(f"unexplained cut of {order_id} to {order.qty}")
        return problems

    def _stopped_by_what_hangs(self, decision: Decision, ours: list[Order]) -> list[str]:
        """Check that an order that hangs stops only its own symbol, and buys that need its cash.

        All other exits must be there. The entries can spend the cash at the decision and 98 % of
        the proceeds. In the decision's order, each buys as many shares as this cash pays for at its
        limit.
        """
        there = {each.client_order_id: each for each in ours}
        free = [each for each in decision.exits if each.symbol not in self._world.scenario.hangs]
        problems = [
            f"lost {each.client_order_id}: another order hangs"
            for each in free
            if each.client_order_id not in there
        ]
        sold = (there.get(each.client_order_id) for each in decision.exits)
        cash = sum((each.filled_value for each in sold if each), Decimal(0)) * Decimal("0.98")
        cash += decision.spendable
        for intent in decision.entries:
            price = intent.limit_price
            assert price is not None
            paid = min(intent.qty, cash // price)
            cash -= paid * price
            order = there.get(intent.client_order_id)
            bought = Decimal(0) if order is None else order.qty
            if bought != paid:
                problems.append(f"lost part of {intent.client_order_id}: {bought}, not {paid}")
        return problems

    def _protected(self, decision: Decision, submission: Submission, notes: set[str]) -> list[str]:
        """Check that each symbol that needs a stop has one stop for all its whole shares."""
        problems = []
        held = self._world.desk_holds()
        for wish in decision.stops:
            symbol = wish.symbol
            stops = [
                each
                for each in self._world.desk_orders()
                if each.ticket.symbol == symbol and each.ticket.type == "stop" and each.is_open
            ]
            covered = sum((each.remaining for each in stops), Decimal(0))
            reported = submission.unprotected.get(symbol)
            if len(stops) > 1 or covered > held[symbol]:
                problems.append(f"duplicate stop of {symbol}: {covered} of {held[symbol]}")
            elif reported is None and covered != held[symbol] and not notes & UNPROTECTED_BY_OTHERS:
                problems.append(f"lost stop of {symbol}: {covered} of {held[symbol]}")
            elif reported is not None and not (notes & EXCUSES or self._stop_hangs(symbol)):
                problems.append(f"unexplained lack of a stop of {symbol}: {reported}")
        return problems

    def _must_wait(self, intent: OrderIntent, code: str) -> bool:
        """Return whether an order that hangs blocks this one by its symbol or its missing cash."""
        hangs = self._world.scenario.hangs
        if code == "DEADLINE_PASSED":
            return intent.symbol in hangs
        has_unsold = any(each in hangs for each in self._world.scenario.exits)
        return code == "INSUFFICIENT_CASH" and has_unsold

    def _sold_by_resting(self, symbol: str) -> Decimal:
        """Sum the shares that the stops of earlier runs have sold since this run began."""
        rested = {resting_id(self._world.desk, each) for each in self._world.scenario.resting}
        return sum(
            (
                each.filled_qty
                for each in self._world.desk_orders()
                if each.client_order_id in rested and each.ticket.symbol == symbol
            ),
            Decimal(0),
        )

    def _stop_hangs(self, symbol: str) -> bool:
        scenario = self._world.scenario
        return symbol in scenario.resting and symbol in scenario.hangs

    def _could_sell(self, intent: OrderIntent) -> bool:
        """Return whether shares were left that a reduced exit could have sold."""
        bought_by_hand = any(
            each.is_buy and each.ticket.symbol == intent.symbol
            for each in self._world.exchange.book.all
        )
        return self._world.exchange.account.qty(intent.symbol) >= 1 and not bought_by_hand

    def _overdone(self, decision: Decision, ours: list[Order]) -> list[str]:
        """Look for orders that exceed the decision: other terms, or more shares sold."""
        intents = {each.client_order_id: each for each in (*decision.exits, *decision.entries)}
        wishes = {each.client_order_id: each for each in decision.stops}
        problems = []
        for order in ours:
            if wish := wishes.get(order.client_order_id):
                if (order.stop_price, order.ticket.symbol) != (wish.stop_price, wish.symbol):
                    problems.append(f"unexplained terms {order}")
                continue
            intent = intents.get(order.client_order_id)
            if intent is None or not _within(intent, order):
                problems.append(f"unexplained terms {order}")
        for intent in decision.exits:
            sold = sum(
                (
                    each.filled_qty
                    for each in ours
                    if each.ticket.symbol == intent.symbol
                    and not each.is_buy
                    and each.ticket.type != "stop"
                ),
                Decimal(0),
            )
            if sold + self._sold_by_resting(intent.symbol) > max(
                intent.qty, self._sold_by_resting(intent.symbol)
            ):
                problems.append(f"unexplained: {intent.symbol} sold {sold}, decided {intent.qty}")
        return problems

    def _arithmetic(self) -> list[str]:
        """Check the account against the sum of its orders, to the cent."""
        exchange = self._world.exchange
        cash, held = CASH + self._world.state.deposited, dict(HELD)
        for order in exchange.book.all:
            sign = 1 if order.is_buy else -1
            cash -= sign * order.filled_value
            held[order.ticket.symbol] += sign * order.filled_qty
        there = {each: exchange.account.qty(each) for each in HELD}
        if (cash, held) != (exchange.account.cash, there):
            return [f"unexplained account {exchange.account.cash} {there}"]
        return [f"unexplained short {each}" for each, qty in there.items() if qty < 0]

    def _book(self) -> object:
        """Return what must match to the cent unless an event excuses a difference."""
        exchange = self._world.exchange
        orders = sorted(
            (each.client_order_id, each.qty, each.filled_qty, each.filled_value, each.status)
            for each in exchange.book.all
        )
        return (orders, exchange.account.cash)


def _misreported(order: Order, reported: TradedOrder | None, submission: Submission) -> list[str]:
    """Compare the run's report of an order with the order at the broker."""
    order_id = order.client_order_id
    if reported is None:
        return [f"lost {order_id}: it is there, and not reported"]
    if not is_terminal(reported):
        is_reported = order_id in submission.unsettled
        return [] if is_reported else [f"lost {order_id}: it is open, and not reported so"]
    if reported.filled_qty != order.filled_qty:
        return [f"unexplained fill of {order_id}: {reported.filled_qty}, not {order.filled_qty}"]
    return []


def _within(intent: OrderIntent, order: Order) -> bool:
    return (
        order.ticket.symbol == intent.symbol
        and order.is_buy == (intent.side is Side.BUY)
        and order.limit_price == intent.limit_price
        and order.qty is not None
        and order.qty <= intent.qty
    )
