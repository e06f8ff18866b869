"""The command sells all that a deployed desk holds."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from local.ops import flatten as flattening
from local.sandbox.runner.desk import LocalDesk, LocalDeskConfig, open_desk
from tests.local.cli.conftest import Command, Person
from tests.support.claims import a_minute_later

TRADED = date(2012, 2, 15)


@pytest.fixture(scope="module", name="desk")
def own_desk() -> Iterator[LocalDesk]:
    """Return a desk that holds its purchases, on an account with the user's own shares."""
    with open_desk(LocalDeskConfig(broker=None, parameters={})) as standing:
        yield standing


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flattening, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(flattening, "AGAIN_SECONDS", 0.5)
    monkeypatch.setattr(flattening, "QUIET_SECONDS", 0.0)


def state_of(desk: LocalDesk) -> str:
    ssm = desk.aws.client("ssm")
    return str(ssm.get_parameter(Name=desk.stack.trading_state_parameter)["Parameter"]["Value"])


def halt(desk: LocalDesk, text: str) -> None:
    desk.aws.client("ssm").put_parameter(
        Name=desk.stack.trading_state_parameter, Value=text, Type="String", Overwrite=True
    )


def traded(desk: LocalDesk, session: date) -> list[Any]:
    """Run a session and return its orders, once the broker shows the last ones."""
    orders = desk.run({}, session).document["orders"]
    a_minute_later(desk.aws.client("s3"), desk.stack.bucket)
    return orders


def release_once_refused(desk: LocalDesk, key: str) -> None:
    """Delete a lock once a flatten has given up because of it."""
    s3, bucket = desk.aws.client("s3"), desk.stack.bucket
    until = time.monotonic() + 60
    while time.monotonic() < until:
        for found in s3.list_objects_v2(Bucket=bucket, Prefix=f"runs/{TRADED}/{TRADED}-f").get(
            "Contents", ()
        ):
            if not found["Key"].endswith("/claim.json"):
                continue
            claim = json.load(s3.get_object(Bucket=bucket, Key=found["Key"])["Body"])
            if claim["state"] == "failed":
                s3.delete_object(Bucket=bucket, Key=key)
                return
        time.sleep(0.05)


def holdings(desk: LocalDesk) -> dict[str, str]:
    assert desk.paper_broker is not None
    return {each["symbol"]: each["qty"] for each in desk.paper_broker.positions()}


def shown_dry(desk: LocalDesk, invoke: Command) -> str:
    """Return what a dry run of a flatten would sell, and check that nothing changes."""
    before = holdings(desk)
    status, out, _ = invoke("flatten", "--dry-run")
    assert status == 0
    assert "DRY RUN FLATTEN" in out
    assert "would sell" in out
    assert "Not sold" not in out
    assert holdings(desk) == before
    return out


def test_a_day_of_flattening(desk: LocalDesk, invoke: Command, person: Person) -> None:
    # The test is one story: each step starts where the last one ended.
    paper = desk.paper_broker
    assert paper is not None
    assert traded(desk, TRADED)
    paper.order_by_hand("AAPL", "buy", "7")
    mine = next(each for each in paper.orders() if each["symbol"] != "AAPL")
    stop_id = mine["client_order_id"].replace("-entry-", "-stop-")
    terms = {"type": "stop", "stop_price": "1", "time_in_force": "gtc", "client_order_id": stop_id}
    paper.order_by_hand(mine["symbol"], "sell", mine["qty"], **terms)
    bought = holdings(desk)

    assert "now ACTIVE" in shown_dry(desk, invoke)
    status, out, err = invoke("flatten", "no terminal")
    assert (status, "--yes" in err) == (2, True)
    person(yes=False)
    halt(desk, "HALTED storm")
    status, out, _ = invoke("flatten")
    assert status == 1
    assert "The desk is halted. To let it sell" in out
    assert (state_of(desk), holdings(desk)) == ("HALTED storm", bought)
    assert "now HALTED: storm" in shown_dry(desk, invoke)
    assert state_of(desk) == "HALTED storm"

    # While a run of the same session is active, the flatten waits for it and respects its claim.
    key = f"runs/{TRADED}/{TRADED}-1000/claim.json"
    arn = desk.stack.start({"dry_run": True})
    claim = {"execution_arn": arn, "state": "running", "at": "2012-02-15T15:00:00Z"}
    s3 = desk.aws.client("s3")
    s3.put_object(Bucket=desk.stack.bucket, Key=key, Body=json.dumps(claim).encode())
    desk.stack.wait(arn)  # according to its claim, the run ended a moment ago without a report
    gone = threading.Thread(target=lambda: release_once_refused(desk, key))
    gone.start()
    person(yes=True)
    status, out, _ = invoke("flatten", "bad", "news")
    gone.join()
    assert status == 0, out
    assert "before  HALTED storm" in out
    assert "after   REDUCING flatten: bad news" in out
    assert "another run is in the way; trying again" in out
    assert "RUN_UNDER_WAY: run=2012-02-15-1000" in out
    assert "PAPER FLATTEN 2012-02-15" in out
    assert "The desk holds nothing." in out
    assert holdings(desk) == {"AAPL": "7"}
    stop = next(each for each in paper.orders() if each["client_order_id"] == stop_id)
    assert (stop["status"], stop["filled_qty"]) == ("canceled", "0")
    assert state_of(desk) == "REDUCING flatten: bad news"

    # The next session's run buys nothing back, and a second flatten has nothing to sell.
    assert traded(desk, date(2012, 2, 16)) == []
    status, out, _ = invoke("flatten", "--yes")
    assert status == 0
    assert "REDUCING flatten: bad news, unchanged" in out
    assert "no orders, holds nothing" in out


def test_an_unfilled_order_is_named_and_gives_a_status_of_its_own(
    desk: LocalDesk, invoke: Command
) -> None:
    paper = desk.paper_broker
    assert paper is not None
    halt(desk, "ACTIVE")
    assert traded(desk, date(2012, 2, 21))
    symbol = min(holdings(desk))
    paper.behave(reject=[symbol])
    try:
        status, out, _ = invoke("flatten", "--yes")
    finally:
        paper.behave(reject=[])
    assert status == 1
    assert f"Not sold, or unknown:\n  {symbol}: " in out
    assert "algo-trader resume" in out


def test_a_closed_market_sells_nothing_and_the_desk_stays_reduced(
    desk: LocalDesk, invoke: Command
) -> None:
    paper = desk.paper_broker
    assert paper is not None
    halt(desk, "ACTIVE")
    paper.open_session(date(2012, 2, 21), "17:00")
    before = holdings(desk)
    status, out, _ = invoke("flatten", "--yes")
    assert status == 1
    assert "Nothing was sold. The market is closed. It opens next on" in out
    assert (state_of(desk), holdings(desk)) == ("REDUCING flatten", before)


def test_the_command_waits_no_longer_than_requested_for_a_run_that_never_ends(
    desk: LocalDesk, invoke: Command
) -> None:
    paper = desk.paper_broker
    assert paper is not None
    halt(desk, "ACTIVE")
    paper.open_session(date(2012, 2, 22))
    paper.behave(never_fill=["*"])
    arn = desk.stack.start({})
    until = time.monotonic() + 30
    while not [each for each in paper.orders() if each["status"] == "new"]:
        assert time.monotonic() < until
        time.sleep(0.05)
    try:
        status, out, _ = invoke("flatten", "--yes", "--wait-minutes", "0")
    finally:
        paper.behave(never_fill=[])
    assert status == 1
    assert "RUN_UNDER_WAY: run=2012-02-22-day" in out
    desk.stack.wait(arn)
