"""The kinds of change of a schema, as `allow` of a gate names them."""

from enum import StrEnum


class ChangeKind(StrEnum):
    """How what a version takes or answers differs from the champion; its callers would notice."""

    ADDED_COLUMN = "added-column"
    REMOVED_COLUMN = "removed-column"
    CHANGED_TYPE = "changed-type"
    NO_LONGER_MISSING = "no-longer-missing"
    REMOVED_CATEGORY = "removed-category"
    ADDED_CLASS = "added-class"
    REMOVED_CLASS = "removed-class"
    CHANGED_OUTPUT = "changed-output"
    CHANGED_PREDICTION = "changed-prediction"
