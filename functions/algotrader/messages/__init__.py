"""Owns the pure function that builds a run's text message, subject and e-mail."""

from __future__ import annotations

import re

from msgspec import Struct

from algotrader.messages.email import failure_email, report_email, trading_email
from algotrader.messages.failure import FailureReport, read_failure
from algotrader.messages.failure_sms import failure_sms
from algotrader.messages.gsm7 import shorten, to_gsm7
from algotrader.messages.phrases import (
    head,
    no_stop_phrase,
    nothing_phrase,
    problems_phrase,
    stops_over_phrase,
)
from algotrader.messages.run_report import RunReport
from algotrader.messages.sms import run_sms

__all__ = [
    "MAX_SUBJECT_LENGTH",
    "FailureReport",
    "RunReport",
    "Texts",
    "make_texts",
    "read_failure",
]

# SNS accepts a subject of one line with fewer than 100 ASCII characters.
MAX_SUBJECT_LENGTH = 99

_NOT_PRINTABLE_ASCII = re.compile(r"[^ -~]")


class Texts(Struct, frozen=True):
    """A run's messages; the SMS fits 160 GSM-7 septets, the subject 99 ASCII characters."""

    sms: str
    subject: str
    email: str


def make_texts(report: RunReport) -> Texts:
    """Build a run's messages from its report."""
    if report.failure is not None:
        error = " ".join(filter(None, (report.failure.error, report.failure.code)))
        return Texts(
            sms=failure_sms(report, report.failure),
            subject=_subject(f"FAILED {head(report)}: {error}"),
            email=failure_email(report, report.failure),
        )
    if report.is_report:
        return Texts(
            sms=run_sms(report),
            subject=_subject(f"{head(report)}: {_report_in_brief(report)}"),
            email=report_email(report),
        )
    return Texts(
        sms=run_sms(report),
        subject=_subject(f"{head(report)}: {_in_brief(report)}"),
        email=trading_email(report),
    )


def _in_brief(report: RunReport) -> str:
    if report.is_halted:
        waiting = report.halted_orders
        brief = f"HALTED, {_orders(len(waiting))} would be sent" if waiting else "HALTED"
    elif report.is_dry and report.intents:
        brief = f"{_orders(len(report.intents))} would be sent"
    elif report.filled:
        brief = f"{_orders(len(report.filled))} filled"
    else:
        brief = nothing_phrase(report)
    no_stop = no_stop_phrase(report, named=False)
    return ", ".join(filter(None, (brief, no_stop, problems_phrase(report, named=False))))


def _report_in_brief(report: RunReport) -> str:
    stops = stops_over_phrase(report, named=False)
    return ", ".join(filter(None, (stops, "the day's profit or loss")))


def _orders(count: int) -> str:
    return f"{count} order{'' if count == 1 else 's'}"


def _subject(words: str) -> str:
    return shorten(_NOT_PRINTABLE_ASCII.sub("?", to_gsm7(words)), MAX_SUBJECT_LENGTH)
