"""A live run needs its keys, an account without short sales, and a valid arming."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from algotrader.adapters.aws import client
from algotrader.adapters.run_lock import Claim
from algotrader.contracts import FetchBarsResult
from algotrader.errors import ConfigurationError
from algotrader.model import Snapshot, TradingState
from tests.functions.algotrader.adapters.broker_answers import ACCOUNT
from tests.functions.fetch_bars.conftest import ARMING_NAME, ARN, STATE_NAME, World

TEMPLATE = json.dumps({"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}})
JOURNAL = "runs/2026-01-06/2026-01-06-day/"


@pytest.fixture
def live(world: World) -> Iterator[World]:
    """Return a live deployment whose switch is ACTIVE and that nobody has armed."""
    client("cloudformation").create_stack(StackName="desk", TemplateBody=TEMPLATE)
    client("ssm").put_parameter(Name=STATE_NAME, Type="String", Value="ACTIVE")
    world.environ.update(TRADING_MODE="live", LIVE_ACCOUNT_NUMBER=ACCOUNT["account_number"])
    yield world
    client("cloudformation").delete_stack(StackName="desk")


def arm(until: str, **changes: str) -> None:
    (stack,) = client("cloudformation").describe_stacks(StackName="desk")["Stacks"]
    token = {
        "account": ACCOUNT["account_number"],
        "expires_at": until,
        "deployed_at": stack["CreationTime"].isoformat(),
    }
    client("ssm").put_parameter(
        Name=ARMING_NAME, Type="String", Value=json.dumps(token | changes), Overwrite=True
    )


def state_of(world: World, result: FetchBarsResult) -> tuple[TradingState, str]:
    assert result.snapshot is not None
    snapshot = world.store.get(result.snapshot, Snapshot)
    return snapshot.trading_state, snapshot.trading_state_reason


def test_an_armed_desk_trades_and_posts_nothing_past_its_arming(live: World) -> None:
    arm("2026-01-06T14:40:00Z")

    result = live.run()

    assert state_of(live, result) == (TradingState.ACTIVE, "")
    assert result.run is not None
    assert result.run.deadline == datetime(2026, 1, 6, 14, 40, tzinfo=UTC)
    assert result.snapshot is not None
    (warning,) = live.store.get(result.snapshot, Snapshot).warnings
    assert "armed until 2026-01-06T14:40" in warning


def test_an_arming_that_lasts_leaves_the_runs_own_deadline(live: World) -> None:
    arm("2026-02-01T00:00:00Z")

    result = live.run()

    assert result.run is not None
    assert result.run.deadline == datetime(2026, 1, 6, 14, 45, 2, tzinfo=UTC)


@pytest.mark.parametrize("given", [{}, {"dry_run": True}, {"report_only": True}])
def test_a_desk_that_nobody_armed_is_halted_and_says_what_to_do(live: World, given: object) -> None:
    state, reason = state_of(live, live.run(given))

    assert state is TradingState.HALTED
    assert reason == f"run algo-trader arm: {ARMING_NAME} is missing"


def test_an_arming_that_ended_or_of_another_account_or_deploy_halts(live: World) -> None:
    reasons = []
    for token in (
        {"until": "2026-01-06T14:35:00Z"},
        {"until": "2027-01-01T00:00:00Z", "account": "other"},
        {"until": "2027-01-01T00:00:00Z", "deployed_at": "2026-01-01T00:00:00Z"},
    ):
        arm(**token)
        state, reason = state_of(live, live.run({"dry_run": True}))
        assert state is TradingState.HALTED
        reasons.append(reason)

    words = ("the permission ended on", "another account was armed", "deployed again")
    assert all(word in reason for word, reason in zip(words, reasons, strict=True))


def test_a_halt_of_the_users_own_keeps_its_reason(live: World) -> None:
    client("ssm").put_parameter(
        Name=STATE_NAME, Type="String", Value="HALTED on holiday", Overwrite=True
    )

    assert state_of(live, live.run()) == (TradingState.HALTED, "on holiday")


def test_a_failed_run_sends_nothing_more_once_the_desk_is_not_armed(live: World) -> None:
    arm("2026-02-01T00:00:00Z")
    live.decide(live.run())
    at = datetime(2026, 1, 6, 14, 35, tzinfo=UTC)
    live.store.write(f"{JOURNAL}claim.json", Claim(ARN, "failed", at))
    arm("2026-02-01T00:00:00Z", deployed_at="2026-01-01T00:00:00Z")
    live.now = "2026-01-06T09:37:00-05:00"

    repeated = live.run(arn=f"{ARN}-again")

    assert repeated.run is not None
    assert repeated.run.deadline == datetime(2026, 1, 6, 14, 37, tzinfo=UTC)
    assert repeated.run.ended_because == "the desk is not armed"


@pytest.mark.parametrize("answer", [{"no_shorting": False}, {"no_shorting": None}, {}])
@pytest.mark.parametrize("given", [{}, {"dry_run": True}])
def test_an_account_that_may_sell_short_is_refused_before_anything_is_claimed(
    live: World, answer: object, given: object
) -> None:
    arm("2026-02-01T00:00:00Z")
    live.server.on("GET /v2/account/configurations", answer)

    with pytest.raises(ConfigurationError, match="SHORTING_ALLOWED"):
        live.run(given)

    assert live.stored() == []


def test_a_flatten_needs_neither_arming_nor_a_ban_on_short_sales(live: World) -> None:
    live.server.on("GET /v2/account/configurations", {"no_shorting": False})

    result = live.run({"flatten": True})

    assert result.outcome == "FLATTEN"
    assert state_of(live, result) == (TradingState.ACTIVE, "")
    assert result.run is not None
    assert result.run.deadline == datetime(2026, 1, 6, 14, 45, 2, tzinfo=UTC)


def test_paper_asks_for_none_of_it(world: World) -> None:
    world.server.on("GET /v2/account/configurations", {"no_shorting": False})

    assert world.run().outcome == "OPEN"
    asked = {each.path for each in world.server.requests}
    assert "/v2/account/configurations" not in asked
