"""A version made into a package for some platform, and what was proven of it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from msgspec import Struct


class Target(StrEnum):
    """What a package is made for."""

    GCF = "gcf"
    LAMBDA = "lambda"
    LAMBDA_CONTAINER = "lambda-container"
    AZURE_FUNCTIONS = "azure-functions"
    CONTAINER = "container"
    KUBERNETES = "kubernetes"
    KSERVE = "kserve"
    SAGEMAKER = "sagemaker"
    AZUREML = "azureml"
    WHEEL = "wheel"


class Engine(StrEnum):
    """Who answers in a package: the compiled scorer, or the model's own library."""

    SCORER = "scorer"
    LIBRARY = "library"


class Proof(Struct, frozen=True, kw_only=True):
    """That a package, run in a fresh environment, answered as the registered model does.

    Attributes:
        version: of the model, `name@number`.
        target: what it was made for.
        digest: of the package: that of its list of digests.
        at: when, with time zone.
        rows: how many rows were compared.
        made_up: how many of them were made up from the signature; the others are rows of the data.
        words: what they were, such as `150 of iris.csv, 200 made up`.
        requests: how many requests that took.
        refused: how many bad requests were refused with a reason.
        max_difference: the largest difference of a probability, or of a value by its size.
        python: version of the Python it ran on.
        requirements: what the environment was made of, `name==version` each.
        ran: what ran, in words.
    """

    version: str
    target: Target
    digest: str
    at: datetime
    rows: int
    words: str
    requests: int
    refused: int
    max_difference: float
    python: str
    requirements: tuple[str, ...]
    ran: str
    made_up: int = 0


class Package(Struct, frozen=True, kw_only=True):
    """A package that was written.

    Attributes:
        version: of the model, `name@number`.
        target: what it was made for.
        folder: where its files lie.
        archive: the same files as one zip file, beside the folder.
        digest: of the package.
        files: paths within the folder, sorted.
        archive_bytes: of the zip file.
        unpacked_bytes: of the files.
        engine: who answers in it.
        reason: why it is not the scorer; empty where it is.
        python: minor version of the Python that it is for.
        requirements: `name==version` of each distribution that it needs.
        proof: None where it was not run.
        unproven: why it was not run; empty where it was.
    """

    version: str
    target: Target
    folder: str
    archive: str
    digest: str
    files: tuple[str, ...]
    archive_bytes: int
    unpacked_bytes: int
    engine: Engine
    reason: str
    python: str
    requirements: tuple[str, ...]
    proof: Proof | None = None
    unproven: str = ""
