"""A whole evaluation of a registered version: what is found, kept and reported."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from tests.conftest import Bank

import brinery
from brinery.actions.evaluate import EvaluateAsked, evaluate_steps
from brinery.actions.rooms import open_rooms
from brinery.errors import (
    ColumnMismatch,
    ColumnMissing,
    InvalidAssertions,
    MetricUnknown,
    NotEvaluated,
    OutputUnwritable,
    RowMissing,
    UserError,
)
from brinery.records.appraisal import Appraisal, Stage
from brinery.records.assertion import Outcome
from brinery.specs.settings import Settings
from brinery.store.appraisals import Appraisals

ASSERTIONS = """\
assertions:
  - name: the long calls are bought
    where: duration >= 2000
    class: yes
    min_ratio: 0.99
  - name: chances are chances
    probability: {of: yes, at_least: 0, at_most: 1}
"""


@pytest.fixture(scope="module")
def workspace(bank_workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the workspace of bank@1, which these tests write evaluations to."""
    folder = tmp_path_factory.mktemp("evaluated") / "workspace"
    shutil.copytree(bank_workspace, folder)
    shutil.rmtree(folder / ".brinery" / "evaluations", ignore_errors=True)
    return folder


@pytest.fixture(scope="module")
def found(workspace: Path, bank: Bank, tmp_path_factory: pytest.TempPathFactory) -> Appraisal:
    """The evaluation of bank@1 on its held-out data, with everything that can be asked for."""
    declared = tmp_path_factory.mktemp("declared") / "assertions.yml"
    declared.write_text(ASSERTIONS)
    return brinery.evaluate_model(
        "bank@1",
        data=bank.test,
        workspace=workspace,
        assertions=declared,
        gains=(10, -1, -5, 0),
        pairs=[("housing", "loan")],
        rows=[1, 905],
    )


def test_every_stage_is_done(found: Appraisal) -> None:
    """Figures, curves, reasons, groups, doubts and assertions are there, and how long each took."""
    assert found.not_done == {}
    assert set(found.times_s) == set(Stage)
    assert found.evaluation is not None
    assert found.curves is not None
    assert found.subpopulations is not None
    assert found.diagnostics is not None
    assert found.explanation is not None
    assert found.scored_by == "scorer"


def test_the_figures_are_those_of_the_import(found: Appraisal, workspace: Path) -> None:
    """The same version on the same data has the same figures, whoever asks."""
    candidate = brinery.version("bank@1", workspace=workspace).candidate
    assert candidate is not None
    assert candidate.evaluation is not None
    assert found.evaluation is not None
    shared = {
        name: value
        for name, value in found.evaluation.metrics.items()
        if name in candidate.evaluation.metrics
    }
    assert len(shared) >= 10
    assert shared == pytest.approx(
        {name: candidate.evaluation.metrics[name] for name in shared}, rel=1e-12
    )


def test_what_was_asked_for_is_answered(found: Appraisal) -> None:
    """Gains, pairs, rows and assertions are each in what was found."""
    assert found.evaluation is not None
    assert found.evaluation.threshold is not None
    assert found.evaluation.threshold.aim == "gain"
    assert found.subpopulations is not None
    assert ("housing", "loan") in [one.columns for one in found.subpopulations.slicings]
    assert found.explanation is not None
    assert [one.row for one in found.explanation.rows] == [0, 904]
    assert [one.outcome for one in found.assertions] == [Outcome.FAIL, Outcome.PASS]


def test_contributions_are_exact_and_add_up(found: Appraisal) -> None:
    """The scorer's trees explain every row: base and contributions are the answer."""
    assert found.explanation is not None
    for row in found.explanation.rows:
        assert row.exact
        total = row.base + sum(one.amount for one in row.contributions) + row.rest
        assert total == pytest.approx(row.answer, abs=1e-9)


def test_columns_that_the_model_does_not_read_are_not_explained(found: Appraisal) -> None:
    """The demo's model drops day, month and pdays: nothing is said of them."""
    assert found.explanation is not None
    assert found.explanation.importance is not None
    columns = {one.column for one in found.explanation.importance.columns}
    assert "duration" in columns
    assert not {"day", "month", "pdays", "y"} & columns


def test_the_same_seed_finds_the_same(found: Appraisal, workspace: Path, bank: Bank) -> None:
    """But for times, an evaluation is a function of the version, the data and the seed."""
    ask: Any = {"data": bank.test, "workspace": workspace, "rows": [1, 905]}
    again = brinery.evaluate_model("bank@1", **ask)
    other = brinery.evaluate_model("bank@1", **ask, seed=7)
    assert again.explanation == found.explanation
    assert other.explanation != found.explanation


def test_it_is_kept_with_its_report(
    found: Appraisal, workspace: Path, bank: Bank, tmp_path: Path
) -> None:
    """What was found can be read back, and what was found last is reported as a page and a card."""
    brinery.evaluate_model("bank@1", data=bank.test, workspace=workspace, rows=[1])
    place = workspace / ".brinery" / "evaluations" / "bank" / "1"
    kept = (place / found.data.sha256[:16]).with_suffix(".json")
    again = msgspec.json.decode(kept.read_bytes(), type=Appraisal)
    assert again.data.sha256 == found.data.sha256
    page, card = tmp_path / "report.html", tmp_path / "card.md"
    assert brinery.report("bank@1", output=page, workspace=workspace).reference == "bank@1"
    brinery.report("bank@1", output=card, workspace=workspace)
    assert ", bank@1 is right in " in page.read_text(encoding="utf-8")
    assert card.read_text(encoding="utf-8").startswith("---\ntags:\n- brinery\n")


def test_the_confusion_is_at_the_threshold_that_was_asked_for(found: Appraisal) -> None:
    """With gains, the last confusion matrix is at the threshold with the most gain."""
    assert found.evaluation is not None
    assert found.evaluation.threshold is not None
    assert found.evaluation.confusion[-1].threshold == found.evaluation.threshold.threshold


def test_it_is_json(found: Appraisal) -> None:
    """The whole record goes to JSON and comes back the same."""
    text = msgspec.json.encode(found)
    assert msgspec.json.decode(text, type=Appraisal) == found


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"weights": "ages"}, ColumnMissing, "--weights ages: the data has no column 'ages'"),
        ({"weights": "job"}, ColumnMismatch, "--weights job: row 1 holds"),
        ({"weights": "balance"}, ColumnMismatch, "--weights balance: row "),
        ({"pairs": [("job", "lone")]}, ColumnMissing, "--pair lone: the data has no column"),
        ({"rows": [0]}, RowMissing, "--row 0: the data has 905 rows"),
        ({"rows": [906]}, RowMissing, "--row 906: the data has 905 rows"),
        ({"aim": "gain"}, MetricUnknown, "--aim gain: what an outcome is worth is not said"),
        ({"aim": "f3"}, MetricUnknown, "no threshold is chosen for 'f3'"),
        ({"target": "yes"}, UserError, "the target 'yes' is not a column of test.csv"),
    ],
    ids=["unknown", "text", "negative", "pair", "row 0", "row 906", "gain", "aim", "target"],
)
def test_a_wrong_option_is_told(
    workspace: Path, bank: Bank, options: dict[str, Any], error: type[UserError], said: str
) -> None:
    """An option that names what is not there is refused before a row is scored, with a hint."""
    with pytest.raises(error, match=said.replace("(", r"\(")) as raised:
        brinery.evaluate_model("bank@1", data=bank.test, workspace=workspace, **options)
    assert raised.value.hint


def test_assertions_are_checked_against_the_model(
    workspace: Path, bank: Bank, tmp_path: Path
) -> None:
    """A class that the model does not have, or a column that is not there, is told at once."""
    wrong = tmp_path / "assertions.yml"
    wrong.write_text("assertions:\n  - where: ages > 3\n    class: yess\n")
    with pytest.raises(InvalidAssertions, match="yess"):
        brinery.evaluate_model("bank@1", data=bank.test, workspace=workspace, assertions=wrong)


def test_weights_count(workspace: Path, bank: Bank) -> None:
    """A row of weight 2 counts as two rows, and one of weight 0 as none."""
    frame = bank.frame.head(300)
    weights = np.tile([0, 1, 2], 100)
    weighed = frame.assign(times=weights)
    repeated = frame.loc[frame.index.repeat(weights)].reset_index(drop=True)
    one = brinery.evaluate_model("bank@1", data=weighed, workspace=workspace, weights="times")
    other = brinery.evaluate_model("bank@1", data=repeated, workspace=workspace)
    assert one.evaluation is not None
    assert other.evaluation is not None
    for name in ("accuracy", "roc_auc", "log_loss", "brier", "average_precision"):
        assert one.evaluation.metrics[name] == pytest.approx(other.evaluation.metrics[name])


def test_rows_that_the_scorer_declines_are_explained_by_sampling(
    workspace: Path, bank: Bank
) -> None:
    """A category that the model never saw costs the exactness, and nothing else."""
    frame = bank.frame.head(60).copy()
    frame["job"] = ["astronaut" if row % 2 else job for row, job in enumerate(frame["job"])]
    found = brinery.evaluate_model("bank@1", data=frame, workspace=workspace, budget=5000)
    assert "explanation" not in found.not_done
    assert found.explanation is not None
    assert found.explanation.mean_contributions is not None


@pytest.mark.parametrize("library", ["polars", "pyarrow"])
def test_a_table_of_any_library(
    workspace: Path, bank: Bank, found: Appraisal, library: str
) -> None:
    """The same rows give the same figures, whichever library holds them."""
    frame = bank.frame
    given = pl.from_pandas(frame) if library == "polars" else pa.table(frame)
    other = brinery.evaluate_model("bank@1", data=given, workspace=workspace)
    assert other.evaluation is not None
    assert found.evaluation is not None
    assert other.evaluation.metrics["roc_auc"] == found.evaluation.metrics["roc_auc"]
    assert other.evaluation.metrics["log_loss"] == found.evaluation.metrics["log_loss"]


def test_rows_of_the_training_data_are_found(workspace: Path, bank: Bank) -> None:
    """With --train, rows that are in both are a finding."""
    found = brinery.evaluate_model(
        "bank@1", data=bank.test, workspace=workspace, train=bank.frame.head(200)
    )
    assert found.diagnostics is not None
    assert "overlap" in [one.code for one in found.diagnostics.findings]


def test_without_a_target_answers_are_explained(workspace: Path, bank: Bank) -> None:
    """Rows without the truth have no figures, and a reason; why it answers so is still told."""
    frame = bank.frame.assign(nothing=pd.Series([None] * 905, dtype=object))
    found = brinery.evaluate_model("bank@1", data=frame, target="nothing", workspace=workspace)
    assert found.evaluation is not None
    assert found.evaluation.metrics == {}
    assert found.evaluation.rows == 0
    assert found.explanation is not None
    assert found.explanation.mean_contributions is not None


def test_an_interruption_keeps_what_is_done(workspace: Path, bank: Bank) -> None:
    """Ctrl-C while the model is explained: figures are kept, and what is missing says so."""
    asked = EvaluateAsked.of("bank@1", data=bank.frame.head(500), options={})
    steps = evaluate_steps(open_rooms(workspace), asked)
    for event in steps:
        if "groups of rows" in event.message:
            break
    told = steps.throw(KeyboardInterrupt())
    assert told.step == "report"
    assert next(steps).message == (
        "stopped by Ctrl-C: kept without assertions, explanation; the same command again does all"
    )
    with pytest.raises(KeyboardInterrupt):
        next(steps)
    kept = Appraisals(workspace / ".brinery" / "evaluations").newest("bank", 1)
    assert kept is not None
    assert kept.data.rows == 500
    assert kept.evaluation is not None
    assert kept.not_done == {"explanation": "stopped by Ctrl-C", "assertions": "stopped by Ctrl-C"}


def test_an_interruption_replaces_no_whole_evaluation(workspace: Path, bank: Bank) -> None:
    """Ctrl-C in a second evaluation of the same data costs nothing of the first, and says so."""
    rows = bank.frame.head(300)
    first = brinery.evaluate_model("bank@1", data=rows, workspace=workspace)
    steps = evaluate_steps(open_rooms(workspace), EvaluateAsked.of("bank@1", data=rows, options={}))
    for event in steps:
        if "groups of rows" in event.message:
            break
    told = steps.throw(KeyboardInterrupt())
    assert told.message == (
        "stopped by Ctrl-C: the whole evaluation of the same data, made before, stays"
    )
    with pytest.raises(KeyboardInterrupt):
        next(steps)
    kept = Appraisals(workspace / ".brinery" / "evaluations").newest("bank", 1)
    assert kept is not None
    assert (kept.created, kept.not_done) == (first.created, {})


def test_an_interruption_before_a_figure_keeps_nothing(workspace: Path, bank: Bank) -> None:
    """Ctrl-C while the first figures are made leaves no evaluation of nothing behind."""
    before = sorted((workspace / ".brinery" / "evaluations").rglob("*"))
    asked = EvaluateAsked.of("bank@1", data=bank.frame.head(200), options={})
    steps = evaluate_steps(open_rooms(workspace), asked)
    for event in steps:
        if "rows answered" in event.message:
            break
    with pytest.raises(KeyboardInterrupt):
        steps.throw(KeyboardInterrupt())
    assert sorted((workspace / ".brinery" / "evaluations").rglob("*")) == before


def test_an_import_evaluates_whole(
    bank: Bank, tmp_path: Path, brinery_command: Callable[..., Any]
) -> None:
    """An import keeps an evaluation and its report, and a second one of the same file does not."""
    ask = ("import", bank.model, "--name", "bank", "--data", bank.test, "--target", "y")
    whole = {"BRINERY_EVALUATE_AT_IMPORT": "true"}
    first = brinery_command("--workspace", tmp_path, *ask, **whole)
    assert first.out.startswith("\nOn 905 rows of test.csv, bank@1 is right in 89.5 %")
    assert first.out.endswith("\nbank@1 is registered. Next: brinery promote bank@1\n")
    (page,) = tmp_path.glob(".brinery/evaluations/bank/1/*.html")
    assert f"✓ report    {page}" in first.err
    before = page.stat().st_mtime_ns
    assert brinery_command("--workspace", tmp_path, *ask, **whole).status == 0
    assert page.stat().st_mtime_ns == before


def test_an_import_need_not_evaluate(bank_workspace: Path, tmp_path: Path) -> None:
    """With the setting off, a version has the figures alone, and a report asks for more."""
    folder = tmp_path / "workspace"
    shutil.copytree(bank_workspace, folder)
    assert Settings().evaluate.at_import
    assert not (folder / ".brinery" / "evaluations").exists()
    with pytest.raises(NotEvaluated) as raised:
        brinery.report("bank@1", output=tmp_path / "report.html", workspace=folder)
    assert raised.value.hint == "brinery evaluate bank@1 --data FILE"
    assert not (tmp_path / "report.html").exists()


@pytest.mark.parametrize("name", ["report.pdf", "report"])
def test_a_report_says_what_it_can_write(
    workspace: Path, found: Appraisal, tmp_path: Path, name: str
) -> None:
    """An ending that is neither a page nor a card is refused."""
    del found
    with pytest.raises(OutputUnwritable, match="the ending does not say what to write"):
        brinery.report("bank@1", output=tmp_path / name, workspace=workspace)


def test_the_command_line(
    workspace: Path, bank: Bank, tmp_path: Path, brinery_command: Callable[..., Any]
) -> None:
    """The first screen for people, the whole record for programs, one error for a mistake."""
    ask = ("--workspace", workspace, "evaluate", "bank@1", "--data", bank.test)
    shown = brinery_command(*ask)
    assert shown.status == 0
    assert "On 905 rows of test.csv, bank@1 is right in 89.5 %" in shown.out
    assert "Next: brinery report bank@1 --output report.html" in shown.out
    told = brinery_command(*ask, "--format", "json")
    assert msgspec.json.decode(told.out, type=Appraisal).reference == "bank@1"
    wrong = brinery_command(*ask, "--row", "2000")
    assert wrong.status == 2
    assert wrong.err.splitlines()[-2:] == [
        "error: --row 2000: the data has 905 rows",
        " hint: rows are counted from 1: --row 905",
    ]
    page = tmp_path / "report.html"
    done = brinery_command("--workspace", workspace, "report", "bank@1", "--output", page)
    assert (done.status, page.exists()) == (0, True)
