from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algotrader.adapters.aws import client
from algotrader.adapters.sns_notifier import MAX_MESSAGE_BYTES, SnsNotifier, check
from algotrader.errors import ConfigurationError, InvalidInputError


@pytest.fixture
def topic(aws) -> str:  # noqa: ARG001 - AWS must exist as long as the topic
    return client("sns").create_topic(Name="texts")["TopicArn"]


@pytest.fixture
def inbox(topic):
    """Return a function that reads what a subscriber receives from the topic."""
    queue = client("sqs").create_queue(QueueName="inbox")["QueueUrl"]
    arn = client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
    client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn["Attributes"]["QueueArn"])

    def read() -> list[dict]:
        answer = client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
        return [json.loads(each["Body"]) for each in answer.get("Messages", [])]

    return read


def test_one_publish_carries_a_body_for_each_protocol(topic, inbox, monkeypatch):
    sent = []
    publish = client("sns").publish
    monkeypatch.setattr(
        client("sns"), "publish", lambda **words: (sent.append(words), publish(**words))
    )
    SnsNotifier(topic).publish("algo-trader: done", "short", "long é\nlines")
    (words,) = sent
    assert words["MessageStructure"] == "json"
    assert json.loads(words["Message"]) == {
        "default": "long é\nlines",
        "sms": "short",
        "email": "long é\nlines",
    }
    (received,) = inbox()
    assert (received["Subject"], received["Message"]) == ("algo-trader: done", "long é\nlines")


@pytest.mark.parametrize(
    "subject",
    [
        "",
        "x" * 100,
        "two\nlines",
        "two\rlines",
        "tab\tin",
        "bell\x07",
        "caf\u00e9",
        " space",
        "space ",
    ],
)
def test_a_subject_that_sns_would_refuse_is_refused_by_name(topic, inbox, subject):
    with pytest.raises(InvalidInputError) as caught:
        SnsNotifier(topic).publish(subject, "short", "long")
    assert caught.value.code == "SUBJECT_INVALID"
    assert inbox() == []


def test_the_longest_subject_goes_out(topic, inbox):
    SnsNotifier(topic).publish("x" * 99, "short", "long")
    assert inbox()[0]["Subject"] == "x" * 99


def test_a_message_over_the_limit_of_sns_is_refused_by_name(topic, inbox):
    with pytest.raises(InvalidInputError) as caught:
        SnsNotifier(topic).publish("done", "short", "é" * (MAX_MESSAGE_BYTES // 4))
    assert caught.value.code == "MESSAGE_TOO_LARGE"
    assert inbox() == []


def test_a_topic_that_is_gone_is_a_matter_for_a_person(topic):
    client("sns").delete_topic(TopicArn=topic)
    with pytest.raises(ConfigurationError) as caught:
        SnsNotifier(topic).publish("done", "short", "long")
    assert caught.value.code == "TOPIC_REFUSED"
    assert caught.value.facts["topic"] == topic


@given(st.text(max_size=120))
def test_only_a_line_of_printable_ascii_is_ever_a_subject(subject):
    fine = subject.isascii() and subject.isprintable() and subject == subject.strip()
    try:
        check(subject, "{}")
    except InvalidInputError:
        assert not fine or not 0 < len(subject) < 100
    else:
        assert fine
        assert 0 < len(subject) < 100
