"""The commands move shares into and out of a deployed desk's books."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from algotrader.contracts import canonical_json
from algotrader.model import Receivable, Track, TrackDay
from algotrader.orders.ids import desk_id
from algotrader.services.books import track_key
from local.cli.app import run_command
from local.ops.stack import StackLocation, find_stack
from local.sandbox.aws import Stack
from local.sandbox.runner.desk import STACK, LocalDesk
from tests.local.cli.conftest import (
    ADJUSTMENTS,
    TRADED,
    Command,
    Person,
    adjustments_of,
    desk_of_a_user,
)
from tests.support.own_universes import own_universes

D = Decimal


@pytest.fixture(scope="module", name="desk")
def desk_of_one_user() -> Iterator[LocalDesk]:
    with desk_of_a_user("AAPL,IBM,MSFT", IBM="30", GOOG="5") as standing:
        yield standing


@pytest.fixture(autouse=True)
def dead_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")


@pytest.fixture(autouse=True)
def no_list(desk: LocalDesk) -> Iterator[None]:
    """Delete the books after each test."""
    yield
    s3 = desk.aws.client("s3")
    for each in s3.list_objects_v2(Bucket=desk.stack.bucket, Prefix="ledger/").get("Contents", ()):
        s3.delete_object(Bucket=desk.stack.bucket, Key=each["Key"])


def own(desk: LocalDesk, stack: str = STACK) -> str:
    assert desk.paper_broker is not None
    return desk_id(desk.paper_broker.account()["account_number"], stack)


def why(desk: LocalDesk, day: date) -> dict[str, str]:
    document = desk.run({"dry_run": True}, day).document
    assert document["execution"]["status"] == "SUCCEEDED"
    printed: dict[str, str] = document["decision"]["why"]
    return printed


def test_adopted_shares_are_traded_and_released_ones_left_alone(
    invoke: Command, desk: LocalDesk, next_day: Callable[[], date]
) -> None:
    status, out, _ = invoke("adopt", "ibm", "20")
    assert status == 0
    before, after = out.split("now:")
    assert f"desk {own(desk)}" in before
    assert [" ".join(line.split()) for line in before.splitlines()[2:]] == [
        f"the account 30, {adjustments_of(desk)[0]['price']} each on average",
        "this desk 0",
        "yours 30",
    ]
    assert "this desk    20" in after
    assert "yours        10" in after
    (entry,) = adjustments_of(desk)
    assert (entry["desk"], entry["symbol"], entry["qty"]) == (own(desk), "IBM", "20")
    assert "holds 20" in why(desk, next_day())["IBM"]

    status, out, _ = invoke("release", "IBM", "15.5", "--reason", "changed\u202e my\n mind\udcff")
    assert status == 0
    assert "this desk    4.5" in out
    assert [each["qty"] for each in adjustments_of(desk)] == ["20", "-15.5"]
    assert adjustments_of(desk)[1]["reason"] == "changed my mind"


def test_the_command_says_that_the_next_run_sells_a_symbol_outside_symbols(
    invoke: Command, desk: LocalDesk
) -> None:
    status, out, _ = invoke("adopt", "GOOG", "5", "--cost", "123.45")
    assert status == 0
    assert "GOOG is not in the stack's Symbols, so the next run sells all of it" in out
    assert adjustments_of(desk)[0]["price"] == "123.45"


@pytest.mark.parametrize(("symbols", "is_sold"), [("@mine, AAPL", False), ("AAPL", True)])
def test_an_adopted_symbol_may_come_from_a_list(
    invoke: Command,
    desk: LocalDesk,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    symbols: str,
    is_sold: bool,
) -> None:
    own_universes(tmp_path, monkeypatch)("mine", "IBM\nGOOG\n")
    stack = listed(desk, "listed", symbols)
    status, out, _ = invoke("adopt", "IBM", "5", "--stack", stack.name)
    assert status == 0
    assert ("is not in the stack's Symbols" in out) == is_sold
    assert invoke("release", "IBM", "5", "--stack", stack.name)[0] == 0


def test_nothing_is_adopted_when_this_checkout_lacks_the_stack_s_list(
    invoke: Command, desk: LocalDesk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_universes(tmp_path, monkeypatch)
    stack = listed(desk, "unlisted", "@mine, AAPL")
    status, _, err = invoke("adopt", "IBM", "5", "--stack", stack.name)
    assert (status, "UNIVERSE_UNKNOWN" in err) == (1, True)
    found = desk.aws.client("s3").list_objects_v2(Bucket=stack.bucket, Prefix=ADJUSTMENTS)
    assert not found.get("Contents")


def test_spun_off_shares_that_are_due_are_shown_and_released_without_a_loss(
    invoke: Command, desk: LocalDesk
) -> None:
    """The desk receives and releases the shares at 16, the price at which its track counts them."""
    owed = Receivable("IBM", "spin_off", TRADED, D(350), D(0), "SPUN", D(1), None, price=D(16))
    track = Track(
        desk=own(desk),
        at=datetime(2012, 8, 8, 14, tzinfo=UTC),
        standings={},
        worth=D(35_000),
        index=D(1),
        peak=D(1),
        day=TrackDay(TRADED, {}, D(35_000), D(0)),
        statement_at=None,
        counted=(),
        reset_at=None,
        receivables=(owed,),
    )
    desk.aws.client("s3").put_object(
        Bucket=desk.stack.bucket, Key=track_key(own(desk)), Body=canonical_json(track)
    )

    status, _, err = invoke("release", "SPUN", "351")
    assert (status, "at most 350 SPUN" in err) == (1, True)
    status, out, _ = invoke("release", "SPUN", "300")
    assert status == 0
    assert "due          350 to this desk, from a spin-off" in out
    assert "due          50 to this desk, from a spin-off" in out
    assert [(each["qty"], each["worth"]) for each in adjustments_of(desk)] == [
        ("300", "16"),
        ("-300", "16"),
    ]


def listed(desk: LocalDesk, name: str, symbols: str) -> Stack:
    url = desk.broker.trading_url
    keys = {"key_id": desk.broker.key_id, "secret_key": desk.broker.secret_key}
    parameters = {"Symbols": symbols, "AlpacaTradingUrl": url, "AlpacaDataUrl": url}
    return desk.aws.deploy(name, parameters, keys=keys)


REFUSED = {
    "more than is free": (["adopt", "IBM", "31"], "at most 30 IBM, not 31"),
    "none there": (["adopt", "AAPL", "1"], "at most 0 AAPL, not 1"),
    "not the desk's": (["release", "IBM", "1"], "has only 0 IBM in these books, not 1"),
    "no such desk": (["release", "IBM", "1", "--desk", "000000"], "no desk 000000 ever traded"),
    "no such giver": (["adopt", "IBM", "1", "--from", "000000"], "no desk 000000 ever traded"),
}


def test_a_desk_cannot_adopt_from_itself(invoke: Command, desk: LocalDesk) -> None:
    assert invoke("adopt", "IBM", "20")[0] == 0
    status, _, err = invoke("adopt", "IBM", "10", "--from", own(desk))
    assert (status, err.count("\n")) == (1, 1)
    assert f"desk {own(desk)} is this desk" in err
    assert [each["qty"] for each in adjustments_of(desk)] == ["20"]


@pytest.mark.parametrize(("arguments", "printed"), REFUSED.values(), ids=REFUSED)
def test_shares_that_are_not_there_cannot_be_moved(
    invoke: Command, desk: LocalDesk, arguments: list[str], printed: str
) -> None:
    status, _, err = invoke(*arguments)
    assert (status, err.count("\n")) == (1, 1)
    assert printed in err
    assert adjustments_of(desk) == []


WRONG = {
    "no symbol": ["adopt", "I B M", "1"],
    "nothing": ["adopt", "IBM", "0"],
    "below nothing": ["adopt", "IBM", "--", "-1"],
    "no number": ["release", "IBM", "NaN"],
    "too fine": ["release", "IBM", "0.0000000001"],
    "no price": ["adopt", "IBM", "1", "--cost", "x"],
    "no desk": ["release", "IBM", "1", "--desk", "algo-trader"],
}


@pytest.mark.parametrize("arguments", WRONG.values(), ids=WRONG)
def test_a_typing_error_is_wrong_usage(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(arguments) == 2
    assert capsys.readouterr().err.count("\n") == 1


def is_under_way(desk: LocalDesk) -> bool:
    return find_stack(StackLocation(STACK, endpoint_url=desk.aws.endpoint_url)).is_under_way()


def test_open_orders_or_a_run_under_way_prevent_the_move(
    invoke: Command, desk: LocalDesk, next_day: Callable[[], date]
) -> None:
    paper = desk.paper_broker
    assert paper is not None
    assert invoke("adopt", "IBM", "20")[0] == 0
    resting = paper.order_by_hand("IBM", "sell", "10", type="limit", limit_price="9999")
    status, _, err = invoke("adopt", "IBM", "5")
    assert status == 1
    assert "IBM has open orders" in err
    paper.request("DELETE", f"/v2/orders/{resting['id']}")
    paper.behave(never_fill=["*"])
    ring = desk.ring(next_day(), {})
    arn = desk.stack.start({"scheduled_time": ring})
    try:
        status, _, err = invoke("release", "IBM", "5")
        assert status == 1
        assert "a run is under way" in err or "IBM has open orders" in err
        assert is_under_way(desk)
        assert [each["qty"] for each in adjustments_of(desk)] == ["20"]
    finally:
        desk.aws.client("stepfunctions").stop_execution(executionArn=arn)
        paper.behave(never_fill=[])
    for order in paper.orders():
        if order["status"] not in {"filled", "canceled", "expired", "rejected"}:
            paper.request("DELETE", f"/v2/orders/{order['id']}")
    paper.open_session(next_day())
    assert not is_under_way(desk)
    assert invoke("release", "IBM", "5")[0] == 0


def test_a_desk_takes_over_shares_from_the_desk_of_another_stack(
    invoke: Command, desk: LocalDesk, next_day: Callable[[], date]
) -> None:
    old = own(desk, "the-stack-before")
    paper = desk.paper_broker
    assert paper is not None
    paper.open_session(next_day())
    name = f"at1-{old}-2012-02-17-day-MSFT-entry-0"
    paper.order_by_hand("MSFT", "buy", "8", client_order_id=name)
    paper.positions()
    status, _, err = invoke("adopt", "MSFT", "8")
    assert (status, f"desk {old} has 8" in err) == (1, True)
    status, out, _ = invoke("adopt", "MSFT", "8", "--from", old)
    assert status == 0
    assert f"desk {old}  8\n" in out
    assert "must not sell these shares" in out
    assert [(each["desk"], each["qty"]) for each in adjustments_of(desk)] == [
        (own(desk), "8"),
        (old, "-8"),
    ]
    assert invoke("adopt", "MSFT", "1", "--from", old)[0] == 1


@pytest.fixture(scope="module")
def live(desk: LocalDesk) -> Stack:
    assert desk.paper_broker is not None
    url = desk.paper_broker.url
    return desk.aws.deploy(
        "live-desk",
        {
            "TradingMode": "live",
            "LiveAccountNumber": desk.paper_broker.account()["account_number"],
            "AlpacaTradingUrl": url,
            "AlpacaDataUrl": url,
        },
        keys={"key_id": desk.broker.key_id, "secret_key": desk.broker.secret_key},
    )


def test_a_live_stack_moves_shares_only_after_a_yes(
    invoke: Command, desk: LocalDesk, live: Stack, person: Person
) -> None:
    def entries() -> bool:
        s3 = desk.aws.client("s3")
        return bool(s3.list_objects_v2(Bucket=live.bucket, Prefix=ADJUSTMENTS).get("Contents"))

    there = ("adopt", "GOOG", "1", "--stack", live.name)
    status, _, err = invoke(*there)
    assert (status, "--yes" in err) == (2, True)
    person(yes=False)
    assert invoke(*there)[0] == 1
    assert not entries()
    assert invoke(*there, "--yes")[0] == 0
    assert entries()
