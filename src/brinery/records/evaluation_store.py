"""Evaluations that are kept apart from versions, to be followed over time, and comparisons."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import Struct


class StoredEvaluation(Struct, frozen=True, kw_only=True):
    """One evaluation of a store.

    Attributes:
        id: eight characters, or as it was given.
        created: with time zone.
        name: for people.
        metrics: name to value, as scripts know them.
        labels: key to value.
        model: full id of the version that was evaluated; empty where none is known.
        type: what it predicts, in the words of scripts.
        target: the column with the truth; empty for none.
        dataset: name of the data; empty for figures that were given.
        file: with the rows that were evaluated; empty likewise.
        user_meta: what scripts keep of it.
        custom: what was given of the metrics: name and description.
    """

    id: str
    created: datetime
    name: str = ""
    metrics: dict[str, float] = {}
    labels: dict[str, str] = {}
    model: str = ""
    type: str = ""
    target: str = ""
    dataset: str = ""
    file: str = ""
    user_meta: dict[str, Any] = {}
    custom: dict[str, dict[str, str]] = {}


class EvaluationStore(Struct, frozen=True, kw_only=True):
    """A store of evaluations.

    Attributes:
        id: eight characters.
        name: as it was given.
        project: key of its project.
        created: with time zone.
        settings: what scripts keep there: which model and dataset `build` evaluates, and checks.
        evaluations: the oldest first.
    """

    id: str
    name: str
    project: str
    created: datetime
    settings: dict[str, Any] = {}
    evaluations: tuple[StoredEvaluation, ...] = ()


class ModelComparison(Struct, frozen=True, kw_only=True):
    """Versions and evaluations that are looked at side by side.

    Attributes:
        id: eight characters.
        name: as it was given.
        project: key of its project.
        created: with time zone.
        type: what all of them predict, in the words of scripts.
        items: full ids, in the order in which they were added.
        settings: what scripts keep there besides.
    """

    id: str
    name: str
    project: str
    created: datetime
    type: str
    items: tuple[str, ...] = ()
    settings: dict[str, Any] = {}


class ApiService(Struct, frozen=True, kw_only=True):
    """An API service: which endpoints score with which saved model.

    Attributes:
        id: as it was given.
        project: key of its project.
        created: with time zone.
        endpoints: id to the settings of each, as scripts keep them.
        auth: `PUBLIC` where everybody may ask, `API_KEYS` where one of the keys must be sent.
        packages: id to what was frozen under it: the endpoints, each with a version.
        published: the package that is served; empty while none is.
        notes: package id to its release notes.
        keys: what was said of each key, with its `digest` in place of the key itself.
    """

    id: str
    project: str
    created: datetime
    endpoints: tuple[dict[str, Any], ...] = ()
    auth: str = "PUBLIC"
    packages: dict[str, tuple[dict[str, Any], ...]] = {}
    published: str = ""
    notes: dict[str, str] = {}
    keys: tuple[dict[str, Any], ...] = ()
