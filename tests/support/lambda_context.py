"""Owns a stand-in for the context that Lambda passes to a handler."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LambdaContext:
    """The attributes that Powertools reads."""

    function_name: str = "desk-step"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:desk-step"
    aws_request_id: str = "one"
