"""The server against its own OpenAPI document: requests that it allows, and many that it does not.

Left out is whether every request that the document allows is accepted: what a text of CSV holds, or
that there is a row at all, it does not say.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from tests.conftest import serving

import brinery

pytestmark = pytest.mark.slow

COMMAND = Path(sys.executable).parent / "schemathesis"
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "missing_required_header",
    "unsupported_method",
)
OPTIONS = {
    "--phases": "examples,coverage,fuzzing",
    "--max-examples": "25",
    "--seed": "1",
    "--request-timeout": "240",
    "--checks": ",".join(CHECKS),
}
ODD = ["größe", "价格", "a b", "_x", "x/y?", "🎈"]


def assert_conforms(url: str, folder: Path) -> None:
    """Check that no answer of a server is a fault, or other than its document says."""
    options = [word for option in OPTIONS.items() for word in option]
    command = [str(COMMAND), "run", f"{url}/openapi.json", "--no-color", *options]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert "No issues found" in done.stdout, done.stdout[-2000:]


def test_every_answer_is_as_the_document_says(served: str, tmp_path: Path) -> None:
    """Of the demo's model, which is scored in the server's process: and none is a 5xx."""
    assert_conforms(served, tmp_path)


def test_columns_may_be_called_anything(tmp_path: Path) -> None:
    """The same of a model whose columns have names that no programmer would give them."""
    frame = pd.DataFrame({name: [0.0, 1.0, 2.0, 3.0] for name in ODD})
    model = LogisticRegression().fit(frame, [0, 0, 1, 1])
    path = tmp_path / "odd.pkl"
    path.write_bytes(pickle.dumps(model))
    data = frame.assign(y=[0, 0, 1, 1])
    brinery.import_model(path, name="odd", data=data, target="y", workspace=tmp_path)
    with serving(tmp_path, "odd", BRINERY_SERVE_UNKNOWN_CATEGORIES="allow") as url:
        assert_conforms(url, tmp_path)
