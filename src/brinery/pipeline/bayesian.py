"""Places chosen by a model of the trials before: Optuna's tree-structured Parzen estimator.

Optuna is asked about places between 0 and 1, never about a hyperparameter's own range, so that all
kinds are as `search_space` defines them. Nothing is kept between two questions: each is answered
from the trials that are told with it, so that a sweep that is resumed goes on as it would have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import optuna

from brinery.pipeline import search_space
from brinery.pipeline.sampling import Places
from brinery.records.plan import Dimension

_DIRECTIONS: Final = {
    "minimize": optuna.study.StudyDirection.MINIMIZE,
    "maximize": optuna.study.StudyDirection.MAXIMIZE,
}


class Seen(NamedTuple):
    """A trial that was begun.

    Attributes:
        place: of its hyperparameters.
        metric: that it came to; None where it goes on, or failed.
    """

    place: Places
    metric: float | None


def place(space: Mapping[str, Dimension], seen: Sequence[Seen], *, goal: str, seed: int) -> Places:
    """Return the place of the next trial.

    Args:
        space: name to what it may be.
        seen: the trials before.
        goal: `minimize` or `maximize`.
        seed: of what chance has a part in.
    """
    optuna.logging.disable_default_handler()
    ranges = {name: _range(dimension) for name, dimension in space.items()}
    # A trial that goes on repels others, so that those that run at once are not the same.
    sampler = optuna.samplers.TPESampler(seed=(seed + len(seen)) % 2**32, constant_liar=True)
    study = optuna.create_study(direction=_DIRECTIONS[goal], sampler=sampler)
    for each in seen:
        study.add_trial(_told(each, ranges, space))
    trial = study.ask(ranges)
    return tuple(_place(space[name], trial.params[name]) for name in space)


def _range(dimension: Dimension) -> optuna.distributions.BaseDistribution:
    values = search_space.count(dimension)
    if values is None:
        return optuna.distributions.FloatDistribution(0.0, 1.0)
    if dimension.kind == "choice":
        return optuna.distributions.CategoricalDistribution(range(values))
    return optuna.distributions.IntDistribution(0, values - 1)


def _told(
    seen: Seen,
    ranges: Mapping[str, optuna.distributions.BaseDistribution],
    space: Mapping[str, Dimension],
) -> optuna.trial.FrozenTrial:
    state = optuna.trial.TrialState
    params = {
        name: each if (values := search_space.count(space[name])) is None else int(each * values)
        for name, each in zip(space, seen.place, strict=True)
    }
    return optuna.trial.create_trial(
        state=state.RUNNING if seen.metric is None else state.COMPLETE,
        value=seen.metric,
        params=params,
        distributions=dict(ranges),
    )


def _place(dimension: Dimension, chosen: float) -> float:
    values = search_space.count(dimension)
    return chosen if values is None else (chosen + 0.5) / values
