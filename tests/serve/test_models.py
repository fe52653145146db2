"""Many models in one server: loaded when asked for, replaced while they answer, let go unused."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from msgspec.structs import replace
from tests.serve.conftest import Api, endpoint_of, regression, serving
from tests.there import children

from brinery.flavors import sample
from brinery.records.scores import Scores
from brinery.serve.manifest import Manifest, ManifestFile, Offer, Target

X = pd.DataFrame({"x": [0.0, 1.0, 2.0]})
WAIT_S = 240.0


class Shelf:
    """Versions that answer with their own number, and the manifest that offers them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.file = ManifestFile(folder / "manifest")
        self.offers: dict[tuple[str, int], Offer] = {}

    def add(self, name: str, number: int, *, aliases: tuple[str, ...] = (), **changes: Any) -> None:
        """Offer a version of a model."""
        path = self._folder / f"{name}{number}.pkl"
        model = regression(lambda frame: [float(number)] * len(frame))
        endpoint = endpoint_of(model, X, path, **changes)
        version = replace(endpoint.version, name=name, number=number, aliases=aliases)
        self.offers[name, number] = Offer(
            name=name,
            number=number,
            aliases=aliases,
            endpoint=replace(endpoint, version=version),
        )

    def kept(self, answer: float) -> str:
        """Return the path of a sample whose rows were answered so."""
        path = self._folder / f"sample{answer}"
        sample.write(path, pa.table({"x": [1.0]}), scores=Scores(predictions=np.array([answer])))
        return str(path)

    def manifest(self, *targets: tuple[str, int], **changes: Any) -> Manifest:
        """Return what serves some of the versions under their models' names."""
        fields: dict[str, Any] = {"max_body_bytes": 1_000_000}
        return Manifest(
            targets=tuple(Target(name=n, number=k, follows="champion") for n, k in targets),
            offers=tuple(self.offers.values()),
            **{**fields, **changes},
        )


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    """Two models, of which one has three versions."""
    shelf = Shelf(tmp_path)
    shelf.add("bank", 1)
    shelf.add("bank", 2, aliases=("champion", "first"))
    shelf.add("bank", 3)
    shelf.add("iris", 1)
    return shelf


def ask(api: Api, path: str) -> httpx.Response:
    return api.post(path, json={"x": 1.0})


def value(api: Api, path: str) -> float:
    """Return what a path answers, which is the number of its version."""
    answer = ask(api, path)
    assert answer.status_code == 200, answer.text
    assert answer.json()["version"] == answer.json()["predictions"][0]["value"]
    model = answer.json()["model"]
    assert answer.headers["x-model-version"] == f"{model}@{answer.json()['version']}"
    found: float = answer.json()["predictions"][0]["value"]
    return found


def until(reached: Callable[[], bool]) -> None:
    """Wait until something is so."""
    end = time.monotonic() + WAIT_S
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.02)


def described(api: Api, name: str) -> dict[str, Any]:
    """Return what the server says of a model."""
    models = api.get("/v1/models").json()["models"]
    found: dict[str, Any] = next(model for model in models if model["name"] == name)
    return found


def test_each_model_answers_under_its_name(shelf: Shelf) -> None:
    """By its name, by the number of a version, and by an alias; on both routes."""
    with serving(shelf.manifest(("bank", 2), ("iris", 1))) as api:
        assert value(api, "/v1/models/bank/predict") == 2
        assert value(api, "/v1/models/iris/predict") == 1
        assert value(api, "/v1/models/bank/versions/3/predict") == 3
        assert value(api, "/v1/models/bank/aliases/first/predict") == 2
        rows = {"dataframe_records": [{"x": 1.0}]}
        assert api.post("/invocations/iris", json=rows).json() == {"predictions": [1.0]}
        assert api.post("/invocations", json=rows).status_code == 404
        assert ask(api, "/v1/models/bank/versions/4/predict").status_code == 404
        assert ask(api, "/v1/models/other/predict").status_code == 404


def test_one_document_describes_all_of_them(shelf: Shelf) -> None:
    """Each model has its paths and schemas, and the server says of itself once what it is."""
    with serving(shelf.manifest(("bank", 2), ("iris", 1))) as api:
        document = api.get("/openapi.json").json()
        own = api.get("/v1/models/iris/openapi.json").json()
        assert api.get("/docs").headers["location"] == "/docs/bank"
        assert api.get("/docs/iris").status_code == 200
        assert api.get("/docs/other").status_code == 404
        assert api.get("/v1/models/other/openapi.json").status_code == 404
    paths = document["paths"]
    for name in ("bank", "iris"):
        assert {f"/v1/models/{name}/predict", f"/invocations/{name}"} <= paths.keys()
        body = paths[f"/v1/models/{name}/predict"]["post"]["requestBody"]["content"]
        references = [one["$ref"] for one in body["application/json"]["schema"]["oneOf"]]
        assert f"#/components/schemas/{name}.Row" in references
    assert not {"/invocations", "/value", "/label"} & (paths.keys() | own["paths"].keys())
    operations = [one["operationId"] for path in paths.values() for one in path.values()]
    assert len(set(operations)) == len(operations)
    told = str(document)
    for schema in document["components"]["schemas"]:
        assert schema.split(".")[0] in {"bank", "iris"}
    assert "schemas/Row" not in told


def test_what_is_not_asked_for_is_not_loaded(shelf: Shelf) -> None:
    """A model that waits to be asked takes no memory, and answers when it is."""
    manifest = shelf.manifest(("bank", 2), ("iris", 1))
    lazy = replace(manifest, targets=tuple(replace(t, eager=False) for t in manifest.targets))
    with serving(lazy) as api:
        assert [model["loaded"] for model in api.get("/v1/models").json()["models"]] == [False] * 2
        assert api.get("/ready").status_code == 200
        assert value(api, "/v1/models/iris/predict") == 1
        assert described(api, "iris")["loaded"]
        assert not described(api, "bank")["loaded"]


def test_the_longest_unused_goes_first(shelf: Shelf) -> None:
    """Beyond the limit of memory one is let go, and comes back when it is asked for."""
    manifest = shelf.manifest(("bank", 2), ("iris", 1), memory_limit_bytes=1)
    with serving(manifest) as api:
        assert value(api, "/v1/models/iris/predict") == 1
        assert value(api, "/v1/models/bank/predict") == 2
        assert value(api, "/v1/models/bank/versions/1/predict") == 1
        assert not described(api, "iris")["loaded"]
        assert not described(api, "bank")["loaded"]
        assert value(api, "/v1/models/iris/predict") == 1


def test_one_that_fails_fails_alone(shelf: Shelf) -> None:
    """A version that cannot be loaded, or served at all, is 503; the others answer."""
    shelf.add("iris", 2, model_file="/nowhere/model.pkl")
    shelf.offers["iris", 3] = Offer(name="iris", number=3, fault="its environment is gone")
    with serving(shelf.manifest(("bank", 2), ("iris", 2))) as api:
        assert ask(api, "/v1/models/iris/predict").status_code == 503
        refused = ask(api, "/v1/models/iris/versions/3/predict")
        assert refused.status_code == 503
        assert "environment is gone" in refused.json()["detail"]
        assert value(api, "/v1/models/bank/predict") == 2
        assert value(api, "/v1/models/iris/versions/1/predict") == 1


def test_a_new_champion_takes_over(shelf: Shelf) -> None:
    """Its name's path is answered by it, without a request that fails or is of neither."""
    shelf.file.write(shelf.manifest(("bank", 2)))
    with serving(shelf.file.read(), shelf.file) as api:
        until(lambda: api.get("/ready").status_code == 200)
        with asking(api) as answers:
            until(lambda: len(answers) > 20)
            shelf.add("bank", 2)
            shelf.add("bank", 3, aliases=("champion",), sample_file=shelf.kept(3.0))
            shelf.file.write(shelf.manifest(("bank", 3)))
            until(lambda: 3 in answers)
            after = len(answers)
            until(lambda: len(answers) > after + 20)
        assert sorted(answers) == answers  # first all of one, then all of the other
        assert value(api, "/v1/models/bank/aliases/champion/predict") == 3
        assert described(api, "bank")["fault"] is None


class asking:  # noqa: N801 - reads as a phrase
    """Clients that ask all the while; each answer is a version's number."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._ended = threading.Event()
        self.answers: list[float] = []
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self._ended.is_set():
            self.answers.append(value(self._api, "/v1/models/bank/predict"))

    def __enter__(self) -> list[float]:
        self._thread.start()
        return self.answers

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(WAIT_S)


@pytest.mark.parametrize("wrong", ["gone", "answers"])
def test_the_old_one_stays_where_the_new_one_cannot(shelf: Shelf, wrong: str) -> None:
    """One that cannot be loaded, or answers kept rows otherwise, is shown and not used."""
    if wrong == "gone":
        shelf.add("bank", 3, model_file="/nowhere/model.pkl")
    else:
        shelf.add("bank", 3, sample_file=shelf.kept(7.0))
    shelf.file.write(shelf.manifest(("bank", 2)))
    with serving(shelf.file.read(), shelf.file) as api:
        assert value(api, "/v1/models/bank/predict") == 2
        shelf.file.write(shelf.manifest(("bank", 3)))
        until(lambda: described(api, "bank")["fault"] is not None)
        fault = described(api, "bank")["fault"]
        assert "bank@3 could not be loaded" in fault
        assert "bank@2 stays" in fault
        assert value(api, "/v1/models/bank/predict") == 2
        shelf.add("bank", 4)
        shelf.file.write(shelf.manifest(("bank", 4)))
        until(lambda: value(api, "/v1/models/bank/predict") == 4)
        assert described(api, "bank")["fault"] is None


def test_a_model_may_come_and_go(shelf: Shelf) -> None:
    """One that is new is served, and one that is no longer there is not."""
    shelf.file.write(shelf.manifest(("bank", 2)))
    with serving(shelf.file.read(), shelf.file) as api:
        assert ask(api, "/v1/models/iris/predict").status_code == 404
        shelf.file.write(shelf.manifest(("iris", 1)))
        until(lambda: ask(api, "/v1/models/iris/predict").status_code == 200)
        assert ask(api, "/v1/models/bank/predict").status_code == 404


def test_a_manifest_that_cannot_be_read_changes_nothing(
    shelf: Shelf, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """What is served stays, and the next one that can be read counts."""
    shelf.file.write(shelf.manifest(("bank", 2)))
    with serving(shelf.file.read(), shelf.file) as api:
        (tmp_path / "manifest").write_bytes(b"\xc1")
        until(lambda: any("manifest" in record.getMessage() for record in caplog.records))
        assert value(api, "/v1/models/bank/predict") == 2
        shelf.file.write(shelf.manifest(("bank", 3)))
        until(lambda: value(api, "/v1/models/bank/predict") == 3)


def model_processes() -> set[int]:
    """Return the processes of models that this one began."""
    return {number for number, command in children() if "launch.py" in command}


def test_an_alias_that_flaps_ends_where_it_ends(shelf: Shelf) -> None:
    """A hundred moves in a second: every answer is of one version, and only the last one stays."""
    before = model_processes()
    shelf.file.write(shelf.manifest(("bank", 1)))
    with serving(shelf.file.read(), shelf.file) as api:
        until(lambda: api.get("/ready").status_code == 200)
        with asking(api) as answers:
            for move in range(100):
                shelf.file.write(shelf.manifest(("bank", move % 3 + 1)))
                time.sleep(0.01)
            shelf.file.write(shelf.manifest(("bank", 3)))
            until(lambda: answers[-1] == 3)
        until(lambda: len(model_processes() - before) == 1)
        assert set(answers) <= {1, 2, 3}
        assert value(api, "/v1/models/bank/predict") == 3


def test_models_of_one_file_are_two(shelf: Shelf) -> None:
    """Each answers under its own name, and one that goes leaves the other."""
    one = shelf.offers["iris", 1]
    assert one.endpoint is not None
    version = replace(one.endpoint.version, name="twin")
    shelf.offers["twin", 1] = replace(
        one, name="twin", endpoint=replace(one.endpoint, version=version)
    )
    shelf.file.write(shelf.manifest(("iris", 1), ("twin", 1)))
    with serving(shelf.file.read(), shelf.file) as api:
        until(lambda: api.get("/ready").status_code == 200)
        assert [value(api, f"/v1/models/{name}/predict") for name in ("iris", "twin")] == [1, 1]
        shelf.file.write(shelf.manifest(("iris", 1)))
        until(lambda: ask(api, "/v1/models/twin/predict").status_code == 404)
        assert value(api, "/v1/models/iris/predict") == 1


def test_what_was_loaded_at_once_is_weighed_when_it_is_there(shelf: Shelf) -> None:
    """Models that are asked for together may take more than the limit, but not for long."""
    manifest = shelf.manifest(("bank", 2), ("iris", 1), memory_limit_bytes=1)
    lazy = replace(manifest, targets=tuple(replace(t, eager=False) for t in manifest.targets))
    with serving(lazy) as api:
        asked = [
            threading.Thread(target=ask, args=(api, f"/v1/models/{name}/predict"))
            for name in ("bank", "iris")
        ]
        for thread in asked:
            thread.start()
        for thread in asked:
            thread.join(WAIT_S)
        names = ("bank", "iris")
        until(lambda: sum(described(api, name)["loaded"] for name in names) < len(names))
        assert value(api, "/v1/models/bank/predict") == 2
