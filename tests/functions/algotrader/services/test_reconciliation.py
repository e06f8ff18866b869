"""Two desks and their user share one paper broker account through the real client."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import uuid4

import pytest

from algotrader.accounting.reconciliation import missing_shares
from algotrader.adapters.adjustments import add_adjustments, read_adjustments
from algotrader.adapters.alpaca import AlpacaBroker
from algotrader.adapters.aws import client
from algotrader.adapters.keys import Keys
from algotrader.adapters.store import Store
from algotrader.model import Adjustment, Holding, Leg, Order, OrderIntent, OrderType, Side
from algotrader.orders.ids import OrderPlace, client_order_id
from algotrader.portfolio.position import DeskPosition, desk_position
from algotrader.services.books import Books, checkpoint_key, others_key, read_books
from algotrader.services.reconciliation import reconcile
from algotrader.session.trigger import NEW_YORK
from local.paper_broker import PaperBrokerProcess
from tests.support.in_process_aws import in_process_aws

BEFORE, SPLIT, LATER = date(2005, 2, 24), date(2005, 2, 28), date(2005, 3, 28)
D = Decimal


@dataclass
class OneDesk:
    """A desk that does what its stack's functions would do, with its own bucket."""

    desk: str
    paper: PaperBrokerProcess
    store: Store
    sent: int = 0

    @property
    def broker(self) -> AlpacaBroker:
        return AlpacaBroker(Keys("PK1", "SK1"), self.paper.url, self.paper.url, 20.0)

    def books(self, store: Store | None = None) -> Books:
        now = self.broker.clock().now
        today = now.astimezone(NEW_YORK).date()
        return read_books(
            self.broker, store or self.store, self.desk, ["AAPL"], now, (today, today)
        )

    def run(self) -> tuple[DeskPosition, tuple[str, ...]]:
        """Read the books and return the position as a run would, and keep the checkpoints."""
        positions = self.broker.positions()
        books = self.books()
        if books.checkpoint is not None:
            self.store.write(checkpoint_key(self.desk), books.checkpoint)
        if books.others_checkpoint is not None:
            self.store.write(others_key(self.desk), books.others_checkpoint)
        found = reconcile(self.broker, books, positions, ["AAPL"], (), LATER, "stack")
        others = found.other_desks.get("AAPL", {})
        return (
            desk_position("AAPL", books.ledger.holdings, found.positions, others),
            found.warnings,
        )

    def trade(self, side: Side, qty: int | Decimal) -> None:
        leg = Leg.ENTRY if side is Side.BUY else Leg.EXIT
        day = self.broker.clock().now.astimezone(NEW_YORK).date()
        place = OrderPlace(self.desk, day, "day", "AAPL", leg, self.sent)
        self.sent += 1
        intent = OrderIntent(
            client_order_id=client_order_id(place),
            symbol="AAPL",
            side=side,
            leg=leg,
            qty=D(qty),
            order_type=OrderType.MARKET,
            limit_price=None,
            reference_price=D(90),
            why="test",
        )
        assert isinstance(self.broker.submit(intent), Order)
        self.broker.positions()  # this request lets the order fill

    def release(self, desk: str, qty: int) -> None:
        known, tag = read_adjustments(self.store)
        at = self.broker.clock().now
        given = Adjustment(uuid4().hex, desk, "AAPL", D(-qty), D(0), at, "")
        assert add_adjustments(self.store, known, tag, (given,))


@pytest.fixture
def desks() -> Iterator[tuple[OneDesk, OneDesk]]:
    with in_process_aws(), PaperBrokerProcess(session=BEFORE, keys=("PK1", "SK1")) as paper:
        buckets = [f"bucket-{uuid4()}" for _ in range(2)]
        for bucket in buckets:
            client("s3").create_bucket(Bucket=bucket)
        yield (
            OneDesk("aaaaaa", paper, Store(buckets[0])),
            OneDesk("bbbbbb", paper, Store(buckets[1])),
        )


def user(paper: PaperBrokerProcess, side: str, qty: int) -> None:
    paper.order_by_hand("AAPL", side, str(qty))
    paper.positions()


def holdings(books: Books) -> dict[str, dict[str, Holding]]:
    return {each.desk: each.holdings for each in (books.ledger, *books.others)}


def empty_bucket() -> Store:
    bucket = f"bucket-{uuid4()}"
    client("s3").create_bucket(Bucket=bucket)
    return Store(bucket)


def test_no_desk_sells_what_may_be_anothers_and_the_books_outlive_the_journal(
    desks: tuple[OneDesk, OneDesk],
) -> None:
    first, second = desks
    paper = first.paper
    first.trade(Side.BUY, 20)
    second.trade(Side.BUY, 10)
    user(paper, "buy", 5)
    for desk, held in ((first, 20), (second, 10)):
        stake, warnings = desk.run()
        assert (stake.held, stake.account_qty, stake.differs, warnings) == (held, 35, False, ())

    paper.open_session(SPLIT)  # a two-for-one split
    assert [desk.run()[0].held for desk in desks] == [40, 20]
    user(paper, "sell", 30)  # ten of the user's own shares, and twenty of the desks' shares

    for desk, own, other, held in ((first, 40, second, 20), (second, 20, first, 0)):
        stake, warnings = desk.run()
        assert (stake.book_qty, stake.account_qty, stake.held, stake.differs) == (
            own,
            40,
            held,
            True,
        )
        assert f"desk {other.desk} owns" in warnings[0]
        assert "probably a sale by hand of 30 on 2005-02-28" in warnings[0]
    first.trade(Side.SELL, first.run()[0].sellable)
    # The second desk may own all of the rest, so neither desk sells until a person decides.
    assert [desk.run()[0].sellable for desk in desks] == [0, 0]
    assert paper.positions()[0]["qty"] == "20"

    paper.open_session(LATER)
    for desk in desks:
        desk.run()
        kept, rebuilt = desk.books(), desk.books(empty_bucket())
        assert (len(kept.orders), len(rebuilt.orders)) == (0, 5)  # the checkpoint has them all
        assert holdings(kept) == holdings(rebuilt)

    first.release(first.desk, 20)
    second.release(first.desk, 20)
    assert [(stake.held, stake.differs) for stake, _ in (desk.run() for desk in desks)] == [
        (0, False),
        (20, False),
    ]
    paper.open_session(date(2005, 4, 15))  # late enough for both checkpoints to cover every order
    for desk in desks:
        desk.run()
        assert not missing_shares(["AAPL"], desk.books().ledger, desk.broker.positions(), {})
    assert second.run()[0].held == 20
