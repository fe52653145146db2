"""A model that a step left is registered like any other."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.conftest import Bank

from brinery.actions.register_output import register_output
from brinery.errors import DataRequired, ModelFileMissing


@pytest.mark.slow
def test_the_one_model_of_a_folder(bank: Bank, tmp_path: Path) -> None:
    """It is found among what else lies there, evaluated, and compared with its stored copy."""
    output = tmp_path / "output"
    (output / "model").mkdir(parents=True)
    shutil.copy(bank.model, output / "model" / "bank.pkl")
    (output / "notes.txt").write_text("trained")
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    version = register_output(output, name="bank", data=bank.test, target="y", workspace=workspace)
    assert (version.name, version.number) == ("bank", 1)
    assert version.parity is not None
    with pytest.raises(DataRequired):
        register_output(output, name="other", workspace=workspace)


def test_no_model_and_several(tmp_path: Path) -> None:
    """What lies there is named, and the command that takes one of them."""
    with pytest.raises(ModelFileMissing) as none:
        register_output(tmp_path, name="bank")
    assert none.value.message == f"{tmp_path} holds no model"
    for name in ("a.pkl", "b.onnx", "c.txt"):
        (tmp_path / name).write_text("")
    with pytest.raises(ModelFileMissing) as several:
        register_output(tmp_path, name="bank")
    assert several.value.message == f"{tmp_path} holds several models: a.pkl, b.onnx"
    assert several.value.hint == f"brinery import {tmp_path / 'a.pkl'} --name bank --data FILE"
