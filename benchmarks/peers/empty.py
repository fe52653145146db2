"""The least that a server can do: take a body, answer two bytes of JSON; `empty.py PORT`.

RSGI on Granian, set as Brinery sets it, with one worker. It runs in an environment of its own, and
in Brinery's, where Granian finds uvloop.
"""

import sys
from typing import Any

from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server import Server

HEADERS = [("content-type", "application/json")]


async def app(_: Any, exchange: Any) -> None:
    """Answer a request."""
    await exchange()
    exchange.response_bytes(200, HEADERS, b"{}")


def load() -> Any:
    """Return the application, in the worker."""
    return app


if __name__ == "__main__":
    Server(
        "empty",
        address="127.0.0.1",
        port=int(sys.argv[1]),
        interface=Interfaces.RSGI,
        workers=1,
        websockets=False,
        log_level=LogLevels.warning,
    ).serve(target_loader=load, wrap_loader=False)
