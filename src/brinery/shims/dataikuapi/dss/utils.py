"""Selections of the rows of a dataset."""

from __future__ import annotations

from typing import Any, Dict, List


class DSSDatasetSelectionBuilder:
    """Builds a selection of rows."""

    def __init__(self) -> None:
        self.selection: Dict[str, Any] = {}

    def build(self) -> Dict[str, Any]:
        """Return the selection."""
        return self.selection

    def with_head_sampling(self, limit: int) -> DSSDatasetSelectionBuilder:
        """Take the first rows."""
        self.selection.update(samplingMethod="HEAD_SEQUENTIAL", maxRecords=limit)
        return self

    def with_all_data_sampling(self) -> DSSDatasetSelectionBuilder:
        """Take all rows."""
        self.selection.update(samplingMethod="FULL")
        return self

    def with_random_fixed_nb_sampling(self, nb: int) -> DSSDatasetSelectionBuilder:
        """Take so many rows at random, the same ones each time."""
        self.selection.update(samplingMethod="RANDOM_FIXED_NB", maxRecords=nb)
        return self

    def with_selected_partitions(self, ids: List[str]) -> DSSDatasetSelectionBuilder:
        """Take partitions, which datasets do not have here.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError("datasets have no partitions: write one dataset of these rows")


def selection_of(selection: Any) -> Any:
    """Return a selection that was built, or given as a dict."""
    return selection.build() if isinstance(selection, DSSDatasetSelectionBuilder) else selection
