"""Names and parameters of the public classes of a `dataikuapi`, as JSON on standard output.

It is run in an environment with the genuine client, which makes `signatures.json`, and in one with
ours: facts alone are compared, and no text of either.
"""

from __future__ import annotations

import importlib
import inspect
import json
import sys

CLASSES = {
    "dataikuapi.dssclient": ("DSSClient",),
    "dataikuapi.dss.project": ("DSSProject",),
    "dataikuapi.apinode_client": ("APINodeClient",),
    "dataikuapi.dss.dataset": ("DSSDataset", "DSSDatasetListItem", "DSSDatasetSettings"),
    "dataikuapi.dss.managedfolder": ("DSSManagedFolder",),
    "dataikuapi.dss.savedmodel": (
        "DSSSavedModel",
        "DSSSavedModelSettings",
        "ExternalModelVersionHandler",
        "MLFlowVersionSettings",
    ),
    "dataikuapi.dss.mlflow": ("DSSMLflowExtension",),
    "dataikuapi.dss.ml": (
        "DSSTrainedModelDetails",
        "DSSTrainedPredictionModelDetails",
        "DSSGlobalExplanations",
        "DSSMLDiagnostic",
        "DSSPartialDependence",
        "DSSPartialDependencies",
        "DSSSubpopulationAnalyses",
        "DSSSubpopulationAnalysis",
    ),
    "dataikuapi.dss.evaluationstore": (
        "DSSEvaluation",
        "DSSEvaluationFullInfo",
        "DSSEvaluationStore",
        "DSSEvaluationStoreSettings",
    ),
    "dataikuapi.dss.modelevaluationstore": (
        "DSSModelEvaluation",
        "DSSModelEvaluationFullInfo",
        "DSSModelEvaluationStore",
        "DSSModelEvaluationStoreSettings",
    ),
    "dataikuapi.dss.drift": (
        "ColumnSettings",
        "DataDriftParams",
        "DriftModelAccuracy",
        "DriftModelResult",
        "DriftParams",
        "DriftResult",
        "PerColumnDriftParamBuilder",
        "PredictionDriftResult",
        "UnivariateDriftResult",
    ),
    "dataikuapi.dss.modelcomparison": ("DSSModelComparison", "DSSModelComparisonSettings"),
    "dataikuapi.dss.apiservice": (
        "DSSAPIService",
        "DSSAPIServiceListItem",
        "DSSAPIServiceSettings",
    ),
    "dataikuapi.dss.metrics": ("ComputedMetrics",),
    "dataikuapi.dss.future": ("DSSFuture",),
    "dataikuapi.dss.utils": ("DSSDatasetSelectionBuilder",),
}


def parameters(found: object) -> list[list[str]]:
    """Name, kind and default of each parameter, but for the first of a method."""
    return [
        [one.name, one.kind.name, "" if one.default is one.empty else _default(one.default)]
        for one in list(inspect.signature(found).parameters.values())  # type: ignore[arg-type]
    ]


def _default(value: object) -> str:
    return "a function" if callable(value) else repr(value)


def of_class(made: type) -> dict[str, object]:
    """Public name to what it is."""
    told: dict[str, object] = {}
    for base in reversed(made.__mro__):
        if not base.__module__.startswith("dataikuapi"):
            continue
        for name, found in vars(base).items():
            if name.startswith("_") and name != "__init__":
                continue
            if isinstance(found, property):
                told[name] = "property"
            elif isinstance(found, staticmethod):
                told[name] = ["static", *parameters(found.__func__)]
            elif isinstance(found, classmethod):
                told[name] = ["class", *parameters(found.__func__)[1:]]
            elif inspect.isfunction(found):
                told[name] = ["method", *parameters(found)[1:]]
    return told


def main() -> None:
    """Write what there is."""
    found = {
        f"{module}.{name}": of_class(getattr(importlib.import_module(module), name))
        for module, names in CLASSES.items()
        for name in names
    }
    sys.stdout.write(json.dumps(found, indent=0, sort_keys=True))


if __name__ == "__main__":
    main()
