from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf
from tests.flavors.loaded import amount, check_answers, frame, numbers, opened, target

from brinery.errors import NotAModel, PredictionRefused
from brinery.flavors.statsmodels import Statsmodels
from brinery.records.evaluation import PredictionType
from brinery.store.tables import to_arrow

FLAVOR = Statsmodels()


def noisy(*labels: Any) -> Any:
    """Return labels that the inputs do not tell for certain, as a fit of probabilities needs."""
    flips = np.random.default_rng(3).random(120) < 0.25
    made = target(*labels)
    return np.where(flips, np.random.default_rng(4).permutation(made), made)


def table(**columns: Any) -> pd.DataFrame:
    inputs = numbers().assign(job=frame()["job"].astype(str).astype(object))
    return inputs.assign(**columns)


def saved(results: Any, path: Path) -> Path:
    path.write_bytes(pickle.dumps(results))
    return path


@pytest.mark.parametrize(
    ("formula", "named"),
    [("y ~ 0 + np.log(age)", ("age",)), ("y ~ C(job)", ("job",)), ("y ~ 0 + Q('age')", ("age",))],
)
def test_formula(tmp_path: Path, formula: str, named: tuple[str, ...]) -> None:
    """Results of a formula take the columns it names, and transform them as it says."""
    data = table(y=amount() + np.arange(120))
    results = smf.ols(formula, data).fit()
    with opened(saved(results, tmp_path / "model.pkl")) as process:
        described = process.description
        assert process.artifact.flavor == described.framework == "statsmodels"
        assert described.outline == f"OLS({formula})"
        assert described.type is PredictionType.REGRESSION
        assert described.feature_names == named
        check_answers(process, data, predictions=results.predict(data))


def test_formula_of_classes(tmp_path: Path) -> None:
    """A logit of 0 and 1 gives the probability of 1."""
    data = table(y=noisy(0, 1))
    results = smf.logit("y ~ age + balance", data).fit(disp=0)
    probability = results.predict(data).to_numpy()
    with opened(saved(results, tmp_path / "model.pkl")) as process:
        assert process.description.type is PredictionType.BINARY
        assert process.description.classes == (0, 1)
        check_answers(
            process,
            data,
            predictions=(probability > 0.5).astype(int),
            probabilities=np.column_stack([1 - probability, probability]),
        )


def test_binomial_of_texts() -> None:
    """Of a target of text the model takes the first level for success: its name goes with it."""
    data = table(y=noisy("no", "yes"))
    results = smf.glm("y ~ age + balance", data, family=sm.families.Binomial()).fit()
    first = results.predict(data).to_numpy()
    described, scores = FLAVOR.describe(results), FLAVOR.score(results, data)
    assert described.classes == ("no", "yes")
    assert scores.probabilities is not None
    assert scores.probabilities[:, 0].tolist() == first.tolist()
    # The model is right more often than not only if the names are the right way round.
    assert np.mean(scores.predictions == data["y"].to_numpy()) > 0.6


def test_plain_columns(tmp_path: Path) -> None:
    """A constant that was added is not asked of the data."""
    inputs = numbers()
    results = sm.OLS(amount() + np.arange(120), sm.add_constant(inputs)).fit()
    with opened(saved(results, tmp_path / "model.pkl")) as process:
        assert process.description.feature_names == ("age", "balance")
        assert process.description.n_features == 2
        check_answers(process, inputs, predictions=results.predict(sm.add_constant(inputs)))


def test_plain_arrays() -> None:
    """Results of arrays have no names, and the constant is put where it was."""
    inputs = numbers().to_numpy()
    results = sm.GLM(noisy(0, 1), sm.add_constant(inputs), family=sm.families.Binomial()).fit()
    described, scores = FLAVOR.describe(results), FLAVOR.score(results, inputs)
    assert described.feature_names is None
    assert described.n_features == 2
    assert described.classes == (0, 1)
    expected = results.predict(sm.add_constant(inputs))
    assert scores.probabilities is not None
    assert scores.probabilities[:, 1].tolist() == expected.tolist()


def test_share_is_a_regression() -> None:
    """A binomial model of shares between 0 and 1 tells no classes apart."""
    shares = np.clip(target(0.2, 0.8), 0, 1)
    results = sm.GLM(shares, numbers(), family=sm.families.Binomial()).fit()
    assert FLAVOR.describe(results).type is PredictionType.REGRESSION


def test_several_classes(tmp_path: Path) -> None:
    """A multinomial logit keeps the names of its classes."""
    inputs = numbers()
    labels = pd.Series(noisy("a", "b", "c"))
    results = sm.MNLogit(labels, sm.add_constant(inputs)).fit(disp=0)
    expected = results.predict(sm.add_constant(inputs)).to_numpy()
    with opened(saved(results, tmp_path / "model.pkl")) as process:
        assert process.description.classes == ("a", "b", "c")
        check_answers(
            process,
            inputs,
            predictions=np.array(["a", "b", "c"])[expected.argmax(axis=1)],
            probabilities=expected,
        )


def test_missing_value(tmp_path: Path) -> None:
    """A row with a missing value has no answer, and is named."""
    inputs = numbers()
    results = sm.OLS(amount() + np.arange(120), sm.add_constant(inputs)).fit()
    inputs.loc[3, "age"] = np.nan
    with (
        opened(saved(results, tmp_path / "model.pkl")) as process,
        pytest.raises(PredictionRefused, match="row 4: a value is missing"),
    ):
        process.score(to_arrow(inputs))


SERIES: dict[str, Callable[[Any], Any]] = {
    "ARIMA": lambda walk: sm.tsa.ARIMA(walk, order=(1, 0, 0)),
    "SARIMAX": lambda walk: sm.tsa.SARIMAX(walk, order=(1, 0, 0)),
    "ExponentialSmoothing": lambda walk: sm.tsa.ExponentialSmoothing(walk, trend="add"),
    "VAR": lambda walk: sm.tsa.VAR(np.column_stack([walk, np.sin(walk)])),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", SERIES)
def test_time_series(name: str, tmp_path: Path) -> None:
    """A series is forecast, not answered row by row: its results are told, and cannot be asked."""
    results = SERIES[name](amount().cumsum()).fit()
    with opened(saved(results, tmp_path / "model.pkl")) as process:
        described = process.description
        assert (described.framework, described.outline) == ("statsmodels", name)
        assert described.type is PredictionType.OTHER
        assert described.unscored is not None
        assert described.unscored.reason.startswith(f"{name} forecasts a series")
        with pytest.raises(PredictionRefused, match="no answer for a row"):
            process.score(to_arrow(numbers()))


def test_not_fitted() -> None:
    """A model that was not fitted is no result, and is refused."""
    with pytest.raises(NotAModel, match="no fitted result"):
        FLAVOR.describe(sm.OLS(amount(), numbers()))
