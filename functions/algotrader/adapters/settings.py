"""Owns the deployment's settings: template parameters, the broker's keys, the kill switch."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, get_type_hints
from urllib.parse import urlsplit

from algotrader.adapters import parameters
from algotrader.adapters.aws import PARAMETER_NOT_THERE, client, read_whole
from algotrader.adapters.keys import Keys
from algotrader.adapters.universes import read_symbols
from algotrader.errors import ConfigurationError
from algotrader.model import (
    BOUNDS,
    Bounds,
    OrderType,
    Settings,
    TradingMode,
    TradingState,
    parameter_of,
)
from algotrader.model.settings import SKIP, STOP, TEXT_TEMPLATE
from algotrader.model.units import Dollars, Fraction
from algotrader.plain_text import one_line
from algotrader.risk.trading_state import REASON_LENGTH, default_state, parse_state

T = TypeVar("T")

PAPER_URL = "https://paper-api.alpaca.markets"
LIVE_URL = "https://api.alpaca.markets"
DATA_URL = "https://data.alpaca.markets"

DATA_FEEDS = ("iex", "sip")
ORDER_TYPES = (OrderType.LIMIT, OrderType.MARKET, OrderType.NOTIONAL)
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
#: How to parse a number, by its type in `Settings`.
_NUMBERS: dict[object, Callable[[Bounds], Callable[[str], Any]]] = {
    int: parameters.integer,
    Dollars: parameters.dollars,
    Dollars | None: parameters.no_dollars_or_some,
    Fraction: parameters.fraction,
}


def load_settings(environ: Mapping[str, str]) -> Settings:
    """Read and check the template's parameters from Fetch Bars' environment.

    Parameters
    ----------
    environ : Mapping of str to str
        For example ``MAX_ORDER_NOTIONAL`` for the parameter ``MaxOrderNotional``; also
        ``STACK_NAME``.

    Raises
    ------
    ConfigurationError
        ``PARAMETER_MISSING`` or ``PARAMETER_INVALID``, with the parameter's name in the template,
        its value, and what is allowed; and the errors of `read_symbols`.
    """

    def read(parameter: str, parse: Callable[[str], T]) -> T:
        return _read(environ, parameter, parse)

    mode = read("TradingMode", parameters.word(TradingMode))
    symbols = read_symbols("Symbols", read("Symbols", parameters.symbols))
    denied = read_symbols("DenySymbols", read("DenySymbols", parameters.no_symbols_or_some))
    kinds = get_type_hints(Settings)
    numbers = {
        field: read(parameter_of(field), _NUMBERS[kinds[field]](bounds))
        for field, bounds in BOUNDS.items()
    }
    settings = Settings(
        stack=read("StackName", parameters.stack_name),
        mode=mode,
        live_account_number=read("LiveAccountNumber", parameters.account_number),
        strategy=read("Strategy", parameters.module),
        strategy_parameters=read("StrategyParameters", parameters.scalars),
        symbols=symbols.names,
        deny_symbols=denied.names,
        benchmark=read("Benchmark", parameters.no_symbol_or_one),
        order_type=read("OrderType", parameters.word(OrderType, *ORDER_TYPES)),
        fractional_shares=read("FractionalShares", parameters.one_of("true", "false")) == "true",
        bars_feed=read("BarsFeed", parameters.one_of(*DATA_FEEDS)),
        data_feed=read("DataFeed", parameters.one_of(*DATA_FEEDS)),
        adjustment=read("Adjustment", parameters.adjustment),
        unfit_symbols=read("UnfitSymbols", parameters.one_of(SKIP, STOP)),
        slots=read("Slots", parameters.slots),
        text_template=read("TextTemplate", one_line) or TEXT_TEMPLATE,
        universes=symbols.universes | denied.universes,
        **numbers,
    )
    if mode is TradingMode.LIVE and not settings.live_account_number:
        raise _invalid("LiveAccountNumber", "", "the live account's number for TradingMode=live")
    if settings.order_type is OrderType.NOTIONAL and not settings.fractional_shares:
        allowed = "true, because OrderType=notional buys fractions, or with OrderType=market"
        raise _invalid("FractionalShares", "false", allowed)
    return settings


def broker_urls(environ: Mapping[str, str], mode: TradingMode) -> tuple[str, str]:
    """Return the addresses for trading and for market data: the template's, or the mode's default.

    Raises
    ------
    ConfigurationError
        ``PARAMETER_INVALID`` if the address is Alpaca's for the other mode, or if live keys would
        leave this machine unencrypted. An order must never reach the wrong account.
    """
    trading = environ.get("APCA_API_BASE_URL", "").strip()
    data = environ.get("APCA_API_DATA_URL", "").strip()
    is_live = mode is TradingMode.LIVE
    wrong = urlsplit(PAPER_URL if is_live else LIVE_URL).hostname
    if trading and (urlsplit(trading).hostname or "").rstrip(".") == wrong:
        raise _invalid("AlpacaTradingUrl", trading, f"empty, or one for TradingMode={mode.value}")
    for name, url in (("AlpacaTradingUrl", trading), ("AlpacaDataUrl", data)):
        if is_live and url and not _is_private(url):
            raise _invalid(name, url, "an https address: live keys are never sent in the clear")
    return trading or (LIVE_URL if is_live else PAPER_URL), data or DATA_URL


def _is_private(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "https" or parts.hostname in LOOPBACK


def load_keys(parameter: str) -> Keys:
    """Read the broker's keys from a SecureString; its value is never shown.

    Raises
    ------
    ConfigurationError
        ``KEYS_MISSING``, ``KEYS_UNREADABLE``, ``KEYS_NOT_ENCRYPTED`` or ``KEYS_MALFORMED``, with
        the command that fixes them.
    """
    from botocore.exceptions import ClientError  # noqa: PLC0415

    try:
        found = read_whole(lambda: _parameter(parameter, WithDecryption=True))
    except ClientError as error:
        reason = error.response["Error"]["Code"]
        if reason in PARAMETER_NOT_THERE:
            raise _keys_error("KEYS_MISSING", parameter) from None
        if reason in _REFUSED:
            raise _keys_error("KEYS_UNREADABLE", parameter, problem=reason) from None
        raise
    if found.get("Type", "SecureString") != "SecureString":
        raise _keys_error("KEYS_NOT_ENCRYPTED", parameter, replace=True)
    try:
        value = json.loads(found["Value"])
        return Keys(key_id=value["key_id"].strip(), secret_key=value["secret_key"].strip())
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        # The error has no cause, because the message of the cause could quote the value.
        raise _keys_error("KEYS_MALFORMED", parameter, replace=True) from None


def read_trading_state(parameter: str, mode: TradingMode) -> tuple[TradingState, str]:
    """Read the kill switch and its reason.

    Returns
    -------
    TradingState, str
        A missing parameter means ACTIVE in dry-run and paper, HALTED in live. An unreadable
        parameter, or another word in it, means HALTED. The reason is one line.
    """
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415
    from botocore.parsers import ResponseParserError  # noqa: PLC0415

    try:
        text = str(read_whole(lambda: _parameter(parameter)["Value"]))
    except ClientError as error:
        reason = error.response["Error"]["Code"]
        if reason not in PARAMETER_NOT_THERE:
            return TradingState.HALTED, f"{parameter} cannot be read: {reason}"
        state = default_state(mode)
        is_halted = state is TradingState.HALTED
        return state, f"{parameter} is missing, and live needs it" if is_halted else ""
    except (BotoCoreError, ResponseParserError, LookupError) as error:
        return TradingState.HALTED, f"{parameter} cannot be read: {type(error).__name__}"
    said = parse_state(text)
    if said is None:
        return TradingState.HALTED, f"{parameter} says neither ACTIVE, REDUCING nor HALTED"
    state, reason = said
    return state, one_line(reason, REASON_LENGTH)


def _parameter(name: str, **options: bool) -> dict[str, Any]:
    found: dict[str, Any] = client("ssm").get_parameter(Name=name, **options)["Parameter"]
    return found


_REFUSED = frozenset(
    {"AccessDenied", "AccessDeniedException", "InvalidKeyId", "ValidationException"}
)


def _keys_error(
    code: str, parameter: str, *, replace: bool = False, **facts: str
) -> ConfigurationError:
    overwrite = " --overwrite" if replace else ""
    delete = f"aws ssm delete-parameter --name {parameter} && " if "ENCRYPTED" in code else ""
    return ConfigurationError(
        code,
        f"Run: {delete}aws ssm put-parameter --name {parameter} --type SecureString{overwrite} "
        """--value file:///dev/stdin, enter {"key_id": "...", "secret_key": "..."}, then Ctrl-D.""",
        parameter=parameter,
        **facts,
    )


def _read(environ: Mapping[str, str], parameter: str, parse: Callable[[str], T]) -> T:
    variable = re.sub(r"(?<!^)(?=[A-Z])", "_", parameter).upper()
    text = environ.get(variable)
    if text is None:
        raise ConfigurationError(
            "PARAMETER_MISSING",
            "Deploy this repository's own template.yaml, which passes on every parameter.",
            parameter=parameter,
            variable=variable,
        )
    try:
        return parse(text.strip())
    except parameters.Misfit as misfit:
        raise _invalid(parameter, text, misfit.allowed) from None


def _invalid(parameter: str, value: str, allowed: str) -> ConfigurationError:
    return ConfigurationError(
        "PARAMETER_INVALID",
        f"Deploy again with {parameter} set to {allowed}.",
        parameter=parameter,
        value=repr(value[:REASON_LENGTH]),
    )
