"""The code in the strategy guide runs as printed."""

from __future__ import annotations

import ast
import hashlib
import inspect
import json
import pickle
import sys
import types
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from algotrader.adapters.indicators import compute
from algotrader.adapters.strategy_files import StrategyFiles
from algotrader.errors import ConfigurationError, StrategyError
from algotrader.model import Bar, FeatureValue
from algotrader.strategy import Files, Strategy, load_strategy
from algotrader.strategy.required_limits import find_flaw
from algotrader.strategy.view import Market, Portfolio, SymbolFeatures
from tests.docs.markdown import blocks
from tests.functions.algotrader.strategy.indicators.indicator_bars import columns, real_frame
from tests.functions.conftest import BUCKET
from tests.support.checkout import CHECKOUT
from tests.support.own_strategies import own_strategies

PAGE = "docs/writing-a-strategy.md"
SYMBOLS = ("AAPL", "GOOG", "IBM", "MSFT")


def files() -> dict[str, str]:
    """Return the page's Python files by the path on their first line."""
    found = {}
    for block in blocks(PAGE, "python"):
        if block.text.startswith(" "):
            continue  # a method to add to one of the files
        first, _, text = block.text.partition("\n")
        assert first.startswith("# "), f"{PAGE}:{block.line} must begin with the file's path"
        found[first.removeprefix("# ")] = text
    return found


@pytest.fixture(autouse=True)
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Write the page's strategies next to the shipped ones."""
    with own_strategies(tmp_path, monkeypatch) as write:
        for path, text in files().items():
            if path.startswith("functions/strategies/"):
                write(Path(path).stem, text)
        yield


def weights_over_a_month(strategy: Strategy, own: Files) -> list[dict[str, Decimal]]:
    """Run a strategy over real bars by session, as if it held the weights that it returned."""
    need = strategy.bars_needed()
    frames = {symbol: real_frame(symbol, date(2012, 12, 31), need + 20) for symbol in SYMBOLS}
    held: dict[str, Decimal] = {}
    asked = []
    for end in range(need, need + 21):
        bars = {symbol: columns(frame.iloc[:end]) for symbol, frame in frames.items()}
        features = compute(bars, strategy, own)
        market = Market(
            session=date(2013, 1, 2),
            as_of=features.as_of,
            symbols={
                symbol: SymbolFeatures(of, Decimal(100), features.bars[symbol])
                for symbol, of in features.values.items()
            },
        )
        held = strategy.target_weights(
            market, Portfolio(Decimal(1), dict.fromkeys(held, Decimal(1)), held)
        )
        asked.append(held)
    return asked


def check_weights(asked: list[dict[str, Decimal]]) -> None:
    assert any(asked)
    assert any(len(each) < len(SYMBOLS) for each in asked)
    assert all(type(weight) is Decimal for each in asked for weight in each.values())
    assert all(sum(each.values()) <= 1 for each in asked)


def test_the_first_strategy_of_the_page_trades_real_bars() -> None:
    strategy = load_strategy("channel_breakout", {"entry": 20, "leave": 5})
    check_weights(weights_over_a_month(strategy, Files()))


def test_the_strategy_of_the_page_that_compares_symbols_trades_real_bars() -> None:
    check_weights(weights_over_a_month(load_strategy("low_correlation", {}), Files()))


def test_the_first_strategy_of_the_page_refuses_what_its_check_refuses() -> None:
    with pytest.raises(
        ConfigurationError, match="leave must be at least 1 and less than entry: 60"
    ):
        load_strategy("channel_breakout", {"leave": 60})


def test_the_test_of_the_page_passes() -> None:
    names: dict[str, Any] = {}
    exec(files()["tests/functions/strategies/test_channel_breakout.py"], names)  # noqa: S102
    tests = [each for name, each in names.items() if name.startswith("test_")]
    assert len(tests) == 3
    for each in tests:
        each()


def test_the_model_of_the_page_is_read_and_trades_real_bars() -> None:
    (model,) = blocks(PAGE, "json")
    assert json.loads(model.text)
    strategy = load_strategy("own_model", {})
    check_weights(weights_over_a_month(strategy, Files({"own_model.json": model.text.encode()})))


class Odds:
    """A model like one that joblib loads; it predicts from the mean return."""

    def predict_proba(self, rows: list[list[float]]) -> list[list[float]]:
        return [[0.4, 0.6] if mean > 0 else [0.6, 0.4] for mean, _ in rows]


def test_the_pinned_model_of_the_page_is_read_and_no_other(
    s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    joblib = types.ModuleType("joblib")  # a stand-in that reads a pickle
    monkeypatch.setattr(joblib, "load", pickle.load, raising=False)
    monkeypatch.setitem(sys.modules, "joblib", joblib)
    content = pickle.dumps(Odds())
    s3.put_object(Bucket=BUCKET, Key="strategies/forest.joblib", Body=content)
    strategy = load_strategy("forest", {})
    with pytest.raises(StrategyError, match="STRATEGY_FILE_CHANGED"):
        StrategyFiles(BUCKET, strategy.pins).check_pins()

    (name,) = strategy.pins
    files = StrategyFiles(BUCKET, {name: hashlib.sha256(content).hexdigest()})
    files.check_pins()
    check_weights(weights_over_a_month(strategy, files))


class _Forest:
    """The page's training data: rows of features, and whether the next close was higher."""

    rows: Any
    rises: Any

    def __init__(self, *_: object, **__: object) -> None: ...

    def fit(self, rows: Any, rises: Any) -> None:
        type(self).rows, type(self).rises = rows, rises


def test_the_model_of_the_page_learns_from_what_the_strategy_computes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ensemble, joblib = types.ModuleType("sklearn.ensemble"), types.ModuleType("joblib")
    monkeypatch.setattr(ensemble, "RandomForestClassifier", _Forest, raising=False)
    monkeypatch.setattr(
        joblib, "dump", lambda _, path, **__: path.write_bytes(b"model"), raising=False
    )
    for module in (types.ModuleType("sklearn"), ensemble, joblib):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    (tmp_path / "local").symlink_to(CHECKOUT / "local")
    monkeypatch.chdir(tmp_path)
    exec(files()["train_forest.py"], {})  # noqa: S102 - the page's own code
    content = (tmp_path / "strategy-files" / "forest.joblib").read_bytes()
    assert capsys.readouterr().out.strip() == hashlib.sha256(content).hexdigest()

    class Model:
        def predict_proba(self, rows: list[list[float]]) -> list[list[float]]:
            self.row = rows[0]
            return [[0.4, 0.6]]

    model = Model()
    monkeypatch.setattr(joblib, "load", lambda _: model, raising=False)
    frame = real_frame("IBM", date(2009, 6, 30), 20)  # no split in these years
    strategy = load_strategy("forest", {})
    assert strategy.features(frame, Files({"forest.joblib": b""})) == {"odds": 0.6}
    (found,) = np.flatnonzero(np.isclose(_Forest.rows, model.row, rtol=1e-9).all(axis=1))
    later = real_frame("IBM", date(2009, 7, 1), 2)["close"]
    assert bool(_Forest.rises.iloc[found]) == (later.iloc[1] > later.iloc[0])
    assert len(_Forest.rows) > 5000


@pytest.mark.parametrize(
    ("day", "index_close", "expected"),
    [
        (date(2013, 1, 3), 90.0, {"IBM": Decimal("0.3")}),  # inside a month nothing changes
        (date(2013, 1, 2), 90.0, {}),
        (date(2013, 1, 2), 110.0, {"AAPL": Decimal("0.5")}),
    ],
)
def test_the_index_filter_of_the_page_decides_on_the_first_session_of_a_month(
    day: date, index_close: float, expected: dict[str, Decimal]
) -> None:
    def view(close: float) -> SymbolFeatures:
        average = {"average": FeatureValue(100.0, 100.0)}
        return SymbolFeatures(average, Decimal(100), Bar(100.0, close, close, close, 1.0))

    strategy = load_strategy("index_filter", {})
    assert strategy.reference == ("SPY",)
    market = Market(
        session=day,
        as_of=date(2012, 12, 31),
        symbols={"AAPL": view(101.0), "IBM": view(99.0)},
        reference={"SPY": view(index_close)},
        previous_session={2: date(2012, 12, 31), 3: date(2013, 1, 2)}[day.day],
    )
    held = {"IBM": Decimal("0.3")}
    portfolio = Portfolio(Decimal(1), {"IBM": Decimal(1)}, held)
    assert strategy.target_weights(market, portfolio) == expected


def test_the_strategy_of_the_page_that_says_why_says_it() -> None:
    def view(rsi: float) -> SymbolFeatures:
        return SymbolFeatures({"rsi": FeatureValue(rsi, rsi)}, Decimal(100))

    strategy = load_strategy("oversold", {})
    market = Market(
        session=date(2013, 1, 2),
        as_of=date(2012, 12, 31),
        symbols={"AAPL": view(21.04), "IBM": view(30.0)},
    )
    assert strategy.target_weights(market, Portfolio(Decimal(1), {}, {})).keys() == {"AAPL"}
    assert strategy.comments.explanations == {"AAPL": "RSI 21.0 is below 30"}
    assert strategy.comments.note == "1 of 2 oversold"


def test_the_parameters_that_the_page_passes_to_the_first_strategy_are_its_own() -> None:
    reported = json.loads('{"entry": 40, "leave": 10}')
    assert f"StrategyParameters={json.dumps(reported)}" in "".join(
        each.text for each in blocks(PAGE, "sh")
    )
    assert load_strategy("channel_breakout", reported).bars_needed() == 41


def test_the_limits_that_the_page_requires_are_limits() -> None:
    (text,) = [each.text for each in blocks(PAGE, "python") if each.text.startswith("    requires")]
    names: dict[str, Any] = {}
    exec(text.strip(), names)  # noqa: S102 - the page's own code
    assert find_flaw(names["requires"]) == ""
    assert names["requires"].keys() == {"MaxPositionWeight", "MaxPositions"}


def test_a_method_that_the_page_adds_is_one_that_a_strategy_has() -> None:
    texts = [each.text for each in blocks(PAGE, "python") if each.text.startswith("    def ")]
    (each,) = [ast.parse(f"class Added:\n{text}").body[0] for text in texts]
    assert isinstance(each, ast.ClassDef)
    (method,) = each.body
    assert isinstance(method, ast.FunctionDef)
    theirs = inspect.signature(getattr(Strategy, method.name))
    assert [each.arg for each in method.args.args] == list(theirs.parameters)
