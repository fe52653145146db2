"""How much each input column of a scorer moved its answers: Shapley values, exact for a background.

A row is compared with every row of a background: of a coalition of columns the values are the
row's, of the others those of the background row, and what is explained is the mean over the
background. What the steps of a scorer make of one input column belongs to that column; where a
feature is made of several, or the raw answer is no sum, there is no exact way, and a reason.

Source: Lundberg et al. 2020 (interventional TreeSHAP); Lundberg and Lee 2017 (linear models).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Union

import numpy as np
from msgspec.structs import replace

from brinery.records.contributions import Contributions
from brinery.scorers import kernel
from brinery.scorers.additive import Additive, Leaves, Part, Weights
from brinery.scorers.data import Array, Data, Declined, Sparse, dense, rows_of, select
from brinery.scorers.scorer import Scorer, Values

# How many rows go through the trees together, and how many of the background.
_ROWS = 512
_BACKGROUND_ROWS = kernel.CROWD
# So much of the largest figure may be missing from a sum: XGBoost adds up in float32.
_GAP = 1e-5


@dataclass(frozen=True)
class Inexact:
    """That there is no exact way to a model's Shapley values.

    Attributes:
        reason: why, in words that go on after "because".
    """

    reason: str


def explain(
    scorer: Scorer, columns: Mapping[str, Values], *, background: Mapping[str, Values]
) -> Union[Contributions, Inexact]:
    """Return what each input column added to each answer, exactly; or why that is not known.

    Args:
        scorer: of the model.
        columns: name to (n_rows,) values of the rows that are explained, as `Scorer.score` takes.
        background: the same of the rows that they are compared with, at least one.
    """
    try:
        additive = scorer.additive()
        return _explained(scorer, additive, columns=columns, background=background)
    except Declined as declined:
        return Inexact(str(declined))


def _explained(
    scorer: Scorer,
    additive: Additive,
    *,
    columns: Mapping[str, Values],
    background: Mapping[str, Values],
) -> Contributions:
    rows, others = scorer.read(columns), scorer.read(background)
    if not others.n_rows:
        raise Declined("there is no row to compare with")
    answers, base = additive.answers(rows), additive.answers(others).mean(axis=0)
    inputs = scorer.plan.inputs
    values = np.zeros((rows.n_rows, len(inputs), len(base)))
    for part in additive.parts:
        owners = _owners(part)
        held, groups = np.unique(owners[owners >= 0], return_inverse=True)
        places = np.full(len(owners), -1, dtype=np.int32)
        places[owners >= 0] = groups.ravel()
        x, z = part.prepare(rows), part.prepare(others)
        values[:, held] += _added(part, x, z, places=places)
    given = [place for place, column in enumerate(inputs) if column.given]
    several = len(base) > 1
    classes = scorer.plan.classes
    if several and not classes:
        raise Declined("it answers each row with several values")
    found = Contributions(
        columns=tuple(inputs[place].name for place in given),
        values=values[:, given],
        base=base,
        answers=answers,
        unit=additive.unit,
        method="linear" if all(isinstance(one, Weights) for one in additive.parts) else "TreeSHAP",
        exact=True,
        classes=classes if several or not classes else classes[-1:],
        background_rows=others.n_rows,
    )
    largest = max(np.abs(answers).max(initial=0.0), np.abs(values).max(initial=0.0), 1.0)
    if not found.gap <= _GAP * largest:
        raise Declined("its contributions do not add up to its answers")
    return found


def _owners(part: Part) -> Array:
    """Return the place of the input column of each feature: (n_features,), -1 where none is asked.

    Raises:
        Declined: a feature is made of several columns, or of nobody knows which.
    """
    if isinstance(part, Leaves):
        width, asked = part.trees.n_features, part.trees.asked
    else:
        width, asked = part.weights.shape[1], np.flatnonzero(part.weights.any(axis=0))
    if part.origins is None or len(part.origins) != width:
        raise Declined("nobody knows which columns its features are made of")
    owners = np.full(width, -1)
    for feature in asked.tolist():
        origin = part.origins[feature]
        if origin is None:
            raise Declined("a feature of it is made of several columns")
        owners[feature] = origin.column
    return owners


def _added(part: Part, x: Data, background: Data, *, places: Array) -> Array:
    """Return what each group of features adds to a part: (n_rows, n_groups, n_outputs).

    Args:
        part: of the sum.
        x: its features, of the rows that are explained.
        background: its features, of the rows that they are compared with.
        places: (n_features,) int32, the group of each; negative for none.
    """
    if isinstance(part, Leaves):
        return _of_leaves(part, dense(x), dense(background), places=places)
    found = np.zeros((rows_of(x), int(places.max(initial=-1)) + 1, len(part.weights)))
    for group in range(found.shape[1]):
        chosen = np.flatnonzero(places == group)
        weights = np.ascontiguousarray(part.weights[:, chosen].T)
        mean = _product(select(background, chosen), weights).mean(axis=0)
        found[:, group] = _product(select(x, chosen), weights) - mean
    return found


def _product(data: Data, weights: Array) -> Array:
    return data.dot(weights) if isinstance(data, Sparse) else dense(data) @ weights


def _of_leaves(part: Leaves, x: Array, background: Array, *, places: Array) -> Array:
    """Return what each group of features adds to the leaves: (n_rows, n_groups, n_outputs).

    Raises:
        Declined: too many columns are asked for on the way to a leaf.
    """
    trees = part.trees
    if trees.leaves.dtype != np.float64:
        trees = replace(trees, leaves=trees.leaves.astype(np.float64))
    sums = np.zeros((len(x), int(places.max(initial=-1)) + 1, trees.n_outputs))
    workers = os.cpu_count() or 1
    each = max(1, min(_ROWS, -(-len(x) // workers)))

    def contribute(start: int) -> bool:
        block = slice(start, start + each)
        return all(
            trees.contribute(
                x[block],
                sums[block],
                background=background[first : first + _BACKGROUND_ROWS],
                groups=places,
            )
            for first in range(0, len(background), _BACKGROUND_ROWS)
        )

    # The kernel releases the interpreter's lock.
    with ThreadPoolExecutor(workers) as pool:
        done = list(pool.map(contribute, range(0, len(x), each)))
    if not all(done):
        raise Declined("more than 64 columns are asked for on the way to a leaf")
    sums *= part.factor / len(background)
    return sums
