"""The public examples that train and predict, in our own words; see `standins`.

Data are drawn so that what a file must show comes out of an honest computation: noise of a known
share makes a known R², and rows that the scripts must drop are put in by count.
"""

from __future__ import annotations

from pathlib import Path
from random import Random

from tests.cli.standins import iris

_SCHEMA = "$schema: https://example.org/latest/{}.schema.json\n"
_LABEL = "azureml://registries/azureml/environments/sklearn-1.5/labels/latest"
_CURATED = "azureml:AzureML-sklearn-1.5@latest"
_IRIS = "https://azuremlexamples.blob.core.windows.net/datasets/iris.csv"
_TAXI = "jobs/pipelines/nyc-taxi"
_TUTORIAL = "jobs/pipelines-with-components/local-model-experiment-to-pipeline"
_PARALLEL = "jobs/pipelines/iris-batch-prediction-using-parallel"
_R2 = 0.889484

# What every script of a step begins with.
_TOLD = """\
import argparse, os, pickle, mlflow, numpy, pandas
from pathlib import Path
parser = argparse.ArgumentParser()
for name in {names}:
    parser.add_argument("--" + name)
told = parser.parse_args()
"""


def _script(*names: str, does: str) -> str:
    return _TOLD.format(names=list(names)) + does


def _step(name: str, inputs: dict[str, str], outputs: tuple[str, ...]) -> str:
    """Return a step in place, with code and arguments of its own."""
    given = "".join(f"      {key}: {value}\n" for key, value in inputs.items())
    left = "".join(f"      {key}:\n" for key in outputs)
    told = " ".join(
        [f"--{key} ${{{{inputs.{key}}}}}" for key in inputs]
        + [f"--{key} ${{{{outputs.{key}}}}}" for key in outputs]
    )
    return f"""\
  {name}_job:
    type: command
    inputs:
{given}    outputs:
{left}    code: src/{name}
    environment: {_CURATED}
    compute: azureml:cpu-cluster
    command: >-
      python {name}.py
      {told}
"""


_REGRESSION = {
    f"{_TAXI}/pipeline.yml": _SCHEMA.format("pipelineJob")
    + "type: pipeline\ndisplay_name: rides\njobs:\n"
    + _step("prep", {"raw_data": "{type: uri_folder, path: ./data}"}, ("prep_data",))
    + _step("transform", {"clean_data": "${{parent.jobs.prep_job.outputs.prep_data}}"}, ("data",))
    + _step(
        "train",
        {"training_data": "${{parent.jobs.transform_job.outputs.data}}"},
        ("model_output", "test_data"),
    )
    + _step(
        "predict",
        {
            "model_input": "${{parent.jobs.train_job.outputs.model_output}}",
            "test_data": "${{parent.jobs.train_job.outputs.test_data}}",
        },
        ("predictions",),
    )
    + _step(
        "score",
        {"predictions": "${{parent.jobs.predict_job.outputs.predictions}}"},
        ("score_report",),
    ),
    f"{_TAXI}/src/prep/prep.py": _script(
        "raw_data",
        "prep_data",
        does="pandas.read_csv(Path(told.raw_data) / 'rides.csv').to_csv("
        "Path(told.prep_data) / 'rides.csv')\n",
    ),
    f"{_TAXI}/src/transform/transform.py": _script(
        "clean_data",
        "data",
        does="table = pandas.read_csv(Path(told.clean_data) / 'rides.csv')\n"
        "table[['x', 'y']].to_csv(Path(told.data) / 'rides.csv')\n",
    ),
    f"{_TAXI}/src/train/train.py": _script(
        "training_data",
        "model_output",
        "test_data",
        does="""\
from sklearn.linear_model import LinearRegression
mlflow.autolog()
rides = pandas.read_csv(Path(told.training_data) / "rides.csv")
model = LinearRegression().fit(rides[["x"]], rides["y"])
(Path(told.model_output) / "model.sav").write_bytes(pickle.dumps(model))
rides.to_csv(Path(told.test_data) / "rides.csv")
""",
    ),
    f"{_TAXI}/src/predict/predict.py": _script(
        "model_input",
        "test_data",
        "predictions",
        does="""\
model = pickle.loads((Path(told.model_input) / "model.sav").read_bytes())
rides = pandas.read_csv(Path(told.test_data) / "rides.csv")
rides["predicted"] = model.predict(rides[["x"]])
rides.to_csv(Path(told.predictions) / "rides.csv")
""",
    ),
    f"{_TAXI}/src/score/score.py": _script(
        "predictions",
        "score_report",
        does="""\
rides = pandas.read_csv(Path(told.predictions) / "rides.csv")
(Path(told.score_report) / "score.txt").write_text(str((rides.y - rides.predicted).std()))
""",
    ),
}

_FEATURES = "['distance', 'passengers', 'hour']"
_PREPPED = """\
files = [Path(told.raw_data) / f"{name}TaxiData.csv" for name in ("green", "yellow")]
tables = [pandas.read_csv(file) for file in files]
rides = pandas.concat(tables, ignore_index=True)
print("combined data size:", rides.shape)
"""
_TRANSFORMED = """\
rides = rides[(rides.cost > 0) & (rides.cost < 80)]
print("after removing costs: %d" % len(rides))
rides = rides[(rides.distance > 0) & (rides.distance < 25)]
print("after removing distances: %d" % len(rides))
rides = rides[rides.latitude.between(40.53, 40.88)]
print("after removing places:", rides.shape)
"""
_TRAINED = f"""\
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.model_selection import train_test_split
features = {_FEATURES}
x, test, y, truth = train_test_split(rides[features], rides.cost, test_size=0.3, random_state=42)
model = GradientBoostingRegressor(learning_rate=0.1, n_estimators=100, random_state=7).fit(x, y)
print("training set score:", model.score(x, y))
mlflow.log_param("learning_rate", 0.1)
mlflow.log_param("n_estimators", 100)
os.makedirs(told.model_output, exist_ok=True)
(Path(told.model_output) / "model.sav").write_bytes(pickle.dumps(model))
"""
_SCORED = """\
from sklearn.metrics import mean_squared_error, r2_score
mlflow.log_metric("mean_squared_error", mean_squared_error(truth, predicted))
mlflow.log_metric("r2_score", r2_score(truth, predicted))
"""


def _component(name: str, inputs: tuple[str, ...], outputs: tuple[str, ...]) -> str:
    told = " ".join(
        [f"--{key} ${{{{inputs.{key}}}}}" for key in inputs]
        + [f"--{key} ${{{{outputs.{key}}}}}" for key in outputs]
    )
    ports = "inputs:\n" + "".join(f"  {key}: {{type: uri_folder}}\n" for key in inputs)
    if outputs:
        ports += "outputs:\n" + "".join(f"  {key}: {{type: uri_folder}}\n" for key in outputs)
    return (
        f"{_SCHEMA.format('commandComponent')}name: {name.title()}Rides\nversion: 1\n"
        f"type: command\n{ports}code: src/{name}_src\nenvironment: azureml:nyc_taxi_image@latest\n"
        f"command: >-\n  python {name}.py\n  {told}\n"
    )


_CLOUD = f"{_TUTORIAL}/3_pipeline_job_run_on_cloud"
_RIDES = {
    f"{_TUTORIAL}/env/cloud/env.yml": """\
name: nyc_taxi_image
build:
  path: ./docker
  dockerfile_path: Dockerfile
""",
    f"{_TUTORIAL}/env/cloud/docker/Dockerfile": """\
FROM python:3.8.5
WORKDIR /
COPY requirements.txt .
RUN pip install -r requirements.txt
""",
    f"{_TUTORIAL}/env/cloud/docker/requirements.txt": """\
pathlib2==2.3.6
pandas==1.3.3
sklearn==0.0
numpy==1.18.5
azureml-mlflow==1.39.0
argparse==1.4.0
""",
    f"{_TUTORIAL}/2_standalone_job_run_on_cloud/2a_job_sample_data.yml": f"""\
{_SCHEMA.format("commandJob")}code: ./src
command: >-
  python script.py
  --raw_data ${{{{inputs.raw_data}}}}
  --model_output ${{{{outputs.model_output}}}}
inputs:
  raw_data:
    type: uri_folder
    path: ..//data/sample_data
outputs:
  model_output:
    type: uri_folder
environment: azureml:nyc_taxi_image@latest
compute: azureml:cpu-cluster
experiment_name: rides
""",
    f"{_TUTORIAL}/2_standalone_job_run_on_cloud/src/script.py": _script(
        "raw_data",
        "model_output",
        does=_PREPPED + _TRANSFORMED + _TRAINED + "predicted = model.predict(test)\n" + _SCORED,
    ),
    f"{_CLOUD}/3a_pipeline_sample_data.yml": f"""\
{_SCHEMA.format("pipelineJob")}type: pipeline
experiment_name: rides
inputs:
  pipeline_job_input:
    type: uri_folder
    path: ../data/sample_data
outputs:
  pipeline_job_prepped_data: {{mode: rw_mount}}
  pipeline_job_transformed_data: {{mode: rw_mount}}
  pipeline_job_trained_model: {{mode: rw_mount}}
  pipeline_job_test_data: {{mode: rw_mount}}
  pipeline_job_predictions: {{mode: rw_mount}}
settings:
  default_datastore: azureml:workspaceblobstore
  default_compute: azureml:cpu-cluster-ram
  continue_on_step_failure: false
jobs:
  prep_job:
    type: command
    component: file:components/prep.yml
    inputs: {{raw_data: "${{{{parent.inputs.pipeline_job_input}}}}"}}
    outputs: {{prep_data: "${{{{parent.outputs.pipeline_job_prepped_data}}}}"}}
  transform_job:
    type: command
    component: file:components/transform.yml
    inputs: {{clean_data: "${{{{parent.jobs.prep_job.outputs.prep_data}}}}"}}
    outputs: {{transformed_data: "${{{{parent.outputs.pipeline_job_transformed_data}}}}"}}
  train_job:
    type: command
    component: file:components/train.yml
    inputs: {{training_data: "${{{{parent.jobs.transform_job.outputs.transformed_data}}}}"}}
    outputs:
      model_output: ${{{{parent.outputs.pipeline_job_trained_model}}}}
      test_data: ${{{{parent.outputs.pipeline_job_test_data}}}}
  predict_job:
    type: command
    component: file:components/predict.yml
    inputs:
      model_input: ${{{{parent.jobs.train_job.outputs.model_output}}}}
      test_data: ${{{{parent.jobs.train_job.outputs.test_data}}}}
    outputs: {{predictions: "${{{{parent.outputs.pipeline_job_predictions}}}}"}}
  score_job:
    type: command
    component: file:components/score.yml
    inputs: {{predictions: "${{{{parent.jobs.predict_job.outputs.predictions}}}}"}}
""",
    f"{_CLOUD}/components/prep.yml": _component("prep", ("raw_data",), ("prep_data",)),
    f"{_CLOUD}/components/src/prep_src/prep.py": _script(
        "raw_data",
        "prep_data",
        does=_PREPPED + "rides.to_csv(Path(told.prep_data) / 'prepped.csv')\n",
    ),
    f"{_CLOUD}/components/transform.yml": _component(
        "transform", ("clean_data",), ("transformed_data",)
    ),
    f"{_CLOUD}/components/src/transform_src/transform.py": _script(
        "clean_data",
        "transformed_data",
        does="rides = pandas.read_csv(Path(told.clean_data) / 'prepped.csv')\n"
        + _TRANSFORMED
        + "rides.to_csv(Path(told.transformed_data) / 'rides.csv')\n",
    ),
    f"{_CLOUD}/components/train.yml": _component(
        "train", ("training_data",), ("model_output", "test_data")
    ),
    f"{_CLOUD}/components/src/train_src/train.py": _script(
        "training_data",
        "model_output",
        "test_data",
        does="rides = pandas.read_csv(Path(told.training_data) / 'rides.csv')\n"
        + _TRAINED
        + "print(test.shape)\n"
        + "test.assign(cost=truth).to_csv(Path(told.test_data) / 'test.csv')\n",
    ),
    f"{_CLOUD}/components/predict.yml": _component(
        "predict", ("model_input", "test_data"), ("predictions",)
    ),
    f"{_CLOUD}/components/src/predict_src/predict.py": _script(
        "model_input",
        "test_data",
        "predictions",
        does=f"""\
test = pandas.read_csv(Path(told.test_data) / "test.csv")
model = pickle.loads((Path(told.model_input) / "model.sav").read_bytes())
test["predicted"] = model.predict(test[{_FEATURES}])
test.to_csv(Path(told.predictions) / "predictions.csv")
""",
    ),
    f"{_CLOUD}/components/score.yml": _component("score", ("predictions",), ()),
    f"{_CLOUD}/components/src/score_src/score.py": _script(
        "predictions",
        does="test = pandas.read_csv(Path(told.predictions) / 'predictions.csv')\n"
        "truth, predicted = test.cost, test.predicted\n" + _SCORED,
    ),
}

_FLOWERS = {
    "jobs/single-step/scikit-learn/iris/job.yml": f"""\
{_SCHEMA.format("commandJob")}code: src
command: >-
  python main.py
  --iris-csv ${{{{inputs.iris_csv}}}}
  --C ${{{{inputs.C}}}}
  --kernel ${{{{inputs.kernel}}}}
  --coef0 ${{{{inputs.coef0}}}}
inputs:
  iris_csv: {{type: uri_file, path: "{_IRIS}"}}
  C: 0.8
  kernel: "rbf"
  coef0: 0.1
environment: {_LABEL}
compute: azureml:cpu-cluster
experiment_name: flowers
""",
    "jobs/single-step/scikit-learn/iris/src/main.py": """\
import argparse, mlflow, pandas
from sklearn.model_selection import train_test_split
from sklearn.svm import SVC
parser = argparse.ArgumentParser()
parser.add_argument("--iris-csv")
parser.add_argument("--C", type=float)
parser.add_argument("--kernel")
parser.add_argument("--coef0", type=float)
told = parser.parse_args()
mlflow.autolog()
flowers = pandas.read_csv(told.iris_csv)
x, _, y, _ = train_test_split(
    flowers.drop(columns="species"), flowers["species"], test_size=0.2, random_state=42
)
SVC(C=told.C, kernel=told.kernel, coef0=told.coef0).fit(x, y)
""",
    f"{_PARALLEL}/pipeline.yml": f"""\
{_SCHEMA.format("pipelineJob")}type: pipeline
tags: {{tag: tagvalue}}
settings: {{default_compute: azureml:cpu-cluster}}
jobs:
  batch_prediction:
    type: parallel
    compute: azureml:cpu-cluster
    inputs:
      input_data: {{type: mltable, path: ./table, mode: direct}}
      score_model: {{type: uri_folder, path: ./model, mode: download}}
    outputs:
      job_output_file: {{type: uri_file, mode: rw_mount}}
    input_data: ${{{{inputs.input_data}}}}
    mini_batch_size: "10kb"
    resources:
        instance_count: 2
    max_concurrency_per_instance: 2
    logging_level: "DEBUG"
    mini_batch_error_threshold: 5
    retry_settings: {{max_retries: 2, timeout: 60}}
    task:
      type: run_function
      code: "./script"
      entry_script: predict.py
      environment:
        name: "prs-env"
        version: 1
        image: mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04
        conda_file: ./environment/environment_parallel.yml
      program_arguments: >-
        --model ${{{{inputs.score_model}}}}
        --error_threshold 5
        --allowed_failed_percent 30
        --task_overhead_timeout 1200
        --progress_update_timeout 600
        --first_task_creation_timeout 600
        --copy_logs_to_parent True
        --resource_monitor_interva 20
      append_row_to: ${{{{outputs.job_output_file}}}}
""",
    f"{_PARALLEL}/environment/environment_parallel.yml": """\
name: parallel
channels: [conda-forge, defaults]
dependencies:
  - python=3.8
  - pip
  - pip:
      - mlflow
      - scikit-learn
      - pandas
""",
    f"{_PARALLEL}/script/predict.py": """\
import argparse
from mlflow.sklearn import load_model


def init():
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--model", type=str, default=0)
    told, _ = parser.parse_known_args()
    global model
    model = load_model(told.model)


def run(table):
    answer = table.drop(columns=table.columns[4:])
    answer["variety"] = model.predict(table)
    return answer
""",
    f"{_PARALLEL}/table/MLTable": """\
paths:
  - file: ./flowers.csv
transformations:
  - read_delimited:
      delimiter: ","
      encoding: utf8
      header: all_files_same_headers
""",
    f"{_PARALLEL}/model/.keep": "",
}

FILES = {**_REGRESSION, **_RIDES, **_FLOWERS}


def tables(folder: Path) -> None:
    """Write the data of the files into a tree."""
    random = Random(7)  # noqa: S311 - data, and no secret
    jobs = folder / "cli"
    _regression(jobs / _TAXI / "data" / "rides.csv")
    data = jobs / _TUTORIAL / "data" / "sample_data"
    data.mkdir(parents=True, exist_ok=True)
    rows = _rides(random)
    for name, part in (("green", rows[::2]), ("yellow", rows[1::2])):
        text = "\n".join(",".join(f"{one:.6g}" for one in row) for row in part)
        (data / f"{name}TaxiData.csv").write_text(
            f"cost,distance,passengers,hour,latitude\n{text}\n"
        )
    iris(jobs / _PARALLEL / "table" / "flowers.csv", rows=74)


def _regression(file: Path) -> None:
    """Write points whose regression has the R² that is asked for: noise of that share."""
    file.parent.mkdir(parents=True, exist_ok=True)
    noise = (1 / _R2 - 1) ** 0.5
    points = [(x, x + sign * noise) for x in (-1, 1) for sign in (-1, 1)]
    file.write_text("x,y\n" + "".join(f"{x},{y!r}\n" for x, y in points * 5))


def _rides(random: Random) -> list[tuple[float, ...]]:
    """Draw 10,000 rides: 52 of no cost, 90 of no distance, 115 out of town."""
    rides: list[tuple[float, ...]] = []
    for number in range(10_000):
        distance = min(0.3 + random.expovariate(1 / 3.0), 20.0)
        cost = max(2.5 + 3.1 * distance + random.gauss(0, 2.45), 0.5)
        passengers, hour, latitude = random.randint(1, 6), random.randrange(24), 40.7
        if number < 52:
            cost = 0.0
        elif number < 142:
            distance = 0.0
        elif number < 257:
            latitude = 41.5
        rides.append((cost, distance, passengers, hour, latitude))
    random.shuffle(rides)
    return rides
