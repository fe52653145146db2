from __future__ import annotations

import gc
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from contextlib import suppress
from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
import pytest
from tests.conftest import artifact_of

from brinery.errors import EnvironmentUnavailable, LibraryMismatch
from brinery.flavors.compatibility import differences, refuse, top_modules, wanted
from brinery.flavors.model_process import ModelProcess, start_process
from brinery.pickles.scanner import scan
from brinery.records.requirements import Requirements
from brinery.records.scan import Finding, Global, ScanReport, Verdict
from brinery.records.version import Environment
from brinery.store import interpreters, tables
from brinery.store.environments import Environments

TIMEOUT_S = 600.0

FRAME = """
import pickle, sys
import numpy as np
import pandas as pd

folder = sys.argv[1]
random = np.random.RandomState(0)
frame = pd.DataFrame(
    {
        "age": random.randint(18, 90, 300).astype(float),
        "job": random.choice(["admin", "nurse", "smith"], 300),
        "balance": random.normal(size=300),
    }
)
frame.loc[::17, "age"] = np.nan
truth = (frame["balance"] + (frame["job"] == "nurse") > 0.3).astype(int)
"""

FOREST = """
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

columns = ColumnTransformer(
    [
        ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), ["age", "balance"]),
        ("job", OneHotEncoder(handle_unknown="ignore"), ["job"]),
    ]
)
forest = RandomForestClassifier(n_estimators=25, random_state=0)
model = make_pipeline(columns, forest).fit(frame, np.where(truth, "yes", "no"))
"""

BOOSTED = """
from xgboost import XGBClassifier

frame = frame[["age", "balance"]]
model = XGBClassifier(n_estimators=20, use_label_encoder=False, eval_metric="logloss")
model.fit(frame, truth)
"""

KEPT = """
with open(folder + "/model.pkl", "wb") as file:
    pickle.dump(model, file, protocol=4)
frame.to_csv(folder + "/data.csv", index=False)
np.save(folder + "/probabilities.npy", model.predict_proba(frame))
"""


def by(name: str, version: str, module: str) -> Requirements:
    """What is wanted for a model of one release of a library."""
    report = ScanReport(
        format="pickle",
        protocol=4,
        compression=None,
        size_bytes=1,
        sha256="0" * 64,
        findings=(Finding(name=Global(module, "X"), verdict=Verdict.SAFE),),
        versions={name: (version,)},
    )
    return wanted(report)


def write(environment: Environment, program: str, *, of: Environments, folder: Path) -> Path:
    """The model that a program writes when it is run in an environment."""
    python = of.ensure(environment)
    subprocess.run([str(python), "-c", FRAME + program + KEPT, str(folder)], check=True)
    return folder / "model.pkl"


# The library, its release, its module, the program, and the newest Python it has a wheel for.
OLD = [
    ("scikit-learn", "1.0.2", "sklearn", FOREST, "3.10"),
    ("scikit-learn", "0.24.2", "sklearn", FOREST, "3.9"),
    ("scikit-learn", "1.3.2", "sklearn", FOREST, "3.12"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "version", "module", "program", "python"), OLD)
def test_model_of_an_old_scikit_learn(  # noqa: PLR0917 - one row of the table
    name: str,
    version: str,
    module: str,
    program: str,
    python: str,
    environments: Environments,
    tmp_path: Path,
) -> None:
    """A model of an old release is refused here, and gives its own predictions where it belongs."""
    wrote = environments.build(by(name, version, module))
    model = write(wrote, program, of=environments, folder=tmp_path)
    report = scan(model)
    with pytest.raises(LibraryMismatch, match=rf"written by {name} {re.escape(version)}"):
        refuse(differences(report), model.name)
    found = environments.build(wanted(report))
    assert found.python.startswith(f"{python}.")
    assert f"{name}=={version}" in found.lock
    assert differences(report, environment=found) == ()
    answers(model, found, of=environments)


def answers(model: Path, environment: Environment, *, of: Environments) -> Environment:
    """Check that a model answers in an environment as where it was written; what it was then."""
    own = np.load(model.with_name("probabilities.npy"))
    table = tables.to_arrow(pd.read_csv(model.with_name("data.csv")))
    started = start_process(timeout_s=TIMEOUT_S, python=of.ensure(environment))
    with ModelProcess(model, artifact=artifact_of(model), started=started) as process:
        scores = process.score(table)
        assert scores.probabilities is not None
        assert (scores.probabilities == own).all()
        assert "age" in process.may_be_missing(table.slice(0, 1))
        return process.environment(top_modules(scan(model)), environment)


@pytest.mark.slow
def test_old_xgboost(environments: Environments, tmp_path: Path) -> None:
    """An XGBoost of 2021 brings the scikit-learn, numpy and pandas of its time."""
    found = environments.build(by("xgboost", "1.5.2", "xgboost"))
    model = write(found, BOOSTED, of=environments, folder=tmp_path)
    captured = answers(model, found, of=environments)
    assert captured.built
    assert captured.lock == found.lock
    assert captured.python == found.python
    assert captured.packages["xgboost"] == "1.5.2"
    assert set(captured.packages) >= {"numpy", "scipy"}
    assert all(f"{name}=={version}" in found.lock for name, version in captured.packages.items())


@pytest.mark.slow
def test_built_once(environments: Environments) -> None:
    """What was built is found again by anyone, without a process started, and is not touched."""
    need = by("scikit-learn", "1.0.2", "sklearn")
    built = environments.build(need)
    python = environments.ensure(built)
    assert python is not None
    before = python.parent.stat().st_mtime_ns
    gc.collect()  # what other tests forgot ends with it
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    again = Environments(python.parents[2])
    assert again.find(need) == again.build(need) == built
    assert again.ensure(built) == python
    assert resource.getrusage(resource.RUSAGE_CHILDREN) == ended
    assert python.parent.stat().st_mtime_ns == before


@pytest.mark.slow
def test_shared_by_hard_links(environments: Environments) -> None:
    """Two environments that hold the same release hold the same files."""
    one, other = (
        environments.ensure(environments.build(by(name, version, module)))
        for name, version, module in (
            ("scikit-learn", "1.0.2", "sklearn"),
            ("xgboost", "1.5.2", "xgboost"),
        )
    )
    assert one is not None
    assert other is not None
    assert one != other
    files = [
        next(python.parents[1].glob("lib/python*/site-packages/numpy/linalg/_umath_linalg*"))
        for python in (one, other)
    ]
    assert files[0].samefile(files[1])


BUILD = """
import sys
from pathlib import Path
from brinery.records.requirements import Requirements
from brinery.store.environments import Environments
environments = Environments(Path(sys.argv[1]))
print(environments.ensure(environments.build(Requirements(packages=("six==1.16.0",)))))
"""


def builder(folder: Path) -> subprocess.Popen[str]:
    """A process that builds an environment."""
    command = [sys.executable, "-c", BUILD, str(folder)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)


def half_built(folder: Path) -> bool:
    """Begin to build and kill the builder; return whether it was killed in the middle."""
    for whole in folder.glob("[!.]*/bin"):
        shutil.rmtree(whole.parent)
    killed = builder(folder)
    end = time.monotonic() + TIMEOUT_S
    while not list(folder.glob(".building-*/lib/python*/site-packages/*")):
        assert time.monotonic() < end
        if killed.poll() is not None:
            break
        time.sleep(0.005)
    with suppress(ProcessLookupError):
        os.killpg(killed.pid, signal.SIGKILL)
    killed.communicate()
    return bool(list(folder.glob(".building-*"))) and not list(folder.glob("[!.]*/bin"))


@pytest.mark.slow
def test_gone_killed_and_built_by_two(tmp_path: Path) -> None:
    """What is gone is built again; a killed build is never taken for one; two at once make one."""
    need = Requirements(packages=("six==1.16.0",))
    environments = Environments(tmp_path)
    built = environments.build(need)
    recorded = msgspec.structs.replace(built, packages={"six": "1.16.0"})
    python = environments.ensure(recorded)
    assert python is not None
    assert environments.has(recorded)
    shutil.rmtree(python.parents[1])
    assert not environments.has(recorded)
    assert environments.find(need) is None

    # One that was quicker than who looked has built it.
    assert any(half_built(tmp_path) for _ in range(20))
    assert not environments.has(recorded)
    assert environments.find(need) is None

    both = [builder(tmp_path) for _ in range(2)]
    said = {process.communicate(timeout=TIMEOUT_S)[0].strip() for process in both}
    assert [process.returncode for process in both] == [0, 0]
    assert said == {str(python)}
    assert environments.ensure(recorded) == python
    assert environments.find(need) == built
    assert not list(tmp_path.glob(".building-*"))
    assert len([path for path in tmp_path.iterdir() if (path / "bin").is_dir()]) == 1


def wheel(folder: Path, name: str, files: dict[str, str]) -> None:
    """Write a wheel with these files."""
    info = f"{name}-1.0.dist-info"
    parts = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},,\n" for path in (*parts, f"{info}/RECORD"))
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as archive:
        for path, text in {**parts, f"{info}/RECORD": record}.items():
            archive.writestr(path, text)


@pytest.mark.slow
def test_nothing_of_a_wheel_runs_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Python starts before it is confined, and no package has a word in that."""
    marker = tmp_path / "marker"
    act = f"import pathlib; pathlib.Path({str(marker)!r}).touch()\n"
    wheel(
        tmp_path,
        "eager",
        {
            "eager.pth": act,
            "eager.py": act,
            "sitecustomize.py": act,
            "usercustomize/__init__.py": act,
            "eager-1.0.data/scripts/eager": f"#!/bin/sh\ntouch {marker}\n",
            "eager-1.0.data/data/pyvenv.cfg": "include-system-site-packages = true\n",
        },
    )
    monkeypatch.setenv("UV_FIND_LINKS", str(tmp_path))
    environments = Environments(tmp_path / "environments")
    environment = environments.build(Requirements(packages=("eager==1.0",)))
    python = environments.ensure(environment)
    assert python is not None
    flags = [str(python), "-c", "import sys, numpy; print(sys.prefix)"]
    done = subprocess.run(flags, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(python.parents[1])
    assert {path.name for path in python.parent.iterdir() if "python" not in path.name} <= {
        path.name for path in python.parent.glob("activate*")
    } | {"deactivate.bat", "pydoc.bat"}
    settings = (python.parents[1] / "pyvenv.cfg").read_text()
    assert "include-system-site-packages = false" in settings
    assert not marker.exists()
    subprocess.run([str(python), "-c", "import eager"], check=True)
    assert marker.exists()


def test_the_current_one(tmp_path: Path) -> None:
    """A version of the current environment needs none that is built."""
    current = Environment(python="3.11.7", platform="linux-x86_64", packages={"numpy": "2.4.0"})
    environments = Environments(tmp_path / "none")
    assert environments.has(current)
    assert environments.ensure(current) is None
    assert not (tmp_path / "none").exists()


@pytest.mark.slow
def test_no_wheels(tmp_path: Path) -> None:
    """Where no Python here has a wheel, it says for which there is one, and what is here."""
    with pytest.raises(EnvironmentUnavailable) as caught:
        Environments(tmp_path).build(by("scikit-learn", "0.20.4", "sklearn"))
    here = ", ".join(reversed([python.minor for python in interpreters.installed()]))
    assert caught.value.message == (
        f"scikit-learn 0.20.4 has wheels for {interpreters.installed()[0].platform} for Python "
        f"3.6, 3.7 only, and this machine has Python {here}"
    )
    assert "needs Python 3.9 or later" in caught.value.hint
    assert "save it with a later release" in caught.value.hint
    assert not (tmp_path / "requests").exists()


@pytest.mark.slow
def test_no_python_for_all(tmp_path: Path) -> None:
    """Where each release has wheels, but none for the same Python, each is named with its own."""
    need = Requirements(packages=("numpy==2.3.1", "scikit-learn==0.24.2"))
    with pytest.raises(EnvironmentUnavailable) as caught:
        Environments(tmp_path).build(need)
    assert "numpy 2.3.1: 3.11 to 3.13" in caught.value.message
    assert "scikit-learn 0.24.2: 3.6 to 3.9" in caught.value.message
    assert "--environment FILE" in caught.value.hint


def test_no_such_release(tmp_path: Path) -> None:
    """A release that never was is named."""
    with pytest.raises(EnvironmentUnavailable, match=r"no version of scikit-learn==99\.1"):
        Environments(tmp_path).build(Requirements(packages=("scikit-learn==99.1",)))


@pytest.mark.parametrize(
    ("python", "hint"), [("3.19", "uv python install 3.19"), ("3.7.2", "needs Python 3.9 or later")]
)
def test_python_that_is_not_here(python: str, hint: str, tmp_path: Path) -> None:
    """A model that runs on one Python only says which, and how to get it if that is of use."""
    need = Requirements(python=python, python_exact=True)
    with pytest.raises(EnvironmentUnavailable) as caught:
        Environments(tmp_path).build(need)
    minor = ".".join(python.split(".")[:2])
    assert caught.value.message.startswith(f"the model needs Python {minor}, and this machine has ")
    assert hint in caught.value.hint


def test_no_registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a network, and nothing kept from before, it says so."""
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    with pytest.raises(EnvironmentUnavailable, match="registry cannot be reached"):
        Environments(tmp_path).build(Requirements(packages=("scikit-learn==1.0.2",)))


def test_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """A folder that is no folder is named."""
    (tmp_path / "environments").write_text("")
    environments = Environments(tmp_path / "environments")
    lost = Environment(
        python=interpreters.installed()[0].__str__(),
        platform="linux-x86_64",
        packages={},
        built=True,
        lock=("six==1.16.0",),
    )
    with pytest.raises(EnvironmentUnavailable, match="cannot be written"):
        environments.ensure(lost)
