"""Owns the one change that a run makes to the kill switch: from ACTIVE to REDUCING."""

from __future__ import annotations

from algotrader.adapters.aws import PARAMETER_NOT_THERE, client
from algotrader.model import TradingMode, TradingState
from algotrader.risk.trading_state import effective_state

_TAKEN = "ParameterAlreadyExists"


def reduce_if_active(parameter: str, mode: TradingMode, reason: str) -> str:
    """Replace ACTIVE with REDUCING and its reason; leave any other state unchanged.

    SSM has no conditional write. So the function reads the parameter first, compares versions to
    detect a write in between, and restores a halt that it has overwritten.

    Returns
    -------
    str
        Empty if the switch no longer says ACTIVE, otherwise the error that prevented the change.
    """
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415
    from botocore.parsers import ResponseParserError  # noqa: PLC0415

    try:
        _reduce(parameter, mode, f"{TradingState.REDUCING.value} {reason}")
    except ClientError as error:
        return str(error.response["Error"].get("Code", "an error without a code"))
    except (BotoCoreError, ResponseParserError, LookupError) as error:
        return type(error).__name__
    return ""


def _reduce(parameter: str, mode: TradingMode, text: str) -> None:
    from botocore.exceptions import ClientError  # noqa: PLC0415

    ssm = client("ssm")
    try:
        found = ssm.get_parameter(Name=parameter)["Parameter"]
    except ClientError as error:
        if error.response["Error"].get("Code") not in PARAMETER_NOT_THERE:
            raise
        if mode is not TradingMode.LIVE:  # in live, a missing parameter already means HALTED
            _create(parameter, mode, text)
        return
    if effective_state(found["Value"], mode) is not TradingState.ACTIVE:
        return
    written = ssm.put_parameter(Name=parameter, Value=text, Type="String", Overwrite=True)
    if written["Version"] == found["Version"] + 1:
        return
    between = ssm.get_parameter(Name=f"{parameter}:{written['Version'] - 1}")["Parameter"]["Value"]
    if effective_state(between, mode) is TradingState.HALTED:
        ssm.put_parameter(Name=parameter, Value=between, Type="String", Overwrite=True)


def _create(parameter: str, mode: TradingMode, text: str) -> None:
    """Create the parameter; if somebody else has just created it, check that one."""
    from botocore.exceptions import ClientError  # noqa: PLC0415

    try:
        client("ssm").put_parameter(Name=parameter, Value=text, Type="String", Overwrite=False)
    except ClientError as error:
        if error.response["Error"].get("Code") != _TAKEN:
            raise
        _reduce(parameter, mode, text)
