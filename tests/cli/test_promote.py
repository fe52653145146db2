"""`brinery promote`, `rollback` and `history`: what is printed, and the exit status."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.actions.steps import GATES
from tests.conftest import ROOT, Done
from tests.contract.test_registry import PARITY, candidate

from brinery.actions.rooms import open_rooms

Run = Callable[..., Done]


@pytest.fixture(scope="module")
def registered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with three versions; the gate `strict` passes none of them."""
    folder = tmp_path_factory.mktemp("registered")
    (folder / "brinery.toml").write_text(GATES, encoding="utf-8")
    rooms = open_rooms(folder)
    rooms.workspace.prepare()
    file = folder / "model.pkl"
    file.write_bytes(b"a model")
    for _ in range(3):
        rooms.registry.commit(rooms.registry.stage(candidate("bank"), file), PARITY)
    return folder


@pytest.fixture
def run(registered: Path, tmp_path: Path, brinery_here: Any) -> Run:
    """Runs commands in a workspace like that one; the files of its versions are that one's."""
    shutil.copytree(registered, tmp_path, dirs_exist_ok=True)

    def run(*arguments: str) -> Done:
        done: Done = brinery_here("--workspace", tmp_path, *arguments)
        return done

    return run


def test_what_passes(run: Run) -> None:
    """Every rule is shown with what became of it and why, then who is the champion."""
    first = run("promote", "bank@1")
    assert first.status == 0
    title, _, _, rule = first.out.splitlines()[:4]
    assert title.strip() == "bank@1, no champion yet: gate default"
    assert "parity" in rule
    assert "passes" in rule
    assert "bank@1 is the champion now.\nNext: brinery serve bank\n" in first.out
    second = run("promote", "bank@2", "--reason", "newer")
    assert second.out.splitlines()[0].strip() == "bank@2 against bank@1: gate default"
    assert "bank@2 is the champion now in place of version 1." in second.out


def test_what_does_not_pass(run: Run) -> None:
    """It is an error with the next command, and exit status 3; nothing is changed."""
    run("promote", "bank@1")
    refused = run("promote", "bank@2", "--gate", "strict")
    assert refused.status == 3
    assert "there is no report of it" in refused.out
    assert "bank@2 is not promoted: bank@1 stays the champion." in refused.out
    assert "error: bank@2 is not promoted: it fails the gate strict: report" in refused.err
    assert "brinery promote bank@2 --force --reason" in refused.err


def test_what_does_not_pass_in_a_script(run: Run) -> None:
    """With --if-better it is exit status 3 without an error; the record says it was refused."""
    asked = ("promote", "bank@2", "--gate", "strict", "--if-better", "--format")
    quiet = run(*asked, "quiet")
    assert (quiet.status, quiet.out, quiet.err) == (3, "", "")
    told = run(*asked, "json")
    record = json.loads(told.out)
    assert (told.status, record["refused"], record["changed"]) == (3, True, False)
    assert record["decision"]["outcome"] == "fails"
    human = run(*asked, "human")
    assert human.status == 3
    assert "bank@2 is not promoted." in human.out
    assert "error" not in human.err


def test_what_is_forced_is_shown_for_ever(run: Run) -> None:
    """By the command, by the history, and with the model and its version."""
    asked = ("promote", "bank@2", "--gate", "strict", "--force", "--reason", "no time")
    forced = run(*asked)
    assert forced.status == 0
    assert "! forced against the gate: no time" in forced.err
    run("promote", "bank@3")
    run("rollback", "bank")
    run("promote", "bank@1")
    for shown in (("history", "bank"), ("model", "show", "bank@2")):
        assert "FORCED: fails the gate strict: report" in run(*shown).out
    assert "FORCED against the gate: no time" in run("model", "show", "bank").out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--force",), "a promotion against the gate needs a reason"),
        (("--force", "--reason", "x", "--if-better"), "--force promotes what is not better"),
        (("--alias", "challenger", "--gate", "strict"), "--gate: no gate is asked for the"),
        (("--alias", "challenger", "--if-better"), "--if-better: no gate is asked for the"),
        (("--gate", "strct"), "there is no gate 'strct'"),
    ],
)
def test_what_contradicts_itself(run: Run, options: tuple[str, ...], message: str) -> None:
    """Options that do not go together are refused before anything is judged."""
    done = run("promote", "bank@1", *options)
    assert done.status == 2
    assert f"error: {message}" in done.err
    assert run("history", "bank").err.startswith("no version of bank was promoted yet")


def test_rollback_says_what_happened(run: Run) -> None:
    """The champion before is the champion again; without one it is a mistake."""
    run("promote", "bank@1")
    alone = run("rollback", "bank")
    assert alone.status == 2
    assert "bank@1 is the first champion of bank" in alone.err
    run("promote", "bank@2")
    done = run("rollback", "bank", "--why", "it is slow")
    assert done.out == (
        "bank@1 is the champion again in place of version 2.\nNext: brinery history bank\n"
    )
    assert run("rollback", "bank", "--to", "2", "--format", "quiet").out == "bank@2\n"


def test_history_is_a_table_and_a_record(run: Run) -> None:
    """Who, when, from, to, decision and reason; as JSON with the whole decision."""
    run("promote", "bank@1", "--reason", "the first")
    run("promote", "bank@2", "--alias", "challenger")
    run("promote", "bank@2")
    run("rollback", "bank", "--why", "slow")
    table = run("history", "bank").out
    for said in ("the first", "promoted, challenger", "rolled back", "passes the gate default"):
        assert said in table
    records = json.loads(run("history", "bank", "--format", "json").out)
    assert [(one["deed"], one["before"], one["after"]) for one in records] == [
        ("promoted", None, "bank@1"),
        ("promoted", None, "bank@2"),
        ("promoted", "bank@1", "bank@2"),
        ("rolled back", "bank@2", "bank@1"),
    ]
    assert records[2]["decision"]["champion"] == "bank@1"
    assert records[3]["why"] == "slow"
    assert run("history", "bank", "--format", "quiet").out.split() == [
        "bank@1",
        "bank@2",
        "bank@2",
        "bank@1",
    ]


def test_the_page_shows_what_runs(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every command of the page on promotion, and its Python, runs as it is written."""
    page = (ROOT / "docs" / "how-to" / "promote.md").read_text(encoding="utf-8")
    for reference in ("bank@1", "bank@2"):
        run("promote", reference)
    commands = re.findall(
        r"^brinery (.+)$", "\n".join(re.findall(r"```sh\n(.*?)```", page, re.DOTALL)), re.MULTILINE
    )
    assert len(commands) == 6
    for command in commands:
        done = run(*shlex.split(command.partition(" > ")[0]))
        assert done.status == 0, (command, done.err)
    (program,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    exec(compile(program, "promote.md", "exec"), {})  # noqa: S102 - it is our own
    assert "rolled back" in capsys.readouterr().out
