"""What a job comes to: its steps, what feeds them and what they leave; no file is read for it.

A plan is made of a job file by the rooms specs and pipeline. Runners are given one, whatever they
run on, so a path in it is absolute and a reference is whole.
"""

from __future__ import annotations

from typing import Optional, Union

from msgspec import Struct

from brinery.records.flow import RecipeCall
from brinery.records.text_enum import TextEnum


class DataType(TextEnum):
    """What lies at a path."""

    FILE = "uri_file"
    FOLDER = "uri_folder"
    TABLE = "mltable"
    MLFLOW_MODEL = "mlflow_model"
    CUSTOM_MODEL = "custom_model"
    TRITON_MODEL = "triton_model"


class StepKind(TextEnum):
    """How a step is run."""

    COMMAND = "command"
    PARALLEL = "parallel"
    RECIPE = "recipe"
    SWEEP = "sweep"


class Text(Struct, frozen=True, kw_only=True, tag_field="kind", tag="text"):
    """A value that a command is told as it is.

    Attributes:
        text: what is written in the command's place; `True`, `42` and `1024.0` are texts here.
    """

    text: str


class Data(Struct, frozen=True, kw_only=True, tag_field="kind", tag="data"):
    """Files that were there before the job.

    Attributes:
        uri: an absolute path, or an address that a datastore resolves when the step starts.
        type: what lies there.
        mode: how the job asks for it: `ro_mount`, `download`, `direct`, `eval_mount`, …
        declared: as the file has it, for messages.
    """

    uri: str
    type: DataType = DataType.FOLDER
    mode: str = "ro_mount"
    declared: str = ""


class Produced(Struct, frozen=True, kw_only=True, tag_field="kind", tag="produced"):
    """What another step leaves.

    Attributes:
        step: its name in the plan.
        output: the output's name.
    """

    step: str
    output: str


class Joined(Struct, frozen=True, kw_only=True, tag_field="kind", tag="joined"):
    """Values written one after the other, as `${{parent.inputs.d}}/sub` asks for.

    Attributes:
        parts: in order.
    """

    parts: tuple[Union[Text, Data, Produced], ...]


Value = Union[Text, Data, Produced, Joined]


class Output(Struct, frozen=True, kw_only=True):
    """What a step leaves.

    Attributes:
        type: a file, or a folder that is there, empty, when the step starts.
        mode: how the job asks for it: `rw_mount`, `upload`, `direct`.
        path: where it is put, an address with `${{name}}`, `${{default_datastore}}` and
            `${{output_name}}` yet to be filled in; empty where the default holds.
        asset: name under which it is registered as a data asset; empty where it is not.
        version: of that asset; empty for the next one.
    """

    type: DataType = DataType.FOLDER
    mode: str = "rw_mount"
    path: str = ""
    asset: str = ""
    version: str = ""


class Software(Struct, frozen=True, kw_only=True):
    """The environment that a step declares; what it means here is found out before it runs.

    Attributes:
        reference: name and version or label of a registered or curated one; empty where inline.
        image: of a container.
        conda: text of a conda file; empty where there is none.
        dockerfile: text of the file that an image is built from; empty where there is none.
        context: absolute folder that a Dockerfile or a conda file's own paths begin in.
    """

    reference: str = ""
    image: str = ""
    conda: str = ""
    dockerfile: str = ""
    context: str = ""


class Spread(Struct, frozen=True, kw_only=True):
    """How many processes a step is, and what they are told of each other.

    Attributes:
        instances: of the machine that the job asks for.
        distribution: `pytorch`, `mpi`, `tensorflow`, or empty.
        processes: of each instance.
        parameter_servers: of tensorflow.
    """

    instances: int = 1
    distribution: str = ""
    processes: int = 1
    parameter_servers: int = 0


class Dimension(Struct, frozen=True, kw_only=True):
    """What one hyperparameter may be.

    Attributes:
        kind: `choice`, `uniform`, `quniform`, `loguniform`, `qloguniform`, `normal`, `qnormal`,
            `lognormal`, `qlognormal` or `randint`.
        values: of a choice, as texts that the command is told.
        low: of the uniform kinds; for the logarithmic ones the exponent of the least value.
        high: likewise; exclusive and from nought for `randint`.
        mu: mean of the normal kinds.
        sigma: standard deviation of the normal kinds.
        q: step that the kinds with q are rounded to.
    """

    kind: str
    values: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 0.0
    mu: float = 0.0
    sigma: float = 1.0
    q: float = 1.0


class Stopping(Struct, frozen=True, kw_only=True):
    """When a trial that does badly is ended before its time.

    Attributes:
        kind: `bandit`, `median_stopping` or `truncation_selection`; empty for never.
        slack_factor: of the bandit: share of the best; None where an amount is given.
        slack_amount: of the bandit; None where a factor is given.
        percentage: of trials that a truncation ends, 1 to 99.
        interval: evaluated each so many times that the metric was logged.
        delay: so many times it is not evaluated at first.
    """

    kind: str = ""
    slack_factor: Optional[float] = None
    slack_amount: Optional[float] = None
    percentage: int = 0
    interval: int = 1
    delay: int = 0


class Sweep(Struct, frozen=True, kw_only=True):
    """Trials of one command with other hyperparameters each.

    Attributes:
        space: name to what it may be.
        sampling: `random`, `sobol`, `grid` or `bayesian`.
        seed: of what is drawn; None for another each time.
        logbase: of the random kind's logarithms; None for e.
        goal: `minimize` or `maximize`.
        metric: MLflow's name of what is compared.
        trials: at most.
        concurrent: trials at once, at most.
        timeout_s: seconds for all; None without end.
        trial_timeout_s: seconds for each; None without end.
        stopping: of trials that do badly.
    """

    space: dict[str, Dimension]
    sampling: str
    goal: str
    metric: str
    trials: int
    concurrent: int
    seed: Optional[int] = None
    logbase: Optional[float] = None
    timeout_s: Optional[float] = None
    trial_timeout_s: Optional[float] = None
    stopping: Stopping = Stopping()


class Parallel(Struct, frozen=True, kw_only=True):
    """One function over mini-batches of the data.

    Attributes:
        data: the input that is cut into mini-batches.
        entry: the script with `init()` and `run(mini_batch)`, relative to the code.
        arguments: that the script is started with, a template as commands are.
        append_to: the output that all returned rows are written to; empty where none is.
        batch_size: files of each mini-batch, or bytes of a table; 0 for the default.
        partition_keys: of a table; a mini-batch for each combination.
        concurrency: processes of each instance; 0 for as many as there are cores.
        retries: of a mini-batch that failed.
        timeout_s: seconds for a mini-batch.
        batch_errors: mini-batches that may fail; -1 for any number.
        item_errors: files or rows that may; -1 for any number.
        logging_level: of the script's logger.
    """

    data: str
    entry: str
    arguments: str = ""
    append_to: str = ""
    batch_size: int = 0
    partition_keys: tuple[str, ...] = ()
    concurrency: int = 0
    retries: int = 2
    timeout_s: float = 60.0
    batch_errors: int = -1
    item_errors: int = -1
    logging_level: str = "INFO"


class Shims(Struct, frozen=True, kw_only=True):
    """What a script finds under the names `dataiku` and `dataikuapi`: ours, asking our gateway.

    Attributes:
        project: key of its default project; empty for the workspace's own.
        libraries: absolute folders of the project's own modules.
        without: names of compatibility steps that are switched off.
        mirrors: addresses, or beginnings of addresses, to the paths that stand for them.
        inputs: what the recipe is said to read, by `dataiku.recipe`.
        outputs: likewise, to write.
    """

    project: str = ""
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    mirrors: dict[str, str] = {}


class Step(Struct, frozen=True, kw_only=True):
    """One step: what is run, with what, and what it leaves.

    Attributes:
        name: in the plan; `outer.inner` within a pipeline component.
        kind: how it is run.
        command: text for bash, with `${{inputs.x}}`, `$[[ … ]]` and the like yet to be filled in.
        code: absolute folder or file that it runs in a copy of; empty for an empty folder.
        includes: absolute files and folders that are copied beside it.
        watched: absolute files and folders that decide what it leaves, where that is not all of its
            code: a recipe lies beside others.
        after: names of steps that must be over before it begins, beside those that feed it.
        recipe: how it was called, where it is a recipe of the flow.
        software: the environment that it declares.
        variables: of its environment.
        inputs: name to value; an optional one without a value is absent.
        optional: names of inputs that may be absent, or whose step may have failed.
        types: of inputs that are data, by name; what the port declares.
        outputs: by name.
        spread: over processes.
        timeout_s: seconds until it is cancelled; None without end.
        deterministic: whether an earlier run may stand for it.
        component: name and version of its component; empty where it is inline.
        display_name: as it is shown.
        sweep: where it is one.
        parallel: where it is one.
        shims: where it is a script that may import `dataiku`.
        place: `file:line` that it is declared at.
    """

    name: str
    kind: StepKind = StepKind.COMMAND
    command: str = ""
    code: str = ""
    includes: tuple[str, ...] = ()
    watched: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    recipe: Optional[RecipeCall] = None
    software: Software = Software()
    variables: dict[str, str] = {}
    inputs: dict[str, Value] = {}
    optional: tuple[str, ...] = ()
    types: dict[str, DataType] = {}
    outputs: dict[str, Output] = {}
    spread: Spread = Spread()
    timeout_s: Optional[float] = None
    deterministic: bool = True
    component: str = ""
    display_name: str = ""
    sweep: Optional[Sweep] = None
    parallel: Optional[Parallel] = None
    shims: Optional[Shims] = None
    place: str = ""


class Kept(Struct, frozen=True, kw_only=True):
    """An output of the job itself: that of one of its steps.

    Attributes:
        step: whose it is.
        output: its name there.
        settings: where it is put and what it is registered as.
    """

    step: str
    output: str
    settings: Output = Output()


class Plan(Struct, frozen=True, kw_only=True):
    """A whole job.

    Attributes:
        name: of the job; empty where one is yet to be drawn.
        pipeline: False for one step that stands alone, which is never reused.
        steps: each after all that feed it.
        outputs: of the job, by name; those of its one step where it is no pipeline.
        display_name: as it is shown.
        description: of the job.
        experiment: MLflow's.
        tags: of the job.
        file: absolute path of the YAML.
        datastore: name of the default one.
        continue_on_failure: whether what does not depend on a failed step goes on.
        force_rerun: whether nothing is reused.
        timeout_s: seconds for the whole job; None without end.
        notes: what was accepted and means nothing, or something else, here; a line each.
    """

    name: str
    pipeline: bool
    steps: tuple[Step, ...]
    outputs: dict[str, Kept] = {}
    display_name: str = ""
    description: str = ""
    experiment: str = "Default"
    tags: dict[str, str] = {}
    file: str = ""
    datastore: str = "workspaceblobstore"
    continue_on_failure: bool = False
    force_rerun: bool = False
    timeout_s: Optional[float] = None
    notes: tuple[str, ...] = ()
