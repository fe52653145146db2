"""What may be registered beside components: environments, data, models, datastores, schedules."""

from typing import Annotated, Any, Final, Literal

from brinery.specs.job_kinds import Settings
from brinery.specs.job_parts import (
    DataOutput,
    EnvironmentFile,
    JobInput,
    Lower,
    Texts,
    Version,
    Whole,
)
from brinery.specs.parts import Chosen, Key, Part, Tag


class EnvironmentAsset(EnvironmentFile):
    """An environment under a name."""

    needed = ("name",)


class DataAsset(Part):
    """Files under a name; a folder where no type is said."""

    needed = ("name", "path")
    declared_in: Annotated[str | None, Key("$schema")] = None
    name: str | None = None
    version: Version | None = None
    path: str | None = None
    type: Literal["uri_file", "uri_folder", "mltable"] | None = None
    description: str | None = None
    tags: dict[str, Any] | None = None
    properties: dict[str, Any] | None = None
    datastore: str | None = None


class ModelAsset(Part):
    """A model under a name; `custom_model` where no type is said."""

    needed = ("name",)
    declared_in: Annotated[str | None, Key("$schema")] = None
    name: str | None = None
    version: Version | None = None
    path: str | None = None
    type: Annotated[Literal["custom_model", "mlflow_model", "triton_model"], Lower] | None = None
    description: str | None = None
    tags: dict[str, Any] | None = None
    properties: dict[str, Any] | None = None
    flavors: dict[str, Any] | None = None
    stage: str | None = None
    datastore: str | None = None


class DatastoreAsset(Part):
    """A name for a place; what is particular to the vendor's storage is kept and not read."""

    needed = ("name", "type")
    lenient = True
    declared_in: Annotated[str | None, Key("$schema")] = None
    name: str | None = None
    type: (
        Annotated[
            Literal[
                "azure_blob",
                "azure_file",
                "azure_data_lake_gen1",
                "azure_data_lake_gen2",
                "one_lake",
                "local",
                "fsspec",
            ],
            Lower,
        ]
        | None
    ) = None
    uri: str | None = None
    account_name: str | None = None
    container_name: str | None = None
    file_share_name: str | None = None
    filesystem: str | None = None
    store_name: str | None = None
    endpoint: str | None = None
    protocol: str | None = None
    description: str | None = None
    tags: Texts | None = None
    credentials: dict[str, Any] | None = None


class CronTrigger(Part):
    """At the times of a cron expression."""

    needed = ("type", "expression")
    type: Annotated[Literal["cron"], Lower] | None = None
    expression: str | None = None
    start_time: str | None = None
    end_time: str | None = None
    time_zone: str | None = None


_Day = Annotated[
    Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"], Lower
]


class RecurrencePattern(Part):
    """At which hours and minutes of which days."""

    needed = ("hours", "minutes")
    hours: int | list[int] | None = None
    minutes: int | list[int] | None = None
    week_days: _Day | list[_Day] | None = None
    month_days: int | list[int] | None = None


class RecurrenceTrigger(Part):
    """Every so many minutes, hours, days, weeks or months."""

    needed = ("type", "frequency", "interval")
    type: Annotated[Literal["recurrence"], Lower] | None = None
    frequency: Annotated[Literal["minute", "hour", "day", "week", "month"], Lower] | None = None
    interval: Whole | None = None
    schedule: RecurrencePattern | None = None
    start_time: str | None = None
    end_time: str | None = None
    time_zone: str | None = None


class OtherTrigger(Part):
    """A trigger of no known kind."""

    needed = ("type",)
    lenient = True
    type: Annotated[Literal["cron", "recurrence"], Lower] | None = None


def _which_trigger(given: object) -> str:
    kind = given.get("type") if isinstance(given, dict) else None
    known = {"cron": "~cron", "recurrence": "~recurrence"}
    return known.get(kind.lower() if isinstance(kind, str) else "", "~other")


class CreateJob(Part):
    """A job with some of its values changed."""

    needed = ("type", "job")
    lenient = True
    type: Literal["pipeline", "command"] | None = None
    job: str | None = None
    inputs: dict[str, JobInput] | None = None
    outputs: dict[str, DataOutput | None] | None = None
    settings: Settings | None = None
    experiment_name: str | None = None
    display_name: str | None = None
    description: str | None = None
    tags: Texts | None = None
    compute: str | None = None


def _which_job(given: object) -> str:
    return "~name" if isinstance(given, str) else "~changed"


class Schedule(Part):
    """When a job is created."""

    needed = ("name", "trigger", "create_job")
    declared_in: Annotated[str | None, Key("$schema")] = None
    name: str | None = None
    display_name: str | None = None
    description: str | None = None
    tags: Texts | None = None
    properties: Texts | None = None
    trigger: (
        Annotated[
            Annotated[CronTrigger, Tag("~cron")]
            | Annotated[RecurrenceTrigger, Tag("~recurrence")]
            | Annotated[OtherTrigger, Tag("~other", shown=False)],
            Chosen(_which_trigger),
        ]
        | None
    ) = None
    create_job: (
        Annotated[
            Annotated[CreateJob, Tag("~changed")] | Annotated[str, Tag("~name")],
            Chosen(_which_job),
        ]
        | None
    ) = None


MODELS: Final[dict[str, type[Part]]] = {
    "environment": EnvironmentAsset,
    "data": DataAsset,
    "model": ModelAsset,
    "datastore": DatastoreAsset,
    "schedule": Schedule,
}
