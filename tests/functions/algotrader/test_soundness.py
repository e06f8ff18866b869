"""Some values break every step; the desk finds them and names their paths."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from algotrader.contracts import (
    Artifact,
    DecideOrdersEvent,
    FetchBarsEvent,
    decode,
    encode,
    parse_execution_input,
    parse_scheduled_time,
)
from algotrader.errors import InvalidInputError
from algotrader.model import BOUNDS, Bars, LatestPrice, Plan, Run, Settings, Snapshot
from algotrader.soundness import first_flaw, is_instant, parse_float
from tests.support import desk_world as world

LONE = "\ud800"
PRICE = LatestPrice(Decimal(100), world.NOW)


def settings(**changes: Any) -> dict[str, Any]:
    return {**encode(world.SETTINGS), **changes}


@pytest.mark.parametrize(
    ("value", "place"),
    [
        (LONE, "$: a lone surrogate"),
        ({"a": [1, f"x{LONE}"]}, "$['a'][1]: a lone surrogate"),
        ({LONE: 1}, r"$['\ud800']: a lone surrogate"),
        ({"a": float("nan")}, "$['a']: a number that is not finite"),
        ((1.0, float("inf")), "$[...]: a number that is not finite"),
        ({"a": 2**53 + 1}, "$['a']: a number far out of range"),
        ({"a": Decimal("NaN")}, "$['a']: a number far out of range"),
        ({"a": Decimal("1e-999999")}, "$['a']: a number far out of range"),
        ({"a": Decimal("0e-999999")}, "$['a']: a number far out of range"),
        ({"a": Decimal("1" * 600)}, "$['a']: a number far out of range"),
        (
            replace(PRICE, price=Decimal("1e16")),
            "$.price: a number far out of range",
        ),
        (
            replace(PRICE, price=Decimal("1e-16")),
            "$.price: a number far out of range",
        ),
        (
            replace(PRICE, at=datetime(2026, 1, 6, 14, 35)),  # noqa: DTZ001 - the point
            "$.at: an instant without an offset, or with a year out of range",
        ),
        (
            replace(PRICE, at=datetime(9999, 12, 31, tzinfo=timezone(timedelta(hours=-14)))),
            "$.at: an instant without an offset, or with a year out of range",
        ),
        ((date(2026, 1, 5), date(9999, 12, 31)), "$[1]: a day with a year out of range"),
        ((date(1, 1, 1), date(2026, 1, 5)), "$[0]: a day with a year out of range"),
    ],
)
def test_a_value_that_breaks_something_later_is_named_with_its_place(
    value: object, place: str
) -> None:
    assert first_flaw(value) == place


@pytest.mark.parametrize(
    "value",
    [
        "Ärger \N{GRINNING FACE}",
        {"a": [1, 2.5, True, None, {}], "b": ()},
        Decimal("1e-300"),  # a weight that a strategy computed as a float
        Decimal(0),
        PRICE,
        world.SETTINGS,
        world.snapshot({"AAPL": "10"}),
        world.features(),
        Artifact(inline={LONE: float("nan")}),  # not checked before it has a type
    ],
)
def test_what_a_run_works_with_has_no_flaw(value: object) -> None:
    assert first_flaw(value) == ""


OUT_OF_BOUNDS = ["NaN", "Infinity", "-1", "1e308", "1e-999999", "1000000000000"]


@pytest.mark.parametrize("field", BOUNDS)
@pytest.mark.parametrize("value", OUT_OF_BOUNDS)
def test_a_number_of_the_settings_that_no_deployment_gives_is_refused_in_an_event(
    field: str, value: str
) -> None:
    is_integer = isinstance(getattr(world.SETTINGS, field), int)
    given_value: object = value
    if is_integer:
        given_value = int(value) if value.lstrip("-").isdigit() else float(value)

    with pytest.raises(InvalidInputError, match=rf"STATE_INVALID.*\$\.{field}"):
        decode(Settings, settings(**{field: given_value}), "settings")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("strategy_parameters", {"a": LONE}),
        ("strategy_parameters", {"a": float("nan")}),
        ("strategy_parameters", {"a": 10**17}),
        ("stack", LONE),
        ("symbols", [LONE]),
        ("symbols", ["AAPL", "x" * 50]),
        ("mode", LONE),
        (LONE, 1),
        ("capital", LONE),
    ],
)
def test_settings_in_an_event_that_hold_what_no_text_can_are_refused_by_name(
    field: str, value: Any
) -> None:
    with pytest.raises(InvalidInputError, match="STATE_INVALID"):
        decode(Settings, settings(**{field: value}), "settings")


def test_a_snapshot_with_a_price_without_an_offset_is_refused() -> None:
    reported = encode(world.snapshot())
    reported["prices"]["IBM"]["at"] = "2024-03-04T14:35:00"

    with pytest.raises(InvalidInputError, match=r"STATE_INVALID.*\$\.prices\['IBM'\]\.at"):
        decode(Snapshot, reported, "Snapshot")


BARS: dict[str, Any] = {
    "timeframe": "1Day",
    "at": ["2026-01-05T14:30:00Z", "2026-01-06T14:30:00Z"],
    **{each: [1.0, 2.0] for each in ("open", "high", "low", "close", "volume")},
}


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"close": [1.0, float("nan")]}, "close"),
        ({"at": ["2026-01-05T14:30:00Z", "2026-01-06T14:30:00"]}, "at"),
        ({"at": ["2026-01-05T14:30:00Z", "1026-01-06T14:30:00Z"]}, "at"),
        ({"timeframe": "1Minute"}, "timeframe"),
    ],
)
def test_columns_of_bars_with_what_no_step_can_work_with_are_refused(
    change: dict[str, Any], place: str
) -> None:
    decode(Bars, BARS, "bars")

    with pytest.raises(InvalidInputError, match=rf"STATE_INVALID.*\$\.{place}"):
        decode(Bars, {**BARS, **change}, "bars")


def test_a_plan_of_endless_waiting_is_refused() -> None:
    plan = {
        "run_id": "x",
        **dict.fromkeys(("orders", "cancels", "denied", "rejected"), ()),
        **dict.fromkeys(("sequence", "polls"), 0),
        **dict.fromkeys(("exits_closed", "entries_closed")),
        "waited_seconds": 2**40,
    }

    with pytest.raises(InvalidInputError, match=r"STATE_INVALID.*\$\.waited_seconds"):
        decode(Plan, plan, "plan")


@pytest.mark.parametrize("arn", ["a" * 10_000, "a" * 257, f"arn:{LONE}"])
def test_an_execution_of_no_possible_name_is_refused(arn: str) -> None:
    with pytest.raises(InvalidInputError, match=r"STATE_INVALID.*execution_arn"):
        decode(FetchBarsEvent, {"execution_arn": arn, "input": {}}, "event")
    run = {**encode(world.RUN), "execution_arn": arn}
    event = {"run": run, "settings": {"inline": settings()}, "snapshot": {}, "features": None}
    with pytest.raises(InvalidInputError, match=r"STATE_INVALID.*execution_arn"):
        decode(DecideOrdersEvent, event, "event")


@pytest.mark.parametrize(
    "changes",
    [
        {"run_id": "2024-03-05-day"},
        {"run_id": "2024-03-04-9999", "slot": "9999"},
        {"desk": "../../"},
        {"journal": "runs/2024-03-05/2024-03-05-day/"},
        {"journal": world.RUN.journal + "x" * 2000},
        {"entry_symbols": ["AAPL", "x" * 50]},
        {"session": "9999-12-31", "run_id": "9999-12-31-day"},
        {"deadline": "2024-03-04T14:45:00"},
    ],
)
def test_a_run_whose_names_do_not_fit_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError, match=r"STATE_INVALID.*\$\."):
        decode(Run, {**encode(world.RUN), **changes}, "run")


@pytest.mark.parametrize(
    "raw",
    [
        {"Comment": LONE},
        {"Comment": {"deep": [f"a{LONE}b"]}},
        {LONE: 1},
        {"slot": LONE},
        {"symbols": [LONE]},
        {"scheduled_time": LONE},
        {"Comment": float("nan")},
        {"Comment": 10**400},
        LONE,
    ],
)
def test_an_input_that_no_text_can_hold_is_refused_by_name(raw: object) -> None:
    with pytest.raises(InvalidInputError, match="INPUT_INVALID") as raised:
        parse_execution_input(raw)

    str(raised.value).encode()


def test_an_input_that_is_nested_too_deeply_is_refused_by_name() -> None:
    deep: list[Any] = []
    for _ in range(10_000):
        deep = [deep]

    with pytest.raises(InvalidInputError, match="INPUT_INVALID"):
        parse_execution_input({"Comment": deep})


@pytest.mark.parametrize(
    "text",
    [
        *("", "now", LONE, f"2026-01-05T14:35:00Z{LONE}", "2026-01-05T14:35:00"),
        *("9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "9" * 10_000),
        *("1969-12-31T23:59:59Z", "2200-01-01T00:00:00Z"),
    ],
)
def test_an_instant_that_is_none_of_our_time_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidInputError, match="INSTANT_INVALID") as raised:
        parse_scheduled_time(text)

    assert len(str(raised.value)) < 300
    str(raised.value).encode()


@given(st.datetimes(timezones=st.timezones() | st.just(UTC)))
def test_an_instant_of_our_time_can_be_shown_in_every_zone(instant: datetime) -> None:
    if is_instant(instant):
        for hours in (-14, 0, 14):
            instant.astimezone(timezone(timedelta(hours=hours)))
            instant + timedelta(days=20_000)


@pytest.mark.parametrize("text", ["1e999", "-1e999", "1e-999999", "-0.1e-400"])
def test_a_number_that_a_float_cannot_hold_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="far out of range"):
        parse_float(text)


@pytest.mark.parametrize(("text", "value"), [("0", 0.0), ("0e-999", 0.0), ("1e-300", 1e-300)])
def test_a_small_number_is_read(text: str, value: float) -> None:
    assert parse_float(text) == value
