"""What is accepted in a file and means nothing, or something else, here: a line for each kind."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from brinery.specs.job_source import Spot

_SAID: Final = {
    "compute": "is not asked for: steps run on this machine, or where --runner says",
    "default_compute": "is not asked for: steps run on this machine, or where --runner says",
    "identity": "means nothing here: steps run as you",
    "services": "are not started here",
    "queue_settings": "mean nothing here: there is no queue",
    "on_init": "is not run here",
    "on_finalize": "is not run here",
    "properties": "are not kept",
    "parent_job_name": "means nothing here",
}
_RESOURCES: Final = ("instance_type", "locations", "shm_size", "docker_args", "properties")


@dataclass
class Remarks:
    """Tells of each kind once, at the first place where it stands."""

    _told: set[str] = field(default_factory=set)

    def of(self, model: Any, spot: Spot) -> None:
        """Tell what of a job or a step means nothing here."""
        for name, said in _SAID.items():
            if getattr(model, name, None):
                self._tell(name, said, spot.at(name))
        resources = getattr(model, "resources", None)
        for name in _RESOURCES:
            if resources is not None and _means_nothing(resources, name):
                key = f"resources.{name}"
                self._tell(key, "is of the vendor's machines", spot.at("resources", name))

    def _tell(self, key: str, said: str, spot: Spot) -> None:
        kind = key.removeprefix("default_")
        if kind not in self._told:
            self._told.add(kind)
            spot.note(said)


def _means_nothing(resources: Any, name: str) -> bool:
    given = getattr(resources, name)
    # What a Ray cluster is asked for stands there.
    return bool(given) and not (name == "properties" and set(given) == {"ray"})
