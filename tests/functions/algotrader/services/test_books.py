"""For any account history, the books are the same with the journal and without it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import event, given
from hypothesis import strategies as st
from msgspec.structs import replace

from algotrader.adapters.adjustments import ADJUSTMENTS_KEY
from algotrader.adapters.store import Store, _Found
from algotrader.model import Adjustment, CorporateAction, Holding, Leg, Order, Side
from algotrader.orders.ids import OrderPlace, client_order_id
from algotrader.services.books import Books, checkpoint_key, others_key, read_books
from tests.support.examples import tried

OWN, OTHER = "abc123", "def456"
SYMBOLS = ("AAPL", "IBM")
DAYS = 45
LATEST = 9  # days that the broker may take to list an order or a split
MIDNIGHT = datetime(2024, 3, 4, 5, tzinfo=UTC)  # in New York, before the clocks change
PRICE = Decimal(10)

Owned = dict[str, dict[str, Decimal]]


class Bucket(Store):
    """A bucket in memory that encodes every value as JSON."""

    def __init__(self) -> None:
        super().__init__("bucket")
        self.objects: dict[str, bytes] = {}

    def _write(self, key: str, content: bytes, **condition: str) -> None:
        del condition
        self.objects[key] = content

    def _read_content(self, key: str, parse: Callable[[bytes], Any]) -> _Found[Any] | None:
        found = self.objects.get(key)
        return None if found is None else _Found(parse(found), "tag")


@dataclass(frozen=True)
class Listed:
    """An order, with the instants when the broker first shows it and when it ends."""

    order: Order
    shown: datetime
    ends: datetime


@dataclass
class Life:
    """An account's history, and what its broker shows at an instant."""

    orders: list[Listed]
    splits: list[tuple[CorporateAction, datetime]]  # and when the broker lists it
    gifts: list[Adjustment]
    now: datetime = MIDNIGHT
    asked: list[datetime | None] = field(default_factory=list)

    def orders_after(self, after: datetime | None) -> tuple[Order, ...]:
        self.asked.append(after)
        return tuple(
            self._as_of_now(each)
            for each in self.orders
            if each.shown <= self.now and (after is None or each.order.submitted_at > after)
        )

    def corporate_actions(
        self, symbols: Iterable[str], start: date, end: date
    ) -> tuple[CorporateAction, ...]:
        wanted = set(symbols)
        return tuple(
            split
            for split, listed in self.splits
            if split.symbol in wanted and listed <= self.now and start <= split.ex_date <= end
        )

    def books(self, bucket: Bucket, now: datetime) -> Books:
        """Read the books as a run at this instant would, and keep its checkpoints."""
        self.now = now
        bucket.write(ADJUSTMENTS_KEY, [each for each in self.gifts if each.at <= now])
        today = now.date()
        books = read_books(self, bucket, OWN, SYMBOLS, now, (today - timedelta(days=1), today))
        if books.checkpoint is not None:
            bucket.write(checkpoint_key(OWN), books.checkpoint)
        if books.others_checkpoint is not None:
            bucket.write(others_key(OWN), books.others_checkpoint)
        return books

    def truth(self) -> Owned:
        """Compute the holdings by adding up the events one by one."""
        owned: Owned = defaultdict(lambda: defaultdict(Decimal))
        events: list[tuple[datetime, str, str, Decimal, bool]] = []
        for each in self.orders:
            desk = each.order.client_order_id[4:10]
            sign = 1 if each.order.side is Side.BUY else -1
            events.append((each.ends, desk, each.order.symbol, sign * each.order.filled_qty, False))
        events += [(gift.at, gift.desk, gift.symbol, gift.qty, False) for gift in self.gifts]
        for split, _ in self.splits:
            morning = MIDNIGHT + (split.ex_date - MIDNIGHT.date())
            assert split.ratio is not None
            events.append((morning, "", split.symbol, split.ratio, True))
        for _, desk, symbol, figure, is_split in sorted(events, key=lambda each: each[0]):
            for whose in (OWN, OTHER):
                if is_split:
                    owned[whose][symbol] *= figure
                elif whose == desk:
                    owned[whose][symbol] += figure
        return owned

    def _as_of_now(self, listed: Listed) -> Order:
        if listed.ends <= self.now:
            return listed.order
        return replace(
            listed.order,
            status="new",
            filled_qty=Decimal(0),
            filled_avg_price=None,
            filled_at=None,
        )


def filled_order(
    name: str,
    symbol: str,
    side: Side,
    qty: Decimal,
    sent: datetime,
    ends: datetime,
    price: Decimal = PRICE,
) -> Order:
    return Order(
        broker_id=f"id-{name}",
        client_order_id=name,
        symbol=symbol,
        side=side,
        order_type="limit",
        qty=qty,
        limit_price=None,
        status="filled",
        filled_qty=qty,
        filled_avg_price=price,
        submitted_at=sent,
        filled_at=ends,
    )


@st.composite
def lives(draw: st.DrawFn) -> Life:
    """Draw full and partial fills, fills of canceled orders, long-resting stops, splits and gifts.

    Orders have at most one event a minute, so the order of events is certain.
    """
    orders: list[Listed] = []
    for number in range(draw(st.integers(0, 14))):
        day = draw(st.integers(0, DAYS - 1))
        sent = MIDNIGHT + timedelta(days=day, hours=9, minutes=35, seconds=number)
        desk = draw(st.sampled_from([OWN, OWN, OTHER, "by-hand"]))
        symbol, side = draw(st.sampled_from(SYMBOLS)), draw(st.sampled_from(Side))
        kind = draw(st.sampled_from(["filled", "partly", "canceled", "stop"]))
        leg = Leg.ENTRY if side is Side.BUY else Leg.EXIT
        ends = sent + timedelta(minutes=draw(st.integers(1, 300)))
        if kind == "stop":
            leg, side = Leg.STOP, Side.SELL
            ends = ends + timedelta(days=draw(st.integers(0, 40)))
        qty = Decimal(draw(st.integers(1, 40)))
        filled = {"partly": qty / 2, "canceled": Decimal(0)}.get(kind, qty)
        name = f"user-{number}"
        if desk != "by-hand":
            name = client_order_id(OrderPlace(desk, sent.date(), "day", symbol, leg, number))
        order = filled_order(name, symbol, side, qty, sent, ends, price=PRICE + number)
        if filled < qty:
            order = replace(order, status="canceled", filled_qty=filled)
            order = order if filled else replace(order, filled_at=None)
        late = draw(st.sampled_from([0, 0, 1, LATEST]))
        orders.append(Listed(order, sent + timedelta(days=late), ends))
    splits = []
    for symbol, day in draw(
        st.lists(
            st.tuples(st.sampled_from(SYMBOLS), st.integers(0, DAYS - 1)), unique=True, max_size=4
        )
    ):
        ratio = Decimal(draw(st.sampled_from(["2", "4", "0.5", "1.25"])))
        ex_date = (MIDNIGHT + timedelta(days=day)).date()
        late = draw(st.sampled_from([-5, 0, 1, LATEST]))
        splits.append(
            (
                CorporateAction(symbol, "split", ex_date, ratio),
                MIDNIGHT + timedelta(days=day + late),
            )
        )
    gifts = [
        Adjustment(
            id=str(number),
            desk=draw(st.sampled_from([OWN, OWN, OTHER])),
            symbol=draw(st.sampled_from(SYMBOLS)),
            qty=Decimal(draw(st.sampled_from([25, 3, -2, -10]))),
            price=PRICE,
            at=MIDNIGHT + timedelta(days=draw(st.integers(0, DAYS - 1)), hours=17, seconds=number),
            reason="",
        )
        for number in range(draw(st.integers(0, 3)))
    ]
    return Life(orders, splits, gifts)


def held(holdings: dict[str, Holding]) -> dict[str, Decimal]:
    return {symbol: each.qty for symbol, each in sorted(holdings.items())}


@tried(150)
@given(life=lives(), runs=st.sets(st.integers(0, DAYS), max_size=25), at_ten=st.booleans())
def test_the_books_are_what_happened_with_the_journal_and_without_it(
    life: Life, runs: set[int], at_ten: bool
) -> None:
    bucket = Bucket()
    for day in sorted(runs):
        life.books(bucket, MIDNIGHT + timedelta(days=day, hours=10 if at_ten else 15))
    end = MIDNIGHT + timedelta(days=DAYS + LATEST + 45)
    with_journal = life.books(bucket, end)
    rebuilt = life.books(Bucket(), end)

    assert (with_journal.ledger, with_journal.others) == (rebuilt.ledger, rebuilt.others)
    truth = life.truth()
    for ledger in (rebuilt.ledger, *rebuilt.others):
        happened = {name: qty for name, qty in sorted(truth[ledger.desk].items()) if qty}
        assert held(ledger.holdings) == happened
    event(f"asked for all orders {sum(each is None for each in life.asked)} times")


@tried(60)
@given(life=lives(), days=st.sets(st.integers(0, DAYS), min_size=1, max_size=12))
def test_at_every_run_the_books_are_those_of_a_journal_that_was_lost_the_night_before(
    life: Life, days: set[int]
) -> None:
    bucket = Bucket()
    for day in sorted(days):
        now = MIDNIGHT + timedelta(days=day, hours=10)
        assert life.books(bucket, now).ledger == life.books(Bucket(), now).ledger


def test_a_checkpoint_is_never_written_over_by_an_older_one() -> None:
    life, bucket = Life([], [], []), Bucket()
    now = MIDNIGHT + timedelta(days=30)
    life.books(bucket, now)
    kept = dict(bucket.objects)
    assert checkpoint_key(OWN) in kept
    earlier = life.books(bucket, now - timedelta(days=1))
    assert (earlier.checkpoint, earlier.others_checkpoint) == (None, None)
    assert bucket.objects == kept


def test_a_stop_that_rests_for_weeks_is_listed_and_all_else_is_not_folded_again_forever() -> None:
    sent = MIDNIGHT + timedelta(days=20, hours=9)
    name = client_order_id(OrderPlace(OWN, sent.date(), "day", "IBM", Leg.STOP, 0))
    fills = sent + timedelta(days=60)
    stop = filled_order(name, "IBM", Side.SELL, Decimal(5), sent, fills)
    life = Life([Listed(stop, sent, fills)], [], [])
    bucket = Bucket()
    life.books(bucket, sent + timedelta(days=30))
    assert life.books(bucket, sent + timedelta(days=59)).ledger.holdings == {}
    after = life.asked[-1]
    assert after is not None
    assert after < sent < after + timedelta(minutes=2)
    for later in (60.1, 65, 71, 90):
        assert held(life.books(bucket, sent + timedelta(days=later)).ledger.holdings) == {"IBM": -5}
    after = life.asked[-1]
    assert after is not None
    assert after > fills
