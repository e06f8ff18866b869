"""The files of a folder reach the local desk's bucket, by their path in the folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from algotrader.adapters.aws import client
from algotrader.adapters.strategy_files import StrategyFiles
from local.cli import options
from local.sandbox.runner.strategy_files import put_files
from tests.support.in_process_aws import in_process_aws


def test_every_file_of_the_folder_but_the_hidden_ones_is_one_of_the_strategys(
    tmp_path: Path,
) -> None:
    (tmp_path / "models" / "deep").mkdir(parents=True)
    (tmp_path / ".cache").mkdir()
    (tmp_path / "a.json").write_bytes(b"[1]")
    (tmp_path / "models" / "deep" / "b.npz").write_bytes(b"\x00\xff")
    (tmp_path / ".DS_Store").write_bytes(b"no")
    (tmp_path / ".cache" / "c").write_bytes(b"no")
    with in_process_aws():
        s3 = client("s3")
        s3.create_bucket(Bucket="desk-bucket")
        put_files(s3, "desk-bucket", tmp_path)
        assert dict(StrategyFiles("desk-bucket")) == {
            "a.json": b"[1]",
            "models/deep/b.npz": b"\x00\xff",
        }


def test_the_folder_is_strategy_files_unless_it_does_not_exist(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(options, "CHECKOUT", tmp_path)
    assert options._default_files() is None
    (tmp_path / "strategy-files").mkdir()
    assert options._default_files() == tmp_path / "strategy-files"
