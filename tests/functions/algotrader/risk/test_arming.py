"""A live desk trades only while its user's arming token is valid."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from algotrader.risk.arming import Arming, ArmingToken, arming_problem, check_token, warnings_of

NOW = datetime(2026, 1, 6, 14, 35, tzinfo=UTC)
DEPLOYED = datetime(2026, 1, 2, 9, 0, 0, 123000, tzinfo=UTC)
TOKEN = ArmingToken("123456789", NOW + timedelta(days=30), DEPLOYED)


def judged(token: ArmingToken) -> Arming:
    return check_token(token, "123456789", DEPLOYED, NOW)


def test_a_token_of_this_account_and_this_deploy_arms_until_it_ends() -> None:
    assert judged(TOKEN) == Arming(TOKEN.expires_at, "")


@pytest.mark.parametrize(
    ("token", "why"),
    [
        (replace(TOKEN, account="987654321"), "another account was armed"),
        (replace(TOKEN, account="012345678"), "another account was armed"),
        (
            replace(TOKEN, deployed_at=DEPLOYED - timedelta(milliseconds=1)),
            "the stack was deployed",
        ),
        (replace(TOKEN, deployed_at=DEPLOYED + timedelta(days=1)), "the stack was deployed again"),
        (replace(TOKEN, expires_at=NOW), "the permission ended on 2026-01-06T14:35:00+00:00"),
    ],
)
def test_any_other_token_arms_nothing_and_names_the_command(token: ArmingToken, why: str) -> None:
    found = judged(token)

    assert found.until is None
    assert found.problem.startswith(f"run algo-trader arm: {why}")


def test_a_warning_names_the_end_in_the_last_week() -> None:
    assert warnings_of(Arming(NOW + timedelta(days=7, seconds=1), ""), NOW) == ()
    (warning,) = warnings_of(Arming(NOW + timedelta(days=7), ""), NOW)
    assert "2026-01-13T14:35:00+00:00" in warning
    assert len(warnings_of(Arming(NOW + timedelta(days=1), ""), NOW)) == 1
    assert warnings_of(arming_problem("why"), NOW) == warnings_of(None, NOW) == ()
