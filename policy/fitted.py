"""Fitted models of every framework that is installed, for `record.py`: a wide range, small data.

Each `make_…` gives pairs of a name and an object; what a version lacks ends that maker only.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import inspect
import warnings
from typing import Any, Iterator

import numpy as np
import pandas as pd

ROWS = 60
RANDOM = np.random.RandomState(0)
NUMBERS = np.abs(RANDOM.normal(size=(ROWS, 4))) + 0.1
BINARY = np.arange(ROWS) % 2
THREE = np.arange(ROWS) % 3
LINE = NUMBERS @ np.array([1.0, -2.0, 3.0, 0.5]) + 5.0
TEXT = ["the cat sat", "a dog ran", "birds fly high"] * (ROWS // 3)
FRAME = pd.DataFrame(NUMBERS, columns=["age", "pay", "hours", "score"]).assign(
    job=np.array(["a", "b", "c"], dtype=object)[THREE],
    town=pd.Categorical(np.array(["x", "y"])[BINARY]),
)
NAMES = np.array(["no", "yes"])[BINARY]

Pairs = Iterator["tuple[str, Any]"]


def fit(model: Any, *data: Any, **others: Any) -> Any:
    """Return a fitted model."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(*data, **others)
    return model


def built(kind: Any) -> Any:
    """Return an estimator of a class, with what it requires."""
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LinearRegression, LogisticRegression

    required = {
        "base_estimator": LogisticRegression(),
        "estimator": LogisticRegression(),
        "estimators": [("a", LogisticRegression()), ("b", RandomForestClassifier(2))],
        "transformers": [("a", "passthrough", [0, 1])],
        "transformer_list": [("a", LinearRegression())],
        "steps": [("a", LogisticRegression())],
        "param_grid": {"C": [1.0]},
        "param_distributions": {"C": [1.0, 2.0]},
        "dictionary": NUMBERS[:3],
        "n_components": 2,
        "threshold": 0.5,
    }
    if "Regressor" in kind.__name__ or "Regression" in kind.__name__:
        from sklearn.tree import DecisionTreeRegressor

        required["estimator"] = required["base_estimator"] = LinearRegression()
        required["estimators"] = [("a", LinearRegression()), ("b", DecisionTreeRegressor())]
    if "SearchCV" in kind.__name__:
        required["n_iter"] = 2
    parameters = inspect.signature(kind.__init__).parameters
    given = {
        name: required[name]
        for name, parameter in parameters.items()
        if name in required and parameter.default is inspect.Parameter.empty
    }
    for name, few in (("n_estimators", 3), ("max_iter", 30), ("n_iter", 2)):
        if name in parameters and isinstance(parameters[name].default, int):
            given.setdefault(name, few)
    return kind(**given)


def attempts() -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Give the data that an estimator may take, commonest first."""
    yield "binary", (NUMBERS, BINARY)
    yield "names", (FRAME[["age", "pay", "hours", "score"]], NAMES)
    yield "three", (NUMBERS, THREE)
    yield "line", (NUMBERS, LINE)
    yield "many", (NUMBERS, np.c_[LINE, LINE])
    yield "labels", (NUMBERS, np.c_[BINARY, 1 - BINARY])
    yield "objects", (FRAME[["job", "town"]].astype(object), BINARY)
    yield "text", (TEXT, BINARY)
    yield "column", (LINE, LINE)
    yield "one", (NUMBERS[:, :1], LINE)
    yield "dictionaries", ([{"a": 1, "b": "x"}, {"a": 2, "b": "y"}], [0, 1])
    yield "target", (NAMES,)
    yield "sets", ([("a", "b"), ("c",)],)


def every(kinds: Any) -> Pairs:
    """Give each class unfitted and fitted on all the data that it takes, at most four ways."""
    for name, kind in kinds:
        try:
            model = built(kind)
        except Exception:  # noqa: BLE001 - an abstract class, or one that needs what is not here
            continue
        yield name, model
        fitted = 0
        for what, data in attempts():
            if fitted == 4:
                break
            with contextlib.suppress(Exception):
                yield "%s on %s" % (name, what), fit(built(kind), *data)
                fitted += 1


def make_estimators() -> Pairs:
    """Give every estimator of scikit-learn."""
    with contextlib.suppress(ImportError):
        importlib.import_module("sklearn.experimental.enable_hist_gradient_boosting")
    with contextlib.suppress(ImportError):
        importlib.import_module("sklearn.experimental.enable_iterative_imputer")
    with contextlib.suppress(ImportError):
        importlib.import_module("sklearn.experimental.enable_halving_search_cv")
    try:
        from sklearn.utils import all_estimators
    except ImportError:
        from sklearn.utils.testing import all_estimators
    yield from every(all_estimators())


def make_imbalanced() -> Pairs:
    """Give every estimator of imbalanced-learn."""
    import imblearn

    for module in (imblearn.combine, imblearn.ensemble, imblearn.over_sampling):
        yield from every((name, getattr(module, name)) for name in module.__all__)
    under = imblearn.under_sampling
    yield from every((name, getattr(under, name)) for name in under.__all__)


def make_encoders() -> Pairs:
    """Give every encoder of category_encoders."""
    import category_encoders

    for name in category_encoders.__all__:
        kind = getattr(category_encoders, name)
        for columns in (["job"], ["job", "town"]):
            with contextlib.suppress(Exception):
                yield name, fit(kind(cols=columns), FRAME, BINARY)


def make_losses() -> Pairs:
    """Give estimators with each loss, criterion, kernel, metric and solver."""
    from sklearn import ensemble, linear_model, neighbors, svm

    options = [
        (ensemble.GradientBoostingClassifier, "loss", BINARY),
        (ensemble.GradientBoostingClassifier, "loss", THREE),
        (ensemble.GradientBoostingRegressor, "loss", LINE),
        (ensemble.HistGradientBoostingClassifier, "loss", BINARY),
        (ensemble.HistGradientBoostingClassifier, "loss", THREE),
        (ensemble.HistGradientBoostingRegressor, "loss", LINE),
        (ensemble.RandomForestRegressor, "criterion", LINE),
        (ensemble.RandomForestClassifier, "criterion", THREE),
        (linear_model.SGDClassifier, "loss", THREE),
        (linear_model.SGDRegressor, "loss", LINE),
        (linear_model.LogisticRegression, "solver", BINARY),
        (svm.SVC, "kernel", THREE),
        (neighbors.KNeighborsClassifier, "metric", THREE),
        (neighbors.KNeighborsClassifier, "algorithm", THREE),
        (neighbors.RadiusNeighborsRegressor, "metric", LINE),
        (neighbors.KernelDensity, "metric", LINE),
        (neighbors.KernelDensity, "kernel", LINE),
        (neighbors.NearestNeighbors, "metric", LINE),
    ]
    values = (
        "deviance log_loss exponential ls squared_error lad absolute_error huber quantile"
        " least_squares poisson gamma auto binary_crossentropy categorical_crossentropy mse mae"
        " friedman_mse gini entropy hinge log modified_huber squared_hinge perceptron squared_loss"
        " epsilon_insensitive squared_epsilon_insensitive lbfgs liblinear newton-cg newton-cholesky"
        " sag saga linear poly rbf sigmoid ball_tree kd_tree brute euclidean manhattan chebyshev"
        " minkowski canberra braycurtis hamming cosine haversine l1 l2 cityblock infinity p"
        " jaccard matching dice rogerstanimoto russellrao sokalmichener sokalsneath"
        " gaussian tophat epanechnikov exponential"
    ).split()
    for kind, option, target in options:
        for value in values:
            with contextlib.suppress(Exception):
                yield value, fit(kind(**{option: value}), NUMBERS, target)
    for kind in (neighbors.KNeighborsClassifier, neighbors.KNeighborsRegressor):
        for algorithm in ("ball_tree", "kd_tree"):
            model = kind(metric="minkowski", p=3, algorithm=algorithm)
            yield algorithm, fit(model, NUMBERS, BINARY)
    for quantile in ("quantile",):
        with contextlib.suppress(Exception):
            model = ensemble.HistGradientBoostingRegressor(loss=quantile, quantile=0.5)
            yield quantile, fit(model, NUMBERS, LINE)
    with contextlib.suppress(Exception):
        kinds = {"max_iter": 3, "categorical_features": "from_dtype"}
        model = ensemble.HistGradientBoostingClassifier(**kinds)
        grouped = FRAME[["age", "job"]].astype({"job": "category"})
        yield "categories", fit(model, grouped, BINARY)


def make_options() -> Pairs:
    """Give every estimator of scikit-learn with each value that its options are documented with."""
    from sklearn.utils import all_estimators

    for name, kind in all_estimators():
        for option, value in options(kind):
            try:
                model = built(kind).set_params(**{option: value})
            except Exception:  # noqa: BLE001 - it needs what is not here
                continue
            for what, data in attempts():
                with contextlib.suppress(Exception):
                    yield "%s %s=%s on %s" % (name, option, value, what), fit(model, *data)
                    break


def options(kind: Any) -> Iterator[tuple[str, Any]]:
    """Give the options of a class with the texts that each takes, but for those it has anyway.

    From scikit-learn 1.2 on a class says so itself.
    """
    usual = inspect.signature(kind.__init__).parameters
    for option, allowed in getattr(kind, "_parameter_constraints", {}).items():
        for one in allowed if isinstance(allowed, list) else ():
            for value in sorted(getattr(one, "options", ()), key=str):
                if isinstance(value, str) and option in usual and value != usual[option].default:
                    yield option, value


def make_powers() -> Pairs:
    """Give generalized linear models, and losses, of each power and link."""
    from sklearn import linear_model

    for power in (-1, 0, 1, 1.5, 2, 2.5, 3):
        for link in ("auto", "identity", "log"):
            with contextlib.suppress(Exception):
                model = linear_model.TweedieRegressor(power=power, link=link)
                yield "tweedie %s %s" % (power, link), fit(model, NUMBERS, np.abs(LINE) + 0.1)
    yield "poisson", fit(linear_model.PoissonRegressor(), NUMBERS, np.abs(LINE))
    yield "gamma", fit(linear_model.GammaRegressor(), NUMBERS, np.abs(LINE) + 0.1)
    abstract = ("CyLossFunction", "ArrayAPILossMixin", "BaseLoss")
    for module in ("sklearn._loss._loss", "sklearn._loss.loss"):
        losses = vars(importlib.import_module(module))
        for name, kind in sorted(losses.items()):
            mine = inspect.isclass(kind) and kind.__module__ in (module, "_loss")
            if mine and name not in abstract:
                yield from every_call(name, kind)


def every_call(name: str, kind: Any) -> Pairs:
    """Give what a class makes of a few arguments, where it takes them."""
    for given in ((), (0.5,), (1.5,), (0.5, 0.5)):
        with contextlib.suppress(Exception):
            yield "%s%s" % (name, given), kind(*given)
    for given in ({"n_classes": 3}, {"quantile": 0.5}, {"delta": 1.0}, {"power": 1.5}):
        with contextlib.suppress(Exception):
            yield "%s%s" % (name, given), kind(**given)


def make_metrics() -> Pairs:
    """Give the distance metrics, and trees over them."""
    from sklearn.neighbors import BallTree, KDTree

    try:
        from sklearn.metrics import DistanceMetric
    except ImportError:
        from sklearn.neighbors import DistanceMetric
    for name in "euclidean manhattan chebyshev hamming canberra braycurtis haversine".split():
        yield name, DistanceMetric.get_metric(name)
        with contextlib.suppress(TypeError):
            yield name, DistanceMetric.get_metric(name, np.float32)
    for name in "jaccard dice matching rogerstanimoto russellrao sokalmichener".split():
        with contextlib.suppress(ValueError):
            yield name, DistanceMetric.get_metric(name)
    yield "minkowski", DistanceMetric.get_metric("minkowski", p=3)
    yield "seuclidean", DistanceMetric.get_metric("seuclidean", V=np.ones(4))
    yield "mahalanobis", DistanceMetric.get_metric("mahalanobis", V=np.eye(4))
    for number in (np.float64, np.float32):
        yield "BallTree", BallTree(NUMBERS.astype(number))
        yield "KDTree", KDTree(NUMBERS.astype(number))


def make_kernels() -> Pairs:
    """Give Gaussian processes with each kernel."""
    from sklearn.gaussian_process import GaussianProcessClassifier as Classifier
    from sklearn.gaussian_process import GaussianProcessRegressor as Regressor
    from sklearn.gaussian_process import kernels as k

    base = k.RBF()
    found = [
        *(k.RBF(), k.Matern(), k.RationalQuadratic(), k.ExpSineSquared(), k.DotProduct()),
        *(k.ConstantKernel() * base + k.WhiteKernel(), k.Exponentiation(base, 2)),
        *(k.PairwiseKernel(metric="rbf"), k.CompoundKernel([base])),
    ]
    for kernel in found:
        yield str(kernel), kernel
        with contextlib.suppress(Exception):
            yield str(kernel), fit(Regressor(kernel, optimizer=None), NUMBERS[:20], LINE[:20])
            yield str(kernel), fit(Classifier(kernel, optimizer=None), NUMBERS[:20], THREE[:20])


def make_splits() -> Pairs:
    """Give searches with each way to split, and each scorer that has a name."""
    import sklearn.metrics
    from sklearn import model_selection
    from sklearn.linear_model import LogisticRegression

    for name in sorted(vars(model_selection)):
        kind = getattr(model_selection, name)
        if inspect.isclass(kind) and hasattr(kind, "get_n_splits"):
            with contextlib.suppress(Exception):
                folds = kind()
                yield name, folds
                search = model_selection.GridSearchCV(LogisticRegression(), {"C": [1.0]}, cv=folds)
                yield name, fit(search, NUMBERS, BINARY)
    with contextlib.suppress(Exception):
        yield "PredefinedSplit", model_selection.PredefinedSplit(BINARY)
        yield "LeavePOut", model_selection.LeavePOut(2)
        yield "check_cv", model_selection.check_cv(iter([([0, 1], [2, 3])]))
    try:
        scorers = sklearn.metrics.get_scorer_names()
    except AttributeError:
        scorers = sorted(sklearn.metrics.SCORERS)
    for name in scorers:
        yield name, sklearn.metrics.get_scorer(name)
    for name in sorted(vars(sklearn.metrics)):
        metric = getattr(sklearn.metrics, name)
        if inspect.isfunction(metric) and name.endswith(("_score", "_error", "_loss")):
            yield name, sklearn.metrics.make_scorer(metric)
    yield "ParameterGrid", model_selection.ParameterGrid({"a": [1]})
    yield "ParameterSampler", model_selection.ParameterSampler({"a": [1]}, 1, random_state=0)


def make_functions() -> Pairs:
    """Give transformers that name a function of numpy or of scikit-learn."""
    from sklearn import feature_selection, preprocessing
    from sklearn.metrics import pairwise

    names = (
        "abs absolute add arccos arcsin arcsinh arctan arctan2 arctanh cbrt ceil clip copysign cos"
        " cosh deg2rad degrees divide exp exp2 expm1 fabs fix floor floor_divide fmax fmin fmod"
        " heaviside hypot invert isfinite isinf isnan log log10 log1p log2 logaddexp logaddexp2"
        " logical_and logical_not logical_or logical_xor maximum minimum mod multiply nan_to_num"
        " negative positive power rad2deg radians reciprocal remainder rint round sign signbit sin"
        " sinc sinh sqrt square subtract tan tanh true_divide trunc asarray array atleast_1d"
        " atleast_2d argmax argmin cumsum cumprod diff mean median std var sum prod max min amax"
        " amin nanmean nanmedian nanstd nansum nanmax nanmin ravel reshape squeeze transpose"
        " column_stack hstack vstack concatenate where unique quantile percentile"
        " nanquantile nanpercentile average ptp equal not_equal greater less greater_equal"
        " less_equal ones_like zeros_like full_like identity eye"
    ).split()
    for name in names:
        if hasattr(np, name):
            yield name, preprocessing.FunctionTransformer(getattr(np, name))
    for name in sorted(vars(feature_selection)):
        function = getattr(feature_selection, name)
        if inspect.isfunction(function):
            yield name, function
    for name in sorted(vars(pairwise)):
        function = getattr(pairwise, name)
        if inspect.isfunction(function) and name.endswith(
            ("_kernel", "_distances", "_similarity", "_distances_argmin")
        ):
            yield name, function
    for name in "scale minmax_scale maxabs_scale robust_scale normalize binarize".split():
        yield name, getattr(preprocessing, name)
    from scipy import special

    for name in sorted(vars(special)):
        if isinstance(getattr(special, name), np.ufunc):
            yield name, getattr(special, name)
    yield "partial", functools.partial(feature_selection.mutual_info_classif, random_state=0)


def make_pipelines() -> Pairs:
    """Give pipelines over frames, as people build them."""
    from sklearn import (
        compose,
        ensemble,
        feature_selection,
        impute,
        linear_model,
        pipeline,
        preprocessing,
    )
    from sklearn.calibration import CalibratedClassifierCV

    numbers, words = ["age", "pay", "hours", "score"], ["job", "town"]
    encode = preprocessing.OneHotEncoder(handle_unknown="ignore")
    prepare = compose.ColumnTransformer(
        [
            (
                "n",
                pipeline.make_pipeline(impute.SimpleImputer(), preprocessing.StandardScaler()),
                numbers,
            ),
            ("w", encode, words),
        ],
        remainder="passthrough",
    )
    finals = [
        linear_model.LogisticRegression(),
        ensemble.RandomForestClassifier(3),
        ensemble.GradientBoostingClassifier(n_estimators=3),
        CalibratedClassifierCV(linear_model.LogisticRegression(), method="isotonic", cv=2),
        CalibratedClassifierCV(linear_model.LogisticRegression(), method="sigmoid", cv=2),
        ensemble.StackingClassifier([("a", linear_model.LogisticRegression())]),
        ensemble.VotingClassifier([("a", linear_model.LogisticRegression())]),
    ]
    for final in finals:
        yield "pipeline", fit(pipeline.make_pipeline(prepare, final), FRAME, NAMES)
    yield "frame", FRAME
    select = compose.make_column_transformer(
        (preprocessing.StandardScaler(), compose.make_column_selector(dtype_include=np.number)),
        (preprocessing.OrdinalEncoder(), compose.make_column_selector(dtype_include=object)),
        remainder="drop",
    )
    yield "selector", fit(pipeline.make_pipeline(select, finals[0]), FRAME, NAMES)
    union = pipeline.make_union(preprocessing.StandardScaler(), feature_selection.SelectKBest(k=2))
    yield "union", fit(pipeline.make_pipeline(union, finals[0]), FRAME[numbers], NAMES)
    yield (
        "target",
        fit(
            compose.TransformedTargetRegressor(
                linear_model.LinearRegression(), func=np.log1p, inverse_func=np.expm1
            ),
            *(NUMBERS, np.abs(LINE)),
        ),
    )
    yield (
        "quantile",
        fit(
            compose.TransformedTargetRegressor(
                linear_model.Ridge(), transformer=preprocessing.QuantileTransformer(n_quantiles=5)
            ),
            *(NUMBERS, LINE),
        ),
    )
    if hasattr(prepare, "set_output"):
        prepare.set_output(transform="pandas")
        yield (
            "output",
            fit(
                pipeline.make_pipeline(prepare.set_params(w__sparse_output=False), finals[0]),
                FRAME,
                NAMES,
            ),
        )


def make_text() -> Pairs:
    """Give models of text."""
    from sklearn import decomposition, feature_extraction, linear_model, naive_bayes, pipeline

    text = feature_extraction.text
    for kind in (text.CountVectorizer, text.TfidfVectorizer, text.HashingVectorizer):
        for options in ({}, {"analyzer": "char", "ngram_range": (1, 2)}, {"stop_words": "english"}):
            model = pipeline.make_pipeline(kind(**options), linear_model.SGDClassifier())
            yield kind.__name__, fit(model, TEXT, THREE)
    model = pipeline.make_pipeline(
        text.CountVectorizer(), text.TfidfTransformer(), naive_bayes.MultinomialNB()
    )
    yield "text", fit(model, pd.Series(TEXT), THREE)
    yield (
        "topics",
        fit(
            pipeline.make_pipeline(
                text.CountVectorizer(), decomposition.LatentDirichletAllocation(2)
            ),
            TEXT,
        ),
    )


def make_searches() -> Pairs:
    """Give searches, with what they keep."""
    from sklearn import ensemble, linear_model, model_selection

    for scoring in (None, "roc_auc", "f1_macro", ["accuracy", "f1"]):
        search = model_selection.GridSearchCV(
            linear_model.LogisticRegression(),
            {"C": [0.1, 1.0]},
            scoring=scoring,
            refit="f1" if isinstance(scoring, list) else True,
            cv=2,
        )
        yield "grid", fit(search, FRAME[["age", "pay"]], BINARY)
    search = model_selection.RandomizedSearchCV(
        ensemble.RandomForestClassifier(2),
        {"max_depth": [2, 3, None], "criterion": ["gini", "entropy"]},
        n_iter=2,
        cv=2,
        random_state=np.random.RandomState(0),
    )
    yield "random", fit(search, NUMBERS, THREE)


def make_statistics() -> Pairs:
    """Give distributions of scipy, as searches take them."""
    from scipy import stats

    for name in "uniform norm randint loguniform expon gamma beta reciprocal poisson".split():
        frozen = getattr(stats, name)
        with contextlib.suppress(Exception):
            yield name, frozen
            yield name, frozen(1, 2)


def make_frozen() -> Pairs:
    """Give every distribution of scipy, frozen, and a search over some."""
    from scipy import stats
    from sklearn import linear_model, model_selection

    for kind in (stats._continuous_distns, stats._discrete_distns):  # noqa: SLF001 - it is what is kept
        for name in kind._distn_names:  # noqa: SLF001 - as above
            found = getattr(stats, name)
            given = [0.5] * found.numargs
            with contextlib.suppress(Exception):
                yield name, found(*given)
            with contextlib.suppress(Exception):
                yield name, found(*given, loc=1, scale=2)
    for name, given in (("loguniform", (1e-3, 1.0)), ("uniform", (0, 1)), ("expon", ())):
        with contextlib.suppress(Exception):
            search = model_selection.RandomizedSearchCV(
                linear_model.LogisticRegression(),
                {"C": getattr(stats, name)(*given)},
                n_iter=2,
                cv=2,
                random_state=0,
            )
            yield name, fit(search, NUMBERS, BINARY)


def make_scipy() -> Pairs:
    """Give what models hold of scipy."""
    from scipy import interpolate, optimize, sparse, spatial, stats

    for kind in "csr csc coo bsr dia dok lil".split():
        yield kind, getattr(sparse, kind + "_matrix")(np.eye(3))
        if hasattr(sparse, kind + "_array"):
            yield kind, getattr(sparse, kind + "_array")(np.eye(3))
    line = np.arange(6.0)
    for kind in "linear nearest cubic quadratic previous next zero slinear".split():
        with contextlib.suppress(Exception):
            yield kind, interpolate.interp1d(line, line, kind=kind)
    yield "pchip", interpolate.PchipInterpolator(line, line)
    yield "akima", interpolate.Akima1DInterpolator(line, line)
    yield "cubic", interpolate.CubicSpline(line, line)
    yield "spline", interpolate.make_interp_spline(line, line)
    yield "univariate", interpolate.UnivariateSpline(line, line)
    yield "ppoly", interpolate.PPoly(np.ones((2, 5)), line)
    yield "optimum", optimize.minimize(lambda x: (x**2).sum(), [1.0])
    yield "least", optimize.least_squares(lambda x: x, [1.0])
    yield "ckdtree", spatial.cKDTree(NUMBERS)
    yield "kdtree", spatial.KDTree(NUMBERS)
    yield "delaunay", spatial.ConvexHull(NUMBERS[:, :2])
    yield "kde", stats.gaussian_kde(LINE)


def make_numpy() -> Pairs:
    """Give arrays of every type, scalars, and generators of random numbers."""
    for code in "? b B h H i I l L q Q e f d g F D G S3 U3 V4 M8[ns] m8[s] O".split():
        yield code, np.zeros(3, dtype=code)
        yield code, np.zeros((2, 2), dtype=code, order="F")
        yield code, np.dtype(code)
        yield code, np.dtype(code).type
        if code != "O":
            yield code, np.zeros(1, dtype=code)[0]
    yield "record", np.zeros(2, dtype=[("a", "i4"), ("b", "O")])
    yield "recarray", np.rec.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")])
    yield "masked", np.ma.masked_array([1.0, 2.0], [True, False])
    yield "masked", np.ma.masked
    yield "matrix", np.matrix([[1.0]])
    yield "poly", np.poly1d([1.0, 2.0])
    yield "polynomial", np.polynomial.Polynomial([1.0, 2.0])
    yield "chebyshev", np.polynomial.Chebyshev([1.0, 2.0])
    yield "state", np.random.RandomState(0)
    yield "mtrand", np.random.mtrand._rand  # noqa: SLF001
    for name in "PCG64 MT19937 Philox SFC64 PCG64DXSM".split():
        with contextlib.suppress(AttributeError):
            yield name, np.random.Generator(getattr(np.random, name)(0))
            yield name, getattr(np.random, name)(0)
    yield "seed", np.random.SeedSequence(0)
    yield "default", np.random.default_rng(0)
    yield "info", np.finfo(float)
    yield "newaxis", [np.nan, np.newaxis, slice(None), Ellipsis, NotImplemented]
    with contextlib.suppress(AttributeError):
        yield "string", np.array(["a", "b"], dtype=np.dtypes.StringDType())


def make_pandas() -> Pairs:
    """Give frames, series and indexes of every type."""
    stamps = pd.date_range("2020-01-01", periods=3)
    columns = {
        "int": [1, 2, 3],
        "float": [1.0, None, 3.0],
        "text": ["a", "b", None],
        "bool": [True, False, True],
        "stamp": stamps,
        "zone": stamps.tz_localize("UTC"),
        "paris": stamps.tz_localize("Europe/Paris"),
        "delta": stamps - stamps[0],
        "period": stamps.to_period("M"),
        "category": pd.Categorical(["a", "b", "a"]),
        "ordered": pd.Categorical([1, 2, 1], ordered=True),
        "interval": pd.cut([1, 2, 3], 2),
        "Int64": pd.array([1, None, 3], dtype="Int64"),
        "UInt8": pd.array([1, None, 3], dtype="UInt8"),
        "boolean": pd.array([True, None, False], dtype="boolean"),
        "string": pd.array(["a", None, "b"], dtype="string"),
        "sparse": pd.arrays.SparseArray([0, 0, 1]),
    }
    with contextlib.suppress(Exception):
        columns["Float64"] = pd.array([1.0, None, 3.0], dtype="Float64")
    for dtype in ("string[pyarrow]", "string[python]", "int64[pyarrow]", "str"):
        with contextlib.suppress(Exception):
            values = ["1", "2", None] if "str" in dtype else [1, 2, 3]
            columns[dtype] = pd.array(values, dtype=dtype)
    for name, column in columns.items():
        series = pd.Series(column, name=name)
        yield name, series
        yield name, series.dtype
        yield name, series.iloc[0]
        yield name, series.to_frame()
        with contextlib.suppress(Exception):
            yield name, pd.Index(column)
    whole = pd.DataFrame(columns)
    yield "frame", whole
    yield "frame", whole.iloc[1:]
    yield "groups", FRAME.groupby("job")[["age"]].mean()
    yield "many", FRAME.groupby(["job", "town"])[["age"]].mean()
    yield "range", pd.RangeIndex(3)
    yield "multi", pd.MultiIndex.from_product([["a", "b"], [1, 2]])
    yield "missing", [pd.NaT, pd.NA]
    for code in "D B W M MS ME Q QE Y YE h H min T s S W-MON BMS".split():
        with contextlib.suppress(Exception):
            yield code, pd.tseries.frequencies.to_offset(code)
            yield code, pd.date_range("2020-01-01", periods=3, freq=code)
    yield "interval", pd.Interval(0, 1)
    yield "stamp", pd.Timestamp("2020-01-01", tz="UTC")
    yield "delta", pd.Timedelta(days=1)
    yield "period", pd.Period("2020-01", "M")


def make_xgboost() -> Pairs:
    """Give models of XGBoost."""
    import xgboost

    few = {"n_estimators": 3, "n_jobs": 1}
    for number in (NUMBERS, FRAME[["age", "pay"]]):
        yield "classifier", fit(xgboost.XGBClassifier(**few), number, BINARY)
        yield "three", fit(xgboost.XGBClassifier(**few), number, THREE)
        yield "regressor", fit(xgboost.XGBRegressor(**few), number, LINE)
        yield "forest", fit(xgboost.XGBRFClassifier(**few), number, BINARY)
        yield "forest", fit(xgboost.XGBRFRegressor(**few), number, LINE)
    yield "ranker", fit(xgboost.XGBRanker(**few), NUMBERS, BINARY, group=[30, 30])
    yield "booster", xgboost.train({}, xgboost.DMatrix(NUMBERS, BINARY), 3)
    yield "linear", fit(xgboost.XGBRegressor(booster="gblinear", **few), NUMBERS, LINE)
    yield "dart", fit(xgboost.XGBClassifier(booster="dart", **few), NUMBERS, BINARY)
    yield "unfitted", xgboost.XGBClassifier()
    yield (
        "state",
        fit(xgboost.XGBClassifier(random_state=np.random.RandomState(1), **few), NUMBERS, BINARY),
    )
    with contextlib.suppress(Exception):
        stop = xgboost.callback.EarlyStopping(2)
        model = xgboost.XGBClassifier(callbacks=[stop], **few)
        yield "stop", fit(model, NUMBERS, BINARY, eval_set=[(NUMBERS, BINARY)])
    with contextlib.suppress(Exception):
        model = xgboost.XGBClassifier(enable_categorical=True, tree_method="hist", **few)
        yield "category", fit(model, FRAME[["age", "town"]], BINARY)


def make_lightgbm() -> Pairs:
    """Give models of LightGBM."""
    import lightgbm

    few = {"n_estimators": 3, "n_jobs": 1, "min_child_samples": 2}
    for number in (NUMBERS, FRAME[["age", "town"]]):
        yield "classifier", fit(lightgbm.LGBMClassifier(**few), number, NAMES)
        yield "three", fit(lightgbm.LGBMClassifier(**few), number, THREE)
        yield "regressor", fit(lightgbm.LGBMRegressor(**few), number, LINE)
    yield "ranker", fit(lightgbm.LGBMRanker(**few), NUMBERS, BINARY, group=[30, 30])
    yield "unfitted", lightgbm.LGBMClassifier()
    yield "booster", lightgbm.train({"verbose": -1}, lightgbm.Dataset(NUMBERS, BINARY), 3)
    model = lightgbm.LGBMClassifier(**few)
    yield "evaluated", fit(model, NUMBERS, BINARY, eval_set=[(NUMBERS, BINARY)])
    with contextlib.suppress(Exception):
        stop = lightgbm.early_stopping(2)
        yield "stop", fit(model, NUMBERS, BINARY, eval_set=[(NUMBERS, BINARY)], callbacks=[stop])
    yield "cv", lightgbm.cv({"verbose": -1}, lightgbm.Dataset(NUMBERS, BINARY), 3)
    with contextlib.suppress(Exception):
        kept = lightgbm.cv(
            {"verbose": -1}, lightgbm.Dataset(NUMBERS, BINARY), 3, return_cvbooster=True
        )
        yield "folds", kept["cvbooster"]


def make_catboost() -> Pairs:
    """Give models of CatBoost."""
    import catboost

    few = {"iterations": 3, "verbose": False, "allow_writing_files": False, "thread_count": 1}
    yield "classifier", fit(catboost.CatBoostClassifier(**few), NUMBERS, BINARY)
    yield "names", fit(catboost.CatBoostClassifier(**few), FRAME[["age", "pay"]], NAMES)
    yield (
        "category",
        fit(catboost.CatBoostClassifier(cat_features=["job"], **few), FRAME[["age", "job"]], THREE),
    )
    yield "regressor", fit(catboost.CatBoostRegressor(**few), NUMBERS, LINE)
    yield "base", fit(catboost.CatBoost(few), NUMBERS, LINE)
    yield (
        "evaluated",
        fit(catboost.CatBoostClassifier(**few), NUMBERS, BINARY, eval_set=(NUMBERS, BINARY)),
    )
    yield "unfitted", catboost.CatBoostClassifier()
    with contextlib.suppress(Exception):
        model = catboost.CatBoostRanker(**few)
        yield "ranker", fit(model, NUMBERS, BINARY, group_id=np.arange(ROWS) // 6)


def make_boosted_pipelines() -> Pairs:
    """Give pipelines that end in a boosted model, over frames."""
    import lightgbm
    import xgboost
    from sklearn import compose, model_selection, pipeline, preprocessing

    encode = compose.make_column_transformer(
        (preprocessing.OneHotEncoder(), ["job"]), remainder="passthrough"
    )
    data = FRAME.drop(columns="town")
    for final in (xgboost.XGBClassifier(n_estimators=3), lightgbm.LGBMClassifier(n_estimators=3)):
        yield "boosted", fit(pipeline.make_pipeline(encode, final), data, BINARY)
        search = model_selection.GridSearchCV(final, {"n_estimators": [2]}, cv=2)
        yield "search", fit(search, NUMBERS, BINARY)


def make_statsmodels() -> Pairs:
    """Give results of statsmodels, from arrays and from frames."""
    import statsmodels.api as sm

    data = sm.add_constant(FRAME[["age", "pay"]])
    for given in (data, data.to_numpy()):
        yield "ols", sm.OLS(LINE, given).fit()
        yield "wls", sm.WLS(LINE, given).fit()
        yield "gls", sm.GLS(LINE, given).fit()
        yield "rlm", sm.RLM(LINE, given).fit()
        yield "logit", sm.Logit(np.roll(BINARY, 7) * (THREE > 0), given).fit(disp=0)
        yield "probit", sm.Probit(np.roll(BINARY, 7) * (THREE > 0), given).fit(disp=0)
        yield "mnlogit", sm.MNLogit(THREE, given).fit(disp=0)
        yield "poisson", sm.Poisson(THREE, given).fit(disp=0)
        yield "negative", sm.NegativeBinomial(THREE, given).fit(disp=0)
        for family in ("Gaussian", "Binomial", "Poisson", "Gamma", "Tweedie", "InverseGaussian"):
            with contextlib.suppress(Exception):
                target = np.abs(LINE) if family in ("Gamma", "InverseGaussian") else BINARY
                model = sm.GLM(target, given, family=getattr(sm.families, family)())
                yield family, model.fit()
        yield "quantile", sm.QuantReg(LINE, given).fit()
    yield "robust", sm.OLS(LINE, data).fit(cov_type="HC1")
    yield "regularized", sm.OLS(LINE, data).fit_regularized()


def make_series() -> Pairs:
    """Give models of time series from statsmodels."""
    from statsmodels.tsa import api

    yield "arima", api.ARIMA(LINE, order=(1, 0, 0)).fit()
    yield (
        "holt",
        api.ExponentialSmoothing(LINE, trend="add", initialization_method="estimated").fit(),
    )
    yield "simple", api.SimpleExpSmoothing(LINE, initialization_method="estimated").fit()
    yield "auto", api.AutoReg(LINE, lags=1).fit()
    yield "sarimax", api.SARIMAX(pd.Series(LINE), order=(1, 0, 0)).fit(disp=0)


def make_results() -> Pairs:
    """Give more results of statsmodels: of series, of many equations, of groups, of formulas."""
    import statsmodels.api as sm
    from statsmodels.tsa import api

    data = sm.add_constant(FRAME[["age", "pay"]])
    groups = FRAME["job"]
    walk = pd.Series(LINE, index=pd.period_range("2000-01", periods=ROWS, freq="M"))
    stamped = pd.Series(LINE, index=pd.date_range("2000-01-01", periods=ROWS, freq="MS"))
    two = pd.DataFrame({"a": LINE, "b": np.roll(LINE, 3) + RANDOM.normal(size=ROWS)})
    made = {
        "mixed": lambda: sm.MixedLM(LINE, data, groups).fit(),
        "gee": lambda: sm.GEE(BINARY, data, groups, family=sm.families.Binomial()).fit(),
        "exposed": lambda: sm.GLM(
            THREE, data, family=sm.families.Poisson(), exposure=THREE + 1.0
        ).fit(),
        "generalized": lambda: sm.GeneralizedPoisson(THREE, data).fit(disp=0),
        "zero": lambda: sm.ZeroInflatedPoisson(THREE, data).fit(disp=0),
        "ordered": lambda: importlib.import_module(
            "statsmodels.miscmodels.ordinal_model"
        ).OrderedModel(THREE, FRAME[["age", "pay"]]).fit(disp=0),
        "hazard": lambda: sm.PHReg(LINE, data[["age", "pay"]]).fit(),
        "recursive": lambda: sm.RecursiveLS(LINE, data).fit(),
        "rolling": lambda: importlib.import_module(
            "statsmodels.regression.rolling"
        ).RollingOLS(LINE, data, 20).fit(),
        "penalized": lambda: sm.Logit(
            np.roll(BINARY, 7) * (THREE > 0), data
        ).fit_regularized(disp=0),
        "spline": lambda: sm.nonparametric.KDEUnivariate(LINE),
        "components": lambda: sm.PCA(NUMBERS),
        "factors": lambda: sm.Factor(NUMBERS, 1).fit(),
        "vector": lambda: api.VAR(two).fit(1),
        "correction": lambda: api.VECM(two).fit(),
        "varmax": lambda: api.VARMAX(two, order=(1, 0)).fit(disp=0, maxiter=2),
        "unobserved": lambda: api.UnobservedComponents(LINE, "local level").fit(disp=0),
        "dynamic": lambda: api.DynamicFactor(
            two, k_factors=1, factor_order=1
        ).fit(disp=0, maxiter=2),
        "ets": lambda: api.ETSModel(stamped, trend="add").fit(disp=0),
        "seasonal ets": lambda: api.ETSModel(
            stamped, trend="add", seasonal="add", seasonal_periods=12
        ).fit(disp=0),
        "holt": lambda: api.Holt(stamped, initialization_method="estimated").fit(),
        "winters": lambda: api.ExponentialSmoothing(
            stamped, seasonal="add", seasonal_periods=12, initialization_method="estimated"
        ).fit(),
        "switching": lambda: sm.tsa.MarkovRegression(LINE, 2).fit(disp=0, maxiter=2),
        "switching order": lambda: sm.tsa.MarkovAutoregression(LINE, 2, 1).fit(disp=0, maxiter=2),
        "ardl": lambda: api.ARDL(LINE, 1, two[["b"]], 1).fit(),
        "theta": lambda: importlib.import_module(
            "statsmodels.tsa.forecasting.theta"
        ).ThetaModel(stamped).fit(),
        "loess": lambda: api.STL(stamped).fit(),
        "decomposed": lambda: api.seasonal_decompose(stamped),
        "forecast": lambda: api.STLForecast(
            stamped, api.ARIMA, model_kwargs={"order": (1, 0, 0)}
        ).fit(),
    }  # fmt: skip
    for trend in ("add", "mul"):
        for season in ("add", "mul"):
            kind = {"trend": trend, "seasonal": season, "seasonal_periods": 4}
            made["ets %s %s" % (trend, season)] = functools.partial(smoothed, LINE, kind)
    for given in (LINE, walk, stamped):
        for order in ((1, 0, 0), (1, 1, 1), (0, 1, 2)):
            made["arima %s %s" % (type(given), order)] = functools.partial(
                arima, given, order=order
            )
        made["seasonal %s" % type(given)] = functools.partial(
            arima, given, order=(1, 0, 0), seasonal_order=(1, 0, 0, 4)
        )
        made["trend %s" % type(given)] = functools.partial(
            arima, given, order=(1, 0, 0), trend="ct"
        )
    for method in ("hannan_rissanen", "innovations_mle", "burg", "yule_walker"):
        order = (1, 0, 1) if method[0] in "hi" else (1, 0, 0)
        made[method] = functools.partial(arima, LINE, order=order, method=method)
    for link in (
        "Log",
        "Logit",
        "Probit",
        "CLogLog",
        "Identity",
        "Power",
        "Sqrt",
        "InverseSquared",
    ):
        made[link] = functools.partial(linked, link, data)
    for name, make in made.items():
        with contextlib.suppress(Exception):
            result = make()
            yield name, result
            yield name, getattr(result, "model", None)


def arima(given: Any, method: Any = None, **others: Any) -> Any:
    """Return a fitted model of a series."""
    from statsmodels.tsa import api

    return api.ARIMA(given, **others).fit(
        method=method, **({} if method else {"low_memory": False})
    )


def smoothed(given: Any, kind: Any) -> Any:
    """Return a fitted model of a series by exponential smoothing."""
    from statsmodels.tsa import api

    return api.ETSModel(pd.Series(np.abs(given) + 1), **kind).fit(disp=0, maxiter=2)


def linked(link: str, data: Any) -> Any:
    """Return a generalized linear model with a link of its own."""
    import statsmodels.api as sm

    found = getattr(sm.families.links, link, None) or getattr(sm.families.links, link.lower())
    kind = sm.families.Binomial if link in ("Logit", "Probit", "CLogLog") else sm.families.Gaussian
    target = np.roll(BINARY, 7) * (THREE > 0) if kind is sm.families.Binomial else np.abs(LINE) + 1
    return sm.GLM(target, data, family=kind(found())).fit()


def make_standard() -> Pairs:
    """Give what the standard library puts in a model's attributes."""
    import collections
    import datetime
    import decimal
    import enum
    import fractions
    import pathlib
    import random
    import uuid

    yield (
        "collections",
        [
            *(
                collections.OrderedDict(a=1),
                collections.defaultdict(int, a=1),
                collections.deque([1]),
            ),
            *(
                collections.Counter("aab"),
                collections.defaultdict(list),
                collections.defaultdict(dict),
            ),
        ],
    )
    yield "numbers", [1 + 2j, decimal.Decimal("1.5"), fractions.Fraction(1, 3)]
    yield (
        "times",
        [
            *(datetime.date(2020, 1, 1), datetime.datetime(2020, 1, 1), datetime.time(1)),
            *(datetime.timedelta(1), datetime.timezone.utc),
            datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc),
        ],
    )
    yield "sets", [{1}, frozenset({2}), bytearray(b"a"), b"", range(3), slice(1), memoryview]
    yield "types", [int, float, str, bool, bytes, list, dict, tuple, set, object, type, type(None)]
    yield "other", [uuid.uuid4(), pathlib.PurePosixPath("a"), random.Random(0), Ellipsis]
    yield "namespace", __import__("types").SimpleNamespace(a=1)
    yield "pattern", __import__("re").compile("a")
    del enum
