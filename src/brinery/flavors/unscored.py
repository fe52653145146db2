"""What the scan of a file tells of whether its model can be asked for predictions.

Only the loaded model says it for certain (`Description.unscored`). What is told here decides what
is asked of the user before anything is loaded: data, or none.
"""

from __future__ import annotations

from brinery.records.scan import Node, ScanReport

# Estimators of scikit-learn without an answer for rows that they were not fitted on.
_FITTED_ONLY = frozenset(
    {
        "AgglomerativeClustering",
        "ClassicalMDS",
        "DBSCAN",
        "HDBSCAN",
        "MDS",
        "OPTICS",
        "SpectralClustering",
        "SpectralEmbedding",
        "TSNE",
    }
)
# One that has an answer where it was told to.
_EITHER = frozenset({"LocalOutlierFactor"})

_SERIES = "statsmodels.tsa."
_WEIGHTS = frozenset({"dict", "builtins.dict", "collections.OrderedDict"})

# Files that hold what predicts, or nothing that loads; and packages whose every other class does.
_ALWAYS = frozenset(
    {"callable", "catboost", "lightgbm-text", "mlflow", "onnx", "xgboost-json", "xgboost-ubj"}
)
_KNOWN = frozenset(
    {"catboost", "category_encoders", "lightgbm", "sklearn", "statsmodels", "xgboost"}
)


def is_weights(report: ScanReport) -> bool:
    """Return whether a file holds tensors alone, and no program that uses them."""
    held = report.format == "torch" and report.outermost in _WEIGHTS
    return held or report.format == "safetensors"


def is_foreseen(report: ScanReport) -> bool:
    """Return whether its model cannot be asked for predictions, as far as its classes tell."""
    name = _last(report)
    return (
        is_weights(report)
        or name.startswith(_SERIES)
        or (name.startswith("sklearn.") and name.rpartition(".")[2] in _FITTED_ONLY)
    )


def is_excluded(report: ScanReport) -> bool:
    """Return whether its model is known to be one that can be asked."""
    if report.format in _ALWAYS:
        return True
    package, _, name = _last(report).partition(".")
    either = name.rpartition(".")[2] in _EITHER
    return package in _KNOWN and not either and not is_foreseen(report)


def _last(report: ScanReport) -> str:
    """Return the class of what answers: the model, or the last step of a pipeline."""
    node: Node | None = report.tree
    while node is not None:
        steps = [part for part in node.parts if part.label]
        if not node.name.endswith(".Pipeline") or not steps:
            return node.name
        node = steps[-1]
    return report.outermost
