"""Text as counts of its tokens: scikit-learn's vectorizers."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import cached_property
from typing import Any, Optional

import numpy as np
from msgspec import Struct

from brinery.records.text_enum import TextEnum
from brinery.scorers import kernel
from brinery.scorers.composition import Chain
from brinery.scorers.data import Array, Columns, Data, Declined, Sparse, finite, sparse
from brinery.scorers.interface import Reader, Step, Unsupported, floats, require
from brinery.scorers.linear import double
from brinery.scorers.origin import Origins, lost, together
from brinery.scorers.tokens import DEFAULT_PATTERN, Accents, Analysis, Analyzer, is_plain

# So many columns there may be: a list of them still fits anywhere.
_WIDEST = 1 << 24
_LONGEST = 20


class Norm(TextEnum):
    """What is 1 of each row."""

    L1 = "l1"
    L2 = "l2"


class CountTerms(Struct, Step, frozen=True, kw_only=True, tag=True, dict=True):
    """How often each known term is in a text.

    Attributes:
        analysis: from text to terms.
        terms: in the order of the columns.
        binary: whether a term that is there counts as 1 however often it is.
    """

    analysis: Analysis
    terms: tuple[str, ...]
    binary: bool

    def __post_init__(self) -> None:
        """Check that there are terms."""
        require(0 < len(self.terms) <= _WIDEST, "no terms")

    @cached_property
    def _places(self) -> dict[str, int]:
        return {term: place for place, term in enumerate(self.terms)}

    def transform(self, data: Data) -> Data:
        """Return the counts: a sparse table with a column for each term."""
        find, analyze = self._places.get, self.analysis.tokens
        places: list[int] = []
        sizes: list[int] = []
        seen: dict[str, list[str]] = {}
        for text in texts(data):
            before = len(places)
            places.extend([place for place in map(find, analyze(text, seen)) if place is not None])
            sizes.append(len(places) - before)
        table = _added(np.array(places, dtype=np.int64), sizes, width=len(self.terms))
        return _ones(table) if self.binary else table

    def trace(self, origins: Origins) -> Origins:
        """Return that each count is of the one column of text."""
        return None if origins is None else [together(origins)] * len(self.terms)


class HashTerms(Struct, Step, frozen=True, kw_only=True, tag=True):
    """How often the terms that share a hash are in a text.

    Attributes:
        analysis: from text to terms.
        width: count of columns.
        alternates: whether half of the terms count as -1.
        binary: whether a column that is there counts as 1.
        norm: what is 1 of each row; None where none is.
    """

    analysis: Analysis
    width: int
    alternates: bool
    binary: bool
    norm: Optional[Norm]

    def __post_init__(self) -> None:
        """Check that there are columns."""
        require(0 < self.width <= _WIDEST, "no columns")

    def transform(self, data: Data) -> Data:
        """Return the counts: a sparse table."""
        seen: dict[str, list[str]] = {}
        found = [self.analysis.tokens(text, seen) for text in texts(data)]
        hashes = _hashes([term for terms in found for term in terms])
        signs = np.where(hashes >= 0, 1.0, -1.0) if self.alternates else None
        places = np.abs(hashes.astype(np.int64)) % self.width
        table = _added(places, [len(terms) for terms in found], width=self.width, amounts=signs)
        table = _ones(table) if self.binary else table
        return table if self.norm is None else _normalized(table, self.norm)

    def trace(self, origins: Origins) -> Origins:
        """Return that each count is of the one column of text."""
        return None if origins is None else [together(origins)] * self.width


class WeighTerms(Struct, Step, frozen=True, kw_only=True, tag=True):
    """Counts of terms, weighted by how rare the terms are.

    Attributes:
        rarity: (n_terms,) float64, what each count is multiplied with; None where nothing.
        width: count of terms.
        logarithmic: whether a count becomes 1 + its logarithm.
        norm: what is 1 of each row; None where none is.
    """

    rarity: Optional[np.ndarray]
    width: int
    logarithmic: bool
    norm: Optional[Norm]

    def __post_init__(self) -> None:
        """Check that each term has its weight."""
        require(0 < self.width <= _WIDEST, "no terms")
        require(self.rarity is None or self.rarity.shape == (self.width,), "terms without weights")

    def transform(self, data: Data) -> Data:
        """Return the weighted counts: a sparse table."""
        table = sparse(data)
        require(table.width == self.width, "weights of other terms")
        values = double(finite(table.values))
        if self.logarithmic:
            with np.errstate(all="ignore"):
                values = finite(np.log(values) + 1.0)
        if self.rarity is not None:
            values = values * self.rarity[table.columns]
        table = Sparse(table.starts, table.columns, values, width=table.width)
        return table if self.norm is None else _normalized(table, self.norm)

    def trace(self, origins: Origins) -> Origins:
        """Return the same columns, or all of them where a weight depends on the others."""
        if origins is None:
            return None
        return lost(origins) if self.norm is None else [together(origins)] * self.width


def texts(data: Data) -> Sequence[str]:
    """Return the one column of text that a vectorizer is given.

    Raises:
        Declined: it is no text, or one is missing.
    """
    if not isinstance(data, Columns) or data.width != 1:
        raise Declined("something else than one column of text")
    (listed,) = data.listed()
    if not {str}.issuperset(map(type, listed)):
        raise Declined("a text that is missing")
    return listed


def _hashes(terms: Sequence[str]) -> Array:
    """Return the hash of each term's UTF-8: (n_terms,) int32."""
    joined = "".join(terms)
    try:
        encoded = terms if joined.isascii() else [term.encode("utf-8") for term in terms]
        tokens = joined.encode("utf-8")
    except UnicodeEncodeError:
        raise Declined("text that is no Unicode") from None
    starts = np.zeros(len(terms) + 1, dtype=np.int64)
    np.cumsum(list(map(len, encoded)), out=starts[1:])
    return kernel.murmur32(tokens, starts)


def _added(
    places: Array, sizes: Sequence[int], *, width: int, amounts: Optional[Array] = None
) -> Sparse:
    """Return how often each place is there, row by row.

    Args:
        places: (n_tokens,) int64, the column of each token.
        sizes: of each row, how many tokens it has.
        width: count of columns.
        amounts: (n_tokens,) what each token counts, 1 or -1; 1 when None.
    """
    n_rows = len(sizes)
    if not len(places):
        return Sparse(np.zeros(n_rows + 1, dtype=np.int64), places, np.zeros(0), width=width)
    if n_rows > 1:
        places = places + np.repeat(np.arange(n_rows) * width, sizes)
    if amounts is None:
        places.sort()
    else:
        # The sign goes along as the last bit: to sort is sooner done than to find an order.
        keys = places * 2 + (amounts > 0)
        keys.sort()
        places, amounts = keys >> 1, (keys & 1) * 2.0 - 1.0
    new = np.empty(len(places), dtype=bool)
    new[0] = True
    np.not_equal(places[1:], places[:-1], out=new[1:])
    firsts = new.nonzero()[0]
    kept = places[firsts]
    if amounts is None:
        counts = np.empty(len(firsts))
        np.subtract(firsts[1:], firsts[:-1], out=counts[:-1])
        counts[-1] = len(places) - firsts[-1]
    else:
        counts = np.add.reduceat(amounts, firsts)
    starts = np.zeros(n_rows + 1, dtype=np.int64)
    if n_rows == 1:
        starts[1] = len(kept)
        return Sparse(starts, kept, counts, width=width)
    rows, columns = np.divmod(kept, width)
    np.cumsum(np.bincount(rows, minlength=n_rows), out=starts[1:])
    return Sparse(starts, columns, counts, width=width)


def _ones(table: Sparse) -> Sparse:
    return Sparse(table.starts, table.columns, np.ones(len(table.columns)), width=table.width)


def _normalized(table: Sparse, norm: Norm) -> Sparse:
    """Return a table each row of which is divided by its norm, added up value by value."""
    values = table.values
    rows = table.rows()
    weights = values * values if norm is Norm.L2 else np.abs(values)
    totals = np.bincount(rows, weights=weights, minlength=table.n_rows)
    if norm is Norm.L2:
        totals = np.sqrt(totals)
    totals[totals == 0] = 1.0
    return Sparse(table.starts, table.columns, values / totals[rows], width=table.width)


def read_count_vectorizer(vectorizer: Any, _: Reader) -> Step:
    """Return the node of a fitted `CountVectorizer`."""
    return _count(vectorizer)


def read_tfidf_vectorizer(vectorizer: Any, _: Reader) -> Step:
    """Return the node of a fitted `TfidfVectorizer`."""
    counts = _count(vectorizer)
    transformer = vectorizer._tfidf
    return Chain((counts, _weigh(transformer, len(counts.terms))))


def read_tfidf_transformer(transformer: Any, _: Reader) -> Step:
    """Return the node of a fitted `TfidfTransformer`."""
    if getattr(transformer, "idf_", None) is None and not hasattr(transformer, "n_features_in_"):
        raise Unsupported("TfidfTransformer without a count of terms")
    width = getattr(transformer, "n_features_in_", None)
    return _weigh(transformer, len(transformer.idf_) if width is None else int(width))


def read_hashing_vectorizer(vectorizer: Any, _: Reader) -> Step:
    """Return the node of a `HashingVectorizer`."""
    if np.dtype(vectorizer.dtype) != np.float64:
        raise Unsupported(f"HashingVectorizer of dtype {np.dtype(vectorizer.dtype)}")
    if vectorizer.n_features > _WIDEST:
        raise Unsupported("HashingVectorizer with very many columns")
    if not kernel.available():
        raise Unsupported("HashingVectorizer, for which there is no kernel on this platform")
    return HashTerms(
        analysis=_analysis(vectorizer),
        width=int(vectorizer.n_features),
        alternates=bool(vectorizer.alternate_sign),
        binary=bool(vectorizer.binary),
        norm=_norm(vectorizer),
    )


def _count(vectorizer: Any) -> CountTerms:
    if np.dtype(vectorizer.dtype) not in (np.dtype(np.int64), np.dtype(np.float64)):
        raise Unsupported(f"{type(vectorizer).__name__} of dtype {np.dtype(vectorizer.dtype)}")
    vocabulary = vectorizer.vocabulary_
    terms = sorted(vocabulary, key=vocabulary.__getitem__)
    places = [int(vocabulary[term]) for term in terms]
    if not all(type(term) is str for term in terms) or places != list(range(len(terms))):
        raise Unsupported(f"{type(vectorizer).__name__} with a vocabulary that is not of words")
    return CountTerms(
        analysis=_analysis(vectorizer), terms=tuple(terms), binary=bool(vectorizer.binary)
    )


def _weigh(transformer: Any, width: int) -> WeighTerms:
    rarity = getattr(transformer, "idf_", None)
    if (rarity is None) == bool(transformer.use_idf):
        raise Unsupported("TfidfTransformer whose setting was changed after the fit")
    return WeighTerms(
        rarity=None if rarity is None else floats(rarity),
        width=width,
        logarithmic=bool(transformer.sublinear_tf),
        norm=_norm(transformer),
    )


def _norm(estimator: Any) -> Optional[Norm]:
    if estimator.norm is None:
        return None
    if estimator.norm not in ("l1", "l2"):
        raise Unsupported(f"{type(estimator).__name__} with norm {estimator.norm}")
    return Norm(estimator.norm)


def _analysis(vectorizer: Any) -> Analysis:
    """Return how a vectorizer takes text apart."""
    name = type(vectorizer).__name__
    own = vectorizer.preprocessor, vectorizer.tokenizer
    if any(one is not None for one in own) or vectorizer.analyzer not in {
        one.value for one in Analyzer
    }:
        raise Unsupported(f"{name} with a function of its own")
    if vectorizer.strip_accents not in (None, "ascii", "unicode", False):
        raise Unsupported(f"{name} with a function of its own")
    if vectorizer.input != "content":
        raise Unsupported(f"{name} of files")
    is_word = vectorizer.analyzer == "word"
    if is_word and not is_plain(str(vectorizer.token_pattern)):
        raise Unsupported(f"{name} with a pattern that may take long")
    shortest, longest = vectorizer.ngram_range
    if not 1 <= shortest <= longest <= _LONGEST:
        raise Unsupported(f"{name} with n-grams that are too long")
    stops = sorted(vectorizer.get_stop_words() or ()) if is_word else []
    return Analysis(
        analyzer=Analyzer(vectorizer.analyzer),
        lowercase=bool(vectorizer.lowercase),
        accents=Accents(vectorizer.strip_accents) if vectorizer.strip_accents else None,
        pattern=str(vectorizer.token_pattern) if is_word else DEFAULT_PATTERN,
        stop_words=tuple(stops),
        shortest=int(shortest),
        longest=int(longest),
        unicode=unicodedata.unidata_version,
    )


NODES = (CountTerms, HashTerms, WeighTerms)
READERS = {
    "sklearn.CountVectorizer": read_count_vectorizer,
    "sklearn.HashingVectorizer": read_hashing_vectorizer,
    "sklearn.TfidfTransformer": read_tfidf_transformer,
    "sklearn.TfidfVectorizer": read_tfidf_vectorizer,
}
