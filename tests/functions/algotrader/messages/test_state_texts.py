from decimal import Decimal

import pytest
from msgspec.structs import replace

from algotrader.messages import make_texts
from algotrader.model import (
    Side,
    TradingState,
)
from tests.support.finished_runs import (
    DRY_RUN,
    LIVE,
    RUN,
    SNAPSHOT,
    decision,
    denied,
    intent,
    run_report,
    sell,
    sms,
    submission,
)


def test_a_halted_desk_says_so_once_what_it_would_do_and_its_equity():
    halted = replace(SNAPSHOT, trading_state=TradingState.HALTED, trading_state_reason="holiday")
    waits = (denied("AAPL", "TRADING_HALTED"), denied("IBM", "TRADING_HALTED"))
    many = tuple(denied(f"SYMBOL{n}", "TRADING_HALTED") for n in range(40))
    for refused in (waits, many):
        reported = make_texts(run_report(snapshot=halted, decision=decision(denied=refused)))
        assert ": HALTED" in reported.sms
        assert reported.sms.count("HALTED") == 1
        assert "denied" not in reported.sms
        assert reported.sms.endswith("since Feb 15 +4.2%. Equity $100,000")
    text = sms(snapshot=halted, decision=decision(denied=waits))
    assert ": HALTED (holiday), would buy 900 AAPL, 900 IBM, holds nothing. " in text
    idle = make_texts(run_report(snapshot=halted))
    assert ": HALTED (holiday), would trade nothing, holds nothing. " in idle.sms
    assert idle.subject == "algo-trader PAPER 2013-02-28: HALTED"


def test_a_live_run_says_so():
    assert sms(run=LIVE).startswith("algo-trader LIVE 2013-02-28: ")


def test_one_of_several_slots_is_named():
    assert sms(run=replace(RUN, slot="1030")).startswith("algo-trader PAPER 2013-02-28 1030: ")


@pytest.mark.parametrize("run", [DRY_RUN, replace(LIVE, sends_orders=False)])
def test_a_dry_run_says_so_and_what_it_would_send(run):
    reported = make_texts(run_report(run=run, decision=decision(intent("AAPL", "56"))))
    assert reported.sms.startswith(
        "algo-trader DRY RUN 2013-02-28: would buy 56 AAPL, holds nothing. "
    )
    assert reported.subject == "algo-trader DRY RUN 2013-02-28: 1 order would be sent"
    assert "a dry run: no order was sent" in reported.email
    assert "WOULD BE SENT\n  buy 56 AAPL, limit at 100.2 at most, entry" in reported.email


def test_a_dry_run_reports_exits_first():
    exits = (intent("MSFT", "10", Side.SELL),)
    reported = sms(run=DRY_RUN, decision=decision(intent("AAPL", "56"), exits=exits))
    assert ": would sell 10 MSFT, would buy 56 AAPL, holds nothing. " in reported


def test_no_orders_within_the_band_say_so():
    weights = {"AAPL": Decimal("0.25")}
    assert ": no orders: all within band, holds nothing. " in sms(
        decision=decision(target_weights=weights)
    )


def test_no_orders_because_the_strategy_wants_cash_say_so():
    weights = {"AAPL": Decimal(0)}
    assert ": no orders: the strategy wants cash" in sms(decision=decision(target_weights=weights))


def test_no_orders_because_all_were_denied_name_the_common_code():
    reported = sms(
        decision=decision(denied=(denied("AAPL", "PRICE_STALE"), denied("IBM", "PRICE_STALE")))
    )
    assert ": no orders: all denied, PRICE_STALE, holds nothing. 2 denied (AAPL IBM). " in reported


def test_no_orders_because_all_were_denied_for_several_reasons_say_so():
    reported = sms(
        decision=decision(denied=(denied("AAPL", "PRICE_STALE"), denied("IBM", "NO_PRICE")))
    )
    assert ": no orders: all denied, holds nothing. 2 denied (AAPL IBM). " in reported


def test_a_halted_desk_says_so_with_its_reason():
    halted = replace(
        SNAPSHOT, trading_state=TradingState.HALTED, trading_state_reason="earnings week"
    )
    reported = sms(snapshot=halted, decision=decision(denied=(denied("AAPL", "TRADING_HALTED"),)))
    assert ": HALTED (earnings week), would buy 900 AAPL, holds nothing. Last session" in reported
    assert reported.count("HALTED") == 1
    assert "Equity" in reported


def test_a_take_over_that_sent_nothing_more_says_why():
    ended = replace(RUN, ended_because="a deploy changed MaxOrderNotional")
    given = {"run": ended, "submission": submission(sell("MSFT", "10"))}
    why = "Sent nothing more (a deploy changed MaxOrderNotional)"
    assert f": sold 10 MSFT, holds nothing. {why}. " in sms(**given)
    assert ended.ended_because in make_texts(run_report(**given)).email


def test_a_reducing_desk_says_so_next_to_its_orders():
    reducing = replace(SNAPSHOT, trading_state=TradingState.REDUCING)
    reported = sms(snapshot=reducing, submission=submission(sell("MSFT", "10")))
    assert ": sold 10 MSFT, holds nothing. REDUCING. " in reported
