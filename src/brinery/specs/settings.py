"""Settings: defaults < brinery.toml < BRINERY_* variables < flags."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from brinery.errors import SettingsError
from brinery.specs import gates, job_settings, places
from brinery.specs.categories import UnknownCategories
from brinery.specs.gates import Gate
from brinery.specs.names import nearest

_HINT: Final = "docs/reference/settings.md lists the settings, docs/how-to/gate.md shows the gates"


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ModelSettings(_Section):
    """The process that holds a model."""

    timeout_s: float = Field(
        600.0,
        gt=0,
        allow_inf_nan=False,
        description="seconds a model may take to load, or to score one table",
    )


class SandboxSettings(_Section):
    """What holds the process of a model back."""

    require_sandbox: bool = Field(
        default=False,
        description="whether a model is refused where a layer of the sandbox is missing; "
        "`brinery doctor` shows them",
    )
    memory_gb: float = Field(
        8.0,
        gt=0,
        allow_inf_nan=False,
        description="memory a model may take, beside that of its libraries",
    )
    scratch_gb: float = Field(
        4.0,
        gt=0,
        allow_inf_nan=False,
        description="what a model may have written at a time, in the folder of its process",
    )


class EvaluateSettings(_Section):
    """What `brinery evaluate` and an import find out of a model."""

    at_import: bool = Field(
        default=True,
        description="whether an import finds out everything that `brinery evaluate` does and "
        "writes the report; the figures of a version are computed in any case",
    )
    budget: int = Field(
        200_000,
        ge=1_000,
        le=1_000_000_000,
        description="rows that each kind of explanation may have scored; a model without a scorer "
        "has a tenth of them",
    )


class ServeSettings(_Section):
    """`brinery serve`."""

    host: str = Field("127.0.0.1", min_length=1, description="address to listen on")
    port: int = Field(8000, ge=1, le=65535, description="port to listen on")
    workers: int = Field(1, ge=1, le=256, description="server processes, each with its model")
    timeout_s: float = Field(
        60.0, gt=0, allow_inf_nan=False, description="seconds one request may be scored"
    )
    max_body_mb: float = Field(32.0, gt=0, le=2048, description="largest request body, in MB")
    memory_limit_gb: float | None = Field(
        None,
        gt=0,
        allow_inf_nan=False,
        description="memory that loaded models may take in each server process; beyond it the "
        "longest unused goes, and is loaded again when it is asked for",
    )
    body_timeout_s: float = Field(
        30.0, gt=0, allow_inf_nan=False, description="seconds a client may take to send a body"
    )
    max_batch_size: int = Field(
        1024, ge=1, le=1_000_000, description="rows of several requests that are scored at once"
    )
    max_queue: int = Field(
        1024, ge=1, le=1_000_000, description="requests that may wait to be scored"
    )
    access_log: str = Field(
        "", description="file of the access log, `-` for standard error; empty for none"
    )
    unknown_categories: UnknownCategories = Field(
        UnknownCategories.REFUSE,
        description="what /v1 does with a category the model never saw: refuse or allow",
    )


class UpSettings(_Section):
    """`brinery up`."""

    host: str = Field("127.0.0.1", min_length=1, description="address to listen on")
    port: int = Field(5001, ge=1, le=65535, description="port to listen on")
    allowed_hosts: str = Field(
        "",
        description="names that the server is asked under, separated by commas, beside addresses, "
        "`localhost` and this machine's own name",
    )
    key_file: str = Field(
        "",
        description="file with a key on each line, one of which whoever asks the server must give, "
        "beside those of `brinery key create`; empty for none",
    )
    max_upload_mb: float = Field(
        2048.0,
        gt=0,
        allow_inf_nan=False,
        description="largest model or table that may be sent to the page, in MB",
    )


class StoreSettings(_Section):
    """Where models and records are kept, where it is not in the workspace."""

    uri: Annotated[str, AfterValidator(places.database)] = Field(
        "",
        repr=False,
        description="a PostgreSQL database, `postgresql://USER:PASSWORD@HOST/DATABASE`, for "
        "MLflow's tables and ours; empty for SQLite files in the workspace",
    )
    artifacts: Annotated[str, AfterValidator(places.artifacts)] = Field(
        "",
        description="`s3://BUCKET/PREFIX`, or the whole path of a folder, for the files of models; "
        "empty for a folder in the workspace",
    )


class Settings(_Section):
    """All settings of a workspace."""

    model: ModelSettings = ModelSettings()
    sandbox: SandboxSettings = SandboxSettings()
    evaluate: EvaluateSettings = EvaluateSettings()
    serve: ServeSettings = ServeSettings()
    up: UpSettings = UpSettings()
    store: StoreSettings = StoreSettings()
    gates: dict[str, Gate] = {}


def read(
    file: Path,
    environ: Mapping[str, str],
    *,
    flags: Mapping[tuple[str, str], str | None] | None = None,
) -> Settings:
    """Return the settings of a workspace.

    Args:
        file: brinery.toml, which need not exist.
        environ: the process's variables; `BRINERY_SERVE_PORT` sets `port` under `[serve]`.
        flags: section and key to what a flag says; None where it is not given.

    Raises:
        SettingsError: every fault at once, each with its key and where it was set.
    """
    try:
        text = file.read_text(encoding="utf-8") if file.is_file() else ""
        declared = tomllib.loads(text)
    except OSError as error:
        raise SettingsError(
            f"{file} cannot be read: {error.strerror}", hint=f"ls -l {file} shows who may read it"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"{file} is not valid TOML: {error}",
            hint=gates.one_key_a_line(file) or f"edit {file}",
        ) from None
    origins: dict[tuple[str, str], str] = {}
    for section, model in _sections().items():
        for key in model.model_fields:
            variable = f"BRINERY_{section}_{key}".upper()
            said, origin = (flags or {}).get((section, key)), f"{section}.{key}"
            if said is None:
                said, origin = environ.get(variable), variable
            values = declared.setdefault(section, {}) if said is not None else None
            if isinstance(values, dict):
                values[key] = said
                origins[section, key] = origin
    declared_gates, faults = gates.parse(declared.pop("gates", {}), where=str(file))
    faults = [*faults, *job_settings.faults(declared, where=str(file))]
    for section in job_settings.SECTIONS:
        declared.pop(section, None)
    settings = Settings()
    try:
        settings = Settings.model_validate(declared)
    except ValidationError as error:
        faults = [*(_fault(fault, file, origins) for fault in error.errors()), *faults]
    if faults:
        raise SettingsError("; ".join(faults), hint=_HINT)
    return settings.model_copy(update={"gates": declared_gates})


def _sections() -> dict[str, type[_Section]]:
    return {
        "model": ModelSettings,
        "sandbox": SandboxSettings,
        "evaluate": EvaluateSettings,
        "serve": ServeSettings,
        "up": UpSettings,
        "store": StoreSettings,
    }


def _fault(fault: Any, file: Path, origins: dict[tuple[str, str], str]) -> str:
    location = tuple(str(part) for part in fault["loc"])
    where = origins.get((location[0], location[-1]), f"{file}: {'.'.join(location)}")
    if fault["type"] == "value_error":
        return f"{where}: {fault['ctx']['error']}"
    if fault["type"] != "extra_forbidden":
        return f"{where}: {fault['msg'].lower()}"
    fields = Settings.model_fields if len(location) == 1 else _sections()[location[0]].model_fields
    near = nearest(location[-1], fields)
    return f"{where} is not a setting" + (f": did you mean {near}?" if near else "")
