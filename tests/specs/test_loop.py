"""Loops as they are declared: what is read, and every fault at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from brinery.errors import InvalidLoop
from brinery.specs.loop import OnFailure, read

ISSUE = """\
name: bank-weekly
train: {job: ./train.yml, inputs: {data: ./incoming}}
evaluate: {data: ./holdout.csv, target: y}
gate: default
trigger: {cron: "0 6 * * 1", new_data: ./incoming/*.csv}
on_failure: keep
"""
COMMAND = """\
name: bank-weekly
train: {command: "python train.py --data {data}", model: model.pkl, inputs: {data: ./incoming}}
evaluate: {data: ./holdout.csv, target: y}
"""


def written(folder: Path, text: str) -> Path:
    """Return a loop.yml with this text."""
    path = folder / "loop.yml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_command_is_read(tmp_path: Path) -> None:
    """A loop needs a name, a command and what to evaluate on; the rest has its defaults."""
    found = read(written(tmp_path, COMMAND))
    assert found.task.filled(tmp_path / "out") == [
        "python",
        "train.py",
        "--data",
        str(tmp_path / "incoming"),
    ]
    assert (found.loop.registers, found.gate) == ("bank-weekly", "default")
    assert (found.loop.trigger, found.loop.on_failure) == (None, OnFailure.KEEP)
    assert found.data == tmp_path / "holdout.csv"


def test_a_job_is_named(tmp_path: Path) -> None:
    """A job is a file of its own; the loop's inputs are set in it."""
    task = read(written(tmp_path, ISSUE)).task
    assert (task.job, task.folder) == (tmp_path / "train.yml", tmp_path)
    assert task.sets == [f"inputs.data.path={tmp_path / 'incoming'}"]
    assert task.filled(tmp_path)[:4] == ["brinery", "job", "create", "-f"]
    with pytest.raises(InvalidLoop, match=r"train\.job: .*train\.yml does not exist"):
        read(written(tmp_path, ISSUE)).check_paths()


def test_every_fault_is_told_with_its_line(tmp_path: Path) -> None:
    """Faults of several kinds are told at once, each with its line and the nearest name."""
    text = (
        "name: bank\n"
        'train: {command: "python train.py {dota}", modle: m.pkl, inputs: {data: ./in}}\n'
        "evaluate: {data: ./holdout.csv}\n"
        'trigger: {cron: "0 6 * * 9", timezone: Europe/Berlim}\n'
    )
    with pytest.raises(InvalidLoop) as caught:
        read(written(tmp_path, text))
    message = caught.value.message
    for line, fault in (
        (2, "train.modle is not known: did you mean model?"),
        (3, "evaluate.target: field required"),
        (4, "trigger.cron is no cron expression"),
        (4, "trigger.timezone is no time zone: did you mean Europe/Berlin?"),
    ):
        assert f"loop.yml:{line}: {fault}" in message


@pytest.mark.parametrize(
    ("train", "told"),
    [
        ("{model: m.pkl}", "needs one of command and job, and has none of them"),
        ("{command: python a.py, job: a.yml}", "needs one of command and job, and has both"),
        ("{command: python a.py | tee log}", "has '|', and no shell runs it"),
        ('{command: "python a.py {dat}", inputs: {data: x}}', "did you mean {data}?"),
        ('{command: ""}', "is empty"),
        ("{command: python a.py, inputs: {output: x}}", "'output' is not a name for an input"),
        ("{command: python a.py, timeout_s: 0}", "greater than 0"),
    ],
    ids=["none", "both", "shell", "place", "empty", "output", "timeout"],
)
def test_a_training_that_cannot_be_is_refused(tmp_path: Path, train: str, told: str) -> None:
    """What trains is one program, with inputs that there are."""
    text = f"name: a\ntrain: {train}\nevaluate: {{data: d.csv, target: y}}\n"
    with pytest.raises(InvalidLoop) as caught:
        read(written(tmp_path, text))
    assert told in caught.value.message


def test_paths_that_are_missing_are_named(tmp_path: Path) -> None:
    """Before a turn begins, every path that is not there is named with its key."""
    with pytest.raises(InvalidLoop) as caught:
        read(written(tmp_path, COMMAND)).check_paths()
    assert f"evaluate.data: {tmp_path / 'holdout.csv'} does not exist" in caught.value.message
    assert f"train.inputs.data: {tmp_path / 'incoming'} does not exist" in caught.value.message
