"""A run may change the switch from ACTIVE to REDUCING, but it never undoes a person's change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError, EndpointConnectionError

from algotrader.adapters.aws import client
from algotrader.adapters.kill_switch import reduce_if_active
from algotrader.model import TradingMode

NAME = "/desk/trading-state"
REASON = "DAILY_LOSS: 5.12 % lost"
WRITTEN = f"REDUCING {REASON}"

Meddle = Callable[[str, Callable[[], None]], None]


def value() -> str:
    return str(client("ssm").get_parameter(Name=NAME)["Parameter"]["Value"])


def write(text: str) -> None:
    client("ssm").put_parameter(Name=NAME, Value=text, Type="String", Overwrite=True)


@pytest.fixture
def before(monkeypatch: pytest.MonkeyPatch) -> Meddle:
    """Return a function that makes a change right before the first call to an operation."""
    call = BaseClient._make_api_call

    def meddle(operation: str, act: Callable[[], None]) -> None:
        def watched(self: BaseClient, name: str, arguments: Any) -> Any:
            if name == operation:
                monkeypatch.setattr(BaseClient, "_make_api_call", call)
                act()
            return call(self, name, arguments)

        monkeypatch.setattr(BaseClient, "_make_api_call", watched)

    return meddle


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("text", ["ACTIVE", "ACTIVE looked at it", " ACTIVE "])
def test_active_becomes_reducing_with_its_reason(text: str) -> None:
    write(text)

    assert reduce_if_active(NAME, TradingMode.LIVE, REASON) == ""
    assert value() == WRITTEN


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("text", ["HALTED earnings", "REDUCING by hand", "halted", "ACTIVEx"])
def test_anything_else_is_left_as_it_is(text: str) -> None:
    write(text)

    assert reduce_if_active(NAME, TradingMode.PAPER, REASON) == ""
    assert value() == text


@pytest.mark.usefixtures("aws")
def test_a_parameter_that_is_missing_is_made_in_paper_and_means_halted_in_live() -> None:
    assert reduce_if_active(NAME, TradingMode.LIVE, REASON) == ""
    with pytest.raises(client("ssm").exceptions.ParameterNotFound):
        value()

    assert reduce_if_active(NAME, TradingMode.PAPER, REASON) == ""
    assert value() == WRITTEN


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize(
    ("between", "then"),
    [
        ("HALTED now", "HALTED now"),
        ("OFF", "OFF"),
        ("ACTIVE again", WRITTEN),
        ("REDUCING too", WRITTEN),
    ],
)
def test_a_halt_between_reading_and_writing_is_put_back(
    before: Meddle, between: str, then: str
) -> None:
    write("ACTIVE")
    before("PutParameter", lambda: write(between))

    assert reduce_if_active(NAME, TradingMode.PAPER, REASON) == ""
    assert value() == then


@pytest.mark.usefixtures("aws")
def test_a_halt_that_makes_the_missing_parameter_first_stands(before: Meddle) -> None:
    before("PutParameter", lambda: write("HALTED now"))

    assert reduce_if_active(NAME, TradingMode.PAPER, REASON) == ""
    assert value() == "HALTED now"


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("mode", list(TradingMode))
@pytest.mark.parametrize(
    ("error", "named"),
    [
        (
            ClientError({"Error": {"Code": "AccessDeniedException"}}, "GetParameter"),
            "AccessDeniedException",
        ),
        (EndpointConnectionError(endpoint_url="http://h"), "EndpointConnectionError"),
    ],
)
def test_what_keeps_it_from_being_set_is_named_and_no_crash(
    monkeypatch: pytest.MonkeyPatch, mode: TradingMode, error: Exception, named: str
) -> None:
    write("ACTIVE")

    def refuse(*_: Any) -> Any:
        raise error

    monkeypatch.setattr(BaseClient, "_make_api_call", refuse)
    assert reduce_if_active(NAME, mode, REASON) == named
