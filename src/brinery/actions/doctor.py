"""Doctor: what holds a model back on this machine, found by trying it in a model's process."""

from __future__ import annotations

import platform
import socket
import tempfile
from dataclasses import replace
from importlib import metadata
from pathlib import Path

from brinery.actions.rooms import Folder, Rooms, open_rooms
from brinery.actions.seat import limits
from brinery.pickles.child import ChildProcess
from brinery.pickles.limits import Kernel
from brinery.records.built_environment import BuiltEnvironment
from brinery.records.diagnosis import Diagnosis, Trial
from brinery.records.ready import decoded
from brinery.records.sandbox import Layer, Sandbox
from brinery.store.environments import Environments

_TIMEOUT_S = 30.0
_LIBRARIES = (
    "brinery",
    "mlflow",
    "scikit-learn",
    "xgboost",
    "lightgbm",
    "catboost",
    "onnxruntime",
    "torch",
    "numpy",
    "pandas",
    "pyarrow",
    "ray",
    "granian",
    "uv",
)


def doctor(*, workspace: Folder | None = None, kernel: Kernel | None = None) -> Diagnosis:
    """Return what a model could not do on this machine, each thing tried.

    Args:
        workspace: whose settings say how much a model may take; the nearest upwards when None.
        kernel: which of the kernel's means may be used; all of them when None.

    Raises:
        ModelProcessDied, ModelProcessTimeout: the process that tries them ended, or hung.
    """
    return doctor_in(open_rooms(workspace), kernel=kernel)


def doctor_in(rooms: Rooms, *, kernel: Kernel | None = None) -> Diagnosis:
    """Return what a model could not do on this machine, by the settings of these rooms.

    Raises:
        ModelProcessDied, ModelProcessTimeout: the process that tries it ended, or hung.
    """
    allowed = replace(limits(rooms), require=False)
    with (
        tempfile.TemporaryDirectory(prefix="brinery-doctor-") as folder,
        socket.create_server(("127.0.0.1", 0)) as server,
    ):
        secret, target = Path(folder, "secret"), Path(folder, "target")
        secret.write_text("secret", encoding="utf-8")
        told = (str(secret), str(target), str(server.getsockname()[1]))
        with ChildProcess(
            "brinery.pickles.trial", *told, timeout_s=_TIMEOUT_S, limits=allowed, kernel=kernel
        ) as child:
            sandbox = child.sandbox
            answer, _ = child.ask(b"try", most_bytes=0)
    trials = decoded(answer, tuple[Trial, ...])
    return Diagnosis(
        python=platform.python_version(),
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        uv=_version("uv"),
        sandbox=Sandbox(layers=tuple(_judged(layer, trials) for layer in sandbox.layers)),
        trials=trials,
    )


def libraries() -> dict[str, str]:
    """Return the versions of what Brinery stands on, as far as it is installed."""
    found = {name: _version(name) for name in _LIBRARIES}
    return {name: version for name, version in found.items() if version}


def built_environments(rooms: Rooms) -> list[BuiltEnvironment]:
    """Return the environments that were built for models, the largest first."""
    return Environments(rooms.workspace.environments).built()


def _judged(layer: Layer, trials: tuple[Trial, ...]) -> Layer:
    """Return a layer as its trials show it: one that let something through is not in force."""
    let = [trial for trial in trials if trial.layer == layer.name and not trial.stopped]
    if not (layer.in_force and let):
        return layer
    return Layer(name=layer.name, in_force=False, reason=f"it could {let[0].tried}")


def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return ""
