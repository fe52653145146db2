"""The command line as a whole: what it prints, in which form, and how fast it starts."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from msgspec.structs import replace

import brinery
from brinery.cli.main import _COMMANDS, cli
from brinery.cli.model import _candidate_facts

GOLDEN = Path(__file__).parent.parent / "golden"
INNER = (
    ["model", "show"],
    ["gate", "show"],
    ["gate", "check"],
    ["loop", "run"],
    ["loop", "start"],
    ["job", "create"],
    ["job", "list"],
    ["job", "download"],
    ["job", "validate"],
    ["job", "resume"],
    ["job", "explain"],
    ["component", "create"],
    ["notebook", "convert"],
    ["package", "make"],
    ["package", "verify"],
    ["package", "list"],
    ["dataset", "create"],
    ["folder", "create"],
    ["flow", "build"],
    ["key", "create"],
)
HELP = {
    "brinery": [],
    **{name: [name] for name in _COMMANDS},
    **{"-".join(words): words for words in INNER},
}


@pytest.mark.parametrize("name", HELP)
def test_help(name: str, brinery_here: Any) -> None:
    """The help of every command is what was agreed on; a change shows in the golden file."""
    done = brinery_here(*HELP[name], "--help", COLUMNS="80")
    assert done.status == 0
    golden = GOLDEN / f"help-{name}.txt"
    assert done.out == golden.read_text(encoding="utf-8")


def commands(group: click.Group) -> Iterator[click.Command]:
    """Yield the commands of a group, and those within."""
    yield group
    for name in group.list_commands(click.Context(group)):
        found = group.get_command(click.Context(group), name)
        assert found is not None
        if isinstance(found, click.Group):
            yield from commands(found)
        else:
            yield found


def test_no_help_shows_its_marks() -> None:
    """No help text has click's mark of a paragraph as letters: they are for click to read."""
    # A command keeps the option of its help, once it was asked: with the settings it always has.
    whole = click.Context(cli, **cli.context_settings)
    texts = {
        found.name: found.get_help(click.Context(found, whole, **found.context_settings))
        for found in commands(cli)
    }
    assert {"scan", "show", "cli"} <= set(texts)
    assert [name for name, text in texts.items() if "\\b" in text or "\b" in text] == []


def test_help_loads_no_heavy_library() -> None:
    """`brinery --help` and `import brinery` import neither numpy, pandas, rich nor mlflow."""
    program = (
        "import sys, brinery\n"
        "from brinery.cli.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "print(sorted({m.partition('.')[0] for m in sys.modules}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    modules = set(eval(done.stdout.splitlines()[-1]))  # noqa: S307 - a list of our own
    heavy = {"numpy", "pandas", "mlflow", "sklearn", "pyarrow", "rich", "pydantic", "sqlalchemy"}
    assert not modules & heavy


def test_version(brinery_command: Any) -> None:
    """`brinery --version` names the version."""
    assert brinery_command("--version").out == f"brinery {brinery.__version__}\n"


def test_every_public_name_is_there() -> None:
    """Every name in `brinery.__all__` is importable from `brinery`, and no other is."""
    for name in brinery.__all__:
        assert getattr(brinery, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = brinery.nothing


def test_import_twice(bank: Any, tmp_path: Path, brinery_command: Any) -> None:
    """A second import of the same file shows the version that is there, with status 0."""
    asked = ("import", bank.model, "--name", "bank", "--data", bank.test, "--target", "y")
    first = brinery_command("--workspace", tmp_path, *asked)
    again = brinery_command("--workspace", tmp_path, *asked, "--format", "quiet")
    assert first.status == again.status == 0
    assert first.out.startswith("bank@1 is registered. Next: brinery promote bank@1")
    assert (again.out, again.err) == ("bank@1\n", "")
    listed = brinery_command("--workspace", tmp_path, "model", "list", "--format", "json")
    (model,) = json.loads(listed.out)
    assert len(model["versions"]) == 1


def test_list_shows_the_champion(bank_workspace: Path, brinery_here: Any) -> None:
    """`model list` shows each model with its champion and the headline figure."""
    done = brinery_here("--workspace", bank_workspace, "model", "list")
    line = next(line for line in done.out.splitlines() if line.startswith("bank "))
    assert line.split()[1:4] == ["1", "none", "1"]
    assert "roc_auc 0.8" in line


def test_list_of_nothing(tmp_path: Path, brinery_here: Any) -> None:
    """An empty workspace says what to type, on standard error, and is no mistake."""
    done = brinery_here("--workspace", tmp_path, "model", "list")
    assert (done.status, done.out) == (0, "")
    assert "brinery import" in done.err


@pytest.mark.parametrize("reference", ["bank@1", "bank@champion", "bank@Production"])
def test_show_a_version(bank_workspace: Path, brinery_here: Any, reference: str) -> None:
    """`model show` resolves a number, an alias and a stage to the same page of facts."""
    done = brinery_here("--workspace", bank_workspace, "model", "show", reference)
    assert done.status == 0
    for fact in ("Pipeline(ColumnTransformer → RandomForestClassifier)", "905 of 905 rows equal"):
        assert fact in done.out
    for figure in ("roc_auc", "f1_best_threshold", "predicted yes", "scikit-learn=="):
        assert figure in done.out


@pytest.mark.parametrize("asked", [("bank",), ("bank@1",), ("bank@1", "--parity")])
def test_show_for_short(bank_workspace: Path, brinery_here: Any, asked: tuple[str, ...]) -> None:
    """`show` is `model show`, whatever it is asked."""
    ours = ("--workspace", bank_workspace)
    short = brinery_here(*ours, "show", *asked)
    assert short.status == 0
    assert short.out == brinery_here(*ours, "model", "show", *asked).out


def test_show_a_model(bank_workspace: Path, brinery_here: Any) -> None:
    """`model show bank` lists its versions and its history, and where MLflow finds it."""
    done = brinery_here("--workspace", bank_workspace, "model", "show", "bank")
    assert f"sqlite:///{bank_workspace}/.brinery/mlflow.db" in done.out
    assert "bank@1 champion" in done.out


def test_show_as_json(bank_workspace: Path, brinery_here: Any) -> None:
    """`model show --format json` is the whole record."""
    done = brinery_here(
        "--workspace", bank_workspace, "model", "show", "bank@1", "--format", "json"
    )
    record = json.loads(done.out)
    assert record["candidate"]["evaluation"]["metrics"]["accuracy"] > 0.8
    assert record["parity"] == {"rows": 905, "max_difference": 0.0}


SNOOP = """
import os

class Model:
    def predict(self, frame):
        try:
            open(os.path.expanduser("~/.ssh/id_rsa"))
        except OSError:
            pass
        return frame["x"] * 2
"""
TRIED = "tried to open ~/.ssh/id_rsa, and was kept from it"


def test_what_a_model_tried_is_told(tmp_path: Path, brinery_command: Any) -> None:
    """What it tried and swallowed is warned of at import and predict, and shown with the version.

    A class that imports nothing but the standard library has an environment all the same.
    """
    code, data = tmp_path / "code", tmp_path / "data.csv"
    code.mkdir()
    (code / "snoop.py").write_text(SNOOP)
    data.write_text("x,y\n1,2\n2,4\n")
    first = ("--workspace", tmp_path)
    trusted = ("--code", code, "--trust", "snoop.Model")
    done = brinery_command(
        *first, "import", "snoop:Model", "--name", "own", "--data", data, *trusted
    )
    assert done.status == 0, done.err
    assert f"the model {TRIED}" in done.err
    shown = brinery_command(*first, "model", "show", "own@1")
    (line,) = (one for one in shown.out.splitlines() if one.startswith("attempts"))
    assert line.split(maxsplit=1)[1] == "open ~/.ssh/id_rsa"
    (line,) = (one for one in shown.out.splitlines() if one.startswith("environment"))
    assert "pandas==" in line
    record = json.loads(brinery_command(*first, "model", "show", "own@1", "--format", "json").out)
    assert record["candidate"]["attempts"] == ["open ~/.ssh/id_rsa"]
    scored = brinery_command(*first, "predict", "own@1", "--data", data)
    assert (scored.status, scored.err) == (0, f"warning: the model {TRIED}\n")
    exported = brinery_command(*first, "export", "own@1", "--to", "joblib", tmp_path / "out")
    assert exported.status == 0, exported.err
    assert "pandas==" in (tmp_path / "out" / "requirements.txt").read_text()


def test_an_environment_without_packages(bank_workspace: Path) -> None:
    """A version that needs no package has its Python and no comma after it, and no attempts."""
    version = brinery.version("bank@1", workspace=bank_workspace)
    assert version.candidate is not None
    bare = replace(version.candidate.environment, packages={}, python="3.11.7")
    facts = dict(_candidate_facts(version, replace(version.candidate, environment=bare)))
    assert facts["environment"] == "Python 3.11.7"
    assert "attempts" not in facts


def test_promote_says_what_happened(bank_workspace: Path, brinery_here: Any) -> None:
    """Promoting the champion again says so and does nothing."""
    done = brinery_here("--workspace", bank_workspace, "promote", "bank@1")
    assert done.out.splitlines()[0] == "bank@1 is the champion already."


def test_predict_prints_csv(bank: Any, bank_workspace: Path, brinery_command: Any) -> None:
    """`predict` without --output prints csv on standard output, and nothing else there."""
    done = brinery_command("--workspace", bank_workspace, "predict", "bank", "--data", bank.test)
    lines = done.out.splitlines()
    assert lines[0] == '"prediction","probability_no","probability_yes"'
    assert len(lines) == 1 + 905


def test_workspace_by_variable(bank_workspace: Path, brinery_here: Any) -> None:
    """BRINERY_WORKSPACE names the workspace."""
    done = brinery_here("model", "list", "--format", "quiet", BRINERY_WORKSPACE=str(bank_workspace))
    assert "bank" in done.out.splitlines()
