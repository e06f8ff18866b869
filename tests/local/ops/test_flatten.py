"""After a flatten, the command lists what the desk's books still hold."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from algotrader.decision.flatten import flatten
from algotrader.model import (
    Decision,
    Leg,
    Order,
    OrderDenied,
    OrderRejected,
    Side,
    Snapshot,
    Submission,
)
from local.ops.flatten import _in_the_way, what_is_left
from tests.support.desk_world import (
    SETTINGS,
    account,
    asset,
    open_order,
    own_id,
    position,
    run,
    snapshot,
)

RUN = run(run_id="2024-03-04-f1542", slot="f1542", entry_symbols=())


def order_of(decision: Decision, filled: str, status: str = "filled", wanted: str = "") -> Order:
    intent = decision.exits[0]
    qty = wanted or f"{intent.qty:f}"
    return open_order(
        intent.symbol,
        Side.SELL,
        qty,
        None,
        intent.client_order_id,
        status=status,
        filled_qty=Decimal(filled),
    )


def submitted(*orders: Order, **changes: Any) -> Submission:
    plain = Submission(
        orders=orders,
        denied=(),
        rejected=(),
        unsettled=(),
        account=account(),
    )
    return replace(plain, **changes)


def left(standing: Snapshot, decision: Decision, submission: Submission | None) -> list[str]:
    return list(what_is_left(standing, decision, submission))


def test_nothing_is_left_if_everything_was_filled() -> None:
    standing = snapshot({"IBM": "10.5"})
    decision = flatten(RUN, SETTINGS, standing)

    assert left(standing, decision, submitted(order_of(decision, "10.5"))) == []
    assert left(standing, decision, None) == []  # in a dry run, as if the flatten had sold it


def test_shares_that_the_users_own_open_order_reserves_are_left() -> None:
    theirs = open_order("IBM", Side.SELL, "5", "120", "mine")
    standing = snapshot(
        {"IBM": "10"}, foreign_open_orders=(theirs,), positions={"IBM": position("IBM", "10", "5")}
    )
    decision = flatten(RUN, SETTINGS, standing)

    for sent in (submitted(order_of(decision, "5")), None):
        (line,) = left(standing, decision, sent)
        assert line.startswith("IBM: NOTHING_TO_SELL: holds 10, of which open orders leave 5")


def test_a_fraction_that_the_broker_does_not_take_is_left() -> None:
    standing = snapshot({"IBM": "10.5"}, assets={"IBM": asset("IBM", fractionable=False)})
    decision = flatten(RUN, SETTINGS, standing)

    (line,) = left(standing, decision, submitted(order_of(decision, "10")))
    assert line.startswith("IBM: NOTHING_TO_SELL: holds 10.5")


@pytest.mark.parametrize("wanted", ["10", "6"])
def test_a_filled_order_says_nothing_about_shares_that_it_did_not_contain(wanted: str) -> None:
    # The step reduces the order while sending it, because one share is no longer available.
    standing = snapshot({"IBM": "10"})
    decision = flatten(RUN, SETTINGS, standing)

    lines = left(standing, decision, submitted(order_of(decision, "6", "canceled", wanted)))
    assert (
        lines
        == {
            "10": ["IBM: sold 6 of 10, the order is canceled"],
            "6": ["IBM: the desk's books still have 4"],
        }[wanted]
    )


def test_shares_in_the_books_that_the_account_lacks_are_uncertain() -> None:
    standing = snapshot({"IBM": "10"}, positions={"IBM": position("IBM", "4")})
    decision = flatten(RUN, SETTINGS, standing)

    lines = left(standing, decision, submitted(order_of(decision, "4")))
    assert lines == ["IBM: the desk's books still have 6"]


def test_shares_that_a_stop_sold_while_it_was_canceled_are_not_left() -> None:
    stop = open_order("IBM", Side.SELL, "10", None, own_id("IBM", Leg.STOP), order_type="stop")
    standing = snapshot(
        {"IBM": "10"},
        own_open_orders=(stop,),
        positions={"IBM": position("IBM", "10", available="0")},
    )
    decision = flatten(RUN, SETTINGS, standing)
    sold = replace(stop, filled_qty=Decimal(3), status="canceled")
    cut = OrderDenied(
        "IBM", Side.SELL, Decimal(3), "STOP_FILLED", "its stop sold 3 shares while being canceled"
    )

    sent = submitted(sold, order_of(decision, "7", wanted="7"), denied=(cut,))
    assert left(standing, decision, sent) == []


def test_shares_bought_during_a_cancel_are_left() -> None:
    entry = open_order("IBM", Side.BUY, "3", "101", own_id("IBM", Leg.ENTRY))
    standing = snapshot({"IBM": "10"}, own_open_orders=(entry,))
    decision = flatten(RUN, SETTINGS, standing)
    bought = replace(entry, filled_qty=Decimal(2), status="canceled")

    (line,) = left(standing, decision, submitted(bought, order_of(decision, "10")))
    assert line.endswith("bought more while it was being canceled. Flatten again")


def test_rejected_shares_are_left_and_named_once() -> None:
    standing = snapshot({"IBM": "10"})
    decision = flatten(RUN, SETTINGS, standing)
    refusal = OrderRejected(decision.exits[0].client_order_id, "IBM", "422", "not today")

    lines = left(standing, decision, submitted(rejected=(refusal,)))
    assert lines == ["IBM: 422: not today"]


class Executions:
    """A fake Step Functions that knows when each execution ended, and its input."""

    def __init__(self, **ended: tuple[int | None, Any]) -> None:
        self.ended = ended
        self.asked: list[str] = []

    def list_executions(self, statusFilter: str = "", **_: Any) -> dict[str, Any]:  # noqa: N803
        return {
            "executions": [
                {"name": name, "executionArn": name}
                | ({} if ago is None else {"stopDate": datetime.now(UTC) - timedelta(seconds=ago)})
                for name, (ago, _) in self.ended.items()
                if not statusFilter or ago is None
            ]
        }

    def describe_execution(self, executionArn: str) -> dict[str, Any]:  # noqa: N803 - AWS's name
        self.asked.append(executionArn)
        return {"input": json.dumps(self.ended[executionArn][1])}


def test_a_run_under_way_or_just_ended_is_in_the_way() -> None:
    runs = Executions(
        runs=(None, {}),
        just=(5, {}),
        dry=(5, {"dry_run": True}),
        reported=(5, {"report_only": True}),
        long_ago=(61, {}),
        fast_clock=(-3600, {}),  # this machine's clock is behind, so this counts as a moment ago
    )
    quiet: dict[str, float] = {}

    for _ in range(2):
        names = _in_the_way(runs, "machine", quiet)
        assert names == [
            "runs",
            *(f"{each}, which just ended" for each in ("just", "fast_clock")),
        ]
    assert runs.asked == ["just", "dry", "reported", "fast_clock"]  # without repeats
    assert max(quiet.values()) - min(each for each in quiet.values() if each) < 10

    assert _in_the_way(runs, "machine", {**quiet, "just": 0.0, "fast_clock": 0.0}) == ["runs"]
