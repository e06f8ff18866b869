from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from algotrader.messages import make_texts, read_failure
from algotrader.messages.gsm7 import septets, to_gsm7
from algotrader.model import (
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
    REPORT,
    RUN,
    SNAPSHOT,
    decision,
    denied,
    intent,
    order,
    run_report,
    submission,
)

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
def test_every_run_gives_one_segment_of_gsm7_and_a_subject_that_sns_takes(finished):
    reported = make_texts(finished)
    assert reported.sms == to_gsm7(reported.sms)
    assert 0 < septets(reported.sms) <= 160
    assert 0 < len(reported.subject) < 100
    assert reported.subject.isascii()
    assert reported.subject.isprintable()
    assert reported.email.endswith("\n")
    assert ("FAILED" in reported.sms) == (finished.failure is not None)


@given(outcomes)
def test_every_run_that_ended_well_names_its_session_and_what_it_did(finished):
    if finished.failure is None:
        reported = make_texts(finished).sms
        assert reported.startswith("algo-trader")
        if finished.is_report:
            assert ": day " in reported or ": account " in reported
        elif finished.snapshot is not None and finished.performance is not None:
            assert "ince " in reported
