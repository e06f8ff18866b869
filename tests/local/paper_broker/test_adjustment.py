"""Adjusted bars are right on the made-up market and match the source's own adjusted close."""

from __future__ import annotations

from datetime import date

import pytest

from local.paper_broker.adjustment import factor_at, factors
from local.paper_broker.data import load
from tests.local.paper_broker.world import ACTION_DAY, HISTORY, SESSIONS, D


def adjusted(symbol: str, word: str) -> list[tuple[D, D]]:
    bars = HISTORY.bars[symbol]
    found = factors(
        bars,
        [split for split in HISTORY.splits if split.symbol == symbol],
        [paid for paid in HISTORY.dividends if paid.symbol == symbol],
        frozenset({word}),
    )
    both = [factor_at(found, bar.session) for bar in bars]
    return [(bar.close * p, bar.volume * v) for bar, (p, v) in zip(bars, both, strict=True)]


def test_raw_changes_nothing() -> None:
    assert [close for close, _ in adjusted("SPLT", "raw")] == [100] * 3 + [50] * 7


@pytest.mark.parametrize("word", ["split", "all"])
def test_a_split_divides_earlier_prices_and_multiplies_earlier_volumes(word: str) -> None:
    assert adjusted("SPLT", word) == [(50, 2000)] * 3 + [(50, 1000)] * 7


@pytest.mark.parametrize("word", ["dividend", "all"])
def test_a_dividend_scales_earlier_prices_and_no_volume(word: str) -> None:
    assert adjusted("PAYS", word) == [(49, 1000)] * 10


def test_split_adjustment_does_not_change_dividends() -> None:
    assert [close for close, _ in adjusted("PAYS", "split")] == [50] * 3 + [49] * 7


def test_the_ex_date_itself_is_not_adjusted() -> None:
    assert SESSIONS[3] == ACTION_DAY
    assert adjusted("SPLT", "all")[3] == (50, 1000)


def test_split_adjusted_prices_of_real_splits_have_no_jump() -> None:
    history = load()
    for split in history.splits:
        bars = history.bars[split.symbol]
        known = [it for it in history.splits if it.symbol == split.symbol]
        found = factors(bars, known, (), frozenset({"split"}))
        closes = {bar.session: bar.close * factor_at(found, bar.session)[0] for bar in bars}
        days = sorted(closes)
        index = days.index(split.ex_date)
        change = closes[days[index]] / closes[days[index - 1]] - 1
        assert abs(change) < D("0.1"), split


def test_fully_adjusted_microsoft_falls_by_no_more_than_the_special_dividend_explains() -> None:
    history = load()
    bars = history.bars["MSFT"]
    splits = [it for it in history.splits if it.symbol == "MSFT"]
    paid = [it for it in history.dividends if it.symbol == "MSFT"]
    found = factors(bars, splits, paid, frozenset({"all"}))
    closes = {bar.session: bar.close * factor_at(found, bar.session)[0] for bar in bars}
    raw = {bar.session: bar.close for bar in bars}
    before, after = date(2004, 11, 12), date(2004, 11, 15)
    assert raw[after] / raw[before] - 1 < D("-0.08")
    assert abs(closes[after] / closes[before] - 1) < D("0.02")
