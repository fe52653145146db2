"""Columns of categories as boosters number them: XGBoost and LightGBM keep those of a frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from msgspec import Struct

from brinery.records.signature import Scalar
from brinery.scorers.categories import Lookup
from brinery.scorers.composition import Piped
from brinery.scorers.data import Columns, Data, Declined, is_nan
from brinery.scorers.interface import Model, Step, Unsupported, require
from brinery.scorers.origin import Origins

_MISSING = -1
_DECLINED = -2


class Codes(Struct, Step, frozen=True, kw_only=True, tag=True):
    """Some columns become the numbers of their categories.

    Attributes:
        columns: (n_columns,) int64, which.
        lookups: of each: category to its number.
    """

    columns: np.ndarray
    lookups: tuple[Lookup, ...]

    def __post_init__(self) -> None:
        """Check that each column has its categories."""
        require(self.columns.shape == (len(self.lookups),), "categories of other columns")
        require(self.columns.dtype == np.int64, "categories of strange columns")
        require((self.columns >= 0).all(), "categories of columns that are not there")

    def transform(self, data: Data) -> Data:
        """Return the columns, missing values as NaN.

        Raises:
            Declined: a category was not there at the fit.
        """
        if not isinstance(data, Columns):
            raise Declined("categories in no columns")
        require((self.columns < data.width).all(), "categories of columns that are not there")
        arrays = list(data.arrays)
        for place, lookup in zip(self.columns.tolist(), self.lookups):
            codes = np.asarray(lookup.find(arrays[place].tolist()))
            arrays[place] = np.where(codes < 0, np.nan, codes)
        return Columns(data.names, tuple(arrays), data.n_rows)

    def trace(self, origins: Origins) -> Origins:
        """Return the same columns; a number does not tell its category."""
        if origins is None:
            return None
        coded = set(self.columns.tolist())
        return [one and one.lost() if at in coded else one for at, one in enumerate(origins)]


def behind_codes(model: Model, categories: Mapping[int, Sequence[Scalar]]) -> Model:
    """Return a model behind what numbers its categories.

    Args:
        model: that takes the numbers.
        categories: of the columns that have any, by their places, in the order of their numbers.

    Raises:
        Unsupported: a category is neither text nor a number, or is there twice.
    """
    if not categories:
        return model
    for known in categories.values():
        if not all(isinstance(value, (str, int, float, bool)) for value in known):
            raise Unsupported("categories that are neither text nor numbers")
        if len(set(known)) < len(known) or any(is_nan(one) for one in known):
            raise Unsupported("categories that are equal")
    lookups = tuple(
        Lookup(
            values=tuple(known),
            codes=np.arange(len(known), dtype=np.int64),
            unknown=_DECLINED,
            missing=_MISSING,
        )
        for known in categories.values()
    )
    return Piped(Codes(columns=np.array(list(categories), dtype=np.int64), lookups=lookups), model)


NODES = (Codes,)
READERS: dict[str, object] = {}
