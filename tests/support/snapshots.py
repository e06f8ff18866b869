"""Owns the generated decision inputs of property tests: mostly ordinary, sometimes extreme."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace

from algotrader.decision.decide import decide
from algotrader.model import (
    Account,
    Asset,
    CorporateAction,
    Decision,
    Holding,
    LatestPrice,
    Ledger,
    Leg,
    Order,
    OrderType,
    Position,
    Run,
    Settings,
    Side,
    Snapshot,
    TradingState,
)
from tests.support.desk_world import (
    DESK,
    NOW,
    UNIVERSE,
    FixedWeights,
    account,
    features,
    open_order,
    own_id,
    run,
    settings,
    snapshot,
)

MANAGED = (*UNIVERSE, "XOM")
LEGS = (Leg.ENTRY, Leg.EXIT, Leg.STOP, Leg.TARGET, Leg.FLATTEN)

odd_numbers = st.sampled_from(["0", "-1", "NaN", "Infinity", "1e15", "1e-9"]).map(Decimal)
money = st.decimals(1000, 10**6, places=2)
prices = st.decimals(1, 500, places=2) | st.decimals("0.0001", 2, places=5)
shares = st.integers(0, 2000).map(Decimal) | st.decimals(0, 2000, places=9)


def rarely(odd: st.SearchStrategy[Any], plain: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Draw from ``odd`` one time in twelve, so most situations still trade."""
    return st.integers(0, 11).flatmap(lambda die: odd if die == 3 else plain)


def symbols(of: tuple[str, ...], least: int = 0) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(of), unique=True, min_size=least)


class Situation(Struct, frozen=True):
    """All inputs of a decision."""

    run: Run
    settings: Settings
    snapshot: Snapshot
    weights: dict[str, Decimal]

    def decide(self) -> Decision:
        return decide(
            self.run, self.settings, self.snapshot, features(), FixedWeights(self.weights)
        )

    def under(self, **changes: Any) -> Situation:
        """Return the same situation with other settings."""
        return replace(self, settings=replace(self.settings, **changes))


@st.composite
def accounts(draw: st.DrawFn) -> Account:
    cash = draw(money)
    return account(
        draw(rarely(odd_numbers, st.just(cash))),
        buying_power=draw(rarely(odd_numbers, st.sampled_from([cash, cash * 2]))),
        non_marginable_buying_power=draw(rarely(odd_numbers, st.just(cash))),
    )


@st.composite
def positions(draw: st.DrawFn, held: dict[str, Holding]) -> dict[str, Position]:
    """Draw positions that mostly agree with the ledger."""
    if draw(st.booleans()):
        return {
            symbol: Position(symbol, each.qty, each.qty, each.cost) for symbol, each in held.items()
        }
    found = {}
    for symbol in MANAGED:
        own = held[symbol].qty if symbol in held else Decimal(0)
        qty = draw(rarely(shares | odd_numbers, st.sampled_from([own, own + 100])))
        available = draw(rarely(shares | odd_numbers, st.sampled_from([qty, qty, qty / 2])))
        found[symbol] = Position(symbol, qty, available, Decimal(90))
    return {symbol: found[symbol] for symbol in MANAGED if draw(rarely(st.just(0), st.just(1)))}


@st.composite
def open_orders(draw: st.DrawFn, *, own: bool) -> Order:
    symbol = draw(st.sampled_from(MANAGED))
    order_id = own_id(symbol, draw(st.sampled_from(LEGS))) if own else f"user-{symbol}"
    return open_order(
        symbol,
        draw(st.sampled_from(Side)),
        draw(st.sampled_from(["1", "50", None])),
        draw(st.sampled_from(["1", "99", None])),
        order_id,
        status=draw(st.sampled_from(["new", "partially_filled", "canceled"])),
    )


@st.composite
def weight_sets(draw: st.DrawFn) -> dict[str, Decimal]:
    chosen = draw(symbols(UNIVERSE, least=draw(st.integers(0, 3))))
    parts = [draw(st.integers(0, 100)) for _ in chosen]
    whole = max(sum(parts), draw(st.sampled_from([1, 200])))
    return {symbol: Decimal(part) / whole for symbol, part in zip(chosen, parts, strict=True)}


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    held = {
        symbol: Holding(qty=draw(rarely(odd_numbers, shares)), cost=draw(money))
        for symbol in draw(symbols(MANAGED))
    }
    known = draw(rarely(symbols(MANAGED, least=2), st.just(list(MANAGED))))
    ages = rarely(st.sampled_from([900, 901, -60, -61]), st.just(0))
    latest = {symbol: draw(rarely(odd_numbers, prices)) for symbol in known}
    gaps = st.sampled_from([Decimal(each) for each in ("1", "1", "1.01", "0.9", "1.3", "0.7")])
    closes = {
        symbol: draw(rarely(odd_numbers, gaps.map(lambda gap, price=price: price * gap)))
        for symbol, price in latest.items()
    }
    plain = snapshot()
    minutes_left = draw(rarely(st.integers(-2, 30), st.just(385)))
    return snapshot(
        session=replace(plain.session, close=NOW + timedelta(minutes=minutes_left)),
        account=draw(accounts()),
        trading_state=draw(rarely(st.sampled_from(TradingState), st.just(TradingState.ACTIVE))),
        positions=draw(positions(held)),
        own_open_orders=tuple(draw(st.lists(open_orders(own=True), max_size=1))),
        foreign_open_orders=tuple(draw(rarely(st.lists(open_orders(own=False)), st.just([])))),
        prices={
            symbol: LatestPrice(price, NOW - timedelta(seconds=draw(ages)))
            for symbol, price in latest.items()
        },
        last_closes=closes,
        assets={
            symbol: Asset(symbol, draw(rarely(st.just(False), st.just(True))), draw(st.booleans()))  # noqa: FBT003
            for symbol in known
        },
        ledger=Ledger(desk=DESK, through=None, holdings=held),
        other_desks={
            symbol: {"def456": draw(st.sampled_from([Decimal(1), Decimal("99.5"), Decimal(2000)]))}
            for symbol in draw(rarely(symbols(MANAGED), st.just([])))
        },
        corporate_actions=tuple(
            CorporateAction(symbol, "forward_split", date(2024, 3, 4), Decimal(2))
            for symbol in draw(rarely(symbols(MANAGED), st.just([])))
        ),
    )


@st.composite
def situations(draw: st.DrawFn) -> Situation:
    return Situation(
        run=run(
            entry_symbols=tuple(draw(rarely(symbols(UNIVERSE), st.just(list(UNIVERSE))))),
            sends_orders=draw(st.booleans()),
        ),
        settings=settings(
            capital=draw(st.none() | st.none() | money),
            max_position_weight=draw(st.sampled_from([Decimal(1), Decimal("0.35")])),
            max_order_notional=draw(rarely(money, st.just(Decimal(10**9)))),
            max_orders_per_run=draw(st.integers(1, 9)),
            max_gross_exposure=draw(st.sampled_from([Decimal(1), Decimal("0.5"), Decimal("0.1")])),
            max_turnover=draw(st.sampled_from([Decimal(2), Decimal("0.6"), Decimal("0.1")])),
            min_order_notional=draw(st.sampled_from([Decimal(1), Decimal(1), Decimal(5000)])),
            deny_symbols=tuple(draw(rarely(symbols(MANAGED), st.just([])))),
            max_price_deviation=draw(
                st.sampled_from([Decimal("0.2"), Decimal("0.005"), Decimal(9)])
            ),
            min_minutes_to_close=draw(st.sampled_from([0, 3, 15])),
            cash_reserve=draw(st.decimals(0, "0.5", places=2)),
            no_trade_band=draw(st.sampled_from([Decimal(0), Decimal("0.01"), Decimal("0.1")])),
            order_type=draw(
                st.sampled_from([OrderType.MARKET, OrderType.LIMIT, OrderType.NOTIONAL])
            ),
            limit_offset_bps=draw(st.integers(0, 500)),
            fractional_shares=draw(st.booleans()),
        ),
        snapshot=draw(snapshots()),
        weights=draw(weight_sets()),
    )


@st.composite
def lively_bells(draw: st.DrawFn, **limits: st.SearchStrategy[Any]) -> Situation:
    """Draw situations in which hardly anything but the given limits restricts entries."""
    amounts = st.integers(0, 400).map(Decimal)
    held = {symbol: str(draw(amounts)) for symbol in MANAGED}
    latest = {symbol: draw(st.decimals(20, 200, places=2)) for symbol in MANAGED}
    gaps = st.sampled_from([Decimal(each) for each in ("1", "0.99", "1.02", "0.85", "1.3")])
    plain = snapshot(held, cash=draw(st.decimals(5000, 10**5, places=2)))
    mine = open_order("XOM", Side.BUY, "100", "50", own_id("XOM", Leg.ENTRY))
    parts = {symbol: draw(st.integers(0, 9)) for symbol in UNIVERSE}
    whole = max(sum(parts.values()), 1)
    reported = replace(
        plain,
        prices={symbol: LatestPrice(price, NOW) for symbol, price in latest.items()},
        last_closes={symbol: price * draw(gaps) for symbol, price in latest.items()},
        own_open_orders=draw(st.sampled_from([(), (mine,)])),
        session=replace(plain.session, close=NOW + timedelta(minutes=draw(st.integers(-1, 20)))),
    )
    wide: dict[str, Any] = {
        "max_position_weight": Decimal(1),
        "max_order_notional": Decimal(10**9),
        "max_turnover": Decimal(10),
        "max_price_deviation": Decimal(10),
        "min_minutes_to_close": 0,
        "no_trade_band": Decimal(0),
    }
    return Situation(
        run=run(sends_orders=draw(st.booleans())),
        settings=settings(**{**wide, **{name: draw(each) for name, each in limits.items()}}),
        snapshot=reported,
        weights={symbol: Decimal(part) / whole for symbol, part in parts.items()},
    )
