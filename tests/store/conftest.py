"""Environments that tests of this room share: each is built once, whoever needs it first."""

from __future__ import annotations

import pytest

from brinery.store.environments import Environments


@pytest.fixture(scope="session")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Environments:
    """The built environments of a workspace. Tests add to them, and take none away."""
    return Environments(tmp_path_factory.mktemp("workspace") / "environments")
