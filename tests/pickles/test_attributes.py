"""What an object may hold: what honest models hold stays safe, and what is recorded is so."""

from __future__ import annotations

import importlib
import inspect
import warnings
from pathlib import Path

import pytest
from scipy import stats
from tests.pickles.gadgets import (
    BUNCH,
    LINEAR,
    NORM,
    PARTIAL,
    RESULT,
    STACKING,
    given,
    put,
    samples,
    transformer,
    written,
)
from tests.pickles.malicious import (
    EMPTY_DICT,
    NONE,
    Sample,
    call,
    keyed,
    listed,
    many,
    new,
    number,
    stacked,
    text,
    whole,
)

from brinery.pickles import attributes, policy
from brinery.pickles.scanner import scan
from brinery.records.scan import Global, Verdict

GADGETS = tuple(samples())


@pytest.mark.parametrize("sample", GADGETS, ids=lambda sample: sample.name)
def test_no_gadget_is_malformed(sample: Sample, tmp_path: Path) -> None:
    """What is wrong with a gadget is what it does: its bytes are those of an honest pickle."""
    file = tmp_path / "model.pkl"
    file.write_bytes(sample.build(str(tmp_path / "marker")))
    report = scan(file)
    assert report.problems == ()
    assert report.verdict in (Verdict.NEEDS_TRUST, Verdict.DANGEROUS)


def test_methods_are_all_recorded() -> None:
    """No listed class that is here has a method that is not recorded of it."""
    missing: list[str] = []
    count = 0
    for distribution in policy.lists():
        for name in policy.names(distribution):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    found = importlib.import_module(name.module)
                    for part in name.name.split("."):
                        found = getattr(found, part)
                except (ImportError, AttributeError):
                    continue
            if not inspect.isclass(found):
                continue
            assert attributes.is_class(name), name
            count += 1
            recorded = attributes.methods(str(name))
            for base in inspect.getmro(found)[:-1]:
                missing += [
                    f"{name}.{method}"
                    for method, held in vars(base).items()
                    if inspect.isfunction(held)
                    and not (method.startswith("__") and method.endswith("__"))
                    and method not in recorded
                ]
    assert missing == []
    assert count > 1000


def test_functions_are_no_classes() -> None:
    """What is listed to be called with data is not recorded as a class."""
    for module, name in (("numpy", "log1p"), ("sklearn.utils.validation", "check_array")):
        assert not attributes.is_class(Global(module, name))
    assert attributes.is_class(Global("xgboost.core", "Booster"))


@pytest.mark.parametrize("name", ["norm", "uniform", "randint", "loguniform", "truncnorm"])
def test_distributions_hold_what_scipy_writes(name: str) -> None:
    """No attribute that scipy writes of a distribution is doubted."""
    found = getattr(stats, name)
    kind = Global(type(found).__module__, type(found).__name__)
    assert attributes.strange_value(kind, found.__getstate__()) == ""


def test_what_honest_objects_hold(tmp_path: Path) -> None:
    """What models of every framework hold stays safe."""
    logit = given(
        new(stacked("sklearn.linear_model._logistic", "LogisticRegression")),
        keyed(C=number(1)),
    )
    family = new(stacked("statsmodels.genmod.families.family", "Poisson"))
    variance = new(stacked("statsmodels.genmod.families.varfuncs", "Power"))
    results = new(stacked("statsmodels.regression.linear_model", "RegressionResults"))
    check = call(PARTIAL, stacked("sklearn.utils.validation", "check_array"))
    selector = new(stacked("sklearn.compose._column_transformer", "make_column_selector"))
    columns = stacked("sklearn.compose._column_transformer", "ColumnTransformer")
    triplet = stacked("sklearn.impute._iterative", "_ImputerTriplet")
    honest = {
        "variance": given(family, keyed(variance=variance)),
        "normalized_cov_params": given(results, keyed(normalized_cov_params=written(1.0))),
        "partial": transformer(check),
        "function": transformer(stacked("numpy", "log1p")),
        "items": put(new(RESULT), x=number(1), message=text("done")),
        "estimators by name": put(new(BUNCH), a=logit),
        "stacked": given(
            new(STACKING),
            keyed(
                stack_method=text("auto"),
                stack_method_=listed(text("predict_proba"), text("decision_function")),
                estimators=listed(many(text("a"), logit), many(text("b"), text("drop"))),
                estimators_=listed(logit),
                final_estimator=NONE,
            ),
        ),
        "columns": given(
            new(columns),
            keyed(
                transformers=listed(
                    many(text("a"), logit, selector), many(text("b"), text("drop"), listed(NONE))
                )
            ),
        ),
        "estimators by name, of an old protocol": given(
            new(STACKING),
            keyed(
                named_estimators_=call(
                    stacked("copyreg", "_reconstructor"),
                    *(BUNCH, stacked("builtins", "dict"), keyed(a=logit)),
                )
            ),
        ),
        "labels of old XGBoost": given(
            new(stacked("xgboost.sklearn", "XGBClassifier")),
            keyed(_le=new(stacked("xgboost.compat", "XGBoostLabelEncoder"))),
        ),
        "named tuple": new(triplet, number(0), NONE, logit),
        "empty": given(new(LINEAR), EMPTY_DICT),
        "distribution": given(new(NORM), keyed(badvalue=number(0), name=text("norm"))),
    }
    file = tmp_path / "model.pkl"
    for name, pickled in honest.items():
        file.write_bytes(whole(pickled))
        report = scan(file)
        assert report.verdict is Verdict.SAFE, (name, report.findings)
