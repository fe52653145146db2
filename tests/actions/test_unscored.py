"""Models that cannot be asked for predictions: kept as they are, and refused where one asks."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import msgspec
import numpy as np
import pandas as pd
import pytest
import skops.io
import statsmodels.api as sm
from safetensors.numpy import save_file
from sklearn.cluster import DBSCAN, KMeans
from sklearn.neighbors import LocalOutlierFactor
from tests.actions.conftest import Run

from brinery.actions.export_model import Order, export_in
from brinery.actions.predict import LoadedModel
from brinery.actions.promote import PromoteAsked, promote_in
from brinery.actions.rooms import Rooms
from brinery.actions.roster import Roster, endpoint_of
from brinery.errors import DataRequired, NotExportable, NotServable, TypeMismatch
from brinery.records.description import Description
from brinery.records.evaluation import PredictionType
from brinery.records.event import Event
from brinery.records.export import ExportFormat
from brinery.records.scan import Verdict
from brinery.records.version import Version
from brinery.specs.reference import Reference

X = np.random.default_rng(5).normal(size=(30, 2))
DATA = pd.DataFrame(X, columns=["a", "b"])


def weights(folder: Path) -> Path:
    path = folder / "weights.safetensors"
    save_file({"layer": np.zeros((2, 3), np.float32)}, path)
    return path


def clusterer(folder: Path) -> Path:
    path = folder / "clusters.pkl"
    path.write_bytes(pickle.dumps(DBSCAN().fit(X)))
    return path


def compressed(folder: Path) -> Path:
    joblib.dump(DBSCAN().fit(X), folder / "clusters.joblib", compress=3)
    return folder / "clusters.joblib"


def checked(folder: Path) -> Path:
    skops.io.dump(DBSCAN().fit(X), folder / "clusters.skops")
    return folder / "clusters.skops"


def outliers(folder: Path) -> Path:
    path = folder / "outliers.pkl"
    path.write_bytes(pickle.dumps(LocalOutlierFactor(3).fit(X)))
    return path


def series(folder: Path) -> Path:
    path = folder / "series.pkl"
    path.write_bytes(pickle.dumps(sm.tsa.ARIMA(X[:, 0].cumsum(), order=(1, 0, 0)).fit()))
    return path


FILES = [weights, clusterer, compressed, checked, outliers, series]


def warnings(events: list[Event]) -> list[str]:
    return [event.message for event in events if event.warning]


def order(version: Version, to: str, folder: Path) -> Order:
    return Order(version=version, to=ExportFormat(to), folder=folder, frame=None, words="")


@pytest.mark.parametrize("make", FILES, ids=lambda make: make.__name__)
@pytest.mark.filterwarnings("ignore")
def test_registered_as_it_is(
    make: Callable[[Path], Path], run: Run, rooms: Rooms, tmp_path: Path
) -> None:
    """It comes without data, its stored file is the same bytes, and it says why it is not asked."""
    path = make(tmp_path)
    version, events = run(model=path, name="kept")
    (said,) = warnings(events)
    assert said.startswith("other: it cannot be asked for predictions, because it ") or (
        make is series and "because ARIMA forecasts a series" in said
    )
    candidate = version.candidate
    assert candidate is not None
    assert candidate.description.type is PredictionType.OTHER
    assert candidate.description.unscored is not None
    assert (candidate.data, candidate.evaluation, version.parity) == (None, None, None)
    assert candidate.signature.columns == ()
    assert candidate.verdict is Verdict.SAFE
    assert candidate.environment.packages
    assert rooms.registry.model_file(version).read_bytes() == path.read_bytes()
    again, events = run(model=path, name="kept")
    assert again.reference == version.reference
    assert "is kept@1 already" in events[-1].message


def test_data_is_not_used(run: Run, tmp_path: Path) -> None:
    """Data and a target may be given all the same: that they are not used is said."""
    version, events = run(model=weights(tmp_path), name="kept", data=DATA, target="b")
    assert "not evaluated: --data and --target are not used" in warnings(events)
    assert version.candidate is not None
    assert version.candidate.data is None


def test_it_is_of_no_other_type(run: Run, rooms: Rooms, tmp_path: Path) -> None:
    """A type that it is stated to have is refused with the reason; `other` is what it is."""
    with pytest.raises(TypeMismatch, match="no binary model: it cannot be asked") as caught:
        run(model=weights(tmp_path), name="kept", type=PredictionType.BINARY)
    assert "leave out --type" in caught.value.hint
    assert not rooms.registry.names()
    run(model=weights(tmp_path), name="kept", type=PredictionType.OTHER)


@pytest.mark.parametrize(
    "model",
    [KMeans(2), LocalOutlierFactor(3, novelty=True)],
    ids=["told by its class", "told once it is loaded"],
)
def test_what_can_be_asked_needs_data(model: Any, run: Run, rooms: Rooms, tmp_path: Path) -> None:
    """Without data it is refused before anything is written."""
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(model.fit(X)))
    with pytest.raises(DataRequired, match="can be asked for predictions") as caught:
        run(model=path, name="kept")
    assert caught.value.hint == f"brinery import {path} --name kept --data FILE"
    assert not list(rooms.workspace.root.iterdir())
    assert not rooms.registry.names()
    version, _ = run(model=path, name="kept", data=DATA)
    assert version.parity is not None


def test_promoted_and_not_asked(run: Run, rooms: Rooms, tmp_path: Path) -> None:
    """It may be the champion; whoever asks it for predictions is told why not, and what to do."""
    version, _ = run(model=weights(tmp_path), name="kept")
    promoted = promote_in(rooms, PromoteAsked(reference="kept"))
    assert promoted.version.aliases == ("champion",)
    said = "kept@1 cannot be asked for predictions, because it holds tensors, and no program"
    for ask in (LoadedModel, endpoint_of):
        with pytest.raises(NotServable, match=said) as caught:
            ask(rooms, version)
        assert "torch.onnx.export(network" in caught.value.hint
    with pytest.raises(NotServable, match=said):
        Roster(rooms, [Reference("kept")]).first()


def test_a_server_of_all_says_so(run: Run, rooms: Rooms, tmp_path: Path) -> None:
    """Of all models it is offered with the reason, and keeps none of the others from being."""
    run(model=weights(tmp_path), name="kept")
    clusters = tmp_path / "kmeans.pkl"
    clusters.write_bytes(pickle.dumps(KMeans(2).fit(X)))
    run(model=clusters, name="clusters", data=DATA)
    offers = {offer.name: offer for offer in Roster(rooms, [], every=True).first().offers}
    assert offers["clusters"].endpoint is not None
    assert offers["kept"].endpoint is None
    assert "cannot be asked for predictions" in offers["kept"].fault


@pytest.mark.parametrize("make", [weights, compressed], ids=lambda make: make.__name__)
@pytest.mark.parametrize("to", ["native", "mlflow"])
def test_exported_as_it_is(
    make: Callable[[Path], Path], to: str, run: Run, rooms: Rooms, tmp_path: Path
) -> None:
    """Its file is written as it is, beside what it needs."""
    path = make(tmp_path)
    version, _ = run(model=path, name="kept")
    done = export_in(rooms, order(version, to, tmp_path / "out"), allow_difference=False)
    assert done.equal
    assert done.rows == 0
    assert done.checked.startswith("its bytes: sha256 ")
    written = tmp_path / "out" / f"model{path.suffix}"
    assert written.read_bytes() == path.read_bytes()


def test_imported_from_a_registry(run: Run, rooms: Rooms, tmp_path: Path) -> None:
    """What was written as MLflow's folder is imported again, with the same bytes."""
    path = weights(tmp_path)
    version, _ = run(model=path, name="kept")
    made = tmp_path / "mlflow" / "model"
    made.mkdir(parents=True)
    (made / "model.safetensors").write_bytes(rooms.registry.model_file(version).read_bytes())
    flavors = "flavors: {brinery: {code: null, data: model.safetensors, format: safetensors}}\n"
    (made / "MLmodel").write_text(flavors, encoding="utf-8")
    again, _ = run(model=made, name="again")
    assert again.candidate is not None
    assert version.candidate is not None
    assert again.candidate.description == version.candidate.description
    assert rooms.registry.model_file(again).read_bytes() == path.read_bytes()


def test_records_of_before() -> None:
    """What was recorded before there was a word for it can be asked, as it could then."""
    described = Description(
        framework="f", framework_version="1", outline="M", type=PredictionType.OTHER
    )
    before = msgspec.json.decode(msgspec.json.encode(described))
    del before["unscored"]
    assert msgspec.convert(before, Description) == described


@pytest.mark.parametrize("to", ["onnx", "skops", "joblib"])
def test_not_written_anew(to: str, run: Run, rooms: Rooms, tmp_path: Path) -> None:
    """Another format is refused: no answer would show that it is the same model."""
    version, _ = run(model=clusterer(tmp_path), name="kept")
    with pytest.raises(NotExportable, match=f"cannot be written as {to}: no answer") as caught:
        export_in(rooms, order(version, to, tmp_path / "out"), allow_difference=False)
    assert "--to native" in caught.value.hint
    assert not (tmp_path / "out").exists()
