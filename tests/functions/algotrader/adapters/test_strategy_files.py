"""A strategy reads the user's own objects under strategies/ in the bucket, and no others."""

from __future__ import annotations

from typing import Any

import pytest

from algotrader.adapters.strategy_files import StrategyFiles
from algotrader.errors import StrategyError
from tests.functions.conftest import BUCKET


def test_a_file_is_read_by_its_name_below_strategies(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="strategies/models/gaps.json", Body=b"[1]")
    assert StrategyFiles(BUCKET)["models/gaps.json"] == b"[1]"


def test_a_missing_file_is_told_with_the_command_that_uploads_it(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="runs/model.json", Body=b"not the user's")
    with pytest.raises(StrategyError) as caught:
        StrategyFiles(BUCKET)["model.json"]
    assert caught.value.code == "STRATEGY_FILE_MISSING"
    assert f"aws s3 cp model.json s3://{BUCKET}/strategies/model.json" in str(caught.value)


def test_a_file_is_read_once(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="strategies/m", Body=b"first")
    files = StrategyFiles(BUCKET)
    assert files["m"] == b"first"
    s3.put_object(Bucket=BUCKET, Key="strategies/m", Body=b"second")
    assert files["m"] == b"first"
    assert StrategyFiles(BUCKET)["m"] == b"second"


def test_in_and_get_answer_for_a_missing_file_without_an_error(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="strategies/there", Body=b"x")
    files = StrategyFiles(BUCKET)
    assert "there" in files
    assert "absent" not in files
    assert 5 not in files
    assert files.get("absent") is None
    assert files.get("there", b"") == b"x"


def test_the_names_of_all_files_can_be_listed(s3: Any) -> None:
    for key in ("strategies/", "strategies/a", "strategies/models/b", "runs/other"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"x")
    files = StrategyFiles(BUCKET)
    assert list(files) == ["a", "models/b"]
    assert len(files) == 2


def test_nothing_is_asked_of_s3_before_a_file_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    files = StrategyFiles("no-such-bucket")
    assert files.bucket == "no-such-bucket"
