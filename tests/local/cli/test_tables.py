import io
from typing import Any

import pytest
from rich.console import Console

from local.cli.console import clean
from local.cli.tables import money, print_day, print_days, profit

DAY: dict[str, Any] = {
    "execution": {
        "name": "x",
        "status": "SUCCEEDED",
        "error": None,
        "cause": None,
        "seconds": 1.0,
    },
    "states": [],
    "session": "2012-02-15",
    "run_id": "2012-02-15-day",
    "decision": {"why": {"AAPL": "rose most", "IBM": "fell"}},
    "orders": [
        {
            "client_order_id": "at1-x",
            "symbol": "AAPL",
            "side": "buy",
            "qty": "68",
            "order_type": "limit",
            "limit_price": "515.29",
            "stop_price": None,
            "status": "filled",
            "filled_qty": "68",
            "filled_avg_price": "514.3",
        }
    ],
    "denied": [{"symbol": "MSFT", "code": "MAX_ORDERS", "detail": "21 of 20 [bold]x[/bold]"}],
    "notification": {"sms": "Bought 68 AAPL. P&L +12.34", "subject": "s", "email": "e"},
    "account": {
        "equity": "105012.34",  # with a deposit of 5,000
        "last_equity": "100000",
        "cash": "65027.6",
        "profit": "12.34",
    },
    "returns": {
        "symbol": "EQWT",
        "first_session": "2012-02-01",
        "last": None,
        "day": {"after": "2012-02-14", "desk": "0.0012", "benchmark": None},
        "week": {"after": "2012-02-10", "desk": "0.01", "benchmark": "0.02"},
        "month": {"after": "2012-01-31", "desk": "-0.005", "benchmark": "0.02"},
        "total": {"after": "2012-01-31", "desk": "-0.005", "benchmark": "0.02"},
    },
}


def printed(*documents: dict[str, Any], message: str = "") -> str:
    target = io.StringIO()
    console = Console(file=target, width=100, markup=False, highlight=False)
    if len(documents) == 1:
        print_day(console, documents[0], message)
    else:
        print_days(console, documents)
    return "".join(line.rstrip() + "\n" for line in target.getvalue().splitlines())


def test_a_day_shows_orders_refusals_reasons_text_and_account() -> None:
    out = printed(DAY)
    squeezed = " ".join(out.split())
    assert "buy AAPL 68 limit 515.29 filled 68 514.3" in squeezed
    assert "MSFT MAX_ORDERS 21 of 20 [bold]x[/bold]" in squeezed
    assert "AAPL rose most" in squeezed
    assert "IBM fell" in squeezed
    assert "│ Bought 68 AAPL. P&L +12.34" in out
    assert "26 characters" in out
    assert "equity 105,012.34, cash 65,027.60, profit since last close +12.34 (+0.01%)" in out
    assert "Period Desk EQWT" in squeezed
    assert "today +0.12% this week +1.00% +2.00% this month -0.50% +2.00%" in squeezed
    assert "since 2012-02-01 -0.50% +2.00%" in squeezed


def test_a_day_shows_what_the_strategy_printed_and_none_if_it_printed_nothing() -> None:
    shown = printed(DAY | {"strategy_output": ["RSI 21", "INFO two lines"]})
    assert "Strategy output\n  RSI 21\n  INFO two lines\n" in shown
    assert "Strategy output" not in printed(DAY | {"strategy_output": []})


def test_without_a_terminal_no_control_character_is_written() -> None:
    steering = DAY | {"denied": [{"symbol": "A", "code": "B", "detail": "\x1b[31mred\x07\u202e"}]}
    out = printed(steering)
    assert "[31mred" in out
    assert not {character for character in out if not character.isprintable()} - {"\n"}


def test_a_failed_run_shows_error_and_cause() -> None:
    failed = DAY | {
        "execution": DAY["execution"]
        | {"status": "FAILED", "error": "BrokerAuthError", "cause": "KEYS_REFUSED: look"},
        "decision": None,
        "orders": [],
        "account": None,
    }
    out = printed(failed)
    assert "Failure\n  BrokerAuthError\n  KEYS_REFUSED: look\n" in out
    assert "Orders" not in out


def test_a_day_without_a_decision_says_why_there_was_none() -> None:
    out = printed(
        DAY | {"decision": None, "orders": [], "denied": [], "notification": None},
        message="The exchange is closed on 2012-02-18.",
    )
    assert "Outcome\n  The exchange is closed on 2012-02-18.\n" in out
    assert "Text message" not in out


def test_several_days_are_a_row_each() -> None:
    failed = DAY | {
        "session": "2012-02-16",
        "execution": DAY["execution"] | {"status": "FAILED", "error": "StaleBarsError"},
        "account": None,
    }
    stop = DAY["orders"][0] | {"order_type": "stop", "status": "new"}
    day, failed = (each | {"orders": [*DAY["orders"], stop]} for each in (DAY, failed))
    rows = [" ".join(line.split()) for line in printed(day, failed).splitlines()]
    assert "2012-02-15 ok 1/1 1 65,027.60 105,012.34 +0.01% 1 MAX_ORDERS" in rows
    assert "2012-02-16 StaleBarsError 1/1 1 1 MAX_ORDERS" in rows
    assert "since 2012-02-01 -0.50% +2.00%" in rows


@pytest.mark.parametrize(
    ("text", "spelled"), [("1234.5", "1,234.50"), ("-0.004", "-0.00"), ("NaN", "NaN"), (None, "")]
)
def test_money_has_separators_and_cents(text: str | None, spelled: str) -> None:
    assert money(text) == spelled


@pytest.mark.parametrize(("made", "last"), [("1", None), ("1", "0"), ("1", "x"), (None, "10")])
def test_a_profit_relative_to_zero_or_an_unknown_one_is_not_reported(
    made: str | None, last: str | None
) -> None:
    assert profit({"equity": "10", "last_equity": last, "profit": made}) == ("", "")


def test_foreign_text_keeps_its_lines_and_loses_control_characters() -> None:
    assert clean("a\nb\tc\x1b[2Jd\r\x00é€") == "a\nb c[2Jdé€"
