"""Keys appear nowhere, and the desk redacts them when a broker repeats them."""

from __future__ import annotations

import html
import json
import string
import time
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algotrader.adapters.keys import LONGEST_SEARCHED, SHORTEST_KEY, Keys, redact
from tests.support.examples import tried

LETTERS = string.ascii_letters + string.digits + string.punctuation
KEY = st.text(LETTERS, min_size=SHORTEST_KEY, max_size=24)
SPELLINGS = {
    "as it is": str,
    "JSON": lambda key: json.dumps(key)[1:-1],
    "JSON with escaped slashes": lambda key: json.dumps(key)[1:-1].replace("/", "\\/"),
    "JSON in escapes alone": lambda key: "".join(f"\\u00{ord(each):02X}" for each in key),
    "JSON within JSON": lambda key: json.dumps(json.dumps(key))[3:-3],
    "HTML": html.escape,
    "HTML in numbers": lambda key: "".join(f"&#{ord(each)};" for each in key),
    "a URL": lambda key: quote(key, safe=""),
    "capitals": str.upper,
}


def test_keys_are_not_in_their_own_repr() -> None:
    assert "secret" not in repr(Keys("the-key-secret", "the-secret"))


@pytest.mark.parametrize("spelling", SPELLINGS)
@tried(40)
@given(key=KEY, before=st.text(" {<:\"'", max_size=3))
def test_a_key_that_a_body_repeats_is_hidden_however_it_is_written(
    spelling: str, key: str, before: str
) -> None:
    body = f"{before}{SPELLINGS[spelling](key)} is wrong"
    assert redact(body.encode(), "unrelated-key", key) == f"{before}*** is wrong".encode()


@tried(40)
@given(key=KEY, message=st.text(max_size=40), code=st.integers())
def test_what_holds_no_key_comes_back_as_it_was(key: str, message: str, code: int) -> None:
    body = json.dumps({"message": message, "code": code}, ensure_ascii=False).encode()
    longer = f"{key}-which-is-longer-than-any-message-of-forty-letters"
    assert redact(body, longer) == body


def test_a_json_body_stays_json() -> None:
    key = "APCA\\key\"with'all/of<it>"
    body = json.dumps({"message": f"no {key}!", "code": 1}).encode()
    assert json.loads(redact(body, key)) == {"message": "no ***!", "code": 1}


def test_what_is_too_short_for_a_key_hides_nothing() -> None:
    assert redact(b'{"id": "order_id"}', "id", "order") == b'{"id": "order_id"}'


def test_a_page_of_bars_costs_next_to_nothing_and_hides_a_key_as_it_is() -> None:
    body = b'{"c": 515.29}, ' * (4 * LONGEST_SEARCHED) + b"a-long-key"
    started = time.perf_counter()
    assert redact(body, "a-long-key", "another-long-key").endswith(b"***")
    assert time.perf_counter() - started < 1
