"""The adapter converts bars, prices and corporate actions to our types."""

from __future__ import annotations

import math
from array import array
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from algotrader.adapters.alpaca import AlpacaBroker
from algotrader.errors import BrokerUnavailableError
from algotrader.model import Bars, CorporateAction, LatestPrice, NewShares, Session
from tests.functions.algotrader.adapters.broker_answers import asset, bar
from tests.functions.algotrader.adapters.scripted_broker import Answer, ScriptedBroker

DAYS = tuple(date(2026, 1, day) for day in (1, 2, 5))


def opened(day: date, hour: int = 14, minute: int = 30) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)


def session(day: date, hour: int = 14, minute: int = 30) -> Session:
    at = opened(day, hour, minute)
    return Session(day, at, at + timedelta(hours=6))


SESSIONS = tuple(map(session, DAYS))
BEYOND = ("9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00Z")


def test_bars_are_paged_into_columns_that_begin_at_their_sessions_opens(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    pages = {
        None: {"bars": {"AAPL": [bar("2026-01-02"), bar("2026-01-05")]}, "next_page_token": "p"},
        "p": {"bars": {"AAPL": [bar("2026-01-06")], "IBM": [bar("2026-01-02")]}},
    }
    server.on("GET /v2/stocks/bars", lambda seen: Answer(pages[seen.query.get("page_token")]))
    late = session(DAYS[1], 15)

    bars = broker.bars(["IBM", "AAPL"], (late, SESSIONS[2]), "iex", "split")

    assert list(bars) == ["AAPL", "IBM"]
    assert bars["AAPL"].at == (opened(DAYS[1], 15), opened(DAYS[2]))
    assert bars["IBM"] == Bars(
        "1Day", (late.open,), *(array("d", [each]) for each in (100, 101, 99, 100, 1000))
    )


def test_a_bar_of_a_day_that_the_calendar_does_not_have_is_left_out(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    days = ("2025-12-31", "2026-01-02", "2026-01-03", "2026-01-05", "2026-01-06")
    saturday = [bar("2026-01-03")]
    server.on("GET /v2/stocks/bars", {"bars": {"AAPL": [*map(bar, days)], "IBM": saturday}})

    bars = broker.bars(["AAPL", "IBM"], SESSIONS, "iex", "split")

    assert list(bars) == ["AAPL"]
    assert bars["AAPL"].at == (opened(DAYS[1]), opened(DAYS[2]))


def test_bars_ascend_and_of_two_at_one_instant_the_last_counts(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    rows = [bar("2026-01-05", 3.0), bar("2026-01-01", 1.5), bar("2026-01-05", 5.0)]
    server.on("GET /v2/stocks/bars", {"bars": {"AAPL": rows}})

    bars = broker.bars(["AAPL"], SESSIONS, "iex", "split")["AAPL"]

    assert bars.at == (opened(DAYS[0]), opened(DAYS[2]))
    columns = (bars.open, bars.close, bars.high)
    assert [each.tolist() for each in columns] == [[1.5, 5.0], [1.5, 5.0], [2.5, 6.0]]


@pytest.mark.parametrize(
    "figure", [b"NaN", b"null", b'"NaN"', b'"x"', b"true", b"1e300", b"1e-20", b'"1e-999999"']
)
def test_a_figure_that_is_not_a_number_becomes_nan(
    server: ScriptedBroker, broker: AlpacaBroker, figure: bytes
) -> None:
    body = b'{"bars": {"AAPL": [{"t": "2026-01-02T05:00:00Z", "o": 1, "h": 1, "l": 1, "c": '
    server.on("GET /v2/stocks/bars", Answer(body + figure + b', "v": 5}]}}'))

    bars = broker.bars(["AAPL"], SESSIONS, "iex", "split")["AAPL"]

    assert math.isnan(*bars.close)
    assert bars.volume.tolist() == [5.0]


@pytest.mark.parametrize("beside", [b"1", b"NaN"])
@pytest.mark.parametrize("figure", [b"1e-999999", b"-0.1e-400", b"1e999", b"1E+400"])
def test_a_figure_too_large_for_a_float_is_not_an_alpaca_answer(
    server: ScriptedBroker, broker: AlpacaBroker, figure: bytes, beside: bytes
) -> None:
    body = b'{"bars": {"AAPL": [{"t": "2026-01-02T05:00:00Z", "o": 1, "h": 1, "l": 1, "c": '
    server.on("GET /v2/stocks/bars", Answer(body + beside + b', "v": ' + figure + b"}]}}"))

    with pytest.raises(BrokerUnavailableError, match="BROKER_ANSWER_"):
        broker.bars(["AAPL"], SESSIONS, "iex", "split")


def test_an_id_that_looks_like_a_long_exponent_is_an_id(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    server.on("GET /v2/assets/AAPL", asset("AAPL", id="1234e567-0000-0000-0000-00000000e999"))

    assert broker.assets(["AAPL"])["AAPL"].tradable


def test_a_bar_beyond_all_time_is_of_no_session_that_was_asked_for(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    beyond = [{**bar("2026-01-02"), "t": stamp} for stamp in BEYOND]
    server.on("GET /v2/stocks/bars", {"bars": {"AAPL": [*beyond, bar("2026-01-05")]}})

    bars = broker.bars(["AAPL"], SESSIONS, "iex", "split")["AAPL"]

    assert bars.at == (opened(DAYS[2]),)


def test_null_bars_are_not_bars(server: ScriptedBroker, broker: AlpacaBroker) -> None:
    server.on("GET /v2/stocks/bars", {"bars": None, "next_page_token": None})

    assert broker.bars(["AAPL"], SESSIONS, "iex", "split") == {}


def test_pages_of_bars_that_do_not_continue_are_refused(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    server.on("GET /v2/stocks/bars", {"bars": {}, "next_page_token": "again"})

    with pytest.raises(BrokerUnavailableError, match="a page token repeats"):
        broker.bars(["AAPL"], SESSIONS, "iex", "split")


def test_without_trades_no_price_exists(server: ScriptedBroker, broker: AlpacaBroker) -> None:
    server.on("GET /v2/stocks/trades/latest", {"trades": None})

    assert broker.latest_prices(["AAPL"], "iex") == {}


def test_a_symbol_without_a_trade_at_a_price_has_no_latest_price(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    server.on(
        "GET /v2/stocks/trades/latest",
        {
            "trades": {
                "AAPL": {"t": "2026-01-06T14:34:59.9Z", "p": 101.07, "s": 1},
                "IBM": {"t": "2026-01-06T14:34:59.9Z", "p": 0},
                "GOOG": None,
            }
        },
    )

    assert broker.latest_prices(["AAPL", "IBM", "GOOG"], "iex") == {
        "AAPL": LatestPrice(Decimal("101.07"), datetime(2026, 1, 6, 14, 34, 59, 900000, tzinfo=UTC))
    }


def test_corporate_actions_of_every_kind_are_reported_by_symbol(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    server.on(
        "GET /v1/corporate-actions",
        {
            "corporate_actions": {
                "forward_splits": [
                    {"symbol": "AAPL", "new_rate": 4, "old_rate": 1, "ex_date": "2026-01-06"},
                    {"symbol": "AAPL", "new_rate": 2, "old_rate": 1, "ex_date": "2026-01-20"},
                ],
                "reverse_splits": [
                    {"symbol": "GOOG", "new_rate": 1, "old_rate": 8, "ex_date": "2026-01-06"}
                ],
                "stock_dividends": [{"symbol": "MSFT", "rate": 0.05, "ex_date": "2026-01-05"}],
                "cash_dividends": [
                    {"symbol": "MSFT", "rate": 3, "ex_date": "2026-01-06", "special": True}
                ],
                "spin_offs": [
                    {
                        "source_symbol": "IBM",
                        "new_symbol": "KD",
                        "source_rate": 5,
                        "new_rate": 1,
                        "ex_date": "2026-01-06",
                    }
                ],
                "name_changes": [
                    {"old_symbol": "FB", "new_symbol": "META", "process_date": "2026-01-06"}
                ],
                "things_of_tomorrow": [{"symbol": "FB", "process_date": "2026-01-06"}],
            },
            "next_page_token": None,
        },
    )

    actions = broker.corporate_actions(
        ["AAPL", "GOOG", "MSFT", "IBM", "FB"], date(2026, 1, 5), date(2026, 1, 6)
    )

    day = date(2026, 1, 6)
    assert actions == (
        CorporateAction("MSFT", "stock_dividend", date(2026, 1, 5), Decimal("1.05")),
        CorporateAction("AAPL", "forward_split", day, Decimal(4)),
        CorporateAction(
            *("FB", "name_change", day, None, ("META",)),
            shares=(NewShares("META", Decimal(1)),),
            becomes="META",
        ),
        CorporateAction("FB", "things_of_tomorrow", day, None),
        CorporateAction("GOOG", "reverse_split", day, Decimal("0.125")),
        CorporateAction(
            "IBM", "spin_off", day, None, ("KD",), shares=(NewShares("KD", Decimal("0.2")),)
        ),
        CorporateAction("MSFT", "cash_dividend", day, None, cash=Decimal(3), is_special=True),
    )


@pytest.mark.parametrize("kind", ["cash_dividends", "cash_dividend", "CASH_DIVIDENDS"])
def test_a_cash_dividend_is_one_in_every_form_of_its_name(
    server: ScriptedBroker, broker: AlpacaBroker, kind: str
) -> None:
    row = {"symbol": "MSFT", "rate": 3, "ex_date": "2026-01-06"}
    server.on("GET /v1/corporate-actions", {"corporate_actions": {kind: [row]}})

    (action,) = broker.corporate_actions(["MSFT"], date(2026, 1, 5), date(2026, 1, 6)) or ()
    assert action.is_cash_dividend


def test_corporate_actions_are_asked_for_under_their_older_path_too(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    server.on("GET /v1beta1/corporate-actions", {"corporate_actions": {}})

    assert broker.corporate_actions(["AAPL"], date(2026, 1, 5), date(2026, 1, 6)) == ()


@pytest.mark.parametrize("status", [403, 404])
def test_corporate_actions_that_are_not_offered_are_none(
    server: ScriptedBroker, broker: AlpacaBroker, status: int
) -> None:
    server.on("*", Answer({"message": "no"}, status))

    assert broker.corporate_actions(["AAPL"], date(2026, 1, 5), date(2026, 1, 6)) is None
