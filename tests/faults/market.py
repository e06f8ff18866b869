"""Owns the two runs that fault plans disturb: a rebalance of six orders, and a run among stops.

Prices do not move, so the oracle can compare a book with the decision to the cent. The entries cost
more than the cash before the exits fill, so the run must reduce the last entry to the proceeds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import ROUND_FLOOR, Decimal

from msgspec.structs import replace

from algotrader.model import (
    Decision,
    DesiredStop,
    Leg,
    OrderIntent,
    OrderType,
    Run,
    Side,
    TradingMode,
)
from algotrader.model.units import CENT, Dollars, Price
from algotrader.orders.ids import OrderPlace, client_order_id, desk_id
from algotrader.orders.pricing import marketable_price
from local.paper_broker.data import DailyBar, History, Listing
from local.paper_broker.market import SATURDAY, new_york_instant
from tests.support.settings import SETTINGS as DEFAULTS

SESSIONS = tuple(date(2024, 3, day) for day in (4, 5, 6, 7, 8))
#: Earlier sessions, enough for the strategy's bars.
EARLIER = tuple(
    day for back in range(160, 0, -1) if (day := SESSIONS[0] - timedelta(back)).weekday() < SATURDAY
)
TODAY = SESSIONS[2]
STARTED = new_york_instant(TODAY, time(9, 35))
STRATEGY = "sma_cross"
#: The common prefix of the executions' ARNs.
MACHINE = "arn:aws:states:us-east-1:123456789012:execution:desk"
DEADLINE = timedelta(seconds=600)

PRICES = {
    "ALFA": Decimal("41.37"),
    "BETA": Decimal("88.90"),
    "CHAR": Decimal("150.25"),
    "DELT": Decimal("20.11"),
    "ECHO": Decimal("305.50"),
    "FOXT": Decimal("63.03"),
}
CASH = Decimal(500)
DESK_HOLDS = {"ALFA": Decimal(10), "BETA": Decimal(30), "CHAR": Decimal(15)}
USER_HOLDS = {"ALFA": Decimal(5), "CHAR": Decimal(4), "DELT": Decimal(7)}


@dataclass(frozen=True, slots=True)
class Scenario:
    """A run's decision, and the stops that are open when the run begins.

    Attributes
    ----------
    exits, entries, resting, buys : dict of str to int
        Shares by symbol; ``resting`` are an earlier run's stops and ``buys`` its buys, which this
        run cancels.
    protects : tuple of str
        Symbols that should have a stop at the end of the run.
    hangs : dict of str to str
        By symbol of an earlier run's order: the status that the order keeps forever.
    """

    exits: dict[str, int]
    entries: dict[str, int]
    resting: dict[str, int] = field(default_factory=dict)
    protects: tuple[str, ...] = ()
    buys: dict[str, int] = field(default_factory=dict)
    hangs: dict[str, str] = field(default_factory=dict)

    @property
    def lasts(self) -> bool:
        """Whether an approved order waits for an order that hangs, so the deadline must pass."""
        return any(each in self.exits or each in self.entries for each in self.hangs)


REBALANCE = Scenario(
    exits={"ALFA": 10, "BETA": 20, "CHAR": 15}, entries={"DELT": 60, "ECHO": 5, "FOXT": 60}
)
# The run sells all of ALFA and part of BETA, which have stops. CHAR has lost its stop, and DELT has
# never had one.
AMONG_STOPS = Scenario(
    exits={"ALFA": 10, "BETA": 20},
    entries={"DELT": 60, "ECHO": 5},
    resting={"ALFA": 10, "BETA": 30},
    protects=("ALFA", "BETA", "CHAR", "DELT"),
)
# Yesterday's buy of FOXT does not end. Nothing that the run wants depends on it.
BUY_HANGS = Scenario(
    exits={"ALFA": 10, "BETA": 20},
    entries={"DELT": 60, "ECHO": 5},
    buys={"FOXT": 2},
    hangs={"FOXT": "pending_cancel"},
)
# The stop of BETA does not end, so the run can neither sell BETA nor spend its cash. Most of ECHO
# needs that cash.
STOP_HANGS = Scenario(
    exits={"ALFA": 10, "BETA": 20},
    entries={"DELT": 20, "ECHO": 5},
    resting={"BETA": 30},
    protects=("BETA", "CHAR"),
    hangs={"BETA": "done_for_day"},
)
OLD_LEVEL, NEW_LEVEL = Decimal("0.8"), Decimal("0.85")

HISTORY = History(
    sessions=(*EARLIER, *SESSIONS),
    bars={
        symbol: tuple(
            DailyBar(day, price, price, price, price, 1000) for day in (*EARLIER, *SESSIONS)
        )
        for symbol, price in PRICES.items()
    },
    unusual_hours={},
    splits=(),
    dividends=(),
    listings={each: Listing(each, f"{each} Inc.", "NASDAQ", "000000000") for each in PRICES},
)

SETTINGS = replace(DEFAULTS, strategy=STRATEGY, symbols=tuple(PRICES))


def run_of(account_number: str, execution: int, started_at: datetime) -> Run:
    """Build the run as Fetch Bars passes it to an execution."""
    run_id = f"{TODAY}-day"
    return Run(
        run_id=run_id,
        session=TODAY,
        slot="day",
        desk=desk_id(account_number, DEFAULTS.stack),
        mode=TradingMode.PAPER,
        execution_arn=f"{MACHINE}:{execution}",
        journal=f"runs/{TODAY}/{run_id}/",
        sends_orders=True,
        entry_symbols=None,
        started_at=started_at,
        deadline=started_at + DEADLINE,
    )


def stop_level(symbol: str, part: Decimal) -> Decimal:
    """Return a stop price, a fraction of the symbol's price."""
    return (PRICES[symbol] * part).quantize(Decimal("0.01"))


def resting_id(desk: str, symbol: str, leg: Leg = Leg.STOP) -> str:
    """Return the id of an order from an earlier session."""
    return client_order_id(OrderPlace(desk, SESSIONS[1], "day", symbol, leg, 0))


def older_limit(symbol: str) -> Decimal:
    """Return the limit of an earlier session's buy."""
    return marketable_price(Price(PRICES[symbol]), Side.BUY, SETTINGS.limit_offset_bps)


def decision_of(run: Run, variant: int = 0, scenario: Scenario = REBALANCE) -> Decision:
    """Build the run's decision; each variant is what another look at the account would give."""
    cancels = (
        *(resting_id(run.desk, each) for each in scenario.resting),
        *(resting_id(run.desk, each, Leg.ENTRY) for each in scenario.buys),
    )
    reserved = sum((qty * older_limit(each) for each, qty in scenario.buys.items()), Decimal(0))
    spendable = (CASH - reserved) * (1 - SETTINGS.cash_reserve)

    def intent(symbol: str, leg: Leg, qty: int) -> OrderIntent:
        side = Side.SELL if leg is Leg.EXIT else Side.BUY
        return OrderIntent(
            client_order_id=client_order_id(
                OrderPlace(run.desk, run.session, run.slot, symbol, leg, 0)
            ),
            symbol=symbol,
            side=side,
            leg=leg,
            qty=Decimal(qty - variant),
            order_type=OrderType.LIMIT,
            limit_price=marketable_price(PRICES[symbol], side, SETTINGS.limit_offset_bps),
            reference_price=PRICES[symbol],
            why="a rebalance",
        )

    return Decision(
        run_id=run.run_id,
        strategy=STRATEGY,
        desk_capital=Decimal(8000),
        spendable=Dollars(spendable.quantize(CENT, ROUND_FLOOR)),
        target_weights={},
        exits=tuple(intent(symbol, Leg.EXIT, qty) for symbol, qty in scenario.exits.items()),
        entries=tuple(intent(symbol, Leg.ENTRY, qty) for symbol, qty in scenario.entries.items()),
        cancels=cancels,
        denied=(),
        why={},
        stops=tuple(
            DesiredStop(
                client_order_id=client_order_id(
                    OrderPlace(run.desk, run.session, run.slot, symbol, Leg.STOP, 0)
                ),
                symbol=symbol,
                stop_price=stop_level(symbol, NEW_LEVEL),
                reference_price=PRICES[symbol],
                held=DESK_HOLDS.get(symbol, Decimal(0)),
                why="a stop",
            )
            for symbol in scenario.protects
        ),
        filled_before=dict.fromkeys(cancels, Decimal(0)),
    )


def taken_over(run: Run, execution: int) -> Run:
    """Build the run as a later execution reads it from the journal, with the same deadline."""
    return replace(run, execution_arn=run.execution_arn.rsplit(":", 1)[0] + f":{execution}")
