"""The names of the metrics that a gate may ask for, and which of them say what.

They are those of an evaluation; a test holds the two lists together.
"""

from __future__ import annotations

import re
from typing import Final

# The figure that a model is first known by: which one, depends on what it predicts.
HEADLINE: Final = "headline"

# Of labels, which a threshold of the probability decides.
OF_LABELS: Final = (
    *("accuracy", "balanced_accuracy", "precision", "recall", "specificity"),
    *("f1", "f2", "mcc", "kappa"),
)
# Neither high nor low is better.
WITHOUT_DIRECTION: Final = (
    *("f1_best_threshold", "error_p05", "error_p25", "error_p50", "error_p75", "error_p95"),
)
_FROM_0_TO_1: Final = (
    *("accuracy", "balanced_accuracy", "precision", "recall", "specificity", "f1", "f2", "f1_best"),
    *("roc_auc", "average_precision", "brier", "ece", "ks", "f1_best_threshold"),
    *("precision_macro", "recall_macro", "f1_macro", "precision_weighted", "recall_weighted"),
    *("f1_weighted", "precision_micro", "recall_micro", "f1_micro", "roc_auc_macro"),
    *("roc_auc_weighted", "roc_auc_micro", "average_precision_macro"),
    *("average_precision_weighted", "average_precision_micro"),
)
_UP_TO_1: Final = ("mcc", "kappa", "r2", "explained_variance", "pearson", "spearman")
_FROM_0: Final = (
    *("log_loss", "lift_10", "mae", "rmse", "mape", "mse", "rmsle", "median_ae"),
    *("pinball_10", "pinball_50", "pinball_90"),
)
_ERRORS: Final = ("error_p05", "error_p25", "error_p50", "error_p75", "error_p95")

METRICS: Final = tuple(dict.fromkeys((*_FROM_0_TO_1, *_UP_TO_1, *_FROM_0, *_ERRORS)))

_INF: Final = float("inf")
_F_BETA: Final = re.compile(r"f(\d{1,3}(?:\.\d{1,3})?)")


def beta_of(metric: str) -> float | None:
    """Return the beta of an F-beta, such as 0.5 of `f0.5`; None of another metric."""
    found = _F_BETA.fullmatch(metric)
    beta = float(found[1]) if found else 0.0
    return beta if beta and metric == f"f{beta:g}" else None


def is_metric(name: str) -> bool:
    """Return whether there is such a metric."""
    return name in METRICS or name == HEADLINE or beta_of(name) is not None


def is_of_labels(name: str) -> bool:
    """Return whether a metric of a binary model is one of its labels, which a threshold decides."""
    return name in OF_LABELS or beta_of(name) is not None


def limits(name: str) -> tuple[float, float]:
    """Return the ends of what a metric can be; infinite where it has none."""
    if name in _FROM_0_TO_1 or beta_of(name) is not None:
        return 0.0, 1.0
    if name in _FROM_0:
        return 0.0, _INF
    low = -1.0 if name in {"mcc", "kappa", "pearson", "spearman"} else -_INF
    return low, 1.0 if name in _UP_TO_1 else _INF
