from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from datetime import date
from urllib.parse import urlsplit

import pytest

from local.paper_broker import PaperBrokerError, PaperBrokerProcess
from tests.support.checkout import CHECKOUT
from tests.support.processes import all_gone, is_alive, listens_on


def test_the_handle_moves_an_account_from_session_to_session() -> None:
    with PaperBrokerProcess(clock_scale=0.0, holdings={"IBM": "5"}) as broker:
        assert broker.sessions()[-1] == date(2013, 3, 1)
        assert broker.open_session("2012-08-08") == "2012-08-08T13:35:00Z"
        broker.order_by_hand("AAPL", "buy", "10")
        broker.deposit("100")
        assert broker.open_session(date(2012, 8, 9)) == "2012-08-09T13:35:00Z"
        assert [order["status"] for order in broker.orders()] == ["filled"]
        assert [it["symbol"] for it in broker.positions()] == ["AAPL", "IBM"]
        assert broker.account()["cash"] == "93904.8"  # minus the cost of AAPL
        broker.behave(trading_blocked=True)
        with pytest.raises(PaperBrokerError, match="blocked from trading"):
            broker.order_by_hand("AAPL", "buy", "1")
        pid = broker.pid
    assert not is_alive(pid)


def test_two_brokers_at_the_same_time_do_not_affect_each_other() -> None:
    moving = {"cash": "5", "moving_prices": True, "clock_scale": 0.0}
    with PaperBrokerProcess(clock_scale=0.0) as one, PaperBrokerProcess(**moving) as other:
        assert one.url != other.url
        assert (one.account()["cash"], other.account()["cash"]) == ("100000", "5")
        for broker in (one, other):
            broker.open_session("2012-08-08", "12:00")
        path = "/v2/stocks/AAPL/trades/latest"
        still, moved = (it.request("GET", path)["trade"]["p"] for it in (one, other))
        assert still == 619.39 != moved


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="one loopback address only")
def test_it_listens_on_the_address_it_is_given_and_on_no_other() -> None:
    with PaperBrokerProcess(host="127.0.0.2") as broker:
        port = urlsplit(broker.url).port
        assert broker.url == f"http://127.0.0.2:{port}"
        assert broker.account()["cash"] == "100000"
        assert listens_on(broker.pid) == {("127.0.0.2", port)}


def test_each_request_takes_the_given_time_except_those_that_control_the_broker() -> None:
    with PaperBrokerProcess(answer_seconds=0.2) as broker:
        began = time.monotonic()
        broker.sessions()
        control = time.monotonic() - began
        broker.account()
        assert control < 0.2 <= time.monotonic() - began - control


def test_a_broker_that_cannot_start_says_why() -> None:
    with (
        pytest.raises(PaperBrokerError, match="FB does not trade yet"),
        PaperBrokerProcess(session=date(2010, 1, 4), holdings={"FB": "1"}),
    ):
        pass


def test_a_port_in_use_is_reported() -> None:
    with PaperBrokerProcess() as one:
        port = int(one.url.rsplit(":", 1)[1])
        with (
            pytest.raises(PaperBrokerError, match="in use"),
            PaperBrokerProcess(port=port),
        ):
            pass


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_prints_its_url_and_ends_on_a_signal(number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "local.paper_broker"],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith('{"url": "http://127.0.0.1:')
        process.send_signal(number)
        assert process.wait(5) == 0
        assert process.stdout.read() == ""


def test_no_broker_outlives_the_process_that_started_it() -> None:
    program = (
        "import os, time\n"
        "from local.paper_broker import PaperBrokerProcess\n"
        "with PaperBrokerProcess() as broker:\n"
        "    print(broker.pid, broker.url, flush=True)\n"
        "    time.sleep(60)\n"
    )
    with subprocess.Popen(  # the text of the program above
        [sys.executable, "-c", program], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pid, url = parent.stdout.readline().split()
        with urllib.request.urlopen(f"{url}/_paper/sessions") as answer:  # noqa: S310  # loopback
            assert answer.status == 200
        os.kill(parent.pid, signal.SIGKILL)
    assert all_gone([int(pid)])
