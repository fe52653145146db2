"""The public examples that have components, in our own words; see `standins`."""

from __future__ import annotations

_SCHEMA = "$schema: https://example.org/latest/{}.schema.json\n"
_PIPELINE = _SCHEMA.format("pipelineJob") + "type: pipeline\n"
_COMPONENT = _SCHEMA.format("commandComponent") + "type: command\n"
_LABEL = "azureml://registries/azureml/environments/sklearn-1.5/labels/latest"
_CURATED = "azureml:AzureML-sklearn-1.5@latest"
_PARTS = "jobs/pipelines-with-components/basics"
_NESTED = (
    "jobs/pipelines-with-components/pipeline_with_pipeline_component/"
    "pipeline_with_train_eval_pipeline_component"
)

# Writes a file of a name into the folder that is said last; says what it was told.
_LEAVES = """\
import argparse, pathlib
parser = argparse.ArgumentParser()
for name in {names}:
    parser.add_argument("--" + name)
told = parser.parse_args()
print(vars(told))
for name in {read}:
    assert any(pathlib.Path(getattr(told, name)).iterdir()), name
pathlib.Path(told.{out}, "{file}").write_text(str(sorted(vars(told))))
"""


def _leaves(*names: str, file: str, read: tuple[str, ...] = ()) -> str:
    return _LEAVES.format(names=list(names), read=list(read), out=names[-1], file=file)


def _component(name: str, ports: str, command: str, *, version: str = "version: 1\n") -> str:
    return f"{_COMPONENT}name: {name}\ndisplay_name: {name.title()}\n{version}{ports}{command}"


_TRAIN_PORTS = f"""\
inputs:
  training_data:
    type: uri_folder
  max_epocs:
    type: integer
  learning_rate:
    type: number
    default: 0.01
    min: 0
    max: 10
  learning_rate_schedule:
    type: string
    enum: [time-based, step]
    default: time-based
outputs:
  model_output:
    type: uri_folder
environment: {_LABEL}
"""
_TRAIN_COMMAND = """\
command: >-
  python train.py
  --training_data ${{inputs.training_data}}
  --max_epocs ${{inputs.max_epocs}}
  --learning_rate ${{inputs.learning_rate}}
  --learning_rate_schedule ${{inputs.learning_rate_schedule}}
  --model_output ${{outputs.model_output}}
"""
_SCORE_PORTS = f"""\
inputs:
  model_input: {{type: uri_folder}}
  test_data: {{type: uri_folder}}
outputs:
  score_output: {{type: uri_folder}}
environment: {_CURATED}
"""
_SCORE_COMMAND = """\
command: >-
  python score.py --model_input ${{inputs.model_input}} --test_data ${{inputs.test_data}}
  --score_output ${{outputs.score_output}}
"""
_EVAL_PORTS = """\
inputs:
  scoring_result: {type: uri_folder}
outputs:
  eval_output: {type: uri_folder}
environment: {image: python}
"""
_EVAL_COMMAND = """\
command: >-
  python eval.py --scoring_result ${{inputs.scoring_result}} --eval_output ${{outputs.eval_output}}
"""


def _three_steps(train: str, score: str, evaluate: str, *, more: str = "") -> str:
    """Return a pipeline that trains, scores and evaluates."""
    return f"""\
{_PIPELINE}display_name: three_steps
tags: {{tag: tagvalue, owner: us}}
inputs:
  pipeline_job_training_input:
    type: uri_folder
    path: ./data
  pipeline_job_test_input: {{type: uri_folder, path: ./data}}
  pipeline_job_training_max_epocs: 20
  pipeline_job_training_learning_rate: 1.8
  pipeline_job_learning_rate_schedule: 'time-based'
outputs:
  pipeline_job_trained_model: {{mode: upload}}
  pipeline_job_scored_data: {{mode: upload}}
  pipeline_job_evaluation_report: {{mode: upload}}
settings:
  default_compute: azureml:cpu-cluster
jobs:
  train_job:
    type: command
    component: {train}
{more}    inputs:
      training_data: ${{{{parent.inputs.pipeline_job_training_input}}}}
      max_epocs: ${{{{parent.inputs.pipeline_job_training_max_epocs}}}}
      learning_rate: ${{{{parent.inputs.pipeline_job_training_learning_rate}}}}
      learning_rate_schedule: ${{{{parent.inputs.pipeline_job_learning_rate_schedule}}}}
    outputs:
      model_output: ${{{{parent.outputs.pipeline_job_trained_model}}}}
  score_job:
    type: command
    component: {score}
    inputs:
      model_input: ${{{{parent.jobs.train_job.outputs.model_output}}}}
      test_data: ${{{{parent.inputs.pipeline_job_test_input}}}}
    outputs:
      score_output: ${{{{parent.outputs.pipeline_job_scored_data}}}}
  evaluate_job:
    type: command
    component: {evaluate}
    inputs:
      scoring_result: ${{{{parent.jobs.score_job.outputs.score_output}}}}
    outputs:
      eval_output: ${{{{parent.outputs.pipeline_job_evaluation_report}}}}
"""


_SERVICES = """\
    services:
      my_vscode: {type: vs_code}
      my_jupyter: {type: jupyter_lab}
      my_board: {type: tensor_board, log_dir: outputs/tblogs}
"""
_TRAIN = _leaves(
    "training_data",
    "max_epocs",
    "learning_rate",
    "learning_rate_schedule",
    "model_output",
    file="model.txt",
    read=("training_data",),
)
_SCORE = _leaves(
    "model_input",
    "test_data",
    "score_output",
    file="score.txt",
    read=("model_input", "test_data"),
)
_EVAL = _leaves("scoring_result", "eval_output", file="eval_result.txt", read=("scoring_result",))

_PIPELINES = {
    f"{_PARTS}/1a_e2e_local_components/pipeline.yml": _three_steps(
        "file:./train.yml", "score.yml", "./eval.yml"
    ),
    f"{_PARTS}/1a_e2e_local_components/train.yml": _component(
        "my_train", _TRAIN_PORTS, "code: ./train_src\n" + _TRAIN_COMMAND
    ),
    f"{_PARTS}/1a_e2e_local_components/train_src/train.py": _TRAIN,
    f"{_PARTS}/1a_e2e_local_components/score.yml": _component(
        "score_data", _SCORE_PORTS, "code: ./score_src\n" + _SCORE_COMMAND
    ),
    f"{_PARTS}/1a_e2e_local_components/score_src/score.py": _SCORE,
    f"{_PARTS}/1a_e2e_local_components/eval.yml": _component(
        "eval_model", _EVAL_PORTS, "code: ./eval_src\n" + _EVAL_COMMAND
    ),
    f"{_PARTS}/1a_e2e_local_components/eval_src/eval.py": _EVAL,
    f"{_PARTS}/1a_e2e_local_components/data/sample.csv": "a\n1\n",
    f"{_PARTS}/1b_e2e_registered_components/pipeline.yml": _three_steps(
        "azureml:my_train@latest",
        "azureml:my_score@latest",
        "azureml:my_eval@latest",
        more=_SERVICES,
    ),
    f"{_PARTS}/1b_e2e_registered_components/train.yml": _component(
        "my_train", _TRAIN_PORTS, "code: ./train_src\n" + _TRAIN_COMMAND, version=""
    ),
    f"{_PARTS}/1b_e2e_registered_components/train_src/train.py": _TRAIN,
    f"{_PARTS}/1b_e2e_registered_components/score.yml": _component(
        "my_score", _SCORE_PORTS, "code: ./score_src\n" + _SCORE_COMMAND, version=""
    ),
    f"{_PARTS}/1b_e2e_registered_components/score_src/score.py": _SCORE,
    f"{_PARTS}/1b_e2e_registered_components/eval.yml": _component(
        "my_eval", _EVAL_PORTS, "code: ./eval_src\n" + _EVAL_COMMAND, version=""
    ),
    f"{_PARTS}/1b_e2e_registered_components/eval_src/eval.py": _EVAL,
    f"{_PARTS}/1b_e2e_registered_components/data/sample.csv": "a\n1\n",
    f"{_PARTS}/2b_component_with_input_output/pipeline.yml": f"""\
{_PIPELINE}inputs:
  pipeline_sample_input_data: {{type: uri_folder, path: ./data}}
outputs:
  pipeline_sample_output_data:
    mode: upload
settings: {{default_compute: azureml:cpu-cluster}}
jobs:
  hello_python_world_job:
    type: command
    component: ./component.yml
    inputs:
      sample_input_path: ${{{{parent.inputs.pipeline_sample_input_data}}}}
    outputs:
      sample_output_path: ${{{{parent.outputs.pipeline_sample_output_data}}}}
""",
    f"{_PARTS}/2b_component_with_input_output/component.yml": _component(
        "hello_python_world",
        f"""\
inputs:
  sample_input_path: {{type: uri_folder, description: what is listed}}
  sample_input_string:
    type: string
    default: hello_python_world_default
outputs:
  sample_output_path: {{type: uri_folder}}
environment: {_CURATED}
""",
        """\
code: ./src
command: >-
  python hello.py --sample_input_path ${{inputs.sample_input_path}}
  --sample_input_string ${{inputs.sample_input_string}}
  --sample_output_path ${{outputs.sample_output_path}}
""",
    ),
    f"{_PARTS}/2b_component_with_input_output/src/hello.py": _leaves(
        "sample_input_path",
        "sample_input_string",
        "sample_output_path",
        file="file-1.txt",
        read=("sample_input_path",),
    ),
    f"{_PARTS}/2b_component_with_input_output/data/sample.csv": "a\n1\n",
    f"{_PARTS}/3b_pipeline_with_data/pipeline.yml": f"""\
{_PIPELINE}inputs:
  pipeline_sample_input_data: {{type: uri_folder, path: ./data}}
outputs:
  final_pipeline_output:
    mode: rw_mount
settings:
  default_compute: azureml:cpu-cluster
jobs:
  component_a_job:
    type: command
    component: ./component.yml
    inputs: {{came: "${{{{parent.inputs.pipeline_sample_input_data}}}}"}}
    outputs: {{left: {{mode: rw_mount}}}}
  component_b_job:
    type: command
    component: ./component.yml
    inputs: {{came: "${{{{parent.jobs.component_a_job.outputs.left}}}}"}}
    outputs: {{left: {{mode: rw_mount}}}}
  component_c_job:
    type: command
    component: ./component.yml
    inputs: {{came: "${{{{parent.jobs.component_b_job.outputs.left}}}}"}}
    outputs: {{left: "${{{{parent.outputs.final_pipeline_output}}}}"}}
""",
    f"{_PARTS}/3b_pipeline_with_data/component.yml": _component(
        "passes_on",
        "inputs: {came: {type: uri_folder}}\noutputs: {left: {type: uri_folder}}\n"
        "environment: {image: docker.io/python}\n",
        "command: ls ${{inputs.came}} && date > ${{outputs.left}}/file.txt\n",
        version="version: 01\n",
    ),
    f"{_PARTS}/3b_pipeline_with_data/data/sample.csv": "a\n1\n",
    f"{_PARTS}/4a_local_data_input/pipeline.yml": f"""\
{_PIPELINE}inputs:
  pipeline_sample_input_data: {{type: uri_folder, path: ./data, mode: ro_mount}}
  pipeline_sample_input_string: 'Hello_Pipeline_World'
outputs:
  pipeline_sample_output_data:
settings: {{default_compute: azureml:cpu-cluster}}
jobs:
  hello_python_world_job:
    type: command
    component: file:../2b_component_with_input_output/component.yml
    inputs:
      sample_input_path: {{type: uri_folder, path: .//data, mode: download}}
      sample_input_string: ${{{{parent.inputs.pipeline_sample_input_string}}}}
    outputs:
      sample_output_path: ${{{{parent.outputs.pipeline_sample_output_data}}}}
""",
    f"{_PARTS}/4a_local_data_input/data/sample.csv": "a\n1\n",
    f"{_PARTS}/5c_env_conda_file/pipeline.yml": f"""\
{_PIPELINE}settings: {{default_compute: azureml:cpu-cluster}}
jobs:
  hello_python_world_job:
    type: command
    component: file:./component.yml
""",
    f"{_PARTS}/5c_env_conda_file/component.yml": _component(
        "jokes",
        """\
environment:
  conda_file: ./conda.yaml
  image: mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04
""",
        "code: ./src\ncommand: python jokes.py\n",
    ),
    f"{_PARTS}/5c_env_conda_file/conda.yaml": """\
name: jokes
channels: [conda-forge]
dependencies: [python=3.8, pip=21.2.4, {pip: [pyjokes]}]
""",
    f"{_PARTS}/5c_env_conda_file/src/jokes.py": "import pyjokes\nprint(pyjokes.get_joke())\n",
}


def _trained(number: int) -> str:
    return f"""\
  train_and_evaluate_model{number}:
    type: pipeline
    component: ./components/train_pipeline_component.yml
    inputs:
      training_data: ${{{{parent.inputs.pipeline_job_training_data}}}}
      test_data: ${{{{parent.inputs.pipeline_job_test_data}}}}
      training_max_epocs: 20
      training_learning_rate: ${{{{parent.inputs.rate{number}}}}}
      train_node_compute: ${{{{parent.inputs.compute_train_node}}}}
"""


_INNER = f"{_NESTED}/components"
_DEEP = {
    f"{_NESTED}/pipeline.yml": f"""\
{_PIPELINE}inputs:
  pipeline_job_training_data: {{type: uri_folder, path: ./data}}
  pipeline_job_test_data: {{type: uri_folder, path: ./data}}
  rate1: 0.1
  rate2: 0.01
  compute_train_node: cpu-cluster
  compute_compare_node: cpu-cluster
outputs:
  pipeline_job_best_model: {{mode: upload}}
  pipeline_job_best_result: {{mode: upload}}
settings:
  default_datastore: azureml:workspaceblobstore
  default_compute: azureml:cpu-cluster
  continue_on_step_failure: false
jobs:
{_trained(1)}{_trained(2)}  compare:
    type: command
    component: ./components/compare/compare.yml
    compute: ${{{{parent.inputs.compute_compare_node}}}}
    inputs:
      model1: ${{{{parent.jobs.train_and_evaluate_model1.outputs.trained_model}}}}
      result1: ${{{{parent.jobs.train_and_evaluate_model1.outputs.evaluation_report}}}}
      model2: ${{{{parent.jobs.train_and_evaluate_model2.outputs.trained_model}}}}
      result2: ${{{{parent.jobs.train_and_evaluate_model2.outputs.evaluation_report}}}}
    outputs:
      best_model: ${{{{parent.outputs.pipeline_job_best_model}}}}
      best_result: ${{{{parent.outputs.pipeline_job_best_result}}}}
""",
    f"{_INNER}/train_pipeline_component.yml": f"""\
{_SCHEMA.format("pipelineComponent")}type: pipeline
name: train_pipeline_component
inputs:
  training_data: {{type: uri_folder}}
  test_data: {{type: uri_folder}}
  training_max_epocs: {{type: integer}}
  training_learning_rate: {{type: number}}
  learning_rate_schedule: {{type: string, default: 'time-based'}}
  train_node_compute: {{type: string}}
outputs:
  trained_model: {{type: uri_folder}}
  evaluation_report: {{type: uri_folder}}
jobs:
  train_job:
    type: command
    component: ./train/train.yml
    inputs:
      training_data: ${{{{parent.inputs.training_data}}}}
      max_epocs: ${{{{parent.inputs.training_max_epocs}}}}
      learning_rate: ${{{{parent.inputs.training_learning_rate}}}}
      learning_rate_schedule: ${{{{parent.inputs.learning_rate_schedule}}}}
    outputs:
      model_output: ${{{{parent.outputs.trained_model}}}}
    compute: ${{{{parent.inputs.train_node_compute}}}}
  score_job:
    type: command
    component: ./score/score.yml
    inputs:
      model_input: ${{{{parent.jobs.train_job.outputs.model_output}}}}
      test_data: ${{{{parent.inputs.test_data}}}}
    outputs:
      score_output: {{mode: upload}}
  evaluate_job:
    type: command
    component: ./eval/eval.yml
    inputs:
      scoring_result: ${{{{parent.jobs.score_job.outputs.score_output}}}}
    outputs:
      eval_output: ${{{{parent.outputs.evaluation_report}}}}
""",
    f"{_INNER}/train/train.yml": _component(
        "train_model", _TRAIN_PORTS, "code: .\n" + _TRAIN_COMMAND
    ),
    f"{_INNER}/train/train.py": _TRAIN,
    f"{_INNER}/score/score.yml": _component(
        "score_data", _SCORE_PORTS, "code: .\n" + _SCORE_COMMAND
    ),
    f"{_INNER}/score/score.py": _SCORE,
    f"{_INNER}/eval/eval.yml": _component("eval_model", _EVAL_PORTS, "code: .\n" + _EVAL_COMMAND),
    f"{_INNER}/eval/eval.py": _EVAL,
    f"{_INNER}/compare/compare.yml": _component(
        "compare_2_models",
        """\
inputs:
  model1: {type: uri_folder}
  result1: {type: uri_folder}
  model2: {type: uri_folder}
  result2: {type: uri_folder}
outputs:
  best_model: {type: uri_folder}
  best_result: {type: uri_folder}
environment: {image: python}
""",
        """\
command: >-
  cp ${{inputs.model1}}/model.txt ${{outputs.best_model}}/model &&
  cp ${{inputs.result2}}/eval_result.txt ${{outputs.best_result}}/result
""",
    ),
    f"{_NESTED}/data/sample.csv": "a\n1\n",
}

FILES = {**_PIPELINES, **_DEEP}
