"""What sweeps declare: as a job, and as a step."""

from brinery.specs.job_kinds import CommandPart, Component, JobPart, StepPart
from brinery.specs.job_parts import QueueSettings, Resources
from brinery.specs.sweep_parts import Swept


class Trial(CommandPart):
    """The command of a sweep."""

    needed = ("command", "environment")


class SweepJob(Swept, JobPart):
    """One command with many values."""

    needed = ("trial", "objective", "limits", "search_space")
    trial: Trial | None = None
    resources: Resources | None = None
    queue_settings: QueueSettings | None = None


class SweepStep(Swept, StepPart):
    """A sweep of a component within a pipeline."""

    needed = ("trial", "objective", "limits", "search_space")
    lenient = True
    trial: Component | None = None
    resources: Resources | None = None
    queue_settings: QueueSettings | None = None
