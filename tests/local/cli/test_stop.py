"""Ctrl-C stops everything that the command started, and the exit status says so."""

import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import boto3
import pytest
from werkzeug import Request, Response
from werkzeug.serving import make_server

COMMAND = [sys.executable, "-c", "from local.cli import main; main()"]
INTERRUPTED = "algo-trader: interrupted; the command stopped everything it started"


@contextmanager
def started(environment: dict[str, str], *arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def read_until(process: subprocess.Popen[str], last: str) -> str:
    assert process.stdout is not None
    text = ""
    for line in process.stdout:
        text += line
        if last in line:
            break
    return text


def is_listening(url: str) -> bool:
    parts = urlsplit(url)
    with socket.socket() as probe:
        return probe.connect_ex((parts.hostname, parts.port)) == 0


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["Ctrl-C", "kill"]
)
def test_up_says_how_to_reach_it_and_leaves_nothing_behind(
    environment: dict[str, str],
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    number: signal.Signals,
    status: int,
) -> None:
    files = tmp_path_factory.mktemp("files")
    (files / "model.json").write_text("{}", encoding="utf-8")
    up = ("up", "--files", str(files))
    with started(environment | {"TMPDIR": str(tmp_path)}, *up) as process:
        printed = read_until(process, "Ctrl-C")
        exported = dict(re.findall(r"(AWS_[A-Z_]+)=(\S+)", printed))
        urls = re.findall(r"^  (?:export AWS_ENDPOINT_URL=)?(http://\S+)$", printed, re.MULTILINE)
        machine = re.search(r"^  (arn:\S+)$", printed, re.MULTILINE)
        assert machine is not None
        session = boto3.Session(
            aws_access_key_id=exported["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=exported["AWS_SECRET_ACCESS_KEY"],
            region_name=exported["AWS_DEFAULT_REGION"],
        )
        url = exported["AWS_ENDPOINT_URL"]
        states = session.client("stepfunctions", endpoint_url=url)
        assert states.describe_state_machine(stateMachineArn=machine[1])["type"] == "STANDARD"
        bucket = re.search(rf"{re.escape(machine[1])}\n  (\S+)$", printed, re.MULTILINE)
        assert bucket is not None
        assert f"aws s3 cp own_model.json s3://{bucket[1]}/strategies/own_model.json" in printed
        (file,) = session.client("s3", endpoint_url=url).list_objects_v2(
            Bucket=bucket[1], Prefix="strategies/"
        )["Contents"]
        assert file["Key"] == "strategies/model.json"
        assert f"algo-trader halt --endpoint-url {exported['AWS_ENDPOINT_URL']}" in printed
        assert len(urls) == 2
        assert all(is_listening(url) for url in urls)
        process.send_signal(number)
        assert process.wait(timeout=20) == status
    assert not any(is_listening(url) for url in urls)
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_is_stopped_ends_at_once_and_prints_no_document(
    environment: dict[str, str],
) -> None:
    asked, let_go = threading.Event(), threading.Event()

    @Request.application
    def hang(_request: Request) -> Response:
        asked.set()
        let_go.wait(30)
        return Response("late", 503)

    server = make_server("127.0.0.1", 0, hang, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_port}"
        with started(environment, "run", "--broker-url", url, "--json") as process:
            assert asked.wait(30)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=20)
        assert process.returncode == 130
        assert out == ""
        assert err.strip().splitlines() == [INTERRUPTED]
    finally:
        let_go.set()
        server.shutdown()
        thread.join()
        server.server_close()


def test_the_broker_alone_stays_in_its_session_until_it_is_stopped(
    environment: dict[str, str],
) -> None:
    with started(environment, "broker", "--session", "2008-09-15") as process:
        printed = read_until(process, "algo-trader run")
        url = printed.split()[0]
        assert "2008-09-15" in printed
        assert is_listening(url)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 130
    assert not is_listening(url)
