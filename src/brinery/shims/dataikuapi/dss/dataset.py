"""A dataset, as a project's handle of it."""

from __future__ import annotations

import copy
from typing import Any, Dict, Iterator, List, Optional

from brinery_shims.gateway import call
from brinery_shims.unsupported import Partial

from dataikuapi.dss.utils import DSSTaggableObjectListItem


class DSSDatasetListItem(DSSTaggableObjectListItem):
    """A dataset in a list.

    Args:
        client: of the workspace.
        data: as the gateway tells it, with `projectKey`.
    """

    def __init__(self, client: Any, data: Dict[str, Any]) -> None:
        external = "SQL" if data["format"] == "sql" else "Filesystem"
        super().__init__(
            {
                **data,
                "type": external,
                "managed": not data["external"],
                "formatType": data["format"],
                "schema": {"columns": data["columns"], "userModified": False},
                "params": {"path": data["uri"], "table": data["table"]},
                "tags": [],
            }
        )
        self.client = client

    def to_dataset(self) -> DSSDataset:
        """Return a handle of it."""
        return DSSDataset(self.client, self["projectKey"], self["name"])

    @property
    def type(self) -> str:
        """Return where the rows lie: Filesystem or SQL."""
        return str(self["type"])

    @property
    def schema(self) -> Dict[str, Any]:
        """Return the schema: `columns`, each with `name` and `type`."""
        found: Dict[str, Any] = self["schema"]
        return found

    @property
    def connection(self) -> Optional[str]:
        """Return the connection, of which there is none here."""
        found: Optional[str] = self["params"].get("connection")
        return found

    def get_column(self, column: str) -> Optional[Dict[str, Any]]:
        """Return a column of the schema; None where there is none of that name."""
        return next((one for one in self.schema["columns"] if one["name"] == column), None)


class DSSDatasetSettings(Partial):
    """The settings of a dataset, of which a script can change the schema.

    Args:
        dataset: whose they are.
        settings: as a dict, which may be changed and saved.
    """

    def __init__(self, dataset: DSSDataset, settings: Dict[str, Any]) -> None:
        self.dataset = dataset
        self.settings = settings
        self._before = copy.deepcopy(settings)

    def get_raw(self) -> Dict[str, Any]:
        """Return the settings themselves."""
        return self.settings

    def get_raw_params(self) -> Dict[str, Any]:
        """Return where the rows lie."""
        found: Dict[str, Any] = self.settings["params"]
        return found

    @property
    def type(self) -> str:
        """Return where the rows lie: Filesystem or SQL."""
        return str(self.settings["type"])

    @property
    def schema_columns(self) -> List[Dict[str, Any]]:
        """Return the columns, each with `name` and `type`; they may be changed."""
        found: List[Dict[str, Any]] = self.settings["schema"]["columns"]
        return found

    def add_raw_schema_column(self, column: Dict[str, Any]) -> None:
        """Have one more column; call `save` afterwards."""
        self.schema_columns.append(column)

    def save(self) -> None:
        """Keep the schema as it is now.

        Raises:
            NotImplementedError: something else was changed.
        """
        changed = sorted(
            name
            for name in {**self._before, **self.settings}
            if name != "schema" and self._before.get(name) != self.settings.get(name)
        )
        if changed:
            raise NotImplementedError(
                f"{', '.join(changed)} of a dataset cannot be saved by Brinery; "
                "the nearest is: brinery dataset create"
            )
        self.dataset.set_schema(self.settings["schema"])
        self._before = copy.deepcopy(self.settings)


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

    def get_settings(self) -> DSSDatasetSettings:
        """Return the settings."""
        return DSSDatasetSettings(self, self.get_as_core_dataset().get_config())

    def clear(self, partitions: Any = None) -> None:
        """Take all rows away; the schema stays, and `brinery dataset restore` brings them back.

        Args:
            partitions: of none; no dataset is partitioned here.

        Raises:
            NotImplementedError: partitions are named.
        """
        if partitions:
            raise NotImplementedError(
                "partitions are not supported by Brinery; the nearest is: write the rows that stay"
            )
        columns = self.get_schema()["columns"]
        with self.get_as_core_dataset().get_writer():
            pass
        self.set_schema({"columns": columns})

    def get_as_core_dataset(self) -> Any:
        """Return the dataset as `dataiku.Dataset`."""
        import dataiku

        return dataiku.Dataset(self.dataset_name, project_key=self.project_key)


def name_of(dataset: Any) -> Optional[str]:
    """Return the name of a dataset that is given as a text, a handle or a `dataiku.Dataset`.

    A text is as it was given; of the others it is the full name, `PROJECT.name`.
    """
    if dataset is None or isinstance(dataset, str):
        return dataset
    if isinstance(dataset, DSSDataset):
        return f"{dataset.project_key}.{dataset.dataset_name}"
    found = getattr(dataset, "full_name", None)
    if isinstance(found, str):
        return found
    raise TypeError("a dataset is a name, a DSSDataset or a dataiku.Dataset, not " + repr(dataset))
