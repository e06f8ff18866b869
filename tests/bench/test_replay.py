"""The bench repeats what a server answered, so that every measured process gets the same."""

from __future__ import annotations

from http.client import HTTPConnection
from urllib.parse import urlsplit

from tests.bench.replay import Replay
from tests.support.distorting_proxy import Answer, DistortingProxy


def asked(url: str, path: str) -> tuple[int, bytes]:
    connection = HTTPConnection(urlsplit(url).netloc, timeout=5)
    connection.request("GET", path)
    answer = connection.getresponse()
    found = answer.status, answer.read()
    connection.close()
    return found


def test_answers_repeat_in_their_order_and_from_the_first_one_on_for_each_process() -> None:
    bodies = iter([b"one", b"two"])
    counting = DistortingProxy("", intercept=lambda _method, _path: Answer(200, next(bodies)))
    with counting.serving(), Replay(counting.url).serving() as replay:
        recorded = [asked(replay.url, "/clock") for _ in range(2)]
        for _ in range(2):
            replay.repeat()
            assert [asked(replay.url, "/clock") for _ in range(2)] == recorded
    assert recorded == [(200, b"one"), (200, b"two")]
    assert [path for _, path, _ in replay.requests] == ["/clock"] * 2


def test_a_request_that_nobody_recorded_is_noted() -> None:
    replay = Replay("http://127.0.0.1:9")
    replay.repeat()
    with replay.serving():
        assert asked(replay.url, "/new")[0] == 500
    assert replay.unknown == [("GET", "/new", "")]
