"""The adapter works with the paper broker; other tests check both against Alpaca's documents."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from algotrader.adapters.alpaca import AlpacaBroker
from algotrader.adapters.keys import Keys
from algotrader.errors import BrokerAuthError, OrderStateUnknownError
from algotrader.model import Leg, Order, OrderIntent, OrderRejected, OrderType, Side
from local.paper_broker import PaperBrokerProcess

SESSION = date(2012, 2, 15)
INTENT = OrderIntent(
    client_order_id="at1-abcdef-2012-02-15-day-MSFT-entry-0",
    symbol="MSFT",
    side=Side.BUY,
    leg=Leg.ENTRY,
    qty=Decimal(10),
    order_type=OrderType.LIMIT,
    limit_price=Decimal("40.00"),
    reference_price=Decimal("30.33"),
    why="test",
)


@pytest.fixture(scope="module")
def paper() -> Iterator[PaperBrokerProcess]:
    with PaperBrokerProcess(session=SESSION, keys=("PK1", "SK1")) as process:
        yield process


@pytest.fixture
def broker(paper: PaperBrokerProcess) -> AlpacaBroker:
    return AlpacaBroker(Keys("PK1", "SK1"), paper.url, paper.url, 20.0)


def place(**changes: object) -> OrderIntent:
    return replace(INTENT, **changes)


def test_clock_and_calendar_agree(broker: AlpacaBroker) -> None:
    clock = broker.clock()
    (session,) = broker.sessions(SESSION, SESSION)

    assert clock.is_open
    assert session.open < clock.now < session.close


def test_an_order_lives_from_its_post_to_the_list(broker: AlpacaBroker) -> None:
    before = broker.clock().now - timedelta(minutes=1)

    sent = broker.submit(INTENT)

    assert isinstance(sent, Order)
    found = broker.order(INTENT.client_order_id)
    assert found is not None
    assert (found.broker_id, found.qty, found.limit_price) == (
        sent.broker_id,
        INTENT.qty,
        INTENT.limit_price,
    )
    assert INTENT.client_order_id in [each.client_order_id for each in broker.orders_after(before)]


def test_an_order_by_value_comes_back_as_it_was_sent(broker: AlpacaBroker) -> None:
    intent = place(
        client_order_id="at1-abcdef-2012-02-15-day-AAPL-entry-0",
        symbol="AAPL",
        order_type=OrderType.MARKET,
        limit_price=None,
        qty=Decimal("0.8"),
        notional=Decimal("500.50"),
    )

    sent = broker.submit(intent)

    assert isinstance(sent, Order)
    assert (sent.qty, sent.notional, sent.extended_hours) == (None, Decimal("500.5"), False)
    found = broker.order(intent.client_order_id)
    assert found is not None
    assert (found.qty, found.notional) == (None, Decimal("500.5"))


def test_an_id_stays_taken_forever(broker: AlpacaBroker) -> None:
    intent = place(client_order_id="at1-abcdef-2012-02-15-day-MSFT-entry-1")
    broker.submit(intent)

    with pytest.raises(OrderStateUnknownError, match="ORDER_ID_TAKEN"):
        broker.submit(intent)


def test_an_order_beyond_the_account_is_rejected(broker: AlpacaBroker) -> None:
    answer = broker.submit(
        place(client_order_id="at1-abcdef-2012-02-15-day-MSFT-entry-2", qty=Decimal(10**6))
    )

    assert isinstance(answer, OrderRejected)
    assert "buying power" in answer.detail


def test_a_resting_order_is_canceled_once_and_again(broker: AlpacaBroker) -> None:
    resting = broker.submit(
        place(
            client_order_id="at1-abcdef-2012-02-15-day-IBM-entry-0",
            symbol="IBM",
            limit_price=Decimal("1.00"),
        )
    )
    assert isinstance(resting, Order)
    assert resting.client_order_id in [each.client_order_id for each in broker.open_orders()]

    broker.cancel(resting.broker_id)
    broker.cancel(resting.broker_id)

    found = broker.order(resting.client_order_id)
    assert found is not None
    assert found.status in {"canceled", "pending_cancel"}


def test_what_is_not_there_is_none(broker: AlpacaBroker) -> None:
    assert broker.order("at1-abcdef-2012-02-15-day-AAPL-entry-9") is None
    assert broker.assets(["AAPL", "NOPE"]).keys() == {"AAPL"}


def test_bars_and_prices_are_those_of_the_bell(broker: AlpacaBroker) -> None:
    sessions = broker.sessions(date(2012, 1, 3), date(2012, 2, 14))
    bars = broker.bars(["AAPL", "IBM"], sessions, "iex", "split")
    prices = broker.latest_prices(["AAPL", "IBM"], "iex")

    assert bars["AAPL"].at == tuple(each.open for each in sessions)
    assert bars.keys() == prices.keys() == {"AAPL", "IBM"}


def test_splits_are_reported() -> None:
    day = date(2005, 2, 28)
    with PaperBrokerProcess(session=day) as process:
        broker = AlpacaBroker(Keys("PK1", "SK1"), process.url, process.url, 20.0)

        actions = broker.corporate_actions(["AAPL"], day, day)

    assert actions is not None
    assert [(each.kind, each.ratio) for each in actions] == [("forward_split", Decimal(2))]


def test_wrong_keys_are_refused(paper: PaperBrokerProcess) -> None:
    with pytest.raises(BrokerAuthError, match="BROKER_KEYS_REFUSED"):
        AlpacaBroker(Keys("PK2", "SK2"), paper.url, paper.url, 20.0).clock()
