"""The client of alpaca-trade-api works with the broker over a real socket.

`served` checks every request and every answer against Alpaca's documents.
"""

from __future__ import annotations

from datetime import date

import pytest
from alpaca_trade_api.rest import REST, APIError, TimeFrame, TimeFrameUnit

from local.paper_broker.data import load
from tests.local.paper_broker.conftest import KEYS, run_snippet
from tests.local.paper_broker.contract import Contract

Served = tuple[str, Contract]


@pytest.fixture
def client(served: Served, monkeypatch: pytest.MonkeyPatch) -> REST:
    url, _ = served
    monkeypatch.setenv("APCA_API_DATA_URL", url)
    monkeypatch.setenv("APCA_RETRY_MAX", "0")
    return REST(*KEYS, base_url=url)


def test_the_client_reads_clock_calendar_account_and_assets(client: REST) -> None:
    assert client.get_clock().is_open
    (day,) = client.get_calendar(start="2012-11-23", end="2012-11-23")
    assert day._raw["close"] == "13:00"
    assert client.get_account().equity == "100000"
    assert client.get_asset("AAPL").fractionable
    assert len(client.list_assets(status="active")) == 6
    assert client.get_portfolio_history(period="1M", timeframe="1D").equity == [100_000] * 3


def test_the_client_trades(client: REST) -> None:
    bought = client.submit_order(
        "AAPL", "10", "buy", "limit", "day", limit_price="700", client_order_id="mine-1"
    )
    assert bought.status == "pending_new"
    assert client.get_order_by_client_order_id("mine-1").status == "filled"
    assert client.get_position("AAPL").qty == "10"
    resting = client.submit_order("AAPL", "4", "sell", "limit", "gtc", limit_price="900")
    assert client.list_positions()[0].qty_available == "6"
    client.cancel_order(resting.id)
    assert client.get_order(resting.id).status == "canceled"
    assert {order.id for order in client.list_orders(status="all")} == {bought.id, resting.id}
    assert [activity.activity_type for activity in client.get_activities()] == ["FILL"]


def test_the_client_trails_replaces_and_closes(client: REST) -> None:
    client.submit_order("AAPL", "10", "buy")
    client.get_position("AAPL")
    trailing = client.submit_order("AAPL", "4", "sell", "trailing_stop", "gtc", trail_percent="5")
    client.get_order(trailing.id)
    wider = client.replace_order(trailing.id, trail="8")
    assert (wider.replaces, wider.trail_percent) == (trailing.id, "8")
    assert client.close_position("AAPL", qty=6).qty == "6"
    client.cancel_all_orders()
    (closed,) = client.close_all_positions()
    assert closed.body["qty"] == "4"
    assert client.list_positions() == []


def test_the_client_reads_minutes_and_weeks(client: REST) -> None:
    span = {"start": "2012-07-30", "end": "2012-08-07T20:00:00Z"}
    assert len(client.get_bars("AAPL", TimeFrame(30, TimeFrameUnit.Minute), **span)) == 7 * 13
    assert len(client.get_bars("AAPL", TimeFrame.Week, **span)) == 2
    trades = client.get_trades("AAPL", "2012-08-07T13:30:00Z", "2012-08-07T13:30:59Z")
    assert [len(trades), trades[0].p] == [4, 622.77]  # the open of 2012-08-07


def test_the_client_sees_alpacas_errors(client: REST) -> None:
    client.submit_order("AAPL", "1", "buy", "limit", "day", limit_price="1", client_order_id="mine")
    with pytest.raises(APIError, match="client_order_id must be unique") as caught:
        client.submit_order("AAPL", "1", "buy", client_order_id="mine")
    assert (caught.value.status_code, caught.value.code) == (422, 40010001)
    with pytest.raises(APIError, match="position does not exist") as caught:
        client.get_position("MSFT")
    assert caught.value.status_code == 404


def test_the_client_reads_every_page_of_bars(client: REST, served: Served) -> None:
    bars = list(
        client.get_bars_iter(
            ["MSFT", "AAPL"],
            TimeFrame.Day,
            start="2010-01-04T00:00:00Z",
            end="2012-08-07T20:00:00Z",
            adjustment="split",
            limit=1200,
            raw=True,
        )
    )
    count = len([day for day in load().sessions if date(2010, 1, 4) <= day <= date(2012, 8, 7)])
    assert count < 1200 < 2 * count
    assert [bar["S"] for bar in bars] == ["AAPL"] * count + ["MSFT"] * (1200 - count)
    default = list(
        client.get_bars_iter(
            ["MSFT", "AAPL"],
            TimeFrame.Day,
            start="2010-01-04T00:00:00Z",
            end="2012-08-07T20:00:00Z",
            raw=True,
        )
    )
    assert len(default) == 2 * count
    asked = [path for _, path, _ in served[1].seen]
    assert asked == ["/v2/stocks/bars"] * 3


def test_the_client_reads_latest_prices(client: REST) -> None:
    assert client.get_latest_trades(["AAPL"], feed="iex")["AAPL"].p == 619.39
    assert client.get_latest_trade("AAPL").p == 619.39
    assert client.get_latest_quotes(["AAPL"])["AAPL"].ap > 619.39
    assert client.get_snapshots(["AAPL"])["AAPL"].latest_trade.p == 619.39


def test_wrong_keys_reach_the_client_as_an_error(served: Served) -> None:
    url, contract = served
    with pytest.raises(APIError, match="forbidden") as caught:
        REST("wrong", "keys", base_url=url).get_account()
    assert caught.value.status_code == 403
    assert contract.seen == [("GET", "/v2/account", 403)]


def test_the_pages_lines_for_alpaca_trade_api_trade(
    served: Served, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("APCA_API_DATA_URL", "")  # the page's lines set it
    run_snippet("alpaca_trade_api", served[0])
    assert "619.39" in capsys.readouterr().out
