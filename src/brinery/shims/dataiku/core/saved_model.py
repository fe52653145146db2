"""A saved model, as a script reads and asks it."""

from __future__ import annotations

from typing import Any, Dict, List, Optional

from brinery_shims import projects
from brinery_shims.gateway import call


class Model:
    """A saved model of the workspace.

    Args:
        lookup: its id or its name, or `PROJECT.id`.
        project_key: of its project; the default one when None.
        ignore_flow: whether its use is not recorded.

    Raises:
        Exception: there is no such model.
    """

    def __init__(
        self, lookup: str, project_key: Optional[str] = None, ignore_flow: bool = False
    ) -> None:
        self.lookup = lookup
        self.ignore_flow = ignore_flow
        self.project_key, plain = projects.meant(lookup, project_key)
        self._found: Dict[str, Any] = call("models.show", id=plain, project=self.project_key)
        self.short_name = self._found["id"]
        self.name = f"{self.project_key}.{self.short_name}"
        self.full_name = self.name

    def __repr__(self) -> str:
        """Return how it is called."""
        return f"<dataiku.Model {self.name}>"

    @staticmethod
    def list_models(project_key: Optional[str] = None) -> List[Dict[str, Any]]:
        """Return the saved models of a project, as dicts with `id`, `name` and `type`."""
        found: List[Dict[str, Any]] = call("models.list", project=project_key or projects.default())
        return found

    def get_id(self) -> str:
        """Return the id."""
        return str(self._found["id"])

    def get_name(self) -> str:
        """Return the name."""
        return str(self._found["name"])

    def get_type(self) -> str:
        """Return the type: PREDICTION."""
        return str(self._found["type"])

    def get_info(self) -> Dict[str, Any]:
        """Return what is known of the model."""
        return dict(self._found)

    def list_versions(self) -> List[Dict[str, Any]]:
        """Return the versions, as dicts with `versionId`, `active` and `snippet`."""
        return [{**one, "versionId": one["id"]} for one in self._ask("versions")]

    def activate_version(self, version_id: str) -> None:
        """Make a version the active one."""
        self._ask("activate", version=version_id)

    def get_definition(self) -> Dict[str, Any]:
        """Return the settings."""
        found: Dict[str, Any] = self._ask("settings")
        return found

    def get_version_metrics(self, version_id: str) -> SavedModelVersionMetrics:
        """Return the figures of a version."""
        return SavedModelVersionMetrics(self, version_id)

    def get_version_checks(self, version_id: str) -> List[Any]:
        """Return that a version has no checks of its own: evaluation stores have."""
        del version_id
        return []

    def get_predictor(self, version_id: Optional[str] = None, optimize: str = "BATCH") -> Predictor:
        """Return what asks a version; the active one when None.

        Raises:
            Exception: there is none.
        """
        del optimize
        return Predictor(self, version_id)

    def _ask(self, verb: str, **arguments: Any) -> Any:
        return call("models." + verb, id=self.short_name, project=self.project_key, **arguments)


class SavedModelVersionMetrics:
    """The figures of a version.

    Args:
        saved_model: whose version it is.
        version_id: of the version.
    """

    def __init__(self, saved_model: Model, version_id: str) -> None:
        self.saved_model = saved_model
        self.version_id = version_id

    def get_performance_values(self) -> Dict[str, float]:
        """Return name to value."""
        found = call(
            "details.metrics",
            id=self.saved_model.short_name,
            project=self.saved_model.project_key,
            version=self.version_id,
        )
        return {
            one["metric"]["id"].partition(":")[2]: float(one["lastValues"][0]["value"])
            for one in found["metrics"]
        }

    def get_all_data(self) -> Dict[str, Any]:
        """Return them as dicts."""
        return {"performanceMetrics": self.get_performance_values()}


class Predictor:
    """Asks a version, in Brinery's process, which has the libraries that it was written with.

    Args:
        model: whose version it is.
        version_id: of the version; the active one when None.
    """

    def __init__(self, model: Model, version_id: Optional[str]) -> None:
        self._model = model
        told = call(
            "predictions.open",
            id=model.short_name,
            project=model.project_key,
            version=version_id or "",
        )
        self.version_id = str(told["version"])
        self._told = told

    def get_classes(self) -> Optional[List[str]]:
        """Return the classes, in the model's order; None where it has none."""
        found: Optional[List[str]] = self._told["classes"]
        return found

    def get_proba_columns(self) -> Optional[List[str]]:
        """Return the names of the columns of probabilities; None where there are none."""
        found: Optional[List[str]] = self._told["probas"]
        return found

    def get_features(self) -> List[str]:
        """Return the columns that it takes."""
        found: List[str] = self._told["features"]
        return found

    def predict(
        self,
        df: Any,
        with_input_cols: bool = False,
        with_prediction: bool = True,
        with_probas: bool = True,
        with_conditional_outputs: bool = False,
        with_proba_percentile: bool = False,
        with_explanations: bool = False,
        explanation_method: str = "ICE",
        n_explanations: int = 3,
        n_explanations_mc_steps: int = 100,
        **kwargs: Any,
    ) -> Any:
        """Return the answers for rows, a row each.

        Args:
            df: a data frame with the columns that the model takes.
            with_input_cols: whether the columns of the data come first.
            with_prediction: whether there is `prediction`.
            with_probas: whether there is `proba_CLASS` of each class.
            with_conditional_outputs: is not supported.
            with_proba_percentile: whether there is `proba_percentile`, among the rows that the
                version was evaluated on.
            with_explanations: whether there is `explanations`, a dict as JSON.
            explanation_method: `ICE`, each column by itself, or `SHAPLEY`, exact where the model
                allows it.
            n_explanations: how many columns are told.
            n_explanations_mc_steps: how many orders of the columns are drawn where Shapley values
                are sampled.
            **kwargs: are not used.

        Raises:
            NotImplementedError: conditional outputs are asked for, or such answers are not
                explained.
            ValueError: there is no such method, or there are no rows.
        """
        del kwargs
        if with_conditional_outputs:
            raise NotImplementedError(
                "conditional outputs are not supported by Brinery; the nearest is: a column made "
                "of the prediction"
            )
        if not len(df):
            raise ValueError("there is nothing to predict: the data frame has no rows")
        found = self._asked(
            df,
            percentile=with_proba_percentile,
            explanations=n_explanations if with_explanations else 0,
            by=explanation_method,
            steps=n_explanations_mc_steps,
        )
        found.index = df.index
        probas = self.get_proba_columns() or []
        columns = ["prediction"] if with_prediction else []
        columns += probas if with_probas else []
        columns += [name for name in ("proba_percentile", "explanations") if name in found.columns]
        found = found[columns]
        if not with_input_cols:
            return found
        import pandas as pd

        return pd.concat([df, found], axis=1)

    def _asked(self, df: Any, **asked: Any) -> Any:
        """Return the answers of the gateway, by way of files."""
        import os
        import tempfile

        import pandas as pd

        with tempfile.TemporaryDirectory(prefix="brinery-") as folder:
            path = os.path.join(folder, "rows.parquet")
            try:
                df.reset_index(drop=True).to_parquet(path, index=False)
            except ImportError:  # this Python has no pyarrow
                path = os.path.join(folder, "rows.csv")
                df.to_csv(path, index=False)
            answer = call(
                "predictions.ask",
                id=self._model.short_name,
                project=self._model.project_key,
                version=self.version_id,
                path=path,
                **asked,
            )
            if answer.endswith(".csv"):
                return pd.read_csv(answer)
            return pd.read_parquet(answer)
