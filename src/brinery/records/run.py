"""A run that a user's own program logged, and its figures."""

from __future__ import annotations

from datetime import datetime
from typing import Optional

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


class Experiment(Struct, frozen=True, kw_only=True):
    """An experiment of MLflow.

    Attributes:
        id: MLflow's.
        name: unique among those that are not deleted.
        updated: when it was changed last, with time zone; None where MLflow did not keep it.
        tags: of it.
    """

    id: str
    name: str
    updated: Optional[datetime] = None
    tags: dict[str, str] = {}


class FoundRun(Struct, frozen=True, kw_only=True):
    """A run as a search gives it.

    Attributes:
        id: MLflow's.
        name: as the program called it, or as MLflow did.
        experiment_id: MLflow's.
        status: `RUNNING`, `FINISHED`, `FAILED`, `KILLED` or `SCHEDULED`.
        user: who ran it; empty where nobody knows.
        started: with time zone.
        ended: None while it runs.
        metrics: name to the last finite value.
        params: name to value.
        tags: name to value, MLflow's own among them.
        data: name of the data set that was logged with it last; empty where none was.
        model: URI of the model that was logged last; empty where none was.
    """

    id: str
    name: str
    experiment_id: str
    status: str
    started: datetime
    ended: Optional[datetime] = None
    user: str = ""
    metrics: dict[str, float] = {}
    params: dict[str, str] = {}
    tags: dict[str, str] = {}
    data: str = ""
    model: str = ""

    @property
    def parent(self) -> str:
        """Return the id of the run that this one is part of; empty where it is its own."""
        return self.tags.get("mlflow.parentRunId", "")
