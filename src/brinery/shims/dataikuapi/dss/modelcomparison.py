"""Comparisons of versions and evaluations."""

from __future__ import annotations

from typing import Any, Dict, List

from brinery_shims.gateway import call
from brinery_shims.unsupported import Partial

_PARTS = 3


class DSSModelComparison(Partial):
    """A handle of a comparison; it is not looked up yet.

    Args:
        client: of the workspace.
        project_key: of the project.
        mec_id: of the comparison.
    """

    def __init__(self, client: Any, project_key: str, mec_id: str) -> None:
        self.client = client
        self.project = client.get_project(project_key)
        self.project_key = project_key
        self.comparison_id = mec_id

    @property
    def id(self) -> str:
        """Return the id."""
        return self.comparison_id

    @property
    def mec_id(self) -> str:
        """Return the id."""
        return self.comparison_id

    def get_settings(self) -> DSSModelComparisonSettings:
        """Return the settings: what is compared."""
        return DSSModelComparisonSettings(self, call("evaluations.comparison_settings", id=self.id))

    def get_evaluation_like_from_full_id(self, full_id: str) -> Any:
        """Return what a full id stands for: details of a version, or an evaluation.

        Raises:
            ValueError: it is no full id.
        """
        kind, *parts = full_id.split("-", _PARTS)
        if kind == "S" and len(parts) == _PARTS:
            return self.project.get_saved_model(parts[1]).get_version_details(parts[2])
        if kind == "ME" and len(parts) == _PARTS:
            store = self.project.get_model_evaluation_store(parts[1])
            return store.get_model_evaluation(parts[2])
        raise ValueError(f"{full_id} is not a valid full model id or full model evaluation id.")

    def delete(self) -> None:
        """Delete the comparison; what it compares stays."""
        call("evaluations.delete_comparison", id=self.id)


class DSSModelComparisonSettings:
    """The settings of a comparison.

    Args:
        model_comparison: whose they are.
        settings: as a dict, which may be changed and saved.
    """

    def __init__(self, model_comparison: DSSModelComparison, settings: Dict[str, Any]) -> None:
        self.evaluation_comparison = model_comparison
        self.settings = settings

    def get_raw(self) -> Dict[str, Any]:
        """Return the settings themselves."""
        return self.settings

    def model_comparison(self) -> DSSModelComparison:
        """Return whose they are."""
        return self.evaluation_comparison

    def add_compared_item(self, full_id: str) -> None:
        """Add a version or an evaluation."""
        self.settings["comparedModels"].append({"refId": full_id})

    def remove_compared_item(self, full_id: str) -> None:
        """Take one away."""
        left = [one for one in self.settings["comparedModels"] if one["refId"] != full_id]
        self.settings["comparedModels"] = left

    def get_compared_items(self) -> List[str]:
        """Return the full ids."""
        return [one["refId"] for one in self.settings["comparedModels"]]

    @property
    def model_task_type(self) -> str:
        """Return what all of them predict."""
        return str(self.settings["modelTaskType"])

    @model_task_type.setter
    def model_task_type(self, model_task_type: str) -> None:
        self.settings["modelTaskType"] = model_task_type

    @property
    def prediction_type(self) -> str:
        """Return what all of them predict."""
        return self.model_task_type

    @prediction_type.setter
    def prediction_type(self, prediction_type: str) -> None:
        self.model_task_type = prediction_type

    @property
    def display_name(self) -> str:
        """Return its name."""
        return str(self.settings["displayName"])

    @display_name.setter
    def display_name(self, display_name: str) -> None:
        self.settings["displayName"] = display_name

    def save(self) -> None:
        """Keep the settings as they are now.

        Raises:
            ValueError: an item is none, or predicts something else.
        """
        call(
            "evaluations.save_comparison",
            id=self.evaluation_comparison.id,
            settings=self.settings,
        )
