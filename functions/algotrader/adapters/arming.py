"""Owns how the arming of a live desk is read: the token in SSM, and the stack's last deploy."""

from __future__ import annotations

from datetime import datetime

import msgspec

from algotrader.adapters.aws import PARAMETER_NOT_THERE, client, whole
from algotrader.risk.arming import Arming, ArmingToken, judge, not_armed


def read_arming(parameter: str, stack_id: str, account: str, now: datetime) -> Arming:
    """Read whether the live desk is armed; whatever cannot be read means that it is not.

    Parameters
    ----------
    parameter, stack_id : str
        The token's name in SSM, and the stack whose last deploy counts.
    account : str
        Number of the account that the keys belong to.
    now : datetime
        By the broker's clock.
    """
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415
    from botocore.parsers import ResponseParserError  # noqa: PLC0415

    try:
        text = whole(lambda: _token(parameter))
        token = msgspec.json.decode(text, type=ArmingToken)
        return judge(token, account, whole(lambda: _deployed_at(stack_id)), now)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in PARAMETER_NOT_THERE:
            return not_armed(f"{parameter} is missing")
        return not_armed(f"{parameter} or the stack cannot be read, {code}")
    except (BotoCoreError, ResponseParserError, LookupError, ValueError, TypeError) as error:
        return not_armed(f"{parameter} or the stack cannot be read, {type(error).__name__}")


def _token(parameter: str) -> str:
    text: str = client("ssm").get_parameter(Name=parameter)["Parameter"]["Value"]
    return text


def _deployed_at(stack_id: str) -> datetime:
    (stack,) = client("cloudformation").describe_stacks(StackName=stack_id)["Stacks"]
    deployed: datetime = stack.get("LastUpdatedTime") or stack["CreationTime"]
    return deployed
