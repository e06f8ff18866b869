"""The command shows a person everything that matters before they arm a live desk."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from algotrader.model import BOUNDS, parameter_of
from local.ops.arming import LIMITS, limits_of
from local.ops.stack import DeployedStack, StackLocation
from tests.support.checkout import CHECKOUT

GOING_LIVE = CHECKOUT / "docs" / "going-live.md"


def test_everything_that_the_page_tells_a_person_to_check_is_shown() -> None:
    table = (
        GOING_LIVE.read_text().partition("## The parameters to look at")[2].partition("\n## ")[0]
    )
    cells = re.findall(r"^\| (`[^|]*)\|", table, re.MULTILINE)
    named = {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}

    assert named - {"TradingMode", "LiveAccountNumber"} <= {*LIMITS}


def test_every_number_of_the_template_is_shown() -> None:
    assert {parameter_of(field) for field in BOUNDS} <= {*LIMITS}


@pytest.mark.parametrize(
    ("name", "deployed", "spelled"),
    [
        ("MaxDailyLoss", "0.05", "0.05"),
        ("MaxDailyLoss", "1", "1 (off)"),
        ("MaxDrawdown", "1.00", "1.00 (off)"),
        ("MaxOrdersPerRun", "1", "1"),
        ("Capital", "", "no cap"),
        ("DenySymbols", "", "none"),
        ("Strategy", None, "not a parameter of this stack"),
    ],
)
def test_a_disabled_or_empty_setting_is_shown_in_words(
    name: str, deployed: str | None, spelled: str
) -> None:
    parameters = {} if deployed is None else {name: deployed}
    at = datetime(2026, 1, 5, tzinfo=UTC)
    stack = DeployedStack(StackLocation("desk"), "us-east-1", "UPDATE_COMPLETE", parameters, {}, at)

    assert limits_of(stack)[name] == spelled
