"""PyTorch, in an environment that is built for it: imported, served and refused as it should be.

torch is not among what the project develops with: it is gigabytes of CUDA in the registry. The
build for the CPU is taken where pip is set up to find it, or where the registry has no other.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.actions.conftest import Run, rooms_in
from tests.conftest import ROOT
from tests.serve.conftest import running

from brinery.actions.predict import LoadedModel
from brinery.actions.rooms import Rooms
from brinery.actions.roster import endpoint_of
from brinery.errors import (
    DangerousModel,
    NotServable,
    NotTrusted,
)
from brinery.records.requirements import Requirements
from brinery.records.scan import Verdict
from brinery.records.version import Environment
from brinery.store.environments import Environments

pytestmark = pytest.mark.slow

MINOR = f"{sys.version_info.major}.{sys.version_info.minor}"
# Besides torch: what its own tests need.
MORE = ("safetensors", "pytest", "packaging", "pyyaml", "filelock")

NETWORK = """
import sys
import numpy as np
import pandas as pd
import torch
from safetensors.torch import save_file

folder = sys.argv[1]
torch.manual_seed(3)
numbers = torch.randn(60, 3)
layers = [torch.nn.Linear(3, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3), torch.nn.Softmax(dim=1)]
network = torch.nn.Sequential(*layers).eval()
with torch.no_grad():
    probabilities = network(numbers).numpy()
np.save(folder + "/probabilities.npy", probabilities.astype(float))
frame = pd.DataFrame(numbers.numpy().astype(float), columns=["a", "b", "c"])
frame["species"] = np.arange(60) % 3
frame.to_parquet(folder + "/data.parquet")

torch.jit.script(network).save(folder + "/script.pt")
torch.save(network, folder + "/whole.pt")
rows = torch.export.Dim("rows")
program = torch.export.export(network, (numbers,), dynamic_shapes=({0: rows},))
torch.export.save(program, folder + "/program.pt2")
torch.save(network.state_dict(), folder + "/state.pt")
torch.save({"epoch": 3, "model": network.state_dict()}, folder + "/checkpoint.pt")
save_file(network.state_dict(), folder + "/weights.safetensors")
"""

TRUST = {
    "script.pt": ("__torch__.*", "torch.jit.load", "torch.jit._pickle.build_intlist"),
    "program.pt2": ("torch.export.load",),
    "whole.pt": tuple(
        f"torch.nn.modules.{name}"
        for name in (
            "container.Sequential",
            "linear.Linear",
            "activation.ReLU",
            "activation.Softmax",
        )
    ),
}


@dataclass(frozen=True)
class Networks:
    """Files that torch wrote, and where.

    Attributes:
        folder: of the files, with the data and torch's own probabilities.
        python: of the environment.
    """

    folder: Path
    python: Path

    @property
    def stated(self) -> Path:
        """Return the file that states the environment."""
        return self.folder / "requirements.txt"

    @property
    def data(self) -> pd.DataFrame:
        """Return what the network was given, and a label per row."""
        return pd.read_parquet(self.folder / "data.parquet")

    @property
    def probabilities(self) -> np.ndarray:
        """Return torch's own answers."""
        table: np.ndarray = np.load(self.folder / "probabilities.npy")
        return table


def pip_folders() -> Iterator[str]:
    """Yield where pip is set up to find wheels besides the registry."""
    told = [sys.executable, "-m", "pip", "config", "list"]
    for line in subprocess.run(
        told, capture_output=True, text=True, check=True
    ).stdout.splitlines():
        name, _, value = line.partition("=")
        if name.endswith(".find-links"):
            yield from value.strip("'\"").split()


def cpu_build(folders: list[str]) -> str:
    """Return the newest build for the CPU in some folders; torch itself where none is there."""
    pattern = f"torch-*+cpu-cp{MINOR.replace('.', '')}-*.whl"
    found = sorted(
        chain.from_iterable(Path(folder).glob(pattern) for folder in folders),
        key=lambda wheel: [int(part) for part in wheel.name.split("-")[1].split("+")[0].split(".")],
    )
    return f"torch=={found[-1].name.split('-')[1]}" if found else "torch"


@pytest.fixture(scope="module")
def rooms(tmp_path_factory: pytest.TempPathFactory) -> Rooms:
    """Rooms that all tests here share, so that the environment is built once."""
    return rooms_in(tmp_path_factory.mktemp("torch"))


@pytest.fixture(scope="module")
def networks(rooms: Rooms, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Networks]:
    """A network, saved in every way by torch itself in the environment that is built for it."""
    folder = tmp_path_factory.mktemp("networks")
    wheels = list(dict.fromkeys(pip_folders()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UV_FIND_LINKS", " ".join(wheels))
        packages = (cpu_build(wheels), *MORE)
        wanted = Requirements(packages=packages, python=MINOR, python_exact=True)
        environments = Environments(rooms.workspace.environments)
        planned = environments.plan(wanted)
        if without := cuda(planned):
            pytest.skip(f"torch is to be had with {without} only, which is gigabytes")
        python = environments.ensure(planned)
        assert python is not None
        subprocess.run([str(python), "-W", "ignore", "-c", NETWORK, str(folder)], check=True)
        stated = "\n".join([f"# python {MINOR}", *packages])
        (folder / "requirements.txt").write_text(stated)
        yield Networks(folder, python)
    # A gigabyte, which the next run need not find beside its own.
    shutil.rmtree(rooms.workspace.environments)


def cuda(environment: Environment) -> str:
    """Return a library of CUDA's that an environment would hold; nothing where it has none."""
    return next((line for line in environment.lock if line.startswith("nvidia-")), "")


@pytest.mark.parametrize("file", list(TRUST))
def test_served_as_torch_answers(file: str, networks: Networks, run: Run, rooms: Rooms) -> None:
    """A script, an exported program and a pickled network answer as torch does, on your word."""
    given = {"name": file.partition(".")[0], "target": "species"}
    given |= {"model": str(networks.folder / file), "environment": str(networks.stated)}
    with pytest.raises((NotTrusted, DangerousModel), match=rf"{file} asks for .*torch"):
        run(data=networks.data, **given)
    version, _ = run(data=networks.data, trust=TRUST[file], **given)
    assert version.parity is not None
    features = networks.data.drop(columns="species")
    with LoadedModel(rooms, version) as model:
        scores = model.predict(features)
        assert scores.probabilities is not None
        assert scores.probabilities.tolist() == networks.probabilities.tolist()
        assert list(scores.predictions) == networks.probabilities.argmax(axis=1).tolist()
    rows = features.head(5).to_dict(orient="records")
    with running(endpoint_of(rooms, version)) as api:
        answered = api.post(f"/v1/models/{given['name']}/predict", json={"rows": rows})
    assert answered.status_code == 200, answered.text
    answers = answered.json()["predictions"]
    table = [list(answer["probabilities"].values()) for answer in answers]
    assert table == networks.probabilities[:5].tolist()


@pytest.mark.parametrize(
    ("file", "held"),
    [("state.pt", "weights"), ("checkpoint.pt", "weights"), ("weights.safetensors", "tensors")],
)
def test_weights_without_a_network(
    file: str, held: str, networks: Networks, run: Run, rooms: Rooms
) -> None:
    """Weights alone are safe and are registered as they are: what to save instead is said."""
    path = networks.folder / file
    version, _ = run(model=path, name=file.partition(".")[0], environment=str(networks.stated))
    assert version.candidate is not None
    assert version.candidate.verdict is Verdict.SAFE
    library = "torch" if held == "weights" else "safetensors"
    assert version.candidate.description.framework == library
    assert library in version.candidate.environment.packages
    assert rooms.registry.model_file(version).read_bytes() == path.read_bytes()
    with pytest.raises(NotServable, match=f"it holds {held}, and no program") as caught:
        LoadedModel(rooms, version)
    assert "torch.onnx.export(network" in caught.value.hint


def test_the_flavor_in_its_environment(networks: Networks, tmp_path: Path) -> None:
    """What the flavor's own tests claim, which are skipped where torch is not, holds there."""
    done = subprocess.run(
        [
            *(str(networks.python), "-m", "pytest", "-q", "tests/flavors/test_torch.py"),
            *("-p", "no:cacheprovider", "--basetemp", str(tmp_path / "within")),
        ],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT / "src"), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "skipped" not in done.stdout
    assert " passed" in done.stdout
