"""MLflow, set up to log into a managed folder."""

from __future__ import annotations

from dataikuapi.dss_plugin_mlflow.utils import MLflowHandle

__all__ = ["MLflowHandle"]
