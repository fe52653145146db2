"""What the declarations of jobs, steps and components are made of: inputs, outputs, resources.

Every field may be absent, so that a file with faults is read as far as it goes; `needed` says which
may not, and `job_yaml` tells of those. Names of values are those of the files.
"""

from typing import Annotated, Any, Final, Literal

from brinery.specs.expressions import whole
from brinery.specs.parts import Before, Chosen, Key, Part, Tag

DATA_TYPES: Final = (
    "uri_file",
    "uri_folder",
    "mltable",
    "mlflow_model",
    "custom_model",
    "triton_model",
)
_BINDING: Final = r"^\s*\$\{\{.*\}\}\s*$"


def _lowered(given: object) -> object:
    return given.lower() if isinstance(given, str) else given


def _bound(given: object) -> bool:
    return isinstance(given, str) and whole(given) is not None


def _counted(given: object) -> object:
    if _bound(given):
        return given
    try:
        number = given if isinstance(given, (int, float, str)) else ""
        if not isinstance(given, bool) and float(number) == int(float(number)):
            return int(float(number))
    except (ValueError, OverflowError):
        pass
    raise ValueError(f"is no whole number: {given!r}")


def _numbered(given: object) -> object:
    # A version is a text, however it is written.
    return str(given) if isinstance(given, (int, float)) else given


def _text(given: object) -> object:
    return str(given) if isinstance(given, (int, float)) else given


# A number, or an expression that has one where the step is planned.
Whole = Annotated[
    int | str, Before(_counted, takes=(int, float, str), written=("integer", "string"))
]
Version = Annotated[
    str, Before(_numbered, takes=(str, int, float, bool), written=("string", "number"))
]
Texts = dict[str, str | None]
# What stands for a text and may be written as a number: of variables, of arguments.
Loose = Annotated[
    str, Before(_text, takes=(str, int, float, bool), written=("string", "number", "boolean"))
]
Lower = Before(_lowered, takes=(str,))
DataType = Annotated[
    Literal["uri_file", "uri_folder", "mltable", "mlflow_model", "custom_model", "triton_model"],
    Lower,
]
InputMode = Annotated[
    Literal["ro_mount", "download", "direct", "eval_mount", "eval_download"], Lower
]
OutputMode = Annotated[Literal["rw_mount", "upload", "direct", "mount"], Lower]
Scalar = str | bool | int | float


class DataInput(Part):
    """An input that is files.

    Attributes:
        type: what lies there; a folder when absent.
        path: of it, or its address.
        mode: how the job reads it.
        path_on_compute: where the vendor's machine would have it.
        datastore: that a local path would be uploaded to.
    """

    type: DataType | None = None
    path: str | None = None
    mode: InputMode | None = None
    path_on_compute: str | None = None
    datastore: str | None = None


class Valued(Part):
    """An input that is a value, written at length: `{value: 3}`."""

    needed = ("value",)
    value: Scalar | None = None


def _which_input(given: object) -> str:
    if isinstance(given, dict):
        return "~value" if "value" in given else "~data"
    return "~literal"


JobInput = Annotated[
    Annotated[DataInput, Tag("~data")]
    | Annotated[Valued, Tag("~value")]
    | Annotated[Scalar, Tag("~literal")],
    Chosen(_which_input),
]


class DataOutput(Part):
    """An output.

    Attributes:
        type: what is left; a folder when absent.
        path: where it is put.
        mode: how it is written.
        name: under which it is registered as a data asset.
        version: of that asset.
    """

    type: DataType | None = None
    path: str | None = None
    mode: OutputMode | None = None
    name: str | None = None
    version: Version | None = None


def _which_output(given: object) -> str:
    return "~text" if isinstance(given, str) else "~data"


# A step's: the outputs of its parent may be named.
StepOutput = Annotated[
    Annotated[DataOutput, Tag("~data")] | Annotated[str, Tag("~text")],
    Chosen(_which_output),
]


class Resources(Part):
    """The machines that are asked for; only their count means something here."""

    instance_count: Whole | None = None
    instance_type: str | list[str] | None = None
    max_instance_count: Whole | None = None
    properties: dict[str, Any] | None = None
    locations: list[str] | None = None
    shm_size: str | None = None
    docker_args: str | list[str] | None = None


class Distribution(Part):
    """How the processes of a step know each other."""

    needed = ("type",)
    type: Annotated[Literal["pytorch", "mpi", "tensorflow", "ray"], Lower] | None = None
    process_count_per_instance: Whole | None = None
    worker_count: Whole | None = None
    parameter_server_count: Whole | None = None


class CommandLimits(Part):
    """How long a command may take."""

    timeout: Whole | None = None


class Identity(Part):
    """As whom the vendor's service would run it; it means nothing here."""

    needed = ("type",)
    type: (
        Annotated[
            Literal["managed", "managed_identity", "aml_token", "amltoken", "user_identity"],
            Lower,
        ]
        | None
    ) = None


class Service(Part):
    """A program beside the job on the vendor's machine; it means nothing here."""

    type: str | None = None
    port: Whole | None = None
    nodes: str | None = None
    log_dir: str | None = None
    ssh_public_keys: str | None = None
    properties: dict[str, Any] | None = None


class QueueSettings(Part):
    """How the vendor's service would queue it; it means nothing here."""

    job_tier: Annotated[Literal["spot", "basic", "standard", "premium", "null"], Lower] | None = (
        None
    )
    priority: Annotated[Literal["low", "medium", "high"], Lower] | None = None


class Build(Part):
    """What an image is built of."""

    path: str | None = None
    dockerfile_path: str | None = None


class InlineEnvironment(Part):
    """An environment: an image, what conda adds to it, or what the image is built of."""

    name: str | None = None
    version: Version | None = None
    image: str | None = None
    conda_file: str | dict[str, Any] | None = None
    build: Build | None = None
    inference_config: dict[str, Any] | None = None
    os_type: Annotated[Literal["linux", "windows"], Lower] | None = None
    description: str | None = None
    tags: dict[str, Any] | None = None
    properties: dict[str, Any] | None = None
    datastore: str | None = None


class EnvironmentFile(InlineEnvironment):
    """An environment in a file of its own."""

    declared_in: Annotated[str | None, Key("$schema")] = None


def _which_environment(given: object) -> str:
    return "~name" if isinstance(given, str) else "~inline"


Environment = Annotated[
    Annotated[InlineEnvironment, Tag("~inline")] | Annotated[str, Tag("~name")],
    Chosen(_which_environment),
]
Variables = dict[str, Loose | None]
