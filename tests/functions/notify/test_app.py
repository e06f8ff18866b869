from __future__ import annotations

import io
import json

import pytest

from algotrader.adapters.aws import client
from algotrader.adapters.claim import Claim, claim_key
from algotrader.contracts import NotifyResult, decode, encode
from algotrader.errors import InvalidInputError
from notify.app import lambda_handler, logger
from tests.functions.notify.test_tell import RUN, event
from tests.support.lambda_context import LambdaContext


@pytest.fixture
def topic(artifacts, monkeypatch) -> str:
    arn = client("sns").create_topic(Name="texts")["TopicArn"]
    monkeypatch.setenv("BUCKET", artifacts.bucket)
    monkeypatch.setenv("TOPIC_ARN", arn)
    artifacts.write(claim_key(RUN), Claim(RUN.execution_arn, "running", RUN.started_at))
    return arn


@pytest.mark.usefixtures("topic")
def test_the_handler_takes_json_and_gives_json(artifacts):
    answer = json.loads(json.dumps(lambda_handler(encode(event()), LambdaContext())))
    result = decode(NotifyResult, answer, "result")
    assert result.sms.startswith("algo-trader PAPER 2013-02-28: bought 56 AAPL. ")
    assert set(answer) == {"sms", "subject", "email", "error", "cause"}
    assert artifacts.read(claim_key(RUN), Claim).state == "done"


@pytest.mark.usefixtures("topic")
def test_an_event_of_another_shape_is_refused_by_name():
    with pytest.raises(InvalidInputError) as caught:
        lambda_handler({"run": 5}, LambdaContext())
    assert caught.value.code == "STATE_INVALID"


@pytest.mark.usefixtures("topic")
def test_one_line_is_logged_and_no_text_of_it(monkeypatch):
    logged = io.StringIO()
    monkeypatch.setattr(logger.registered_handler, "stream", logged)
    lambda_handler(encode(event()), LambdaContext())
    (line,) = [json.loads(each) for each in logged.getvalue().splitlines()]
    assert (line["message"], line["run_id"]) == ("Texts published", RUN.run_id)
    assert "email" not in line
