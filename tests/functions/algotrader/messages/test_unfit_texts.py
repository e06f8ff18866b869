"""Texts count the symbols that the run could not use, and the e-mail names them."""

from msgspec.structs import replace

from algotrader.messages import make_texts
from algotrader.model import Decision, Holding, Unfit
from tests.support.finished_runs import SNAPSHOT, decision, failed, run_report

HALTED = Unfit("BARS_STALE", "newest bar 2012-06-01, 3 sessions old")
RENAMED = Unfit("SYMBOL_RENAMED", "FB is META since 2022-06-09: change Symbols")
UNFIT = {"IBM": HALTED, "FB": RENAMED}
REMARK = "2 of 5 symbols are fit and the strategy needs 4, so the run keeps everything"


def decided(**changes: object) -> Decision:
    return replace(decision(), unfit=UNFIT, **changes)


def test_the_text_counts_unfit_symbols_and_the_email_names_each_with_reason_and_age():
    reported = make_texts(run_report(decision=decided()))
    assert ". 2 unfit. " in reported.sms
    assert (
        "UNFIT SYMBOLS\n"
        "  FB: FB is META since 2022-06-09: change Symbols (SYMBOL_RENAMED)\n"
        "  IBM: newest bar 2012-06-01, 3 sessions old (BARS_STALE)\n"
    ) in reported.email


def test_a_run_without_unfit_symbols_does_not_mention_them():
    reported = make_texts(run_report(decision=decision()))
    assert "unfit" not in reported.sms
    assert "UNFIT" not in reported.email


def test_a_run_that_keeps_everything_says_so():
    reported = make_texts(run_report(decision=decided(keeps_all=True, remarks=(REMARK,))))
    assert "no orders: too few fit symbols, holds nothing. 2 unfit" in reported.sms
    assert f"(BARS_STALE)\n  {REMARK}\n" in reported.email


def test_a_run_that_wants_cash_does_not_say_that_nothing_is_left_while_an_unfit_holding_stays():
    ledger = replace(SNAPSHOT.ledger, holdings={"IBM": Holding(5, 450)})
    wants_cash = replace(decided(), target_weights={})
    reported = make_texts(
        run_report(decision=wants_cash, snapshot=replace(SNAPSHOT, ledger=ledger))
    )
    assert "the strategy wants cash, unfit holdings stay" in reported.sms
    assert "nothing to sell" not in reported.sms


def test_a_run_that_failed_before_its_decision_names_unfit_symbols_too():
    seen = replace(SNAPSHOT, unfit=UNFIT)
    reported = make_texts(failed("Compute Indicators", "StrategyError", "X: y", snapshot=seen))
    assert "  IBM: newest bar 2012-06-01, 3 sessions old (BARS_STALE)" in reported.email
