"""What the declarations of jobs, steps and components are made of: inputs, outputs, resources.

Every field may be absent, so that a file with faults is read as far as it goes; `needed` says which
may not, and `job_yaml` tells of those. Names of values are those of the files.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    WithJsonSchema,
)

from brinery.specs.expressions import whole

DATA_TYPES: Final = (
    "uri_file",
    "uri_folder",
    "mltable",
    "mlflow_model",
    "custom_model",
    "triton_model",
)
_BINDING: Final = r"^\s*\$\{\{.*\}\}\s*$"


def _extra(schema: dict[str, Any], model: type[Part]) -> None:
    # A title is its key once more, and what may be absent may not be empty.
    for name, each in schema.get("properties", {}).items():
        each.pop("title", None)
        if each.get("default", ...) is None:
            del each["default"]
        if "anyOf" in each and name not in model.nullable:
            left = [one for one in each.pop("anyOf") if one != {"type": "null"}]
            each.update(left[0] if len(left) == 1 else {"anyOf": left})
    if model.needed:
        schema["required"] = list(model.needed)
    if model.lenient:
        schema["additionalProperties"] = True


class Part(BaseModel):
    """Something that is declared.

    Attributes:
        needed: the fields that must be there.
        lenient: whether an unknown field is noted, and no fault.
        nullable: the fields that may be there and empty.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        defer_build=True,
        populate_by_name=True,
        json_schema_extra=_extra,
    )

    needed: ClassVar[tuple[str, ...]] = ()
    lenient: ClassVar[bool] = False
    nullable: ClassVar[tuple[str, ...]] = ()


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


def _measured(given: object) -> object:
    if _bound(given):
        return given
    try:
        if isinstance(given, (int, float, str)):
            return float(given)
    except ValueError:
        pass
    raise ValueError(f"is no number: {given!r}")


def _numbered(given: object) -> object:
    # A version is a text, however it is written.
    return str(given) if isinstance(given, (int, float)) else given


def _text(given: object) -> object:
    return str(given) if isinstance(given, (int, float)) else given


# A number, or an expression that has one where the step is planned.
Whole = Annotated[
    int | str,
    BeforeValidator(_counted),
    WithJsonSchema({"anyOf": [{"type": "integer"}, {"type": "string"}]}),
]
Number = Annotated[
    float | str,
    BeforeValidator(_measured),
    WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "string"}]}),
]
Version = Annotated[
    str,
    BeforeValidator(_numbered),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "number"}]}),
]
Texts = dict[str, str | None]
# What stands for a text and may be written as a number: of variables, of arguments.
Loose = Annotated[
    str,
    BeforeValidator(_text),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "number"}, {"type": "boolean"}]}),
]
Lower = BeforeValidator(_lowered)
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
    return (
        "~data"
        if isinstance(given, DataInput)
        else ("~value" if isinstance(given, Valued) else "~literal")
    )


JobInput = Annotated[
    Annotated[DataInput, Tag("~data")]
    | Annotated[Valued, Tag("~value")]
    | Annotated[Scalar, Tag("~literal")],
    Discriminator(_which_input),
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
    Discriminator(_which_output),
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

    declared_in: str | None = Field(None, alias="$schema")


def _which_environment(given: object) -> str:
    return "~name" if isinstance(given, str) else "~inline"


Environment = Annotated[
    Annotated[InlineEnvironment, Tag("~inline")] | Annotated[str, Tag("~name")],
    Discriminator(_which_environment),
]
Variables = dict[str, Loose | None]
