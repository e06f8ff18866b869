"""The whole chain runs with nothing replaced: command, broker, embedded AWS, machine, functions."""

import json
import threading
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from werkzeug import Request, Response
from werkzeug.serving import make_server

from local.cli.app import run_command
from local.sandbox.runner.desk import LocalDesk
from tests.support.checkout import CHECKOUT
from tests.support.gsm7 import BASIC

Command = Callable[..., Any]

INPUTS = CHECKOUT / "events" / "execution"
TASKS = ["Fetch Bars", "Compute Indicators", "Decide Orders", "Submit Orders", "Notify"]


@pytest.fixture
def dead_broker() -> Iterator[str]:
    @Request.application
    def answer(_request: Request) -> Response:
        return Response("down for maintenance", 503)

    server = make_server("127.0.0.1", 0, answer, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def fills(document: dict[str, Any]) -> Decimal:
    """Return the cash that the run's fills brought in, negative if they cost more."""
    signs = {"buy": -1, "sell": 1}
    return sum(
        (
            signs[order["side"]]
            * Decimal(order["filled_qty"])
            * Decimal(order["filled_avg_price"] or 0)
            for order in document["orders"]
        ),
        Decimal(0),
    )


def test_run_trades_the_default_session_and_prints_one_document(command: Command) -> None:
    outcome = command("run", "--json")
    assert (outcome.status, outcome.err) == (0, "")
    document = outcome.document
    assert list(document) == [
        "execution",
        "states",
        "session",
        "run_id",
        "decision",
        "orders",
        "denied",
        "notification",
        "account",
        "returns",
        "strategy_output",
    ]
    execution = document["execution"]
    assert (execution["status"], execution["error"], execution["cause"]) == (
        "SUCCEEDED",
        None,
        None,
    )
    assert [state["name"] for state in document["states"]] == TASKS
    assert all(state["attempts"] >= 1 and state["seconds"] > 0 for state in document["states"])
    assert document["run_id"] == f"{document['session']}-day"
    filled = [order for order in document["orders"] if order["status"] == "filled"]
    assert len(filled) >= 3
    assert all(order["filled_qty"] == order["qty"] for order in filled)
    assert set(document["decision"]["why"]) == {"AAPL", "GOOG", "IBM", "MSFT"}
    sms = document["notification"]["sms"]
    assert 0 < len(sms) <= 160
    assert set(sms) <= BASIC
    assert Decimal(document["account"]["cash"]) == Decimal(100_000) + fills(document)


def test_the_account_continues_and_an_order_with_a_lost_response_exists_once(
    command: Command,
) -> None:
    lost = "submit:2:504-after-accept"
    outcome = command("run", "--sessions", "3", "--faults", lost, "--json")
    assert (outcome.status, outcome.err) == (0, "")
    runs = outcome.document["runs"]
    (fault,) = runs[0]["faults"]
    assert fault["fault"] == lost
    ids = [each["client_order_id"] for each in runs[0]["orders"]]
    assert ids.count(fault["client_order_id"]) == 1
    assert len(set(ids)) == len(ids) == 3
    assert {each["name"]: each["retries"] for each in runs[0]["states"]}["Submit Orders"] == 1

    assert [run["execution"]["status"] for run in runs] == ["SUCCEEDED"] * 3
    assert len({run["run_id"] for run in runs}) == 3
    assert [run["session"] for run in runs] == sorted(run["session"] for run in runs)
    cash, held = Decimal(100_000), dict.fromkeys(("AAPL", "GOOG", "IBM", "MSFT"), Decimal(0))
    for run in runs:
        cash += fills(run)
        assert Decimal(run["account"]["cash"]) == cash
        for order in run["orders"]:
            qty = Decimal(order["filled_qty"])
            held[order["symbol"]] += qty if order["side"] == "buy" else -qty
        assert min(held.values()) >= 0


def test_synthetic_symbols_are_traded_if_they_are_requested(command: Command) -> None:
    outcome = command("run", "--synthetic", "50", "--json")
    assert (outcome.status, outcome.err) == (0, "")
    document = outcome.document
    names = {f"SYN{number:04d}" for number in range(1, 51)}
    assert set(document["decision"]["why"]) == names
    filled = [each["symbol"] for each in document["orders"] if each["status"] == "filled"]
    assert len(filled) >= 3
    assert set(filled) <= names

    mixed = ("--synthetic", "2", "--parameter", "Symbols=@synthetic,IBM")
    outcome = command("plan", *mixed, "--json")
    assert set(outcome.document["decision"]["why"]) == {"IBM", "SYN0001", "SYN0002"}


def test_a_report_compares_with_the_fund_of_the_sample_stocks(command: Command) -> None:
    report = ("run", "--input", '{"report_only": true}', "--json")
    assert "EQWT -0.9%, " in command(*report).document["notification"]["sms"]
    other = command(*report, "--parameter", "Benchmark=IBM")
    assert "IBM " in other.document["notification"]["sms"]
    assert "EQWT" not in other.document["notification"]["email"]


def test_without_json_a_person_reads_states_orders_reasons_and_the_text(command: Command) -> None:
    bell = ("--session", "2012-02-15", "--input", f"@{INPUTS}/scheduled-bell.json")
    outcome = command("run", *bell, "--parameter", "MaxOrderNotional=32600")
    assert (outcome.status, outcome.err) == (0, "")
    assert not {character for character in outcome.out if not character.isprintable()} - {"\n"}
    for part in (*TASKS, "Run Succeeded", "Orders", "Denied", "Why", "Text message", "Account"):
        assert part in outcome.out
    assert " characters" in outcome.out


def test_a_dry_run_decides_and_sends_no_order(
    desk: LocalDesk, next_session: Callable[[], date]
) -> None:
    day = desk.run({"dry_run": True}, next_session())
    assert desk.paper_broker is not None
    assert day.document["execution"]["status"] == "SUCCEEDED"
    assert day.document["decision"]["entries"]
    assert day.document["orders"] == []
    prefix = day.document["decision"]["entries"][0]["client_order_id"].rpartition("-day-")[0]
    held = [order["client_order_id"] for order in desk.paper_broker.orders()]
    assert not [identity for identity in held if identity.startswith(prefix)]


@pytest.mark.parametrize("value", [[1, 2], "abc", 5, None, {"mode": "live"}, {"dry_run": "yes"}])
def test_an_invalid_input_is_reported_by_name_and_sends_nothing(
    desk: LocalDesk, next_session: Callable[[], date], value: Any
) -> None:
    day = desk.run(value, next_session())
    execution = day.document["execution"]
    assert (execution["status"], execution["error"]) == ("FAILED", "InvalidInputError")
    assert "INPUT_INVALID" in execution["cause"]
    assert day.document["orders"] == []
    assert day.document["notification"]["sms"]


def test_a_weekend_ends_as_market_closed(desk: LocalDesk, next_session: Callable[[], date]) -> None:
    friday = next(day for day in iter(next_session, None) if day.isoweekday() == 5)
    saturday = date.fromordinal(friday.toordinal() + 1)
    names: list[str] = []
    day = desk.run({}, saturday, ended=lambda visit: names.append(visit.name))
    assert day.document["execution"]["status"] == "SUCCEEDED"
    assert "Market Closed" in names
    assert [state["name"] for state in day.document["states"]] == ["Fetch Bars"]
    assert day.document["session"] == saturday.isoformat()
    assert day.document["decision"] is None
    assert day.document["orders"] == []
    assert day.message


def test_the_second_run_of_a_bell_is_a_duplicate(
    desk: LocalDesk, next_session: Callable[[], date]
) -> None:
    first = desk.run({}, next_session())
    names: list[str] = []
    second = desk.run({}, ended=lambda visit: names.append(visit.name))
    assert first.document["execution"]["status"] == "SUCCEEDED"
    assert second.document["execution"]["status"] == "SUCCEEDED"
    assert "Duplicate Run" in names
    assert second.document["decision"] is None


@pytest.mark.parametrize(
    "path",
    [path for path in sorted(INPUTS.glob("*.json")) if path.name != "scheduled-bell.json"],
    ids=lambda path: path.stem,
)
def test_every_sample_input_is_valid(
    desk: LocalDesk, next_session: Callable[[], date], path: Path
) -> None:
    day = desk.run(json.loads(path.read_text()), next_session())
    assert day.document["execution"]["status"] == "SUCCEEDED"


def test_only_the_named_symbols_are_bought(
    desk: LocalDesk, next_session: Callable[[], date]
) -> None:
    document = desk.run({"symbols": ["AAPL"]}, next_session()).document
    assert document["execution"]["status"] == "SUCCEEDED"
    bought = {order["symbol"] for order in document["orders"] if order["side"] == "buy"}
    assert bought <= {"AAPL"}


def test_a_report_sends_its_text_after_the_close_and_no_order(
    desk: LocalDesk, next_session: Callable[[], date]
) -> None:
    document = desk.run({"report_only": True}, next_session()).document
    assert document["execution"]["status"] == "SUCCEEDED"
    assert [state["name"] for state in document["states"]] == ["Fetch Bars", "Notify"]
    assert document["orders"] == []
    assert document["notification"]["sms"]


def test_an_unreachable_broker_fails_the_run_and_is_named(
    command: Command, dead_broker: str
) -> None:
    outcome = command("run", "--broker-url", dead_broker, "--json", seconds=40)
    assert outcome.status == 1
    document = outcome.document
    assert document["execution"]["status"] == "FAILED"
    assert document["execution"]["error"] == "BrokerUnavailableError"
    assert document["states"][0]["name"] == "Fetch Bars"
    assert document["states"][0]["attempts"] > 1
    assert document["notification"]["sms"]
    assert document["orders"] == []
    assert document["account"] is None


def test_a_session_outside_the_data_is_refused_with_the_span(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run_command(["run", "--session", "2031-01-02", "--json"]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert "2000-03-01 to 2013-03-01" in err


@pytest.mark.parametrize("verb", ["run", "plan", "up"])
def test_an_environment_that_lambda_would_refuse_is_refused_here(
    command: Command, verb: str
) -> None:
    outcome = command(verb, "--parameter", f"Symbols={'A' * 3_500}")
    assert (outcome.status, outcome.out) == (2, "")
    *_, line = outcome.err.splitlines()
    assert line.startswith("algo-trader: algo-trader cannot be deployed: the environment of Fetch")
    assert line.endswith(
        "Lambda allows 4,096. Symbols takes up 3,514 bytes. "
        "Shorten Symbols, or name a list in functions/universes."
    )
