"""Data of this machine that a step reads are not its to write to."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.actions.job_plans import by_name, plan, run, shell, workspace

from brinery.actions.job_protection import altered, protected
from brinery.records.job import Status
from brinery.records.plan import Data, Output, Produced, Text

WRITES = "chmod u+w ${{inputs.a}}/text; echo other > ${{inputs.a}}/text"


@pytest.mark.parametrize("mode", ["ro_mount", "download"])
def test_a_step_cannot_write_to_its_input(tmp_path: Path, mode: str) -> None:
    """A file of the user's is as it was, whatever a step does to it, and the step fails."""
    rooms = workspace(tmp_path)
    data = tmp_path / "data"
    made = run(rooms, plan(shell("s", WRITES, inputs={"a": Data(uri=str(data), mode=mode)})))
    assert (data / "text").read_text() == "begin "
    assert by_name(made)["s"].status is Status.FAILED


def test_a_step_can_write_where_it_is_given_the_place_itself(tmp_path: Path) -> None:
    """Mode `direct` is the address, as it is."""
    rooms = workspace(tmp_path)
    data = tmp_path / "data"
    made = run(rooms, plan(shell("s", WRITES, inputs={"a": Data(uri=str(data), mode="direct")})))
    assert made.status is Status.COMPLETED
    assert (data / "text").read_text() == "other\n"


def test_what_is_protected(tmp_path: Path) -> None:
    """Inputs of this machine are, but for what holds the workspace itself, or is not there."""
    rooms = workspace(tmp_path)
    inputs = {
        "file": Data(uri=str(tmp_path / "data" / "text")),
        "whole": Data(uri=str(tmp_path)),
        "gone": Data(uri=str(tmp_path / "gone")),
        "far": Data(uri="https://example.org/a"),
        "word": Text(text=str(tmp_path / "code")),
    }
    found = protected(rooms, plan(shell("s", "", inputs=inputs)))
    assert str(tmp_path / "data" / "text") in found
    assert str(rooms.outputs.folder) in found
    assert not {str(tmp_path), str(tmp_path / "gone"), str(tmp_path / "code")} & set(found)


def test_an_input_that_changed_is_told(tmp_path: Path) -> None:
    """Where the system holds nobody off, what happened is told when the step is over."""
    rooms = workspace(tmp_path)
    data = tmp_path / "data"
    step = shell("s", "", inputs={"a": Data(uri=str(data))})
    before = {"a": rooms.fingerprints.look(str(data))[0].content}
    assert altered(rooms, step, told={"a": str(data)}, before=before) == ""
    (data / "text").write_text("other")
    said = altered(rooms, step, told={"a": str(data)}, before=before)
    assert said == f"its input a changed while it ran: {data}"


def test_the_name_of_the_job_is_filled_in(tmp_path: Path) -> None:
    """In values, and in places that an earlier step writes to; one that is new is empty."""
    rooms = workspace(tmp_path)
    place = "azureml://datastores/workspaceblobstore/paths/by/${{name}}"
    write = shell(
        "write",
        "ls ${{inputs.place}} > ${{outputs.o}}/list; echo ${{inputs.word}} > ${{outputs.o}}/said",
        inputs={"place": Data(uri=place), "word": Text(text="${{name}} in ${{default_datastore}}")},
        outputs={"o": Output(path=place)},
    )
    read = shell(
        "read",
        "cat ${{inputs.said}} > ${{outputs.o}}/said; test ! -s ${{inputs.list}}",
        inputs={
            "after": Produced(step="write", output="o"),
            **{name: Data(uri=f"{place}/{name}") for name in ("said", "list")},
        },
        outputs={"o": Output()},
    )
    made = run(rooms, plan(write, read, name="first"))
    assert made.status is Status.COMPLETED
    said = Path(by_name(made)["read"].outputs["o"].path, "said")
    assert said.read_text() == "first in workspaceblobstore\n"
