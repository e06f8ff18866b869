"""Announcements are the older form of the corporate actions."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tests.local.paper_broker.conftest import MakeWire, Wire

ACTIONS = "/v1/corporate-actions"
ANNOUNCEMENTS = "/v2/corporate_actions/announcements"
SUMMER = {"since": "2012-07-01", "until": "2012-09-01"}


def listed(wire: Wire, **query: str) -> list[dict[str, Any]]:
    return list(wire.get(ANNOUNCEMENTS, **{"ca_types": "dividend,split", **SUMMER, **query}))


def test_an_announcement_describes_a_dividend(wire: Wire) -> None:
    (found,) = listed(wire, symbol="AAPL")
    assert (found["ca_type"], found["ca_sub_type"], found["cash"]) == ("dividend", "cash", "2.65")
    assert (found["ex_date"], found["payable_date"]) == ("2012-08-09", "2012-08-23")
    assert wire.get(f"{ANNOUNCEMENTS}/{found['id']}") == found
    (action,) = wire.get(ACTIONS, ids=found["id"])["corporate_actions"]["cash_dividends"]
    assert action["id"] == found["id"]


def test_an_announcement_describes_a_split(make_wire: MakeWire) -> None:
    wire = make_wire(session=date(2005, 3, 1))
    (found,) = listed(wire, ca_types="split", since="2005-02-01", until="2005-03-01")
    shown = ("initiating_symbol", "ca_sub_type", "old_rate", "new_rate", "cash", "ex_date")
    assert [found[key] for key in shown] == ["AAPL", "stock_split", "1", "2", "0", "2005-02-28"]


@pytest.mark.parametrize(
    ("query", "symbols"),
    [
        ({}, ["IBM", "AAPL", "MSFT"]),
        ({"ca_types": "merger"}, []),
        ({"symbol": "IBM"}, ["IBM"]),
        ({"cusip": "037833100"}, ["AAPL"]),
        ({"until": "2012-08-08"}, ["IBM"]),
        ({"date_type": "payable_date", "until": "2012-08-22"}, ["IBM"]),
        ({"date_type": "declaration_date", "since": "2012-07-26"}, ["AAPL", "MSFT"]),
    ],
)
def test_announcements_are_listed_by_type_company_and_date(
    make_wire: MakeWire, query: dict[str, str], symbols: list[str]
) -> None:
    wire = make_wire(session=date(2012, 8, 15))
    assert [found["initiating_symbol"] for found in listed(wire, **query)] == symbols


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"since": ""}, "invalid param: both since & until required"),
        ({"ca_types": ""}, "invalid param: ca_types is required"),
        ({"until": "2013-01-01"}, "invalid param: the date range is limited to 90 days"),
    ],
)
def test_a_wrong_search_is_refused(wire: Wire, change: dict[str, str], message: str) -> None:
    answer = wire.send("GET", ANNOUNCEMENTS, **{"ca_types": "dividend", **SUMMER, **change})
    wire.contract.breaches.clear()  # some of these break the documents on purpose
    assert (answer.status_code, (answer.json or {})["message"]) == (422, message)


def test_an_unknown_announcement_is_404(wire: Wire) -> None:
    unknown = "00000000-0000-4000-8000-000000000000"
    assert wire.send("GET", f"{ANNOUNCEMENTS}/{unknown}").status_code == 404


def test_corporate_actions_are_filtered_and_sorted(wire: Wire) -> None:
    query = {"start": "2000-01-01", "end": "2012-08-08"}
    by_cusip = wire.get(ACTIONS, cusips="594918104", types="forward_split", **query)
    (split,) = by_cusip["corporate_actions"]["forward_splits"]
    assert split["symbol"] == "MSFT"
    newest = wire.get(ACTIONS, types="forward_split", sort="desc", **query)["corporate_actions"]
    assert [it["ex_date"][:4] for it in newest["forward_splits"]] == ["2005", "2003", "2000"]
