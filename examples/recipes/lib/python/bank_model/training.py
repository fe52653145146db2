"""A classifier of calls, and the rows that it is judged on."""

from __future__ import annotations

import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler


def trained(frame: pd.DataFrame, *, target: str) -> tuple[Pipeline, pd.DataFrame]:
    """Return a pipeline that was fitted on four fifths of the rows, and the other fifth."""
    train, test = train_test_split(frame, test_size=0.2, stratify=frame[target], random_state=3)
    inputs = train.drop(columns=target)
    numbers = list(inputs.select_dtypes("number").columns)
    words = [name for name in inputs.columns if name not in numbers]
    pipeline = make_pipeline(
        make_column_transformer(
            (StandardScaler(), numbers), (OneHotEncoder(handle_unknown="ignore"), words)
        ),
        RandomForestClassifier(n_estimators=60, min_samples_leaf=3, random_state=3),
    )
    return pipeline.fit(inputs, train[target]), test
