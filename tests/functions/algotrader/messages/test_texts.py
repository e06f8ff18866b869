from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algotrader.messages import make_texts, read_failure
from algotrader.messages.gsm7 import septets, to_gsm7
from algotrader.model import (
    Holding,
    Leg,
    OrderRejected,
    Performance,
    Return,
    Returns,
    Side,
    SymbolProfit,
    TradingState,
)
from tests.support.finished_runs import (
    DRY_RUN,
    LIVE,
    PERFORMANCE,
    REPORT,
    RUN,
    SNAPSHOT,
    decision,
    denied,
    failed,
    intent,
    order,
    order_id,
    run_report,
    sell,
    sms,
    submission,
)


def test_a_text_leads_with_the_orders_then_names_both_returns_and_the_equity():
    assert sms(
        submission=submission(order("AAPL", "56"), order("GOOG", "31"), order("IBM", "124"))
    ) == (
        "algo-trader PAPER 2013-02-28: bought 56 AAPL, 31 GOOG, 124 IBM, holds 3. "
        "Last session +0.1%, since Feb 15 +4.2%. Equity $100,000"
    )


def test_sells_come_before_buys_and_a_part_says_of_how_many():
    reported = sms(submission=submission(order("AAPL", "5", "56"), sell("MSFT", "10")))
    assert ": sold 10 MSFT, bought 5 of 56 AAPL, holds 1. " in reported


def test_an_order_that_was_cut_since_the_decision_says_of_how_many():
    """Shares or cash were missing when the order was due."""
    cut = submission(order("AAPL", "5"))
    assert ": bought 5 of 56 AAPL, cash short, holds 1. " in sms(
        decision=decision(intent("AAPL", "56")), submission=cut
    )


def test_what_comes_in_during_a_run_is_not_profit():
    later = replace(SNAPSHOT.account, equity=SNAPSHOT.account.equity + 500)
    placed = submission(order("AAPL", "5"), account=later)
    plain = replace(SNAPSHOT, performance=None)
    reported = make_texts(run_report(snapshot=plain, submission=placed))
    assert "Account -$20 since close. Equity $100,500" in reported.sms
    assert "since its close: -$20.10, without deposits" in reported.email


def returns_of(**changes):
    measured = replace(PERFORMANCE, returns=replace(PERFORMANCE.returns, **changes))
    return replace(SNAPSHOT, performance=measured)


def test_a_last_session_that_no_run_measured_is_unknown():
    reported = sms(snapshot=returns_of(last=None))
    assert ". Last session unknown, since Feb 15 +4.2%. Equity" in reported


def test_a_desk_in_its_first_session_has_no_last_one_and_says_since_when_it_counts():
    first = returns_of(last=None, first_session=RUN.session)
    assert ", holds nothing. Since Feb 28 +4.2%. Equity $100,000" in sms(snapshot=first)


def test_a_first_session_of_another_year_has_its_year():
    reported = sms(snapshot=returns_of(first_session=date(2011, 2, 15)))
    assert "since Feb 15 2011 +4.2%" in reported


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


HOLDS_MSFT = replace(
    SNAPSHOT, ledger=replace(SNAPSHOT.ledger, holdings={"MSFT": Holding(Decimal(97), Decimal(1))})
)


def test_a_holding_that_finds_no_cash_for_more_is_kept_and_not_denied():
    poor = replace(denied("MSFT", "INSUFFICIENT_CASH"), qty=Decimal(22))
    reported = make_texts(run_report(snapshot=HOLDS_MSFT, decision=decision(denied=(poor,))))
    assert ": no orders, kept 97 of 119 MSFT, no cash, holds 1. Last session" in reported.sms
    assert "denied" not in reported.sms + reported.subject
    assert "DENIED BY THE DESK\n  buy 22 MSFT: INSUFFICIENT_CASH" in reported.email
    other = replace(poor, symbol="IBM")
    assert "1 denied (IBM)" in sms(snapshot=HOLDS_MSFT, decision=decision(denied=(other,)))


def test_a_buy_that_was_cut_says_why():
    """The sells' cash counts at the decision, and the run waits for it only so long."""
    exits = (intent("AAPL", "10", Side.SELL),)
    wanted = decision(intent("MSFT", "119"), exits=exits)
    cut = order("MSFT", "97")
    settled = sms(decision=wanted, submission=submission(sell("AAPL", "10"), cut))
    assert ": sold 10 AAPL, bought 97 of 119 MSFT, cash unsettled, holds 1. " in settled
    unsold = sms(decision=wanted, submission=submission(sell("AAPL", "4", "10"), cut))
    assert ": sold 4 of 10 AAPL, bought 97 of 119 MSFT, sells unfilled, holds 1. " in unsold
    whole = sms(decision=wanted, submission=submission(sell("AAPL", "10"), order("MSFT", "119")))
    assert "cash" not in whole


@pytest.mark.parametrize(("free", "why"), [("500", "cash unsettled"), ("1000", "cash short")])
def test_a_buy_that_the_decision_cut_to_the_cash_says_why(free, why):
    account = replace(SNAPSHOT.account, non_marginable_buying_power=Decimal(free))
    reported = sms(
        snapshot=replace(SNAPSHOT, account=account),
        decision=decision(intent("MSFT", "97"), cut_to_cash={"MSFT": Decimal(119)}),
        submission=submission(order("MSFT", "97")),
    )
    assert f": bought 97 of 119 MSFT, {why}, holds 1. " in reported


def test_cash_that_an_open_buy_reserves_is_short_and_not_unsettled():
    account = replace(SNAPSHOT.account, non_marginable_buying_power=Decimal(500))
    users = replace(order("GOOG", "0", "5", status="new"), client_order_id="by-hand")
    reported = sms(
        snapshot=replace(SNAPSHOT, account=account, foreign_open_orders=(users,)),
        decision=decision(intent("MSFT", "97"), cut_to_cash={"MSFT": Decimal(119)}),
        submission=submission(order("MSFT", "97")),
    )
    assert ": bought 97 of 119 MSFT, cash short, holds 1. " in reported


def test_trouble_is_counted_and_named():
    reported = sms(
        decision=decision(denied=(denied("MSFT"),)),
        submission=submission(
            order("AAPL", "0", "5"),
            order("GOOG", "0", "5", status="new"),
            rejected=(OrderRejected(order_id("IBM"), "IBM", "40310000", "insufficient"),),
            unsettled=(order_id("GOOG"),),
        ),
    )
    found = "no fills. 1 unsettled (GOOG new), 1 rejected (IBM), 1 unfilled (AAPL), 1 denied"
    assert f"{found} (MSFT)." in reported


def test_an_order_that_hangs_is_named_with_its_status():
    stop = replace(
        order("IBM", "0", "5", status="held"),
        client_order_id=order_id("IBM", Leg.STOP),
        side=Side.SELL,
    )
    placed = submission(
        order("AAPL", "0", "5", status="pending_cancel"),
        stop,
        unsettled=(order_id("AAPL"), stop.client_order_id, order_id("GOOG")),
    )
    assert "3 unsettled (AAPL pending_cancel, IBM stop held, GOOG not shown)" in sms(
        submission=placed
    )
    seen = make_texts(run_report(submission=placed)).email
    assert f"UNSETTLED\n  AAPL pending_cancel, {order_id('AAPL')}\n  IBM stop held, " in seen


def test_an_order_that_somebody_changed_is_named_so_and_its_part_counts():
    reported = sms(submission=submission(order("AAPL", "5", "56", status="replaced")))
    assert ": bought 5 of 56 AAPL, holds 1. 1 replaced (AAPL). " in reported
    untouched = sms(submission=submission(order("AAPL", "0", "56", status="replaced")))
    assert "no fills, holds nothing. 1 replaced (AAPL). " in untouched
    assert "unfilled" not in untouched


def test_an_order_rejected_at_once_and_shown_as_rejected_counts_once():
    reported = sms(
        submission=submission(
            order("IBM", "0", "5", status="rejected"),
            rejected=(OrderRejected(order_id("IBM"), "IBM", "40310000", "insufficient"),),
        )
    )
    assert "1 rejected (IBM)" in reported
    assert "unfilled" not in reported


def test_a_denial_before_and_after_the_decision_is_reported_once():
    reported = sms(
        decision=decision(denied=(denied("MSFT"),)),
        submission=submission(order("AAPL", "5"), denied=(denied("MSFT"), denied("IBM"))),
    )
    assert "2 denied (MSFT IBM)" in reported


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


def test_no_orders_for_cash_say_so():
    weights = {"AAPL": Decimal(0)}
    assert ": no orders: the strategy wants cash" in sms(decision=decision(target_weights=weights))


def test_no_orders_since_all_were_denied_name_their_one_code():
    reported = sms(
        decision=decision(denied=(denied("AAPL", "PRICE_STALE"), denied("IBM", "PRICE_STALE")))
    )
    assert ": no orders: all denied, PRICE_STALE, holds nothing. 2 denied (AAPL IBM). " in reported


def test_no_orders_since_all_were_denied_for_several_reasons_say_so():
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


def test_equity_goes_first_when_a_text_is_too_long_then_names_of_trouble():
    many = [f"SYM{n}" for n in range(8)]
    some = sms(
        decision=decision(denied=tuple(map(denied, many))),
        submission=submission(order("SYM0", "7000")),
    )
    assert some == (
        f"algo-trader PAPER 2013-02-28: bought 7000 SYM0, holds 1. 8 denied ({' '.join(many)}). "
        "Last session +0.1%, since Feb 15 +4.2%"
    )
    reported = sms(
        decision=decision(denied=tuple(map(denied, many))),
        submission=submission(*(order(symbol, "7000") for symbol in many[:4])),
    )
    assert reported == (
        "algo-trader PAPER 2013-02-28: bought 7000 SYM0, 7000 SYM1, 7000 SYM2, 7000 SYM3. "
        "8 denied. Last session +0.1%, since Feb 15 +4.2%"
    )


def test_orders_are_named_as_far_as_they_fit_and_the_rest_counted():
    reported = sms(submission=submission(*(order(f"SYMBOL{n}", "1234") for n in range(20))))
    assert reported == (
        "algo-trader PAPER 2013-02-28: bought 1234 SYMBOL0, 1234 SYMBOL1, 1234 SYMBOL2, "
        "1234 SYMBOL3, 1234 SYMBOL4 and 15 more. Last session +0.1%, since Feb 15 +4.2%"
    )


def test_a_text_with_all_sorts_of_trouble_still_names_both_returns():
    many = [f"SYM{n}" for n in range(100)]
    snapshot = replace(
        SNAPSHOT,
        trading_state=TradingState.REDUCING,
        last_session_pnl=Decimal(-123456789012),
        since_close_pnl=Decimal("-1E+15"),
    )
    reported = sms(
        run=replace(RUN, slot="1030"),
        snapshot=snapshot,
        decision=decision(denied=tuple(map(denied, many))),
        submission=submission(
            *(order(symbol, "0", "5") for symbol in many),
            *(sell(symbol, "5", "6", status="new") for symbol in many),
            rejected=tuple(OrderRejected(symbol, symbol, "1", "no") for symbol in many),
        ),
    )
    assert reported == (
        "algo-trader PAPER 2013-02-28 1030: sold 100. REDUCING. "
        "100 unsettled, 100 rejected, 100 unfilled, 100 denied. "
        "Last session +0.1%, since Feb 15 +4.2%"
    )


def test_a_subject_counts_fills_and_trouble():
    reported = make_texts(
        run_report(
            decision=decision(denied=(denied("MSFT"),)),
            submission=submission(order("AAPL", "5"), order("IBM", "5")),
        )
    )
    assert reported.subject == "algo-trader PAPER 2013-02-28: 2 orders filled, 1 denied"


def test_an_email_holds_orders_denials_reasons_profit_account_warnings_and_the_record():
    reported = make_texts(
        run_report(
            snapshot=replace(SNAPSHOT, warnings=("No corporate actions from this broker.",)),
            decision=decision(intent("AAPL", "56"), denied=(denied("MSFT"),)),
            submission=submission(order("AAPL", "56")),
        )
    ).email
    for line in (
        "algo-trader PAPER 2013-02-28: bought 56 AAPL, holds 1.",
        "  stack desk, strategy fixed_weights",
        "  trading state ACTIVE",
        "ORDERS\n  buy 56 of 56 AAPL at $100.00, $5,600.00, limit order filled, at1-",
        "DENIED BY THE DESK\n  buy 900 MSFT: MAX_ORDER_NOTIONAL 90000 > 50000",
        "WHY\n  AAPL: Target weight 25%.",
        "  last full session (2013-02-27): +$123.45",
        "  since its close: -$20.10",
        "  equity $100,000.00, at the previous close $100,020.10",
        "  target weights: AAPL 25%",
        "WARNINGS\n  1 denied (MSFT)\n  No corporate actions from this broker.",
        "RECORD\n  s3://bucket/runs/2013-02-28/2013-02-28-day/record.json",
        f"  execution {RUN.execution_arn}",
    ):
        assert line in reported
    assert "UNSETTLED" not in reported


def test_an_email_of_a_huge_universe_is_cut_between_lines_and_says_so():
    why = {f"SYM{n}": "x" * 200 for n in range(1000)}
    reported = make_texts(run_report(decision=decision(why=why))).email
    assert len(reported) < 61_000
    assert reported.endswith("x\n\nThis e-mail omits the rest, which is in the run's record.\n")


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
def test_a_failure_says_of_orders_what_is_certain(state, changes, words):
    changes = {"submitted": "submission" in changes, **changes}
    reported = make_texts(failed(state, "States.Timeout", "It timed out", **changes))
    assert f": States.Timeout. {words}. " in reported.sms
    assert f"  {words}.\n" in reported.email


def test_a_failure_says_what_could_not_be_done_while_telling():
    reported = make_texts(failed("Submit Orders", "X", "", notes=("journal not written",)))
    assert "check the broker. journal not written." in reported.sms
    assert "WARNINGS\n  journal not written" in reported.email


symbols = st.from_regex(r"[A-Z][A-Z0-9.]{0,9}", fullmatch=True)


amounts = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15)


sizes = st.decimals(allow_nan=False, allow_infinity=False, min_value=0, max_value=10**12)


orders = st.builds(
    order,
    symbols,
    sizes.map(str),
    st.none() | sizes.map(str),
    status=st.sampled_from(["filled", "canceled", "new", "rejected", "done_for_day"]),
    side=st.sampled_from(Side),
    client_order_id=st.text(max_size=48),
)


denials = st.lists(st.builds(denied, symbols, st.text(max_size=40)), max_size=30).map(tuple)


submissions = st.builds(
    lambda placed, refused, since, open_ids: submission(
        *placed, denied=refused, rejected=since, unsettled=open_ids
    ),
    st.lists(orders, max_size=25),
    denials,
    st.lists(
        st.builds(OrderRejected, st.text(max_size=48), symbols, st.text(), st.text()), max_size=9
    ).map(tuple),
    st.lists(st.text(max_size=48), max_size=9).map(tuple),
)


symbol_profits = st.builds(
    SymbolProfit, symbols, amounts, st.none() | amounts, amounts, amounts, amounts, amounts
)


returns = st.builds(Return, st.dates(), st.none() | amounts, st.none() | amounts)


performances = st.builds(
    Performance,
    deposits=st.none() | amounts,
    symbols=st.lists(symbol_profits, max_size=5).map(tuple),
    worth=amounts,
    drawdown=st.decimals(0, 1, places=4),
    benchmark=st.just("") | symbols,
    returns=st.builds(Returns, st.dates(), st.none() | returns, returns, returns, returns, returns),
)


snapshots = st.builds(
    lambda state, reason, last, since, equity, adjustments, warnings, measured: replace(
        SNAPSHOT,
        performance=measured,
        trading_state=state,
        trading_state_reason=reason,
        last_session_pnl=last,
        since_close_pnl=since,
        account=replace(SNAPSHOT.account, equity=equity, adjustments=adjustments),
        warnings=warnings,
    ),
    st.sampled_from(TradingState),
    st.text(),
    st.none() | amounts,
    st.none() | amounts,
    amounts | st.just(Decimal("NaN")),
    amounts,
    st.lists(st.text(), max_size=3).map(tuple),
    st.none() | performances,
)


outcomes = st.builds(
    run_report,
    run=st.sampled_from([RUN, DRY_RUN, LIVE, REPORT, None]),
    snapshot=st.none() | snapshots,
    decision=st.none()
    | st.builds(
        lambda entries, refused: decision(*entries, denied=refused),
        st.lists(st.builds(intent, symbols, sizes.map(str), st.sampled_from(Side)), max_size=25),
        denials,
    ),
    submission=st.none() | submissions,
    failure=st.none() | st.builds(read_failure, st.text(), st.text(), st.text()),
    notes=st.lists(st.text(), max_size=3).map(tuple),
)


@given(outcomes)
def test_every_run_gives_one_segment_of_gsm7_and_a_subject_that_sns_takes(told_of):
    reported = make_texts(told_of)
    assert reported.sms == to_gsm7(reported.sms)
    assert 0 < septets(reported.sms) <= 160
    assert 0 < len(reported.subject) < 100
    assert reported.subject.isascii()
    assert reported.subject.isprintable()
    assert reported.email.endswith("\n")
    assert ("FAILED" in reported.sms) == (told_of.failure is not None)


@given(outcomes)
def test_every_run_that_ended_well_names_its_session_and_what_it_did(told_of):
    if told_of.failure is None:
        reported = make_texts(told_of).sms
        assert reported.startswith("algo-trader")
        if told_of.is_report:
            assert ": day " in reported or ": account " in reported
        elif told_of.snapshot is not None and told_of.performance is not None:
            assert "ince " in reported
