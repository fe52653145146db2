"""What scripts look at data frames with."""

from __future__ import annotations

from typing import Any


def audit(df: Any) -> Any:
    """Return a pandas data frame of what a data frame's columns hold, a row for each.

    Its columns are `_a_variable`, `_b_data_type`, `_c_cardinality`, `_d_missings` and
    `_e_sample_values`.
    """
    import pandas as pd

    rows = []
    for number, name in enumerate(df.columns):
        values = df.iloc[:, number]
        there = values.dropna()
        try:
            distinct = int(there.nunique())
            sample = list(there.unique()[:2])
        except TypeError:  # lists and dicts
            distinct = int(there.astype(str).nunique())
            sample = list(there.head(2))
        rows.append((name, values.dtype, distinct, int(values.isna().sum()), sample))
    names = ["_a_variable", "_b_data_type", "_c_cardinality", "_d_missings", "_e_sample_values"]
    return pd.DataFrame(rows, columns=names)


def split_train_valid(df: Any, prop: float = 0.8, seed: Any = None) -> Any:
    """Return two data frames: so much of the rows, drawn, and the others.

    Args:
        df: all rows.
        prop: of the first, 0 to 1.
        seed: of what is drawn; another each time when None.
    """
    first = df.sample(frac=prop, random_state=seed)
    return first, df.drop(first.index)
