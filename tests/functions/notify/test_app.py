from __future__ import annotations

import io
import json

import pytest

from algotrader.adapters.aws import client
from algotrader.adapters.run_lock import Claim, claim_key
from algotrader.contracts import CONTRACT_VERSION, NotifyResult, decode, encode
from algotrader.errors import ConfigurationError, InvalidInputError
from algotrader.services.records import record_key
from notify.app import lambda_handler, logger
from notify.report import RunRecord
from tests.functions.notify.test_report import FAILURE, RUN, event
from tests.support.lambda_context import LambdaContext

UNKNOWN = ("run", "settings", "snapshot", "features", "decision", "submission")


@pytest.fixture
def topic(store, monkeypatch) -> str:
    arn = client("sns").create_topic(Name="texts")["TopicArn"]
    monkeypatch.setenv("BUCKET", store.bucket)
    monkeypatch.setenv("TOPIC_ARN", arn)
    store.write(claim_key(RUN), Claim(RUN.execution_arn, "running", RUN.started_at))
    return arn


@pytest.mark.usefixtures("topic")
def test_the_handler_takes_json_and_gives_json(store):
    answer = json.loads(json.dumps(lambda_handler(encode(event()), LambdaContext())))
    result = decode(NotifyResult, answer, "result")
    assert result.sms.startswith("algo-trader PAPER 2013-02-28: bought 56 AAPL, holds 1. ")
    assert set(answer) == {"sms", "subject", "email", "error", "cause"}
    assert store.read(claim_key(RUN), Claim).state == "done"


@pytest.mark.usefixtures("topic")
def test_an_event_of_another_shape_is_refused_by_name():
    with pytest.raises(InvalidInputError) as caught:
        lambda_handler({"run": 5}, LambdaContext())
    assert caught.value.code == "STATE_INVALID"


@pytest.mark.usefixtures("topic")
def test_an_input_that_no_text_can_hold_is_reported_by_name_and_in_words_that_show():
    refused = {
        "errorMessage": 'INPUT_INVALID: problem="\ud800\u202e". Start it with {}.',
        "errorType": "InvalidInputError",
    }
    failure = {
        "state": "Fetch Bars",
        "error": "InvalidInputError",
        "cause": json.dumps(refused),
    }
    given = {**encode(event()), **dict.fromkeys(UNKNOWN), "failure": failure}
    given["input"] = {"Comment": "\ud800", "\udfff": "\u202e"}

    result = lambda_handler(given, LambdaContext())

    assert "INPUT_INVALID" in result["sms"]
    assert result["email"].replace("\n", "").isprintable()


@pytest.mark.usefixtures("topic")
def test_a_run_that_ended_well_is_recorded_with_an_input_that_no_text_can_hold(store):
    given = {**encode(event()), "input": {"Comment": "\ud800"}}

    lambda_handler(given, LambdaContext())

    assert store.read(record_key(RUN.journal), RunRecord).input == {"Comment": "?"}


@pytest.mark.usefixtures("topic")
def test_a_cause_that_is_nested_deeply_is_reported():
    failure = {"state": "Fetch Bars", "error": "Odd", "cause": "[" * 8000}
    given = {**encode(event()), **dict.fromkeys(UNKNOWN), "failure": failure}

    assert "Odd" in lambda_handler(given, LambdaContext())["sms"]


@pytest.mark.usefixtures("topic")
def test_one_line_is_logged_and_no_text_of_it(monkeypatch):
    logged = io.StringIO()
    monkeypatch.setattr(logger.registered_handler, "stream", logged)
    lambda_handler(encode(event()), LambdaContext())
    (line,) = [json.loads(each) for each in logged.getvalue().splitlines()]
    assert (line["message"], line["run_id"]) == ("Texts published", RUN.run_id)
    assert "email" not in line


def of_another_contract(**changes):
    """Build an event whose run and settings this version cannot read."""
    given = encode(event(**changes))
    lost = {"settings": {"stack": 7}, "snapshot": {"parcel": []}, "who_knows": [1]}
    return {**given, **lost, "contract": CONTRACT_VERSION + 1}


@pytest.mark.usefixtures("topic")
def test_a_failed_run_of_another_contract_is_reported_with_what_can_be_read(store):
    given = json.loads(json.dumps(of_another_contract(failure=FAILURE)))
    answer = lambda_handler(given, LambdaContext())
    assert answer["error"] == "OrderConflictError"
    assert RUN.run_id in answer["email"]
    assert "settings not read" in answer["email"]
    assert "snapshot not read" in answer["email"]
    assert store.read(claim_key(RUN), Claim).state == "failed"


@pytest.mark.usefixtures("topic")
def test_a_failed_run_that_cannot_be_read_at_all_is_reported_and_keeps_its_claim(store):
    given = of_another_contract(failure=FAILURE) | {"run": {"run_id": RUN.run_id}}
    answer = lambda_handler(given, LambdaContext())
    assert answer["error"] == "OrderConflictError"
    assert "run not read" in answer["email"]
    assert store.read(claim_key(RUN), Claim).state == "running"


@pytest.mark.usefixtures("topic")
def test_a_failure_of_a_shape_that_nobody_knows_is_left_to_the_direct_publish():
    with pytest.raises(InvalidInputError, match="STATE_INVALID"):
        lambda_handler(of_another_contract() | {"failure": {"why": "?"}}, LambdaContext())


@pytest.mark.usefixtures("topic")
def test_a_run_of_another_contract_that_ended_well_is_not_reported_as_such(store):
    with pytest.raises(ConfigurationError, match="DEPLOYED_DURING_RUN"):
        lambda_handler(of_another_contract(), LambdaContext())
    assert store.read(claim_key(RUN), Claim).state == "running"
