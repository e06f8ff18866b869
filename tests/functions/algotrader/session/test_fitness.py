"""A symbol fails alone. The run fails only if the feed is late, or if nothing is left to trade."""

from __future__ import annotations

import math
import re
from array import array
from contextlib import nullcontext
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from algotrader.errors import (
    ConfigurationError,
    DeskError,
    InsufficientHistoryError,
    StaleBarsError,
    StrategyError,
)
from algotrader.model import Asset, Bars, CorporateAction, FeatureValue, Session, Unfit
from algotrader.session.bar_checks import BarRequirements, check_bars
from algotrader.session.fitness import (
    _ADVICE,
    check_assets,
    check_features,
    check_feed,
    check_names,
    require_fit,
)
from tests.support.checkout import CHECKOUT
from tests.support.desk_world import UNIVERSE, features

DAYS = tuple(date(2026, 1, 1) + timedelta(days=n) for n in range(20))
COMPLETED = tuple(
    Session(day, opened := datetime(day.year, 1, day.day, 14, 30, tzinfo=UTC), opened)
    for day in DAYS
)
DEMAND = BarRequirements(bars=10, max_age_sessions=1, max_missing=0)


def bars(*days: date) -> Bars:
    at = tuple(each.open for each in COMPLETED if each.date in days)
    flat = array("d", [100.0] * len(at))
    return Bars("1Day", at, flat, flat, flat, flat, flat)


FIT, HALTED, LONG_HALTED = bars(*DAYS), bars(*DAYS[:-1]), bars(*DAYS[:-3])
YOUNG, NEWEST_GAP = bars(*DAYS[-4:]), bars(*DAYS[:-2], DAYS[-1])
OLD_GAP = bars(*DAYS[:-8], *DAYS[-7:])


def check(
    found: list[Bars],
    demand: BarRequirements = DEMAND,
    share: str = "0.1",
    held: tuple[str, ...] = (),
) -> None:
    named = {f"S{n:03}": each for n, each in enumerate(found)}
    checked = check_bars(named, named, COMPLETED, demand)
    check_feed(
        checked.fit,
        checked.unfit,
        named,
        COMPLETED,
        demand,
        held=held,
        max_share=Decimal(share),
    )


@pytest.mark.parametrize(
    "found",
    [
        [*[FIT] * 4, HALTED],  # a fifth, but only one
        [*[FIT] * 18, *[HALTED] * 2],  # two, but only a tenth
        [FIT, LONG_HALTED, LONG_HALTED, LONG_HALTED],  # they did not trade the session before
        [FIT, YOUNG, YOUNG, YOUNG],
        [FIT, OLD_GAP, OLD_GAP],
        [FIT, HALTED, YOUNG],
        [FIT, bars(), bars()],  # never listed, as far as anybody knows
    ],
)
def test_a_run_goes_on_without_symbols_that_fail_by_themselves(found: list[Bars]) -> None:
    check(found)


@pytest.mark.parametrize(
    ("found", "late"),
    [
        ([*[FIT] * 3, *[HALTED] * 2], "2 of 5"),
        ([*[FIT] * 17, *[HALTED] * 2], "2 of 19"),
        ([*[FIT] * 3, HALTED, NEWEST_GAP], "2 of 5"),
        ([HALTED], "1 of 1"),  # a universe of one
        ([HALTED, YOUNG], "1 of 1"),  # no symbol has a usable bar of the newest session
        ([HALTED] * 5, "5 of 5"),
        ([FIT, LONG_HALTED, HALTED, HALTED], "2 of 3"),
    ],
)
def test_a_run_fails_if_the_feed_is_late_for_too_many(found: list[Bars], late: str) -> None:
    with pytest.raises(StaleBarsError, match=f"BARS_STALE: late={late} expected=2026-01-20"):
        check(found)


def test_the_template_sets_the_share() -> None:
    check([FIT, FIT, HALTED, HALTED], share="0.5")
    with pytest.raises(StaleBarsError):
        check([FIT, FIT, HALTED, HALTED], share="0.49")


def test_with_older_bars_allowed_a_symbol_is_late_one_session_later() -> None:
    demand = replace(DEMAND, max_age_sessions=2)
    check([FIT, HALTED, HALTED], demand)
    with pytest.raises(StaleBarsError, match="late=2 of 3"):
        check([FIT, *[bars(*DAYS[:-2])] * 2], demand)


def test_a_gap_that_the_template_tolerates_still_shows_a_late_feed() -> None:
    demand = replace(DEMAND, max_missing=2)
    check([NEWEST_GAP], demand)
    check([*[FIT] * 3, NEWEST_GAP], demand)
    check([OLD_GAP] * 5, demand)
    with pytest.raises(StaleBarsError, match=r"late=2 of 5 .*S003 \(no bar on 2026-01-19\)"):
        check([*[FIT] * 3, *[NEWEST_GAP] * 2], demand)


def test_a_gap_before_the_bars_that_the_strategy_needs_says_nothing_about_the_feed() -> None:
    check([FIT, *[bars(*DAYS[:-4], *DAYS[-3:])] * 4], replace(DEMAND, bars=3, max_missing=2))


def test_a_holding_without_any_bar_counts_as_late() -> None:
    found = [FIT, FIT, bars(), bars()]
    check(found, held=("S002",))
    with pytest.raises(StaleBarsError, match="late=2 of 4"):
        check(found, held=("S002", "S003"))


@given(fit=st.integers(1, 40), halted=st.integers(0, 10), young=st.integers(0, 10))
def test_the_feed_is_late_beyond_a_tenth_and_one_symbol(fit: int, halted: int, young: int) -> None:
    is_late = halted >= 2 and halted * 10 > fit + halted
    expected = pytest.raises(StaleBarsError) if is_late else nullcontext()
    with expected:
        check([*[FIT] * fit, *[HALTED] * halted, *[YOUNG] * young])


def test_at_most_ten_symbols_are_named() -> None:
    with pytest.raises(StaleBarsError, match=r"S009 \([^)]*\) and 3 more\."):
        check([HALTED] * 13)


def test_an_asset_that_is_unknown_or_barred_is_unfit() -> None:
    assets = {"A": Asset("A", True, True), "B": Asset("B", False, True)}  # noqa: FBT003
    assert check_assets(["C", "B", "A"], assets) == {
        "B": Unfit("SYMBOL_NOT_TRADABLE", "the broker does not let you trade it"),
        "C": Unfit("SYMBOL_UNKNOWN", "the broker does not list it"),
    }


def action(kind: str, symbol: str, becomes: str | None, day: date = DAYS[-1]) -> CorporateAction:
    return CorporateAction(symbol, kind, day, None, (), becomes=becomes)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (
            action("name_change", "FB", "META", date(2022, 6, 9)),
            Unfit("SYMBOL_RENAMED", "FB is META since 2022-06-09: change Symbols"),
        ),
        (
            action("stock_merger", "FB", "EXR"),
            Unfit(
                "SYMBOL_NOT_TRADABLE",
                "stock merger on 2026-01-20 with EXR: remove it from Symbols",
            ),
        ),
        (
            action("cash_merger", "FB", ""),
            Unfit("SYMBOL_NOT_TRADABLE", "cash merger on 2026-01-20: remove it from Symbols"),
        ),
    ],
)
def test_a_symbol_that_ended_is_named_with_its_event_and_the_remedy(
    event: CorporateAction, expected: Unfit
) -> None:
    assert check_names(["FB"], [event], {}) == {"FB": expected}


def test_an_event_that_ends_no_symbol_changes_nothing() -> None:
    events = [
        action("spin_off", "FB", None),
        action("name_change", "XX", "YY"),  # not in Symbols
        action("name_change", "META", None),  # the new name of FB
    ]
    assert check_names(["FB", "META"], events, {}) == {}


def test_a_symbol_that_trades_after_its_rename_belongs_to_another_company() -> None:
    renamed = action("name_change", "FB", "META", DAYS[-2])
    assert check_names(["FB"], [renamed], {"FB": bars(*DAYS[:-1])}).keys() == {"FB"}
    assert check_names(["FB"], [renamed], {"FB": bars(*DAYS)}) == {}


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("field", ["last", "previous"])
def test_a_symbol_with_a_feature_that_is_not_a_number_is_unfit(value: float, field: str) -> None:
    reported = features()
    reported.values["IBM"]["fast"] = replace(FeatureValue(1.0, 1.0), **{field: value})
    missing = Unfit("FEATURES_MISSING", "it has no usable indicators")
    assert check_features(UNIVERSE, reported) == {"IBM": missing}


def test_a_symbol_without_features_is_unfit_for_the_reason_that_the_step_gave() -> None:
    undefined = Unfit("INDICATOR_UNDEFINED", "rsi is 0/0")
    reported = replace(features("AAPL", "IBM"), unfit={"GOOG": undefined})
    assert check_features(UNIVERSE, reported) == {
        "GOOG": undefined,
        "MSFT": Unfit("FEATURES_MISSING", "it has no usable indicators"),
    }


def test_symbols_of_a_strategy_that_needs_no_indicators_are_fit() -> None:
    assert check_features(("IBM",), replace(features(), values={"IBM": {}})) == {}


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("SYMBOL_UNKNOWN", ConfigurationError),
        ("SYMBOL_NOT_TRADABLE", ConfigurationError),
        ("SYMBOL_RENAMED", ConfigurationError),
        ("BARS_ABSENT", InsufficientHistoryError),
        ("BARS_STALE", StaleBarsError),
        ("BARS_NOT_NUMBERS", InsufficientHistoryError),
        ("BARS_MISSING", InsufficientHistoryError),
        ("BARS_TOO_FEW", InsufficientHistoryError),
        ("INDICATOR_UNDEFINED", InsufficientHistoryError),
        ("STRATEGY_FEATURES_INVALID", StrategyError),
        ("FEATURES_MISSING", InsufficientHistoryError),
    ],
)
def test_a_run_fails_without_any_fit_symbol_or_if_the_template_says_stop(
    code: str, kind: type[DeskError]
) -> None:
    unfit = {"B": Unfit(code, "why")}
    require_fit(["A", "B"], unfit, stops=False)
    require_fit(["A", "B"], {}, stops=True)
    for symbols, stops in ((["B"], False), (["A", "B"], True)):
        with pytest.raises(kind, match=rf"{code}: symbols=B \(why\)\. [A-Z]"):
            require_fit(symbols, unfit, stops=stops)


def test_every_reason_to_be_unfit_has_an_advice() -> None:
    named = re.compile(r"(?<!class )Unfit\(\s*\"?([A-Z_]+)")
    texts = (path.read_text("utf-8") for path in (CHECKOUT / "functions").rglob("*.py"))
    codes = {code for text in texts for code in named.findall(text)}
    assert {"BARS_STALE", "INDICATOR_UNDEFINED", "STRATEGY_FEATURES_INVALID"} <= codes
    assert codes == set(_ADVICE)


def test_the_first_code_in_the_order_of_the_checks_names_the_error() -> None:
    unfit = {"A": Unfit("BARS_TOO_FEW", "1 of 9"), "B": Unfit("SYMBOL_UNKNOWN", "unknown")}
    with pytest.raises(ConfigurationError, match=r"UNKNOWN: symbols=A \(1 of 9\), B \(unknown\)"):
        require_fit(["A", "B"], unfit, stops=False)
