"""The report: one file, readable by everybody, that needs no network."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from msgspec.structs import replace

from brinery.charts import report
from brinery.records.appraisal import Appraisal
from brinery.records.version import Version

GOLDEN = Path(__file__).parents[1] / "golden"


class _Text(HTMLParser):
    """Reads what a page says, a line for each element that holds text."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, _attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in {"script", "style"}

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in {"script", "style"}

    def handle_data(self, data: str) -> None:
        if not self._silent and data.strip():
            self.lines.append(" ".join(data.split()))


def text_of(page: str) -> str:
    """Return what a page says."""
    parser = _Text()
    parser.feed(page)
    return "\n".join(parser.lines) + "\n"


@pytest.mark.parametrize("name", ["binary", "multiclass", "regression"])
def test_what_the_report_says(
    appraisals: dict[str, Appraisal], version: Version, name: str
) -> None:
    """The text of the report is what was agreed on; a change shows in the golden file."""
    golden = GOLDEN / f"report-{name}.txt"
    assert text_of(report.render(appraisals[name], version)) == golden.read_text(encoding="utf-8")


def test_it_asks_the_network_for_nothing(appraisal: Appraisal, version: Version) -> None:
    """No address is fetched: no source, no link to a style, and a policy that forbids it."""
    page = report.render(appraisal, version)
    assert not re.search(r"<(?:script|img|iframe)[^>]* src=|<link|@import|url\(", _shell(page))
    assert "default-src 'none'" in page


def test_the_record_is_in_the_file(appraisal: Appraisal, version: Version) -> None:
    """The figures can be read back from the file by a program."""
    page = report.render(appraisal, version)
    found = re.search(
        r'<script type="application/json" id="data-of-record">(.*?)</script>', page, re.DOTALL
    )
    assert found is not None
    record = json.loads(found.group(1))
    assert appraisal.evaluation is not None
    assert record["evaluation"]["metrics"] == appraisal.evaluation.metrics


def test_nothing_in_the_data_becomes_code(
    appraisals: dict[str, Appraisal], version: Version
) -> None:
    """A name of a file that ends the script is text, wherever it is written."""
    hostile = "</script><script>alert(1)</script>.csv"
    data = replace(appraisals["binary"].data, name=hostile)
    page = report.render(replace(appraisals["binary"], data=data), version)
    assert "<script>alert(1)" not in page


def test_a_column_is_called_in_charts_as_it_is_in_the_data(
    appraisals: dict[str, Appraisal], version: Version
) -> None:
    """Plotly would take `<i>` for markup and show nothing: charts escape what they are given."""
    found = appraisals["binary"].explanation
    assert found is not None
    assert found.importance is not None
    columns = tuple(
        replace(one, column=f"<i> & {n}") for n, one in enumerate(found.importance.columns)
    )
    odd = replace(found, importance=replace(found.importance, columns=columns))
    page = report.render(replace(appraisals["binary"], explanation=odd), version)
    drawn = re.search(
        r'<script type="application/json" class="figures" id="data-of-figures">(.*?)</script>',
        page,
        re.DOTALL,
    )
    assert drawn is not None
    figures = {one["name"]: one for one in json.loads(drawn.group(1))}
    names = [name for trace in figures["importance"]["data"] for name in trace["y"]]
    assert "&lt;i&gt; &amp; 0" in names
    assert figures["calibration"]["data"][-1]["hovertemplate"].endswith("<extra></extra>")


def test_a_report_of_nothing_is_small_and_says_why(empty: Appraisal, version: Version) -> None:
    """Without a figure no script is carried along, and the reason is on the first screen."""
    page = report.render(empty, version)
    assert len(page) < 50_000
    assert "no target was named" in text_of(page)


def _shell(page: str) -> str:
    """Return a page without what is inside its scripts."""
    return re.sub(r"(<script[^>]*>).*?</script>", r"\1</script>", page, flags=re.DOTALL)
