"""A shadow decides as the desk would by its strategy, and nothing of it could be sent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given

from algotrader.decision import decide
from algotrader.errors import ConfigurationError, DeskError, StrategyError
from algotrader.ids import parse_client_order_id
from algotrader.model import Decision, Leg, Side
from algotrader.shadow import MAX_ERROR_CHARACTERS, decide_as_shadow, said
from tests.support.bells import Bell, bells
from tests.support.desk_world import (
    FixedWeights,
    decided,
    features,
    open_order,
    own_id,
    quantities,
    run,
    settings,
    snapshot,
)

WEIGHTS = {"AAPL": Decimal("0.3"), "IBM": Decimal("0.2")}


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    children = [*value, *value.values()] if isinstance(value, dict) else value
    if isinstance(value, dict | list):
        for child in children:
            yield from texts(child)


def all_texts(decision: Decision) -> list[str]:
    return [*texts(msgspec.json.decode(msgspec.json.encode(decision)))]


def ids_in(decision: Decision) -> list[str]:
    """Find every text anywhere in a decision that is a client order id."""
    return [each for each in all_texts(decision) if parse_client_order_id(each)]


def shadow_of(bell: Bell) -> Decision:
    strategy = FixedWeights(bell.weights)
    return decide_as_shadow(bell.run, bell.settings, bell.snapshot, features(), strategy)


def test_a_shadow_wants_what_the_desk_would_want_by_the_same_strategy() -> None:
    told = snapshot({"XOM": "5", "AAPL": "10"})
    live = decided(WEIGHTS, told)
    shadow = decide_as_shadow(run(), settings(), told, features(), FixedWeights(WEIGHTS))
    assert quantities(shadow.entries) == quantities(live.entries)
    assert quantities(shadow.exits) == quantities(live.exits)
    assert (shadow.why, shadow.denied) == (live.why, live.denied)


def test_a_shadow_sees_what_the_desk_holds() -> None:
    strategy = FixedWeights(WEIGHTS)
    decide_as_shadow(run(), settings(), snapshot({"AAPL": "10"}), features(), strategy)
    ((_, portfolio),) = strategy.shown
    assert portfolio.quantities == {"AAPL": Decimal(10)}


def test_a_shadow_obeys_the_desks_limits() -> None:
    under = settings(max_position_weight=Decimal("0.1"))
    shadow = decide_as_shadow(run(), under, snapshot(), features(), FixedWeights(WEIGHTS))
    assert shadow.entries == ()
    assert {each.code for each in shadow.denied} == {"MAX_POSITION_WEIGHT"}


def test_a_shadow_cancels_nothing() -> None:
    mine = open_order("IBM", Side.BUY, "5", "99", own_id("IBM", Leg.ENTRY))
    told = snapshot(own_open_orders=(mine,))
    assert decided(WEIGHTS, told).cancels == (mine.client_order_id,)
    assert (
        decide_as_shadow(run(), settings(), told, features(), FixedWeights(WEIGHTS)).cancels == ()
    )


@given(bells())
def test_nowhere_in_a_shadows_decision_is_an_id_that_an_order_could_have(bell: Bell) -> None:
    stopped = FixedWeights(bell.weights, stops=dict.fromkeys(bell.weights, Decimal("0.5")))
    given = (bell.run, bell.settings, bell.snapshot, features(), stopped)
    live, shadow = decide(*given), decide_as_shadow(*given)
    assert ids_in(shadow) == []
    written = (*live.exits, *live.entries, *live.stops)
    assert {*(each.client_order_id for each in written), *live.cancels} == {*ids_in(live)}
    assert [each.symbol for each in shadow.stops] == [each.symbol for each in live.stops]


@given(bells())
def test_a_shadow_leaves_the_live_decision_alone(bell: Bell) -> None:
    before = msgspec.json.encode(bell.decide())
    shadow_of(bell)
    assert msgspec.json.encode(bell.decide()) == before


def test_its_names_stand_for_themselves() -> None:
    (aapl, ibm) = decide_as_shadow(
        run(), settings(), snapshot(), features(), FixedWeights(WEIGHTS)
    ).entries
    assert (aapl.client_order_id, ibm.client_order_id) == ("shadow-AAPL-entry", "shadow-IBM-entry")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            StrategyError("STRATEGY_FAILED", "Nothing was traded: mend x.py.", strategy="x"),
            "STRATEGY_FAILED: strategy=x. Mend x.py.",
        ),
        (
            ConfigurationError("STRATEGY_UNKNOWN", "Set the template's Strategy to a name."),
            "STRATEGY_UNKNOWN: Set the template's ShadowStrategy to a name.",
        ),
        (
            ConfigurationError("WRONG", "Mend the template's StrategyParameters."),
            "WRONG: Mend the template's ShadowStrategyParameters.",
        ),
        (ZeroDivisionError("by zero"), "ZeroDivisionError: by zero"),
    ],
)
def test_an_error_is_told_of_the_shadow_and_not_of_the_run(error: Exception, words: str) -> None:
    assert said(error) == words


def test_an_error_is_told_in_bounded_words() -> None:
    assert len(said(DeskError("LONG", "x" * 10_000))) == MAX_ERROR_CHARACTERS


def test_a_decision_by_another_strategy_on_the_way_names_no_live_desk() -> None:
    """Were the ids not taken away, they would still be another desk's."""
    bell = Bell(run(), replace(settings(), strategy="same"), snapshot(), WEIGHTS)
    live = decide(bell.run, bell.settings, bell.snapshot, features(), FixedWeights(WEIGHTS))
    assert not {*ids_in(live)} & {*all_texts(shadow_of(bell))}
