"""Owns brokers that break what the exactly-once statement assumes."""

from __future__ import annotations

from datetime import timedelta

from local.paper_broker.book import Book
from local.paper_broker.values import Behaviour

#: The broker fills an order one second after accepting it, so a call can find the order open.
RESTING = Behaviour(fill_delay_seconds=1.0)


class NotUnique(Book):
    """Accepts an id as often as it arrives."""

    def is_taken(self, client_order_id: str | None) -> bool:
        del client_order_id
        return False


class RacilyUnique(Book):
    """Recognizes a repeated id only after two seconds."""

    def is_taken(self, client_order_id: str | None) -> bool:
        if not super().is_taken(client_order_id):
            return False
        newest = max(self.all, key=lambda each: each.submitted_at)
        order = self.find_by_client_id(client_order_id or "")
        return newest.submitted_at - order.submitted_at > timedelta(seconds=2)


class UniqueWhileOpen(Book):
    """Frees an id as soon as its order is closed."""

    def is_taken(self, client_order_id: str | None) -> bool:
        return any(each.client_order_id == client_order_id for each in self.open)


WEAK: dict[str, type[Book]] = {
    "not unique": NotUnique,
    "racily unique": RacilyUnique,
    "unique while open": UniqueWhileOpen,
}
