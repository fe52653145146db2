"""One process of a server: its application, which ends with the process that started it."""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
import signal
import threading
from importlib import import_module
from pathlib import Path

from prometheus_client import values

from brinery.records.ready import make_ready
from brinery.serve.access_log import AccessLog
from brinery.serve.app import Application
from brinery.serve.companion import Companion
from brinery.serve.manifest import ManifestFile
from brinery.serve.metrics import Metrics

# The variable by which prometheus_client is told where the processes of a server count together.
_COUNTING = "PROMETHEUS_MULTIPROC_DIR"
# After how many new objects the collector looks for cycles among them.
_YOUNG = 10_000


class Worker(Application):
    """The application of a process that ends with it."""

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Let everything go, and end at once.

        A thread of Granian's that still has a client would abort the process, were it to find its
        interpreter gone.
        """
        super().__rsgi_del__(loop)
        os._exit(0)


def load(
    file: ManifestFile, folder: Path | None, *, log: str | None, companion: Companion | None = None
) -> Worker:
    """Return the application of this process.

    Args:
        file: what is served.
        folder: in which the processes of a server count together; None where it is the only one.
        log: path of the access log, or - for standard error; None for none.
        companion: a process that answers what this one does not.
    """
    if folder is not None:
        os.environ[_COUNTING] = str(folder)
        # It asks for the process at every addition; one that never forks need ask once.
        process = os.getpid()
        values.ValueClass = values.MultiProcessValue(  # type: ignore[no-untyped-call]
            process_identifier=lambda: process
        )
    make_ready()
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    observers = [] if log is None else [AccessLog(log)]
    proxy = None
    if companion is not None:
        proxy = import_module("brinery.serve.proxy").Proxy(companion)
    worker = Worker(
        file.read(), file=file, metrics=Metrics(folder), observers=observers, proxy=proxy
    )
    spare_collector()
    return worker


def spare_collector() -> None:
    """Have the collector of cycles look at what requests leave only, and not after every few.

    What is loaded by now stays; to look through it again and again would take longer than requests.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, *gc.get_threshold()[1:])


def _end_with_parent() -> None:
    """End this process when the one that started it is gone, which can end it no more."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
