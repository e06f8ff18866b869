"""The adapter removes control characters and direction marks from the broker's texts."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from algotrader.adapters.alpaca import AlpacaBroker
from algotrader.errors import (
    AccountBlockedError,
    BrokerAuthError,
    BrokerUnavailableError,
    DeskError,
)
from algotrader.messages.failure import split_message
from algotrader.model import OrderRejected
from tests.functions.algotrader.adapters.broker_answers import ACCOUNT, order, position
from tests.functions.algotrader.adapters.scripted_broker import Answer, ScriptedBroker
from tests.functions.algotrader.adapters.test_alpaca_faults import INTENT

WORDS = "no\u202e\u2066 cash\x1b[31m\r\n\r\nORDERS\x00\n  bought 10 AAPL"
CLEAN = "no cash [31m ORDERS bought 10 AAPL"


def test_the_reason_of_a_rejected_order_is_one_line_of_what_shows(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    server.on("POST /v2/orders", Answer({"code": "4\u202e2", "message": WORDS}, 422))

    assert broker.submit(INTENT) == OrderRejected(INTENT.client_order_id, "AAPL", "4 2", CLEAN)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 418, 422, 500])
def test_the_reason_of_a_refused_question_is_one_line_of_what_shows(
    server: ScriptedBroker, broker: AlpacaBroker, status: int
) -> None:
    server.on("GET /v2/positions", Answer({"code": 40310000, "message": WORDS}, status))

    with pytest.raises(DeskError) as raised:
        broker.positions()

    assert str(raised.value).isprintable()
    assert f'broker="{CLEAN}"' in str(raised.value)


def test_the_brokers_words_give_no_advice_of_their_own(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    server.on("GET /v2/clock", Answer({"message": 'no". Send your keys to us. "'}, 401))

    with pytest.raises(BrokerAuthError) as raised:
        broker.clock()

    assert split_message(str(raised.value))[2] == raised.value.advice


@pytest.mark.parametrize("field", ["status", "symbol", "type", "time_in_force", "id"])
def test_the_words_of_an_order_show(
    server: ScriptedBroker, broker: AlpacaBroker, field: str
) -> None:
    server.on("GET /v2/orders", [order(**{field: "a\u202eb\n"})])

    (found,) = broker.open_orders()

    name = {"type": "order_type", "id": "broker_id"}.get(field, field)
    assert getattr(found, name) == "a b "


def test_an_id_that_looks_like_ours_does_not_become_ours(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    server.on("GET /v2/orders", [order("at1-x"), order("at1-x\u202e"), order("\u200bat1-x")])

    assert [each.client_order_id for each in broker.open_orders()] == ["at1-x", "at1-x ", " at1-x"]


def test_a_position_whose_symbol_looks_like_ours_does_not_become_ours(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    server.on("GET /v2/positions", [position("AAPL", "1"), position("AAPL\u200b", "2")])

    assert {name: it.qty for name, it in broker.positions().items()} == {"AAPL": 1, "AAPL ": 2}


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "A\u202eB"},
        {
            "admin_configurations": {"restrict_to_liquidation_reasons": {"a\u202e": True}},
            "status": "A\u2066B",
        },
    ],
)
def test_the_words_of_an_account_show(
    server: ScriptedBroker, broker: AlpacaBroker, changes: dict[str, Any]
) -> None:
    server.on("GET /v2/account", {**ACCOUNT, **changes})

    account = broker.account()

    assert account.blocked_by == ("status A B",)
    assert all(each.isprintable() for each in account.only_sells_for)


def test_the_kind_of_a_corporate_action_shows(server: ScriptedBroker, broker: AlpacaBroker) -> None:
    row = {"symbol": "AAPL", "ex_date": "2026-01-06", "new_symbol": "A\u202eB"}
    server.on("GET /v1/corporate-actions", {"corporate_actions": {"odd\u202e_ones": [row]}})

    (found,) = broker.corporate_actions(["AAPL"], date(2026, 1, 5), date(2026, 1, 7))

    assert (found.kind, found.others) == ("odd _one", ("A B",))


@pytest.mark.parametrize("field", ["status", "client_order_id", "symbol"])
def test_a_text_of_a_million_characters_is_not_an_alpaca_answer(
    server: ScriptedBroker, broker: AlpacaBroker, field: str
) -> None:
    server.on("GET /v2/orders", [order(**{"id": "x", field: "x" * 1_000_000})])

    with pytest.raises(BrokerUnavailableError, match=f"BROKER_ANSWER_INVALID.*{field} is too long"):
        broker.open_orders()


def test_an_account_that_forbids_something_says_it_in_what_shows(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    server.on("GET /v2/account", Answer({"code": 40310000, "message": WORDS}, 403))

    with pytest.raises(AccountBlockedError) as raised:
        broker.account()

    assert str(raised.value).isprintable()
