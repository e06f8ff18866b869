"""Owns the texts that a run sends, made from values alone."""

from __future__ import annotations

import re
from dataclasses import dataclass

from algotrader.messages.email import failure_email, report_email, trading_email
from algotrader.messages.failure import Breakdown, read_breakdown
from algotrader.messages.failure_sms import failure_sms
from algotrader.messages.gsm7 import shorten, to_gsm7
from algotrader.messages.phrases import head, no_stop_phrase, nothing_phrase, problems_phrase
from algotrader.messages.run_report import Outcome
from algotrader.messages.sms import report_sms, trading_sms

__all__ = [
    "MAX_SUBJECT_LENGTH",
    "Breakdown",
    "Outcome",
    "Texts",
    "make_texts",
    "read_breakdown",
]

# SNS takes less than 100 characters of ASCII in one line.
MAX_SUBJECT_LENGTH = 99

_NOT_PRINTABLE_ASCII = re.compile(r"[^ -~]")


@dataclass(frozen=True, slots=True)
class Texts:
    """What is sent: ``sms`` is at most 160 GSM-7 septets, ``subject`` at most 99 of ASCII."""

    sms: str
    subject: str
    email: str


def make_texts(outcome: Outcome) -> Texts:
    """Make the texts of a run from what is known of it at its end."""
    if outcome.breakdown is not None:
        error = " ".join(filter(None, (outcome.breakdown.error, outcome.breakdown.code)))
        return Texts(
            sms=failure_sms(outcome, outcome.breakdown),
            subject=_subject(f"FAILED {head(outcome)}: {error}"),
            email=failure_email(outcome, outcome.breakdown),
        )
    if outcome.is_report:
        return Texts(
            sms=report_sms(outcome),
            subject=_subject(f"{head(outcome)}: the day's profit or loss"),
            email=report_email(outcome),
        )
    return Texts(
        sms=trading_sms(outcome),
        subject=_subject(f"{head(outcome)}: {_in_brief(outcome)}"),
        email=trading_email(outcome),
    )


def _in_brief(outcome: Outcome) -> str:
    if outcome.is_dry and outcome.intents:
        brief = f"{_orders(len(outcome.intents))} would be sent"
    elif outcome.filled:
        brief = f"{_orders(len(outcome.filled))} filled"
    else:
        brief = nothing_phrase(outcome)
    no_stop = no_stop_phrase(outcome, named=False)
    return ", ".join(filter(None, (brief, no_stop, problems_phrase(outcome, named=False))))


def _orders(count: int) -> str:
    return f"{count} order{'' if count == 1 else 's'}"


def _subject(words: str) -> str:
    return shorten(_NOT_PRINTABLE_ASCII.sub("?", to_gsm7(words)), MAX_SUBJECT_LENGTH)
