from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import pytest
from tests.runners.benches import PlainBench, run

from brinery.records.job import Status
from brinery.records.plan import Dimension, Output, Step, Stopping, Sweep
from brinery.records.tracked_run import Measured
from brinery.records.trials import Trial, Trials
from brinery.runners import sweep as sweeps
from brinery.runners.interface import Outcome

# Logs a value a line as `name value`, into the file that its run is.
LOG = 'log() { mkdir -p "$(dirname "$RUN")"; echo "$1 $2" >>"$RUN"; }; '
UNIFORM = Dimension(kind="uniform", low=0.0, high=1.0)
CHOICE = Dimension(kind="choice", values=("3", "1", "2"))


class Written:
    """Metrics as attempts of these tests write them: a file is a run."""

    def metrics(self, run_id: str, /) -> Mapping[str, float]:
        return dict(self._logged(run_id))

    def history(self, run_id: str, metric: str, /) -> Sequence[Measured]:
        found = [value for name, value in self._logged(run_id) if name == metric]
        return [Measured(value=value, step=at, at_ms=0) for at, value in enumerate(found)]

    def ended(self, run_id: str, status: Status, /) -> None:
        Path(f"{run_id}.ended").write_text(str(status.value))

    def _logged(self, run_id: str) -> list[tuple[str, float]]:
        path = Path(run_id)
        lines = path.read_text().splitlines() if path.exists() else []
        return [(line.split()[0], float(line.split()[1])) for line in lines]


def _sweep(**more: object) -> Sweep:
    return msgspec.convert(
        {
            "space": {"depth": msgspec.to_builtins(CHOICE)},
            "sampling": "grid",
            "goal": "minimize",
            "metric": "loss",
            "trials": 3,
            "concurrent": 2,
            **more,
        },
        Sweep,
    )


def _run(folder: Path, declared: Sweep, command: str) -> Outcome:
    step = Step(name="tune", command=LOG + command, outputs={"model": Output()}, sweep=declared)
    bench = PlainBench(step, folder / "step", inputs={"rate": "7"})
    return run(sweeps.Sweeper(Written(), poll_s=0.05), bench)


def _trials(folder: Path) -> Trials:
    found = sweeps.read(folder / "step" / sweeps.FILE)
    assert found is not None
    return found


def test_best(tmp_path: Path) -> None:
    """The best trial's outputs are those of the step; those of the others are kept beside them."""
    command = (
        "echo ${{search_space.depth}} ${{inputs.rate}} >${{outputs.model}}/told; "
        "log loss 9; log loss ${{search_space.depth}}"
    )
    outcome = _run(tmp_path, _sweep(), command)
    found = _trials(tmp_path)
    assert (outcome.error, outcome.exit_status, outcome.label) == ("", 0, "trial_1")
    assert [each.values["depth"] for each in found.trials] == ["3", "1", "2"]
    assert [each.metrics for each in found.trials] == [(9.0, 3.0), (9.0, 1.0), (9.0, 2.0)]
    assert {each.status for each in found.trials} == {Status.COMPLETED}
    assert found.best == 1
    assert Path(f"{found.trials[0].run_id}.ended").read_text() == "Completed"
    others = [each for each in found.trials if each.number != 1]
    told = [Path(each.outputs["model"], "told").read_text() for each in others]
    assert told == ["3 7\n", "2 7\n"]
    # Those of the best are taken in by the engine, which puts a link where the step's own are.
    assert found.trials[1].outputs == {"model": str(tmp_path / "step" / "outputs" / "model")}
    assert outcome.usage.cpu_s > 0
    most = _run(tmp_path, _sweep(goal="maximize"), command)
    assert most.label == "trial_0"


def test_failures(tmp_path: Path) -> None:
    """Trials that fail are counted; the sweep fails only where none completes."""
    failing = "[ ${{search_space.depth}} != 1 ] || exit 4; log loss ${{search_space.depth}}"
    outcome = _run(tmp_path, _sweep(), failing)
    found = _trials(tmp_path)
    assert (outcome.error, outcome.label) == ("", "trial_2")
    assert found.trials[1].status is Status.FAILED
    assert found.trials[1].why == "exit status 4"
    assert found.notes == ("1 of 3 trials failed",)
    none = _run(tmp_path, _sweep(goal="maximize"), "exit 5")
    assert none.error == "none of 3 trials completed: trial_0 exit status 5"


def test_unknown_metric(tmp_path: Path) -> None:
    """A metric that nobody logs is an error that names those that were; no trial follows."""
    outcome = _run(tmp_path, _sweep(concurrent=1), "log los 1; log r2 2")
    assert outcome.error == "no trial logged the metric loss, but los, r2: did you mean los?"
    assert len(_trials(tmp_path).trials) == 1
    for each in ("silent", "undefined"):
        (tmp_path / each).mkdir()
    silent = _run(tmp_path / "silent", _sweep(trials=1), "true")
    assert silent.error == "no trial logged the metric loss, or any other: mlflow.log_metric does"
    undefined = _run(tmp_path / "undefined", _sweep(trials=2), "log loss nan")
    assert undefined.error == "the metric loss is not a number in any trial"


def test_resumed(tmp_path: Path) -> None:
    """A sweep that is begun again repeats no trial that completed, and draws the same others."""
    space = {"rate": msgspec.to_builtins(UNIFORM)}
    declared = _sweep(space=space, sampling="random", trials=4, concurrent=1)
    command = f"echo x >>{tmp_path}/begun; log loss ${{{{search_space.rate}}}}"
    whole = _run(tmp_path, declared, command)
    drawn = _trials(tmp_path)
    file = tmp_path / "step" / sweeps.FILE
    torn = json.loads(file.read_text())
    torn["trials"] = [*torn["trials"][:2], {**torn["trials"][2], "status": "Running"}]
    file.write_text(json.dumps(torn))
    again = _run(tmp_path, declared, command)
    assert again.label == whole.label
    assert (tmp_path / "begun").read_text().count("x") == 4 + 2
    resumed = _trials(tmp_path)
    assert [each.values for each in resumed.trials] == [each.values for each in drawn.trials]
    assert [each.attempts for each in resumed.trials] == [1, 1, 2, 1]


def test_seeds(tmp_path: Path) -> None:
    """A seed draws the same trials again, for every kind of sampling that draws."""
    space = {"rate": msgspec.to_builtins(UNIFORM), "depth": msgspec.to_builtins(CHOICE)}
    for sampling in ("random", "sobol", "bayesian"):
        drawn = []
        for at in range(2):
            folder = tmp_path / f"{sampling}{at}"
            folder.mkdir()
            declared = _sweep(space=space, sampling=sampling, seed=11, concurrent=1)
            outcome = _run(folder, declared, "log loss ${{search_space.rate}}")
            assert outcome.error == ""
            drawn.append([each.values for each in _trials(folder).trials])
        assert drawn[0] == drawn[1]
        assert len({each["rate"] for each in drawn[0]}) == 3


def test_early_termination(tmp_path: Path) -> None:
    """A trial that does badly is ended while it runs; it is no failure, and not begun again."""
    stopping = Stopping(kind="bandit", slack_amount=1.0, delay=2)
    declared = _sweep(
        space={"depth": {"kind": "choice", "values": ["1", "5"]}},
        trials=2,
        stopping=msgspec.to_builtins(stopping),
    )
    command = (
        "for at in 1 2; do log loss ${{search_space.depth}}; done; "
        "[ ${{search_space.depth}} = 1 ] || sleep 60"
    )
    outcome = _run(tmp_path, declared, command)
    found = _trials(tmp_path)
    assert outcome.label == "trial_0"
    bad = found.trials[1]
    assert bad.status is Status.CANCELED
    assert bad.why == "bandit: its best at interval 2, 5, is beyond 2 (best: 1)"
    assert found.notes == ("1 of 2 trials were ended early",)
    _run(tmp_path, declared, command)
    assert [each.attempts for each in _trials(tmp_path).trials] == [1, 1]


def test_times(tmp_path: Path) -> None:
    """A trial has its time, and so has the whole: what completed by then is not repeated."""
    slow = "log loss ${{search_space.depth}}; [ ${{search_space.depth}} = 3 ] || sleep 60"
    outcome = _run(tmp_path, _sweep(trial_timeout_s=6), slow)
    assert outcome.label == "trial_0"
    assert _trials(tmp_path).trials[1].why == "took longer than 6 s"
    late = _run(tmp_path, _sweep(timeout_s=6), slow)
    assert late.error == (
        "the sweep took longer than 6 s: 1 of 3 trials had completed, which are not repeated"
    )
    whole = _run(tmp_path, _sweep(timeout_s=0.7), "true")
    assert "not repeated" not in whole.error


def test_read_nothing(tmp_path: Path) -> None:
    """A file that is no sweep's is none."""
    (tmp_path / "torn.json").write_text('{"trials": [')
    assert sweeps.read(tmp_path / "torn.json") is None
    assert sweeps.read(tmp_path / "none.json") is None
    assert Trial(number=0, values={}).metric is None
    with pytest.raises(ValueError, match="is no sweep"):
        sweeps.Sweeper(Written())(PlainBench(Step(name="a"), tmp_path / "step", inputs={}, cores=1))
