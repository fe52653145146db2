"""The model card, as the Hugging Face Hub reads it."""

from __future__ import annotations

from typing import Any

import yaml
from msgspec.structs import replace

from brinery.charts import card
from brinery.records.appraisal import Appraisal
from brinery.records.version import Version


def head(text: str) -> dict[str, Any]:
    """Return the front matter of a card."""
    before, matter, _ = text.split("---\n", 2)
    assert not before
    read = yaml.safe_load(matter)
    assert isinstance(read, dict)
    return read


def test_every_figure_is_in_the_index(appraisal: Appraisal, version: Version) -> None:
    """The Hub finds the task and every figure, each a number under its own name."""
    assert appraisal.evaluation is not None
    (result,) = head(card.write(appraisal, version))["model-index"][0]["results"]
    found = {one["type"]: one["value"] for one in result["metrics"]}
    assert found == appraisal.evaluation.metrics
    expected = "regression" if appraisal.evaluation.type == "regression" else "classification"
    assert result["task"]["type"] == f"tabular-{expected}"


def test_what_nobody_told_is_unknown(appraisals: dict[str, Appraisal], version: Version) -> None:
    """Uses and training data are not made up."""
    text = card.write(appraisals["binary"], version)
    assert "## Uses\n\nUnknown: it was not told to Brinery." in text
    assert "## Training data\n\nUnknown: it was not told to Brinery." in text


def test_a_name_is_no_markup(appraisals: dict[str, Appraisal], version: Version) -> None:
    """What a column or a file is called cannot become a heading, a link or HTML."""
    data = replace(appraisals["binary"].data, name="<b>|[x](y)*")
    text = card.write(replace(appraisals["binary"], data=data), version)
    assert "\\<b\\>\\|\\[x\\](y)\\*" in text


def test_a_card_of_nothing_is_a_card(empty: Appraisal, version: Version) -> None:
    """Without figures there is no index of them, and the rest stands."""
    text = card.write(empty, version)
    assert "model-index" not in head(text)
    assert "## Evaluation" in text
