"""An evaluation store, as a script reads it."""

from __future__ import annotations

from typing import Any, Dict, List, Optional

from brinery_shims import projects
from brinery_shims.gateway import call


class ModelEvaluationStore:
    """An evaluation store of the workspace.

    Args:
        lookup: its id or its name, or `PROJECT.id`.
        project_key: of its project; the default one when None.
        ignore_flow: whether its use is not recorded.

    Raises:
        Exception: there is no such store.
    """

    def __init__(
        self, lookup: str, project_key: Optional[str] = None, ignore_flow: bool = False
    ) -> None:
        self.lookup = lookup
        self.ignore_flow = ignore_flow
        self.project_key, plain = projects.meant(lookup, project_key)
        self._info: Dict[str, Any] = call(
            "evaluations.settings", store=plain, project=self.project_key
        )

    def get_info(self) -> Dict[str, Any]:
        """Return what is known of the store."""
        return dict(self._info)

    def get_id(self) -> str:
        """Return the id."""
        return str(self._info["id"])

    def get_name(self) -> str:
        """Return the name."""
        return str(self._info["name"])

    def list_runs(self) -> List[str]:
        """Return the ids of the evaluations, the oldest first."""
        found = call("evaluations.list", store=self.get_id(), project=self.project_key)
        return [one["ref"]["evaluationId"] for one in found]

    def get_evaluation(self, evaluation_id: str) -> ModelEvaluation:
        """Return an evaluation."""
        return ModelEvaluation(self, evaluation_id)


class ModelEvaluation:
    """An evaluation of a store.

    Args:
        store: whose evaluation it is.
        evaluation_id: of the evaluation.
    """

    def __init__(self, store: ModelEvaluationStore, evaluation_id: str) -> None:
        self.store = store
        self.run_id = evaluation_id

    def get_dataframe(self) -> Any:
        """Return its first rows, 20,000 at most, as a data frame."""
        import pandas as pd

        path = call(
            "evaluations.sample",
            store=self.store.get_id(),
            project=self.store.project_key,
            evaluation=self.run_id,
        )
        return pd.read_csv(path)
