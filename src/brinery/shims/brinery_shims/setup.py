"""What this process was told by the `brinery run`, or the `brinery.shims()`, that it is under."""

from __future__ import annotations

import json
import os
from typing import Any

from brinery_shims.errors import NoGateway

VARIABLE = "BRINERY_SHIMS"


def told() -> dict[str, Any]:
    """Return what was told.

    Its keys are `gateway`, the path of a Unix socket; `project`, the key of the default one;
    `tracking_uri`, MLflow's address; `without`, the compatibility steps that are switched off;
    `mirrors`, addresses and the files that stand for them; `libraries`, folders of the project's
    own modules.

    Raises:
        NoGateway: nobody told anything.
    """
    text = os.environ.get(VARIABLE)
    if not text:
        raise NoGateway(
            "this dataiku is Brinery's, and answers in a script that Brinery runs: "
            "brinery run SCRIPT, or with brinery.shims(): in a notebook"
        )
    known: dict[str, Any] = json.loads(text)
    return known


def mirrors() -> dict[str, str]:
    """Return addresses, or their beginnings, and the paths that stand for them."""
    text = os.environ.get(VARIABLE)
    found: dict[str, str] = json.loads(text).get("mirrors", {}) if text else {}
    return {} if switched_off("mirror") else found


def libraries() -> list[str]:
    """Return the folders of the project's own modules."""
    text = os.environ.get(VARIABLE)
    found: list[str] = json.loads(text).get("libraries", []) if text else []
    return found


def switched_off(step: str) -> bool:
    """Return whether a compatibility step is not to be taken."""
    text = os.environ.get(VARIABLE)
    if not text:
        return True
    without = json.loads(text).get("without", [])
    return step in without or "all" in without
