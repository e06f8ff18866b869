"""The adapter reads from each example in Alpaca's documents what a shareholder gains and loses.

The figures are worked out by hand from the examples' rates.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from importlib.resources import files
from typing import Any

import pytest
from msgspec.structs import replace

from algotrader.adapters.alpaca import AlpacaBroker
from algotrader.model import CorporateAction, NewShares
from tests.functions.algotrader.adapters.scripted_broker import Answer, ScriptedBroker, Seen

D = Decimal


def new(symbol: str, rate: str) -> NewShares:
    return NewShares(symbol, D(rate))


def action(
    symbol: str, kind: str, day: str, payable: str | None = None, **changes: Any
) -> CorporateAction:
    paid = None if payable is None else date.fromisoformat(payable)
    plain: dict[str, Any] = {"ratio": None, "payable": paid}
    return CorporateAction(symbol, kind, date.fromisoformat(day), **{**plain, **changes})


#: Keyed by the symbol whose holder gains or loses something.
EXPECTED = {
    "GCAD": action(  # 0.45855 + 0.11019
        "GCAD", "capital_gains_distribution", "2025-12-26", "2026-01-09", cash=D("0.56874")
    ),
    "FCF": action("FCF", "cash_dividend", "2023-05-04", "2023-05-19", cash=D("0.125")),
    "AAPL": action("AAPL", "cash_dividend", "2026-05-09", "2026-05-15", cash=D("0.24")),
    "GLOP": action("GLOP", "cash_merger", "2023-07-17", "2023-07-17", cash=D("5.37")),
    "TWTR": action(
        "TWTR", "cash_merger", "2026-04-01", "2026-04-05", cash=D("54.20"), others=("X",)
    ),
    "SRE": action("SRE", "forward_split", "2023-08-22", "2023-08-21", ratio=D(2)),
    "NVDA": action("NVDA", "forward_split", "2026-06-10", "2026-06-09", ratio=D(10)),
    "BSAQ": action("BSAQ", "name_change", "2023-08-15", others=("VFS",), shares=(new("VFS", "1"),)),
    "FB": action("FB", "name_change", "2026-06-09", others=("META",), shares=(new("META", "1"),)),
    "EXMP-call": action("EXMP", "equity_partial_call", "2026-06-10", "2026-06-15"),
    "ORPHY": action("ORPHY", "redemption", "2023-06-13", "2023-06-13", cash=D("0.141134")),
    "XYZ": action("XYZ", "redemption", "2026-07-01", "2026-07-03", cash=D(10)),
    "OLDCO": action(
        "OLDCO",
        "reorganization",
        "2026-08-15",
        "2026-08-20",
        cash=D(5),
        others=("NEWCO",),
        shares=(new("NEWCO", "0.1"),),
    ),
    "MNTS": action("MNTS", "reverse_split", "2023-08-24", ratio=D("0.02")),
    "EXMP.L": action("EXMP.L", "reverse_split", "2026-09-01", "2026-09-02", ratio=D("0.05")),
    "IFN": action(
        "IFN",
        "rights_distribution",
        "2024-04-17",
        "2024-04-19",
        others=("IFN.RTWI",),
        shares=(new("IFN.RTWI", "1"),),
    ),
    "EXMP-rights": action(
        "EXMP",
        "rights_distribution",
        "2026-05-15",
        "2026-05-22",
        others=("EXMPR",),
        shares=(new("EXMPR", "0.25"),),
    ),
    "JUPW": action(  # one SRM for 19.35 JUPW
        "JUPW",
        "spin_off",
        "2023-08-15",
        others=("SRM",),
        shares=(NewShares("SRM", 1 / D("19.35")),),
    ),
    "T": action(
        "T",
        "spin_off",
        "2026-04-08",
        "2026-04-11",
        others=("WBD",),
        shares=(new("WBD", "0.241917"),),
    ),
    "MLVF": action(
        "MLVF",
        "stock_and_cash_merger",
        "2023-07-18",
        "2023-07-18",
        cash=D("7.8"),
        others=("FRBA",),
        shares=(new("FRBA", "0.7733"),),
    ),
    "FOXA": action(
        "FOXA",
        "stock_and_cash_merger",
        "2026-05-01",
        "2026-05-05",
        cash=D(10),
        others=("DIS",),
        shares=(new("DIS", "0.35"),),
    ),
    "MSBC": action("MSBC", "stock_dividend", "2023-05-19", "2023-05-05", ratio=D("1.05")),
    "EXMP-stock": action("EXMP", "stock_dividend", "2026-05-28", "2026-06-01", ratio=D("1.05")),
    "LSI": action(
        "LSI",
        "stock_merger",
        "2023-07-20",
        "2023-07-20",
        others=("EXR",),
        shares=(new("EXR", "0.895"),),
    ),
    "SMLCO": action(
        "SMLCO",
        "stock_merger",
        "2026-07-15",
        "2026-07-18",
        others=("BIGCO",),
        shares=(new("BIGCO", "0.75"),),
    ),
    "TPBAU": action(
        "TPBAU",
        "unit_split",
        "2023-03-01",
        others=("LVRO", "LVROW"),
        shares=(new("LVRO", "1"), new("LVROW", "0.3333")),
    ),
    "SPACU": action(
        "SPACU",
        "unit_split",
        "2026-08-01",
        "2026-08-03",
        others=("SPAC", "SPACW"),
        shares=(new("SPAC", "1"), new("SPACW", "0.5")),
    ),
    "BLPH": action("BLPH", "worthless_removal", "2024-12-19"),
    "DEADCO": action("DEADCO", "worthless_removal", "2026-09-15"),
}
#: The symbols that cease to exist, each with its replacement, or "" if it has none.
BECOMES = {
    "BSAQ": "VFS",
    "FB": "META",
    "LSI": "EXR",
    "SMLCO": "BIGCO",
    "MLVF": "FRBA",
    "FOXA": "DIS",
    "TWTR": "X",
    "GLOP": "",
    "ORPHY": "",
    "XYZ": "",
    "BLPH": "",
    "DEADCO": "",
    "TPBAU": "LVRO",
    "SPACU": "SPAC",
}
EXPECTED = {name: replace(each, becomes=BECOMES.get(name)) for name, each in EXPECTED.items()}
KEEPS_SHARES = {"GCAD", "FCF", "AAPL", "IFN", "EXMP-rights", "JUPW", "T"}
LOSES_SHARES = {
    *("GLOP", "TWTR", "BSAQ", "FB", "ORPHY", "XYZ", "OLDCO", "MLVF", "FOXA", "LSI", "SMLCO"),
    *("TPBAU", "SPACU"),
}


def examples() -> Iterator[tuple[str, dict[str, Any]]]:
    """List every example in the documents as its plural kind and its row."""
    text = files("alpaca_mcp_server").joinpath("specs/market-data-api.json").read_text()
    document = json.loads(text)
    schemas = document["components"]["schemas"]
    for plural, listed in schemas["corporate_actions"]["properties"].items():
        for row in schemas[listed["items"]["$ref"].rpartition("/")[2]].get("examples", []):
            yield plural, row
    stream = document["paths"]["/v1beta1/events/corporate-actions"]["get"]["responses"]["200"]
    for example in stream["content"]["text/event-stream"]["examples"].values():
        for event in example["value"]:
            yield event["event_type"].replace("_corporateaction_event", "s"), event["ca"]


def test_every_example_gives_what_it_pays_and_what_it_takes(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    found = set()
    for plural, row in examples():
        server.on("GET /v1/corporate-actions", {"corporate_actions": {plural: [row]}})
        symbols = {each for name, each in row.items() if name.endswith("symbol")}
        actions = broker.corporate_actions(symbols, date(2020, 1, 1), date(2030, 1, 1)) or ()
        (source,) = {*actions} & {*EXPECTED.values()}
        found.add(source)
        # Holders of a merger's buyer or of a new name neither gain nor lose anything.
        assert all(each.symbol in source.others for each in actions if each != source)
        others = [each for each in actions if each != source]
        assert not any(each.cash or each.shares or each.ratio for each in others)
        assert all(each.becomes is None for each in others)
    assert found == {*EXPECTED.values()}


def test_the_holder_keeps_shares_or_loses_them() -> None:
    assert {name for name, each in EXPECTED.items() if each.is_distribution} == KEEPS_SHARES
    assert {name for name, each in EXPECTED.items() if each.is_conversion} == LOSES_SHARES


@pytest.mark.parametrize(
    ("plural", "row"),
    [
        ("cash_dividends", {"symbol": "VOD", "rate": 4.5, "currency": "GBP"}),
        (
            "stock_and_cash_mergers",
            {
                "acquiree_symbol": "VOD",
                "acquirer_symbol": "X",
                "cash_rate": 4.5,
                "acquirer_rate": 2,
                "acquiree_rate": 1,
                "currency": "GBP",
            },
        ),
        (
            "stock_and_cash_mergers",
            {"acquiree_symbol": "VOD", "acquirer_symbol": "X", "cash_rate": 4.5},
        ),
        ("spin_offs", {"source_symbol": "VOD", "new_symbol": "X", "new_rate": 1}),
        ("name_changes", {"old_symbol": "VOD", "new_symbol": "VOD"}),  # only its CUSIP changes
    ],
)
def test_what_cannot_be_valued_whole_gets_no_value(
    server: ScriptedBroker, broker: AlpacaBroker, plural: str, row: dict[str, Any]
) -> None:
    rows = {plural: [{**row, "process_date": "2026-01-06"}]}
    server.on("GET /v1/corporate-actions", {"corporate_actions": rows})

    (found,) = broker.corporate_actions(["VOD"], date(2026, 1, 6), date(2026, 1, 6)) or ()

    assert (found.cash, found.shares) == (0, ())
    assert (found.is_distribution, found.is_conversion) == (False, False)


def test_a_merger_for_several_shares_is_counted_per_share(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    row = {
        "acquiree_symbol": "VOD",
        "acquirer_symbol": "X",
        "acquiree_rate": 4,
        "acquirer_rate": 1,
        "cash_rate": 10,
        "effective_date": "2026-01-06",
    }
    server.on("GET /v1/corporate-actions", {"corporate_actions": {"stock_and_cash_mergers": [row]}})

    (found,) = broker.corporate_actions(["VOD"], date(2026, 1, 6), date(2026, 1, 6)) or ()

    assert (found.cash, found.shares) == (D("2.5"), (new("X", "0.25"),))


def test_a_dividend_is_found_by_its_day_of_payment_months_after_its_ex_date(
    server: ScriptedBroker, broker: AlpacaBroker
) -> None:
    """Alpaca filters by ``process_date``, which for dividends is the payment date."""
    row = {
        "symbol": "IBM",
        "rate": 1.5,
        "ex_date": "2026-01-06",
        "payable_date": "2026-05-06",
        "process_date": "2026-05-06",
    }

    def listed(seen: Seen) -> Answer:
        rows = [row] if seen.query["start"] <= row["process_date"] <= seen.query["end"] else []
        return Answer({"corporate_actions": {"cash_dividends": rows}})

    server.on("GET /v1/corporate-actions", listed)

    (found,) = broker.corporate_actions(["IBM"], date(2026, 1, 6), date(2026, 1, 6)) or ()
    assert found.payable == date(2026, 5, 6)
