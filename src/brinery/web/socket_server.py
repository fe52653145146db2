"""An application behind a Unix socket, for one of our own processes that asks it."""

from __future__ import annotations

import uvicorn
from starlette.types import ASGIApp


def answer(application: ASGIApp, *, socket: str | int, kept_s: int, drain_s: int) -> None:
    """Answer until told to end by SIGTERM or SIGINT.

    Args:
        application: what answers.
        socket: path that is listened on, or the descriptor of a socket that listens already.
        kept_s: seconds that an idle connection is kept; longer than the other side does.
        drain_s: seconds that what was begun has when told to end.
    """
    uvicorn.Server(
        uvicorn.Config(
            application,
            uds=socket if isinstance(socket, str) else None,
            fd=socket if isinstance(socket, int) else None,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            proxy_headers=False,
            timeout_keep_alive=kept_s,
            timeout_graceful_shutdown=drain_s,
        )
    ).run()
