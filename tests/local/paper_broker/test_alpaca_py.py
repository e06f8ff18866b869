"""Alpaca's own client, alpaca-py, works with the broker over a real socket.

`served` checks every request and every answer against Alpaca's documents. docs/paper-broker.md has
the table of the client's methods.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import pytest
from alpaca.common.exceptions import APIError
from alpaca.data.enums import Adjustment, CorporateActionsType, DataFeed
from alpaca.data.historical.corporate_actions import CorporateActionsClient
from alpaca.data.historical.stock import StockHistoricalDataClient
from alpaca.data.requests import (
    CorporateActionsRequest,
    StockBarsRequest,
    StockLatestBarRequest,
    StockLatestQuoteRequest,
    StockLatestTradeRequest,
    StockQuotesRequest,
    StockSnapshotRequest,
    StockTradesRequest,
)
from alpaca.data.timeframe import TimeFrame, TimeFrameUnit
from alpaca.trading import requests as asks
from alpaca.trading.client import TradingClient
from alpaca.trading.enums import (
    AssetExchange,
    CorporateActionDateType,
    CorporateActionType,
    OrderSide,
    OrderStatus,
    OrderType,
    QueryOrderStatus,
    TimeInForce,
)

from tests.docs.markdown import code_spans, tables
from tests.local.paper_broker.conftest import KEYS, PAGE, run_snippet
from tests.local.paper_broker.contract import Contract

BUY, SELL = OrderSide.BUY, OrderSide.SELL
DAY, GTC = TimeInForce.DAY, TimeInForce.GTC
OPENED, CLOSED = datetime(2012, 8, 7, 13, 30, tzinfo=UTC), datetime(2012, 8, 7, 20, tzinfo=UTC)


ANNOUNCED = asks.GetCorporateAnnouncementsRequest(
    ca_types=[CorporateActionType.DIVIDEND, CorporateActionType.SPLIT],
    since=date(2012, 8, 1),
    until=date(2012, 8, 31),
    symbol="AAPL",
    date_type=CorporateActionDateType.EX_DATE,
)


@dataclass
class Clients:
    trading: TradingClient
    data: StockHistoricalDataClient
    actions: CorporateActionsClient

    def order(self, kind: type[asks.OrderRequest], qty: float = 10, **terms: Any) -> Any:
        given = {"symbol": "AAPL", "side": BUY, "time_in_force": DAY, "qty": qty, **terms}
        return self.trading.submit_order(kind(**given))

    def limit(self, price: float = 400, **terms: Any) -> Any:
        return self.order(asks.LimitOrderRequest, limit_price=price, **terms)

    def look(self, order: Any) -> Any:
        return self.trading.get_order_by_id(order.id)

    def hold(self, qty: float = 10) -> None:
        self.look(self.order(asks.MarketOrderRequest, qty))


@pytest.fixture
def clients(served: tuple[str, Contract]) -> Iterator[Clients]:
    url, _ = served
    made = Clients(
        TradingClient(*KEYS, url_override=url),
        StockHistoricalDataClient(*KEYS, url_override=url),
        CorporateActionsClient(*KEYS, url_override=url),
    )
    yield made
    for client in (made.trading, made.data, made.actions):
        client._session.close()


def own_methods(client: type) -> list[str]:
    return [name for name, it in vars(client).items() if callable(it) and not name.startswith("_")]


@dataclass
class Calls:
    """One call of each method, in an account that holds AAPL and has an open order."""

    clients: Clients
    order: Any
    announcement: Any

    def arguments(self, method: str) -> tuple[Any, ...]:
        name, aapl = {"symbol_or_symbols": "AAPL"}, "AAPL"
        past = {**name, "start": CLOSED, "end": CLOSED}
        some_id = "00000000-0000-4000-8000-000000000000"
        new_list = asks.CreateWatchlistRequest(name="mine", symbols=[aapl])
        given: dict[str, tuple[Any, ...]] = {
            "set_account_configurations": (self.clients.trading.get_account_configurations(),),
            "get_asset": (aapl,),
            "submit_order": (
                asks.MarketOrderRequest(symbol=aapl, qty=1, side=BUY, time_in_force=DAY),
            ),
            "get_order_by_id": (self.order.id,),
            "get_order_by_client_id": (self.order.client_order_id,),
            "replace_order_by_id": (self.order.id, asks.ReplaceOrderRequest(limit_price=101)),
            "cancel_order_by_id": (self.order.id,),
            "get_open_position": (aapl,),
            "close_position": (aapl,),
            "exercise_options_position": (some_id,),
            "get_watchlist_by_id": (some_id,),
            "create_watchlist": (new_list,),
            "update_watchlist_by_id": (some_id, asks.UpdateWatchlistRequest(name="mine")),
            "add_asset_to_watchlist_by_id": (some_id, aapl),
            "delete_watchlist_by_id": (some_id,),
            "remove_asset_from_watchlist_by_id": (some_id, aapl),
            "get_corporate_announcements": (ANNOUNCED,),
            "get_corporate_announcement_by_id": (self.announcement.id,),
            "get_option_contracts": (asks.GetOptionContractsRequest(),),
            "get_option_contract": (aapl,),
            "get_stock_bars": (StockBarsRequest(**past, timeframe=TimeFrame.Day),),
            "get_stock_trades": (StockTradesRequest(**past),),
            "get_stock_quotes": (StockQuotesRequest(**past),),
            "get_stock_latest_bar": (StockLatestBarRequest(**name),),
            "get_stock_latest_trade": (StockLatestTradeRequest(**name),),
            "get_stock_latest_quote": (StockLatestQuoteRequest(**name),),
            "get_stock_snapshot": (StockSnapshotRequest(**name),),
            "get_corporate_actions": (CorporateActionsRequest(symbols=[aapl]),),
        }
        return given.get(method, ())


TABLE = [
    (row[0].strip("`"), method, row[2].replace("`", ""))
    for row in next(each for each in tables(PAGE) if each.header[0] == "Client").rows
    for method in code_spans(row[1])
]


def test_the_page_lists_every_method_of_the_clients() -> None:
    clients = (TradingClient, StockHistoricalDataClient, CorporateActionsClient)
    assert sorted((client, method) for client, method, _ in TABLE) == sorted(
        (client.__name__, method) for client in clients for method in own_methods(client)
    )


@pytest.mark.filterwarnings("ignore:get_corporate_announcements:DeprecationWarning")
def test_every_method_does_what_the_page_says(clients: Clients) -> None:
    made = {type(it).__name__: it for it in (clients.trading, clients.data, clients.actions)}
    clients.hold()
    (announcement,) = clients.trading.get_corporate_announcements(ANNOUNCED)
    outcomes = {}
    order = None
    for client, method, _ in TABLE:
        if order is None or "order" in method:  # some of them end the order
            order = clients.look(clients.limit(100, symbol="IBM"))
        arguments = Calls(clients, order, announcement).arguments(method)
        try:
            getattr(made[client], method)(*arguments)
            outcomes[method] = "works"
        except APIError as error:
            outcomes[method] = f"{error.status_code} {error.message}"
        if method.startswith("close"):
            clients.hold(1)
    assert outcomes == {method: outcome for _, method, outcome in TABLE}


def test_the_pages_lines_for_alpaca_py_trade(
    served: tuple[str, Contract], capsys: pytest.CaptureFixture[str]
) -> None:
    run_snippet("alpaca.trading", served[0])
    assert "AAPL" in capsys.readouterr().out


def test_account_clock_calendar_and_assets(clients: Clients) -> None:
    trading = clients.trading
    account: Any = trading.get_account()
    assert (account.equity, account.currency, account.trading_blocked) == ("100000", "USD", False)
    clock: Any = trading.get_clock()
    assert (clock.is_open, clock.next_close.hour) == (True, 16)
    friday = date(2012, 11, 23)
    (day,) = trading.get_calendar(asks.GetCalendarRequest(start=friday, end=friday))
    assert (day.date.isoformat(), day.close.isoformat()) == ("2012-11-23", "2012-11-23T13:00:00")
    on_nyse = trading.get_all_assets(asks.GetAssetsRequest(exchange=AssetExchange.NYSE))
    assert [asset.symbol for asset in on_nyse] == ["EQWT", "IBM"]
    apple: Any = trading.get_asset("AAPL")
    assert trading.get_asset(apple.id) == apple


def test_the_configuration_is_read_and_set(clients: Clients) -> None:
    before: Any = clients.trading.get_account_configurations()
    assert before.no_shorting
    before.no_shorting = False
    after: Any = clients.trading.set_account_configurations(before)
    assert not after.no_shorting


@pytest.mark.parametrize(
    ("kind", "terms", "status"),
    [
        (asks.MarketOrderRequest, {}, OrderStatus.FILLED),
        (asks.MarketOrderRequest, {"qty": None, "notional": 500}, OrderStatus.FILLED),
        (asks.MarketOrderRequest, {"qty": 0.5}, OrderStatus.FILLED),
        (asks.MarketOrderRequest, {"time_in_force": TimeInForce.FOK}, OrderStatus.FILLED),
        (asks.LimitOrderRequest, {"limit_price": 700}, OrderStatus.FILLED),
        (asks.LimitOrderRequest, {"limit_price": 400, "time_in_force": GTC}, OrderStatus.NEW),
        (
            asks.LimitOrderRequest,
            {"limit_price": 400, "time_in_force": TimeInForce.IOC},
            OrderStatus.CANCELED,
        ),
        (asks.StopOrderRequest, {"stop_price": 700}, OrderStatus.NEW),
        (asks.StopLimitOrderRequest, {"stop_price": 700, "limit_price": 710}, OrderStatus.NEW),
        (asks.TrailingStopOrderRequest, {"trail_price": 5}, OrderStatus.NEW),
        (
            asks.TrailingStopOrderRequest,
            {"trail_percent": 1.5, "time_in_force": GTC},
            OrderStatus.NEW,
        ),
    ],
)
def test_orders_of_every_type(
    clients: Clients, kind: type[asks.OrderRequest], terms: dict[str, Any], status: OrderStatus
) -> None:
    placed = clients.order(kind, **terms, client_order_id="mine")
    found: Any = clients.trading.get_order_by_client_id("mine")
    assert (found.id, found.status) == (placed.id, status)
    if found.type is OrderType.TRAILING_STOP:
        assert float(found.stop_price) > float(found.hwm) == 619.39


def test_orders_are_listed_by_every_filter(clients: Clients) -> None:
    clients.hold()
    resting = clients.limit()
    stop = clients.order(asks.StopOrderRequest, symbol="IBM", stop_price=300)

    def listed(**terms: Any) -> list[Any]:
        found = clients.trading.get_orders(asks.GetOrdersRequest(**terms))
        return [order.id for order in found]

    assert listed(status=QueryOrderStatus.OPEN) == [stop.id, resting.id]
    assert len(listed(status=QueryOrderStatus.CLOSED)) == 1
    everything = listed(status=QueryOrderStatus.ALL, direction="asc")
    assert len(everything) == 3
    assert listed(status=QueryOrderStatus.ALL, symbols=["IBM"], side=BUY, limit=5) == [stop.id]
    assert listed(status=QueryOrderStatus.ALL, after=resting.submitted_at) == [stop.id]
    assert listed(until=stop.submitted_at) == [resting.id]
    assert len(clients.trading.get_orders()) == 2


def test_an_order_is_replaced_and_canceled(clients: Clients) -> None:
    old = clients.look(clients.limit())
    changes = asks.ReplaceOrderRequest(limit_price=410, qty=8, client_order_id="new")
    new: Any = clients.trading.replace_order_by_id(old.id, changes)
    assert (new.replaces, new.qty, new.limit_price) == (old.id, "8", "410")
    assert clients.look(old).status is OrderStatus.REPLACED
    clients.trading.cancel_order_by_id(new.id)
    assert clients.look(new).status is OrderStatus.CANCELED
    other = clients.limit()
    assert [it.id for it in clients.trading.cancel_orders()] == [other.id]
    assert clients.trading.get_orders() == []


def test_positions_are_read_and_closed(clients: Clients) -> None:
    clients.hold()
    (position,) = clients.trading.get_all_positions()
    assert clients.trading.get_open_position("AAPL") == position
    half = asks.ClosePositionRequest(percentage="50")
    order: Any = clients.trading.close_position("AAPL", half)
    assert (order.side, order.qty) == (SELL, "5")
    clients.look(order)
    stop = clients.order(asks.StopOrderRequest, 5, side=SELL, stop_price=500, time_in_force=GTC)
    (refused,) = clients.trading.close_all_positions()
    assert refused.status == 403
    (closed,) = clients.trading.close_all_positions(cancel_orders=True)
    assert (closed.status, closed.symbol, closed.body.qty) == (200, "AAPL", "5")
    assert clients.look(stop).status is OrderStatus.CANCELED
    assert clients.trading.get_all_positions() == []


def test_portfolio_history_and_activities(clients: Clients) -> None:
    clients.hold()
    history: Any = clients.trading.get_portfolio_history(
        asks.GetPortfolioHistoryRequest(period="1M", timeframe="1D")
    )
    assert history.equity == [100_000, 100_000, 99_998.7]
    rows: Any = clients.trading.get("/account/activities", {"activity_types": "FILL"})
    assert [(row["symbol"], row["qty"]) for row in rows] == [("AAPL", "10")]


@pytest.mark.parametrize(
    ("frame", "first", "count"),
    [
        (TimeFrame.Minute, datetime(2012, 8, 7, 19, 30, tzinfo=UTC), 30),
        (TimeFrame(5, TimeFrameUnit.Minute), OPENED, 78),
        (TimeFrame(15, TimeFrameUnit.Minute), OPENED, 26),
        (TimeFrame(30, TimeFrameUnit.Minute), OPENED, 13),
        (TimeFrame.Hour, OPENED, 6),  # the first one begins at 13:00
        (TimeFrame.Day, date(2012, 8, 1), 5),
        (TimeFrame.Week, date(2012, 7, 30), 2),
        (TimeFrame.Month, date(2012, 7, 1), 2),
    ],
)
def test_bars_of_every_timeframe(
    clients: Clients, frame: TimeFrame, first: Any, count: int
) -> None:
    wanted = StockBarsRequest(
        symbol_or_symbols=["AAPL", "IBM"],
        timeframe=frame,
        start=first,
        end=CLOSED,
        adjustment=Adjustment.ALL,
        feed=DataFeed.SIP,
    )
    found: Any = clients.data.get_stock_bars(wanted)
    assert [len(found[symbol]) for symbol in ("AAPL", "IBM")] == [count, count]


def test_past_trades_and_quotes(clients: Clients) -> None:
    until = datetime(2012, 8, 7, 13, 39, 59, tzinfo=UTC)
    terms: dict[str, Any] = {"symbol_or_symbols": "AAPL", "start": OPENED, "end": until}
    trades: Any = clients.data.get_stock_trades(StockTradesRequest(**terms))
    quotes: Any = clients.data.get_stock_quotes(StockQuotesRequest(**terms))
    assert [len(trades["AAPL"]), len(quotes["AAPL"])] == [40, 40]
    limited: Any = clients.data.get_stock_trades(StockTradesRequest(**terms, limit=7))
    assert len(limited["AAPL"]) == 7


def test_latest_data_and_snapshots(clients: Clients) -> None:
    data, name = clients.data, {"symbol_or_symbols": ["AAPL"]}
    trade: Any = data.get_stock_latest_trade(StockLatestTradeRequest(**name))
    quote: Any = data.get_stock_latest_quote(StockLatestQuoteRequest(**name))
    bar: Any = data.get_stock_latest_bar(StockLatestBarRequest(**name))
    snapshot: Any = data.get_stock_snapshot(StockSnapshotRequest(**name))
    assert trade["AAPL"].price == bar["AAPL"].close == 619.39 < quote["AAPL"].ask_price
    assert snapshot["AAPL"].previous_daily_bar.timestamp.day == 7


@pytest.mark.filterwarnings("ignore:get_corporate_announcements:DeprecationWarning")
def test_corporate_actions_and_announcements(clients: Clients) -> None:
    found: Any = clients.actions.get_corporate_actions(
        CorporateActionsRequest(
            symbols=["AAPL"],
            types=[CorporateActionsType.CASH_DIVIDEND],
            start=date(2012, 8, 1),
            end=date(2012, 8, 31),
        )
    )
    assert [action.rate for action in found.data["cash_dividends"]] == [2.65]
    (one,) = clients.trading.get_corporate_announcements(ANNOUNCED)
    assert (one.cash, one.ex_date) == (2.65, date(2012, 8, 9))
    assert clients.trading.get_corporate_announcement_by_id(one.id) == one


def test_refusals_reach_the_client_with_code_and_message(clients: Clients) -> None:
    with pytest.raises(APIError) as refused:
        clients.limit(qty=10_000)
    assert (refused.value.status_code, refused.value.code) == (403, 40310000)
    assert refused.value.message == "insufficient buying power"
