"""A strategy sees bars, references and the edges of the calendar, and errors say what is wrong."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from algotrader.errors import InsufficientHistoryError
from algotrader.model import Bar, FeatureValue
from algotrader.strategy import Market, SymbolFeatures

BAR = Bar(open=10.0, high=12.5, low=9.5, close=11.0, volume=1_000.0)


def view(price: str = "11.5", bar: Bar | None = BAR) -> SymbolFeatures:
    return SymbolFeatures({"fast": FeatureValue(2.0, 1.0)}, Decimal(price), bar)


def market(session: date = date(2024, 3, 4), **changes: Any) -> Market:
    return Market(session=session, as_of=date(2024, 3, 1), **{"symbols": {}, **changes})


def test_a_symbol_has_the_newest_bar_next_to_price_and_indicators() -> None:
    seen = view()
    bar = (seen.open, seen.high, seen.low, seen.close, seen.volume)
    assert bar == (10.0, 12.5, 9.5, 11.0, 1_000.0)
    assert (seen.price, seen["fast"], seen.previous["fast"]) == (Decimal("11.5"), 2.0, 1.0)


@pytest.mark.parametrize("name", ["open", "high", "low", "close", "volume"])
def test_a_view_that_a_test_built_without_a_bar_says_how_to_add_one(name: str) -> None:
    with pytest.raises(ValueError, match=r"build it with bar=Bar\("):
        getattr(view(bar=None), name)


@pytest.mark.parametrize("name", ["close", "price"])
def test_what_is_an_attribute_and_no_indicator_is_named_as_one(name: str) -> None:
    with pytest.raises(KeyError, match=f"declared: fast; .* attributes, as in .{name}"):
        view()[name]


def test_iterating_a_market_gives_the_symbols_that_the_desk_can_trade() -> None:
    seen = market(
        symbols={"AAPL": view(), "IBM": view()},
        unfit={"MSFT": "BARS_STALE: old", "QQQ": "BARS_STALE: old"},
        reference={"QQQ": None, "SPY": view()},
    )
    assert seen.universe == ("AAPL", "IBM", "MSFT")
    assert list(seen) == ["AAPL", "IBM"]
    assert [symbol for symbol, _ in seen.items()] == ["AAPL", "IBM"]
    assert len(seen) == 2
    assert "IBM" in seen
    assert not {"MSFT", "SPY"} & {*seen}
    assert ("MSFT" in seen, "SPY" in seen) == (False, False)


def test_a_reference_is_read_like_a_symbol_even_without_indicators() -> None:
    spy = SymbolFeatures({}, Decimal(500), BAR)
    assert market(reference={"SPY": spy})["SPY"] is spy


def test_an_unfit_reference_says_why_it_cannot_be_read() -> None:
    seen = market(unfit={"SPY": "BARS_STALE: newest bar 2024-02-28"}, reference={"SPY": None})
    with pytest.raises(KeyError, match=r"SPY is unfit .*BARS_STALE.* not in market.unfit"):
        seen["SPY"]


def test_a_market_names_both_places_for_a_symbol_that_it_does_not_have() -> None:
    with pytest.raises(KeyError, match=r"SPY is not in the template's Symbols; .* reference"):
        market()["SPY"]


# Good Friday ended March 2024 a day early; New Year's Day 2025 was a Wednesday.
@pytest.mark.parametrize(
    ("before", "session", "after", "firsts", "lasts"),
    [
        ("2024-03-01", "2024-03-04", "2024-03-05", "week", ""),
        ("2024-03-27", "2024-03-28", "2024-04-01", "", "week month quarter"),
        ("2024-03-28", "2024-04-01", "2024-04-02", "week month quarter", ""),
        ("2024-04-29", "2024-04-30", "2024-05-01", "", "month"),
        ("2024-04-30", "2024-05-01", "2024-05-02", "month", ""),
        ("2024-12-30", "2024-12-31", "2025-01-02", "", "month quarter"),
        ("2024-12-31", "2025-01-02", "2025-01-03", "month quarter", ""),
        ("2025-01-02", "2025-01-03", "2025-01-06", "", "week"),
        ("2001-09-10", "2001-09-17", "2001-09-18", "week", ""),
        ("2023-05-12", "2024-05-13", "2025-05-14", "week month quarter", "week month quarter"),
    ],
)
def test_the_edges_of_a_period_follow_from_the_sessions_next_to_this_one(
    before: str, session: str, after: str, firsts: str, lasts: str
) -> None:
    seen = market(
        date.fromisoformat(session),
        previous_session=date.fromisoformat(before),
        next_session=date.fromisoformat(after),
    )
    periods = ("week", "month", "quarter")
    assert [each for each in periods if seen.is_first_session_of(each)] == firsts.split()
    assert [each for each in periods if seen.is_last_session_of(each)] == lasts.split()


@pytest.mark.parametrize(("ask", "side"), [("first", "before"), ("last", "after")])
def test_a_calendar_that_ends_here_is_an_error_and_never_a_guess(ask: str, side: str) -> None:
    seen = market()
    method = seen.is_first_session_of if ask == "first" else seen.is_last_session_of
    with pytest.raises(InsufficientHistoryError, match=f"CALENDAR_TOO_SHORT.*no session {side}"):
        method("month")


def test_a_period_that_does_not_exist_is_named_with_the_nearest_one() -> None:
    unknown: Any = "months"
    with pytest.raises(ValueError, match=r"'months' .*did you mean month\?; known: week, month"):
        market().is_first_session_of(unknown)
