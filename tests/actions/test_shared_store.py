"""All verbs on PostgreSQL and S3, from two folders that share nothing else."""

from __future__ import annotations

import pickle
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression
from tests import patience
from tests.buckets import Buckets
from tests.conftest import run_brinery, serving
from tests.postgres import PASSWORD, Postgres

import brinery
from brinery.errors import ModelFileChanged, RegistryFault
from brinery.records.decision import Decision

pytestmark = pytest.mark.slow

X = pd.DataFrame({"x": [float(i) for i in range(40)]})
DATA = X.assign(y=X["x"] * 2)
FOLLOWED_S = 2.0


@pytest.fixture(scope="module")
def settings(postgres: Postgres, buckets: Buckets) -> str:
    """The brinery.toml of everyone who shares the store."""
    return f'[store]\nuri = "{postgres.database()}"\nartifacts = "{buckets.bucket()}"\n'


@pytest.fixture(scope="module")
def ours(settings: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of who imported m@1, the champion, m@2 and m@3, which has no scorer of its own."""
    folder = tmp_path_factory.mktemp("ours")
    (folder / "brinery.toml").write_text(settings, encoding="utf-8")
    DATA.to_csv(folder / "data.csv", index=False)
    models = [LinearRegression().fit(X, X["x"] * number) for number in (1, 2)]
    models.append(RandomForestRegressor(3, random_state=1).fit(X, X["x"] * 3))
    for number, model in enumerate(models, start=1):
        path = folder / f"model{number}.pkl"
        path.write_bytes(pickle.dumps(model))
        brinery.import_model(path, name="m", data=DATA, target="y", workspace=folder)
    brinery.promote("m@1", workspace=folder)
    return folder


@pytest.fixture
def theirs(settings: str, ours: Path, tmp_path: Path) -> Path:
    """The folder of somebody else, on another machine for all it knows."""
    assert ours.is_dir()
    (tmp_path / "brinery.toml").write_text(settings, encoding="utf-8")
    return tmp_path


def _downloaded(folder: Path) -> set[str]:
    """Return the names of what was downloaded."""
    found = (folder / ".brinery" / "cache").glob("*/*")
    return {path.name for path in found if path.name[0] != "."}


def test_what_one_imports_another_lists(theirs: Path) -> None:
    """Versions, aliases and the audit trail are there, and no model was downloaded for it."""
    (found,) = brinery.models(workspace=theirs)
    assert [one.reference for one in found.versions] == ["m@3", "m@2", "m@1"]
    assert found.versions[-1].aliases == ("champion",)
    assert [entry.after for entry in found.history][-1] == "m@1 champion"
    assert _downloaded(theirs) == {"brinery.json"}


def test_what_is_shown_has_no_password(theirs: Path) -> None:
    """No command, whether it works or fails, prints the password."""
    shown = [
        run_brinery("model", "show", "m", cwd=theirs),
        run_brinery("model", "show", "m@1", "--format", "json", cwd=theirs),
        run_brinery("model", "show", "nobody", cwd=theirs),
    ]
    said = "".join(one.out + one.err for one in shown)
    assert "postgresql://brinery:***@127.0.0.1:" in said
    assert PASSWORD not in said


def test_another_predicts(theirs: Path) -> None:
    """A version answers in any folder; one with a scorer does so without its model's file."""
    with brinery.load("m@1", workspace=theirs) as model:
        assert model.predict(X).predictions.tolist() == pytest.approx(X["x"].tolist())
    assert _downloaded(theirs) == {"brinery.json", "scorer.safetensors"}


def test_another_exports(theirs: Path, ours: Path) -> None:
    """An export in MLflow's format has the file that was imported, byte for byte."""
    brinery.export_model("m@3", to="mlflow", folder=theirs / "out", workspace=theirs)
    (file,) = (theirs / "out").rglob("*.pkl")
    assert file.read_bytes() == (ours / "model3.pkl").read_bytes()


def test_another_evaluates_and_compares(theirs: Path) -> None:
    """A version is evaluated, and two are compared, where neither was imported."""
    found = brinery.evaluate_model("m@2", data=DATA, target="y", workspace=theirs)
    assert found.data.rows == len(DATA)
    compared = brinery.compare(["m@2", "m@1"], data=DATA, target="y", workspace=theirs)
    assert compared is not None


def test_what_one_evaluates_another_reports(theirs: Path, ours: Path) -> None:
    """A gate that requires a report finds that of another workspace, which is written here, too."""
    gate = theirs / "gate.toml"
    gate.write_text('[gates.reported]\nrequire = ["report"]\n', encoding="utf-8")

    def decided() -> Decision:
        return brinery.decide("m@3", gate=f"{gate}:reported", workspace=theirs)

    assert "there is no report of it" in decided().verdict
    found = brinery.evaluate_model("m@3", data=DATA, target="y", workspace=ours)
    assert decided().passes
    assert brinery.report("m@3", output=theirs / "report.html", workspace=theirs) == found
    (page,) = theirs.glob(".brinery/evaluations/m/3/*.html")
    (own,) = ours.glob(".brinery/evaluations/m/3/*.html")
    assert page.name == own.name


def test_the_same_file_is_known(theirs: Path, ours: Path) -> None:
    """A file that one imported is not imported again by another."""
    version = brinery.import_model(
        ours / "model2.pkl", name="m", data=DATA, target="y", workspace=theirs
    )
    assert version.number == 2


def test_servers_follow_a_promotion_from_elsewhere(theirs: Path, ours: Path) -> None:
    """A server follows a promotion in another folder within two seconds, and fails nobody.

    That is the quickest of three, two of which are scored without the model's file.
    """
    took = []
    with serving(theirs, "m") as url, patience.client() as client:
        for number in (2, 3, 1):
            brinery.promote(f"m@{number}", workspace=ours, force=True, why="a test")
            began, answered = time.monotonic(), 0
            while answered != number:
                answer = client.post(f"{url}/v1/models/m/predict", json={"x": 7.0})
                assert answer.status_code == 200
                answered = answer.json()["version"]
                assert time.monotonic() - began < 240
            took.append(time.monotonic() - began)
            assert answer.json()["predictions"][0]["value"] == pytest.approx(7.0 * number, abs=2)
    assert min(took) < FOLLOWED_S, took


def test_a_file_is_downloaded_once(theirs: Path) -> None:
    """Threads that need the same model wait for one download; later ones need no bucket."""
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: brinery.load("m@3", workspace=theirs).predict(X), range(4)))
    assert all(one.predictions.tolist() == found[0].predictions.tolist() for one in found)
    before = {path: path.stat().st_mtime_ns for path in theirs.glob(".brinery/cache/*/*")}
    brinery.predict("m@3", data=X, workspace=theirs)
    assert before == {path: path.stat().st_mtime_ns for path in theirs.glob(".brinery/cache/*/*")}
    assert not [path for path in before if path.name.endswith(".part")]


def test_a_changed_file_is_refused(
    theirs: Path, ours: Path, settings: str, buckets: Buckets
) -> None:
    """A model that was changed in the bucket is not the one that was imported: it is not loaded."""
    client = boto3.client("s3", **buckets.options)
    bucket = settings.partition("s3://")[2].partition("/")[0]
    whole = (ours / "model2.pkl").read_bytes()
    bodies = {
        one["Key"]: client.get_object(Bucket=bucket, Key=one["Key"])["Body"].read()
        for one in client.list_objects_v2(Bucket=bucket)["Contents"]
    }
    (key,) = (key for key, body in bodies.items() if body == whole)
    client.put_object(Bucket=bucket, Key=key, Body=whole[:-1] + b"!")
    try:
        with pytest.raises(ModelFileChanged, match="is not the file it was"):
            brinery.export_model("m@2", to="mlflow", folder=theirs / "out", workspace=theirs)
    finally:
        client.put_object(Bucket=bucket, Key=key, Body=whole)
    brinery.export_model("m@2", to="mlflow", folder=theirs / "out", workspace=theirs)


@pytest.mark.parametrize("gone", ["database", "bucket"])
def test_what_cannot_be_reached_is_said(
    theirs: Path, settings: str, gone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database or a bucket that is not there is one clear error, soon, without the password."""
    if gone == "database":
        port = settings.split("127.0.0.1:")[1].partition("/")[0]
        (theirs / "brinery.toml").write_text(settings.replace(port, "1"), encoding="utf-8")
    else:
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    with pytest.raises(RegistryFault) as raised:
        brinery.models(workspace=theirs)
    assert raised.value.hint
    assert PASSWORD not in raised.value.message
