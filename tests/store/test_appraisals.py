"""Whole evaluations on disk."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from brinery.errors import OutputUnwritable
from brinery.records.appraisal import Appraisal
from brinery.records.version import DataFingerprint
from brinery.store.appraisals import Appraisals
from brinery.store.documents import write

FIRST = Appraisal(
    reference="bank@1",
    created=datetime(2026, 11, 21, tzinfo=UTC),
    data=DataFingerprint(name="a.csv", rows=1, columns=("x",), sha256="a" * 64, target=None),
)


def test_the_newest_is_shown(tmp_path: Path) -> None:
    """Of two evaluations on different data it is the newer one; one on the same is replaced."""
    kept = Appraisals(tmp_path)
    assert kept.newest("bank", 1) is None
    later = replace(
        FIRST,
        created=FIRST.created + timedelta(hours=1),
        data=replace(FIRST.data, sha256="b" * 64),
    )
    kept.keep(later, name="bank", number=1)
    kept.keep(FIRST, name="bank", number=1)
    assert kept.newest("bank", 1) == later
    again = replace(later, seed=5)
    kept.keep(again, name="bank", number=1)
    assert kept.newest("bank", 1) == again
    assert len(list(tmp_path.rglob("*.json"))) == 2
    assert kept.newest("bank", 2) is None


def test_another_way_to_count_the_rows_is_another_evaluation(tmp_path: Path) -> None:
    """With and without weights, on the same data, both are kept."""
    kept = Appraisals(tmp_path)
    weighted = replace(FIRST, weights="age", created=FIRST.created + timedelta(hours=1))
    for each in (FIRST, weighted):
        kept.keep(each, name="bank", number=1)
    assert kept.like(FIRST, name="bank", number=1) == FIRST
    assert kept.like(weighted, name="bank", number=1) == weighted
    assert kept.newest("bank", 1) == weighted
    assert kept.report(FIRST, name="bank", number=1) != kept.report(weighted, name="bank", number=1)


def test_what_cannot_be_read_is_passed_over(tmp_path: Path) -> None:
    """A file that another version of Brinery wrote, or half of one, costs no other."""
    kept = Appraisals(tmp_path)
    kept.keep(FIRST, name="bank", number=1)
    (tmp_path / "bank" / "1" / "ffff.json").write_text('{"reference": 5')
    assert kept.newest("bank", 1) == FIRST


def test_a_document_is_whole_or_not_there(tmp_path: Path) -> None:
    """Where the folder is missing, one clear error and no file."""
    with pytest.raises(OutputUnwritable) as raised:
        write(tmp_path / "none" / "report.html", b"x")
    assert raised.value.hint == f"mkdir -p {tmp_path / 'none'}"
    write(tmp_path / "report.html", b"old")
    write(tmp_path / "report.html", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
    assert (tmp_path / "report.html").read_bytes() == b"new"
