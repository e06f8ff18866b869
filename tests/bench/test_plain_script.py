from __future__ import annotations

import pytest

from local.paper_broker.data import synthetic_symbol
from tests.bench.day import opened_session, run_script
from tests.bench.orders import reached_desk

SYMBOLS = [synthetic_symbol(number) for number in range(1, 16)]


@pytest.mark.runs
def test_the_plain_script_buys_what_the_desk_buys() -> None:
    with opened_session(len(SYMBOLS), len(SYMBOLS)) as watch:
        run_script(watch, SYMBOLS)
        script = {each["symbol"]: int(each["qty"]) for each in watch.broker.orders()}
    with opened_session(len(SYMBOLS), len(SYMBOLS)) as watch, reached_desk(watch, SYMBOLS) as world:
        assert world.live().leaf is None
        desk = {each["symbol"]: int(each["qty"]) for each in watch.broker.orders()}
    assert 0 < len(desk) < len(SYMBOLS)
    assert desk.keys() == script.keys()
    # The script's quantity comes from the last close, and the desk's from the latest price.
    assert all(abs(desk[each] - script[each]) <= script[each] / 20 for each in desk)
