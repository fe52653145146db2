"""Experiments and runs of the workspace's MLflow, a part at a time, and what a run logged."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from brinery.actions.rooms import Rooms
from brinery.records.run import Experiment, FoundRun
from brinery.registry.mlflow_client import CHANGED_LAST
from brinery.registry.mlflow_search import MlflowSearch

_CURVES: Final = 12
# MLflow makes it before anybody logs anything.
_DEFAULT: Final = "0"


class RunStory(Struct, frozen=True, kw_only=True):
    """A run with what is kept beside it.

    Attributes:
        run: itself.
        experiment: that it is in.
        models: name to URI of the models that it logged.
        curves: metric to steps and values, of those that were logged more than once; a few.
        children: the runs that are parts of it, a page of them.
    """

    run: FoundRun
    experiment: Experiment
    models: dict[str, str]
    curves: dict[str, tuple[tuple[int, float], ...]]
    children: tuple[FoundRun, ...]


def experiments_in(
    rooms: Rooms,
    *,
    text: str = "",
    order: str = CHANGED_LAST,
    offset: int = 0,
    most: int = 50,
) -> list[Experiment]:
    """Return experiments; MLflow's own where it has a run.

    Args:
        rooms: of the workspace.
        text: that is in their names.
        order: a clause of MLflow; the one that was changed last comes first where none is told.
        offset: how many are left out.
        most: of them.
    """
    if not (rooms.workspace.exists or rooms.places.shared):
        return []
    search = search_in(rooms)
    found = search.experiments(text, order=order, offset=offset, most=most)
    return [one for one in found if one.id != _DEFAULT or search.runs([one.id], most=1)]


def run_story(rooms: Rooms, run_id: str, *, children: int = 100) -> RunStory:
    """Return a run with what is kept beside it.

    Args:
        rooms: of the workspace.
        run_id: MLflow's.
        children: how many of its parts at most.

    Raises:
        NotFound: there is no such run.
    """
    search = search_in(rooms)
    run = search.run(run_id)
    told = {name: search.history(run_id, name) for name in sorted(run.metrics)[: 4 * _CURVES]}
    curves = {name: tuple(points) for name, points in told.items() if len(points) > 1}
    return RunStory(
        run=run,
        experiment=search.experiment(run.experiment_id),
        models=search.models(run_id),
        curves=dict(list(curves.items())[:_CURVES]),
        children=tuple(
            search.runs(
                [run.experiment_id],
                text=f"tags.mlflow.parentRunId = '{run.id}'",
                order="attributes.start_time ASC",
                most=children,
            )
        ),
    )


def search_in(rooms: Rooms) -> MlflowSearch:
    """Return what searches the runs of a workspace."""
    places = rooms.places
    return MlflowSearch(places.tracking_uri, places.artifacts)
