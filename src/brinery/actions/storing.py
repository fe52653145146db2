"""What of an imported model is stored: its own bytes, or a plain pickle of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec

from brinery.actions.admit import admit
from brinery.flavors.model_process import ModelProcess
from brinery.pickles.digest import digest
from brinery.pickles.scanner import scan
from brinery.records.artifact import Artifact
from brinery.records.scan import ScanReport
from brinery.records.trust import Trust

_PICKLE = "pickle"
_REWRITTEN = ("pickle", "joblib")
_AS_IT_IS = "model.joblib"

# What a stored file is called, by its format; MLflow's own names where it has some.
_NAMES = {
    "callable": "callable.json",
    "catboost": "model.cb",
    "joblib": "model.pkl",
    "keras": "model.keras",
    "lightgbm-text": "model.lgb",
    "mlflow": "model",
    "onnx": "model.onnx",
    "pickle": "model.pkl",
    "safetensors": "model.safetensors",
    "skops": "model.skops",
    "torch": "model.pt",
    "xgboost-json": "model.json",
    "xgboost-ubj": "model.ubj",
}


@dataclass(frozen=True)
class Stored:
    """A file or folder to register, and how it is loaded."""

    path: Path
    artifact: Artifact


def stored(
    process: ModelProcess, report: ScanReport, *, path: Path, trust: Trust | None, folder: Path
) -> Stored:
    """Return what is registered: the file as it is, but for pickles that MLflow cannot read.

    A pickle that is compressed, or has joblib's raw arrays in it, is written again by the process
    that holds the model. What that writes is read as any file is, and may ask for nothing new. A
    model that cannot be asked is never written again: no answer would show that it is the same.

    Args:
        process: holds the model.
        report: the scan of the file.
        path: of the file or folder.
        trust: what the user vouched for.
        folder: for what is written.

    Raises:
        NotTrusted: what was written asks for a name that nobody vouched for.
    """
    file = _NAMES.get(report.format, path.name)
    artifact = msgspec.structs.replace(process.artifact, file=file)
    plain = report.format == _PICKLE and report.compression is None
    if plain or report.format not in _REWRITTEN:
        return Stored(path, artifact)
    if process.description.unscored is not None:
        return Stored(path, msgspec.structs.replace(artifact, file=_AS_IT_IS))
    written = folder / file
    process.rewrite(written)
    again = scan(written)
    admit(again, trust.granted if trust else (), file=f"{path.name}, written as a plain pickle,")
    return Stored(
        written,
        msgspec.structs.replace(
            artifact,
            format=_PICKLE,
            sha256=digest(written),
            globals=tuple(str(name) for name in again.globals),
        ),
    )
