"""What is done with categories that a model never saw."""

from __future__ import annotations

from enum import StrEnum


class UnknownCategories(StrEnum):
    """What an endpoint does with a value that the model's encoder has never seen."""

    REFUSE = "refuse"
    ALLOW = "allow"
