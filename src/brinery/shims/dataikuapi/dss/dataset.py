"""A dataset, as a project's handle of it."""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Optional

from brinery_shims.gateway import call
from brinery_shims.unsupported import Partial


class DSSDataset(Partial):
    """A handle of a dataset; it is not looked up yet.

    Args:
        client: of the workspace.
        project_key: of the project.
        dataset_name: of the dataset.
    """

    def __init__(self, client: Any, project_key: str, dataset_name: str) -> None:
        self.client = client
        self.project = client.get_project(project_key)
        self.project_key = project_key
        self.dataset_name = dataset_name

    @property
    def id(self) -> str:
        """Return the name."""
        return self.dataset_name

    @property
    def name(self) -> str:
        """Return the name."""
        return self.dataset_name

    def exists(self) -> bool:
        """Return whether there is such a dataset."""
        there = call("datasets.list", project=self.project_key)
        return any(one["name"] == self.dataset_name for one in there)

    def delete(self, drop_data: bool = False) -> None:
        """Delete the dataset; its rows go with it, whatever is said."""
        del drop_data
        call("datasets.delete", name=self.dataset_name, project=self.project_key)

    def get_schema(self) -> Dict[str, Any]:
        """Return the schema: `columns`, each with `name` and `type`."""
        shown = call("datasets.show", name=self.dataset_name, project=self.project_key)
        return {"columns": shown["columns"], "userModified": False}

    def set_schema(self, schema: Dict[str, Any]) -> None:
        """State the schema."""
        call(
            "datasets.set_schema",
            name=self.dataset_name,
            columns=schema["columns"],
            project=self.project_key,
        )

    def iter_rows(
        self, partitions: Optional[str] = None, columns: Optional[List[str]] = None
    ) -> Iterator[List[Any]]:
        """Yield the rows, each a list of values."""
        del partitions
        for row in self.get_as_core_dataset().iter_tuples(columns=columns):
            yield list(row)

    def get_as_core_dataset(self) -> Any:
        """Return the dataset as `dataiku.Dataset`."""
        import dataiku

        return dataiku.Dataset(self.dataset_name, project_key=self.project_key)


def name_of(dataset: Any) -> Optional[str]:
    """Return the name of a dataset that is given as a text, a handle or a `dataiku.Dataset`."""
    if dataset is None or isinstance(dataset, str):
        return dataset
    for attribute in ("full_name", "dataset_name", "name"):
        found = getattr(dataset, attribute, None)
        if isinstance(found, str):
            return found
    raise TypeError("a dataset is a name, a DSSDataset or a dataiku.Dataset, not " + repr(dataset))
