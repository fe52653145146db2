"""MLflow's client: how it is reached, and what it raises in our terms."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlparse

import msgspec

from brinery.errors import RegistryFault

if TYPE_CHECKING:
    from mlflow import MlflowClient


def connect(uri: str) -> MlflowClient:
    """Return a client of the tracking store and registry at a URI; MLflow is imported here."""
    # Set before MLflow is imported: it reports its use to its makers otherwise.
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from mlflow import MlflowClient
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)
    return MlflowClient(tracking_uri=uri, registry_uri=uri)


def local_path(uri: str) -> Path:
    """Return the folder of a `file://` URI or a path."""
    parsed = urlparse(uri)
    return Path(unquote(parsed.path)) if parsed.scheme == "file" else Path(uri)


@contextmanager
def process_wide_uri(uri: str) -> Iterator[None]:
    """Make a URI the process's own for one call, and put back what was there.

    MLflow 3.17 looks up the source of a new version at the process-wide URI, whatever the client's.
    """
    from mlflow.tracking._tracking_service import utils

    variable = os.environ.get("MLFLOW_TRACKING_URI")
    try:
        with utils._use_tracking_uri(uri):  # noqa: SLF001 - the public pair cannot put "unset" back
            yield
    finally:
        if variable is not None:
            os.environ["MLFLOW_TRACKING_URI"] = variable


@contextmanager
def foreign_errors() -> Iterator[None]:
    """Translate what MLflow and the store beneath it raise, once, and keep its warnings out."""
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        with warnings.catch_warnings():
            # Stages are deprecated there; they are kept in step on purpose.
            warnings.simplefilter("ignore")
            yield
    except (MlflowException, SQLAlchemyError, OSError, msgspec.MsgspecError) as error:
        reason = " ".join(str(error).split())[:300]
        raise RegistryFault(
            f"the registry failed: {reason}",
            hint="check that the workspace can be written, and that its MLflow is this one",
        ) from error
