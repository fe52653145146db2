"""One turn of a loop: what was trained on what, what it became, and what was decided of it."""

from __future__ import annotations

from datetime import datetime
from typing import Optional

import msgspec
from msgspec import Struct

from brinery.records.decision import Decision
from brinery.records.text_enum import TextEnum
from brinery.records.version import CodeVersion, DataFingerprint


class Trigger(TextEnum):
    """What a turn was begun by."""

    CRON = "cron"
    NEW_DATA = "new data"
    BY_HAND = "by hand"


class Phase(TextEnum):
    """The stages of a turn, in order."""

    TRAIN = "train"
    IMPORT = "import"
    EVALUATE = "evaluate"
    COMPARE = "compare"
    GATE = "gate"
    PROMOTE = "promote"


class State(TextEnum):
    """How far a stage is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"


class Ending(TextEnum):
    """How a turn ended."""

    PROMOTED = "promoted"
    KEPT = "kept"
    FAILED = "failed"
    NOTHING_NEW = "nothing new"


class StageRun(Struct, frozen=True, kw_only=True):
    """One stage of a turn.

    Attributes:
        phase: which.
        state: how far it is.
        started: with time zone; None where it was not begun.
        ended: likewise.
        note: what it came to, or why it was skipped or failed, in a sentence.
    """

    phase: Phase
    state: State = State.WAITING
    started: Optional[datetime] = None
    ended: Optional[datetime] = None
    note: str = ""


class InputData(Struct, frozen=True, kw_only=True):
    """Files that a training was given, or that the trigger watches.

    Attributes:
        name: of the input in loop.yml; `new_data` for the trigger's.
        path: as it was given.
        files: count.
        size_bytes: of all of them.
        sha256: of their names and contents.
    """

    name: str
    path: str
    files: int
    size_bytes: int
    sha256: str


class NewFile(Struct, frozen=True, kw_only=True):
    """A file that the trigger watches and that no turn had seen as it is.

    Attributes:
        path: as it was found.
        size_bytes: of it.
        sha256: of its bytes.
    """

    path: str
    size_bytes: int
    sha256: str


class Lineage(Struct, frozen=True, kw_only=True):
    """Where a turn's model comes from.

    Attributes:
        command: what was run, as a shell would be told it.
        spec_sha256: of loop.yml.
        data: what the training was given.
        new_files: those that no turn had seen.
        evaluation: which rows it was evaluated on; None before it was.
        code: the commit that loop.yml lies in; None outside git.
        code_sha256: of the files of the training's code.
        environment_sha256: of the packages of the Python that runs Brinery, and its version.
        python: its version.
        run_id: of MLflow's run that the training left; None where it left none.
        model_sha256: of the model that the training left; empty before it did.
    """

    command: str = ""
    spec_sha256: str = ""
    data: tuple[InputData, ...] = ()
    new_files: tuple[NewFile, ...] = ()
    evaluation: Optional[DataFingerprint] = None
    code: Optional[CodeVersion] = None
    code_sha256: str = ""
    environment_sha256: str = ""
    python: str = ""
    run_id: Optional[str] = None
    model_sha256: str = ""


class Turn(Struct, frozen=True, kw_only=True):
    """One turn of a loop.

    Attributes:
        loop: the loop's name.
        number: 1, 2, …; 0 before it is begun.
        model: name of the registered model.
        trigger: what began it.
        due: when the schedule meant it to begin; None where it was not begun by the schedule.
        started: with time zone.
        ended: None while it goes on, and where its process was killed.
        attempts: how often it was begun or resumed.
        stages: in order.
        lineage: where its model comes from.
        trained: the model that the training left: a file, a folder or a URI; empty before.
        version: number of the registered version; None before there is one.
        decision: of the gate; None before it decided.
        champion: number of the champion when the turn ended; None where there is none.
        ending: how it ended; None while it goes on.
        error: code, message and hint of what stopped it, `: ` between; empty where nothing did.
        log: file of what the training wrote; empty where it was not run.
        holder: who goes on with it: drawn anew whenever a process begins or resumes it.
    """

    loop: str
    model: str
    trigger: Trigger
    started: datetime
    number: int = 0
    due: Optional[datetime] = None
    ended: Optional[datetime] = None
    attempts: int = 1
    stages: tuple[StageRun, ...] = tuple(StageRun(phase=phase) for phase in Phase)
    lineage: Lineage = Lineage()
    trained: str = ""
    version: Optional[int] = None
    decision: Optional[Decision] = None
    champion: Optional[int] = None
    ending: Optional[Ending] = None
    error: str = ""
    log: str = ""
    holder: str = ""

    @property
    def name(self) -> str:
        """Return what it is called: the loop's name and its number."""
        return f"{self.loop} turn {self.number}"

    @property
    def reference(self) -> Optional[str]:
        """Return the version that it made, as `bank@3`; None where it made none."""
        return None if self.version is None else f"{self.model}@{self.version}"

    def stage(self, phase: Phase) -> StageRun:
        """Return one of its stages; one that was not known when it was kept is waiting."""
        found = (stage for stage in self.stages if stage.phase is phase)
        return next(found, StageRun(phase=phase))

    def with_stage(self, stage: StageRun) -> Turn:
        """Return the turn with a stage in place of that of the same phase."""
        stages = tuple(stage if one is stage.phase else self.stage(one) for one in Phase)
        return msgspec.structs.replace(self, stages=stages)


class TurnPlan(Struct, frozen=True, kw_only=True):
    """What a turn would do if it began now; nothing of it was done.

    Attributes:
        loop: the loop's name.
        number: of the turn.
        stages: of each stage that it would come to, its name and what would be done, in a sentence.
    """

    loop: str
    number: int
    stages: tuple[tuple[str, str], ...]
