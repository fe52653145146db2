"""What a server is told of a version."""

from __future__ import annotations

from pathlib import Path

import pytest

from brinery.actions.rooms import open_rooms
from brinery.actions.roster import endpoint_of
from brinery.registry.interface import resolve
from brinery.serve.manifest import Manifest
from brinery.specs.reference import Reference


def test_the_settings_reach_the_server(
    bank_workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each limit that can be set is one of the endpoint."""
    chosen = {
        "MAX_BODY_MB": "2",
        "BODY_TIMEOUT_S": "3.5",
        "MAX_BATCH_SIZE": "7",
        "MAX_QUEUE": "5",
        "TIMEOUT_S": "9",
    }
    for name, value in chosen.items():
        monkeypatch.setenv(f"BRINERY_SERVE_{name}", value)
    rooms = open_rooms(bank_workspace)
    endpoint = endpoint_of(rooms, resolve(rooms.registry, Reference.parse("bank")))
    assert (endpoint.max_body_bytes, endpoint.body_timeout_s) == (2_000_000, 3.5)
    assert (endpoint.max_batch_rows, endpoint.max_queue, endpoint.timeout_s) == (7, 5, 9)
    assert Manifest.of(endpoint).body_timeout_s == 3.5
