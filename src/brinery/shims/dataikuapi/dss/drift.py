"""How far the rows of an evaluation drifted: what is asked, and what is found."""

from __future__ import annotations

import warnings
from typing import Any, Dict, Optional


class _Told:
    """What is told as a dict.

    Args:
        data: the dict.
    """

    def __init__(self, data: Dict[str, Any]) -> None:
        self.data = data

    def get_raw(self) -> Dict[str, Any]:
        """Return the dict itself."""
        return self.data

    def __repr__(self) -> str:
        """Return what is told."""
        return f"{type(self).__name__}({self.data})"


def _params(
    columns: Dict[str, Any], nb_bins: int, compute_histograms: bool, confidence_level: float
) -> Dict[str, Any]:
    return {
        "columns": columns,
        "nbBins": nb_bins,
        "computeHistograms": compute_histograms,
        "confidenceLevel": confidence_level,
    }


class DriftParams:
    """How rows are compared.

    Args:
        data: as a dict.
    """

    def __init__(self, data: Dict[str, Any]) -> None:
        self.data = data

    @staticmethod
    def from_params(
        per_column_settings: Dict[str, Any],
        nb_bins: int = 10,
        compute_histograms: bool = True,
        confidence_level: float = 0.95,
    ) -> DriftParams:
        """Return how rows are compared.

        Args:
            per_column_settings: column to its handling; see `PerColumnDriftParamBuilder`.
            nb_bins: of a numerical column.
            compute_histograms: whether the bins are told.
            confidence_level: of the accuracy's interval.
        """
        return DriftParams(
            _params(per_column_settings, nb_bins, compute_histograms, confidence_level)
        )


class DataDriftParams:
    """The same, as it was called before.

    Args:
        data: as a dict.
    """

    def __init__(self, data: Dict[str, Any]) -> None:
        self.data = data

    @staticmethod
    def from_params(
        per_column_settings: Dict[str, Any],
        nb_bins: int = 10,
        compute_histograms: bool = True,
        confidence_level: float = 0.95,
    ) -> DataDriftParams:
        """Return how rows are compared; deprecated."""
        warnings.warn(
            "This method is deprecated. Use DriftParams.from_params() instead",
            DeprecationWarning,
            stacklevel=2,
        )
        return DataDriftParams(
            _params(per_column_settings, nb_bins, compute_histograms, confidence_level)
        )


class PerColumnDriftParamBuilder:
    """Builds how columns are compared."""

    def __init__(self) -> None:
        self.columns: Dict[str, Any] = {}

    def build(self) -> Dict[str, Any]:
        """Return column to its handling."""
        return self.columns

    def with_column_drift_param(
        self, name: str, handling: str = "AUTO", enabled: bool = True
    ) -> PerColumnDriftParamBuilder:
        """Say how a column is compared: NUMERICAL, CATEGORICAL or AUTO; or that it is not."""
        self.columns[name] = {"handling": handling, "enabled": enabled}
        return self


class DriftModelAccuracy(_Told):
    """How well a classifier tells the rows apart, with its interval and p-value."""

    def __init__(self, data: Dict[str, Any]) -> None:
        super().__init__(data)
        self.value = data["value"]
        self.lower_confidence_interval = data["lower"]
        self.upper_confidence_interval = data["upper"]
        self.pvalue = data["pvalue"]


class DriftModelResult(_Told):
    """What the classifier found."""

    def __init__(self, data: Dict[str, Any]) -> None:
        super().__init__(data)
        self.drift_model_accuracy = DriftModelAccuracy(data["driftModelAccuracy"])
        self.feature_drift_importance = data["driftVersusImportance"]


class UnivariateDriftResult(_Told):
    """How far each column is apart."""

    def __init__(self, data: Dict[str, Any]) -> None:
        super().__init__(data)
        self.per_column_drift_data = data["columns"]


class PredictionDriftResult(_Told):
    """How far the answers are apart."""

    def __init__(self, data: Dict[str, Any]) -> None:
        super().__init__(data)
        self.chiSquare = data.get("chiSquareTestPvalue")
        self.ks = data.get("ksTestPvalue")
        self.psi = data.get("populationStabilityIndex")


class ColumnSettings(_Told):
    """How a column was compared."""

    def __init__(self, data: Dict[str, Any]) -> None:
        super().__init__(data)
        self.name = data["name"]
        self.actual_column_handling = data["actualHandling"]
        self.default_column_handling = data["defaultHandling"]
        self.error_message = data.get("errorMessage")


def _of(kind: Any, data: Dict[str, Any], name: str) -> Optional[Any]:
    return kind(data[name]) if name in data else None


class DriftResult(_Told):
    """How far the rows are apart; a part that could not be computed is None."""

    def __init__(self, data: Dict[str, Any]) -> None:
        super().__init__(data)
        self.drift_model_result = _of(DriftModelResult, data, "driftModelResult")
        self.univariate_drift_result = _of(UnivariateDriftResult, data, "univariateDriftResult")
        self.prediction_drift_result = _of(PredictionDriftResult, data, "predictionDriftResult")
        self.per_column_settings = [
            ColumnSettings(one) for one in data.get("perColumnSettings", [])
        ]


class DataDriftResult(DriftResult):
    """The same, as it was called before."""
