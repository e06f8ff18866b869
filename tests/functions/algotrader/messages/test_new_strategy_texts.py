import pytest
from msgspec.structs import replace

from algotrader.messages import make_texts
from algotrader.messages.gsm7 import SEGMENT_SEPTETS, septets
from algotrader.model import StrategyStart, TradingMode
from tests.support.desk_world import settings
from tests.support.finished_runs import RUN, SNAPSHOT, failed, order, run_report, submission

STARTED = StrategyStart("sma_cross", RUN.started_at, None, "momentum_rotation", RUN.journal)
CHANGED = replace(SNAPSHOT, started=STARTED)
BOUGHT = submission(order("AAPL", "5"))
LIVE = settings(mode=TradingMode.LIVE)
CHANGE = "Strategy is now sma_cross"
RAMP = f"{CHANGE}, live ramp starts again"
LINE = "\n  sma_cross replaces momentum_rotation and manages the desk's holdings"


def test_a_new_strategy_follows_the_orders_in_the_text_and_leads_the_email():
    reported = make_texts(run_report(snapshot=CHANGED, submission=BOUGHT, settings=settings()))
    assert f": bought 5 AAPL, holds 1. {CHANGE}. Last session" in reported.sms
    assert f"{LINE}\n" in reported.email
    assert "ramp" not in reported.sms + reported.email


def test_a_live_desk_says_that_its_ramp_starts_again():
    reported = make_texts(run_report(snapshot=CHANGED, submission=BOUGHT, settings=LIVE))
    assert RAMP in reported.sms
    assert f"{LINE}, and the live ramp starts again\n" in reported.email


def test_a_ramp_that_is_turned_off_does_not_start_again():
    off = replace(LIVE, live_ramp_days=0)
    reported = make_texts(run_report(snapshot=CHANGED, submission=BOUGHT, settings=off))
    assert CHANGE in reported.sms
    assert "ramp" not in reported.sms + reported.email


@pytest.mark.parametrize("started", [None, replace(STARTED, replaced="")])
def test_an_unchanged_strategy_is_not_mentioned(started):
    reported = make_texts(run_report(snapshot=replace(SNAPSHOT, started=started), settings=LIVE))
    assert "Strategy" not in reported.sms
    assert "replaces" not in reported.email


def test_long_names_give_way_to_the_orders():
    long = replace(STARTED, strategy="a" * 60, replaced="b" * 60)
    names = ("AAPL", "GOOG", "IBM", "MSFT")
    reported = make_texts(
        run_report(
            snapshot=replace(SNAPSHOT, started=long),
            submission=submission(*(order(each, "5") for each in names)),
            settings=LIVE,
        )
    )
    assert septets(reported.sms) <= SEGMENT_SEPTETS
    assert "bought 5 AAPL, 5 GOOG, 5 IBM, 5 MSFT. " in reported.sms
    assert "Strategy changed, live ramp starts again. " in reported.sms


def test_the_email_of_a_failed_run_says_so_too():
    broken = failed("Decide Orders", "StrategyError", "{}", snapshot=CHANGED)
    assert LINE in make_texts(broken).email
