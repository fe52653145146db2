"""Single rows are answered without numpy, and as the scorer answers them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace
from sklearn.linear_model import LinearRegression, LogisticRegression, PoissonRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler
from tests.package.conftest import ROW, Iris

from brinery.errors import ModelFileChanged
from brinery.package import sources, writer
from brinery.package.runtime.engine import Answers, plain
from brinery.package.runtime.row_engine import RowEngine
from brinery.package.runtime.scorer_engine import ScorerEngine
from brinery.pickles.digest import digest
from brinery.records.package import Target
from brinery.records.signature import ColumnType
from brinery.scorers import bundle
from brinery.scorers.compiler import compile_model
from brinery.scorers.composition import Piped
from brinery.scorers.plan import Input
from brinery.scorers.scaling import Scale

HEAVY = ("numpy", "iris_model._vendor.scorers.scorer")


def asked(iris: Iris, folder: Path, *bodies: object) -> list[list[str]]:
    """Return which heavy modules are there in a fresh process, after each request of a package."""
    writer.fill(folder, iris.files(Target.GCF))
    installed = [Path(str(sys.modules[n].__file__)).parent.parent for n in ("numpy", "msgspec")]
    program = (
        f"import json, sys; sys.path[:0] = [{str(folder)!r}]\n"
        f"sys.path += {list(map(str, installed))!r}\n"
        "from iris_model import respond\n"
        "found = []\n"
        f"for body in {[json.dumps(body) for body in bodies]!r}:\n"
        "    assert respond('POST', '/', body=body.encode()).status == 200\n"
        f"    found.append([name for name in {HEAVY!r} if name in sys.modules])\n"
        "print(json.dumps(found))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found: list[list[str]] = json.loads(done.stdout)
    return found


def test_a_first_row_needs_no_numpy(iris: Iris, tmp_path: Path) -> None:
    """A package answers a row without numpy; with the first list it takes numpy, and its scorer."""
    assert asked(iris, tmp_path, ROW, [ROW, ROW], ROW) == [[], list(HEAVY), list(HEAVY)]


@pytest.mark.parametrize(
    "model",
    [
        make_pipeline(StandardScaler(), LogisticRegression()),
        make_pipeline(RobustScaler(), MinMaxScaler(), LogisticRegression(C=10)),
        make_pipeline(MinMaxScaler(), LinearRegression()),
        PoissonRegressor(alpha=0.1),
    ],
    ids=["softmax", "stretched", "regression", "exponential"],
)
@pytest.mark.parametrize("classes", [(0, 1, 2), ("a", "b", "c")], ids=["numbers", "texts"])
def test_each_row_is_answered_as_by_the_scorer(
    iris: Iris, tmp_path: Path, model: object, classes: tuple[int | str, ...]
) -> None:
    """To the last bit, in the same types, for every row of the data; none of them needs arrays."""
    target = iris.model.predict(iris.frame)
    fitted = model.fit(iris.frame, target)  # type: ignore[attr-defined]
    names = tuple(map(str, iris.frame.columns))
    file = tmp_path / "scorer.safetensors"
    inputs = [Input(name, ColumnType.NUMBER) for name in names]
    named = classes if hasattr(fitted, "predict_proba") else ()
    bundle.write(compile_model(fitted, inputs, classes=named).plan, file)
    rows = sources.single_rows(bundle.read(file), iris.contents.facts.artifact)
    facts = replace(iris.contents.facts, engine_sha256=digest(file), rows=rows)
    single, scorer = RowEngine(tmp_path, facts), ScorerEngine(tmp_path, facts)
    for row in iris.frame.to_numpy().tolist():
        columns = {name: [value] for name, value in zip(names, row, strict=True)}
        found = single.scores(columns, n_rows=1)
        expected = plain(scorer.scores(columns, n_rows=1))
        assert isinstance(found, Answers)
        assert repr(found) == repr(expected)


@pytest.mark.parametrize("value", [None, 1e12, 2.0**60], ids=["missing", "large", "inexact"])
def test_what_a_row_does_not_tell_the_scorer_answers(iris: Iris, value: float | None) -> None:
    """A missing or a large number is answered, or refused, as the scorer does it."""
    facts, folder = iris.contents.facts, iris.scorer.parent
    names = tuple(map(str, iris.frame.columns))
    columns: dict[str, list[float | None]] = {
        names[0]: [value],
        **{name: [1.0] for name in names[1:]},
    }
    told = []
    for engine in (RowEngine(folder, facts), ScorerEngine(folder, facts)):
        try:
            told.append(repr(plain(engine.scores(columns, n_rows=1))))
        except Exception as error:  # noqa: BLE001 - both are to fail in the same way
            told.append(repr(error))
    assert told[0] == told[1]


def test_another_file_is_refused_at_the_start(iris: Iris, tmp_path: Path) -> None:
    """A scorer's file that was changed is found before any row is answered."""
    changed = tmp_path / iris.scorer.name
    changed.write_bytes(iris.scorer.read_bytes() + b" ")
    with pytest.raises(ModelFileChanged):
        RowEngine(tmp_path, iris.contents.facts)


def test_figures_that_are_not_finite_stay_with_the_scorer(iris: Iris) -> None:
    """JSON has no words for them."""
    plan = bundle.read(iris.scorer)
    broken = Piped(Scale(scale=np.array([1.0, 1.0, np.inf, 1.0])), plan.model)
    plan = replace(plan, model=broken)
    assert sources.single_rows(plan, iris.contents.facts.artifact) is None
