"""The environment that a step declares, as the record `Software`: files read, references whole."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import yaml

from brinery.errors import SettingsError
from brinery.pipeline.catalog import Catalog, named
from brinery.records.plan import Software
from brinery.specs import conda_file, job_source
from brinery.specs.job_parts import Build, EnvironmentFile, InlineEnvironment
from brinery.specs.job_source import Spot

_MAX_BYTES = 1_000_000


def software(declared: str | InlineEnvironment | None, spot: Spot, *, catalog: Catalog) -> Software:
    """Return an environment; what is at fault is told.

    Args:
        declared: as the file has it; None where that is told already.
        spot: where it stands.
        catalog: of registered ones.
    """
    if declared is None:
        return Software()
    if isinstance(declared, InlineEnvironment):
        return inline(declared, spot)
    reference = named(declared)
    if reference is not None:
        return catalog.environment(reference) or Software(reference=reference)
    if declared.startswith("file:"):
        return _of_file(declared.removeprefix("file:"), spot)
    looks = os.path.isfile(spot.source.folder / declared)  # noqa: PTH113 - it may be too long a name
    hint = f"write file:{declared}" if looks else f"write azureml:{declared}@latest"
    spot.fault(f"{declared!r} names no environment: {hint}")
    return Software()


def _of_file(path: str, spot: Spot) -> Software:
    source = spot.source
    file = source.folder / path
    if not os.path.isfile(file):  # noqa: PTH113 - as above
        spot.fault(f"there is no file {path}")
        return Software()
    inner = job_source.read(file, found=source.found, name=str(Path(source.name).parent / path))
    return inline(inner.checked(EnvironmentFile, inner.stated), Spot(inner))


def inline(declared: InlineEnvironment, spot: Spot) -> Software:
    """Return an environment whose parts are written down; what is at fault is told."""
    if declared.build is not None and (declared.image or declared.conda_file):
        other = "image" if declared.image else "conda_file"
        spot.at("build").fault(f"goes with no {other}: an image is taken or built")
    if declared.conda_file is not None and not declared.image and declared.build is None:
        spot.at("conda_file").note("without an image it is installed on this Python")
    if not (declared.image or declared.build or declared.conda_file):
        spot.fault("has neither image, conda_file nor build")
    conda, context = _conda(declared.conda_file, spot.at("conda_file"))
    dockerfile = ""
    if declared.build is not None:
        dockerfile, context = _build(declared.build, spot.at("build"))
    return Software(
        image=declared.image or "",
        conda=conda,
        dockerfile=dockerfile,
        context=context,
    )


def _conda(stated: str | dict[str, Any] | None, spot: Spot) -> tuple[str, str]:
    if stated is None:
        return "", ""
    if isinstance(stated, dict):
        text = yaml.safe_dump(stated, sort_keys=False)
        return _lines(text, "conda_file", spot), str(spot.source.folder)
    file = spot.source.folder / stated.removeprefix("file:")
    text = _text(file, stated, spot)
    return _lines(text, stated, spot) if text else "", str(file.parent.resolve())


def _lines(text: str, name: str, spot: Spot) -> str:
    """Return the text of a conda file; one without dependencies that can be read is told of."""
    try:
        conda_file.lines(text, where=name)
    except SettingsError as error:
        spot.fault(error.message)
    return text


def _build(declared: Build, spot: Spot) -> tuple[str, str]:
    path = declared.path
    if path is None:
        spot.fault("path is missing")
        return "", ""
    if path.startswith(("http:", "https:", "git")):
        spot.at("path").fault(f"{path}: what an image is built of is a folder here")
        return "", ""
    folder = (spot.source.folder / path.removeprefix("file:")).resolve()
    if not os.path.isdir(folder):  # noqa: PTH112 - as above
        spot.at("path").fault(f"there is no folder {path}")
        return "", ""
    name = declared.dockerfile_path or "Dockerfile"
    return _text(folder / name, name, spot), str(folder)


def _text(file: Path, stated: str, spot: Spot) -> str:
    try:
        with file.open("rb") as stream:
            return stream.read(_MAX_BYTES).decode("utf-8")
    except (OSError, UnicodeDecodeError):
        spot.fault(f"there is no file {stated} that can be read")
        return ""
    finally:
        spot.source.found.files.append(file)
