"""Owns the account's statement as far as it moves shares without an order."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from algotrader.adapters.alpaca import wire
from algotrader.adapters.alpaca.client import AlpacaClient
from algotrader.adapters.alpaca.faults import leaf_for
from algotrader.adapters.alpaca.reply import decoded
from algotrader.errors import DeskError
from algotrader.model import ShareMove

ACTIVITIES_PAGE = 100


class Activity(wire.Answer, frozen=True):
    """A row of ``/v2/account/activities`` that is no trade."""

    activity_type: str
    symbol: str | None = None
    qty: Decimal | None = None
    date: str | None = None
    status: str | None = None


class Statement:
    """The account's statement; every method raises leaves of `errors` alone."""

    def __init__(self, client: AlpacaClient) -> None:
        self._statement = client

    def share_moves(self, kinds: Iterable[str], after: date) -> tuple[ShareMove, ...]:
        """List the newest hundred moves of shares after a day, ascending.

        They explain a difference to a person and decide nothing: a broker that does not tell, or
        tells nonsense, gives none.

        Parameters
        ----------
        kinds : iterable of str
            Alpaca's activity types.
        """
        parameters: dict[str, str | int] = {
            "activity_types": ",".join(kinds),
            "after": f"{after.isoformat()}T00:00:00Z",
            "direction": "desc",
            "page_size": ACTIVITIES_PAGE,
        }
        try:
            reply = self._statement.read("/account/activities", parameters)
            if not reply.ok:
                raise leaf_for(reply.request, reply)
            rows = decoded(reply, list[Activity])
            moves = [
                ShareMove(row.symbol, row.activity_type, row.qty, date.fromisoformat(row.date[:10]))
                for row in rows
                if row.symbol and row.qty and row.date and row.status != "canceled"
            ]
        except (DeskError, ValueError, OSError):
            return ()
        return tuple(sorted(moves, key=lambda each: (each.on, each.symbol, each.kind)))
