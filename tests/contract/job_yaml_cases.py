"""Job files, right and wrong: what other clients say of them is what we say.

Each is a job in a folder that has `FILES` beside it. Our own wording, no file of anybody's.
"""

from __future__ import annotations

from pathlib import Path

FILES = {
    "src/work.py": "print('work')\n",
    "src/entry.py": "def init():\n    pass\n\n\ndef run(batch):\n    return batch\n",
    "data/a.csv": "x\n1\n",
    "data/b.csv": "x\n2\n",
    "table/MLTable": "paths:\n  - file: ../data/a.csv\n",
    "conda.yaml": "name: c\ndependencies:\n  - python=3.11\n  - pip:\n      - tabulate\n",
    "docker/Dockerfile": "FROM python:3.11\nRUN pip install tabulate\n",
    "env.yml": "$schema: environment.schema.json\nname: own\nimage: python:3.11\n"
    "conda_file: conda.yaml\n",
    "parts/train.yml": """\
name: train
version: 01
type: command
inputs:
  training_data: {type: uri_folder}
  rate: {type: number, default: 0, min: 0, max: 1}
  epochs: {type: integer, optional: true}
  size: {type: integer, default: 1e3}
  how: {type: string, enum: [fast, slow], default: fast}
  shout: {type: boolean, default: true}
outputs:
  model: {type: mlflow_model}
  log: {type: uri_file}
code: ../src
environment: azureml:AzureML-sklearn-1.5@latest
command: >-
  python work.py --data ${{inputs.training_data}} --rate ${{inputs.rate}}
  $[[--epochs ${{inputs.epochs}}]] --size ${{inputs.size}} --how ${{ inputs.how }}
  --shout ${{inputs.shout}} > ${{outputs.log}} && mv x ${{outputs.model}}
""",
    "parts/score.yml": """\
name: score-with-a-dash
type: command
is_deterministic: false
inputs:
  model: {type: mlflow_model}
  data: {type: mltable}
outputs:
  scores: {type: uri_folder}
environment: {image: "python:3.11", conda_file: ../conda.yaml}
command: python -c 0 ${{inputs.model}} ${{inputs.data}} ${{outputs.scores}}
""",
    "parts/plain.yml": """\
name: plain
type: command
inputs:
  text: {type: string}
  times: {type: integer, default: 3}
environment: {image: python}
command: echo ${{inputs.text}} ${{inputs.times}}
""",
    "parts/nested/both.yml": """\
name: both
type: pipeline
inputs:
  data: {type: uri_folder}
  rate: {type: number, default: 0.5}
  epochs: {type: integer, optional: true}
  machine: {type: string}
outputs:
  model: {type: mlflow_model}
  scores: {type: uri_folder}
jobs:
  train:
    component: ../train.yml
    compute: ${{parent.inputs.machine}}
    inputs:
      training_data: ${{parent.inputs.data}}
      rate: ${{parent.inputs.rate}}
      epochs: ${{parent.inputs.epochs}}
    outputs: {model: "${{parent.outputs.model}}"}
  score:
    component: ../score.yml
    compute: azureml:cpu
    inputs:
      model: ${{parent.jobs.train.outputs.model}}
      data: ${{parent.inputs.data}}
    outputs: {scores: "${{parent.outputs.scores}}"}
""",
    "parts/batches.yml": """\
name: batches
type: parallel
inputs:
  files: {type: uri_folder}
outputs:
  rows: {type: uri_file}
input_data: ${{inputs.files}}
mini_batch_size: "2"
resources: {instance_count: 2}
max_concurrency_per_instance: 2
retry_settings: {max_retries: 1, timeout: 30}
task:
  type: run_function
  code: ../src
  entry_script: entry.py
  program_arguments: --to ${{outputs.rows}}
  append_row_to: ${{outputs.rows}}
  environment: {image: python}
""",
}

_PIPELINE = "type: pipeline\nsettings: {default_compute: azureml:cpu}\n"
_ENV = "environment: {image: python}\n"
_STEP_ENV = "environment: {image: python}"


def _train(**inputs: str) -> str:
    given = "".join(f"      {name}: {value}\n" for name, value in inputs.items())
    return f"  train:\n    component: ./parts/train.yml\n    inputs:\n{given}"


_DATA = "inputs:\n  raw: {type: uri_folder, path: ./data}\n"
_RAW = '"${{parent.inputs.raw}}"'

# Both load; the graphs are equal.
VALID = {
    "command": "command: echo hello\n" + _ENV,
    "command with inputs": """\
$schema: https://example.org/commandJob.schema.json
command: |
  echo ${{inputs.text}}
  echo ${{inputs.count}} ${{inputs.share}} ${{inputs.truth}} ${{ inputs.exact }} $HOME
inputs: {text: hello world, count: 42, share: 0.5, truth: true, exact: 1e-3}
"""
    + _ENV,
    "command with data": """\
command: ls ${{inputs.folder}} ${{inputs.file}} > ${{outputs.list}}
code: src
inputs:
  folder: {type: uri_folder, path: ./data, mode: ro_mount}
  file: {type: uri_file, path: data/a.csv, mode: download}
outputs:
  list: {type: uri_file, mode: upload}
  rest:
environment: azureml:AzureML-sklearn-1.5@latest
environment_variables: {A: 1, B: text, C: }
compute: azureml:cpu
experiment_name: trial
tags: {why: because}
resources: {instance_count: 2}
distribution: {type: pytorch, process_count_per_instance: 2}
limits: {timeout: 60}
""",
    "command with addresses": """\
command: ls ${{inputs.a}} ${{inputs.b}} ${{inputs.c}}
inputs:
  a: {path: "azureml://datastores/workspaceblobstore/paths/x/", type: uri_folder}
  b: {path: "azureml:wine:1", type: uri_file}
  c: {path: "https://example.org/a.csv", type: uri_file, mode: direct}
"""
    + _ENV,
    "command with a registry's environment": """\
command: echo
environment: azureml://registries/azureml/environments/sklearn-1.5/labels/latest
""",
    "command with conda": """\
command: echo
environment: {image: "python:3.11", conda_file: ./conda.yaml}
""",
    "command with a built image": "command: echo\nenvironment: {build: {path: docker}}\n",
    "command with a file of an environment": "command: echo\nenvironment: file:./env.yml\n",
    "command with services": """\
command: sleep 1
services:
  board: {type: tensor_board, log_dir: outputs}
  shell: {type: ssh}
identity: {type: user_identity}
"""
    + _ENV,
    "literal called type": """\
command: echo ${{inputs.type}} ${{inputs.file}}
inputs: {type: uri_file, file: "https://example.org/a.csv"}
"""
    + _ENV,
    "value at length": "command: echo ${{inputs.x}}\ninputs: {x: {value: 3}}\n" + _ENV,
    "two steps in place": _PIPELINE
    + f"""\
inputs: {{text: hello}}
jobs:
  a: {{command: "echo ${{{{inputs.t}}}} > ${{{{outputs.o}}}}/x", {_STEP_ENV},
      inputs: {{t: "${{{{parent.inputs.text}}}}"}}, outputs: {{o: }}}}
  b: {{command: "cat ${{{{inputs.i}}}}/x", {_STEP_ENV},
      inputs: {{i: "${{{{parent.jobs.a.outputs.o}}}}"}}}}
""",
    "type of an output from the pipeline": _PIPELINE
    + f"""\
outputs: {{file: {{type: uri_file, mode: upload}}}}
jobs:
  a: {{command: "echo > ${{{{outputs.o}}}}", {_STEP_ENV},
      outputs: {{o: "${{{{parent.outputs.file}}}}"}}}}
""",
    "output at length": _PIPELINE
    + f"""\
outputs: {{folder: {{mode: rw_mount}}}}
jobs:
  a: {{command: "echo > ${{{{outputs.o}}}}/x", {_STEP_ENV},
      outputs: {{o: {{path: "${{{{parent.outputs.folder}}}}", type: uri_folder, mode: upload}}}}}}
""",
    "component": _PIPELINE + _DATA + "jobs:\n" + _train(training_data=_RAW),
    "component with literals": _PIPELINE
    + _DATA
    + "jobs:\n"
    + _train(training_data=_RAW, rate="1", size="1024", how="slow", shout="false", epochs="3"),
    "chain of components": _PIPELINE
    + _DATA
    + "outputs: {scores: {mode: upload}}\njobs:\n"
    + _train(training_data=_RAW)
    + """\
  score:
    type: command
    component: ./parts/score.yml
    inputs:
      model: {path: "${{parent.jobs.train.outputs.model}}", mode: download}
      data: {type: mltable, path: ./table, mode: eval_mount}
    outputs: {scores: "${{parent.outputs.scores}}"}
""",
    "file into a folder's place": _PIPELINE
    + "jobs:\n"
    + _train(training_data="{type: uri_file, path: data/a.csv}"),
    "parts of texts": _PIPELINE
    + _DATA
    + "jobs:\n"
    + _train(training_data='"${{parent.inputs.raw}}/sub"'),
    "undeclared input": _PIPELINE + _DATA + "jobs:\n" + _train(training_data=_RAW, zzzzzz="3"),
    "unknown field of a step": _PIPELINE
    + _DATA
    + """\
jobs:
  train:
    component: ./parts/train.yml
    colour: red
    inputs: {training_data: "${{parent.inputs.raw}}"}
""",
    "unknown setting": """\
type: pipeline
settings: {default_compute: azureml:cpu, default_datestore: azureml:x}
jobs:
  a: {command: echo, environment: {image: python}}
""",
    "settings": """\
type: pipeline
settings:
  default_compute: azureml:cpu
  default_datastore: azureml:workspaceblobstore
  continue_on_step_failure: true
  force_rerun: true
jobs:
  a: {command: echo, environment: {image: python}, environment_variables: {X: 1}}
""",
    "nested": _PIPELINE
    + _DATA
    + """\
outputs: {model: {type: mlflow_model}}
jobs:
  twice:
    type: pipeline
    component: ./parts/nested/both.yml
    inputs: {data: "${{parent.inputs.raw}}", rate: 0.25, epochs: 2, machine: cpu}
    outputs: {model: "${{parent.outputs.model}}"}
  after:
    command: ls ${{inputs.m}} ${{inputs.s}}
    environment: {image: python}
    inputs:
      m: ${{parent.jobs.twice.outputs.model}}
      s: ${{parent.jobs.twice.outputs.scores}}
""",
    "nested with defaults": _PIPELINE
    + _DATA
    + """\
jobs:
  one:
    component: ./parts/nested/both.yml
    inputs: {data: "${{parent.inputs.raw}}", machine: cpu}
""",
    "instance of a component": """\
type: pipeline
settings: {default_compute: azureml:cpu}
component: ./parts/nested/both.yml
inputs: {data: {type: uri_folder, path: ./data}, machine: cpu, rate: 0.75}
""",
    "parallel in place": _PIPELINE
    + _DATA
    + """\
jobs:
  batches:
    type: parallel
    compute: azureml:cpu
    inputs: {rows: {type: mltable, path: ./table, mode: eval_mount}}
    outputs: {all: {type: uri_file}}
    input_data: ${{inputs.rows}}
    mini_batch_size: 10kb
    mini_batch_error_threshold: 5
    error_threshold: -1
    logging_level: DEBUG
    max_concurrency_per_instance: 2
    resources: {instance_count: 2}
    retry_settings: {max_retries: 2, timeout: 60}
    task:
      type: run_function
      code: ./src
      entry_script: entry.py
      program_arguments: --model ${{inputs.rows}}
      append_row_to: ${{outputs.all}}
      environment: {image: python}
""",
    "parallel component": _PIPELINE
    + _DATA
    + """\
jobs:
  batches:
    type: parallel
    component: ./parts/batches.yml
    mini_batch_size: "1"
    inputs: {files: "${{parent.inputs.raw}}"}
""",
    "sweep": """\
type: sweep
trial:
  command: echo ${{search_space.rate}} ${{search_space.how}} ${{inputs.n}}
  code: ./src
  environment: {image: python}
inputs: {n: 3}
sampling_algorithm: random
search_space:
  rate: {type: uniform, min_value: 0.1, max_value: 0.9}
  how: {type: choice, values: [fast, slow]}
objective: {goal: minimize, primary_metric: loss}
limits: {max_total_trials: 4, max_concurrent_trials: 2, timeout: 600, trial_timeout: 60}
early_termination: {type: bandit, slack_factor: 0.1, evaluation_interval: 2, delay_evaluation: 5}
""",
    "sweep with a seed": """\
type: sweep
trial: {command: "echo ${{search_space.x}}", environment: {image: python}}
sampling_algorithm: {type: random, seed: 7, rule: sobol}
search_space: {x: {type: qloguniform, min_value: -3, max_value: 1, q: 0.1}}
objective: {goal: maximize, primary_metric: r2}
limits: {max_total_trials: 3}
early_termination: {type: truncation_selection, truncation_percentage: 20}
""",
    "sweep of a component": _PIPELINE
    + _DATA
    + """\
jobs:
  search:
    type: sweep
    trial: ./parts/train.yml
    inputs: {training_data: "${{parent.inputs.raw}}"}
    sampling_algorithm: grid
    search_space:
      how: {type: choice, values: [fast, slow]}
      epochs: {type: choice, values: [1, 2]}
    objective: {goal: minimize, primary_metric: loss}
    limits: {max_total_trials: 4}
    early_termination: {type: median_stopping, evaluation_interval: 1, delay_evaluation: 2}
  use:
    component: ./parts/score.yml
    inputs:
      model: ${{parent.jobs.search.outputs.model}}
      data: {type: uri_folder, path: ./data}
""",
}


def _job(more: str) -> str:
    return f"command: echo\n{_ENV}{more}"


def _steps(more: str, *, head: str = "") -> str:
    return f"{_PIPELINE}{head}jobs:\n{more}"


# Neither loads, or passes its checks; ours says so in words that have this text.
INVALID = {
    "unknown field": (_job("colour: red\n"), "job.yml:3 colour: is not known"),
    "unknown field of a pipeline": (
        _steps(f"  a: {{command: echo, {_STEP_ENV}}}\n", head="colour: red\n"),
        "colour: is not known",
    ),
    "unknown field of a step in place": (
        _steps(f"  a: {{command: echo, {_STEP_ENV}, colour: red}}\n"),
        "jobs.a.colour: is not known",
    ),
    "unknown field of limits": (_job("limits: {time: 3}\n"), "limits.time: is not known"),
    "unknown field of an input": (
        _job("inputs: {x: {path: data, colour: red}}\n"),
        "inputs.x.colour: is not known",
    ),
    "no command": (_ENV, "command is missing"),
    "no environment": ("command: echo\n", "environment is missing"),
    "no environment of a step": (_steps("  a: {command: echo}\n"), "environment is missing"),
    "unknown type": ("type: comand\ncommand: echo\n" + _ENV, "did you mean command?"),
    "unknown type of a step": (
        _steps(f"  a: {{type: comand, command: echo, {_STEP_ENV}}}\n"),
        "jobs.a.type: 'comand' is none of",
    ),
    "unknown mode": (
        _job("inputs: {x: {path: data, mode: mount}}\n"),
        "inputs.x.mode: 'mount' is none of",
    ),
    "unknown output mode": (
        _job("outputs: {x: {mode: ro_mount}}\n"),
        "outputs.x.mode: 'ro_mount' is none of",
    ),
    "unknown data type": (
        _job("inputs: {x: {path: data, type: folder}}\n"),
        "inputs.x.type: 'folder' is none of",
    ),
    "parameter declared in a job": (
        _job("inputs: {x: {type: integer, default: 3}}\n"),
        "inputs.x.type: 'integer' is none of",
    ),
    "text as an output": (_job("outputs: {x: there}\n"), "outputs.x: is the value 'there'"),
    "list as an input": (_job("inputs: {x: [1, 2]}\n"), "inputs.x:"),
    "empty input": (_job("inputs: {x: }\n"), "inputs.x: is empty"),
    "empty field": (_job("display_name:\n"), "display_name: is empty"),
    "number as a command": ("command: 12\n" + _ENV, "command: is the value 12"),
    "number as a tag": (_job("tags: {a: 1}\n"), "tags.a: is the value 1"),
    "mode of tables for a file": (
        _job("inputs: {x: {path: data/a.csv, type: uri_file, mode: eval_mount}}\n"),
        "eval_mount is for mltable",
    ),
    "unknown distribution": (
        _job("distribution: {type: horovod}\n"),
        "distribution.type: 'horovod' is none of",
    ),
    "no code": (_job("code: ./nowhere\n"), "code: there is no folder or file ./nowhere"),
    "no conda file": (
        "command: echo\nenvironment: {image: python, conda_file: ./nowhere.yml}\n",
        "there is no file ./nowhere.yml",
    ),
    "environment without a prefix": (
        "command: echo\nenvironment: sklearn\n",
        "environment: 'sklearn' names no environment",
    ),
    "no component file": (
        _steps("  a: {component: ./parts/trian.yml}\n"),
        "jobs.a.component: there is no file ./parts/trian.yml (did you mean train.yml?)",
    ),
    "capital in a step's name": (
        _steps(f"  A: {{command: echo, {_STEP_ENV}}}\n"),
        "jobs.A: a step's name has small letters",
    ),
    "dash in a step's name": (
        _steps(f"  a-b: {{command: echo, {_STEP_ENV}}}\n"),
        "try a_b",
    ),
    "required input": (
        _steps("  train: {component: ./parts/train.yml}\n"),
        "jobs.train: the input training_data of component train is required, and not given",
    ),
    "optional input to a required one": (
        _steps(
            "  a: {component: ./nested_optional.yml, inputs: {t: hello}}\n",
        ),
        "is bound to an optional input of the pipeline, and component plain requires text",
    ),
    "unknown input in a command": (
        "command: echo ${{inputs.nope}}\n" + _ENV,
        "command: ${{inputs.nope}}: the job has no input nope",
    ),
    "unknown input in a component": (
        _steps("  a: {component: ./broken.yml}\n"),
        "broken.yml:4 command: ${{inputs.nn}}: component broken has no input nn",
    ),
    "dash in an input's name": (_job("inputs: {a-b: 3}\n"), "inputs.a-b: a name has letters"),
    "binding to no step": (
        _steps(
            f'  a: {{command: "echo ${{{{inputs.x}}}}", {_STEP_ENV}, '
            'inputs: {x: "${{parent.jobs.q.outputs.y}}"}}\n'
        ),
        "jobs.a.inputs.x: there is no step q",
    ),
    "binding to no output of the pipeline": (
        _steps(
            f'  a: {{command: "echo > ${{{{outputs.x}}}}", {_STEP_ENV}, '
            'outputs: {x: "${{parent.outputs.y}}"}}\n'
        ),
        "the pipeline has no output y",
    ),
    "default of another type": (
        _steps("  a: {component: ./wrong_default.yml}\n"),
        "wrong_default.yml:4 inputs.n.default: 'abc' is no integer",
    ),
    "default of data": (
        _steps("  a: {component: ./data_default.yml}\n"),
        "a uri_folder has no default",
    ),
    "image and build": (
        "command: echo\nenvironment: {image: python, build: {path: docker}}\n",
        "build: goes with no image",
    ),
    "jobs and component": (
        _steps(f"  a: {{command: echo, {_STEP_ENV}}}\n", head="component: ./parts/plain.yml\n"),
        "goes with no jobs",
    ),
    "unknown sampling": (
        """\
type: sweep
trial: {command: "echo ${{search_space.x}}", environment: {image: python}}
sampling_algorithm: gird
search_space: {x: {type: choice, values: [1]}}
objective: {goal: minimize, primary_metric: loss}
limits: {max_total_trials: 3}
""",
        "sampling_algorithm: 'gird' is none of bayesian, grid, random (did you mean grid?)",
    ),
    "unknown goal and no trials": (
        """\
type: sweep
trial: {command: "echo ${{search_space.x}}", environment: {image: python}}
search_space: {x: {type: choice, values: [1]}}
objective: {goal: least, primary_metric: loss}
limits: {timeout: 3}
""",
        "objective.goal: 'least' is none of",
    ),
    "bad YAML": ("command: [echo\n", "no YAML"),
    "empty file": ("", "is empty"),
}

# Beside the others, for the cases that need them.
BROKEN = {
    "nested_optional.yml": """\
name: outer
type: pipeline
inputs: {t: {type: string, optional: true}}
jobs:
  a: {component: ./parts/plain.yml, compute: azureml:cpu, inputs: {text: "${{parent.inputs.t}}"}}
""",
    "broken.yml": """\
name: broken
type: command
environment: {image: python}
command: echo ${{inputs.nn}}
""",
    "wrong_default.yml": """\
name: wrong
type: command
inputs:
  n: {type: integer, default: abc}
environment: {image: python}
command: echo ${{inputs.n}}
""",
    "data_default.yml": """\
name: wrong
type: command
inputs:
  d: {type: uri_folder, default: abc}
environment: {image: python}
command: echo ${{inputs.d}}
""",
}

# They load there, or pass; we tell what would go wrong.
OURS = {
    "required input of a job": (
        _steps(_train(training_data=_RAW), head="inputs: {raw: {type: uri_folder}}\n"),
        "has no path: --set inputs.raw.path=",
    ),
    "binding of the old form": (
        _steps(
            f'  a: {{command: "echo ${{{{inputs.x}}}}", {_STEP_ENV}, '
            'inputs: {x: "${{inputs.d}}"}}\n'
        ),
        "${{inputs.d}} names nothing here: write ${{parent.inputs.d}}",
    ),
    "circle": (
        _steps(
            f'  a: {{command: "echo ${{{{inputs.x}}}}", {_STEP_ENV}, '
            'inputs: {x: "${{parent.jobs.b.outputs.o}}"}, outputs: {o: }}\n'
            f'  b: {{command: "echo ${{{{inputs.x}}}}", {_STEP_ENV}, '
            'inputs: {x: "${{parent.jobs.a.outputs.o}}"}, outputs: {o: }}\n'
        ),
        "steps wait for each other",
    ),
    "self-reference": (
        _steps(
            "  train: {component: ./parts/train.yml, "
            'inputs: {training_data: "${{parent.jobs.train.outputs.model}}"}}\n'
        ),
        "a step cannot take what it leaves itself",
    ),
    "unknown step of a component's input": (
        _steps(_train(training_data='"${{parent.jobs.tarin.outputs.model}}"')),
        "there is no step tarin (did you mean train?)",
    ),
    "unknown output of a step": (
        _steps(
            _train(training_data="{path: data}")
            + "  score: {component: ./parts/score.yml, inputs: {data: {path: data}, "
            'model: "${{parent.jobs.train.outputs.modle}}"}}\n'
        ),
        "the step train has no output modle (did you mean model?)",
    ),
    "unknown input of the pipeline": (
        _steps(_train(training_data='"${{parent.inputs.rwa}}"'), head=_DATA),
        "the pipeline has no input rwa (did you mean raw?)",
    ),
    "unknown output of a component": (
        _steps(
            "  train: {component: ./parts/train.yml, inputs: {training_data: {path: data}}, "
            "outputs: {modle: }}\n"
        ),
        "no such output on component train (did you mean model?)",
    ),
    "misspelt input that was dropped": (
        _steps(_train(training_data="{path: data}", epoch="3")),
        "no such input on component train (did you mean epochs?)",
    ),
    "no group of names": (
        _steps(_train(training_data='"${{foo.bar}}"')),
        "${{foo.bar}} names nothing",
    ),
    "no such output in a command": (
        "command: echo ${{outputs.nope}}\n" + _ENV,
        "the job has no output nope",
    ),
    "half a group": (
        _steps(_train(training_data='"${{parent.input.raw}}"'), head=_DATA),
        "did you mean ${{parent.inputs.raw}}?",
    ),
    "more than the most": (
        _steps(_train(training_data="{path: data}", rate="3")),
        "3 is more than 1, the most it may be",
    ),
    "not one of the values": (
        _steps(_train(training_data="{path: data}", how="fsat")),
        "'fsat' is none of fast, slow (did you mean fast?)",
    ),
    "no integer": (
        _steps(_train(training_data="{path: data}", epochs="abc")),
        "'abc' is no integer",
    ),
    "text for data": (
        _steps(_train(training_data="data")),
        "'data' is a text, and component train takes uri_folder",
    ),
    "grid over a range": (
        """\
type: sweep
trial: {command: "echo ${{search_space.x}}", environment: {image: python}}
sampling_algorithm: grid
search_space: {x: {type: uniform, min_value: 0, max_value: 1}}
objective: {goal: minimize, primary_metric: loss}
limits: {max_total_trials: 3}
""",
        "is uniform, and a grid takes choices alone",
    ),
    "spaces within a choice": (
        """\
type: sweep
trial: {command: "echo ${{search_space.x}}", environment: {image: python}}
sampling_algorithm: random
search_space:
  x:
    type: choice
    values: [{kind: a, depth: {type: uniform, min_value: 0, max_value: 1}}, b]
objective: {goal: minimize, primary_metric: loss}
limits: {max_total_trials: 3}
""",
        "search_space.x.values[0]: is no plain value; spaces within a choice are not searched",
    ),
    "key said twice": ("command: echo\ncommand: ls\n" + _ENV, "'command' is said twice"),
    "no jobs": ("type: pipeline\n", "a pipeline needs jobs"),
    "no data": (
        _job("inputs: {x: {path: ./nowhere, type: uri_folder}}\n"),
        "there is nothing at ./nowhere",
    ),
    "default outside its bounds": (
        _steps("  a: {component: ./bounds.yml}\n"),
        "bounds.yml:4 inputs.n.default: 3 is more than 2",
    ),
    "bounds the wrong way": (
        _steps("  a: {component: ./bounds.yml}\n"),
        "bounds.yml:5 inputs.m.min: 5 is more than max, 1",
    ),
}
BOUNDS = """\
name: bounds
type: command
inputs:
  n: {type: integer, default: 3, max: 2}
  m: {type: number, default: 3, min: 5, max: 1}
environment: {image: python}
command: echo ${{inputs.n}} ${{inputs.m}}
"""

# Rejected there, and run here; the reason is why.
THEIRS = {
    "no compute": ("type: pipeline\njobs:\n  a: {command: echo, environment: {image: python}}\n"),
    "conda without an image": "command: echo\nenvironment: {conda_file: conda.yaml}\n",
    "compute by its bare name": (
        "type: pipeline\nsettings: {default_compute: cpu}\n"
        "jobs:\n  a: {command: echo, environment: {image: python}}\n"
    ),
    "file: before a pipeline component": _steps(
        "  a: {component: 'file:parts/nested/both.yml', "
        "inputs: {data: {path: data}, machine: cpu}}\n"
    ),
}


def written(folder: Path) -> Path:
    """A folder with the files that the jobs name."""
    for name, text in {**FILES, **BROKEN, "bounds.yml": BOUNDS}.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return folder
