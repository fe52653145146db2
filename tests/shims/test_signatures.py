"""Our `dataikuapi` beside the genuine client: the same names take the same parameters."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

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
