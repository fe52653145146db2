"""Which hyperparameters the trials of a sweep have: all of a grid, or places drawn by chance.

The two kinds that need a library are siblings of their own, `sobol` and `bayesian`, so that a sweep
that does without them never imports one. A place is what `search_space` makes a text of.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from itertools import islice, product

from brinery.pipeline import search_space
from brinery.records.plan import Dimension

Places = tuple[float, ...]

_TRIES = 1000


def drawn(space: Mapping[str, Dimension], *, count: int, seed: int) -> tuple[Places, ...]:
    """Return places drawn by chance; the first of a longer draw with the same seed are the same.

    Where each hyperparameter has a few values only, none is drawn twice while there are others.

    Args:
        space: name to what it may be.
        count: of trials.
        seed: of chance.
    """
    chance = random.Random(seed)  # noqa: S311 - a sweep keeps no secret
    size = combinations(space)
    told: set[tuple[str, ...]] = set()
    kept = []
    for _ in range(count):
        place = tuple(chance.random() for _ in space)
        if size is not None:
            for _ in range(_TRIES):
                if _told(space, place) not in told:
                    break
                place = tuple(chance.random() for _ in space)
            told.add(_told(space, place))
            if len(told) == size:
                told.clear()
        kept.append(place)
    return tuple(kept)


def grid(space: Mapping[str, Dimension], *, count: int) -> tuple[Places, ...]:
    """Return the places of each combination of choices, the last hyperparameter's changing first.

    Args:
        space: name to what it may be; choices only, as the plan makes sure.
        count: of trials, at most.
    """
    return tuple(islice(product(*(_middles(each) for each in space.values())), count))


def combinations(space: Mapping[str, Dimension]) -> int | None:
    """Return how many different trials there are; None where they are not to be counted."""
    size = 1
    for dimension in space.values():
        values = search_space.count(dimension)
        if values is None:
            return None
        size *= values
    return size


def _middles(dimension: Dimension) -> Iterator[float]:
    values = search_space.count(dimension) or 0
    return ((index + 0.5) / values for index in range(values))


def _told(space: Mapping[str, Dimension], place: Places) -> tuple[str, ...]:
    return tuple(search_space.texts(space, place).values())
