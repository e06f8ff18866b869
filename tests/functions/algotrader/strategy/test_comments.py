"""What a strategy says reaches the decision and the messages once, short and on one line."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from algotrader.decision.decide import decide
from algotrader.errors import StrategyError
from algotrader.messages.email import trading_email
from algotrader.messages.gsm7 import SEGMENT_SEPTETS, septets
from algotrader.messages.run_report import RunReport
from algotrader.messages.sms import run_sms
from algotrader.model import Decision
from algotrader.strategy import Market, Portfolio
from tests.support.desk_world import RUN, UNIVERSE, FixedWeights, features, settings, snapshot

D = Decimal
FREE = settings(max_position_weight=D(1))
SEEN = snapshot({}, "100000")


class Talker(FixedWeights):
    """A strategy that says `words` about IBM and `notes` about the run."""

    words: tuple[Any, ...] = ("RSI 21, below 30",)
    notes: tuple[Any, ...] = ("calm market",)
    symbol = "IBM"

    def target_weights(self, market: Market, portfolio: Portfolio) -> Any:
        for each in self.words:
            self.explain(self.symbol, each)
        for each in self.notes:
            self.note(each)
        return super().target_weights(market, portfolio)


def talker(**says: Any) -> Talker:
    made = Talker({"IBM": D("0.5")})
    vars(made).update(says)
    return made


def decided(strategy: FixedWeights, **changes: Any) -> Decision:
    return decide(RUN, FREE, replace(SEEN, **changes), features(*UNIVERSE), strategy)


def report_of(decision: Decision) -> RunReport:
    return RunReport(RUN.execution_arn, run=RUN, settings=FREE, snapshot=SEEN, decision=decision)


def test_an_explanation_follows_the_desks_reason_once_although_the_run_asks_twice() -> None:
    decision = decided(talker())
    assert decision.why["IBM"].startswith("buy ")
    assert decision.why["IBM"].endswith("; strategy: RSI 21, below 30")
    assert "strategy:" not in decision.why["AAPL"]


@pytest.mark.parametrize("weight", [D(0), D("0.9")])
def test_a_symbol_that_gets_no_order_is_explained_too(weight: Decimal) -> None:
    strategy = talker(answer={"IBM": weight})
    decision = decided(strategy, prices={})
    assert decision.why["IBM"].endswith("; strategy: RSI 21, below 30")


def test_the_email_has_explanation_and_note_and_the_text_the_note() -> None:
    report = report_of(decided(talker()))
    email = trading_email(report)
    assert "\n  the strategy notes: calm market\n" in email
    assert "; strategy: RSI 21, below 30\n" in email
    assert ". calm market." in run_sms(report)
    assert "strategy notes" not in trading_email(report_of(decided(talker(notes=()))))


def test_words_of_both_methods_are_joined() -> None:
    class Both(Talker):
        def stop_prices(self, market: Market, portfolio: Portfolio) -> Any:
            self.explain("IBM", "stop at 80")
            self.note("one stop")
            return super().stop_prices(market, portfolio)

    decision = decided(Both({"IBM": D("0.5")}))
    assert decision.why["IBM"].endswith("; strategy: RSI 21, below 30; stop at 80")
    assert decision.note == "calm market; one stop"


def test_the_same_words_twice_are_said_once_and_empty_words_not_at_all() -> None:
    decision = decided(talker(words=("a", "b", "a", " "), notes=("", "n", "n")))
    assert decision.why["IBM"].endswith("; strategy: a; b")
    assert decision.note == "n"


def test_words_are_one_line_of_at_most_200_visible_characters() -> None:
    decision = decided(talker(words=("x\ny\u202e\0z", "w" * 300), notes=("n" * 150, "m" * 150)))
    said = decision.why["IBM"].partition("; strategy: ")[2]
    assert said.startswith("x y z; www")
    assert said.endswith("w...")
    assert (len(said), len(decision.note)) == (200, 200)
    assert decision.note.endswith("m...")


def test_a_long_note_is_cut_in_the_text_and_never_makes_a_second_segment() -> None:
    report = report_of(decided(talker(notes=("caf\u00e9 \u2192 {deep} " * 20,))))
    text = run_sms(report)
    assert septets(text) <= SEGMENT_SEPTETS
    assert "caf\u00e9 -> {deep}" in text
    assert "..." in text


def test_an_explanation_of_another_symbol_is_refused_with_the_line() -> None:
    with pytest.raises(StrategyError, match=r"STRATEGY_FAILED.*'SPY', which is not in the .*note"):
        decided(talker(symbol="SPY"))


@pytest.mark.parametrize("says", [{"words": (3.5,)}, {"notes": (D(1),)}])
def test_words_that_are_not_a_string_are_refused_with_their_type(says: dict[str, Any]) -> None:
    with pytest.raises(StrategyError, match=r"takes words as a string, not (float|Decimal)"):
        decided(talker(**says))


@pytest.mark.parametrize(("method", "field"), [("explain", "words"), ("note", "notes")])
def test_a_strategy_that_says_something_else_the_second_time_is_refused(
    method: str, field: str
) -> None:
    class Moody(Talker):
        def target_weights(self, market: Market, portfolio: Portfolio) -> Any:
            vars(self)[field] = (f"call {len(self.shown)}",)
            return super().target_weights(market, portfolio)

    with pytest.raises(StrategyError, match=rf"STRATEGY_NOT_REPEATABLE: method={method}\(\) in"):
        decided(Moody({}))


def test_a_strategy_that_is_kept_does_not_repeat_what_it_said_in_another_run() -> None:
    strategy = talker()
    assert decided(strategy).why == decided(strategy).why


def test_a_test_reads_what_a_strategy_said() -> None:
    strategy = talker()
    strategy.target_weights(Market(RUN.session, RUN.session, {}), Portfolio(D(1), {}, {}))
    assert strategy.comments.explanations == {"IBM": "RSI 21, below 30"}
    assert strategy.comments.note == "calm market"
