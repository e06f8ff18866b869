"""Owns the errors that end a step, and nothing else.

The class name of a leaf is public API: Step Functions matches ``Retry`` and ``Catch`` on it exactly
and never on a base class. ``statemachine/trading.asl.yaml`` names every leaf; a test compares both.

::

    DeskError
    ├── TransientError                 Retry with backoff, then Catch
    │   ├── BrokerUnavailableError     no usable answer: 5xx, time-out, connection, not JSON
    │   ├── BrokerRateLimitedError     429
    │   └── OrderStateUnknownError     an order was sent and its fate is not known yet
    ├── NotFitToTradeError             Catch: the data or the hour is wrong
    │   ├── StaleBarsError             the newest bar of a symbol is too old
    │   ├── InsufficientHistoryError   too few usable bars: missing, NaN, shorter than the warm-up
    │   └── LateBellError              the bell rang too long ago
    └── PersonMustActError             Catch: repeating it changes nothing
        ├── BrokerAuthError            401, or 403 without a code
        ├── ConfigurationError         a template parameter is wrong
        ├── InvalidInputError          the execution's input is wrong
        ├── StrategyError              the strategy's file or what it returned is wrong
        ├── AccountBlockedError        the broker does not let this account trade
        ├── OrderConflictError         an order under our id has other terms
        └── DecisionConflictError      the journal holds what this run did not decide
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
        One or two sentences that say what to do.
    **facts : object
        Named values that explain the case, printed as ``key=value``. Words from outside lose what
        does not show.
    """

    def __init__(self, code: str, advice: str, **facts: object) -> None:
        self.code = code
        self.advice = advice
        self.facts = facts
        pairs = " ".join(f"{key}={value}" for key, value in facts.items())
        super().__init__(printable(f"{code}: {pairs}. {advice}" if pairs else f"{code}: {advice}"))


class TransientError(DeskError):
    """Base of the errors worth a retry."""


class BrokerUnavailableError(TransientError):
    """The broker gave no usable answer."""


class BrokerRateLimitedError(TransientError):
    """The broker answered 429."""


class OrderStateUnknownError(TransientError):
    """An order was sent and its fate is not known; the same id must be looked up again."""


class NotFitToTradeError(DeskError):
    """Base of the errors that say: not on these data, not at this hour."""


class StaleBarsError(NotFitToTradeError):
    """The newest completed bar of a symbol is older than allowed."""


class InsufficientHistoryError(NotFitToTradeError):
    """A symbol has fewer usable bars than its indicators need."""


class LateBellError(NotFitToTradeError):
    """The bell rang longer ago than allowed."""


class PersonMustActError(DeskError):
    """Base of the errors that no retry fixes."""


class BrokerAuthError(PersonMustActError):
    """The broker refused the keys."""


class ConfigurationError(PersonMustActError):
    """A template parameter, or what it names, is wrong."""


class InvalidInputError(PersonMustActError):
    """The execution's input is not one that a run may have."""


class StrategyError(PersonMustActError):
    """The strategy cannot be loaded, or returned what is not a set of target weights."""


class AccountBlockedError(PersonMustActError):
    """The broker does not let this account trade."""


class OrderConflictError(PersonMustActError):
    """An order stands under our id with terms that we never wrote down."""


class DecisionConflictError(PersonMustActError):
    """The journal holds a decision or a plan that is not this run's."""
