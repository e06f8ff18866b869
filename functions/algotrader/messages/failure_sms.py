"""Owns the text message of a failed run: what failed, whether orders are out, what to do."""

from __future__ import annotations

from algotrader.messages.failure import FailureReport
from algotrader.messages.gsm7 import SEGMENT_SEPTETS, septets, shorten, to_gsm7
from algotrader.messages.phrases import (
    head,
    no_stop_phrase,
    orders_sent,
    resting_phrase,
    stops_over_phrase,
)
from algotrader.messages.run_report import RunReport

_NAME_SEPTETS = 50
_FACTS_SEPTETS = 40
_LEAST_ADVICE_SEPTETS = 20


def failure_sms(report: RunReport, failure: FailureReport) -> str:
    """Format a failure: what failed, whether orders are out, the key facts and what to do.

    If the error name and the reason code leave too little room, the message omits the name. Facts
    and advice share the remaining room and are cut between words.
    """
    facts = to_gsm7(". ".join((*report.notes, failure.facts)))
    advice = to_gsm7(failure.advice)
    known = _known(report, failure, septets(facts) + septets(advice) + len("  ."))
    room = SEGMENT_SEPTETS - septets(known) - len("  ")
    notes = septets(to_gsm7(". ".join(report.notes))) + len(".....")
    share = min(max(room // 2, room - septets(advice), notes), room)
    facts = _sentence(shorten(facts, share - len(".")))
    room -= septets(facts)
    if septets(advice) > room:
        advice = shorten(advice, room) if room >= _LEAST_ADVICE_SEPTETS else ""
    return shorten(" ".join(filter(None, (known, facts, advice))), SEGMENT_SEPTETS)


def _known(report: RunReport, failure: FailureReport, rest: int) -> str:
    error = shorten(to_gsm7(failure.error), _NAME_SEPTETS)
    code = shorten(to_gsm7(failure.code), _NAME_SEPTETS)
    known = (
        orders_sent(report, failure),
        no_stop_phrase(report, named=False),
        stops_over_phrase(report, named=False),
        resting_phrase(report, failure),
    )
    sent = ". ".join(filter(None, known))
    both = to_gsm7(f"FAILED {head(report)}: {error} {code}".rstrip() + f". {sent}.")
    room = min(rest, _FACTS_SEPTETS + _LEAST_ADVICE_SEPTETS)
    if not code or septets(both) + room <= SEGMENT_SEPTETS:
        return both
    return to_gsm7(f"FAILED {head(report)}: {code}. {sent}.")


def _sentence(words: str) -> str:
    return words if not words or words.endswith((".", "!", "?")) else f"{words}."
