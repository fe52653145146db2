from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.contract import job_yaml_cases as cases

from brinery.actions.job_planning import planned
from brinery.errors import InvalidJob
from brinery.pipeline.catalog import Nothing
from brinery.records.plan import Plan, Software


class Shelf(Nothing):
    """A catalog whose one environment may become another."""

    image = "own:1"

    def environment(self, reference: str, /) -> Software | None:
        """Return the environment, as it is now."""
        return Software(reference=reference, image=self.image)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files that jobs name."""
    return cases.written(tmp_path)


def planned_in(folder: Path, shelf: Shelf, *sets: str) -> Plan:
    """The plan of the folder's job."""
    return planned(folder / "job.yml", sets=sets, catalog=shelf, cache=folder / "cache")


def test_a_plan_is_made_once(folder: Path) -> None:
    """The second time it is the one that was kept, and it is the same."""
    (folder / "job.yml").write_text(cases.VALID["chain of components"])
    first, shelf = planned_in(folder, Shelf()), Shelf()
    (kept,) = (folder / "cache").iterdir()
    before = kept.stat().st_ino
    assert planned_in(folder, shelf) == first
    assert kept.stat().st_ino == before


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("job.yml", "mode: upload", "mode: direct"),
        ("parts/score.yml", "python -c 0", "python -c 1"),
        ("conda.yaml", "tabulate", "humanize"),
    ],
)
def test_what_changed_is_read_again(folder: Path, file: str, old: str, new: str) -> None:
    """The job, a component that it names, or a conda file of that one: by content, not by time."""
    (folder / "job.yml").write_text(cases.VALID["chain of components"])
    first = planned_in(folder, Shelf())
    changed = folder / file
    times = changed.stat()
    changed.write_text(changed.read_text().replace(old, new))
    os.utime(changed, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert planned_in(folder, Shelf()) != first


def test_what_is_gone_is_told(folder: Path) -> None:
    """Data that are no longer there are a fault, although no file has changed."""
    (folder / "job.yml").write_text(cases.VALID["component"])
    planned_in(folder, Shelf())
    (folder / "data").rename(folder / "elsewhere")
    with pytest.raises(InvalidJob, match=r"there is nothing at \./data"):
        planned_in(folder, Shelf())


def test_what_was_registered_is_asked_again(folder: Path) -> None:
    """An environment that is another by now makes another plan; so does what is set."""
    (folder / "job.yml").write_text(cases.VALID["component"])
    shelf = Shelf()
    first = planned_in(folder, shelf)
    assert planned_in(folder, shelf, "jobs.train.inputs.rate=1") != first
    shelf.image = "own:2"
    assert planned_in(folder, shelf).steps[0].software.image == "own:2"


def test_an_unchanged_file_takes_no_pydantic(folder: Path) -> None:
    """What reads job files is not imported where nothing has changed."""
    (folder / "job.yml").write_text(cases.VALID["component"])
    program = (
        "import sys\nfrom pathlib import Path\n"
        "from brinery.actions.job_planning import planned\n"
        "from brinery.pipeline.catalog import Nothing\n"
        "planned(Path('job.yml'), catalog=Nothing(), cache=Path('cache'))\n"
        "print(sorted({'pydantic', 'yaml', 'mlflow', 'pandas', 'asyncio'} & set(sys.modules)))\n"
    )
    said = [
        subprocess.run(
            [sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=True
        ).stdout.strip()
        for _ in range(2)
    ]
    assert said == ["['pydantic', 'yaml']", "[]"]
