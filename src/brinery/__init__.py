"""Brinery takes a trained model the last mile.

    import brinery

    version = brinery.import_model("model.pkl", name="bank", data="test.csv", target="y")
    brinery.promote("bank@1")
    with brinery.load("bank@champion") as model:
        scores = model.predict(frame)

Importing this package loads none of the libraries it stands on; the first call does.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from brinery.actions.assets import asset, assets, create_asset
    from brinery.actions.compare import compare
    from brinery.actions.dataset_frames import DatasetReader
    from brinery.actions.doctor import doctor
    from brinery.actions.evaluate import evaluate_model
    from brinery.actions.export_model import export_model
    from brinery.actions.gate import decide, gate
    from brinery.actions.handles import FolderHandle, dataset, flow, folder, project
    from brinery.actions.history import history
    from brinery.actions.import_model import import_model
    from brinery.actions.job_download import download_job
    from brinery.actions.job_validate import Validated, validate_job
    from brinery.actions.jobs import cancel_job, job, jobs
    from brinery.actions.keys import create_key, delete_key, keys
    from brinery.actions.leaderboard import leaderboard
    from brinery.actions.loop import run_loop
    from brinery.actions.loop_story import loop_history, loop_plan
    from brinery.actions.models import Model, model, models, version
    from brinery.actions.overview import overview
    from brinery.actions.package import package_model, package_proofs, verify_package
    from brinery.actions.predict import LoadedModel, load, predict
    from brinery.actions.promote import promote
    from brinery.actions.prune_jobs import Pruned, prune_jobs
    from brinery.actions.report import report
    from brinery.actions.rollback import rollback
    from brinery.actions.run_job import JobOptions, resume_job, run_job
    from brinery.actions.scan_files import scan
    from brinery.actions.scheduler import Scheduler, start_loops
    from brinery.actions.schedules import create_schedule, schedules
    from brinery.actions.score_files import score_files
    from brinery.actions.serve import serve_models
    from brinery.actions.shims import shims
    from brinery.actions.up import up
    from brinery.errors import BrineryError, Fault, UserError
    from brinery.records.appraisal import Appraisal
    from brinery.records.asset import Asset
    from brinery.records.batch import BatchProgress, ScoredFiles
    from brinery.records.comparison import Comparison
    from brinery.records.decision import Decision
    from brinery.records.diagnosis import Diagnosis
    from brinery.records.evaluation import Evaluation
    from brinery.records.export import Export
    from brinery.records.flow import Flow
    from brinery.records.history import Chapter
    from brinery.records.job import JobRun
    from brinery.records.leaderboard import Leaderboard
    from brinery.records.package import Package, Proof
    from brinery.records.project import Project
    from brinery.records.scan import ScanReport
    from brinery.records.scheduled import Scheduled
    from brinery.records.scores import Scores
    from brinery.records.turn import Turn, TurnPlan
    from brinery.records.version import Promotion, Version
    from brinery.serve.client import Answer, Client
    from brinery.specs.packaging import PackageSpec

__version__ = "0.1.0"

__all__ = [
    "Answer",
    "Appraisal",
    "Asset",
    "BatchProgress",
    "BrineryError",
    "Chapter",
    "Client",
    "Comparison",
    "DatasetReader",
    "Decision",
    "Diagnosis",
    "Evaluation",
    "Export",
    "Fault",
    "Flow",
    "FolderHandle",
    "JobOptions",
    "JobRun",
    "Leaderboard",
    "LoadedModel",
    "Model",
    "Package",
    "PackageSpec",
    "Project",
    "Promotion",
    "Proof",
    "Pruned",
    "ScanReport",
    "Scheduled",
    "Scheduler",
    "ScoredFiles",
    "Scores",
    "Turn",
    "TurnPlan",
    "UserError",
    "Validated",
    "Version",
    "__version__",
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

_HOMES = {
    "Answer": "brinery.serve.client",
    "Appraisal": "brinery.records.appraisal",
    "Asset": "brinery.records.asset",
    "BatchProgress": "brinery.records.batch",
    "BrineryError": "brinery.errors",
    "Chapter": "brinery.records.history",
    "Client": "brinery.serve.client",
    "Comparison": "brinery.records.comparison",
    "DatasetReader": "brinery.actions.dataset_frames",
    "Decision": "brinery.records.decision",
    "Diagnosis": "brinery.records.diagnosis",
    "Evaluation": "brinery.records.evaluation",
    "Export": "brinery.records.export",
    "Fault": "brinery.errors",
    "JobOptions": "brinery.actions.run_job",
    "Flow": "brinery.records.flow",
    "FolderHandle": "brinery.actions.handles",
    "JobRun": "brinery.records.job",
    "Leaderboard": "brinery.records.leaderboard",
    "LoadedModel": "brinery.actions.predict",
    "Model": "brinery.actions.models",
    "Package": "brinery.records.package",
    "PackageSpec": "brinery.specs.packaging",
    "Project": "brinery.records.project",
    "Promotion": "brinery.records.version",
    "Pruned": "brinery.actions.prune_jobs",
    "Proof": "brinery.records.package",
    "ScanReport": "brinery.records.scan",
    "Scheduled": "brinery.records.scheduled",
    "Scheduler": "brinery.actions.scheduler",
    "ScoredFiles": "brinery.records.batch",
    "Scores": "brinery.records.scores",
    "Turn": "brinery.records.turn",
    "TurnPlan": "brinery.records.turn",
    "UserError": "brinery.errors",
    "Validated": "brinery.actions.job_validate",
    "Version": "brinery.records.version",
    "asset": "brinery.actions.assets",
    "assets": "brinery.actions.assets",
    "cancel_job": "brinery.actions.jobs",
    "compare": "brinery.actions.compare",
    "create_asset": "brinery.actions.assets",
    "create_schedule": "brinery.actions.schedules",
    "dataset": "brinery.actions.handles",
    "decide": "brinery.actions.gate",
    "doctor": "brinery.actions.doctor",
    "download_job": "brinery.actions.job_download",
    "evaluate_model": "brinery.actions.evaluate",
    "export_model": "brinery.actions.export_model",
    "flow": "brinery.actions.handles",
    "folder": "brinery.actions.handles",
    "gate": "brinery.actions.gate",
    "history": "brinery.actions.history",
    "import_model": "brinery.actions.import_model",
    "job": "brinery.actions.jobs",
    "jobs": "brinery.actions.jobs",
    "leaderboard": "brinery.actions.leaderboard",
    "load": "brinery.actions.predict",
    "loop_history": "brinery.actions.loop_story",
    "loop_plan": "brinery.actions.loop_story",
    "model": "brinery.actions.models",
    "models": "brinery.actions.models",
    "package_model": "brinery.actions.package",
    "package_proofs": "brinery.actions.package",
    "predict": "brinery.actions.predict",
    "project": "brinery.actions.handles",
    "promote": "brinery.actions.promote",
    "prune_jobs": "brinery.actions.prune_jobs",
    "report": "brinery.actions.report",
    "resume_job": "brinery.actions.run_job",
    "rollback": "brinery.actions.rollback",
    "run_job": "brinery.actions.run_job",
    "run_loop": "brinery.actions.loop",
    "scan": "brinery.actions.scan_files",
    "schedules": "brinery.actions.schedules",
    "score_files": "brinery.actions.score_files",
    "serve_models": "brinery.actions.serve",
    "shims": "brinery.actions.shims",
    "start_loops": "brinery.actions.scheduler",
    "up": "brinery.actions.up",
    "validate_job": "brinery.actions.job_validate",
    "verify_package": "brinery.actions.package",
    "version": "brinery.actions.models",
    "create_key": "brinery.actions.keys",
    "delete_key": "brinery.actions.keys",
    "keys": "brinery.actions.keys",
    "overview": "brinery.actions.overview",
}


def __getattr__(name: str) -> Any:
    """Return a public name, importing its module at its first use."""
    try:
        home = _HOMES[name]
    except KeyError:
        raise AttributeError(f"module 'brinery' has no attribute '{name}'") from None
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    """Return the public names."""
    return __all__
