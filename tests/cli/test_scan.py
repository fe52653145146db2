"""`brinery scan`: what it prints, in which form, and how it exits."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from lightgbm import LGBMClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

SAFE = pickle.dumps({"a": 1})
UNKNOWN = b"cmy_pkg.transformers\nClipper\n)R."
DANGEROUS = b"cposix\nsystem\n(S'true'\ntR."
MALFORMED = DANGEROUS + b"junk"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a file of every verdict, and one that is no model."""
    models = tmp_path / "models"
    (models / "deeper").mkdir(parents=True)
    (models / "a.pkl").write_bytes(SAFE)
    (models / "b.pkl").write_bytes(UNKNOWN)
    (models / "c.pkl").write_bytes(DANGEROUS)
    (models / "deeper" / "d.pkl").write_bytes(MALFORMED)
    (models / "readme.md").write_text("# Models\n")
    return models


@pytest.mark.parametrize(
    ("content", "status"),
    [(SAFE, 0), (UNKNOWN, 3), (DANGEROUS, 4), (MALFORMED, 5), (b"a,b\n", 5), (b"", 5)],
)
@pytest.mark.parametrize("form", ["human", "json", "quiet"])
def test_status(
    tmp_path: Path, brinery_command: Any, content: bytes, status: int, form: str
) -> None:
    """The exit status says safe, needs trust, dangerous or malformed, in every form."""
    file = tmp_path / "model.pkl"
    file.write_bytes(content)
    done = brinery_command("scan", file, "--format", form)
    assert (done.status, done.err) == (status, "")
    assert str(file) in done.out


def test_lightgbm_text(tmp_path: Path, brinery_command: Any) -> None:
    """LightGBM's text says which format it is of, and not which release wrote it: so does scan."""
    model = LGBMClassifier(n_estimators=1, verbose=-1).fit([[0.0], [1.0]] * 30, [0, 1] * 30)
    model.booster_.save_model(tmp_path / "model.txt")
    done = brinery_command("scan", tmp_path / "model.txt")
    assert "written   lightgbm, its text format v4\n" in done.out


def test_the_worst_wins(folder: Path, brinery_command: Any) -> None:
    """Of several files the worst decides; a folder is every model in it, in order."""
    done = brinery_command("scan", folder, "--format", "quiet")
    assert done.status == 5
    assert done.out.splitlines() == [
        f"safe  {folder}/a.pkl",
        f"needs-trust  {folder}/b.pkl",
        f"dangerous  {folder}/c.pkl",
        f"malformed  {folder}/deeper/d.pkl",
    ]
    assert brinery_command("scan", folder / "a.pkl", folder / "c.pkl").status == 4
    assert brinery_command("scan", str(folder / "[ab].pkl")).status == 3
    assert brinery_command("scan", folder / "a.pkl", folder / "a.pkl").status == 0


@pytest.mark.parametrize(
    "arguments", [[], ["a.pkl", "missing.pkl"], ["missing*.pkl"], ["--nothing"]]
)
def test_mistakes(folder: Path, brinery_command: Any, arguments: list[str]) -> None:
    """A mistake on the command line is status 2, told before anything is scanned."""
    done = brinery_command("scan", *arguments, cwd=folder)
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("error: ")


def test_json(folder: Path, brinery_command: Any) -> None:
    """JSON is one array with an object per file, the same keys in each."""
    (folder / "e.7z").write_bytes(b"7z\xbc\xaf\x27\x1c")
    found = json.loads(brinery_command("scan", folder, "--format", "json").out)
    assert [one["verdict"] for one in found] == [
        "safe",
        "needs-trust",
        "dangerous",
        "malformed",
        "malformed",
    ]
    assert {tuple(one) for one in found} == {("path", "verdict", "report", "refusal", "predicts")}
    (finding,) = found[2]["report"]["findings"]
    assert finding["name"] == {"module": "posix", "name": "system"}
    assert (finding["verdict"], finding["reached"]) == ("dangerous", ["GLOBAL", "REDUCE"])
    assert found[3]["refusal"]["code"] == "format-not-read"
    assert found[3]["report"] is None
    assert brinery_command("scan", folder / "a.pkl", "--format", "json").out.startswith("[")


def test_human(tmp_path: Path, brinery_command: Any) -> None:
    """A person sees the facts, the tree of classes, and the command to type next."""
    model = make_pipeline(StandardScaler(), RandomForestClassifier(3)).fit([[0], [1]], ["a", "b"])
    file = tmp_path / "my model.pkl"
    file.write_bytes(pickle.dumps(model))
    done = brinery_command("scan", file)
    lines = done.out.splitlines()
    assert lines[0] == f"{file}  safe: it asks for no name that is not known"
    assert "  classes   a, b" in lines
    assert "  Pipeline  (sklearn.pipeline)" in lines
    forest = "  └── randomforestclassifier: RandomForestClassifier  (sklearn.ensemble._forest)"
    assert forest in lines
    assert lines[lines.index(forest) + 1].startswith("      └── DecisionTreeClassifier \u00d7 3")
    assert f"  next:     brinery import '{file}' --name NAME --data FILE" in lines


def test_human_names(folder: Path, brinery_command: Any) -> None:
    """A name that needs trust is shown with why and how, and with the option that gives it."""
    done = brinery_command("scan", folder / "b.pkl")
    assert "needs your word: 1 unknown" in done.out
    assert "    my_pkg.transformers.Clipper  " in done.out
    assert "[GLOBAL, REDUCE]" in done.out
    assert "--trust my_pkg.transformers.Clipper" in done.out
    done = brinery_command("scan", folder / "c.pkl")
    assert "DANGEROUS: 1 dangerous" in done.out
    assert "--trust" not in done.out
    done = brinery_command("scan", folder / "deeper" / "d.pkl")
    assert "  problem:  bytes follow the end of its pickle" in done.out


def test_nothing_reaches_the_terminal(tmp_path: Path, brinery_command: Any) -> None:
    """Whatever a file says, no control character of it is printed."""
    held = pickle.dumps(
        {
            "feature_names_in_": ["\x1b[2J", "a\nb"],
            "classes_": ["\x9b31m", "\u202eevil"],
            "steps": [("\x1b]0;x\x07", 1)],
        },
        protocol=2,
    )[2:-1]
    file = tmp_path / "model\x1b[31m.pkl"
    file.write_bytes(
        b"\x80\x04csklearn.pipeline\nPipeline\n)\x81" + held + b"b\x8c\x03\x1b[m\x8c\x01x\x930."
    )
    for form in ("human", "quiet"):
        out = brinery_command("scan", file, "--format", form).out
        assert all(line.isprintable() for line in out.splitlines()), out


LOADED = """
import sys
from brinery.cli.main import main
try:
    main(["scan", *sys.argv[1:], "--format", "quiet"])
except SystemExit:
    pass
print(sorted({name.partition(".")[0] for name in sys.modules}))
"""


def test_no_heavy_library_is_loaded(folder: Path) -> None:
    """A scan loads neither numpy, pandas, scikit-learn, MLflow nor what else is heavy."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED, str(folder)], capture_output=True, text=True, check=True
    )
    loaded = set(eval(done.stdout.splitlines()[-1]))  # noqa: S307 - a list of our own
    heavy = {"numpy", "pandas", "sklearn", "joblib", "mlflow", "pyarrow", "rich", "pydantic"}
    assert not loaded & {*heavy, "sqlalchemy", "yaml", "my_pkg"}
