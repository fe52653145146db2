"""Which node stands for which estimator: a line for each family."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from brinery.scorers import (
    adaboost,
    bagging,
    bayes,
    boosting,
    calibration,
    catboost,
    categories,
    codes,
    composition,
    decomposition,
    discretization,
    discriminants,
    distribution,
    dummies,
    forests,
    functions,
    histograms,
    imputation,
    indicators,
    isolation,
    lightgbm,
    linear,
    multiclass,
    multioutput,
    neural,
    normalization,
    polynomials,
    scaling,
    searches,
    selection,
    splines,
    stacking,
    support_vectors,
    targets,
    text,
    thresholds,
    voting,
    xgboost,
)

_FAMILIES = (
    adaboost,
    bagging,
    bayes,
    boosting,
    calibration,
    catboost,
    categories,
    codes,
    composition,
    decomposition,
    discretization,
    discriminants,
    distribution,
    dummies,
    forests,
    functions,
    histograms,
    imputation,
    indicators,
    isolation,
    lightgbm,
    linear,
    multiclass,
    multioutput,
    neural,
    normalization,
    polynomials,
    scaling,
    searches,
    selection,
    splines,
    stacking,
    support_vectors,
    targets,
    text,
    thresholds,
    voting,
    xgboost,
)

# By the name of a class, such as `sklearn.StandardScaler`: what reads a fitted object of it.
READERS = MappingProxyType({name: read for one in _FAMILIES for name, read in one.READERS.items()})

# By the name that a file has for it: each kind of node.
NODES: MappingProxyType[str, type[Any]] = MappingProxyType(
    {node.__name__: node for one in _FAMILIES for node in one.NODES}
)
