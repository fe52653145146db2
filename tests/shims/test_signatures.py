"""Our `dataikuapi` beside the genuine client: the same names take the same parameters."""

from __future__ import annotations

import copy
import inspect
import json
import pickle
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from tests.shims.conftest import Shimmed

HERE = Path(__file__).parent
SHIMS = HERE.parent.parent / "src" / "brinery" / "shims"
CLIENT = "dataiku-api-client==15.2.0"

# What the genuine client has beside its public API: annotated, deprecated or of no script's use.
FACTS = HERE / "signatures.json"


def ours() -> dict[str, dict[str, Any]]:
    """The facts of our modules, found out in a process of their own."""
    return _facts([sys.executable, str(HERE / "signatures.py")], {"PYTHONPATH": str(SHIMS)})


def _facts(command: list[str], variables: dict[str, str]) -> dict[str, dict[str, Any]]:
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=variables)
    found: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return found


def test_every_name_that_is_here_has_the_original_signature() -> None:
    """Parameters have the same names, order, kinds and defaults; properties are properties."""
    known = json.loads(FACTS.read_text())
    wrong = [
        f"{place}.{name}: {told} and not {known[place][name]}"
        for place, names in ours().items()
        for name, told in names.items()
        if name in known[place] and told != known[place][name]
    ]
    assert not wrong, "\n".join(wrong)


def test_no_class_lacks_what_scripts_call() -> None:
    """Of the classes that scripts use most, every public name is here."""
    known, here = json.loads(FACTS.read_text()), ours()
    whole = [
        "dataikuapi.dss.mlflow.DSSMLflowExtension",
        "dataikuapi.dss.savedmodel.ExternalModelVersionHandler",
        "dataikuapi.dss.savedmodel.MLFlowVersionSettings",
        "dataikuapi.dss.savedmodel.DSSSavedModelSettings",
        "dataikuapi.dss.drift.DriftParams",
        "dataikuapi.dss.drift.DriftResult",
        "dataikuapi.dss.drift.PerColumnDriftParamBuilder",
        "dataikuapi.dss.modelevaluationstore.DSSModelEvaluation",
        "dataikuapi.dss.modelevaluationstore.DSSModelEvaluationStoreSettings",
        "dataikuapi.dss.metrics.ComputedMetrics",
        "dataikuapi.dss.utils.DSSDatasetSelectionBuilder",
        "dataikuapi.dss.dataset.DSSDatasetListItem",
        "dataikuapi.dss.apiservice.DSSAPIService",
        "dataikuapi.dss.apiservice.DSSAPIServiceSettings",
    ]
    missing = {place: sorted(set(known[place]) - set(here[place])) for place in whole}
    assert not {place: names for place, names in missing.items() if names}


def test_what_is_not_here_says_so() -> None:
    """A method of the original that is not here names the nearest alternative."""
    script = (
        "from dataikuapi import DSSClient\n"
        "project = DSSClient('h').get_project('P')\n"
        "for ask in (lambda: project.list_scenarios(), lambda: project.get_saved_model('m')\n"
        "            .create_external_model_version('v', {})):\n"
        "    try:\n"
        "        ask()\n"
        "    except NotImplementedError as error:\n"
        "        print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(SHIMS)},
    )
    told = done.stdout.splitlines()
    assert "DSSProject.list_scenarios is not supported" in told[0]
    assert "brinery schedule" in told[0]
    assert "import_mlflow_version_from_path" in told[1]


def test_what_is_not_here_is_no_attribute(shimmed: Shimmed) -> None:
    """`hasattr` and `getattr` with a default say no; copies and a notebook's looks say nothing."""
    handle = shimmed.project.get_dataset("t")
    assert not hasattr(handle, "new_managed_dataset")
    assert getattr(shimmed.project, "list_scenarios", None) is None
    with pytest.raises(NotImplementedError, match="brinery dataset"):
        handle.get_metadata()
    assert copy.deepcopy(handle).name == "t"
    assert pickle.dumps(handle)
    assert dict(inspect.getmembers(handle))["name"] == "t"
    assert not any(hasattr(handle, name) for name in ("_repr_html_", "_ipython_display_"))
    assert pd.Series([handle]).map(lambda one: one.name).tolist() == ["t"]


@pytest.mark.parametrize(
    ("use", "instead"),
    [
        ("dataiku.spark.get_dataframe", "pandas, or a job on Ray"),
        ("dataiku.core.sql.SQLExecutor2", "brinery dataset create NAME --table TABLE"),
        ("dataiku.customrecipe.get_input_names_for_role", "dataiku.recipe.get_input_names"),
        ("dataiku.customrecipe.get_recipe_config", "--set NAME=value"),
        ("dataiku.customwebapp.get_webapp_config", "brinery serve"),
        ("dataiku.insights.save_figure", "brinery report"),
        ("dataiku.scenario.Scenario", "brinery schedule"),
        ("dataiku.set_remote_dss", "--workspace PATH"),
        ("dataiku.use_plugin_libs", "lib/python"),
    ],
)
def test_modules_that_mean_nothing_here_say_so_at_use(
    shimmed: Shimmed, use: str, instead: str
) -> None:
    """They can be imported; a name of theirs is refused, and `from` import says why, too.

    `hasattr` says no, and pickle, which looks for the names of things in all modules, goes on.
    """
    module, _, name = use.rpartition(".")
    there = shimmed.module(module)
    assert not hasattr(there, name)
    asked: Any = pickle
    assert asked.whichmodule(SimpleNamespace(__module__=None), name) == "__main__"
    with pytest.raises(NotImplementedError, match=re.escape(instead)):
        getattr(there, name)
    with pytest.raises(NotImplementedError, match=re.escape(instead)):
        exec(f"from {module} import {name}", {})  # noqa: S102 - as scripts do
    assert not hasattr(there, "__wrapped__")


@pytest.mark.slow
def test_the_facts_are_those_of_the_genuine_client(tmp_path: Path) -> None:
    """What is kept of the client is what its release has, in an environment of its own."""
    python = tmp_path / "env" / "bin" / "python"
    for command in (
        ["uv", "venv", "-q", str(python.parent.parent)],
        ["uv", "pip", "install", "-q", "--python", str(python), CLIENT, "six", "pandas"],
    ):
        subprocess.run([sys.executable, "-m", *command], check=True, capture_output=True)
    found = _facts([str(python), str(HERE / "signatures.py")], {})
    assert found == json.loads(FACTS.read_text())
