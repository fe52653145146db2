"""How figures are written for people."""

from __future__ import annotations

import pytest

from brinery.charts import words
from brinery.records.effects import Bin
from brinery.records.estimate import Estimate, Interval

DASH = "\N{EN DASH}"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.87234567, "0.8723"),
        (0.000123456, "0.0001235"),
        (0.0, "0"),
        (3.0, "3"),
        (1234.5678, "1,235"),
        (12_345_678.9, "12,345,679"),
        (-0.5, "-0.5000"),
        (None, DASH),
        (float("nan"), DASH),
        (float("inf"), DASH),
    ],
)
def test_a_number_has_four_digits_that_matter(value: float | None, text: str) -> None:
    """Small numbers keep their digits, large ones have separators, and none is a dash."""
    assert words.number(value) == text


@pytest.mark.parametrize(
    ("metric", "text"),
    [
        ("lift_10", "lift of the first tenth"),
        ("median_ae", "median absolute error"),
        ("pinball_90", "pinball loss, 90 %"),
        ("error_p05", "quantile of the error, 5 %"),
        ("top_3_accuracy", "top 3 accuracy"),
    ],
)
def test_a_metric_is_called_what_people_call_it(metric: str, text: str) -> None:
    """No name of a metric has to be guessed."""
    assert words.called(metric) == text


def test_a_share_is_in_per_cent() -> None:
    """A share is written in per cent, also of nothing."""
    assert words.percent(0.0312) == "3.12 %"
    assert words.percent(1.0) == "100 %"
    assert words.share_of(1, 0) == DASH


@pytest.mark.parametrize(("value", "text"), [(0.0004, "< 0.001"), (0.04, "0.040"), (None, DASH)])
def test_a_p_value_is_as_journals_print_it(value: float | None, text: str) -> None:
    """Below 0.001 no digits are claimed."""
    assert words.p_value(value) == text


def test_a_figure_has_its_interval_in_brackets() -> None:
    """An estimate shows its interval where it has one."""
    interval = Interval(low=0.8, high=0.9, method="DeLong")
    assert words.estimated(Estimate(value=0.85, interval=interval)) == "0.8500 (0.8000 to 0.9000)"
    assert words.estimated(Estimate(value=0.85)) == "0.8500"
    assert words.estimated(None) == DASH


@pytest.mark.parametrize(
    ("one", "text"),
    [
        (Bin(low=1, high=5, rows=3), "1 to 5"),
        (Bin(low=2, high=2, value=2, rows=3), "2"),
        (Bin(value="red", rows=3), "red"),
        (Bin(rows=3, missing=True), "missing"),
        (Bin(rows=3, other=True), "all others"),
    ],
)
def test_a_bin_is_called_by_its_values(one: Bin, text: str) -> None:
    """A bin is a range, a value, what is missing, or what is left."""
    assert words.labelled(one) == text


def test_what_a_metric_is_called() -> None:
    """A metric that nobody named reads as its own name."""
    assert words.called("roc_auc") == "ROC AUC"
    assert words.called("f1_macro") == "F1, macro"
    assert words.called("balanced_accuracy") == "balanced accuracy"
