"""Owns the child process: ministack on loopback, which ends with the process that started it.

Run by path, not as a module. Its argument is the descriptor of a socket that already listens.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[3]
KEEP_ALIVE_SECONDS = 75


def let_sqs_see_whole_messages() -> None:
    """Deliver messages to SQS as they were published, with the text for every protocol.

    AWS delivers only the text for SQS, and ministack drops the texts for phones and mail. Without
    this change nobody could read here what a phone would show.
    """
    from ministack.services import sns  # noqa: PLC0415

    original = sns._resolve_message_for_protocol  # noqa: SLF001

    def resolve(message: str, structure: str, protocol: str) -> Any:
        return message if protocol == "sqs" else original(message, structure, protocol)

    sns._resolve_message_for_protocol = resolve  # noqa: SLF001


def refuse_as_aws_does() -> None:
    """Let ministack refuse what AWS refuses."""
    from local.sandbox.aws import refusals  # noqa: PLC0415

    refusals.refuse_as_aws_does()


def load_services() -> None:
    """Load what a deployment needs while the parent is still busy; ministack loads on first use."""
    from ministack.services import cloudformation, lambda_svc, stepfunctions  # noqa: F401, PLC0415
    from samtranslator.translator import transform  # noqa: F401, PLC0415


def serve(descriptor: int) -> None:
    """Serve ministack on a listening socket, as ministack's own main does on a port."""
    from hypercorn.asyncio import serve as serve_forever  # noqa: PLC0415
    from hypercorn.config import Config  # noqa: PLC0415
    from ministack.app import app  # noqa: PLC0415

    config = Config()
    config.bind = [f"fd://{descriptor}"]
    config.keep_alive_timeout = KEEP_ALIVE_SECONDS
    config.loglevel = "WARNING"
    asyncio.run(serve_forever(app, config))


def end_with_parent() -> None:
    """End when the parent does."""
    sys.path.append(str(CHECKOUT))  # last: nothing there may shadow what ministack imports
    from local import server_process  # noqa: PLC0415

    server_process.end_with_parent()


if __name__ == "__main__":
    end_with_parent()
    let_sqs_see_whole_messages()
    refuse_as_aws_does()
    threading.Thread(target=load_services, daemon=True).start()
    serve(int(sys.argv[1]))
