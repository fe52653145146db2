"""Figures that are looked up by their id."""

from __future__ import annotations

from typing import Any, Dict, List


class ComputedMetrics:
    """Figures, each with its last value.

    Args:
        raw: `metrics`, a list.
    """

    def __init__(self, raw: Dict[str, Any]) -> None:
        self.raw = raw

    def get_raw(self) -> Dict[str, Any]:
        """Return the list itself."""
        return self.raw

    def get_all_ids(self) -> List[str]:
        """Return the ids."""
        return [one["metric"]["id"] for one in self.raw["metrics"]]

    def get_metric_by_id(self, id: str) -> Dict[str, Any]:
        """Return a figure.

        Raises:
            Exception: there is none of that id.
        """
        for one in self.raw["metrics"]:
            if one["metric"]["id"] == id:
                found: Dict[str, Any] = one
                return found
        raise Exception("Metric " + id + " not found among: " + str(self.get_all_ids()))

    def get_global_data(self, metric_id: str) -> Dict[str, Any]:
        """Return the last value of a figure, with its type and time."""
        found: Dict[str, Any] = self.get_metric_by_id(metric_id)["lastValues"][0]
        return found

    def get_global_value(self, metric_id: str) -> Any:
        """Return the last value of a figure, as a number where it is one."""
        return self.get_value_from_data(self.get_global_data(metric_id))

    def get_partition_data(self, metric_id: str, partition: str) -> Dict[str, Any]:
        """Raise: nothing has partitions.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError("nothing has partitions here; use get_global_data(metric_id)")

    def get_partition_value(self, metric_id: str, partition: str) -> Any:
        """Raise: nothing has partitions.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError("nothing has partitions here; use get_global_value(metric_id)")

    def get_first_partition_data(self, metric_id: str) -> Dict[str, Any]:
        """Return the last value of a figure: there is one partition, all of it."""
        return self.get_global_data(metric_id)

    @staticmethod
    def get_value_from_data(data: Dict[str, Any]) -> Any:
        """Return a value as what it is."""
        kind = data.get("dataType", "STRING")
        if kind in ("BIGINT", "INT"):
            return int(data["value"])
        return float(data["value"]) if kind in ("FLOAT", "DOUBLE") else data["value"]
