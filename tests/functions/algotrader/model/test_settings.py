"""Numeric settings have the template's default, except where that default would mean no limit."""

from __future__ import annotations

import re

import pytest
from msgspec import structs

from algotrader.adapters.settings import load_settings
from algotrader.contracts import decode, encode
from algotrader.errors import InvalidInputError
from algotrader.model import BOUNDS, Settings
from tests.support.checkout import CHECKOUT
from tests.support.settings import default_variables

FUNCTIONS = CHECKOUT / "functions"
ENVIRON = {**default_variables(), "STACK_NAME": "desk"}


def test_a_number_is_never_missing_and_its_default_is_the_templates() -> None:
    template = encode(load_settings(ENVIRON))
    defaults = {
        each.name: encode(each.default) for each in structs.fields(Settings) if not each.required
    }
    expected = {*BOUNDS, "text_template", "unfit_symbols"} - {"capital"}
    assert defaults == {name: template[name] for name in expected}


def test_a_run_without_a_cap_or_a_list_of_denied_symbols_is_refused() -> None:
    for field in ("capital", "deny_symbols", "symbols", "mode", "live_account_number"):
        state = encode(load_settings(ENVIRON))
        del state[field]
        with pytest.raises(InvalidInputError):
            decode(Settings, state, "settings")


def test_settings_come_only_from_the_deployment() -> None:
    makers = {
        path.relative_to(FUNCTIONS).as_posix()
        for path in FUNCTIONS.rglob("*.py")
        if re.search(r"(?<!class )\bSettings\(", path.read_text(encoding="utf-8"))
    }
    assert makers == {"algotrader/adapters/settings.py"}
