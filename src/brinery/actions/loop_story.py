"""What a loop would do, and what it did: its plan and its history."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from brinery.actions import history, training, training_job
from brinery.actions.loop import check_ready
from brinery.actions.report import page_path
from brinery.actions.rooms import Folder, Rooms, open_rooms
from brinery.charts import loop as page
from brinery.errors import NotFound
from brinery.records.turn import Ending, Phase, State, Turn, TurnPlan
from brinery.records.version import Alias
from brinery.specs.loop import LoopFile, read
from brinery.specs.names import nearest
from brinery.store.documents import write


def loop_plan(loop: Folder, *, if_new: bool = False, workspace: Folder | None = None) -> TurnPlan:
    """Return what a turn of a loop would do if it began now; nothing is done, nothing kept.

    Args:
        loop: a loop.yml.
        if_new: as `run_loop` has it.
        workspace: its folder; the nearest upwards when None.

    Raises:
        InvalidLoop: the file is wrong, or names what is not there.
        UserError: so does what it names; as `check_ready` has it.
    """
    rooms, file = open_rooms(workspace), read(Path(loop))
    check_ready(rooms, file)
    turns = rooms.turns.of(file.loop.name) if rooms.workspace.exists else []
    going = turns[-1] if turns and turns[-1].ended is None else None
    return TurnPlan(
        loop=file.loop.name,
        number=going.number if going else len(turns) + 1,
        stages=tuple(_planned(rooms, file, turns, going=going, if_new=if_new)),
    )


def loop_history(
    loop: str, *, output: Folder | None = None, workspace: Folder | None = None
) -> list[Turn]:
    """Return the turns of a loop, oldest first.

    Args:
        loop: its name, or its loop.yml.
        output: an `.html` file for the story as a page; none is written when None.
        workspace: its folder; the nearest upwards when None.

    Raises:
        NotFound: no loop of that name ever had a turn.
        OutputUnwritable: the page cannot be written.
    """
    path = None if output is None else page_path(output)
    rooms = open_rooms(workspace)
    turns = turns_of(rooms, loop)
    if path is not None:
        write(path, page.render(turns).encode())
    return turns


def turns_of(rooms: Rooms, loop: str) -> list[Turn]:
    """Return the turns of a loop, named or by its file.

    Raises:
        NotFound: no loop of that name ever had a turn.
    """
    is_file = loop.endswith((".yml", ".yaml"))
    name = read(Path(loop)).loop.name if is_file else loop
    turns = rooms.turns.of(name) if rooms.workspace.exists else []
    if turns:
        return turns
    near = nearest(name, rooms.turns.loops() if rooms.workspace.exists else [])
    if near is not None and near != name:
        raise NotFound(f"the loop {name} has no turn", hint=f"did you mean {near}?")
    raise NotFound(
        f"the loop {name} has no turn yet",
        hint=f"brinery loop run {loop if is_file else 'loop.yml'}",
    )


def _planned(
    rooms: Rooms, file: LoopFile, turns: list[Turn], *, going: Turn | None, if_new: bool
) -> Iterator[tuple[str, str]]:
    loop, task = file.loop, file.task
    done = [stage.phase for stage in going.stages if stage.state is State.DONE] if going else []
    if going is not None:
        told = f" after {done[-1]}" if done else ""
        yield "resume", f"turn {going.number}, which did not end, goes on{told}"
    ended = [turn for turn in turns if turn.ended and turn.ending is not Ending.FAILED]
    new = training.unmet(file, ended)
    watches = loop.trigger is not None and bool(loop.trigger.new_data)
    if watches:
        names = ", ".join(Path(each.path).name for each in new[:5])
        more = f" and {len(new) - 5} more" if len(new) > 5 else ""  # noqa: PLR2004 - as many as are named
        yield "new data", f"{names}{more}" if new else "no file that no turn had"
    if watches and if_new and not new and Phase.TRAIN not in done:
        yield "end", "nothing new: nothing would be trained"
        return
    if Phase.TRAIN not in done:
        output = Path("{output}")
        yield "train", f"{shlex.join(task.filled(output))}, in {task.folder}"
        if task.job is not None:
            plan = training_job.plan_of(rooms.workspace.root, task)
            yield "", f"steps: {', '.join(step.name for step in plan.steps)}"
            left = (
                f"the output {task.model}" if task.model else "its model output, or a run in MLflow"
            )
        else:
            left = (
                f"the model at {task.model}" if task.model else "the model of a new run in MLflow"
            )
        yield "", f"it leaves {left}, within {task.timeout_s:g} seconds"
    if Phase.IMPORT not in done:
        yield "import", f"as a version of {loop.registers}, which answers {loop.evaluate.data}"
    if rooms.settings.evaluate.at_import and Phase.EVALUATE not in done:
        yield "evaluate", f"whole, on {loop.evaluate.data} with the target {loop.evaluate.target}"
    versions = rooms.registry.versions(loop.registers) if rooms.workspace.exists else []
    champion = history.holder(versions, Alias.CHAMPION)
    against = f"against {champion.reference}" if champion else "with no champion yet"
    yield "compare", against
    yield "gate", loop.gate
    yield "promote", "where the gate passes it; the champion is kept where it does not"
    schedule = loop.trigger.schedule if loop.trigger else None
    if schedule is not None:
        due = schedule.next(datetime.now(UTC))
        yield "schedule", f"{schedule.explained()}; due next at {due:%Y-%m-%d %H:%M} UTC"
