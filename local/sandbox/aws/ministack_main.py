"""Owns the child process: ministack on loopback, which ends with the process that started it.

Run this file by its path, not as a module. Its argument is the descriptor of a listening socket.
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

    AWS delivers only the text for SQS, and ministack drops the texts for phones and e-mail. Without
    this patch, nobody could see what a phone would show.
    """
    from ministack.services import sns  # noqa: PLC0415

    original = sns._resolve_message_for_protocol  # noqa: SLF001

    def resolve(message: str, structure: str, protocol: str) -> Any:
        return message if protocol == "sqs" else original(message, structure, protocol)

    sns._resolve_message_for_protocol = resolve  # noqa: SLF001


def load_services() -> None:
    """Import the services that a deployment needs before ministack does so on first use."""
    from ministack.services import cloudformation, lambda_svc, stepfunctions  # noqa: F401, PLC0415
    from samtranslator.translator import transform  # noqa: F401, PLC0415


def serve(descriptor: int) -> None:
    """Serve ministack on a listening socket, because its own main function can only open a port."""
    from hypercorn.asyncio import serve as serve_forever  # noqa: PLC0415
    from hypercorn.config import Config  # noqa: PLC0415
    from ministack.app import app  # noqa: PLC0415

    config = Config()
    config.bind = [f"fd://{descriptor}"]
    config.keep_alive_timeout = KEEP_ALIVE_SECONDS
    config.loglevel = "WARNING"
    asyncio.run(serve_forever(app, config))


def end_with_parent() -> None:
    """End this process when its parent ends."""
    sys.path.append(str(CHECKOUT))  # last, so it cannot shadow a module that ministack imports
    from local import server_process  # noqa: PLC0415

    server_process.end_with_parent()


if __name__ == "__main__":
    end_with_parent()
    let_sqs_see_whole_messages()
    from local.sandbox.aws.refusals import refuse_as_aws_does

    refuse_as_aws_does()
    threading.Thread(target=load_services, daemon=True).start()
    serve(int(sys.argv[1]))
