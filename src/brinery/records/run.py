"""A run that a user's own program logged, and its figures."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct


class Run(Struct, frozen=True, kw_only=True):
    """A run of MLflow that is no import.

    Attributes:
        id: MLflow's.
        name: as the program called it, or as MLflow did.
        created: when it began, with time zone.
        metrics: name to the last finite value that was logged.
        data: name of the data set that was logged with it; empty where none was.
        model: URI of the model that was logged last; empty where none was.
    """

    id: str
    name: str
    created: datetime
    metrics: dict[str, float] = {}
    data: str = ""
    model: str = ""


class LoggedRun(Struct, frozen=True, kw_only=True):
    """A run, and the models that it logged.

    Attributes:
        id: MLflow's.
        name: as the program called it, or as MLflow did.
        experiment_id: MLflow's.
        tags: of the run.
        models: name to URI, the first one first.
    """

    id: str
    name: str
    experiment_id: str
    tags: dict[str, str] = {}
    models: dict[str, str] = {}
