"""The rows of datasets: whole, named by their content, and unharmed by whoever is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from brinery.errors import DataUnreadable
from brinery.store.dataset_versions import DatasetVersions, Written


def write(versions: DatasetVersions, *frames: pd.DataFrame, after: Path | None = None) -> Written:
    staged = versions.stage("P", "bank")
    for number, frame in enumerate(frames):
        frame.to_parquet(staged / f"{number}.parquet")
    return versions.settle(staged, after=after)


def test_the_same_content_is_the_same_version(tmp_path: Path) -> None:
    """Equal rows are one version and one folder; others are another; nothing staged is left."""
    versions = DatasetVersions(tmp_path)
    one = write(versions, pd.DataFrame({"a": [1, 2]}))
    again = write(versions, pd.DataFrame({"a": [1, 2]}))
    other = write(versions, pd.DataFrame({"a": [1, 3]}))
    assert one.version == again.version != other.version
    assert (one.rows, one.files, len(one.version)) == (2, ("part-00000.parquet",), 16)
    there = {each.name for each in (tmp_path / "P" / "bank").iterdir()}
    assert there == {one.version, other.version}


def test_appended_rows_come_after_those_before(tmp_path: Path) -> None:
    """A version that goes on shares the files of the one before, which stays as it was."""
    versions = DatasetVersions(tmp_path)
    one = write(versions, pd.DataFrame({"a": [1]}), pd.DataFrame({"a": [2]}))
    folder = versions.folder("P", "bank", version=one.version)
    more = write(versions, pd.DataFrame({"a": [3]}), after=folder)
    paths = versions.paths("P", "bank", version=more.version, files=more.files)
    assert pq.read_table(paths)["a"].to_pylist() == [1, 2, 3]
    assert Path(paths[0]).stat().st_nlink == 2
    assert pq.read_table(folder)["a"].to_pylist() == [1, 2]


def test_what_is_no_parquet_is_refused(tmp_path: Path) -> None:
    """A torn file, no file, and rows of other columns are refused, and make no version."""
    versions = DatasetVersions(tmp_path)
    one = write(versions, pd.DataFrame({"a": [1]}))
    torn = versions.stage("P", "bank")
    (torn / "0.parquet").write_bytes(b"PAR1 and then nothing")
    with pytest.raises(DataUnreadable, match="no whole Parquet"):
        versions.settle(torn)
    empty = versions.stage("P", "bank")
    with pytest.raises(DataUnreadable, match="nothing was written"):
        versions.settle(empty)
    folder = versions.folder("P", "bank", version=one.version)
    with pytest.raises(DataUnreadable, match="other columns"):
        write(versions, pd.DataFrame({"b": [1]}), after=folder)


def test_an_altered_version_is_written_again(tmp_path: Path) -> None:
    """Where somebody altered a version's file, the same write makes it true again."""
    versions = DatasetVersions(tmp_path)
    frame = pd.DataFrame({"a": [1, 2]})
    one = write(versions, frame)
    (path,) = versions.paths("P", "bank", version=one.version, files=one.files)
    Path(path).chmod(0o644)
    Path(path).write_bytes(b"spoilt")
    assert write(versions, frame).version == one.version
    assert pd.read_parquet(path).equals(frame)


@pytest.mark.slow
def test_a_killed_writer_leaves_no_version(tmp_path: Path) -> None:
    """A writer that is killed while it writes leaves what was there, and a sweep its remains."""
    versions = DatasetVersions(tmp_path)
    one = write(versions, pd.DataFrame({"a": [1, 2]}))
    program = (
        "import os, signal\nimport pandas as pd\nfrom pathlib import Path\n"
        "from brinery.store.dataset_versions import DatasetVersions\n"
        f"staged = DatasetVersions(Path({str(tmp_path)!r})).stage('P', 'bank')\n"
        "pd.DataFrame({'a': [3]}).to_parquet(staged / '0.parquet')\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], check=False)
    assert done.returncode == -signal.SIGKILL
    home = tmp_path / "P" / "bank"
    (left,) = [each for each in home.iterdir() if each.name != one.version]
    assert versions.holds("P", "bank", version=one.version, files=one.files)
    versions.sweep("P", "bank", known={one.version})
    assert left.exists()
    os.utime(left, (0, 0))
    versions.sweep("P", "bank", known={one.version})
    assert [each.name for each in home.iterdir()] == [one.version]
