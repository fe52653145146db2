"""A package of the seed's pipeline, made of a model that was never registered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from brinery.package import proof, sources
from brinery.package.contents import Contents
from brinery.package.runtime.facts import Facts
from brinery.pickles.digest import digest
from brinery.records.artifact import Artifact
from brinery.records.package import Target
from brinery.records.scores import Scores
from brinery.records.signature import Column, ColumnType, Signature
from brinery.scorers import bundle
from brinery.scorers.compiler import compile_model
from brinery.scorers.plan import Input
from brinery.specs.packaging import aliases

ROW = {"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}
PINS = ("msgspec==0.20.0", "numpy==2.3.0")


@dataclass(frozen=True)
class Iris:
    """The seed's model, and what a package of it is made of.

    Attributes:
        contents: of the package.
        frame: (150, 4) its data.
        model: fitted on it.
        scorer: the file of its scorer.
    """

    contents: Contents
    frame: pd.DataFrame
    model: Any
    scorer: Path

    def files(self, target: Target) -> Mapping[str, bytes]:
        """Return the package for a target."""
        from brinery.package import composing  # noqa: PLC0415 - beside its one use

        return composing.render(self.contents, target)[0]


@pytest.fixture(scope="session")
def iris(tmp_path_factory: pytest.TempPathFactory) -> Iris:
    """The seed's pipeline; tests read it and do not change it."""
    data = load_iris(as_frame=True)
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(data.data, data.target)
    columns = tuple(map(str, data.data.columns))
    scorer = tmp_path_factory.mktemp("scorer") / "scorer.safetensors"
    inputs = [Input(name, ColumnType.NUMBER) for name in columns]
    bundle.write(compile_model(model, inputs, classes=(0, 1, 2)).plan, scorer)
    plan = bundle.read(scorer)
    artifact = Artifact(flavor="scikit-learn", format="pickle", file="model.pkl", sha256="")
    example = dict(zip(columns, (5.0, 3.0, 1.0, 0.5), strict=True))
    facts = Facts(
        model="iris",
        version=1,
        sha256="a" * 64,
        created_by="brinery 0.1.0",
        created="2026-01-31T12:00:00+00:00",
        engine="scorer",
        engine_file=scorer.name,
        engine_sha256=digest(scorer),
        type="multiclass",
        outline="Pipeline(StandardScaler → LogisticRegression)",
        key="predicted_class",
        aliases=aliases(columns, ()),
        signature=Signature(
            columns=tuple(Column(name=name, type=ColumnType.NUMBER) for name in columns),
            example=dict(example),
        ),
        classes=(0, 1, 2),
        metrics={"accuracy": 0.97},
        artifact=artifact,
        rows=sources.single_rows(plan, artifact),
    )
    some = data.data.iloc[::10]
    rows = [dict(zip(ROW, map(float, row), strict=True)) for row in some.to_numpy()]
    scores = Scores(
        predictions=model.predict(some), probabilities=model.predict_proba(some), classes=(0, 1, 2)
    )
    contents = Contents(
        facts=facts,
        module="iris_model",
        code={
            **sources.scorer_code(plan, artifact, module="iris_model"),
            scorer.name: scorer.read_bytes(),
        },
        python="3.12",
        pins=PINS,
        requirements="".join(f"{pin}\n" for pin in PINS),
        compiled=sources.compiled_platform(),
        proof=proof.expected(rows, scores, words="made up"),
    )
    return Iris(contents, data.data, model, scorer)
