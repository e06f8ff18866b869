"""The command refuses bad usage before it starts: status 2, one line on stderr, empty stdout."""

import pytest

from local.cli.app import run_command
from tests.support.checkout import CHECKOUT

CASES = {
    "no JSON": (["run", "--input", '{"a": }'], "line 1, column 7"),
    "no file": (["run", "--input", "@no/such.json"], "No such file"),
    "no session at all": (["run", "--sessions", "0"], "--sessions"),
    "fewer than none": (["run", "--sessions", "-3"], "--sessions"),
    "sessions in words": (["run", "--sessions", "five"], "--sessions"),
    "no date": (["run", "--session", "2012-02-30"], "'2012-02-30' is not a date"),
    "unknown parameter": (["run", "--parameter", "Symbol=AAPL"], "did you mean Symbols?"),
    "parameter without value": (["run", "--parameter", "Symbols"], "Key=Value"),
    "mode that is none": (["run", "--parameter", "TradingMode=fast"], "dry-run, paper, live"),
    "two brokers": (["run", "--paper", "--broker-url", "http://h"], "cannot be combined"),
    "no URL": (["run", "--broker-url", "localhost:80"], "give a URL"),
    "paper without keys": (["run", "--paper"], "APCA_API_KEY_ID and APCA_API_SECRET_KEY"),
    "another broker's clock": (
        ["run", "--broker-url", "http://h", "--session", "2012-02-15"],
        "another broker has its own clock",
    ),
    "another broker's days": (
        ["run", "--broker-url", "http://h", "--sessions", "2"],
        "another broker has its own clock",
    ),
    "the live account": (
        ["run", "--broker-url", "https://api.alpaca.markets"],
        "never trades a live account",
    ),
    "live with Alpaca's own address": (
        ["run", "--parameter", "TradingMode=live", "--parameter", "AlpacaTradingUrl="],
        "never trades a live account",
    ),
    "no fault": (["run", "--faults", "sell:1:504"], "the request is one of submit"),
    "another broker's faults": (
        ["run", "--broker-url", "http://h", "--faults", "submit:1:504"],
        "--faults works only with the built-in paper broker",
    ),
    "no folder of files": (["run", "--files", "no/such"], "'no/such' does not exist"),
    "no folder of files to plan with": (["plan", "--files", "no/such"], "does not exist"),
    "no folder of files to stay up with": (["up", "--files", "no/such"], "does not exist"),
    "more symbols than names": (["run", "--synthetic", "10000"], "--synthetic"),
    "another broker's symbols": (
        ["run", "--broker-url", "http://h", "--synthetic", "5"],
        "--synthetic works only with the built-in paper broker",
    ),
    "unknown option": (["run", "--fast"], "--fast"),
    "unknown command": (["runn"], "runn"),
    "stray word": (["run", "now"], "now"),
    "port that is none": (["broker", "--port", "70000"], "70000"),
    "clock that runs backward": (["broker", "--clock-scale", "-1"], "-1"),
    "no zone": (["schedule", "--timezone", "Mars/Base"], "no such time zone"),
    "zone with a path in it": (["schedule", "--timezone", "../etc"], "no such time zone"),
    "a rate": (["schedule", "--expression", "rate(5 minutes)"], "rate expression"),
    "no bell": (["schedule", "--expression", "cron(0 9 30 2 ? *)"], "starts no further runs"),
    "no fields": (["schedule", "--expression", "foo"], "'foo' has 1 field. It needs six"),
    "shares beyond all sense": (
        ["adopt", "IBM", "1e999"],
        "'1e999' is not a number of shares",
    ),
    "shares of no account": (
        ["release", "IBM", "1000000000000000000"],
        "is not a number of shares",
    ),
    "shares that are not a number": (
        ["release", "IBM", "NaN"],
        "'NaN' is not a number of shares",
    ),
    "shares below none": (["release", "IBM", "-5"], "-5 is not an option, and no command takes"),
    "a part of a share below none": (["adopt", "IBM", "-.5"], "no command takes a number below 0"),
    "shares below none after --": (["release", "IBM", "--", "-5"], "-5 is not a number of shares"),
    "an option that is none": (["release", "IBM", "5", "-x"], "No such option '-x'"),
    "a price beyond all sense": (
        ["adopt", "IBM", "1", "--cost", "1e-999999"],
        "'1e-999999' is not a number of shares",
    ),
    "no instant": (["schedule", "--after", "2026-01-05"], "give an instant"),
}


@pytest.mark.parametrize(("arguments", "names"), CASES.values(), ids=CASES)
def test_wrong_usage_gets_one_line_and_status_2(
    arguments: list[str],
    names: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("APCA_API_KEY_ID", raising=False)
    monkeypatch.delenv("APCA_API_SECRET_KEY", raising=False)
    assert run_command(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("algo-trader: ")
    assert err.count("\n") == 1
    assert names in err


def test_the_version_is_the_projects(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["--version"]) == 0
    version = CHECKOUT.joinpath("pyproject.toml").read_text()
    assert f'version = "{capsys.readouterr().out.split()[1]}"' in version


@pytest.mark.parametrize(
    "command", ["run", "plan", "up", "broker", "schedule", "halt", "reduce", "resume"]
)
def test_help_names_every_command_and_each_has_its_own(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["--help"]) == 0
    assert f"  {command} " in capsys.readouterr().out
    assert run_command([command, "--help"]) == 0
    assert f"Usage: algo-trader {command}" in capsys.readouterr().out


def test_without_a_command_the_help_is_printed_as_it_is(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run_command([]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("Usage: algo-trader [OPTIONS] COMMAND")
    assert "\n  flatten " in err
