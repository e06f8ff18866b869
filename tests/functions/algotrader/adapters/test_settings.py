"""Settings accept what a deployment may set, and use defaults for what it leaves out."""

from __future__ import annotations

import hashlib
import io
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from algotrader.adapters.aws import client
from algotrader.adapters.keys import Keys
from algotrader.adapters.settings import broker_urls, load_keys, load_settings, read_trading_state
from algotrader.errors import ConfigurationError
from algotrader.model import BOUNDS, OrderType, Settings, TradingMode, TradingState, parameter_of
from algotrader.model.settings import TEXT_TEMPLATE
from algotrader.model.units import Dollars, Fraction, Price, Shares
from local.sandbox.aws.template import read_template
from tests.docs.markdown import blocks, code_spans, pages, prose
from tests.support.checkout import CHECKOUT
from tests.support.own_universes import own_universes
from tests.support.settings import SETTINGS, default_variables, variable

FUNCTIONS = CHECKOUT / "functions"
KEYS_NAME = "/desk/alpaca-keys"
STATE_NAME = "/desk/trading-state"
SECRET = "MARKED-SECRET"


@cache
def template_parameters() -> dict[str, Any]:
    return dict(read_template()["Parameters"])


@pytest.fixture
def environ() -> dict[str, str]:
    return {"STACK_NAME": "desk", **default_variables()}


def test_the_templates_own_defaults_are_settings(environ: dict[str, str]) -> None:
    assert load_settings(environ) == SETTINGS


WRONG = {
    "TradingMode": ["", "Paper", "real"],
    "LiveAccountNumber": ["12 34", "1-2"],
    "Capital": ["0", "-5", "NaN", "Infinity", "1e5", "1,000", "٣"],
    "Symbols": [
        *("", ",", "AAPL,", "aapl", "AAPL,AAPL", "AAPL;IBM", "TOOLONGNAME", "../X"),
        *("@", "@Liquid", "@../x", "@a/b", "@a.txt", "@liquid,@liquid", "liquid", "@liquid AAPL"),
    ],
    "Strategy": ["", "../momentum", "Momentum Rotation", "a.b"],
    "StrategyParameters": [
        "",
        "[]",
        "{",
        "5",
        '{"a": null}',
        '{"a": [1]}',
        '{"a": {}}',
        '{"a": NaN}',
        '{"a": 1e999}',
        '{"a": 1e-999999}',
        '{"a": "\\ud800"}',
        '{"\\udfff": 1}',
        '{"a": -0.1e-400}',
        '{"a": 1, "a": 2}',
        '{"a": 99999999999999999999}',
    ],
    "MaxPositionWeight": ["0", "1.01", "35%", "nan", "-0.1", ""],
    "MaxOrderNotional": ["0", "", "inf", "9999999999999"],
    "MaxOrdersPerRun": ["0", "1.5", "-1", "", "1001"],
    "MaxGrossExposure": ["0", "1.01", "", "all"],
    "MaxTurnover": ["0", "10.01", "", "-1"],
    "MinOrderNotional": ["0", "", "-1", "1e3"],
    "DenySymbols": [",", "IBM,", "ibm", "IBM,IBM", "IBM MSFT", "@", "@../x"],
    "MaxPriceDeviation": ["0", "10.01", "", "20%"],
    "MaxDailyLoss": ["0", "1.01", "", "5%"],
    "MaxDrawdown": ["0", "1.01", "", "-0.2"],
    "Benchmark": ["spy", "SPY,QQQ", "../X", "@liquid"],
    "MinMinutesToClose": ["-1", "391", "", "0.5"],
    "LiveRampDays": ["-1", "366", "", "1.5"],
    "LiveRampNotional": ["0", "", "-1", "1e3"],
    "CashReserve": ["1.1", "-0.1", "two"],
    "MaxPriceAgeSeconds": ["0", "1.0", "1_000"],
    "MaxBarAgeSessions": ["0", "one"],
    "MaxMissingBars": ["-1", "0.0"],
    "UnfitSymbols": ["", "Skip", "no"],
    "MaxStaleShare": ["1.1", "-0.1", "10%"],
    "NoTradeBand": ["2", ""],
    "OrderType": ["stop", "LIMIT"],
    "LimitOffsetBps": ["-1", "1001", "0.5"],
    "FractionalShares": ["True", "1", ""],
    "BarsFeed": ["SIP", "otc", ""],
    "DataFeed": ["IEX", "yahoo", ""],
    "Adjustment": ["none", "", "split,split", "raw,split", "all,dividend", "split,"],
    "Slots": [
        "",
        "report",
        "day,0935",
        "1530,0935",
        "0935,0935",
        "2460",
        "935",
        "0935,0936",
        "0958,1002",
    ],
    "MaxBellAgeSeconds": ["0", ""],
    "RunDeadlineSeconds": ["9", "3601", "600.0"],
}
for _field, _bounds in BOUNDS.items():
    WRONG.setdefault(parameter_of(_field), []).extend(
        ["-0.5", "1e1", "1_0", "x", str(_bounds.highest + 1), str(_bounds.lowest - 1)]
    )


@pytest.mark.parametrize(
    "text", ["raw", "all", "split", "split,spin-off", "spin-off, dividend,split"]
)
def test_bars_may_be_adjusted_for_any_of_alpacas_kinds(environ: dict[str, str], text: str) -> None:
    found = load_settings(environ | {"ADJUSTMENT": text}).adjustment
    assert found == text.replace(" ", "")


def test_lists_stand_for_their_symbols_and_the_settings_keep_their_hashes(
    environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = own_universes(tmp_path, monkeypatch)
    write("mine", "IBM\nT\n")
    write("never", "KO\n")
    settings = load_settings(environ | {"SYMBOLS": "@mine, AAPL", "DENY_SYMBOLS": "T,@never"})
    assert settings.symbols == ("IBM", "T", "AAPL")
    assert settings.deny_symbols == ("T", "KO")
    assert settings.universes == {
        "mine": hashlib.sha256(b"IBM\nT\n").hexdigest(),
        "never": hashlib.sha256(b"KO\n").hexdigest(),
    }


@pytest.mark.parametrize("parameter", ["Symbols", "DenySymbols"])
def test_an_unknown_list_names_its_parameter(environ: dict[str, str], parameter: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(environ | {variable(parameter): "@nowhere"})
    assert caught.value.code == "UNIVERSE_UNKNOWN"
    assert f"parameter={parameter} " in str(caught.value)


@pytest.mark.parametrize(
    ("parameter", "value"), [(name, value) for name, values in WRONG.items() for value in values]
)
def test_a_wrong_value_names_its_parameter_as_the_template_spells_it(
    environ: dict[str, str], parameter: str, value: str
) -> None:
    environ[variable(parameter)] = value

    with pytest.raises(ConfigurationError) as raised:
        load_settings(environ)

    assert raised.value.code == "PARAMETER_INVALID"
    assert raised.value.facts == {"parameter": parameter, "value": repr(value)}
    assert raised.value.advice.startswith(f"Deploy again with {parameter} set to ")


NUMBERS = [
    name
    for name, kind in get_type_hints(Settings).items()
    if {int, Decimal, Dollars, Shares, Price, Fraction} & {kind, *get_args(kind)}
]
BEYOND_ALL_SENSE = [
    *("1000000000000", "9" * 400, "1e308", "1e999", "1e-999999", "0." + "0" * 400 + "1"),
    *("NaN", "Infinity", "-Infinity", "-1", "0x10", "1_0", "\u0661", "1\x00"),
]


def test_every_number_of_the_settings_has_bounds() -> None:
    assert set(BOUNDS) == set(NUMBERS)


@pytest.mark.parametrize("field", NUMBERS)
@pytest.mark.parametrize("value", BEYOND_ALL_SENSE)
def test_no_number_of_the_settings_may_be_beyond_all_sense(
    environ: dict[str, str], field: str, value: str
) -> None:
    environ[field.upper()] = value

    with pytest.raises(ConfigurationError) as raised:
        load_settings(environ)

    assert raised.value.code == "PARAMETER_INVALID"
    assert variable(str(raised.value.facts["parameter"])) == field.upper()


@pytest.mark.parametrize("field", NUMBERS)
def test_the_bounds_of_a_number_are_allowed_and_what_lies_beyond_is_not(
    environ: dict[str, str], field: str
) -> None:
    bounds = BOUNDS[field]
    environ["FRACTIONAL_SHARES"] = "true"

    assert getattr(load_settings({**environ, field.upper(): str(bounds.highest)}), field) == (
        bounds.highest
    )
    for beyond in (bounds.highest + 1, bounds.lowest - (0 if bounds.above_lowest else 1)):
        with pytest.raises(ConfigurationError, match="PARAMETER_INVALID"):
            load_settings({**environ, field.upper(): str(beyond)})


def test_every_parameter_that_a_run_obeys_is_tested_with_wrong_values() -> None:
    fields = {variable(name).lower() for name in WRONG}

    # Fetch Bars itself checks the text's form, because a wrong form must not stop a run.
    untested = {"stack", "mode", "universes", "text_template"}
    assert fields == (set(Settings.__struct_fields__) - untested) | {"trading_mode"}


def test_no_text_template_means_the_default_form(environ: dict[str, str]) -> None:
    environ["TEXT_TEMPLATE"] = " "
    assert load_settings(environ).text_template == TEXT_TEMPLATE


@pytest.mark.parametrize("name", ["", "9desk", "a desk", "desk\ud800", "d" * 129, "../desk"])
def test_a_stack_of_no_possible_name_is_reported(environ: dict[str, str], name: str) -> None:
    with pytest.raises(ConfigurationError, match=r"PARAMETER_INVALID.*StackName"):
        load_settings({**environ, "STACK_NAME": name})


@pytest.mark.parametrize("parameter", WRONG)
def test_a_parameter_that_never_arrived_is_reported(
    environ: dict[str, str], parameter: str
) -> None:
    del environ[variable(parameter)]

    with pytest.raises(ConfigurationError, match=rf"PARAMETER_MISSING.*{parameter}"):
        load_settings(environ)


def test_slots_may_be_five_minutes_apart(environ: dict[str, str]) -> None:
    environ["SLOTS"] = "0935,0940,0958,1003"

    assert load_settings(environ).slots == ("0935", "0940", "0958", "1003")


def test_a_run_may_send_a_thousand_orders_and_no_more(environ: dict[str, str]) -> None:
    assert load_settings({**environ, "MAX_ORDERS_PER_RUN": "1000"}).max_orders_per_run == 1000
    with pytest.raises(ConfigurationError) as raised:
        load_settings({**environ, "MAX_ORDERS_PER_RUN": "1001"})
    assert str(raised.value) == (
        "PARAMETER_INVALID: parameter=MaxOrdersPerRun value='1001'. Deploy again with "
        "MaxOrdersPerRun set to a whole number from 1 to 1000."
    )


def test_entries_by_value_need_fractions(environ: dict[str, str]) -> None:
    environ["ORDER_TYPE"] = "notional"
    with pytest.raises(ConfigurationError, match=r"FractionalShares.*OrderType=notional") as raised:
        load_settings({**environ, "FRACTIONAL_SHARES": "false"})
    assert raised.value.code == "PARAMETER_INVALID"

    settings = load_settings({**environ, "FRACTIONAL_SHARES": "true"})
    assert settings.order_type is OrderType.NOTIONAL


def test_spaces_around_symbols_and_slots_mean_nothing(environ: dict[str, str]) -> None:
    texts = {"SYMBOLS": " AAPL, BRK.B ", "SLOTS": "0935, 1530", "DENY_SYMBOLS": " BRK.B, XOM "}
    settings = load_settings({**environ, **texts})

    assert settings.symbols == ("AAPL", "BRK.B")
    assert settings.deny_symbols == ("BRK.B", "XOM")
    assert settings.slots == ("0935", "1530")


def test_strategy_parameters_keep_their_types(environ: dict[str, str]) -> None:
    text = '{"top": 2, "share": 0.5, "strict": true, "by": "roc"}'

    settings = load_settings({**environ, "STRATEGY_PARAMETERS": text})

    assert settings.strategy_parameters == {"top": 2, "share": 0.5, "strict": True, "by": "roc"}


@pytest.mark.parametrize("name", ["APCA_API_BASE_URL", "APCA_API_DATA_URL"])
def test_live_keys_never_leave_this_machine_in_the_clear(name: str) -> None:
    with pytest.raises(ConfigurationError, match="https"):
        broker_urls({name: "http://broker.example"}, TradingMode.LIVE)
    broker_urls({name: "https://broker.example"}, TradingMode.LIVE)
    broker_urls({name: "http://127.0.0.1:8080"}, TradingMode.LIVE)
    broker_urls({name: "http://broker.example"}, TradingMode.PAPER)


def test_live_needs_the_account_number_typed_in(environ: dict[str, str]) -> None:
    environ["TRADING_MODE"] = "live"

    with pytest.raises(ConfigurationError, match="LiveAccountNumber"):
        load_settings(environ)

    assert load_settings({**environ, "LIVE_ACCOUNT_NUMBER": "123456789"}).mode is TradingMode.LIVE


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        (TradingMode.PAPER, "https://paper-api.alpaca.markets"),
        (TradingMode.DRY_RUN, "https://paper-api.alpaca.markets"),
        (TradingMode.LIVE, "https://api.alpaca.markets"),
    ],
)
def test_the_mode_chooses_the_address(mode: TradingMode, expected: str) -> None:
    assert broker_urls({"APCA_API_BASE_URL": "", "APCA_API_DATA_URL": ""}, mode) == (
        expected,
        "https://data.alpaca.markets",
    )


def test_an_address_of_ones_own_is_taken() -> None:
    environ = {"APCA_API_BASE_URL": "http://127.0.0.1:1", "APCA_API_DATA_URL": "http://127.0.0.1:2"}

    assert broker_urls(environ, TradingMode.PAPER) == ("http://127.0.0.1:1", "http://127.0.0.1:2")


@pytest.mark.parametrize(
    ("mode", "url"),
    [
        (TradingMode.PAPER, "https://api.alpaca.markets"),
        (TradingMode.DRY_RUN, "https://API.alpaca.markets./v2/"),
        (TradingMode.LIVE, "https://paper-api.alpaca.markets"),
    ],
)
def test_the_address_of_the_other_mode_is_refused(mode: TradingMode, url: str) -> None:
    with pytest.raises(ConfigurationError, match="AlpacaTradingUrl"):
        broker_urls({"APCA_API_BASE_URL": url}, mode)


def put(name: str, value: str, kind: str) -> None:
    client("ssm").put_parameter(Name=name, Value=value, Type=kind)


@pytest.mark.usefixtures("aws")
def test_keys_are_read_from_a_secure_string() -> None:
    put(KEYS_NAME, f'{{"key_id": " PK1 ", "secret_key": "{SECRET}", "note": "x"}}', "SecureString")

    assert load_keys(KEYS_NAME) == Keys("PK1", SECRET)


@pytest.mark.usefixtures("aws")
def test_missing_keys_come_with_the_command_that_puts_them() -> None:
    with pytest.raises(ConfigurationError) as raised:
        load_keys(KEYS_NAME)

    assert raised.value.code == "KEYS_MISSING"
    assert (
        f"aws ssm put-parameter --name {KEYS_NAME} --type SecureString "
        """--value file:///dev/stdin, enter {"key_id": "...", "secret_key": "..."}, then Ctrl-D."""
    ) in str(raised.value)


def lines_for_the_keys() -> list[str]:
    """List the lines that the pages ask their readers to paste."""
    return [
        text
        for page in pages()
        for text in (*(each.text for each in blocks(page, "json")), *code_spans(prose(page)))
        if "YOUR" in text and "secret_key" in text
    ]


def test_three_pages_have_a_line_for_the_keys() -> None:
    assert len(lines_for_the_keys()) == 3


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("line", lines_for_the_keys())
def test_the_keys_are_read_from_the_line_that_a_page_asks_for(line: str) -> None:
    put(KEYS_NAME, f"{line}\n", "SecureString")

    keys = load_keys(KEYS_NAME)

    assert keys.key_id.startswith("YOUR-")
    assert keys.secret_key.startswith("YOUR-")


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize(
    "value",
    [
        SECRET,
        f'["{SECRET}"]',
        f'"{SECRET}"',
        f'{{"key_id": "PK1", "secret": "{SECRET}"}}',
        f'{{"key_id": 5, "secret_key": "{SECRET}"}}',
        f'{{"key_id": "", "secret_key": "{SECRET}"}}',
        f'{{"key_id": "PK1", "secret_key": "{SECRET} {SECRET}"}}',
        f'{{"key_id": "PK1", "secret_key": "{SECRET}"',
    ],
)
def test_malformed_keys_are_reported_without_being_shown(value: str) -> None:
    put(KEYS_NAME, value, "SecureString")

    with pytest.raises(ConfigurationError) as raised:
        load_keys(KEYS_NAME)

    assert raised.value.code == "KEYS_MALFORMED"
    assert "MARKED" not in f"{raised.value} {raised.value!r} {raised.value.__cause__}"
    assert "--overwrite" in str(raised.value)


@pytest.mark.usefixtures("aws")
def test_keys_that_lie_open_are_refused() -> None:
    put(KEYS_NAME, f'{{"key_id": "PK1", "secret_key": "{SECRET}"}}', "String")

    with pytest.raises(ConfigurationError, match="KEYS_NOT_ENCRYPTED"):
        load_keys(KEYS_NAME)


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ACTIVE", (TradingState.ACTIVE, "")),
        ("REDUCING", (TradingState.REDUCING, "")),
        ("HALTED results\tare\nout ", (TradingState.HALTED, "results are out")),
    ],
)
def test_the_trading_state_carries_its_reason(
    text: str, expected: tuple[TradingState, str]
) -> None:
    put(STATE_NAME, text, "String")

    assert read_trading_state(STATE_NAME, TradingMode.LIVE) == expected


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("text", ["active", "ACTIVE!", "GO", "ACTIVEX now"])
def test_an_unknown_trading_state_halts(text: str) -> None:
    put(STATE_NAME, text, "String")

    state, reason = read_trading_state(STATE_NAME, TradingMode.PAPER)

    assert state is TradingState.HALTED
    assert reason == f"{STATE_NAME} says neither ACTIVE, REDUCING nor HALTED"


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        (TradingMode.DRY_RUN, TradingState.ACTIVE),
        (TradingMode.PAPER, TradingState.ACTIVE),
        (TradingMode.LIVE, TradingState.HALTED),
    ],
)
def test_a_missing_trading_state_halts_only_in_live(
    mode: TradingMode, expected: TradingState
) -> None:
    assert read_trading_state(STATE_NAME, mode)[0] is expected


@pytest.mark.usefixtures("aws")
def test_a_trading_state_that_cannot_be_read_halts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SSM", "http://127.0.0.1:1")
    monkeypatch.setattr("algotrader.adapters.aws.ATTEMPTS", 1)
    client.cache_clear()

    state, reason = read_trading_state(STATE_NAME, TradingMode.PAPER)

    assert state is TradingState.HALTED
    assert "cannot be read" in reason


@pytest.mark.usefixtures("aws")
def test_a_trading_state_behind_a_gateway_that_answers_itself_halts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("algotrader.adapters.aws.BROKEN_PAUSES_SECONDS", (0, 0))

    def answer(request: AWSPreparedRequest, **_: object) -> AWSResponse:
        body = io.BytesIO(b"<html>gateway</html>")
        body.stream = lambda **_: iter([body.read()])
        return AWSResponse(request.url, 200, {}, body)

    client("ssm").meta.events.register_first("before-send.ssm", answer)

    state, reason = read_trading_state(STATE_NAME, TradingMode.PAPER)

    assert state is TradingState.HALTED
    assert "cannot be read" in reason
