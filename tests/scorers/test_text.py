"""The vectorizers of text: every setting, odd texts, and what is not compiled."""

from __future__ import annotations

import time
import unicodedata
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import (
    CountVectorizer,
    HashingVectorizer,
    TfidfTransformer,
    TfidfVectorizer,
)
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline, make_union
from tests.conftest import stable
from tests.scorers.agreement import agrees, columns_of, compiled

from brinery.scorers.catalog import READERS
from brinery.scorers.data import Columns, Declined, Sparse
from brinery.scorers.interface import Reader, Step, Unsupported
from brinery.scorers.library import ask_library
from brinery.scorers.text import CountTerms, HashTerms, Norm, WeighTerms
from brinery.scorers.tokens import DEFAULT_PATTERN, Accents, Analysis, Analyzer, is_plain

WORDS = [
    *("the", "Cat", "sat", "on", "a", "mat", "and", "ate", "Zoë's", "crème"),
    *("brûlée;", "naïve", "ÅNGSTRÖM_ǅ", "ßtraße", "123", "42nd", "x", "don't", "and"),
]
ODD = [
    *(
        "",
        " ",
        "a",
        "\t\n \u2003 tab\u00a0space",
        "İstanbul ΣΑΣ ﬁne ½ ①",
        "🙂 emoji🙂word 👩‍👩‍👧",
        "日本語 テキスト",
        "e\u0301 cafe\u0301",
    ),
    *(
        "unseen terms only qqq",
        "the the the the",
        "a.b-c_d,e",
        "x" * 500,
        "ab " * 300,
        "\x00nul\x00",
        "\ud800 lone",
    ),
]


def texts() -> list[str]:
    """Return made-up texts, and odd ones."""
    rng = np.random.default_rng(0)
    made = [" ".join(rng.choice(WORDS, size=size)) for size in rng.integers(1, 30, size=80)]
    return [*made, *ODD]


def given(values: list[Any]) -> Columns:
    """Return a column of text."""
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return Columns(("text",), (array,), len(values))


def node_of(vectorizer: Any) -> Step:
    """Return the node that a fitted vectorizer is read into."""
    node = READERS[f"sklearn.{type(vectorizer).__name__}"](vectorizer, Reader(READERS, ask_library))
    assert isinstance(node, Step)
    return node


def same(found: Any, expected: Any) -> None:
    """Assert that two sparse tables are one, to the order of their values."""
    assert isinstance(found, Sparse)
    assert (found.n_rows, found.width) == expected.shape
    assert found.starts.tolist() == expected.indptr.tolist()
    assert found.columns.tolist() == expected.indices.tolist()
    np.testing.assert_array_equal(found.values, expected.data)


ANALYSES = [
    {},
    {"lowercase": False},
    {"strip_accents": "ascii"},
    {"strip_accents": "unicode"},
    {"strip_accents": "unicode", "lowercase": False, "analyzer": "char"},
    {"stop_words": ["the", "and", "a"]},
    {"stop_words": "english", "ngram_range": (1, 2)},
    {"ngram_range": (1, 3)},
    {"ngram_range": (2, 2)},
    {"ngram_range": (3, 4)},
    {"analyzer": "char"},
    {"analyzer": "char", "ngram_range": (1, 3)},
    {"analyzer": "char", "ngram_range": (2, 5), "lowercase": False},
    {"analyzer": "char_wb", "ngram_range": (1, 2)},
    {"analyzer": "char_wb", "ngram_range": (3, 5)},
    {"analyzer": "char_wb", "ngram_range": (4, 9)},
    {"token_pattern": r"(?u)\b\w+\b"},
    {"token_pattern": r"[a-z]{3,}"},
    {"token_pattern": r"\S+"},
    {"token_pattern": r"\b[^\W\d_]+\b"},
    {"binary": True},
]
UNSTORED = [one for one in ODD if "\ud800" not in one]


@pytest.mark.parametrize("settings", ANALYSES, ids=stable)
def test_terms_are_counted_as_by_the_library(settings: dict[str, Any]) -> None:
    """Every value, and the order of the values, for one text and for many."""
    every = texts()
    vectorizer = CountVectorizer(**settings).fit(every[:60])
    node = node_of(vectorizer)
    same(node.transform(given(every)), vectorizer.transform(every))
    for text in every[-20:]:
        same(node.transform(given([text])), vectorizer.transform([text]))


@pytest.mark.parametrize("settings", ANALYSES, ids=stable)
def test_terms_are_hashed_as_by_the_library(settings: dict[str, Any]) -> None:
    """Into few columns, where terms meet, and into many."""
    every = [*texts()[:80], *UNSTORED]
    for width in (7, 2**20):
        vectorizer = HashingVectorizer(n_features=width, **settings)
        node = node_of(vectorizer)
        same(node.transform(given(every)), vectorizer.transform(every))
        for text in every[-20:]:
            same(node.transform(given([text])), vectorizer.transform([text]))


@pytest.mark.parametrize("alternates", [True, False])
@pytest.mark.parametrize("norm", ["l1", "l2", None])
@pytest.mark.parametrize("binary", [True, False])
def test_hashed_counts_are_signed_and_divided(
    norm: str | None, *, alternates: bool, binary: bool
) -> None:
    """A column in which two terms cancel out stays there."""
    vectorizer = HashingVectorizer(
        n_features=5, norm=norm, alternate_sign=alternates, binary=binary
    )
    same(node_of(vectorizer).transform(given(UNSTORED)), vectorizer.transform(UNSTORED))


WEIGHTS = [
    {"norm": "l2"},
    {"norm": "l1"},
    {"norm": None},
    {"sublinear_tf": True},
    {"use_idf": False},
    {"use_idf": False, "norm": None, "sublinear_tf": True},
    {"smooth_idf": False},
]


@pytest.mark.parametrize(
    "settings", [*ANALYSES, *WEIGHTS, {"min_df": 2, "max_df": 0.5, "max_features": 9}], ids=stable
)
def test_terms_are_weighted_as_by_the_library(settings: dict[str, Any]) -> None:
    """To the last bit."""
    every = texts()
    vectorizer = TfidfVectorizer(**settings).fit(every[:60])
    node = node_of(vectorizer)
    same(node.transform(given(every)), vectorizer.transform(every))
    for text in every[-20:]:
        same(node.transform(given([text])), vectorizer.transform([text]))


@pytest.mark.parametrize("settings", WEIGHTS, ids=stable)
def test_counts_of_another_step_are_weighted(settings: dict[str, Any]) -> None:
    """Sparse and dense ones."""
    rng = np.random.default_rng(1)
    table = csr_matrix(rng.poisson(0.5, size=(40, 9)).astype(float))
    transformer = TfidfTransformer(**settings).fit(table)
    given = Sparse(
        table.indptr.astype(np.int64), table.indices.astype(np.int64), table.data, width=9
    )
    same(node_of(transformer).transform(given), transformer.transform(table))
    same(node_of(transformer).transform(table.toarray()), transformer.transform(table.toarray()))


def test_a_vocabulary_may_be_given() -> None:
    """It may hold stop words, and terms that no text has."""
    for vocabulary in (["the", "mat", "never"], {"cat": 1, "sat": 0}):
        vectorizer = TfidfVectorizer(vocabulary=vocabulary, stop_words="english").fit(texts())
        same(node_of(vectorizer).transform(given(texts())), vectorizer.transform(texts()))


@pytest.mark.parametrize(
    "model",
    [
        make_pipeline(TfidfVectorizer(), LogisticRegression()),
        make_pipeline(CountVectorizer(), TfidfTransformer(), LogisticRegression()),
        make_pipeline(CountVectorizer(ngram_range=(1, 2)), MultinomialNB()),
        make_pipeline(HashingVectorizer(n_features=64), LogisticRegression()),
        make_pipeline(
            make_union(TfidfVectorizer(), CountVectorizer(analyzer="char")),
            LogisticRegression(max_iter=1000, tol=0.1),
        ),
    ],
    ids=lambda model: "+".join(name for name, _ in model.steps),
)
@pytest.mark.parametrize("count", [2, 3])
def test_a_pipeline_of_text_answers_as_the_library(model: Any, count: int) -> None:
    """From one column of text."""
    every = [*texts()[:80], *UNSTORED]
    frame = pd.DataFrame({"text": every})
    agrees(model.fit(every, np.arange(len(every)) % count), frame, given=every)


def test_text_and_numbers_go_side_by_side() -> None:
    """The text is chosen by its name alone."""
    every = [*texts()[:80], *UNSTORED]
    frame = pd.DataFrame({"n": np.arange(len(every)) / 9, "text": every, "t": every[::-1]})
    branches = [
        ("a", TfidfVectorizer(), "text"),
        ("b", HashingVectorizer(n_features=9), "t"),
        ("c", "passthrough", ["n"]),
    ]
    model = make_pipeline(ColumnTransformer(branches), LogisticRegression())
    agrees(model.fit(frame, np.arange(len(every)) % 3), frame)


@pytest.mark.parametrize(
    "vectorizer",
    [CountVectorizer(), TfidfVectorizer(), HashingVectorizer(n_features=9)],
    ids=stable,
)
def test_a_missing_text_is_declined(vectorizer: Any) -> None:
    """As the library refuses it; so are numbers in the place of text."""
    frame = pd.DataFrame({"text": texts()[:20]})
    model = make_pipeline(vectorizer, LogisticRegression()).fit(frame["text"], np.arange(20) % 2)
    scorer = compiled(model, frame)
    with pytest.raises((ValueError, AttributeError)):
        model.predict(["a", np.nan])
    with pytest.raises(Declined):
        scorer.score({"text": ["a", None]})
    with pytest.raises(Declined):
        node_of(model[0]).transform(np.zeros((1, 1)))
    with pytest.raises(Declined):
        node_of(model[0]).transform(Columns(("a", "b"), given(["x"]).arrays * 2, 1))


def test_text_that_cannot_be_hashed_is_declined() -> None:
    """A half of a surrogate has no UTF-8."""
    vectorizer = HashingVectorizer(analyzer="char")
    with pytest.raises(UnicodeEncodeError):
        vectorizer.transform(["\ud800"])
    with pytest.raises(Declined):
        node_of(vectorizer).transform(given(["\ud800"]))


def test_counts_without_a_logarithm_are_declined() -> None:
    """The library makes NaN of them."""
    transformer = TfidfTransformer(sublinear_tf=True).fit(np.ones((3, 2)))
    with pytest.raises(Declined):
        node_of(transformer).transform(np.array([[-1.0, 1.0]]))


def _split(text: str) -> list[str]:
    return text.split()


@pytest.mark.parametrize(
    "settings",
    [
        {"tokenizer": _split, "token_pattern": None},
        {"preprocessor": str.upper},
        {"analyzer": _split},
        {"strip_accents": str.upper},
        {"token_pattern": r"(a+)+b"},
        {"token_pattern": r"\w+x"},
        {"ngram_range": (1, 50)},
        {"dtype": np.float32},
    ],
    ids=stable,
)
def test_what_may_run_code_or_take_long_is_not_supported(settings: dict[str, Any]) -> None:
    """A function of one's own, a pattern that is not plain, n-grams of any length."""
    for kind in (TfidfVectorizer, HashingVectorizer):
        vectorizer = kind(**settings)
        if kind is TfidfVectorizer:
            vectorizer.fit(["aab x", "ab cx", "aax b x"])
        with pytest.raises(Unsupported):
            node_of(vectorizer)


@pytest.mark.parametrize(
    "pattern",
    [DEFAULT_PATTERN, r"\w+", r"[a-zA-Z0-9_\-]+", r"\b[a-z]{2,9}\b", r"\S\S*", "#[a-z]+", "[^,]+"],
)
@pytest.mark.parametrize("letter", ["a", "_", "-", "1", "a-", "a,", "é", "#"])
def test_a_plain_pattern_takes_a_time_in_proportion_to_the_text(pattern: str, letter: str) -> None:
    """Whatever the text repeats."""
    assert is_plain(pattern)
    analysis = analysis_of(pattern=pattern)
    start = time.process_time()
    for end in ("", "_", "-", "é"):
        analysis.tokens(letter * 200_000 + end, {})
    assert time.process_time() - start < 2


@pytest.mark.parametrize(
    "pattern",
    [
        r"(a+)+b",
        r"\w+x",
        r"\w+\w+",
        r"[a-z]+\b",
        r"(?=a)\w+",
        r"\w+(?=x)",
        r"(\w+)\1",
        r"a|b",
        r"\w*?x",
        "",
        "[z-a]+",
        "[a--b]+",
        r"\w{5,2}",
        r"\w{99}\w{99}x",
        "a" * 300,
    ],
)
def test_any_other_pattern_is_refused(pattern: str) -> None:
    """Also from a forged file."""
    assert not is_plain(pattern)
    with pytest.raises(ValueError, match="pattern"):
        analysis_of(pattern=pattern)


def analysis_of(**changes: Any) -> Analysis:
    """Return the default analysis, with some settings changed."""
    settings: dict[str, Any] = {
        "analyzer": Analyzer.WORD,
        "lowercase": True,
        "accents": None,
        "pattern": DEFAULT_PATTERN,
        "stop_words": (),
        "shortest": 1,
        "longest": 1,
        "unicode": unicodedata.unidata_version,
    }
    return Analysis(**{**settings, **changes})


def test_text_of_another_unicode_is_declined_where_it_may_differ() -> None:
    """A letter that came later may be none in the Python of the model; an emoji is none in both."""
    other = analysis_of(unicode="12.1.0")
    assert other.tokens("plain TEXT", {}) == ["plain", "text"]
    assert other.tokens("crème brûlée 🙂", {}) == ["crème", "brûlée"]
    for letter in ("\u1c90", "\U0001e900", "\u0378"):
        with pytest.raises(Declined):
            other.tokens(f"a {letter}b", {})
        analysis_of().tokens(f"a {letter}b", {})


@pytest.mark.parametrize("sizes", [(0, 1), (2, 1), (1, 10**9)])
def test_strange_sizes_of_ngrams_are_refused(sizes: tuple[int, int]) -> None:
    """They would fill the memory."""
    with pytest.raises(ValueError, match="n-grams"):
        analysis_of(shortest=sizes[0], longest=sizes[1])


def test_figures_that_do_not_fit_are_refused() -> None:
    """A forged file leads outside of no array."""
    with pytest.raises(ValueError, match="no terms"):
        CountTerms(analysis=analysis_of(), terms=(), binary=False)
    for width in (0, -1, 2**40):
        with pytest.raises(ValueError, match="no columns"):
            HashTerms(analysis=analysis_of(), width=width, alternates=True, binary=False, norm=None)
    with pytest.raises(ValueError, match="without weights"):
        WeighTerms(rarity=np.ones(3), width=4, logarithmic=False, norm=Norm.L2)
    node = WeighTerms(rarity=np.ones(3), width=3, logarithmic=False, norm=Norm.L2)
    with pytest.raises(ValueError, match="other terms"):
        node.transform(Sparse(np.array([0, 1]), np.array([3]), np.ones(1), width=4))
    with pytest.raises(ValueError, match="no terms"):
        WeighTerms(rarity=None, width=2**40, logarithmic=False, norm=None)


def test_a_file_holds_the_accents() -> None:
    """Every way to take them off has its name in the library."""
    assert {one.value for one in Accents} == {"ascii", "unicode"}
    frame = pd.DataFrame({"text": texts()[:20]})
    for accents in Accents:
        model = make_pipeline(TfidfVectorizer(strip_accents=str(accents)), LogisticRegression())
        scorer = compiled(model.fit(frame["text"], np.arange(20) % 2), frame)
        assert (
            scorer.score(columns_of(frame)).predictions.tolist()
            == model.predict(frame["text"]).tolist()
        )
