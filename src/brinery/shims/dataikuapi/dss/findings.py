"""What was found out of a version beside its figures."""

from __future__ import annotations

from typing import Any, Dict, List, Optional


class _Told:
    """What is told as a dict.

    Args:
        data: the dict.
    """

    def __init__(self, data: Dict[str, Any]) -> None:
        self._internal_dict = data

    def get_raw(self) -> Dict[str, Any]:
        """Return the dict itself."""
        return self._internal_dict

    def __repr__(self) -> str:
        """Return what is told."""
        return f"{type(self).__name__}({self._internal_dict})"


class DSSMLDiagnostic(_Told):
    """One thing that is doubtful."""

    def get_type(self) -> str:
        """Return its kind."""
        return str(self._internal_dict["type"])

    def get_type_pretty(self) -> str:
        """Return its kind, for people."""
        return str(self._internal_dict["displayableType"])

    def get_message(self) -> str:
        """Return what it is."""
        return str(self._internal_dict["message"])

    def get_details(self) -> str:
        """Return what to do about it."""
        return str(self._internal_dict["details"])


class DSSMLAssertionMetrics(_Told):
    """What became of one assertion."""

    @property
    def name(self) -> str:
        """Return its name."""
        return str(self._internal_dict["name"])

    @property
    def result(self) -> Optional[bool]:
        """Return whether it holds; None where that cannot be told."""
        found: Optional[bool] = self._internal_dict["result"]
        return found

    @property
    def valid_ratio(self) -> Optional[float]:
        """Return the share of its rows that are as expected."""
        found: Optional[float] = self._internal_dict["validRatio"]
        return found

    @property
    def nb_matching_rows(self) -> int:
        """Return how many rows it is about."""
        return int(self._internal_dict["nbMatchingRows"])

    @property
    def nb_dropped_rows(self) -> int:
        """Return how many rows were left out."""
        return int(self._internal_dict["nbDroppedRows"])


class DSSMLAssertionsMetrics(_Told):
    """What became of the assertions."""

    def get_metrics(self, assertion_name: str) -> Optional[DSSMLAssertionMetrics]:
        """Return what became of one; None where there is none of that name."""
        for one in self._internal_dict["perAssertion"]:
            if one["name"] == assertion_name:
                return DSSMLAssertionMetrics(one)
        return None

    @property
    def passing_assertions_ratio(self) -> Optional[float]:
        """Return the share that holds."""
        found: Optional[float] = self._internal_dict["passingAssertionsRatio"]
        return found


class DSSGlobalExplanations(_Told):
    """The importance of the columns.

    Args:
        model_details: of the version.
        data: the dict.
    """

    def __init__(self, model_details: Any, data: Dict[str, Any]) -> None:
        super().__init__(data)
        self.model_details = model_details

    def get_absolute_importance(self) -> Dict[str, float]:
        """Return column to its share of all contributions, the greatest first."""
        found: Dict[str, float] = self._internal_dict["absoluteImportance"]
        return found

    def get_observations(self) -> Dict[str, Any]:
        """Return `explanations` and `observations`, row by row."""
        return {name: self._internal_dict[name] for name in ("explanations", "observations")}

    def get_facts(self) -> Dict[str, Any]:
        """Return the contribution and the value of each row, by class."""
        found: Dict[str, Any] = self._internal_dict["perClassFacts"]
        return found


class _Computed(_Told):
    """What was computed on some rows."""

    def get_computation_params(self) -> Dict[str, Any]:
        """Return on how many rows, and whether they were drawn."""
        return {
            name: self._internal_dict[name] for name in ("nbRecords", "randomState", "onSample")
        }


class DSSSubpopulationModality(_Told):
    """One group of rows."""

    def get_definition(self) -> Dict[str, Any]:
        """Return which rows are in it."""
        wanted = ("label", "where", "value", "gte", "lt", "missing_values")
        return {name: self._internal_dict[name] for name in wanted if name in self._internal_dict}

    def is_excluded(self) -> bool:
        """Return whether there is no figure of it."""
        return bool(self._internal_dict["excluded"])

    def get_performance_metrics(self) -> Dict[str, Any]:
        """Return the figure."""
        found: Dict[str, Any] = self._internal_dict["performanceMetrics"]
        return found

    def get_prediction_info(self) -> Dict[str, Any]:
        """Return how many rows it has."""
        return {"testWeight": self._internal_dict["perf"]["globalMetrics"]["testWeight"]}


class DSSSubpopulationAnalysis(_Computed):
    """The groups of one column.

    Args:
        analysis: the dict.
        prediction_type: of the model.
    """

    def __init__(self, analysis: Dict[str, Any], prediction_type: str) -> None:
        super().__init__(analysis)
        self.prediction_type = prediction_type
        self.computed_as_type = analysis["computed_as_type"]
        self.modalities = [DSSSubpopulationModality(one) for one in analysis["modalities"]]

    def list_modalities(self) -> List[Dict[str, Any]]:
        """Return which groups there are."""
        return [one.get_definition() for one in self.modalities]

    def get_modality_data(self, definition: Any) -> DSSSubpopulationModality:
        """Return a group by its definition, its label or its value.

        Raises:
            ValueError: there is none.
        """
        for one in self.modalities:
            told = one.get_definition()
            if definition in (told, told["label"]) or definition == told.get("value", told):
                return one
        raise ValueError("there is no group " + repr(definition))


class DSSSubpopulationGlobal(_Told):
    """All rows.

    Args:
        data: the dict.
        prediction_type: of the model.
    """

    def __init__(self, data: Dict[str, Any], prediction_type: str) -> None:
        super().__init__(data)
        self.prediction_type = prediction_type

    def get_performance_metrics(self) -> Dict[str, Any]:
        """Return the figure."""
        found: Dict[str, Any] = self._internal_dict["performanceMetrics"]
        return found


class DSSSubpopulationAnalyses(_Told):
    """The groups of several columns.

    Args:
        data: the dict.
        prediction_type: of the model.
    """

    def __init__(self, data: Dict[str, Any], prediction_type: str) -> None:
        super().__init__(data)
        self.prediction_type = prediction_type
        self.analyses = [
            DSSSubpopulationAnalysis(one, prediction_type) for one in data["subpopulationAnalyses"]
        ]

    def get_global(self) -> DSSSubpopulationGlobal:
        """Return the figure on all rows."""
        return DSSSubpopulationGlobal(self._internal_dict["global"], self.prediction_type)

    def list_analyses(self) -> List[str]:
        """Return the columns."""
        return [one.get_raw()["feature"] for one in self.analyses]

    def get_analysis(self, feature: str) -> DSSSubpopulationAnalysis:
        """Return the groups of a column.

        Raises:
            ValueError: there are none.
        """
        for one in self.analyses:
            if one.get_raw()["feature"] == feature:
                return one
        raise ValueError(f"Subpopulation analysis for feature '{feature}' cannot be found")


class DSSPartialDependence(_Computed):
    """The partial dependence of one column."""

    def get_data_by_target(self) -> Dict[str, Any]:
        """Return it for each class."""
        return {str(one["class"]): one for one in self._internal_dict["data"]}


class DSSPartialDependencies(_Told):
    """The partial dependence of several columns."""

    def __init__(self, data: Dict[str, Any]) -> None:
        super().__init__(data)
        self.partial_dependencies = [
            DSSPartialDependence(one) for one in data["partialDependencies"]
        ]

    def list_features(self) -> List[str]:
        """Return the columns."""
        return [one.get_raw()["feature"] for one in self.partial_dependencies]

    def get_partial_dependence(self, feature: str) -> DSSPartialDependence:
        """Return that of a column.

        Raises:
            ValueError: there is none.
        """
        for one in self.partial_dependencies:
            if one.get_raw()["feature"] == feature:
                return one
        raise ValueError(f"Partial dependence for feature '{feature}' cannot be found")
