"""What is accepted in a file and means nothing, or something else, here: a line for each kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct, field

from brinery.pipeline.components import Component
from brinery.specs.components import ComponentPart
from brinery.specs.job_kinds import StepPart
from brinery.specs.job_parts import DataInput, InlineEnvironment
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
_OF_STEPS: Final = {"experiment_name": "is the job's: a step's run is a child of the job's"}
_OF_MACHINES: Final = "is of the vendor's machines"
_RESOURCES: Final = dict.fromkeys(
    (
        "instance_type",
        "max_instance_count",
        "locations",
        "shm_size",
        "docker_args",
        "properties",
    ),
    _OF_MACHINES,
)
_ENVIRONMENT: Final = {
    "os_type": "means nothing here: steps run on this machine's system",
    "inference_config": "is of endpoints, and a job serves nothing",
    "datastore": "is not asked for: nothing is uploaded",
    "properties": "are not kept",
}
_INPUT: Final = {
    "path_on_compute": "means nothing here: data are read where they lie",
    "datastore": "is not asked for: nothing is uploaded",
}
_PORT: Final = {"mode": "makes no difference here: what a step reads is read-only where it lies"}
_TASK: Final = {"model": "is not loaded here: the script loads what it needs"}


class Remarks(Struct):
    """Tells of each kind once, at the first place where it stands."""

    _told: set[str] = field(default_factory=set)

    def of(self, model: Any, spot: Spot) -> None:
        """Tell what of a job, a step or a component means nothing here."""
        self._each(model, spot, _SAID)
        if isinstance(model, StepPart):
            self._each(model, spot, _OF_STEPS)
        self._each(getattr(model, "resources", None), spot.at("resources"), _RESOURCES)
        task = getattr(model, "task", None)
        self._each(task, spot.at("task"), _TASK)
        for holder, place in ((model, spot), (task, spot.at("task"))):
            environment = getattr(holder, "environment", None)
            if isinstance(environment, InlineEnvironment):
                self._each(environment, place.at("environment"), _ENVIRONMENT)
        for name, each in (getattr(model, "inputs", None) or {}).items():
            if isinstance(each, DataInput):
                self._each(each, spot.at("inputs", name), _INPUT)
            elif isinstance(model, ComponentPart):
                self._each(each, spot.at("inputs", name), _PORT)

    def step(self, model: Any, spot: Spot, *, component: Component | None) -> None:
        """Tell what of a step, and of its component, means nothing here."""
        self.of(model, spot)
        if component is not None:
            self.of(component.model, Spot(component.source))

    def _each(self, model: Any, spot: Spot, said: Mapping[str, str]) -> None:
        # Most models state nothing of it, and a pipeline may have thousands.
        if model is None or model.stated.isdisjoint(said):
            return
        for name, text in said.items():
            if _means_nothing(getattr(model, name, None), name):
                self._tell(f"{text} {name.removeprefix('default_')}", text, spot.at(name))

    def _tell(self, kind: str, said: str, spot: Spot) -> None:
        if kind not in self._told:
            self._told.add(kind)
            spot.note(said)


def _means_nothing(given: Any, name: str) -> bool:
    # What a Ray cluster is asked for stands there.
    return bool(given) and not (name == "properties" and set(given) == {"ray"})
