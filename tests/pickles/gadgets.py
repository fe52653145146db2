"""Objects of classes that are known safe, made to run what they hold when loaded or when used.

A state that is no plain dictionary, an attribute or an item that stands before a method, a method
whose name is stored, what stands where an estimator should: each is one way to have it called.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import LabelEncoder
from tests.pickles.malicious import (
    BUILD,
    EMPTY_DICT,
    EMPTY_LIST,
    EMPTY_TUPLE,
    FALSE,
    MARK,
    NONE,
    Sample,
    call,
    keyed,
    listed,
    many,
    new,
    number,
    python,
    stacked,
    text,
    whole,
)

BOOSTER = stacked("xgboost.core", "Booster")
BUNCH = stacked("sklearn.utils._bunch", "Bunch")
DATE_INDEX = stacked("pandas", "DatetimeIndex")
FOLDS = stacked("sklearn.model_selection._split", "KFold")
LINEAR = stacked("sklearn.linear_model._base", "LinearRegression")
MATRIX = stacked("numpy", "matrix")
NORM = stacked("scipy.stats._continuous_distns", "norm_gen")
ORDERED = stacked("collections", "OrderedDict")
PARTIAL = stacked("functools", "partial")
PATH = stacked("pathlib", "PosixPath")
RESULT = stacked("scipy.optimize._optimize", "OptimizeResult")
SARIMAX = stacked("statsmodels.tsa.statespace.sarimax", "SARIMAXResults")
STACKING = stacked("sklearn.ensemble._stacking", "StackingClassifier")
ZONE = text("dateutil//etc/passwd")


def put(held: bytes, **items: bytes) -> bytes:
    """A dictionary of a class of its own, with items."""
    return held + MARK + b"".join(text(key) + value for key, value in items.items()) + b"u"


def given(held: bytes, state: bytes) -> bytes:
    """An object that is given a state."""
    return held + state + BUILD


def written(value: object) -> bytes:
    """What pickle writes of a value, without its memo."""
    stream = io.BytesIO()
    pickler = pickle.Pickler(stream, protocol=3)
    pickler.fast = True
    pickler.dump(value)
    return stream.getvalue()[2:-1]


def function(name: str) -> bytes:
    """A step that calls a listed function or class."""
    kept = stacked(*name.rsplit(".", 1))
    return transformer(kept)


def transformer(kept: bytes) -> bytes:
    """A step that calls what it keeps."""
    return given(
        new(stacked("sklearn.preprocessing._function_transformer", "FunctionTransformer")),
        keyed(
            **dict.fromkeys(("inverse_func", "kw_args", "inv_kw_args", "feature_names_out"), NONE),
            **dict.fromkeys(("validate", "accept_sparse", "check_inverse"), FALSE),
            func=kept,
        ),
    )


def predicting(marker: str, *target: bytes) -> bytes:
    """A call that predicts, and evaluates a formula for that."""
    model = put(new(BUNCH), formula=number(1), model_spec=text(f"a + ({python(marker)} or 1)"))
    results = stacked("statsmodels.regression.linear_model", "RegressionResults")
    vote = given(
        new(stacked("sklearn.ensemble._voting", "VotingRegressor")),
        keyed(
            estimators_=listed(given(new(results), keyed(model=model))),
            weights=NONE,
            estimators=EMPTY_LIST,
        ),
    )
    scorer = given(
        new(stacked("sklearn.metrics._scorer", "_PassthroughScorer")), keyed(_estimator=vote)
    )
    return call(PARTIAL, scorer, vote, written(pd.DataFrame({"a": [1.0, 2.0]})), *target)


def states(marker: str) -> dict[str, bytes]:
    """States that hide what they hold: the class of a distribution, and text for it to run."""
    evil = text(python(marker) + "\n")

    def hidden(made: bytes) -> bytes:
        first = given(new(FOLDS), many(NONE, put(made, __class__=NORM)))
        return whole(given(first, put(made, _parse_arg_template=evil)))

    pair = new(stacked("builtins", "tuple"), listed(NONE, keyed(__class__=NORM)))
    one = put(new(stacked("builtins", "dict")), _parse_arg_template=evil)
    return {
        "OrderedDict": hidden(call(ORDERED)),
        "Counter": hidden(call(stacked("collections", "Counter"))),
        "defaultdict": hidden(call(stacked("collections", "defaultdict"))),
        "dict": hidden(new(stacked("builtins", "dict"))),
        "tuple": whole(given(given(new(FOLDS), pair), one)),
    }


def methods(marker: str) -> dict[str, bytes]:
    """Attributes and items that stand before a method, and are called in its place."""
    calls = predicting(marker)
    alone = predicting(marker, written([1, 2]))
    return {
        "of a distribution": whole(given(new(NORM), keyed(_attach_methods=alone))),
        "of a part": whole(
            given(
                new(SARIMAX),
                keyed(nobs=number(2), model=put(new(BUNCH), _get_prediction_index=calls)),
            ),
            *(listed(number(1)), b"a"),
        ),
        "__setstate__ by item": whole(
            given(put(new(RESULT), __setstate__=calls), number(1)),
        ),
        "append by item": whole(put(new(RESULT), append=calls), number(1), b"a"),
    }


def silent(_: str) -> dict[str, bytes]:
    """The same without a mark: each is one thing that no honest pickle does."""
    items = keyed(__setstate__=NONE)
    address = keyed(data=many(number(4096), FALSE), typestr=text("<i8"), shape=many(number(1)))
    scorer = new(stacked("sklearn.metrics._scorer", "_Scorer"))
    gini = new(stacked("sklearn.tree._criterion", "Gini"), number(50_000_000), written([2]))
    series = stacked("numpy.polynomial.polynomial", "Polynomial")
    arrow = call(stacked("pyarrow.lib", "type_for_alias"), text("string"))
    linear = EMPTY_DICT + b"q\x63"
    return {
        "a function before a method": whole(given(new(LINEAR), keyed(predict=NORM))),
        "a scorer before a method": whole(given(new(LINEAR), keyed(predict=scorer))),
        "a name that scipy does not write": whole(given(new(NORM), keyed(_ppfvec=NONE))),
        "adding to an object": whole(new(LINEAR), number(1), b"a"),
        "extending an object": whole(new(LINEAR), MARK, number(1), b"e"),
        "adding as to a set": whole(new(LINEAR), MARK, number(1), b"\x90"),
        "an item of an array": whole(new(MATRIX), number(0), number(7), b"s"),
        "items that are a state": whole(given(new(LINEAR), put(new(RESULT), a=NONE))),
        "items that are given": whole(
            call(
                stacked("copyreg", "_reconstructor"), RESULT, stacked("builtins", "dict"), items
            )
        ),
        "items that are given as an object": whole(
            call(
                stacked("copyreg", "_reconstructor"),
                *(RESULT, stacked("builtins", "dict"), put(call(ORDERED), a=NONE)),
            )
        ),
        "an item with a made name": whole(
            new(RESULT), new(stacked("builtins", "str"), text("append")), NONE, b"s"
        ),
        "an item that is called": whole(put(new(BUNCH), fit=PARTIAL)),
        "an address": whole(put(new(BUNCH), __array_interface__=address)),
        "a formula among items": whole(put(new(BUNCH), model_spec=text("x"))),
        "a state that is changed": whole(
            new(series), linear, BUILD, b"h\x63", text("__setstate__"), NORM, b"s0", EMPTY_DICT,
            BUILD,
        ),
        "a partial of an object": whole(call(PARTIAL, scorer)),
        "a partial of a class": whole(call(PARTIAL, BOOSTER, NONE, EMPTY_TUPLE, text("/etc/x"))),
        "a partial that is changed": whole(
            call(PARTIAL, stacked("numpy", "exp")),
            many(stacked("numpy", "sin"), EMPTY_TUPLE, EMPTY_DICT, NONE),
            BUILD,
        ),
        "a class as a function": whole(transformer(BOOSTER)),
        "another package's class": whole(given(new(LINEAR), keyed(kind=BOOSTER))),
        "a time zone of a file": whole(new(DATE_INDEX, EMPTY_LIST, NONE, ZONE)),
        "a time zone of a file, called": whole(
            call(
                stacked("pandas._libs.tslibs.timestamps", "_unpickle_timestamp"),
                *(number(0), NONE, ZONE, number(10)),
            )
        ),
        "an object made of numbers": whole(gini),
        "an object made of keywords": whole(
            stacked("sklearn.tree._criterion", "Gini"), EMPTY_TUPLE, keyed(a=NONE), b"\x92"
        ),
        "an object that is gone through": whole(
            call(
                stacked("builtins", "frozenset"),
                call(stacked("pyarrow.lib", "_restore_array"), many(arrow, number(1_000_000))),
            )
        ),
    }  # fmt: skip


def stacked_on(held: bytes, *, method: str, argument: str) -> bytes:
    """A pipeline whose last step calls a method of what it holds, with text of the file."""
    labels, target = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([0, 1, 0, 1])
    last = given(
        new(STACKING),
        keyed(
            estimators_=listed(held),
            stack_method_=listed(text(method)),
            estimators=listed(many(text("x"), NONE)),
            final_estimator_=written(LogisticRegression().fit(labels, target)),
            passthrough=FALSE,
            _label_encoder=written(LabelEncoder().fit(target)),
            classes_=written(np.array([0, 1])),
        ),
    )
    first = transformer(call(PARTIAL, stacked("numpy", "atleast_1d"), text(argument)))
    item = transformer(call(stacked("operator", "itemgetter"), number(0)))
    steps = [first, item, function("numpy.squeeze"), function("builtins.str"), last]
    return whole(
        given(
            new(stacked("sklearn.pipeline", "Pipeline")),
            keyed(
                steps=listed(*(many(text(str(n)), step) for n, step in enumerate(steps))),
                **dict.fromkeys(("memory", "transform_input"), NONE),
                verbose=FALSE,
            ),
        )
    )


def used(marker: str) -> dict[str, bytes]:
    """Models that do it when they predict."""
    return {
        "a path's method": stacked_on(
            call(PATH, text(marker)), method="write_text", argument="#!/bin/sh"
        )
    }


def held(_: str) -> dict[str, bytes]:
    """The parts of that, alone, and where its kind of name or object is stored elsewhere."""
    path = call(PATH, text("/etc/x"))
    frame = written(pd.DataFrame({"a": [1.0]}))
    array = written(np.array([None, None], dtype=object))
    voting = stacked("sklearn.ensemble._voting", "VotingClassifier")
    hashing = stacked("category_encoders.hashing", "HashingEncoder")
    threshold = stacked(
        "sklearn.model_selection._classification_threshold", "FixedThresholdClassifier"
    )

    def of(kind: bytes, **attributes: bytes) -> bytes:
        return whole(given(new(kind), keyed(**attributes)))

    return {
        "a stored method": of(STACKING, stack_method_=listed(text("save_model"))),
        "a stored method of all": of(STACKING, stack_method=text("save_model")),
        "a method that is stored later": whole(
            given(new(STACKING), keyed(stack_method_=EMPTY_LIST + b"q\x63")),
            *(b"h\x63", text("save_model"), b"a0"),
        ),
        "a response": of(threshold, response_method=text("save_model")),
        "a hash": of(hashing, hash_method=text("new")),
        "a path": of(voting, estimators_=listed(path)),
        "a path in an array": of(
            voting, estimators_=array.replace(listed(NONE, NONE), listed(NONE, path))
        ),
        "a path that comes later": whole(
            given(new(voting), keyed(estimators_=EMPTY_LIST + b"q\x63")), b"h\x63", path, b"a0"
        ),
        "a path as a step": of(
            stacked("sklearn.pipeline", "Pipeline"), steps=listed(many(text("a"), path))
        ),
        "a table": of(voting, estimators_=listed(frame)),
        "a booster": of(voting, estimators_=listed(new(BOOSTER))),
        "a class": of(voting, estimators_=listed(LINEAR)),
        "no booster": of(stacked("xgboost.sklearn", "XGBClassifier"), _Booster=path),
    }


def samples() -> Iterator[Sample]:
    """Give all of them."""
    mute = "it leaves no mark"
    families: tuple[tuple[Callable[[str], dict[str, bytes]], str, str], ...] = (
        (states, "pickle", ""),
        (methods, "pickle", ""),
        (silent, "", mute),
        (used, "predict", ""),
        (held, "", mute),
    )
    for family, loader, refused in families:
        for name in family(""):
            yield Sample(
                f"{family.__name__}, {name}",
                "known objects misused",
                partial(_one, family, name),
                loader=loader,
                refused=refused,
            )


def _one(family: Callable[[str], dict[str, bytes]], name: str, marker: str) -> bytes:
    return family(marker)[name]
