"""The program that verifies a package, with packages that answer in a line of Python."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from brinery.package.runtime import verify

PROGRAM = """
import json, sys
for line in sys.stdin:
    try:
        asked = json.loads(json.loads(line))
        rows = asked["rows"] if "rows" in asked else [asked]
        answers = [{"y": ANSWER, "probabilities": {"a": 0.25, "b": CHANCE}} for row in rows]
        found = [200, answers[0] if "rows" not in asked else {"predictions": answers}]
        assert all(type(row["x"]) is float for row in rows)
    except Exception as error:
        found = [BAD, {"detail": repr(error)}]
    print(json.dumps([found[0], json.dumps(found[1])]), flush=True)
"""
ROWS: dict[str, Any] = {
    "rows": [{"x": float(number)} for number in range(60)],
    "predictions": [2.0 * number for number in range(60)],
    "probabilities": [{"a": 0.25, "b": 0.75}] * 60,
}


def package(
    folder: Path, answer: str = "2 * row['x']", *, chance: str = "0.75", bad: str = "422"
) -> Path:
    """Return the folder of a package that answers so."""
    program = PROGRAM.replace("ANSWER", answer).replace("CHANCE", chance).replace("BAD", bad)
    start = {"kind": "call", "command": ["{python}", "main.py"], "key": "y"}
    files = {
        "main.py": program,
        "requirements.txt": "",
        verify.ROWS: json.dumps(ROWS),
        verify.START: json.dumps(start),
        "verify.py": Path(verify.__file__).read_text(encoding="utf-8"),
    }
    for path, text in files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
    digests = {path: hashlib.sha256(text.encode()).hexdigest() for path, text in files.items()}
    (folder / verify.DIGESTS).write_text(json.dumps(digests))
    return folder


def replayed(folder: Path) -> verify.Outcome:
    """Return what came of asking a package."""
    return verify.replay(folder, Path(sys.executable), proof=ROWS)


def test_equal_answers_are_a_proof(tmp_path: Path) -> None:
    """Every row is asked, some of them alone, and bad requests are refused."""
    found = replayed(package(tmp_path))
    assert (found.rows, found.refused, found.max_difference) == (60, 7, 0.0)


def test_rounding_is_let_through(tmp_path: Path) -> None:
    """A value may differ by 1e-9 of its size."""
    found = replayed(package(tmp_path, "2 * row['x'] * (1 + 1e-12)"))
    assert 0.0 < found.max_difference < 1e-9


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"answer": "2 * row['x'] + (row['x'] > 30) * 1e-6"}, "row 31: "),
        ({"answer": "str(2 * row['x'])"}, "row 0: '0.0' where the model answers 0.0"),
        ({"chance": "0.75 + 1e-6"}, "row 0: "),
        ({"answer": "None"}, "row 0: None"),
        ({"bad": "200"}, "the bad request b'' is answered with 200"),
        ({"bad": "500"}, "the bad request b'' is answered with 500"),
        ({"answer": "exit('no model')"}, "no model"),
    ],
)
def test_other_answers_are_not(tmp_path: Path, answers: dict[str, str], said: str) -> None:
    """Another answer, a bad request that is taken and a program that ends are told."""
    with pytest.raises(verify.NotProven) as caught:
        replayed(package(tmp_path, **answers))
    assert said in str(caught.value)


def test_it_runs_alone(tmp_path: Path) -> None:
    """`python verify.py` needs no Brinery: it compares the bytes, runs the package, and says so."""
    folder = package(tmp_path)
    command = [sys.executable, "-I", str(folder / "verify.py"), "--python", sys.executable]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "60 rows answered as the registered model does" in done.stdout
    (folder / "main.py").write_text("import this")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (
        1,
        "error: it was altered: main.py: its bytes differ\n",
    )


def test_what_is_no_package_is_said(tmp_path: Path) -> None:
    """A folder without digests, or with damaged ones, is no package."""
    with pytest.raises(verify.NotProven, match=r"has no digests\.json"):
        verify.altered(tmp_path)
    (tmp_path / verify.DIGESTS).write_text("3")
    with pytest.raises(verify.NotProven, match="that can be read"):
        verify.altered(tmp_path)


def test_running_a_package_alters_nothing(tmp_path: Path) -> None:
    """What Python leaves beside modules is no part of a package."""
    folder = package(tmp_path)
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "main.pyc").write_bytes(b"")
    assert verify.altered(folder) == []
