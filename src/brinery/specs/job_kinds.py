"""What jobs declare: a command, or a pipeline of steps; and what a step may say.

Those of sweeps are in `sweep_kinds`, which few jobs need.
"""

from typing import Annotated, Any, Literal

from brinery.specs.components import ParallelPart
from brinery.specs.job_parts import (
    CommandLimits,
    DataOutput,
    Distribution,
    Environment,
    Identity,
    JobInput,
    Lower,
    QueueSettings,
    Resources,
    Service,
    StepOutput,
    Texts,
    Variables,
)
from brinery.specs.parts import Chosen, Key, Part, Tag


class JobPart(Part):
    """What all jobs have.

    Attributes:
        declared_in: `$schema`, which says what a file is to an editor.
    """

    declared_in: Annotated[str | None, Key("$schema")] = None
    type: str | None = None
    name: str | None = None
    display_name: str | None = None
    description: str | None = None
    experiment_name: str | None = None
    tags: Texts | None = None
    properties: Texts | None = None
    compute: str | None = None
    identity: Identity | None = None
    services: dict[str, Service] | None = None
    inputs: dict[str, JobInput] | None = None
    outputs: dict[str, DataOutput | None] | None = None


class CommandPart(Part):
    """A command, and what it runs in."""

    command: str | None = None
    code: str | None = None
    environment: Environment | None = None
    environment_variables: Variables | None = None
    resources: Resources | None = None
    distribution: Distribution | None = None
    queue_settings: QueueSettings | None = None


class CommandJob(CommandPart, JobPart):
    """One command."""

    needed = ("command", "environment")
    limits: CommandLimits | None = None
    parent_job_name: str | None = None


class Settings(Part):
    """What holds for the whole pipeline."""

    lenient = True
    default_compute: str | None = None
    default_datastore: str | None = None
    continue_on_step_failure: bool | None = None
    force_rerun: bool | None = None
    on_init: str | None = None
    on_finalize: str | None = None


class PipelineJob(JobPart):
    """Steps."""

    jobs: dict[str, Any] | None = None
    component: str | None = None
    settings: Settings | None = None


class StepPart(Part):
    """What all steps have; what else a step of a component says is noted, as other clients do."""

    lenient = True
    type: str | None = None
    display_name: str | None = None
    description: str | None = None
    name: str | None = None
    comment: str | None = None
    tags: Texts | None = None
    properties: Texts | None = None
    experiment_name: str | None = None
    compute: str | None = None
    identity: Identity | None = None
    services: dict[str, Service] | None = None
    inputs: dict[str, JobInput] | None = None
    outputs: dict[str, StepOutput | None] | None = None


def _which_component(given: object) -> str:
    return "~name" if isinstance(given, str) else "~inline"


Component = Annotated[
    Annotated[dict[str, Any], Tag("~inline")] | Annotated[str, Tag("~name")],
    Chosen(_which_component),
]


class CommandStep(CommandPart, StepPart):
    """A command of a pipeline, of a component or written in place."""

    lenient = True
    nullable = ("code",)
    component: Component | None = None
    limits: CommandLimits | None = None


class ParallelStep(ParallelPart, StepPart):
    """A function over mini-batches, of a component or written in place."""

    lenient = True
    component: Component | None = None


class PipelineStep(StepPart):
    """A pipeline within a pipeline."""

    lenient = True
    component: Component | None = None
    jobs: dict[str, Any] | None = None
    settings: dict[str, Any] | None = None


StepKind = Annotated[Literal["command", "parallel", "sweep", "pipeline"], Lower]
