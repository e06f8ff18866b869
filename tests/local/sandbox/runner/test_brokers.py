import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from werkzeug import Request, Response
from werkzeug.serving import make_server

from local.problems import UsageProblem
from local.sandbox.runner.brokers import alpaca_paper, broker_at, refuse_live_money, view_account
from local.sandbox.runner.document import BrokerView

KEYS = {"APCA_API_KEY_ID": "key", "APCA_API_SECRET_KEY": "secret"}
ACCOUNT = '{"equity": "1"}'


@contextmanager
def server(answers: dict[str, Response], asked: list[Request]) -> Iterator[str]:
    @Request.application
    def answer(request: Request) -> Response:
        asked.append(request)
        return answers.get(request.path, Response("no", 503))

    running = make_server("127.0.0.1", 0, answer)
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{running.server_port}"
    finally:
        running.shutdown()
        thread.join()
        running.server_close()


@pytest.mark.parametrize(
    "url",
    ["", "127.0.0.1:80", "ftp://host", "http://", "http://h:x", "http://[", "http://h?a=1", "h"],
)
def test_anything_but_the_address_of_a_server_is_refused(url: str) -> None:
    with pytest.raises(UsageProblem, match="give a URL such as"):
        broker_at(url, {})


@pytest.mark.parametrize("end", ["", "/", "/v2", "/v2/", "//v2//"])
def test_the_version_at_the_end_of_an_address_is_left_out(end: str) -> None:
    broker = broker_at(f"http://127.0.0.1/alpaca{end}", {})
    assert {broker.trading_url, broker.data_url, broker.look_url} == {"http://127.0.0.1/alpaca"}


def test_the_users_keys_are_used_and_never_shown() -> None:
    broker = broker_at("http://127.0.0.1:8080/", KEYS)
    assert (broker.trading_url, broker.data_url) == ("http://127.0.0.1:8080",) * 2
    assert (broker.key_id, broker.secret_key) == ("key", "secret")
    assert "secret'" not in repr(broker)


def test_without_keys_a_local_broker_gets_test_keys() -> None:
    broker = broker_at("http://127.0.0.1:8080", {"APCA_API_KEY_ID": ""})
    assert broker.key_id
    assert broker.secret_key


@pytest.mark.parametrize("missing", list(KEYS))
def test_alpacas_paper_account_needs_both_keys(missing: str) -> None:
    with pytest.raises(UsageProblem, match=f"Set {missing} "):
        alpaca_paper({name: value for name, value in KEYS.items() if name != missing})
    assert alpaca_paper(KEYS).trading_url == ""


@pytest.mark.parametrize(
    ("mode", "url"),
    [
        ("live", ""),
        ("paper", "https://api.alpaca.markets"),
        ("dry-run", "https://API.alpaca.markets/"),
    ],
)
def test_live_money_is_out_of_reach(mode: str, url: str) -> None:
    with pytest.raises(UsageProblem, match="never trades a live account"):
        refuse_live_money(mode, url)


@pytest.mark.parametrize(("mode", "url"), [("paper", ""), ("live", "http://127.0.0.1:1")])
def test_paper_accounts_and_local_brokers_are_within_reach(mode: str, url: str) -> None:
    refuse_live_money(mode, url)


def test_the_look_asks_with_the_keys_for_the_orders_of_the_session_past_any_proxy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    asked: list[Request] = []
    orders = Response('[{"client_order_id": "a"}, 5]')
    with server({"/v2/account": Response(ACCOUNT), "/v2/orders": orders}, asked) as url:
        view = view_account(broker_at(url, KEYS), "2012-02-15")
    assert view == BrokerView({"equity": "1"}, ({"client_order_id": "a"},))
    assert asked[1].headers["APCA-API-KEY-ID"] == "key"
    assert asked[1].args["after"] == "2012-02-15T00:00:00Z"
    assert asked[1].args["status"] == "all"


@pytest.mark.parametrize(
    "answers",
    [
        {},
        {"/v2/account": Response("<html>", 200)},
        {"/v2/account": Response("[]", 200)},
    ],
)
def test_a_broker_that_does_not_answer_is_seen_as_nothing(answers: dict[str, Response]) -> None:
    with server(answers, []) as url:
        assert view_account(broker_at(url, KEYS), "2012-02-15") == BrokerView()
    assert view_account(broker_at(url, KEYS), None) == BrokerView()


def test_an_account_without_orders_is_still_an_account() -> None:
    answers = {"/v2/account": Response(ACCOUNT), "/v2/orders": Response('{"message": "no"}')}
    with server(answers, []) as url:
        assert view_account(broker_at(url, KEYS), "2012-02-15") == BrokerView({"equity": "1"})


def test_a_broker_that_repeats_the_keys_is_shown_without_them() -> None:
    keys = {"APCA_API_KEY_ID": "the-key-id", "APCA_API_SECRET_KEY": "the-secret-key"}
    account = '{"equity": "the-key-id", "cash": "of the-secret-key"}'
    with server({"/v2/account": Response(account)}, []) as url:
        view = view_account(broker_at(url, keys), None)
    assert view == BrokerView({"equity": "***", "cash": "of ***"})
