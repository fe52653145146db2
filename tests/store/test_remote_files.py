"""Remote files: a datastore in a bucket, with s3fs in an environment of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.buckets import Buckets

SOURCE = Path(__file__).parents[2] / "src"

_PROGRAM = """
import sys
from pathlib import Path
from brinery.errors import DataUnreachable
from brinery.store.data_paths import DataPaths
from brinery.store.workspace import Workspace

root, bucket = Path(sys.argv[1]), sys.argv[2]
workspace = Workspace(root)
workspace.prepare()
paths = DataPaths(workspace, datastores={"far": bucket}, mapped={})
source = root / "source"
(source / "b").mkdir(parents=True)
(source / "a.csv").write_text("a")
(source / "b" / "c.csv").write_text("c")
uri = "azureml://datastores/far/paths/in"
paths.publish(source, uri)
found = paths.resolve(uri)
assert (found / "b" / "c.csv").read_text() == "c"
assert paths.resolve(uri) == found
(source / "a.csv").write_text("changed")
paths.publish(source / "a.csv", f"{uri}/a.csv")
assert paths.resolve(f"{uri}/a.csv").read_text() == "changed"
assert (paths.resolve(uri) / "a.csv").read_text() == "changed"
assert (paths.resolve(uri) / "b" / "c.csv").read_text() == "c"
try:
    paths.resolve(f"{uri}/none")
except DataUnreachable as error:
    assert "AWS_ENDPOINT_URL" in error.hint
    print("done")
"""


@pytest.mark.slow
def test_a_datastore_in_a_bucket_is_read_and_written(tmp_path: Path, buckets: Buckets) -> None:
    """Folders and files go there and come back, again where they changed, and once where not."""
    python = tmp_path / "environment" / "bin" / "python"
    packages = ("s3fs", "msgspec", "urllib3", "pyyaml")
    for command in (
        ["venv", "--quiet", "--python", sys.executable, str(tmp_path / "environment")],
        ["pip", "install", "--quiet", "--python", str(python), *packages],
    ):
        subprocess.run([sys.executable, "-m", "uv", *command], check=True)
    done = subprocess.run(
        [str(python), "-c", _PROGRAM, str(tmp_path), buckets.bucket()],
        env={"PYTHONPATH": str(SOURCE), "PATH": os.defpath, **buckets.environ},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "done\n", done.stderr


@pytest.mark.parametrize(
    ("uri", "package"),
    [
        ("s3://b/x", "brinery[datastores]"),
        ("abfss://c@a.dfs.core.windows.net/x", "adlfs"),
        ("wasbs://c@a.blob.core.windows.net/x", "adlfs"),
        ("adl://a.azuredatalakestore.net/x", "adlfs"),
    ],
)
def test_a_bucket_without_its_library_says_what_to_install(
    tmp_path: Path, uri: str, package: str
) -> None:
    """The hint has the package, and the map that does without."""
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "sys.modules.update({name: None for name in ('s3fs', 'adlfs')})\n"
        "from brinery.errors import DataUnreachable\n"
        "from brinery.store import remote_files\n"
        "try: remote_files.get(sys.argv[2], Path(sys.argv[1]))\n"
        "except DataUnreachable as error: print(error.hint)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path), uri],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"pip install '{package}', or --map {uri}=PATH\n"
