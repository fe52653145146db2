"""What an object may hold under which name, where it is a class that is known safe.

An attribute stands before a method of its class, so one that can be called is called in its place;
the items of a dictionary of a class of its own are its attributes. A few attributes hold the name
of a method, which is then called of whatever stands beside it, or what is called by a name that
the class writes. What honest models hold there is stated here, as recorded from models fitted with
many versions; anything else needs the user's word.

The methods of each listed class are in `allowed/methods.txt`. Nothing is imported to find out.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from brinery.pickles.arrays import is_wrapper
from brinery.pickles.bounds import Budget
from brinery.pickles.evidence import Evidence
from brinery.pickles.inert import Inert, parts
from brinery.pickles.policy import FORMULAS, listed
from brinery.records.scan import Global

# What the pickle machine calls by name of an object that it made; other names with underscores on
# both sides may be called by whatever uses it.
_METHODS = frozenset({"add", "append", "extend", "read", "update"})
_DUNDER = re.compile(r"__.*__", re.DOTALL)
_HARMLESS = frozenset({"__doc__", "__name__"})
_CALL = "__call__"

# statsmodels: a method of a class, before which its own objects set another that is called.
_SET_OVER = {("statsmodels.genmod.families.family", "variance")}

# What scipy writes of a distribution, whose `__setstate__` calls methods of it.
_OF_DISTRIBUTIONS = frozenset(
    {"__doc__", "_ctor_param", "_parse_arg_template", "_random_state", "_stats_has_moments"}
    | {"_rvs_size_warned", "_rvs_uses_size_attribute", "_support"}
    | {"a", "args", "b", "badvalue", "dist", "extradoc", "inc", "kwds", "longname"}
    | {"moment_tol", "moment_type", "momtype", "name", "numargs", "seed", "shapes", "values"}
    | {"vecentropy", "xtol"}
)
_DISTRIBUTION = re.compile(r"scipy\.stats\._\w+\.(\w+_gen|rv_\w+)")

# Attributes that hold the name of a method to call, or several, and what they may be.
_PREDICTIONS = frozenset(
    {"auto", "decision_function", "default", "predict", "predict_log_proba", "predict_proba"}
)
_NAMING = {
    **dict.fromkeys(
        (
            *("_response_method", "chain_method", "chain_method_", "response_method"),
            *("stack_method", "stack_method_"),
        ),
        _PREDICTIONS,
    ),
    "hash_method": frozenset(  # category_encoders: of hashlib
        f"{kind}{bits}"
        for kind in ("blake2b", "blake2s", "md5", "sha", "sha3_", "sha512_")
        for bits in ("", "1", "224", "256", "384", "512")
    ),
}

# Attributes that hold what an estimator predicts with, and what that may be.
_ESTIMATOR = re.compile(
    r"(sklearn|imblearn)\.(?!utils\b)[\w.]+|category_encoders\.[\w.]+"
    r"|(xgboost|lightgbm)\.(sklearn|compat)\.\w+|catboost\.core\.CatBoost(Classifier|Ranker|Regressor)?"
)
_BOOSTER = re.compile(r"xgboost\.core\.Booster|lightgbm\.basic\.Booster")
_HOLDING = {
    **dict.fromkeys(
        (
            *("_bin_mapper", "_centerer", "_encoder", "_estimator", "_label_binarizer"),
            *("_label_encoder", "_le", "_preprocessor", "_scaler", "_tfidf", "base_estimator"),
            *("base_estimator_", "base_n_encoder", "base_sampler_", "best_estimator_"),
            *("calibrated_classifiers_", "calibrators", "classifier_", "encoder_list"),
            *("estimator", "estimator_", "estimators", "estimators_", "final_estimator"),
            *("final_estimator_", "imputation_sequence_", "init_", "initial_imputer_"),
            *("kernel_pca_", "label_binarizer_", "le_", "named_estimators_", "nbrs_", "nn_fit"),
            *("one_hot_encoder_", "ordinal_encoder", "pairwise_classifiers_", "pipeline_"),
            *("pipelines_", "regressor", "regressor_", "sampler_", "samplers_", "steps"),
            *("transformer_", "transformer_list", "transformers", "transformers_"),
        ),
        _ESTIMATOR,
    ),
    "_Booster": _BOOSTER,
}
_USED = frozenset({*_NAMING, *_HOLDING})
_HOLDERS = re.compile(r"(sklearn|imblearn|category_encoders|xgboost|lightgbm|catboost)\.")
_ARRAYS = re.compile(
    r"numpy\..*|joblib\.numpy_pickle\.NumpyArrayWrapper|_codecs\.encode|builtins\.(bytearray|bytes)"
)

# Attributes that hold a function to call with the data, and no class. Others may hold one of the
# object's own package, or one of numpy's or Python's, which is a type of data.
_CALLED = frozenset({"func", "inverse_func", "score_func"})
_TYPES = frozenset({"builtins", "numpy"})

# Objects that are a part of a state which is no dictionary, and none is a dictionary itself.
_STATE_PARTS = re.compile(
    r"numpy\..*|joblib\.numpy_pickle\.NumpyArrayWrapper|pandas\.[\w.]*Dtype|_codecs\.encode"
    r"|builtins\.(bytearray|bytes)"
)
_FEW = 10
_PARTIAL = Global("functools", "partial")

# A dictionary whose items are its attributes: a pickle gives it itself as its state.
_BUNCH = Global("statsmodels.tools.tools", "Bunch")
_DICT = "builtins.dict"

# scipy: an item of what a minimum was found with, which is a matrix that can be called.
_CALLED_ITEMS = frozenset({"hess_inv"})


class _Class(NamedTuple):
    """A class that is listed, or a base of one.

    Attributes:
        bases: its direct bases.
        methods: of its own.
    """

    bases: tuple[str, ...]
    methods: frozenset[str]


def strange_state(made: Inert, state: Any) -> str:
    """Return in words that a state holds attributes that cannot be told; empty where none may be.

    What stands for an object may be a dictionary when the pickle is loaded.
    """
    if isinstance(state, Inert | Global):
        itself = isinstance(state, Inert) and made.origin == state.origin == _BUNCH
        return "" if itself else "its state is an object, not its attributes"
    if not isinstance(state, tuple) or len(state) > _FEW:
        return ""
    if made.origin == _PARTIAL and state[:1] != made.arguments[:1]:
        return "its state puts another function in the place of the one that it keeps"
    for part in state:
        if isinstance(part, Inert) and not _STATE_PARTS.fullmatch(str(part.origin)):
            return "a part of its state is an object, not its attributes"
    return ""


def strange_name(names: Iterable[Any]) -> str:
    """Return in words that an attribute is none of an honest object; empty where all may be.

    An attribute of an object stands before a method of its class: set as one that the pickle
    machine calls, it is called while the pickle is loaded.
    """
    for name in names:
        if type(name) is not str:
            return "an attribute of it has a name that only running it would tell"
        if name in _METHODS or (_DUNDER.fullmatch(name) and name not in _HARMLESS):
            return f"its {name[:40]} is set, which stands before its class's own"
    return ""


def strange_value(origin: Global, given: Mapping[Any, Any]) -> str:
    """Return in words that an attribute of an object can be called and should not be.

    Args:
        origin: the object's class.
        given: its attributes, with what each is.
    """
    if _DISTRIBUTION.fullmatch(str(origin)) and not _OF_DISTRIBUTIONS.issuperset(given):
        return "it is given an attribute that scipy does not write"
    own: frozenset[str] | None = None
    for name, value in given.items():
        if not isinstance(value, Global | Inert):
            continue
        if own is None:
            own = methods(str(origin))
        if name in own and (origin.module, name) not in _SET_OVER and _may_be_called(value):
            return f"its {name[:40]} is set to what can be called, before its class's own"
        if isinstance(value, Global) and is_class(value) and not _may_hold(origin, name, value):
            return f"its {name[:40]} is a class, which would be made of what it is given"
    return ""


def _may_hold(origin: Global, name: str, value: Global) -> bool:
    """Return whether an attribute of an object may hold a class."""
    package = value.module.partition(".")[0]
    return name not in _CALLED and package in _TYPES | {origin.module.partition(".")[0]}


def strange_items(origin: Global, items: Collection[tuple[Any, Any]]) -> str:
    """Return in words that an item of an object of a class of its own is no honest one."""
    if origin.module in ("builtins", "collections"):
        return ""
    if not is_dictionary(origin):
        return "an item of it is set, which runs code of its class"
    if words := strange_name(key for key, _ in items if type(key) is str):
        return words
    for key, value in items:
        if isinstance(key, Inert | Global):
            return "an item of it has a name that only running it would tell"
        if type(key) is str and (key in FORMULAS or _is_called(key, value)):
            return f"its item {key[:40]} is called, or evaluated as Python, by what uses it"
    return ""


def _is_called(name: str, value: Any) -> bool:
    """Return whether an item can be called, and is none that honest models hold."""
    return name not in _CALLED_ITEMS and _may_be_called(value)


def is_class(name: Global) -> bool:
    """Return whether a listed name is that of a class."""
    return str(name) in _classes()


def is_dictionary(name: Global) -> bool:
    """Return whether a listed name is that of a kind of dictionary."""
    return _DICT in _bases(str(name))


def is_used(made: Inert) -> bool:
    """Return whether an object has attributes that are judged when all of it is there."""
    return not _USED.isdisjoint(made.attributes)


def settle(evidence: Evidence) -> None:
    """Note what is wrong with what objects call when they are used, now that all is there."""
    for made in evidence.used:
        for name, words in _uses(made, evidence.budget):
            evidence.doubt(name, words)
    evidence.used.clear()


def _uses(made: Inert, budget: Budget) -> Iterator[tuple[Global, str]]:
    """Yield the name at fault, and why."""
    for name, value in made.attributes.items():
        allowed = _NAMING.get(name)
        if allowed is not None and not _names_only(value, allowed):
            yield made.origin, f"its {name} names a method that no honest model calls by name"
        pattern = _HOLDING.get(name)
        if pattern is not None and _HOLDERS.match(str(made.origin)):
            for held in _members(value, budget):
                origin = held.origin if isinstance(held, Inert) else held
                fits = isinstance(held, Inert) and pattern.fullmatch(str(origin))
                if not fits and listed(origin) is not None:
                    yield origin, f"it stands where {made.origin.name} has an estimator ({name})"


def _names_only(value: Any, allowed: frozenset[str]) -> bool:
    """Return whether a value is one of some texts, several of them, or nothing."""
    held = value if isinstance(value, tuple | list) else (value,)
    return all(one is None or (type(one) is str and one in allowed) for one in held)


def _members(value: Any, budget: Budget) -> Iterator[Global | Inert]:
    """Yield what lies in a list of steps, an array of trees, a dictionary, or an attribute."""
    waiting: list[Any] = [*value] if isinstance(value, tuple | list) else [value]
    seen: set[int] = set()
    while waiting:
        held = waiting.pop()
        budget.spend_steps(1)
        if id(held) in seen:
            continue
        seen.add(id(held))
        if isinstance(held, tuple) and held and type(held[0]) is str:
            waiting += held[1:2]  # a name, an estimator, its columns
        elif isinstance(held, tuple | list):
            waiting += held
        elif isinstance(held, Inert) and _is_array(held):
            waiting += [part for part in parts(held) if not isinstance(part, Global | dict)]
        elif isinstance(held, Inert) and is_dictionary(held.origin):
            waiting += [*held.items, *(one for one in held.arguments if isinstance(one, dict))]
        elif isinstance(held, dict):
            waiting += held.values()
        elif isinstance(held, Global | Inert):
            yield held


def _is_array(held: Inert) -> bool:
    return is_wrapper(held.origin) or _ARRAYS.fullmatch(str(held.origin)) is not None


def _may_be_called(value: Any) -> bool:
    """Return whether a value is a class, a function, or an object that is called as one."""
    if isinstance(value, Inert):
        return _CALL in methods(str(value.origin))
    return isinstance(value, Global)


@cache
def methods(path: str) -> frozenset[str]:
    """Return the methods of a class and all its bases; none where it is not listed."""
    of_all = (_classes()[base].methods for base in (path, *_bases(path)) if base in _classes())
    return frozenset().union(*of_all)


@cache
def _bases(path: str) -> frozenset[str]:
    """Return all bases of a class; none where it is not listed."""
    found: set[str] = set()
    waiting = [path]
    while waiting:
        held = _classes().get(waiting.pop())
        new = set(held.bases).difference(found) if held else set()
        found.update(new)
        waiting += new
    return frozenset(found)


@cache
def _classes() -> dict[str, _Class]:
    """Return the listed classes and their bases, by name."""
    text = (files(__package__) / "allowed" / "methods.txt").read_text(encoding="utf-8")
    found = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            path, bases, methods = (part.split() for part in line.split(":"))
            found[path[0]] = _Class(tuple(bases), frozenset(methods))
    return found
