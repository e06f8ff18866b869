from msgspec.structs import replace

from algotrader.messages import make_texts, read_failure
from algotrader.model import TradingState
from tests.support.finished_runs import RUN, SNAPSHOT, decision, run_report, sell, sms, submission

FLAT = replace(RUN, run_id="2013-02-28-f1542", slot="f1542")


def test_text_and_subject_name_a_flatten() -> None:
    reported = make_texts(
        run_report(
            run=FLAT,
            decision=decision(),
            submission=submission(sell("IBM", "5"), sell("MSFT", "10")),
            snapshot=replace(
                SNAPSHOT,
                trading_state=TradingState.REDUCING,
                trading_state_reason="flatten: bad news",
            ),
        )
    )

    begin = "algo-trader PAPER FLATTEN 2013-02-28 1542: sold 5 IBM, 10 MSFT, holds nothing. REDUC"
    assert reported.sms.startswith(begin)
    assert reported.subject == "algo-trader PAPER FLATTEN 2013-02-28 1542: 2 orders filled"
    assert "run 2013-02-28-f1542" in reported.email


def test_a_flatten_of_an_active_desk_warns_that_it_may_buy_again() -> None:
    reported = sms(run=FLAT, decision=decision())

    assert ": no orders, holds nothing. ACTIVE: the next run may buy again." in reported


def test_a_failed_flatten_asks_for_a_repeat() -> None:
    reported = make_texts(run_report(run=FLAT, failure=read_failure("Submit Orders", "Boom", "x")))

    assert reported.subject.startswith("FAILED algo-trader PAPER FLATTEN 2013-02-28 1542: Boom")
    assert "flatten again to sell what the desk still holds" in reported.email
    assert "takes this run over" not in reported.email
