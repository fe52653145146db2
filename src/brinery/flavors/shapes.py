"""Arrays whose shapes compiled code takes on trust: sparse tables, kernels, neighbours, centres."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from brinery.flavors.corruption import Corrupt, require, table, width, within

_TABLE = 2
_TWISTED = 624  # random numbers that MT19937 makes at once
_MAX_THREADS = 4096


def check_compressed(matrix: Any, state: dict[str, Any]) -> None:
    """Return only where a CSR, CSC or BSR table's pointers and indices lie in it.

    Raises:
        Corrupt: one does not.
    """
    rows, columns = (int(size) for size in state.get("_shape", matrix.shape))
    indptr, indices, data = (np.asarray(state[name]) for name in ("indptr", "indices", "data"))
    kind = type(matrix).__name__[:3]
    if kind == "bsr":
        require(data.ndim == 3 and all(data.shape), "its blocks are none")  # noqa: PLR2004 - number, rows, columns
        rows, columns = rows // data.shape[1], columns // data.shape[2]
    major, minor = (columns, rows) if kind == "csc" else (rows, columns)
    require(indptr.shape == (major + 1,), f"it has {indptr.size} pointers for {major} rows")
    require(indptr[0] == 0 and (np.diff(indptr) >= 0).all(), "its pointers go back")
    require(indptr[-1] <= min(len(indices), len(data)), "its pointers reach beyond its values")
    within(indices, 0, stop=minor, what="its indices")


def check_coordinates(matrix: Any, state: dict[str, Any]) -> None:
    """Return only where the coordinates of a COO table lie in it.

    Raises:
        Corrupt: one does not.
    """
    shape = state.get("_shape", matrix.shape)
    coordinates = state.get("coords") or (state["row"], state["col"])
    for along, size in zip(coordinates, shape):
        require(len(along) == len(state["data"]), "its coordinates are not one per value")
        within(along, 0, stop=int(size), what="its coordinates")


def check_lists(matrix: Any, state: dict[str, Any]) -> None:
    """Return only where a LIL table has a list of columns, and one of values, per row.

    Raises:
        Corrupt: a row has none, or a column that is not there.
    """
    rows, columns = (int(size) for size in state.get("_shape", matrix.shape))
    numbers, values = state["rows"], state["data"]
    require(
        numbers.shape == values.shape == (rows,), f"it has {numbers.size} lists for {rows} rows"
    )
    for along, held in zip(numbers, values):
        require(type(along) is list and type(held) is list, "a row of it is no list")
        require(len(along) == len(held), "its columns are not one per value")
        within(along, 0, stop=columns, what="its columns")


def check_diagonals(matrix: Any, state: dict[str, Any]) -> None:
    """Return only where a DIA table has as many diagonals as it places.

    Raises:
        Corrupt: it has fewer or more.
    """
    del matrix
    data, offsets = table(state["data"], "its diagonals"), np.asarray(state["offsets"])
    require(
        offsets.shape == (data.shape[0],),
        f"it places {offsets.size} diagonals, and has {data.shape[0]}",
    )


def check_random(generator: Any, state: dict[str, Any]) -> None:
    """Return only where a random generator's place lies within the numbers that it has made.

    Raises:
        Corrupt: it lies outside.
    """
    del state
    bits = getattr(generator, "bit_generator", getattr(generator, "_bit_generator", generator))
    told = bits.state
    if told["bit_generator"] == "MT19937":
        within(told["state"]["pos"], 0, stop=_TWISTED + 1, what="its places among random numbers")
    elif "buffer_pos" in told:
        stop = len(told["buffer"]) + 1
        within(told["buffer_pos"], 0, stop=stop, what="its places among random numbers")


def check_kernel_machine(model: Any, state: dict[str, Any]) -> None:
    """Return only where libsvm's arrays are of the sizes that it reads.

    Raises:
        Corrupt: one is not.
    """
    del model
    if "support_" not in state:
        return
    support, vectors = np.asarray(state["support_"]), state["support_vectors_"]
    weights, offsets = state["_dual_coef_"], np.asarray(state["_intercept_"])
    per_class = np.asarray(state["_n_support"])
    n_fitted, n_features = (int(size) for size in state["shape_fit_"])
    classifies = "classes_" in state
    n_classes = len(state["classes_"]) if classifies else 2
    pairs = n_classes * (n_classes - 1) // 2
    within(support, 0, stop=n_fitted, what="its support vectors' numbers")
    require(np.ndim(support) == 1, "its support vectors' numbers are no vector")
    if classifies:
        within(per_class, 0, stop=len(support) + 1, what="its numbers of support vectors")
        require(
            per_class.shape == (n_classes,), f"it counts the vectors of {per_class.size} classes"
        )
        require(int(per_class.sum()) == len(support), "it counts other support vectors than it has")
    precomputed = state.get("kernel") == "precomputed"
    if not precomputed:
        require(
            vectors.shape == (len(support), n_features),
            f"its support vectors are of shape {vectors.shape}",
        )
    require(state.get("n_features_in_", n_features) == n_features, "it was fitted on other columns")
    require(
        weights.shape == (max(1, n_classes - 1), len(support)),
        f"its weights are of shape {weights.shape}",
    )
    require(offsets.shape == (pairs,), f"it has {offsets.size} intercepts, and needs {pairs}")
    # Without probabilities there are none; before 0.23 they were attributes of another name.
    for name in ("_probA", "_probB", "probA_", "probB_"):
        size = np.size(state.get(name, ()))
        require(size in (0, pairs, 1), f"it has {size} figures of probability, and needs {pairs}")
    if classifies:
        first, second = np.size(state.get("_probA", ())), np.size(state.get("_probB", ()))
        require(first == second and first in (0, pairs), "its figures of probability are cut")


def check_neighbours(model: Any, state: dict[str, Any]) -> None:
    """Return only where the rows that neighbours are sought among fit the columns and labels.

    Raises:
        Corrupt: they do not.
    """
    del model
    rows, taken = state.get("_fit_X"), state.get("n_features_in_")
    if rows is None:
        return
    columns = width(rows)
    require(columns is not None, "the rows it compares with are no table")
    require(taken is None or columns == taken, f"it takes {taken} columns, and compares {columns}")
    tree = state.get("_tree")
    if tree is not None:
        shape = np.shape(tree.__getstate__()[0])
        require(tuple(rows.shape) == shape, f"its tree is of {shape} and its rows {rows.shape}")
    labels = state.get("_y")
    if labels is None:
        return
    require(len(labels) == rows.shape[0], f"it has {len(labels)} labels for {rows.shape[0]} rows")
    classes = state.get("classes_")
    if isinstance(classes, np.ndarray):
        within(labels, 0, stop=len(classes), what="its labels")
    elif classes is not None:
        for number, each in enumerate(classes):
            within(np.asarray(labels)[:, number], 0, stop=len(each), what="its labels")


def check_centres(model: Any, state: dict[str, Any]) -> None:
    """Return only where the centres of clusters have as many columns as are taken.

    Raises:
        Corrupt: they have others.
    """
    del model
    centres, taken = state.get("cluster_centers_"), state.get("n_features_in_")
    within(state.get("_n_threads", 1), 1, stop=_MAX_THREADS, what="its threads")
    if centres is None or taken is None:
        return
    columns = table(centres, "its table of centres").shape[1]
    require(columns == taken, f"it takes {taken} columns, and its centres have {columns}")


def check_bisecting_tree(node: Any, state: dict[str, Any]) -> None:
    """Return only where both children of a node have centres as wide as its own.

    Raises:
        Corrupt: one has not.
    """
    del node
    centre = np.shape(state["center"])
    for side in ("left", "right"):
        child = state.get(side)
        require(child is None or np.shape(vars(child)["center"]) == centre, "a centre is cut")


def check_factors(model: Any, state: dict[str, Any]) -> None:
    """Return only where a factorisation has as many parts as it says.

    Raises:
        Corrupt: it has others.
    """
    del model
    parts, said = state.get("components_"), state.get("_n_components", state.get("n_components_"))
    if parts is None:
        return
    found, taken = table(parts, "its table of parts"), state.get("n_features_in_")
    require(said is None or found.shape[0] == said, f"it has {found.shape[0]} parts of {said}")
    require(
        taken is None or found.shape[1] == taken,
        f"it takes {taken} columns, and its parts have {found.shape[1]}",
    )


def check_vocabulary(model: Any, state: dict[str, Any]) -> None:
    """Return only where each word of a vocabulary has a column of its own.

    Raises:
        Corrupt: one has a column that is not there.
    """
    del model
    words = state.get("vocabulary_")
    if words is None:
        return
    require(isinstance(words, dict), "its vocabulary is no dictionary")
    columns = np.fromiter(words.values(), np.int64, len(words))
    within(columns, 0, stop=len(words), what="its words' columns")


def check_one_hot(model: Any, state: dict[str, Any]) -> None:
    """Return only where an encoder makes as many columns as its categories need.

    Raises:
        Corrupt: it makes others.
    """
    del model
    categories, said = state.get("categories_"), state.get("_n_features_outs")
    if categories is None:
        return
    taken = state.get("n_features_in_")
    require(taken is None or len(categories) == taken, f"it encodes {len(categories)} columns")
    sizes = [len(known) for known in categories]
    merged = state.get("_default_to_infrequent_mappings") or [None] * len(sizes)
    require(len(merged) == len(sizes), "it merges categories of other columns")
    outs = []
    for number, (size, mapping) in enumerate(zip(sizes, merged)):
        out = size
        if mapping is not None:
            require(len(mapping) == size, f"it merges {len(mapping)} of {size} categories")
            out = int(np.max(mapping, initial=-1)) + 1
            within(mapping, 0, stop=out, what="its merged categories")
        outs.append(out - _dropped(state, number, out))
    require(said is None or list(said) == outs, f"it makes {said} columns, and needs {outs}")


def _dropped(state: dict[str, Any], number: int, size: int) -> int:
    """Return how many categories of a column are dropped: none or one."""
    dropped = state.get("drop_idx_")
    if dropped is None or dropped[number] is None:
        return 0
    require(0 <= int(dropped[number]) < max(size, 1), "it drops a category that is not there")
    return 1


def check_linear(model: Any, state: dict[str, Any]) -> None:
    """Return only where a linear model has a weight for each column.

    Raises:
        Corrupt: it has more or fewer.
    """
    del model
    weights, taken = state.get("coef_"), state.get("n_features_in_")
    if taken is None or not isinstance(weights, np.ndarray) or weights.ndim > _TABLE:
        return
    columns = weights.shape[-1] if weights.ndim else 1
    require(columns == taken, f"it takes {taken} columns, and has weights for {columns}")


def check_spline(model: Any, state: dict[str, Any]) -> None:
    """Return only where a spline has as many knots as its degree and coefficients need.

    Raises:
        Corrupt: it has fewer, or they are out of order.
    """
    del model
    knots = state.get("t", state.get("_t"))
    weights = state.get("c", state.get("_c"))
    degree = state.get("k")
    if knots is None or weights is None or degree is None:
        raise Corrupt("it has no knots")
    knots, degree = np.asarray(knots), int(degree)
    require(degree >= 0 and knots.ndim == 1, "its knots are no vector")
    require(bool((np.diff(knots) >= 0).all()), "its knots are out of order")
    least = np.shape(weights)[0] + degree + 1
    require(
        len(knots) >= 2 * degree + 2 and np.shape(weights)[0] >= len(knots) - degree - 1,
        f"it has {len(knots)} knots, and needs {least}",
    )


def _sparse(names: str, kinds: str) -> list[str]:
    """Return the classes of sparse tables in each place where SciPy has kept them."""
    return [
        f"scipy.sparse.{module}.{kind}_{form}"
        for module in names.split()
        for kind in kinds.split()
        for form in ("matrix", "array")
    ]


CHECKS: dict[str, Callable[[Any, dict[str, Any]], None]] = {
    **dict.fromkeys(
        _sparse("_csr _csc _bsr csr csc bsr", "csr csc bsr"),
        check_compressed,
    ),
    **dict.fromkeys(_sparse("_coo coo", "coo"), check_coordinates),
    **dict.fromkeys(_sparse("_lil lil", "lil"), check_lists),
    **dict.fromkeys(_sparse("_dia dia", "dia"), check_diagonals),
    "numpy.random.mtrand.RandomState": check_random,
    "numpy.random._generator.Generator": check_random,
    "numpy.random._mt19937.MT19937": check_random,
    "numpy.random._philox.Philox": check_random,
    "sklearn.svm._base.BaseLibSVM": check_kernel_machine,
    "sklearn.svm.base.BaseLibSVM": check_kernel_machine,
    "sklearn.neighbors._base.NeighborsBase": check_neighbours,
    "sklearn.neighbors.base.NeighborsBase": check_neighbours,
    "sklearn.cluster._kmeans._BaseKMeans": check_centres,
    "sklearn.cluster._kmeans.KMeans": check_centres,
    "sklearn.cluster._bisect_k_means._BisectingTree": check_bisecting_tree,
    "sklearn.decomposition._nmf._BaseNMF": check_factors,
    "sklearn.decomposition._nmf.NMF": check_factors,
    "sklearn.feature_extraction.text.CountVectorizer": check_vocabulary,
    "sklearn.feature_extraction._dict_vectorizer.DictVectorizer": check_vocabulary,
    "sklearn.preprocessing._encoders.OneHotEncoder": check_one_hot,
    "sklearn.linear_model._base.LinearModel": check_linear,
    "sklearn.linear_model._base.LinearClassifierMixin": check_linear,
    "scipy.interpolate._bsplines.BSpline": check_spline,
}
