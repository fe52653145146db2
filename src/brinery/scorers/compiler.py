"""A fitted model becomes a scorer: its figures are read, and its own code is left behind."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, Optional

from brinery.records.signature import Scalar
from brinery.scorers.catalog import READERS
from brinery.scorers.interface import Node, Reader, Unsupported
from brinery.scorers.library import LibraryModel, ask_library
from brinery.scorers.plan import Input, Plan
from brinery.scorers.scorer import Scorer


def compile_model(
    model: Any, inputs: Sequence[Input], *, classes: Optional[Sequence[Scalar]] = None
) -> Scorer:
    """Return the scorer of a fitted model.

    What no node stands for is asked of the library, and `Scorer.fallbacks` says so.

    Args:
        model: a pipeline, or an estimator of scikit-learn, XGBoost, LightGBM or CatBoost.
        inputs: the columns that it takes, in its order.
        classes: in its order; its `classes_` when None.

    Raises:
        Unsupported: nothing of it could be compiled, or it answers rows with several values.
    """
    reasons: list[str] = []

    def library(estimator: Any, reason: str, *, is_step: bool) -> Node:
        node = ask_library(estimator, reason, is_step=is_step)
        reasons.append(f"{type(estimator).__name__}: {reason}")
        return node

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some readers ask an estimator, which may have its doubts
        node = Reader(READERS, library).model(model)
    if isinstance(node, LibraryModel):
        raise Unsupported(node.reason)
    found = getattr(model, "classes_", ()) if classes is None else classes
    plan = Plan(inputs=tuple(inputs), model=node, classes=_scalars(found))
    return Scorer(plan, fallbacks=tuple(reasons))


def _scalars(labels: Any) -> tuple[Scalar, ...]:
    """Return labels as Python's own scalars."""
    return tuple(labels.tolist() if hasattr(labels, "tolist") else labels)
