"""A dataset, as scripts read and write it."""

from __future__ import annotations

import warnings
from typing import Any, Dict, List, Optional

from brinery_shims import projects
from brinery_shims.gateway import call

from dataiku.core import dataset_rows, dataset_schemas
from dataiku.core.dataset_reads import DatasetReads
from dataiku.core.dataset_writer import DatasetWriter, write_frame


class Schema(List[Dict[str, Any]]):
    """The columns of a dataset: a list of `{"name": …, "type": …}`."""


class Dataset(DatasetReads):
    """A dataset of the workspace; it need not be there yet.

    Args:
        name: of the dataset, or `PROJECT.name`.
        project_key: of its project; the default one when None.
        ignore_flow: whether reading it is not recorded.
    """

    def __init__(
        self, name: str, project_key: Optional[str] = None, ignore_flow: bool = False
    ) -> None:
        owner, dot, plain = name.partition(".")
        if project_key is None and dot:
            project_key, name = owner, plain
        self.name = name
        self.short_name = name
        self.project_key = project_key or projects.default()
        self.full_name = f"{self.project_key}.{name}"
        self.ignore_flow = ignore_flow
        # `spec_item["appendMode"] = True` has what is written come after what is there.
        self.spec_item: Dict[str, Any] = {"appendMode": False}
        self.writePartition: Optional[str] = None

    def __repr__(self) -> str:
        """Return how it is called."""
        return f"<dataiku.Dataset {self.full_name}>"

    @staticmethod
    def list(project_key: Optional[str] = None) -> List[str]:
        """Return the names of a project's datasets."""
        return [
            each["name"]
            for each in call("datasets.list", project=project_key or projects.default())
        ]

    def write_with_schema(self, df: Any, drop_and_create: bool = False, **kwargs: Any) -> None:
        """Write a pandas data frame in place of the rows and the schema that are there.

        Args:
            df: whose index is left out.
            drop_and_create: of no effect: the rows are replaced in one step either way.
            kwargs: `dropAndCreate`, its deprecated name.
        """
        if "dropAndCreate" in kwargs:
            warnings.warn("dropAndCreate is now drop_and_create", DeprecationWarning, stacklevel=2)
            kwargs.pop("dropAndCreate")
        if kwargs:
            raise TypeError(
                f"write_with_schema() got an unexpected keyword argument '{next(iter(kwargs))}'"
            )
        write_frame(self, df, infer_schema=True)

    def write_dataframe(
        self, df: Any, infer_schema: bool = False, drop_and_create: bool = False, **kwargs: Any
    ) -> None:
        """Write a pandas data frame in place of the rows that are there.

        Args:
            df: whose index is left out.
            infer_schema: whether the schema becomes that of the data frame.
            drop_and_create: of no effect.
            kwargs: `dropAndCreate`, its deprecated name.
        """
        if infer_schema:
            self.write_with_schema(df, drop_and_create, **kwargs)
            return
        write_frame(self, df, infer_schema=False)

    def write_from_dataframe(self, df: Any, infer_schema: bool = False, **kwargs: Any) -> None:
        """Write a pandas data frame; the deprecated name of `write_dataframe`."""
        self.write_dataframe(df, infer_schema, **kwargs)

    def write_schema(self, columns: Any, drop_and_create: bool = False, **kwargs: Any) -> None:
        """Give the dataset another schema.

        Args:
            columns: each `{"name": …, "type": …}`.
            drop_and_create: of no effect.
        """
        given = [dict(each) for each in columns]
        call("datasets.set_schema", name=self.name, project=self.project_key, columns=given)

    def write_schema_from_dataframe(
        self, df: Any, drop_and_create: bool = False, **kwargs: Any
    ) -> None:
        """Give the dataset the schema of a pandas data frame."""
        self.write_schema(dataset_schemas.schema_of(df))

    def read_schema(self, raise_if_empty: bool = True) -> List[Dict[str, Any]]:
        """Return the columns, each with `name` and `type`.

        Args:
            raise_if_empty: whether a dataset that has none is an error.

        Raises:
            Exception: it has none.
        """
        columns: List[Dict[str, Any]] = self._shown()["columns"]
        if not columns and raise_if_empty:
            raise Exception(
                f"the dataset {self.full_name} has no schema yet: write to it, or write_schema"
            )
        return Schema({key: value for key, value in each.items() if value} for each in columns)

    def get_writer(self) -> DatasetWriter:
        """Return what rows are written through, in place of those that are there.

        Raises:
            Exception: the dataset has no schema.
        """
        return DatasetWriter(self)

    def get_config(self) -> Dict[str, Any]:
        """Return what is known of the dataset."""
        shown = self._shown()
        return {
            "projectKey": shown["project"],
            "name": shown["name"],
            "smartName": shown["name"],
            "type": "Filesystem" if shown["format"] != "sql" else "SQL",
            "managed": not shown["external"],
            "formatType": shown["format"],
            "formatParams": {},
            "params": {"path": shown["uri"], "table": shown["table"]},
            "schema": {"columns": shown["columns"], "userModified": False},
            "partitioning": {"dimensions": []},
            "description": shown["description"],
            "tags": [],
        }

    def get_location_info(self, sensitive_info: bool = False) -> Dict[str, Any]:
        """Return where the rows lie."""
        paths = self._location(used=False)["paths"]
        path = paths[0].rpartition("/")[0] if paths else ""
        return {"locationInfoType": "FS", "info": {"path": path, "quotedPath": f'"{path}"'}}

    def get_files_info(self, partitions: Any = None) -> Dict[str, Any]:
        """Return the files of the rows."""
        import os

        found = []
        for path in self._location(used=False)["paths"]:
            seen = os.stat(path)
            found.append(
                {"path": path, "lastModified": int(seen.st_mtime * 1000), "size": seen.st_size}
            )
        return {"globalPaths": found, "pathsByPartition": {}}

    def list_partitions(self, raise_if_empty: bool = True) -> List[str]:
        """Return the one partition of a dataset that is not partitioned."""
        return ["NP"]

    def add_read_partitions(self, spec: Any) -> None:
        """Refuse: no dataset is partitioned here."""
        raise NotImplementedError(
            "partitions are not supported by Brinery; keep the key as a column and select by it"
        )

    def set_write_partition(self, spec: Any) -> None:
        """Refuse: no dataset is partitioned here."""
        self.add_read_partitions(spec)

    def get_last_metric_values(self, partition: str = "") -> Any:
        """Return what is counted of the dataset as it is now."""
        return dataset_rows.Metrics(self._shown())

    def get_metric_history(self, metric_lookup: Any, partition: str = "") -> Dict[str, Any]:
        """Return the value of a metric as it is now; those of before are not kept."""
        return dataset_rows.Metrics(self._shown()).history(metric_lookup)

    def _shown(self) -> Dict[str, Any]:
        found: Dict[str, Any] = call("datasets.show", name=self.name, project=self.project_key)
        return found
