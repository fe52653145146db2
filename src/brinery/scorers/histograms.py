"""Gradient boosting over binned columns: scikit-learn's `HistGradientBoosting` estimators.

They compare float64, take missing values, and split categories into sets. Versions before 1.4 are
given the categories as small whole numbers; later ones number them first, of whatever type.
"""

from __future__ import annotations

from typing import Any, Optional

import numpy as np
from msgspec import Struct

from brinery.scorers.additive import Additive, Leaves
from brinery.scorers.boosting import Meaning, Reading, Verdict
from brinery.scorers.composition import Chain, Choice, Union
from brinery.scorers.data import Array, Data, Declined, Sparse, dense
from brinery.scorers.forests import library_version
from brinery.scorers.interface import (
    Answer,
    Model,
    Reader,
    Splits,
    Step,
    Unsupported,
    floats,
    require,
)
from brinery.scorers.origin import Origins
from brinery.scorers.trees import Grown, Trees, planted

# Since this version the sign of the sum decides between two classes, not the probability.
_SIGNS = (1, 5)
# Since this version the losses have a link each.
_LINKS = (1, 1)
# A set of categories: 8 words of 32 bits.
_WORDS = 8
_CODES = 32 * _WORDS


class KnownCodes(Struct, Step, frozen=True, kw_only=True, tag=True):
    """Columns of codes in which a code that was not there at the fit becomes a missing value.

    Attributes:
        columns: (n_columns,) int64, which columns are of codes.
        known: (n_columns, 256) bool, which codes each has.
    """

    columns: np.ndarray
    known: np.ndarray

    def __post_init__(self) -> None:
        """Check the shapes."""
        require(self.columns.ndim == 1, "codes of strange columns")
        require(self.known.shape == (len(self.columns), _CODES), "codes of another number")
        require(self.known.dtype == np.bool_, "codes that are neither known nor unknown")
        require((self.columns >= 0).all(), "codes of columns that are not there")

    def transform(self, data: Data) -> Data:
        """Return the table, with unknown codes missing."""
        table = dense(data).astype(np.float64)
        require((self.columns < table.shape[1]).all(), "codes of columns that are not there")
        codes = table[:, self.columns]
        missing = np.isnan(codes)
        places = np.where(missing, 0.0, codes)
        if not ((places >= 0) & (places < _CODES)).all():
            raise Declined("a category that is no code")
        found = self.known[np.arange(len(self.columns)), places.astype(np.int64)]
        table[:, self.columns] = np.where(found, codes, np.nan)
        return table

    def trace(self, origins: Origins) -> Origins:
        """Return the same columns; one of codes does not tell which were known."""
        if origins is None:
            return None
        coded = set(self.columns.tolist())
        return [one and one.lost() if at in coded else one for at, one in enumerate(origins)]


class HistBoosting(Struct, Model, frozen=True, kw_only=True, tag=True):
    """Trees over float64 columns whose leaves are added to a constant.

    Attributes:
        trees: stage by stage, in each a tree for each output.
        base: (n_outputs,) what the sums begin at.
        reading: what they mean.
        codes: what makes codes of the categories; None where there are none.
    """

    trees: Trees
    base: np.ndarray
    reading: Reading
    codes: Optional[Step] = None

    def __post_init__(self) -> None:
        """Check the number of sums."""
        require(self.base.shape == (self.trees.n_outputs,), "boosted trees that begin elsewhere")
        self.reading.check(self.trees.n_outputs)

    def answer(self, data: Data) -> Answer:
        """Return what the sums mean."""
        return self.reading.answer(self._sums(data))

    def decision(self, data: Data) -> Array:
        """Return the sums."""
        sums = self._sums(data)
        return sums[:, 0] if sums.shape[1] == 1 else sums

    def splits(self, origins: Origins) -> tuple[Splits, ...]:
        """Return the trees."""
        traced = origins if self.codes is None else self.codes.trace(origins)
        return (Splits(self.trees, traced, self._prepared),)

    def additive(self, origins: Origins) -> Additive:
        """Return the sum of the leaves."""
        traced = origins if self.codes is None else self.codes.trace(origins)
        return Additive(
            (Leaves(self.trees, traced, self._prepared),), self._sums, self.reading.unit
        )

    def _sums(self, data: Data) -> Array:
        return self.trees.sums(self._prepared(data), self.base)

    def _prepared(self, data: Data) -> Array:
        if isinstance(data, Sparse):
            raise Declined("a sparse table")
        return dense(data if self.codes is None else self.codes.transform(data))


def read_hist_gradient_boosting(model: Any, reader: Reader) -> Model:
    """Return the node of a fitted `HistGradientBoosting` classifier or regressor."""
    outputs = int(model.n_trees_per_iteration_)
    sets: list[Array] = []
    stages, first = [], []
    for stage in model._predictors:
        for output, predictor in enumerate(stage):
            stages.append(_grown(predictor, first_set=len(sets)))
            sets.extend(np.asarray(predictor.raw_left_cat_bitsets))
            first.append(output)
    words = [np.insert(one, 0, _WORDS) for one in sets] or [np.zeros(1)]
    return HistBoosting(
        trees=planted(
            stages,
            n_features=int(model.n_features_in_),
            n_outputs=outputs,
            outputs=first,
            features="f8",
            sets=np.concatenate(words).astype(np.uint32),
        ),
        base=floats(np.ravel(model._baseline_prediction)),
        reading=_reading(model, outputs),
        codes=_codes(model, reader),
    )


def _grown(predictor: Any, *, first_set: int) -> Grown:
    """Return a tree as it is planted, its sets of categories behind those of the trees before."""
    nodes = predictor.nodes
    leaf = nodes["is_leaf"].astype(bool)
    places = (_WORDS + 1) * (first_set + nodes["bitset_idx"].astype(np.int64))
    return Grown(
        left=np.where(leaf, -1, nodes["left"].astype(np.int64)),
        right=nodes["right"].astype(np.int64),
        feature=nodes["feature_idx"],
        threshold=nodes["num_threshold"],
        values=nodes["value"].reshape(-1, 1),
        missing_left=nodes["missing_go_to_left"],
        categories=np.where(nodes["is_categorical"].astype(bool), places, -1),
    )


def _reading(model: Any, outputs: int) -> Reading:
    """Return what the sums of any version mean."""
    if hasattr(model, "classes_"):
        if len(model.classes_) < 2:  # noqa: PLR2004 - one class
            raise Unsupported(f"{type(model).__name__} of one class")
        signs = library_version() >= _SIGNS
        if outputs == 1:
            return Reading(Meaning.LOGIT, Verdict.ABOVE if signs else Verdict.LIKELIEST)
        softmax = Meaning.SOFTMAX if library_version() >= _LINKS else Meaning.LOG_SOFTMAX
        return Reading(softmax, Verdict.LARGEST if signs else Verdict.LIKELIEST)
    if not isinstance(model.loss, str):
        raise Unsupported(f"{type(model).__name__} with a loss of its own")
    logarithm = model.loss in ("poisson", "gamma")
    return Reading(Meaning.LOGARITHM if logarithm else Meaning.VALUE)


def _codes(model: Any, reader: Reader) -> Optional[Step]:
    """Return what makes codes of the categories of a model; None where it has none."""
    mask = model.is_categorical_
    if mask is None or not np.any(mask):
        return None
    categorical, numeric = np.flatnonzero(mask), np.flatnonzero(~np.asarray(mask))
    count = int(model.n_features_in_)
    preprocessor = getattr(model, "_preprocessor", None)
    if preprocessor is None:
        known = np.zeros((len(categorical), _CODES), dtype=bool)
        for row, place in enumerate(categorical.tolist()):
            known[row, np.asarray(model._bin_mapper.bin_thresholds_[place], dtype=np.int64)] = True
        return KnownCodes(columns=categorical.astype(np.int64), known=known)
    encoder = reader.step(preprocessor.named_transformers_["encoder"])
    steps: list[Step] = [Chain((Choice(categorical.astype(np.int64), count), encoder))]
    if len(numeric):
        steps.append(Choice(numeric.astype(np.int64), count))
    return Union(tuple(steps), sparse=False)


NODES = (KnownCodes, HistBoosting)
READERS = {
    "sklearn.HistGradientBoostingClassifier": read_hist_gradient_boosting,
    "sklearn.HistGradientBoostingRegressor": read_hist_gradient_boosting,
}
