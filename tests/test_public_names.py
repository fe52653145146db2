"""The public names of `brinery`: what they are, and that no command is without its function."""

from __future__ import annotations

import inspect
from pathlib import Path

import brinery
from brinery.cli.main import _COMMANDS

ROOT = Path(__file__).parent.parent
VERBS = [
    "asset",
    "assets",
    "cancel_job",
    "compare",
    "create_asset",
    "create_key",
    "create_schedule",
    "dataset",
    "decide",
    "delete_key",
    "doctor",
    "download_job",
    "evaluate_model",
    "export_model",
    "flow",
    "folder",
    "gate",
    "history",
    "import_model",
    "job",
    "jobs",
    "keys",
    "leaderboard",
    "load",
    "loop_history",
    "loop_plan",
    "model",
    "models",
    "overview",
    "package_model",
    "package_proofs",
    "predict",
    "project",
    "promote",
    "prune_jobs",
    "report",
    "resume_job",
    "rollback",
    "run_job",
    "run_loop",
    "scan",
    "schedules",
    "score_files",
    "serve_models",
    "shims",
    "start_loops",
    "up",
    "validate_job",
    "verify_package",
    "version",
]
# Commands whose name Python keeps for itself, or that is a noun or a room there.
OTHERWISE = {
    "component": "create_asset",
    "data": "create_asset",
    "datastore": "create_asset",
    "environment": "create_asset",
    "schedule": "create_schedule",
    "evaluate": "evaluate_model",
    "export": "export_model",
    "import": "import_model",
    "key": "create_key",
    "loop": "run_loop",
    "package": "package_model",
    "serve": "serve_models",
    "show": "version",
    "status": "overview",
}
# They say what other commands do, or write and run files of their own.
WITHOUT = {"az", "notebook", "run", "schema"}


def test_the_public_verbs() -> None:
    """The public functions are these, and the changelog names each of them."""
    found = [name for name in brinery.__all__ if inspect.isfunction(getattr(brinery, name))]
    assert found == VERBS
    line = next(
        line
        for line in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("* The same verbs from Python")
    )
    named = {word.removeprefix("brinery.") for word in line.split("`")[1::2]}
    assert named == set(VERBS)


def test_every_command_has_a_function() -> None:
    """What a command does, a function of the package does too."""
    assert {OTHERWISE.get(name, name) for name in _COMMANDS} - WITHOUT <= set(VERBS)


def test_what_doctor_returns_is_public() -> None:
    """A program can name the record that `brinery.doctor` gives."""
    returned = inspect.signature(brinery.doctor).return_annotation
    assert getattr(brinery, returned).__name__ == returned
