import pytest

from algotrader.messages import make_texts
from tests.support.finished_runs import (
    DRY_RUN,
    failed,
    order,
    submission,
)

KEYS = "KEYS_REFUSED: status=401. Put the right keys into the parameter that the template names."


def test_a_failure_leads_with_failed_its_error_and_says_what_to_do():
    reported = make_texts(failed("Fetch Bars", "BrokerAuthError", KEYS, run=None, settings=None))
    assert reported.sms == (
        "FAILED algo-trader: BrokerAuthError KEYS_REFUSED. No order sent. status=401. "
        "Put the right keys into the parameter that the template names."
    )
    assert reported.subject == "FAILED algo-trader: BrokerAuthError KEYS_REFUSED"
    assert "FAILED algo-trader: BrokerAuthError in Fetch Bars." in reported.email
    assert f"WHAT BROKE\n  {KEYS}" in reported.email
    assert "WHAT TO DO\n  Put the right keys into" in reported.email
    assert "An earlier execution of the same run may have sent orders." in reported.email


def test_a_long_failure_keeps_facts_and_advice_cut_between_words():
    advice = "Check the feed of this symbol, or take it out of the template's Symbols parameter."
    facts = "symbols=AAPL, GOOG, IBM, MSFT newest=2013-02-20 allowed=2013-02-27"
    reported = make_texts(
        failed("Compute Indicators", "StaleBarsError", f"BARS_STALE: {facts}. {advice}")
    )
    assert reported.sms == (
        "FAILED algo-trader PAPER 2013-02-28: StaleBarsError BARS_STALE. No order sent. "
        "symbols=AAPL, GOOG, IBM, MSFT... Check the feed of this symbol, or take it out..."
    )


@pytest.mark.parametrize(
    ("state", "changes", "words"),
    [
        ("Any Orders?", {}, "No order sent"),
        ("Submit Orders", {"run": DRY_RUN}, "No order sent"),
        ("Notify", {}, "No order sent"),
        ("Notify", {"submitted": True}, "Orders may be out, check the broker"),
        ("Submit Orders", {}, "Orders may be out, check the broker"),
        ("Orders Complete?", {}, "Orders may be out, check the broker"),
        ("a state of next year", {}, "Orders may be out, check the broker"),
        (
            "Submit Orders",
            {"submission": submission(order("AAPL", "5"), order("IBM", "0", "5", status="new"))},
            "At least 2 orders sent, 1 filled, check the broker",
        ),
        ("Submit Orders", {"submission": submission()}, "Orders may be out, check the broker"),
        ("Notify", {"submission": submission(order("AAPL", "5"))}, "1 order sent, 1 filled"),
        ("Notify", {"submission": submission()}, "No order sent"),
    ],
)
def test_a_failure_says_only_what_is_certain_about_orders(state, changes, words):
    changes = {"submitted": "submission" in changes, **changes}
    reported = make_texts(failed(state, "States.Timeout", "It timed out", **changes))
    assert f": States.Timeout. {words}. " in reported.sms
    assert f"  {words}.\n" in reported.email


def test_a_failure_says_what_the_report_could_not_do():
    reported = make_texts(failed("Submit Orders", "X", "", notes=("journal not written",)))
    assert "check the broker. journal not written." in reported.sms
    assert "WARNINGS\n  journal not written" in reported.email
