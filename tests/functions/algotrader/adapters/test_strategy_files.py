"""A strategy reads only the user's objects under strategies/ in the bucket."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from algotrader.adapters.strategy_files import StrategyFiles
from algotrader.errors import StrategyError
from tests.functions.conftest import BUCKET


def test_a_file_is_read_by_its_name_below_strategies(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="strategies/models/gaps.json", Body=b"[1]")
    assert StrategyFiles(BUCKET)["models/gaps.json"] == b"[1]"


def test_a_missing_file_is_reported_with_the_command_that_uploads_it(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="runs/model.json", Body=b"not the user's")
    with pytest.raises(StrategyError) as caught:
        StrategyFiles(BUCKET)["model.json"]
    assert caught.value.code == "STRATEGY_FILE_MISSING"
    assert f"aws s3 cp model.json s3://{BUCKET}/strategies/model.json" in str(caught.value)


def test_in_the_local_run_a_missing_file_is_copied_to_a_folder_of_this_machine(
    s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    del s3
    files = StrategyFiles(BUCKET)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    with pytest.raises(
        StrategyError, match=r"Copy it to strategy-files/model\.json or into"
    ) as caught:
        files["model.json"]
    assert "aws s3" not in str(caught.value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "")  # as on AWS
    with pytest.raises(StrategyError, match=r"aws s3 cp model\.json"):
        files["model.json"]


def test_a_file_is_loaded_once_a_run_and_checked_against_its_pin(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="strategies/m.json", Body=b"[1]")
    files = StrategyFiles(BUCKET, {"m.json": sha256(b"[1]")})
    loaded = files.load("m.json", json.load)
    assert loaded == [1]
    assert files.load("m.json", json.load) is loaded
    assert files.hashes() == {"m.json": sha256(b"[1]")}
    with pytest.raises(StrategyError, match="STRATEGY_FILE_CHANGED"):
        StrategyFiles(BUCKET, {"m.json": sha256(b"[2]")}).load("m.json", json.load)


def test_a_file_is_read_once(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="strategies/m", Body=b"first")
    files = StrategyFiles(BUCKET)
    assert files["m"] == b"first"
    s3.put_object(Bucket=BUCKET, Key="strategies/m", Body=b"second")
    assert files["m"] == b"first"
    assert StrategyFiles(BUCKET)["m"] == b"second"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_each_file_that_was_read_is_named_with_its_hash(s3: Any) -> None:
    for name in ("a", "b", "unread"):
        s3.put_object(Bucket=BUCKET, Key=f"strategies/{name}", Body=name.encode())
    files = StrategyFiles(BUCKET)
    assert files.hashes() == {}
    assert files["b"] + files.get("a") == b"ba"
    assert files.get("absent") is None
    assert files.hashes() == {"a": sha256(b"a"), "b": sha256(b"b")}


def test_a_file_of_another_hash_than_its_pin_is_never_handed_out(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="strategies/model.joblib", Body=b"good")
    s3.put_object(Bucket=BUCKET, Key="strategies/free.json", Body=b"anything")
    files = StrategyFiles(BUCKET, {"model.joblib": sha256(b"good")})
    files.check_pins()
    assert files["model.joblib"] == b"good"
    assert files["free.json"] == b"anything"

    s3.put_object(Bucket=BUCKET, Key="strategies/model.joblib", Body=b"forged")
    assert files["model.joblib"] == b"good"
    changed = StrategyFiles(BUCKET, {"model.joblib": sha256(b"good")})
    for read in (
        changed.check_pins,
        lambda: changed["model.joblib"],
        lambda: changed.get("model.joblib"),
        lambda: "model.joblib" in changed,
    ):
        with pytest.raises(StrategyError) as caught:
            read()
        assert caught.value.code == "STRATEGY_FILE_CHANGED"
        assert f"file=strategies/model.joblib pinned={sha256(b'good')}" in str(caught.value)
        assert f"found={sha256(b'forged')}" in str(caught.value)


def test_a_pinned_file_must_be_there(s3: Any) -> None:
    del s3
    with pytest.raises(StrategyError) as caught:
        StrategyFiles(BUCKET, {"model.joblib": sha256(b"good")}).check_pins()
    assert caught.value.code == "STRATEGY_FILE_MISSING"


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
