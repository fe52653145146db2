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


class DSSTaggableObjectListItem(Dict[str, Any]):
    """A thing of a project in a list: a dict, whose name and id are attributes, too.

    Args:
        data: as a dict, with `name`, and `id` where that is another.
    """

    def __init__(self, data: Dict[str, Any]) -> None:
        super().__init__(data)

    @property
    def name(self) -> str:
        """Return the name."""
        return str(self["name"])

    @property
    def id(self) -> str:
        """Return the id."""
        return str(self.get("id", self["name"]))

    @property
    def tags(self) -> List[str]:
        """Return the tags, of which nothing has any here."""
        found: List[str] = self.get("tags", [])
        return found
