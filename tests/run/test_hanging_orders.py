"""While yesterday's buy hangs at the broker, the run buys the other symbols and names the order."""

from __future__ import annotations

import json
from datetime import timedelta
from urllib.request import Request, urlopen

import pytest

from algotrader.model import Leg
from algotrader.orders.ids import OrderPlace, client_order_id, desk_id
from tests.run.conftest import SESSION, Bench

YESTERDAY = SESSION - timedelta(days=1)


@pytest.mark.parametrize("status", ["pending_cancel", "done_for_day"])
def test_the_other_symbols_are_bought_and_the_text_names_the_order_that_hangs(
    bench: Bench, status: str
) -> None:
    fault = f"cancel:1:hang-{status.replace('_', '-')}"
    with bench.own_broker(clock_scale=0, faults=fault) as paper:
        stack = bench.deploy()
        desk = desk_id(paper.account()["account_number"], stack.name)
        place = OrderPlace(desk, YESTERDAY, "day", "AAPL", Leg.ENTRY, 0)
        hanging = {
            "client_order_id": client_order_id(place),
            "symbol": "AAPL",
            "side": "buy",
            "qty": "5",
            "type": "limit",
            "limit_price": "100",
            "time_in_force": "gtc",
        }
        keys = {"APCA-API-KEY-ID": paper.key_id, "APCA-API-SECRET-KEY": paper.secret_key}
        asked = Request(  # noqa: S310 - our own broker
            f"{paper.url}/v2/orders",
            json.dumps(hanging).encode(),
            {**keys, "Content-Type": "application/json"},
        )
        with urlopen(asked, timeout=10) as answer:  # noqa: S310 - our own broker
            assert answer.status == 200
        report = bench.ring(stack, {})
        shown = {each["symbol"]: each["status"] for each in paper.orders()}
    assert report.outcome == ("SUCCEEDED", None, 2)
    assert shown == {"AAPL": status, "IBM": "filled", "MSFT": "filled"}
    assert f"AAPL {status}" in report.sms
