"""A tree like that of the public examples, in our own words, with what each of the 24 files has.

Paths and names are those that the acceptance script asks for; texts, scripts and data are ours.
Files of a command or of steps in place are here, those with components in `standins_pipelines`,
and those that learn in `standins_learning`.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

_SCHEMA = "$schema: https://example.org/latest/{}.schema.json\n"
_JOB, _PIPELINE = _SCHEMA.format("commandJob"), _SCHEMA.format("pipelineJob") + "type: pipeline\n"
_LABEL = "azureml://registries/azureml/environments/sklearn-1.5/labels/latest"
_CURATED = "azureml:AzureML-sklearn-1.5@latest"
_IRIS = "https://azuremlexamples.blob.core.windows.net/datasets/iris.csv"
_BASICS = "jobs/basics"
_PARTS = "jobs/pipelines-with-components/basics"

FILES = {
    f"{_BASICS}/hello-world.yml": f"""\
{_JOB}command: echo "hello world"
environment:
  image: library/python:latest
compute: azureml:cpu-cluster
""",
    f"{_BASICS}/hello-world-input.yml": f"""\
{_JOB}command: |
  echo ${{{{inputs.hello_string}}}}
  echo ${{{{inputs.hello_number}}}}
environment:
  image: library/python:latest
inputs:
  hello_string: "hello world"
  hello_number: 42
""",
    f"{_BASICS}/hello-world-output.yml": f"""\
{_JOB}command: echo "hello world" > ./outputs/helloworld.txt
environment:
  image: library/python:latest
tags:
  hello: world
""",
    f"{_BASICS}/hello-data-uri-folder.yml": f"""\
{_JOB}command: |
  echo "--iris-csv: ${{{{inputs.in_folder}}}}"
  ls ${{{{inputs.in_folder}}}}
inputs:
  in_folder:
    type: uri_folder
    path: azureml:sampledata1235@latest
    mode: ro_mount
environment: {_CURATED}
""",
    f"{_PARTS}/4d_data_input/data.yml": """\
name: sampledata1235
type: uri_folder
version: 1
path: ./data
description: one file
""",
    f"{_PARTS}/4d_data_input/data/sample.csv": "a,b\n1,2\n",
    f"{_BASICS}/hello-pipeline.yml": f"""\
{_PIPELINE}display_name: hello_pipeline
jobs:
  hello_job:
    command: echo "hello"
    environment: {_LABEL}
    compute: azureml:cpu-cluster
  world_job:
    command: echo "world"
    environment: {_LABEL}
    compute: azureml:cpu-cluster
""",
    f"{_BASICS}/hello-pipeline-abc.yml": f"""\
{_PIPELINE}display_name: hello_pipeline_abc
compute: azureml:cpu-cluster
inputs:
  hello_string_top_level_input: "hello world"
jobs:
  a:
    command: echo hello ${{{{inputs.hello_string}}}}
    environment: {_LABEL}
    inputs:
      hello_string: ${{{{parent.inputs.hello_string_top_level_input}}}}
  b:
    command: echo "world" >> ${{{{outputs.world_output}}}}/world.txt
    environment: {_LABEL}
    outputs:
      world_output:
  c:
    command: echo ${{{{inputs.world_input}}}}/world.txt
    environment: {_LABEL}
    inputs:
      world_input: ${{{{parent.jobs.b.outputs.world_output}}}}
""",
    f"{_BASICS}/hello-pipeline-io.yml": f"""\
{_PIPELINE}display_name: hello_pipeline_io
jobs:
  hello_job:
    command: echo "hello" && echo "world" > ${{{{outputs.world_output}}}}/world.txt
    environment: {_LABEL}
    compute: azureml:cpu-cluster
    outputs:
      world_output:
  world_job:
    command: cat ${{{{inputs.world_input}}}}/world.txt
    environment: {_LABEL}
    compute: azureml:cpu-cluster
    inputs:
      world_input: ${{{{parent.jobs.hello_job.outputs.world_output}}}}
""",
    f"{_BASICS}/hello-pipeline-customize-output-file.yml": f"""\
{_PIPELINE}outputs:
  output:
    type: uri_file
    path: azureml://datastores/workspaceblobstore/paths/${{{{name}}}}/hello_world.txt
    mode: rw_mount
jobs:
  hello_world:
    command: echo "hello" && echo "world" > ${{{{outputs.output}}}}
    environment: {_LABEL}
    compute: azureml:cpu-cluster
    outputs:
      output: ${{{{parent.outputs.output}}}}
""",
    f"{_BASICS}/hello-mlflow.yml": f"""\
{_JOB}command: python hello-mlflow.py
code: src
environment: {_LABEL}
compute: azureml:cpu-cluster
""",
    f"{_BASICS}/src/hello-mlflow.py": """\
import os, random, mlflow
mlflow.log_param("hello_param", "world")
mlflow.log_metric("hello_metric", random.random())
os.system('echo "hello world" > helloworld.txt')
mlflow.log_artifact("helloworld.txt")
""",
    f"{_BASICS}/hello-sweep.yml": f"""\
{_SCHEMA.format("sweepJob")}type: sweep
trial:
  command: >-
    python hello-sweep.py
    --A ${{{{inputs.A}}}}
    --B ${{{{search_space.B}}}}
    --C ${{{{search_space.C}}}}
  code: src
  environment: {_LABEL}
inputs:
  A: 0.5
compute: azureml:cpu-cluster
sampling_algorithm: random
search_space:
  B: {{type: choice, values: ["hello", "world", "hello_world"]}}
  C: {{type: uniform, min_value: 0.1, max_value: 1.0}}
objective: {{goal: minimize, primary_metric: random_metric}}
limits: {{max_total_trials: 4, max_concurrent_trials: 2, timeout: 3600}}
display_name: hello-sweep
experiment_name: hello-sweep
""",
    f"{_BASICS}/src/hello-sweep.py": """\
import argparse, random, mlflow
parser = argparse.ArgumentParser()
parser.add_argument("--A", type=float)
parser.add_argument("--B")
parser.add_argument("--C", type=float)
told = parser.parse_args()
print(f"A is {told.A}")
mlflow.log_param("A", told.A)
mlflow.log_metric("random_metric", random.uniform(told.A, told.C))
""",
    f"{_BASICS}/hello-iris-datastore-file.yml": f"""\
{_JOB}command: |
  echo "--iris-csv: ${{{{inputs.iris_csv}}}}"
  python hello-iris.py --iris-csv ${{{{inputs.iris_csv}}}}
code: src
inputs:
  iris_csv:
    type: uri_file
    path: azureml://datastores/workspaceblobstore/paths/example-data/iris.csv
environment: {_LABEL}
compute: azureml:cpu-cluster
""",
    f"{_BASICS}/hello-iris-file.yml": f"""\
{_JOB}command: |
  echo "--iris-csv: ${{{{inputs.iris_csv}}}}"
  python hello-iris.py --iris-csv ${{{{inputs.iris_csv}}}}
code: src
inputs:
  iris_csv: {{type: uri_file, path: "{_IRIS}"}}
environment: {_LABEL}
""",
    f"{_BASICS}/src/hello-iris.py": """\
import argparse, os, pandas as pd
parser = argparse.ArgumentParser()
parser.add_argument("--iris-csv")
told = parser.parse_args()
table = pd.read_csv(told.iris_csv)
print(table.head())
os.makedirs("outputs", exist_ok=True)
table.to_csv("outputs/iris.csv", index=False)
""",
}


def iris(file: Path, *, rows: int = 5) -> None:
    """Write a table of 44 columns."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", newline="") as out:
        csv.writer(out).writerows([[f"c{n}" for n in range(44)], *[[n] * 44 for n in range(rows)]])


def written(folder: Path, files: Mapping[str, str]) -> Path:
    """Write files of the tree into a folder; return the folder."""
    for name, text in files.items():
        file = folder / "cli" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    iris(folder / "cli" / "assets" / "data" / "example-data" / "iris.csv")
    return folder
