"""The e-mail tells the shadow's orders beside the live ones, last, and the text message nothing."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from algotrader.messages import ShadowOutcome, make_texts
from algotrader.messages.email import MAX_EMAIL_CHARACTERS
from algotrader.model import Decision, Side, StopWish
from tests.support.told_runs import DRY_RUN, decision, intent, order, outcome, submission

LIVE = decision(intent("AAPL", "56"))
WHY = {"AAPL": "buy 40: it rose", "IBM": "nothing to do: target 0, holds 0"}


def shadow(made: Decision | None = None, error: str = "") -> ShadowOutcome:
    return ShadowOutcome(strategy="sma_cross", decision=made, error=error)


def texts(told: ShadowOutcome | None, **changes: Any) -> Any:
    plain = {"decision": LIVE, "submission": submission(order("AAPL", "56"))}
    return make_texts(outcome(shadow=told, **plain | changes))


def section(told: ShadowOutcome, **changes: Any) -> list[str]:
    return str(texts(told, **changes).email).rpartition("\n\n")[2].splitlines()


DECIDED = shadow(decision(intent("AAPL", "40"), exits=(intent("MSFT", "3", Side.SELL),), why=WHY))


def test_each_symbol_shows_both_orders_and_the_shadows_why() -> None:
    live = decision(intent("AAPL", "56"), intent("GOOG", "2"))
    assert section(DECIDED, decision=live) == [
        "SHADOW sma_cross: it sent nothing",
        "  AAPL: would buy 40 (the desk: buy 56). buy 40: it rose",
        "  GOOG: would do nothing (the desk: buy 2)",
        "  IBM: would do nothing (the desk: nothing). nothing to do: target 0, holds 0",
        "  MSFT: would sell 3 (the desk: nothing)",
        "  its target weights: AAPL 25%",
    ]


def test_the_stops_that_it_would_place_are_told() -> None:
    stop = StopWish("shadow-AAPL-stop", "AAPL", Decimal("90.5"), Decimal(100), Decimal(40), "why")
    assert section(shadow(decision(stops=(stop,))))[-1] == "  its stops: AAPL at 90.5"


def test_one_that_wants_cash_says_so() -> None:
    assert section(shadow(decision()))[-1] == "  its target weights: none, all cash"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("STRATEGY_UNKNOWN: strategy=x. Set it.", "STRATEGY_UNKNOWN: strategy=x. Set it."),
        ("", "the run never got so far"),
    ],
)
def test_one_that_did_not_decide_says_why(error: str, words: str) -> None:
    assert section(shadow(error=error)) == [
        "SHADOW sma_cross: it sent nothing",
        f"  it did not decide: {words}",
    ]


@pytest.mark.parametrize("told", [DECIDED, shadow(error="broken")])
@pytest.mark.parametrize("changes", [{}, {"run": DRY_RUN, "submission": None}])
def test_subject_and_text_message_know_of_no_shadow(
    told: ShadowOutcome, changes: dict[str, Any]
) -> None:
    alone, beside = texts(None, **changes), texts(told, **changes)
    assert (beside.subject, beside.sms) == (alone.subject, alone.sms)
    assert beside.email.startswith(alone.email)


def test_a_shadow_with_much_to_say_takes_no_room_from_the_run() -> None:
    many = {f"S{n:04d}": "why " * 50 for n in range(1000)}
    alone = texts(None)
    beside = texts(shadow(replace(LIVE, why=many, desk_capital=Decimal(1))))
    assert beside.email.startswith(alone.email)
    assert len(beside.email) < MAX_EMAIL_CHARACTERS + 100
