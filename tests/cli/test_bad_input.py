"""What a user meets who gives the command line something wrong: one error, the next command."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.conftest import ROOT

EXAMPLE = ROOT / "examples" / "bank" / "bank.csv"

Case = Callable[[Path, Any], list[str]]

# Each writes what it needs to a folder and returns the arguments of `brinery import`.
CASES: dict[str, tuple[Case, str, str]] = {}


def case(message: str, hint: str) -> Callable[[Case], Case]:
    """Add a case: what the error says, and what the hint does."""

    def add(function: Case) -> Case:
        CASES[function.__name__] = (function, message, hint)
        return function

    return add


def _import(model: Path, bank: Any, *options: str, data: Path | None = None) -> list[str]:
    return [str(model), "--name", "bank", "--data", str(data or bank.test), *options]


@case("does not exist", "ls ")
def no_file(folder: Path, bank: Any) -> list[str]:
    return _import(folder / "model.pkl", bank)


@case("is empty", "pickle.dump")
def empty_file(folder: Path, bank: Any) -> list[str]:
    (folder / "model.pkl").touch()
    return _import(folder / "model.pkl", bank)


@case("is not a pickle", "pickle.dump")
def not_a_pickle(folder: Path, bank: Any) -> list[str]:
    (folder / "model.pkl").write_text("just a text")
    return _import(folder / "model.pkl", bank)


@case("is damaged", "sha256")
def half_a_pickle(folder: Path, bank: Any) -> list[str]:
    whole = bank.model.read_bytes()
    (folder / "model.pkl").write_bytes(whole[: len(whole) // 2])
    return _import(folder / "model.pkl", bank)


@case("holds a dict, which cannot predict", "pickle the fitted estimator")
def a_dict(folder: Path, bank: Any) -> list[str]:
    (folder / "model.pkl").write_bytes(pickle.dumps({"model": 1}))
    return _import(folder / "model.pkl", bank)


@case("cannot predict", "pickle the fitted estimator")
def not_a_model(folder: Path, bank: Any) -> list[str]:
    (folder / "model.pkl").write_bytes(pickle.dumps(pd.DataFrame({"a": [1]})))
    return _import(folder / "model.pkl", bank)


@case("__main__.Foo", "move Foo to a module")
def class_of_a_script(folder: Path, bank: Any) -> list[str]:
    program = (
        "import pickle, sys\n"
        "from sklearn.dummy import DummyClassifier\n"
        "class Foo(DummyClassifier): pass\n"
        "pickle.dump(Foo(), open(sys.argv[1], 'wb'))\n"
    )
    subprocess.run([sys.executable, "-c", program, str(folder / "model.pkl")], check=True)
    return _import(folder / "model.pkl", bank)


@case("needs the module 'imblearn'", "pip install imbalanced-learn")
def library_missing(folder: Path, bank: Any) -> list[str]:
    (folder / "model.pkl").write_bytes(b"\x80\x04cimblearn.pipeline\nPipeline\n)\x81.")
    return _import(folder / "model.pkl", bank)


@case("asks for my_pkg.Clipper (not a name that Brinery knows)", "--trust my_pkg.Clipper")
def a_name_nobody_vouched_for(folder: Path, bank: Any) -> list[str]:
    (folder / "model.pkl").write_bytes(b"\x80\x04cmy_pkg\nClipper\n)\x81.")
    return _import(folder / "model.pkl", bank)


@case("asks for os.system (runs programs)", "brinery scan")
def a_hostile_pickle(folder: Path, bank: Any) -> list[str]:
    (folder / "model.pkl").write_bytes(b"cos\nsystem\n(S'touch marker'\ntR.")
    return _import(folder / "model.pkl", bank, "--trust", "os.*", "--trust", "posix.*")


@case("is damaged or made to deceive", "brinery scan")
def a_second_pickle_behind_the_first(folder: Path, bank: Any) -> list[str]:
    whole = bank.model.read_bytes()
    (folder / "model.pkl").write_bytes(whole + b"cos\nsystem\n(S'touch marker'\ntR.")
    return _import(folder / "model.pkl", bank, "--trust", "posix.system", "--trust", "os.system")


@case("--trust Clipper names no module", "--trust 'Clipper.*'")
def a_word_that_is_no_name(folder: Path, bank: Any) -> list[str]:
    del folder
    return _import(bank.model, bank, "--trust", "Clipper")


@case("--code nowhere does not exist", "")
def code_that_is_not_there(folder: Path, bank: Any) -> list[str]:
    del folder
    return _import(bank.model, bank, "--code", "nowhere")


@case("--environment nowhere.txt cannot be read", "--environment auto")
def an_environment_that_is_not_there(folder: Path, bank: Any) -> list[str]:
    del folder
    return _import(bank.model, bank, "--environment", "nowhere.txt")


@case("where that lies is not said", "--code FOLDER")
def a_function_without_its_code(folder: Path, bank: Any) -> list[str]:
    del folder
    return ["my_pkg:predict", *_import(bank.model, bank)[1:]]


@case("was written by scikit-learn 0.", "pip install 'scikit-learn==0.")
def library_of_another_version(folder: Path, bank: Any) -> list[str]:
    now = version("scikit-learn").encode()
    older = b"0" + now[1:]
    (folder / "model.pkl").write_bytes(bank.model.read_bytes().replace(now, older))
    return _import(folder / "model.pkl", bank)


@case("the target 'Y' is not a column", "")
def no_target(folder: Path, bank: Any) -> list[str]:
    del folder
    return _import(bank.model, bank, "--target", "Y")


@case("needs a column 'duration'", "'durations'")
def a_column_is_missing(folder: Path, bank: Any) -> list[str]:
    data = folder / "test.csv"
    bank.frame.rename(columns={"duration": "durations"}).to_csv(data, index=False)
    return _import(bank.model, bank, "--target", "y", data=data)


@case("classes the model never saw: 'maybe'", "'no', 'yes'")
def an_unseen_class(folder: Path, bank: Any) -> list[str]:
    data = folder / "test.csv"
    bank.frame.assign(y="maybe").to_csv(data, index=False)
    return _import(bank.model, bank, "--target", "y", data=data)


@case("the separator of", "--sep")
def an_unreadable_separator(folder: Path, bank: Any) -> list[str]:
    data = folder / "test.csv"
    bank.frame.to_csv(data, index=False, sep="^")
    return _import(bank.model, bank, "--target", "y", data=data)


@case("is not one character", "--sep $'\\t'")
def a_separator_of_two(folder: Path, bank: Any) -> list[str]:
    del folder
    return _import(bank.model, bank, "--sep", ";;")


@case("'my bank!' is not allowed as a model name", "--name my-bank")
def a_name_that_is_not_allowed(folder: Path, bank: Any) -> list[str]:
    del folder
    return [str(bank.model), "--name", "my bank!", "--data", str(bank.test)]


@case("data file", "ls ")
def no_data_file(folder: Path, bank: Any) -> list[str]:
    return _import(bank.model, bank, data=folder / "no.csv")


@case("is a folder, and one file is read", "did you mean --data ")
def a_folder_of_data(folder: Path, bank: Any) -> list[str]:
    (folder / "data").mkdir()
    bank.frame.to_csv(folder / "data" / "test.csv", index=False)
    return _import(bank.model, bank, data=folder / "data")


@case("is a folder, and one file is read", "shows what is there; name a csv")
def a_folder_of_nothing(folder: Path, bank: Any) -> list[str]:
    return _import(bank.model, bank, data=folder)


@case("missing option '--name'", "brinery import --help")
def no_name(folder: Path, bank: Any) -> list[str]:
    del folder
    return [str(bank.model), "--data", str(bank.test)]


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_import_refuses(name: str, tmp_path: Path, bank: Any, brinery_command: Any) -> None:
    """A user's mistake ends with status 2, one error, a hint, no traceback and no version."""
    function, message, hint = CASES[name]
    inputs, workspace = tmp_path / "in", tmp_path / "workspace"
    inputs.mkdir()
    workspace.mkdir()
    arguments = function(inputs, bank)
    done = brinery_command("--workspace", workspace, "import", *arguments)
    assert done.status == 2, done
    assert done.out == ""
    errors = [line for line in done.err.splitlines() if line.startswith("error: ")]
    hints = [line for line in done.err.splitlines() if line.startswith(" hint: ")]
    assert len(errors) == 1
    assert message in errors[0]
    assert hint in "".join(hints)
    assert "Traceback" not in done.err
    assert not list(workspace.glob(".brinery/artifacts/*"))


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (["model", "show", "bnk"], "no model 'bnk'", "did you mean bank?"),
        (["model", "show", "bank@7"], "no version 7", "it has 1: brinery model show bank"),
        (["model", "show", "bank@challenger"], "no challenger", "brinery promote bank@1"),
        (["promote", "bank@@1"], "names no version", "bank@1"),
        (["predict", "bank", "--data", "no.csv"], "no.csv does not exist", "ls "),
        (["serve", "bnk"], "no model 'bnk'", "did you mean bank?"),
        (["serve", "bank", "--host", "203.0.113.7"], "cannot listen on", "--host 127.0.0.1"),
        (
            ["model"],
            "error: brinery model needs a command: archive, create, list, restore, show, update",
            "brinery model --help",
        ),
        (["predict", "bank", "--data", EXAMPLE, "--keep", "aeg"], "--keep aeg: the", "--keep age"),
        (["predict", "bank", "--data", sys.executable, "--keep", "y"], "no text", "csv"),
        (
            ["predict", "bank", "--data", EXAMPLE, "--output", "/dev/null/x.csv"],
            "/dev/null/x.csv cannot be written",
            "ls -ld /dev/null shows who may write there",
        ),
        (["improt"], "no command 'improt': did you mean 'import'?", "brinery --help"),
        (["serve", "bank", "--port", "99999"], "invalid value for '--port'", "brinery serve"),
        (["--workspace", "/no/such/folder", "model", "list"], "is not a folder", "mkdir -p"),
    ],
)
def test_other_commands_refuse(
    bank_workspace: Path,
    brinery_here: Any,
    arguments: list[str | Path],
    message: str,
    hint: str,
) -> None:
    """Every command meets a mistake with status 2, what is wrong, and what to do."""
    done = brinery_here("--workspace", bank_workspace, *arguments)
    assert done.status == 2, done
    assert message in done.err
    assert hint in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("asked", ["history", "rollback", "promote", "gate check", "leaderboard"])
def test_asking_for_what_is_not_there_leaves_nothing(
    tmp_path: Path, brinery_here: Any, asked: str
) -> None:
    """In an empty folder a question about a model is refused, and the folder stays empty."""
    done = brinery_here(*asked.split(), "bank", cwd=tmp_path)
    assert done.status == 2, done
    assert "there is no model 'bank'" in done.err
    assert list(tmp_path.iterdir()) == []


def test_errors_as_json(bank_workspace: Path, brinery_here: Any) -> None:
    """With --format json the error is JSON on standard error, and standard output is empty."""
    import json  # noqa: PLC0415 - only here

    done = brinery_here("--workspace", bank_workspace, "model", "show", "bnk", "--format", "json")
    assert done.status == 2
    assert done.out == ""
    assert json.loads(done.err)["error"]["code"] == "not-found"


def test_wrong_settings_are_all_told(tmp_path: Path, brinery_command: Any) -> None:
    """Every wrong setting is told at once, with its key, before anything runs."""
    (tmp_path / "brinery.toml").write_text('[serve]\nport = "x"\nhots = "y"\n')
    done = brinery_command("--workspace", tmp_path, "model", "list", BRINERY_SERVE_WORKERS="0")
    assert done.status == 2
    assert "serve.port" in done.err
    assert "did you mean host?" in done.err
    assert "BRINERY_SERVE_WORKERS" in done.err


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_a_workspace_that_cannot_be_written(
    tmp_path: Path, bank: Any, brinery_command: Any
) -> None:
    """A workspace that cannot be written is refused with another way."""
    tmp_path.chmod(0o500)
    done = brinery_command("--workspace", tmp_path, "import", *_import(bank.model, bank))
    assert done.status == 2
    assert "--workspace" in done.err


def test_a_fault_of_ours_ends_with_one(tmp_path: Path, brinery_command: Any) -> None:
    """What the user did not do wrong ends with status 1, in words, without a traceback."""
    state = tmp_path / ".brinery"
    state.mkdir()
    (state / "mlflow.db").write_bytes(b"this is no database" * 100)
    done = brinery_command("--workspace", tmp_path, "model", "list")
    assert done.status == 1
    assert "the registry failed" in done.err
    assert "Traceback" not in done.err
