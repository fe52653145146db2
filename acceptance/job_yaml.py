"""Runs public job files as their authors wrote them, and says which of them behave as they must.

    python acceptance/job_yaml.py PATH_TO_EXAMPLES [--only PATTERN] [--environment current]

PATH_TO_EXAMPLES is a checkout that has the files, or a folder with files of your own at the same
places; none of them lies here. Each runs by `brinery job create` in one new workspace, and what it
left is compared with what it must leave. A file that is not there is told as such.
The exit status is 1 where a file did not behave.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatch
from functools import cached_property
from pathlib import Path
from time import perf_counter
from typing import Final

from brinery.records.job import JobRun
from brinery.store.jobs import read

_TUTORIAL: Final = "jobs/pipelines-with-components/local-model-experiment-to-pipeline"
_BASICS: Final = "jobs/basics"
_COMPONENTS: Final = "jobs/pipelines-with-components/basics"
_NESTED: Final = (
    "jobs/pipelines-with-components/pipeline_with_pipeline_component/"
    "pipeline_with_train_eval_pipeline_component/pipeline.yml"
)
_TIMEOUT_S: Final = 1800
_R2: Final = (0.932, 0.935)


class Verdict(StrEnum):
    """What came of a file."""

    PASS = "pass"  # noqa: S105 - no password
    FAIL = "FAIL"
    MISSING = "not there"


@dataclass(frozen=True)
class Again:
    """A second run of a file.

    Attributes:
        arguments: of `job create`.
        check: as of the first run.
    """

    arguments: tuple[str, ...]
    check: Callable[[Run], object]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One file, and what it must show.

    Attributes:
        path: below the examples.
        check: says what is wrong with a run; nothing where all is right.
        before: commands of `brinery`; `{examples}` in them is the checkout.
        arguments: of `job create`; `{data}` in them is a folder with what `needs` made.
        needs: makes what the file does not have with it: takes the checkout and that folder.
        again: how it is run once more.
        ends: the status that the job must have.
    """

    path: str
    check: Callable[[Run], object]
    before: tuple[tuple[str, ...], ...] = ()
    arguments: tuple[str, ...] = ()
    needs: Callable[[Path, Path], None] | None = None
    again: Again | None = None
    ends: str = "Completed"


@dataclass(frozen=True, kw_only=True)
class Result:
    """A row of the table.

    Attributes:
        path: of the file.
        verdict: of it.
        why: what is wrong.
        seconds: that it took.
    """

    path: str
    verdict: Verdict
    why: str = ""
    seconds: float = 0.0


class Unlike(Exception):
    """What a file left is not what it must leave."""


@dataclass(frozen=True)
class Run:
    """A job that was run.

    Attributes:
        workspace: that it was run in.
        name: of the job.
    """

    workspace: Path
    name: str
    brinery: Callable[..., str] = field(repr=False)

    @property
    def folder(self) -> Path:
        """Return the job's folder."""
        return self.workspace / ".brinery" / "jobs" / self.name

    @cached_property
    def job(self) -> JobRun:
        """Return the job as it is kept."""
        return read(self.folder)

    def log(self, step: str = "") -> str:
        """Return what a step said; of the only one where it is not named."""
        chosen = step or self.job.steps[0].name
        return (self.folder / "steps" / chosen / "logs" / "std_log.txt").read_text()

    def lines(self, step: str = "") -> list[str]:
        """Return the lines of a step's log that are not empty."""
        return [line for line in self.log(step).splitlines() if line.strip()]

    def output(self, name: str) -> Path:
        """Return where an output of the job lies."""
        return self.folder / "named-outputs" / name

    @property
    def datastore(self) -> Path:
        """Return the folder of the datastore that is there always."""
        return self.workspace / ".brinery" / "datastores" / "workspaceblobstore"

    @cached_property
    def downloaded(self) -> Path:
        """Return a folder with all that the job left."""
        folder = self.workspace / "downloads" / self.name
        self.brinery("job", "download", "-n", self.name, "--all", "-p", str(folder))
        return folder

    @cached_property
    def runs(self) -> list[tuple[dict[str, float], dict[str, str]]]:
        """Return metrics and parameters of the job's MLflow runs."""
        program = (
            "import json, sys\n"
            "from mlflow import MlflowClient\n"
            "client, found = MlflowClient(sys.argv[1]), []\n"
            "for run_id in sys.argv[2:]:\n"
            "    for run in [client.get_run(run_id), *client.search_runs(\n"
            "        [client.get_run(run_id).info.experiment_id],\n"
            "        f\"tags.`mlflow.parentRunId` = '{run_id}'\")]:\n"
            "        found.append([run.data.metrics, run.data.params])\n"
            "print(json.dumps(found))\n"
        )
        ids = [step.run_id for step in self.job.steps if step.run_id]
        # Listing is what tells MLflow of runs that never spoke to it.
        self.brinery("model", "list")
        store = f"sqlite:///{self.workspace / '.brinery' / 'mlflow.db'}"
        done = subprocess.run(
            [sys.executable, "-c", program, store, *ids],
            capture_output=True,
            text=True,
            check=False,
            timeout=_TIMEOUT_S,
        )
        if done.returncode:
            raise Unlike(f"its MLflow runs cannot be read: {done.stderr.strip()[-200:]}")
        return [(metrics, params) for metrics, params in json.loads(done.stdout)]

    def metric(self, *names: str) -> float:
        """Return a metric of any of its runs, by any of several names."""
        for metrics, _ in self.runs:
            for name in names:
                if name in metrics:
                    return metrics[name]
        known = sorted({name for metrics, _ in self.runs for name in metrics})
        raise Unlike(f"no metric {' or '.join(names)}; there are {', '.join(known) or 'none'}")

    def parameter(self, name: str) -> str:
        """Return a parameter of any of its runs."""
        for _, params in self.runs:
            if name in params:
                return params[name]
        raise Unlike(f"no parameter {name}")


def must(*, be: bool, said: str) -> None:
    """Complain where something is not so.

    Raises:
        Unlike: it is not.
    """
    if not be:
        raise Unlike(said)


def says(*lines: str, step: str = "") -> Callable[[Run], None]:
    """Return a check that lines are in a log."""

    def check(run: Run) -> None:
        found = run.log(step)
        missing = [line for line in lines if line not in found]
        must(be=not missing, said=f"the log does not say {missing}")

    return check


def leaves(**counts: int) -> Callable[[Run], None]:
    """Return a check that outputs of the job hold a number of files."""

    def check(run: Run) -> None:
        for name, count in counts.items():
            files = [one for one in run.output(name).rglob("*") if one.is_file()]
            must(be=len(files) == count, said=f"{name} has {len(files)} files, not {count}")

    return check


def has(**files: str) -> Callable[[Run], None]:
    """Return a check that outputs of the job hold a file."""

    def check(run: Run) -> None:
        for name, file in files.items():
            must(be=(run.output(name) / file).is_file(), said=f"{name} has no {file}")

    return check


def both(*checks: Callable[[Run], object]) -> Callable[[Run], None]:
    """Return a check of several."""

    def check(run: Run) -> None:
        for one in checks:
            one(run)

    return check


def steps(count: int) -> Callable[[Run], None]:
    """Return a check of how many steps there are, all completed."""

    def check(run: Run) -> None:
        states = [step.status.value for step in run.job.steps]
        must(be=states == ["Completed"] * count, said=f"its steps are {states}, not {count} done")

    return check


def _artifact(name: str) -> Callable[[Run], None]:
    def check(run: Run) -> None:
        found = list(run.downloaded.rglob(name))
        must(be=bool(found), said=f"no artifact {name} among what was downloaded")

    return check


def _prints_a_path(run: Run) -> None:
    says("hello hello world", step="a")(run)
    last = run.lines("c")[-1].split()[-1]
    must(be=last.endswith("world.txt"), said=f"the last step prints {last}")
    must(be=Path(last).is_file(), said=f"there is no file {last}, which the last step prints")


def _is_a_file_of_six_bytes(run: Run) -> None:
    found = run.datastore / run.name / "hello_world.txt"
    must(be=found.is_file(), said=f"there is no file {found}")
    size = found.stat().st_size
    must(be=size == 6, said=f"hello_world.txt has {size} bytes, not 6")  # noqa: PLR2004


def _sweeps(run: Run) -> None:
    trials = [(metrics, told) for metrics, told in run.runs if "random_metric" in metrics]
    must(be=len(trials) == 4, said=f"{len(trials)} trials logged random_metric")  # noqa: PLR2004
    first = [told.get("A") for _, told in trials]
    must(be=first == ["0.5"] * 4, said=f"A is {first} in the trials")
    said = json.loads(run.brinery("job", "show", "-n", run.name, "-o", "json"))
    best = min(said["trials"], key=lambda one: float(one["metric"]))["run_id"]
    chosen = said["properties"]["best_child_run_id"]
    must(be=chosen == best, said=f"the best trial is {best}, and not {chosen}")


def _is_logged(run: Run) -> None:
    must(be=run.parameter("hello_param") == "world", said="hello_param is not world")
    run.metric("hello_metric")
    _artifact("helloworld.txt")(run)


def _about_as_good(run: Run) -> None:
    low, high = _R2
    r2 = run.metric("r2_score", "r2", "r2score")
    must(be=low <= r2 <= high, said=f"r2 is {r2:.4f}, not within {low} and {high}")


def _rows_of_taxis(run: Run) -> None:
    told = "\n".join(run.log(step.name) for step in run.job.steps)
    counts = ("10000", "9948", "9858", "9743", "2923")
    missing = [count for count in counts if count not in told]
    must(be=not missing, said=f"its logs do not name the rows {missing}")
    _about_as_good(run)
    mse = run.metric("mean_squared_error", "mse")
    must(be=5.9 <= mse <= 6.2, said=f"the mean squared error is {mse:.2f}")  # noqa: PLR2004
    score = float(told.partition("training set score:")[2].split()[0])
    must(be=round(score, 2) == 0.94, said=f"the score of training is {score}")  # noqa: PLR2004


def _regression(run: Run) -> None:
    values = [value for metrics, _ in run.runs for value in metrics.values()]
    near = any(abs(value - 0.889484) < 1e-4 for value in values)  # noqa: PLR2004
    must(be=near, said=f"no metric is 0.889484: {[round(value, 6) for value in values]}")


def _iris_rows(run: Run) -> None:
    (found, *_) = [*run.downloaded.rglob("iris.csv"), None]
    must(be=found is not None, said="no artifact iris.csv")
    assert found is not None  # noqa: S101 - for the type checker
    rows = len(found.read_text().splitlines())
    must(be=rows in (150, 151), said=f"iris.csv has {rows} lines")
    must(be="sepal_length" in run.log(), said="the log names no sepal_length")


def _iris_scores(run: Run) -> None:
    f1 = run.metric("training_f1_score")
    must(be=abs(f1 - 0.975004) < 1e-4, said=f"training_f1_score is {f1}")  # noqa: PLR2004


def _appended(run: Run) -> None:
    found = [path for path in run.downloaded.rglob("*job_out*file*") if path.is_file()]
    folders = [path for path in run.downloaded.rglob("*job_out*file*") if path.is_dir()]
    found += [path for folder in folders for path in folder.iterdir() if path.is_file()]
    if not found:  # It is an output of the step alone.
        (step,) = run.job.steps
        found = [Path(output.path) for output in step.outputs.values()]
    rows = [row.split() for row in found[0].read_text().splitlines()]
    must(be=len(rows) == 74, said=f"{len(rows)} rows were appended, not 74")  # noqa: PLR2004
    widths = {len(row) for row in rows}
    must(be=widths == {5}, said=f"its rows have {widths} columns, not 5")


def _jokes(run: Run) -> None:
    must(be=len(run.lines(run.job.steps[-1].name)) > 0, said="no joke is printed")


def _example_data(examples: Path, data: Path) -> None:
    """Have the datastore hold what an account would have had."""
    source = examples / "assets" / "data" / "example-data" / "iris.csv"
    target = data.parent / ".brinery" / "datastores" / "workspaceblobstore" / "example-data"
    target.mkdir(parents=True, exist_ok=True)
    (target / "iris.csv").write_bytes(source.read_bytes())


def _iris(examples: Path, data: Path) -> None:
    """Write the irises of the web from scikit-learn's own copy."""
    del examples
    program = (
        "import sys\nfrom sklearn.datasets import load_iris\n"
        "found = load_iris(as_frame=True)\ntable = found.data\n"
        "table.columns = ['sepal_length', 'sepal_width', 'petal_length', 'petal_width']\n"
        "table['species'] = found.target_names[found.target]\n"
        "table.to_csv(sys.argv[1], index=False)\n"
    )
    subprocess.run([sys.executable, "-c", program, str(data / "iris.csv")], check=True)


def _a_model(examples: Path, data: Path) -> None:
    """Write a model of today's scikit-learn in the place of one that only an old one reads."""
    del examples
    program = (
        "import sys, mlflow.sklearn\nfrom sklearn.dummy import DummyClassifier\n"
        "model = DummyClassifier().fit([[0], [1], [1]], [0, 1, 1])\n"
        "mlflow.sklearn.save_model(model, sys.argv[1], serialization_format='cloudpickle')\n"
    )
    if not (data / "model").exists():
        subprocess.run([sys.executable, "-c", program, str(data / "model")], check=True)


_IRIS_URL: Final = "https://azuremlexamples.blob.core.windows.net/datasets/iris.csv"
_ENVIRONMENT: Final = ("environment", "create", "-f", f"{{examples}}/{_TUTORIAL}/env/cloud/env.yml")
_WASBS_URL: Final = "wasbs://datasets@azuremlexamples.blob.core.windows.net/iris.csv"
_MAPPED: Final = (
    "--map",
    f"{_IRIS_URL}={{data}}/iris.csv",
    "--map",
    f"{_WASBS_URL}={{data}}/iris.csv",
)
_OTHERS: Final = ("--set", "inputs.hello_string=hello there", "--set", "inputs.hello_number=24")

CASES: Final = (
    Case(path=f"{_BASICS}/hello-world.yml", check=says("hello world")),
    Case(
        path=f"{_BASICS}/hello-world-input.yml",
        check=says("hello world", "42"),
        again=Again(_OTHERS, says("hello there", "24")),
    ),
    Case(path=f"{_BASICS}/hello-world-output.yml", check=_artifact("helloworld.txt")),
    Case(
        path=f"{_BASICS}/hello-data-uri-folder.yml",
        check=says("sample.csv"),
        before=(("data", "create", "-f", f"{{examples}}/{_COMPONENTS}/4d_data_input/data.yml"),),
    ),
    Case(path=f"{_BASICS}/hello-pipeline.yml", check=steps(2)),
    Case(path=f"{_BASICS}/hello-pipeline-abc.yml", check=_prints_a_path),
    Case(path=f"{_BASICS}/hello-pipeline-io.yml", check=says("world", step="world_job")),
    Case(path=f"{_BASICS}/hello-pipeline-customize-output-file.yml", check=_is_a_file_of_six_bytes),
    Case(
        path=f"{_COMPONENTS}/1a_e2e_local_components/pipeline.yml",
        check=both(steps(3), _artifact("model.txt"), _artifact("eval_result.txt")),
    ),
    Case(
        path=f"{_COMPONENTS}/1b_e2e_registered_components/pipeline.yml",
        check=both(
            steps(3), _artifact("model.txt"), _artifact("score.txt"), _artifact("eval_result.txt")
        ),
        before=tuple(
            (
                "component",
                "create",
                "-f",
                f"{{examples}}/{_COMPONENTS}/1b_e2e_registered_components/{name}.yml",
            )
            for name in ("train", "score", "eval")
        ),
    ),
    Case(
        path=f"{_COMPONENTS}/2b_component_with_input_output/pipeline.yml",
        check=both(
            steps(1), says("hello_python_world_default"), leaves(pipeline_sample_output_data=1)
        ),
    ),
    Case(
        path=f"{_COMPONENTS}/3b_pipeline_with_data/pipeline.yml",
        check=leaves(final_pipeline_output=1),
    ),
    Case(
        path=f"{_COMPONENTS}/4a_local_data_input/pipeline.yml", check=says("Hello_Pipeline_World")
    ),
    Case(
        path=_NESTED,
        check=both(
            steps(7), has(pipeline_job_best_model="model", pipeline_job_best_result="result")
        ),
    ),
    Case(path=f"{_BASICS}/hello-mlflow.yml", check=_is_logged),
    Case(path=f"{_BASICS}/hello-sweep.yml", check=_sweeps),
    Case(
        path=f"{_BASICS}/hello-iris-datastore-file.yml",
        check=both(says("5 rows x 44 columns"), _artifact("iris.csv")),
        needs=_example_data,
    ),
    Case(path=f"{_COMPONENTS}/5c_env_conda_file/pipeline.yml", check=_jokes),
    Case(path="jobs/pipelines/nyc-taxi/pipeline.yml", check=_regression),
    Case(
        path=f"{_TUTORIAL}/2_standalone_job_run_on_cloud/2a_job_sample_data.yml",
        check=both(_about_as_good, _artifact("model.sav")),
        before=(_ENVIRONMENT,),
    ),
    Case(
        path=f"{_TUTORIAL}/3_pipeline_job_run_on_cloud/3a_pipeline_sample_data.yml",
        check=both(steps(5), _rows_of_taxis),
        before=(_ENVIRONMENT,),
    ),
    Case(path=f"{_BASICS}/hello-iris-file.yml", check=_iris_rows, arguments=_MAPPED, needs=_iris),
    Case(
        path="jobs/single-step/scikit-learn/iris/job.yml",
        check=_iris_scores,
        arguments=_MAPPED,
        needs=_iris,
    ),
    Case(
        path="jobs/pipelines/iris-batch-prediction-using-parallel/pipeline.yml",
        check=_appended,
        # Its own environment is of a TensorFlow that has no wheel for any Python of today.
        arguments=(
            *("--set", "jobs.batch_prediction.inputs.score_model.path={data}/model"),
            *("--environment", "current"),
        ),
        needs=_a_model,
    ),
)


class Examples:
    """A checkout, and the workspace that its files run in.

    Args:
        folder: of the checkout, or of its part that has `jobs`.
        workspace: an empty folder.
        arguments: of every `job create`.
    """

    def __init__(self, folder: Path, workspace: Path, arguments: Sequence[str] = ()) -> None:
        self.folder = folder / "cli" if (folder / "cli" / "jobs").is_dir() else folder
        self.workspace = workspace
        self.data = workspace / "data"
        self._arguments = tuple(arguments)
        self._done: set[tuple[str, ...]] = set()
        self.data.mkdir(parents=True, exist_ok=True)
        (workspace / "brinery.toml").touch()

    def run(self, case: Case) -> Result:
        """Return what came of a case."""
        path = self.folder / case.path
        if not path.is_file():
            return Result(path=case.path, verdict=Verdict.MISSING)
        began = perf_counter()
        try:
            why = self._run(case, path)
        except Unlike as error:
            why = str(error)
        except (OSError, subprocess.SubprocessError, ValueError, LookupError) as error:
            why = f"{type(error).__name__}: {error}"
        taken = perf_counter() - began
        verdict = Verdict.FAIL if why else Verdict.PASS
        return Result(path=case.path, verdict=verdict, why=why, seconds=taken)

    def _run(self, case: Case, path: Path) -> str:
        if case.needs is not None:
            case.needs(self.folder, self.data)
        for command in case.before:
            filled = tuple(self._filled(part) for part in command)
            if filled not in self._done:
                self.brinery(*filled)
                self._done.add(filled)
        name = f"case_{CASES.index(case) + 1:02d}" if case in CASES else f"case_{path.stem}"
        why = self._checked(path, name, case.arguments, case.check, ends=case.ends)
        if why or case.again is None:
            return why
        again = case.again
        return self._checked(path, f"{name}_again", again.arguments, again.check, ends=case.ends)

    def _checked(
        self,
        path: Path,
        name: str,
        stated: Sequence[str],
        check: Callable[[Run], object],
        *,
        ends: str,
    ) -> str:
        """Return what is wrong with a run of a file; empty where nothing is."""
        arguments = [self._filled(part) for part in stated]
        self.brinery("job", "create", "-f", str(path), "--name", name, *arguments, *self._arguments)
        run = Run(self.workspace, name, self.brinery)
        status = run.job.status.value
        if status != ends:
            return f"it is {status}: {run.job.error or 'it does not say why'}"
        check(run)
        return ""

    def _filled(self, part: str) -> str:
        return part.replace("{examples}", str(self.folder)).replace("{data}", str(self.data))

    def brinery(self, *arguments: str) -> str:
        """Return what a command prints.

        Raises:
            Unlike: it fails.
        """
        program = [str(Path(sys.executable).parent / "brinery"), "--workspace", str(self.workspace)]
        done = subprocess.run(
            [*program, *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=_TIMEOUT_S,
        )
        if done.returncode:
            said = (done.stderr.strip() or done.stdout.strip()).splitlines()
            wrong = [line for line in said if line.startswith(("error", " hint"))] or said[-3:]
            raise Unlike(f"brinery {' '.join(arguments[:2])}: {' '.join(wrong)}"[:400])
        return done.stdout


def table(results: Sequence[Result]) -> str:
    """Return the rows as text."""
    width = max(len(one.path) for one in results)
    rows = [
        f"{one.path:<{width}}  {one.verdict.value:<9}  {one.seconds:6.1f} s  {one.why}".rstrip()
        for one in results
    ]
    counts = {kind: sum(one.verdict is kind for one in results) for kind in Verdict}
    return "\n".join([*rows, ", ".join(f"{count} {kind.value}" for kind, count in counts.items())])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the files and print the table; return 1 where one did not behave."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("examples", type=Path)
    parser.add_argument("--only", default="*", help="a pattern of paths, such as '*hello*'")
    parser.add_argument("--environment", help="given to every job create, such as current")
    parser.add_argument("--workspace", type=Path, help="is kept; a temporary one otherwise")
    given = parser.parse_args(arguments)
    extra = ["--environment", given.environment] if given.environment else []
    with tempfile.TemporaryDirectory(
        prefix="brinery-acceptance-", ignore_cleanup_errors=True
    ) as temporary:
        examples = Examples(given.examples.resolve(), given.workspace or Path(temporary), extra)
        results = []
        for case in CASES:
            if fnmatch(case.path, given.only):
                results.append(examples.run(case))
                print(f"{results[-1].verdict.value:<9} {results[-1].path}", file=sys.stderr)
    if not results:
        print(f"no file matches {given.only}", file=sys.stderr)
        return 2
    print(table(results))
    return 1 if any(one.verdict is Verdict.FAIL for one in results) else 0


if __name__ == "__main__":
    sys.exit(main())
