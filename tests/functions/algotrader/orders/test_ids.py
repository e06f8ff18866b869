"""An id names one order place: parsing returns what was formatted and rejects everything else."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from algotrader.model import Leg
from algotrader.orders.ids import (
    MAX_CLIENT_ORDER_ID_LENGTH,
    OrderPlace,
    client_order_id,
    desk_id,
    desk_of,
    desk_prefix,
    parse_client_order_id,
    run_id,
)

PLACE = OrderPlace("abc123", date(2024, 3, 4), "day", "IBM", Leg.ENTRY, 0)
LONGEST = OrderPlace("abc123", date(2024, 3, 4), "f1559", "ABCDEFGH.X", Leg.FLATTEN, 9)


def test_a_desk_is_an_account_and_a_stack() -> None:
    assert desk_id("PA1", "algo-trader") == desk_id("PA1", "algo-trader")
    # The separator distinguishes two names whose letters join to the same text.
    names = [("PA1", "algo-trader"), ("PA2", "algo-trader"), ("PA1", "second"), ("PA1a", "lgo")]
    assert len({desk_id(*each) for each in [*names, ("PA1al", "go")]}) == 5


def test_an_id_spells_desk_session_slot_symbol_leg_and_number() -> None:
    assert client_order_id(PLACE) == "at1-abc123-2024-03-04-day-IBM-entry-0"
    assert client_order_id(replace(PLACE, slot="0935", leg=Leg.EXIT, n=12)) == (
        "at1-abc123-2024-03-04-0935-IBM-exit-12"
    )


def test_the_longest_place_of_a_desk_takes_exactly_the_length_that_is_allowed() -> None:
    text = client_order_id(LONGEST)
    assert len(text) == MAX_CLIENT_ORDER_ID_LENGTH == 48
    assert parse_client_order_id(text) == LONGEST


@pytest.mark.parametrize(
    "changes",
    [
        {"n": 10},  # 49 characters
        {"desk": "ABC123"},
        {"desk": "abc12"},
        {"slot": "report"},
        {"slot": "fday"},
        {"symbol": "ibm"},
        {"symbol": "ABCDEFGHIJK"},
        {"symbol": ""},
        {"n": -1},
    ],
)
def test_a_place_that_would_not_be_read_back_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="not a client order id: at1-"):
        client_order_id(replace(LONGEST, **changes))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "by-hand",
        "at1-abc123-2024-02-30-day-IBM-entry-0",
        "at1-abc123-2024-03-04-day-IBM-entry-",
        "at1-abc123-2024-03-04-day-IBM-entry-0x",
        "xat1-abc123-2024-03-04-day-IBM-entry-0",
        "at1-abc123-2024-03-04-day-IBM-hedge-0",
        "at2-abc123-2024-03-04-day-IBM-entry-0",
    ],
)
def test_what_no_desk_wrote_is_not_read(text: str) -> None:
    assert parse_client_order_id(text) is None


@given(
    st.builds(
        OrderPlace,
        desk=st.from_regex(r"[0-9a-f]{6}", fullmatch=True),
        session=st.dates(),
        slot=st.sampled_from(["day", "0935", "f1559"]),
        symbol=st.from_regex(r"[A-Z][A-Z0-9.]{0,9}", fullmatch=True),
        leg=st.sampled_from(Leg),
        n=st.integers(0, 9),
    )
)
def test_every_place_is_read_back_from_its_id(place: OrderPlace) -> None:
    assert parse_client_order_id(client_order_id(place)) == place


def test_a_desk_is_named_by_six_hexadecimal_digits_of_its_account_and_stack() -> None:
    names = {desk_id(*each) for each in (("1", "desk"), ("2", "desk"), ("1", "other"))}
    assert len(names) == 3
    for name in names:
        assert desk_of(client_order_id(replace(PLACE, desk=name))) == name


def test_an_order_is_its_desk_s_by_the_start_of_its_id() -> None:
    assert desk_prefix("abc123") == "at1-abc123-"
    assert desk_of("at1-abc123-anything") == "abc123"
    for text in ("", "at1-abc12-x", "at1-abc1234-x", "at1-ABC123-x", "x-at1-abc123-"):
        assert desk_of(text) is None


def test_a_run_is_named_by_its_session_and_slot() -> None:
    assert run_id(date(2024, 3, 4), "f1559") == "2024-03-04-f1559"
