"""The embedded AWS uses only its own files, and none of its processes outlive their owner."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from local.sandbox.aws import DeploymentProblem, EmbeddedAws, process
from tests.support.checkout import CHECKOUT
from tests.support.processes import GONE_SECONDS, all_gone, is_alive, listens_on

PROBING = Path(__file__).with_name("probing")

# The program deploys, calls a function, reports its processes and waits for its end. It restores
# SIGINT, because a process that a shell starts in the background ignores that signal.
HOST = f"""
import json, pathlib, signal, sys, time
from local.sandbox.aws import EmbeddedAws
signal.signal(signal.SIGINT, signal.default_int_handler)
try:
    with EmbeddedAws() as aws:
        aws.deploy("desk", {{}}, pathlib.Path({str(PROBING)!r}))
        answer = aws.client("lambda").invoke(FunctionName="desk-notify", Payload=b"{{}}")
        worker = json.load(answer["Payload"])["pid"]
        server = aws._process.server
        print(json.dumps([server.pid, worker, str(server.folder)]), flush=True)
        time.sleep(60)
except KeyboardInterrupt:
    sys.exit(130)
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_every_process_ends_with_the_one_who_started_it(how: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOST], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True
    ) as host:
        assert host.stdout is not None
        server, worker, folder = json.loads(host.stdout.readline())
        assert is_alive(server)
        assert is_alive(worker)
        host.send_signal(how)
        status = host.wait(GONE_SECONDS)
        assert all_gone([server, worker])
    assert status == (130 if how is signal.SIGINT else -how)
    assert not Path(folder).exists()


def test_nothing_is_left_when_the_block_ends() -> None:
    with EmbeddedAws() as aws:
        aws.deploy("desk", {}, PROBING)
        answer = aws.client("lambda").invoke(FunctionName="desk-notify", Payload=b"{}")
        worker = json.load(answer["Payload"])["pid"]
        pid, folder = aws._process.server.pid, aws._process.server.folder
        assert pid is not None
    assert not is_alive(pid)
    assert all_gone([worker])
    assert not folder.exists()


def test_two_at_once_do_not_affect_each_other() -> None:
    with EmbeddedAws() as one, EmbeddedAws() as two:
        first, second = (aws.deploy("desk", {}, PROBING) for aws in (one, two))
        assert one.endpoint_url != two.endpoint_url
        one.client("s3").put_object(Bucket=first.bucket, Key="x", Body=b"1")
        assert "Contents" not in two.client("s3").list_objects_v2(Bucket=second.bucket)
        assert first.wait(first.start({}))["status"] == "SUCCEEDED"
        with pytest.raises(two.client("stepfunctions").exceptions.ExecutionDoesNotExist):
            second.describe(first.start({}))


def test_no_setting_of_the_user_reaches_a_function(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "http_proxy", "PYTHONPATH", "HOME", "APCA_API_SECRET_KEY", "MINE"):
        monkeypatch.setenv(name, f"/user/{name}")
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAREAL")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    with EmbeddedAws() as aws:
        aws.deploy("desk", {}, PROBING)
        answer = aws.client("lambda").invoke(FunctionName="desk-fetch-bars", Payload=b"{}")
        environment = json.load(answer["Payload"])["environment"]
    assert not {"HTTPS_PROXY", "http_proxy", "PYTHONPATH", "AWS_PROFILE", "MINE"} & set(environment)
    assert not {"HOME", "APCA_API_SECRET_KEY", "AWS_ENDPOINT_URL_S3"} & set(environment)
    assert environment["PYTHONHASHSEED"] == "0"
    assert environment["AWS_ENDPOINT_URL"] == aws.endpoint_url
    assert environment["AWS_ACCESS_KEY_ID"] != "AKIAREAL"
    assert environment["AWS_CONFIG_FILE"] == os.devnull
    assert not [value for value in environment.values() if "/user/" in value]


def test_a_start_that_fails_says_why_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "main.py"
    broken.write_text("raise SystemExit('no such module here')\n")
    monkeypatch.setattr(process, "MAIN", broken)
    aws = EmbeddedAws()
    with pytest.raises(DeploymentProblem, match="no such module here"), aws:
        pass
    assert not aws._process.server.folder.exists()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="one loopback address only")
def test_it_listens_on_the_address_it_is_given_and_functions_find_it_there() -> None:
    with EmbeddedAws(wait_scale=0, host="127.0.0.2") as aws:
        pid = aws._process.server.pid
        assert pid is not None
        assert urlsplit(aws.endpoint_url).hostname == "127.0.0.2"
        assert listens_on(pid) == {("127.0.0.2", urlsplit(aws.endpoint_url).port)}
        stack = aws.deploy("desk", {}, PROBING)
        assert stack.wait(stack.start({}))["status"] == "SUCCEEDED"
