from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from local.sandbox.aws import EmbeddedAws, Stack
from tests.local.cli.conftest import Command, Person

ADDRESS = {"AlpacaTradingUrl": "http://127.0.0.1:9"}
LIVE = ADDRESS | {"TradingMode": "live", "LiveAccountNumber": "123456789"}


@pytest.fixture(scope="module", name="aws")
def embedded() -> Iterator[EmbeddedAws]:
    with EmbeddedAws(wait_scale=0.1) as embedded:
        yield embedded


@pytest.fixture(scope="module")
def live(aws: EmbeddedAws) -> Stack:
    return aws.deploy("live-desk", LIVE)


@pytest.fixture
def stack_arguments(aws: EmbeddedAws) -> tuple[str, ...]:
    return ("--endpoint-url", aws.endpoint_url)


def token_of(aws: EmbeddedAws, stack: Stack) -> dict[str, str] | None:
    ssm, name = aws.client("ssm"), stack.outputs["LiveArmingParameter"]
    found = ssm.get_parameters(Names=[name])["Parameters"]
    return json.loads(found[0]["Value"]) if found else None


def test_the_command_shows_the_limits_and_arms_a_live_desk_after_a_yes(
    aws: EmbeddedAws, live: Stack, invoke: Command, person: Person
) -> None:
    status, _, err = invoke("arm", "--stack", live.name)
    assert (status, "--yes" in err, token_of(aws, live)) == (2, True, None)
    person(yes=False)
    status, out, _ = invoke("arm", "--stack", live.name)
    assert (status, "Nothing was changed" in out, token_of(aws, live)) == (1, True, None)

    person(yes=True)
    status, out, _ = invoke("arm", "--stack", live.name, "--days", "3")
    assert status == 0
    for shown in ("123456789", "MaxOrderNotional   50000", "LiveRampNotional   1000", "no cap"):
        assert shown in out
    token = token_of(aws, live)
    assert token is not None
    (stack,) = aws.client("cloudformation").describe_stacks(StackName=live.name)["Stacks"]
    deployed = stack.get("LastUpdatedTime") or stack["CreationTime"]
    assert datetime.fromisoformat(token["deployed_at"]) == deployed
    left = datetime.fromisoformat(token["expires_at"]) - datetime.now(UTC)
    assert timedelta(days=2, hours=23) < left <= timedelta(days=3)
    assert token["account"] == "123456789"
    assert invoke("arm", "--stack", live.name, "--yes")[0] == 0
    assert token_of(aws, live) != token


def test_only_a_live_stack_is_armed(aws: EmbeddedAws, invoke: Command) -> None:
    aws.deploy("paper-desk", ADDRESS)
    status, out, err = invoke("arm", "--stack", "paper-desk", "--yes")
    assert (status, out) == (2, "")
    assert "TradingMode=paper, and only a live stack can be armed" in err


@pytest.mark.parametrize("days", ["0", "366", "ever"])
def test_an_arming_lasts_from_a_day_to_a_year(invoke: Command, days: str) -> None:
    status, out, err = invoke("arm", "--days", days)
    assert (status, out, err.count("\n")) == (2, "", 1)


def test_a_live_stack_without_an_account_number_is_not_armed(
    aws: EmbeddedAws, invoke: Command
) -> None:
    aws.deploy("nobodys-desk", LIVE | {"LiveAccountNumber": ""})
    status, _, err = invoke("arm", "--stack", "nobodys-desk", "--yes")
    assert status == 2
    assert "has no LiveAccountNumber" in err
