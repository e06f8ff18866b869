"""Owns the executions that together walk every edge of the state machine."""

from __future__ import annotations

from typing import Any

Script = dict[str, list[dict[str, Any]]]

TRANSIENT = ["BrokerUnavailableError", "BrokerRateLimitedError", "OrderStateUnknownError"]
LEAVES = [
    *TRANSIENT,
    "StaleBarsError",
    "InsufficientHistoryError",
    "LateBellError",
    "BrokerAuthError",
    "ConfigurationError",
    "InvalidInputError",
    "StrategyError",
    "AccountBlockedError",
    "OrderConflictError",
    "DecisionConflictError",
]
WAKING = [
    "Lambda.CodeArtifactUserPendingException",
    "Lambda.CodeArtifactUserDeletedException",
    "Lambda.ResourceConflictException",
    "Lambda.ResourceNotReadyException",
]
PLATFORM = [
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.TooManyRequestsException",
]
DIED = ["States.Timeout", "Sandbox.Timedout", "Runtime.ExitError", "Lambda.Unknown"]
STEPS = ["Fetch Bars", "Compute Indicators", "Decide Orders", "Submit Orders", "Notify"]
RETRIED = {
    "Fetch Bars": [*WAKING, *PLATFORM, *TRANSIENT[:2]],
    "Compute Indicators": [*WAKING, *PLATFORM],
    "Decide Orders": [*WAKING, *PLATFORM],
    "Submit Orders": [*WAKING, *PLATFORM, *TRANSIENT],
    "Notify": [*WAKING, *PLATFORM],
    "Notify Failure": [*WAKING, *PLATFORM],
}


def raises(*names: str) -> list[dict[str, Any]]:
    """Raise these errors in turn, then return a good answer."""
    return [*({"raise": name} for name in names), {}]


def always(name: str) -> list[dict[str, Any]]:
    """Raise this error in every call."""
    return [{"raise": name, "message": "scripted"}]


def gives(**fields: Any) -> list[dict[str, Any]]:
    """Return a good answer with these fields changed."""
    return [{"return": fields}]


def caught() -> dict[str, Script]:
    """Return a scenario for every error class, and for an unknown error, at every step."""
    return {
        f"{step}: {error}": {step: always(error)}
        for step in STEPS
        for error in [*LEAVES, "SomethingElse"]
    }


def retried() -> dict[str, Script]:
    """Return scenarios with every error that a state retries, followed by success."""
    return {
        "each retry once": {step: raises(*RETRIED[step]) for step in STEPS},
        "each retry once, failing": {
            "Fetch Bars": always("StaleBarsError"),
            "Notify Failure": raises(*RETRIED["Notify Failure"]),
        },
        # Submit Orders retries only two deaths, so each one has its own scenario
        **{f"died: {name}": {"Submit Orders": raises(name)} for name in DIED},
    }


OUTCOMES: dict[str, Script] = {
    "happy": {},
    "closed": {"Fetch Bars": gives(outcome="CLOSED", message="It is Sunday.", run=None)},
    "duplicate": {"Fetch Bars": gives(outcome="DUPLICATE", message="Another has it.", run=None)},
    "report": {"Fetch Bars": gives(outcome="REPORT")},
    "report that cancels stops": {"Fetch Bars": gives(outcome="CANCEL_STOPS", bars=None)},
    "flatten": {"Fetch Bars": gives(outcome="FLATTEN", bars=None)},
    "no orders": {"Decide Orders": gives(outcome="NOTHING_TO_SUBMIT")},
    "slow fills": {
        "Submit Orders": [
            *gives(outcome="WORKING", wait_seconds=2) * 3,
            *gives(outcome="WORKING", wait_seconds=30) * 2,
            {},
        ]
    },
    "odd outcome of Fetch Bars": {"Fetch Bars": gives(outcome="MAYBE")},
    "odd outcome of Decide Orders": {"Decide Orders": gives(outcome=None)},
    "odd outcome of Submit Orders": {"Submit Orders": gives(outcome="")},
    "Notify broken": {"Notify": always("Boom"), "Notify Failure": always("Bang")},
    "Notify broken by a leaf": {
        "Fetch Bars": always("BrokerAuthError"),
        "Notify Failure": always("Bang"),
    },
}

SCENARIOS: dict[str, Script] = caught() | retried() | OUTCOMES

# Executions of a stack whose state machine has no topic.
WITHOUT_TOPIC: dict[str, Script] = {
    "no way left to report": {
        "Compute Indicators": always("StrategyError"),
        "Notify Failure": always("Bang"),
    }
}
