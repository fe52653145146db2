"""List and show from Python."""

from __future__ import annotations

from pathlib import Path

import pytest

import brinery
from brinery.errors import NotFound


def test_models_of_an_empty_workspace(tmp_path: Path) -> None:
    """An empty folder has no models, and looking writes nothing into it."""
    assert brinery.models(workspace=tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_a_model_with_its_history(bank_workspace: Path) -> None:
    """A model comes with its versions, its audit trail and its tracking URI."""
    model = brinery.model("bank", workspace=bank_workspace)
    assert [version.reference for version in model.versions] == ["bank@1"]
    assert [entry.change for entry in model.history] == ["import", "promote"]
    assert model.tracking_uri.startswith("sqlite:///")
    assert "bank" in [found.name for found in brinery.models(workspace=bank_workspace)]


def test_a_model_that_is_not_there(bank_workspace: Path) -> None:
    """A model that is not there is refused with the nearest name."""
    with pytest.raises(NotFound) as raised:
        brinery.model("bnak", workspace=bank_workspace)
    assert raised.value.hint == "did you mean bank?"
