from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file
from tests.flavors.loaded import TIMEOUT_S, numbers, opened

from brinery.errors import ModelFileError, PredictionRefused
from brinery.flavors.model_process import ModelProcess
from brinery.pickles.digest import digest
from brinery.records.artifact import Artifact
from brinery.records.evaluation import PredictionType
from brinery.store.tables import to_arrow


def test_described_and_not_scored(tmp_path: Path) -> None:
    """Tensors are described; without a program they cannot be asked, and what to do is said."""
    path = tmp_path / "weights.bin"
    tensors = {f"layer{n}": np.zeros((2, n + 1), np.float32) for n in range(7)}
    save_file(tensors, path)
    with opened(path) as process:
        assert process.artifact.format == "safetensors"
        assert process.artifact.flavor == "safetensors"
        assert process.description.type is PredictionType.OTHER
        assert process.description.outline.startswith("7 tensors: layer0 [2, 1], layer1 [2, 2]")
        assert process.description.outline.endswith("… 2 more")
        assert process.description.unscored is not None
        assert process.description.unscored.reason.startswith("it holds tensors, and no program")
        assert set(process.environment(("safetensors",)).packages) == {"safetensors"}
        with pytest.raises(PredictionRefused, match="no program") as caught:
            process.score(to_arrow(numbers()))
    assert "torch.onnx.export" in caught.value.hint


def test_damaged(tmp_path: Path) -> None:
    """A header that promises more than the file holds is refused."""
    path = tmp_path / "weights.bin"
    save_file({"a": np.zeros(100, np.float32)}, path)
    path.write_bytes(path.read_bytes()[:-40])
    artifact = Artifact(flavor="", format="safetensors", file=path.name, sha256=digest(path))
    with pytest.raises(ModelFileError):
        ModelProcess(path, artifact=artifact, timeout_s=TIMEOUT_S)
