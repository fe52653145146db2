"""The first screen in words."""

from __future__ import annotations

from msgspec.structs import replace

from brinery.charts.summary import summarise
from brinery.records.appraisal import Appraisal
from brinery.records.assertion import AssertionResult, Outcome
from brinery.records.finding import Diagnostics, Finding, FindingCode, Severity


def test_a_classifier_is_compared_with_the_commonest_answer(
    appraisals: dict[str, Appraisal],
) -> None:
    """The headline says how often it is right, and how often the commonest answer would be."""
    said = summarise(appraisals["binary"]).headline
    assert said.startswith("On 400 rows of test.csv, shop@3 is right in ")
    assert "; always saying yes would be right in " in said
    assert "the higher score in " in said


def test_a_regression_says_how_far_it_is_off(appraisals: dict[str, Appraisal]) -> None:
    """The headline of a regression is its mean error, in the unit of the target."""
    said = summarise(appraisals["regression"]).headline
    assert "is off by " in said
    assert " on average (" in said
    assert "of the differences between rows." in said
    labels = [tile.label for tile in summarise(appraisals["regression"]).tiles]
    assert labels[-1] == "median absolute error"


def test_the_columns_that_matter_are_named(appraisals: dict[str, Appraisal]) -> None:
    """The columns that the model reads are named, those that it does not read are not."""
    points = summarise(appraisals["binary"]).points
    assert points[0] in {"It needs age and colour most.", "It needs colour and age most."}


def test_every_tile_has_its_interval(appraisal: Appraisal) -> None:
    """No figure of the first screen goes without its interval."""
    tiles = summarise(appraisal).tiles
    assert len(tiles) >= 3
    assert all(" to " in tile.interval for tile in tiles)


def test_no_threshold_is_best_where_every_row_has_one_probability(
    appraisals: dict[str, Appraisal],
) -> None:
    """Of a model that always says the same, no threshold is recommended."""
    usual = appraisals["binary"]
    assert usual.curves is not None
    first = usual.curves.classes[0]
    assert first.cuts is not None
    cut = replace(first.cuts, threshold=first.cuts.threshold[:1])
    constant = replace(usual, curves=replace(usual.curves, classes=(replace(first, cuts=cut),)))
    assert any("best threshold" in point for point in summarise(usual).points)
    assert not any("best threshold" in point for point in summarise(constant).points)


def test_what_is_doubtful_is_on_the_first_screen(appraisals: dict[str, Appraisal]) -> None:
    """Warnings, assertions that fail and stages that are missing are said; notes are not."""
    failed = AssertionResult(
        name="old ones",
        where="age >= 60",
        expected="the class is yes",
        min_ratio=0.9,
        outcome=Outcome.FAIL,
        rows=10,
        valid=5,
        ratio=0.5,
    )
    findings = (
        Finding(code=FindingCode.LEAKAGE, severity=Severity.WARNING, message="It leaks."),
        Finding(code=FindingCode.CONSTANT_COLUMN, severity=Severity.NOTE, message="A note."),
    )
    doubtful = replace(
        appraisals["binary"],
        diagnostics=Diagnostics(rows=400, findings=findings),
        assertions=(failed,),
        not_done={"explanation": "stopped by Ctrl-C"},
    )
    summary = summarise(doubtful)
    assert summary.doubts == (
        "It leaks.",
        (
            "The assertion 'old ones' fails: the class is yes holds in 50 % of 10 rows, and must "
            "in 90 %."
        ),
        "explanation was not computed: stopped by Ctrl-C",
    )
    assert "0 of 1 assertions hold." in summary.points


def test_rows_that_were_left_out_are_told_with_their_reason(
    appraisals: dict[str, Appraisal],
) -> None:
    """A row lacks a label or, where rows have weights, may weigh nothing."""
    given = appraisals["binary"]
    assert given.evaluation is not None
    one = replace(given.evaluation, rows_left_out=1)
    assert "1 row without a label was left out." in summarise(replace(given, evaluation=one)).points
    two = replace(given.evaluation, rows_left_out=2, weighted=True)
    points = summarise(replace(given, evaluation=two)).points
    assert "2 rows without a label or a weight were left out." in points


def test_without_a_target_nothing_is_claimed(empty: Appraisal) -> None:
    """Where there is no truth to compare with, the headline says so."""
    summary = summarise(empty)
    assert "how good the answers are is not known" in summary.headline
    assert summary.tiles == ()
