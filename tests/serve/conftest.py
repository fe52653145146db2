"""What the tests of this room share: an endpoint of any model, and its application in process."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import cloudpickle
import httpx
import pandas as pd
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from sklearn.base import BaseEstimator
from tests.conftest import Bank, artifact_of
from tests.serve.rsgi import RsgiTransport

from brinery.actions.rooms import open_rooms
from brinery.flavors import signature
from brinery.flavors.python import PlainPython
from brinery.flavors.scikit_learn import ScikitLearn
from brinery.pickles.limits import Limits
from brinery.records.signature import Column, Signature
from brinery.records.version import Candidate, DataFingerprint, Environment, Origin, Version
from brinery.registry.interface import SCORER_FILE, resolve
from brinery.serve.answered import Observer
from brinery.serve.app import Application
from brinery.serve.endpoint import Endpoint
from brinery.serve.manifest import Manifest, ManifestFile
from brinery.specs.categories import UnknownCategories
from brinery.specs.reference import Reference

MakeEndpoint = Callable[..., Endpoint]


class Api:
    """A client of an application that runs in this process, on a loop in another thread."""

    def __init__(self, portal: BlockingPortal, client: httpx.AsyncClient) -> None:
        self._portal = portal
        self._client = client

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Return the answer to a request."""
        return self._portal.call(partial(self._client.request, method, path, **options))

    def get(self, path: str, **options: Any) -> httpx.Response:
        """Return the answer to a GET."""
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        """Return the answer to a POST."""
        return self.request("POST", path, **options)


@contextmanager
def running(endpoint: Endpoint, *observers: Observer) -> Iterator[Api]:
    """Run the application of an endpoint, start-up and shutdown included, while the block runs."""
    with serving(Manifest.of(endpoint), observers=observers) as api:
        yield api


@contextmanager
def serving(
    manifest: Manifest, file: ManifestFile | None = None, *, observers: Sequence[Observer] = ()
) -> Iterator[Api]:
    """Run the application of a manifest, which may be replaced in its file, as above."""
    app = Application(manifest, file=file, observers=observers)
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(_client(app)) as client,
    ):
        yield Api(portal, client)


@asynccontextmanager
async def _client(app: Application) -> AsyncIterator[httpx.AsyncClient]:
    app.__rsgi_init__(asyncio.get_running_loop())
    transport = RsgiTransport(app)
    try:
        async with httpx.AsyncClient(
            transport=transport, base_url="http://test", timeout=60
        ) as client:
            yield client
    finally:
        await app.close()


def make_signature(*columns: Column) -> Signature:
    """Return a signature of some columns, without an example."""
    return Signature(columns=columns, example={})


def regression(answer: Callable[[pd.DataFrame], Any]) -> Any:
    """Return a regression that a function is, of no library: its process starts three times sooner.

    Args:
        answer: gives a number for each row of a frame; pickled by value, it brings its imports
            along.
    """

    class Regression:
        """Any object that predicts."""

        _estimator_type = "regressor"

        def predict(self, frame: pd.DataFrame) -> Any:
            return answer(frame)

    return Regression()


def endpoint_of(model: Any, frame: pd.DataFrame, file: Path, **changes: Any) -> Endpoint:
    """Return the endpoint of a fitted model, written to a file.

    Args:
        model: pickled by value, so that a class of a test may be part of it.
        frame: what it takes.
        file: where it is written.
        changes: fields of the endpoint that are to be other than usual.
    """
    content = cloudpickle.dumps(model)
    file.write_bytes(content)
    sha256 = hashlib.sha256(content).hexdigest()
    flavor = ScikitLearn() if isinstance(model, BaseEstimator) else PlainPython()
    description = flavor.describe(model)
    candidate = Candidate(
        name="small",
        origin=Origin(file=file.name, sha256=sha256, size_bytes=len(content), written_with={}),
        description=description,
        signature=signature.infer(description, frame, may_be_missing=()),
        evaluation=None,
        environment=Environment(python="3.11", platform="linux-x86_64", packages={}),
        data=DataFingerprint(
            name="dataframe", rows=len(frame), columns=(), sha256="0", target=None
        ),
        code=None,
        artifact=artifact_of(file),
    )
    version = Version(
        name="small",
        number=1,
        aliases=(),
        created=datetime(2026, 1, 31, tzinfo=UTC),
        run_id=None,
        candidate=candidate,
    )
    fields: dict[str, Any] = {
        "version": version,
        "candidate": candidate,
        "model_file": str(file),
        "limits": Limits(),
        "timeout_s": 240.0,
        "max_body_bytes": 1_000_000,
        "unknown_categories": UnknownCategories.REFUSE,
    }
    return Endpoint(**{**fields, **changes})


@pytest.fixture
def make_endpoint(tmp_path: Path) -> MakeEndpoint:
    """`endpoint_of`, with the file in a folder of the test's own."""

    def make(model: Any, frame: pd.DataFrame, **changes: Any) -> Endpoint:
        return endpoint_of(model, frame, tmp_path / "model.pkl", **changes)

    return make


@pytest.fixture(scope="session")
def bank_endpoint(bank_workspace: Path) -> Endpoint:
    """The endpoint of the demo's champion, with a small limit on bodies."""
    registry = open_rooms(bank_workspace).registry
    version = resolve(registry, Reference.parse("bank"))
    assert version.candidate is not None
    return Endpoint(
        version=version,
        candidate=version.candidate,
        model_file=str(registry.model_file(version)),
        scorer_file=str(registry.kept_file(version, SCORER_FILE)),
        limits=Limits(),
        timeout_s=240.0,
        max_body_bytes=8_000_000,
        unknown_categories=UnknownCategories.REFUSE,
    )


@pytest.fixture(scope="session")
def api(bank_endpoint: Endpoint) -> Iterator[Api]:
    """A client of the demo's application, in this process."""
    with running(bank_endpoint) as client:
        yield client


@pytest.fixture
def example(bank: Bank) -> dict[str, Any]:
    """One row of the demo that the model takes, free to be changed."""
    return bank.row
