"""Whole runs at a broker that answers many requests with 429."""

from __future__ import annotations

from itertools import count

from local.paper_broker import PaperBrokerProcess
from local.sandbox.aws import Stack
from tests.run.conftest import Bench
from tests.support.distorting_proxy import Answer

BUSY = Answer(429, b'{"message": "too many requests."}')


def test_a_data_server_that_answers_every_third_request_with_429_ends_in_a_normal_run(
    bench: Bench, fresh: PaperBrokerProcess
) -> None:
    requests, limited = count(1), []

    def intercept(_method: str, path: str) -> Answer | None:
        if "/v2/stocks/" not in path and "corporate-actions" not in path:
            return None
        if next(requests) % 3:
            return None
        limited.append(path)
        return BUSY

    stack: Stack = bench.deploy()
    bench.proxy.intercept = intercept

    reported = bench.ring(stack, {"scheduled_time": bench.bell})

    assert (reported.status, reported.error) == ("SUCCEEDED", None)
    assert limited
    assert reported.orders_sent == len(fresh.orders()) > 0
