"""What a flavor is, and what can be asked of a loaded model."""

from __future__ import annotations

from typing import Any, Protocol

import pandas as pd

from brinery.records.description import Description
from brinery.records.scores import Scores


class Flavor(Protocol):
    """How one framework's models are recognised and used. Lives in the child."""

    def sniff(self, model: Any) -> bool:
        """Return whether the object is a fitted model of this framework."""
        ...

    def describe(self, model: Any) -> Description:
        """Return what the model says of itself."""
        ...

    def score(self, model: Any, frame: pd.DataFrame) -> Scores:
        """Return the model's answers, one per row of the frame."""
        ...
