"""What a run says of the model that it logged: what it predicts, and its classes in order."""

from __future__ import annotations

import json
from typing import Optional

from msgspec import Struct

_PREFIX = "brinery.inference."


class InferenceInfo(Struct, frozen=True, kw_only=True):
    """What `set_run_inference_info` says of a run.

    Attributes:
        prediction_type: `REGRESSION`, `BINARY_CLASSIFICATION`, `MULTICLASS` or `OTHER`.
        classes: as texts, in the order that the model learned them; empty but for a classifier.
        code_env_name: as it was said; empty for none.
        target: name of the column; empty where nobody said.
    """

    prediction_type: str
    classes: tuple[str, ...] = ()
    code_env_name: str = ""
    target: str = ""

    def tags(self) -> dict[str, str]:
        """Return the tags of the run that it is kept as; those that say nothing are empty."""
        return {
            f"{_PREFIX}prediction_type": self.prediction_type,
            f"{_PREFIX}classes": json.dumps(self.classes) if self.classes else "",
            f"{_PREFIX}code_env_name": self.code_env_name,
            f"{_PREFIX}target": self.target,
        }


def inference_info(tags: dict[str, str]) -> Optional[InferenceInfo]:
    """Return what the tags of a run say; None where nobody said anything."""
    kind = tags.get(f"{_PREFIX}prediction_type")
    if not kind:
        return None
    return InferenceInfo(
        prediction_type=kind,
        classes=tuple(json.loads(tags.get(f"{_PREFIX}classes") or "[]")),
        code_env_name=tags.get(f"{_PREFIX}code_env_name", ""),
        target=tags.get(f"{_PREFIX}target", ""),
    )
