"""Where an attempt of a step is made ready: its copy of the code, its places, its variables."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Final

from msgspec import Struct, field

from brinery.actions.job_gateway import put_on_path
from brinery.actions.job_providers import Interpreter
from brinery.actions.job_rooms import JobRooms
from brinery.records.plan import DataType, Output, Plan, Step, Text
from brinery.runners.interface import Attempt
from brinery.runners.ranks import command_of, program_of, ranks_of
from brinery.specs.expressions import render

# The output that holds what a step left in `./outputs` and `./logs`.
ARTIFACTS: Final = "artifacts"
KEPT_FOLDERS: Final = ("outputs", "logs")
# What an attempt has while it runs: where outputs are made, its environment's own part, its code.
PASSING: Final = ("making", "run", "work")


class StepBench(Struct, frozen=True):
    """One step, ready to be run.

    Attributes:
        job: name of the job.
        plan: of the job.
        step: as it was planned.
        rooms: of the workspace.
        folder: absolute, of the step in its job's.
        inputs: what the command is told.
        cores: attempts that may run at once.
        told: whether each line that it writes is wanted as it comes.
        key: names its code, inputs and environment by their content.
    """

    job: str
    plan: Plan
    step: Step
    rooms: JobRooms
    folder: str
    inputs: Mapping[str, str]
    cores: int
    told: bool = False
    key: str = ""
    _pythons: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def outputs(self) -> Mapping[str, str]:
        """Return the place at which each output is made."""
        return self.outputs_of("")

    @property
    def python(self) -> str:
        """Return the interpreter of the step's environment."""
        if not self._pythons:
            found = self.rooms.software.ready(self.step, Path(self._place(""), "run"))
            self._variables("", found)
        return next(iter(self._pythons.values()))

    def outputs_of(self, label: str) -> Mapping[str, str]:
        """Return the place at which an attempt makes each output."""
        making = f"{self._place(label)}/making"
        found = {}
        for name, output in {**self.step.outputs, ARTIFACTS: self._artifacts()}.items():
            base = base_of(name, output)
            found[name] = f"{making}/{name}" if base == name else f"{making}/{name}.d/{base}"
        return found

    def run_of(self, label: str) -> str:
        """Return the id of an attempt's MLflow run."""
        return self.rooms.tracking.run_id(self.step, label)

    def work_of(self, label: str) -> str:
        """Return the working directory of an attempt."""
        return f"{self._place(label)}/work"

    def attempt(
        self, label: str = "", *, searched: Mapping[str, str] | None = None, command: str = ""
    ) -> Attempt:
        """Return an attempt that can be started.

        Raises:
            UserError: the environment cannot be set up, or the command cannot be filled in.
            OSError: a file cannot be copied.
        """
        place = self._place(label)
        work = self.work_of(label)
        if os.path.exists(place):  # noqa: PTH110 - texts
            for below in PASSING:
                self.rooms.trash.put(f"{place}/{below}")
        os.makedirs(f"{place}/logs", exist_ok=True)  # noqa: PTH103 - as above
        os.mkdir(work)  # noqa: PTH102 - as above
        self.rooms.snapshots.copy(self.step.code, self.step.includes, target=work)
        for name in KEPT_FOLDERS:
            os.makedirs(f"{work}/{name}", exist_ok=True)  # noqa: PTH103 - as above
        outputs = self.outputs_of(label)
        making = f"{place}/making"
        os.mkdir(making)  # noqa: PTH102 - as above
        for name, output in self.step.outputs.items():
            file = output.type is DataType.FILE
            made = os.path.dirname(outputs[name]) if file else outputs[name]  # noqa: PTH120 - above
            if made != making:
                os.makedirs(made, exist_ok=True)  # noqa: PTH103 - as above
        found = self.rooms.software.ready(self.step, Path(place, "run"))
        variables = self._variables(label, found)
        for name in self.step.outputs:
            variables[f"AZURE_ML_OUTPUT_{name}"] = outputs[name]
        ranks = ranks_of(self.step.spread)
        text = render(command or self.step.command, self._scope(outputs, searched))
        return Attempt(
            name=f"{self.step.name}/{label}" if label else self.step.name,
            command=command_of(self.step.spread, text),
            folder=work,
            variables=variables,
            log=f"{place}/logs/std_log.txt",
            processes=ranks.processes,
            machines=ranks.machines,
            serving=ranks.serving,
            needs=self.step.needs,
            program=program_of(self.step.spread),
            timeout_s=self.step.timeout_s,
            told=self.told,
            place=place,
            reads=self._reads(),
            overlay=found.overlay,
            software=found.software if found.overlay else None,
            imported=found.imported,
        )

    def _reads(self) -> tuple[str, ...]:
        """Return the paths among the inputs."""
        return tuple(
            told
            for name, told in self.inputs.items()
            if not isinstance(self.step.inputs[name], Text) and os.path.exists(told)  # noqa: PTH110 - a text
        )

    def _place(self, label: str) -> str:
        return f"{self.folder}/{label}" if label else self.folder

    def _artifacts(self) -> Output:
        return self.step.outputs.get(ARTIFACTS, Output())

    def _scope(
        self, outputs: Mapping[str, str], searched: Mapping[str, str] | None
    ) -> dict[str, str | Mapping[str, str]]:
        return {
            "inputs": {**self.inputs, **(searched or {})},
            "outputs": outputs,
            "search_space": searched or {},
            "name": self.job,
            "default_datastore": self.plan.datastore,
        }

    def _variables(self, label: str, found: Interpreter) -> dict[str, str]:
        from_us = partial(self.rooms.variables.get)
        self._pythons[label] = found.python
        self.notes.extend(note for note in found.notes if note not in self.notes)
        run = f"{self.job}_{self.step.name}_{label}".rstrip("_") if self.plan.pipeline else self.job
        first = os.path.dirname(found.python)  # noqa: PTH120 - a text
        path = found.variables.get("PATH") or from_us("PATH", os.defpath) or os.defpath
        tracked = self.rooms.tracking.variables(self.step, label)
        asked = self.rooms.gateway.variables(self.step, job=self.job, run=tracked)
        if self.step.shims is not None:
            put_on_path(found.variables, self.step.shims.libraries)
        return {
            **self.rooms.variables,
            "PYTHONUNBUFFERED": "1",
            "AZUREML_RUN_ID": run,
            "AZUREML_ROOT_RUN_ID": self.job,
            "AZUREML_EXPERIMENT_NAME": self.plan.experiment,
            "AZUREML_ARM_SUBSCRIPTION": "local",
            "AZUREML_ARM_RESOURCEGROUP": "local",
            "AZUREML_ARM_WORKSPACE_NAME": self.rooms.workspace.root.name,
            "AZUREML_ARM_PROJECT_NAME": self.plan.experiment,
            "AZUREML_CR_NODE_RANK": "0",
            "AZUREML_PROCESS_NAME": "main",
            **tracked,
            **asked,
            **{f"AZURE_ML_INPUT_{name}": told for name, told in self.inputs.items()},
            **found.variables,
            "PATH": path if path.startswith(first) else f"{first}{os.pathsep}{path}",
            **self.step.variables,
        }


def base_of(name: str, output: Output) -> str:
    """Return the name that an output has as a file or a folder: that of its own place, if any."""
    base = output.path.rstrip("/").rpartition("/")[2]
    return base if base and "$" not in base and base not in (".", "..") else name
