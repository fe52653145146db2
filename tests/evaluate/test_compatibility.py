"""What a caller of the champion would notice of another version."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import pytest

from brinery.evaluate.compatibility import changes
from brinery.records.description import Description
from brinery.records.evaluation import PredictionType
from brinery.records.signature import Column, ColumnType, Output, Signature
from brinery.records.version import Candidate

NUMBER, INTEGER, TEXT = ColumnType.NUMBER, ColumnType.INTEGER, ColumnType.STRING


@dataclass
class Known:
    """What of a version counts here."""

    signature: Signature
    description: Description


def known(
    *columns: Column,
    classes: tuple[Any, ...] = ("no", "yes"),
    kind: PredictionType = PredictionType.BINARY,
    chances: bool = True,
    outputs: tuple[Output, ...] = (),
) -> Candidate:
    return cast(
        "Candidate",
        Known(
            Signature(columns=columns, example={}, outputs=outputs),
            Description(
                framework="x",
                framework_version="1",
                outline="X",
                type=kind,
                classes=classes,
                gives_probabilities=chances,
            ),
        ),
    )


AGE = Column(name="age", type=NUMBER)
JOB = Column(name="job", type=TEXT, categories=("clerk", "nurse"))
BEFORE = (AGE, JOB)


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        (known(*BEFORE), known(*BEFORE), []),
        (known(AGE), known(AGE, JOB), ["added-column job!"]),
        (known(AGE), known(AGE, Column(name="id", type=TEXT, required=False)), ["added-column id"]),
        (
            known(Column(name="age", type=NUMBER, required=False)),
            known(AGE),
            ["added-column age!"],
        ),
        (known(*BEFORE), known(AGE), ["removed-column job!"]),
        (known(AGE), known(Column(name="age", type=TEXT)), ["changed-type age!"]),
        (known(Column(name="age", type=INTEGER)), known(AGE), ["changed-type age"]),
        (known(AGE), known(Column(name="age", type=INTEGER)), ["changed-type age!"]),
        (
            known(AGE),
            known(Column(name="age", type=TEXT, required=False)),
            ["changed-type age"],
        ),
        (
            known(Column(name="age", type=NUMBER, nullable=True)),
            known(AGE),
            ["no-longer-missing age!"],
        ),
        (
            known(JOB),
            known(Column(name="job", type=TEXT, categories=("clerk", "pilot"))),
            ["removed-category job=nurse!"],
        ),
        (known(classes=("a", "b", "c")), known(classes=("a", "b")), ["removed-class c!"]),
        (known(classes=("a", "b")), known(classes=("a", "b", "c")), ["added-class c"]),
        (known(classes=(0, 1)), known(classes=(0.0, 1.0)), []),
        (
            known(classes=(0, 1)),
            known(classes=("0", "1")),
            ["removed-class 0!", "removed-class 1!"],
        ),
        (known(classes=("no", "yes")), known(classes=("yes", "no")), ["changed-output classes!"]),
        (known(), known(chances=False), ["changed-output probabilities!"]),
        (
            known(),
            known(kind=PredictionType.REGRESSION, classes=()),
            ["changed-prediction regression!"],
        ),
        (
            known(outputs=(Output(name="a", type=NUMBER), Output(name="b", type=NUMBER))),
            known(outputs=(Output(name="a", type=TEXT), Output(name="c", type=NUMBER))),
            ["changed-output a!", "changed-output b!", "changed-output c"],
        ),
    ],
)
def test_what_changed(before: Candidate, after: Candidate, found: list[str]) -> None:
    """Every change is named by its kind, and those that break a caller (!) come first."""
    told = changes(before, after)
    said = [f"{each.kind} {each.name}{'!' if each.breaks else ''}" for each in told]
    assert [one for one in said if one in found] == found
    assert all(one in found or one.startswith("added-class") for one in said)
    assert all(each.why for each in told)
