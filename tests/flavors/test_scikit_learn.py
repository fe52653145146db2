from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMClassifier
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.cluster import (
    DBSCAN,
    OPTICS,
    AgglomerativeClustering,
    KMeans,
    SpectralClustering,
    SpectralCoclustering,
)
from sklearn.compose import (
    ColumnTransformer,
    TransformedTargetRegressor,
    make_column_selector,
    make_column_transformer,
)
from sklearn.decomposition import PCA
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    IsolationForest,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import (
    CountVectorizer,
    HashingVectorizer,
    TfidfTransformer,
    TfidfVectorizer,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.manifold import TSNE
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KernelDensity, LocalOutlierFactor
from sklearn.pipeline import Pipeline, make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.svm import SVC

from brinery.errors import NotAModel, PredictionRefused
from brinery.flavors.scikit_learn import ScikitLearn, column_uses, outline
from brinery.records.description import ColumnUse
from brinery.records.evaluation import PredictionType

FLAVOR = ScikitLearn()
UNUSED = ColumnUse(used=False)
PLAIN = ColumnUse()

FRAME = pd.DataFrame(
    {
        "age": [20.0, 30.0, 40.0, 50.0, 60.0, 70.0],
        "balance": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
        "job": ["a", "b", "c", "a", "b", "c"],
        "home": ["own", "rent", "own", "rent", "own", "rent"],
    }
)
NUMBERS = FRAME[["age", "balance"]]
ARRAY = NUMBERS.to_numpy()
YES_NO = np.array(["no", "yes"] * 3)
AMOUNT = np.arange(6.0)
JOBS = ColumnUse(categories=("a", "b", "c"))
HOMES = ColumnUse(categories=("own", "rent"))


def uses(*transformers: Any, frame: pd.DataFrame = FRAME, **options: Any) -> dict[str, ColumnUse]:
    """What a pipeline that begins with these transformers says of its columns."""
    columns = ColumnTransformer(list(transformers), **options)
    model = make_pipeline(columns, DummyClassifier()).fit(frame, YES_NO)
    return FLAVOR.describe(model).columns


def encoding(choice: Any, **options: Any) -> dict[str, ColumnUse]:
    return uses(("encode", OneHotEncoder(), choice), **options)


@pytest.mark.parametrize(
    ("model", "target", "kind", "classes"),
    [
        (LogisticRegression(), YES_NO, PredictionType.BINARY, ("no", "yes")),
        (LogisticRegression(), [0, 1] * 3, PredictionType.BINARY, (0, 1)),
        (LogisticRegression(), [True, False] * 3, PredictionType.BINARY, (False, True)),
        (LogisticRegression(), [0.0, 1.0, 2.0] * 2, PredictionType.MULTICLASS, (0.0, 1.0, 2.0)),
        (LinearRegression(), AMOUNT, PredictionType.REGRESSION, ()),
        (IsolationForest(n_estimators=5), None, PredictionType.OTHER, ()),
        (KMeans(2, n_init=1), None, PredictionType.OTHER, ()),
        (GaussianMixture(2), None, PredictionType.OTHER, ()),
    ],
)
def test_describe(model: Any, target: Any, kind: PredictionType, classes: tuple[Any, ...]) -> None:
    """Type, classes and columns are read from the fitted model."""
    described = FLAVOR.describe(model.fit(NUMBERS, target))
    assert described.framework == "scikit-learn"
    assert described.outline == type(model).__name__
    assert described.type is kind
    assert described.classes == classes
    assert [type(label) for label in described.classes] == [type(label) for label in classes]
    assert described.gives_probabilities == bool(classes)
    assert described.feature_names == ("age", "balance")
    assert described.n_features == 2
    assert described.columns == {}


def test_fitted_on_arrays() -> None:
    """A model that was fitted on an array has a number of columns and no names."""
    described = FLAVOR.describe(LogisticRegression().fit(NUMBERS.to_numpy(), YES_NO))
    assert described.feature_names is None
    assert described.n_features == 2


def test_fitted_on_numbered_columns() -> None:
    """Names that are not text are no names: scikit-learn does not keep them."""
    numbered = NUMBERS.set_axis([0, 1], axis="columns")
    model = LogisticRegression().fit(numbered, YES_NO)
    assert FLAVOR.describe(model).feature_names is None
    assert FLAVOR.score(model, numbered).predictions.shape == (6,)


def test_search() -> None:
    """A search is described by the pipeline that it found best."""
    columns = ColumnTransformer([("job", OneHotEncoder(handle_unknown="ignore"), ["job"])])
    pipeline = Pipeline([("columns", columns), ("model", LogisticRegression())])
    search = GridSearchCV(pipeline, {"model__C": [1.0]}, cv=2, error_score="raise")
    described = FLAVOR.describe(search.fit(FRAME, [0, 0, 0, 1, 1, 1]))
    assert described.type is PredictionType.BINARY
    assert described.classes == (0, 1)
    assert described.outline == "GridSearchCV(Pipeline(ColumnTransformer → LogisticRegression))"
    assert described.columns["job"] == JOBS
    assert described.columns["age"] == UNUSED


def test_transformed_target() -> None:
    """A regressor of a transformed target is described by the pipeline within it."""
    columns = ColumnTransformer([("job", OneHotEncoder(), ["job"])])
    inner = make_pipeline(columns, LinearRegression())
    model = TransformedTargetRegressor(inner, func=np.log1p, inverse_func=np.expm1)
    described = FLAVOR.describe(model.fit(FRAME, AMOUNT))
    assert described.type is PredictionType.REGRESSION
    assert described.columns["job"] == JOBS


@pytest.mark.parametrize(
    "model", [LogisticRegression(), make_pipeline(StandardScaler(), LogisticRegression())]
)
def test_unfitted(model: Any) -> None:
    """A model of scikit-learn's own that was never fitted cannot be described."""
    with pytest.raises(NotFittedError):
        FLAVOR.describe(model)


class Stateless(BaseEstimator):  # type: ignore[misc]
    """A rule that needs no fitting."""

    def predict(self, frame: Any) -> Any:
        """Return a prediction per row."""
        return np.ones(len(frame))


class Passing(BaseEstimator):  # type: ignore[misc]
    """A step that keeps no names."""

    def fit(self, _: Any, __: Any = None) -> Passing:
        """Learn nothing."""
        return self

    def transform(self, frame: Any) -> Any:
        """Return what it is given."""
        return frame


def test_stateless() -> None:
    """A class of the user's own need not say that it is fitted."""
    assert FLAVOR.describe(Stateless()).type is PredictionType.OTHER


@pytest.mark.parametrize(
    ("held", "is_model"),
    [
        (LogisticRegression(), True),
        (make_pipeline(StandardScaler(), LogisticRegression()), True),
        (StandardScaler(), True),
        (make_pipeline(StandardScaler()), True),
        (np.zeros(2), False),
        ({"model": 1}, False),
        (LogisticRegression, False),
    ],
)
def test_sniff(held: object, is_model: bool) -> None:  # noqa: FBT001 - the claim
    """A model is an estimator; whether it has an answer is said when it is described."""
    assert FLAVOR.sniff(held) is is_model


def test_outline() -> None:
    """The outline names the steps that do something, on one line of bounded length."""
    steps = [("a", None), ("b", "passthrough"), ("c", StandardScaler()), ("d", SVC())]
    assert outline(Pipeline(steps)) == "Pipeline(StandardScaler → SVC)"
    assert outline(make_pipeline(make_pipeline(StandardScaler()), SVC())) == (
        "Pipeline(Pipeline(StandardScaler) → SVC)"
    )
    assert len(outline(make_pipeline(*[StandardScaler()] * 50))) == 200


@pytest.mark.parametrize(
    "choice",
    [
        ["job"],
        "job",
        [2],
        2,
        [-2],
        slice(2, 3),
        slice("job", "job"),
        np.array([False, False, True, False]),
        [False, False, True, False],
        [np.bool_(name == "job") for name in FRAME.columns],
        pd.Index(["job"]),
        pytest.param(make_column_selector("job"), id="selector"),
        pytest.param(
            lambda frame: [name for name in frame.columns if name == "job"], id="function"
        ),
    ],
    ids=str,
)
def test_ways_to_choose_columns(choice: Any) -> None:
    """However columns are chosen, those chosen are read and the rest are not."""
    if isinstance(choice, str | int):
        flat = FunctionTransformer(lambda column: column.to_frame(), validate=False)
        found = uses(("one", flat, choice))
        assert found == {"age": UNUSED, "balance": UNUSED, "job": PLAIN, "home": UNUSED}
    else:
        assert encoding(choice) == {"age": UNUSED, "balance": UNUSED, "job": JOBS, "home": UNUSED}


@pytest.mark.parametrize(
    "choice",
    [
        ["job", "home"],
        ["home", "job"],
        [3, 2],
        slice("job", None),
        slice(2, None),
        slice(None, -3, -1),
        [False, False, True, True],
        pytest.param(make_column_selector(dtype_include=["str", "object"]), id="selector"),
    ],
    ids=str,
)
def test_categories_are_of_their_columns(choice: Any) -> None:
    """Each column has its own categories, in whatever order the columns are chosen."""
    found = encoding(choice)
    assert (found["job"], found["home"]) == (JOBS, HOMES)
    assert (found["age"], found["balance"]) == (UNUSED, UNUSED)


@pytest.mark.parametrize("remainder", ["passthrough", StandardScaler()], ids=["as is", "scaled"])
def test_remainder_is_read(remainder: Any) -> None:
    """What the remainder takes is read."""
    found = encoding(["job", "home"], remainder=remainder)
    assert found == {"age": PLAIN, "balance": PLAIN, "job": JOBS, "home": HOMES}


@pytest.mark.parametrize("remainder", ["drop", "passthrough"])
def test_nothing_remains(remainder: str) -> None:
    """A remainder of no columns is no fault."""
    scaled = ("scale", StandardScaler(), ["age", "balance"])
    found = uses(("encode", OneHotEncoder(), ["job", "home"]), scaled, remainder=remainder)
    assert found == {"age": PLAIN, "balance": PLAIN, "job": JOBS, "home": HOMES}


def test_empty_choice() -> None:
    """A transformer of no columns reads none."""
    found = uses(
        ("none", StandardScaler(), []),
        ("mask", StandardScaler(), np.zeros(4, dtype=bool)),
        ("job", OneHotEncoder(), ["job"]),
    )
    assert found == {"age": UNUSED, "balance": UNUSED, "job": JOBS, "home": UNUSED}


def test_dropped() -> None:
    """A column that is dropped by name is not read."""
    found = uses(("drop", "drop", ["home"]), ("job", OneHotEncoder(), ["job"]), remainder="drop")
    assert found["home"] == UNUSED


def test_passed_through() -> None:
    """A column that is passed through by name is read."""
    assert uses(("as is", "passthrough", ["age"]))["age"] == PLAIN


def test_column_of_two_branches() -> None:
    """A column that two branches read has the categories that one of them tells."""
    pass_job = ("as is", "passthrough", ["job"])
    for branches in ((pass_job, ("job", OneHotEncoder(), ["job"])),) * 2:
        assert uses(*branches)["job"] == JOBS
        assert uses(*reversed(branches))["job"] == JOBS


@pytest.mark.parametrize(
    "encoder",
    [
        OneHotEncoder(drop="first"),
        OneHotEncoder(drop="if_binary", handle_unknown="ignore"),
        OneHotEncoder(min_frequency=3, handle_unknown="infrequent_if_exist"),
        OneHotEncoder(max_categories=2),
        OneHotEncoder(categories=[["a", "b", "c"]]),
        OrdinalEncoder(),
        OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
    ],
    ids=str,
)
def test_encoders(encoder: Any) -> None:
    """Every category that an encoder knows is listed, rare and dropped ones among them."""
    assert uses(("encode", encoder, ["job"]))["job"] == JOBS


@pytest.mark.parametrize("missing", [None, float("nan")])
@pytest.mark.parametrize("dtype", [object, "str"])
def test_missing_category(missing: object, dtype: Any) -> None:
    """An encoder that met a missing value knows it, and it is not one of the categories."""
    values = pd.Series(["a", "b", missing, "c", "a", "b"], dtype=dtype)
    frame = FRAME.assign(job=values)
    found = uses(("encode", OneHotEncoder(), ["job"]), frame=frame)
    assert found["job"] == ColumnUse(categories=("a", "b", "c"), missing=True)


def test_number_and_boolean_categories() -> None:
    """Categories keep their type: numbers are not text, and a truth is not a number."""
    frame = FRAME.assign(age=[1, 2, 3] * 2, home=[True, False] * 3)
    found = uses(("encode", OneHotEncoder(), ["age", "home"]), frame=frame)
    assert found["age"].categories == (1, 2, 3)
    assert found["home"].categories == (False, True)
    assert [type(value) for value in found["home"].categories or ()] == [bool, bool]


def test_categories_that_are_not_listed() -> None:
    """Categories that JSON has no value for are not listed, nor are too many."""
    times = FRAME.assign(job=pd.date_range("2020", periods=6))
    assert uses(("encode", OneHotEncoder(), ["job"]), frame=times)["job"] == PLAIN
    many = [[f"{number:04}" for number in range(1001)]]
    coded = FRAME.assign(job=[f"{number:04}" for number in range(6)])
    found = uses(("encode", OneHotEncoder(categories=many), ["job"]), frame=coded)
    assert found["job"] == PLAIN


def test_imputer_before_encoder() -> None:
    """Behind an imputer the categories are known and a missing value is filled in."""
    branch = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder())
    found = uses(("encode", branch, ["home", "job"]))
    assert found["job"] == ColumnUse(categories=("a", "b", "c"), missing=True)
    assert found["home"] == ColumnUse(categories=("own", "rent"), missing=True)


def test_imputed_number() -> None:
    """An imputer in front of anything else fills in, too."""
    branch = make_pipeline(SimpleImputer(), StandardScaler())
    assert uses(("number", branch, ["age"]))["age"] == ColumnUse(missing=True)


def test_nested_pipelines() -> None:
    """Pipelines within pipelines, and steps that do nothing, hide no categories."""
    impute = make_pipeline("passthrough", SimpleImputer(strategy="constant", fill_value="none"))
    branch = Pipeline(
        [("off", None), ("impute", impute), ("encode", make_pipeline(OneHotEncoder()))]
    )
    columns = ColumnTransformer([("job", branch, ["job"])])
    model = make_pipeline(Pipeline([("columns", columns)]), DummyClassifier()).fit(FRAME, YES_NO)
    found = FLAVOR.describe(model).columns
    assert found["job"] == ColumnUse(categories=("a", "b", "c"), missing=True)


def test_imputer_that_drops_a_column() -> None:
    """Where an imputer drops an empty column, no column is given another's categories."""
    frame = FRAME.assign(empty=np.full(6, np.nan, dtype=object))[["empty", "job", "home"]]
    imputer = SimpleImputer(strategy="most_frequent")
    with pytest.warns(UserWarning, match="Skipping features without any observed values"):
        found = uses(("all", make_pipeline(imputer, OneHotEncoder()), list(frame)), frame=frame)
    assert found == dict.fromkeys(frame.columns, ColumnUse(missing=True))


def test_imputer_of_another_value() -> None:
    """An imputer of '?' fills no missing value, and takes a value its encoder never sees."""
    frame = FRAME.assign(job=["a", "?", "c", "a", "b", "c"]).astype({"job": object})
    imputer = SimpleImputer(missing_values="?", strategy="most_frequent")
    found = uses(("job", make_pipeline(imputer, OneHotEncoder()), ["job"]), frame=frame)
    assert found["job"] == PLAIN


def test_columns_that_were_changed_before() -> None:
    """Where a step stands before the column transformer, nothing is said of the columns."""
    first = FunctionTransformer(lambda frame: frame.rename(columns=str.upper), validate=False)
    columns = ColumnTransformer([("job", OneHotEncoder(), ["JOB"])])
    model = make_pipeline(first, columns, DummyClassifier()).fit(FRAME, YES_NO)
    assert column_uses(model, list(FRAME.columns)) == {}


def boosted(**options: Any) -> Any:
    return HistGradientBoostingClassifier(max_iter=3, min_samples_leaf=1, **options)


CATEGORIES = FRAME.astype({"job": "category", "home": "category"})
NATIVE = {
    "age": ColumnUse(missing=True),
    "balance": ColumnUse(missing=True),
    "job": ColumnUse(categories=("a", "b", "c"), missing=True),
    "home": ColumnUse(categories=("own", "rent"), missing=True),
}


@pytest.mark.parametrize(
    ("model", "frame"),
    [
        (boosted(categorical_features="from_dtype"), CATEGORIES),
        (boosted(categorical_features=["home", "job"]), FRAME),
        (boosted(categorical_features=[2, 3]), FRAME),
        (make_pipeline(boosted(categorical_features="from_dtype")), CATEGORIES),
        (
            GridSearchCV(
                make_pipeline(boosted(categorical_features=["job", "home"])),
                {"histgradientboostingclassifier__max_iter": [2]},
                cv=3,
            ),
            FRAME,
        ),
    ],
    ids=["dtype", "names", "positions", "pipeline", "search"],
)
def test_native_categories(model: Any, frame: pd.DataFrame) -> None:
    """Gradient boosting tells the categories it learned, and does without any value."""
    assert FLAVOR.describe(model.fit(frame, YES_NO)).columns == NATIVE


def test_native_categories_in_answers() -> None:
    """Gradient boosting answers a category it does not know as it does a missing value."""
    model = boosted(categorical_features="from_dtype").fit(CATEGORIES, YES_NO)
    unknown = FLAVOR.score(model, FRAME.assign(home="tent"))
    missing = FLAVOR.score(model, FRAME.assign(home=np.full(6, np.nan, dtype=object)))
    assert unknown.probabilities is not None
    assert missing.probabilities is not None
    assert np.array_equal(unknown.probabilities, missing.probabilities)
    assert np.isfinite(missing.probabilities).all()


def test_boosting_without_categories() -> None:
    """Gradient boosting of numbers alone tells nothing of its columns."""
    assert FLAVOR.describe(boosted().fit(NUMBERS, YES_NO)).columns == {}


TEXTS = pd.Series(["good film", "bad film", "so good", "so bad", "good", "bad"], name="text")


def text_search(model: Any) -> Any:
    return GridSearchCV(model, {"logisticregression__C": [1.0]}, cv=3)


@pytest.mark.parametrize(
    "model",
    [
        make_pipeline(CountVectorizer(), LogisticRegression()),
        make_pipeline("passthrough", TfidfVectorizer(), LogisticRegression()),
        make_pipeline(HashingVectorizer(n_features=16), LogisticRegression()),
        make_pipeline(make_union(CountVectorizer(), TfidfVectorizer()), LogisticRegression()),
        text_search(make_pipeline(CountVectorizer(), TfidfTransformer(), LogisticRegression())),
    ],
    ids=["count", "tfidf", "hashing", "union", "search"],
)
@pytest.mark.parametrize("given", [TEXTS.to_frame(), TEXTS.to_frame().to_numpy()], ids=type)
def test_bare_text(model: Any, given: Any) -> None:
    """A model of bare text has one column without a name, and its scores are the model's own."""
    model.fit(TEXTS, YES_NO)
    described = FLAVOR.describe(model)
    assert (described.feature_names, described.n_features) == (None, 1)
    assert described.type is PredictionType.BINARY
    scores = FLAVOR.score(model, given)
    assert scores.predictions.tolist() == model.predict(TEXTS).tolist()
    assert scores.probabilities is not None
    assert np.array_equal(scores.probabilities, model.predict_proba(TEXTS))


@pytest.mark.parametrize("missing", [None, float("nan")])
def test_missing_text(missing: Any) -> None:
    """A missing text is refused, by a vectoriser too that would make the word "nan" of it."""
    model = make_pipeline(CountVectorizer(preprocessor=str), LogisticRegression())
    model.fit(TEXTS, YES_NO)
    with pytest.raises(PredictionRefused, match="a text is missing"):
        FLAVOR.score(model, pd.DataFrame({"text": ["good", missing]}))


def test_text_column_of_a_frame() -> None:
    """A vectoriser behind a column transformer leaves the model its named columns."""
    columns = ColumnTransformer([("text", CountVectorizer(), "home")], remainder="drop")
    model = make_pipeline(columns, LogisticRegression()).fit(FRAME, YES_NO)
    assert FLAVOR.describe(model).feature_names == tuple(FRAME.columns)
    assert FLAVOR.score(model, FRAME).predictions.tolist() == model.predict(FRAME).tolist()


def test_scores_of_a_classifier() -> None:
    """Labels and probabilities are the model's own."""
    model = LogisticRegression().fit(NUMBERS, YES_NO)
    scores = FLAVOR.score(model, NUMBERS)
    assert scores.predictions.tolist() == model.predict(NUMBERS).tolist()
    assert scores.probabilities is not None
    assert np.array_equal(scores.probabilities, model.predict_proba(NUMBERS))
    assert scores.probabilities.dtype == np.float64


def test_scores_of_a_column() -> None:
    """A regression of shape (n, 1) is one value per row."""
    model = LinearRegression().fit(NUMBERS, AMOUNT.reshape(-1, 1))
    assert model.predict(NUMBERS).shape == (6, 1)
    scores = FLAVOR.score(model, NUMBERS)
    assert scores.predictions.shape == (6,)
    assert scores.probabilities is None


def test_without_probabilities() -> None:
    """A classifier that gives no probabilities has none."""
    scores = FLAVOR.score(SVC().fit(NUMBERS, YES_NO), NUMBERS)
    assert scores.probabilities is None
    assert set(scores.predictions.tolist()) <= {"no", "yes"}


def test_probabilities_without_classes() -> None:
    """Probabilities that no class names, as a mixture's, are left out."""
    scores = FLAVOR.score(GaussianMixture(2, random_state=0).fit(NUMBERS), NUMBERS)
    assert scores.probabilities is None
    assert scores.predictions.shape == (6,)


@pytest.mark.parametrize(
    ("model", "target"),
    [
        (LinearRegression(), np.column_stack([AMOUNT, AMOUNT])),
        (RandomForestClassifier(2), np.column_stack([YES_NO, YES_NO])),
    ],
    ids=str,
)
def test_several_outputs(model: Any, target: Any) -> None:
    """A model of several outputs answers each row with all of them, and no probabilities."""
    scores = FLAVOR.score(model.fit(NUMBERS, target), NUMBERS)
    assert scores.outputs == ("output_0", "output_1")
    assert scores.probabilities is None
    assert scores.predictions.tolist() == model.predict(NUMBERS).tolist()


def test_type_of_several_outputs() -> None:
    """A classifier of several outputs, which has a list of classes for each, is described."""
    model = RandomForestClassifier(2).fit(NUMBERS, np.column_stack([YES_NO, YES_NO]))
    assert FLAVOR.describe(model).type is PredictionType.OTHER


class Wrong(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier that answers with the shapes it is given."""

    def __init__(self, predictions: int = 6, probabilities: tuple[int, ...] = (6, 2)) -> None:
        self.predictions = predictions
        self.probabilities = probabilities
        self.classes_ = np.array([0, 1])

    def predict(self, _: Any) -> Any:
        """Return predictions of some other rows."""
        return np.zeros(self.predictions)

    def predict_proba(self, _: Any) -> Any:
        """Return probabilities of another shape."""
        return np.zeros(self.probabilities)


@pytest.mark.parametrize(
    "model", [Wrong(5), Wrong(7), Wrong(6, (7,)), Wrong(6, (6, 3)), Wrong(6, (5, 2))], ids=str
)
def test_answers_of_another_shape(model: Any) -> None:
    """Answers that do not belong to the rows, or not to the classes, are refused."""
    with pytest.raises(
        PredictionRefused, match=r"predictions .* for 6 rows|for 6 rows and 2 classes"
    ):
        FLAVOR.score(model, NUMBERS)


@pytest.mark.parametrize(
    ("model", "does", "instead"),
    [
        (DBSCAN(), "labels", "KMeans"),
        (AgglomerativeClustering(2), "labels", "KMeans"),
        (OPTICS(min_samples=2), "labels", "KMeans"),
        (SpectralClustering(2), "labels", "KMeans"),
        (SpectralCoclustering(2), "groups", "KMeans"),
        (make_pipeline(StandardScaler(), DBSCAN()), "labels", "KMeans"),
        (LocalOutlierFactor(2), "judges", "novelty=True"),
        (TSNE(perplexity=2), "places", "PCA"),
    ],
    ids=str,
)
def test_what_answers_for_its_own_rows_alone(model: Any, does: str, instead: str) -> None:
    """What has no answer for other rows than it was fitted on says so, with what to do instead."""
    described = FLAVOR.describe(model.fit(NUMBERS))
    assert described.type is PredictionType.OTHER
    assert described.unscored is not None
    assert re.match(f"it {does} only the rows .*it was fitted on", described.unscored.reason)
    assert instead in described.unscored.instead


def test_an_outlier_detector_of_other_rows() -> None:
    """One that was fitted to judge other rows is asked as any other."""
    table = NUMBERS.to_numpy()
    model = LocalOutlierFactor(2, novelty=True).fit(table)
    assert FLAVOR.describe(model).unscored is None
    assert set(FLAVOR.score(model, table).predictions.tolist()) <= {-1, 1}


def test_neither_predicts_nor_transforms() -> None:
    """An estimator without an answer for a row is refused in words."""
    with pytest.raises(NotAModel, match="KernelDensity can neither predict nor transform"):
        FLAVOR.describe(KernelDensity().fit(NUMBERS))


def test_transformer_of_one_column() -> None:
    """A transformer answers with its one column, as neither a class nor a regression."""
    model = PCA(1).fit(NUMBERS)
    assert FLAVOR.describe(model).type is PredictionType.OTHER
    scores = FLAVOR.score(model, NUMBERS)
    assert scores.predictions.tolist() == model.transform(NUMBERS)[:, 0].tolist()


def test_transformer_of_several_columns() -> None:
    """A transformer answers each row with all its columns, by the names that it gives them."""
    model = StandardScaler().fit(NUMBERS)
    assert FLAVOR.describe(model).transforms
    scores = FLAVOR.score(model, NUMBERS)
    assert scores.outputs == tuple(model.get_feature_names_out())
    assert scores.predictions.tolist() == model.transform(NUMBERS).tolist()


def test_outlier_detector() -> None:
    """An outlier detector answers with 1 and -1."""
    model = IsolationForest(n_estimators=5, random_state=0).fit(NUMBERS)
    scores = FLAVOR.score(model, NUMBERS)
    assert set(scores.predictions.tolist()) <= {-1, 1}
    assert scores.probabilities is None


@pytest.mark.parametrize(
    ("model", "wants"),
    [
        (LogisticRegression().fit(ARRAY, YES_NO), False),
        (make_pipeline(StandardScaler(), Passing(), DummyClassifier()).fit(ARRAY, YES_NO), False),
        (make_pipeline(FunctionTransformer(np.log1p), DummyClassifier()), False),
        (make_pipeline(FunctionTransformer(uses), DummyClassifier()), None),
        (make_pipeline(Passing(), LogisticRegression()).fit(ARRAY, YES_NO), None),
        (Stateless(), None),
        (VotingClassifier([("one", make_pipeline(Passing(), DummyClassifier()))]), None),
        (make_pipeline(FunctionTransformer(), make_column_transformer(("drop", ["age"]))), None),
    ],
    ids=["own", "own first", "numpy's", "function", "first", "user's", "within", "by name"],
)
def test_frame_for_a_model_without_names(model: Any, wants: object) -> None:
    """Steps of scikit-learn that keep no name were given arrays; of a user's own nobody knows."""
    assert FLAVOR.wants_frame(model) is wants


def test_environment_names_what_the_steps_are_made_by() -> None:
    """The packages of a pipeline's steps are needed, scikit-learn among them."""
    model = make_pipeline(StandardScaler(), LGBMClassifier(n_estimators=2, verbose=-1))
    assert FLAVOR.environment(model) == ("lightgbm", "sklearn")
