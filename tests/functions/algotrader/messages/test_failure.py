import json

from hypothesis import given
from hypothesis import strategies as st

from algotrader.errors import BrokerAuthError, DeskError, StaleBarsError
from algotrader.messages.failure import DEFAULT_ADVICE, error_message, read_failure, split_message


def cause(error: Exception) -> str:
    return json.dumps(
        {"errorMessage": str(error), "errorType": type(error).__name__, "stackTrace": ["line"]}
    )


def test_an_error_of_ours_gives_code_facts_and_advice():
    error = BrokerAuthError("KEYS_REFUSED", "Set the keys. Then run again.", status=401, host="x.y")
    found = read_failure("Fetch Bars", "BrokerAuthError", cause(error))
    assert (found.code, found.facts) == ("KEYS_REFUSED", "status=401 host=x.y")
    assert found.advice == "Set the keys. Then run again."
    assert found.message == str(error)
    assert found.before_orders


def test_an_error_without_facts_gives_its_advice():
    assert split_message("BELL_LATE: Start it by hand.") == ("BELL_LATE", "", "Start it by hand.")


def test_a_period_within_a_quoted_fact_does_not_end_the_facts():
    error = DeskError(
        "INPUT_INVALID", "Fix it.", problem='"Expected x. Got y - at `$.z`"', field="a"
    )
    assert split_message(str(error)) == (
        "INPUT_INVALID",
        'problem="Expected x. Got y - at `$.z`" field=a',
        "Fix it.",
    )


def test_a_price_in_a_fact_does_not_end_the_facts():
    error = StaleBarsError("STALE", "Wait.", price="12.50", symbols="AAPL, GOOG")
    assert split_message(str(error))[1:] == ("price=12.50 symbols=AAPL, GOOG", "Wait.")


def test_a_foreign_error_keeps_its_message_and_gets_our_advice():
    found = read_failure("Decide Orders", "Sandbox.Timedout", '{"errorMessage": "Task: timed out"}')
    assert (found.code, found.facts, found.advice) == ("", "Task: timed out", DEFAULT_ADVICE)


def test_a_cause_that_is_not_json_is_the_message():
    assert error_message("State timed out") == "State timed out"


def test_a_cause_cut_off_after_the_message_still_contains_it():
    whole = cause(StaleBarsError("STALE", 'Say "wait".', symbol="AAPL"))
    cut = whole[: whole.index("stackTrace") + 4]
    assert error_message(cut) == 'STALE: symbol=AAPL. Say "wait".'


def test_a_cause_cut_off_within_the_message_gives_the_rest_of_it():
    assert error_message('{"errorMessage": "STALE: symbol=AA') == "STALE: symbol=AA"


def test_a_cause_of_another_shape_is_the_message():
    for other in ("[1]", '{"errorMessage": 5}', "null", '{"a": 1}'):
        assert error_message(other) == other


def test_a_state_after_submit_orders_is_not_before_orders():
    for state in ("Submit Orders", "Orders Complete?", "Notify", "", "New State"):
        assert not read_failure(state, "X", "").before_orders


def test_an_empty_error_still_has_a_name():
    assert read_failure("", "", "").error == "UnknownError"


facts = st.dictionaries(
    st.from_regex(r"f_[a-z]{1,8}", fullmatch=True),
    st.from_regex(r"[A-Z0-9.,:/-]{0,12}[A-Z0-9]", fullmatch=True),
)


@given(facts, st.from_regex(r"[A-Z][a-z ]{1,30}\.", fullmatch=True))
def test_splitting_an_error_gives_the_parts_from_which_it_was_built(pairs, advice):
    message = str(DeskError("SOME_CODE", advice, **pairs))
    reported = " ".join(f"{key}={value}" for key, value in pairs.items())
    assert split_message(message) == ("SOME_CODE", reported, advice)


@given(st.text(), st.text(), st.text())
def test_any_cause_can_be_read(state, error, words):
    for each in (words, cause(Exception(words)), cause(Exception(words))[:-20]):
        assert read_failure(state, error, each).advice


def test_a_foreign_message_becomes_one_line_of_printable_characters():
    words = "lost\u202e \x1b[31m\n\nORDERS\n  bought 10 AAPL \\ud800"
    for given_cause in (words, json.dumps({"errorMessage": words.replace("\\ud800", "\ud800")})):
        found = read_failure("Decide\nOrders", "Odd\u2066Error", given_cause)
        assert found.message.startswith("lost [31m ORDERS bought 10 AAPL")
        assert (found.state, found.error) == ("Decide Orders", "Odd Error")
        assert all(each.isprintable() for each in (found.message, found.facts, found.advice))
