"""What a search settled on, and what was frozen: the estimator within answers."""

from __future__ import annotations

from typing import Any

from brinery.scorers.interface import Node, Reader, Unsupported


def read_search(search: Any, reader: Reader) -> Node:
    """Return the node of the best estimator of a fitted search."""
    if not hasattr(search, "best_estimator_"):
        raise Unsupported(f"{type(search).__name__} without refit")
    return reader.node(search.best_estimator_)


def read_frozen(frozen: Any, reader: Reader) -> Node:
    """Return the node of the estimator in a `FrozenEstimator`."""
    return reader.node(frozen.estimator)


NODES = ()
READERS = {
    "sklearn.FrozenEstimator": read_frozen,
    "sklearn.GridSearchCV": read_search,
    "sklearn.HalvingGridSearchCV": read_search,
    "sklearn.HalvingRandomSearchCV": read_search,
    "sklearn.RandomizedSearchCV": read_search,
}
