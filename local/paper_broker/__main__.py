"""Owns the broker's command line: ``python -m local.paper_broker``."""

from __future__ import annotations

import argparse
from datetime import date
from decimal import Decimal, InvalidOperation

import msgspec

from local.paper_broker.broker import Options
from local.paper_broker.faults import Fault, parse
from local.paper_broker.rate_limit import REQUESTS_PER_MINUTE
from local.paper_broker.server import serve
from local.paper_broker.values import AccountSetup, Behaviour
from local.server_process import end_with_parent


def main(arguments: list[str] | None = None) -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(
        prog="python -m local.paper_broker",
        description="A paper broker on real daily bars that speaks Alpaca's REST v2.",
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1")
    add("--port", type=int, default=0, help="0 takes a free port")
    add("--session", type=date.fromisoformat, help="start at its bell (default: the last session)")
    add("--clock-scale", type=float, default=1.0, help="simulated seconds per real second")
    add("--cash", type=_number, default=AccountSetup().cash, help="dollars to start with")
    add("--hold", type=_holding, action="append", default=[], metavar="SYMBOL=QTY")
    add("--multiplier", type=int, choices=(1, 2), default=2, help="1: cash only, 2: margin")
    add("--seed", default=AccountSetup().seed, help="the seed of all ids")
    add("--key-id", help="with --secret-key, the only keys that are accepted")
    add("--secret-key")
    add("--real-time-sip", action="store_true", help="a data plan with recent SIP data")
    add("--behaviour", type=_behaviour, default=Behaviour(), metavar="JSON")
    add("--faults", type=_faults, default=(), metavar="PLAN", help="see docs/paper-broker.md")
    add("--synthetic", type=int, default=0, metavar="N", help="add N random walks")
    add("--moving-prices", action="store_true", help="the price follows synthetic minutes")
    add("--answer-seconds", type=float, default=0.0, help="real seconds that each request takes")
    add(
        "--requests-per-minute",
        type=int,
        default=REQUESTS_PER_MINUTE,
        metavar="N",
        help="of each API, by the broker's clock; 0 means no limit",
    )
    # `PaperBrokerProcess` passes a listening socket. The broker then ends when its parent does.
    add("--descriptor", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.descriptor is not None:
        end_with_parent()
    options = Options(
        opening=AccountSetup(given.cash, dict(given.hold), given.multiplier, given.seed),
        behaviour=given.behaviour,
        session=given.session,
        clock_scale=given.clock_scale,
        keys=(given.key_id, given.secret_key) if given.key_id and given.secret_key else None,
        real_time_sip=given.real_time_sip,
        faults=given.faults,
        synthetic=given.synthetic,
        moving_prices=given.moving_prices,
        answer_seconds=given.answer_seconds,
        requests_per_minute=given.requests_per_minute,
    )
    try:
        serve(options, given.host, given.port, given.descriptor)
    except (ValueError, OSError) as error:
        parser.error(str(error))


def _number(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        message = f"not a number: {text}"
        raise argparse.ArgumentTypeError(message)
    return number


def _holding(text: str) -> tuple[str, Decimal]:
    symbol, _, qty = text.partition("=")
    return symbol, _number(qty)


def _faults(text: str) -> tuple[Fault, ...]:
    try:
        return parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _behaviour(text: str) -> Behaviour:
    try:
        return msgspec.json.decode(text, type=Behaviour, strict=False)
    except msgspec.MsgspecError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


if __name__ == "__main__":
    main()
