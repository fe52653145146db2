"""Each row divided by its length: scikit-learn's `Normalizer`."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from msgspec import Struct

from brinery.records.text_enum import TextEnum
from brinery.scorers.data import Array, Data, Sparse, doubles, finite
from brinery.scorers.interface import Reader, Step, Unsupported
from brinery.scorers.origin import Origins, together

# Below this, newer versions of scikit-learn take a length for 0.
_FLOOR = 10 * float(np.finfo(np.float64).eps)


class Norm(TextEnum):
    """What the length of a row is: of the sizes of its values, the ..."""

    SUM = "l1"
    ROOT_OF_SQUARES = "l2"
    LARGEST = "max"


class Normalize(Struct, Step, frozen=True, kw_only=True, tag=True):
    """Each row divided by its length.

    Attributes:
        norm: what its length is.
        floor: a dense row that is shorter is left as it is.
    """

    norm: Norm
    floor: float

    def transform(self, data: Data) -> Data:
        """Return the rows of length 1, and those of length 0."""
        if isinstance(data, Sparse):
            return self._sparse(data)
        table = finite(doubles(data))
        with np.errstate(over="ignore"):
            lengths = self._lengths(table)
        lengths[(lengths < self.floor) | (lengths == 0.0)] = 1.0
        return table / lengths[:, np.newaxis]

    def _lengths(self, table: Array) -> Array:
        if self.norm is Norm.SUM:
            return np.add.reduce(np.abs(table), axis=1)
        if self.norm is Norm.ROOT_OF_SQUARES:
            return np.sqrt(np.einsum("ij,ij->i", table, table))
        return np.maximum.reduce(np.abs(table), axis=1)

    def _sparse(self, table: Sparse) -> Sparse:
        values = finite(doubles(table.values))
        rows = table.rows()
        with np.errstate(over="ignore"):
            if self.norm is Norm.LARGEST:
                lengths: Array = np.zeros(table.n_rows)
                np.maximum.at(lengths, rows, np.abs(values))
            else:
                squared = self.norm is Norm.ROOT_OF_SQUARES
                sizes = values * values if squared else np.abs(values)
                # It adds one after the other, as the library does.
                lengths = np.bincount(rows, weights=sizes, minlength=table.n_rows)
                lengths = np.sqrt(lengths) if squared else lengths
        lengths[lengths == 0.0] = 1.0
        return Sparse(table.starts, table.columns, values / lengths[rows], width=table.width)

    def trace(self, origins: Origins) -> Origins:
        """Return that each output is made of all columns."""
        return None if origins is None else [together(origins)] * len(origins)


def read_normalizer(normalizer: Any, _: Reader) -> Step:
    """Return the node of a fitted `Normalizer`."""
    if normalizer.norm not in set(Norm):
        raise Unsupported(f"Normalizer with norm {normalizer.norm}")
    return Normalize(norm=Norm(normalizer.norm), floor=_FLOOR if _has_floor(normalizer) else 0.0)


def _has_floor(normalizer: Any) -> bool:
    """Return whether a normalizer leaves a row alone that is short, but not of length 0."""
    row = np.zeros((1, int(getattr(normalizer, "n_features_in_", 1))))
    row[0, 0] = _FLOOR / 2
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return bool(np.asarray(normalizer.transform(row))[0, 0] == _FLOOR / 2)


NODES = (Normalize,)
READERS = {"sklearn.Normalizer": read_normalizer}
