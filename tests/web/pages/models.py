"""A workspace whose model has hostile names in it, for the tests of the pages that show them."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.tree import DecisionTreeClassifier

import brinery

SCRIPT: Final = "<img src=x onerror=alert(1)>"
QUOTES: Final = "\"'> né"
LONG: Final = "x" * 300
_ROWS: Final = 160


def hostile(folder: Path) -> Path:
    """Return a workspace in which risk@1 is the champion, and risk@2 was never judged on the whole.

    The columns, a category, a class and the file's name are what somebody would write who wants a
    script of theirs to run on the page.
    """
    random = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            SCRIPT: random.normal(size=_ROWS),
            QUOTES: random.choice([SCRIPT, "../../etc/passwd"], _ROWS),
            LONG: random.integers(0, 9, _ROWS),
        }
    )
    sure = frame[SCRIPT] + (frame[QUOTES] == SCRIPT) + random.normal(size=_ROWS)
    data = frame.assign(y=np.where(sure > 0.5, SCRIPT, "no"))
    data.to_csv(folder / "test.csv", index=False)
    for number, model in enumerate((LogisticRegression(), DecisionTreeClassifier(max_depth=2)), 1):
        encoded = ColumnTransformer([("words", OneHotEncoder(), [QUOTES])], remainder="passthrough")
        path = folder / f"{number}<b>.pkl"
        path.write_bytes(pickle.dumps(make_pipeline(encoded, model).fit(frame, data["y"])))
        brinery.import_model(
            path, name="risk", data=folder / "test.csv", target="y", workspace=folder
        )
    brinery.evaluate_model("risk@1", data=folder / "test.csv", workspace=folder)
    brinery.promote("risk@1", force=True, why=SCRIPT, workspace=folder)
    return folder
