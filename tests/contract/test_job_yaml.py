"""What another client of job YAML says of files is what we say: both load, or both refuse.

The other client is azure-ai-ml, in an environment of its own that uv builds; it is asked for what
it read, and for nothing that takes a network or an account. Where we differ, a list says so.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.contract import job_yaml_cases as cases

from brinery.errors import InvalidJob
from brinery.pipeline.planning import plan
from brinery.records.plan import Data, Joined, Plan, Produced, Step, Text, Value
from brinery.specs import job_yaml

UV = Path(sys.executable).parent / "uv"
CLIENT = "azure-ai-ml==1.35.2"

# Prints, for each case, what it read or why it did not.
ORACLE = r"""
import json, logging, sys, warnings
from pathlib import Path

logging.disable(logging.CRITICAL)
warnings.simplefilter("ignore")
from azure.ai.ml import load_job
from azure.ai.ml.entities._job.to_rest_functions import to_rest_job_object


def plain(value):
    if value is None or isinstance(value, (str, bool, int, float)):
        return None if value is None else {"text": str(value)}
    found = {key: getattr(value, key, None) for key in ("path", "type", "mode")}
    found["path"] = None if found["path"] is None else str(found["path"])
    return found


def part(given):
    return given.trial if type(given).__name__ == "Sweep" else given.component


def node(given):
    component = part(given)
    found = {
        "type": given.type,
        "inputs": {name: plain(one._data) for name, one in given.inputs.items()},
        "outputs": {name: plain(one._data) for name, one in given.outputs.items()},
        "declared": {
            name: {"type": one.type, "default": one.default, "optional": bool(one.optional)}
            for name, one in (component.inputs or {}).items()
        },
        "leaves": {name: one.type for name, one in (component.outputs or {}).items()},
        "command": getattr(component, "command", None),
        "deterministic": getattr(component, "is_deterministic", True) is not False,
    }
    kind = type(given).__name__
    if kind == "Parallel":
        for key in ("mini_batch_size", "max_concurrency_per_instance", "error_threshold",
                    "mini_batch_error_threshold", "logging_level", "input_data"):
            found[key] = getattr(given, key, None)
        found["task"] = {
            key: getattr(given.task, key, None)
            for key in ("entry_script", "program_arguments", "append_row_to")
        }
        found["retry"] = [given.retry_settings.max_retries, given.retry_settings.timeout]
    if kind == "Sweep":
        found["sweep"] = swept(given)
    if kind == "Pipeline":
        found["jobs"] = {name: node(one) for name, one in component.jobs.items()}
    return found


def swept(job):
    limits, sampling = job.limits, job.sampling_algorithm
    return {
        "space": {
            name: {key: value for key, value in vars(one).items() if value is not None}
            for name, one in job.search_space.items()
        },
        "sampling": sampling if isinstance(sampling, str) else sampling.type,
        "objective": [job.objective.goal.lower(), job.objective.primary_metric],
        "limits": [limits.max_total_trials, limits.max_concurrent_trials, limits.timeout,
                   limits.trial_timeout],
        "stopping": None if job.early_termination is None else job.early_termination.type,
    }


def checked(job):
    said = []
    if type(job).__name__ != "SweepJob":
        said = job._validate()._to_dict().get("errors") or []
    def deeper(jobs):
        for one in jobs.values():
            component = part(one)
            if not isinstance(component, str):
                yield from component._validate()._to_dict().get("errors") or []
                if type(one).__name__ == "Pipeline":
                    yield from deeper(component.jobs)
    if type(job).__name__ == "PipelineJob":
        said += list(deeper(job.jobs))
    if said:
        raise ValueError(json.dumps(said, default=str))
    if type(job).__name__ == "Command":
        to_rest_job_object(job)


def read(file):
    job = load_job(file)
    checked(job)
    kind = type(job).__name__
    found = {
        "kind": kind,
        "inputs": {name: plain(getattr(one, "_data", one)) for name, one in job.inputs.items()},
        "outputs": {name: plain(getattr(one, "_data", one)) for name, one in job.outputs.items()},
    }
    if kind == "PipelineJob":
        found["jobs"] = {name: node(one) for name, one in job.jobs.items()}
        found["settings"] = {
            key: getattr(job.settings, key, None)
            for key in ("continue_on_step_failure", "force_rerun")
        }
        declared = getattr(job.component, "inputs", None) or {}
        found["declared"] = {
            name: {"default": getattr(one, "default", None)} for name, one in declared.items()
        }
        return found
    command = job.trial if kind == "SweepJob" else job
    found["command"] = command.command
    if kind == "SweepJob":
        found["sweep"] = swept(job)
    else:
        found["instances"] = getattr(job.resources, "instance_count", None) or 1
        found["timeout"] = getattr(job.limits, "timeout", None)
        found["variables"] = {k: "" if v is None else str(v)
                              for k, v in (job.environment_variables or {}).items()}
    return found


said = {}
for name, text in json.loads(Path("cases.json").read_text()).items():
    Path("job.yml").write_text(text)
    try:
        said[name] = {"read": read("job.yml")}
    except Exception as error:
        said[name] = {"refused": f"{type(error).__name__}: {error}"}
print("ANSWER" + json.dumps(said, default=str))
"""

EVERY = {
    **cases.VALID,
    **{name: text for name, (text, _) in {**cases.INVALID, **cases.OURS}.items()},
    **cases.THEIRS,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files that the jobs name."""
    return cases.written(tmp_path_factory.mktemp("jobs"))


@pytest.fixture(scope="module")
def oracle(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the other client says of every case."""
    home = tmp_path_factory.mktemp("client") / "environment"
    subprocess.run([str(UV), "venv", "--quiet", "--python", sys.executable, home], check=True)
    python = str(home / "bin" / "python")
    subprocess.run([str(UV), "pip", "install", "--quiet", "--python", python, CLIENT], check=True)
    (folder / "cases.json").write_text(json.dumps(EVERY))
    done = subprocess.run(
        [python, "-c", ORACLE], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.partition("ANSWER")[2])
    return found


def planned(folder: Path, text: str) -> Plan:
    """What we make of a case."""
    file = folder / "job.yml"
    file.write_text(text)
    return plan(job_yaml.read(file))


def reached(value: Value, folder: Path) -> object:
    """What an input of ours comes to, without the names of our records."""
    match value:
        case Text():
            return value.text
        case Data():
            return value.uri
        case Produced():
            return f"{value.step}.{value.output}"
        case Joined():
            return "".join(str(reached(part, folder)) for part in value.parts)


class Theirs:
    """The other client's tree of steps, its expressions followed to where they end."""

    def __init__(self, job: dict[str, Any], folder: Path) -> None:
        self._folder = folder
        self.steps: dict[str, dict[str, Any]] = {}
        self._ends: dict[str, str] = {}
        inputs = {name: self._end(one, {}, "", folder) for name, one in job["inputs"].items()}
        for name, one in job["declared"].items():
            if inputs.get(name) is None and one["default"] is not None:
                inputs[name] = str(one["default"])
        self._jobs(job["jobs"], inputs, "", folder)
        for step in self.steps.values():
            step["reached"] = {name: self._followed(one) for name, one in step["reached"].items()}

    def _jobs(self, jobs: dict[str, Any], outer: dict[str, Any], prefix: str, base: Path) -> None:
        for name, one in jobs.items():
            given = {
                key: self._end(value, outer, prefix, base) for key, value in one["inputs"].items()
            }
            for key, port in one["declared"].items():
                if given.get(key) is None and port["default"] is not None:
                    given[key] = str(port["default"])
            own = {key: value for key, value in given.items() if value is not None}
            if "jobs" in one:
                inner = f"{prefix}{name}."
                self._jobs(one["jobs"], own, inner, base / "parts" / "nested")
                for deep, each in one["jobs"].items():
                    for output, held in each["outputs"].items():
                        text = (held or {}).get("text") or (held or {}).get("path") or ""
                        if text.startswith("${{parent.outputs."):
                            self._ends[f"{prefix}{name}.{text[18:-2]}"] = f"{inner}{deep}.{output}"
            else:
                self.steps[f"{prefix}{name}"] = {**one, "reached": own}

    def _end(self, value: Any, outer: dict[str, Any], prefix: str, base: Path) -> Any:
        if value is None:
            return None
        if "text" in value:
            return self._text(value["text"], outer, prefix)
        if value["path"] is None:
            return None
        text = self._text(value["path"], outer, prefix)
        if text != value["path"] or ":" in text.partition("/")[0]:
            return text
        return str((base / text).resolve())

    @staticmethod
    def _text(text: str, outer: dict[str, Any], prefix: str) -> Any:
        if found := re.fullmatch(r"\$\{\{parent\.inputs\.(\w+)\}\}(.*)", text):
            inner = outer.get(found[1])
            return None if inner is None else f"{inner}{found[2]}"
        if found := re.fullmatch(r"\$\{\{parent\.jobs\.(\w+)\.outputs\.(\w+)\}\}", text):
            return f"{prefix}{found[1]}.{found[2]}"
        return text

    def _followed(self, text: str) -> str:
        while text in self._ends:
            text = self._ends[text]
        return text


def differing(mine: Step, theirs: dict[str, Any], folder: Path) -> list[tuple[str, Any, Any]]:
    """What of a step is not the same: name, ours, theirs."""
    # What a sweep draws is given by no step.
    given = set(theirs["declared"]) - set(mine.sweep.space if mine.sweep is not None else ())
    pairs: list[tuple[str, Any, Any]] = [
        ("command", mine.command or None, theirs["command"]),
        (
            "inputs",
            {name: reached(one, folder) for name, one in mine.inputs.items()},
            {name: one for name, one in theirs["reached"].items() if name in given},
        ),
        ("outputs", set(mine.outputs), set(theirs["leaves"])),
        (
            "types",
            {name: str(one.type) for name, one in mine.outputs.items()},
            {name: one or "uri_folder" for name, one in theirs["leaves"].items()},
        ),
        ("deterministic", mine.deterministic, theirs["deterministic"]),
    ]
    if mine.parallel is not None:
        part = mine.parallel
        pairs += [
            ("batch", part.batch_size, int(theirs["mini_batch_size"])),
            ("concurrency", part.concurrency, theirs["max_concurrency_per_instance"]),
            ("item errors", part.item_errors, int(theirs["error_threshold"] or -1)),
            ("level", part.logging_level, theirs["logging_level"] or "INFO"),
            ("data", f"${{{{inputs.{part.data}}}}}", theirs["input_data"]),
            ("entry", part.entry, theirs["task"]["entry_script"]),
            ("arguments", part.arguments, theirs["task"]["program_arguments"]),
            ("appended", f"${{{{outputs.{part.append_to}}}}}", theirs["task"]["append_row_to"]),
            ("retries", [part.retries, part.timeout_s], theirs["retry"]),
        ]
    if mine.sweep is not None:
        pairs += swept(mine, theirs["sweep"])
    return [(name, ours, other) for name, ours, other in pairs if ours != other]


def swept(mine: Step, theirs: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    """Ours and theirs of a sweep."""
    sweep = mine.sweep
    assert sweep is not None
    total, concurrent, timeout, trial = theirs["limits"]
    spaces = {
        name: [str(value) for value in one.get("values", ())]
        or [one.get("min_value"), one.get("max_value")]
        for name, one in theirs["space"].items()
    }
    return [
        (
            "space",
            {name: list(one.values) or [one.low, one.high] for name, one in sweep.space.items()},
            spaces,
        ),
        ("kinds", [one.kind for one in sweep.space.values()], kinds(theirs)),
        ("sampling", sweep.sampling.replace("sobol", "random"), theirs["sampling"]),
        ("objective", [sweep.goal, sweep.metric], theirs["objective"]),
        ("trials", [sweep.trials, sweep.concurrent], [total, concurrent or total]),
        ("timeouts", [sweep.timeout_s, sweep.trial_timeout_s], [timeout, trial]),
        ("stopping", sweep.stopping.kind or None, theirs["stopping"]),
    ]


def kinds(theirs: dict[str, Any]) -> list[str]:
    """The kinds of their search space."""
    return [one["type"] for one in theirs["space"].values()]


@pytest.mark.slow
def test_what_it_reads_we_read_alike(oracle: dict[str, Any], folder: Path) -> None:
    """Each file that the other client reads is read by us, with the same graph."""
    wrong: dict[str, object] = {}
    for name, text in cases.VALID.items():
        theirs = oracle[name].get("read")
        if theirs is None:
            wrong[name] = oracle[name]
            continue
        mine = planned(folder, text)
        if theirs["kind"] != "PipelineJob":
            (step,) = mine.steps
            alone = {
                "command": (step.command, theirs["command"]),
                "inputs": (set(step.inputs), set(theirs["inputs"])),
                "texts": (
                    {key: one.text for key, one in step.inputs.items() if isinstance(one, Text)},
                    {key: one["text"] for key, one in theirs["inputs"].items() if "text" in one},
                ),
                "outputs": (set(step.outputs), set(theirs["outputs"])),
                "instances": (step.spread.instances, theirs.get("instances", 1)),
                "timeout": (step.timeout_s, theirs.get("timeout")),
                "variables": (step.variables, theirs.get("variables", {})),
            }
            found = [(key, *pair) for key, pair in alone.items() if pair[0] != pair[1]]
            if step.sweep is not None:
                found += [one for one in swept(step, theirs["sweep"]) if one[1] != one[2]]
        else:
            tree = Theirs(theirs, folder)
            if {one.name for one in mine.steps} != set(tree.steps):
                wrong[name] = list(tree.steps)
                continue
            found = [
                one for step in mine.steps for one in differing(step, tree.steps[step.name], folder)
            ]
            settings = theirs["settings"]
            assert mine.force_rerun == bool(settings["force_rerun"])
            assert mine.continue_on_failure == bool(settings["continue_on_step_failure"])
        if found:
            wrong[name] = found
    assert not wrong, json.dumps(wrong, indent=2, default=str)


@pytest.mark.slow
def test_what_it_refuses_we_refuse(oracle: dict[str, Any], folder: Path) -> None:
    """Each file that the other client refuses is refused by us, but for those on the list."""
    there = [name for name in (*cases.INVALID, *cases.THEIRS) if "refused" not in oracle[name]]
    assert not there
    for text, _ in cases.INVALID.values():
        with pytest.raises(InvalidJob):
            planned(folder, text)
    for text in cases.THEIRS.values():
        assert planned(folder, text).steps


@pytest.mark.slow
def test_what_it_lets_pass_we_tell(oracle: dict[str, Any], folder: Path) -> None:
    """The files that it reads and that could not run are refused by us before anything runs."""
    refused = {name: oracle[name] for name in cases.OURS if "read" not in oracle[name]}
    assert not refused
    for text, _ in cases.OURS.values():
        with pytest.raises(InvalidJob):
            planned(folder, text)
