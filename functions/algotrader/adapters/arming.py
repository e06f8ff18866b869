"""Owns the read of a live desk's arming: the token in SSM, and the stack's last deploy."""

from __future__ import annotations

from datetime import datetime

import msgspec

from algotrader.adapters.aws import PARAMETER_NOT_THERE, client, read_whole
from algotrader.risk.arming import Arming, ArmingToken, arming_problem, check_token


def read_arming(parameter: str, stack_id: str, account: str, now: datetime) -> Arming:
    """Read the live desk's arming; if the token or the stack is unreadable, the desk is not armed.

    Parameters
    ----------
    parameter, stack_id : str
        The token's name in SSM, and the stack whose last deploy ends an arming.
    account : str
        Number of the account that the keys belong to.
    now : datetime
        By the broker's clock.
    """
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415
    from botocore.parsers import ResponseParserError  # noqa: PLC0415

    try:
        text = read_whole(lambda: _token(parameter))
        token = msgspec.json.decode(text, type=ArmingToken)
        return check_token(token, account, read_whole(lambda: _deployed_at(stack_id)), now)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in PARAMETER_NOT_THERE:
            return arming_problem(f"{parameter} is missing")
        return arming_problem(f"{parameter} or the stack cannot be read, {code}")
    except (BotoCoreError, ResponseParserError, LookupError, ValueError, TypeError) as error:
        return arming_problem(f"{parameter} or the stack cannot be read, {type(error).__name__}")


def _token(parameter: str) -> str:
    text: str = client("ssm").get_parameter(Name=parameter)["Parameter"]["Value"]
    return text


def _deployed_at(stack_id: str) -> datetime:
    (stack,) = client("cloudformation").describe_stacks(StackName=stack_id)["Stacks"]
    deployed: datetime = stack.get("LastUpdatedTime") or stack["CreationTime"]
    return deployed
