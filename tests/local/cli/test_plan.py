"""`plan` lets the real machine decide, prints the orders with their reasons, and sends none."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from rich.console import Console

from local.cli.app import run_command
from local.cli.decision_tables import print_plan
from local.paper_broker import PaperBrokerProcess

Command = Callable[..., Any]

ORDER: dict[str, Any] = {
    "side": "buy",
    "symbol": "AAPL",
    "qty": "63",
    "limit_price": "515.29",
    "reference_price": "514.26",
}
DECIDED: dict[str, Any] = {
    "execution": {"status": "SUCCEEDED", "error": None, "cause": None},
    "session": "2012-02-15",
    "decision": {
        "strategy": "momentum_rotation",
        "desk_capital": "98000.00",
        "spendable": "65535.5",
        "target_weights": {"AAPL": "0.3333"},
        "exits": [],
        "entries": [ORDER],
        "cancels": [],
        "denied": [],
        "why": {"GOOG": "nothing to do", "AAPL": "rose most"},
    },
    "orders": [],
    "denied": [],
    "notification": None,
    "account": None,
    "returns": None,
}


def printed(message: str = "", document: dict[str, Any] | None = None, **decided: Any) -> str:
    target = io.StringIO()
    console = Console(file=target, width=100, markup=False, highlight=False)
    whole = DECIDED | {"decision": DECIDED["decision"] | decided} | (document or {})
    print_plan(console, whole, message)
    return "\n".join(" ".join(line.split()) for line in target.getvalue().splitlines())


def test_a_plan_names_unfit_symbols_and_what_happens_to_the_targets() -> None:
    stale = {"code": "BARS_STALE", "detail": "newest bar 2012-02-10, 3 sessions old"}
    out = printed(unfit={"IBM": stale}, remarks=["the run scales the other targets"])
    assert "IBM BARS_STALE newest bar 2012-02-10, 3 sessions old" in out
    assert "the run scales the other targets" in out
    assert "Unfit" not in printed()


def test_a_plan_shows_its_orders_with_reasons_and_amounts() -> None:
    out = printed()
    assert "Orders that the run would send on 2012-02-15" in out
    assert "buy AAPL 63 515.29 32,463.27 33.1%" in out
    assert "AAPL rose most\nGOOG nothing to do" in out
    assert "Target weights of momentum_rotation" in out
    assert "AAPL 33.33%" in out
    assert "desk capital 98,000.00, spendable 65,535.50" in out
    assert out.endswith("Nothing was sent.")
    assert "Denied" not in out
    assert "cancel" not in out


def test_a_market_order_is_valued_at_the_latest_price() -> None:
    assert "buy AAPL 63 market 32,398.38 33.1%" in printed(entries=[ORDER | {"limit_price": None}])


def test_sells_come_first_and_the_plan_says_that_buys_depend_on_them() -> None:
    out = printed(exits=[ORDER | {"side": "sell", "symbol": "IBM"}], cancels=["at1-x-stale"])
    assert out.index("sell IBM") < out.index("buy AAPL")
    assert "Orders to cancel first\nat1-x-stale" in out
    assert "the run reduces its buys. It never increases them" in " ".join(out.split())


def test_a_denial_is_reported_with_its_code_and_numbers() -> None:
    denied = {
        "side": "buy",
        "symbol": "AAPL",
        "qty": "47",
        "code": "MAX_ORDER_NOTIONAL",
        "detail": "cost 24218.63, limit 20000.00",
    }
    out = printed(entries=[], denied=[denied])
    assert "Orders that the run would send on 2012-02-15\nnone" in out
    assert "buy AAPL 47 MAX_ORDER_NOTIONAL cost 24218.63, limit 20000.00" in out


def test_a_plan_without_targets_or_capital_is_printed_too() -> None:
    out = printed(entries=[ORDER], target_weights={}, desk_capital="0")
    assert "none, all in cash" in out
    assert "buy AAPL 63 515.29 32,463.27\n" in out


def test_a_plan_without_a_decision_says_why() -> None:
    execution = {"status": "FAILED", "error": "BrokerAuthError", "cause": "KEYS_REFUSED: look"}
    out = printed(document={"decision": None, "execution": execution})
    assert "Failure\nBrokerAuthError\nKEYS_REFUSED: look" in out
    assert "Orders" not in out
    assert "It is closed." in printed("It is closed.", {"decision": None})


def test_planning_sends_nothing_and_prints_what_a_run_at_that_broker_sends(
    command: Command,
) -> None:
    with PaperBrokerProcess(session=date(2011, 6, 1)) as broker:
        planned = command("plan", "--broker-url", broker.url, "--json")
        assert planned.status == 0, planned.err
        assert broker.orders() == []
        ran = command("run", "--broker-url", broker.url, "--json")
        assert ran.status == 0, ran.err
        sent = broker.orders()
    document = planned.document
    assert document.keys() == ran.document.keys()
    assert document["session"] == ran.document["session"] == "2011-06-01"
    assert document["orders"] == []
    entries = document["decision"]["entries"]
    wanted = {(each["client_order_id"], each["qty"]) for each in entries}
    assert wanted == {(each["client_order_id"], each["qty"]) for each in sent}
    assert wanted == {(each["client_order_id"], each["qty"]) for each in ran.document["orders"]}
    assert wanted
    shown = printed(document=document, **document["decision"])
    assert "Nothing was sent." in shown
    for each in entries:
        assert each["limit_price"] in shown


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["--paper", "--broker-url", "http://h"], "cannot be combined"),
        (
            ["--broker-url", "http://h", "--session", "2012-02-15"],
            "another broker has its own clock",
        ),
        (["--parameter", "Symbol=AAPL"], "did you mean Symbols?"),
        (["--broker-url", "https://api.alpaca.markets"], "never trades a live account"),
        (["--input", "{}"], "--input"),
    ],
)
def test_wrong_usage_gets_one_line_and_status_2(
    arguments: list[str], names: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["plan", *arguments]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert names in err


def test_a_plan_that_fails_ends_with_status_1_and_names_the_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run_command(["plan", "--parameter", "Strategy=nobody"]) == 1
    out = capsys.readouterr().out
    assert "STRATEGY_UNKNOWN" in out
    assert "Nothing was sent" not in out
