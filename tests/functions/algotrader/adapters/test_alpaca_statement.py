"""The statement lists each valid row once. If a page is missing, there is no statement."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from importlib.resources import files
from typing import Any

import msgspec
import pytest

from algotrader.adapters.alpaca import AlpacaBroker
from algotrader.model import Activity, ActivityKind, Fill
from tests.functions.algotrader.adapters.scripted_broker import Answer, ScriptedBroker, Seen

PATH = "GET /v2/account/activities"
AFTER = datetime(2026, 1, 1, 21, tzinfo=UTC)


def row(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"2026010500000000{number:04}::x",
        "activity_type": "CSD",
        "date": "2026-01-05",
        "net_amount": "5.00",
        "status": "executed",
        **changes,
    }


def test_a_row_is_read_exactly(server: ScriptedBroker, broker: AlpacaBroker) -> None:
    paid = row(
        1,
        activity_type="DIV",
        symbol="T",
        qty="2",
        per_share_amount="0.51",
        net_amount="1.02",
        created_at="2026-01-05T09:01:04-05:00",
    )
    server.on(PATH, [paid])

    assert broker.statement(AFTER) == (
        Activity(
            activity_id=paid["id"],
            kind=ActivityKind.DIVIDEND,
            description="activity (DIV)",
            symbol="T",
            qty=Decimal(2),
            amount=Decimal("1.02"),
            day=date(2026, 1, 5),
            at=datetime(2026, 1, 5, 14, 1, 4, tzinfo=UTC),
        ),
    )
    (asked,) = server.asked(PATH)
    assert (asked.query["category"], asked.query["after"]) == (
        "non_trade_activity",
        "2026-01-01T21:00:00Z",
    )


def alpacas_kinds() -> set[str]:
    document = files("alpaca_mcp_server").joinpath("specs/trading-api.json").read_bytes()
    return set(msgspec.json.decode(document)["components"]["schemas"]["ActivityType"]["enum"])


def test_every_kind_that_alpaca_documents_means_something_to_the_books(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    kinds = sorted(alpacas_kinds())
    server.on(PATH, [row(n, activity_type=kind) for n, kind in enumerate(kinds)])
    found = dict(zip(kinds, broker.statement(AFTER) or (), strict=True))

    meant = {kind: each.kind for kind, each in found.items()}
    of = {kind: {name for name, each in meant.items() if each is kind} for kind in ActivityKind}
    assert of == {
        ActivityKind.CASH_FLOW: {"CSD", "CSW", "JNL", "JNLC", "ACATC"},
        ActivityKind.SHARE_FLOW: {"ACATS", "JNLS", "FOPT", "OPASN", "OPEXC", "OPTRD", "REORG"},
        ActivityKind.SHARE_CHANGE: {"MA", "NC", "REO", "SPIN", "SPLIT"},
        ActivityKind.DIVIDEND: {"CGD", *(kind for kind in kinds if kind[:3] == "DIV")},
        ActivityKind.COST: {"CFEE", "FEE", "INT", "INTNRA", "INTTW", "PTC", "PTR"},
        ActivityKind.OTHER: {"FILL", "MISC", "OCT", "OPCA", "OPCSH", "OPEXP", "TRANS"},
    }
    assert found["ACATS"].description == "transfer to or from another broker (ACATS)"
    moves = of[ActivityKind.SHARE_FLOW] | of[ActivityKind.SHARE_CHANGE]
    assert all(not found[kind].description.startswith("activity") for kind in moves)
    # A name change moves no cash, even if its row has an amount.
    assert {kind for kind, each in found.items() if each.amount != 5} == {"NC"}
    assert found["NC"].amount == 0


def test_a_kind_of_tomorrow_is_shown_and_its_effect_on_profit_is_unknown(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    server.on(PATH, [row(1, activity_type="XYZ"), row(2, activity_type="DIVWH")])

    found, tax = broker.statement(AFTER) or ()
    assert (found.kind, found.description) == (ActivityKind.OTHER, "activity (XYZ)")
    assert tax.kind is ActivityKind.DIVIDEND


def trade(number: int, side: str, qty: str, price: str, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"2026010500000000{number:04}::f",
        "activity_type": "FILL",
        "transaction_time": "2026-01-05T09:36:04.5-05:00",
        "type": "partial_fill",
        "symbol": "T",
        "side": side,
        "qty": qty,
        "price": price,
        **changes,
    }


def test_a_fill_changes_the_cash_by_its_exact_value(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    at = datetime(2026, 1, 5, 14, 36, 4, 500000, tzinfo=UTC)
    rows = [
        trade(1, "buy", "3", "33.3333"),
        trade(2, "sell", "0.5", "20"),
        trade(3, "sell_short", "1", "7"),
    ]
    server.on(PATH, rows)

    assert broker.fills(AFTER) == (
        Fill(rows[0]["id"], at, Decimal("-99.9999")),
        Fill(rows[1]["id"], at, Decimal("10.0")),
        Fill(rows[2]["id"], at, Decimal(7)),
    )
    (asked,) = server.asked(PATH)
    assert (asked.query["category"], asked.query["after"]) == (
        "trade_activity",
        "2026-01-01T21:00:00Z",
    )


@pytest.mark.parametrize(
    "answer",
    [
        Answer({"message": "no such path"}, 404),
        Answer([trade(1, "lend", "1", "1")]),
        Answer([trade(1, "buy", "1", "1", transaction_time=None)]),
        Answer([row(1)]),
    ],
    ids=["absent", "no side", "no time", "no trade"],
)
def test_fills_that_are_not_whole_are_none(
    server: ScriptedBroker, broker: AlpacaBroker, answer: Answer
) -> None:
    server.on(PATH, answer)

    assert broker.fills(AFTER) is None


def test_shares_follow_from_the_amount_of_each_when_they_are_not_reported(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    paid = {"activity_type": "DIV", "symbol": "T", "per_share_amount": "0.50", "qty": None}
    server.on(PATH, [row(1, **paid), row(2, date="2026-01-05T00:00:00Z", net_amount=None)])

    found = broker.statement(AFTER)

    assert found is not None
    assert [each.qty for each in found] == [10, None]
    assert [each.amount for each in found] == [5, 0]


def test_what_was_canceled_counts_for_nothing(server: ScriptedBroker, broker: AlpacaBroker) -> None:
    server.on(PATH, [row(1, status="canceled"), row(2, status="correct")])

    found = broker.statement(AFTER)

    assert found is not None
    assert [each.activity_id[:20] for each in found] == ["20260105000000000002"]


def test_all_pages_are_read_and_each_row_is_there_once(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    rows = [row(number) for number in range(230)]

    def page(seen: Seen) -> Answer:
        ids = [each["id"] for each in rows]
        start = ids.index(seen.query["page_token"]) if "page_token" in seen.query else 0
        return Answer(rows[start : start + int(seen.query["page_size"])])  # repeats the token's row

    server.on(PATH, page)

    found = broker.statement(AFTER)

    assert found is not None
    assert [each.activity_id for each in found] == [each["id"] for each in rows]


@pytest.mark.parametrize(
    "answer",
    [
        Answer({"message": "no such path"}, 404),
        Answer({"message": "down"}, 500),
        Answer(b"<html>"),
        Answer([{"id": "1"}]),
        Answer([row(1, date="soon")]),
        Answer([row(1, net_amount="NaN")]),
        Answer([row(number) for number in range(100)]),  # the same page for every request
    ],
    ids=["absent", "down", "html", "half a row", "no day", "no amount", "no end"],
)
def test_a_statement_that_is_not_whole_is_none(
    server: ScriptedBroker, broker: AlpacaBroker, answer: Answer
) -> None:
    server.on(PATH, answer)

    assert broker.statement(AFTER) is None
