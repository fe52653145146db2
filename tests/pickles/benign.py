"""Honest models, fitted and written to a folder: run by its path, by the Python of any environment.

Its arguments are the folder and what to write, `many` or `held-out`. It prints JSON: for each file
whether it carries code of its own. What an environment's versions lack is left out.
The two sets differ from what `policy/fitted.py` fits: other options, data and combinations.
"""

from __future__ import annotations

import contextlib
import json
import pickle
import sys
import warnings
from pathlib import Path
from typing import Any, Iterator

import joblib
import numpy as np
import pandas as pd
from sklearn import (
    compose,
    datasets,
    ensemble,
    feature_selection,
    impute,
    linear_model,
    model_selection,
    neighbors,
    pipeline,
    preprocessing,
    svm,
    tree,
)

ROWS = 90


def frame() -> tuple[pd.DataFrame, Any]:
    """Return a table with numbers, text and categories, and a target of text."""
    random = np.random.RandomState(7)
    table = pd.DataFrame(
        {
            "Sepal Length": random.normal(size=ROWS),
            "income": random.lognormal(size=ROWS),
            "region": random.choice(["north", "south", "east"], ROWS),
            "grade": pd.Categorical(random.choice(["A", "B"], ROWS), ordered=True),
        }
    )
    return table, np.where(table["income"] > 1.0, "good", "bad")


def every_estimator() -> Iterator[tuple[str, Any]]:
    """Give every estimator of scikit-learn that fits the iris or the diabetes data by itself."""
    for module in ("enable_hist_gradient_boosting", "enable_iterative_imputer"):
        with contextlib.suppress(ImportError):
            __import__("sklearn.experimental." + module)
    from sklearn.utils import all_estimators

    iris = datasets.load_iris(return_X_y=True)
    target = (iris[0][:, 0] > 5.8).astype(float)
    for name, kind in all_estimators():
        try:
            model = kind()
        except Exception:  # noqa: BLE001 - it needs others
            continue
        for data in (iris, (np.abs(iris[0]), target), (iris[0][:, :1], target)):
            try:
                model.fit(*data)
            except Exception:  # noqa: BLE001 - it is for other data
                continue
            yield name, model
            break


def pipelines() -> Iterator[tuple[str, Any]]:
    """Give pipelines over a table, as people build them."""
    table, target = frame()
    numbers, words = ["Sepal Length", "income"], ["region", "grade"]
    finals = {
        "extra trees": ensemble.ExtraTreesClassifier(4, criterion="entropy"),
        "bagged trees": ensemble.BaggingClassifier(n_estimators=3),
        "boosted stumps": ensemble.AdaBoostClassifier(n_estimators=3),
        "support vectors": svm.SVC(kernel="poly", degree=2, probability=True),
        "neighbours": neighbors.KNeighborsClassifier(3, algorithm="ball_tree", metric="manhattan"),
        "ridge": linear_model.RidgeClassifierCV(alphas=[0.1, 1.0]),
        "subgradient": linear_model.SGDClassifier(loss="modified_huber"),
        "boosted": ensemble.GradientBoostingClassifier(
            n_estimators=3, init=tree.DecisionTreeClassifier()
        ),
    }
    for name, final in finals.items():
        prepare = compose.ColumnTransformer(
            [
                (
                    "numbers",
                    pipeline.make_pipeline(impute.KNNImputer(), preprocessing.PowerTransformer()),
                    numbers,
                ),
                (
                    "words",
                    preprocessing.OrdinalEncoder(
                        handle_unknown="use_encoded_value", unknown_value=-1
                    ),
                    words,
                ),
            ]
        )
        with contextlib.suppress(TypeError):
            yield (
                name,
                pipeline.Pipeline([("prepare", prepare), ("final", final)]).fit(table, target),
            )
    search = model_selection.RandomizedSearchCV(
        linear_model.LogisticRegression(),
        {"C": __import__("scipy.stats").stats.loguniform(0.1, 10.0)},
        n_iter=2,
        cv=model_selection.StratifiedKFold(2, shuffle=True, random_state=1),
        scoring="neg_log_loss",
    )
    yield "search", search.fit(table[numbers], target)
    space = __import__("scipy.stats").stats
    spaces = {"C": space.lognorm(1.0), "l1_ratio": space.triang(0.5), "tol": space.truncexpon(2.0)}
    search = model_selection.RandomizedSearchCV(
        linear_model.LogisticRegression(solver="saga", penalty="elasticnet"),
        spaces,
        n_iter=2,
        cv=2,
    )
    yield "distributions", search.fit(table[numbers], target)
    for power in (0, 1, 1.2, 1.5, 2, 3):
        general = linear_model.TweedieRegressor(power=power)
        yield "tweedie %s" % power, general.fit(table[numbers], table["income"] + 0.1)
    with contextlib.suppress(TypeError, ValueError):  # before scikit-learn 1.4
        kinds = {"max_iter": 3, "categorical_features": "from_dtype"}
        grown = ensemble.HistGradientBoostingClassifier(**kinds)
        yield "boosted categories", grown.fit(table[["income", "grade"]], target)
    select = pipeline.make_pipeline(
        preprocessing.FunctionTransformer(np.log1p, validate=True),
        feature_selection.SelectPercentile(feature_selection.f_classif, percentile=50),
        linear_model.LogisticRegression(),
    )
    yield "logarithm", select.fit(np.abs(table[numbers]), target)


def boosted() -> Iterator[tuple[str, Any]]:
    """Give models of the boosting libraries."""
    table, target = frame()
    numbers = table[["Sepal Length", "income"]].rename(columns={"Sepal Length": "sepal"})
    codes = (target == "good").astype(int)
    with contextlib.suppress(ImportError):
        import xgboost

        yield (
            "xgb",
            xgboost.XGBClassifier(n_estimators=4, max_depth=2, n_jobs=1).fit(numbers, codes),
        )
        yield (
            "xgb poisson",
            xgboost.XGBRegressor(objective="count:poisson", n_estimators=2).fit(numbers, codes),
        )
        yield "xgb booster", xgboost.train({"eta": 0.3}, xgboost.DMatrix(numbers, codes), 2)
        vote = ensemble.VotingClassifier(
            [("a", xgboost.XGBClassifier(n_estimators=2)), ("b", tree.DecisionTreeClassifier())],
            voting="soft",
        )
        with contextlib.suppress(Exception):
            yield "xgb voting", vote.fit(numbers, codes)
    with contextlib.suppress(ImportError):
        import lightgbm

        few: dict[str, Any] = {"n_estimators": 3, "min_child_samples": 2, "verbose": -1}
        yield "lgbm", lightgbm.LGBMClassifier(boosting_type="dart", **few).fit(numbers, target)
        yield "lgbm category", lightgbm.LGBMRegressor(**few).fit(table[["income", "grade"]], codes)
        stacked = ensemble.StackingRegressor(
            [("a", lightgbm.LGBMRegressor(**few)), ("b", linear_model.Lasso())], cv=2
        )
        with contextlib.suppress(Exception):
            yield "lgbm stacked", stacked.fit(numbers, codes)
        rows = lightgbm.Dataset(numbers, codes)
        folds = lightgbm.cv({"verbose": -1, "objective": "binary"}, rows, 2, return_cvbooster=True)
        yield "lgbm folds", folds["cvbooster"]
    with contextlib.suppress(ImportError):
        import catboost

        small: dict[str, Any] = {
            "iterations": 2,
            "depth": 2,
            "verbose": 0,
            "allow_writing_files": False,
        }
        model = catboost.CatBoostClassifier(cat_features=["region"], **small)
        yield "cat", model.fit(table[["income", "region"]], target)
        yield "cat regressor", catboost.CatBoostRegressor(**small).fit(numbers, codes)
    with contextlib.suppress(ImportError):
        import category_encoders

        for kind in ("CatBoostEncoder", "BinaryEncoder", "WOEEncoder"):
            encoder = getattr(category_encoders, kind)(cols=["region"])
            chain = pipeline.make_pipeline(encoder, linear_model.Ridge())
            yield kind, chain.fit(table[["income", "region"]], codes)


def statistics() -> Iterator[tuple[str, Any]]:
    """Give results of statsmodels."""
    import statsmodels.api as sm

    table, _ = frame()
    numbers = sm.add_constant(
        table[["Sepal Length", "income"]].rename(columns={"Sepal Length": "s"})
    )
    yield "least squares", sm.OLS(numbers["income"] * 2 + table.index, numbers).fit()
    counts = (table["income"] * 3).round()
    yield "poisson", sm.GLM(counts, numbers[["const", "s"]], family=sm.families.Poisson()).fit()
    yield "counts", sm.Poisson(counts, numbers[["const", "s"]]).fit(disp=0)
    yield "logit", sm.Logit(np.arange(ROWS) % 3 == 0, numbers).fit(disp=0)
    yield "mixed", sm.MixedLM(table["income"], numbers[["const", "s"]], table["region"]).fit()
    walk = table["income"].cumsum()
    walk.index = pd.date_range("2015-01-01", periods=ROWS, freq="MS")
    tsa = sm.tsa
    yield "arima", tsa.ARIMA(walk, order=(1, 1, 1)).fit()
    yield "arima of numbers", tsa.ARIMA(walk.to_numpy(), order=(2, 0, 0)).fit()
    seasonal = tsa.SARIMAX(walk, order=(1, 0, 0), seasonal_order=(0, 1, 1, 4))
    yield "seasonal", seasonal.fit(disp=0, maxiter=5)
    smooth = tsa.ExponentialSmoothing(walk, trend="add", initialization_method="estimated")
    yield "smoothing", smooth.fit()
    two = pd.DataFrame({"a": walk, "b": walk.shift(2).fillna(0.0)})
    yield "vector", tsa.VAR(two).fit(1)
    yield "level", tsa.UnobservedComponents(walk, "local level").fit(disp=0)
    yield "components", sm.PCA(two)


class Clipper:
    """A class of the script itself."""

    def predict(self, data: Any) -> Any:
        return data


def code() -> Iterator[tuple[str, Any]]:
    """Give models that carry code of their own."""
    import cloudpickle

    class Local(Clipper):
        top = 3

        @property
        def limit(self) -> int:
            return self.top

        @staticmethod
        def name() -> str:
            return "local"

    def square(data: Any, power: int = 2) -> Any:
        return np.power(data, power)

    yield "cloudpickled lambda", cloudpickle.dumps(lambda data: np.asarray(data) + 1)
    yield "cloudpickled function", cloudpickle.dumps(preprocessing.FunctionTransformer(square))
    yield "cloudpickled class", cloudpickle.dumps(Local())
    yield "class of the script", pickle.dumps(Clipper())


SETS = {
    "every": every_estimator,
    "pipelines": pipelines,
    "boosted": boosted,
    "statistics": statistics,
}


def main() -> None:
    """Write every model in a way of its own, and print what was written."""
    warnings.simplefilter("ignore")
    folder = Path(sys.argv[1])
    written = {}
    count = 0
    for set_name, maker in SETS.items():
        try:
            for name, model in maker():
                count += 1
                path = folder / ("%s %s.pkl" % (set_name, name))
                try:
                    if count % 3:
                        path.write_bytes(pickle.dumps(model, protocol=(4, 5, 2)[count % 3]))
                    else:
                        joblib.dump(model, path, compress=(0, 3, ("xz", 1))[count % 9 // 3])
                except Exception as error:  # noqa: BLE001 - some cannot be pickled
                    sys.stderr.write("%s: %s\n" % (path.name, error))
                    path.unlink(missing_ok=True)
                else:
                    written[path.name] = False
        except ImportError as error:
            sys.stderr.write("%s: %s\n" % (set_name, error))
    with contextlib.suppress(ImportError):
        for name, content in code():
            (folder / (name + ".pkl")).write_bytes(content)
            written[name + ".pkl"] = True
    print(json.dumps(written))


if __name__ == "__main__":
    main()
