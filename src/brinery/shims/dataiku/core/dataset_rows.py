"""The rows of a dataset one by one, as text, and counted."""

from __future__ import annotations

import io
from typing import Any, Dict, Iterator, List, Mapping, Tuple


class Row(Mapping[str, Any]):
    """One row, like a dict of its columns.

    Args:
        names: of the columns.
        values: in their order.
    """

    __slots__ = ("_names", "_values")

    def __init__(self, names: List[str], values: Tuple[Any, ...]) -> None:
        self._names = names
        self._values = values

    def __getitem__(self, name: str) -> Any:
        """Return the value of a column."""
        try:
            return self._values[self._names.index(name)]
        except ValueError:
            raise KeyError(name) from None

    def __iter__(self) -> Iterator[str]:
        """Yield the names of the columns."""
        return iter(self._names)

    def __len__(self) -> int:
        """Return how many columns there are."""
        return len(self._names)

    def values(self) -> Any:
        """Return the values, in the order of the columns."""
        return list(self._values)

    def __repr__(self) -> str:
        """Return it as a dict."""
        return repr(dict(self))


def tuples(frame: Any) -> Iterator[Tuple[Any, ...]]:
    """Yield each row of a data frame as values of Python; None where one is missing."""
    columns = []
    for number in range(frame.shape[1]):
        column = frame.iloc[:, number]
        missing = column.isna().tolist()
        values = column.astype(object).tolist()
        columns.append([None if gone else value for value, gone in zip(values, missing)])
    return iter(list(zip(*columns)))


def formatted(frame: Any, form: str, parameters: Mapping[str, Any]) -> io.BytesIO:
    """Return a data frame as a stream of text, in bytes.

    Raises:
        ValueError: the format is none of those that there are.
    """
    if form == "json":
        return io.BytesIO(frame.to_json(orient="records", date_format="iso").encode())
    separators = {"tsv": "\t", "csv": ","}
    kind, _, rest = form.partition("-excel-")
    if kind not in separators or rest not in ("header", "noheader"):
        known = "tsv-excel-header, tsv-excel-noheader, csv-excel-header, csv-excel-noheader, json"
        raise ValueError(f"Unknown format: {form}; there are {known}")
    separator = parameters.get("separator", separators[kind])
    return io.BytesIO(frame.to_csv(sep=separator, index=False, header=rest == "header").encode())


class Metrics:
    """What is counted of a dataset as it is now.

    Args:
        shown: what is known of it.
    """

    def __init__(self, shown: Mapping[str, Any]) -> None:
        self._values = {
            "records:COUNT_RECORDS": shown["rows"],
            "basic:COUNT_COLUMNS": len(shown["columns"]),
            "basic:SIZE": shown["size_bytes"],
        }
        self._at = shown["modified_ms"]

    def get_all_ids(self) -> List[str]:
        """Return the ids of all metrics."""
        return sorted(self._values)

    def get_metric_by_id(self, id: str) -> Dict[str, Any]:
        """Return a metric with its value.

        Raises:
            Exception: there is none of that id.
        """
        if id not in self._values:
            raise Exception(f"Metric {id} not found; there are {', '.join(self.get_all_ids())}")
        last = {"value": str(self._values[id]), "computed": self._at, "dataType": "BIGINT"}
        return {"metric": {"id": id}, "lastValues": [last]}

    def get_global_data(self, metric_lookup: Any) -> Dict[str, Any]:
        """Return the value of a metric, with when it was computed."""
        found: Dict[str, Any] = self.get_metric_by_id(metric_lookup)["lastValues"][0]
        return found

    def get_global_value(self, metric_lookup: Any) -> Any:
        """Return the value of a metric."""
        self.get_metric_by_id(metric_lookup)
        return self._values[metric_lookup]

    def history(self, metric_lookup: Any) -> Dict[str, Any]:
        """Return a metric with the values that are known of it: the present one."""
        found = self.get_metric_by_id(metric_lookup)
        last = found["lastValues"][0]
        values = [{"value": last["value"], "time": last["computed"]}]
        return {"metricId": metric_lookup, "values": values, "lastValues": [last]}
