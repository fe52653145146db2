from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from skops import io
from tests.conftest import artifact_of
from tests.flavors.loaded import TIMEOUT_S, check_answers, frame, numbers, opened, target

from brinery.errors import ModelFileError
from brinery.flavors.model_process import ModelProcess


def texts() -> pd.DataFrame:
    return numbers().assign(job=frame()["job"].astype(str).astype(object))


def test_pipeline(tmp_path: Path) -> None:
    """A pipeline in a skops file answers as itself, and is scikit-learn's."""
    columns = ColumnTransformer(
        [("numbers", StandardScaler(), ["age", "balance"]), ("texts", OneHotEncoder(), ["job"])]
    )
    model = make_pipeline(columns, LogisticRegression()).fit(texts(), target("no", "yes"))
    path = tmp_path / "model.bin"
    io.dump(model, path)
    with opened(path) as process:
        assert process.artifact.format == "skops"
        assert process.artifact.flavor == "scikit-learn"
        assert process.description.feature_names == ("age", "balance", "job")
        assert process.description.classes == ("no", "yes")
        check_answers(
            process,
            texts(),
            predictions=model.predict(texts()),
            probabilities=model.predict_proba(texts()),
        )


def test_only_what_was_accepted(tmp_path: Path) -> None:
    """A type that the user did not accept is refused, whatever the file says of it."""
    model = make_pipeline(FunctionTransformer(np.savetxt), LogisticRegression())
    path = tmp_path / "model.skops"
    io.dump(model, path)
    artifact = msgspec.structs.replace(artifact_of(path), globals=())
    with pytest.raises(ModelFileError, match="savetxt"):
        ModelProcess(path, artifact=artifact, timeout_s=TIMEOUT_S)
