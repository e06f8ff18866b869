"""A whole day with a second strategy beside the live one."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.support.event_expectations import EVENTS

Command = Callable[..., Any]


def test_a_day_with_a_shadow_sends_what_a_day_without_one_sends(command: Command) -> None:
    # The sample events are this day's, without a shadow; theirs are held against the functions.
    alone = json.loads((EVENTS / "submit_orders" / "first-day.json").read_text())
    ran = command("run", "--json", "--parameter", "ShadowStrategy=sma_cross")
    document = ran.document
    assert document["decision"] == alone["decision"]["inline"]
    sent = {each["client_order_id"]: each["qty"] for each in document["orders"]}
    planned = alone["plan"]["inline"]["orders"]
    assert sent == {each["client_order_id"]: each["qty"] for each in planned}
    shadow = document["shadow"]
    assert (shadow["strategy"], shadow["error"]) == ("sma_cross", None)
    assert [each["symbol"] for each in shadow["decision"]["entries"]] == [
        "AAPL",
        "GOOG",
        "IBM",
        "MSFT",
    ]
    assert "SHADOW sma_cross: it sent nothing" in document["notification"]["email"]
    assert "GOOG" not in document["notification"]["sms"]
