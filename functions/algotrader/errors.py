"""Owns the errors that end a step.

A leaf's class name is public API, because ``Retry`` and ``Catch`` in Step Functions match the exact
name and never a base class. ``statemachine/trading.asl.yaml`` names every leaf, and a test compares
the two.

::

    DeskError
    ├── TransientError                 Retry with backoff, then Catch
    │   ├── BrokerUnavailableError     no usable answer: 5xx, time-out, connection, not JSON
    │   ├── BrokerRateLimitedError     429
    │   └── OrderStateUnknownError     an order was sent and its status is unknown
    ├── NotFitToTradeError             Catch: the data or the time is wrong
    │   ├── StaleBarsError             the newest bars are too old
    │   ├── InsufficientHistoryError   too few usable bars: missing, NaN, shorter than the warm-up
    │   └── LateBellError              the schedule started the run too late
    └── PersonMustActError             Catch: a retry does not help
        ├── BrokerAuthError            401, or 403 without a code
        ├── ConfigurationError         a template parameter is wrong
        ├── InvalidInputError          the execution's input is wrong
        ├── StrategyError              the strategy's file or result is wrong
        ├── AccountBlockedError        the broker does not let this account trade
        ├── OrderConflictError         an order with our id has different terms
        └── DecisionConflictError      the journal holds a decision of another run
"""

from __future__ import annotations

from algotrader.plain_text import printable


class DeskError(Exception):
    """Base of every error that ends a step.

    Parameters
    ----------
    code : str
        Upper-case reason code, stable across releases.
    advice : str
        One or two sentences: what happened, then what to do.
    **facts : object
        Named values, printed as ``key=value``. Invisible characters become spaces.
    """

    def __init__(self, code: str, advice: str, **facts: object) -> None:
        self.code = code
        self.advice = advice
        self.facts = facts
        pairs = " ".join(f"{key}={value}" for key, value in facts.items())
        super().__init__(printable(f"{code}: {pairs}. {advice}" if pairs else f"{code}: {advice}"))


class TransientError(DeskError):
    """Base of the errors that a retry may resolve."""


class BrokerUnavailableError(TransientError):
    """The broker gave no usable answer."""


class BrokerRateLimitedError(TransientError):
    """The broker answered 429, so it did not carry the request out.

    Parameters
    ----------
    wait_seconds : float
        How long to wait before the next request.
    """

    def __init__(self, code: str, advice: str, *, wait_seconds: float, **facts: object) -> None:
        self.wait_seconds = wait_seconds
        super().__init__(code, advice, **facts, wait_seconds=f"{wait_seconds:g}")


class OrderStateUnknownError(TransientError):
    """An order was sent and its status is unknown; the retry looks its id up again."""


class NotFitToTradeError(DeskError):
    """Base of the errors for data, or a time, that is not fit for trading."""


class StaleBarsError(NotFitToTradeError):
    """The newest completed bar of a symbol is older than allowed."""


class InsufficientHistoryError(NotFitToTradeError):
    """A symbol has fewer usable bars than its indicators need."""


class LateBellError(NotFitToTradeError):
    """The schedule started the run later than the settings allow."""


class PersonMustActError(DeskError):
    """Base of the errors that no retry resolves."""


class BrokerAuthError(PersonMustActError):
    """The broker refused the keys."""


class ConfigurationError(PersonMustActError):
    """A template parameter, or something that it names, is wrong."""


class InvalidInputError(PersonMustActError):
    """The execution's input is invalid."""


class StrategyError(PersonMustActError):
    """The strategy cannot be loaded, fails, or returns an invalid result."""


class AccountBlockedError(PersonMustActError):
    """The broker does not let this account trade."""


class OrderConflictError(PersonMustActError):
    """The broker has an order with one of our ids, but no plan of ours contains its terms."""


class DecisionConflictError(PersonMustActError):
    """The journal holds a decision or a plan that this run did not make."""
