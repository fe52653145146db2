from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from brinery.errors import PredictionRefused
from brinery.flavors.interface import Source
from brinery.flavors.safetensors import Safetensors, Tensors
from brinery.flavors.torch import Torch
from brinery.records.evaluation import PredictionType

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'brinery[torch]'")

FLAVOR = Torch()
X = np.random.default_rng(2).normal(size=(20, 3))
NAMES = (
    "torch.nn.modules.container.Sequential",
    "torch.nn.modules.linear.Linear",
    "torch.nn.modules.activation.Softmax",
)


def network(outputs: int) -> Any:
    layers = [torch.nn.Linear(3, outputs)] + [torch.nn.Softmax(dim=1)] * (outputs > 1)
    return torch.nn.Sequential(*layers).eval()


def own(model: Any) -> Any:
    with torch.no_grad():
        return model(torch.from_numpy(X.astype(np.float32))).numpy()


def load(path: Path, *names: str) -> Any:
    return FLAVOR.load(Source(path=path, format="torch", globals=names))


def saved(model: Any, path: Path, form: str) -> Any:
    if form == "script":
        torch.jit.save(torch.jit.trace(model, torch.zeros(2, 3)), path)
    elif form == "export":
        rows = torch.export.Dim("rows")
        program = torch.export.export(model, (torch.zeros(2, 3),), dynamic_shapes=({0: rows},))
        torch.export.save(program, path)
    else:
        torch.save(model, path)
    return load(path, *NAMES)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("form", ["script", "export", "pickle"])
def test_network(tmp_path: Path, form: str) -> None:
    """A network of one output answers as itself, whichever way it was saved."""
    model = network(1)
    found = saved(model, tmp_path / "model.pt2", form)
    assert FLAVOR.sniff(found)
    described = FLAVOR.describe(found)
    assert described.type is PredictionType.OTHER
    assert described.framework_version == torch.__version__
    assert "4 parameters" in described.outline
    assert FLAVOR.score(found, X).predictions.tolist() == own(model)[:, 0].tolist()


def test_probabilities(tmp_path: Path) -> None:
    """A network that ends in a softmax gives probabilities of classes that nobody named."""
    model = network(2)
    scores = FLAVOR.score(saved(model, tmp_path / "model.pt", "pickle"), X)
    assert scores.probabilities is not None
    assert scores.probabilities.tolist() == own(model).astype(np.float64).tolist()


def test_names_that_were_not_accepted(tmp_path: Path) -> None:
    """A pickled network is refused where a class of it was not accepted."""
    torch.save(network(1), tmp_path / "model.pt")
    with pytest.raises(Exception, match=r"Linear|Sequential"):
        load(tmp_path / "model.pt", NAMES[0])


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_an_archive_behind_a_pickle(tmp_path: Path) -> None:
    """Code that lies behind a pickle, where the scan reads numbers, is not loaded."""
    path = tmp_path / "weights.pt"
    weights = network(1).state_dict()
    torch.save(weights, path, _use_new_zipfile_serialization=False)
    torch.jit.save(torch.jit.script(network(1)), tmp_path / "script.pt")
    with path.open("ab") as file:
        file.write((tmp_path / "script.pt").read_bytes())
    assert isinstance(load(path), Tensors)


def test_weights_alone(tmp_path: Path) -> None:
    """Weights without a network are described, and say that they cannot be asked."""
    torch.save(network(1).state_dict(), tmp_path / "weights.pt")
    found = load(tmp_path / "weights.pt")
    assert found == Tensors({"0.bias": (1,), "0.weight": (1, 3)}, held="weights", library="torch")
    described = Safetensors().describe(found)
    assert (described.framework, described.framework_version) == ("torch", torch.__version__)
    assert described.unscored is not None
    assert described.unscored.reason == "it holds weights, and no program that uses them"


def test_a_checkpoint(tmp_path: Path) -> None:
    """Of a checkpoint the weights are told by their names within it, and numbers are no weights."""
    held = {"epoch": 3, "model": network(1).state_dict()}
    torch.save(held, tmp_path / "checkpoint.pt")
    found = load(tmp_path / "checkpoint.pt")
    assert found.shapes == {"model.0.weight": (1, 3), "model.0.bias": (1,)}


def test_text() -> None:
    """A column of text is refused in words."""
    with pytest.raises(PredictionRefused, match="a column holds text"):
        FLAVOR.score(network(1), np.array([["a", 1, 2]], dtype=object))


def test_several_outputs() -> None:
    """Several numbers per row that are no probabilities are as many outputs."""
    network = torch.nn.Linear(3, 2)
    scores = FLAVOR.score(network, X)
    assert scores.outputs == ("output_0", "output_1")
    expected = network(torch.from_numpy(X.astype(np.float32))).detach().numpy()
    assert np.array_equal(scores.predictions, expected)
