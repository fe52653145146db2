"""`brinery dataset`, `folder`, `project` and `flow`: what they print, and how they refuse."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from brinery.cli.context import Session
from brinery.cli.main import cli
from brinery.errors import BrineryError


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty workspace, and the current folder."""
    (tmp_path / "bank.csv").write_text("age;y\n30;no\n41;yes\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def asked(*words: str) -> Result:
    done = CliRunner().invoke(cli, words, obj=Session(), catch_exceptions=True)
    if done.exception is not None and not isinstance(done.exception, SystemExit | BrineryError):
        raise done.exception
    return done


def told(*words: str) -> Any:
    return json.loads(asked(*words, "--format", "json").stdout)


def test_a_dataset_from_its_file_to_its_end(work: Path) -> None:
    """It is created, listed, shown, looked into, exported, restored, pruned and deleted."""
    made = asked("dataset", "create", "bank", "--path", "bank.csv", "--sep", ";")
    assert "2 rows, 2 columns, version " in made.stdout
    assert told("dataset", "list")[0]["name"] == "bank"
    shown = told("dataset", "show", "bank")
    assert [one["type"] for one in shown["columns"]] == ["bigint", "string"]
    assert told("dataset", "head", "bank", "-n", "1") == [{"age": 30, "y": "no"}]
    assert "no" in asked("dataset", "head", "bank").stdout
    asked("dataset", "export", "bank", "out.jsonl")
    assert (work / "out.jsonl").read_text().splitlines()[1] == '{"age":41,"y":"yes"}'
    version = shown["current"]
    assert version in asked("dataset", "restore", "bank", version[:5]).stderr
    assert "removed 0 of 1 versions" in asked("dataset", "prune", "bank").stderr
    assert version in asked("dataset", "show", "bank").stdout
    asked("dataset", "delete", "bank")
    assert told("dataset", "list") == []
    assert "no datasets yet" in asked("dataset", "list").stderr


def test_a_password_is_never_shown(work: Path) -> None:
    """The address of a database is told without it; a relative one means the same elsewhere."""
    with sqlite3.connect(work / "x.db") as connection:
        connection.execute("create table t (a integer)")
    connection.close()
    made = told("dataset", "create", "t", "--path", "sqlite:///x.db", "--table", "t")
    assert made["uri"] == f"sqlite:///{work / 'x.db'}"
    refused = asked(
        "dataset",
        "create",
        "u",
        "--path",
        "postgresql+psycopg://a:hush@127.0.0.1:1/d",
        "--table",
        "t",
    )
    assert isinstance(refused.exception, BrineryError)
    assert "hush" not in refused.exception.message + refused.exception.hint


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("create", "b", "--column", "age"), "is not NAME:TYPE"),
        (("create", "b", "--external"), "need --path"),
        (("head", "bank", "-n", "0"), "0 is not in the range"),
    ],
)
def test_wrong_options_are_told(work: Path, words: tuple[str, ...], said: str) -> None:
    """A column without a type, rows elsewhere of nowhere, and no rows at all are refused."""
    del work
    done = asked("dataset", *words)
    assert done.exit_code == 2
    assert said in done.output


def test_files_come_and_go_in_a_folder(work: Path) -> None:
    """A folder is created, written, listed, shown, read and deleted, by its id or its name."""
    folder_id = asked("folder", "create", "models").stdout.strip()
    asked("folder", "put", "models", "/a/bank.csv", "bank.csv")
    shown = told("folder", "show", folder_id)
    assert [one["path"] for one in shown["files"]] == ["/a/bank.csv"]
    assert folder_id in shown["uri"]
    assert told("folder", "list")[0]["name"] == "models"
    assert "models" in asked("folder", "list").stdout
    assert asked("folder", "get", "models", "a/bank.csv", "-").stdout.startswith("age;y")
    asked("folder", "get", "models", "a/bank.csv", "copy.csv")
    assert (work / "copy.csv").read_bytes() == (work / "bank.csv").read_bytes()
    assert "deleted 1 files" in asked("folder", "delete", "models", "--path", "a").stderr
    asked("folder", "delete", "models")
    assert asked("folder", "list", "--format", "quiet").stdout == ""


def test_projects_and_their_variables(work: Path) -> None:
    """Variables are JSON or texts; a project is created and removed."""
    del work
    asked("project", "set", "rate=0.5", "name=bank", "--local")
    assert told("project", "variables")["local"] == {"rate": 0.5, "name": "bank"}
    asked("project", "set", "name=", "--local")
    assert "0.5" in asked("project", "variables").stdout
    asked("project", "create", "OTHER")
    assert [one["default"] for one in told("project", "list")].count(True) == 1
    assert "OTHER" in asked("project", "list").stdout
    asked("dataset", "create", "a", "--project", "OTHER")
    assert told("dataset", "list", "--project", "OTHER")[0]["project"] == "OTHER"
    assert isinstance(asked("project", "delete", "OTHER").exception, BrineryError)


def test_an_empty_flow_says_what_to_type(work: Path) -> None:
    """Without runs the flow is empty and says how one begins; datasets alone are its sources."""
    assert "brinery run SCRIPT" in asked("flow").stderr
    assert isinstance(asked("flow", "build").exception, BrineryError)
    asked("dataset", "create", "bank", "--path", "bank.csv")
    found = told("flow")
    assert [(one["name"], one["state"]) for one in found["nodes"]] == [("bank", "source")]
    asked("flow", "--svg", "flow.svg")
    assert (work / "flow.svg").read_text().startswith("<svg")
